"""A contract suite: the checks of one kind put to one plugin, by pytest or by hand."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import NoReturn

from faultbench import names
from faultbench.discovery import cause, one_line
from faultbench.errors import FaultbenchError, UsageError
from faultbench.offers import Offer
from faultbench.registry import kind_of
from faultbench.testing.bench import DataDir
from faultbench.testing.checks import BrokenPromise, Check, NotAsked, left_python, where_raised

SOMETHING_ASKED = "not everything was skipped"
"""The promise of the suite itself: a suite in which nothing of what a plugin does was looked at proves nothing."""

_CONTRACTS = {
    "datasets": "faultbench.testing.datasets",
    "scenarios": "faultbench.testing.scenarios",
    "frontends": "faultbench.testing.frontends",
    "backbones": "faultbench.testing.backbones",
    "learners": "faultbench.testing.learners",
    "compressors": "faultbench.testing.compressors",
    "targets": "faultbench.testing.targets",
}
"""Where the checks of each kind are, and the bench on which they are put."""


class NotFound(NotAsked):
    """A promise that could not be looked at since there is no such plugin, which was said already."""


def contract(
    kind: str, plugin: str | Offer, *, data_dir: DataDir = None, expected_failures: Mapping[str, str] | None = None
) -> Callable[..., None]:
    """A pytest function that puts the contract of a kind to a plugin, an item per promise: assign it to a name that begins with `test`.

    Args:
        kind: `dataset`, `scenario`, `frontend`, `backbone`, `learner`, `compressor` or `target`.
        plugin: Its name, with parameters where it needs some (`my-learner:meta_steps=50`); its distribution has to be installed
            (`pip install -e .`). Or an offer whose factory can be imported, where there is no distribution yet.
        data_dir: For a data set: the folder that holds a folder per data set, or a function that makes one.
        expected_failures: Promises that are known to be broken, each with the reason. One that is kept after all is a failure too.

    Raises:
        UsageError: There is no such kind or promise, or a reason is empty.
    """
    import pytest  # the extra `test` brings it; what else is in this package does without

    suite = Suite(kind, plugin, data_dir=data_dir)
    expected = _expected(suite, expected_failures or {})
    items = [
        pytest.param(promise, id=promise, marks=[pytest.mark.xfail(reason=expected[promise], strict=True)] if promise in expected else [])
        for promise in suite.promises
    ]

    @pytest.mark.parametrize("promise", items)
    def test_contract(promise: str) -> None:
        __tracebackhide__ = True
        wrong = reason = ""
        try:
            suite.ask(promise)
        except BrokenPromise as error:
            if error.__cause__ is not None:
                raise  # what the plugin raised is worth its traceback
            wrong = str(error)
        except NotFound as said:
            reason = str(said)  # the same for all, so that pytest says it once
        except NotAsked as said:
            reason = f"{promise}: {said}"
        if wrong:
            __tracebackhide__ = False  # pytest adds a line where all is hidden, and shows none of it for this
            pytest.fail(wrong, pytrace=False)
        if reason:
            pytest.skip(reason)

    return test_contract


class Suite:
    """The contract of a kind, put to one plugin. What is costly, a training say, is done once for all checks.

    Args:
        kind: As in `contract`.
        plugin: As in `contract`.
        data_dir: As in `contract`.

    Raises:
        UsageError: There is no such kind.
    """

    def __init__(self, kind: str, plugin: str | Offer, *, data_dir: DataDir = None) -> None:
        from faultbench.testing import offers

        self.kind = kind_of(kind)
        home = importlib.import_module(_CONTRACTS[self.kind])
        self._bench = home.Bench(self.kind, plugin, data_dir)
        self._checks: dict[str, Check] = {check.promise: check for check in (*offers.CHECKS.found, *home.CHECKS.found)}
        self._telling = [check.promise for check in home.CHECKS.found if check.telling]
        self._asked: dict[str, bool] = {}
        self._found, self._absence_said = offers.FOUND, False

    @property
    def promises(self) -> tuple[str, ...]:
        """What is promised, in the order in which it is asked."""
        return (*self._checks, SOMETHING_ASKED)

    def ask(self, promise: str) -> None:
        """Looks whether one promise is kept.

        Raises:
            BrokenPromise: It is not; the message says what to do. Where the plugin's code raised something, that is the cause.
            NotAsked: It could not be looked at; the message says why.
        """
        __tracebackhide__ = True
        if self._bench.absence:
            self._say_absence(promise, self._bench.absence)
        if promise == SOMETHING_ASKED:
            self._ask_whether_anything_was_asked()
            return
        self._asked[promise] = False
        try:
            self._checks[promise].ask(self._bench)
        except NotAsked:
            raise
        except BrokenPromise:
            self._asked[promise] = True
            raise
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises
            self._asked[promise] = True
            raised = where_raised(error)
            if isinstance(error, FaultbenchError) and raised is not error:  # faultbench said it, in one line with what to do
                raise BrokenPromise(one_line(str(error))) from raised
            raise BrokenPromise(f"{self._bench.name} raises {cause(error)}: mend what the traceback shows") from (raised or error)
        except SystemExit as error:
            self._asked[promise] = True
            raise BrokenPromise(f"{self._bench.name}: {left_python(error)}") from error
        self._asked[promise] = True

    def failures(self) -> dict[str, str]:
        """All promises that are broken, each with what is wrong: the suite without pytest."""
        found = {}
        for promise in self.promises:
            try:
                self.ask(promise)
            except BrokenPromise as error:
                found[promise] = str(error)
            except NotAsked:
                continue
        return found

    def _say_absence(self, promise: str, absence: str) -> NoReturn:
        """Says why the plugin cannot be chosen: once, whichever promise comes first, and wherever it is asked for."""
        said, self._absence_said = self._absence_said, True
        if not said or promise == self._found:
            raise BrokenPromise(absence)
        if promise == SOMETHING_ASKED:  # a suite cannot pass by expecting the failure above
            raise BrokenPromise(f"nothing of what {self._bench.name} does was looked at: mend what was said first")
        raise NotFound(f"{self._bench.name} cannot be chosen: mend what was said first")

    def _ask_whether_anything_was_asked(self) -> None:
        """Puts what was not put yet, until something could be asked: so it does not matter which items run, or in which order."""
        reason = "it has no checks"
        for promise in self._telling:
            if promise not in self._asked or not self._asked[promise]:
                try:
                    self.ask(promise)
                except NotAsked as error:
                    reason = str(error)
                except BrokenPromise:  # asked, and for its own item to say
                    return
            if self._asked[promise]:
                return
        raise BrokenPromise(
            f"nothing of what {self._bench.name} does was looked at ({reason}): "
            f"let the suite run where it can, or expect this failure with the reason"
        )


def _expected(suite: Suite, failures: Mapping[str, str]) -> Mapping[str, str]:
    """The expected failures, after checking that each is a promise and has a reason."""
    for promise, reason in failures.items():
        if promise not in suite.promises:
            begun = [one for one in suite.promises if promise.strip() and one.startswith(promise)]
            meant = names.instead(begun[0] if begun else promise, suite.promises, listing="`pytest -v` names them", spell=repr)
            raise UsageError(f"no promise of {suite.kind} reads {names.shown(promise)}: {meant}")
        if not reason.strip():
            raise UsageError(f"the expected failure of {promise!r} has no reason: give one")
    return failures


def promises_of(kind: str) -> tuple[str, ...]:
    """The promises of a kind, those of its offer among them."""
    return Suite(kind, Offer("any", "nowhere:Any", "")).promises
