"""How far `simulated` looks like real records: level, shape, spectrum and fault lines, class by class.

    python benchmarks/simulated_physics.py [--json FILE]

Prints 5 %, 50 % and 95 % of windows of 8,192 samples, the model's beside those of the Case Western Reserve and UESTC records.
The latter are taken from the records where `FAULTBENCH_DATA` (or `../shared/data` beside the project) holds them, else from the
figures kept below. Two more tables are of the model alone: its gears, and what its other sensors say (`simulated_gears.py`). Nothing
here knows a learner: the model is accepted on physics alone.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from simulated_gears import GEAR_COLUMNS, SENSOR_COLUMNS, gears, sensors

from faultbench_datasets.simulated import Simulated
from faultbench_datasets.simulated.rig import DISTRIBUTED

WINDOW = 8_192
PERCENTS = (5, 50, 95)
TOLERANCE = 0.0075
HARMONICS = 3
COLUMNS = ("RMS, g", "kurtosis", "crest factor", "centroid, Hz", "own line, nepers")

CWRU_ORDERS = {"DE": {"inner": 5.4152, "ball": 4.7135, "outer": 3.5848}, "FE": {"inner": 4.9469, "ball": 3.9874, "outer": 3.0530}}
CWRU_SPEEDS_RPM = (1797.0, 1772.0, 1750.0, 1730.0)
# the first record of a fault at no load; the others follow, or are listed
CWRU_FAULTS: dict[str, dict[str, tuple[int | tuple[int, ...], ...]]] = {
    "DE": {
        "inner": (105, 169, 209),
        "ball": (118, 185, 222, 3005),
        "outer": (130, 197, 234, 144, 246, (156, 158, 159, 160), 258),
    },
    "FE": {
        "inner": (278, 274, 270),
        "ball": (282, 286, 290),
        "outer": (294, 298, (302, 305, 306, 307), (310, 309, 311, 312), (313,), (315,), (0, 316, 317, 318)),
    },
}

KEPT = {
    "CWRU DE": {
        "healthy": ((0.056, 0.057, 0.072), (2.7, 3.0, 3.1), (3.5, 3.9, 4.2), (2190, 2250, 3210), None),
        "inner": ((0.16, 0.33, 0.85), (3.2, 5.9, 23), (4.0, 5.8, 10.8), (1710, 2800, 3100), (0.30, 1.97, 2.36)),
        "ball": ((0.11, 0.15, 2.2), (2.8, 3.7, 13.6), (3.5, 4.5, 10.5), (2490, 2950, 3100), (0.19, 0.95, 1.61)),
        "outer": ((0.09, 0.35, 0.85), (3.0, 7.7, 34), (3.8, 6.2, 11.3), (1860, 3060, 3260), (0.39, 2.01, 2.80)),
    },
    "CWRU FE": {
        "healthy": ((0.066, 0.068, 0.077), (2.6, 3.1, 3.2), (3.5, 4.1, 4.7), (2010, 2140, 3180), None),
        "inner": ((0.13, 0.24, 0.31), (5.2, 5.8, 7.4), (5.1, 5.6, 6.3), (2430, 3030, 3400), (1.28, 1.61, 1.86)),
        "ball": ((0.10, 0.15, 0.30), (3.0, 7.1, 25), (3.9, 7.6, 13.4), (2060, 3200, 3540), (0.23, 0.73, 1.20)),
        "outer": ((0.10, 0.17, 0.85), (2.8, 4.1, 15.7), (3.7, 5.1, 8.2), (2050, 3020, 3330), (0.33, 1.89, 2.36)),
    },
    "UESTC": {
        "healthy": ((0.007, 0.014, 0.021), (3.1, 3.3, 4.3), (4.1, 4.6, 8.4), (2920, 3190, 3520), None),
        "ball": ((0.05, 0.08, 0.15), (3.4, 5.4, 14.5), (4.3, 7.6, 11.9), (2740, 3750, 4530), None),
        "inner": ((0.26, 0.62, 0.89), (30, 44, 120), (11, 14, 26), (1660, 2020, 2380), None),
        "outer": ((0.26, 0.49, 0.80), (16, 24, 40), (7.4, 9.2, 12.1), (4100, 5220, 5860), None),
    },
}


@dataclass(frozen=True, slots=True)
class Group:
    """Windows of one class: the table's row.

    Args:
        source: Where they are from.
        name: The class.
        windows: (window, sample), without mean.
        rate_hz: Their sampling rate.
        line_hz: (window,) where the fault's own line should be, or None.
        shaft_hz: (window,) the shaft's frequency.
    """

    source: str
    name: str
    windows: NDArray[np.float64]
    rate_hz: float
    line_hz: NDArray[np.float64] | None
    shaft_hz: NDArray[np.float64]


def cut(x: NDArray[np.floating], hop: int = WINDOW) -> NDArray[np.float64]:
    """Windows of a signal, each without its mean: (window, sample)."""
    w = np.lib.stride_tricks.sliding_window_view(x.astype(float), WINDOW)[::hop]
    return w - w.mean(1, keepdims=True)


def envelope_spectrum(w: NDArray[np.float64]) -> NDArray[np.float64]:
    """The pre-whitened squared-envelope spectrum, zero-padded four times: (window, bin).

    Whitening by dropping all magnitudes (cepstrum pre-whitening: Sawalhi & Randall 2011; Borghesani et al. 2013).
    """
    n = w.shape[1]
    f = np.fft.fft(w)
    f /= np.abs(f) + 1e-9 * np.abs(f).max(1, keepdims=True)
    f[:, n // 2 + 1 :] = 0
    envelope = np.abs(np.fft.ifft(2 * f)) ** 2
    return np.abs(np.fft.rfft((envelope - envelope.mean(1, keepdims=True)) * np.hanning(n), 4 * n))


def own_line(g: Group) -> NDArray[np.float64]:
    """Mean height of the first three harmonics over the floor, in nepers: (window,)."""
    assert g.line_hz is not None
    spectra = envelope_spectrum(g.windows)
    bin_hz = g.rate_hz / (4 * g.windows.shape[1])
    out = np.empty((len(spectra), HARMONICS))
    for i, (spectrum, line, shaft) in enumerate(zip(spectra, g.line_hz, g.shaft_hz, strict=True)):
        floor = np.median(spectrum[: int(40 * shaft / bin_hz)])
        for h in range(HARMONICS):
            centre = (h + 1) * line
            reach = max(TOLERANCE * centre, 2 * bin_hz)
            out[i, h] = np.log(spectrum[int((centre - reach) / bin_hz) : int((centre + reach) / bin_hz) + 1].max() / floor)
    return out.mean(1)


def figures(g: Group) -> list[NDArray[np.float64] | None]:
    """The columns' values of every window."""
    w = g.windows
    rms = np.sqrt((w**2).mean(1))
    power = np.abs(np.fft.rfft(w)) ** 2
    hz = np.fft.rfftfreq(w.shape[1], 1 / g.rate_hz)
    return [
        rms,
        (w**4).mean(1) / rms**4,
        np.abs(w).max(1) / rms,
        power @ hz / power.sum(1),
        None if g.line_hz is None else own_line(g),
    ]


def simulated(machine: str) -> Iterator[Group]:
    """The model's classes on one machine; distributed damage by itself."""
    data = Simulated()
    found: dict[str, list[tuple[NDArray[np.float64], float, float]]] = {}
    for r in data.catalogue().recordings:
        if r.machine == machine:
            assert r.geometry is not None
            assert r.speed_rpm is not None
            shaft = r.speed_rpm / 60
            order = {"inner": r.geometry.bpfi, "ball": 2 * r.geometry.bsf, "outer": r.geometry.bpfo}.get(r.element, 0.0)
            name = f"{r.element}, {DISTRIBUTED}" if r.severity == DISTRIBUTED else r.element
            found.setdefault(name, []).append((cut(data.read(r, "accelerometer")), order * shaft, shaft))
    for name, parts in sorted(found.items()):
        yield _group(f"simulated {machine}", name, parts, 12_000.0)


def cwru(folder: Path, end: str) -> Iterator[Group]:
    """The Case Western records of one end that lie there."""
    found: dict[str, list[tuple[NDArray[np.float64], float, float]]] = {}
    for element, firsts in CWRU_FAULTS[end].items():
        for first in firsts:
            for load, record in enumerate(first if isinstance(first, tuple) else range(first, first + 4)):
                x = _cwru_signal(folder, record, end)
                if x is not None and len(x) >= WINDOW:
                    shaft = CWRU_SPEEDS_RPM[load] / 60
                    found.setdefault(element, []).append((cut(x, 2048), CWRU_ORDERS[end][element] * shaft, shaft))
    for load, record in enumerate(range(97, 101)):
        x = _cwru_signal(folder, record, end)
        if x is not None and len(x) >= 4 * WINDOW:
            from scipy.signal import decimate

            slow = decimate(x, 4, ftype="fir", zero_phase=True)
            found.setdefault("healthy", []).append((cut(slow, 2048), 0.0, CWRU_SPEEDS_RPM[load] / 60))
    for name, parts in sorted(found.items()):
        yield _group(f"CWRU {end}", name, parts, 12_000.0)


def _cwru_signal(folder: Path, record: int, end: str) -> NDArray[np.float64] | None:
    path = folder / f"{record}.mat"
    if not path.exists():
        return None
    from scipy.io import loadmat

    variables = loadmat(str(path))
    names = [name for name in variables if name.endswith(f"{end}_time")]
    own = [name for name in names if name.startswith(f"X{record:03d}_")] or names
    return variables[own[0]].ravel() if own else None


def uestc(folder: Path) -> Iterator[Group]:
    """The UESTC records that lie there; the true speed is too uncertain for fault lines."""
    from scipy.io import loadmat

    for letter, name in (("N", "healthy"), ("B", "ball"), ("I", "inner"), ("O", "outer")):
        parts = [
            (cut(loadmat(str(path))["Data"].ravel(), 2048), 0.0, float(path.stem.split("_")[1]) / 60)
            for path in sorted(folder.glob(f"{letter}_*.mat"))
        ]
        if parts:
            yield _group("UESTC", name, parts, 20_000.0)


def _group(source: str, name: str, parts: list[tuple[NDArray[np.float64], float, float]], rate_hz: float) -> Group:
    windows = np.concatenate([w for w, _, _ in parts])
    counts = [len(w) for w, _, _ in parts]
    lines = np.repeat([line for _, line, _ in parts], counts)
    return Group(source, name, windows, rate_hz, lines if lines.any() else None, np.repeat([shaft for _, _, shaft in parts], counts))


def real(folder: Path | None) -> Iterator[tuple[str, str, list[list[float] | None]]]:
    """The real rows: measured where the records are, else those kept."""
    groups: list[Group] = []
    if folder is not None and (folder / "cwru").is_dir():
        groups += [*cwru(folder / "cwru", "DE"), *cwru(folder / "cwru", "FE")]
    if folder is not None and (folder / "uestc").is_dir():
        groups += uestc(folder / "uestc")
    for group in groups:
        yield group.source, group.name, ranges(group)
    measured = {group.source for group in groups}
    for source, rows in KEPT.items():
        if source not in measured:
            for name, row in rows.items():
                yield f"{source} (kept)", name, [None if triple is None else list(map(float, triple)) for triple in row]


def ranges(g: Group) -> list[list[float] | None]:
    """5 %, 50 %, 95 % of every column."""
    return [None if values is None else [float(v) for v in np.percentile(values, PERCENTS)] for values in figures(g)]


def data_folder() -> Path | None:
    """Where real records may lie."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FAULTBENCH_DATA", beside))
    return folder if folder.is_dir() else None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="write the rows there too")
    arguments = parser.parse_args()
    rows = [(g.source, g.name, ranges(g)) for machine in ("alpha", "beta") for g in simulated(machine)]
    rows += real(data_folder())
    tables = {"rows": (COLUMNS, rows), "gears": (GEAR_COLUMNS, list(gears())), "sensors": (SENSOR_COLUMNS, list(sensors()))}
    for columns, table in tables.values():
        show(columns, table)
    if arguments.json:
        said = {name: [{"source": s, "class": n, **dict(zip(c, row, strict=True))} for s, n, row in t] for name, (c, t) in tables.items()}
        arguments.json.write_text(json.dumps({"window": WINDOW, "percentiles": PERCENTS, **said}, indent=1) + "\n")


def show(columns: Sequence[str], rows: Sequence[tuple[str, str, list[list[float] | None]]]) -> None:
    """Print one table."""
    width = max(18, *(len(column) for column in columns))
    print(f"{'':18s} {'':22s} " + " ".join(f"{c:>{width}s}" for c in columns))
    for source, name, row in rows:
        cells = ["" if t is None else " ".join(f"{v:.3g}" if abs(v) < 1000 else f"{v:.0f}" for v in t) for t in row]
        print(f"{source:18s} {name:22s} " + " ".join(f"{c:>{width}s}" for c in cells))
    print()


if __name__ == "__main__":
    main()
