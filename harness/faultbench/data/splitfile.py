"""A split on disk: a folder of JSON and plain arrays, the same bytes for the same split."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.data.recording import Channel, Gearing, Geometry, Recording, plain
from faultbench.data.split import COLUMNS, Episode, EpisodeRequest, Pool, Split
from faultbench.errors import DataError

FORMAT = 2
HEAD = "split.json"
ARRAYS = ("support", "support_labels", "query", "query_labels")


def digest(split: Split) -> str:
    """SHA-256, in hexadecimal, of all that a split says: level, request, recordings, labels, and every window of its episodes."""
    return _digest(_head(split), _arrays(split))


def save_split(split: Split, folder: Path) -> None:
    """Writes a split to a folder, which is made if need be: `split.json`, and an `.npy` for each column of the episodes."""
    folder.mkdir(parents=True, exist_ok=True)
    head, arrays = _head(split), _arrays(split)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    text = json.dumps({**head, "digest": _digest(head, arrays)}, sort_keys=True, indent=1)
    (folder / HEAD).write_text(text, encoding="utf-8")


def load_split(folder: Path) -> Split:
    """The split that was written to a folder.

    Raises:
        DataError: It is not there, damaged, or of another format.
    """
    try:
        head = json.loads((folder / HEAD).read_text(encoding="utf-8"))
        if head.get("format") != FORMAT:
            raise DataError(f"{folder / HEAD} has format {head.get('format')}, this version reads {FORMAT}: make the split again")
        # Mapped first: a header that claims more than the file holds is then an error, not a huge allocation.
        arrays = {name: np.array(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)) for name in ARRAYS}
        written = head.pop("digest")
        split = _split(head, arrays)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise DataError(f"{folder} holds no readable split ({type(error).__name__}): make it again") from error
    if digest(split) != written:
        raise DataError(f"{folder} holds a damaged split (its digest does not fit): make it again")
    return split


def _head(split: Split) -> dict[str, Any]:
    """All but the episodes' windows, as JSON takes it."""
    said = {f.name: getattr(split, f.name) for f in dataclasses.fields(split) if f.name not in {"episodes", "request", "source", "target"}}
    return {
        **said,
        "format": FORMAT,
        "left_out": list(split.left_out),
        "request": dataclasses.asdict(split.request),
        "source": _plain(split.source),
        "target": _plain(split.target),
        "classes": [list(e.classes) for e in split.episodes],
        "rare": [e.rare for e in split.episodes],
    }


def _plain(pool: Pool) -> dict[str, Any]:
    return {**dataclasses.asdict(pool), "recordings": [plain(r) for r in pool.recordings]}


def _arrays(split: Split) -> dict[str, NDArray[np.int64]]:
    """The episodes' columns, stacked: (episode, window, 2) and (episode, window)."""
    return {name: np.stack([getattr(e, name) for e in split.episodes]).astype("<i8") for name in ARRAYS}


def _digest(head: Mapping[str, Any], arrays: Mapping[str, NDArray[np.int64]]) -> str:
    sha = hashlib.sha256(json.dumps(head, sort_keys=True, separators=(",", ":")).encode())
    for name in ARRAYS:
        sha.update(f"{name}{arrays[name].shape}".encode())
        sha.update(np.ascontiguousarray(arrays[name]).tobytes())
    return sha.hexdigest()


def _split(head: Mapping[str, Any], arrays: Mapping[str, NDArray[np.int64]]) -> Split:
    episodes = zip(head["classes"], head["rare"], *(arrays[name].astype(np.int64) for name in ARRAYS), strict=True)
    plain = ("scenario", "level", "note", "seed", "window", "rate_hz")
    return Split(
        **{name: head[name] for name in plain},
        request=EpisodeRequest(**head["request"]),
        source=_pool(head["source"]),
        target=_pool(head["target"]),
        episodes=tuple(Episode(tuple(classes), rare, *columns) for classes, rare, *columns in episodes),
        left_out=tuple(head["left_out"]),
    )


def _pool(said: Mapping[str, Any]) -> Pool:
    columns: dict[str, Any] = {name: tuple(said[name]) for name in COLUMNS if name not in ("recordings", "channels")}
    rules: dict[str, Any] = {name: said[name] for name in ("together", "apart")}
    spans = tuple((first, last) for first, last in said["spans"])
    channels = tuple(map(tuple, said["channels"]))
    return Pool(recordings=tuple(map(_recording, said["recordings"])), channels=channels, **columns, **rules, spans=spans)


def _recording(said: Mapping[str, Any]) -> Recording:
    return Recording(
        **{
            **said,
            "channels": tuple(Channel(**c) for c in said["channels"]),
            "geometry": Geometry(**said["geometry"]) if said["geometry"] else None,
            "notes": tuple(said["notes"]),
            "gearing": Gearing(**said["gearing"]) if said.get("gearing") else None,
        }
    )
