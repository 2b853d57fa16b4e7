"""The tables in docs/explanation/transfer.md are those of the JSON beside their command."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def _tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("transfer_table", ROOT / "benchmarks" / "transfer_table.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


tables = _tables()


def rows(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ROOT / "benchmarks" / f"{name}.json").read_text(encoding="utf-8"))["rows"]
    return found


def test_the_tables_in_the_docs_are_those_that_were_measured() -> None:
    page = (ROOT / "docs" / "explanation" / "transfer.md").read_text(encoding="utf-8")
    shown = [line for line in page.splitlines() if line.startswith("| `")]
    assert shown == [line for name in tables.FILES for line in tables.table(name)]


def test_the_false_alarms_in_the_docs_are_those_that_were_measured() -> None:
    text = (ROOT / "docs" / "explanation" / "transfer.md").read_text(encoding="utf-8")
    found = {(row["cell"]["scenario"], row["cell"]["learner"]): row["false_alarm"]["mean"] for row in rows("uestc_transfer")}
    orders = [found["new-dataset:base=orders", learner] for learner in tables.LEARNERS]
    assert "false alarms: {:.3f} `maml`, {:.3f} `cnn`, {:.3f} `centroid`".format(*orders) in text
    assert f"at most {max(found['new-dataset', learner] for learner in tables.LEARNERS):.3f}" in text


def test_what_the_docs_say_of_maml_beside_the_untrained_reference_is_so() -> None:
    ahead = {row["cell"]["snr"]: row["differences"]["centroid"] for row in rows("uestc_noise") if row["cell"]["learner"] == "maml"}
    most = max(ahead, key=lambda level: ahead[level]["mean"])
    assert f"by {ahead[most]['mean']:.3f} at most (`{most}`)" in (ROOT / "docs" / "explanation" / "transfer.md").read_text(encoding="utf-8")
    assert all(found["ci_low"] <= 0 for found in ahead.values())


def test_a_cell_that_was_measured_twice_came_out_alike() -> None:
    """The clean cells of the transfer were trained and measured again for the noise, from another cache key."""
    once, again = (
        {row["cell"]["learner"]: row for row in rows(name) if (row["cell"]["scenario"], row["cell"]["snr"]) == ("new-dataset", "clean")}
        for name in ("uestc_transfer", "uestc_noise")
    )
    for learner in tables.LEARNERS:
        for figure in ("accuracy", "recall", "confusion"):
            assert once[learner][figure] == again[learner][figure]
