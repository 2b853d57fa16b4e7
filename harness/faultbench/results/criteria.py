"""Criteria, as they are written: `accuracy.ci_low>=0.95, finetune_s.p99<=600`."""

from __future__ import annotations

from dataclasses import dataclass

from faultbench.results.expressions import Term, guess, holds, number_text, quoted, terms
from faultbench.results.metrics import METRICS

DEFAULT_CRITERIA = "accuracy.ci_low>=0.95, recall.rare.ci_low>=0.92, finetune_s.p99<=600, latency_ms.p99<=100"

_FORM = "metric[.statistic] op number, as accuracy.ci_low>=0.95"


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
        return f"{self.figure}{self.op}{number_text(self.number)}"

    def holds(self, value: float) -> bool:
        """Whether a value satisfies it."""
        return holds(value, self.op, self.number)


def parse(text: str = DEFAULT_CRITERIA) -> tuple[Criterion, ...]:
    """The criteria of a comma-separated text, `metric[.statistic] op number`.

    A rate without a statistic means its mean, a time its median (`p50`), `bearings` its `p_low`.

    Raises:
        UsageError: It does not parse; the message says where and what was meant, if that can be guessed.
    """
    return tuple(_criterion(term) for term in terms(text, "criteria", "criterion", _FORM))


def spelling(criteria: tuple[Criterion, ...]) -> str:
    """Criteria as one text that `parse` reads back."""
    return ", ".join(criterion.spelling for criterion in criteria)


def _criterion(term: Term) -> Criterion:
    metric, statistic = figure(term, term.name)
    op, value = term.checked_op(), term.checked_number()
    if METRICS[metric].evidence == "rate" and statistic not in ("passing", "total") and not 0 <= value <= 1:
        meant = f", as {value / 100:g} for {value:g} %" if 1 < value <= 100 else ""
        raise term.wrong_number(f"{metric} is a fraction, {term.number} is none", f"write a number from 0 to 1{meant}")
    return Criterion(metric, statistic, op, value)


def figure(term: Term, name: str) -> tuple[str, str]:
    """The metric and the statistic that a dotted name means.

    Raises:
        UsageError: There is no such.
    """
    if name in METRICS:
        return name, (METRICS[name].statistics or ("",))[0]
    metric, _, statistic = name.rpartition(".")
    if metric in METRICS:
        offered = METRICS[metric].statistics
        if statistic in offered:
            return metric, statistic
        known = f"it has {', '.join(offered)}" if offered else f"it is one number: write {metric} alone"
        raise term.wrong_name(f"{metric} has no statistic {quoted(statistic)}", f"{guess(statistic, offered)}{known}")
    names = [f"{metric}.{statistic}" for metric, kind in METRICS.items() for statistic in kind.statistics] + list(METRICS)
    raise term.wrong_name(f"there is no metric {quoted(name)}", f"{guess(name, names)}metrics are {', '.join(METRICS)}")
