"""Whether times of two devices can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMED = ("arch", "cpu", "cores", "memory_bytes", "os")


def incomparable(base: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    """Why times of two devices cannot be compared, or nothing: their fingerprints cover all that can change a time."""
    if base is None or new is None:
        return "nothing says which machine ran it"
    mine, theirs = base.get("fingerprint"), new.get("fingerprint")
    if mine and mine == theirs:
        return ""
    told = [f"{name} {base.get(name)} against {new.get(name)}" for name in _NAMED if base.get(name) != new.get(name)]
    old, now = base.get("versions") or {}, new.get("versions") or {}
    told += [f"{name} {old.get(name)} against {now.get(name)}" for name in sorted({*old, *now}) if old.get(name) != now.get(name)]
    return f"not the same machine ({'; '.join(told) or 'their fingerprints differ'}): --across-machines compares nevertheless"
