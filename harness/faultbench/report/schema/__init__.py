"""The published JSON schemas of the documents that faultbench writes, and documents held to them."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from faultbench.discovery import one_line
from faultbench.errors import DataError
from faultbench.report.compared import SCHEMA as COMPARISON_SCHEMA
from faultbench.results.row import SCHEMA

RUNS_SCHEMA = 1
"""Changes when a field of `results list --json` is renamed, is removed, or changes its meaning."""

CACHE_SCHEMA = 1
"""The same of `cache info --json`."""

FILES = {
    "run": f"run-{SCHEMA}.json",
    "comparison": f"comparison-{COMPARISON_SCHEMA}.json",
    "runs": f"runs-{RUNS_SCHEMA}.json",
    "cache": f"cache-{CACHE_SCHEMA}.json",
}
"""The schema's file by the kind of document."""


def schema_text(kind: str) -> str:
    """The schema of a kind of document (draft 2020-12), as it is published."""
    return resources.files(__name__).joinpath(FILES[kind]).read_text(encoding="utf-8")


def check(made: object, kind: str, what: str) -> None:
    """Holds a document to its schema.

    Args:
        made: The document, as JSON has it.
        kind: A kind of `FILES`.
        what: What the document is called in a message: its file.

    Raises:
        DataError: It does not fit; the message names the place.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    fault = best_match(Draft202012Validator(json.loads(schema_text(kind))).iter_errors(made))
    if fault is not None:
        said = f"{one_line(fault.json_path, 80)}: {one_line(fault.message, 120)}"
        raise DataError(f"{what} is no result of faultbench ({said}): name a file that `faultbench run --json` wrote")


def versioned(made: Any) -> Any:
    """The schema version that a document names, or None."""
    return made.get("schema") if isinstance(made, dict) else None
