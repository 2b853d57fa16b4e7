"""Conditions on a comparison, as they are written: `accuracy.diff.ci_high<-0.01, latency_ms.p99.ratio>1.2`.

A condition that is true *fires*: it says what must not have happened from the base to the new result. Rates are compared by their
difference, new less base; times and sizes by their ratio, new by base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faultbench.results.criteria import figure
from faultbench.results.expressions import Term, guess, holds, number_text, quoted, terms
from faultbench.results.metrics import FIGURES, METRICS, RATES, TIMES

DIFF, RATIO = "diff", "ratio"

UNCOMPARED = ("train_s", "train_macs")
"""Training happens on a host that the row does not name: a ratio could be that of two machines."""

RATIOS = (*TIMES, *(name for name in FIGURES if name not in UNCOMPARED))
"""What is compared by its ratio."""

_FORM = (
    "metric.diff[.statistic] op number or metric[.statistic].ratio op number, as accuracy.diff.ci_high<-0.01 or latency_ms.p99.ratio>1.2"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing that must not have happened.

    Args:
        metric: A name of `RATES` for a difference, of `RATIOS` for a ratio.
        change: `diff` or `ratio`.
        statistic: Of the difference `mean`, `ci_low` or `ci_high`; of a ratio the metric's own, empty for a plain number.
        op: `>=`, `<=`, `>` or `<`.
        number: A difference of fractions, or a ratio.
    """

    metric: str
    change: Literal["diff", "ratio"]
    statistic: str
    op: str
    number: float

    @property
    def name(self) -> str:
        """The compared figure's name: `accuracy.diff.ci_high`, `latency_ms.p99.ratio`."""
        parts = (self.metric, self.change, self.statistic) if self.change == DIFF else (self.metric, self.statistic, self.change)
        return ".".join(part for part in parts if part)

    @property
    def spelling(self) -> str:
        """The condition as it can be written again."""
        return f"{self.name}{self.op}{number_text(self.number)}"

    def fires(self, value: float) -> bool:
        """Whether it is true of a value."""
        return holds(value, self.op, self.number)


def parse(text: str) -> tuple[Condition, ...]:
    """The conditions of a comma-separated text.

    A difference without a statistic means its mean, the ratio of a time without one that of its median (`p50`).

    Raises:
        UsageError: It does not parse; the message says where and what was meant, if that can be guessed.
    """
    return tuple(_condition(term) for term in terms(text, "fail-on", "condition", _FORM))


def _condition(term: Term) -> Condition:
    stem, _, last = term.name.rpartition(".")
    if last == RATIO:
        metric, statistic = _of_ratio(term, stem)
        op, number = term.checked_op(), term.checked_number()
        if number < 0:
            raise term.wrong_number(f"a ratio of {term.number} cannot be", "write a positive number, as 1.2 for a fifth more")
        return Condition(metric, "ratio", statistic, op, number)
    metric, statistic = _of_difference(term)
    op, number = term.checked_op(), term.checked_number()
    if not -1 <= number <= 1:
        meant = f", as {number / 100:g} for {number:g} %" if abs(number) <= 100 else ""
        raise term.wrong_number(f"{metric} is a fraction, {term.number} is no difference of two", f"write a number from -1 to 1{meant}")
    return Condition(metric, "diff", statistic, op, number)


def _of_ratio(term: Term, stem: str) -> tuple[str, str]:
    metric, statistic = figure(term, stem)
    if metric in UNCOMPARED:
        raise term.wrong_name(f"{metric} is not compared", "no row names the machine that trained")
    if metric not in RATIOS:
        raise term.wrong_name(f"{metric} is compared by its difference", f"write {metric}.{DIFF} or {metric}.{DIFF}.ci_high")
    return metric, statistic


def _of_difference(term: Term) -> tuple[str, str]:
    metric, found, rest = term.name.partition(f".{DIFF}")
    if not found:
        named = next((name for name in METRICS if term.name == name or term.name.startswith(f"{name}.")), "")
        example = f"{named}.{DIFF}" if named in RATES else f"{term.name}.{RATIO}" if named in RATIOS else ""
        raise term.wrong_name(f"{quoted(term.name)} names no change", f"write {example}" if example else f"write {_FORM}")
    if metric not in RATES:
        if metric in RATIOS:
            raise term.wrong_name(f"{metric} is compared by its ratio", f"write {metric}.{RATIO}")
        raise term.wrong_name(f"there is no rate {quoted(metric)}", f"{guess(metric, RATES)}rates are {', '.join(RATES)}")
    offered, statistic = METRICS[metric].statistics, rest.removeprefix(".")
    if rest and (not rest.startswith(".") or statistic not in offered):
        raise term.wrong_name(
            f"a difference has no statistic {quoted(statistic)}", f"{guess(statistic, offered)}it has {', '.join(offered)}"
        )
    return metric, statistic or offered[0]
