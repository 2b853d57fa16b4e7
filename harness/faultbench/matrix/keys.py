"""Keys of stages: digests of everything that a result depends on.

A key covers the stage's kind and version, its parameters, its inputs' keys, the source files of the harness's rooms and of
the plugins that take part, and the versions of the libraries that shape the result. Nothing is imported to find these out.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbench.discovery import HARNESS, normalised
from faultbench.errors import PluginError
from faultbench.measuring.device import arithmetic
from faultbench.registry import Choice, Registry

_HARNESS_ROOT = Path(__file__).resolve().parent.parent
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of stage.

    Args:
        name: `train`.
        version: Raised when the stage gives something else for the same parameters.
        rooms: The harness's folders and files whose source shapes the result, relative to the package.
        libraries: The distributions whose version shapes the result.
        alone: As in `Stage`.
    """

    name: str
    version: int
    rooms: tuple[str, ...]
    libraries: tuple[str, ...]
    alone: bool = False

    @property
    def function(self) -> str:
        """The stage's function, as `Stage.function` names it."""
        return f"faultbench.matrix.stages.{self.name}:{self.name}"


def key_of(kind: Kind, params: Mapping[str, Any], inputs: Mapping[str, str]) -> str:
    """The key of a stage, in hexadecimal.

    Args:
        kind: The stage's kind.
        params: JSON values, and choices, whose plugins' source enters the key.
        inputs: Keys by role.

    Raises:
        PluginError: A plugin's source cannot be found.
    """
    rooms = [*kind.rooms, f"matrix/stages/{kind.name}.py"]
    return digest(
        {
            "kind": [kind.name, kind.version],
            "params": _keyed(params),
            "inputs": dict(inputs),
            "rooms": {room: source_digest(_HARNESS_ROOT / room) for room in rooms},
            "libraries": versions(kind.libraries),
            "machine": _arithmetic(),
        }
    )


@functools.cache
def _arithmetic() -> str:
    return digest(arithmetic())


def digest(value: Any) -> str:
    """SHA-256 of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()).hexdigest()


def versions(distributions: Iterable[str]) -> dict[str, str | None]:
    """The installed version of each distribution, None where it is not installed."""
    return {name: _version(name) for name in distributions}


def parts_digest(registry: Registry) -> str:
    """A digest of everything that offers front ends and backbones: a learner names them in its own parameters, and any may be meant.

    One whose source cannot be found counts by its name: it stops the learner that names it, when that is built, and nobody else.
    """
    offered = [registered for kind in ("frontends", "backbones") for registered in registry.offers(kind)]
    return digest(sorted({(r.qualified, r.version, _known_digest(r.offer.factory)) for r in offered}))


@functools.cache
def plugin_digest(factory: str) -> str:
    """A digest of the source of the plugin that a factory belongs to: of its whole top-level package, for its modules use each other.

    What the harness offers itself belongs to a room of it.

    Raises:
        PluginError: It cannot be found.
    """
    module = factory.partition(":")[0]
    parts = module.split(".")
    if parts[0] == _HARNESS_ROOT.name and len(parts) > 1:
        return source_digest(_HARNESS_ROOT / parts[1])
    for depth in range(1, len(parts) + 1):
        name = ".".join(parts[:depth])
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, AttributeError, ValueError) as error:
            raise PluginError(f"{module} cannot be found ({error}): repair or reinstall the plugin that offers it") from error
        if spec is None:
            break
        if spec.origin is not None and spec.has_location:  # a namespace package has none: go into it
            origin = Path(spec.origin)
            return source_digest(origin.parent if spec.submodule_search_locations else origin)
    raise PluginError(f"{module} cannot be found: repair or reinstall the plugin that offers it")


@functools.cache
def source_digest(source: Path) -> str:
    """A digest of a file, or of all files under a folder but what Python itself writes there."""
    if source.is_file():
        return hashlib.sha256(source.read_bytes()).hexdigest()
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts]
    return digest([(path.relative_to(source).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files])


def _known_digest(factory: str) -> str:
    try:
        return plugin_digest(factory)
    except PluginError:
        return ""


def _keyed(value: Any) -> Any:
    """A parameter as it enters a key."""
    if isinstance(value, Choice):
        try:
            source = plugin_digest(value.factory)
        except PluginError as error:
            raise PluginError(f"{value.qualified} {value.version}: {error}") from error
        return {
            "choice": [value.kind, value.qualified, value.version, value.factory],
            "params": dict(value.params),
            "source": source,
            "requires": versions(_requirements(value.distribution)),
        }
    if isinstance(value, Mapping):
        return {str(name): _keyed(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_keyed(item) for item in value]
    return value


@functools.cache
def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


@functools.cache
def _requirements(distribution: str) -> tuple[str, ...]:
    """What a foreign plugin declares that it needs. What the harness needs, its kinds of stages name themselves."""
    if normalised(distribution) == HARNESS:
        return ()
    try:
        lines = importlib.metadata.requires(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        return ()
    names = (_REQUIREMENT.match(line) for line in lines)
    return tuple(sorted({normalised(found.group()) for found in names if found}))
