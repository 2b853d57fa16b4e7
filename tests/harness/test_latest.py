"""What is made once though several threads ask for it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from faultbench.data.latest import Latest


def test_who_asks_for_what_is_being_made_waits_for_it() -> None:
    made: list[int] = []

    def slowly(key: int) -> object:
        made.append(key)
        time.sleep(0.05)
        return object()

    latest = Latest(slowly, keep=2)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(latest, [1, 2] * 4))
    assert sorted(made) == [1, 2]
    assert len(set(map(id, found))) == 2


def test_one_that_is_made_keeps_no_other_waiting() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def make(key: str) -> str:
        if key == "slow":
            begun.set()
            assert go_on.wait(10)
        return key

    latest = Latest(make, keep=2)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(latest, "slow")
        assert begun.wait(10)
        assert latest("quick") == "quick"
        go_on.set()
        assert slow.result() == "slow"


def test_the_last_few_are_kept() -> None:
    made: list[int] = []
    latest = Latest(made.append, keep=2)
    for key in (1, 2, 1, 3, 1, 2):
        latest(key)
    assert made == [1, 2, 3, 2]


def test_a_failure_is_not_kept_and_every_waiting_thread_gets_it() -> None:
    asked = threading.Barrier(2, timeout=10)
    fail = [True]

    def make(key: int) -> int:
        asked.wait()
        time.sleep(0.05)
        if fail[0]:
            raise ValueError("on purpose")
        return key

    latest = Latest(make, keep=1)

    def ask() -> int:
        return latest(5)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.submit(ask), pool.submit(lambda: (asked.wait(), ask())[1])
        for future in (first, second):
            with pytest.raises(ValueError, match="on purpose"):
                future.result()
    fail[0] = False
    with ThreadPoolExecutor(2) as pool:
        again = pool.submit(ask)
        asked.wait()
        assert again.result() == 5
