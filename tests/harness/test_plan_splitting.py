"""What is found out of a split before anything is trained, and what training does not depend on."""

from __future__ import annotations

import pytest

from faultbench.errors import CellError, IsolationError, PluginError, UsageError
from faultbench.matrix.cache import Cache


def made(site) -> set[str]:
    """The kinds of stages that the cache holds values of."""
    return {entry.about["name"] for entry in Cache(site.cache).entries()}


def test_another_number_of_episodes_trains_nothing_again(site):
    site.run(seeds=1, compressors=("shrink",))
    (row,), notes = site.run(seeds=1, compressors=("shrink",), episodes=6)
    assert {title.split()[0] for title in notes.started} == {"draw", "measure", "judge"}
    assert row["cell"]["episodes"] == 6
    assert row["finetune_s"]["n"] == 6


@pytest.mark.parametrize("said", [{"ways": 3}, {"shots": 1}, {"queries": 4}, {"shots_rare": 1}, {"scenarios": ("new-device:window=128",)}])
def test_whatever_a_task_is_made_of_is_trained_again(site, said):
    def trained(**said) -> set[str]:
        return {stage.key for stage in site.plan(seeds=1, **said).stages if stage.name == "train"}

    assert trained().isdisjoint(trained(**said))


def test_a_scenario_whose_source_depends_on_the_number_of_episodes_is_refused(site):
    with pytest.raises(IsolationError, match="another source or target for 4 episodes than for 1"):
        site.run(scenarios=("counting",), seeds=1)
    assert "measure" not in made(site)


def test_too_many_ways_are_found_before_any_work_where_the_catalogue_knows_the_lengths(site):
    with pytest.raises(UsageError, match="9 ways"):
        site.plan(datasets=("plant:mood=measured",), ways=9)
    assert not site.cache.exists()


def test_a_seed_that_a_scenario_refuses_is_found_before_any_work_too(site):
    with pytest.raises(IsolationError, match="seed 1 is refused on purpose"):
        site.plan(datasets=("plant:mood=measured",), scenarios=("choosy",), seeds=2)
    assert site.plan(datasets=("plant:mood=measured",), scenarios=("choosy",), seeds=1).cells[0].error is None


PINNED = "scenario pinned says seed '?0'? where 1 was asked: give the split the seed that split.. was called with"


def test_a_split_that_says_another_seed_is_found_before_any_work(site):
    with pytest.raises(PluginError, match=PINNED):
        site.plan(datasets=("plant:mood=measured",), scenarios=("pinned",), seeds=2)
    assert site.plan(datasets=("plant:mood=measured",), scenarios=("pinned",), seeds=1).cells[0].error is None


def test_a_split_that_says_another_seed_is_refused_by_the_stage_and_nothing_is_measured(site):
    with pytest.raises(PluginError, match=PINNED):
        site.run(scenarios=("pinned",), seeds=2)
    assert "judge" not in made(site)
    assert site.kept()[0]["error_code"] == 2


def test_a_scenario_that_returns_no_split_is_said_in_one_line(site):
    with pytest.raises(PluginError, match=r"^scenario splitless: split returns NoneType: return a Split"):
        site.run(scenarios=("splitless",), seeds=1)


def test_too_many_ways_are_found_at_the_split_where_the_lengths_are_not_known(site):
    with pytest.raises(UsageError, match="9 ways"):
        site.run(ways=9, seeds=1)
    assert made(site) == {"ingest"}


def test_too_many_ways_for_one_of_two_scenarios_cost_its_cells_alone(site):
    said = {"datasets": ("plant:mood=measured",), "scenarios": ("new-device:window=64", "unseen-bearing:window=64"), "seeds": 1}
    rows, notes = site.run(ways=4, **said)
    assert [row["error_code"] for row in rows] == [None, 2]
    assert rows[0]["accuracy"] is not None
    assert "4 ways" in rows[1]["error"]
    assert not [title for title in notes.started if "unseen-bearing" in title]


def test_a_scenario_that_breaks_costs_its_cells_alone(site):
    said = {"datasets": ("plant:mood=measured",), "scenarios": ("broken", "new-device:window=64"), "seeds": 1}
    broken, good = site.plan(**said).cells
    assert isinstance(broken.error, CellError)
    assert str(broken.error) == "scenario broken broke (ZeroDivisionError: on purpose): --debug shows where"
    assert (broken.goal, good.error) == (None, None)
