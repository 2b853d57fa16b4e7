"""The document's figures are those of the benchmark's files."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_table_of_shortcuts_is_that_of_the_benchmark():
    measured = {}
    for name in ("shortcuts", "shortcuts_uestc"):
        for audit in json.loads((ROOT / "benchmarks" / f"{name}.json").read_text("utf-8"))["audits"]:
            column = {p["name"]: "-" if p["accuracy"] is None else f"{p['accuracy']['mean']:.3f}" for p in audit["probes"]}
            measured[f"{audit['dataset']} `{audit['scenario']}` ({audit['level']})"] = column
    lines = [line for line in (ROOT / "docs" / "howto" / "audit.md").read_text("utf-8").splitlines() if re.match(r"\| (accuracy|`)", line)]
    begin = next(i for i, line in enumerate(lines) if line.startswith("| accuracy"))
    heading, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[begin:])
    told = {row[0].strip("`"): dict(zip(heading[1:], row[1:], strict=True)) for row in rows if len(row) == len(heading)}
    assert set(told) == {name for column in measured.values() for name in column}
    for name, columns in told.items():
        assert columns == {title: column[name] for title, column in measured.items()}, name
