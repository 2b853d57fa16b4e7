"""The table of a user's folder: every way of writing it gives the same recordings, and everything that is wrong with it is said at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultbench.data.recording import Gearing, Geometry
from faultbench.errors import DataError
from faultbench_datasets.folder import Folder
from faultbench_datasets.folder.geometry import geometry, inline
from faultbench_datasets.folder.table import COLUMNS, number
from faultbench_datasets.folder.words import damage, one_letter_off, resembling, unit_factor

SIGNAL = np.random.default_rng(1).standard_normal(4096).astype(np.float32)
ROW = {"file": "a.npy", "label": "inner 7 mil", "bearing": "B1", "session": "s1", "rate": "12000"}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULTBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plant = tmp_path / "plant"
    plant.mkdir()
    for name in ("a", "b"):
        np.save(plant / f"{name}.npy", SIGNAL)
    return plant


def csv_of(*rows: dict[str, str], delimiter: str = ",") -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return "\n".join(delimiter.join(cells) for cells in (names, *([row.get(name, "") for name in names] for row in rows))) + "\n"


def errors(folder: Path) -> list[str]:
    _, remarks = Folder(path=str(folder)).inspect()
    found = [remark.text for remark in remarks if remark.grade == "error"]
    assert all(text.isprintable() and ": " in text for text in found)
    return found


def put(folder: Path, *rows: dict[str, str], toml: str = "", delimiter: str = ",") -> Path:
    if rows:
        (folder / "recordings.csv").write_text(csv_of(*rows, delimiter=delimiter), encoding="utf-8")
    if toml:
        (folder / "recordings.toml").write_text(toml, encoding="utf-8")
    return folder


def test_left_out_columns_have_the_documented_defaults(folder: Path) -> None:
    (recording,) = Folder(path=str(put(folder, ROW))).catalogue().recordings
    assert (recording.dataset, recording.id, recording.machine, recording.mounting) == ("plant", "a.npy", "plant", "plant")
    assert (recording.element, recording.severity, recording.load, recording.speed_rpm) == ("inner", "7 mil", "not stated", None)
    assert (recording.geometry, recording.position, recording.notes) == (None, "", ())
    ((channel),) = recording.channels
    assert (channel.name, channel.rate_hz, channel.samples, channel.unit) == ("signal", 12_000.0, 4096, "g")


FULL = {
    **ROW,
    "label": "outer ring 14 mil",
    "machine": "pump",
    "mounting": "DE",
    "load": "2 kN",
    "speed": "1797.5",
    "unit": "m/s^2",
    "scale": "2",
    "geometry": "balls=9 ball_mm=7.94 pitch_mm=39.04",
    "position": "@6",
    "id": "first",
    "note": "new oil",
}
AS_TOML = """
[[recordings]]
file = "a.npy"
element = "Outer"
severity = "14 mil"
machine = "pump"
mounting = "DE"
bearing = "B1"
session = "s1"
load = "2 kN"
speed = 1797.5
rate = 12000
unit = "m/s^2"
scale = 2
geometry = {balls = 9, ball_mm = 7.94, pitch_mm = 39.04}
position = "@6"
id = "first"
note = "new oil"
"""


def test_csv_and_toml_say_the_same(folder: Path) -> None:
    (one,) = Folder(path=str(put(folder, FULL))).catalogue().recordings
    (folder / "recordings.csv").unlink()
    (other,) = Folder(path=str(put(folder, toml=AS_TOML))).catalogue().recordings
    assert one.geometry is not None
    assert other.geometry is not None
    assert one.geometry.orders == other.geometry.orders == pytest.approx(Geometry.from_dimensions("", 9, 7.94, 39.04).orders)
    for name in (
        "id",
        "machine",
        "mounting",
        "bearing",
        "element",
        "severity",
        "session",
        "load",
        "speed_rpm",
        "channels",
        "position",
        "notes",
    ):
        assert getattr(one, name) == getattr(other, name), name
    assert (one.id, one.mounting, one.element, one.severity) == ("first", "pump/DE", "outer", "14 mil")


def test_semicolons_and_decimal_commas_of_a_spreadsheet_are_read(folder: Path) -> None:
    put(folder, {**FULL, "speed": "1797,5"}, delimiter=";")
    (recording,) = Folder(path=str(folder)).catalogue().recordings
    assert recording.speed_rpm == 1797.5


def test_a_spreadsheets_encoding_and_mark_of_order_are_read(folder: Path) -> None:
    (folder / "recordings.csv").write_bytes(b"\xef\xbb\xbf" + csv_of({**ROW, "machine": "Mühle"}).encode())
    assert Folder(path=str(folder)).catalogue().targets == ("Mühle",)
    (folder / "recordings.csv").write_bytes(csv_of({**ROW, "machine": "Mühle"}).encode("latin-1"))
    assert Folder(path=str(folder)).catalogue().targets == ("Mühle",)


def test_a_set_of_gears_states_its_teeth(folder: Path) -> None:
    put(folder, {**ROW, "label": "gear-tooth chipped", "gearing": "18/55"})
    (recording,) = Folder(path=str(folder)).catalogue().recordings
    assert recording.element == "gear-tooth"
    assert recording.gearing == Gearing("18/55", 18, 55)


def test_rows_in_csv_take_what_toml_shares(folder: Path) -> None:
    toml = "\n".join(
        (
            'name = "mill-3"',
            "[defaults]",
            'machine = "pump"',
            "rate = 12000",
            'session = "{file}"',
            '[geometries."SKF 6205"]',
            "bpfo = 3.5848",
            "bpfi = 5.4152",
            "bsf = 2.3567",
            "ftf = 0.39828",
        )
    )
    rows = [{"file": f"{name}.npy", "label": "ball", "bearing": f"B{name}", "geometry": "SKF 6205"} for name in ("a", "b")]
    catalogue = Folder(path=str(put(folder, *rows, toml=toml))).catalogue()
    assert catalogue.dataset == "mill-3"
    assert [(r.session, r.machine, r.channels[0].rate_hz) for r in catalogue.recordings] == [(f"{x}.npy", "pump", 12_000.0) for x in "ab"]
    assert {r.geometry.name for r in catalogue.recordings if r.geometry} == {"SKF 6205"}


def test_geometries_may_stand_in_a_table_of_their_own(folder: Path) -> None:
    (folder / "geometries.csv").write_text("name,balls,ball_mm,pitch_mm,contact_deg\nX1,9,7.94,39.04,0\nX2,12,8,50,15\n")
    put(folder, {**ROW, "geometry": "X2"})
    (recording,) = Folder(path=str(folder)).catalogue().recordings
    assert recording.geometry == Geometry.from_dimensions("X2", 12, 8, 50, 15)


def test_the_first_machine_is_the_target_and_mountings_are_where_there_is_one_machine(folder: Path) -> None:
    rows = [
        {**ROW, "file": f"{name}.npy", "bearing": name, "machine": "m", "mounting": place} for name, place in (("a", "DE"), ("b", "FE"))
    ]
    assert Folder(path=str(put(folder, *rows))).catalogue().targets == ("m/DE", "m/FE")
    rows = [{**row, "machine": row["mounting"]} for row in rows]
    assert Folder(path=str(put(folder, *rows))).catalogue().targets == ("DE", "FE")


@pytest.mark.parametrize("column", ["file", "label", "bearing", "session"])
def test_what_must_not_be_invented_is_asked_for(folder: Path, column: str) -> None:
    put(folder, {name: value for name, value in ROW.items() if name != column} | {"load": "1 kN"})
    assert any(f"{column} is missing: write" in text or f"no column {column}" in text for text in errors(folder))
    with pytest.raises(DataError, match=column):
        Folder(path=str(folder)).catalogue()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"file": "c.npy"}, "there is no file 'c.npy'"),
        ({"file": "a.np"}, "is of no kind that is read: give .wav, .csv, .npy, .mat"),
        ({"file": "/etc/passwd.csv"}, "is an absolute path"),
        ({"file": "C:\\a.npy"}, "is an absolute path"),
        ({"file": "../other.npy"}, "lies outside the folder"),
        ({"file": "x" * 400 + ".npy"}, "there is no file"),
        ({"file": "a.npy/../../other.npy"}, "lies outside the folder"),
        ({"rate": "fast"}, "rate is fast, no number"),
        ({"rate": "25,600"}, "can be read in two ways"),
        ({"rate": "25 600"}, "can be read in two ways"),
        ({"rate": "-1"}, "rate is -1.0, it must be above 0"),
        ({"rate": "nan"}, "rate is nan, it must be above 0"),
        ({"rate": "1e99"}, "and at most 1e+08"),
        ({"rate": ""}, "rate is missing, .npy files say none"),
        ({"speed": "0"}, "speed is 0.0"),
        ({"unit": "furlong"}, "unit 'furlong' is not known"),
        ({"scale": "inf"}, "scale is inf"),
        ({"label": "healthy 7 mil"}, "write healthy alone"),
        ({"severity": "7 mil"}, "keep the label, or the other two"),
        ({"channel": "2"}, "has no signal 2, it holds 1"),
        ({"channel": "1|1"}, "several different ones joined by |"),
        ({"decimal": "x"}, "decimal is 'x': write . or ,"),
        ({"geometry": "SKF 6205"}, "there is no geometry 'SKF 6205'"),
        ({"geometry": "balls=9 ball_mm=7.94"}, "geometry 'balls=9 ball_mm=7.94' has ball_mm, balls"),
        ({"geometry": "balls=nine"}, "where key=number belongs"),
        ({"geometry": "bpfo=107 bpfi=162 bsf=70 ftf=12"}, "give orders, frequencies over shaft frequency"),
        ({"gearing": "18"}, "gearing is '18': write the teeth"),
        ({"gearing": "0/55"}, "gearing is '0/55': write the teeth"),
        ({"bearing": "x" * 600}, "too long or not printable"),
        ({"id": "x\x1b[31m"}, "too long or not printable"),
    ],
)
def test_a_wrong_cell_is_said_with_its_line(folder: Path, changed: dict[str, str], said: str) -> None:
    rows = {**ROW, **changed}
    delimiter = ";" if any("," in value for value in rows.values()) else ","
    np.save(folder.parent / "other.npy", SIGNAL)
    put(folder, {**ROW, "file": "b.npy", "bearing": "B2"}, rows, delimiter=delimiter)
    (text,) = errors(folder)
    assert said in text
    assert text.startswith("recordings.csv, line 3: ")


def test_all_that_is_wrong_is_said_at_once(folder: Path) -> None:
    bad = [{**ROW, "file": "c.npy"}, {**ROW, "rate": "x"}, {**ROW, "file": "b.npy", "unit": "y", "speed": "z"}, {"file": "b.npy"}]
    said = errors(put(folder, *bad))
    assert [text.partition(":")[0] for text in said] == [f"recordings.csv, line {n}" for n in (3, 4, 2, 4, 5, 5, 5)]
    with pytest.raises(DataError, match=r"\(and 6 more: see `faultbench data check .*plant`\)"):
        Folder(path=str(folder)).catalogue()


def test_what_is_right_is_listed_beside_what_is_wrong(folder: Path) -> None:
    catalogue, remarks = Folder(path=str(put(folder, {**ROW, "file": "b.npy"}, {**ROW, "rate": "0"}))).inspect()
    assert catalogue is not None
    assert [r.id for r in catalogue.recordings] == ["b.npy"]
    assert [remark.grade for remark in remarks] == ["error", "fact"] or [remark.grade for remark in remarks] == ["error"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("\n\n", "no column file"),
        ("a.npy,inner\n", "has no column file: its first line must name the columns"),
        ("file,laod\na.npy,1\n", "has a column laod: did you mean load? Rename it"),
        ("file,load,load\na.npy,1,2\n", "has two columns load"),
        ("file,load\na.npy,1,2\n", "line 2: 3 cells under 2 columns"),
        ('file,load\n"a.npy,1\n', "line 2: unexpected end of data"),
        ("file,label\na\0,b\n", "line 2: a NUL byte, which no text holds"),
        ("file,label\n", "lists no recordings"),
        ("file," + "x" * 200_000 + "\n", "field larger than field limit"),
    ],
)
def test_a_table_that_is_none_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / "recordings.csv").write_text(text)
    assert any(said in found for found in errors(folder))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recordings = 3", "write [[recordings]] before each"),
        ("[[recordings]]\nfile = true", "file must be a text"),
        ("[[recordings]]\nfiel = 'a.npy'", "there is no column fiel: did you mean file?"),
        ("[[recordings]]\nfoo = 'a.npy'", "there is no column foo: take it away, or write one of file, label"),
        ("[geometries.'SKF 1']\nballs = 'nine'", "balls of geometry SKF 1 is nine, no number"),
        ("[[recordings]]\nfile = ''", "file is empty"),
        ("defaults = 1", "write [defaults]"),
        ("[defaults]\nfile = 'a.npy'", "file differs from recording to recording"),
        ("[geometries]\nX = 1", "write [geometries.NAME]"),
        ("[geometries.X]\nballs = 9", "geometry 'X' has balls"),
        ("[geometries.X]\nballs = 9.5\nball_mm = 8\npitch_mm = 40", "9.5 balls of 8 mm on 40 mm"),
        ("[geometries.X]\nballs = 9\nball_mm = 80\npitch_mm = 40", "9 balls of 80 mm on 40 mm"),
        ("[geometries.X]\nballs = 9\nball_mm = 8\npitch_mm = inf", "not finite"),
        ("colour = 'red'", "has a key colour"),
        ("name = ['a']", "name must be a text of one line"),
        ("name = ", "is not TOML"),
        ("a = " + "[" * 5000, "is not TOML"),
    ],
)
def test_a_toml_table_that_is_wrong_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / "recordings.toml").write_text(text)
    assert any(said in found for found in errors(folder))


def test_two_lists_of_recordings_are_refused(folder: Path) -> None:
    put(folder, ROW, toml='[[recordings]]\nfile = "b.npy"\nlabel = "ball"\nbearing = "B2"\nsession = "s2"\nrate = 12000\n')
    assert "both list recordings: keep them in one of the two" in errors(folder)[0]


def test_a_line_that_stands_twice_leaves_a_recording_called_like_its_file(folder: Path) -> None:
    catalogue, _ = Folder(path=str(put(folder, ROW, ROW))).inspect()
    assert catalogue is not None
    assert [r.id for r in catalogue.recordings] == ["a.npy"]


def test_a_table_in_utf_16_is_called_so(folder: Path) -> None:
    (folder / "recordings.csv").write_bytes(csv_of(ROW).encode("utf-16"))
    (text,) = errors(folder)
    assert text == "recordings.csv is written in UTF-16: save it as UTF-8"


def test_a_signal_that_is_listed_twice_is_refused(folder: Path) -> None:
    assert "a.npy is listed in recordings.csv, line 2 already" in errors(put(folder, ROW, {**ROW, "bearing": "B2"}))[0]
    assert "the id 'x' is that of recordings.csv, line 2" in errors(put(folder, {**ROW, "id": "x"}, {**ROW, "file": "b.npy", "id": "x"}))[0]


@pytest.mark.parametrize(
    ("column", "one", "other"),
    [("bearing", "B1", "b1"), ("machine", "Fan 1", "fan-1"), ("mounting", "DE", "d.e."), ("session", "Day 1", "day_1")],
)
def test_one_name_in_two_spellings_is_refused(folder: Path, column: str, one: str, other: str) -> None:
    rows = [{**ROW, column: one}, {**ROW, "file": "b.npy", "session": "s2", column: other}]
    (text,) = errors(put(folder, *rows))
    way = "write one name the same way, or names that differ by more"
    assert text == f"recordings.csv: {column} is spelled {one!r} (line 2) and {other!r} (line 3): {way}"
    rows[1][column] = f"{other}2"
    assert errors(put(folder, *rows)) == []


def test_files_that_are_called_alike_are_sessions_of_their_own(folder: Path) -> None:
    (folder / "b.npy").rename(folder / "A_.npy")
    assert errors(put(folder, {**ROW, "session": "{file}"}, {**ROW, "file": "A_.npy", "session": "{file}"})) == []


def test_a_column_of_the_users_own_is_a_fact(folder: Path) -> None:
    catalogue, remarks = Folder(path=str(put(folder, {**ROW, "operator": "me"}))).inspect()
    assert catalogue is not None
    assert "the column operator is not read" in remarks[0].text
    assert remarks[0].grade == "fact"


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        ("Healthy", ("healthy", "")),
        ("normal", ("healthy", "")),
        ("IR", ("inner", "")),
        ("Inner-race, 7 mil", ("inner", "7 mil")),
        ("inner", ("inner", "")),
        ("outer_ring severe", ("outer", "severe")),
        ("rolling element", ("ball", "")),
        ("innermost", ("innermost", "")),
        ("Imbalance", ("imbalance", "")),
        ("orange peel", ("orange peel", "")),
        ("mis-alignment", ("mis-alignment", "")),
        ("Gear-tooth chipped", ("gear-tooth", "chipped")),
    ],
)
def test_labels_are_read_as_people_write_them(label: str, wanted: tuple[str, str]) -> None:
    assert damage(label) == wanted


def test_a_slip_of_the_pen_is_a_class_of_its_own_and_asked_about(folder: Path) -> None:
    _, remarks = Folder(path=str(put(folder, {**ROW, "label": "helthy"}))).inspect()
    assert ("warning", "1 recordings are of the class 'helthy', which no bearing has: did you mean 'healthy'?") in [
        (r.grade, r.text) for r in remarks
    ]
    assert resembling("imbalance") is None
    assert resembling("inner") is None
    assert resembling("innner 7 mil") == "inner 7 mil"


@pytest.mark.parametrize(
    ("slip", "other"),
    [("inner smal", "inner small"), ("inner samll", "inner small"), ("inner smell", "inner small"), ("imbalence", "imbalance")],
)
def test_a_class_that_is_one_letter_off_another_is_asked_about(folder: Path, slip: str, other: str) -> None:
    rows = [{**ROW, "label": other.replace("inner", "outer")}, {**ROW, "label": slip, "file": "b.npy", "bearing": "B2", "session": "s2"}]
    _, remarks = Folder(path=str(put(folder, *rows))).inspect()
    what = "severities" if slip.startswith("inner") else "classes"
    one, two = other.removeprefix("inner "), slip.removeprefix("inner ")
    said = f"the {what} {one!r} (recordings.csv, line 2) and {two!r} (recordings.csv, line 3) differ by one letter"
    assert [remark.text for remark in remarks if "letter" in remark.text] == [f"{said}: if they are one, write it the same way"]
    assert one_letter_off([other, "ball", slip]) == [(other, slip)]


def test_classes_that_are_rightly_alike_are_not_asked_about() -> None:
    classes = (
        "inner 7 mil",
        "inner 17 mil",
        "inner level a",
        "inner level b",
        "bent",
        "belt",
        "outer small",
        "inner small",
        "inner",
        "ball",
    )
    assert one_letter_off(classes) == []


@given(st.text("ab ", max_size=8), st.text("ab ", max_size=8))
def test_a_letter_is_counted_the_same_both_ways(one: str, other: str) -> None:
    assert len(one_letter_off([one, other])) == len(one_letter_off([other, one])) <= (one != other)


def test_units_are_brought_to_g(folder: Path) -> None:
    put(folder, {**ROW, "unit": "m/s2"}, {**ROW, "file": "b.npy", "unit": "mg", "scale": "2", "bearing": "B2"})
    dataset = Folder(path=str(folder))
    one, other = dataset.catalogue().recordings
    np.testing.assert_allclose(dataset.read(one, "signal"), SIGNAL / 9.80665, rtol=1e-6)
    np.testing.assert_allclose(dataset.read(other, "signal"), SIGNAL * 0.002, rtol=1e-6)
    assert unit_factor("MM/S") == ("mm/s", 1.0)
    with pytest.raises(DataError):
        unit_factor("MV")  # megavolts or millivolts


@pytest.mark.parametrize(("text", "wanted"), [("1797", 1797.0), ("1,5", 1.5), ("1e3", 1000.0), (" 2 ", 2.0), (3, 3.0)])
def test_numbers_are_read(text: object, wanted: float) -> None:
    assert number(text, "rate") == wanted


@pytest.mark.parametrize("text", ["", "x", "1_000", "25,600", "1 000", "0x10", True, None, "1,2,3", []])
def test_what_is_no_number_or_two_is_refused(text: object) -> None:
    with pytest.raises(DataError, match=r"^rate is "):
        number(text, "rate")


@given(st.integers(3, 40), st.floats(0.05, 0.4), st.floats(0, 40))
def test_orders_and_dimensions_say_the_same(balls: int, ratio: float, contact: float) -> None:
    wanted = geometry("x", {"balls": balls, "ball_mm": 100 * ratio, "pitch_mm": 100, "contact_deg": contact})
    written = " ".join(f"{name}={value!r}" for name, value in zip(("bpfo", "bpfi", "bsf", "ftf"), wanted.orders, strict=True))
    if wanted.bpfo > 1:
        assert geometry("x", inline(written)) == wanted


CHARACTERS = "".join(map(chr, range(128))) + "\u00e4\u2028\u202e\ud800\U0001f600"


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_table_is_more_than_a_list_of_errors(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Any text as a table, and a right table with some characters exchanged: no traceback, and nothing without a remark or a recording."""
    root = tmp_path_factory.getbasetemp() / "fuzzed"
    root.mkdir(exist_ok=True)
    np.save(root / "a.npy", SIGNAL)
    kind = data.draw(st.sampled_from(["csv", "toml"]))
    whole = csv_of(FULL) if kind == "csv" else AS_TOML
    if data.draw(st.booleans()):
        text = data.draw(st.text(alphabet=CHARACTERS, max_size=200))
    else:
        characters = list(whole)
        places = st.tuples(st.integers(0, len(whole) - 1), st.sampled_from(CHARACTERS))
        for place, character in data.draw(st.lists(places, max_size=3)):
            characters[place] = character
        text = "".join(characters)
    for name in ("csv", "toml"):
        (root / f"recordings.{name}").unlink(missing_ok=True)
    (root / f"recordings.{kind}").write_bytes(text.encode("utf-8", "surrogatepass"))
    catalogue, remarks = Folder(path=str(root)).inspect()
    assert all(remark.text.isprintable() for remark in remarks)
    assert catalogue is not None or any(remark.grade == "error" for remark in remarks)


def test_every_column_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "recordings.md").read_text(encoding="utf-8")
    table = page.partition("## The table")[2].partition("## The check")[0]
    for column in COLUMNS:
        assert f"`{column}`" in table, column
    for unit in ("g", "mg", "m/s^2", "mm/s", "um", "V", "mV", "A", "Pa"):
        assert f"`{unit}`" in table
        unit_factor(unit)
