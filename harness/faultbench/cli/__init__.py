"""The command line: a file per command, no logic. `main` is the console script."""

from __future__ import annotations

from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and gives its exit code; whatever goes wrong has come out as one line on stderr.

    Args:
        argv: The arguments behind the command's name; None takes the process's.
    """
    try:
        from faultbench.cli.app import run_command  # imported here so that reading this package costs nothing

        return run_command(argv)
    except KeyboardInterrupt:  # so early, or so late, that there is nobody to say more
        return 130
