"""What is said of files that are here, and the record of where they came from."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbench.acquisition.publication import Publication, PublishedFile
from faultbench.acquisition.source_record import SourceRecord, origin_now, read_origins
from faultbench.acquisition.verifying import ALTERED, MISSING, OFFICIAL, PARTLY, READABLE, UNCHECKED, WRONG, read_all, verify
from faultbench.errors import DataError

OFFICIAL_SHA = "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"  # of b"aaa"


class Takes:
    def check_file(self, file):
        if b"bad" in file.read_bytes():
            raise DataError(f"{file.name} is bad: get it again")


def graded(tmp_path, reader=None, **contents):
    files = (PublishedFile("a", size_bytes=3, sha256=OFFICIAL_SHA), PublishedFile("b"), PublishedFile("c"))
    folder = tmp_path / "far"
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    where, found = verify("far", Publication(files=files), tmp_path, reader)
    assert where == folder
    return {file.path: (file.grade, file.why) for file in found}


def test_every_file_is_graded(tmp_path):
    found = graded(tmp_path, Takes(), a=b"aaa", b=b"good", c=b"bad")
    assert found == {"a": (OFFICIAL, ""), "b": (READABLE, ""), "c": (WRONG, "c is bad: get it again")}
    (tmp_path / "far" / "c").unlink()
    assert graded(tmp_path, Takes(), a=b"aab")["a"] == (ALTERED, "its SHA-256 is not the official one")
    assert graded(tmp_path, Takes(), a=b"aabb") == {
        "a": (ALTERED, "its SHA-256 is not the official one"),
        "b": (READABLE, ""),
        "c": (MISSING, ""),
    }


def test_without_a_reader_that_checks_nothing_is_claimed(tmp_path):
    assert graded(tmp_path, object(), a=b"bbb", b=b"bad") == {
        "a": (UNCHECKED, "its SHA-256 is not the official one"),
        "b": (UNCHECKED, ""),
        "c": (MISSING, ""),
    }


def test_a_size_alone_can_tell_too(tmp_path):
    publication = Publication(files=(PublishedFile("a", size_bytes=3),))
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a").write_bytes(b"aaab")
    (only,) = verify("far", publication, tmp_path, Takes())[1]
    assert (only.grade, only.why) == (ALTERED, "it has 4 bytes, 3 are known")


def test_a_digest_that_was_only_read_somewhere_is_said_to_be_that(tmp_path):
    publication = Publication(files=(PublishedFile("a", sha256=OFFICIAL_SHA, checked=False),))
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "a").write_bytes(b"aaa")
    (only,) = verify("far", publication, tmp_path)[1]
    assert only.grade == OFFICIAL
    assert "not compared with a file" in only.why
    (tmp_path / "far" / "a").write_bytes(b"aab")
    (only,) = verify("far", publication, tmp_path, Takes())[1]
    assert (only.grade, only.why) == (READABLE, "its SHA-256 is not the one that is published elsewhere")


def test_a_file_that_has_changed_since_it_was_got_is_wrong(tmp_path):
    graded(tmp_path, Takes(), b=b"good")
    record = SourceRecord(tmp_path / "far", "far", Publication())
    record.add("b", origin_now("http://x", 4, "0" * 64))
    record.save()
    grade, why = graded(tmp_path, Takes())["b"]
    assert grade == WRONG
    assert "it has changed since it was got on 20" in why


def test_files_of_archives_are_checked_unpacked_too(tmp_path):
    publication = Publication(files=(PublishedFile("K.rar", holds=("K/1", "K/2")),))
    (tmp_path / "far" / "K").mkdir(parents=True)
    (tmp_path / "far" / "K" / "1").write_bytes(b"bad")
    found = {file.path: (file.grade, file.why) for file in verify("far", publication, tmp_path, Takes())[1]}
    assert found == {"K/1": (WRONG, "1 is bad: get it again"), "K.rar": (PARTLY, "1 of the 2 files it holds are there")}


def test_a_set_that_cannot_check_files_is_read_recording_by_recording(plant):
    catalogue = plant(machines=("m",), bearings=1, healthy=1, loads=("0 hp",))

    class Spoilt:
        def catalogue(self):
            return catalogue

        def read(self, recording, channel):
            if recording.element == "ball":
                raise DataError("spoilt: get it again")

    found = read_all(Spoilt())
    assert {file.grade for file in found if " ball" in file.path or "/ball/" in file.path} == {WRONG}
    assert {file.grade for file in found if "/ball/" not in file.path} == {READABLE}


def test_the_record_keeps_what_is_there_and_is_written_whole(tmp_path):
    first = SourceRecord(tmp_path, "far", Publication("http://h", "L", "C", "T"))
    first.add("a", origin_now("http://x/a", 1, "a" * 64))
    first.save()
    second = SourceRecord(tmp_path, "far", Publication())
    second.add("b", origin_now("/home/b\udcff", 2, "b" * 64))
    second.save()
    assert set(read_origins(tmp_path)) == {"a", "b"}
    assert [path.name for path in tmp_path.iterdir()] == ["SOURCE.json"]
    said = json.loads((tmp_path / "SOURCE.json").read_text("utf-8"))
    assert set(said) == {"format", "dataset", "homepage", "licence", "terms", "cite", "files"}


GOOD = {"from": "http://x", "got": "2026-01-01T00:00:00Z", "bytes": 1, "sha256": "a" * 64, "faultbench": "1"}


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "null",
        "{}",
        '{"format": 2, "files": {}}',
        '{"format": 1}',
        '{"format": 1, "files": []}',
        '{"format": 1, "files": {"a": 1}}',
        json.dumps({"format": 1, "files": {"a": {**GOOD, "bytes": True}}}),
        json.dumps({"format": 1, "files": {"a": {**GOOD, "sha256": "x"}}}),
        json.dumps({"format": 1, "files": {"a": {**GOOD, "more": 1}}}),
        json.dumps({"format": 1, "files": {"a": {k: v for k, v in GOOD.items() if k != "got"}}}),
        "[" * 100_000,
        "\xff",
    ],
)
def test_a_damaged_record_is_refused_in_one_line(tmp_path, said):
    (tmp_path / "SOURCE.json").write_text(said, encoding="latin-1")
    with pytest.raises(DataError, match=r"SOURCE.json is damaged .*: move it away") as error:
        read_origins(tmp_path)
    assert "\n" not in str(error.value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_is_refused_or_read(tmp_path, said):
    (tmp_path / "SOURCE.json").write_text(json.dumps({"format": 1, "files": {"a": said, "b": GOOD}}))
    with pytest.raises(DataError):
        read_origins(tmp_path)
