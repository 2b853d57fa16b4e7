"""Shell completion of plugin names."""

from __future__ import annotations

import re
from collections.abc import Callable


def names_of(kind: str) -> Callable[[str], list[tuple[str, str]]]:
    """A completion of the names of a kind, also behind a comma, and behind a `+` in a chain of compressors."""
    joint = r"[,+]" if kind == "compressors" else r","

    def complete(incomplete: str) -> list[tuple[str, str]]:
        from faultbench.registry import Registry

        begun = re.split(joint, incomplete)[-1]
        before = incomplete[: len(incomplete) - len(begun)]
        registry = Registry.discover()
        offered = [(registry.shown_name(kind, registered), registered.offer.summary) for registered in registry.offers(kind)]
        return [(before + name, summary) for name, summary in offered if name.startswith(begun)]

    return complete
