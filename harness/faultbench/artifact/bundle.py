"""A bundle: what goes to a gateway. The artifact, the single file that runs it, and what it takes to see that it runs right there.

bundle.json             what it was made from, and the SHA-256 of every other file
README.md               how to use it, for whoever finds it on the gateway
runner.py               needs Python 3.9 or later, numpy and onnxruntime
artifact/               the classifier before it is adapted
check/episodes.npz      a made-up task
check/expected.npz      what the runner answered to it where the bundle was made
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from faultbench.artifact import runner
from faultbench.artifact.format import Manifest
from faultbench.artifact.reader import verify
from faultbench.errors import CellError, DataError, UsageError
from faultbench.regularfile import read_regular

FORMAT = 1
HEAD = "bundle.json"
ARTIFACT, RUNNER, README = "artifact", "runner.py", "README.md"
EPISODES, EXPECTED = "check/episodes.npz", "check/expected.npz"
QUERIES = 4
"""Query windows per class of the made-up task."""
TOLERANCE = 1e-3
"""How far logits on another processor may be from the expected ones, relative to the largest: float32 sums in another order."""
_SEED = 1605
_LIMIT_S = 600.0
_MOST_BYTES = 4 << 30


@dataclasses.dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a bundle found, where nothing is wrong with it.

    Args:
        error: The largest difference of a logit from the expected one, relative to the largest logit.
        summary: What the runner said: times, versions, machine.
    """

    error: float
    summary: Mapping[str, Any]


def write_bundle(folder: Path, artifact: Path, about: Mapping[str, Any], channels: Mapping[str, str]) -> Manifest:
    """Writes a bundle; everything goes to a temporary folder beside it, which is renamed.

    Args:
        folder: Where to; not there yet, or empty.
        artifact: The artifact's folder.
        about: What it was made from, as JSON takes it.
        channels: The channels of a window in their order, each with its unit.

    Raises:
        UsageError: The folder is there and not empty, or cannot be written.
        DataError: The artifact is damaged.
        CellError: The artifact does not run here.
    """
    check_free(folder)
    manifest, physics = verify(artifact), _physics(artifact)
    temporary = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary.mkdir()
        shutil.copytree(artifact, temporary / ARTIFACT)
        shutil.copyfile(runner.__file__, temporary / RUNNER)
        (temporary / README).write_text(_readme(manifest, about, channels, physics), encoding="utf-8")
        (temporary / EPISODES).parent.mkdir()
        _save(temporary / EPISODES, made_up_task(manifest, physics))
        _run(temporary, temporary / EXPECTED)
        _keep_answers(temporary / EXPECTED)
        files = {path.relative_to(temporary).as_posix(): _sha256(path) for path in sorted(temporary.rglob("*")) if path.is_file()}
        head = {"format": FORMAT, "about": about, "channels": dict(channels), "sha256": files}
        (temporary / HEAD).write_text(json.dumps(head, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()
        temporary.rename(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}): name a folder that can") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return manifest


def check_free(folder: Path) -> None:
    """Checks that a bundle can be written to a folder, before any work.

    Raises:
        UsageError: It is there and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already: name a folder that is not, or is empty")


def check_bundle(folder: Path) -> Checked:
    """Whether a bundle is whole, and gives the expected answers on this machine.

    Raises:
        DataError: A file is missing, damaged, or not of the bundle.
        CellError: It does not run here, or answers otherwise than expected.
    """
    _check_files(folder)
    verify(folder / ARTIFACT)
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out.npz"
        summary = _run(folder, out)
        try:
            with np.load(out, allow_pickle=False) as got, np.load(folder / EXPECTED, allow_pickle=False) as expected:
                logits, wanted = got["logits"], expected["logits"]
        except (OSError, ValueError, KeyError) as error:
            raise CellError(f"{folder}: the runner's answers cannot be read ({error}): copy the bundle again") from error
    if logits.shape != wanted.shape:
        raise CellError(f"{folder}: the runner gave answers of shape {logits.shape}, not {wanted.shape}: copy the bundle again")
    error_ = float(np.abs(logits - wanted).max() / max(float(np.abs(wanted).max()), 1e-12))
    if not error_ <= TOLERANCE:
        raise CellError(
            f"{folder}: this machine's logits are {error_:.2g} off the expected ones, more than {TOLERANCE:g}: another onnxruntime may help"
        )
    return Checked(error_, summary)


def made_up_task(manifest: Manifest, physics: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """An episode of noise, coloured by class, as the runner takes it; the same for the same manifest."""
    rng = np.random.default_rng(_SEED)
    shots = (manifest.support_rows or 5 * manifest.ways) // manifest.ways
    labels = np.repeat(np.arange(manifest.ways), shots)
    shown = np.concatenate([labels, np.repeat(np.arange(manifest.ways), QUERIES)])
    noise = rng.standard_normal((len(shown), manifest.channels, manifest.window))
    lag = shown[:, None, None] + 1
    place = np.arange(manifest.window)
    windows = noise + np.take_along_axis(noise, np.broadcast_to((place - lag) % manifest.window, noise.shape), axis=2)
    given: dict[str, NDArray[Any]] = {
        "windows": (0.1 * windows).astype(np.float32),
        "support": np.arange(len(labels), dtype=np.int64)[None],
        "support_labels": labels.astype(np.int64)[None],
        "query": np.arange(len(labels), len(shown), dtype=np.int64)[None],
    }
    known = {"speed_rpm": np.full(len(shown), 1800.0), "orders": np.tile([3.6, 5.4, 2.4, 0.4], (len(shown), 1))}
    return given | {name: known[name].astype(np.float32) for name in physics}


def _physics(artifact: Path) -> tuple[str, ...]:
    """What the graphs want to know of the machine beside the windows."""
    try:
        return runner.Artifact(artifact).physics
    except runner.RunError as error:
        raise CellError(f"{artifact} does not run here: {error}") from error


def _run(bundle: Path, out: Path) -> dict[str, Any]:
    """Lets the bundle's own runner answer the made-up task, as it would on the gateway; returns its summary."""
    command = [sys.executable, "-P", str(bundle / RUNNER), str(bundle / ARTIFACT), str(bundle / EPISODES), "--out", str(out)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise CellError(f"{bundle}: the runner took longer than {_LIMIT_S:g} s: try a faster machine") from error
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CellError(f"{bundle}: the runner failed ({said.removeprefix('error: ')}): copy the bundle again")
    try:
        summary: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise CellError(f"{bundle}: the runner printed no summary: copy the bundle again") from error
    return summary


def _keep_answers(path: Path) -> None:
    """Keeps of the runner's answers what another machine has to repeat: no times."""
    with np.load(path, allow_pickle=False) as found:
        answers = {name: found[name] for name in ("predictions", "logits")}
    _save(path, answers)


def _save(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # numpy's own signature


def _check_files(folder: Path) -> None:
    try:
        advice = f"{folder} is no bundle, make one with faultbench bundle create"
        head = json.loads(read_regular(folder / HEAD, _MOST_BYTES, advice).decode("utf-8"))
        if head["format"] != FORMAT:
            raise DataError(f"{folder} is a bundle of format {head['format']}, this version reads {FORMAT}: make it again")
        listed = {str(name): str(digest) for name, digest in head["sha256"].items()}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{folder} is no bundle ({type(error).__name__} in {HEAD}): make it with faultbench bundle create") from error
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()} - {HEAD}
    if missing := sorted(set(listed) - there):
        raise DataError(f"{folder} lacks {missing[0]}: copy the bundle again")
    if foreign := sorted(name for name in there - set(listed) if "__pycache__" not in name):
        raise DataError(f"{folder} holds {foreign[0]}, which is not of the bundle: copy it again into an empty folder")
    for name, digest in listed.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()) or _sha256(path) != digest:
            raise DataError(f"{path} is damaged: copy the bundle again")


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_regular(path, _MOST_BYTES, "copy the bundle again")).hexdigest()


def _readme(manifest: Manifest, about: Mapping[str, Any], channels: Mapping[str, str], physics: tuple[str, ...]) -> str:
    cell = about["cell"]
    return Template(_README).substitute(
        learner=manifest.learner,
        compressor=manifest.compressor,
        dataset=cell["dataset"],
        scenario=cell["scenario"],
        ways=manifest.ways,
        support=f"at most {manifest.support_rows}" if manifest.support_rows else "any number of",
        window=manifest.window,
        rate=f"{manifest.rate_hz:g}",
        seconds=f"{manifest.window / manifest.rate_hz:.3g}",
        channels=", ".join(f"{name} ({unit or 'unit not stated'})" for name, unit in channels.items()),
        count=manifest.channels,
        onnxruntime=manifest.oldest_onnxruntime,
        tolerance=f"{TOLERANCE:g}",
        known="".join(f"# {name}_of_support, {name}_of_windows: {_MEANT[name]}, of each window\n" for name in physics),
        support_physics="".join(f", {name}={name}_of_support" for name in physics),
        query_physics="".join(f", {name}={name}_of_windows" for name in physics),
        quick="\nIt comes from a quick run: its training was cut short.\n" if cell.get("quick") else "",
    )


_MEANT = {"speed_rpm": "float32 (n,), rev/min of the shaft", "orders": "float32 (n, 4), BPFO, BPFI, BSF and FTF per turn of the shaft"}
"""What the graphs may take beside windows."""

_README = """\
# A few-shot fault classifier

$learner, $compressor, for $scenario on $dataset. Made by faultbench; `bundle.json` says from what.
$quick
## What it needs

Python 3.9 or later, numpy, and onnxruntime $onnxruntime or later: `pip install numpy onnxruntime`.

## Does it run right here?

```sh
python runner.py artifact check/episodes.npz --out out.npz
python -c "
import numpy as np
got, expected = np.load('out.npz')['logits'], np.load('check/expected.npz')['logits']
error = abs(got - expected).max() / abs(expected).max()
print('right' if error < $tolerance else 'WRONG', error)"
```

The first command also prints how long fine-tuning and an answer take on this machine, in milliseconds.

## Use

A window is $window samples of $count channel(s) ($channels), float32, as recorded, $rate Hz: $seconds s. What was recorded at another rate
has to be resampled. The classifier tells $ways classes apart. Which ones, the support says: $support labelled windows, several of each
class.

```python
import numpy as np

from runner import Artifact

artifact = Artifact("artifact")
support = np.load("support.npy")  # (k, $count, $window), float32
labels = np.load("labels.npy")  # (k,), whole numbers from 0 to $ways - 1
${known}state = artifact.adapt(support, labels$support_physics)
logits = artifact.predict(state, np.load("windows.npy")$query_physics)  # (n, $count, $window) to (n, $ways)
print(logits.argmax(axis=1))
```

Keep `state` as long as the machine stays the same: adapting again is needed for another one.
"""
