"""How figures and facts of a row read: the words and numbers that a table and its lines are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from faultbench.results.specimens import specimen

UNKNOWN = "-"
"""What stands for a figure that is not known."""


def rate(value: float | None) -> str:
    """A rate: `0.957`."""
    return UNKNOWN if value is None else f"{value:.3f}"


def interval(found: Mapping[str, Any] | None) -> str:
    """A rate's interval: `0.931-0.978`."""
    if not found or found["ci_low"] is None:
        return UNKNOWN
    return f"{found['ci_low']:.3f}-{found['ci_high']:.3f}"


def number(value: float | None) -> str:
    """A number with three digits that count, never in powers of ten: `0.0312`, `4.20`, `613`."""
    if value is None:
        return UNKNOWN
    size = abs(value)
    # A value that rounds up to the next power of ten has that one's digits: 0.9996 is 1.00.
    for least, digits in ((99.95, 0), (9.995, 1), (0.9995, 2)):
        if size >= least:
            return f"{value:.{digits}f}"
    if not value:
        return "0"
    short = f"{value:#.3g}"
    return f"{value:.6f}" if "e" in short else short


def count(value: float | None, unit: str = "") -> str:
    """A large number with its prefix: `61.2k`, `1.31M`; with a unit `245 kB`."""
    if value is None:
        return UNKNOWN
    for prefix in ("", "k", "M", "G", "T"):
        if abs(value) < 999.5 or prefix == "T":
            break
        value /= 1000
    digits = f"{value:.0f}" if not prefix else number(value)
    return f"{digits} {prefix}{unit}" if unit else f"{digits}{prefix}"


def signed(found: Mapping[str, float | None]) -> str:
    """A difference with its interval: `+0.016 (+0.000 to +0.038)`."""
    mean, low, high = (found[name] for name in ("mean", "ci_low", "ci_high"))
    if mean is None:
        return UNKNOWN
    return f"{mean:+.3f}" if low is None or high is None else f"{mean:+.3f} ({low:+.3f} to {high:+.3f})"


def clean(text: object, encoding: str = "utf-8") -> str:
    """Text from a plugin or a file, harmless on a terminal: no control characters, and none that the encoding has not."""
    printable = "".join(c if c.isprintable() else " " for c in str(text))
    return printable.encode(encoding, "replace").decode(encoding)


def facts(row: Mapping[str, Any]) -> Iterator[str]:
    """What has to be said about a judged row beside its figures, a line each."""
    yield row["verdict"]["sentence"]
    if found := row["bearings"]:
        what = specimen(row)
        proves = f"proves {100 * found['p_low']:.0f} % for another {what}"
        yield f"{found['passing']} of {found['total']} fault {what}s reach recall {found['criterion']:g}: {proves}"
    if row["accuracy"] and row["accuracy"]["degenerate"]:
        yield f"degenerate interval: the accuracy has no spread between {specimen(row)}s and seeds"
    if row["void"] and row["void"] not in row["verdict"]["sentence"]:
        yield f"times are void: {row['void']}"
    if row["differences"]:
        yield "accuracy less that of " + ", ".join(_difference(name, found) for name, found in row["differences"].items())
    if row["achieved"]:
        yield "achieved: " + ", ".join(f"{name} {_achieved(value)}" for name, value in row["achieved"].items())
    for name, value in row["notes"].items():
        yield f"{name}: {value}"


def _difference(name: str, found: Mapping[str, float | None]) -> str:
    return f"{name}: {signed(found)}"


def _achieved(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
