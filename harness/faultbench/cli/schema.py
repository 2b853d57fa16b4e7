"""`faultbench schema`: the JSON schema of what the command writes."""

from __future__ import annotations

from typing import Annotated

import typer

from faultbench.errors import UsageError
from faultbench.names import instead, shown


def schema(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="run|comparison|runs|cache",
            help="Whose: of `run --json` (and `show`, `results export`), `compare --json`, `results list --json` or `cache info --json`.",
        ),
    ] = "run",
) -> None:
    """Print the JSON schema of a result, a comparison, the list of runs, or the account of the cache."""
    from faultbench.report.schema import FILES, schema_text

    if kind not in FILES:
        raise UsageError(f"there is no schema {shown(kind)}: {instead(kind, FILES)}")
    typer.echo(schema_text(kind), nl=False)
