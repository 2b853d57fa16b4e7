"""Draws the figures of the explanations: the isolation levels, the coverage of intervals, and what compression costs and gains.

    python docs/figures.py

It also fills in the tables of pages that have one. Needs matplotlib. Everything measured is read from the JSON files in benchmarks/; each
figure carries the digest of what it was drawn from.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

import matplotlib.pyplot as plt
from matplotlib.patches import Patch, Rectangle

HERE = Path(__file__).parent
BENCHMARKS = HERE.parent / "benchmarks"
FIGURES = HERE / "figures"

# Okabe & Ito 2008: told apart by the colour-blind, too.
SOURCE, SUPPORT, QUERY, NOBODY = "#0072B2", "#E69F00", "#009E73", "#DDDDDD"

BEARINGS = 6
"""Rows of a level's picture: of the target's machine the upper half, of another machine the lower; per half three bearings."""
SESSIONS = 4
LEVELS: dict[str, tuple[str, dict[tuple[int, int], str]]] = {
    "T0": ("windows of\none recording", {(0, 0): "mixed", (1, 0): "mixed", (2, 0): "mixed"}),
    "T1": (
        "another session\nof the same bearings",
        {(b, s): (SOURCE, SOURCE, SUPPORT, QUERY)[s] for b in range(3) for s in range(SESSIONS)},
    ),
    "T2": (
        "a new machine,\nfaults labelled there",
        {**{(b, s): SUPPORT if s == 0 else QUERY for b in range(3) for s in range(SESSIONS)}}
        | {(b, s): SOURCE for b in range(3, 6) for s in range(SESSIONS)},
    ),
    "T3": (
        "a bearing nobody\nhas seen fail",
        {(0, s): SUPPORT for s in range(SESSIONS)}
        | {(b, s): QUERY for b in (1, 2) for s in range(SESSIONS)}
        | {(b, s): SOURCE for b in range(3, 6) for s in range(SESSIONS)},
    ),
    "T4": (
        "another plant\naltogether",
        {(0, s): SUPPORT for s in range(SESSIONS)} | {(b, s): QUERY for b in (1, 2) for s in range(SESSIONS)},
    ),
}


def levels() -> None:
    """A picture per level: bearings in rows, sessions in columns, coloured by what they are used for."""
    figure, axes = plt.subplots(1, len(LEVELS), figsize=(11, 3.6), width_ratios=[1, 1, 1, 1, 2.2])
    for axis, (level, (what, used)) in zip(axes, LEVELS.items(), strict=True):
        for bearing in range(BEARINGS):
            y = -bearing - (0.7 if bearing >= BEARINGS // 2 else 0)
            for session in range(SESSIONS):
                colour = used.get((bearing, session), NOBODY)
                if colour == "mixed":
                    for part, shade in enumerate((SOURCE, SUPPORT, QUERY) * 2):
                        axis.add_patch(Rectangle((session + 0.15 * part, y), 0.14, 0.82, color=shade))
                else:
                    axis.add_patch(Rectangle((session, y), 0.88, 0.82, color=colour))
        if level == "T4":
            for bearing in range(3):
                for session in range(SESSIONS):
                    axis.add_patch(Rectangle((session + 5.4, -bearing), 0.88, 0.82, color=SOURCE))
            axis.text(7.3, 1.05, "other data set", ha="center", fontsize=8, color="#444444")
        axis.text(2, 1.05, "machine A", ha="center", fontsize=8, color="#444444")
        axis.text(2, -6.45, "machine B", ha="center", fontsize=8, color="#444444")
        axis.set_title(f"{level}\n{what}", fontsize=10, pad=12)
        axis.set_xlim(-0.2, 9.6 if level == "T4" else 4.2)
        axis.set_ylim(-6.7, 1.5)
        axis.set_aspect("equal")
        axis.axis("off")
    names = {"source: trained on": SOURCE, "support: labelled at the target": SUPPORT, "query: to be recognised": QUERY, "not used": NOBODY}
    handles = [Patch(color=colour, label=name) for name, colour in names.items()]
    figure.legend(handles=handles, loc="lower center", ncol=4, frameon=False, fontsize=9)
    figure.text(0.5, 0.085, "a row is a bearing, a box a session of it", ha="center", fontsize=8, color="#444444")
    figure.subplots_adjust(left=0.01, right=0.99, top=0.8, bottom=0.14, wspace=0.06)
    _save(figure, "levels")


def coverage() -> None:
    """How often the nominal 95 % interval held the truth, by the number of bearings."""
    figure, axis = plt.subplots(figsize=(6.4, 3.6))
    found = _read("interval_coverage.json")
    for population, colour, marker in zip(dict.fromkeys(one["population"] for one in found), (SOURCE, QUERY, SUPPORT), "osD", strict=False):
        own = [one for one in found if one["population"] == population]
        axis.errorbar(
            [one["bearings"] for one in own],
            [one["coverage"] for one in own],
            [1.96 * one["standard_error"] for one in own],
            color=colour,
            marker=marker,
            capsize=3,
            label=population,
        )
    axis.axhline(0.95, color="#444444", linewidth=0.8, linestyle="--")
    axis.text(axis.get_xlim()[1], 0.955, "nominal", ha="right", fontsize=8, color="#444444")
    axis.set_xlabel("faulty bearings")
    axis.set_ylabel("intervals that hold the truth")
    axis.set_ylim(0.3, 1.0)
    axis.legend(frameon=False, title="population of bearings")
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    _save(figure, "coverage", "interval_coverage.json")


def compression() -> None:
    """The paired difference in accuracy that each degree makes, and what is left of parameters, operations and the artifact."""
    rows = _read("compression.json")["rows"]
    figure, axes = plt.subplots(1, 2, figsize=(9.4, 3.8))
    lines = list(dict.fromkeys((row["dataset"], row["learner"]) for row in rows))
    marks = dict(zip(lines, ((SOURCE, "o"), (SUPPORT, "s"), (QUERY, "D"), ("#CC79A7", "^")), strict=False))
    for place, (line, (colour, marker)) in enumerate(marks.items()):
        own = [row for row in rows if (row["dataset"], row["learner"]) == line and "difference" in row]
        made = [row["difference"]["accuracy"] for row in own]
        axes[0].errorbar(
            [step + 0.12 * (place - 1.5) for step in range(len(own))],
            [one["mean"] for one in made],
            [[one["mean"] - one["ci_low"] for one in made], [one["ci_high"] - one["mean"] for one in made]],
            color=colour,
            marker=marker,
            linestyle="none",
            capsize=3,
            label=f"{line[1]} on {line[0]}",
        )
    degrees = list(dict.fromkeys(row["compressor"] for row in rows if "difference" in row))
    axes[0].axhline(0, color="#444444", linewidth=0.8, linestyle="--")
    axes[0].set_xticks(range(len(degrees)), degrees)
    axes[0].set_ylabel("accuracy, less that without pruning")
    axes[0].legend(frameon=False, fontsize=8)
    own = [row for row in rows if (row["dataset"], row["learner"]) == lines[0] and "ratio" in row]
    names = {"params": "parameters", "macs": "operations (MAC)", "artifact_bytes": "artifact"}
    for (name, said), colour, marker in zip(names.items(), (SOURCE, QUERY, SUPPORT), "oDs", strict=True):
        axes[1].plot(range(len(own)), [row["ratio"][name] for row in own], color=colour, marker=marker, label=said)
    axes[1].axhline(1, color="#444444", linewidth=0.8, linestyle="--")
    axes[1].set_xticks(range(len(degrees)), degrees)
    axes[1].set_ylim(0, 1.1)
    axes[1].set_ylabel(f"share that is left ({lines[0][1]} on {lines[0][0]})")
    axes[1].legend(frameon=False, fontsize=8)
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    _save(figure, "compression", "compression.json")


def compression_table() -> list[str]:
    """Lines of Markdown: a row for each cell of benchmarks/compression.json."""
    lines = [
        "| data set | learner | compressor | accuracy | less that without | rare recall, less that without | parameters | MAC | artifact |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in _read("compression.json")["rows"]:
        mark = " (structure only)" if "structure only" in row["labels"] else ""
        said = "{mean:+.3f} ({ci_low:+.3f} to {ci_high:+.3f})"
        made = [said.format(**row["difference"][name]) if "difference" in row else "-" for name in ("accuracy", "recall.rare")]
        lines.append(
            f"| `{row['dataset']}` | `{row['learner']}` | `{row['compressor']}`{mark} "
            f"| {row['accuracy']['mean']:.3f} ({row['accuracy']['ci_low']:.3f} to {row['accuracy']['ci_high']:.3f}) "
            f"| {made[0]} | {made[1]} | {row['params']:,} | {row['macs'] / 1e6:.2f} M | {row['artifact_bytes'] / 1000:.0f} kB |"
        )
    return lines


def channels_table() -> list[str]:
    """Lines of Markdown: a row for each cell of benchmarks/channels.json."""
    lines = ["| data set | scenario | learner | added | accuracy | difference it makes |", "|---|---|---|---|---|---|"]
    for row in _read("channels.json")["rows"]:
        made = "{mean:+.3f} ({ci_low:+.3f} to {ci_high:+.3f})".format(**row["difference"]) if row["difference"] else "-"
        accuracy = "{mean:.3f} ({ci_low:.3f} to {ci_high:.3f})".format(**row["accuracy"])
        lines.append(f"| {row['dataset']} | `{row['scenario']}` | `{row['learner']}` | {row['added']} | {accuracy} | {made} |")
    return lines


TABLES = {"explanation/compression.md": compression_table, "explanation/channels.md": channels_table}
"""Pages, and what stands in them between the two marks."""
MARKS = ("<!-- made by docs/figures.py -->", "<!-- until here -->")


def with_table(page: str) -> str:
    """The page as it has to read."""
    text = (HERE / page).read_text(encoding="utf-8")
    begin, end = (text.index(mark) for mark in MARKS)
    return "\n".join((text[: begin + len(MARKS[0])], "", *TABLES[page](), "", text[end:]))


def _read(name: str) -> Any:
    return json.loads((BENCHMARKS / name).read_text(encoding="utf-8"))


def _save(figure: Any, name: str, drawn_from: str = "") -> None:
    FIGURES.mkdir(exist_ok=True)
    source = f"{drawn_from} {hashlib.sha256((BENCHMARKS / drawn_from).read_bytes()).hexdigest()}" if drawn_from else None
    figure.savefig(FIGURES / f"{name}.svg", metadata={"Date": None, "Creator": "faultbench", "Source": source})
    plt.close(figure)


def main() -> None:
    """Draws all figures."""
    plt.rcParams.update({"svg.hashsalt": "faultbench", "svg.fonttype": "none", "font.family": "sans-serif"})
    levels()
    coverage()
    compression()


if __name__ == "__main__":
    main()
    for name in TABLES:
        (HERE / name).write_text(with_table(name), encoding="utf-8")
