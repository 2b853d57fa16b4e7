"""Unpacking the archives of the Paderborn data: what the source packs comes out, whatever else is in an archive stays in it."""

from __future__ import annotations

import dataclasses
import importlib.util
import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from faultbench.acquisition.archive import tool
from faultbench.errors import DataError
from faultbench_datasets.paderborn import Paderborn, archive
from faultbench_datasets.paderborn.archive import unpack_bearing
from faultbench_datasets.paderborn.bearings import stems

spec = importlib.util.spec_from_file_location("paderborn_layout", Path(__file__).with_name("paderborn_layout.py"))
assert spec
assert spec.loader
layout = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layout)

FIRST = "KA01/N15_M07_F10_KA01_1.mat"
needs_bsdtar = pytest.mark.skipif(tool() is None, reason="no bsdtar: install libarchive-tools to test unpacking RAR")


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


def unpacked(content: bytes, folder: Path) -> dict[str, bytes]:
    """What comes out of an archive of that content, by name."""
    (folder / "KA01.rar").write_bytes(content)
    return {p.name: p.read_bytes() for p in unpack_bearing(folder / "KA01.rar", "KA01").iterdir()}


def test_measurements_are_written_and_other_files_passed_over(tmp_path: Path) -> None:
    content = packed((FIRST, b"one"), ("KA01/KA01.pdf", b"%PDF"), ("KA01/N15_M07_F10_KA01_21.mat", b"no")).read()
    assert unpacked(content, tmp_path) == {"N15_M07_F10_KA01_1.mat": b"one"}


@pytest.mark.parametrize("name", ["KA01/a/x.mat", "KA02/x.mat", "x.mat", "KA01/é", "KA01/<x>", "../KA01/x.mat", "/KA01/x.mat"])
def test_a_member_outside_the_bearings_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"KA01.rar cannot be unpacked \(.* is no (file in KA01/|name within the archive)\)") as refused:
        unpacked(packed((FIRST, b"one"), (name, b"x")).read(), tmp_path)
    assert str(refused.value).isascii()
    assert [p.name for p in tmp_path.iterdir()] == ["KA01.rar"]


def test_more_than_the_source_packs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_LIMITS", dataclasses.replace(archive._LIMITS, file_bytes=4))
    with pytest.raises(DataError, match="has 5 B, the limit is 4 B"):
        unpacked(packed((FIRST, b"abcde")).read(), tmp_path)


@needs_bsdtar
def test_an_archive_is_checked_for_all_measurements_without_unpacking_it(tmp_path: Path) -> None:
    names = [f"KA01/{stem}.mat" for stem in stems("KA01")]
    path = layout.write_rar5(tmp_path / "KA01.rar", dict.fromkeys(names, b"x") | {"KA01/KA01.pdf": b"%PDF"})
    Paderborn(data_dir=tmp_path).check_file(path)
    assert [p.name for p in tmp_path.iterdir()] == ["KA01.rar"]
    layout.write_rar5(path, dict.fromkeys(names[1:], b"x"))
    with pytest.raises(DataError, match=r"lacks 1 of the 80 measurements, N15_M07_F10_KA01_1.mat among them"):
        Paderborn(data_dir=tmp_path).check_file(path)
    layout.write_rar5(path, dict.fromkeys([*names, "KA03/x.mat"], b"x"))
    with pytest.raises(DataError, match=r"is no archive of KA01 .*is no file in KA01/"):
        Paderborn(data_dir=tmp_path).check_file(path)


def test_a_measurement_is_checked_alone_and_what_is_none_is_refused(tmp_path: Path) -> None:
    reader = Paderborn(data_dir=tmp_path)
    good = layout.write_measurement(tmp_path, "KA01")
    reader.check_file(good)
    for name, content in {"KA01_1.mat": b"", "KA99.rar": b"", good.name: b"MATLAB 5.0 and then nothing"}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError):
            reader.check_file(tmp_path / name)


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
    assert [p.name for p in unpack_bearing(tmp_path / "KA01.rar", "KA01").iterdir()] == ["N15_M07_F10_KA01_1.mat"]


@needs_bsdtar
def test_a_damaged_or_foreign_archive_leaves_nothing_behind(tmp_path: Path) -> None:
    whole = layout.write_rar5(tmp_path / "KA01.rar", {FIRST: bytes(range(256)) * 40, "KA01/N15_M07_F10_KA01_2.mat": b"two"}).read_bytes()
    flipped = bytearray(whole)
    flipped[30] ^= 1  # in the first member's header
    link = packed((FIRST, b"one"), ("KA01/N15_M07_F10_KA01_2.mat", "/etc/passwd"), kind=tarfile.SYMTYPE).read()
    stranger = packed(("KA03/N15_M07_F10_KA03_1.mat", b"one")).read()
    for content in (b"", b"no archive", whole[:3000], bytes(flipped), link, stranger):
        (tmp_path / "KA01.rar").write_bytes(content)
        with pytest.raises(DataError, match=r"KA01.rar cannot be unpacked .*: get it again, or unpack it yourself") as refused:
            unpack_bearing(tmp_path / "KA01.rar", "KA01")
        assert "\n" not in str(refused.value)
        assert [p.name for p in tmp_path.iterdir()] == ["KA01.rar"]


@needs_bsdtar
def test_who_comes_second_takes_what_the_first_unpacked(tmp_path: Path) -> None:
    layout.write_rar5(tmp_path / "KA01.rar", {FIRST: b"mine"})
    (tmp_path / "KA01").mkdir()
    (tmp_path / "KA01" / "N15_M07_F10_KA01_1.mat").write_bytes(b"theirs")
    assert (unpack_bearing(tmp_path / "KA01.rar", "KA01") / "N15_M07_F10_KA01_1.mat").read_bytes() == b"theirs"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["KA01", "KA01.rar"]


def test_without_a_tool_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout.write_rar5(tmp_path / "KA01.rar", {FIRST: b"x"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match=r"nothing here can unpack it: install bsdtar .*libarchive-tools.*, or unpack it yourself"):
        Paderborn(data_dir=tmp_path).catalogue()


def test_an_archive_without_a_measurement_is_no_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"KA01.rar holds no file that is asked for: check that it is the right one"):
        unpacked(packed(("KA01/KA01.pdf", b"")).read(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["KA01.rar"]


@needs_bsdtar
def test_what_is_wrong_with_an_archive_is_said_in_plain_words(tmp_path: Path) -> None:
    """Of a file that ends in the middle bsdtar has no words but `(null)`."""
    whole = layout.write_rar5(tmp_path / "whole", {"KA01": None, FIRST: bytes(20_000)}).read_bytes()
    with pytest.raises(DataError, match=r"KA01\.rar cannot be unpacked \(it ends in the middle, or is damaged\): get it again, or "):
        unpacked(whole[:1000], tmp_path)
    spoilt = bytearray(whole)
    spoilt[60] ^= 1
    with pytest.raises(DataError, match=r"KA01\.rar cannot be unpacked \(bsdtar: '[^()]+'\): get it again, or ") as refused:
        unpacked(bytes(spoilt), tmp_path)
    assert "delayed" not in str(refused.value)
