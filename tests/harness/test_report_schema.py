"""The published schema: it describes every field of a row and no other, and a wrong document does not fit."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
import typer
from jsonschema import Draft202012Validator

from faultbench.cli.app import app
from faultbench.errors import DataError
from faultbench.report.document import document, json_text
from faultbench.report.reading import read_document
from faultbench.report.schema import FILES, check, schema_text
from faultbench.results.metrics import METRICS
from faultbench.results.row import CELL, SCHEMA
from faultbench.results.store import open_store

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def schema():
    return json.loads(schema_text("run"))


def closed(part):
    """The schema with every object of named fields held to these alone, as only the writer is."""
    if isinstance(part, dict):
        made = {name: closed(value) for name, value in part.items()}
        if "properties" in made and "required" in made and "additionalProperties" not in made:
            made["additionalProperties"] = False
        return made
    return [closed(value) for value in part] if isinstance(part, list) else part


def faults(made):
    """What is wrong with a document that this version wrote: nothing may be unknown either."""
    return [f"{fault.json_path}: {fault.message}" for fault in Draft202012Validator(closed(schema())).iter_errors(made)]


def test_every_schema_is_a_schema_and_names_its_version():
    for kind in FILES:
        published = json.loads(schema_text(kind))
        Draft202012Validator.check_schema(published)
        assert published["$schema"].endswith("draft/2020-12/schema")
        assert published["properties"]["schema"] == {"const": SCHEMA}
        assert FILES[kind].endswith(f"-{SCHEMA}.json")


@pytest.mark.parametrize(("words", "kind"), [(("results", "list"), "runs"), (("cache", "info"), "cache")])
def test_lists_of_runs_and_of_the_cache_fit_and_hold_no_field_that_is_not_described(site, words, kind):
    """Of nothing at first, then of real runs: one finished with values of every kind, one interrupted."""
    validator = Draft202012Validator(closed(json.loads(schema_text(kind))))
    for _ in range(2):
        done = site.command(*words, "--json", "-")
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        assert made["schema"] == 1
        assert [f"{fault.json_path}: {fault.message}" for fault in validator.iter_errors(made)] == []
        site.run(learners=("toy", "toy:mood=broken"), compressors=("none", "never"), seeds=1)
        with open_store(site.store) as store:
            store.begin(["killed"])
    assert made["runs" if kind == "runs" else "kinds"]
    for name in made:
        assert list(validator.iter_errors({key: value for key, value in made.items() if key != name})), f"{name} is required"


def test_every_option_that_points_to_the_schemas_belongs_to_a_command_that_has_one():
    """A command with the option is here with its document, and a new one fails until its document has a schema."""
    documents = {
        "run": "run",
        "show": "run",
        "results export": "run",
        "compare": "comparison",
        "results list": "runs",
        "cache info": "cache",
    }

    def pointing(command, path=()):
        for name, one in getattr(command, "commands", {}).items():
            yield from pointing(one, (*path, name))
        for option in command.params:
            if "--json" in option.opts and "faultbench schema" in (option.help or ""):
                yield " ".join(path)

    assert set(pointing(typer.main.get_command(app))) == set(documents)
    assert set(documents.values()) == set(FILES)


def test_rows_of_every_kind_fit_and_hold_no_field_that_is_not_described(rows):
    assert faults(document(rows.every_kind(), ["faultbench", "run"])) == []


def test_the_schema_describes_the_fields_of_a_row_and_no_others(rows):
    """A field that is added, renamed or removed fails here until the schema says so."""
    described = schema()["$defs"]["row"]
    row = rows.judged()
    assert set(described["properties"]) == set(row)
    assert set(described["required"]) == set(row) - {"split_digest", "by_unit"}, "what was added after the first documents"
    assert list(schema()["$defs"]["cell"]["properties"]) == list(CELL)
    assert schema()["$defs"]["criterion"]["properties"]["metric"]["enum"] == list(METRICS)
    for name in ("accuracy", "finetune_s", "bearings", "device", "verdict"):
        definition = {"accuracy": "rate", "finetune_s": "times"}.get(name, name)
        assert set(schema()["$defs"][definition]["properties"]) == set(row[name]), name


def test_a_field_that_the_schema_does_not_know_is_seen(rows):
    made = document([{**rows.judged(), "charm": 1}], [])
    assert any("charm" in fault for fault in faults(made))
    check(made, "run", "it")  # a reader of this version takes what a later one adds


@pytest.mark.parametrize(
    ("where", "wrong"),
    [
        (("rows", 0, "accuracy", "mean"), 1.5),
        (("rows", 0, "accuracy", "ci_low"), "0.9"),
        (("rows", 0, "latency_ms", "n"), 0),
        (("rows", 0, "verdict", "overall"), "passed"),
        (("rows", 0, "verdict", "criteria", 0, "op"), "=="),
        (("rows", 0, "kind"), "guessed"),
        (("rows", 0, "cell"), {"dataset": "cwru"}),
        (("rows", 0, "params"), 1.5),
        (("rows", 0, "error"), "it broke"),
        (("rows", 0, "watermark"), "quick"),
        (("rows", 0, "by_unit", 0, "asked"), [-1]),
        (("rows",), {}),
        (("command",), "faultbench run"),
    ],
)
def test_a_planted_fault_does_not_fit(rows, where, wrong):
    made = document([rows.judged()], [])
    *path, last = where
    place = made
    for step in path:
        place = place[step]
    place[last] = wrong
    with pytest.raises(DataError, match=r"it is no result of faultbench \(\$.*name a file"):
        check(made, "run", "it")


@pytest.mark.parametrize("field", ["accuracy", "verdict", "cell", "error"])
def test_a_missing_field_does_not_fit(rows, field):
    made = document([rows.judged()], [])
    del made["rows"][0][field]
    with pytest.raises(DataError, match=field):
        check(made, "run", "it")


@pytest.mark.parametrize("name", ["cwru_new_device.json", "cwru_unseen_bearing.json"])
def test_documents_that_were_published_still_fit(name):
    assert read_document(BENCHMARKS / name)["rows"]


def test_a_document_reads_back_as_it_was_written(rows, tmp_path):
    made = document(rows.every_kind(), ["faultbench", "run"])
    (tmp_path / "a.json").write_text(json_text(made))
    assert read_document(tmp_path / "a.json") == made


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe", "no UTF-8"),
        (b'{"schema": NaN}', "NaN is no JSON number"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "no result of faultbench"),
        (b'{"schema": 2}', "schema 2, this faultbench reads 1"),
        (b'{"schema": true}', "no result of faultbench"),
        (b'{"schema": 1, "protocol": 1, "command": [], "rows": [1]}', "no result of faultbench"),
    ],
)
def test_a_foreign_file_is_one_line(tmp_path, content, said):
    (tmp_path / "foreign.json").write_bytes(content)
    with pytest.raises(DataError, match=said) as caught:
        read_document(tmp_path / "foreign.json")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_document(tmp_path / "no.json")
    with pytest.raises(DataError, match="cannot be read"):
        read_document(tmp_path)


def test_a_file_that_would_fill_the_memory_is_not_read(tmp_path, monkeypatch):
    from faultbench.report import reading

    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    (tmp_path / "large.json").write_text(" " * 200)
    with pytest.raises(DataError, match="larger than"):
        read_document(tmp_path / "large.json")


def test_a_document_of_a_real_run_fits(site):
    made, _ = site.run(learners=("toy", "toy:mood=broken"), compressors=("none", "never"))
    assert len(made) == 4
    assert faults(document(made, ["faultbench"])) == []
    assert all(row["split_digest"] and row["by_unit"] for row in made if row["accuracy"])


def test_lists_of_numbers_stand_on_one_line_and_strings_are_left_alone(rows):
    row = rows.judged(notes={"odd": "[\n  1,\n  2\n]"})
    text = json_text(document([row], []))
    assert json.loads(text)["rows"][0] == json.loads(json.dumps(row))
    assert '"asked": [100, 100]' in text


def test_half_a_character_from_a_file_name_is_written_as_json_writes_it(rows, tmp_path):
    from faultbench.report.document import write_json

    made = document([rows.judged(notes={"file": "\udcff"})], [])
    write_json(copy.deepcopy(made), tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text())["rows"][0]["notes"] == {"file": "\udcff"}
