"""`faultbench compare`, `show`, `explain` and `results` as a user calls them, on results that are there already."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from faultbench.report.document import document, json_text
from faultbench.results.store import FILE_NAME, open_store

COMMAND = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())"]


class Place:
    """A folder with a store and the results of two runs as files."""

    def __init__(self, folder: Path):
        self.folder = folder

    def call(self, *words: str, stdin: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        there = {**os.environ, "FAULTBENCH_RESULTS": str(self.folder), "FAULTBENCH_CACHE": str(self.folder / "cache"), "COLUMNS": "150"}
        there.pop("GITHUB_ACTIONS", None)
        told = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
        return subprocess.run(
            [*COMMAND, *words], cwd=self.folder, env=there | more, capture_output=True, text=True, timeout=120, check=False, **told
        )

    def write(self, name: str, *rows: dict) -> None:
        (self.folder / name).write_text(json_text(document(rows, ["faultbench", "run", name])))

    def keep(self, *rows: dict, command=("faultbench", "run"), finish=True) -> int:
        with open_store(self.folder / FILE_NAME) as store:
            run = store.begin(command)
            for row in rows:
                store.add(run, row)
            if finish:
                store.finish(run)
        return run

    def runs(self) -> list[int]:
        with open_store(self.folder / FILE_NAME) as store:
            return [run.id for run in store.runs()]


@pytest.fixture
def place(tmp_path, rows):
    made = Place(tmp_path)
    made.write("base.json", rows.judged(digest="b" * 64))
    made.write("worse.json", rows.judged(outcome=rows.answers(11), digest="c" * 64))
    made.write("same.json", rows.judged(digest="e" * 64))
    return made


def test_the_exit_code_says_whether_a_condition_fires(place):
    condition = ("--fail-on", "accuracy.diff.ci_high<-0.01,latency_ms.p99.ratio>1.2")
    done = place.call("compare", "base.json", "worse.json", *condition)
    assert done.returncode == 1
    assert "accuracy.diff.ci_high<-0.01 fires" in done.stdout
    assert done.stderr == "compare: fail (exit code 1): a condition fires in 1 of 1 cell\n"
    assert place.call("compare", "base.json", "same.json", *condition).returncode == 0
    assert place.call("compare", "base.json", "worse.json").returncode == 0, "without a condition it only says"


def test_what_is_unproven_is_neither_pass_nor_fail(place, rows):
    place.write("other.json", {**rows.judged(digest="e" * 64), "device": None})
    words = ("compare", "base.json", "other.json", "--fail-on", "latency_ms.p99.ratio>1.2")
    assert place.call(*words).returncode == 3
    assert place.call(*words, "--allow-unproven").returncode == 0


def test_nothing_in_common_is_4(place, rows):
    place.write("other.json", rows.judged({"learner": "cnn"}))
    done = place.call("compare", "base.json", "other.json")
    assert done.returncode == 4
    assert "nothing was compared: they have no cell in common" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare", "base.json"), "missing argument"),
        (("compare", "base.json", "no.json"), "no.json cannot be read (No such file or directory)"),
        (("compare", "base.json", "same.json", "--fail-on", "accuracy<0.9"), "'accuracy' names no change: write accuracy.diff"),
        (("compare", "base.json", "same.json", "--allow-unproven"), "--allow-unproven has no condition to loosen"),
        (("compare", "base.json", "same.json", "--across", "dataset"), "there is no axis 'dataset' to compare across"),
        (("compare", "-", "-"), "cannot both be standard input"),
        (("compare", "base.json", "last"), "no run is kept yet: `faultbench run` makes one, or name a file"),
        (("show", "maml"), "no run is kept yet"),
        (("show",), "no run is kept yet: `faultbench run` makes one"),
        (("show", "base.json", "--json", "no/such/x.json"), "--json no/such/x.json cannot be written"),
        (("results", "rm", "7", "--yes"), "no stored run is '7'"),
        (("results", "rm"), "missing argument"),
        (("results", "export"), "export where to?"),
        (("results", "export", "--json", "x.json"), "no stored run fits"),
        (("results", "list", "--limit", "0"), "--limit"),
        (("schema", "rnu"), "there is no schema 'rnu': did you mean run?"),
        (("results", "lst"), "no such command 'lst'"),
    ],
)
def test_bad_usage_is_one_line_and_exit_code_2(place, words, said):
    before = {path.name for path in place.folder.iterdir()}
    done = place.call(*words)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert {path.name for path in place.folder.iterdir()} == before, "nothing is left behind, no empty store either"


def test_a_foreign_file_is_one_line(place):
    (place.folder / "foreign.json").write_text('{"schema": 1}')
    done = place.call("compare", "base.json", "foreign.json")
    assert done.returncode == 2
    assert done.stderr.startswith("error: foreign.json is no result of faultbench ($: 'protocol' is a required property)")
    assert done.stderr.count("\n") == 1


def test_json_on_stdout_stands_alone(place):
    done = place.call("compare", "base.json", "worse.json", "--json", "-")
    found = json.loads(done.stdout)
    assert (found["schema"], found["command"][1], len(found["pairs"])) == (1, "compare", 1)
    assert done.stderr == ""


def test_a_base_can_come_through_a_pipe(place):
    done = place.call("compare", "-", "worse.json", stdin=(place.folder / "base.json").read_text())
    assert done.returncode == 0
    assert "BASE -, NEW worse.json" in done.stdout


def test_reports_of_a_comparison_are_written(place):
    words = ("--fail-on", "accuracy.diff.ci_high<-0.01", "--markdown", "c.md", "--junit", "c.xml", "--json", "c.json")
    assert place.call("compare", "base.json", "worse.json", *words).returncode == 1
    assert (place.folder / "c.md").read_text().startswith("## faultbench compare: fail")
    assert "<failure" in (place.folder / "c.xml").read_text()
    assert json.loads((place.folder / "c.json").read_text())["verdict"]["overall"] == "fail"


def test_github_is_told_and_stdout_stays_clean(place):
    there = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(place.folder / "summary.md")}
    done = place.call("compare", "base.json", "worse.json", "--fail-on", "accuracy.diff<-0.01", "--json", "-", **there)
    json.loads(done.stdout)
    assert "::error title=compare%3A cwru new-device maml none x86::accuracy.diff.mean<-0.01 fires" in done.stderr
    assert (place.folder / "summary.md").read_text().startswith("## faultbench compare: fail")


def test_stored_runs_are_compared_by_what_they_are_called(place, rows):
    place.keep(rows.judged(digest="b" * 64))
    place.keep(rows.judged(outcome=rows.answers(11), digest="c" * 64))
    done = place.call("compare", "last~1", "last")
    assert "accuracy is worse" in done.stdout
    assert place.call("compare", "1", "c" * 12, "--fail-on", "accuracy.diff<-0.01").returncode == 1


def test_show_prints_a_file_and_a_stored_run_as_they_were(place, rows):
    from_file = place.call("show", "base.json")
    assert from_file.returncode == 0
    assert "cwru, new-device [T2]" in from_file.stdout
    assert from_file.stderr == ""
    place.keep(rows.judged({"learner": "cnn"}, digest="1" * 64))
    place.keep(rows.judged(digest="b" * 64))
    stored = place.call("show")
    assert stored.returncode == 0
    assert stored.stderr.startswith("run 2 of ")
    assert "cnn" not in stored.stdout
    assert "cnn" in place.call("show", "cnn").stdout
    again = json.loads(place.call("show", "last", "--json", "-").stdout)
    assert again["rows"][0]["digest"] == "b" * 64
    assert again["command"] == ["faultbench", "run"]


def test_show_writes_any_format_and_tells_github_nothing(place):
    done = place.call("show", "base.json", "--out", "all", GITHUB_ACTIONS="true")
    assert {file.name for file in (place.folder / "all").iterdir()} >= {
        "results.json",
        "results.csv",
        "report.md",
        "junit.xml",
        "report.html",
    }
    assert "::" not in done.stderr
    assert json.loads((place.folder / "all" / "results.json").read_text()) == json.loads((place.folder / "base.json").read_text())


def test_explain_says_why_and_on_what_evidence(place, rows):
    place.write("every.json", *rows.every_kind())
    said = " ".join(place.call("explain", "every.json").stdout.split())
    assert "cwru new-device [T2] maml none x86: pass Every criterion holds" in said
    assert "accuracy.ci_low>=0.999: fail, the value is 0.9" in said
    assert "on 6 fault + 2 healthy, 95 % interval 0.9" in said
    assert re.search(r"[0-9.]+ queries a unit on average; a verdict takes 5 bearings and, on average, 36 queries of each", said)
    assert re.search(r"unproven, the value is 0\.\d+: only 2 fault bearings, 5 are needed; it would (pass|fail)", said)
    assert "It is watermarked (quick): such figures prove nothing either way." in said
    assert "centroid none x86: fail (baseline, never gated)" in said
    assert "could not be computed: it broke: mend it" in said
    assert "computed by: faultbench run every.json" in said


def test_results_are_listed_newest_first_and_found_by_name_date_and_digest(place, rows):
    place.keep(rows.judged(digest="b" * 64), command=("faultbench", "run", "first"))
    place.keep(rows.judged({"learner": "cnn"}, digest="c" * 64), command=("faultbench", "run", "second"))
    place.keep(command=("faultbench", "run", "killed"), finish=False)

    def ids(*words: str) -> list[int]:
        return [run["id"] for run in json.loads(place.call("results", "list", *words, "--json", "-").stdout)["runs"]]

    assert ids() == [3, 2, 1]
    assert ids("--limit", "2") == [3, 2]
    assert ids("maml") == [1]
    assert ids("cnn", "x86") == [2]
    assert ids("cc" * 4) == [2]
    assert ids("last") == [2], "a run without a row is passed over"
    assert ids("last~1") == [1]
    assert ids("3") == [3]
    assert ids("1999-01-01") == []
    listed = place.call("results", "list").stdout
    assert "interrupted" in listed
    assert "1 pass" in listed
    date = json.loads(place.call("results", "list", "--json", "-").stdout)["runs"][0]["started"][:10]
    assert ids(date) == [2, 1]
    assert place.call("results", "list", "nobody").stdout == "no runs are kept that fit\n"


def test_the_list_of_runs_gives_a_command_the_whole_width(place, rows):
    command = ("faultbench", "run", "-l", "centroid,cnn", "-c", "none,prune40", "--quick", "--episodes", "10", "--markdown", "a file.md")
    place.keep(rows.judged(), command=command)
    place.keep(command=("faultbench", "run", "\x1b[31mred"), finish=False)
    listed = place.call("results", "list", COLUMNS="80").stdout
    lines = listed.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["run", "began", "(UTC)", "state", "rows"]
    assert [line.split()[0] for line in lines[1::2][:2]] == ["2", "1"]
    assert "1 pass" in lines[3]
    assert len(lines) == 6, "one line for the short command, two for the long one"
    assert " ".join(" ".join(lines[4:]).split()) == shlex.join(command)
    assert "\x1b" not in listed


def test_a_digest_is_found_by_its_first_four_characters_also_where_they_are_digits(place, rows):
    place.keep(rows.judged({"compressor": "prune40"}, digest="634f" + "a" * 60))
    place.keep(rows.judged(digest="4012" + "b" * 60))
    assert "run 1 of" in place.call("show", "634f").stderr
    assert "run 2 of" in place.call("show", "4012").stderr
    assert "run 1 of" in place.call("show", "1").stderr, "a run's number comes first"
    short = place.call("show", "63")
    assert short.returncode == 2
    assert "the beginning of a digest (4 characters or more)" in short.stderr
    refused = place.call("results", "rm", "40", "--yes")
    assert refused.returncode == 2, "a number is no part of prune40"
    assert place.runs() == [1, 2]


def test_without_a_store_there_is_nothing_and_none_is_made(place):
    done = place.call("results", "list")
    assert (done.returncode, done.stdout) == (0, "no runs are kept that fit\n")
    assert not (place.folder / FILE_NAME).exists()


def test_export_takes_the_newest_row_of_each_measurement(place, rows):
    place.keep(rows.judged(digest="b" * 64))
    place.keep(rows.judged(digest="b" * 64, notes={"newer": "yes"}), rows.judged({"learner": "cnn"}, digest="c" * 64))
    done = place.call("results", "export", "--json", "x.json", "--csv", "x.csv", "--markdown", "x.md")
    assert done.returncode == 0
    assert done.stderr == "2 rows of 2 runs\n"
    found = json.loads((place.folder / "x.json").read_text())
    assert [(row["cell"]["learner"], row["notes"]) for row in found["rows"]] == [("maml", {"newer": "yes"}), ("cnn", {})]
    assert len((place.folder / "x.csv").read_text().splitlines()) == 3
    assert place.call("show", "x.json").returncode == 0


def test_rows_of_two_protocols_are_not_exported_as_one_document(place, rows):
    place.keep(rows.judged(digest="b" * 64))
    place.keep({**rows.judged(digest="c" * 64), "protocol": 2})
    done = place.call("results", "export", "--json", "x.json")
    assert done.returncode == 2
    assert "rows of protocols 1 and 2 cannot stand in one document" in done.stderr
    assert place.call("results", "export", "--csv", "x.csv").returncode == 0, "a line of CSV says its protocol"


def test_a_name_that_no_run_has_is_told_the_forms_of_names(place, rows):
    place.keep(rows.judged())
    done = place.call("show", "nonsuch")
    assert done.returncode == 2
    assert "no stored run is 'nonsuch': name a file, or last, last~N" in done.stderr


@pytest.mark.parametrize("words", [("show", ""), ("explain", " "), ("compare", "base.json", "")])
def test_an_empty_name_is_said_to_be_empty(place, rows, words):
    place.keep(rows.judged())
    done = place.call(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the name of a result is empty: name a file, or last, last~N")


def test_one_run_is_no_runs(place, rows):
    place.keep(rows.judged())
    assert place.call("results", "export", "--json", "x.json").stderr == "1 row of 1 run\n"
    assert place.call("results", "rm", "1", "--yes").stderr == "removed 1 run; looks are kept\n"


def test_runs_are_removed_only_with_a_yes_and_looks_stay(place, rows):
    cell = {"target_recordings": "r"}
    place.keep(rows.judged(cell, digest="b" * 64))
    place.keep(rows.judged(cell, digest="c" * 64))
    refused = place.call("results", "rm", "1")
    assert refused.returncode == 2
    assert refused.stderr == "error: removing 1 run needs a yes: add --yes\n"
    assert place.runs() == [1, 2]
    done = place.call("results", "rm", "1", "last", "--yes")
    assert done.returncode == 0
    assert done.stderr == "removed 2 runs; looks are kept\n"
    assert place.runs() == []
    with open_store(place.folder / FILE_NAME) as store:
        assert store.looks("cwru", "r") == 2


def test_a_run_that_goes_on_is_not_removed(place, rows):
    place.keep(rows.judged(digest="b" * 64), finish=False)
    script = (
        "import sys\nfrom pathlib import Path\nfrom faultbench.results.store import open_store\n"
        f"with open_store(Path({str(place.folder / FILE_NAME)!r})) as s, s.going_on(1):\n    print('on', flush=True)\n    sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "on\n"
        assert "going on" in place.call("results", "list").stdout
        done = place.call("results", "rm", "1", "--yes")
        assert (done.returncode, done.stderr) == (4, "error: run 1 is going on: wait for it to end, or interrupt it\n")
        process.kill()
        process.communicate()
    assert "interrupted" in place.call("results", "list").stdout, "the system takes a dead process's lock back"
    assert place.call("results", "rm", "1", "--yes").returncode == 0
    assert place.runs() == []


def test_a_row_of_another_layout_in_the_store_is_one_line(place, rows):
    row = rows.judged(digest="b" * 64)
    place.keep({name: value for name, value in row.items() if name != "recall"})
    done = place.call("show")
    assert done.returncode == 2
    assert "is no result of faultbench" in done.stderr
    assert done.stderr.count("\n") == 1
