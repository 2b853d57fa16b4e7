"""What a source publishes, as the plugin of a data set describes it: files, where they are, and how they are known.

The description is plain data and imports nothing, so that `faultbench data list` can show it without the data set's reader.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol, runtime_checkable

from faultbench.discovery import Registered, cause
from faultbench.errors import FaultbenchError, PluginError
from faultbench.interruptions import INTERRUPTIONS
from faultbench.names import shown

_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_URL = re.compile(r"https?://[!-~]+", re.ASCII)
_LONGEST_NAME = 200  # characters of one step of a path; file systems take 255 bytes


@dataclass(frozen=True, slots=True)
class PublishedFile:
    """One file of a source.

    Args:
        path: Where it lies in the data set's folder, with `/`: the only name that is ever written.
        urls: Where it can be downloaded, in the order that they are tried; none where the source has no direct link.
        size_bytes: Of the file, or None where that is not known.
        sha256: Of the file, in hexadecimal; empty where it is not known.
        checked: Whether size and digest were compared with a file. Those that were only read somewhere refuse nothing: a file that
            has others is taken if the reader takes it, and said not to be the one that is known.
        holds: Of an archive: the paths that its reader unpacks it to. Where all are there, the archive need not be.

    Raises:
        PluginError: One of them is ill-formed.
    """

    path: str
    urls: tuple[str, ...] = ()
    size_bytes: int | None = None
    sha256: str = ""
    checked: bool = True
    holds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for path in (self.path, *self.holds):
            if not _safe(path):
                raise PluginError(
                    f"{shown(str(path))} is no path of a published file: write it relative, with /, without .. and hidden names"
                )
        for url in self.urls:
            if not isinstance(url, str) or not _URL.fullmatch(url):
                raise PluginError(f"{shown(str(url))} is no address of {self.path}: give http:// or https:// ones")
        if self.sha256 and not _DIGEST.fullmatch(self.sha256):
            raise PluginError(f"the SHA-256 of {self.path} is {shown(self.sha256)}: give 64 hexadecimal digits in lower case")
        if self.size_bytes is not None and self.size_bytes < 0:
            raise PluginError(f"the size of {self.path} is {self.size_bytes}: give bytes, or None")

    @property
    def name(self) -> str:
        """The last step of its path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published of a data set, and under which conditions.

    Args:
        homepage: Where the source describes its data.
        licence: The licence, or what the source says instead of one.
        cite: How the source wants to be cited.
        terms: What the licence forbids, in a sentence. Where there is one, `faultbench data get` asks before it begins.
        files: All files of the source.
        how: How to come by them by hand, where there is no direct link, or it fails.
        about_bytes: The size of all files together, about, where not each one's is known.
        folders: Where the reader looks for them, in its order, each relative to the data folder. By default the folder of the data
            set's name, then the data folder itself.
        notes: What else there is to know, a sentence each.
        embedded: Whether the data set comes with its plugin, so that there is nothing to get.

    Raises:
        PluginError: Two files have one path, or a folder lies outside the data folder.
    """

    homepage: str = ""
    licence: str = ""
    cite: str = ""
    terms: str = ""
    files: tuple[PublishedFile, ...] = ()
    how: str = ""
    about_bytes: int | None = None
    folders: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    embedded: bool = False

    def __post_init__(self) -> None:
        seen: set[str] = set()
        for path in (path for file in self.files for path in (file.path, *file.holds)):
            if path.casefold() in seen:  # some file systems know one case only
                raise PluginError(f"{path} is published twice: give every file a path of its own")
            seen.add(path.casefold())
        for folder in self.folders:
            if folder != "." and not _safe(folder):
                raise PluginError(f"{shown(str(folder))} is no folder of a data set: write it relative to the data folder, without ..")

    @property
    def size_bytes(self) -> int | None:
        """The size of the whole, about; None where nothing is known of it."""
        return self.about_bytes or sum(self.estimate(file) for file in self.files) or None

    @property
    def complete_sizes(self) -> bool:
        """Whether the size of every file is known, so that `size_bytes` is what there is."""
        return self.about_bytes is None and all(file.size_bytes is not None for file in self.files)

    def estimate(self, file: PublishedFile) -> int:
        """The size of a file, or what one of its kind may have: for saying about how much there is, and whether there is room."""
        if file.size_bytes is not None:
            return file.size_bytes
        if self.about_bytes is not None:
            return self.about_bytes // len(self.files)
        known = [other.size_bytes for other in self.files if other.size_bytes is not None]
        return sum(known) // len(known) if known else 0


@runtime_checkable
class ChecksFiles(Protocol):
    """What a data set may offer beside its contract, so that its files can be checked one by one."""

    def check_file(self, file: Path) -> None:
        """Returns where a published file, under its own name but in any folder, is one that the reader takes; its signals are read.

        Raises:
            DataError: It is not; the message says why.
        """
        ...


def publication_of(registered: Registered) -> Publication | None:
    """What the plugin of a data set says is published of it, or None where it says nothing.

    Raises:
        PluginError: What its offer names cannot be imported, fails, or is no publication.
    """
    named = registered.offer.publication
    if not named:
        return None
    with _guarded(registered):
        module, _, attribute = named.partition(":")
        found = getattr(importlib.import_module(module), attribute)()
        if not isinstance(found, Publication):
            raise PluginError(f"{named} gives {type(found).__name__}, not a faultbench.api.Publication")
    return found


@contextlib.contextmanager
def _guarded(registered: Registered) -> Iterator[None]:
    what = f"the publication of data set {registered.offer.name} of {registered.distribution} {registered.version}"
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    except FaultbenchError as error:
        raise PluginError(f"{what} is ill-formed: {error}") from error
    except INTERRUPTIONS:
        raise
    except BaseException as error:
        raise PluginError(f"{what} cannot be read ({cause(error)}): repair or update {registered.distribution}") from error


def _safe(path: object) -> bool:
    if not isinstance(path, str) or not path or not path.isprintable() or "\\" in path or ":" in path:
        return False
    steps = path.split("/")
    plain = all(step and not step.startswith(".") and not step.endswith((" ", ".")) and len(step) <= _LONGEST_NAME for step in steps)
    return plain and str(PurePosixPath(path)) == path and not path.startswith("/")
