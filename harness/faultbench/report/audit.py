"""The leak audit for a person: what is shared, what breaks the promise, what each side holds, and what shortcuts score."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from faultbench.report.console import print_lines
from faultbench.report.wording import UNKNOWN, clean, interval, number, rate

Report = Mapping[str, Any]

_RELATIONS = {"support/query": "support and query", "source/target": "source and target"}
_SIDES = ("source", "target")
LOOKED_FOR = "also shifted, cropped, rescaled, turned round, offset or rounded; resampled, filtered or mixed ones are not found"
"""The kinds of copies that the audit's samples are searched for, and those that it cannot see."""

_IDS = 4
"""How many recordings a line names."""

_WIDE = 100
"""Columns from which on there is room to say what a probe sees."""

_EPISODE = re.compile(r"^episode (\d+): (.*)$", re.DOTALL)


def print_audits(reports: Iterable[Report], console: Console) -> None:
    """Prints the reports, as `inspection.audits` makes them, one below the other."""
    for place, report in enumerate(reports):
        if place:
            console.print()
        print_lines(console, _title(report), style="bold")
        if report["error"] is not None:
            print_lines(console, f"no split: {report['error']}", style="bold red")
            continue
        if report["stands_for"]:
            print_lines(console, f"{report['level']}: {report['stands_for']}.")
        _print_findings(report, console)
        if any(seed["shared"] for seed in report["seeds"]):
            _print_shared(report, console)
        for facts in report["facts"]:
            _print_facts(report, facts, console)
        _print_probes(report, console)


def _title(report: Report) -> str:
    name = f"{report['dataset']}, {report['scenario']}"
    if report["error"] is not None:
        return name
    level = " ".join(x for x in (report["level"], report["note"] and f"({report['note']})") if x)
    said = [f"{name} [{level}]"]
    if report["sources"]:
        said.append(f"source {' '.join(report['sources'])}")
    if report["window"] is not None:
        said.append(f"{report['ways']}-way {report['shots']}-shot")
        said.append(f"windows of {report['window']} samples at {report['rate_hz']:g} Hz")
    said.append(f"{_counted(len(report['seeds']), 'seed')} of {_counted(report['episodes'], 'episode')}")
    if report["missing_recordings"]:
        said.append(f"{_counted(report['missing_recordings'], 'recording')} missing")
    return ", ".join(said)


def _print_findings(report: Report, console: Console) -> None:
    found: dict[str, list[int]] = {}
    for seed in report["seeds"]:
        for finding in _grouped(seed["findings"]):
            found.setdefault(finding, []).append(seed["seed"])
    if not found:
        print_lines(console, "The split keeps what its level promises.", style="green")
        return
    print_lines(console, f"The split breaks its level, {_counted(len(found), 'finding')}:", style="bold red")
    for finding, seeds in found.items():
        which = "" if len(seeds) == len(report["seeds"]) else f" (seed {', '.join(map(str, seeds))})"
        print_lines(console, f"{finding}{which}", indent=2, style="red")


def _grouped(findings: Sequence[str]) -> Iterator[str]:
    """The findings, those that differ by the episode alone as one."""
    episodes: dict[str, list[str]] = {}
    for finding in findings:
        if matched := _EPISODE.match(finding):
            episodes.setdefault(matched[2], []).append(matched[1])
        else:
            yield finding
    for text, numbers in episodes.items():
        if len(numbers) == 1:
            yield f"episode {numbers[0]}: {text}"
        else:
            yield f"{len(numbers)} episodes ({', '.join(numbers[:_IDS])}{', ...' if len(numbers) > _IDS else ''}): {text}"


def _print_shared(report: Report, console: Console) -> None:
    """What two sides have in common: in how many episodes, and how many of each thing over all seeds."""
    seeds = [seed for seed in report["seeds"] if seed["shared"]]
    table = _table(["shared", *_RELATIONS.values()])
    things = list(seeds[0]["shared"]["support/query"])
    for thing in sorted(things, key=_ORDER.index):
        cells = []
        for relation in _RELATIONS:
            counts = [seed["shared"][relation][thing] for seed in seeds]
            per_episode = relation == "support/query"
            count = sum(counts) if per_episode else max(counts)
            said = f"in {count} of {report['episodes'] * len(seeds)} episodes" if per_episode and count else str(count)
            promised = thing in report["promises"].get(relation, ())
            mark = "promised" if promised and not count else "BREAKS THE PROMISE" if promised else "allowed" if count else ""
            cells.append(Text(f"{said}{f', {mark}' if mark else ''}", style="bold red" if promised and count else ""))
        table.add_row(Text(_NAMES.get(thing, thing)), *cells)
    console.print()
    console.print(table)


_ORDER = ["sample", "recording", "session", "bearing", "mounting", "dataset"]
_NAMES = {"dataset": "data set"}


def _print_facts(report: Report, facts: Mapping[str, Any], console: Console) -> None:
    console.print()
    table = _table([f"seed {', '.join(map(str, facts['seeds']))}" if len(report["facts"]) > 1 else "", *_SIDES])
    for thing in ("recordings", "bearings", "sessions", "mountings", "machines", "loads"):
        table.add_row(Text(thing), *(Text(str(facts[thing][side])) for side in _SIDES))
    console.print(table)
    console.print()
    print_lines(console, "Classes: recordings (bearings); at the target, their RMS, and the step between the values of their signals:")
    console.print()
    classes = _table(["class", *_SIDES, "RMS", "step"])
    held = {side: {one["label"]: one for one in facts["classes"][side]} for side in _SIDES}
    for label in dict.fromkeys(label for side in reversed(_SIDES) for label in held[side]):
        counts = [f"{one['recordings']} ({one['bearings']})" if (one := held[side].get(label)) else UNKNOWN for side in _SIDES]
        level = _extent(facts["rms"]["target"].get(label))
        step = _step(held["target"].get(label), facts["quantisation"]["target"].get(label))
        classes.add_row(*(Text(clean(cell, console.encoding)) for cell in (label, *counts, level, step)))
    console.print(classes)
    console.print()
    for said in _sentences(report, facts):
        print_lines(console, said)


def _step(held: Mapping[str, Any] | None, extent: Sequence[float] | None) -> str:
    """The steps of a class's signals: `0.000163`, `0.000041-0.000406`, `none` (filtered after they were recorded), or some of them."""
    if held is None:
        return UNKNOWN
    if extent is None:
        return "none"
    said = _extent(extent)
    return f"{said}, none in {held['unstepped']}" if held["unstepped"] else said


def _extent(extent: Sequence[float] | None) -> str:
    """From the least to the largest, once where they read the same."""
    if extent is None:
        return UNKNOWN
    low, high = (number(value) for value in extent)
    return low if low == high else f"{low}-{high}"


def _sentences(report: Report, facts: Mapping[str, Any]) -> Iterator[str]:
    reasons = facts["left_out_reasons"]
    told = {name for names in reasons.values() for name in names}
    for reason, names in reasons.items():
        yield f"left out, {reason}: {_named(names)}"
    if rest := [name for name in facts["left_out"] if name not in told]:
        yield f"left out: {_named(rest)}"
    for seed in report["seeds"]:
        if seed["seed"] in facts["seeds"] and seed["undrawn"]:
            yield f"of the target, in no episode of seed {seed['seed']}: {_named(seed['undrawn'])}"
    for names in facts["copies"]:
        yield f"the same samples under several names: {_named(names)}"
    if not facts["copies"]:
        yield f"copies: none, by the samples ({LOOKED_FOR})"
    for note, names in facts["notes"].items():
        yield f"noted, {note}: {_named(names)}"


def _print_probes(report: Report, console: Console) -> None:
    console.print()
    if report["unprobed"]:
        print_lines(console, f"Shortcut probes: not asked: {report['unprobed']}")
        return
    chance = report["probes"][0]["chance"]
    print_lines(console, f"Shortcut probes: what the labels could be told by beside the fault. Chance is {rate(chance)}.")
    console.print()
    wide = console.width >= _WIDE
    table = _table(["probe", *(["sees"] if wide else []), "accuracy", "95 % interval"], wrapped=["meaning"])
    for probe in report["probes"]:
        accuracy = probe["accuracy"]
        says = probe["says"] if probe["answered"] in (0.0, 1.0) else f"{probe['says']} (asked of {probe['answered']:.0%} of the queries)"
        mean = rate(accuracy["mean"]) if accuracy else UNKNOWN
        cells = (probe["name"], *((probe["sees"],) if wide else ()), mean, interval(accuracy), says)
        table.add_row(*(Text(clean(cell, console.encoding)) for cell in cells))
    console.print(table)


def _table(headings: Sequence[str], wrapped: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(Text(heading), no_wrap=True)
    for heading in wrapped:
        table.add_column(Text(heading))
    return table


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_IDS])
    return shown if len(names) <= _IDS else f"{shown} and {len(names) - _IDS} more"


def _counted(how_many: int, what: str) -> str:
    return f"{how_many} {what}{'s' * (how_many != 1)}"
