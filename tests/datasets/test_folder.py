"""A user's folder as a data set: every kind of file, what must agree, what must stay in the folder, and what is noticed when it changes."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from scipy.io import wavfile

from faultbench.errors import DataError, UsageError
from faultbench_datasets.folder import Folder, listing
from faultbench_datasets.folder.template import files_in

RATE = 12_000
RNG = np.random.default_rng(5)
SIGNAL = RNG.uniform(-0.9, 0.9, 4096)
TWO = np.stack([SIGNAL, -0.5 * SIGNAL], axis=1)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FAULTBENCH_DATA", raising=False)


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "plant").mkdir()
    return tmp_path / "plant"


def listed(plant: Path, **said: str) -> Folder:
    """The folder with a table of one row."""
    row = {"label": "inner", "bearing": "B1", "session": "s1", "rate": str(RATE), **said}
    row = {name: value for name, value in row.items() if value}
    (plant / "recordings.csv").write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    return Folder(path=str(plant))


def signal_of(dataset: Folder, number: int = 0) -> np.ndarray:
    recording = dataset.catalogue().recordings[0]
    return dataset.read(recording, recording.channels[number].name)


def refusal(dataset: Folder) -> str:
    with pytest.raises(DataError) as refused:
        dataset.catalogue()
    assert str(refused.value).isprintable()
    return str(refused.value)


def write(plant: Path, name: str, values: np.ndarray) -> None:
    path = plant / name
    if path.suffix == ".wav":
        wavfile.write(path, RATE, values.astype(np.float32))
    elif path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".mat":
        scipy.io.savemat(path, {"acc": values, "fs": RATE})
    else:
        columns = values.reshape(len(values), -1)
        path.write_text("\n".join(",".join(f"{v!r}" for v in row) for row in columns.tolist()) + "\n")


@pytest.mark.parametrize("name", ["a.wav", "a.npy", "a.mat", "a.csv"])
def test_the_only_signal_of_a_file_needs_no_name(plant: Path, name: str) -> None:
    write(plant, name, SIGNAL)
    np.testing.assert_array_equal(signal_of(listed(plant, file=name)), SIGNAL.astype(np.float32))


@pytest.mark.parametrize(("name", "second"), [("a.wav", "2"), ("a.npy", "2"), ("a.mat", "acc:2"), ("a.csv", "2")])
def test_one_of_several_signals_is_named_and_never_guessed(plant: Path, name: str, second: str) -> None:
    write(plant, name, TWO)
    np.testing.assert_array_equal(signal_of(listed(plant, file=name, channel=second)), TWO[:, 1].astype(np.float32))
    assert "say which in the column channel" in refusal(listed(plant, file=name))


def test_several_channels_of_one_recording_keep_their_order(plant: Path) -> None:
    write(plant, "a.npy", TWO)
    dataset = listed(plant, file="a.npy", channel="2|1")
    assert [c.name for c in dataset.catalogue().recordings[0].channels] == ["2", "1"]
    np.testing.assert_array_equal(signal_of(dataset, 0), TWO[:, 1].astype(np.float32))
    np.testing.assert_array_equal(signal_of(dataset, 1), TWO[:, 0].astype(np.float32))


def test_sensors_of_one_file_may_be_two_recordings_of_one_session(plant: Path) -> None:
    write(plant, "a.wav", TWO)
    rows = ["file,channel,label,bearing,session,machine,mounting", "a.wav,1,inner,B1,s,m,DE", "a.wav,2,inner,B1,s,m,FE"]
    (plant / "recordings.csv").write_text("\n".join(rows) + "\n")
    dataset = Folder(path=str(plant))
    one, other = dataset.catalogue().recordings
    assert (one.id, other.id, one.session, other.session) == ("a.wav:1", "a.wav:2", "s", "s")
    assert (one.mounting, other.mounting) == ("m/DE", "m/FE")
    np.testing.assert_array_equal(dataset.read(other, "2"), TWO[:, 1].astype(np.float32))
    np.testing.assert_array_equal(dataset.read(one, "1"), TWO[:, 0].astype(np.float32))


def test_a_field_of_a_struct_can_be_a_channel(plant: Path) -> None:
    scipy.io.savemat(plant / "a.mat", {"run": {"acc": SIGNAL, "speed": 1797.0}})
    np.testing.assert_array_equal(signal_of(listed(plant, file="a.mat", channel="run.acc")), SIGNAL.astype(np.float32))
    assert "a.mat" in refusal(listed(plant, file="a.mat", channel="run.nothing"))


def test_fields_of_structs_are_listed_and_never_passed_over(plant: Path) -> None:
    scipy.io.savemat(plant / "a.mat", {"plain": SIGNAL, "fs": 1.0, "run": {"acc": TWO, "note": "x", "at": {"speed": SIGNAL}}})
    lines = Folder(path=str(plant)).template().splitlines()[1:]
    names = ["plain", "run.acc:1", "run.acc:2", "run.at.speed"]
    assert [line.split(",")[1] for line in lines] == names
    assert f"a.mat holds 4 signals ({', '.join(names)}): say which" in refusal(listed(plant, file="a.mat"))
    for name, wanted in zip(names, (SIGNAL, SIGNAL, TWO[:, 1], SIGNAL), strict=True):
        np.testing.assert_array_equal(signal_of(listed(plant, file="a.mat", channel=name)), wanted.astype(np.float32))
    scipy.io.savemat(plant / "a.mat", {"run": {"acc": SIGNAL, "note": "x"}})
    np.testing.assert_array_equal(signal_of(listed(plant, file="a.mat")), SIGNAL.astype(np.float32))


@pytest.mark.parametrize(
    ("held", "channel", "said"),
    [
        ({"a": np.array([SIGNAL, SIGNAL[:3]], dtype=object)}, "", "a is a cell array of 1x2): save the signal as one"),
        ({"a": "text"}, "", "a is text of 1): save the signal as one"),
        ({}, "", "it holds nothing"),
        ({"a": SIGNAL + 1j}, "", "variable a holds complex numbers, not real numbers: name another"),
        ({"a": {"note": "x"}}, "a.note", "variable a.note holds text, not real numbers: name another"),
        ({"a": TWO}, "a:x", "has no signal a:x: write a column of a matrix as a:1"),
    ],
)
def test_what_is_no_signal_in_a_mat_file_is_called_what_it_is(plant: Path, held: dict[str, Any], channel: str, said: str) -> None:
    scipy.io.savemat(plant / "a.mat", held)
    text = refusal(listed(plant, file="a.mat", channel=channel))
    assert said in text
    assert "damaged" not in text


def test_pcm_is_a_share_of_full_scale_unless_the_table_says_what_that_is(plant: Path) -> None:
    wavfile.write(plant / "a.wav", RATE, np.round(SIGNAL * 32767).astype(np.int16))
    dataset = listed(plant, file="a.wav")
    catalogue, remarks = dataset.inspect()
    assert catalogue is not None
    assert catalogue.recordings[0].channels[0].unit == "full scale"
    assert "PCM samples without a scale are shares of full scale" in remarks[0].text
    np.testing.assert_allclose(signal_of(dataset), SIGNAL, atol=1e-4)
    dataset = listed(plant, file="a.wav", scale="50")
    assert dataset.catalogue().recordings[0].channels[0].unit == "g"
    np.testing.assert_allclose(signal_of(dataset), 50 * SIGNAL, atol=5e-3)
    assert "holds shares of full scale, no g: write what full scale is" in refusal(listed(plant, file="a.wav", unit="g"))


def test_the_rate_is_the_headers_and_a_table_must_not_contradict_it(plant: Path) -> None:
    write(plant, "a.wav", SIGNAL)
    assert listed(plant, file="a.wav", rate="").catalogue().recordings[0].channels[0].rate_hz == RATE
    assert listed(plant, file="a.wav").catalogue().recordings[0].channels[0].rate_hz == RATE
    assert "rate is 25600 Hz, a.wav says 12000 Hz" in refusal(listed(plant, file="a.wav", rate="25600"))


def test_numbers_in_quotes_are_called_so(plant: Path) -> None:
    (plant / "a.csv").write_text('"a","b"\n' + '"1.5","2.5"\n' * 50)
    assert "a.csv holds its numbers in quotes: save it without quotes" in refusal(listed(plant, file="a.csv", channel="a"))


def test_a_decimal_comma_that_cannot_be_told_can_be_said(plant: Path) -> None:
    (plant / "a.csv").write_text("1,5\n2,5\n" * 50)
    assert "say the decimal sign" in refusal(listed(plant, file="a.csv"))
    rows = "file;label;bearing;session;rate;decimal\na.csv;inner;B1;s;12000;,\n"
    (plant / "recordings.csv").write_text(rows)
    np.testing.assert_array_equal(signal_of(Folder(path=str(plant))), np.array([1.5, 2.5] * 50, np.float32))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.wav", b"RIFF", "not a wav file"),
        ("a.npy", b"\x93NUMPY", "not a well-formed npy file"),
        ("a.mat", b"MATLAB 5.0", "cannot be read as a MATLAB file"),
        ("a.mat", b"\x89HDF\r\n\x1a\n" + bytes(600), "save it again in MATLAB with save(..., '-v7')"),
        ("a.csv", b"x,y\n", "holds no lines of numbers"),
        ("a.csv", b"1.5\n2.5\nx\n", "line 3, column 1: 'x' is no number"),
        ("a.npy", b"", "is empty"),
    ],
)
def test_a_bad_file_is_refused_with_its_row_and_leaves_nothing_behind(plant: Path, name: str, content: bytes, said: str) -> None:
    (plant / name).write_bytes(content)
    text = refusal(listed(plant, file=name))
    assert said in text
    assert "recordings.csv, line 2: " in text
    (plant / name).unlink()
    write(plant, name, SIGNAL)
    assert len(listed(plant, file=name).catalogue().recordings) == 1


def test_values_beyond_float32_are_refused(plant: Path) -> None:
    np.save(plant / "a.npy", SIGNAL * 1e300)
    with pytest.raises(DataError, match="beyond what a signal can hold"):
        signal_of(listed(plant, file="a.npy"))


def test_pipes_devices_and_links_out_of_the_folder_are_refused(plant: Path) -> None:
    np.save(plant.parent / "other.npy", SIGNAL)
    (plant / "link.npy").symlink_to(plant.parent / "other.npy")
    assert "lies outside the folder" in refusal(listed(plant, file="link.npy"))
    (plant / "loop.npy").symlink_to(plant / "loop.npy")
    assert "loop.npy" in refusal(listed(plant, file="loop.npy"))
    os.mkfifo(plant / "pipe.npy")
    assert "is not a regular file" in refusal(listed(plant, file="pipe.npy"))
    (plant / "folder.npy").mkdir()
    assert "is not a regular file" in refusal(listed(plant, file="folder.npy"))
    np.save(plant / "in.npy", SIGNAL)
    (plant / "inside.npy").symlink_to(plant / "in.npy")
    assert listed(plant, file="inside.npy").catalogue().recordings[0].id == "in.npy"


def test_a_changed_file_changes_the_version_and_a_changed_time_alone_does_not(plant: Path) -> None:
    write(plant, "a.npy", SIGNAL)
    before = listed(plant, file="a.npy").catalogue()
    os.utime(plant / "a.npy", (1, 1))
    assert Folder(path=str(plant)).catalogue() == before
    write(plant, "a.npy", -SIGNAL)
    after = Folder(path=str(plant)).catalogue()
    assert after.version != before.version
    assert after.recordings == before.recordings
    assert listed(plant, file="a.npy", scale="2").catalogue().version != after.version


def test_a_file_that_has_not_changed_is_not_read_again(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(plant, "a.npy", SIGNAL)
    before = listed(plant, file="a.npy").catalogue()
    looks: list[Path] = []
    real = listing._look
    monkeypatch.setattr(listing, "_look", lambda path, *rest: (looks.append(path), real(path, *rest))[1])
    assert Folder(path=str(plant)).catalogue() == before
    assert looks == []
    write(plant, "a.npy", -SIGNAL)
    Folder(path=str(plant)).catalogue()
    assert len(looks) == 1


def test_a_failure_is_not_remembered(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(plant, "a.npy", SIGNAL)

    def busy(*_: Any) -> None:
        raise DataError("it takes too long: try again")

    with monkeypatch.context() as patched:
        patched.setattr(listing, "read_signals", busy)
        assert "it takes too long" in refusal(listed(plant, file="a.npy"))
    assert len(Folder(path=str(plant)).catalogue().recordings) == 1


def test_a_file_that_is_exchanged_after_it_was_listed_is_refused(plant: Path) -> None:
    write(plant, "a.npy", SIGNAL)
    dataset = listed(plant, file="a.npy")
    (recording,) = dataset.catalogue().recordings
    write(plant, "a.npy", -SIGNAL)
    with pytest.raises(DataError, match="has changed since it was listed: run again"):
        dataset.read(recording, "signal")


def test_a_recording_of_another_folder_is_refused(plant: Path) -> None:
    write(plant, "a.npy", SIGNAL)
    dataset = listed(plant, file="a.npy")
    (recording,) = dataset.catalogue().recordings
    for wrong in (dataclasses.replace(recording, id="b.npy"),):
        with pytest.raises(DataError, match="there is no recording"):
            dataset.read(wrong, "signal")
    with pytest.raises(DataError, match="with a channel '2'"):
        dataset.read(recording, "2")


# --- where the folder is


def test_the_folder_is_found_from_the_current_one_and_from_the_data_folder(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(plant, "a.npy", SIGNAL)
    wanted = listed(plant, file="a.npy").catalogue()
    monkeypatch.chdir(plant.parent)
    assert Folder(path="plant").catalogue() == wanted
    assert Folder(path="./plant").catalogue() == wanted
    (plant.parent / "elsewhere").mkdir()
    monkeypatch.chdir(plant.parent / "elsewhere")
    assert Folder(path="../plant").catalogue() == wanted
    assert Folder(path="plant", data_dir=plant.parent).catalogue() == wanted
    assert Folder(data_dir=plant).catalogue() == wanted
    monkeypatch.setenv("HOME", str(plant.parent))
    assert Folder(path="~/plant").catalogue() == wanted


def test_two_folders_that_may_be_meant_are_not_guessed(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (plant.parent / "here" / "plant").mkdir(parents=True)
    monkeypatch.chdir(plant.parent / "here")
    with pytest.raises(UsageError, match=r"path=\./plant, or all of the path"):
        Folder(path="plant", data_dir=plant.parent).catalogue()


@pytest.mark.parametrize("path", ["nowhere", "~nobody-of-that-name/plant", "x" * 500])
def test_no_folder_is_said_to_be_none(tmp_path: Path, path: str) -> None:
    with pytest.raises(DataError, match=r"is no folder: name the one that holds"):
        Folder(path=path, data_dir=tmp_path).catalogue()
    with pytest.raises(DataError, match="no folder is given: write -d folder:path=DIR"):
        Folder().catalogue()


def test_folders_of_one_name_are_two_data_sets(tmp_path: Path) -> None:
    from faultbench.matrix.keys import key_of
    from faultbench.matrix.stages import INGEST
    from faultbench.registry import Registry

    keys, names = set(), set()
    for number, place in enumerate(("one/plant", "two/plant", "three/mill")):
        (tmp_path / place).mkdir(parents=True)
        write(tmp_path / place, "a.npy", SIGNAL * (number + 1))
        catalogue = listed(tmp_path / place, file="a.npy").catalogue()
        choice = Registry.discover(plugins=False).choose("datasets", f"folder:path={tmp_path / place}")
        keys.add(key_of(INGEST, {"dataset": choice, "catalogue": catalogue.digest}, {}))
        names.add((catalogue.dataset, choice.spelling))
    assert len(keys) == len(names) == 3
    assert {name for name, _ in names} == {"plant", "mill"}


# --- the template


def test_a_template_lists_every_signal_and_becomes_a_table(plant: Path) -> None:
    (plant / "sub").mkdir()
    write(plant, "sub/10.wav", SIGNAL)
    write(plant, "sub/9.wav", SIGNAL)
    write(plant, "b.npy", TWO)
    write(plant, "c.mat", SIGNAL)
    (plant / "d.csv").write_text("t;x\n0;1,5\n1;2,5\n")
    (plant / ".hidden.wav").write_bytes(b"x")
    (plant / "=e.npy").write_bytes(b"x")
    lines = Folder(path=str(plant)).template().splitlines()
    assert lines[0].split(",")[:3] == ["file", "channel", "label"]
    assert [tuple(line.split(",")[:2]) for line in lines[1:]] == [
        ("./=e.npy", ""),
        ("b.npy", "1"),
        ("b.npy", "2"),
        ("c.mat", ""),
        ("d.csv", "t"),
        ("d.csv", "x"),
        ("sub/9.wav", ""),
        ("sub/10.wav", ""),
    ]
    assert lines[-1].split(",")[lines[0].split(",").index("rate")] == "12000"
    (plant / "=e.npy").unlink()
    (plant / "recordings.csv").write_text("\n".join(line for line in lines if "=e" not in line) + "\n")
    said = [remark.text for remark in Folder(path=str(plant)).inspect()[1]]
    for column in ("label", "bearing", "session"):
        assert sum(f"{column} is missing" in text for text in said) == 7
    filled = []
    for number, line in enumerate(line for line in lines[1:] if "=e" not in line):
        cells = dict(zip(lines[0].split(","), line.split(","), strict=True))
        filled.append(",".join({**cells, "label": "ball", "bearing": f"B{number}", "session": "{file}", "rate": "12000"}.values()))
    (plant / "recordings.csv").write_text("\n".join([lines[0], *filled]) + "\n")
    catalogue = Folder(path=str(plant)).catalogue()
    assert [r.id for r in catalogue.recordings] == ["b.npy:1", "b.npy:2", "c.mat", "d.csv:t", "d.csv:x", "sub/9.wav", "sub/10.wav"]
    assert catalogue.recordings[0].session == catalogue.recordings[1].session == "b.npy"


def test_a_table_that_is_there_is_not_begun_again(plant: Path) -> None:
    write(plant, "a.npy", SIGNAL)
    (plant / "recordings.csv").touch()  # as the shell does it before the command runs
    text = Folder(path=str(plant)).template()
    assert "a.npy" in text
    (plant / "recordings.csv").write_text(text)
    with pytest.raises(DataError, match=r"recordings\.csv is there already: fill that in, or move it away"):
        Folder(path=str(plant)).template()


def test_a_folder_without_recordings_has_no_template(plant: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.wav, \.csv, \.npy, \.mat file"):
        Folder(path=str(plant)).template()


def test_a_folder_without_a_table_says_what_it_holds(plant: Path) -> None:
    write(plant, "a.wav", TWO)
    write(plant, "b.wav", TWO)
    write(plant, "c.npy", SIGNAL)
    (plant / "d.mat").write_bytes(b"no mat")
    catalogue, remarks = Folder(path=str(plant)).inspect()
    assert catalogue is None
    assert [remark.grade for remark in remarks] == ["error", "warning", "fact", "fact"]
    assert remarks[1].text.startswith("d.mat cannot be read as a MATLAB file")
    assert [remark.text for remark in remarks[2:]] == [
        "2 .wav files of 12000 Hz with 2 signals each (a.wav, b.wav)",
        "1 .npy files with 1 signal each (c.npy)",
    ]


def test_files_that_no_row_names_are_a_fact(plant: Path, put_many: Callable[[int], None]) -> None:
    put_many(5)
    write(plant, "a.npy", SIGNAL)
    _, remarks = listed(plant, file="a.npy").inspect()
    assert [(r.grade, r.text) for r in remarks] == [("fact", "files that no table lists: 5 .wav (0.wav, 1.wav, 2.wav and 2 more)")]
    assert files_in(plant)[0] == "0.wav"


@pytest.fixture
def put_many(plant: Path) -> Callable[[int], None]:
    def put(count: int) -> None:
        for number in range(count):
            write(plant, f"{number}.wav", SIGNAL)

    return put


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind root")
def test_a_folder_that_cannot_be_listed_is_said_to_be(plant: Path) -> None:
    plant.chmod(0)
    try:
        assert "cannot be listed" in refusal(Folder(path=str(plant)))
    finally:
        plant.chmod(0o700)
