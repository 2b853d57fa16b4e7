"""The leak audit: a clean split passes, and each leak that is planted is found, by ids and by samples."""

import json
import re
from dataclasses import asdict, replace

import numpy as np
import pytest

from faultbench.data.audit import PROMISES, audit, require
from faultbench.data.quantisation import quantisation_step
from faultbench.data.recording import Channel
from faultbench.data.scenarios.new_device import NewDevice
from faultbench.data.scenarios.session import Session
from faultbench.data.scenarios.unseen_bearing import UnseenBearing
from faultbench.data.scenarios.window import Window
from faultbench.data.split import EpisodeRequest
from faultbench.errors import IsolationError

REQUEST = EpisodeRequest(shots=3, shots_rare=2, queries=4, episodes=8)


@pytest.fixture
def t2(plant):
    return NewDevice(window=64).split([plant()], REQUEST, 0)


@pytest.fixture
def t3(plant):
    return UnseenBearing(window=64).split([plant()], REQUEST, 0)


@pytest.fixture
def signals(plant, noise):
    return noise(plant())


def with_recording(pool, row, **changes):
    """The pool with one of its recordings described otherwise."""
    changed = replace(pool.recordings[row], **changes)
    return replace(pool, recordings=(*pool.recordings[:row], changed, *pool.recordings[row + 1 :]))


def with_episode(split, **changes):
    """The split with its first episode changed."""
    return replace(split, episodes=(replace(split.episodes[0], **changes), *split.episodes[1:]))


def key(pool, row):
    return pool.recordings[row].dataset, pool.recordings[row].id, pool.leads[row]


def row_of(pool, label, part_of=None):
    """The first row of a label (and of a part other than that of row `part_of`)."""
    return next(i for i, x in enumerate(pool.labels) if x == label and (part_of is None or pool.parts[i] != pool.parts[part_of]))


def refused(split, signals, says):
    found = audit(split, signals)
    assert any(re.search(says, finding) for finding in found.findings), found.findings
    with pytest.raises(IsolationError, match="breaks its level") as caught:
        require(found)
    assert "\n" not in str(caught.value)


def test_clean_splits_pass_and_say_what_they_share(t2, t3, signals):
    for split in (t2, t3):
        found = audit(split, signals)
        assert found.findings == ()
        require(found)
        assert found.shared["source/target"] == {"sample": 0, "recording": 0, "session": 0, "bearing": 0, "mounting": 0, "dataset": 1}
        assert found.shared["support/query"]["session"] == 0
        assert found.shared["support/query"]["bearing"] == (8 if split is t2 else 0)
        json.dumps(asdict(found), allow_nan=False)


# Ids: what source and target share.


@pytest.mark.parametrize("thing", ["session", "bearing", "mounting"])
def test_a_thing_in_both_source_and_target_is_refused(thing, t2, signals):
    theirs = getattr(t2.target.recordings[0], thing)
    refused(
        replace(t2, source=with_recording(t2.source, 3, **{thing: theirs})), signals, rf"source and target share 1 {thing} \(plant/alpha"
    )


def test_a_recording_in_both_source_and_target_is_refused(t2, signals):
    columns = {name: (*getattr(t2.source, name), getattr(t2.target, name)[0]) for name in ("recordings", "channels", "labels", "parts")}
    leaking = replace(t2, source=replace(t2.source, **columns, conditions=(*t2.source.conditions, t2.target.conditions[0])))
    found = audit(leaking, signals)
    assert all(found.shared["source/target"][thing] == 1 for thing in ("sample", "recording", "session", "bearing", "mounting"))
    refused(leaking, signals, "source and target share 1 recording")


def test_the_mounting_may_be_shared_on_one_rig_and_only_there(plant, noise):
    catalogue = plant(machines=("rig",), healthy=4)
    split = UnseenBearing(window=64).split([catalogue], REQUEST, 0)
    assert audit(split, noise(catalogue)).findings == ()
    refused(replace(split, note=""), noise(catalogue), "source and target share 1 mounting")


def test_one_rig_is_not_believed_where_there_are_two(t3, signals):
    refused(replace(t3, note="one rig"), signals, "several mountings")


@pytest.mark.parametrize(("level", "passes"), [("T2", True), ("T4", False), ("T4/T2", False), ("T4/T3", False)])
def test_a_new_data_set_shares_no_data_set(level, passes, t2, signals):
    found = audit(replace(t2, level=level), signals)
    assert ("source and target share 1 dataset" in str(found.findings)) is not passes


# Ids: what support and query share.


def test_a_session_in_both_support_and_query_is_refused(t2, signals):
    episode = t2.episodes[0]
    support, query = int(episode.support[0, 0]), int(episode.query[0, 0])
    leaking = replace(t2, target=with_recording(t2.target, query, session=t2.target.recordings[support].session))
    refused(leaking, signals, r"support and query share a session in \d of 8 episodes \(episode 0: plant/beta")


def test_a_bearing_in_both_support_and_query_is_refused_at_t3(t3, signals):
    episode = t3.episodes[0]
    support, query = int(episode.support[0, 0]), int(episode.query[0, 0])
    leaking = replace(t3, target=with_recording(t3.target, query, bearing=t3.target.recordings[support].bearing))
    refused(leaking, signals, r"support and query share a bearing in \d of 8 episodes")


def test_new_device_does_not_pass_for_unseen_bearing(t2, signals):
    refused(replace(t2, level="T3"), signals, "support and query share a bearing in 8 of 8 episodes")


def test_each_level_promises_what_the_one_before_promises():
    for relation in ("support/query", "source/target"):
        for lower, higher in (("T0", "T1"), ("T1", "T2"), ("T2", "T3"), ("T3", "T4/T3"), ("T2", "T4/T2"), ("T4/T2", "T4/T3")):
            assert set(PROMISES[lower][relation]) <= set(PROMISES[higher][relation])


def test_an_unknown_level_is_refused(t2, signals):
    refused(replace(t2, level="T9"), signals, "level 'T9' is none of T0")


@pytest.fixture
def t0(plant):
    return Window(window=64).split([plant()], REQUEST, 0)


def test_at_t0_recordings_may_be_shared_and_samples_may_not(t0, signals):
    found = audit(t0, signals)
    assert found.findings == ()
    assert found.shared["support/query"]["sample"] == found.shared["source/target"]["sample"] == 0
    assert found.shared["support/query"]["bearing"] == 8
    assert found.shared["source/target"]["session"] == len(t0.target.recordings)


def test_at_t0_windows_of_support_and_query_that_overlap_are_refused(t0, signals):
    episode = t0.episodes[0]
    way, asked = episode.support_labels == 1, episode.query_labels == 1
    query = episode.query.copy()
    query[np.flatnonzero(asked)[0]] = episode.support[way][0]
    refused(with_episode(t0, query=query), signals, "support and query share a sample in 1 of 8 episodes")


@pytest.mark.parametrize("spans", ["whole", "wider by one sample"])
def test_at_t0_a_half_that_reaches_into_the_other_is_refused(spans, t0, signals):
    wider = tuple((max(0, first - 1), min(1920, last + 1)) for first, last in t0.source.spans) if spans != "whole" else ()
    refused(replace(t0, source=replace(t0.source, spans=wider)), signals, r"source and target share \d+ samples? \(plant/beta")


def test_at_t0_a_window_beyond_its_half_is_refused(t0, signals):
    query = t0.episodes[0].query.copy()
    first, _ = t0.target.spans[query[0, 0]]
    query[0, 1] = 1920 - 64 if first == 0 else 0
    refused(with_episode(t0, query=query), signals, "episode 0: its window at .* lies outside .*, of which it may use samples")


def test_at_t0_a_query_of_another_part_than_its_support_is_refused(t0, signals):
    parts = tuple("elsewhere" if i == int(t0.episodes[0].query[0, 0]) else p for i, p in enumerate(t0.target.parts))
    refused(replace(t0, target=replace(t0.target, parts=parts)), signals, "episode 0: .*come from different parts, not from one|2 parts")


@pytest.mark.parametrize("spans", [((0, 5),), "beyond", "backwards"])
def test_spans_that_do_not_fit_their_recordings_are_refused(spans, t0, signals):
    wrong = {"beyond": (0, 1921), "backwards": (900, 3)}.get(spans) if isinstance(spans, str) else None
    made = spans if wrong is None else (wrong, *t0.source.spans[1:])
    refused(replace(t0, source=replace(t0.source, spans=made)), signals, "columns differ in length|has no samples")


def test_the_mounting_may_be_shared_on_one_rig_at_t2_too(plant, noise):
    catalogue = plant(machines=("rig",), healthy=4)
    split = NewDevice(window=64).split([catalogue], REQUEST, 0)
    assert audit(split, noise(catalogue)).findings == ()
    refused(replace(split, note=""), noise(catalogue), "source and target share 1 mounting")
    shared = split.target.recordings[0].bearing
    refused(replace(split, source=with_recording(split.source, 0, bearing=shared)), noise(catalogue), "source and target share 1 bearing")


def test_a_session_on_both_sides_is_refused_at_t1(plant, noise):
    catalogue = plant(loads=("0 hp", "1 hp", "2 hp", "3 hp"))
    split = Session(window=64).split([catalogue], REQUEST, 0)
    assert audit(split, noise(catalogue)).findings == ()
    shared = split.target.recordings[0].session
    leaky = replace(split, source=with_recording(split.source, 0, session=shared))
    refused(leaky, noise(catalogue), "source and target share 1 session")


def test_names_are_those_of_their_data_set(t2, signals):
    """Two data sets may both have a bearing, a session and a mounting of one name."""
    twins = zip(t2.source.recordings, t2.target.recordings, strict=True)
    names = ("bearing", "session", "mounting")
    renamed = tuple(replace(r, dataset="other", **{name: getattr(twin, name) for name in names}) for r, twin in twins)
    theirs = {("other", *k[1:]): v for k, v in signals.items()}
    found = audit(
        replace(t2, level="T4/T2", source=replace(t2.source, recordings=renamed)), {**theirs, **{k: v[::-1] for k, v in signals.items()}}
    )
    assert found.findings == ()


# Samples: copies under other ids.


@pytest.mark.parametrize("made", ["renamed", "cropped", "shifted", "spliced"])
def test_a_copy_of_a_target_recording_in_the_source_is_found_by_its_samples(made, t2, signals):
    original = signals[key(t2.target, 0)]
    stranger = signals[key(t2.source, 5)].copy()
    if made == "renamed":
        stranger = original.copy()
    elif made == "cropped":
        stranger[:] = np.resize(original[700:], len(stranger))
    elif made == "shifted":
        stranger[37:] = original[:-37]
    else:
        stranger[500:1000] = original[900:1400]
    refused(t2, {**signals, key(t2.source, 5): stranger}, r"source and target share 1 sample \(")


@pytest.mark.parametrize("made", ["doubled", "turned round", "offset", "rounded", "as integers"])
def test_a_rescaled_copy_of_a_target_recording_in_the_source_is_found_by_its_samples(made, t2, signals):
    original = signals[key(t2.target, 0)]
    stranger = {
        "doubled": original * 2,
        "turned round": -original,
        "offset": original + 0.01,
        "rounded": np.round(original, 2),
        "as integers": np.round(original / np.abs(original).max() * 32767),
    }[made]
    refused(t2, {**signals, key(t2.source, 5): stranger.astype(np.float32)}, r"source and target share 1 sample \(")


def test_a_copy_between_support_and_query_is_found_by_its_samples(t2, signals):
    episode = t2.episodes[0]
    support, query = int(episode.support[0, 0]), int(episode.query[0, 0])
    copy = np.roll(signals[key(t2.target, support)], 100)
    refused(t2, {**signals, key(t2.target, query): copy}, r"support and query share a sample in \d of 8 episodes")


def test_a_copy_under_another_bearings_name_is_found_at_t3(t3, signals):
    row = row_of(t3.target, "inner")
    other = row_of(t3.target, "inner", part_of=row)
    refused(t3, {**signals, key(t3.target, other): signals[key(t3.target, row)]}, "support and query share a sample")


def test_copies_with_two_labels_are_refused(t2, signals):
    inner, ball = row_of(t2.source, "inner small"), row_of(t2.source, "ball small")
    refused(
        t2, {**signals, key(t2.source, ball): signals[key(t2.source, inner)]}, "hold the same samples and are labelled ball small and inner"
    )


def test_copies_on_one_side_of_one_label_are_a_fact_and_no_leak(t2, signals):
    row = row_of(t2.source, "inner small")
    other = row_of(t2.source, "inner small", part_of=row)
    found = audit(t2, {**signals, key(t2.source, other): signals[key(t2.source, row)]})
    assert found.findings == ()
    assert found.facts["copies"] == [sorted("/".join(key(t2.source, i)) for i in (row, other))]


# What does not add up.


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"samples": 1919}, "has 1920 samples, the catalogue says 1919"),
        ({"rate_hz": 4000.0}, "is at 4000 Hz, the split at 1000 Hz"),
        ({"name": "b"}, "has no channel a"),
    ],
)
def test_a_channel_that_is_not_what_it_should_be_is_refused(change, says, t2, signals):
    channel = replace(t2.source.recordings[0].channels[0], **change)
    refused(replace(t2, source=with_recording(t2.source, 0, channels=(channel,))), signals, says)


def test_a_missing_signal_is_refused(t2, signals):
    refused(t2, {k: v for k, v in signals.items() if k != key(t2.target, 0)}, "has no signal of channel a")


def test_samples_that_are_not_finite_are_refused(t2, signals):
    bad = signals[key(t2.target, 0)].copy()
    bad[5] = np.nan
    refused(t2, {**signals, key(t2.target, 0): bad}, "not finite")


def test_a_fault_labelled_healthy_is_refused(t2, signals):
    row = row_of(t2.source, "inner small")
    refused(replace(t2, source=with_recording(t2.source, row, element="healthy")), signals, "of element healthy and labelled inner small")


def test_a_condition_of_two_labels_is_refused(t2, signals):
    labels = ("ball large", *t2.source.labels[1:])
    refused(replace(t2, source=replace(t2.source, labels=labels)), signals, "condition .* is labelled")


def test_columns_of_unequal_length_are_refused(t2, signals):
    refused(replace(t2, source=replace(t2.source, parts=t2.source.parts[1:])), signals, "columns differ in length")


def test_a_recording_listed_twice_is_refused(t2, signals):
    twice = {f: (*getattr(t2.source, f), getattr(t2.source, f)[0]) for f in ("recordings", "channels", "labels", "conditions", "parts")}
    refused(replace(t2, source=replace(t2.source, **twice)), signals, "stands 2 times in the source")


def test_overlapping_windows_in_an_episode_are_refused(t2, signals):
    support = t2.episodes[0].support.copy()
    support[1] = support[0] + [0, 63 if support[0, 1] < 1000 else -63]
    refused(with_episode(t2, support=support), signals, "episode 0: two of its windows overlap in")


@pytest.mark.parametrize("start", [-1, 1857])
def test_a_window_beyond_its_recording_is_refused(start, t2, signals):
    query = t2.episodes[0].query.copy()
    query[0, 1] = start
    refused(with_episode(t2, query=query), signals, f"its window at {start} lies outside")


@pytest.mark.parametrize("row", [-1, 999])
def test_a_window_of_no_recording_is_refused(row, t2, signals):
    query = t2.episodes[0].query.copy()
    query[0, 0] = row
    refused(with_episode(t2, query=query), signals, "do not name recordings of the target")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda e: {"classes": (e.classes[0], e.classes[1], e.classes[1], *e.classes[3:])}, "are not 5 different ones"),
        (lambda e: {"rare": 0}, "rare class is number 0"),
        (lambda e: {"rare": 7}, "rare class is number 7"),
        (lambda e: {"rare": 1 + e.rare % 4}, "support windows, asked for"),
        (lambda e: {"support": e.support[1:], "support_labels": e.support_labels[1:]}, "support windows, asked for"),
        (lambda e: {"query": e.query[1:], "query_labels": e.query_labels[1:]}, "query windows, asked for 4 each"),
        (lambda e: {"query_labels": e.query_labels[1:]}, "do not fit together"),
        (lambda e: {"query_labels": e.query_labels + 3}, "do not fit together"),
        (lambda e: {"query": np.roll(e.query, 1, axis=0)}, "is given as"),
        (lambda e: {"classes": e.classes[::-1]}, "rare class|class 0 is not healthy"),
    ],
)
def test_an_episode_that_does_not_add_up_is_refused(change, says, t2, signals):
    refused(with_episode(t2, **change(t2.episodes[0])), signals, f"episode 0: .*({says})")


def test_a_missing_episode_is_refused(t2, signals):
    refused(replace(t2, episodes=t2.episodes[1:]), signals, "there are 7 episodes, 8 were asked for")


def test_supports_of_several_loads_are_refused_where_they_must_come_together(t2, signals):
    """One way's support changes places with those of its queries that are of one other load; nothing else is wrong then."""
    episode, pool = t2.episodes[0], t2.target
    mine, asked = episode.support_labels == 4, episode.query_labels == 4
    here, there = int(episode.support[mine, 0][0]), int(episode.query[asked, 0][0])
    support, query = episode.support.copy(), episode.query.copy()
    support[mine, 0] = there
    query[asked & (query[:, 0] == there), 0] = here
    found = audit(with_episode(t2, support=support, query=query), signals)
    assert len(found.findings) == 1
    refused(with_episode(t2, support=support, query=query), signals, "episode 0: its supports come from 2 parts")
    assert audit(with_episode(replace(t2, target=replace(pool, together=False)), support=support, query=query), signals).findings == ()


def test_a_way_of_two_conditions_is_refused(t2, signals):
    row = int(t2.episodes[0].query[0, 0])
    conditions = tuple("another" if i == row else c for i, c in enumerate(t2.target.conditions))
    refused(
        replace(t2, target=replace(t2.target, conditions=conditions)), signals, "episode 0: way healthy mixes the conditions another and"
    )


def test_a_part_in_both_support_and_query_of_a_way_is_refused(t2, signals):
    support, query = int(t2.episodes[0].support[0, 0]), int(t2.episodes[0].query[0, 0])
    parts = tuple(t2.target.parts[support] if i == query else p for i, p in enumerate(t2.target.parts))
    refused(replace(t2, target=replace(t2.target, parts=parts)), signals, "episode 0: support and query of healthy share the part")


def test_a_support_of_two_parts_is_refused(t3, signals):
    row = int(t3.episodes[0].support[0, 0])
    parts = tuple("elsewhere" if i == row else p for i, p in enumerate(t3.target.parts))
    refused(replace(t3, target=replace(t3.target, parts=parts)), signals, "episode 0: the support of healthy comes from 2 parts")


# Facts.


def test_the_quantisation_step_is_found_where_there_is_one():
    noise = np.random.default_rng(3).normal(size=5000)
    assert quantisation_step((np.round(noise / 0.05) * 0.05).astype(np.float32)) == pytest.approx(0.05, rel=1e-3)
    assert quantisation_step(noise.astype(np.float32)) is None
    assert quantisation_step(np.zeros(100, dtype=np.float32)) is None


def test_the_quantisation_of_each_class_is_a_fact(t2, signals):
    coarse = {k: (np.round(v / 0.25) * 0.25).astype(np.float32) if "inner" in k[1] else v for k, v in signals.items()}
    steps = audit(t2, coarse).facts["quantisation"]["target"]
    assert steps["inner small"] == pytest.approx([0.25, 0.25])
    assert steps["healthy"] is None


def test_the_level_of_each_class_is_a_fact(t2, signals):
    loud = {k: v * 8 if "inner" in k[1] else v for k, v in signals.items()}
    levels = audit(t2, loud).facts["rms"]["target"]
    assert levels["inner small"] == pytest.approx([8, 8], rel=0.1)
    assert levels["healthy"] == pytest.approx([1, 1], rel=0.1)


def test_who_is_on_which_side_is_a_fact(t2, signals):
    found = audit(t2, signals).facts
    assert (found["recordings"], found["mountings"]) == ({"source": 48, "target": 48}, {"source": 1, "target": 1})
    healthy, *faults = found["classes"]["target"]
    assert healthy == {"label": "healthy", "recordings": 6, "bearings": 2, "unstepped": 6}
    assert [one["label"] for one in faults] == ["ball large", "ball small", "inner large", "inner small", "outer large", "outer small"]


def test_target_recordings_that_no_episode_shows_are_a_fact(t2, signals):
    few = audit(replace(t2, episodes=t2.episodes[:1], request=replace(t2.request, episodes=1)), signals).facts["undrawn"]
    drawn = {int(row) for half in (t2.episodes[0].support, t2.episodes[0].query) for row in half[:, 0]}
    assert len(few) == 48 - len(drawn)


def test_a_recording_that_a_third_party_left_out_for_no_reason_of_ours_is_listed(plant, t2, signals):
    catalogue = plant()
    names = [f"plant/{r.id}" for r in t2.source.recordings[:2]]
    kept = t2.source.only(range(2, len(t2.source.recordings)))
    found = audit(replace(t2, source=kept, left_out=(*names, "plant/gone")), signals, [catalogue]).facts
    assert found["left_out"] == [*names, "plant/gone"]
    assert found["left_out_reasons"] == {f"at {t2.source.recordings[0].mounting}, for no reason that the audit sees": names}


def test_signals_of_another_channel_are_not_looked_at(t2, signals):
    recording = t2.target.recordings[0]
    more = replace(t2, target=with_recording(t2.target, 0, channels=(*recording.channels, Channel("b", 9.0))))
    assert audit(more, signals).findings == ()
