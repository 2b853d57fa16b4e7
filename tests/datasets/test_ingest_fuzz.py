"""Mutated files through the stage that takes a data set in: the right signals, or one error and nothing in the cache."""

from __future__ import annotations

import importlib.util
import io
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbench.data.csvfile import read_csv
from faultbench.errors import FaultbenchError
from faultbench.matrix.cache import Cache
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import load_catalogue, signal_path
from faultbench.matrix.stages.ingest import ingest
from faultbench.registry import Registry, make
from faultbench_datasets.xjtu_sy import HEADER

spec = importlib.util.spec_from_file_location("xjtu_layout", Path(__file__).with_name("xjtu_layout.py"))
assert spec
assert spec.loader
layout = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layout)

CHOSEN = {name: Registry.discover(plugins=False).choose("datasets", name) for name in ("cwru", "uestc", "xjtu_sy")}
KEY = "ab" + "0" * 62
NOISE = np.random.default_rng(278).standard_normal((20_100, 2)) * 0.1
words = st.sampled_from([0, 1, 8, 14, 15, 4096, (1 << 31) - 1, 1 << 31, (1 << 32) - 1])


def mat(**variables: object) -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, variables, do_compression=True)
    return stream.getvalue()


CWRU = mat(X278_FE_time=NOISE[:, :1], X278_DE_time=NOISE[:, 1:], X278RPM=np.array([[1797]], np.uint16))
HEALTHY = mat(X097_DE_time=np.tile(NOISE[:, :1], (3, 1)), X097_FE_time=np.tile(NOISE[:, 1:], (3, 1)))
UESTC = mat(
    Data=NOISE[:, :1],
    Datacount=np.int32(20_100),
    SampleFrequency=np.uint16(20_000),
    Linecount=np.uint8(1),
    StartTime="19-23 00:0000:00:00:000 ",
)


@st.composite
def damages(draw: st.DrawFn) -> list[tuple[str, int, int, int]]:
    place = st.one_of(st.integers(0, 400), st.integers(0, 1 << 21))
    one = st.tuples(st.sampled_from(["flip", "cut", "splice", "drop", "word"]), place, st.integers(0, 1 << 10), words)
    return draw(st.lists(one, min_size=1, max_size=3))


def damaged(content: bytes, damages: list[tuple[str, int, int, int]]) -> bytes:
    for kind, place, much, word in damages:
        place %= len(content)
        if kind == "flip":
            content = content[:place] + bytes([content[place] ^ 1 << much % 8]) + content[place + 1 :]
        elif kind == "cut":
            content = content[: place + 1]
        elif kind == "splice":
            content = content[:place] + content[much : 2 * much] + content[place:]
        elif kind == "drop":
            content = content[:place] + content[place + much :] or b"\0"
        else:
            content = content[: place // 4 * 4] + struct.pack("<I", word) + content[place // 4 * 4 + 4 :]
    return content


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for data and one for the cache, whose notes are the data sets' own."""
    folder = tmp_path_factory.mktemp("fuzz")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAULTBENCH_CACHE", str(folder / "cache"))
        yield folder


def taken_in(name: str, folder: Path) -> dict[tuple[str, str], np.ndarray] | None:
    """The signals of a data set by recording and channel; None where it is refused. The cache holds all of it or nothing."""
    root = folder / "cache" / "values-of-this-test"
    shutil.rmtree(root, ignore_errors=True)
    cache = Cache(root)
    chosen = CHOSEN[name]
    try:
        digest = make(chosen, data_dir=folder).catalogue().digest
        work = {"params": {"dataset": chosen, "catalogue": digest}, "given": {"data_dir": folder}, "inputs": {}, "key": KEY}
        value = cache.get_or_make(KEY, lambda out: ingest(Work(out=out, **work)))  # type: ignore[arg-type]
    except FaultbenchError as error:
        refused = str(error)
        assert "\n" not in refused
        assert ": " in refused
        assert Cache(root).get(KEY) is None
        assert not [path for path in root.glob("*/**/*") if path.is_file() and "locks" not in path.parts]
        return None
    assert Cache(root).verify(KEY)
    assert not list((root / "partial").iterdir())
    return {
        (recording.id, channel.name): np.load(signal_path(value, i, j), allow_pickle=False)
        for i, recording in enumerate(load_catalogue(value).recordings)
        for j, channel in enumerate(recording.channels)
    }


def only(folder: Path, files: dict[str, bytes]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def fuzz_cwru(place: Path, damages: list[tuple[str, int, int, int]], which: int) -> None:
    files = {"278.mat": CWRU, "97.mat": HEALTHY}
    changed = list(files)[which]
    only(place / "cwru", files)
    wanted = taken_in("cwru", place)
    assert wanted is not None
    assert set(wanted) == {(name, channel) for name in ("278", "97:drive-end", "97:fan-end") for channel in ("DE", "FE")}
    np.testing.assert_array_equal(wanted["278", "FE"], NOISE[:, 0].astype(np.float32))
    (place / "cwru" / changed).write_bytes(damaged(files[changed], damages))
    found = taken_in("cwru", place)
    for key, signal in (found or {}).items():  # checksums protect what is compressed: what is read is what was saved
        np.testing.assert_array_equal(signal, wanted[key])


def fuzz_uestc(place: Path, damages: list[tuple[str, int, int, int]]) -> None:
    only(place / "uestc", {"N_800_1.mat": UESTC, "O_1400_5.mat": damaged(UESTC, damages)})
    for signal in (taken_in("uestc", place) or {}).values():
        np.testing.assert_array_equal(signal, NOISE[:, 0].astype(np.float32))


@pytest.fixture(scope="module")
def minutes(place: Path) -> Path:
    """Four minutes of one bearing, the first two of which are listed; each file twice, for the last damage is to be mended."""
    layout.write_tree(place / "xjtu_sy", minutes=4, bearings=("1_4",))
    shutil.copytree(place / "xjtu_sy", place / "whole")
    return place


def fuzz_xjtu(place: Path, damages: list[tuple[str, int, int, int]]) -> None:
    inner = Path("35Hz12kN", "Bearing1_4", "1.csv")
    content = damaged((place / "whole" / inner).read_bytes(), damages)
    (place / "xjtu_sy" / inner).write_bytes(content)
    found = taken_in("xjtu_sy", place)
    if found is not None:
        lines = content.decode("ascii").split("\n")[1:-1]
        assert len(lines) == 32_768
        wanted = np.array([[float(field) for field in line.split(",")] for line in lines]).astype(np.float32)
        np.testing.assert_array_equal(np.stack([found["Bearing1_4/1", axis] for axis in ("horizontal", "vertical")], axis=1), wanted)


QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY = settings(QUICK, max_examples=600)


@QUICK
@given(damages=damages(), which=st.integers(0, 1))
def test_a_mutated_cwru_record(place: Path, damages: list[tuple[str, int, int, int]], which: int) -> None:
    fuzz_cwru(place, damages, which)


@QUICK
@given(damages=damages())
def test_a_mutated_uestc_piece(place: Path, damages: list[tuple[str, int, int, int]]) -> None:
    fuzz_uestc(place, damages)


@QUICK
@given(damages=damages())
def test_a_mutated_minute_of_xjtu(minutes: Path, damages: list[tuple[str, int, int, int]]) -> None:
    fuzz_xjtu(minutes, damages)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@MANY
@given(damages=damages(), which=st.integers(0, 1))
def test_many_mutated_records(minutes: Path, damages: list[tuple[str, int, int, int]], which: int) -> None:
    fuzz_cwru(minutes, damages, which)
    fuzz_uestc(minutes, damages)
    fuzz_xjtu(minutes, damages)


def test_the_made_up_minutes_are_read_at_all(minutes: Path) -> None:
    """Else what stands above compares nothing."""
    inner = Path("35Hz12kN", "Bearing1_4", "1.csv")
    shutil.copy(minutes / "whole" / inner, minutes / "xjtu_sy" / inner)
    found = taken_in("xjtu_sy", minutes)
    assert found is not None
    np.testing.assert_array_equal(found["Bearing1_4/1", "vertical"], read_csv(minutes / "whole" / inner, HEADER)[1])
