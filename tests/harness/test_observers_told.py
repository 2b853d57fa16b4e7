"""What observers are told, and when: every run that began is told to have ended."""

from __future__ import annotations

import json

import pytest

from faultbench.errors import UsageError
from faultbench.matrix import execute as executing
from faultbench.matrix.execute import execute


class Told:
    """An observer and a progress that nobody looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, site, error: BaseException) -> None:
        self.heard: list[tuple[str, object]] = []
        planned = site.plan()
        planned.registry.hook = self

        def ends(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(executing.running, "run", ends)
        with pytest.raises(type(error)):
            execute(planned, None, command=["made", "up"], store=site.store)

    def faultbench_run_started(self, plan):
        self.heard.append(("started", plan))

    def faultbench_cell_finished(self, row):
        self.heard.append(("cell", row))

    def faultbench_run_finished(self, summary):
        self.heard.append(("finished", summary))


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (UsageError("the cache cannot be written: make room"), 2),
        (OSError(28, "No space left on device"), 4),
    ],
)
def test_a_run_that_an_error_ends_is_told_to_have_ended(site, monkeypatch, error, code):
    (first, plan), (last, summary) = Told(monkeypatch, site, error).heard
    assert (first, last) == ("started", "finished")
    assert plan["command"] == ["made", "up"]
    assert plan["cells"][0]["learner"] == "toy"
    assert summary == {"exit_code": code, "cells": 0}


def test_what_observers_get_is_plain_json(site):
    _, notes = site.run()
    assert notes.observed[0] == "started"
    assert notes.observed[1] == "toy"
    assert json.loads(notes.observed[-1])["exit_code"] == 0
