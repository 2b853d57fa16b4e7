"""Files in the layout of the Paderborn data, made of noise: measurements as `.mat`, and archives as `.rar`.

`python tests/datasets/paderborn_layout.py FOLDER` writes a small set. The layout is that of the official files as far as
`scipy.io.savemat` can write it: an uncompressed file with one 1x1 struct named like the file, its fields and theirs in the official
order, struct arrays 1x3 and 1x7, series 1xn of float64. The header's text and the contents of `Info` and `Description` are made up.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io

RATES_HZ = {"Mech_4kHz": 4000, "HostService": 64000, "Temp_1Hz": 1}
RASTERS = {
    "force": "Mech_4kHz",
    "phase_current_1": "HostService",
    "phase_current_2": "HostService",
    "speed": "Mech_4kHz",
    "temp_2_bearing_module": "Temp_1Hz",
    "torque": "Mech_4kHz",
    "vibration_1": "HostService",
}
"""In the order of the files."""
TONES_HZ = {"K0": 900, "KA": 2600, "KI": 4300, "KB": 5500}


def structs(entries: list[dict[str, Any]]) -> np.ndarray:
    """A 1xn struct array, fields in the order of the first entry."""
    array = np.empty((1, len(entries)), dtype=[(field, object) for field in entries[0]])
    for i, entry in enumerate(entries):
        array[0, i] = tuple(entry.values())
    return array


def series(code: str, condition: str, number: int, seconds: float) -> dict[str, np.ndarray]:
    """The seven channels of a measurement: noise, and in the vibration a tone that goes with the class."""
    rng = np.random.default_rng([*code.encode(), *condition.encode(), number])
    length = {raster: int(rate * seconds) + 1 for raster, rate in RATES_HZ.items()}
    time = np.arange(length["HostService"]) / 64000
    rpm = 60.0 * 15 if condition.startswith("N09") else 1500.0
    level = {"speed": rpm, "force": 1000.0, "torque": 0.7, "temp_2_bearing_module": 45.0}
    made = {name: level.get(name, 0.0) + 0.1 * rng.standard_normal(length[raster]) for name, raster in RASTERS.items()}
    made["vibration_1"] += 0.2 * np.sin(2 * np.pi * TONES_HZ[code[:2]] * time + rng.uniform(0, 6))
    return made


def content(channels: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """What the struct of a file holds."""
    length = {raster: max(len(values) for name, values in channels.items() if RASTERS[name] == raster) for raster in RATES_HZ}
    axes = [
        {"Name": "", "Type": 4.0, "Data": np.arange(length[raster])[None] / rate, "Unit": "", "Raster": raster}
        for raster, rate in RATES_HZ.items()
    ]
    entries = [
        {
            "Name": name,
            "Type": 4.0,
            "Data": values[None],
            "Unit": "",
            "Raster": RASTERS[name],
            "Device": "Platform",
            "XIndex": float(list(RATES_HZ).index(RASTERS[name]) + 1),
            "DownSampling": 1.0,
            "Path": "Model Root/made up",
        }
        for name, values in channels.items()
    ]
    return {
        "Info": {"RevisionMajor": 2.0, "RevisionMinor": 1.0, "MeasurementID": 1.0},
        "X": structs(axes),
        "Y": structs(entries),
        "Description": {
            "General": {"User": "nobody", "DateTime": "01.01.2000 00:00:00", "Origin": "made up"},
            "Recording": {"StartCondition": "None", "StopCondition": "Time limit: 4.000000"},
            "Measurement": {"XAxisOffset": 0.0, "Length": 4.0, "StartTimestamp": 0.0, "StopTimestamp": 4.0},
        },
    }


def write_measurement(
    root: Path,
    code: str,
    condition: str = "N15_M07_F10",
    number: int = 1,
    seconds: float = 1.0,
    channels: Mapping[str, np.ndarray] | None = None,
    change: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Path:
    """Writes `<code>/<condition>_<code>_<number>.mat` below a folder; `change` alters what its struct holds."""
    path = root / code / f"{condition}_{code}_{number}.mat"
    path.parent.mkdir(parents=True, exist_ok=True)
    held = content(series(code, condition, number, seconds) if channels is None else channels)
    change(held)
    scipy.io.savemat(path, {path.stem: held}, do_compression=False, long_field_names=True)
    return path


def write_set(root: Path, codes: str, numbers: range = range(1, 4)) -> Path:
    """Writes some measurements of several bearings."""
    for code in codes.split():
        for number in numbers:
            write_measurement(root, code, number=number)
    return root


def write_rar5(path: Path, members: Mapping[str, bytes | None]) -> Path:
    """A RAR 5 archive whose members are stored, not compressed (https://www.rarlab.com/technote.htm); None is a folder."""

    def number(value: int) -> bytes:
        out = bytearray()
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        return bytes([*out, value])

    def block(*fields: bytes) -> bytes:
        body = b"".join(fields)
        sized = number(len(body)) + body
        return struct.pack("<I", zlib.crc32(sized)) + sized

    parts = [b"Rar!\x1a\x07\x01\x00", block(number(1), number(0), number(0))]
    for name, data in members.items():
        stored = data or b""
        kind, size = (4, len(stored)) if data is not None else (1, 0)
        crc = struct.pack("<I", zlib.crc32(stored)) if data is not None else b""
        named = number(len(name.encode())) + name.encode()
        mode = number(0o100644 if data is not None else 0o40755)
        parts += [block(number(2), number(2), number(size), number(kind), number(size), mode, crc, number(0), number(1), named), stored]
    path.write_bytes(b"".join([*parts, block(number(5), number(0), number(0))]))
    return path


def write_rar4(path: Path, members: Mapping[str, bytes]) -> Path:
    """A RAR 4 archive whose members are stored, not compressed."""

    def block(kind: int, flags: int, body: bytes) -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head

    parts = [b"Rar!\x1a\x07\x00", block(0x73, 0, bytes(6))]
    for name, data in members.items():
        size, crc = len(data), zlib.crc32(data)
        fixed = struct.pack("<IIBIIBBHI", size, size, 3, crc, 0x21 << 16, 20, 0x30, len(name), 0o100644)
        parts += [block(0x74, 0x8000, fixed + name.encode("ascii")), data]
    path.write_bytes(b"".join([*parts, block(0x7B, 0x4000, b"")]))
    return path


if __name__ == "__main__":
    write_set(Path(sys.argv[1]) / "paderborn", "K001 K002 K003 K004 KA01 KA03 KA04 KA15 KI01 KI03 KI04 KI14 KB23")
