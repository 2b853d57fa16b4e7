"""The column of times in a logger's csv file: it is no signal, it fills in the rate, and a table must not contradict it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from faultbench.errors import DataError
from faultbench_datasets.folder import Folder

SIGNAL = np.random.default_rng(3).uniform(-0.9, 0.9, 4096)
RATE = 25_600


@pytest.fixture
def plant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "plant").mkdir()
    return tmp_path / "plant"


def write(plant: Path, times: np.ndarray, header: str = "t,acc", digits: int = 7) -> None:
    rows = (f"{t:.{digits}f},{x:.6f}" for t, x in zip(times, SIGNAL, strict=True))
    (plant / "a.csv").write_text((f"{header}\n" if header else "") + "\n".join(rows) + "\n")


def listed(plant: Path, channel: str = "", rate: str = str(RATE)) -> Folder:
    (plant / "recordings.csv").write_text(f"file,channel,label,bearing,session,rate\na.csv,{channel},inner,B1,s1,{rate}\n")
    return Folder(path=str(plant))


def template_row(plant: Path) -> dict[str, str]:
    header, line = Folder(path=str(plant)).template().splitlines()
    return dict(zip(header.split(","), line.split(","), strict=True))


SECONDS = np.arange(len(SIGNAL)) / RATE


@pytest.mark.parametrize(
    ("times", "header", "rate"),
    [
        (SECONDS, "t,acc", "25600"),
        (SECONDS, "Zeit [s],acc", "25600"),
        (SECONDS, "t_s,acc", "25600"),
        (SECONDS + 17.25, "Time,acc", "25600"),
        (SECONDS * 1e3, "time (ms),acc", "25600"),
        (SECONDS, "", "25600"),
        (np.arange(len(SIGNAL)), "", ""),
        (np.arange(len(SIGNAL)), "index,acc", ""),
        (2.5 * np.arange(len(SIGNAL)), "angle,acc", ""),
        (np.where(SECONDS > 0.01, SECONDS + 1, SECONDS), "time,acc", ""),
    ],
)
def test_a_column_of_times_or_counts_is_no_signal(plant: Path, times: np.ndarray, header: str, rate: str) -> None:
    write(plant, times, header)
    row = template_row(plant)
    assert (row["channel"], row["rate"]) == ("", rate)
    dataset = listed(plant)
    (recording,) = dataset.catalogue().recordings
    np.testing.assert_allclose(dataset.read(recording, "signal"), SIGNAL, atol=1e-6)


@pytest.mark.parametrize("first", [SIGNAL[::-1], np.cumsum(SIGNAL), np.sort(SIGNAL)])
def test_what_does_not_rise_in_equal_steps_is_a_signal(plant: Path, first: np.ndarray) -> None:
    write(plant, first, "x,acc")
    with pytest.raises(DataError, match="holds 2 columns of numbers \\('x', 'acc'\\): say which"):
        listed(plant).catalogue()
    write(plant, first, "T,acc")  # a temperature is called so, too
    with pytest.raises(DataError, match="holds 2 columns of numbers"):
        listed(plant).catalogue()


@pytest.mark.parametrize(("delimiter", "decimal"), [(";", "."), (";", ","), (",", "."), ("\t", ",")])
def test_of_several_signals_beside_times_only_signals_are_offered(plant: Path, delimiter: str, decimal: str) -> None:
    rows = (delimiter.join((f"{t:.7f}", f"{x:.6f}", f"{-x:.6f}")).replace(".", decimal) for t, x in zip(SECONDS, SIGNAL, strict=True))
    (plant / "a.csv").write_text(f"t{delimiter}a{delimiter}b\n" + "\n".join(rows) + "\n")
    said = r"a\.csv holds 2 signals \('a', 'b'\) beside times or counts \(column 't'\): say which in the column channel"
    with pytest.raises(DataError, match=said):
        listed(plant).catalogue()
    dataset = listed(plant, "b")
    (recording,) = dataset.catalogue().recordings
    np.testing.assert_allclose(dataset.read(recording, "b"), -SIGNAL, atol=1e-6)


def test_a_rate_that_the_times_contradict_is_refused(plant: Path) -> None:
    write(plant, SECONDS)
    said = r"rate is 12000 Hz, the times in a\.csv \(column 't'\) say 25600 Hz: correct the table, or the times in the file"
    for channel in ("", "acc"):
        with pytest.raises(DataError, match=said):
            listed(plant, channel, rate="12000").catalogue()
    with pytest.raises(DataError, match=r"rate is missing, the times in a\.csv say 25600: write samples per second"):
        listed(plant, rate="").catalogue()


@pytest.mark.parametrize(("scale", "header"), [(1e3, "t,acc"), (1e6, "t,acc"), (1e3, "t [ms],acc"), (1.004, "t,acc")])
def test_times_in_another_unit_or_of_a_clock_that_drifts_contradict_nothing(plant: Path, scale: float, header: str) -> None:
    write(plant, SECONDS * scale, header)
    _, remarks = listed(plant, "acc").inspect()
    assert [remark.text for remark in remarks] == []


def test_rounded_times_contradict_nothing_that_they_cannot_tell(plant: Path) -> None:
    write(plant, SECONDS, digits=5)
    assert listed(plant).catalogue().recordings[0].channels[0].rate_hz == RATE


def test_a_nameless_column_that_contradicts_the_rate_is_warned_of(plant: Path) -> None:
    write(plant, SECONDS, "")
    _, remarks = listed(plant, "2", rate="12000").inspect()
    (text,) = [remark.text for remark in remarks if remark.grade == "warning"]
    assert text == "1 files begin with a column that may be times, of another rate than stated (a.csv: 25600 Hz, stated 12000 Hz): check it"


@pytest.mark.parametrize("channel", ["t", "1"])
def test_times_taken_for_a_signal_are_warned_of(plant: Path, channel: str) -> None:
    write(plant, SECONDS)
    _, remarks = listed(plant, channel).inspect()
    (text,) = [remark.text for remark in remarks if remark.grade == "warning"]
    assert text == "1 recordings are no signals but times or counts, which rise in equal steps (a.csv: 't'): name another"
