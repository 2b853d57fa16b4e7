"""Criteria, as they are written: `accuracy.ci_low>=0.95, finetune_s.p99<=600`."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass

from faultbench.errors import UsageError
from faultbench.results.metrics import METRICS

DEFAULT_CRITERIA = "accuracy.ci_low>=0.95, recall.rare.ci_low>=0.92, finetune_s.p99<=600, latency_ms.p99<=100"

_CRITERION = re.compile(r"(?P<name>[^<>=!]*?)\s*(?P<op>[<>=!]+)\s*(?P<number>.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_OPS = (">=", "<=", ">", "<")


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a row must show.

    Args:
        metric: A name of `METRICS`.
        statistic: One of the metric's statistics; empty for a plain number.
        op: `>=`, `<=`, `>` or `<`.
        number: In the metric's unit; a rate is a fraction.
    """

    metric: str
    statistic: str
    op: str
    number: float

    @property
    def figure(self) -> str:
        """The figure's full name: `recall.rare.ci_low`."""
        return f"{self.metric}.{self.statistic}" if self.statistic else self.metric

    @property
    def spelling(self) -> str:
        """The criterion as it can be written again: `recall.rare.ci_low>=0.92`."""
        shortest = f"{self.number:.12g}"
        return f"{self.figure}{self.op}{shortest if float(shortest) == self.number else repr(self.number)}"

    def holds(self, value: float) -> bool:
        """Whether a value satisfies it."""
        return {">=": value >= self.number, "<=": value <= self.number, ">": value > self.number, "<": value < self.number}[self.op]


def parse(text: str = DEFAULT_CRITERIA) -> tuple[Criterion, ...]:
    """The criteria of a comma-separated text, `metric[.statistic] op number`.

    A rate without a statistic means its mean, a time its median (`p50`), `bearings` its `p_low`.

    Raises:
        UsageError: It does not parse; the message says where and what was meant, if that can be guessed.
    """
    criteria = []
    start = 0
    for part in text.split(","):
        criteria.append(_criterion(part.strip(), start + len(part) - len(part.lstrip()) + 1))
        start += len(part) + 1
    return tuple(criteria)


def spelling(criteria: tuple[Criterion, ...]) -> str:
    """Criteria as one text that `parse` reads back."""
    return ", ".join(criterion.spelling for criterion in criteria)


def _criterion(text: str, column: int) -> Criterion:
    """One criterion; `column` is where its text begins, counted from 1, for the error message."""
    found = _CRITERION.fullmatch(text)
    if not text or found is None:
        said = f"{_quoted(text)} is no criterion" if text else "there is nothing"
        raise _unreadable(column, said, "write metric[.statistic] op number, as accuracy.ci_low>=0.95")
    name, op, number = found["name"], found["op"], found["number"]
    metric, statistic = _figure(name, column)
    if op not in _OPS:
        raise _unreadable(column + found.start("op"), f"{_quoted(op)} is no comparison", "write one of " + " ".join(_OPS))
    where = column + found.start("number")
    if not _NUMBER.fullmatch(number) or not math.isfinite(float(number)):
        raise _unreadable(where, f"{_quoted(number)} is no number", "write a plain number, as 0.95 or 600")
    value = float(number)
    if METRICS[metric].evidence == "rate" and statistic not in ("passing", "total") and not 0 <= value <= 1:
        meant = f", as {value / 100:g} for {value:g} %" if 1 < value <= 100 else ""
        raise _unreadable(where, f"{metric} is a fraction, {number} is none", f"write a number from 0 to 1{meant}")
    return Criterion(metric, statistic, op, value)


def _figure(name: str, column: int) -> tuple[str, str]:
    """The metric and the statistic that a dotted name means."""
    if name in METRICS:
        return name, (METRICS[name].statistics or ("",))[0]
    metric, _, statistic = name.rpartition(".")
    if metric in METRICS:
        offered = METRICS[metric].statistics
        if statistic in offered:
            return metric, statistic
        known = f"it has {', '.join(offered)}" if offered else f"it is one number: write {metric} alone"
        raise _unreadable(column, f"{metric} has no statistic {_quoted(statistic)}", f"{_nearest(statistic, offered)}{known}")
    names = [f"{metric}.{statistic}" for metric, kind in METRICS.items() for statistic in kind.statistics] + list(METRICS)
    raise _unreadable(column, f"there is no metric {_quoted(name)}", f"{_nearest(name, names)}metrics are {', '.join(METRICS)}")


def _nearest(name: str, names: tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(name[:80], names, n=1)
    return f"did you mean {near[0]}? " if near else ""


def _quoted(text: str) -> str:
    """The text on one line, cut short, for a message."""
    return ascii(text if len(text) <= 40 else text[:39] + "…")


def _unreadable(column: int, what: str, do: str) -> UsageError:
    return UsageError(f"criteria, column {column}: {what}: {do}")
