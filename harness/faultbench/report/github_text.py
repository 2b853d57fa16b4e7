"""Texts from plugins, files and command lines, made harmless within GitHub's Markdown.

Nothing of theirs may end a table's cell, a code span or a code block, begin a tag or a link, mention a person or a team, or
refer to an issue. GitHub finds mentions and references in the rendered text, where no backslash is left: they are broken by a
space of no width.
"""

from __future__ import annotations

import re

from faultbench.report.wording import clean

MOST = 65_536
"""GitHub takes comments of at most so many characters. Bytes are counted here, which are never fewer."""

_NOTHING = "\u200b"
_SPECIAL = re.compile(r"([\\`*_{}\[\]<|~$!])")
_REFERENCE = re.compile(r"([@#]|GH-)(?=\w)", re.IGNORECASE)
_SCHEME = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp):|\bwww\.")


def words(text: object, most: int = 500) -> str:
    """A text on one line in running text or in a table's cell."""
    said = _SPECIAL.sub(r"\\\1", _short(text, most).replace("&", "&amp;"))
    said = _SCHEME.sub(lambda found: found[0][:-1] + _NOTHING + found[0][-1], said)
    return _REFERENCE.sub(rf"\1{_NOTHING}", said)


def code(text: object, most: int = 120) -> str:
    """A name as a code span, in running text or in a table's cell; GitHub looks for nothing within."""
    said = _short(text, most).strip().replace("`", "'").replace("|", "¦")
    return f"`{said}`" if said else ""


def block(text: str, most: int = 4000) -> str:
    """A text of one line as a code block, its fence longer than any that is within."""
    said = _short(text, most)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", said)), default=0))
    return f"{fence}text\n{said}\n{fence}"


def _short(text: object, most: int) -> str:
    said = clean(text)
    return said if len(said) <= most else f"{said[: most - 3]}..."
