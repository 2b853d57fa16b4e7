"""A pipe that nobody writes to and a device that never ends, wherever a command takes a file: one line, exit code 2, and no waiting."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faultbench.artifact import runner
from faultbench.errors import DataError, UsageError
from faultbench.regularfile import read_regular
from faultbench.report.document import document, json_text

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes and devices as POSIX has them")

COMMANDS = [
    ("run", "{}.toml"),
    ("run", "--dry-run", "{}.toml"),
    ("run", "-d", "plant", "-s", "{}.toml"),
    ("run", "-d", "plant", "-s", "{}-splits.toml"),
    ("run", "asks-for-{}.toml"),
    ("data", "audit", "-d", "plant", "-s", "{}.toml"),
    ("data", "split", "-d", "plant", "-s", "{}.toml", "-o", "x.json"),
    ("data", "get", "cwru", "--data-dir", ".", "--from", "{}.toml"),
    ("bundle", "create", "-d", "plant", "-s", "{}.toml", "-o", "out"),
    ("bundle", "check", "{}-bundle"),
    ("show", "{}.toml"),
    ("show", "{}.json"),
    ("explain", "{}.json"),
    ("compare", "{}.json", "good.json"),
    ("compare", "good.json", "{}.json"),
]
WAIT_S = 60
"""A command that waits is ended: far longer than any of these takes."""


@pytest.fixture
def places(site, rows):
    """Under every name that a command may be given, a pipe and a device; and a good result."""
    os.mkfifo(site.folder / "pipe")
    for kind, target in (("pipe", site.folder / "pipe"), ("zero", Path("/dev/zero"))):
        for name in (f"{kind}.toml", f"{kind}.json"):
            (site.folder / name).symlink_to(target)
        (site.folder / f"{kind}-splits.toml").write_text(f'name = "x"\nsplit = "{kind}.json"\n')
        (site.folder / f"asks-for-{kind}.toml").write_text(f'dataset = "plant"\nscenario = "{kind}.toml"\n')
        (site.folder / f"{kind}-bundle").mkdir()
        (site.folder / f"{kind}-bundle" / "bundle.json").symlink_to(target)
    (site.folder / "good.json").write_text(json_text(document([rows.judged()], ["faultbench", "run"])))
    return site


LIMITED = "import resource; resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))"
"""What a command does first, so that one which reads a device for ever is ended before the machine has no memory left."""


@pytest.mark.parametrize("kind", ["pipe", "zero"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_refuses_it_without_waiting(places, words, kind):
    done = places.command(*(word.format(kind) for word in words), before=LIMITED, timeout_s=WAIT_S)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: ")
    assert "no regular file" in line or "nor a regular file" in line
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["pipe", "zero"])
def test_a_file_of_a_bundle_may_be_neither(places, tmp_path, kind):
    head = '{"format": 1, "sha256": {"runner.py": "0"}}'
    folder = places.folder / f"{kind}-bundle"
    (folder / "bundle.json").unlink()
    (folder / "bundle.json").write_text(head)
    if kind == "pipe":
        os.mkfifo(folder / "runner.py")
    else:
        (folder / "runner.py").symlink_to("/dev/zero")
    done = places.command("bundle", "check", folder.name, before=LIMITED, timeout_s=WAIT_S)
    assert done.returncode == 2, done.stderr
    assert "runner.py is a pipe, no regular file" in done.stderr or "runner.py is damaged" in done.stderr


@pytest.mark.parametrize("kind", ["pipe", "zero"])
def test_the_runner_of_a_gateway_refuses_it_as_tasks(places, kind):
    with pytest.raises(runner.RunError, match="is no regular file, a pipe could wait forever: name the file itself"):
        runner.Episodes(places.folder / f"{kind}.json", {"channels": 1, "window": 64, "ways": 2})


def test_what_is_read_is_bounded_and_whole(tmp_path):
    path = tmp_path / "x"
    for content in (b"", b"abc", b"z" * 5_000_000):
        path.write_bytes(content)
        assert read_regular(path, 5_000_000, "name another") == content
    with pytest.raises(DataError, match=r"x is larger than 4 MB: name another$"):
        read_regular(path, 4 << 20, "name another")
    with pytest.raises(UsageError, match=r"cannot be read \(Is a directory\): name another$"):
        read_regular(tmp_path, 10, "name another", UsageError)
    with pytest.raises(DataError, match=r"cannot be read \(No such file or directory\)"):
        read_regular(tmp_path / "no", 10, "name another")
