"""The rows as JUnit XML, which every CI server reads: a cell is a test case of the suite of its data set and scenario.

A criterion that fails is a failure, a cell that could not be computed an error. What is unproven, makes no sense or is a baseline
is skipped, with the reason: it is neither passed nor failed. Only elements and attributes that every reader takes are used, so
figures stand in `system-out`; no `time` is given, since how long a cell took says nothing about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from faultbench.report.wording import clean, facts, interval, number, rate
from faultbench.results.metrics import RATES, TIMES, lookup
from faultbench.results.verdict import ERROR, FAIL, PASS

_MOST = 4000  # characters of a message: servers show it on one line


@dataclass(frozen=True, slots=True)
class Case:
    """A test case.

    Args:
        suite: The suite it belongs to.
        name: What it is called within the suite.
        result: `passed`, `failure`, `error` or `skipped`.
        message: Why it is not passed, in one line.
        details: The same at length.
        output: What else is to be read, in lines.
    """

    suite: str
    name: str
    result: str
    message: str = ""
    details: str = ""
    output: str = ""


def as_junit(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows as an XML document."""
    return junit([case(row) for row in rows])


def junit(cases: Sequence[Case]) -> str:
    """Test cases as an XML document, in suites, which stand in the order of their first case."""
    suites: dict[str, list[Case]] = {}
    for one in cases:
        suites.setdefault(one.suite, []).append(one)
    root = ElementTree.Element("testsuites", {"name": "faultbench", **_totals(cases)})
    for name, group in suites.items():
        suite = ElementTree.SubElement(root, "testsuite", {"name": _harmless(name), **_totals(group), "skipped": _count(group, "skipped")})
        for one in group:
            _add(suite, one)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def case(row: Mapping[str, Any]) -> Case:
    """The test case of a row."""
    cell, verdict = row["cell"], row["verdict"]
    snr = f" snr {cell['snr']}" if cell.get("snr") not in (None, "clean") else ""
    result, message = _result(row)
    return Case(
        suite=f"faultbench.{cell['dataset']}.{cell['scenario']}",
        name=f"{cell['learner']} {cell['compressor']} {cell['target']}{snr}",
        result=result,
        message=message,
        details="\n".join(f"{c['criterion']}: {c['verdict']}: {c['reason']}" for c in verdict["criteria"] if c["verdict"] != PASS),
        output="\n".join(_output(row)),
    )


def _result(row: Mapping[str, Any]) -> tuple[str, str]:
    verdict = row["verdict"]
    overall, sentence = verdict["overall"], verdict["sentence"]
    if overall == ERROR:
        return "error", sentence
    if row["baseline"]:
        return "skipped", f"baseline, shown and not judged: {sentence}"
    if overall == PASS:
        return "passed", ""
    return ("failure" if overall == FAIL else "skipped"), sentence


def _output(row: Mapping[str, Any]) -> Iterator[str]:
    """What a server can show beside the case: the facts, the rates with their intervals, the times, the level and the digest."""
    if row["accuracy"] is not None:
        yield from facts(row)
    for name in RATES:
        if (found := lookup(row, name)) is not None:
            yield f"{name}: {rate(found['mean'])} ({interval(found)}, {found['clusters']})"
    for name in TIMES:
        if (found := lookup(row, name)) is not None:
            yield f"{name}: p50 {number(found['p50'])}, p99 {number(found['p99'])}"
    for name, value in (("level", row["cell"]["level"]), ("watermark", row["watermark"]), ("kind", row["kind"]), ("digest", row["digest"])):
        if value:
            yield f"{name}: {value}"


def _add(suite: ElementTree.Element, one: Case) -> None:
    case = ElementTree.SubElement(suite, "testcase", {"classname": _harmless(one.suite), "name": _harmless(one.name)})
    if one.result != "passed":
        told = {"message": _harmless(one.message)}
        if one.result != "skipped":
            told["type"] = "criterion" if one.result == "failure" else "crash"
        ElementTree.SubElement(case, one.result, told).text = _lines(one.details) or None
    if one.output:
        ElementTree.SubElement(case, "system-out").text = _lines(one.output)


def _totals(cases: Sequence[Case]) -> dict[str, str]:
    return {"tests": str(len(cases)), "failures": _count(cases, "failure"), "errors": _count(cases, "error")}


def _count(cases: Sequence[Case], result: str) -> str:
    return str(sum(one.result == result for one in cases))


def _harmless(text: str) -> str:
    """A text on one line that XML can hold: all that it forbids (control characters, half characters, U+FFFE) is not printable."""
    said = clean(text)
    return said if len(said) <= _MOST else said[: _MOST - 3] + "..."


def _lines(text: str) -> str:
    return "\n".join(_harmless(line) for line in text.split("\n"))
