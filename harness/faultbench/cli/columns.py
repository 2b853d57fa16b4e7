"""Plain tables that fit the terminal. `faultbench list` answers at once because it does without rich."""

from __future__ import annotations

import contextlib
import os
import sys
import textwrap
from collections.abc import Sequence

_GAP = "  "
_LEAST = 40  # columns: below that a table is no table
_MOST = 120  # columns: longer lines are hard to follow


def terminal_width() -> int:
    """The columns to fill: the terminal's within reason, 80 where there is none."""
    return min(max(_columns(), _LEAST), _MOST)


def _columns() -> int:
    """`COLUMNS`, or the width of the terminal that the command prints to, which `shutil` looks for at descriptor 1 alone."""
    with contextlib.suppress(ValueError):
        if (said := int(os.environ.get("COLUMNS", ""))) > 0:
            return said
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (AttributeError, ValueError, OSError):  # no stdout, a captured one, or no terminal
        return 80


def table(heading: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """Rows under a heading, no line longer than `width`. The last column takes what the others leave, and wraps.

    The others take what they need, up to an equal share.
    """
    lines = [heading, *rows]
    share = (width - len(_GAP) * (len(heading) - 1)) // len(heading)
    needed = [max(len(row[column]) for row in lines) for column in range(len(heading) - 1)]
    widths = [max(min(need, share), 1) for need in needed]
    widths.append(width - sum(widths) - len(_GAP) * len(widths))
    return "\n".join(line for row in lines for line in _wrapped(row, widths))


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    cells = [textwrap.wrap(text, width, break_on_hyphens=False) or [""] for text, width in zip(row, widths, strict=True)]
    height = max(len(cell) for cell in cells)
    filled = [cell + [""] * (height - len(cell)) for cell in cells]
    return [_GAP.join(piece.ljust(width) for piece, width in zip(line, widths, strict=True)).rstrip() for line in zip(*filled, strict=True)]
