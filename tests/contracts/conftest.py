"""Plugins broken on purpose are modules of their own: other processes import them too."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BROKEN = str(Path(__file__).parent / "broken")
if BROKEN not in sys.path:
    sys.path.insert(0, BROKEN)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What readers note about files is noted elsewhere than in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measurements of this session wait for nobody else's."""
    monkeypatch.setattr("faultbench.measuring.lock.lock_path", lambda: tmp_path / "measuring.lock")
