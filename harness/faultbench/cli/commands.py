"""Typer's command and group, made to start at once and to end by faultbench's exit codes."""

from __future__ import annotations

from typing import Any

import typer.core

from faultbench.cli.ending import close_output, interrupted


class Command(typer.core.TyperCommand):
    """A command whose flags are off where they are not given."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters."""
        return _flags_off(super().get_params(ctx))


class Commands(typer.core.TyperGroup):
    """A group of commands that return their exit code."""

    def get_params(self, ctx: Any) -> Any:
        """The parameters."""
        return _flags_off(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """What the command returns. Typer would end a closed pipe with 1, which says that a gate's criterion failed."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            close_output()
            return 0
        except KeyboardInterrupt:
            return interrupted()


def _flags_off(params: Any) -> Any:
    """Typer's own flags (`--help`, `--show-completion`) are neither on nor off; that takes it an import of pydantic to handle."""
    for param in params:
        if getattr(param, "is_flag", False) and param.default is None:
            param.default = False
    return params
