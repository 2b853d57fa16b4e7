"""The names of a new plugin: what it is called everywhere, derived from the one name that its author gives."""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass

from faultbench import api, names
from faultbench.errors import UsageError
from faultbench.registry import NOUNS, Registry

_LONGEST = 50  # characters: what still fits a table and a path
_TAKEN = frozenset({"build", "dist", "docs", "src", "test", "tests"})
"""Packages that projects have of their own."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a new plugin is called.

    Args:
        plugin: On the command line; its distribution has the same name.
        package: In Python.
        factory: The class that makes it.
    """

    plugin: str
    package: str
    factory: str


def names_of(kind: str, name: str, registry: Registry) -> Names:
    """The names of a new plugin.

    Args:
        kind: One of `KINDS`.
        name: As the author gives it.
        registry: What is taken.

    Raises:
        UsageError: The name is no name, or is taken.
    """
    shown = names.shown(name)
    if not names.NAME.fullmatch(name) or name[-1] in "-_" or len(name) > _LONGEST:
        what = f"lower case letters, digits, - and _, from a letter to a letter or digit, {_LONGEST} characters at most"
        raise UsageError(f"{shown} cannot be a plugin's name: take {what}, as in my-learner")
    built_in = {registered.offer.name for registered in registry.offers(kind) if registered.builtin}
    if name in built_in:
        raise UsageError(f"{name} is a {NOUNS[kind]} that comes with faultbench: choose another name")
    if matched := names.match(name, built_in):
        raise UsageError(f"{name} reads as {matched[0]} with the number {matched[1]}: choose another name")
    package = name.replace("-", "_")
    if keyword.iskeyword(package):
        raise UsageError(f"{shown} is a word of Python's own, which no package can be called: choose another name")
    if package in sys.stdlib_module_names or package in _TAKEN or _importable(package):
        raise UsageError(f"there is a Python module {package} already, which {shown} would hide: choose another name")
    return Names(name, package, _factory(kind, name))


def _importable(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return True  # something of that name is there, and broken


def _factory(kind: str, name: str) -> str:
    """`MyLearner` of my-learner; with the kind behind it where a class of that name is used in every plugin."""
    camel = "".join(word[:1].upper() + word[1:] for word in re.split("[-_]+", name))
    used = {*api.__all__, *dir(builtins), "Path", "Tensor", "F"}
    return camel + "".join(word.capitalize() for word in NOUNS[kind].split()) if camel in used else camel
