"""Discovery: every plugin's offers, each plugin and each hook under its own guard, so that a broken one costs only itself.

pluggy gives no such isolation: one plugin that fails to register, or one generator that raises, would take the others
along. So each plugin gets a manager of its own, and what it offers is materialised and checked before it counts.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import pluggy

from faultbench import api, hookspecs, names, timelimit
from faultbench.errors import PluginError
from faultbench.interruptions import INTERRUPTIONS
from faultbench.offers import Offer, Param

KINDS = ("datasets", "scenarios", "frontends", "backbones", "learners", "compressors", "targets")
"""What plugins offer, in the order it is listed; a kind's hook is `faultbench_` and the kind."""

GROUP = "faultbench"
HARNESS = "faultbench"
"""The entry-point group, and the distribution whose names nobody can take."""

_HARNESS_PLUGINS = ("faultbench.data.scenarios",)  # scenarios are policies of splitting, hence the harness's own
_MOST_OFFERS = 1000  # of one hook: a generator that never ends must not hang `list`
_FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", re.ASCII)
_PARAM = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Registered:
    """An offer, and who offers it."""

    offer: Offer
    distribution: str
    version: str
    builtin: bool
    entry_point: str = ""

    @property
    def qualified(self) -> str:
        """The name that nobody else can have: `distribution/name`."""
        return f"{self.distribution}/{self.offer.name}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with a plugin. As text it is one line, `what is wrong: what to do`."""

    distribution: str
    version: str
    entry_point: str
    what: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} (entry point {self.entry_point}) {self.what}"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plugin comes from."""

    distribution: str
    version: str
    entry_point: str
    builtin: bool

    def problem(self, what: str) -> Problem:
        """What is wrong with the plugin."""
        return Problem(self.distribution, self.version, self.entry_point, what)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that could be loaded, with the manager that holds it alone."""

    source: Source
    manager: pluggy.PluginManager


@dataclass(slots=True)
class Found:
    """What a discovery gives.

    Args:
        plugins: Those that could be loaded, the built-in ones first.
        offers: By kind.
        problems: In the order they were met.
        refused: The offers left out, by kind and name, each with its reason.
        lost: What may have cost offers whose names nobody knows, each with the kind it is about, or "" where it is about all.
        everybody: Whether distributions other than faultbench's own were looked at.
        silent: The entry points that did not answer in time, of each what is wrong. Nothing of such a plugin is taken.
    """

    plugins: list[Plugin] = field(default_factory=list)
    offers: dict[str, list[Registered]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    problems: list[Problem] = field(default_factory=list)
    refused: dict[tuple[str, str], Problem] = field(default_factory=dict)
    lost: list[tuple[str, Problem]] = field(default_factory=list)
    everybody: bool = True
    silent: dict[Source, Problem] = field(default_factory=dict)


def discover(*, plugins: bool, without: Collection[Source] = ()) -> Found:
    """Everything that is offered.

    Args:
        plugins: Whether to look at distributions other than faultbench's own.
        without: Plugins that are known not to answer, and are not asked again.

    Raises:
        UsageError: The environment sets a time limit that is none.
    """
    found = Found(everybody=plugins)
    seconds = timelimit.limit_s(timelimit.LOADING_S)
    for source, load in _loaders(plugins=plugins):
        if source not in without:
            _take(found, source, load, 0 if source.builtin else seconds)
    for kind in KINDS:
        _settle(found, kind)
    return found


def normalised(distribution: str) -> str:
    """A distribution's name as package indices compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def cause(error: BaseException) -> str:
    """An exception as one harmless line, cut where it rambles."""
    return one_line(f"{type(error).__name__}: {error}".removesuffix(": "))


def one_line(text: str, most: int = 300) -> str:
    """A text from outside on one line, without what a terminal would obey."""
    flat = "".join(c if c.isprintable() else " " for c in text)
    flat = " ".join(flat.split())
    return flat if len(flat) <= most else flat[:most] + "..."


def _loaders(*, plugins: bool) -> Iterator[tuple[Source, Any]]:
    version = _harness_version()
    for module in _HARNESS_PLUGINS:
        yield Source(HARNESS, version, module, builtin=True), lambda module=module: importlib.import_module(module)
    for entry_point in sorted(_entry_points(plugins=plugins), key=_own_first):
        distribution = entry_point.dist
        name = distribution.name if distribution else "unknown"
        source = Source(
            one_line(str(name)),
            one_line(str(distribution.version)) if distribution else "",
            one_line(entry_point.name),
            normalised(name) == HARNESS,
        )
        yield source, entry_point.load


def _harness_version() -> str:
    from faultbench import __version__

    return __version__


def _entry_points(*, plugins: bool) -> list[importlib.metadata.EntryPoint]:
    if plugins:
        return list(importlib.metadata.entry_points(group=GROUP))
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return [e for e in importlib.metadata.distribution(HARNESS).entry_points if e.group == GROUP]
    return []


def _own_first(entry_point: importlib.metadata.EntryPoint) -> tuple[bool, str, str]:
    name = normalised(entry_point.dist.name) if entry_point.dist else ""
    return name != HARNESS, name, entry_point.name


def _take(found: Found, source: Source, load: Any, seconds: float) -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        # What a plugin prints must not end up in a result.
        with contextlib.redirect_stdout(sys.stderr), timelimit.within(seconds, lambda: _give_up(source, "being imported", seconds)):
            module = load()
            misfit = _misfit(getattr(module, "FAULTBENCH_API", api.API_VERSION), source.distribution)
            if not misfit:
                manager.register(module, name=source.entry_point)
    except timelimit.Overdue:
        _silent(found, source, "being imported", seconds)
        return
    except INTERRUPTIONS:
        raise
    except BaseException as error:  # noqa: BLE001 - any plugin's failure is that plugin's alone
        _broken(found, source.problem(f"cannot be loaded ({cause(error)}): repair, update or uninstall {source.distribution}"))
        return
    if misfit:
        _lose(found, "", source.problem(misfit))
        return
    plugin = Plugin(source, manager)
    found.plugins.append(plugin)
    for problem in _unknown_hooks(plugin):
        _lose(found, "", problem)
    for kind in KINDS:
        if not _materialise(found, plugin, kind, seconds):
            break


def _misfit(wanted: object, distribution: str) -> str:
    """Why a plugin written for an API cannot be used, and what to do; empty where it can."""
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        return f"says FAULTBENCH_API = {names.shown(str(wanted))}: write the whole number of the API that it is written for"
    here = f"is written for plugin API {wanted}, this is {api.API_VERSION}"
    if wanted > api.API_VERSION:
        return f"{here}: update faultbench, or install an older {distribution}"
    if wanted < api.API_OLDEST:
        return f"{here}, which takes those from {api.API_OLDEST}: update {distribution}, or install an older faultbench"
    return ""


def _lose(found: Found, kind: str, problem: Problem) -> None:
    """Keeps a problem for which offers may be missing, of the kind or of any."""
    found.problems.append(problem)
    found.lost.append((kind, problem))


def _broken(found: Found, problem: Problem, kind: str = "") -> None:
    """As `_lose`; where the exception being handled came from goes to the log, for `--debug`."""
    import logging

    _lose(found, kind, problem)
    logging.getLogger(__name__).debug("%s", problem, exc_info=True)


def _unknown_hooks(plugin: Plugin) -> Iterator[Problem]:
    hooks = {name: hook for name, hook in vars(plugin.manager.hook).items() if not name.startswith("_")}
    known = [name for name, hook in hooks.items() if hook.has_spec()]
    for name, hook in hooks.items():
        if not hook.has_spec() and not all(implementation.optionalhook for implementation in hook.get_hookimpls()):
            yield plugin.source.problem(f"implements {one_line(name)}, which is no hook: did you mean {names.nearest(name, known, 1)[0]}?")


def _materialise(found: Found, plugin: Plugin, kind: str, seconds: float) -> bool:
    """Takes what a plugin offers of a kind; False where it does not answer."""
    hook = getattr(plugin.manager.hook, f"faultbench_{kind}")
    source = plugin.source
    if not hook.get_hookimpls():
        return True
    offers: list[object] = []
    try:
        with contextlib.redirect_stdout(sys.stderr), timelimit.within(seconds, lambda: _give_up(source, hook.name, seconds)):
            for offered in hook():
                for offer in islice(offered, _MOST_OFFERS + 1):
                    offers.append(offer)  # noqa: PERF402 - what came before a failure is kept
    except timelimit.Overdue:
        _silent(found, source, hook.name, seconds)
        return False
    except INTERRUPTIONS:
        raise
    except BaseException as error:  # noqa: BLE001 - any plugin's failure is that plugin's alone
        _broken(found, source.problem(f"failed in faultbench_{kind} ({cause(error)}): repair or update {source.distribution}"), kind)
    if len(offers) > _MOST_OFFERS:
        _lose(found, kind, source.problem(f"offers more than {_MOST_OFFERS} {kind}: let faultbench_{kind} end"))
        return True
    for offer in offers:
        reason = flaw(offer) or _publication_flaw(offer, kind)
        if reason:
            _refuse(found, source, kind, offer, reason)
        else:
            assert isinstance(offer, Offer)  # noqa: S101 - for the type checker; a flaw otherwise
            found.offers[kind].append(Registered(offer, source.distribution, source.version, source.builtin, source.entry_point))
    return True


def _silent(found: Found, source: Source, where: str, seconds: float) -> None:
    """Leaves out a plugin that does not answer, with all that it has offered so far: half a plugin is a surprise."""
    problem = source.problem(f"{_overdue(source, where, seconds)}; it is left out")
    _broken(found, problem)
    found.silent[source] = problem
    found.plugins[:] = [plugin for plugin in found.plugins if plugin.source != source]
    for registered in found.offers.values():
        registered[:] = [r for r in registered if (r.distribution, r.entry_point) != (source.distribution, source.entry_point)]


def _give_up(source: Source, where: str, seconds: float) -> None:
    """Ends the process in one line: a plugin does not answer, and cannot be interrupted either."""
    with contextlib.suppress(OSError):
        os.write(2, f"error: {source.problem(_overdue(source, where, seconds))}; it cannot be interrupted\n".encode())
    os._exit(PluginError.exit_code)


def _overdue(source: Source, where: str, seconds: float) -> str:
    advice = f"repair or uninstall {source.distribution}, or go on with `faultbench --no-plugins ...`"
    return f"hangs: it did not come back from {where} within {seconds:g} s ({timelimit.VARIABLE}): {advice}"


def _refuse(found: Found, source: Source, kind: str, offer: object, reason: str) -> None:
    name = getattr(offer, "name", None)
    problem = source.problem(f"offers {names.shown(str(name if name is not None else offer))} in faultbench_{kind}: {reason}")
    if isinstance(name, str) and names.NAME.fullmatch(name):
        found.problems.append(problem)
        found.refused.setdefault((kind, name), problem)
    else:
        _lose(found, kind, problem)


def flaw(offer: object) -> str:
    """Why an offer cannot be taken, and what to do; empty where it can."""
    if not isinstance(offer, Offer):
        return "return an iterable of faultbench.api.Offer"
    if not isinstance(offer.name, str) or not names.NAME.fullmatch(offer.name):
        return "a name is lower case letters, digits, - and _, beginning with a letter"
    if not isinstance(offer.factory, str) or not _FACTORY.fullmatch(offer.factory):
        return 'a factory is written "package.module:Class"'
    if not all(isinstance(text, str) for text in (offer.summary, offer.cite)):
        return "summary and cite are texts"
    if not isinstance(offer.params, Mapping):
        return "params maps names to faultbench.api.Param"
    for key, param in offer.params.items():
        if reason := _param_flaw(key, param):
            return reason
    if offer.positional is not None and getattr(offer.params.get(offer.positional), "type", None) not in (int, float):
        return "positional names a parameter that is a number"
    return ""


def _publication_flaw(offer: object, kind: str) -> str:
    publication = getattr(offer, "publication", "")
    if not isinstance(publication, str) or (publication and not _FACTORY.fullmatch(publication)):
        return 'a publication is written "package.module:function"'
    return "only a data set has a publication" if publication and kind != "datasets" else ""


def _param_flaw(key: object, param: object) -> str:
    if not isinstance(key, str) or not _PARAM.fullmatch(key):
        return f"a parameter's name is an identifier in lower case, not {names.shown(str(key))}"
    if not isinstance(param, Param) or param.type not in (int, float, str, bool):
        return f"parameter {key} is a faultbench.api.Param of int, float, str or bool"
    if not isinstance(param.summary, str):
        return f"the summary of parameter {key} is a text"
    kind = (int, float) if param.type is float else param.type
    for value in (*((param.default,) if param.default is not None else ()), *param.choices):
        if not isinstance(value, kind) or (isinstance(value, bool) and param.type is not bool):
            return f"default and choices of parameter {key} are {param.type.__name__}"
        if not names.spellable(value):
            return f"default and choices of parameter {key} hold no comma, no line end and no space at the ends"
        if isinstance(value, int | float) and not names.fits_range(param, value):
            return f"default and choices of parameter {key} lie within its bounds"
    if param.default is not None and param.choices and param.default not in param.choices:
        return f"the default of parameter {key} is one of its choices"
    return ""


def _settle(found: Found, kind: str) -> None:
    """Leaves out what takes somebody else's name or repeats its own, and says which names need their distribution."""
    built_in = {r.offer.name for r in found.offers[kind] if r.builtin}
    kept: dict[tuple[str, str], Registered] = {}
    for registered in found.offers[kind]:
        name = registered.offer.name
        key = (normalised(registered.distribution), name)
        reserved = None if registered.builtin else names.match(name, built_in - {name})
        if key in kept:
            what = f"offers the name {name} twice in faultbench_{kind}, the second is left out: rename one of them"
        elif reserved:
            what = f"offers {name} in faultbench_{kind}, which reads as {reserved[0]} with the number {reserved[1]}: rename it"
        else:
            kept[key] = registered
            what = _clash(registered, built_in, [r for r in kept.values() if r is not registered and r.offer.name == name])
            if what:
                found.problems.append(_problem_of(registered, what))
            continue
        problem = _problem_of(registered, what)
        found.problems.append(problem)
        found.refused.setdefault((kind, name), problem)
    found.offers[kind] = list(kept.values())


def _clash(registered: Registered, built_in: set[str], others: list[Registered]) -> str:
    name = registered.offer.name
    if name in built_in and not registered.builtin:
        return f"offers the built-in name {name}, which cannot be taken: write {registered.qualified} for this one"
    if others and name not in built_in:
        return f"shares the name {name} with {others[0].distribution}: write {registered.qualified} or {others[0].qualified}"
    return ""


def _problem_of(registered: Registered, what: str) -> Problem:
    return Problem(registered.distribution, registered.version, registered.entry_point, what)
