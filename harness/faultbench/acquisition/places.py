"""Where data sets are looked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from faultbench.errors import UsageError


def data_folder(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds a folder per data set: the one given, else `FAULTBENCH_DATA`.

    Raises:
        UsageError: Neither is given.
    """
    said = given or environment.get("FAULTBENCH_DATA")
    if not said:
        what = "give --data-dir DIR, or set FAULTBENCH_DATA to the folder that holds a folder per data set"
        raise UsageError(f"no data folder is given: {what}")
    return Path(said).expanduser()
