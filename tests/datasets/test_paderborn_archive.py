"""Unpacking the archives of the Paderborn data: what the source packs comes out, whatever else is in an archive stays in it."""

from __future__ import annotations

import importlib.util
import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from faultbench.errors import DataError
from faultbench_datasets.paderborn import Paderborn, archive
from faultbench_datasets.paderborn.archive import unpack, write_members

spec = importlib.util.spec_from_file_location("paderborn_layout", Path(__file__).with_name("paderborn_layout.py"))
assert spec
assert spec.loader
layout = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layout)

FIRST = "KA01/N15_M07_F10_KA01_1.mat"
needs_bsdtar = pytest.mark.skipif(archive._tool() is None, reason="no bsdtar: install libarchive-tools to test unpacking RAR")


def packed(*members: tuple[str, bytes | str], kind: bytes = tarfile.REGTYPE) -> io.BytesIO:
    """A tar of members; the last is of a given kind."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for i, (name, content) in enumerate(members):
            info = tarfile.TarInfo(name)
            data = content.encode() if isinstance(content, str) else content
            if i == len(members) - 1 and kind != tarfile.REGTYPE:
                info.type, info.linkname, data = kind, data.decode(), b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    stream.seek(0)
    return stream


def write(stream: io.BytesIO, folder: Path) -> int:
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        return write_members(tar, folder, "KA01")


def test_measurements_are_written_and_other_files_passed_over(tmp_path: Path) -> None:
    assert write(packed((FIRST, b"one"), ("KA01/KA01.pdf", b"%PDF"), ("KA01/N15_M07_F10_KA01_21.mat", b"no")), tmp_path) == 1
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"N15_M07_F10_KA01_1.mat": b"one"}


@pytest.mark.parametrize(
    "name",
    [
        "../KA01/x.mat",
        "/KA01/x.mat",
        "KA01/../x.mat",
        "KA01/a/x.mat",
        "KA02/x.mat",
        "x.mat",
        "KA01/..",
        "KA01\\x.mat",
        "KA01/x\ny",
        "KA01/é",
    ],
)
def test_a_member_outside_the_bearings_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no file in KA01/") as refused:
        write(packed((name, b"x")), tmp_path)
    assert "\n" not in str(refused.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_devices_and_folders_in_the_place_of_a_file_are_refused(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(ValueError, match="is no plain file"):
        write(packed((FIRST, "/etc/passwd"), kind=kind), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_name_twice_and_too_much_of_anything_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="there twice"):
        write(packed((FIRST, b"a"), (FIRST, b"b")), tmp_path)
    (tmp_path / "x").mkdir()
    monkeypatch.setattr(archive, "MAX_FILE_BYTES", 4)
    with pytest.raises(ValueError, match="5 bytes in one"):
        write(packed((FIRST, b"abcde")), tmp_path / "x")
    monkeypatch.setattr(archive, "MAX_FILE_BYTES", 1000)
    monkeypatch.setattr(archive, "_MAX_TOTAL_BYTES", 7)
    with pytest.raises(ValueError, match="or 8 in all"):
        write(packed(("KA01/a.pdf", b"abcd"), (FIRST, b"abcd")), tmp_path / "x")
    monkeypatch.setattr(archive, "_MAX_MEMBERS", 1)
    with pytest.raises(ValueError, match="more than 1 members"):
        write(packed(("KA01/a.pdf", b""), (FIRST, b"")), tmp_path / "x")
    assert not list((tmp_path / "x").iterdir())


@needs_bsdtar
@pytest.mark.parametrize("version", [4, 5])
def test_a_rar_of_either_version_is_unpacked_once_and_then_read(tmp_path: Path, version: int) -> None:
    original = layout.write_measurement(tmp_path / "elsewhere", "KA01").read_bytes()
    root = tmp_path / "paderborn"
    root.mkdir()
    writer = layout.write_rar4 if version == 4 else layout.write_rar5
    writer(root / "KA01.rar", {FIRST: original, "KA01/KA01.pdf": b"%PDF"})
    data = Paderborn(data_dir=tmp_path)
    catalogue = data.catalogue()
    assert [r.id for r in catalogue.recordings] == ["N15_M07_F10_KA01_1"]
    assert sorted(p.name for p in root.iterdir()) == ["KA01", "KA01.rar"]
    assert sorted(p.name for p in (root / "KA01").iterdir()) == ["N15_M07_F10_KA01_1.mat"]
    assert (root / "KA01" / "N15_M07_F10_KA01_1.mat").read_bytes() == original
    if os.name == "posix":
        assert stat.S_IMODE((root / "KA01").stat().st_mode) == 0o755
    assert data.read(catalogue.recordings[0], "vibration_1").size > 15000
    (root / "KA01.rar").write_bytes(b"no longer needed")
    assert Paderborn(data_dir=tmp_path).catalogue().digest == catalogue.digest


@needs_bsdtar
def test_a_folder_entry_as_archivers_add_it_is_no_harm(tmp_path: Path) -> None:
    layout.write_rar5(tmp_path / "KA01.rar", {"KA01": None, FIRST: b"content"})
    assert [p.name for p in unpack(tmp_path / "KA01.rar", "KA01").iterdir()] == ["N15_M07_F10_KA01_1.mat"]


@needs_bsdtar
def test_a_damaged_or_foreign_archive_leaves_nothing_behind(tmp_path: Path) -> None:
    whole = layout.write_rar5(tmp_path / "KA01.rar", {FIRST: bytes(range(256)) * 40, "KA01/N15_M07_F10_KA01_2.mat": b"two"}).read_bytes()
    flipped = bytearray(whole)
    flipped[30] ^= 1  # in the first member's header
    link = packed((FIRST, b"one"), ("KA01/N15_M07_F10_KA01_2.mat", "/etc/passwd"), kind=tarfile.SYMTYPE).read()
    stranger = packed(("KA03/N15_M07_F10_KA03_1.mat", b"one")).read()
    for content in (b"", b"no archive", whole[:3000], bytes(flipped), link, stranger, packed(("KA01/KA01.pdf", b"")).read()):
        (tmp_path / "KA01.rar").write_bytes(content)
        with pytest.raises(DataError, match=r"KA01.rar cannot be unpacked .*: get it again, or unpack it yourself") as refused:
            unpack(tmp_path / "KA01.rar", "KA01")
        assert "\n" not in str(refused.value)
        assert [p.name for p in tmp_path.iterdir()] == ["KA01.rar"]


@needs_bsdtar
def test_who_comes_second_takes_what_the_first_unpacked(tmp_path: Path) -> None:
    layout.write_rar5(tmp_path / "KA01.rar", {FIRST: b"mine"})
    (tmp_path / "KA01").mkdir()
    (tmp_path / "KA01" / "N15_M07_F10_KA01_1.mat").write_bytes(b"theirs")
    assert (unpack(tmp_path / "KA01.rar", "KA01") / "N15_M07_F10_KA01_1.mat").read_bytes() == b"theirs"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["KA01", "KA01.rar"]


def test_without_a_tool_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout.write_rar5(tmp_path / "KA01.rar", {FIRST: b"x"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"nothing here can unpack it: install bsdtar .*libarchive-tools.*, or unpack it yourself"):
        Paderborn(data_dir=tmp_path).catalogue()


@needs_bsdtar
@pytest.mark.parametrize(
    ("step", "said"),
    [("mkdtemp", "cannot be written, refused here: unpack it yourself"), ("copyfileobj", "cannot be unpacked, refused here: make room")],
)
def test_a_folder_that_cannot_be_written_or_is_full_is_said_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, said: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "refused here")

    layout.write_rar5(tmp_path / "KA01.rar", {FIRST: b"x"})
    monkeypatch.setattr(archive.tempfile if step == "mkdtemp" else archive.shutil, step, refuse)
    with pytest.raises(DataError, match=said):
        unpack(tmp_path / "KA01.rar", "KA01")
    assert [p.name for p in tmp_path.iterdir()] == ["KA01.rar"]
