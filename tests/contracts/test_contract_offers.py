"""What every offer promises, on distributions that are really installed: a folder on the path with modules and their metadata."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from planting import OF_OFFERS

from faultbench.errors import UsageError
from faultbench.offers import Offer
from faultbench.testing.bench import once
from faultbench.testing.checks import BrokenPromise, NotAsked
from faultbench.testing.suite import SOMETHING_ASKED, Suite, contract, promises_of

PLUGIN = """
from faultbench.api import Offer, Param, hookimpl

FAULTBENCH_API = 1

@hookimpl
def faultbench_compressors():
    yield Offer("fold", "{module}_parts:Fold", "folds the weights", {"times": Param(int, 2, "how often", ge=1, le=4)})
"""
PARTS = """
from faultbench.api import UsageError

class Fold:
    def __init__(self, times=2):
        self.times = times

    def compress(self, net, ctx):
        return net, {}
"""
FOUND, API, SUMMARY, LIGHT, PARAMETERS, VALUES = promises_of("compressor")[:OF_OFFERS]


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Installs a distribution of a module of hooks and a module of parts."""
    monkeypatch.syspath_prepend(tmp_path)

    def installed(name: str, hooks: str = PLUGIN, parts: str = PARTS, plugin: str = "fold") -> Suite:
        (tmp_path / f"{name}.py").write_text(hooks.replace("{module}", name))
        (tmp_path / f"{name}_parts.py").write_text(textwrap.dedent(parts))
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[faultbench]\nmain = {name}\n")
        for module in (name, f"{name}_parts"):
            monkeypatch.delitem(sys.modules, module, raising=False)
        return Suite("compressor", plugin)

    return installed


def test_a_good_offer_keeps_every_promise(install):
    suite = install("acme_good")
    for promise in suite.promises[:OF_OFFERS]:
        suite.ask(promise)


FAULTS = [
    (FOUND, ('"fold", ', '"unfold", '), ("", ""), "fold cannot be chosen .no compressor is called 'fold'.*install your package first"),
    (
        FOUND,
        ("@hookimpl", "@hookimpl\ndef faultbench_datasets():\n    1 / 0\n\n@hookimpl"),
        ("", ""),
        "has a complaint about acme_.*ZeroDivisionError",
    ),
    (API, ("FAULTBENCH_API = 1", ""), ("", ""), "does not say which plugin API it is written for: write FAULTBENCH_API = 1"),
    (SUMMARY, ('"folds the weights"', '""'), ("", ""), "the offer has no summary: say in one line"),
    (SUMMARY, ('"how often"', '"how often\\nand when"'), ("", ""), "the summary of the parameter times is more than one line"),
    (SUMMARY, ('"folds the weights"', '"folds the weights, " * 20'), ("", ""), "the summary of the offer has 380 characters"),
    (
        LIGHT,
        ("from faultbench.api", "import numpy\nfrom faultbench.api"),
        ("", ""),
        "imports numpy, so every `faultbench list` waits for it",
    ),
    (PARAMETERS, ("", ""), ("times=2", "turns=2"), "takes no times, which the offer has"),
    (PARAMETERS, ("", ""), ("times=2", "times=3"), "times is 2 in the offer and 3 in"),
    (PARAMETERS, ("", ""), ("times=2", "rate, times=2"), "needs rate, which the offer does not have"),
    (PARAMETERS, ("", ""), ("times=2", "times=2, rate=1"), "takes rate, which nobody can set"),
    (PARAMETERS, ("", ""), ("class Fold", "import no_such_module\n\nclass Fold"), "cannot be imported .ModuleNotFoundError"),
    (VALUES, ("", ""), ("self.times = times", "1 / (4 - times)"), "offers times=4 and cannot be made so .*ZeroDivisionError"),
    (VALUES, ("", ""), ("self.times = times", "if times > 3: raise UsageError('no')"), "fold with times=4 says 'no': say it in one line"),
]


@pytest.mark.parametrize(("promise", "hooks", "parts", "said"), FAULTS, ids=[f"{n}" for n in range(len(FAULTS))])
def test_a_planted_fault_breaks_its_promise(install, request, promise, hooks, parts, said):
    suite = install(f"acme_{request.node.callspec.id}", PLUGIN.replace(*hooks), PARTS.replace(*parts))
    with pytest.raises(BrokenPromise, match=said):
        suite.ask(promise)


def test_every_promise_has_a_planted_fault():
    assert {fault[0] for fault in FAULTS} == {FOUND, API, SUMMARY, LIGHT, PARAMETERS, VALUES}
    assert all(promises_of(kind)[:OF_OFFERS] == promises_of("compressor")[:OF_OFFERS] for kind in ("dataset", "scenario", "target"))


def test_an_offer_without_a_distribution_is_asked_what_it_can_be():
    suite = Suite("compressor", Offer("none", "faultbench_compressors.none:Unchanged", "the net"))
    suite.ask(FOUND)
    with pytest.raises(NotAsked, match="an offer without a distribution"):
        suite.ask(LIGHT)
    with pytest.raises(BrokenPromise, match=r"the offer 'None' would be left out: a name is lower case"):
        Suite("compressor", Offer("None", "m:N", "")).ask(FOUND)


RAISING = PLUGIN.replace("ge=1", "gt=0")
CAUSE = (
    r"1.0 \(entry point main\) failed in faultbench_compressors \(TypeError: Param.__init__\(\) got an unexpected keyword argument 'gt'\)"
)


def test_a_hook_that_raises_is_said_once_with_its_reason_and_the_rest_is_not_asked(install):
    suite = install("acme_fold", RAISING)
    failures = suite.failures()
    assert set(failures) == {FOUND, SOMETHING_ASKED}
    assert re.fullmatch(f"fold is not found, acme_fold {CAUSE}: repair or update acme_fold", failures[FOUND])
    assert failures[SOMETHING_ASKED] == "nothing of what fold does was looked at: mend what was said first"
    with pytest.raises(NotAsked, match=r"^fold cannot be chosen: mend what was said first$"):
        suite.ask("compressing twice gives the same net")


@pytest.mark.parametrize("promise", ["compressing twice gives the same net", SOMETHING_ASKED, FOUND])
def test_whichever_promise_is_asked_first_says_the_reason(install, promise):
    with pytest.raises(BrokenPromise, match=f"fold is not found, acme_fold {CAUSE}"):
        install("acme_fold", RAISING).ask(promise)


def test_expecting_that_it_is_not_found_does_not_make_the_suite_pass(install):
    suite = install("acme_fold", RAISING)
    for promise in (FOUND, SOMETHING_ASKED):
        with pytest.raises(BrokenPromise):
            suite.ask(promise)


def test_where_another_plugin_is_broken_both_is_said(install):
    with pytest.raises(BrokenPromise, match=f"^fold is not found: install your package first .*, or mend the one .*, acme {CAUSE}"):
        install("acme", RAISING).ask(FOUND)


def test_a_parameter_that_there_is_not_needs_no_installation(install):
    with pytest.raises(BrokenPromise, match=r"^fold:tims=3 cannot be chosen, fold has no parameter 'tims': did you mean times[?] .*"):
        install("acme", plugin="fold:tims=3").ask(VALUES)


def test_what_could_not_be_reached_says_only_what_failed_first():
    class Chain:
        @once
        def first(self) -> int:
            """The first thing."""
            raise BrokenPromise("it is wrong: mend it")

        @once
        def second(self) -> int:
            """The second thing."""
            return self.first

    chain = Chain()
    with pytest.raises(BrokenPromise, match=r"^it is wrong: mend it$"):
        _ = chain.first
    for _ in range(2):
        with pytest.raises(BrokenPromise, match=r"^cannot be asked without the first thing \(it is wrong: mend it\): mend that first$"):
            _ = chain.second


def run(folder: Path, test: str, *options: str) -> subprocess.CompletedProcess[str]:
    """pytest on an author's test file, as the author runs it."""
    (folder / "test_mine.py").write_text(textwrap.dedent(test))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(folder), "-v", *options]
    return subprocess.run([*command, str(folder / "test_mine.py")], cwd=folder, capture_output=True, text=True, timeout=250, check=False)


def test_one_import_and_one_line_run_every_promise_under_its_name(tmp_path):
    done = run(tmp_path, 'from faultbench.testing import contract\ntest_contract = contract("scenario", "new-device:window=512")\n')
    assert done.returncode == 0, done.stdout
    for promise in promises_of("scenario"):
        assert f"test_mine.py::test_contract[{promise}] PASSED" in done.stdout


def test_a_broken_promise_is_one_line_and_an_expected_one_carries_its_reason(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from faultbench.data.scenarios.new_device import NewDevice\nclass Mine(NewDevice):\n    level = 'T9'\n    def __init__(self):\n"
        "        super().__init__(window=512)\n"
    )
    test = """
        import sys
        sys.path.insert(0, {folder!r})
        from faultbench.api import Offer
        from faultbench.testing import contract
        test_mine = contract("scenario", Offer("mine", "mine:Mine", "mine"), expected_failures={expected})
    """
    done = run(tmp_path, test.format(folder=str(tmp_path), expected={}), "-k", "level")
    assert done.returncode == 1
    assert "its level is 'T9': name one of T0, T1, T2" in done.stdout
    assert "Traceback" not in done.stdout
    expected = {"its level is one that the audit knows": "T9 is to come"}
    done = run(tmp_path, test.format(folder=str(tmp_path), expected=expected), "-k", "level", "-rx")
    assert done.returncode == 0, done.stdout
    assert "T9 is to come" in done.stdout


def test_an_expected_failure_that_does_not_come_is_a_failure(tmp_path):
    test = """
        from faultbench.testing import contract
        reason = {"its level is one that the audit knows": "nobody knows"}
        test_contract = contract("scenario", "new-device:window=512", expected_failures=reason)
    """
    done = run(tmp_path, test, "-k", "level")
    assert done.returncode == 1
    assert "nobody knows" in done.stdout


def test_what_a_plugin_raises_comes_with_its_traceback(tmp_path):
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    level = 'T2'\n    def split(self, catalogues, request, seed):\n        return 1 / 0\n"
    )
    test = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from faultbench.api import Offer
        from faultbench.testing import contract
        test_mine = contract("scenario", Offer("mine", "mine:Mine", "mine"))
    """
    done = run(tmp_path, test, "-k", "finds or side")
    assert "mine raises ZeroDivisionError: division by zero: mend what the traceback shows" in done.stdout
    assert "return 1 / 0" in done.stdout
    assert not re.search(r"faultbench/[\w/]+\.py:", done.stdout), done.stdout  # nothing of faultbench's own code
    assert "cannot be asked without the split of the plant" in done.stdout  # the second check does not repeat it


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("nowhere:Mine", "scenario mine of nowhere 0 cannot be imported (ModuleNotFoundError: No module named 'nowhere'): repair"),
        (
            "fractions:Odd",
            "scenario mine of nowhere 0 cannot be imported (AttributeError: module 'fractions' has no attribute 'Odd'): repair",
        ),
    ],
)
def test_what_faultbench_says_of_a_plugin_is_one_line(tmp_path, factory, said):
    test = f"""
        from faultbench.api import Offer
        from faultbench.testing import contract
        test_mine = contract("scenario", Offer("mine", "{factory}", "mine"))
    """
    done = run(tmp_path, test, "-k", "leak")
    assert done.returncode == 1
    assert f"\n{said}" in done.stdout
    assert "Traceback" not in done.stdout
    assert not re.search(r"faultbench/[\w/]+\.py:|All traceback", done.stdout), done.stdout


def test_what_is_not_asked_is_skipped_under_the_promise_that_is_not_looked_at(tmp_path):
    test = """
        from faultbench.testing import contract
        test_contract = contract("learner", "centroid")
    """
    done = run(tmp_path, test, "-rs", "-k", "budget or extra")
    assert "training keeps to its budget: its training draws no tasks" in done.stdout
    assert "training hears an extra loss: its training draws no tasks" in done.stdout


def test_the_guard_holds_whichever_items_run(tmp_path):
    test = """
        from faultbench.testing import contract
        test_contract = contract("dataset", "cwru", data_dir="nowhere")
    """
    alone = run(tmp_path, test, "-k", "skipped")
    assert alone.returncode == 1
    assert "nothing of what cwru does was looked at" in alone.stdout
    whole = run(tmp_path, test)
    assert whole.stdout.count("FAILED") == 2  # the item, and the summary
    good = run(
        tmp_path,
        'from faultbench.testing import contract\ntest_contract = contract("scenario", "new-device:window=512")\n',
        "-k",
        "skipped",
    )
    assert good.returncode == 0, good.stdout


@pytest.mark.parametrize(
    ("kind", "expected", "said"),
    [
        ("lerner", {}, "there is no kind 'lerner': did you mean learners"),
        ("learner", {"nope": "no"}, "no promise of learners reads 'nope': `pytest -v` names them$"),
        ("learner", {"it learns from suport": "no"}, "did you mean 'it learns from the support'"),
        ("learner", {"it learns": "no"}, "no promise of learners reads 'it learns': did you mean 'it learns from the support'"),
        ("learner", {"it learns from the support": " "}, "the expected failure of 'it learns from the support' has no reason"),
    ],
)
def test_a_suite_that_makes_no_sense_is_refused(kind, expected, said):
    with pytest.raises(UsageError, match=said):
        contract(kind, "maml", expected_failures=expected)


def test_importing_the_suites_needs_no_pytest(tmp_path):
    code = "import sys; sys.modules['pytest'] = None; from faultbench.testing import Suite; print(Suite('target', 'x86').promises[0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == f"{FOUND}\n", done.stderr


def test_a_suite_runs_without_pytest():
    assert Suite("scenario", "new-device:window=512").failures() == {}


@pytest.mark.parametrize("kind", ["dataset", "scenario", "frontend", "backbone", "learner", "compressor", "target"])
def test_no_two_promises_of_a_kind_have_one_name(kind):
    from faultbench.testing import suite
    from faultbench.testing.offers import CHECKS

    home = importlib.import_module(suite._CONTRACTS[f"{kind}s"])
    every = [check.promise for check in (*CHECKS.found, *home.CHECKS.found)]
    assert len(set(every)) == len(every)
    assert (*every, SOMETHING_ASKED) == promises_of(kind)
