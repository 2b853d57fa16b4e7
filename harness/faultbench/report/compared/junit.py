"""A comparison as JUnit XML: a pair of rows is a test case, and a condition that fires is its failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from faultbench.report.compared.wording import changes, conditions, name, unknowns
from faultbench.report.junit import Case, junit
from faultbench.results.verdict import ERROR, FAIL, PASS

_AXES = ("learner", "compressor", "target")


def as_junit(comparison: Mapping[str, Any]) -> str:
    """The comparison as an XML document. What was not compared, or is judged by no condition, is skipped with the reason."""
    return junit(list(_cases(comparison)))


def _cases(comparison: Mapping[str, Any]) -> Iterator[Case]:
    for pair in comparison["pairs"]:
        told = "\n".join(conditions(pair))
        output = "\n".join([*changes(pair), *unknowns(pair)])
        if pair["verdict"] == FAIL:
            fires = "; ".join(line for line, one in zip(conditions(pair), pair["conditions"], strict=True) if one["verdict"] == FAIL)
            yield Case(_suite(pair), name(pair, _AXES), "failure", fires, told, output)
        elif pair["verdict"] == PASS:
            yield Case(_suite(pair), name(pair, _AXES), "passed", output=output)
        else:
            why = "baseline, shown and not judged" if pair["baseline"] else told.replace("\n", "; ") or "no condition was given"
            yield Case(_suite(pair), name(pair, _AXES), "skipped", why, told, output)
    for one in comparison["refused"]:
        broken = one["new"]["verdict"] == ERROR
        yield Case(_suite(one), name(one, _AXES), "error" if broken else "skipped", f"not compared: {one['reason']}")
    for one in comparison["missing"]:
        yield Case(_suite(one), name(one, _AXES), "skipped", "missing from NEW")
    for one in comparison["added"]:
        broken = one["verdict"] == ERROR
        why = "could not be computed, and BASE has no such cell" if broken else "only in NEW: there is nothing to compare with"
        yield Case(_suite(one), name(one, _AXES), "error" if broken else "skipped", why)


def _suite(one: Mapping[str, Any]) -> str:
    return f"faultbench.compare.{one['cell']['dataset']}.{one['cell']['scenario']}"
