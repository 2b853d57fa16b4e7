"""What checks work on: the plugin under test, made when it is first needed, and a folder for what it writes."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar, cast, overload

from faultbench import names
from faultbench.discovery import cause, normalised
from faultbench.errors import FaultbenchError, PluginError, UsageError
from faultbench.offers import Offer
from faultbench.registry import Choice, Registry, make
from faultbench.testing.checks import BrokenPromise, NotAsked, OutOfReach

T = TypeVar("T")

DataDir = Path | str | Callable[[], Path] | None
"""The folder that holds a folder per data set, or a function that makes one when it is first needed."""


class once(Generic[T]):  # noqa: N801 - it reads as `property` does
    """A property that is computed once. Where it fails, it fails again at once, for the checks after the first in one line."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> once[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> T | once[T]:
        if instance is None:
            return self
        kept = instance.__dict__.setdefault("_once", {})
        if self._name not in kept:
            try:
                kept[self._name] = (self._compute(instance), None)
            except (NotAsked, OutOfReach) as reason:
                kept[self._name] = (None, reason)
                raise
            except (Exception, SystemExit) as error:
                what = str(error) if isinstance(error, BrokenPromise) else cause(error)
                first = self.__doc__ or self._name
                kept[self._name] = (
                    None,
                    OutOfReach(f"cannot be asked without {first[0].lower()}{first[1:].rstrip('.')} ({what}): mend that first"),
                )
                raise
        value, failure = kept[self._name]
        if failure is not None:
            raise failure.with_traceback(None)
        return cast(T, value)


class Bench:
    """The plugin under test.

    Args:
        kind: One of `KINDS`.
        plugin: Its name, or an offer.
        data_dir: As in `contract`.
    """

    def __init__(self, kind: str, plugin: str | Offer, data_dir: DataDir) -> None:
        self.kind, self.plugin, self._data_dir = kind, plugin, data_dir
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @property
    def name(self) -> str:
        """What the plugin is called in messages."""
        return self.plugin if isinstance(self.plugin, str) else self.plugin.name

    @once
    def registry(self) -> Registry:
        """What is installed."""
        return Registry.discover()

    @once
    def absence(self) -> str:
        """Why the plugin cannot be chosen by its name, in one line with what to do; empty where it can."""
        if not isinstance(self.plugin, str):
            return ""
        try:
            self.registry.find(self.kind, self.plugin)
        except PluginError as error:
            return str(error)
        except UsageError as error:
            return self._why_not_found(self.plugin) or (
                f"{self.name} cannot be chosen ({error}): install your package first (pip install -e .), then look at `faultbench doctor`"
            )
        try:
            self.registry.choose(self.kind, self.plugin)
        except FaultbenchError as error:  # of its parameters
            return f"{self.name} cannot be chosen, {error}"
        return ""

    def _why_not_found(self, name: str) -> str:
        """What is wrong with the plugin that may offer the name; empty where none is known to be broken."""
        try:
            head, broken = names.parse(name).head, self.registry.may_hold(self.kind, name)
        except UsageError:
            return ""
        if not broken:
            return ""
        if normalised(head) in normalised(broken[0].distribution):
            return f"{name} is not found, {broken[0]}"
        return f"{name} is not found: install your package first (pip install -e .), or mend the one that may offer it, {broken[0]}"

    @once
    def choice(self) -> Choice:
        """The plugin by its name."""
        if isinstance(self.plugin, str):
            return self.registry.choose(self.kind, self.plugin)
        offer = self.plugin
        params = names.expand(offer, "", {})
        return Choice(self.kind, offer.name, f"nowhere/{offer.name}", "nowhere", "0", offer.factory, params, offer.name)

    @once
    def offer(self) -> Offer:
        """The plugin's offer."""
        return self.registry.find(self.kind, self.plugin).offer if isinstance(self.plugin, str) else self.plugin

    @once
    def data_dir(self) -> Path | None:
        """The folder of the data."""
        given = self._data_dir() if callable(self._data_dir) else self._data_dir
        return None if given is None else Path(given)

    @once
    def part(self) -> Any:
        """The plugin, made with the parameters of its name."""
        return self.another()

    @once
    def factory(self) -> Callable[..., Any]:
        """What makes the plugin."""
        module, _, attribute = self.choice.factory.partition(":")
        factory: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
        return factory

    def another(self, **given: object) -> Any:
        """The plugin, made once more."""
        return make(self.choice, **({"data_dir": self.data_dir} | given))

    def folder(self, name: str) -> Path:
        """An empty folder for something that checks write, gone with the suite."""
        if self._temporary is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="faultbench-contract-")
        folder = Path(self._temporary.name) / name
        folder.mkdir()
        return folder
