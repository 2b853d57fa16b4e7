"""Files in the official layout of the XJTU-SY data: names, header, line ends, 17 digits of float32 values, 32,768 rows.

python tests/datasets/xjtu_layout.py FOLDER [MINUTES]

What they hold is a made-up run to failure: noise and the shaft's turning, and from the onset on a train of decaying shocks at
the pass frequency of the ring that the source says was damaged. There are fewer minutes than the source has. Stretches of 0.16 s
repeat in a bearing, in another order each minute, because printing numbers takes the most of the time.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

HEADER = "Horizontal_vibration_signals,Vertical_vibration_signals"
ROWS = 32_768
STRETCH, STRETCHES = 4096, 12
RATE_HZ = 25_600
BPFO, BPFI = 3.08, 4.92
CONDITIONS = {1: ("35Hz12kN", 35.0), 2: ("37.5Hz11kN", 37.5), 3: ("40Hz10kN", 40.0)}
ORDERS = {
    **dict.fromkeys(("1_1", "1_2", "1_3", "2_2", "2_4", "2_5", "3_1", "3_5"), BPFO),
    **dict.fromkeys(("2_1", "3_3", "3_4"), BPFI),
    **dict.fromkeys(("1_4", "2_3"), 0.39),
    **dict.fromkeys(("1_5", "3_2"), BPFO + BPFI),
}
"""Shocks per turn, by bearing."""
MINUTES, ONSET = 19, 13
SHORTEST = {"1_5": 52, "2_4": 42}
"""Minutes of the bearings that failed first; of the others the source has more than a hundred."""


def write_tree(
    folder: Path, minutes: int = MINUTES, onset: int = ONSET, bearings: tuple[str, ...] = tuple(ORDERS), *, repeating: bool = True
) -> Path:
    """The tree below `folder`, which is made; damage begins behind minute `onset`. `repeating` stretches are for the audit copies."""
    for bearing in bearings:
        rng = np.random.default_rng([ord(c) for c in bearing])
        place = folder / CONDITIONS[int(bearing[0])][0] / f"Bearing{bearing}"
        place.mkdir(parents=True)
        healthy, damaged = ([printed(signals(bearing, grown, rng)) for _ in range(STRETCHES * repeating)] for grown in (0.0, 1.0))
        for minute in range(1, min(minutes, SHORTEST.get(bearing, minutes)) + 1):
            if repeating:
                chosen = rng.permutation(STRETCHES)[: ROWS // STRETCH]
                rows = b"".join((damaged if minute > onset else healthy)[i] for i in chosen)
            else:
                rows = printed(signals(bearing, float(minute > onset), rng, ROWS))
            (place / f"{minute}.csv").write_bytes(f"{HEADER}\r\n".encode() + rows)
    return folder


def printed(values: np.ndarray) -> bytes:
    """(row, 2) as the source prints it: the shortest text of the float64 that each float32 is, lines ending in CR LF."""
    rows = values.astype(np.float32).astype(np.float64).tolist()
    return "".join(f"{h!r},{v!r}\r\n" for h, v in rows).encode()


def signals(bearing: str, grown: float, rng: np.random.Generator, rows: int = STRETCH) -> np.ndarray:
    """(row, 2): both axes, in g, with damage grown to a share of its end."""
    time = np.arange(rows) / RATE_HZ
    shaft_hz = CONDITIONS[int(bearing[0])][1]
    turning = 0.1 * np.sin(2 * np.pi * shaft_hz * time + rng.uniform(0, 2 * np.pi))
    both = 0.3 * rng.standard_normal((rows, 2)) + turning[:, None]
    since = np.mod(ORDERS[bearing] * shaft_hz * time + rng.uniform(), 1.0) / (ORDERS[bearing] * shaft_hz)
    shock = 4 * grown * np.exp(-800 * since) * np.sin(2 * np.pi * 3000 * since)
    return both + shock[:, None] * (1.0, 0.6)


if __name__ == "__main__":
    write_tree(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:3]))
