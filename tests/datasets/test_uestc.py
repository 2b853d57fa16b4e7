"""The reader of the UESTC data, on files in the official layout made here."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from faultbench.errors import DataError
from faultbench_datasets.uestc import Uestc, pieces

RNG = np.random.default_rng(20)


def noise(samples: int = 24_000) -> np.ndarray:
    return 0.1 * RNG.standard_normal((samples, 1))


def official(signal: object, **changed: object) -> dict[str, object]:
    """The variables of an official file."""
    said = {"Datacount": np.int32(np.size(signal)), "SampleFrequency": np.uint16(20_000), "Linecount": np.uint8(1)}
    return {"Data": signal, **said, "StartTime": "19-23 00:0000:00:00:000 ", **changed}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "uestc").mkdir()
    return tmp_path


@pytest.fixture
def put(folder: Path) -> Callable[..., Path]:
    def put(name: str, variables: dict[str, object]) -> Path:
        path = folder / "uestc" / f"{name}.mat"
        scipy.io.savemat(path, variables, do_compression=True)
        return path

    return put


def test_the_source_has_eighty_files() -> None:
    assert len({piece.id for piece in pieces()}) == 80
    assert {"N_800_1", "O_1400_5"} <= {piece.id for piece in pieces()}


def test_pieces_of_one_speed_are_one_session_of_one_bearing(folder: Path, put: Callable[..., Path]) -> None:
    for name in ("I_1000_1", "I_1000_3", "I_800_1", "N_800_1"):
        put(name, official(noise()))
    catalogue = Uestc(data_dir=folder).catalogue()
    assert [(r.id, r.session, r.bearing, r.element, r.load, r.speed_rpm) for r in catalogue.recordings] == [
        ("N_800_1", "N_800", "healthy", "healthy", "800 rpm", 800.0),
        ("I_800_1", "I_800", "inner", "inner", "800 rpm", 800.0),
        ("I_1000_1", "I_1000", "inner", "inner", "1000 rpm", 1000.0),
        ("I_1000_3", "I_1000", "inner", "inner", "1000 rpm", 1000.0),
    ]
    assert {(r.machine, r.mounting, r.severity, r.geometry) for r in catalogue.recordings} == {("uestc", "uestc", "", None)}
    assert {(c.name, c.rate_hz, c.samples) for r in catalogue.recordings for c in r.channels} == {("accelerometer", 20_000.0, 24_000)}
    assert (catalogue.targets, len(catalogue.missing)) == (("uestc",), 76)
    assert "O_1400_5.mat is not in" in catalogue.missing["O_1400_5"]


def test_a_signal_is_read_as_float32(folder: Path, put: Callable[..., Path]) -> None:
    wanted = noise()
    put("B_800_1", official(wanted))
    data = Uestc(data_dir=folder)
    np.testing.assert_array_equal(data.read(data.catalogue().recordings[0], "accelerometer"), wanted.ravel().astype(np.float32))


def test_the_folder_of_the_files_itself_is_accepted_and_so_is_the_environment(
    folder: Path, put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("B_800_1", official(noise()))
    monkeypatch.setenv("FAULTBENCH_DATA", str(folder))
    assert Uestc().catalogue() == Uestc(data_dir=folder / "uestc").catalogue() == Uestc(data_dir=folder).catalogue()


def test_no_data_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULTBENCH_DATA", raising=False)
    for data_dir in (None, tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match=r"^uestc: .*N_800_1\.mat.*--data-dir") as refused:
            Uestc(data_dir=data_dir).catalogue()
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"X105_DE_time": noise()}, "has no variable Data, it holds X105_DE_time"),
        ({name: value for name, value in official(noise()).items() if name != "Linecount"}, "has no variable Linecount"),
        (official(noise(), SampleFrequency=np.uint16(12_000)), "says 12000 Hz, the source 20000 Hz"),
        (official(noise(), Linecount=np.uint8(3)), "says it holds 3 lines, one is known"),
        (official(noise(), SampleFrequency=np.array([20_000, 1])), "SampleFrequency .* holds 2 values"),
        (official(noise(), Linecount="one"), "variable Linecount holds text, not real numbers"),
        (official(noise(500)), "holds 500 samples, less than 1 s"),
        (official(noise(24_000).reshape(2, -1)), "is double of 2x12000, not one column"),
        (official(np.zeros((24_000, 1), np.int16)), "is int16 of 24000x1"),
        (official("text"), "is char of"),
    ],
    ids=["foreign", "lacking", "rate", "lines", "rates", "text", "short", "matrix", "integers", "no signal"],
)
def test_a_file_that_is_not_what_its_name_says_is_refused_when_listed(
    folder: Path, put: Callable[..., Path], variables: dict[str, object], said: str
) -> None:
    put("O_1200_2", variables)
    with pytest.raises(DataError, match=said) as refused:
        Uestc(data_dir=folder).catalogue()
    assert "O_1200_2.mat" in str(refused.value)


def test_a_count_that_does_not_fit_is_a_note(folder: Path, put: Callable[..., Path]) -> None:
    put("N_800_1", official(noise(), Datacount=np.int32(204_800)))
    (recording,) = Uestc(data_dir=folder).catalogue().recordings
    assert "it holds 24000 samples and says 204800" in recording.notes


@pytest.mark.parametrize(("value", "said"), [(np.nan, "not finite"), (np.inf, "not finite"), (1e6, "the strongest shock is about 10")])
def test_values_that_are_no_signal_are_refused_when_read(folder: Path, put: Callable[..., Path], value: float, said: str) -> None:
    signal = noise()
    signal[77] = value
    put("N_800_1", official(signal))
    data = Uestc(data_dir=folder)
    (recording,) = data.catalogue().recordings
    with pytest.raises(DataError, match=said):
        data.read(recording, "accelerometer")


def test_an_exchanged_file_changes_the_version_and_a_shorter_one_is_refused(folder: Path, put: Callable[..., Path]) -> None:
    put("N_800_1", official(noise()))
    data = Uestc(data_dir=folder)
    before = data.catalogue()
    assert data.catalogue() == before
    put("N_800_1", official(noise(22_000)))
    assert data.catalogue().version != before.version
    with pytest.raises(DataError, match="22000 samples where 24000 were listed"):
        data.read(before.recordings[0], "accelerometer")


def test_a_file_that_changed_behind_the_catalogue_is_not_read_as_the_listed_one(folder: Path, put: Callable[..., Path]) -> None:
    put("N_800_1", official(noise()))
    data = Uestc(data_dir=folder)
    (recording,) = data.catalogue().recordings
    put("N_800_1", official(noise()))
    with pytest.raises(DataError, match=r"N_800_1\.mat has changed since it was listed: run again"):
        data.read(recording, "accelerometer")


def test_a_damaged_file_is_one_line_wherever_it_is_cut(folder: Path, put: Callable[..., Path]) -> None:
    path = put("N_800_1", official(noise()))
    data = Uestc(data_dir=folder)
    (recording,) = data.catalogue().recordings
    whole = path.read_bytes()
    for length in (0, 1, 100, 130, 200, *np.linspace(300, len(whole) // 3, 8).astype(int)):
        path.write_bytes(whole[:length])
        for refused_by in (data.catalogue, lambda: data.read(recording, "accelerometer")):
            with pytest.raises(DataError) as refused:
                refused_by()
            assert "N_800_1.mat" in str(refused.value)
            assert "\n" not in str(refused.value)


def test_another_recording_or_channel_is_refused(folder: Path, put: Callable[..., Path]) -> None:
    put("N_800_1", official(noise()))
    data = Uestc(data_dir=folder)
    (recording,) = data.catalogue().recordings
    with pytest.raises(DataError, match="has no channel DE"):
        data.read(recording, "DE")
    with pytest.raises(DataError, match="there is no recording 105"):
        data.read(dataclasses.replace(recording, id="105"), "accelerometer")
