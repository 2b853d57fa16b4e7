"""The reader of the Case Western data, on files in the official layout made here."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from faultbench.data import matfile
from faultbench.errors import DataError, UsageError
from faultbench_datasets.cwru import Cwru, decimation
from faultbench_datasets.cwru.decimation import decimate, decimated_length
from faultbench_datasets.cwru.records import NTN_6205, SKF_6203, SKF_6205, records

RNG = np.random.default_rng(97)
RECORD = {record.number: record for record in records()}


def noise(samples: int = 24_000) -> np.ndarray:
    return 0.1 * RNG.standard_normal((samples, 1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cwru").mkdir()
    return tmp_path


@pytest.fixture
def put(folder: Path) -> Callable[..., Path]:
    def put(number: int, **variables: object) -> Path:
        path = folder / "cwru" / f"{number}.mat"
        scipy.io.savemat(path, variables, do_compression=True)
        return path

    return put


def both(prefix: str, rpm: float | None = None, samples: int = 24_000) -> dict[str, object]:
    """The variables of an official file."""
    variables: dict[str, object] = {
        f"{prefix}_DE_time": noise(samples),
        f"{prefix}_FE_time": noise(samples),
        f"{prefix}_BA_time": noise(samples),
    }
    return variables if rpm is None else variables | {f"{prefix}RPM": np.array([[rpm]])}


# --- the table


def test_the_table_holds_the_161_records_of_the_source() -> None:
    assert len(RECORD) == 161
    assert Counter((r.end, r.rate_khz) for r in RECORD.values()) == {
        ("", 48): 4,
        ("drive-end", 12): 60,
        ("drive-end", 48): 52,
        ("fan-end", 12): 45,
    }
    assert not {157, 173, 303, 304, 308, 314} & set(RECORD)


def test_every_fault_has_one_record_per_load_but_for_the_incomplete_fan_end() -> None:
    loads: dict[tuple[object, ...], list[int]] = {}
    for r in RECORD.values():
        loads.setdefault((r.end, r.element, r.mil, r.position, r.rate_khz), []).append(r.load_hp)
    incomplete = {key[2:4]: sorted(of) for key, of in loads.items() if sorted(of) != [0, 1, 2, 3]}
    assert incomplete == {(14, "@6"): [0], (21, "@6"): [0], (21, "@3"): [1, 2, 3]}


def test_outer_positions_of_one_size_are_one_bearing_at_both_rates() -> None:
    assert {RECORD[n].bearing for n in (130, 144, 156, 135, 148, 161)} == {"drive-end/outer/7 mil"}
    assert {RECORD[n].bearing for n in (97, 98, 99, 100)} == {"healthy"}
    assert len({r.bearing for r in RECORD.values() if r.end == "drive-end"}) == 11
    assert len({r.bearing for r in RECORD.values() if r.end == "fan-end"}) == 9


def test_variables_that_differ_from_the_number_are_known() -> None:
    odd = {number: r.prefix for number, r in RECORD.items() if r.prefix != f"X{number:03d}"}
    assert odd == {
        174: "X173",
        3001: "X056",
        3002: "X057",
        3003: "X058",
        3004: "X059",
        3005: "X048",
        3006: "X049",
        3007: "X050",
        3008: "X051",
    }


def test_digests_belong_to_one_record_each() -> None:
    digests = [r.sha256 for r in RECORD.values() if r.sha256]
    assert len(digests) == len(set(digests)) == 122
    assert all(len(digest) == 64 for digest in digests)


def test_geometry_is_that_of_the_specimen() -> None:
    assert RECORD[105].geometry("drive-end") is SKF_6205
    assert RECORD[278].geometry("fan-end") is SKF_6203
    assert RECORD[270].geometry("fan-end").name.startswith("NTN")
    assert RECORD[3001].geometry("drive-end") is NTN_6205
    assert RECORD[3005].geometry("drive-end") is SKF_6205
    assert (round(NTN_6205.bpfi, 4), round(NTN_6205.bpfo, 4), round(NTN_6205.ftf, 4)) == (4.2828, 2.7172, 0.3882)
    assert NTN_6205.bsf == pytest.approx(2.124, abs=1e-3)
    # what is stated of a bearing must agree with itself: BPFO = balls x FTF, BPFI + BPFO = balls
    for geometry, balls in ((SKF_6205, 9), (SKF_6203, 8), (NTN_6205, 7)):
        assert geometry.bpfi + geometry.bpfo == pytest.approx(balls, abs=1e-3)
        assert geometry.bpfo == pytest.approx(balls * geometry.ftf, abs=2e-3)


# --- listing


def test_a_fault_record_lists_its_own_end_first(folder: Path, put: Callable[..., Path]) -> None:
    put(105, **both("X105", 1797))
    put(278, **both("X278", 1796), i=1.0)
    drive, fan = Cwru(data_dir=folder).catalogue().recordings
    assert [c.name for c in drive.channels] == ["DE", "FE"]
    assert [c.name for c in fan.channels] == ["FE", "DE"]
    assert (
        drive.id,
        drive.machine,
        drive.mounting,
        drive.bearing,
        drive.element,
        drive.severity,
        drive.session,
        drive.load,
        drive.speed_rpm,
    ) == (
        "105",
        "cwru",
        "drive-end",
        "drive-end/inner/7 mil",
        "inner",
        "7 mil",
        "105",
        "0 hp",
        1797,
    )
    assert (fan.mounting, fan.speed_rpm, fan.channels[0].rate_hz, fan.channels[0].samples) == ("fan-end", 1796, 12_000, 24_000)


def test_a_healthy_record_is_listed_for_both_ends_in_one_session(folder: Path, put: Callable[..., Path]) -> None:
    put(97, **both("X097", 1796, 96_000))
    catalogue = Cwru(data_dir=folder).catalogue()
    assert [r.id for r in catalogue.recordings] == ["97:drive-end", "97:fan-end"]
    assert {(r.session, r.bearing, r.element, r.severity) for r in catalogue.recordings} == {("97", "healthy", "healthy", "")}
    assert [r.channels[0].name for r in catalogue.recordings] == ["DE", "FE"]
    assert [r.geometry.name for r in catalogue.recordings if r.geometry] == ["SKF 6205-2RS", "SKF 6203-2RS"]
    assert catalogue.targets == ("drive-end", "fan-end")


def test_what_the_copy_lacks_is_missing_with_its_reason(folder: Path, put: Callable[..., Path]) -> None:
    put(98, X098_DE_time=noise(96_000))
    catalogue = Cwru(data_dir=folder).catalogue()
    assert [r.id for r in catalogue.recordings] == ["98:drive-end"]
    assert catalogue.missing["98:fan-end"] == "98.mat has no variable X098_FE_time in this copy"
    assert "97:drive-end" in catalogue.missing
    assert "105.mat is not in" in catalogue.missing["105"]
    assert len(catalogue.missing) == 105 + 2 * 4 - 1


def test_the_variable_is_chosen_by_the_records_number(folder: Path, put: Callable[..., Path]) -> None:
    wanted = noise(96_000)
    put(99, X098_DE_time=noise(120_000), X098_FE_time=noise(120_000), X099_DE_time=wanted, X099_FE_time=noise(96_000))
    data = Cwru(data_dir=folder)
    recording = data.catalogue().recordings[0]
    np.testing.assert_allclose(data.read(recording, "DE"), decimate(wanted.ravel(), "drive-end"), rtol=1e-6, atol=1e-7)


def test_a_file_under_another_number_is_refused_with_what_it_holds(folder: Path, put: Callable[..., Path]) -> None:
    put(105, **both("X106", 1772))
    with pytest.raises(
        DataError, match=r"^cwru: .*105\.mat has no variable X105_DE_time, it holds X106_DE_time, .*: check that it is record 105$"
    ):
        Cwru(data_dir=folder).catalogue()


def test_a_fan_end_fault_without_its_own_sensor_is_refused(folder: Path, put: Callable[..., Path]) -> None:
    put(278, X278_DE_time=noise())
    with pytest.raises(DataError, match="has no variable X278_FE_time"):
        Cwru(data_dir=folder).catalogue()


@pytest.mark.parametrize(
    ("number", "prefix", "rpm", "speed", "note"),
    [
        (106, "X106", 1760.0, 1760.0, ""),
        (279, "X279", 1732.0, 1772.0, "the file's 1732 rpm is too far"),
        (107, "X107", None, 1750.0, "the file states none"),
        (158, "X158", 1773.0, 1795.0, "its shaft comb"),
    ],
)
def test_speed_is_the_files_where_plausible_else_nominal_with_a_note(
    folder: Path, put: Callable[..., Path], number: int, prefix: str, rpm: float | None, speed: float, note: str
) -> None:
    put(number, **both(prefix, rpm))
    (recording,) = Cwru(data_dir=folder).catalogue().recordings
    assert recording.speed_rpm == speed
    assert any(note in said for said in recording.notes) if note else not any("speed" in said for said in recording.notes)


def test_at_48_khz_there_is_the_drive_end_alone_and_healthy_is_not_decimated(folder: Path, put: Callable[..., Path]) -> None:
    healthy = noise(96_000)
    put(97, X097_DE_time=healthy, X097_FE_time=noise(96_000))
    put(174, **both("X173", 1796, 96_000))
    put(105, **both("X105", 1797))
    data = Cwru(rate=48, data_dir=folder)
    catalogue = data.catalogue()
    assert [(r.id, r.bearing) for r in catalogue.recordings] == [("97:drive-end", "healthy"), ("174", "drive-end/inner/14 mil")]
    assert catalogue.targets == ("drive-end",)
    assert {c.rate_hz for r in catalogue.recordings for c in r.channels} == {48_000}
    np.testing.assert_array_equal(data.read(catalogue.recordings[0], "DE"), healthy.ravel().astype(np.float32))


def test_another_rate_is_bad_usage() -> None:
    with pytest.raises(UsageError, match="rate=12 or rate=48"):
        Cwru(rate=24)


# --- the folder


def test_the_folder_of_the_files_itself_is_accepted_and_so_is_the_environment(
    folder: Path, put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(105, **both("X105", 1797))
    assert Cwru(data_dir=folder / "cwru").catalogue() == Cwru(data_dir=folder).catalogue()
    monkeypatch.setenv("FAULTBENCH_DATA", str(folder))
    assert Cwru().catalogue() == Cwru(data_dir=folder).catalogue()


def test_no_data_says_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULTBENCH_DATA", raising=False)
    for data_dir in (None, tmp_path, tmp_path / "none"):
        with pytest.raises(DataError, match=r"^cwru: .*`faultbench data get cwru .*cwru/97\.mat.*--data-dir") as refused:
            Cwru(data_dir=data_dir).catalogue()
        assert "\n" not in str(refused.value)


def test_a_folder_without_records_of_the_rate_is_refused(folder: Path, put: Callable[..., Path]) -> None:
    put(105, **both("X105", 1797))
    with pytest.raises(DataError, match="no record that is read at 48 kHz"):
        Cwru(rate=48, data_dir=folder).catalogue()


# --- reading


def test_a_signal_is_read_as_float32_in_g(folder: Path, put: Callable[..., Path]) -> None:
    variables = both("X105", 1797)
    put(105, **variables)
    data = Cwru(data_dir=folder)
    (recording,) = data.catalogue().recordings
    for channel in ("DE", "FE"):
        signal = data.read(recording, channel)
        assert signal.dtype == np.float32
        np.testing.assert_array_equal(signal, np.asarray(variables[f"X105_{channel}_time"], np.float32).ravel())
        assert len(signal) == recording.channel(channel).samples


@pytest.mark.parametrize(
    ("signal", "said"),
    [
        (noise(500), "holds 500 samples, less than 1 s"),
        (np.zeros((0, 0)), "holds 0 samples, less than 1 s"),
        (noise(24_000).reshape(2, -1), "is double of 2x12000, not one column"),
        (np.zeros((24_000, 1), np.int16), "is int16 of 24000x1, not one column of numbers"),
        (np.zeros((2_000_001, 1)), "holds 2000001 samples, more than 2000000"),
        ("text", "is char of"),
        ({"field": 1.0}, "is struct of"),
    ],
    ids=["short", "empty", "matrix", "integers", "long", "text", "struct"],
)
def test_a_variable_that_is_no_signal_is_refused_when_listed(folder: Path, put: Callable[..., Path], signal: object, said: str) -> None:
    put(105, X105_DE_time=signal)
    with pytest.raises(DataError, match=rf"^cwru: variable X105_DE_time of .*105\.mat {said}"):
        Cwru(data_dir=folder).catalogue()


@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "not finite"), (np.inf, "not finite"), (1e40, "too large for float32"), (1e20, "no acceleration in g")]
)
def test_values_that_are_no_accelerations_are_refused_when_read(folder: Path, put: Callable[..., Path], value: float, said: str) -> None:
    signal = noise()
    signal[77] = value
    put(105, X105_DE_time=signal)
    data = Cwru(data_dir=folder)
    (recording,) = data.catalogue().recordings
    with pytest.raises(DataError, match=rf"variable X105_DE_time of .*105\.mat .*{said}"):
        data.read(recording, "DE")


def test_an_exchanged_file_changes_the_version_and_a_shorter_one_is_refused(folder: Path, put: Callable[..., Path]) -> None:
    path = put(105, **both("X105", 1797))
    stat = path.stat()
    data = Cwru(data_dir=folder)
    before = data.catalogue()
    assert data.catalogue() == before
    content = bytearray(path.read_bytes())
    content[20] ^= 1  # in the descriptive text of the header: size and time stay what they were
    path.write_bytes(content)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert data.catalogue().version != before.version
    put(105, **both("X105", 1797, 20_000))
    with pytest.raises(DataError, match="20000 samples where 24000 were listed"):
        data.read(before.recordings[0], "DE")
    path.unlink()
    put(106, **both("X106", 1772))
    with pytest.raises(DataError, match=r"105\.mat cannot be read"):
        data.read(before.recordings[0], "DE")


def test_a_file_that_changed_behind_the_catalogue_is_not_read_as_the_listed_one(folder: Path, put: Callable[..., Path]) -> None:
    put(105, **both("X105", 1797))
    data = Cwru(data_dir=folder)
    (recording,) = data.catalogue().recordings
    data.read(recording, "DE")
    put(105, **both("X105", 1797))  # other noise, as long
    with pytest.raises(DataError, match=r"105\.mat has changed since it was listed: run again"):
        data.read(recording, "DE")


def test_files_that_did_not_change_are_not_opened_to_list_them_again(
    folder: Path, put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(105, **both("X105", 1797))
    put(278, **both("X278", 1796))
    before = Cwru(data_dir=folder).catalogue()
    opened = []
    honest = matfile.open_mat
    monkeypatch.setattr(matfile, "open_mat", lambda path, *rest: opened.append(path.name) or honest(path, *rest))
    assert Cwru(data_dir=folder).catalogue() == before
    assert opened == []
    put(278, **both("X278", 1796))
    assert Cwru(data_dir=folder).catalogue() != before
    assert opened == ["278.mat"]


def test_a_file_is_parsed_once_for_all_its_channels_and_both_machine_ends(
    folder: Path, put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(97, **both("X097", 1796, 96_000))
    data = Cwru(data_dir=folder)
    recordings = data.catalogue().recordings
    parsed = []
    honest = matfile.MatFile.read
    monkeypatch.setattr(matfile.MatFile, "read", lambda self, *names, **how: parsed.append(names) or honest(self, *names, **how))
    for recording in recordings:
        for channel in recording.channels:
            data.read(recording, channel.name)
    assert parsed == [("X097_DE_time", "X097_FE_time")]


def test_several_threads_parse_each_file_once(folder: Path, put: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = range(105, 109)
    for number in (*numbers, 97):
        put(number, **both(f"X{number:03d}", None, 96_000))
    data = Cwru(data_dir=folder)
    recordings = data.catalogue().recordings
    parsed = []
    honest = matfile.MatFile.read
    monkeypatch.setattr(matfile.MatFile, "read", lambda self, *names, **how: parsed.append(self.path.stem) or honest(self, *names, **how))
    with ThreadPoolExecutor(data.readers) as pool:
        list(pool.map(lambda recording: [data.read(recording, channel.name) for channel in recording.channels], recordings))
    assert sorted(parsed) == ["105", "106", "107", "108", "97"]


def test_a_damaged_file_is_one_line_wherever_it_is_cut(folder: Path, put: Callable[..., Path]) -> None:
    path = put(105, **both("X105", 1797))
    data = Cwru(data_dir=folder)
    (recording,) = data.catalogue().recordings
    whole = path.read_bytes()
    for length in (0, 1, 100, 130, 200, *np.linspace(300, len(whole) // 3, 12).astype(int)):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError) as refused:
            data.read(recording, "DE")
        assert "105.mat" in str(refused.value)
        assert "\n" not in str(refused.value)


# --- decimation


@pytest.mark.parametrize(("end", "first"), [("drive-end", 480), ("fan-end", 80)])
def test_decimation_keeps_place_and_amplitude(end: str, first: int) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(48_000) / 48_000)
    decimated = decimate(tone, end)
    np.testing.assert_allclose(decimated, tone[first::4][: len(decimated)], atol=2e-3)
    assert len(decimated) == len(range(first, 48_000 - first, 4))


@pytest.mark.parametrize(
    ("end", "hz", "at_most"), [("drive-end", 6200, 2e-3), ("drive-end", 9000, 2e-3), ("fan-end", 6600, 5e-3), ("fan-end", 11_000, 5e-3)]
)
def test_nothing_is_folded_back_by_decimation(end: str, hz: float, at_most: float) -> None:
    time = np.arange(48_000) / 48_000
    assert np.abs(decimate(np.sin(2 * np.pi * hz * time), end)).max() < at_most


@pytest.mark.parametrize("samples", [961, 962, 963, 964, 965, 5000, 112_640])
def test_decimated_length_is_what_decimation_gives(samples: int) -> None:
    for end in ("drive-end", "fan-end"):
        assert len(decimate(np.ones(samples), end)) == decimated_length(samples, end)
    assert decimated_length(900, "drive-end") == 0


@pytest.mark.parametrize("end", ["drive-end", "fan-end"])
def test_the_taps_are_those_that_scipy_designs(end: str) -> None:
    np.testing.assert_allclose(decimation._taps(end)[::-1], decimation.filtering(end).taps(), rtol=0, atol=1e-15)


def by_upfirdn(signal: np.ndarray, end: str) -> np.ndarray:
    """As scipy does it."""
    from scipy.signal import upfirdn

    taps = decimation._taps(end)
    whole = upfirdn(taps[::-1], signal, up=1, down=4)
    return whole[(len(taps) - 1) // 4 :][: decimated_length(len(signal), end)].astype(np.float32)


@pytest.mark.parametrize("end", ["drive-end", "fan-end"])
@pytest.mark.parametrize("scale", [1e-6, 0.07, 300.0])
def test_decimation_gives_what_upfirdn_gives_to_the_last_bit(end: str, scale: float) -> None:
    for samples in (965, 5000, 112_640, 112_641, 112_643):
        signal = scale * np.round(RNG.standard_normal(samples), 4)
        np.testing.assert_array_equal(decimate(signal, end).view(np.uint32), by_upfirdn(signal, end).view(np.uint32))


@pytest.mark.parametrize("end", ["drive-end", "fan-end"])
def test_how_a_machine_sums_changes_no_bit(end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: sums that are off by as much as the order of summing can make of it, which rounds otherwise somewhere."""
    signal = RNG.standard_normal(400_000)
    taps = decimation._taps(end)
    off = len(taps) * 2.0**-53 * np.abs(taps).sum() * np.abs(signal).max()
    honest = decimation._correlated
    monkeypatch.setattr(decimation, "_correlated", lambda *given: honest(*given) + off * RNG.uniform(-1, 1, given[2]))
    wanted = by_upfirdn(signal, end)
    assert (decimation._correlated(signal, taps, len(wanted)).astype(np.float32) != wanted).any()
    np.testing.assert_array_equal(decimate(signal, end).view(np.uint32), wanted.view(np.uint32))
