"""A table of the page, which has a caption: it names the table for who cannot see what stands above it."""

from __future__ import annotations


def table(caption: str, head: str, lines: str, *, kind: str = "", seen: bool = False) -> str:
    """A table in a box of its own, which scrolls where the table is wider than the page.

    Args:
        caption: What the table holds, as HTML.
        head: The cells of its heading, as HTML; none, and there is no heading.
        lines: Its rows, as HTML.
        kind: Its class.
        seen: Whether the caption is shown: not where a heading above says the same.
    """
    opened = f'<table class="{kind}">' if kind else "<table>"
    above = f"<thead><tr>{head}</tr></thead>" if head else ""
    said = f"<caption>{caption}</caption>" if seen else f'<caption class="unseen">{caption}</caption>'
    return f'<div class="wide">{opened}{said}{above}<tbody>{lines}</tbody></table></div>'
