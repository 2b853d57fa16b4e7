"""Where data sets are looked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from faultbench.acquisition.publication import Publication
from faultbench.errors import UsageError

VARIABLE = "FAULTBENCH_DATA"


def data_folder(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds a folder per data set: the one given, else `FAULTBENCH_DATA`.

    Raises:
        UsageError: Neither is given.
    """
    found = data_folder_if_any(given, environment)
    if found is None:
        what = "give --data-dir DIR, or set FAULTBENCH_DATA to the folder that holds a folder per data set"
        raise UsageError(f"no data folder is given: {what}")
    return found


def data_folder_if_any(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path | None:
    """As `data_folder`; None where neither is given."""
    said = given or environment.get(VARIABLE)
    return Path(said).expanduser() if said else None


def folders_of(name: str, publication: Publication, root: Path) -> tuple[Path, ...]:
    """The folders in which the files of a data set may lie, in the order that its reader looks.

    Args:
        name: The data set's name.
        publication: What is published of it.
        root: The data folder.
    """
    return tuple(root / folder for folder in publication.folders or (name, "."))
