"""The registry: what there is, the choice among it by name, and the making of what was chosen."""

from __future__ import annotations

import contextlib
import copy
import functools
import importlib
import inspect
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from faultbench import names, timelimit
from faultbench.discovery import KINDS, Found, Plugin, Problem, Registered, Source, cause, discover, normalised
from faultbench.errors import FaultbenchError, PluginError, UsageError
from faultbench.interruptions import INTERRUPTIONS
from faultbench.offers import Offer, Value

NOUNS = {
    "datasets": "data set",
    "scenarios": "scenario",
    "frontends": "front end",
    "backbones": "backbone",
    "learners": "learner",
    "compressors": "compressor",
    "targets": "target",
}
"""What one of a kind is called in a sentence."""

_IN_A_FILE = "scenarios", "file"
"""The offer that the name of a file stands for."""

_WATCHER = "observer"
"""What plugins may be and offer nothing of."""

GIVEN: Mapping[str, tuple[str, ...]] = {"datasets": ("data_dir",)}
"""What the harness gives to a factory that names it, beside the offer's parameters."""


def kind_of(word: str) -> str:
    """The kind, one of `KINDS`, that a word means: `learner`, `learners`, `data-set`.

    Raises:
        UsageError: It means none.
    """
    plain = word.lower().replace("-", "").replace("_", "").replace(" ", "").rstrip("s")
    for kind in KINDS:
        if kind.removesuffix("s") == plain:
            return kind
    if plain == _WATCHER:
        what = "a plugin that watches runs offers nothing to choose from, and has no template"
        raise UsageError(f"{what}: see docs/howto/plugin.md, and `faultbench doctor` for the plugins that are loaded")
    raise UsageError(f"there is no kind {names.shown(word)}: {names.instead(word, KINDS, 'See `faultbench list`')}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One offer with its parameters, chosen by name. It travels between processes; `make` makes the part.

    Args:
        kind: One of `KINDS`.
        name: The offer's name.
        qualified: `distribution/name`.
        distribution: Who offers it.
        version: Of the distribution.
        factory: `"package.module:Class"`.
        params: Every parameter, defaults included: what digests are made of.
        spelling: The canonical name, which stands for the choice everywhere.
    """

    kind: str
    name: str
    qualified: str
    distribution: str
    version: str
    factory: str
    params: Mapping[str, Value] = field(hash=False)
    spelling: str


class Registry:
    """What there is to choose from. It is cheap: nothing that it offers is imported before it is made."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self.hook = Observers(found.plugins)

    @classmethod
    def discover(cls, plugins: bool = True, strict: bool = False, without: Collection[Source] = ()) -> Registry:
        """The registry of what is installed.

        Args:
            plugins: Whether to look at distributions other than faultbench's own.
            strict: Whether a plugin with a problem is an error.
            without: Plugins that are known not to answer, and are not asked again.

        Raises:
            PluginError: `strict`, and there is a problem.
            UsageError: The environment sets a time limit that is none.
        """
        registry = cls(discover(plugins=plugins, without=without))
        if strict and registry.problems:
            first, *more = registry.problems
            raise PluginError(f"{first}" + (f" (and {len(more)} more: see `faultbench doctor`)" if more else ""))
        return registry

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with plugins, a line each."""
        return tuple(self._found.problems)

    @property
    def silent(self) -> Mapping[Source, Problem]:
        """The plugins that did not answer in time, each with what is wrong: they cost every command that time."""
        return self._found.silent

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """The plugins that could be loaded."""
        return tuple(self._found.plugins)

    @property
    def everybody(self) -> bool:
        """Whether distributions other than faultbench's own were looked at, whatever was found there."""
        return self._found.everybody

    def offers(self, kind: str) -> tuple[Registered, ...]:
        """What is offered of a kind, the built-in ones first."""
        return tuple(self._found.offers[kind])

    def shown_name(self, kind: str, registered: Registered) -> str:
        """The shortest name that chooses an offer: qualified only where another has the bare name."""
        namesakes = [r for r in self.offers(kind) if r.offer.name == registered.offer.name]
        alone = len(namesakes) == 1 or registered.builtin
        return registered.offer.name if alone else registered.qualified

    def choose(self, kind: str, text: str) -> Choice:
        """The choice that a name spells.

        Raises:
            UsageError: There is no such name, or a parameter does not fit.
            PluginError: The name belongs to an offer that had to be left out.
        """
        registered, number, given = self._matched(kind, text)
        offer = registered.offer
        params = names.expand(offer, number, given)
        spelling = names.canonical(self.shown_name(kind, registered), offer, params, {r.offer.name for r in self.offers(kind)})
        if registered.builtin and (kind, offer.name) == _IN_A_FILE and names.is_file(str(params["path"])):
            spelling = str(params["path"])
        return Choice(kind, offer.name, registered.qualified, registered.distribution, registered.version, offer.factory, params, spelling)

    def find(self, kind: str, text: str) -> Registered:
        """The offer that a name stands for, whatever its parameters.

        Raises:
            UsageError: There is no such name.
            PluginError: The name belongs to an offer that had to be left out.
        """
        return self._matched(kind, text)[0]

    def may_hold(self, kind: str, text: str) -> tuple[Problem, ...]:
        """What is wrong with the plugins that may offer a name which nobody is found to offer; those called like it come first."""
        return self._may_hold(kind, names.parse(text))

    def _may_hold(self, kind: str, name: names.Name) -> tuple[Problem, ...]:
        called = normalised(name.distribution or name.head)
        lost = [
            problem
            for about, problem in self._found.lost
            if about in ("", kind) and (not name.distribution or normalised(problem.distribution) == called)
        ]
        return tuple(sorted(lost, key=lambda problem: called not in normalised(problem.distribution)))

    def chain(self, kind: str, text: str) -> tuple[Choice, ...]:
        """The choices that a chain of names spells (`distill50+prune40+int8`), in its order."""
        return tuple(self.choose(kind, link) for link in names.split_chain(text))

    def make(self, choice: Choice, **given: object) -> Any:
        """As the function `make`."""
        return make(choice, **given)

    def _matched(self, kind: str, text: str) -> tuple[Registered, str, dict[str, str]]:
        in_a_file = kind == _IN_A_FILE[0] and names.is_file(text)
        name = names.Name("", _IN_A_FILE[1], (("path", text.strip()),)) if in_a_file else names.parse(text)
        candidates = self.offers(kind)
        if name.distribution:
            candidates = tuple(r for r in candidates if normalised(r.distribution) == normalised(name.distribution))
        matched = names.match(name.head, {r.offer.name for r in candidates})
        if matched is None:
            raise self._no_such(kind, name, candidates)
        bare, number = matched
        return _only(kind, [r for r in candidates if r.offer.name == bare]), number, dict(name.params)

    def _no_such(self, kind: str, name: names.Name, candidates: tuple[Registered, ...]) -> FaultbenchError:
        text = names.shown(name.head)
        refused = self._found.refused.get((kind, name.head))
        if refused:
            return PluginError(f"{NOUNS[kind]} {text} had to be left out: {refused}")
        for other in KINDS:
            if other != kind and names.match(name.head, {r.offer.name for r in self.offers(other)}):
                return UsageError(f"{text} is a {NOUNS[other]}, not a {NOUNS[kind]}: see `faultbench list {kind}`")
        whose = f" of {name.distribution}" if name.distribution else ""
        advice = self._advice(kind, name, candidates)
        if not candidates:
            return UsageError(f"there is no {NOUNS[kind]}{whose}: {advice}")
        return UsageError(f"no {NOUNS[kind]}{whose} is called {text}: {advice}")

    def _advice(self, kind: str, name: names.Name, candidates: tuple[Registered, ...]) -> str:
        """What to do about a name that nobody offers, with the reason where a plugin that may offer it is broken."""
        look = f"See `faultbench list {kind}`"
        lost = self._may_hold(kind, name)
        more = f" (and {len(lost) - 1} more: see `faultbench doctor`)" if len(lost) > 1 else ""
        broken = f". A plugin that may offer it is broken: {lost[0]}{more}" if lost else ""
        doctor = ", or `faultbench doctor` for what is wrong with plugins" if self.problems and not lost else ""
        if not candidates:
            return f"see `faultbench list {kind}`{broken or ' and `faultbench doctor`'}"
        return names.instead(name.head, sorted({r.offer.name for r in candidates}), look + (broken or doctor), count=3)


def make(choice: Choice, **given: object) -> Any:
    """The part that was chosen.

    Args:
        choice: From a registry, perhaps of another process.
        given: What the harness has to give (`data_dir`); passed only where the factory's signature names it.

    Raises:
        PluginError: The factory cannot be imported, or fails.
        FaultbenchError: Whatever the factory raises of it.
    """
    factory = _factory(choice)
    try:
        accepted = inspect.signature(factory).parameters
        return factory(**{key: value for key, value in given.items() if key in accepted and key not in choice.params}, **choice.params)
    except FaultbenchError:
        raise
    except INTERRUPTIONS:
        raise
    except BaseException as error:
        raise _unusable(choice, f"cannot be made ({cause(error)})") from error


def refusal(choice: Choice) -> FaultbenchError | None:
    """Why a part could not be made, as far as its factory's module and signature tell; None where it could. Imports the factory."""
    seconds = timelimit.limit_s(timelimit.FACTORY_S)
    try:
        with contextlib.redirect_stdout(sys.stderr), timelimit.within(seconds, stuck=lambda: None):
            inspect.signature(_factory(choice)).bind(**choice.params)
    except timelimit.Overdue:
        return _unusable(choice, f"hangs when it is imported, for {seconds:g} s ({timelimit.VARIABLE})")
    except FaultbenchError as error:
        return error
    except (TypeError, ValueError) as error:  # of the signature
        return _unusable(choice, f"cannot be made ({cause(error)})")
    return None


def _factory(choice: Choice) -> Any:
    module, _, attribute = choice.factory.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except FaultbenchError:
        raise
    except INTERRUPTIONS:
        raise
    except BaseException as error:
        raise _unusable(choice, f"cannot be imported ({cause(error)})") from error


def _unusable(choice: Choice, why: str) -> PluginError:
    what = f"{NOUNS[choice.kind]} {choice.name} of {choice.distribution} {choice.version}"
    return PluginError(f"{what} {why}: repair or update {choice.distribution}, or leave it out")


def mismatch(kind: str, offer: Offer) -> str:
    """Why an offer's parameters and its factory's signature do not agree, and what to do; empty where they do. Imports the factory."""
    seconds = timelimit.limit_s(timelimit.FACTORY_S)
    try:
        module, _, attribute = offer.factory.partition(":")
        with timelimit.within(seconds, stuck=lambda: None):
            signature = inspect.signature(getattr(importlib.import_module(module), attribute))
    except timelimit.Overdue:
        return (
            f"its factory {offer.factory} hangs when it is imported, for {seconds:g} s ({timelimit.VARIABLE}): repair it, or uninstall it"
        )
    except INTERRUPTIONS:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a plugin's module raises
        return f"its factory {offer.factory} cannot be imported ({cause(error)}): repair it, or install what it needs"
    takes = {name: p for name, p in signature.parameters.items() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    if not any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values()) and (
        foreign := [key for key in offer.params if key not in takes]
    ):
        return (
            f"its factory {offer.factory}{signature} takes no {foreign[0]}, which the offer has: add it there, or leave it out of the offer"
        )
    for name, parameter in takes.items():
        if name in GIVEN.get(kind, ()):
            continue
        if name not in offer.params:
            if parameter.default is parameter.empty:
                return f"its factory {offer.factory} needs {name}, which the offer does not have: offer it, or give it a default"
            continue
        offered = offer.params[name].default
        if offered is not None and parameter.default is not parameter.empty and parameter.default != offered:
            return f"{name} is {offered!r} in the offer and {parameter.default!r} in {offer.factory}: give both the same default"
    return ""


class Observers:
    """The observers of all plugins, called as the hooks are.

    One that fails is a warning, said once; it never fails a run. One that takes too long is a warning, too, and is told no more.
    """

    def __init__(self, plugins: list[Plugin]) -> None:
        self._plugins = list(plugins)
        self._limit_s = timelimit.limit_s(timelimit.OBSERVING_S)
        self._warned: set[tuple[Source, str]] = set()

    def faultbench_run_started(self, plan: Mapping[str, Any]) -> None:
        """Tells every observer that a run begins."""
        self._tell("faultbench_run_started", plan=plan)

    def faultbench_cell_finished(self, row: Mapping[str, Any]) -> None:
        """Tells every observer that a cell is judged, or has failed."""
        self._tell("faultbench_cell_finished", row=row)

    def faultbench_run_finished(self, summary: Mapping[str, Any]) -> None:
        """Tells every observer that the run has ended."""
        self._tell("faultbench_run_finished", summary=summary)

    def _tell(self, hook: str, **said: Mapping[str, Any]) -> None:
        for plugin in tuple(self._plugins):
            caller = getattr(plugin.manager.hook, hook)
            if not caller.get_hookimpls():
                continue
            try:
                with timelimit.within(self._limit_s, functools.partial(self._stuck, plugin, hook)):
                    caller(**copy.deepcopy(said))  # a copy: an observer cannot change a result
            except timelimit.Overdue:
                self._plugins.remove(plugin)
                took = f"did not come back from {hook} within {self._limit_s:g} s ({timelimit.VARIABLE})"
                print(f"warning: {plugin.source.problem(took)}: the run goes on without it", file=sys.stderr)
            except INTERRUPTIONS:
                raise
            except BaseException as error:  # noqa: BLE001 - observers never fail a run
                self._warn(plugin, hook, error)

    def _stuck(self, plugin: Plugin, hook: str) -> None:
        """Says who holds the run up; to end a run is not an observer's business."""
        waited_s = self._limit_s + timelimit.GRACE_S
        what = f"is still in {hook} after {waited_s:g} s and cannot be interrupted: end the run by Ctrl-C, what is finished is kept"
        print(f"warning: {plugin.source.problem(what)}", file=sys.stderr)

    def _warn(self, plugin: Plugin, hook: str, error: BaseException) -> None:
        if (plugin.source, hook) not in self._warned:
            import logging

            self._warned.add((plugin.source, hook))
            problem = plugin.source.problem(f"failed in {hook} ({cause(error)}): the run goes on without it")
            print(f"warning: {problem}", file=sys.stderr)
            logging.getLogger(__name__).debug("%s", problem, exc_info=error)


def _only(kind: str, namesakes: list[Registered]) -> Registered:
    built_in = [r for r in namesakes if r.builtin]
    if built_in:
        return built_in[0]
    if len(namesakes) > 1:
        raise UsageError(
            f"more than one {NOUNS[kind]} is called {namesakes[0].offer.name}: write {names.either([r.qualified for r in namesakes])}"
        )
    return namesakes[0]
