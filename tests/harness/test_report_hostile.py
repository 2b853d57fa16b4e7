"""Whatever fits the published schema can be shown: a result from outside breaks no report, and does not reach a terminal as it is."""

from __future__ import annotations

import copy
import io
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from faultbench.errors import FaultbenchError
from faultbench.report.compared import render as render_comparison
from faultbench.report.compared.table import print_comparison
from faultbench.report.document import document
from faultbench.report.explaining import print_explanation
from faultbench.report.formats import FILES, render
from faultbench.report.schema import check
from faultbench.report.table import print_table
from faultbench.results.comparison import Side, compare
from faultbench.results.conditions import parse

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False),
    st.text(st.characters(codec=None), max_size=10),
    st.sampled_from([[], {}, ["x"], "T0", "pass", "fail", "error", "quick", 0, 1, 1e-9, 1e14, "\x1b[31m", "a\nb"]),
)


def leaves(part, path=()):
    """The paths of everything within a document."""
    if path:
        yield path
    inner = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for name, value in inner:
        yield from leaves(value, (*path, name))


def changed(made, path, value):
    made = copy.deepcopy(made)
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made


@pytest.fixture
def sound(rows):
    """A document with a row that fails and one that broke, and the paths of all that is in it."""
    failing = rows.judged({"learner": "cnn"}, criteria="accuracy.ci_low>=0.999, latency_ms.p99<=100", notes={"a": "b"}, labels=["c"])
    made = document([failing, rows.unscored({"learner": "broken"}, error="it broke: mend it")], ["faultbench", "run"])
    made = json.loads(json.dumps(made))
    return made, list(leaves(made["rows"], ("rows",)))


def show_everything(made):
    rows, command = made["rows"], made["command"]
    for form in FILES:
        render(form, rows, command)
    text = io.StringIO()
    for width in (30, 200):
        console = Console(file=text, width=width)
        print_table(rows, console)
        print_explanation(rows, command, console)
    side = Side("it", tuple(command), tuple(rows))
    compared = compare(side, side, parse("accuracy.diff.ci_high<-0.01, latency_ms.p99.ratio>1.2, params.ratio>1"))
    print_comparison(compared, console)
    for form in ("json", "markdown", "junit"):
        render_comparison(form, compared, command)
    return text.getvalue()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_document_that_fits_the_schema_is_shown_or_refused_in_one_line(sound, data):
    made, paths = sound
    made = changed(made, data.draw(st.sampled_from(paths)), data.draw(VALUES))
    try:
        check(made, "run", "it")
        said = show_everything(made)
    except FaultbenchError as error:
        assert len(str(error)) < 600  # noqa: PT017 - a refusal is fine, a crash is not
        return
    assert "\x1b" not in said


def test_a_sound_document_is_shown(sound):
    made, paths = sound
    assert len(paths) > 200
    assert "it broke: mend it" in show_everything(made)
