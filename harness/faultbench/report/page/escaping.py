"""Texts that are not the page's own, made harmless, and the few words that all parts of the page share."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from faultbench.report.wording import UNKNOWN, clean, rate


def text(said: object) -> str:
    """A text that is not the page's own, escaped, for between tags and for attributes in double quotes."""
    return escape(clean(said))


def verdict_class(verdict: str) -> str:
    """The class that a verdict is coloured by."""
    return verdict if verdict in ("pass", "fail", "unproven", "error") else "none"


def extent(found: Mapping[str, Any] | None) -> str:
    """A rate's interval as a page has it: `0.931–0.978`."""
    if not found or found["ci_low"] is None or found["ci_high"] is None:
        return UNKNOWN
    return f"{rate(found['ci_low'])}–{rate(found['ci_high'])}"
