"""Reads an artifact's manifest, and checks its files, by the same code that does it on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from faultbench.artifact import runner
from faultbench.artifact.format import Manifest
from faultbench.errors import DataError


def read_manifest(folder: Path) -> Manifest:
    """What an artifact's manifest says. The files that it names are not touched: see `verify`.

    Raises:
        DataError: It is missing, damaged, of another format, or names files that no artifact has.
    """
    try:
        said = runner.read_manifest(folder)
    except runner.RunError as error:
        raise DataError(str(error)) from error
    return _manifest(said, folder)


def verify(folder: Path) -> Manifest:
    """The manifest of an artifact all of whose files are there, as they were written.

    The digests find damage, not malice: whoever can change a file can change the manifest too.

    Raises:
        DataError: A file is missing, damaged, no plain file, or holds another state than the manifest says.
    """
    manifest = read_manifest(folder)
    said = {"sha256": manifest.sha256}
    try:
        files = runner.read_files(folder, said)
        runner.read_state(files["init.npz"], manifest.state)
    except runner.RunError as error:
        raise DataError(str(error)) from error
    return manifest


_TYPES: dict[str, type | tuple[type, ...]] = {
    "rate_hz": (int, float),
    "dtype": str,
    "opset": int,
    "ir_version": int,
    "oldest_onnxruntime": str,
    "learner": str,
    "compressor": str,
    "info": dict,
    "provenance": str,
}
"""What the manifest holds beyond that which the runner needs and has checked."""


def _manifest(said: dict[str, Any], folder: Path) -> Manifest:
    for name, kind in _TYPES.items():
        if not isinstance(said.get(name), kind) or isinstance(said[name], bool):
            raise DataError(f"{folder / 'manifest.json'}: {name} is {said.get(name)!r}: write the artifact again")
    if not all(type(value) is int for value in said["info"].values()) or not all(type(value) is str for value in said["sha256"].values()):
        raise DataError(f"{folder / 'manifest.json'}: info or sha256 holds a value of a wrong type: write the artifact again")
    fields = {name: said[name] for name in Manifest.__slots__ if name in said}
    fields["state"] = {name: tuple(shape) for name, shape in said["state"].items()}
    fields["rate_hz"] = float(said["rate_hz"])
    return Manifest(**fields)
