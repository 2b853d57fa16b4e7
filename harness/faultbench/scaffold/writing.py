"""Writing a new distribution: the templates with the names put in, all or nothing."""

from __future__ import annotations

import importlib.resources
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from importlib.resources.abc import Traversable
from pathlib import Path

from faultbench import __version__
from faultbench.errors import UsageError
from faultbench.scaffold.naming import Names

COMMON = "common"
"""The template that every kind has: project file, continuous integration."""
_HIDDEN = {"github": ".github", "gitignore": ".gitignore"}
"""Names that would be hidden in the package too, and left out of it."""
_PLUGIN, _PACKAGE, _FACTORY, _RANGE = "new-plugin", "new_plugin", "NewPlugin", ">=0.0,<0.0.1"
"""What templates are called, so that each of them is a plugin that works."""


def files_of(kind: str, names: Names) -> dict[str, str]:
    """The files of a new plugin, by their paths, with its names put in.

    Args:
        kind: One of `KINDS`.
        names: The plugin's names.
    """
    given = {_PLUGIN: names.plugin, _PACKAGE: names.package, _FACTORY: names.factory, _RANGE: version_range(__version__)}
    words = re.compile("|".join(map(re.escape, given)))

    def put_in(text: str) -> str:
        return words.sub(lambda found: given[found.group()], text)

    templates = importlib.resources.files(__package__) / "templates"
    found = {path: text for template in (COMMON, kind) for path, text in _texts(templates / template, ())}
    return {put_in(path): put_in(text) for path, text in sorted(found.items())}


def version_range(version: str) -> str:
    """The versions that a plugin written for this one can be used with: until the second number changes.

    >>> version_range("0.1.0"), version_range("1.12.0.dev3")
    ('>=0.1,<0.2', '>=1.12,<1.13')
    """
    major, minor = (int(number) for number in re.findall(r"[0-9]+", version)[:2])
    return f">={major}.{minor},<{major}.{minor + 1}"


def write(files: Mapping[str, str], folder: Path) -> None:
    """Writes the files to a folder that is not there yet; where one cannot be written, none is.

    Raises:
        UsageError: The folder is there, or cannot be written.
    """
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"{folder} is there already: choose another name or another --out, nothing was written")
    half = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        for path, text in files.items():
            file = half / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        half.rename(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written ({error.strerror}): choose a folder that can, with --out") from error
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _texts(folder: Traversable, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """All files below a folder, by their path in the new distribution."""
    for entry in folder.iterdir():
        if entry.name == "__pycache__" or entry.name.startswith("."):
            continue  # what tools leave behind; hidden files of a template have other names here
        path = (*above, _HIDDEN.get(entry.name, entry.name))
        if entry.is_dir():
            yield from _texts(entry, path)
        else:
            yield "/".join(path), entry.read_text(encoding="utf-8")
