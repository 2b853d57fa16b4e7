"""What the tests of getting data share. `rogue_server` becomes importable here, since tests are no packages."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faultbench.acquisition.download import Manners
from faultbench.acquisition.getting import Request
from faultbench.acquisition.publication import Publication, PublishedFile

spec = importlib.util.spec_from_file_location("rogue_server", Path(__file__).with_name("rogue_server.py"))
assert spec
assert spec.loader
rogue_server = sys.modules["rogue_server"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rogue_server)


@pytest.fixture
def rogue() -> Iterator[rogue_server.Rogue]:
    """The server."""
    with rogue_server.serving() as server:
        yield server


QUICK = Manners(attempts=3, pause_s=0.0, backoff_s=0.0, longest_wait_s=0.0, connect_s=2.0, read_s=0.5)


@pytest.fixture
def asking(tmp_path: Path) -> Callable[..., Request]:
    """Makes a request for files of the made-up source."""

    def make(*files: PublishedFile, reader: object = None, **said: object) -> Request:
        publication = Publication("http://made.up", "made up", "Nobody 2026", files=files, how="ask nobody")
        return Request("far", publication, tmp_path / "data", reader or rogue_server.Reader(), manners=QUICK, **said)  # type: ignore[arg-type]

    return make


FAR = Path(__file__).with_name("far")


@pytest.fixture
def far(site, monkeypatch: pytest.MonkeyPatch):
    """The site with the distribution `faultbench-far` installed, whose server is the rogue one; and its module."""
    shutil.copytree(FAR, site.folder / "modules", dirs_exist_ok=True)
    monkeypatch.delitem(sys.modules, "far_away", raising=False)
    import far_away

    return far_away
