"""Discovery against distributions that are really installed: a folder on the path with modules and their metadata."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from faultbench.errors import PluginError, UsageError
from faultbench.registry import Choice, Registry, make

GOOD = """
from faultbench.api import Offer, Param, hookimpl

@hookimpl
def faultbench_learners():
    return [Offer("svm", "{module}:Svm", "support vectors", {{"c": Param(float, 1.0, "softness", ge=0)}})]

class Svm:
    def __init__(self, c, data_dir=None):
        self.c, self.data_dir = c, data_dir
"""


class Site:
    """A folder of made-up distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, name: str, source: str, version: str = "1.0") -> str:
        """Installs a distribution of one module, which its entry point `faultbench` names."""
        module = name.replace("-", "_").lower()
        (self.folder / f"{module}.py").write_text(textwrap.dedent(source).replace("{module}", module).replace("{{", "{").replace("}}", "}"))
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[faultbench]\n{module} = {module}\n")
        return module

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(filter(None, (str(self.folder), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run([sys.executable, *words], env=environment, capture_output=True, text=True, timeout=60, check=False)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("-c", "import sys; from faultbench.cli import main; sys.exit(main())", *words)

    def found(self, kind: str, text: str = "") -> tuple[list[str], list[str], str]:
        """What is offered of a kind by others, the problems, and what a name resolves to."""
        script = """
            import json, sys
            from faultbench.errors import FaultbenchError
            from faultbench.registry import Registry
            registry, (kind, text) = Registry.discover(), sys.argv[1:]
            try:
                choice = text and registry.choose(kind, text)
                resolved = choice and f"{choice.qualified} {choice.spelling}"
            except FaultbenchError as error:
                resolved = f"{type(error).__name__}: {error}"
            offered = [r.qualified for r in registry.offers(kind) if not r.builtin]
            print("ANSWER", json.dumps([offered, [str(p) for p in registry.problems], resolved]))
        """
        done = self.run("-c", textwrap.dedent(script), kind, text)
        assert done.returncode == 0, done.stderr
        return tuple(json.loads(done.stdout.removeprefix("ANSWER ")))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.discover(plugins=False)


def test_the_built_in_plugins_have_no_problems(registry):
    assert registry.problems == ()


def test_every_kind_but_none_is_offered_by_faultbench_itself(registry):
    for kind in ("datasets", "scenarios", "frontends", "backbones", "learners", "compressors", "targets"):
        assert registry.offers(kind), kind
        assert all(registered.builtin for registered in registry.offers(kind))


def test_a_third_party_learner_is_chosen_by_its_bare_name(site):
    site.install("Acme-Faults", GOOD)
    assert site.found("learners", "svm:c=2") == (["Acme-Faults/svm"], [], "Acme-Faults/svm svm:c=2")
    assert site.found("learners", "acme.faults/svm")[2] == "Acme-Faults/svm svm"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module", "cannot be loaded (ModuleNotFoundError: No module named 'no_such_module')"),
        ("def f(:", "cannot be loaded (SyntaxError"),
        ("raise SystemExit(3)", "cannot be loaded (SystemExit: 3)"),
        ("raise BaseException('x')", "cannot be loaded (BaseException: x)"),
        ("import asyncio\nraise asyncio.CancelledError", "cannot be loaded (CancelledError): repair"),
        ("FAULTBENCH_API = 99", "is written for plugin API 99, this is 1: update faultbench, or install an older zeta"),
        (
            "FAULTBENCH_API = 0",
            "is written for plugin API 0, this is 1, which takes those from 1: update zeta, or install an older faultbench",
        ),
        ("FAULTBENCH_API = '1'", "says FAULTBENCH_API = '1': write the whole number"),
        ("FAULTBENCH_API = True", "says FAULTBENCH_API = 'True': write the whole number"),
        (
            "from faultbench.api import hookimpl\n@hookimpl\ndef faultbench_learners():\n    1 / 0",
            "failed in faultbench_learners (ZeroDivisionError",
        ),
        (
            "from faultbench.api import hookimpl\n@hookimpl\ndef faultbench_learners():\n    raise BaseException('x')\n    yield",
            "failed in faultbench_learners (BaseException: x",
        ),
        (
            "from faultbench.api import hookimpl\n@hookimpl\ndef faultbench_learners():\n    return 3",
            "failed in faultbench_learners (TypeError",
        ),
        (
            "from faultbench.api import hookimpl\n@hookimpl\ndef faultbench_learners():\n    return ['svm']",
            "offers 'svm' in faultbench_learners: return an iterable of",
        ),
        ("from faultbench.api import hookimpl\n@hookimpl\ndef faultbench_lerners():\n    return []", "did you mean faultbench_learners?"),
        (
            "from faultbench.api import hookimpl\n@hookimpl\ndef faultbench_learners(x):\n    return []",
            "cannot be loaded (PluginValidationError",
        ),
        (
            "from faultbench.api import hookimpl\nimport itertools\n@hookimpl\ndef faultbench_learners():\n    return itertools.repeat(1)",
            "offers more than 1000",
        ),
        ("raise RuntimeError('two\\nlines \\x1b[31m')", "(RuntimeError: two lines [31m)"),
    ],
)
def test_a_broken_plugin_is_one_line_and_costs_only_itself(site, source, said):
    site.install("zeta", source)
    site.install("acme", GOOD)
    offered, problems, resolved = site.found("learners", "svm")
    assert offered == ["acme/svm"]
    assert resolved == "acme/svm svm"
    assert len(problems) == 1
    assert problems[0].startswith("zeta 1.0 (entry point zeta) ")
    assert said in problems[0]
    assert problems[0].isprintable()


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ('Offer("SVM", "m:S", "")', "a name is lower case"),
        ('Offer("svm+", "m:S", "")', "a name is lower case"),
        ('Offer(7, "m:S", "")', "a name is lower case"),
        ('Offer("svm", "m.S", "")', "a factory is written"),
        ('Offer("svm", "m:S", None)', "summary and cite are texts"),
        ('Offer("svm", "m:S", "", ["c"])', "params maps names"),
        ('Offer("svm", "m:S", "", {"C": Param(int, 1, "")})', "identifier in lower case"),
        ('Offer("svm", "m:S", "", {"c": 3})', "parameter c is a faultbench.api.Param"),
        ('Offer("svm", "m:S", "", {"c": Param(int, 1.5, "")})', "default and choices of parameter c are int"),
        ('Offer("svm", "m:S", "", {"c": Param(int, True, "")})', "default and choices of parameter c are int"),
        ('Offer("svm", "m:S", "", {"c": Param(int, 0, "", ge=1)})', "within its bounds"),
        ('Offer("svm", "m:S", "", {"c": Param(str, "a,b", "")})', "hold no comma"),
        ('Offer("svm", "m:S", "", {"c": Param(str, "a", "", choices=("b",))})', "one of its choices"),
        ('Offer("svm", "m:S", "", {"c": Param(str, "a", "")}, "c")', "positional names a parameter that is a number"),
        ('Offer("svm", "m:S", "", {}, "c")', "positional names a parameter that is a number"),
    ],
)
def test_an_offer_that_breaks_the_contract_is_left_out_with_the_reason(site, offer, said):
    site.install("acme", f"from faultbench.api import Offer, Param, hookimpl\n@hookimpl\ndef faultbench_learners():\n    return [{offer}]")
    offered, problems, resolved = site.found("learners", "svm")
    assert offered == []
    assert len(problems) == 1
    assert said in problems[0]
    if '"svm"' in offer:
        assert resolved.startswith("PluginError: learner 'svm' had to be left out: acme 1.0")
    else:
        assert resolved.startswith("UsageError: ")
        assert resolved.endswith(f"A plugin that may offer it is broken: {problems[0]}")


def test_a_built_in_name_cannot_be_shadowed_but_qualified(site):
    site.install("acme", GOOD.replace('"svm"', '"cnn"'))
    offered, problems, resolved = site.found("learners", "cnn")
    assert offered == ["acme/cnn"]
    assert len(problems) == 1
    assert "cannot be taken: write acme/cnn" in problems[0]
    assert resolved == "faultbench/cnn cnn"
    assert site.found("learners", "acme/cnn:c=3")[2] == "acme/cnn acme/cnn:c=3"


def test_a_built_in_name_followed_by_digits_is_refused(site):
    site.install("acme", GOOD.replace("learners", "compressors").replace('"svm"', '"prune40"'))
    offered, problems, resolved = site.found("compressors", "prune40")
    assert offered == []
    assert "reads as prune with the number 40: rename it" in problems[0]
    assert resolved == "faultbench/prune prune40"


def test_two_strangers_of_one_name_need_their_distribution(site):
    site.install("acme", GOOD)
    site.install("beta", GOOD)
    offered, problems, resolved = site.found("learners", "svm")
    assert offered == ["acme/svm", "beta/svm"]
    assert "write beta/svm or acme/svm" in problems[0]
    assert resolved == "UsageError: more than one learner is called svm: write acme/svm or beta/svm"
    assert site.found("learners", "beta/svm")[2] == "beta/svm beta/svm"


def test_a_name_offered_twice_by_one_distribution_counts_once(site):
    site.install("acme", GOOD.replace("return [", "return 2 * ["))
    offered, problems, _ = site.found("learners", "svm")
    assert offered == ["acme/svm"]
    assert "offers the name svm twice" in problems[0]


def test_no_plugins_leaves_strangers_out_and_strict_plugins_makes_a_problem_an_error(site):
    site.install("acme", "import no_such_module")
    assert "warning: acme 1.0" in site.command("list", "learners").stderr
    assert site.command("--no-plugins", "list", "learners").stderr == ""
    strict = site.command("--strict-plugins", "list", "learners")
    assert strict.returncode == 2
    assert strict.stderr.startswith("error: acme 1.0 (entry point acme) cannot be loaded")
    assert strict.stdout == ""


def test_a_plugin_that_prints_when_it_is_loaded_does_not_reach_stdout(site):
    site.install("acme", "print('here I am')\n" + GOOD)
    listed = site.command("list", "learners")
    assert "here I am" not in listed.stdout
    assert "here I am" in listed.stderr
    assert "svm" in listed.stdout


def test_doctor_notes_a_broken_plugin(site):
    site.install("acme", "import no_such_module")
    checked = site.command("doctor")
    assert checked.returncode == 0
    assert "note    acme 1.0 (entry point acme) cannot be loaded" in checked.stdout


def test_a_factory_is_given_what_its_signature_names_and_nothing_else(site):
    site.install("acme", GOOD)
    done = site.run(
        "-c",
        "from faultbench.registry import Registry, make; c = Registry.discover().choose('learners', 'svm:c=2');"
        "s = make(c, data_dir='d', other=1); print(s.c, s.data_dir)",
    )
    assert done.stdout == "2.0 d\n", done.stderr


def choice_of(factory: str, **params: float) -> Choice:
    return Choice("learners", "svm", "acme/svm", "acme", "1.0", factory, params, "svm")


def test_a_factory_that_cannot_be_imported_is_the_plugins_fault():
    with pytest.raises(PluginError, match=r"learner svm of acme 1\.0 cannot be imported \(ModuleNotFoundError: .*repair or update acme"):
        make(choice_of("no_such_module:Svm"))
    with pytest.raises(PluginError, match="cannot be imported"):
        make(choice_of("json:NoSuchClass"))


def test_a_factory_that_fails_is_the_plugins_fault():
    with pytest.raises(PluginError, match=r"learner svm of acme 1\.0 cannot be made \(ZeroDivisionError"):
        make(choice_of("fractions:Fraction", numerator=1, denominator=0))
    with pytest.raises(PluginError, match=r"cannot be made \(TypeError"):
        make(choice_of("fractions:Fraction", no_such_parameter=1))


def test_what_a_factory_raises_of_our_own_errors_stays_what_it_is(site):
    site.install(
        "acme",
        GOOD.replace("self.c, self.data_dir = c, data_dir", "from faultbench.api import DataError; raise DataError('no folder: get it')"),
    )
    done = site.run(
        "-c",
        "from faultbench.registry import Registry, make\n"
        "from faultbench.errors import DataError\n"
        "try:\n    make(Registry.discover().choose('learners', 'svm'))\nexcept DataError as error:\n    print(error)",
    )
    assert done.stdout == "no folder: get it\n", done.stderr


def test_a_choice_travels_between_processes(registry):
    choice = registry.choose("learners", "maml:inner_steps=3")
    assert pickle.loads(pickle.dumps(choice)) == choice  # noqa: S301 - our own bytes
    assert choice.params["inner_steps"] == 3
    assert hash(choice) == hash(registry.choose("learners", "maml:inner_steps=3"))


def test_a_chain_is_chosen_link_by_link(registry):
    assert [choice.spelling for choice in registry.chain("compressors", "none+prune:percent=30")] == ["none", "prune30"]


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("learners", "mamal", "no learner is called 'mamal': did you mean maml[?] See `faultbench list learners`"),
        ("learners", "wizard", "no learner is called 'wizard': there are .*maml.*[.] See `faultbench list learners`"),
        ("learners", "prune40", "'prune40' is a compressor, not a learner"),
        ("learners", "acme/maml", "there is no learner of acme"),
        ("compressors", "prune40+", "is not a name"),
        ("learners", "maml:iner_steps=3", "did you mean inner_steps"),
    ],
)
def test_a_name_that_does_not_exist_says_which_do(registry, kind, text, said):
    with pytest.raises(UsageError, match=said):
        registry.choose(kind, text)


RAISING = GOOD.replace("return [", "return [][0] or [")
BROKEN = "A plugin that may offer it is broken: "


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (RAISING, r"acme 1.0 \(entry point acme\) failed in faultbench_learners \(IndexError: .*\): repair or update acme$"),
        ("import no_such_module\n" + GOOD, "acme 1.0 .* cannot be loaded .ModuleNotFoundError.*"),
        ("FAULTBENCH_API = 99\n" + GOOD, "acme 1.0 .* is written for plugin API 99.*"),
        (
            GOOD.replace("faultbench_learners", "faultbench_learner"),
            "acme .* is no hook: did you mean faultbench_learners[?]",
        ),
        (GOOD.replace('"svm"', '"Svm"'), "acme .* offers 'Svm' in faultbench_learners: a name is lower case letters.*"),
    ],
)
def test_a_name_that_a_broken_plugin_may_hold_is_answered_with_what_is_wrong_with_it(site, source, said):
    site.install("acme", source)
    _, _, resolved = site.found("learners", "svm")
    assert re.fullmatch(r"UsageError: no learner is called 'svm': .* See `faultbench list learners`. " + BROKEN + said, resolved)
    assert BROKEN in site.found("learners", "acme/svm")[2]


def test_of_several_broken_plugins_the_one_called_like_the_name_is_said(site):
    site.install("acme", "import no_such_module")
    site.install("faultbench-svm", RAISING)
    assert f"{BROKEN}faultbench-svm 1.0" in site.found("learners", "svm")[2]
    assert site.found("learners", "svm")[2].endswith("(and 1 more: see `faultbench doctor`)")


def test_what_is_wrong_elsewhere_is_not_blamed(site):
    site.install("acme", RAISING)  # its learners only
    assert BROKEN not in site.found("targets", "svm")[2]
    assert BROKEN not in site.found("learners", "beta/svm")[2]
    site.install("beta", GOOD.replace('"svm", "', '"cnn", "'))  # a clash costs nothing
    assert f"{BROKEN}acme" in site.found("learners", "svm")[2]
    assert "more: see" not in site.found("learners", "svm")[2]


def test_list_and_run_say_it_in_the_same_line(site):
    site.install("acme", RAISING)
    for words in (("list", "learners", "svm"), ("run", "-l", "svm", "--dry-run")):
        done = site.command(*words)
        assert done.returncode == 2
        assert re.match(f"error: no learner is called 'svm': .*{BROKEN}acme 1.0", done.stderr.splitlines()[-1])


OBSERVER = """
from faultbench.api import hookimpl

@hookimpl
def faultbench_cell_finished(row):
    row["accuracy"] = 1.0
    {}
"""
TELL = (
    "from faultbench.registry import Registry\nrow, hook = {'accuracy': 0.5, 'deep': {'a': 1}}, Registry.discover().hook\n"
    "hook.faultbench_run_started({})\nhook.faultbench_cell_finished(row)\nhook.faultbench_cell_finished(row)\n"
    "hook.faultbench_run_finished({})\nprint(row)"
)


def test_an_observer_sees_every_cell_and_cannot_change_it(site):
    site.install("acme", OBSERVER.format("import sys; print('saw', row['deep'], file=sys.stderr)"))
    done = site.run("-c", TELL)
    assert done.stdout == "{'accuracy': 0.5, 'deep': {'a': 1}}\n"
    assert done.stderr == "saw {'a': 1}\n" * 2


@pytest.mark.parametrize(("raised", "said"), [("SystemExit(1)", "SystemExit: 1"), ("BaseException('x')", "BaseException: x")])
def test_an_observer_that_fails_is_one_warning_and_no_failed_run(site, raised, said):
    site.install("acme", OBSERVER.format(f"raise {raised}"))
    done = site.run("-c", TELL)
    assert done.returncode == 0
    assert done.stderr == f"warning: acme 1.0 (entry point acme) failed in faultbench_cell_finished ({said}): the run goes on without it\n"


def test_a_program_other_than_a_plugin_cannot_hide_an_interrupt(site):
    site.install("acme", "raise KeyboardInterrupt")
    assert site.command("list").returncode == 130


EVIL = "raise BaseException('x')"


@pytest.mark.parametrize("words", [("list", "learners"), ("doctor",), ("data", "list")])
def test_a_module_that_raises_what_is_no_exception_is_left_out_and_ends_no_command(site, words):
    site.install("evil", EVIL)
    done = site.command(*words)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_that_raises_what_is_no_exception_is_named(site):
    site.install("evil", EVIL)
    said = "evil 1.0 (entry point evil) cannot be loaded (BaseException: x): repair, update or uninstall evil"
    assert said in site.command("list").stderr
    done = site.command("run", "-d", "simulated", "-l", "evil", "--quick")
    assert done.returncode == 2
    assert "no learner is called 'evil'" in done.stderr


FACTORY = """
from faultbench.api import Offer, hookimpl

@hookimpl
def faultbench_learners():
    return [Offer("late", "{module}_late:Late", "raises when it is imported")]
"""


def test_a_factory_that_raises_what_is_no_exception_is_a_broken_plugin(site):
    site.install("evil", FACTORY)
    (site.folder / "evil_late.py").write_text(EVIL)
    done = site.command("run", "-d", "simulated", "-l", "late", "--quick")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "learner late of evil 1.0 cannot be imported (BaseException: x): repair or update evil, or leave it out" in done.stderr
    assert "its factory evil_late:Late cannot be imported (BaseException: x)" in site.command("doctor").stdout


@pytest.mark.parametrize(("raised", "said"), [("BaseException('x')", "BaseException (x)"), ("SystemExit(1)", "SystemExit (1)")])
def test_whatever_comes_as_far_as_the_command_is_one_line_and_no_criterion_that_fails(site, raised, said):
    broken = f"from faultbench.registry import Registry\ndef breaks(**_): raise {raised}\nRegistry.discover = breaks"
    done = site.run("-c", f"{broken}\nimport sys; from faultbench.cli import main; sys.exit(main())", "list", "learners")
    assert (done.returncode, done.stderr) == (4, f"error: unexpected {said}: repeat with `faultbench --debug ...` to see where\n")
