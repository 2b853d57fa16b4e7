"""Where faultbench keeps what can be made again."""

import os
from pathlib import Path


def cache_root() -> Path:
    """The cache's folder when nobody says otherwise: `FAULTBENCH_CACHE`, or the user's cache folder."""
    said = os.environ.get("FAULTBENCH_CACHE")
    if said:
        return Path(said).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("faultbench", appauthor=False)
