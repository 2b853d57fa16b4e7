"""Plugins broken on purpose are modules of their own: other processes import them too."""

import sys
from pathlib import Path

import pytest

BROKEN = str(Path(__file__).parent / "broken")
if BROKEN not in sys.path:
    sys.path.insert(0, BROKEN)


@pytest.fixture(autouse=True)
def own_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measurements of this session wait for nobody else's."""
    monkeypatch.setattr("faultbench.measuring.lock.lock_path", lambda: tmp_path / "measuring.lock")
