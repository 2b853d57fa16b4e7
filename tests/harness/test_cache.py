"""The cache: values are made once, whole or not at all, and never believed when damaged."""

import errno
import json
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from faultbench.data.filestate import file_state
from faultbench.errors import CellError, UsageError
from faultbench.folders import cache_root
from faultbench.matrix import cache as cache_module
from faultbench.matrix.cache import STAMPED_FROM_BYTES, Cache, entry_of

KEY = "ab" + "0" * 62
OTHER = "cd" + "1" * 62


def writes(text: str, made: list[str] | None = None):
    """A maker that leaves two files, one of them in a folder, and notes that it was called."""

    def make(out: Path) -> None:
        if made is not None:
            made.append(text)
        (out / "value.txt").write_text(text)
        (out / "deep").mkdir()
        (out / "deep" / "more.bin").write_bytes(bytes(range(256)) * 64)

    return make


def test_a_value_is_made_once_and_then_found(tmp_path: Path) -> None:
    made: list[str] = []
    first = Cache(tmp_path).get_or_make(KEY, writes("one", made))
    again = Cache(tmp_path).get_or_make(KEY, writes("two", made))
    assert first == again
    assert (again / "value.txt").read_text() == "one"
    assert made == ["one"]


def test_a_value_that_nobody_made_is_not_there(tmp_path: Path) -> None:
    assert Cache(tmp_path).get(KEY) is None
    assert Cache(tmp_path).peek(KEY) is None
    assert not list(tmp_path.iterdir())


def test_the_manifest_says_how_long_it_took_and_what_the_maker_said(tmp_path: Path) -> None:
    said: dict[str, object] = {"title": "t"}

    def make(out: Path) -> None:
        said["found"] = 3
        (out / "a").write_text("a")

    entry = entry_of(Cache(tmp_path).get_or_make(KEY, make, said))
    assert entry.about == {"title": "t", "found": 3}
    assert entry.seconds >= 0
    assert [e.key for e in Cache(tmp_path).entries()] == [KEY]


def damage_bytes(value: Path) -> None:
    path = value / "deep" / "more.bin"
    raw = bytearray(path.read_bytes())
    raw[100] ^= 1
    path.write_bytes(raw)


def cut_short(value: Path) -> None:
    os.truncate(value / "deep" / "more.bin", 10)


def lose_a_file(value: Path) -> None:
    (value / "value.txt").unlink()


def add_a_file(value: Path) -> None:
    (value / "stranger.txt").write_text("hello")


def damage_the_manifest(value: Path) -> None:
    path = value.parent / "manifest.json"
    path.write_text(path.read_text().replace('"seconds": ', '"seconds": 1'))


def lose_the_manifest(value: Path) -> None:
    (value.parent / "manifest.json").unlink()


def empty_the_manifest(value: Path) -> None:
    (value.parent / "manifest.json").write_text("")


def swap_the_manifest(value: Path) -> None:
    """A manifest that is sound, but another value's."""
    other = Cache(value.parents[3]).get_or_make(OTHER, writes("one"))
    (value.parent / "manifest.json").write_bytes((other.parent / "manifest.json").read_bytes())


@pytest.mark.parametrize(
    "damage",
    [
        damage_bytes,
        cut_short,
        lose_a_file,
        add_a_file,
        damage_the_manifest,
        lose_the_manifest,
        empty_the_manifest,
        swap_the_manifest,
    ],
)
def test_a_damaged_value_is_thrown_away_and_made_again(tmp_path: Path, damage) -> None:
    damage(Cache(tmp_path).get_or_make(KEY, writes("one")))
    made: list[str] = []
    cache = Cache(tmp_path)
    assert cache.get(KEY) is None
    value = cache.get_or_make(KEY, writes("two", made))
    assert made == ["two"]
    assert (value / "value.txt").read_text() == "two"
    assert Cache(tmp_path).get(KEY) == value


# --- stamps


def writes_much(out: Path) -> None:
    (out / "signal.npy").write_bytes(bytes(range(256)) * (STAMPED_FROM_BYTES // 256))
    (out / "catalogue.json").write_text("{}")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    return Cache(tmp_path).get_or_make(KEY, writes_much)


def put_back(path: Path, change) -> None:
    """Changes a file, keeping its size and putting back its time of writing."""
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def flip_a_bit(path: Path) -> None:
    with path.open("rb+") as file:
        file.seek(-1000, os.SEEK_END)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def exchange(path: Path) -> None:
    """Another file of the size is renamed onto it."""
    other = path.parents[3] / "other"
    other.write_bytes(bytes(path.stat().st_size))
    other.rename(path)


def test_a_large_value_that_nobody_touched_is_not_read_again(tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "_sha256", lambda path: pytest.fail(f"{path} is read"))
    assert Cache(tmp_path).get(KEY) == large


@pytest.mark.skipif(os.name != "posix", reason="who sets the time of writing back is noticed by the time of change")
@pytest.mark.parametrize("change", [flip_a_bit, exchange])
def test_changed_content_is_found_though_size_and_time_of_writing_are_what_they_were(tmp_path: Path, large: Path, change) -> None:
    put_back(large / "signal.npy", change)
    assert Cache(tmp_path).get(KEY) is None
    assert Cache(tmp_path).get_or_make(KEY, writes_much) == large
    assert Cache(tmp_path).verify(KEY)


def test_content_that_changed_within_a_tick_of_the_clock_is_found(tmp_path: Path) -> None:
    for _ in range(20):
        value = Cache(tmp_path).get_or_make(KEY, writes_much)
        put_back(value / "signal.npy", flip_a_bit)
        assert Cache(tmp_path).get(KEY) is None


@pytest.mark.parametrize("damage", [lose_the_manifest, damage_the_manifest, swap_the_manifest])
def test_a_stamp_saves_no_value_whose_manifest_is_not_its_own(tmp_path: Path, large: Path, damage) -> None:
    damage(large)
    assert Cache(tmp_path).get(KEY) is None


def test_a_stamp_saves_no_value_with_a_file_too_many_or_too_few(tmp_path: Path, large: Path) -> None:
    (large / "stranger.txt").write_text("hello")
    assert Cache(tmp_path).get(KEY) is None
    (large / "stranger.txt").unlink()
    assert Cache(tmp_path).get(KEY) == large
    (large / "catalogue.json").unlink()
    assert Cache(tmp_path).get(KEY) is None


@pytest.mark.parametrize(
    "stamp", [None, b"", b"[]", b'{"manifest": 1, "files": {"signal.npy": [1]}}', b'{"files": 3}', b'{"files": {}}', b"\xff"]
)
def test_a_value_whose_stamp_is_of_no_use_is_compared_and_stamped(
    tmp_path: Path, large: Path, stamp: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large.parent / "stamp.json"
    path.unlink() if stamp is None else path.write_bytes(stamp)
    assert Cache(tmp_path).get(KEY) == large
    monkeypatch.setattr(cache_module, "_sha256", lambda path: pytest.fail(f"{path} is read"))
    assert Cache(tmp_path).get(KEY) == large


def test_a_touched_file_is_compared_and_found_sound(tmp_path: Path, large: Path) -> None:
    os.utime(large / "signal.npy")
    assert Cache(tmp_path).get(KEY) == large


def test_a_small_value_has_no_stamp_and_is_always_compared(tmp_path: Path) -> None:
    value = Cache(tmp_path).get_or_make(KEY, writes("one"))
    assert not (value.parent / "stamp.json").exists()


def test_verify_compares_everything_whatever_the_stamp_says(tmp_path: Path, large: Path) -> None:
    assert Cache(tmp_path).verify(KEY)
    assert not Cache(tmp_path).verify(OTHER)
    flip_a_bit(large / "signal.npy")
    said = json.loads((large.parent / "stamp.json").read_text())
    said["files"]["signal.npy"] = file_state(large / "signal.npy")  # as a failing disk would, the states say that nothing happened
    (large.parent / "stamp.json").write_text(json.dumps(said))
    assert Cache(tmp_path).get(KEY) is not None, "what the documents say that a stamp does not find"
    assert not Cache(tmp_path).verify(KEY)


def test_what_fails_is_not_kept(tmp_path: Path) -> None:
    def fail(out: Path) -> None:
        (out / "half.txt").write_text("half")
        raise ValueError("on purpose")

    cache = Cache(tmp_path)
    with pytest.raises(ValueError, match="on purpose"):
        cache.get_or_make(KEY, fail)
    assert cache.get(KEY) is None
    assert not list((tmp_path / "partial").iterdir())
    assert (cache.get_or_make(KEY, writes("good")) / "value.txt").read_text() == "good"


SLOW_MAKER = """
import sys, time
from pathlib import Path
from faultbench.matrix.cache import Cache
def make(out):
    (out / "half.txt").write_text("half")
    print("making", flush=True)
    time.sleep(60)
Cache(Path(sys.argv[1])).get_or_make(sys.argv[2], make)
"""


def test_a_killed_maker_leaves_no_half_value_and_its_temporary_is_swept(tmp_path: Path) -> None:
    maker = subprocess.Popen([sys.executable, "-c", SLOW_MAKER, str(tmp_path), KEY], stdout=subprocess.PIPE)
    assert maker.stdout is not None
    assert maker.stdout.readline() == b"making\n"
    Cache(tmp_path).prepare()  # the maker lives: its temporary is not touched
    assert len(list((tmp_path / "partial").iterdir())) == 1
    maker.send_signal(signal.SIGKILL)
    maker.communicate()
    assert Cache(tmp_path).get(KEY) is None
    Cache(tmp_path).prepare()
    assert not list((tmp_path / "partial").iterdir())
    assert (Cache(tmp_path).get_or_make(KEY, writes("good")) / "value.txt").read_text() == "good"


def _share(root: Path, log: Path, start: float) -> None:
    def make(out: Path) -> None:
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.3)
        (out / "value.txt").write_text("v" * 100_000)

    time.sleep(max(0.0, start - time.time()))
    value = Cache(root).get_or_make(KEY, make)
    assert len((value / "value.txt").read_text()) == 100_000


def test_two_processes_that_share_a_cache_make_a_value_once(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    log, start = tmp_path / "log", time.time() + 0.2
    processes = [fork.Process(target=_share, args=(tmp_path / "cache", log, start)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    assert log.read_text() == "made\n"


def test_who_has_to_wait_for_another_process_is_told(tmp_path: Path) -> None:
    maker = subprocess.Popen([sys.executable, "-c", SLOW_MAKER, str(tmp_path), KEY], stdout=subprocess.PIPE)
    assert maker.stdout is not None
    maker.stdout.readline()
    said: list[str] = []

    def waiting() -> None:
        said.append("waiting")
        maker.kill()
        maker.communicate()

    Cache(tmp_path).get_or_make(KEY, writes("mine"), waiting=waiting)
    assert said == ["waiting"]


@pytest.fixture
def unprivileged(tmp_path: Path):
    """A folder that this process cannot write while the test runs: root gives up its rights for so long."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.geteuid() == 0:
        for above in (tmp_path, tmp_path.parent, tmp_path.parent.parent):  # pytest's own, closed to others
            above.chmod(0o755)
        os.seteuid(65534)
        yield folder
        os.seteuid(0)
    else:
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(unprivileged: Path) -> None:
    for root in (unprivileged, unprivileged / "deeper" / "down"):
        with pytest.raises(UsageError, match=r"cannot be written .*: set FAULTBENCH_CACHE") as caught:
            Cache(root).get_or_make(KEY, writes("one"))
        assert "\n" not in str(caught.value)


def test_a_file_where_the_cache_should_be_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        Cache(tmp_path / "file").get_or_make(KEY, writes("one"))


def test_a_cache_that_cannot_be_written_can_be_read(tmp_path: Path) -> None:
    Cache(tmp_path).get_or_make(KEY, writes("one"))
    before = sorted(tmp_path.rglob("*"))
    assert Cache(tmp_path).get(KEY) is not None
    assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_is_said_in_one_line(tmp_path: Path) -> None:
    def fill(out: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(out / "big"))

    with pytest.raises(CellError, match=r"no space is left .*: free some"):
        Cache(tmp_path).get_or_make(KEY, fill)


@pytest.mark.parametrize("free", [0, 1 << 30])
def test_a_full_disk_that_a_library_does_not_name_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    def numpy_writes(out: Path) -> None:
        raise OSError("53248 requested and 49120 written")

    monkeypatch.setattr("shutil.disk_usage", lambda _: shutil._ntuple_diskusage(1 << 30, 0, free))
    with pytest.raises(CellError, match="a file met the limit on file sizes, or the disk is full" if free else "no space is left"):
        Cache(tmp_path).get_or_make(KEY, numpy_writes)
    assert not list((tmp_path / "partial").iterdir())


@pytest.mark.parametrize("write", [lambda file: np.save(file, np.zeros(100_000)), lambda file: file.write_bytes(bytes(800_000))])
def test_a_limit_on_file_sizes_is_said_in_one_line(tmp_path: Path, write: Callable[[Path], object]) -> None:
    cache = Cache(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100 << 10, hard))
    try:
        with pytest.raises(CellError, match=r"^the cache .* cannot be written: a file met the limit on file sizes, .*: raise the limit"):
            cache.get_or_make(KEY, lambda out: write(out / "big.npy"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list((tmp_path / "partial").iterdir())


def test_a_full_disk_that_a_part_has_put_in_its_own_words_is_recognised(tmp_path: Path) -> None:
    def export(out: Path) -> None:
        raise UsageError("cannot write the artifact: choose an empty folder") from OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CellError, match="no space is left"):
        Cache(tmp_path).get_or_make(KEY, export)


def test_a_makers_own_trouble_with_files_is_not_blamed_on_the_cache(tmp_path: Path) -> None:
    def denied(out: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/somewhere/else.mat")

    with pytest.raises(PermissionError):
        Cache(tmp_path).get_or_make(KEY, denied)


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "here"))
    assert cache_root() == tmp_path / "here"
    monkeypatch.delenv("FAULTBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root().name == "faultbench"


def test_no_manifest_holds_a_path_of_this_machine(tmp_path: Path) -> None:
    value = Cache(tmp_path).get_or_make(KEY, writes("one"))
    said = json.loads((value.parent / "manifest.json").read_text())
    assert set(said["files"]) == {"value.txt", "deep/more.bin"}
