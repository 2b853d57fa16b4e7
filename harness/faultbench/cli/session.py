"""What the options before the command say, for the command that follows."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    from faultbench.registry import Registry


@dataclass(slots=True)
class Session:
    """One call of the command.

    Args:
        command: The words of the command.
        debug: Whether an error comes with its traceback.
        plugins: Whether distributions other than faultbench's own are looked at.
        strict: Whether a plugin with a problem is an error.
    """

    command: list[str] = field(default_factory=list)
    debug: bool = False
    plugins: bool = True
    strict: bool = False

    def registry(self) -> Registry:
        """What there is to choose from. A plugin that kept the command waiting is named at once, whatever the command is."""
        from faultbench.registry import Registry

        registry = Registry.discover(plugins=self.plugins, strict=self.strict)
        for problem in registry.silent.values():
            print(f"warning: {problem}", file=sys.stderr)
        return registry


def session_of(ctx: typer.Context) -> Session:
    """The session of a command's context."""
    return cast(Session, ctx.find_object(Session))
