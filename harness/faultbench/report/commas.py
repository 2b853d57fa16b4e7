"""The rows as comma-separated values: a line per cell, the same columns in the same order whatever was run.

The columns are those of `COLUMNS`, named by the path within the row (`recall.rare.ci_low`). What is not known is empty. Texts
that a spreadsheet would take for a formula are written behind an apostrophe, as OWASP advises against CSV injection.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from faultbench.report.wording import clean
from faultbench.results.metrics import FIGURES, RATES, TIMES, lookup
from faultbench.results.row import CELL

_LISTS = ("cell.sources", "labels")
"""What is a list in a row: its items, joined by semicolons."""

_MAPPINGS = ("achieved", "notes", "versions")
"""What has no fixed names within: `name=value`, joined by semicolons."""

COLUMNS: tuple[str, ...] = (
    "protocol",
    *(f"cell.{name}" for name in CELL),
    "verdict.overall",
    "verdict.gated",
    "verdict.sentence",
    "verdict.criteria",
    *(
        f"{rate}.{part}"
        for rate in RATES
        for part in ("mean", "ci_low", "ci_high", "clusters", "fault_units", "healthy_units", "queries_per_unit", "degenerate")
    ),
    *(f"{time}.{part}" for time in TIMES for part in ("min", "p50", "p90", "p99", "n")),
    *FIGURES,
    *(f"bearings.{part}" for part in ("passing", "total", "p_low", "criterion")),
    "kind",
    *(f"device.{part}" for part in ("name", "arch", "cpu", "cores", "memory_bytes", "os", "fingerprint")),
    "parity.holds",
    "baseline",
    "labels",
    "watermark",
    "achieved",
    "notes",
    "versions",
    "void",
    "error",
    "error_code",
    "not_applicable",
    "looks",
    "digest",
    "split_digest",
)
"""The columns, in their order. A reader takes them by name: later versions may have more."""

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows as CSV (RFC 4180, but for line feeds alone), a heading line first."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_value(row, column) for column in COLUMNS])
    return made.getvalue()


def _value(row: Mapping[str, Any], column: str) -> str:
    if column == "verdict.criteria":
        return _text("; ".join(f"{one['criterion']}: {one['verdict']}" for one in row["verdict"]["criteria"]))
    found = lookup(row, column)
    if found is None:
        return ""
    if column in _LISTS:
        return _text("; ".join(map(str, found)))
    if column in _MAPPINGS:
        return _text("; ".join(f"{name}={value}" for name, value in found.items()))
    if isinstance(found, bool):
        return str(found).lower()
    return repr(found) if isinstance(found, (int, float)) else _text(str(found))


def _text(text: str) -> str:
    """A text that no spreadsheet computes."""
    said = clean(text)
    return f"'{said}" if text.startswith(_BEGINS_FORMULA) or said.lstrip().startswith(_BEGINS_FORMULA) else said
