"""Episodes: what a draw promises, on made-up pools and on any pool that hypothesis thinks of."""

import itertools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultbench.data.episodes import EpisodeDrawer, draw_episodes, generator
from faultbench.data.recording import Channel, Recording
from faultbench.data.split import EpisodeRequest, Pool
from faultbench.errors import DataError, IsolationError, UsageError

WINDOW = 64
REQUEST = EpisodeRequest(ways=3, shots=4, shots_rare=2, queries=6, episodes=30)


def row(label, condition, part, windows=10, session=None):
    """One recording of a pool: (label, condition, part, samples, session)."""
    return label, condition, part, windows * WINDOW + 13, session


def pool_of(rows, together):
    recordings = tuple(
        Recording("made", str(i), "m", "m", condition, "healthy" if label == "healthy" else "inner", "", session or str(i), part, None,
                  (Channel("a", 1000.0, samples),))
        for i, (label, condition, part, samples, session) in enumerate(rows)
    )  # fmt: skip
    labels, conditions, parts, _, _ = zip(*rows, strict=True)
    return Pool(recordings, ("a",) * len(rows), labels, conditions, parts, together)


@pytest.fixture
def by_load():
    """Four faults and healthy, each measured at three loads, fault `a` on two specimens."""
    return pool_of([row(c[0] if c != "healthy" else c, c, load) for c in ("a1", "a2", "b", "c", "d", "healthy") for load in "xyz"], True)


@pytest.fixture
def by_bearing():
    """Three elements of three bearings, each measured in two sessions."""
    return pool_of([row(e, e, f"{e}{n}") for e in "abc" for n in range(3) for _ in range(2)], False)


def draws(pool, request=REQUEST, *, jitter=False, seed=0):
    drawer = EpisodeDrawer(pool, WINDOW, request, jitter=jitter)
    rng = generator(seed, "test")
    return [drawer.draw(rng, turn) for turn in range(request.episodes)]


def check(episode, pool, request, *, jitter):
    """Everything that holds for every episode."""
    healthy = "healthy" in pool.labels
    assert len(set(episode.classes)) == request.ways
    assert not healthy or episode.classes[0] == "healthy"
    assert episode.classes[episode.rare] != "healthy"
    wanted = [request.shots_rare if way == episode.rare else request.shots for way in range(request.ways)]
    assert episode.support_labels.tolist() == np.repeat(np.arange(request.ways), wanted).tolist()
    assert episode.query_labels.tolist() == np.repeat(np.arange(request.ways), request.queries).tolist()
    for name in ("support", "support_labels", "query", "query_labels"):
        assert getattr(episode, name).dtype == np.int64
    windows = sorted(map(tuple, np.concatenate([episode.support, episode.query]).tolist()))
    for (r0, s0), (r1, s1) in itertools.pairwise(windows):
        assert r0 != r1 or s1 - s0 >= WINDOW
    for recording, start in windows:
        first, last = pool.spans[recording] if pool.spans else (0, pool.recordings[recording].channels[0].samples)
        assert first <= start <= last - WINDOW
        assert jitter or (start - first) % WINDOW == 0
    stages = set()
    for way, label in enumerate(episode.classes):
        support = episode.support[episode.support_labels == way, 0]
        query = episode.query[episode.query_labels == way, 0]
        assert {pool.labels[i] for i in (*support, *query)} == {label}
        assert len({pool.conditions[i] for i in (*support, *query)}) == 1
        (part,) = {pool.parts[i] for i in support}
        stages.add(part)
        assert (part not in {pool.parts[i] for i in query}) if pool.apart else ({part} == {pool.parts[i] for i in query})
    assert not pool.together or len(stages) == 1


@pytest.mark.parametrize("jitter", [False, True])
@pytest.mark.parametrize("name", ["by_load", "by_bearing"])
def test_every_episode_keeps_the_rules(name, jitter, request):
    pool = request.getfixturevalue(name)
    for episode in draws(pool, jitter=jitter):
        check(episode, pool, REQUEST, jitter=jitter)


@pytest.mark.parametrize("broken", ["support and query mixed", "classes relabelled"])
def test_the_check_of_these_tests_sees_a_broken_episode(broken, by_load):
    (episode,) = draws(by_load, replace(REQUEST, episodes=1))
    wrong = replace(episode, query=np.roll(episode.query, 6, axis=0)) if broken == "classes relabelled" else replace(
        episode, query=np.concatenate([episode.support[:1], episode.query[1:]])
    )  # fmt: skip
    with pytest.raises(AssertionError):
        check(wrong, by_load, REQUEST, jitter=False)


def test_the_same_seed_draws_the_same_episodes_and_another_seed_others(by_load):
    def windows(seed):
        return np.stack([e.query for e in draws(by_load, seed=seed)]).tolist()

    assert windows(1) == windows(1) != windows(2)


def test_generators_of_two_purposes_are_independent():
    assert generator(0, "episodes").random() != generator(0, "training").random()
    assert generator(0, "ab", "c").random() != generator(0, "a", "bc").random()


def test_fault_ways_take_turns_at_being_rare_and_healthy_never_does(by_load):
    assert [e.rare for e in draws(by_load)[:4]] == [1, 2, 1, 2]


def test_without_a_turn_the_rare_way_is_drawn(by_load):
    drawer = EpisodeDrawer(by_load, WINDOW, REQUEST)
    rng = generator(0, "test")
    assert {drawer.draw(rng).rare for _ in range(30)} == {1, 2}


def test_a_targets_episodes_cover_labels_rare_labels_and_conditions_evenly(by_load):
    request = replace(REQUEST, episodes=40)
    episodes = draw_episodes(by_load, WINDOW, request, generator(0, "test"))
    for episode in episodes:
        check(episode, by_load, request, jitter=False)
    labels = Counter(label for e in episodes for label in e.classes if label != "healthy")
    rare = Counter(e.classes[e.rare] for e in episodes)
    conditions = Counter(
        {by_load.conditions[i] for i in e.query[:, 0] if by_load.labels[i] == "a"}.pop() for e in episodes if "a" in e.classes
    )
    stages = Counter(by_load.parts[e.support[0, 0]] for e in episodes)
    assert max(labels.values()) - min(labels.values()) <= 1
    assert max(rare.values()) - min(rare.values()) <= 2
    assert max(conditions.values()) - min(conditions.values()) <= 1
    assert max(stages.values()) - min(stages.values()) <= 1


def test_the_label_whose_turn_it_is_to_be_drawn_takes_any_class_number():
    pool = pool_of([row(c, c, load) for c in "abc" for load in "xy"], True)
    counts = Counter("abc")
    numbers = set()
    for episode in draw_episodes(pool, WINDOW, replace(REQUEST, ways=2, episodes=40), generator(0, "test")):
        (first, fewest), (_, more) = sorted(counts.items(), key=lambda item: item[1])[:2]
        if fewest < more:
            numbers.add(episode.classes.index(first))
        counts.update(episode.classes)
    assert numbers == {0, 1}


def test_queries_spread_evenly_over_bearings_as_far_as_they_go():
    rows = [row("a", "a", f"a{n}", windows) for n, windows in enumerate((9, 9, 2, 9))] + [row("b", "b", f"b{n}") for n in range(4)]
    pool = pool_of(rows, False)
    for episode in draws(pool, replace(REQUEST, ways=2, queries=10)):
        way = episode.classes.index("a")
        support = pool.parts[episode.support[episode.support_labels == way, 0][0]]
        assert support != "a2"  # too short for a support
        spread = Counter(pool.parts[i] for i in episode.query[episode.query_labels == way, 0])
        assert spread == {p: 2 if p == "a2" else 4 for p in ("a0", "a1", "a2", "a3") if p != support}


def test_a_session_too_short_for_the_support_gives_queries_only():
    pool = pool_of([row(e, e, part, 10 if part == "x" else 3) for e in "ab" for part in "xyz"], True)
    episodes = draws(pool, replace(REQUEST, ways=2))
    assert {pool.parts[e.support[0, 0]] for e in episodes} == {"x"}
    assert {pool.parts[i] for e in episodes for i in e.query[:, 0]} == {"y", "z"}


def test_a_session_cut_into_short_recordings_can_hold_a_support():
    pool = pool_of([row(e, e, part, 2, session=f"{e}{part}") for e in "ab" for part in "xy" for _ in range(3)], True)
    for episode in draws(pool, replace(REQUEST, ways=2)):
        check(episode, pool, replace(REQUEST, ways=2), jitter=False)


def test_jittered_windows_start_anywhere_and_may_fill_a_recording(by_bearing):
    starts = np.concatenate([e.support[:, 1] for e in draws(by_bearing, jitter=True)])
    assert len(set((starts % WINDOW).tolist())) > 20
    tight = pool_of([(e, e, part, 4 * WINDOW, None) for e in "ab" for part in "xy"], True)
    request = replace(REQUEST, ways=2, queries=4)
    for episode in draws(tight, request, jitter=True):
        check(episode, tight, request, jitter=True)


def test_a_specimen_measured_in_one_part_is_never_a_way(by_load):
    rows = [row(c, c, load) for c in "abc" for load in "xy"] + [row("single", "single", "x")]
    episodes = draws(pool_of(rows, True))
    assert {label for e in episodes for label in e.classes} == set("abc")
    assert EpisodeDrawer(pool_of(rows, True), WINDOW, REQUEST).conditions == ("a", "b", "c")


@pytest.mark.parametrize(
    ("rows", "request_", "error", "says"),
    [
        ([row(c, c, p) for c in "ab" for p in "xy"], REQUEST, UsageError, "has 2 classes (a, b), 3 ways asked for: give at most 2"),
        ([row(c, c, p) for c in "abc" for p in ("xy" if c != "c" else "x")], REQUEST, IsolationError, "only 2 classes have two parts"),
        ([row(c, c, p, 5) for c in "abc" for p in "xy"], REQUEST, UsageError, "hold 4 support and 6 query windows of 64 samples"),
        ([row(c, c, p) for c in "abc" for p in (c, c * 2)], REQUEST, IsolationError, "no part is shared by the supports of 3 classes"),
        (
            [row(c, c, "x") for c in ("healthy",)] + [row(c, c, p) for c in "abc" for p in "xy"],
            REQUEST,
            IsolationError,
            "each healthy specimen is of one part only (x)",
        ),
        ([row(c, "same", p) for c in "abc" for p in "xy"], REQUEST, IsolationError, "a condition has one label"),
        ([row("a", "a", "x")], replace(REQUEST, ways=1), UsageError, "at least 2"),
        ([row("a", "a", "x")], replace(REQUEST, queries=0), UsageError, "queries is 0"),
        ([row("a", "a", "x")], replace(REQUEST, shots_rare=5), UsageError, "at most as many"),
    ],
)
def test_a_pool_that_cannot_fill_an_episode_is_refused_with_the_numbers(rows, request_, error, says):
    with pytest.raises(error) as caught:
        EpisodeDrawer(pool_of(rows, True), WINDOW, request_, side="the target")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


LONG = 10 * WINDOW + 14


@pytest.mark.parametrize(("apart", "fits"), [(True, 653 // 4), (False, 653 // 10)])
def test_a_window_longer_than_the_recordings_is_called_that_with_the_longest_that_fits(by_load, apart, fits):
    """Of 653 samples at each of three loads 4 support windows come from one and 6 queries from two, or all ten from one."""
    pool = replace(by_load, apart=apart)
    with pytest.raises(UsageError) as caught:
        EpisodeDrawer(pool, LONG, REQUEST, side="the target")
    said = f"the target: a window of {LONG} samples is longer than all that a recording gives, 653 at most: give a window of {fits} at most"
    assert str(caught.value) == said
    assert EpisodeDrawer(pool, fits, REQUEST).conditions
    with pytest.raises(UsageError, match="or a shorter window"):
        EpisodeDrawer(pool, fits + 1, REQUEST, side="the target")


def test_where_no_window_fits_more_has_to_be_measured(by_load):
    with pytest.raises(UsageError, match=r"longer than all that a recording gives, 653 at most: measure longer$"):
        EpisodeDrawer(by_load, LONG, replace(REQUEST, queries=1000))


def test_a_recording_of_unknown_length_is_refused(by_load):
    unknown = replace(by_load.recordings[0], channels=(Channel("a", 1000.0),))
    with pytest.raises(DataError, match="length of 0 \\(a\\) is not known"):
        EpisodeDrawer(replace(by_load, recordings=(unknown, *by_load.recordings[1:])), WINDOW, REQUEST)


def test_where_they_are_not_apart_support_and_query_are_dealt_from_the_same_recordings(by_load):
    pool = replace(by_load, apart=False)
    episodes = draws(pool)
    both = 0
    for episode in episodes:
        check(episode, pool, REQUEST, jitter=False)
        assert len({pool.parts[i] for i in (*episode.support[:, 0], *episode.query[:, 0])}) == 1
        both += len(set(episode.support[:, 0]) & set(episode.query[:, 0]))
    assert both == 3 * len(episodes)
    places = Counter(int(start) // WINDOW for e in episodes for _, start in e.support)
    assert set(places) == set(range(10)), "the support may be any of the windows"


def test_where_they_are_not_apart_one_part_is_enough_and_must_hold_both():
    pool = replace(pool_of([row(c, c, "x") for c in "abc"], True), apart=False)
    for episode in draws(pool):
        check(episode, pool, REQUEST, jitter=False)
    with pytest.raises(UsageError, match=r"only 0 classes hold 4 support and 7 query windows of 64 samples, 3 ways"):
        EpisodeDrawer(pool, WINDOW, replace(REQUEST, queries=7))


def test_a_pools_episodes_stay_within_its_spans(by_load):
    pool = replace(by_load, spans=((70, 600),) * len(by_load.recordings))
    for jitter in (False, True):
        for episode in draws(pool, jitter=jitter):
            check(episode, pool, REQUEST, jitter=jitter)
    with pytest.raises(UsageError, match="hold 4 support"):
        EpisodeDrawer(replace(by_load, spans=((70, 300),) * len(by_load.recordings)), WINDOW, REQUEST)


@st.composite
def pools(draw):
    """Any pool: several labels, conditions, parts, recordings of any length, some in sessions of several recordings."""
    rows = []
    for label in draw(st.lists(st.sampled_from(["healthy", "a", "b", "c", "d"]), min_size=2, max_size=5, unique=True)):
        for condition in range(draw(st.integers(1, 2))):
            for part in draw(st.lists(st.sampled_from("wxyz"), min_size=1, max_size=4, unique=True)):
                for _ in range(draw(st.integers(1, 2))):
                    session = draw(st.sampled_from([None, f"{label}{condition}{part}"]))
                    rows.append((label, f"{label}{condition}", part, draw(st.integers(10, 12 * WINDOW)), session))
    pool = pool_of(rows, draw(st.booleans()))
    spans = [sorted((draw(st.integers(0, length)), draw(st.integers(0, length)))) for *_, length, _ in rows] if draw(st.booleans()) else []
    return replace(pool, apart=draw(st.booleans()), spans=tuple((first, last) for first, last in spans))


@settings(max_examples=150, deadline=None)
@given(pools(), st.integers(2, 4), st.integers(1, 5), st.integers(1, 8), st.booleans(), st.integers(0, 3), st.data())
def test_any_pool_is_refused_beforehand_or_gives_only_sound_episodes(pool, ways, shots, queries, jitter, seed, data):
    request = EpisodeRequest(ways, shots, data.draw(st.integers(1, shots)), queries, episodes=4)
    try:
        drawer = EpisodeDrawer(pool, WINDOW, request, jitter=jitter)
    except (UsageError, IsolationError):
        return
    rng = generator(seed, "any")
    for turn in range(4):
        check(drawer.draw(rng, turn), pool, request, jitter=jitter)
    for episode in draw_episodes(pool, WINDOW, request, rng):
        check(episode, pool, request, jitter=False)
