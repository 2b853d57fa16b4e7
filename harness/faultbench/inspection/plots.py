"""Drawing what is seen of recordings: a picture with a row for each, or the panels of a page.

The same input gives the same bytes of SVG: no date, no random names. Nothing needs a display.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faultbench.discovery import one_line
from faultbench.errors import UsageError
from faultbench.inspection.spectra import MESH, Line, Spectrum, side_bands
from faultbench.inspection.views import HARMONICS, View
from faultbench.names import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {
    "BPFO": "#0072B2",
    "BPFI": "#D55E00",
    "2xBSF": "#009E73",
    "FTF": "#CC79A7",
    MESH: "#E69F00",
    "pinion": "#0072B2",
    "wheel": "#D55E00",
}
"""Of the lines: of Okabe & Ito's eight (2008, Color Universal Design), which all kinds of colour vision tell apart."""

DASHES = {
    "BPFO": (0, (6, 2)),
    "BPFI": (0, (3, 1.5)),
    "2xBSF": (0, (6, 1.5, 1, 1.5)),
    "FTF": (0, (1, 1.2)),
    MESH: (0, (8, 1.5)),
    "pinion": (0, (2, 1)),
    "wheel": (0, (1, 1.5)),
}
"""Of the lines: they differ without colour too."""

INK, SHAFT = "#222222", "#BBBBBB"

_WIDTH_IN, _ROW_IN = 16.0, 2.8
_TOP_IN, _BOTTOM_IN, _LEFT_IN, _RIGHT_IN = 1.05, 1.15, 0.75, 0.15
_PANEL_IN = (4.4, 2.9)
_DPI = 110

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_TOGETHER = 4.0
"""Rows whose largest values differ by no more than this factor share a scale; others would be a flat line beside the largest."""

_SIDE_BANDS = 3
"""Drawn on either side of the mesh frequency and its harmonics, for either gear."""

_WAVEFORM, _SPECTRUM, _ENVELOPE = "waveform", "amplitude spectrum", "squared envelope spectrum"
SUFFIXES = ("png", "svg", "html")
PANELS = (_WAVEFORM, _SPECTRUM, _ENVELOPE)


@dataclass(frozen=True, slots=True)
class Caption:
    """What stands around the rows.

    Args:
        title: One line.
        subtitle: One line below it.
        notes: Small print, a line each.
    """

    title: str
    subtitle: str
    notes: tuple[str, ...]


def require_matplotlib() -> None:
    """Checks that pictures can be drawn.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError("a plot needs matplotlib: pip install matplotlib") from error


def suffix_of(file: Path) -> str:
    """What is drawn for a file's name: `png`, `svg` or `html`.

    Raises:
        UsageError: It is none of them.
    """
    suffix = file.suffix.lower().removeprefix(".")
    if suffix not in SUFFIXES:
        what = f"ends in .{suffix}" if suffix else "has no ending"
        raise UsageError(f"{shown(file.name)} {what}, which is no picture: name a file .png, .svg or .html")
    return suffix


def picture(views: Sequence[View], caption: Caption, suffix: str) -> bytes:
    """All recordings as one PNG or SVG, a row for each.

    Args:
        views: The rows.
        caption: Title and small print.
        suffix: `png` or `svg`.
    """
    with _drawing("path") as new_figure:
        height = _TOP_IN + _BOTTOM_IN + _ROW_IN * len(views)
        figure = new_figure(_WIDTH_IN, height)
        scales = _Scales(views, own=" (its own scale)")
        axes = figure.subplots(
            len(views),
            3,
            squeeze=False,
            gridspec_kw={
                "left": _LEFT_IN / _WIDTH_IN,
                "right": 1 - _RIGHT_IN / _WIDTH_IN,
                "top": 1 - (_TOP_IN + 0.55) / height,
                "bottom": (_BOTTOM_IN - 0.1) / height,
                "hspace": 0.66,
                "wspace": 0.17,
                "width_ratios": (1.0, 1.0, 1.35),
            },
        )
        for row, view in zip(axes, views, strict=True):
            for name, axis in zip(PANELS, row, strict=True):
                _DRAWN[name](axis, view, scales)
            # Above the ticks of the orders, from the left edge of the row.
            x, y = _LEFT_IN / _WIDTH_IN, row[0].get_position().y1 + 0.42 / height
            heading = figure.text(x, y, one_line(view.heading), weight="bold", size=11, color=INK)
            behind = heading.get_window_extent().x1 / (_WIDTH_IN * _DPI) + 0.2 / _WIDTH_IN
            figure.text(behind, y, described(view), size=9, color=INK)
        figure.text(_LEFT_IN / _WIDTH_IN, 1 - 0.35 / height, one_line(caption.title), size=14, weight="bold", color=INK)
        figure.text(_LEFT_IN / _WIDTH_IN, 1 - 0.6 / height, one_line(caption.subtitle), size=9, color="#555555")
        _legend(figure, views, 1 - 0.62 / height)
        for number, note in enumerate(reversed(caption.notes)):
            figure.text(_LEFT_IN / _WIDTH_IN, (0.12 + 0.15 * number) / height, one_line(note, most=400), size=7, color="#555555")
        return _saved(figure, suffix)


def panels(views: Sequence[View]) -> list[dict[str, str]]:
    """Per recording, its panels as SVG by their names, text as text, each as large as a phone is wide."""
    scales = _Scales(views)
    drawn = []
    for view in views:
        found = {}
        for name in PANELS:
            with _drawing("none") as new_figure:
                figure = new_figure(*_PANEL_IN)
                axis = figure.subplots(gridspec_kw={"left": 0.16, "right": 0.95, "bottom": 0.16, "top": 0.83})
                _DRAWN[name](axis, view, scales)
                found[name] = _saved(figure, "svg").decode("utf-8")
        drawn.append(found)
    return drawn


def described(view: View) -> str:
    """Whose recording it is, how fast and how loud, in one line."""
    recording = view.recording
    speed = f"speed {recording.speed_rpm:g} rpm" if recording.speed_rpm else "speed not known"
    level = f"RMS {view.rms:.3g} {unit(view)}, kurtosis {view.kurtosis:.1f}, crest factor {view.crest:.1f}"
    where = f"position {recording.position}" if recording.position else ""
    read = f"channel {view.channel} at {view.rate_hz:g} Hz"
    return one_line(", ".join(x for x in (f"recording {recording.id}", where, f"load {recording.load}", speed, read, level) if x))


def unit(view: View) -> str:
    """The unit of a view's values, as it stands behind a number."""
    return view.unit if view.unit != "not stated" else "(unit not stated)"


class _Scales:
    """Which y scales rows share; `own` is what is said of one that is not."""

    def __init__(self, views: Sequence[View], own: str = "") -> None:
        import numpy as np

        self.own = own
        self.waveform = self._shared([float(np.abs(view.waveform).max()) for view in views])
        self.envelope = self._shared([_peak(view.envelope, view.envelope_to_hz) for view in views])
        amplitudes = [view.spectrum.amplitude[1:] for view in views]
        seen = np.concatenate([a[a > 0] for a in amplitudes]) if amplitudes else np.ones(1)
        low, high = (float(np.quantile(seen, 0.002)), float(seen.max())) if len(seen) else (1e-3, 1.0)
        self.spectrum = low / 1.5, high * 2

    @staticmethod
    def _shared(peaks: list[float]) -> float | None:
        """The largest value where all rows can be drawn to it, else None."""
        return max(peaks) if peaks and max(peaks) <= _TOGETHER * max(min(peaks), 1e-30) else None


def _waveform(axis: Axes, view: View, scales: _Scales) -> None:
    axis.plot(view.seconds, view.waveform, color=INK, linewidth=0.6)
    axis.set_xlim(0, len(view.seconds) / view.rate_hz)
    if scales.waveform:
        axis.set_ylim(-1.08 * scales.waveform, 1.08 * scales.waveform)
    _labelled(
        axis,
        f"{_WAVEFORM}, first {len(view.seconds) / view.rate_hz:g} s{'' if scales.waveform else scales.own}",
        "time, s",
        _with_unit(view),
    )


def _spectrum(axis: Axes, view: View, scales: _Scales) -> None:
    axis.semilogy(view.spectrum.hz[1:], view.spectrum.amplitude[1:].clip(min=1e-30), color=INK, linewidth=0.5)
    axis.set_xlim(0, view.rate_hz / 2)
    axis.set_ylim(*scales.spectrum)
    axis.yaxis.set_major_formatter(_power_of_ten)
    for line, at in side_bands(view.lines, HARMONICS, _SIDE_BANDS):
        if not 0 < at < view.rate_hz / 2:
            continue
        meshes = line.name == MESH
        width, alpha = (1.2, 0.9) if meshes else (0.6, 0.55)
        axis.axvline(at, color=COLOURS[line.name], linestyle=DASHES[line.name], linewidth=width, alpha=alpha, zorder=1)
        if meshes:
            said, place = MESH if at == line.hz else f"{round(at / line.hz)}x", axis.get_xaxis_transform()
            axis.text(at, 0.985, said, transform=place, color=COLOURS[MESH], size=7, va="top", rotation=90, ha="right")
    _labelled(axis, f"{_SPECTRUM}, {view.spectrum.resolution_hz:.2g} Hz", "frequency, Hz", _with_unit(view))
    _orders(axis, view)


def _envelope(axis: Axes, view: View, scales: _Scales) -> None:
    to_hz = view.envelope_to_hz
    top = 1.22 * (scales.envelope or _peak(view.envelope, to_hz) or 1.0)
    if view.shaft_hz:
        for turn in range(1, 7):
            axis.axvline(turn * view.shaft_hz, color=SHAFT, linewidth=0.8, zorder=0.5)
    for line in view.lines:
        own = _own_line(line, view)
        for harmonic in range(1, HARMONICS + 1):
            at = harmonic * line.hz
            if at < to_hz:
                width, alpha = (1.6, 0.95) if own else (1.0, 0.55)
                axis.axvline(at, color=COLOURS[line.name], linestyle=DASHES[line.name], linewidth=width, alpha=alpha, zorder=1)
                if own or harmonic == 1:
                    said = line.name if harmonic == 1 else f"{harmonic}x"
                    weight = "bold" if own else "normal"
                    side = "left" if at < 0.05 * to_hz else "right"
                    axis.text(at, 0.985 * top, said, color=COLOURS[line.name], size=7, va="top", rotation=90, ha=side, weight=weight)
    shown = view.envelope.hz <= to_hz
    axis.plot(view.envelope.hz[shown], view.envelope.amplitude[shown], color=INK, linewidth=0.8, zorder=2)
    axis.set_xlim(0, to_hz)
    axis.set_ylim(0, top)
    if not view.lines:
        unknown = view.recording.geometry is None and view.recording.gearing is None
        said = "no fault lines: " + ("the geometry is not stated" if unknown else "the speed is not known")
        axis.text(0.98, 0.93, said, transform=axis.transAxes, size=8, ha="right", va="top", color="#555555", style="italic")
    _labelled(
        axis,
        f"{_ENVELOPE}, {view.envelope.resolution_hz:.2g} Hz{'' if scales.envelope else scales.own}",
        "frequency, Hz",
        "amplitude over mean",
    )
    _orders(axis, view)


_DRAWN: dict[str, Callable[[Axes, View, _Scales], None]] = {_WAVEFORM: _waveform, _SPECTRUM: _spectrum, _ENVELOPE: _envelope}


def _own_line(line: Line, view: View) -> bool:
    """Whether a line is that of the damage that the recording is said to show; of gears, whose fault may be on either, both are."""
    element = view.recording.element
    if line.element == "gears":
        return element.startswith("gear")
    return line.element == element or (element == "combined" and line.element in ("inner", "outer"))


def _power_of_ten(value: float, _place: float) -> str:
    """A tick of a logarithmic scale: `10⁻³`."""
    from math import log10

    exponent = log10(value) if value > 0 else 0.5
    return f"10{str(round(exponent)).translate(_RAISED)}" if abs(exponent - round(exponent)) < 1e-6 else ""


def _peak(spectrum: Spectrum, to_hz: float) -> float:
    shown = spectrum.amplitude[(spectrum.hz <= to_hz) & (spectrum.hz > 3 * spectrum.resolution_hz)]  # below it is the level's wander
    return float(shown.max()) if len(shown) else 0.0


def _with_unit(view: View) -> str:
    return f"amplitude, {view.unit}" if view.unit != "not stated" else "amplitude (unit not stated)"


def _labelled(axis: Axes, title: str, x: str, y: str) -> None:
    axis.set_title(title, loc="left", size=8.5, color=INK, pad=4)
    axis.set_xlabel(x, size=8.5, labelpad=1.5)
    axis.set_ylabel(one_line(y), size=8.5, labelpad=2)
    axis.tick_params(labelsize=8, length=3)
    axis.grid(visible=True, color="#EEEEEE", linewidth=0.6)
    axis.set_axisbelow(True)


def _orders(axis: Axes, view: View) -> None:
    """A second scale on top, in turns of the shaft."""
    import numpy as np

    shaft_hz = view.shaft_hz
    if shaft_hz:
        top = axis.secondary_xaxis("top", functions=(lambda hz: np.divide(hz, shaft_hz), lambda order: np.multiply(order, shaft_hz)))
        top.tick_params(labelsize=7, length=2, colors="#666666", pad=1)
        axis.set_title(axis.get_title(loc="left"), loc="left", size=8.5, color=INK, pad=14)
        axis.text(1.0, 1.115, "orders", transform=axis.transAxes, ha="right", va="bottom", size=7, color="#666666")


def _legend(figure: Figure, views: Sequence[View], y: float) -> None:
    """What the lines are, once for all rows."""
    from matplotlib.lines import Line2D

    known = {line.name for view in views for line in view.lines}
    handles = [Line2D([], [], color=COLOURS[name], linestyle=DASHES[name], linewidth=1.5, label=name) for name in COLOURS if name in known]
    if any(view.shaft_hz for view in views):
        handles.append(Line2D([], [], color=SHAFT, linewidth=1.2, label="shaft, 1x to 6x"))
    if handles:
        where = (1 - _RIGHT_IN / _WIDTH_IN, y)
        figure.legend(handles=handles, loc="lower right", bbox_to_anchor=where, ncols=5, frameon=False, fontsize=9, borderaxespad=0)


@contextlib.contextmanager
def _drawing(text: str) -> Iterator[Callable[[float, float], Figure]]:
    """Settings under which the same input gives the same bytes, and no text is read as mathematics.

    Args:
        text: How SVG keeps text: `path`, or `none` for text that can be read and searched.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def new_figure(width: float, height: float) -> Figure:
        figure = Figure(figsize=(width, height), dpi=_DPI, facecolor="white")
        FigureCanvasAgg(figure)
        return figure

    with warnings.catch_warnings(), matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever a user's matplotlibrc says
        matplotlib.rcParams["svg.fonttype"] = text
        matplotlib.rcParams["svg.hashsalt"] = "faultbench"  # names within the SVG are random otherwise
        matplotlib.rcParams["text.parse_math"] = False
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)  # a foreign script is shown as boxes
        yield new_figure


def _saved(figure: Figure, suffix: str) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=suffix, dpi=_DPI, metadata={"Date": None} if suffix == "svg" else {"Software": None})
    return out.getvalue()
