"""Draws the figures of the explanations: the isolation levels, the coverage of intervals, and what compression costs and gains.

    python docs/figures.py

Needs matplotlib. Everything measured is read from the JSON files in benchmarks/; equal input gives equal files.
"""

from __future__ import annotations

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
    _save(figure, "coverage")


def _read(name: str) -> Any:
    return json.loads((BENCHMARKS / name).read_text(encoding="utf-8"))


def _save(figure: Any, name: str) -> None:
    FIGURES.mkdir(exist_ok=True)
    figure.savefig(FIGURES / f"{name}.svg", metadata={"Date": None, "Creator": "faultbench"})
    plt.close(figure)


def main() -> None:
    """Draws all figures."""
    plt.rcParams.update({"svg.hashsalt": "faultbench", "svg.fonttype": "none", "font.family": "sans-serif"})
    levels()
    coverage()


if __name__ == "__main__":
    main()
