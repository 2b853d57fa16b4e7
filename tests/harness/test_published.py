"""A split as one portable file: what is written is read back, and what is hostile is refused in one line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbench.data import published
from faultbench.data.audit import audit, require
from faultbench.data.origin import Filtering, Origin
from faultbench.data.published import digest, document, parse_document, read_file, split_of, write_document
from faultbench.data.recording import Catalogue, Channel
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.window import Window
from faultbench.data.split import EpisodeRequest, Signals, Split
from faultbench.errors import DataError, IsolationError

Plant = Callable[..., Catalogue]
REQUEST = EpisodeRequest(ways=3, shots=3, shots_rare=2, queries=4, episodes=6)
FILE = Path("theirs.json.gz")
STEP = Filtering("firwin", {"numtaps": 5, "cutoff": 0.5, "window": ["kaiser", 7.0]}, 1, 2, 2)


@pytest.fixture
def catalogue(plant: Plant) -> Catalogue:
    return plant()


@pytest.fixture
def split(catalogue: Catalogue) -> Split:
    return NewDevice(window=64).split([catalogue], REQUEST, 5)


@pytest.fixture
def said(split: Split, catalogue: Catalogue) -> dict[str, Any]:
    return document(split, [catalogue], lambda r, c: Origin(f"{r.machine}.mat", c, steps=(STEP,)))


def signed(said: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document changed, its digest made to fit again: as one who means harm would write it."""
    changed = {**json.loads(json.dumps(said)), **changes}
    return {**changed, "digest": digest(changed)}


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_what_is_read_is_what_was_written(name: str, said: dict[str, Any], split: Split, catalogue: Catalogue, tmp_path: Path) -> None:
    path = tmp_path / name
    write_document(said, path)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    found = parse_document(read_file(path), path)
    assert found == json.loads(json.dumps(said))
    made = split_of(found, [catalogue], REQUEST, path)
    assert replace(made, episodes=()) == replace(split, episodes=())
    for ours, theirs in zip(split.episodes, made.episodes, strict=True):
        assert (ours.classes, ours.rare) == (theirs.classes, theirs.rare)
        for column in ("support", "support_labels", "query", "query_labels"):
            np.testing.assert_array_equal(getattr(ours, column), getattr(theirs, column), strict=True)


@pytest.fixture
def two(plant: Plant) -> Catalogue:
    """Every recording with an accelerometer and a slow temperature."""
    slow = Channel("temperature", 1.0, 40, "degC")
    return plant(change=lambda recording: replace(recording, channels=(*recording.channels[:1], slow)))


@pytest.fixture
def both(two: Catalogue) -> dict[str, Any]:
    split = NewDevice(window=64, channels="1+2").split([two], REQUEST, 5)
    return document(split, [two], lambda r, c: Origin(f"{r.machine}.mat", c))


def test_all_channels_are_written_and_read_back(both: dict[str, Any], two: Catalogue) -> None:
    lead = two.recordings[0].channels[0].name
    for side in ("source", "target"):
        for entry in both[side]["recordings"]:
            assert entry["channels"] == [lead, "temperature"]
            assert entry["from"]["variable"] == lead
            assert [(c["rate_hz"], c["samples"], c["from"]["variable"]) for c in entry["beside"]] == [(1.0, 40, "temperature")]
    made = split_of(both, [two], REQUEST, FILE)
    split = NewDevice(window=64, channels="1+2").split([two], REQUEST, 5)
    assert replace(made, episodes=()) == replace(split, episodes=())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"beside": []}, "is not laid out as in a published split"),
        ({"beside": "x"}, "is not laid out as in a published split"),
        ({"beside": [{"rate_hz": 1.0, "samples": 40}, {"rate_hz": 1.0, "samples": 40}]}, "is not laid out as in a published split"),
        ({"beside": [{"rate_hz": 2.0, "samples": 40}]}, "has no channel 'temperature' at 2 Hz here"),
        ({"beside": [{"rate_hz": "x", "samples": 40}]}, "rate_hz of .* is 'x', not a number above 0"),
        ({"beside": [{"rate_hz": 1.0, "samples": 41}]}, "holds 41 samples of temperature, here it holds 40"),
        ({"channels": []}, "is no list of different names"),
        ({"channels": "ab"}, "is no list of different names"),
        ({"channels": ["temperature", "temperature"]}, "is no list of different names"),
        ({"channels": [["temperature"]]}, "channels is .*, not a text"),
        ({"channels": ["vibration"]}, "has no channel 'vibration' at"),
    ],
)
def test_channels_that_are_not_there_or_laid_out_otherwise_are_refused(
    change: dict[str, Any], says: str, both: dict[str, Any], two: Catalogue
) -> None:
    target = both["target"]
    changed = {**target, "recordings": [{**target["recordings"][0], **change}, *target["recordings"][1:]]}
    with pytest.raises(DataError, match=says) as refused:
        split_of(signed(both, target=changed), [two], REQUEST, FILE)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("side", ["source", "target"])
def test_recordings_of_which_other_channels_are_read_are_refused(side: str, both: dict[str, Any], two: Catalogue) -> None:
    """A learner takes windows of one shape."""
    first, *others = both[side]["recordings"]
    alone = {name: value for name, value in first.items() if name != "beside"} | {"channels": first["channels"][:1]}
    with pytest.raises(DataError, match="does not read as many channels, at the same rates, of every recording"):
        split_of(signed(both, **{side: {**both[side], "recordings": [alone, *others]}}), [two], REQUEST, FILE)


def test_halves_of_recordings_are_kept(catalogue: Catalogue, noise: Callable[[Catalogue], Signals]) -> None:
    split = Window(window=64).split([catalogue], REQUEST, 0)
    made = split_of(document(split, [catalogue], lambda _r, _c: Origin()), [catalogue], REQUEST, FILE)
    assert (made.source, made.target) == (split.source, split.target)
    require(audit(made, noise(catalogue)))


def test_the_same_split_gives_the_same_bytes(said: dict[str, Any], tmp_path: Path) -> None:
    for name in ("a.json.gz", "b.json.gz"):
        write_document(said, tmp_path / name)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()


def test_a_file_says_where_signals_come_from_and_what_was_done_to_them(said: dict[str, Any]) -> None:
    assert said["target"]["recordings"][0]["from"] == {
        "file": "beta.mat",
        "variable": "a",
        "steps": [{"design": "firwin", "arguments": STEP.arguments, "up": 1, "down": 2, "first": 2, "gain": 1.0}],
    }


def test_whatever_a_document_says_enters_its_digest(said: dict[str, Any]) -> None:
    changes = [
        {"level": "T3"},
        {"window": 65},
        {"data_sets": {}},
        {"left_out": ["x"]},
        {"episodes": said["episodes"][::-1]},
        {"target": {**said["target"], "apart": False}},
    ]
    assert len({digest(said), *(digest({**said, **change}) for change in changes)}) == 1 + len(changes)


def test_fewer_episodes_may_be_asked_for_and_no_more(said: dict[str, Any], split: Split, catalogue: Catalogue) -> None:
    made = split_of(said, [catalogue], replace(REQUEST, episodes=2, ways=0), FILE)
    assert (len(made.episodes), made.request) == (2, replace(REQUEST, episodes=2))
    with pytest.raises(DataError, match="it holds 6 episodes, 7 are asked for: give --episodes 6 or fewer"):
        split_of(said, [catalogue], replace(REQUEST, episodes=7), FILE)


@pytest.mark.parametrize("change", [{"shots": 4}, {"shots_rare": 1}, {"queries": 5}, {"ways": 4}])
def test_another_request_than_the_files_is_refused_with_the_option(
    change: dict[str, int], said: dict[str, Any], catalogue: Catalogue
) -> None:
    (name,) = change
    with pytest.raises(DataError, match=f"give --{name.replace('_', '-')} {getattr(REQUEST, name)}"):
        split_of(said, [catalogue], replace(REQUEST, **change), FILE)


def test_a_recording_that_is_not_at_hand_is_named(said: dict[str, Any], catalogue: Catalogue) -> None:
    fewer = replace(catalogue, recordings=catalogue.recordings[1:])
    with pytest.raises(DataError, match=r"recording 'plant/beta-0/inner/small/0 at 0 hp' is not at hand"):
        split_of(said, [fewer], REQUEST, FILE)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bearing": "another"}, "it says that bearing of .* is 'beta-0/inner/small/0', here it is 'another'"),
        ({"session": "another"}, "it says that session of"),
        ({"channels": (Channel("a", 1000.0, 1919),)}, "it says that .* holds 1920 samples of .*, here it holds 1919"),
        ({"channels": (Channel("b", 1000.0, 1920),)}, "has no channel 'a' at 1000 Hz here"),
        ({"channels": (Channel("a", 2000.0, 1920),)}, "has no channel 'a' at 1000 Hz here"),
    ],
)
def test_a_recording_that_is_another_here_is_refused(change: dict[str, Any], says: str, said: dict[str, Any], catalogue: Catalogue) -> None:
    other = replace(catalogue, recordings=(replace(catalogue.recordings[0], **change), *catalogue.recordings[1:]))
    with pytest.raises(DataError, match=says):
        split_of(said, [other], REQUEST, FILE)


def with_window(said: dict[str, Any], window: Any) -> list[Any]:
    """The episodes, the first window of the first replaced."""
    episodes = json.loads(json.dumps(said["episodes"]))
    episodes[0]["support"][0][0] = window
    return episodes


@pytest.mark.parametrize(
    "window",
    [[10**6, 0], [-1, 0], [0, -1], [0, 1857], [0, 10**30], [True, 0], [0, 1.5], ["0", 0], [0], [0, 0, 0], None, "ab", {"a": 1}],
    ids=str,
)
def test_windows_that_do_not_exist_are_refused_in_one_line(window: Any, said: dict[str, Any], catalogue: Catalogue) -> None:
    with pytest.raises(DataError) as caught:
        split_of(signed(said, episodes=with_window(said, window)), [catalogue], REQUEST, FILE)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("theirs.json.gz")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"episodes": ["ab", "cd"]}, "episode 0 is not laid out as in a published split: get the file again"),
        ({"episodes": [{"support": []}, {}]}, "episode 0 has no entry 'classes': get the file again"),
        ({"episodes": [None, None]}, "episode 0 is not laid out as in"),
        ({"request": {"colour": 3}}, "request is not laid out as in"),
        ({"request": []}, "request is not laid out as in"),
        ({"source": "ab"}, "source is not laid out as in"),
        ({"target": {"recordings": [{}]}}, "target has no entry 'data_set': get the file again"),
        ({"left_out": 5}, "it is not laid out as in"),
    ],
    ids=str,
)
def test_what_is_wrong_with_the_layout_is_said_in_plain_words(
    change: dict[str, Any], says: str, said: dict[str, Any], catalogue: Catalogue
) -> None:
    with pytest.raises(DataError) as caught:
        split_of(signed(said, **change), [catalogue], replace(REQUEST, episodes=2), FILE)
    assert str(caught.value).startswith(f"theirs.json.gz: {says}")


@pytest.mark.parametrize(
    ("content", "says"), [(b"[" * 9, "it is no JSON, or damaged"), (b"\x1f\x8b123", "it is not packed by gzip, or damaged")]
)
def test_what_is_wrong_with_a_file_is_said_in_plain_words(content: bytes, says: str) -> None:
    with pytest.raises(DataError, match=rf"^a\.json\S* is no published split \({says}\): name a file that"):
        parse_document(content, Path("a.json.gz" if "gzip" in says else "a.json"))


def test_what_the_entries_allow_the_audit_still_refuses(
    said: dict[str, Any], split: Split, catalogue: Catalogue, noise: Callable[[Catalogue], Signals]
) -> None:
    """Planted: a window of the support is asked again, and the digest is made to fit."""
    episodes = json.loads(json.dumps(said["episodes"]))
    episodes[0]["query"][0][0] = episodes[0]["support"][0][0]
    made = split_of(signed(said, episodes=episodes), [catalogue], REQUEST, FILE)
    with pytest.raises(IsolationError, match="new-device:window=64 breaks its level T2"):
        require(audit(made, noise(catalogue)))


NO_SPLITS = {
    "empty": b"",
    "open": b"{",
    "list": b"[1]",
    "null": b"null",
    "format": b'{"format": 1}',
    "bytes": b"\xff\xfe",
    "nan": b'{"a": NaN}',
    "deep": b"[" * 100_000,
    "unsigned": b'{"format": "faultbench split 1"}',
    "digits": b"1" * 5000,
}


@pytest.mark.parametrize("content", NO_SPLITS.values(), ids=NO_SPLITS)
@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_what_is_no_published_split_is_refused_in_one_line(content: bytes, name: str) -> None:
    for given_ in (content, gzip.compress(content)):
        with pytest.raises(DataError) as caught:
            parse_document(given_, Path(name))
        assert "\n" not in str(caught.value)


def test_a_changed_file_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="was changed: its digest does not fit"):
        parse_document(json.dumps({**said, "level": "T3"}).encode(), Path("a.json"))


def test_a_bomb_is_not_unpacked(said: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "MOST_BYTES", 2**20)
    with pytest.raises(DataError, match="holds more than 1 MB, no published split does"):
        parse_document(gzip.compress(b" " * 2**22), FILE)


def test_a_large_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(published, "MOST_BYTES", 2**20)
    (tmp_path / "a.json").write_bytes(b" " * (2**20 + 1))
    with pytest.raises(DataError, match="is larger than 1 MB"):
        read_file(tmp_path / "a.json")
    with pytest.raises(DataError, match="cannot be read"):
        read_file(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, inner in items for found in paths(inner, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], to: Any) -> Any:
    """A document with another value at one place."""
    if not path:
        return to
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = changed(value[key], tuple(rest), to)
    return copy


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_entry_may_be_anything_and_the_file_is_refused_or_used(data: st.DataObject, said: dict[str, Any], catalogue: Catalogue) -> None:
    plain = json.loads(json.dumps({**said, "episodes": said["episodes"][:2]}))
    place = data.draw(st.sampled_from(paths(plain)))
    made = changed(plain, place, data.draw(JSON))
    if isinstance(made, dict):
        made["digest"] = digest(made)
    assert "\n" not in refusal(json.dumps(made).encode(), catalogue)


def refusal(content: bytes, catalogue: Catalogue) -> str:
    """What is said against a file, empty where nothing is; any error but a DataError is one of the test."""
    try:
        split_of(parse_document(content, Path("a.json")), [catalogue], replace(REQUEST, episodes=2), Path("a.json"))
    except DataError as error:
        return str(error)
    return ""
