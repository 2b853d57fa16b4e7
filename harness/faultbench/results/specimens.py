"""What the faults of a row are on: bearings, or specimens of other equipment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def specimen(row: Mapping[str, Any]) -> str:
    """`bearing`; `specimen` where every faulty class is of other equipment, whose elements have its name before them (`gear-tooth`)."""
    faulty = [label for label in row.get("classes") or {} if label != "healthy"]
    return "specimen" if faulty and all("-" in label.split()[0] for label in faulty) else "bearing"
