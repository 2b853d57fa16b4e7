"""A split as one portable file, so that another group can use the same windows, with or without faultbench.

The file is JSON, packed by gzip where its name ends in `.gz`. What stands in it is described in docs/howto/splits.md, which has a
reader. `digest` is the SHA-256 of the document without that entry, written with sorted keys, no spaces, ASCII only.

A file from elsewhere is hostile until known: its size is limited before it is unpacked, its digest is compared, every entry is
checked for its type and range, and what comes out is audited like any split.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
import io
import json
import os
import secrets
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from faultbench.data.episodes import row_spans
from faultbench.data.origin import Origin
from faultbench.data.recording import Catalogue, Recording
from faultbench.data.resampling import Base
from faultbench.data.split import Episode, EpisodeRequest, Pool, Split
from faultbench.errors import DataError
from faultbench.regularfile import read_regular

FORMAT = "faultbench split 1"
MOST_BYTES = 32 * 1024 * 1024
"""Unpacked. A file of 100 episodes has some 0.2 MB; parsed, text takes about twelve times its size in memory."""

_SAID = ("id", "machine", "mounting", "bearing", "element", "severity", "session", "load", "position")
"""What a file says of a recording, and must find so in the catalogue that it is used with."""

Origins = Callable[[Recording, str], Origin]
"""Where a recording's channel comes from, with all that was done to it."""


def document(split: Split, catalogues: Sequence[Catalogue], origins: Origins, base: Base | None = None) -> dict[str, Any]:
    """What a published file says, with its digest.

    Args:
        split: The split, audited.
        catalogues: Those it was made of.
        origins: Where signals come from.
        base: What all signals were brought to, where the split has sources of its own; `origins` knows of it.
    """
    made = {
        "format": FORMAT,
        **{name: getattr(split, name) for name in ("scenario", "level", "note", "seed", "window", "rate_hz")},
        "base": None if base is None else dataclasses.asdict(base),
        "request": dataclasses.asdict(split.request),
        "data_sets": {c.dataset: {"version": c.version, "cite": c.cite, "licence": c.licence} for c in catalogues},
        "source": _side(split.source, origins),
        "target": _side(split.target, origins),
        "episodes": [_episode(episode) for episode in split.episodes],
        "left_out": list(split.left_out),
    }
    return {**made, "digest": digest(made)}


def digest(said: Mapping[str, Any]) -> str:
    """SHA-256, in hexadecimal, of a document without its own digest."""
    content = {name: value for name, value in said.items() if name != "digest"}
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")).hexdigest()


def write_document(said: Mapping[str, Any], path: Path) -> None:
    """Writes a document to a file, whole or not at all: the same bytes for the same document on the same machine.

    Raises:
        OSError: It cannot be written.
    """
    text = json.dumps(said, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
    content = gzip.compress(text, mtime=0) if path.suffix == ".gz" else text
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_file(path: Path) -> bytes:
    """What stands in a file, as it lies there.

    Raises:
        DataError: It cannot be read, is no regular file, or is too large.
    """
    return read_regular(path, MOST_BYTES, "name a published split")


def parse_document(content: bytes, path: Path) -> dict[str, Any]:
    """What a file says, its digest compared. Its entries are checked when a split is made of them.

    Args:
        content: What stands in it, packed where its name ends in `.gz`.
        path: Its name.

    Raises:
        DataError: It is too large, is no such file, or was changed.
    """
    try:
        if path.suffix == ".gz":
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
                content = _limited(file.read(MOST_BYTES + 1), path)
        said = json.loads(content)
        found = digest(said) if isinstance(said, dict) else ""
    except (OSError, EOFError, zlib.error, ValueError, RecursionError) as error:
        packed = isinstance(error, OSError | EOFError | zlib.error)
        wrong = "it is not packed by gzip, or damaged" if packed else "it is no JSON, or damaged"
        raise DataError(f"{path} is no published split ({wrong}): name a file that `faultbench data split` wrote") from error
    if not isinstance(said, dict) or said.get("format") != FORMAT:
        raise DataError(f"{path} is not of the format {FORMAT!r}: name a file that `faultbench data split` wrote")
    if said.get("digest") != found:
        raise DataError(f"{path} was changed: its digest does not fit what it says, get the file again")
    return said


def _limited(content: bytes, path: Path) -> bytes:
    if len(content) > MOST_BYTES:
        raise DataError(f"{path} holds more than {MOST_BYTES // 2**20} MB, no published split does: name another file")
    return content


def split_of(said: Mapping[str, Any], catalogues: Sequence[Catalogue], request: EpisodeRequest, path: Path) -> Split:
    """The split that a document describes, of the recordings of these catalogues, with as many episodes as are asked for.

    Args:
        said: The document.
        catalogues: What is at hand. What the document says of a recording must be so there.
        request: What is asked for; ways may be 0.
        path: The file's name, for errors.

    Raises:
        DataError: An entry is not what it should be, or a recording is not at hand or another one.
    """
    try:
        with _laid_out("it"):
            return _Reader(catalogues).split(said, request)
    except _Wrong as wrong:
        raise DataError(f"{path}: {wrong}") from wrong.__cause__


class _Wrong(Exception):  # noqa: N818 - becomes a DataError that names the file
    """What is wrong with an entry, and what to do."""


@contextlib.contextmanager
def _laid_out(what: str) -> Iterator[None]:
    """Says of which part of a file the entries are not there, or of another kind than they should be."""
    try:
        yield
    except KeyError as error:
        raise _Wrong(f"{what} has no entry {str(error.args[0])[:40]!a}: get the file again") from error
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise _Wrong(f"{what} is not laid out as in a published split: get the file again") from error


class _Reader:
    """Makes a split of a document that nobody vouches for."""

    def __init__(self, catalogues: Sequence[Catalogue]) -> None:
        self._recordings = {(r.dataset, r.id): r for c in catalogues for r in c.recordings}

    def split(self, said: Mapping[str, Any], request: EpisodeRequest) -> Split:
        with _laid_out("request"):
            asked = EpisodeRequest(**{name: _whole(value, f"request.{name}", 1) for name, value in said["request"].items()})
        for name in ("ways", "shots", "shots_rare", "queries"):
            wanted = getattr(request, name)
            if wanted not in ((0, getattr(asked, name)) if name == "ways" else (getattr(asked, name),)):
                option = name.replace("_", "-")
                raise _Wrong(f"its episodes have {name} {getattr(asked, name)}, not {wanted}: give --{option} {getattr(asked, name)}")
        episodes = said["episodes"]
        if not isinstance(episodes, list) or len(episodes) < request.episodes:
            raise _Wrong(f"it holds {len(episodes)} episodes, {request.episodes} are asked for: give --episodes {len(episodes)} or fewer")
        window, rate_hz = _whole(said["window"], "window", 1), _number(said["rate_hz"], "rate_hz")
        source, target = (self._pool(said[side], side, rate_hz) for side in ("source", "target"))
        if len({rates for pool in (source, target) for rates in _rates(pool)}) > 1:
            raise _Wrong("it does not read as many channels, at the same rates, of every recording: get the file again")
        drawn = dataclasses.replace(asked, episodes=request.episodes)
        ends = row_spans(target)[:, 1].tolist()
        return Split(
            scenario=_text(said["scenario"], "scenario"),
            level=_text(said["level"], "level"),
            note=_text(said["note"], "note"),
            seed=_whole(said["seed"], "seed", 0),
            window=window,
            rate_hz=rate_hz,
            request=drawn,
            source=source,
            target=target,
            episodes=tuple(_read_episode(e, i, ends, window) for i, e in enumerate(episodes[: request.episodes])),
            left_out=tuple(_text(name, "left_out") for name in said["left_out"]),
        )

    def _pool(self, said: Mapping[str, Any], side: str, rate_hz: float) -> Pool:
        with _laid_out(side):
            return self._pool_of(said, side, rate_hz)

    def _pool_of(self, said: Mapping[str, Any], side: str, rate_hz: float) -> Pool:
        entries = said["recordings"]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise _Wrong(f"{side}.recordings is no list of tables: get the file again")
        recordings = tuple(self._recording(entry, rate_hz) for entry in entries)
        spans = tuple(
            (_whole(entry["use"][0], f"{side}: use", 0), _whole(entry["use"][1], f"{side}: use", 0)) for entry in entries if "use" in entry
        )
        return Pool(
            recordings=recordings,
            channels=tuple(tuple(entry["channels"]) for entry in entries),
            labels=tuple(_text(entry["class"], "class") for entry in entries),
            conditions=tuple(_text(entry["way"], "way") for entry in entries),
            parts=tuple(_text(entry["part"], "part") for entry in entries),
            together=_flag(said["together"], f"{side}.together"),
            apart=_flag(said["apart"], f"{side}.apart"),
            spans=spans,
        )

    def _recording(self, said: Mapping[str, Any], rate_hz: float) -> Recording:
        name = f"{said['data_set']}/{said['id']}"
        found = self._recordings.get((_text(said["data_set"], "data_set"), _text(said["id"], "id")))
        if found is None:
            raise _Wrong(f"recording {name[:80]!a} is not at hand: name its data set, and complete this copy of it")
        for what in _SAID:
            if said[what] != getattr(found, what):
                here = getattr(found, what)
                raise _Wrong(f"it says that {what} of {name} is {str(said[what])[:40]!a}, here it is {here!a}: use the data it was made of")
        self._check_channels(found, said, name, rate_hz)
        return found

    def _check_channels(self, found: Recording, said: Mapping[str, Any], name: str, rate_hz: float) -> None:
        channels = said["channels"]
        if not isinstance(channels, list) or not channels or len(set(map(str, channels))) < len(channels):
            raise _Wrong(f"channels of {name} is no list of different names: get the file again")
        beside = said["beside"] if len(channels) > 1 else []
        for channel, entry in zip(channels, [{"rate_hz": rate_hz, "samples": said["samples"]}, *beside], strict=True):
            here = next((c for c in found.channels if c.name == _text(channel, "channels")), None)
            if here is None or here.rate_hz != entry["rate_hz"]:
                rate = _number(entry["rate_hz"], f"rate_hz of {name}")
                raise _Wrong(f"{name} has no channel {channel[:40]!a} at {rate:g} Hz here: use the data it was made of")
            if here.samples is not None and here.samples != entry["samples"]:
                held = str(entry["samples"])[:20]
                raise _Wrong(
                    f"it says that {name} holds {held} samples of {channel}, here it holds {here.samples}: use the data it was made of"
                )


def _read_episode(said: Mapping[str, Any], number: int, ends: Sequence[int], window: int) -> Episode:
    what = f"episode {number}"
    with _laid_out(what):
        return _episode_of(said, what, ends, window)


def _episode_of(said: Mapping[str, Any], what: str, ends: Sequence[int], window: int) -> Episode:
    columns: dict[str, Any] = {}
    for name in ("support", "query"):
        ways = said[name]
        if len(ways) != len(said["classes"]):
            raise _Wrong(f"{what} has {len(ways)} {name} lists for {len(said['classes'])} classes: get the file again")
        rows: list[tuple[int, int]] = []
        for row, start in (pair for way in ways for pair in way):
            _whole(row, f"{what}: recording", 0, len(ends) - 1)
            rows.append((row, _whole(start, f"{what}: first sample", 0, ends[row] - window)))
        columns[name] = np.array(rows, dtype=np.int64).reshape(-1, 2)
        columns[f"{name}_labels"] = np.repeat(np.arange(len(ways)), [len(way) for way in ways])
    classes = tuple(_text(name, f"{what}: class") for name in said["classes"])
    return Episode(classes=classes, rare=_whole(said["rare"], f"{what}: rare", 0, len(classes) - 1), **columns)


def _rates(pool: Pool) -> Iterator[tuple[float, ...]]:
    """The rates of the channels of each recording."""
    for recording, channels in zip(pool.recordings, pool.channels, strict=True):
        yield tuple(recording.channel(channel).rate_hz for channel in channels)


def _side(pool: Pool, origins: Origins) -> dict[str, Any]:
    entries = []
    for row, (recording, channels) in enumerate(zip(pool.recordings, pool.channels, strict=True)):
        lead, *others = (recording.channel(channel) for channel in channels)
        beside = [{"rate_hz": c.rate_hz, "samples": c.samples, "from": _from(origins(recording, c.name))} for c in others]
        entries.append(
            {
                "data_set": recording.dataset,
                **{name: getattr(recording, name) for name in _SAID},
                "speed_rpm": recording.speed_rpm,
                "channels": list(channels),
                "samples": lead.samples,
                "class": pool.labels[row],
                "way": pool.conditions[row],
                "part": pool.parts[row],
                **({"use": list(pool.spans[row])} if pool.spans else {}),
                "from": _from(origins(recording, lead.name)),
                **({"beside": beside} if beside else {}),
            }
        )
    return {"together": pool.together, "apart": pool.apart, "recordings": entries}


def _from(origin: Origin) -> dict[str, Any]:
    """Where a signal comes from, what is not known left out."""
    said = {name: getattr(origin, name) for name in ("file", "variable", "sha256", "recorded_hz", "made_by") if getattr(origin, name)}
    return {**said, "steps": [dataclasses.asdict(step) for step in origin.steps]}


def _episode(episode: Episode) -> dict[str, Any]:
    """The windows by way; within a way in the order of the episode."""

    def by_way(rows: Any, labels: Any) -> list[list[list[int]]]:
        return [rows[labels == way].tolist() for way in range(len(episode.classes))]

    return {
        "classes": list(episode.classes),
        "rare": episode.rare,
        "support": by_way(episode.support, episode.support_labels),
        "query": by_way(episode.query, episode.query_labels),
    }


def _whole(value: object, what: str, least: int, most: int = 2**53) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _Wrong(f"{what} is {str(value)[:40]!a}, not a whole number from {least} to {most}: get the file again")
    return value


def _number(value: object, what: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e12:
        raise _Wrong(f"{what} is {str(value)[:40]!a}, not a number above 0: get the file again")
    return float(value)


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise _Wrong(f"{what} is {str(value)[:40]!a}, not a text: get the file again")
    return value


def _flag(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"{what} is {str(value)[:40]!a}, not true or false: get the file again")
    return value
