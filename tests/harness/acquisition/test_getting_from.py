"""Taking over files that the user has: whatever their folders and names, and out of archives."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from rogue_server import Reader, content_of, sha256

from faultbench.acquisition import getting, space
from faultbench.acquisition.getting import get_from
from faultbench.acquisition.publication import PublishedFile
from faultbench.errors import DataError

SIZE = 2000


def known(name):
    return PublishedFile(name, size_bytes=SIZE, sha256=sha256(content_of(Path(name).name, SIZE)))


def put(folder, **files):
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_dat", ".dat")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def mine(tmp_path):
    """The user's own folder."""
    return tmp_path / "mine"


A, B = content_of("a.dat", SIZE), content_of("b.dat", SIZE)


def test_files_are_found_by_name_at_any_depth_and_copied(mine, asking):
    put(mine, deep__er__a_dat=A, b_dat=B, stranger_dat=b"x")
    outcome = get_from(asking(known("a.dat"), PublishedFile("b.dat"), PublishedFile("c.dat")), mine)
    assert outcome.got == ("a.dat", "b.dat")
    assert outcome.missing == 1
    assert files_in(outcome.folder) == {"a.dat", "b.dat", "SOURCE.json"}
    assert files_in(mine) == {"deep/er/a.dat", "b.dat", "stranger.dat"}, "the user's files stay"
    assert (outcome.folder / "a.dat").stat().st_ino != (mine / "deep/er/a.dat").stat().st_ino, "a copy, not a link"
    said = json.loads((outcome.folder / "SOURCE.json").read_text())
    assert said["files"]["a.dat"]["from"] == str(mine / "deep/er/a.dat")


def test_an_official_file_under_another_name_is_known_by_its_digest(mine, asking):
    put(mine, b_dat=A, other_dat=B)
    request = asking(known("a.dat"), known("b.dat"))
    assert get_from(request, mine).got == ("a.dat", "b.dat")
    assert (request.root / "far/a.dat").read_bytes() == A
    assert (request.root / "far/b.dat").read_bytes() == B


def test_a_file_that_is_not_the_official_one_is_taken_if_the_reader_takes_it_and_said(mine, asking):
    put(mine, a_dat=A[:-1] + b"x", b_dat=b"something else")
    outcome = get_from(asking(known("a.dat"), known("b.dat")), mine)
    assert outcome.got == ("a.dat",)
    assert outcome.odd == {"a.dat": "its SHA-256 is not the known one"}
    assert "b.dat is not it: made-up: b.dat does not say what it is" in outcome.failed["b.dat"]
    assert files_in(outcome.folder) == {"a.dat", "SOURCE.json"}


def test_folders_tell_files_of_one_name_apart(mine, asking):
    files = [PublishedFile(f"{c}/{b}/1.dat") for c in ("x", "y") for b in ("p", "q")]
    put(mine, all__x__p__1_dat=content_of("1.dat"), all__y__q__1_dat=content_of("1.dat", 100), loose__1_dat=content_of("1.dat"))
    assert get_from(asking(*files), mine).got == ("x/p/1.dat", "y/q/1.dat")


def test_the_folder_that_is_named_counts_among_the_folders(mine, asking):
    put(mine / "x", p__1_dat=content_of("1.dat"))
    files = [PublishedFile("x/p/1.dat"), PublishedFile("y/p/1.dat")]
    assert get_from(asking(*files), mine / "x").got == ("x/p/1.dat",)


def test_the_same_again_is_no_error_though_nothing_is_left_to_take(mine, asking):
    put(mine, a_dat=A)
    place = zipped(mine / "z", a_dat=A)
    request = asking(known("a.dat"), known("b.dat"))
    assert get_from(request, mine).got == ("a.dat",)
    for again in (mine, mine / "a.dat", place):
        outcome = get_from(request, again)
        assert (outcome.got, outcome.missing, outcome.failed) == ((), 1, {})


def test_two_different_files_of_one_name_are_not_guessed_between(mine, asking):
    put(mine, one__a_dat=content_of("a.dat", 100), two__a_dat=content_of("a.dat", 200))
    outcome = get_from(asking(PublishedFile("a.dat")), mine)
    assert "could both be it: leave one of them, or name its folder" in outcome.failed["a.dat"]
    assert outcome.got == ()
    put(mine, two__a_dat=content_of("a.dat", 100))
    assert get_from(asking(PublishedFile("a.dat")), mine).got == ("a.dat",), "two that are alike are one"


def test_the_digest_decides_between_two_of_one_name(mine, asking):
    put(mine, one__a_dat=A[:-1] + b"x", two__a_dat=A)
    request = asking(known("a.dat"))
    assert get_from(request, mine).odd == {}
    assert (request.root / "far/a.dat").read_bytes() == A


def test_what_an_archive_would_hold_is_taken_unpacked_too(mine, asking):
    put(mine, x__K1__1_dat=content_of("1.dat"), K1__2_dat=content_of("2.dat"))
    outcome = get_from(asking(PublishedFile("K1.rar", holds=("K1/1.dat", "K1/2.dat"))), mine)
    assert outcome.got == ("K1/1.dat", "K1/2.dat")
    assert outcome.missing == 0


def zipped(mine, **files):
    mine.mkdir(exist_ok=True)
    with zipfile.ZipFile(mine / "all.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/").replace("_dat", ".dat"), content)
    return mine / "all.zip"


def test_files_come_out_of_an_archive_by_name_or_digest_and_nothing_else_does(mine, asking, monkeypatch):
    seen = set()
    match = getting.match

    def noting(candidates, wanted):
        found = match(candidates, wanted)
        seen.update(files_in(mine.parent / "data" / "far" / ".partial" / "unpacked"))
        return found

    monkeypatch.setattr(getting, "match", noting)
    place = zipped(mine, top__a_dat=b"not it", top__odd_dat=A, b_dat=content_of("b.dat", 100), stranger_dat=b"x" * 50)
    request = asking(known("a.dat"), PublishedFile("b.dat"))
    outcome = get_from(request, place)
    assert outcome.got == ("a.dat", "b.dat")
    assert (request.root / "far/a.dat").read_bytes() == A
    assert len(seen) == 3, "the stranger was not unpacked"
    assert files_in(outcome.folder) == {"a.dat", "b.dat", "SOURCE.json"}
    assert json.loads((outcome.folder / "SOURCE.json").read_text())["files"]["a.dat"]["from"] == f"{place}: top/odd.dat"


def test_a_published_archive_is_taken_as_it_is(mine, asking):
    class Any:
        def check_file(self, file):
            pass

    place = zipped(mine, K1__1_dat=b"x")
    place = place.rename(place.with_name("K1.zip"))
    outcome = get_from(asking(PublishedFile("K1.zip", holds=("K1/1.dat",)), reader=Any()), place)
    assert outcome.got == ("K1.zip",)


def test_a_hostile_archive_leaves_nothing_behind(mine, asking):
    put(mine, good_dat=A)
    with tarfile.open(mine / "evil.tar", "w") as packed:
        packed.add(mine / "good.dat", "a.dat")
        packed.add(mine / "good.dat", "../../b.dat")
    request = asking(known("a.dat"), known("b.dat"))
    with pytest.raises(DataError, match="is no name within the archive"):
        get_from(request, mine / "evil.tar")
    assert not (request.root / "far").exists()
    assert files_in(mine.parent) == {"mine/good.dat", "mine/evil.tar"}


def test_a_single_file_may_be_named(mine, asking):
    put(mine, a_dat=A, odd_dat=B)
    assert get_from(asking(known("a.dat")), mine / "a.dat").got == ("a.dat",)
    assert get_from(asking(known("b.dat")), mine / "odd.dat").got == ("b.dat",)


def test_a_place_without_anything_of_it_is_an_error_that_says_what_files_are_called(mine, asking):
    put(mine, stranger_dat=b"x")
    for place in (mine, mine / "stranger.dat", zipped(mine / "z", stranger_dat=b"x")):
        with pytest.raises(DataError, match=r"holds no file of far: they are called a.dat, b.dat$"):
            get_from(asking(known("a.dat"), known("b.dat")), place)
    with pytest.raises(DataError, match="is not there: give a folder, an archive or a file"):
        get_from(asking(known("a.dat")), mine / "none")


@pytest.mark.parametrize("content", [b"", b"no archive at all" * 600])
def test_a_file_that_is_called_an_archive_and_is_none_is_said_to_be_none(content, mine, asking):
    put(mine, x_dat=A)
    (mine / "all.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"all\.zip is no archive, though its name says so: get it again$"):
        get_from(asking(known("a.dat")), mine / "all.zip")


def test_of_a_damaged_archive_it_is_said_how_to_go_on_by_hand(mine, asking):
    whole = zipped(mine, a_dat=A).read_bytes()
    (mine / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cannot be unpacked \(.*\): get it again, or unpack it yourself and give --from that folder$"):
        get_from(asking(known("a.dat")), mine / "cut.zip")


def test_pipes_and_links_to_nowhere_are_passed_over(mine, asking):
    put(mine, b_dat=B)
    os.mkfifo(mine / "a.dat")
    (mine / "c.dat").symlink_to("/nonexistent")
    assert get_from(asking(known("a.dat"), known("b.dat"), known("c.dat")), mine).got == ("b.dat",)
    with pytest.raises(DataError, match="neither a folder nor a regular file"):
        get_from(asking(known("a.dat")), mine / "a.dat")


def test_room_is_checked_before_copying(mine, asking, monkeypatch):
    put(mine, a_dat=A)
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage._replace(free=space.SPARE_BYTES + SIZE - 1))
    request = asking(known("a.dat"))
    with pytest.raises(DataError, match="there is no room for the files of"):
        get_from(request, mine)
    assert not (request.root / "far").exists()


def test_what_is_there_and_readable_is_not_replaced(mine, asking):
    put(mine, a_dat=A)
    request = asking(known("a.dat"))
    own = A[:-1] + b"x"
    put(request.root / "far", a_dat=own)
    assert get_from(request, mine).got == ()
    assert (request.root / "far/a.dat").read_bytes() == own


def test_what_is_there_and_is_not_it_is_replaced(mine, asking):
    put(mine, a_dat=A)
    request = asking(known("a.dat"), known("b.dat"))
    put(request.root / "far", a_dat=b"garbage", b_dat=B)
    outcome = get_from(request, mine)
    assert (outcome.got, outcome.missing, dict(outcome.failed)) == (("a.dat",), 0, {})
    assert (request.root / "far/a.dat").read_bytes() == A


def test_what_is_there_and_is_not_it_is_lacking_and_named_where_nothing_replaces_it(mine, asking):
    put(mine, b_dat=B)
    request = asking(known("a.dat"), known("b.dat"))
    put(request.root / "far", a_dat=b"garbage")
    outcome = get_from(request, mine)
    assert (outcome.got, outcome.missing) == (("b.dat",), 1)
    assert "the file that lies there is not it (made-up: a.dat does not say what it is" in outcome.failed["a.dat"]
    assert "delete it, or give --from a place that holds the right one" in outcome.failed["a.dat"]
    assert (request.root / "far/a.dat").read_bytes() == b"garbage"


def test_a_copy_that_is_interrupted_leaves_the_finished_ones(mine, asking):
    put(mine, a_dat=A, b_dat=B)

    class Interrupting(Reader):
        def check_file(self, file):
            if file.name == "b.dat":
                raise KeyboardInterrupt

    request = asking(PublishedFile("a.dat"), PublishedFile("b.dat"), reader=Interrupting())
    with pytest.raises(KeyboardInterrupt):
        get_from(request, mine)
    assert {"a.dat", "SOURCE.json"} <= files_in(request.root / "far")
    assert "b.dat" not in files_in(request.root / "far")
    (request.root / "far" / ".partial" / "tmp1234").write_bytes(b"of a killed process")
    (request.root / "far" / ".partial" / "b.dat.copy").write_bytes(b"of a killed process")
    assert get_from(asking(PublishedFile("a.dat"), PublishedFile("b.dat")), mine).got == ("b.dat",)
    assert files_in(request.root / "far") == {"a.dat", "b.dat", "SOURCE.json"}
    assert set(json.loads((request.root / "far/SOURCE.json").read_text())["files"]) == {"a.dat", "b.dat"}
