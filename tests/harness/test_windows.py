"""Windows of several channels: side by side on one grid, slow ones held, and as long as all channels are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.data.recording import Channel, Recording
from faultbench.data.split import Pool
from faultbench.data.windows import cut, held


def recording(*channels):
    return Recording("d", "r", "m", "m1", "b", "inner", "", "r", "", 1800.0, channels)


def pool(*channels):
    names = tuple(c.name for c in channels)
    return Pool((recording(*channels),), (names,), ("inner",), ("b",), ("r",), together=False)


FAST, OTHER, SLOW = Channel("a", 100.0, 1000), Channel("b", 100.0, 900), Channel("t", 1.0, 8)
SIGNALS = {
    ("d", "r", "a"): np.arange(1000, dtype=np.float32),
    ("d", "r", "b"): -np.arange(900, dtype=np.float32),
    ("d", "r", "t"): 100 + np.arange(8, dtype=np.float32),
}


def test_channels_of_one_rate_are_cut_at_the_same_place():
    (window,) = cut(SIGNALS, pool(FAST, OTHER), np.array([[0, 50]]), 10)
    assert window.tolist() == [list(range(50, 60)), [-x for x in range(50, 60)]]


def test_a_slow_channel_shows_the_last_value_that_was_known():
    (window,) = cut(SIGNALS, pool(FAST, SLOW), np.array([[0, 195]]), 10)
    assert window[1].tolist() == [101.0] * 5 + [102.0] * 5


def test_windows_go_as_far_as_every_channel_is_known():
    assert pool(FAST).samples(0) == 1000
    assert pool(FAST, OTHER).samples(0) == 900
    assert pool(FAST, SLOW).samples(0) == 800
    assert pool(FAST, Channel("t", 1.0)).samples(0) is None


def test_a_window_beyond_its_recording_is_an_error():
    for start in (-1, 895):
        with pytest.raises(IndexError, match="no window of 10"):
            cut(SIGNALS, pool(FAST, OTHER), np.array([[0, start]]), 10)


@given(start=st.integers(0, 10_000), rate=st.sampled_from([1.0, 3.0, 100.0, 4_000.0]), lead=st.sampled_from([4_000.0, 12_000.0, 64_000.0]))
def test_what_is_held_was_measured_before_and_not_long_ago(start, rate, lead):
    index = held(start, 64, rate / lead, 10**6)
    now = (start + np.arange(64)) / lead
    assert (index / rate <= now + 1e-6).all()
    assert (now < (index + 1) / rate + 1e-6).all()
