"""What rows have in common, and which belong together: the headings of every report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from faultbench.results.row import AXES
from faultbench.results.verdict import ERROR, FAIL, NOT_APPLICABLE, PASS, UNPROVEN

Row = Mapping[str, Any]

WORST_FIRST = (ERROR, FAIL, UNPROVEN, PASS, NOT_APPLICABLE)
"""The order of verdicts, wherever rows are sorted by them."""


def groups(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of one data set and scenario together, for others cannot be compared. Scenarios that leak (T0, T1) come last."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault(_split(row), []).append(row)
    return sorted(found.values(), key=lambda group: any("leaks" in (row["watermark"] or "") for row in group))


def is_judged(row: Row) -> bool:
    """Whether the row has figures and a verdict on them."""
    return row["verdict"]["overall"] in (PASS, FAIL, UNPROVEN)


def varying_axes(rows: Sequence[Row]) -> list[str]:
    """The axes by which rows are told apart, the noise among them."""
    return [axis for axis in (*AXES, "snr") if len({row["cell"].get(axis) for row in rows}) > 1] or ["learner", "compressor"]


def title(rows: Sequence[Row], varying: Sequence[str]) -> str:
    """What all rows share: axes, level, the episodes' shape, watermark, clusters and looks."""
    first = leveled(rows)[0]
    said = [level(first) if axis == "scenario" else str(first["cell"][axis]) for axis in AXES if axis not in varying]
    for words in (_shape, _seeds, _watermark, _clusters, _missing, _looks):
        known = {words(row) for row in rows if is_judged(row)}
        if len(known) == 1 and (shared := known.pop()):
            said.append(shared)
    return ", ".join(said)


def leveled(rows: Sequence[Row]) -> list[Row]:
    """The rows, those that know no level, as they make no sense or broke, with that of another on the same data set and scenario."""
    known = {_split(row): {key: row["cell"][key] for key in ("level", "note")} for row in rows if row["cell"]["level"]}
    return [row if row["cell"]["level"] else {**row, "cell": {**row["cell"], **known.get(_split(row), {})}} for row in rows]


def _split(row: Row) -> tuple[str, str]:
    return row["cell"]["dataset"], row["cell"]["scenario"]


def level(row: Row) -> str:
    """The scenario with its level and note: `new-device [T2]`."""
    cell = row["cell"]
    inside = " ".join(str(x) for x in (cell["level"], cell["note"] and f"({cell['note']})") if x)
    return f"{cell['scenario']} [{inside}]" if inside else str(cell["scenario"])


def cell_name(row: Row) -> str:
    """A row by all its axes, and by its noise where there is any: `cwru new-device [T2] maml none x86 snr 10`."""
    said = [level(row) if axis == "scenario" else str(row["cell"][axis]) for axis in AXES]
    snr = row["cell"].get("snr")
    return " ".join([*said, *([f"snr {snr}"] if snr not in (None, "clean") else [])])


def counted(how_many: int, what: str) -> str:
    """A number of things: `3 seeds`."""
    return f"{how_many} {what}{'s' * (how_many != 1)}"


def _shape(row: Row) -> str:
    cell = row["cell"]
    rare = f" ({cell['shots_rare']} of the rare fault)" if cell["shots_rare"] != cell["shots"] else ""
    return f"{cell['ways']}-way {cell['shots']}-shot{rare}" if cell["ways"] else ""


def _seeds(row: Row) -> str:
    cell = row["cell"]
    return f"{counted(cell['seeds'], 'seed')} of {counted(cell['episodes'], 'episode')}" if cell["seeds"] else ""


def _watermark(row: Row) -> str:
    return (row["watermark"] or "").upper()


def _clusters(row: Row) -> str:
    return f"on {row['accuracy']['clusters']} units" if row["accuracy"] else ""


def _missing(row: Row) -> str:
    missing = row["cell"]["missing_recordings"]
    return f"{counted(missing, 'recording')} missing" if missing else ""


def _looks(row: Row) -> str:
    return f"target looked at {row['looks']} times" if (row["looks"] or 0) > 1 else ""
