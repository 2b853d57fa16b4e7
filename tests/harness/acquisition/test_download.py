"""Downloads from a real server on this machine that drops connections, lies about length and serves wrong files."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from rogue_server import Reader, content_of, drops, says, sha256, silent, status, unannounced, whole

from faultbench import __version__
from faultbench.acquisition import getting, space, transfer
from faultbench.acquisition.getting import get
from faultbench.acquisition.publication import PublishedFile
from faultbench.errors import DataError

A = content_of("a.dat")


def known(url, *mirrors, name="a.dat", content=A, **said):
    """A file whose size and digest are known."""
    return PublishedFile(name, (url, *mirrors), **{"size_bytes": len(content), "sha256": sha256(content), **said})


def unknown(url, *mirrors, name="a.dat"):
    return PublishedFile(name, (url, *mirrors))


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_files_come_one_at_a_time_with_a_record_of_where_from(rogue, asking):
    names = ["a.dat", "b.dat", "deep/c.dat"]
    files = [known(rogue.put(f"x/{n}", whole(content_of(n))), name=n, content=content_of(n)) for n in names]
    request = asking(*files)
    outcome = get(request)
    assert (outcome.got, outcome.missing, outcome.failed) == (tuple(names), 0, {})
    assert files_in(outcome.folder) == {*names, "SOURCE.json"}
    assert all((outcome.folder / n).read_bytes() == content_of(n) for n in names)
    assert rogue.most_at_once == 1
    assert [asked.path for asked in rogue.asked] == [f"/x/{n}" for n in names]
    assert all(asked.headers["User-Agent"].startswith(f"faultbench/{__version__}") for asked in rogue.asked)
    said = json.loads((outcome.folder / "SOURCE.json").read_text("utf-8"))
    assert {said[key] for key in ("licence", "cite", "homepage", "dataset")} == {"made up", "Nobody 2026", "http://made.up", "far"}
    assert said["files"]["a.dat"]["from"] == rogue.url("x/a.dat")
    assert said["files"]["a.dat"]["sha256"] == sha256(A)


def test_what_is_there_is_not_asked_for_again(rogue, asking):
    request = asking(known(rogue.put("a", whole(A))))
    get(request)
    place = request.root / "far" / "a.dat"
    own = content_of("a.dat", 3000)
    place.write_bytes(own)
    outcome = get(request)
    assert outcome.got == ()
    assert outcome.missing == 0
    assert len(rogue.asked) == 1
    assert place.read_bytes() == own


def test_what_is_there_and_is_not_it_is_got_again(rogue, asking):
    request = asking(known(rogue.put("a", whole(A))))
    place = request.root / "far" / "a.dat"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"garbage")
    outcome = get(request)
    assert (outcome.got, outcome.missing, dict(outcome.failed)) == (("a.dat",), 0, {})
    assert place.read_bytes() == A


def test_a_pause_is_made_between_files_and_none_before_the_first(rogue, asking, monkeypatch):
    import dataclasses

    pauses = []
    monkeypatch.setattr(getting.time, "sleep", pauses.append)
    request = asking(*[known(rogue.put(n, whole(content_of(n))), name=n, content=content_of(n)) for n in ("a.dat", "b.dat")])
    get(dataclasses.replace(request, manners=dataclasses.replace(request.manners, pause_s=1.5)))
    assert pauses == [1.5]


def test_a_dropped_connection_is_taken_up_where_it_broke_off(rogue, asking):
    request = asking(known(rogue.put("a", drops(A, 100_000), whole(A))))
    assert get(request).got == ("a.dat",)
    assert (request.root / "far" / "a.dat").read_bytes() == A
    first, second = rogue.ranges()
    assert first == ""
    assert second == "bytes=65536-", "whole chunks count"


def test_a_server_that_cannot_continue_is_asked_for_the_whole(rogue, asking):
    request = asking(known(rogue.put("a", drops(A, 100_000), whole(A, ranges=False))))
    assert get(request).got == ("a.dat",)
    assert (request.root / "far" / "a.dat").read_bytes() == A


def test_a_part_is_continued_from_another_mirror_since_the_digest_decides(rogue, asking):
    request = asking(known(rogue.put("a", drops(A, 100_000)), rogue.put("b", whole(A))))
    assert get(request).got == ("a.dat",)
    assert (request.root / "far" / "a.dat").read_bytes() == A
    assert rogue.asked[-1].path == "/b"
    assert rogue.ranges()[-1] == "bytes=65536-"


def test_a_part_that_belongs_to_another_file_is_thrown_away_and_the_file_got_whole(rogue, asking):
    request = asking(known(rogue.put("a", whole(A))))
    part = request.root / "far" / ".partial" / "a.dat.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"something else" * 1000)
    assert get(request).got == ("a.dat",)
    assert (request.root / "far" / "a.dat").read_bytes() == A
    assert rogue.ranges() == ["bytes=14000-", ""]


def test_without_a_digest_a_part_is_continued_only_if_the_file_is_still_the_same(rogue, asking):
    new = content_of("a.dat", 200_000)
    request = asking(unknown(rogue.put("a", drops(A, 100_000, tag='"old"'), whole(new, tag='"new"'))))
    assert get(request).got == ("a.dat",)
    assert rogue.asked[1].headers["If-Range"] == '"old"'
    assert (request.root / "far" / "a.dat").read_bytes() == new


def test_without_digest_and_version_the_file_is_got_whole_again(rogue, asking):
    request = asking(unknown(rogue.put("a", drops(A, 100_000), whole(A))))
    assert get(request).got == ("a.dat",)
    assert rogue.ranges() == ["", ""]


@pytest.mark.parametrize("version", ['W/"weak"', "\r\nX-Evil: 1", ""])
def test_a_version_that_is_no_version_is_not_sent_back(rogue, asking, version):
    part = transfer.Part(Path("nowhere.part"))
    headers = {"etag": version}
    assert transfer._version(headers) == ""
    assert part.validator("http://x") == ""


def test_a_length_that_is_too_long_is_a_broken_transfer_and_the_mirror_is_asked(rogue, asking):
    request = asking(unknown(rogue.put("a", says(A, len(A) + 50)), rogue.put("b", whole(A))))
    outcome = get(request)
    assert outcome.got == ("a.dat",)
    assert [asked.path for asked in rogue.asked] == ["/a", "/a", "/a", "/b"]


def test_a_length_that_is_too_short_is_noticed_before_the_first_byte_where_the_size_is_known(rogue, asking):
    request = asking(known(rogue.put("a", says(A, 1000)), rogue.put("b", whole(A))))
    assert get(request).got == ("a.dat",)
    assert [asked.path for asked in rogue.asked] == ["/a", "/b"], "a wrong file is not asked for again"
    outcome = get(asking(known(rogue.url("a"), name="b.dat")))
    assert "it offers 1000 bytes where the file has 300000" in outcome.failed["b.dat"]


def test_an_end_before_the_known_size_is_a_broken_transfer_though_no_length_was_announced(rogue, asking):
    request = asking(known(rogue.put("a", unannounced(A[:70_000]), whole(A))))
    assert get(request).got == ("a.dat",)
    assert rogue.ranges() == ["", "bytes=70000-"]


def test_a_length_that_is_too_short_is_noticed_by_the_reader_where_nothing_is_known(rogue, asking):
    class Strict(Reader):
        def check_file(self, file):
            if file.read_bytes() != A:
                raise DataError("it ends early: get it again")

    request = asking(unknown(rogue.put("a", says(A, 1000))), reader=Strict())
    outcome = get(request)
    assert "gives something else: it ends early" in outcome.failed["a.dat"]
    assert files_in(request.root) == set()


def test_a_length_that_is_no_number_is_refused(rogue, asking):
    outcome = get(asking(unknown(rogue.put("a", says(A, "abc")))))
    assert "a length that is no number" in outcome.failed["a.dat"]


def test_no_length_is_fine_where_digest_or_reader_can_tell(rogue, asking):
    request = asking(known(rogue.put("a", unannounced(A))), unknown(rogue.put("b", unannounced(content_of("b.dat"))), name="b.dat"))
    assert get(request).got == ("a.dat", "b.dat")
    assert request.reader.checked == ["b.dat"], "a file with a known digest needs no reader"


def test_a_wrong_file_is_refused_and_the_good_mirror_asked(rogue, asking):
    wrong = A[:-1] + b"x"
    request = asking(known(rogue.put("a", whole(wrong)), rogue.put("b", whole(A))))
    outcome = get(request)
    assert outcome.got == ("a.dat",)
    assert (outcome.folder / "a.dat").read_bytes() == A
    assert json.loads((outcome.folder / "SOURCE.json").read_text())["files"]["a.dat"]["from"] == rogue.url("b")


def test_a_wrong_file_alone_leaves_nothing_under_the_final_name(rogue, asking):
    request = asking(known(rogue.put("a", whole(A[:-1] + b"x"))))
    outcome = get(request)
    assert "its SHA-256 is not the known one" in outcome.failed["a.dat"]
    assert outcome.missing == 1
    assert files_in(request.root) == set()


def test_a_digest_that_was_only_read_somewhere_refuses_nothing_and_is_said(rogue, asking):
    request = asking(known(rogue.put("a", whole(A)), sha256="0" * 64, size_bytes=17, checked=False))
    outcome = get(request)
    assert outcome.got == ("a.dat",)
    assert outcome.odd == {"a.dat": "its SHA-256 is not the known one"}


def test_what_the_reader_refuses_is_not_kept(rogue, asking):
    request = asking(unknown(rogue.put("a", whole(b"a login form, say")), rogue.put("b", whole(A))))
    assert get(request).got == ("a.dat",)
    assert (request.root / "far" / "a.dat").read_bytes() == A


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (whole(b"<!DOCTYPE html><title>moved</title>"), "a web page"),
        (whole(b"\n  <html>not found</html>"), "a web page"),
        (whole(b"gone", kind="text/html; charset=utf-8"), "a web page"),
        (status(404), "404"),
        (status(403), "403"),
        (status(204), "204"),
        (status(206), "206"),
        (status(304), "304"),
    ],
)
def test_what_is_no_file_is_refused_at_once_and_the_mirror_asked(rogue, asking, answer, said):
    request = asking(unknown(rogue.put("a", answer)))
    outcome = get(request)
    assert said in outcome.failed["a.dat"]
    assert len(rogue.asked) == 1
    request = asking(unknown(rogue.url("a"), rogue.put("b", whole(A))))
    assert get(request).got == ("a.dat",)


def test_a_busy_server_is_asked_again_and_its_wish_to_wait_is_heard_within_bounds(rogue, asking, monkeypatch):
    import dataclasses

    waits = []
    from faultbench.acquisition import download

    monkeypatch.setattr(download.time, "sleep", waits.append)
    request = asking(known(rogue.put("a", status(503, Retry_After="7"), status(429, Retry_After="999999"), whole(A))))
    manners = dataclasses.replace(request.manners, backoff_s=2.0, longest_wait_s=60.0)
    assert get(dataclasses.replace(request, manners=manners)).got == ("a.dat",)
    assert waits == [7.0, 60.0]


def test_attempts_are_spaced_further_and_further_and_end(rogue, asking, monkeypatch):
    import dataclasses

    from faultbench.acquisition import download

    waits = []
    monkeypatch.setattr(download.time, "sleep", waits.append)
    request = asking(known(rogue.put("a", status(500))))
    outcome = get(dataclasses.replace(request, manners=dataclasses.replace(request.manners, attempts=4, backoff_s=2.0)))
    assert waits == [2.0, 4.0, 8.0]
    assert "500" in outcome.failed["a.dat"]
    assert "4 times" in outcome.failed["a.dat"]


def test_a_silent_server_is_left_after_the_timeout(rogue, asking):
    request = asking(known(rogue.put("a", silent(3.0)), rogue.put("b", silent(3.0, A)), rogue.put("c", whole(A))))
    assert get(request).got == ("a.dat",)
    assert rogue.asked[-1].headers["Range"] == "bytes=131072-", "what had come before the silence counts"


def test_a_redirect_is_followed_to_http_alone(rogue, asking):
    there = rogue.put("there", whole(A))
    assert get(asking(known(rogue.put("a", status(302, Location=there))))).got == ("a.dat",)
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/a", "//", "javascript:alert(1)"):
        outcome = get(asking(known(rogue.put("a", status(302, Location=target)), name="b.dat")))
        assert "b.dat" in outcome.failed, target
    outcome = get(asking(known(rogue.put("loop", status(302, Location=rogue.url("loop"))), name="c.dat")))
    assert "redirects" in outcome.failed["c.dat"]


def test_a_redirect_away_from_https_is_refused():
    response = SimpleNamespace(
        url="https://a.example/x", is_redirect=True, status_code=302, headers={"location": "http://a.example/x"}, close=lambda: None
    )
    downloader = transfer.ResumingDownloader(unknown("https://a.example/x"), transfer.Part(Path("x.part")), 1.0, 1.0)
    with pytest.raises(transfer.RefusedError, match="from https to http"):
        transfer.Sink(downloader, "https://a.example/x", None).judge(response)


def test_an_endless_answer_is_cut(rogue, asking, monkeypatch):
    monkeypatch.setattr(transfer, "_MOST_BYTES", 100_000)
    outcome = get(asking(unknown(rogue.put("a", unannounced(A)))))
    assert "sends more than 100 kB" in outcome.failed["a.dat"]
    outcome = get(asking(known(rogue.put("b", unannounced(A + b"more")), name="b.dat")))
    assert "sends more than 300 kB" in outcome.failed["b.dat"]


def test_a_name_from_the_server_is_never_used(rogue, asking):
    answer = whole(A)

    def named(handler):
        sent = handler.end_headers
        handler.end_headers = lambda: (handler.send_header("Content-Disposition", 'attachment; filename="../../evil"'), sent())
        answer(handler)

    request = asking(unknown(rogue.put("evil.exe", named)))
    get(request)
    assert files_in(request.root) == {"far/a.dat", "far/SOURCE.json"}


def test_when_no_server_answers_the_rest_is_not_asked_for(asking):
    nobody = "http://127.0.0.1:9/"
    request = asking(*[known(f"{nobody}{n}", name=f"{n}.dat", content=content_of(f"{n}.dat")) for n in "abcd"])
    outcome = get(request)
    assert "the connection failed" in outcome.failed["a.dat"]
    assert "not asked for any more" in outcome.failed["d.dat"]
    assert outcome.missing == 4
    assert not (request.root / "far").exists(), "no empty folder is left"


def test_files_that_failed_do_not_stop_the_others(rogue, asking):
    b = content_of("b.dat")
    request = asking(known(rogue.put("a", status(404))), known(rogue.put("b", whole(b)), name="b.dat", content=b))
    outcome = get(request)
    assert outcome.got == ("b.dat",)
    assert set(outcome.failed) == {"a.dat"}
    rogue.put("a", whole(A))
    assert get(request).got == ("a.dat",)


def test_a_finished_file_that_was_not_yet_put_into_place_is_not_got_again(rogue, asking):
    request = asking(known(rogue.put("a", whole(A))))
    arrived = request.root / "far" / ".partial" / "a.dat"
    arrived.parent.mkdir(parents=True)
    arrived.write_bytes(A)
    assert get(request).got == ("a.dat",)
    assert rogue.asked == []


def test_room_is_checked_before_anything_is_asked_for(rogue, asking, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage._replace(free=space.SPARE_BYTES + len(A) - 1))
    request = asking(known(rogue.put("a", whole(A))))
    with pytest.raises(DataError, match=r"there is no room for 1 file of far in .* make room"):
        get(request)
    assert rogue.asked == []
    assert not (request.root / "far").exists()


def test_room_that_the_server_announces_is_checked_before_it_is_written(rogue, asking, monkeypatch):
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: usage._replace(free=space.SPARE_BYTES + 1000))
    with pytest.raises(DataError, match=r"there is no room for a.dat"):
        get(asking(unknown(rogue.put("a", whole(A)))))


def test_a_disk_that_fills_up_is_said_and_what_has_come_stays(rogue, asking, monkeypatch):
    from faultbench.acquisition.transfer import Sink

    write = Sink.write
    left = [100_000]

    def full(self, chunk):
        left[0] -= len(chunk)
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, chunk)

    monkeypatch.setattr(Sink, "write", full)
    request = asking(known(rogue.put("a", whole(A))))
    with pytest.raises(DataError, match="cannot be written, No space left on device: make room; the same command then goes on"):
        get(request)
    assert not (request.root / "far" / "a.dat").exists()
    monkeypatch.setattr(Sink, "write", write)
    assert get(request).got == ("a.dat",)
    assert rogue.ranges()[-1].startswith("bytes=")


def test_two_at_once_do_not_work_on_one_folder(rogue, asking):
    from filelock import FileLock

    request = asking(known(rogue.put("a", whole(A))))
    (request.root / "far" / ".partial").mkdir(parents=True)
    with FileLock(request.root / "far" / ".partial" / "lock"), pytest.raises(DataError, match="another process is getting far"):
        get(request)


def test_a_damaged_record_is_not_overwritten(rogue, asking):
    request = asking(known(rogue.put("a", whole(A))))
    record = request.root / "far" / "SOURCE.json"
    record.parent.mkdir(parents=True)
    record.write_text("{")
    with pytest.raises(DataError, match=r"SOURCE.json is damaged .*: move it away"):
        get(request)
    assert record.read_text() == "{"
    assert rogue.asked == []


def test_a_source_without_links_says_what_to_do_by_hand(asking):
    with pytest.raises(DataError, match="far has no direct links: ask nobody; then `faultbench data get far --from FOLDER`"):
        get(asking(PublishedFile("a.dat")))


def test_only_some_are_got_and_a_pattern_that_fits_none_is_refused(rogue, asking):
    names = ["K001/a.dat", "K001/b.dat", "K002/a.dat", "c.dat"]
    files = [known(rogue.put(n, whole(content_of(n))), name=n, content=content_of(n)) for n in names]
    assert get(asking(*files, only=("K001", "c"))).got == ("K001/a.dat", "K001/b.dat", "c.dat")
    assert get(asking(*files, only=("K00*/a.dat",))).got == ("K002/a.dat",)
    from faultbench.errors import UsageError

    with pytest.raises(UsageError, match=r"--only 'K003' is no file of far"):
        get(asking(*files, only=("K003",)))


def test_an_archive_that_nothing_here_can_read_is_kept_and_said(rogue, asking):
    from faultbench.acquisition.archive import NoToolError

    class Toolless(Reader):
        def check_file(self, file):
            raise NoToolError("install something")

    outcome = get(asking(unknown(rogue.put("a", whole(A))), reader=Toolless()))
    assert outcome.got == ("a.dat",)
    assert "nobody could look into it: install bsdtar" in outcome.odd["a.dat"]
