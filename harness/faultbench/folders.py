"""Where faultbench keeps what can be made again, and whether a folder can keep anything."""

import os
from pathlib import Path


def cache_root() -> Path:
    """The cache's folder when nobody says otherwise: `FAULTBENCH_CACHE`, or the user's cache folder."""
    said = os.environ.get("FAULTBENCH_CACHE")
    if said:
        return Path(said).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("faultbench", appauthor=False)


def unusable(folder: Path) -> str:
    """Why nothing can be kept in a folder, which need not be there yet; empty where something can. It leaves nothing behind."""
    import tempfile

    try:
        there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
        with tempfile.TemporaryFile(dir=there):  # permissions alone tell little of a read-only mount
            return ""
    except OSError as error:
        return error.strerror or str(error)
