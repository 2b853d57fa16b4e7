"""A store that cannot be written while a run goes on: the run computes on, and what is finished is kept as soon as it can be."""

from __future__ import annotations

import json
import sqlite3

import pytest

from faultbench.matrix import keeping
from faultbench.matrix.keeping import Keeper, NotKept
from faultbench.results import store
from faultbench.results.store import open_store

LOCKED = "results.sqlite is locked by another process"


class Holder:
    """Another writer, which holds the store until it lets go."""

    def __init__(self, path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("BEGIN IMMEDIATE")

    def let_go(self) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


@pytest.fixture
def path(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "BUSY_S", 0.2)
    monkeypatch.setattr(keeping, "BRIEF_S", 0.05)
    return tmp_path / "results.sqlite"


def test_rows_that_had_to_wait_are_kept_with_the_next_one_and_in_their_order(path, rows, capsys):
    with open_store(path) as opened:
        run = opened.begin([])
        keeper, holder = Keeper(opened, run), Holder(path)
        keeper.keep(0, rows.judged(digest="1" * 64))
        keeper.keep(1, rows.judged(digest="2" * 64))
        assert opened.rows(run) == []
        assert [row["looks"] for row in keeper.rows.values()] == [None, None]
        holder.let_go()
        keeper.keep(2, rows.judged(digest="3" * 64))
        assert opened.rows(run) == list(keeper.rows.values())
        assert [row["digest"][0] for row in opened.rows(run)] == ["1", "2", "3"]
        assert keeper.close() == ""
        assert opened.runs()[0].finished
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith(f"{LOCKED}: the run goes on, and keeps its rows there when it can, at the latest at its end")


def test_at_the_end_the_store_is_waited_for_and_what_is_missing_is_said(path, rows, capsys):
    with open_store(path) as opened:
        run = opened.begin([])
        keeper = Keeper(opened, run)
        keeper.keep(0, rows.judged(digest="1" * 64))
        holder = Holder(path)
        keeper.keep(1, rows.judged(digest="2" * 64))
        assert keeper.close() == (
            f"1 of 2 cells could not be kept in the store ({path} is locked by another process): wait for it to end, or set "
            "FAULTBENCH_RESULTS to another folder, then repeat the command, which computes nothing again"
        )
        assert opened.runs()[0].finished is None
        holder.let_go()
        assert keeper.close() == ""
        assert len(opened.rows(run)) == 2


def test_an_end_that_cannot_be_noted_is_said_too(path, rows):
    with open_store(path) as opened:
        keeper = Keeper(opened, opened.begin([]))
        keeper.keep(0, rows.judged())
        holder = Holder(path)
        assert keeper.close().startswith("the end of the run could not be kept in the store (")
        holder.let_go()


class Notes:
    """Takes the store when the run begins, and lets it go when so many cells have finished."""

    def __init__(self, path, cells: int) -> None:
        self._path, self._left = path, cells

    def run_started(self, stages, reused):
        self._holder = Holder(self._path)

    def cell_finished(self, row):
        self._left -= 1
        if not self._left:
            self._holder.let_go()

    def __getattr__(self, name):
        return lambda *_, **__: None


def execute(site, path, cells: int, **said):
    from faultbench.matrix.execute import execute as executed

    notes = Notes(path, cells)
    planned = site.plan(seeds=1, **said)
    planned.registry.hook = notes
    return executed(planned, notes, store=path)


def test_a_store_that_is_locked_for_a_while_costs_a_run_nothing(site, path):
    made = execute(site, path, 1, learners=("toy", "toy:mood=random"))
    assert [row["looks"] for row in made] == [2, 2]
    assert site.kept() == made


def test_a_store_that_stays_locked_costs_no_row(site, path):
    with pytest.raises(NotKept, match=r"^2 of 2 cells could not be kept") as caught:
        execute(site, path, 99, learners=("toy", "toy:mood=random"))
    assert [row["accuracy"]["mean"] > 0 for row in caught.value.rows] == [True, True]


def test_an_interrupted_run_keeps_at_its_end_what_had_to_wait(site, path):
    with pytest.raises(KeyboardInterrupt):
        execute(site, path, 1, learners=("toy", "toy:mood=interrupted"))
    assert [row["cell"]["learner"] for row in site.kept()] == ["toy"]


def test_an_interrupted_run_says_what_it_could_not_keep(site, path, capsys):
    with pytest.raises(KeyboardInterrupt):
        execute(site, path, 99, learners=("toy", "toy:mood=interrupted"))
    assert f"warning: 1 of 1 cells could not be kept in the store ({path} is locked" in capsys.readouterr().err


HELD = """
import sqlite3
from faultbench.matrix import keeping
from faultbench.results import store
store.BUSY_S, keeping.BRIEF_S, holders, begin = 0.2, 0.1, [], store.Store.begin
def held(opened, *said):
    number = begin(opened, *said)
    holders.append(sqlite3.connect(opened.path, isolation_level=None))
    holders[0].execute("BEGIN EXCLUSIVE")
    return number
store.Store.begin = held
"""
RUN = ("run", "-d", "plant", "-s", "new-device:window=64", "-l", "toy", "-l", "toy:mood=random", "--seeds", "1")
SMALL = ("--ways", "4", "--shots", "2", "--queries", "3", "--episodes", "4")


@pytest.mark.parametrize("gate", [(), ("--gate",)])
def test_the_command_writes_its_files_though_the_store_is_locked_and_ends_with_4_in_one_line(site, gate):
    done = site.command(*RUN, *SMALL, "--out", "out", "--json", "rows.json", *gate, before=HELD)
    assert done.returncode == 4, done.stderr
    *before, said = done.stderr.splitlines()
    assert said.startswith("error: 2 of 2 cells could not be kept in the store (")
    assert sum(LOCKED in line for line in before) == 1
    assert "toy" in done.stdout
    assert (site.folder / "out" / "table.txt").read_text()
    written = json.loads((site.folder / "rows.json").read_text())["rows"]
    assert [row["accuracy"]["mean"] > 0 for row in written] == [True, True]
    again = site.command(*RUN, *SMALL)
    assert ": nothing was computed" in again.stderr
    assert len(site.kept()) == 2
