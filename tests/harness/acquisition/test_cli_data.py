"""The data commands end to end, with a third party's data set and a server on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile

import pytest
from rogue_server import status, whole

from faultbench.cli import main

AT_ONCE = "import time; time.sleep = lambda s: None"
"""What lets a command go without pauses."""
UNPRIVILEGED = "import ctypes; ctypes.CDLL(None).capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())"
"""What binds root to permissions, see capset(2)."""


@pytest.fixture
def data(site, far, rogue, monkeypatch, capsys):
    """Runs a data command in this process, its files in a folder of the site's, all of them on the server."""
    for name in far.NAMES:
        rogue.put(name, whole(far.content_of(name)))
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.chdir(site.folder)
    places = {"FAULTBENCH_CACHE": str(site.cache), "FAULTBENCH_RESULTS": str(site.folder), "FAULTBENCH_DATA": str(site.folder / "data")}
    for key, value in {**places, "FAR_SERVER": rogue.address, "COLUMNS": "120"}.items():
        monkeypatch.setenv(key, value)

    def run(*words, **environment):
        with monkeypatch.context() as only_now:
            for key, value in environment.items():
                only_now.setenv(key, value)
            capsys.readouterr()
            code = main(["data", *words])
        said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return run


@pytest.fixture
def command(site, rogue, data):
    """Runs a data command in a process of its own."""

    def run(*words, before=AT_ONCE):
        return site.command("data", *words, before=before, FAR_SERVER=rogue.address, FAULTBENCH_DATA=str(site.folder / "data"))

    return run


def error(done, code=2):
    assert done.returncode == code, done.stderr
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    assert ": " in line.removeprefix("error: ")
    return line


def test_a_data_set_is_got_checked_recorded_and_read(site, far, rogue, data):
    done = data("get", "far")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"far: 6 of 6 files are in {site.folder}/data/far, 6 of them new\n"
    assert "far: licence: CC BY-NC 4.0" in done.stderr
    assert "to be cited: Far & Away 2026" in done.stderr
    assert "getting healthy-0.dat (1 of 6, 160 kB)" in done.stderr
    folder = site.folder / "data" / "far"
    assert {path.name for path in folder.iterdir()} == {*far.NAMES, "SOURCE.json"}
    assert all((folder / name).read_bytes() == far.content_of(name) for name in far.NAMES)
    assert rogue.most_at_once == 1

    again = data("get", "far")
    assert again.stdout.endswith("0 of them new\n")
    assert len(rogue.asked) == 6
    checked = data("verify", "far")
    assert checked.returncode == 0
    assert [line.split()[:2] for line in checked.stdout.splitlines() if line.startswith(("official", "readable"))] == [
        ["official", "5"],
        ["readable", "1"],
    ]
    assert "recordings    6" in data("info", "far").stdout
    assert "far        all" in data("list").stdout
    assert f"far        all                    {folder}" in data("where").stdout


def test_a_spoilt_file_is_found_and_named(site, far, data):
    data("get", "far")
    (site.folder / "data" / "far" / "inner-0.dat").write_bytes(b"<html>")
    done = data("verify", "far")
    assert "1 of 6 are wrong: remove them and get them again" in error(done)
    assert "wrong: inner-0.dat: it has changed since it was got" in done.stderr
    (site.folder / "data" / "far" / "inner-0.dat").unlink()
    done = data("verify", "far")
    assert done.returncode == 0
    assert "missing   1" in done.stdout
    assert "--strict demands" in error(data("verify", "far", "--strict"))
    assert data("get", "far").stdout.endswith("1 of them new\n")


@pytest.mark.skipif(sys.platform != "linux", reason="gives up the capabilities of root, whom permissions do not bind")
def test_a_file_that_may_not_be_read_is_not_called_wrong(site, far, command):
    assert command("get", "far").returncode == 0
    (site.folder / "data" / "far" / "inner-0.dat").chmod(0)
    done = command("verify", "far", before=UNPRIVILEGED)
    assert error(done) == "error: 1 of 6 cannot be read: check their permissions, and the disk"
    assert "unreadable: inner-0.dat: " in done.stderr
    assert "inner-0.dat cannot be read, Permission denied: check its permissions" in done.stderr
    assert "unreadable  1      it cannot be read: check its" in done.stdout
    assert "wrong" not in done.stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes and links as POSIX has them")
def test_what_stands_in_the_place_of_a_file_is_said_as_what_it_is(site, far, data):
    data("get", "far")
    folder = site.folder / "data" / "far"
    for name in ("inner-0.dat", "inner-1.dat", "outer-0.dat", "outer-1.dat"):
        (folder / name).unlink()
    os.mkfifo(folder / "inner-0.dat")
    (folder / "inner-1.dat").symlink_to("/nowhere/at/all")
    (folder / "outer-0.dat").mkdir()
    done = data("verify", "far")
    assert error(done) == "error: 3 of 6 are wrong: remove them and get them again"
    assert "wrong: inner-0.dat: it is a pipe, no file: remove it and get the file" in done.stderr
    assert "wrong: inner-1.dat: it is a link to what is not there: mount what it leads to, or remove" in done.stderr
    assert "wrong: outer-0.dat: it is a folder, no file: remove it and get the file" in done.stderr
    assert "missing" in done.stdout
    (folder / "outer-0.dat").rmdir()
    assert data("get", "far").stdout.endswith("4 of them new\n"), "what is in the place of a file is replaced"


def test_a_failure_of_some_files_is_an_error_that_keeps_the_others(far, rogue, data):
    rogue.put("inner-0.dat", status(404))
    rogue.put("inner-1.dat", status(404))
    done = data("get", "far")
    assert done.stdout.endswith(
        "4 of 6 files are in data/far, 4 of them new\n".replace("data/far", done.stdout.split(" in ")[1].split(",")[0])
    )
    line = error(done)
    assert "2 files could not be got, the first is inner-0.dat (http" in line
    assert "404 Not Found): run it again, or ask far away and give --from" in line


def test_ctrl_c_in_the_middle_keeps_what_is_finished_and_the_same_command_goes_on(site, far, rogue, data):
    """The second file stops in its middle until the process is gone."""
    name = far.NAMES[1]
    content = far.content_of(name)
    half, gone = threading.Event(), threading.Event()

    def stuck(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:100_000])
        handler.wfile.flush()
        half.set()
        gone.wait(60)

    rogue.put(name, stuck, whole(content))
    environment = {**os.environ, **site.environment, "FAR_SERVER": rogue.address, "FAULTBENCH_DATA": str(site.folder / "data")}
    command = [sys.executable, "-c", "import sys; from faultbench.cli import main; sys.exit(main())", "data", "get", "far"]
    process = subprocess.Popen(command, cwd=site.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert half.wait(60)
        part = site.folder / "data" / "far" / ".partial" / f"{name}.part"
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
            gone.wait(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
        gone.set()
    assert process.returncode == 130, err
    assert "interrupted: what is finished is kept, the same command goes on from there" in err
    assert "Traceback" not in err
    folder = site.folder / "data" / "far"
    assert (folder / far.NAMES[0]).read_bytes() == far.content_of(far.NAMES[0])
    assert not (folder / name).exists()
    assert part.stat().st_size == 65536, "what has come stays"
    assert set(json.loads((folder / "SOURCE.json").read_text())["files"]) == {far.NAMES[0]}

    done = data("get", "far")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("5 of them new\n")
    assert [asked.headers.get("Range") for asked in rogue.asked if asked.path == f"/{name}"] == [None, "bytes=65536-"]
    assert (folder / name).read_bytes() == content
    assert not (folder / ".partial").exists()


def test_terms_are_said_and_have_to_be_accepted(data, rogue):
    terms = "it forbids commercial use"
    assert "it forbids commercial use: add --yes if that is fine" in error(data("get", "far", FAR_TERMS=terms))
    assert rogue.asked == []
    assert data("get", "far", "--yes", FAR_TERMS=terms).returncode == 0
    assert terms in data("info", "far", FAR_TERMS=terms).stdout


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("", 130)])
def test_terms_are_asked_for_on_a_terminal(site, far, rogue, monkeypatch, capsys, answer, code):
    import io

    for name in far.NAMES:
        rogue.put(name, whole(far.content_of(name)))
    monkeypatch.setenv("FAR_TERMS", "it forbids commercial use")
    monkeypatch.setenv("FAR_SERVER", rogue.address)
    monkeypatch.setattr(sys.modules["faultbench.cli.data.get"], "_somebody_is_there", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert main(["data", "get", "far", "--only", "inner-0", "--data-dir", str(site.folder / "data")]) == code
    assert "NOTE: it forbids commercial use" in capsys.readouterr().err
    assert (site.folder / "data" / "far" / "inner-0.dat").exists() == (code == 0)


def test_only_some_files_are_got(site, far, data):
    done = data("get", "far", "--only", "inner-*,healthy-0")
    assert done.stdout == f"far: 3 of 3 files are in {site.folder}/data/far, 3 of them new\n"
    assert "--only 'nothing' is no file of far" in error(data("get", "far", "--only", "nothing"))


def test_files_of_the_users_are_taken_from_a_folder_and_from_an_archive(site, far, rogue, data):
    mine = site.folder / "mine"
    mine.mkdir()
    for name in far.NAMES[:2]:
        (mine / name.replace("healthy", "renamed")).write_bytes(far.content_of(name))
    with zipfile.ZipFile(mine / "rest.zip", "w") as packed:
        for name in far.NAMES[2:]:
            packed.writestr(f"deep/{name}", far.content_of(name))
    done = data("get", "far", "--from", "mine")
    assert done.returncode == 0, done.stderr
    assert "2 of 6 files" in done.stdout
    assert "6 of 6 files" in data("get", "far", "--from", "mine/rest.zip").stdout
    assert rogue.asked == []
    assert "holds no file of far" in error(data("get", "far", "--from", "modules", "--data-dir", "elsewhere"))
    assert not (site.folder / "elsewhere" / "far").exists()


def test_every_data_set_is_listed_and_a_broken_one_costs_only_itself(data):
    done = data("list")
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line}
    assert {"simulated", "cwru", "paderborn", "uestc", "xjtu_sy", "far", "silent", "broken"} <= set(lines)
    assert "comes with its" in lines["simulated"]
    assert "faultbench data get" in lines["far"]
    assert "not known" in lines["silent"]
    assert "by hand" in lines["xjtu_sy"]
    assert "warning: the publication of data set broken of faultbench-far 1 cannot be read (ZeroDivisionError: on purpose)" in done.stderr
    assert data("list", FAULTBENCH_DATA="").returncode == 0


def test_what_can_be_known_before_any_work_is_said_before_any_work(site, data):
    for words, said in [
        (("get", "farr"), "no data set is called 'farr': did you mean far"),
        (("get", "silent"), "silent cannot be got by command, its plugin says nothing of its source"),
        (("get", "broken"), "the publication of data set broken"),
        (("info", "broken"), "the publication of data set broken"),
        (("verify", "far"), "no file of far is there: get it with `faultbench data get far`"),
        (("get", "cwru:rate=13"), "rate cannot be '13'"),
        (("get", "xjtu_sy"), "xjtu_sy has no direct links: https://biaowang.tech"),
        (("get", "paderborn"), "CC BY-NC 4.0 forbids commercial use"),
        (("get", "far", "--from", "nowhere"), "nowhere is not there"),
    ]:
        assert said in error(data(*words))
    for command in ("get", "verify"):
        assert "no data folder is given" in error(data(command, "far", FAULTBENCH_DATA=""))
    assert not (site.folder / "data").exists() or not any((site.folder / "data").iterdir())


def test_the_embedded_set_needs_nothing(data):
    for command in ("get", "verify"):
        done = data(command, "simulated")
        assert done.returncode == 0
        assert done.stdout.startswith("simulated comes with its plugin")


def test_a_set_without_publication_is_verified_by_reading_it(site, far, data):
    (site.folder / "data" / "far").mkdir(parents=True)
    (site.folder / "data" / "far" / "inner-0.dat").write_bytes(far.content_of("inner-0.dat"))
    assert "readable" not in data("verify", "silent").stdout  # it can check files, but does not say which there are


def test_a_folder_that_cannot_be_written_is_said(site, command, rogue):
    (site.folder / "data").mkdir(mode=0o500)
    line = error(command("get", "far", before=UNPRIVILEGED))
    assert "cannot be written, Permission denied: check its permissions, or give another --data-dir" in line
    assert rogue.asked == []


@pytest.mark.skipif(sys.platform != "linux", reason="sets a limit on the size of files as Linux has it")
def test_a_write_that_the_system_refuses_is_said_and_the_same_command_goes_on(site, far, rogue, command):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    line = error(command("get", "far", before=f"{AT_ONCE}; {limit}"))
    assert "cannot be written, File too large: make room; the same command then goes on from here" in line
    assert not (site.folder / "data" / "far" / far.NAMES[0]).exists()
    assert command("get", "far").returncode == 0


def test_a_disk_that_is_really_full_is_said(site, far, rogue, command):
    disk = site.folder / "data"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", disk], capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        assert "there is no room for 6 files of far" in error(command("get", "far"))
        assert rogue.asked == []
        blind = "from faultbench.acquisition import getting, transfer; getting.check_room = transfer.check_room = lambda *_: None"
        done = command("get", "far", before=f"{AT_ONCE}; {blind}")
        assert "cannot be written, No space left on device: make room" in error(done)
        assert (disk / "far" / far.NAMES[0]).read_bytes() == far.content_of(far.NAMES[0])
        assert not (disk / "far" / far.NAMES[1]).exists()
    finally:
        subprocess.run(["umount", disk], check=True)


def test_where_says_all_folders(site, data):
    done = data("where")
    assert f"data     {site.folder}/data (FAULTBENCH_DATA)" in done.stdout
    assert f"cache    {site.folder}/cache" in done.stdout
    assert f"results  {site.folder}" in done.stdout
    assert f"{site.folder}/elsewhere (--data-dir)" in data("where", "--data-dir", str(site.folder / "elsewhere")).stdout
