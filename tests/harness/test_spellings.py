"""One thing under two names: names that differ in case, blanks and signs only are found, numbers that differ are left alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultbench.data.recording import Catalogue, Recording
from faultbench.data.spellings import names_alike, plain, spelled_alike


@pytest.mark.parametrize("other", ["B1", "b 1", "b-1", "B_1", "b.1", " b  1 ", "\uff421"])
def test_spellings_of_one_name_are_one(other: str) -> None:
    assert plain(other) == plain("b1")
    (text,) = spelled_alike("bearing", [("", "b1", "line 2"), ("", "b1", "line 3"), ("", other, "line 4")])
    assert text == f"bearing is spelled 'b1' (line 2) and {other!a} (line 4): write one name the same way, or names that differ by more"


@pytest.mark.parametrize(("one", "other"), [("1-1", "11"), ("Bearing1_11", "Bearing11_1"), ("1.5", "15"), ("B1", "B2"), ("a/b", "ab")])
def test_names_that_differ_by_more_are_left_alone(one: str, other: str) -> None:
    assert spelled_alike("bearing", [("", one, "line 2"), ("", other, "line 3")]) == []


def test_names_are_compared_within_what_they_belong_to() -> None:
    assert spelled_alike("mounting", [("fan", "DE", "line 2"), ("pump", "de", "line 3")]) == []


@given(st.text(), st.text())
def test_two_names_are_reported_at_most_once_and_on_one_line(one: str, other: str) -> None:
    texts = spelled_alike("bearing", [("", one, "1"), ("", other, "2"), ("", one, "3")])
    assert len(texts) <= (one != other)
    assert all(text.isprintable() for text in texts)


CHANGES: dict[str, Callable[[Recording], Recording]] = {
    "machine": lambda r: dataclasses.replace(r, machine="Alpha", mounting="Alpha"),
    "mounting": lambda r: dataclasses.replace(r, mounting=r.mounting.upper()),
    "bearing": lambda r: dataclasses.replace(r, bearing=r.bearing.upper()),
    "session": lambda r: dataclasses.replace(r, session=f"{r.session} "),
    "load": lambda r: dataclasses.replace(r, load=r.load.replace(" ", "")),
    "class": lambda r: dataclasses.replace(r, severity=r.severity.upper()),
}


@pytest.mark.parametrize("column", CHANGES)
def test_a_planted_second_spelling_is_found_in_a_catalogue(plant: Callable[..., Catalogue], column: str) -> None:
    assert list(names_alike(plant())) == []
    first = next(r for r in plant().recordings if r.machine == "alpha" and r.severity)
    others = [dataclasses.replace(r, session=first.session) for r in plant().recordings if r.id != first.id][:1]
    changed = dataclasses.replace(
        plant(), recordings=(*plant().recordings, *others, dataclasses.replace(CHANGES[column](first), id="again"))
    )
    texts = list(names_alike(changed))
    assert [text.partition(" is spelled ")[0] for text in texts] == [column]
    assert "(again)" in texts[0]
