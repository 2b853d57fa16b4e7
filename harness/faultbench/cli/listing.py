"""`faultbench list`: what there is, from which distribution, with parameters and defaults."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from faultbench import names
from faultbench.cli.columns import table, terminal_width
from faultbench.cli.session import session_of
from faultbench.discovery import KINDS, one_line
from faultbench.errors import UsageError

if TYPE_CHECKING:
    from faultbench.discovery import Registered
    from faultbench.offers import Param
    from faultbench.registry import Registry


def listing(ctx: typer.Context) -> None:
    """Show what there is to choose from.

    Everything; or one KIND (datasets, scenarios, frontends, backbones, learners, compressors, targets) with its
    parameters and their defaults; or one NAME of a kind in full.
    """
    # KIND and NAME are read from the context, since declaring them would have Typer import pydantic, half the start-up budget.
    if len(ctx.args) > len(("KIND", "NAME")):
        raise UsageError(f"list takes a kind and a name, {names.shown(ctx.args[2])} is too much: see `faultbench list --help`")
    from faultbench.registry import kind_of

    registry = session_of(ctx).registry()
    if not ctx.args:
        text = "\n\n".join(_overview(registry, each) for each in KINDS)
    elif len(ctx.args) == 1:
        text = _one_kind(registry, kind_of(ctx.args[0]))
    else:
        text = _in_full(registry, kind_of(ctx.args[0]), ctx.args[1])
    typer.echo(text)
    for problem in registry.problems:
        if problem not in registry.silent.values():  # these were said already
            print(f"warning: {problem}", file=sys.stderr)


def _overview(registry: Registry, kind: str) -> str:
    rows = [(_name(registry, kind, r), _from(r), one_line(r.offer.summary)) for r in registry.offers(kind)]
    return table((kind.upper(), "FROM", "WHAT IT IS"), rows or [("none", "", "")], terminal_width())


def _one_kind(registry: Registry, kind: str) -> str:
    rows: list[tuple[str, ...]] = []
    for registered in registry.offers(kind):
        offer = registered.offer
        rows.append((_name(registry, kind, registered), _from(registered), "", one_line(offer.summary)))
        rows.extend(("", "", _setting(key, param), one_line(param.summary)) for key, param in offer.params.items())
    return table((kind.upper(), "FROM", "PARAMETER", "WHAT IT IS"), rows or [("none", "", "", "")], terminal_width())


def _in_full(registry: Registry, kind: str, text: str) -> str:
    registered = registry.find(kind, text)
    offer = registered.offer
    said = [
        ("name", _name(registry, kind, registered)),
        ("what it is", one_line(offer.summary)),
        ("from", _from(registered)),
        ("made by", offer.factory),
    ]
    if offer.positional:
        said.append(("number", f"sets {offer.positional}: {offer.name}NUMBER is {offer.name}:{offer.positional}=NUMBER"))
    if offer.cite:
        said.append(("cite", one_line(offer.cite)))
    parts = [table((kind.upper(), ""), said, terminal_width())]
    if offer.params:
        rows = [(_setting(key, param), names.describe(param), one_line(param.summary)) for key, param in offer.params.items()]
        parts.append(table(("PARAMETER", "TAKES", "WHAT IT IS"), rows, terminal_width()))
    return "\n\n".join(parts)


def _name(registry: Registry, kind: str, registered: Registered) -> str:
    """The name to write, with the number it needs shown."""
    offer = registered.offer
    shown = registry.shown_name(kind, registered)
    needed = offer.positional is not None and offer.params[offer.positional].default is None
    return f"{shown}<{offer.positional}>" if needed else shown


def _from(registered: Registered) -> str:
    return f"{registered.distribution} {registered.version}"


def _setting(key: str, param: Param) -> str:
    return f"{key} (needed)" if param.default is None else f"{key}={names.value_text(param.default)}"
