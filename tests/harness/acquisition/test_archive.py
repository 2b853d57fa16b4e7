"""Archives from outside: what is asked for comes out, everything else is refused before a byte is written."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import io
import lzma
import os
import shutil
import stat
import struct
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbench.acquisition import archive as unpacking
from faultbench.acquisition import space
from faultbench.acquisition.archive import Limits, NothingTakenError, is_archive, members_of, tool, unpack
from faultbench.errors import DataError

needs_bsdtar = pytest.mark.skipif(tool() is None, reason="no bsdtar: install libarchive-tools to test unpacking RAR and 7z")
CONTENT = os.urandom(5000)


def everything(member):
    return member.name


def tar(*members, kind=tarfile.REGTYPE, link="", form=tarfile.PAX_FORMAT) -> bytes:
    """A tar of names and contents; the last is of a given kind."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as packed:
        for number, (name, content) in enumerate(members):
            info = tarfile.TarInfo(name)
            if number == len(members) - 1 and kind != tarfile.REGTYPE:
                info.type, info.linkname = kind, link
            else:
                info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def zipped(*members, mode=0, method=zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of names and contents; the last has a Unix mode."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as packed:
        for number, (name, content) in enumerate(members):
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            if number == len(members) - 1 and mode:
                info.create_system, info.external_attr = 3, mode << 16
            packed.writestr(info, content)
    return stream.getvalue()


def put(folder: Path, content: bytes, name: str = "outside.bin") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(content)
    return path


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def refused(path: Path, **said) -> str:
    """Why an archive is refused; nothing is left of it."""
    before = left_in(path.parent)
    with pytest.raises(DataError) as error:
        unpack(path, path.with_name("out"), everything, **said)
    assert left_in(path.parent) == before
    assert str(error.value).isprintable()
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "packed",
    [
        tar(("d/a.mat", CONTENT), ("d/b.mat", b"b")),
        tar(("./d/a.mat", CONTENT), ("./d/b.mat", b"b")),
        tar(("d/a.mat", CONTENT), ("d/b.mat", b"b"), form=tarfile.GNU_FORMAT),
        gzip.compress(tar(("d/a.mat", CONTENT), ("d/b.mat", b"b"))),
        bz2.compress(tar(("d/a.mat", CONTENT), ("d/b.mat", b"b"))),
        lzma.compress(tar(("d/a.mat", CONTENT), ("d/b.mat", b"b"))),
        zipped(("d/a.mat", CONTENT), ("d/b.mat", b"b")),
        zipped(("d/a.mat", CONTENT), ("d/b.mat", b"b"), method=zipfile.ZIP_STORED),
        zipped(("d/a.mat", CONTENT), ("d/b.mat", b"b"), method=zipfile.ZIP_LZMA),
    ],
    ids=["tar", "dots", "gnu", "gz", "bz2", "xz", "zip", "stored", "zip-lzma"],
)
def test_what_is_taken_comes_out_under_the_callers_names_whatever_the_archive_is_called(tmp_path, packed):
    path = put(tmp_path / "x", packed)
    assert is_archive(path)
    assert [(m.name, m.size_bytes) for m in members_of(path)] == [("d/a.mat", 5000), ("d/b.mat", 1)]
    assert unpack(path, path.with_name("out"), lambda m: "mine/1" if m.name == "d/a.mat" else "") == ["mine/1"]
    assert [p for p in path.with_name("out").rglob("*") if p.is_file()] == [path.with_name("out") / "mine" / "1"]
    assert (path.with_name("out") / "mine" / "1").read_bytes() == CONTENT
    assert left_in(path.parent) == {"outside.bin", "out"}


HOSTILE_NAMES = ["../x", "/x", "d/../x", "d/..", "..", "C:/x", "c:x", "d\\x", "d//x", "d/./x", "d/x\x07", "d/x\ny"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("pack", [tar, zipped], ids=["tar", "zip"])
def test_a_name_outside_the_archive_refuses_the_whole(tmp_path, pack, name):
    path = put(tmp_path / "x", pack(("good", b"good"), (name, b"evil")))
    assert "is no name within the archive" in refused(path)
    assert "is no name within the archive" in refused(path, limits=Limits(ratio=1e9)), "also where nobody asks for it"


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a device"),
    ],
)
def test_links_and_devices_of_a_tar_are_refused(tmp_path, kind, said):
    path = put(tmp_path / "x", tar(("good", b"good"), ("evil", b""), kind=kind, link="/etc/passwd"))
    assert f"is {said}, not a plain file" in refused(path)


@pytest.mark.parametrize(("form", "said"), [(stat.S_IFLNK, "a link"), (stat.S_IFCHR, "something else"), (stat.S_IFIFO, "something else")])
def test_links_and_devices_of_a_zip_are_refused(tmp_path, form, said):
    path = put(tmp_path / "x", zipped(("good", b"good"), ("evil", b"/etc/passwd"), mode=form | 0o777))
    assert f"is {said}, not a plain file" in refused(path)


@pytest.mark.parametrize("pack", [tar, zipped], ids=["tar", "zip"])
def test_a_name_twice_is_refused(tmp_path, pack, recwarn):
    assert "'a' is there twice" in refused(put(tmp_path / "x", pack(("a", b"one"), ("a", b"two"))))
    assert "'a' is there twice" in refused(put(tmp_path / "x", pack(("a", b"one"), ("./a", b"two"))))


def test_two_members_taken_to_one_path_are_refused(tmp_path):
    path = put(tmp_path / "x", tar(("a/1", b"one"), ("b/1", b"two")))
    with pytest.raises(DataError, match="mine is there twice"):
        unpack(path, path.with_name("out"), lambda m: "mine")


@pytest.mark.parametrize("pack", [tar, zipped], ids=["tar", "zip"])
def test_too_much_of_anything_is_refused(tmp_path, pack):
    path = put(tmp_path / "x", pack(("a", b"abcde"), ("b", b"abc")))
    assert "'a' has 5 B, the limit is 4 B" in refused(path, limits=Limits(file_bytes=4))
    assert "more than 7 B together" in refused(path, limits=Limits(total_bytes=7))
    assert "more than 1 members" in refused(path, limits=Limits(members=1))


def test_a_bomb_is_refused_before_it_goes_off(tmp_path):
    zeros = bytes(80 << 20)
    for packed in (zipped(("a", zeros)), gzip.compress(tar(("a", zeros)))):
        path = put(tmp_path / "x", packed)
        assert path.stat().st_size < 1 << 20
        assert "it is a bomb" in refused(path)


def test_a_tar_header_that_says_it_is_huge_is_not_read_into_memory(tmp_path):
    """A pax header has a length of its own, which tarfile reads at once."""
    header = bytearray(tarfile.TarInfo("pax").tobuf(tarfile.USTAR_FORMAT)[:512])
    header[124:136] = b"77777777777\x00"
    header[156:157] = tarfile.XHDTYPE
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    for packed in (bytes(header) + bytes(2048), gzip.compress(bytes(header) + bytes(2048))):
        assert "says that it is" in refused(put(tmp_path / "x", packed))


def test_sizes_that_lie_are_noticed(tmp_path):
    packed = bytearray(zipped(("a", b"x" * 1000), method=zipfile.ZIP_STORED))
    central = packed.rindex(b"PK\x01\x02")
    for size in (500, 100_000):
        packed[central + 24 : central + 28] = struct.pack("<I", size)
        assert "cannot be unpacked" in refused(put(tmp_path / "x", bytes(packed)))


@pytest.mark.parametrize("where", ["header", "content"])
def test_a_flipped_bit_is_noticed_where_there_is_a_sum(tmp_path, where):
    whole = bytearray(zipped(("a", CONTENT), method=zipfile.ZIP_STORED))
    whole[whole.index(CONTENT[:100]) + 50 if where == "content" else whole.rindex(b"PK\x01\x02") + 2] ^= 0xFF
    path = put(tmp_path / "x", bytes(whole))
    if where == "content":
        assert "Bad CRC" in refused(path)
    else:
        with pytest.raises(DataError):
            unpack(path, path.with_name("out"), everything)


def test_an_encrypted_zip_is_refused_with_that_reason(tmp_path):
    packed = bytearray(zipped(("a", b"secret"), method=zipfile.ZIP_STORED))
    packed[packed.index(b"PK\x03\x04") + 6] |= 1
    packed[packed.rindex(b"PK\x01\x02") + 8] |= 1
    assert "it is encrypted" in refused(put(tmp_path / "x", bytes(packed)))


@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\x00"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rubbish_is_refused_in_one_line(tmp_path, rubbish, head):
    refused(put(tmp_path / "x", head + rubbish))


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_is_refused_or_gives_files_of_the_callers_names(tmp_path, data):
    pack = data.draw(st.sampled_from([tar, zipped, lambda *m: gzip.compress(tar(*m))]))
    whole = bytearray(pack(("d/a", CONTENT[:700]), ("d/b", b"b")))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    path = put(tmp_path / "x", bytes(whole[: data.draw(st.integers(1, len(whole)))]))
    numbers = iter("123456789")
    with contextlib.suppress(DataError):
        unpack(path, path.with_name("out"), lambda _: next(numbers))
    assert left_in(path.parent) <= {"outside.bin", "out"}
    if path.with_name("out").exists():
        assert left_in(path.with_name("out")) <= {"1", "2"}
        shutil.rmtree(path.with_name("out"))


def test_nothing_that_is_asked_for_is_an_error(tmp_path):
    path = put(tmp_path / "x", tar(("a", b"a")))
    with pytest.raises(NothingTakenError, match="holds no file that is asked for: check that it is the right one"):
        unpack(path, path.with_name("out"), lambda m: "")


def test_room_is_checked_before_anything_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage._replace(free=space.SPARE_BYTES + 4999))
    assert "there is no room for the contents of outside.bin" in refused(put(tmp_path / "x", tar(("a", CONTENT))))


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "make room, or unpack"), (errno.EACCES, "check its permissions")])
def test_a_disk_that_fills_up_or_refuses_leaves_nothing(tmp_path, monkeypatch, number, said):
    def refuse(*_):
        raise OSError(number, os.strerror(number), str(tmp_path / "x" / "out"))

    monkeypatch.setattr(unpacking, "_copy", refuse)
    assert said in refused(put(tmp_path / "x", tar(("a", CONTENT))))


def test_a_pipe_is_not_waited_for(tmp_path):
    (tmp_path / "x").mkdir()
    os.mkfifo(tmp_path / "x" / "pipe")
    assert "it is no regular file" in refused(tmp_path / "x" / "pipe")


def test_who_comes_second_takes_what_the_first_unpacked(tmp_path):
    path = put(tmp_path / "x", tar(("a", b"mine")))
    put(tmp_path / "x" / "out", b"theirs", "a")
    unpack(path, path.with_name("out"), everything)
    assert (tmp_path / "x" / "out" / "a").read_bytes() == b"theirs"
    assert left_in(path.parent) == {"outside.bin", "out"}


@needs_bsdtar
@pytest.mark.parametrize("form", ["7zip", "zip"])
def test_what_bsdtar_packs_is_unpacked(tmp_path, form):
    source = tmp_path / "s"
    put(source / "d" if (source).mkdir() is None else source, CONTENT, "a.mat")
    path = tmp_path / "packed"
    subprocess.run([tool(), "-c", f"--format={form}", "-f", path, "-C", source, "d"], check=True)
    assert is_archive(path)
    assert unpack(path, tmp_path / "out", everything) == ["d/a.mat"]
    assert (tmp_path / "out" / "d" / "a.mat").read_bytes() == CONTENT


@needs_bsdtar
def test_links_in_a_7z_are_refused(tmp_path):
    source = tmp_path / "s"
    put(source, b"a", "a")
    (source / "evil").symlink_to("/etc/passwd")
    subprocess.run([tool(), "-c", "--format=7zip", "-f", tmp_path / "packed", "-C", source, "a", "evil"], check=True)
    assert "is a link, not a plain file" in refused(tmp_path / "packed")


@needs_bsdtar
def test_a_7z_cut_short_is_refused_in_bsdtars_words(tmp_path):
    put(tmp_path / "s", CONTENT, "a")
    subprocess.run([tool(), "-c", "--format=7zip", "-f", tmp_path / "whole", "-C", tmp_path / "s", "a"], check=True)
    path = put(tmp_path / "x", (tmp_path / "whole").read_bytes()[:3000])
    assert "bsdtar: " in refused(path)


def test_without_the_tool_it_is_said_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    said = refused(put(tmp_path / "x", b"Rar!\x1a\x07\x01\x00rest"))
    assert "nothing here can unpack it: install bsdtar (package libarchive-tools of Debian" in said


def test_a_password_is_never_asked_for(tmp_path, monkeypatch):
    """A tool that wants one finds neither a terminal nor an answer."""
    fake = tmp_path / "bin" / "bsdtar"
    fake.parent.mkdir()
    fake.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo bsdtar 3 && exit\n(echo asking > /dev/tty) 2>/dev/null && exit 0\nread answer\nexit 1\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    assert "cannot be unpacked" in refused(put(tmp_path / "x", b"Rar!\x1a\x07\x01\x00rest"))
