"""`faultbench doctor`: whether what a run needs is here, and what is wrong with plugins."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from faultbench import __version__
from faultbench.cli.session import session_of
from faultbench.discovery import HARNESS, KINDS, one_line
from faultbench.errors import FaultbenchError, UsageError

if TYPE_CHECKING:
    from faultbench.registry import Registry

_ROOM_BYTES = 1 << 30  # a matrix on the CWRU records keeps a few hundred megabytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: `ok`, `note` (a run goes without it) or `problem` (a run does not)."""

    grade: str
    what: str

    def __str__(self) -> str:
        return f"{self.grade:8}{one_line(self.what, most=1000)}"


def doctor(ctx: typer.Context) -> int:
    """Check that a run has what it needs.

    It exits with 2 if a run could not do its work.
    """
    findings = [
        _python(),
        *_libraries(),
        *_plugins(registry := session_of(ctx).registry()),
        *_parts(registry),
        *_folders(),
        _data(),
        Finding("ok", f"cores: {_cores()}"),
    ]
    for finding in findings:
        print(finding)
    return UsageError.exit_code if any(finding.grade == "problem" for finding in findings) else 0


def _python() -> Finding:
    import platform

    return Finding("ok", f"faultbench {__version__}, Python {platform.python_version()} at {sys.executable}, {platform.platform()}")


def _libraries() -> Iterator[Finding]:
    """Every library that faultbench requires, its version compared with the least that will do."""
    import importlib.metadata

    try:
        requirements = importlib.metadata.requires(HARNESS) or []
    except importlib.metadata.PackageNotFoundError:
        yield Finding("problem", "faultbench is not installed, so its plugins are not found: run `pip install .` in its folder")
        return
    for requirement in requirements:
        wanted = re.fullmatch(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?", requirement)
        if wanted is None:  # an extra, or a bound for another platform
            continue
        name, least = wanted[1], wanted[2] or "0"
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding("problem", f"{name} is missing: pip install '{requirement}'")
            continue
        old = _release(version) < _release(least)
        yield (
            Finding("problem", f"{name} {version} is older than {least}: pip install '{requirement}'")
            if old
            else Finding("ok", f"{name} {version}")
        )


def _plugins(registry: Registry) -> Iterator[Finding]:
    """The plugins that are loaded, and what is wrong with any."""
    for plugin in registry.plugins:
        source = plugin.source
        yield Finding("ok", f"plugin {source.entry_point} of {source.distribution} {source.version}")
    for problem in registry.problems:
        yield Finding("problem" if problem.distribution == HARNESS else "note", str(problem))


def _parts(registry: Registry) -> Iterator[Finding]:
    """What other distributions offer and cannot keep. A listing imports no factory; here there is time for it."""
    import contextlib

    from faultbench.registry import NOUNS, mismatch

    for kind in KINDS:
        for registered in registry.offers(kind):
            if registered.builtin:
                continue
            with contextlib.redirect_stdout(sys.stderr):  # what a plugin prints must not end up among the findings
                reason = mismatch(kind, registered.offer)
            who = f"{registered.distribution} {registered.version} offers the {NOUNS[kind]} {registry.shown_name(kind, registered)}"
            if reason:
                yield Finding("note", f"{who}, which cannot be made: {reason}")


def _folders() -> Iterator[Finding]:
    """The folders that a run writes to."""
    import shutil

    from faultbench.folders import cache_root, unusable
    from faultbench.results.store import read_store, store_path

    for name, folder, variable in (("cache", cache_root(), "FAULTBENCH_CACHE"), ("results", store_path().parent, "FAULTBENCH_RESULTS")):
        if reason := unusable(folder):
            yield Finding("problem", f"{name} folder {folder} cannot be written ({reason}): set {variable} to a folder that can")
            continue
        free = shutil.disk_usage(next(place for place in (folder, *folder.absolute().parents) if place.exists())).free
        if name == "results":
            try:
                with read_store():
                    pass
            except FaultbenchError as error:
                yield Finding("problem", str(error))
                continue
        room = f"{name} folder {folder}, {free / 1e9:.1f} GB free"
        yield Finding("ok", room) if free >= _ROOM_BYTES else Finding("note", f"{room}: make room, or set {variable} to another folder")


def _data() -> Finding:
    """Where the data sets are looked for."""
    said = os.environ.get("FAULTBENCH_DATA")
    if not said:
        return Finding("note", "FAULTBENCH_DATA is not set: data sets other than the embedded one need it, or --data-dir")
    folder = Path(said).expanduser()
    try:
        sets = sorted(place.name for place in folder.iterdir() if place.is_dir())
    except OSError as error:
        advice = "set it to the folder that holds a folder per data set"
        return Finding("note", f"FAULTBENCH_DATA is {folder}, which cannot be read ({error.strerror}): {advice}")
    return Finding("ok", f"FAULTBENCH_DATA is {folder}: {', '.join(sets) or 'empty'}")


def _cores() -> str:
    """The cores there are, and those that this process may use."""
    from faultbench.matrix.cores import usable_cores

    return f"{os.cpu_count()}, of which this process may use {usable_cores()}"


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a version, without what follows them (`2.6.0+cpu`). Trailing zeros say nothing."""
    numbers = re.match(r"[0-9]+(?:\.[0-9]+)*", version)
    release = [int(number) for number in numbers[0].split(".")] if numbers else [0]
    while release and release[-1] == 0:
        release.pop()
    return tuple(release)
