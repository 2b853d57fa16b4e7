"""What every offer promises, whatever its kind: it is light, it says what it is, and its parameters are those of its factory."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import inspect
import os
import subprocess
import sys

from faultbench.discovery import GROUP, HARNESS, flaw, normalised
from faultbench.errors import FaultbenchError, UsageError
from faultbench.names import value_text
from faultbench.offers import Param, Value
from faultbench.registry import GIVEN, make, mismatch
from faultbench.testing.bench import Bench
from faultbench.testing.checks import BrokenPromise, Checks, NotAsked, broken, require, require_advice

CHECKS = Checks()

FOUND = "it is found under its name"
"""The first promise: where it is broken, no other can be looked at."""

HEAVY = (
    *("jax", "lightning", "matplotlib", "mlflow", "numpy", "onnx", "onnxruntime", "onnxscript", "pandas", "pooch", "pytorch_lightning"),
    *("requests", "scipy", "sklearn", "tensorflow", "torch", "torchmetrics"),
)
"""What `faultbench list` must not wait for."""

_IMPORTED = "import importlib, sys; before = set(sys.modules); importlib.import_module(sys.argv[1]); print(*(set(sys.modules) - before))"


@CHECKS.promise(FOUND)
def _found(bench: Bench) -> None:
    if not isinstance(bench.plugin, str):
        reason = flaw(bench.plugin)
        require(not reason, f"the offer {bench.name!r} would be left out", reason)
        return
    if bench.absence:
        raise BrokenPromise(bench.absence)
    choice = bench.choice
    for problem in bench.registry.problems:
        if normalised(problem.distribution) == normalised(choice.distribution):
            broken(f"`faultbench doctor` has a complaint about {choice.distribution} ({problem})", "mend that")


@CHECKS.promise("it says which plugin API it is written for")
def _says_its_api(bench: Bench) -> None:
    module = importlib.import_module(_entry_module(bench))
    if normalised(bench.choice.distribution) == HARNESS:
        return  # it comes with the API that it uses
    require(
        hasattr(module, "FAULTBENCH_API"),
        f"{module.__name__} does not say which plugin API it is written for",
        "write FAULTBENCH_API = 1 into it, so that a faultbench that it does not fit can say so in one line",
    )


@CHECKS.promise("it says what it is in one line")
def _says_what_it_is(bench: Bench) -> None:
    offer = bench.offer
    for what, text in (("the offer", offer.summary), *((f"the parameter {key}", param.summary) for key, param in offer.params.items())):
        require(text.strip(), f"{what} has no summary", "say in one line what it is, for `faultbench list`")
        require(text.isprintable(), f"the summary of {what} is more than one line of printable text", "cut it to one line")
        require(len(text) <= 160, f"the summary of {what} has {len(text)} characters", "say it in 160")


@CHECKS.promise("importing its package is light")
def _light(bench: Bench) -> None:
    module = _entry_module(bench)
    done = subprocess.run(
        [sys.executable, "-c", _IMPORTED, module],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    require(not done.returncode, f"{module} cannot be imported ({(done.stderr.strip().splitlines() or ['no reason'])[-1]})", "mend it")
    heavy = sorted(set(HEAVY) & {name.partition(".")[0] for name in done.stdout.split()})
    require(
        not heavy,
        f"importing {module} imports {', '.join(heavy)}, so every `faultbench list` waits for it",
        "import it in the module of the factory, not in the one of the hooks",
    )


@CHECKS.promise("its parameters are those of its factory")
def _parameters(bench: Bench) -> None:
    offer = bench.offer
    if reason := mismatch(bench.kind, offer):
        what, _, todo = reason.rpartition(": ")
        broken(what, todo)
    module, _, attribute = offer.factory.partition(":")
    for name, parameter in inspect.signature(getattr(importlib.import_module(module), attribute)).parameters.items():
        hidden = parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL) and name not in offer.params
        require(
            not hidden or name in GIVEN.get(bench.kind, ()),
            f"{offer.factory} takes {name}, which nobody can set since the offer does not have it",
            "offer it, or make it a constant",
        )


@CHECKS.promise("it can be made with every value that it offers")
def _values(bench: Bench) -> None:
    choice, given = bench.choice, {"data_dir": bench.data_dir}
    make(choice, **given)
    for key, param in bench.offer.params.items():
        for value in _extremes(param):
            changed = dataclasses.replace(choice, params={**choice.params, key: value})
            try:
                make(changed, **given)
            except UsageError as error:
                require_advice(error, f"{bench.name} with {key}={value_text(value)}")
            except FaultbenchError as error:
                broken(f"{bench.name} offers {key}={value_text(value)} and cannot be made so ({error})", "mend the factory, or offer less")


def _extremes(param: Param) -> list[Value]:
    """The values at the ends of what a parameter can hold."""
    ends = [bound for bound in (param.ge, param.le) if bound is not None]
    return [*param.choices, *(param.type(end) for end in ends), *((True, False) if param.type is bool else ())]


def _entry_module(bench: Bench) -> str:
    """The module with the hooks."""
    if not isinstance(bench.plugin, str):
        raise NotAsked("it is an offer without a distribution: install your package, and name the plugin")
    registered = bench.registry.find(bench.kind, bench.plugin)
    for point in importlib.metadata.entry_points(group=GROUP):
        if point.name == registered.entry_point and point.dist and normalised(point.dist.name) == normalised(registered.distribution):
            return point.module
    return registered.entry_point  # the harness's own are named by their modules
