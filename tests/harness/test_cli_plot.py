"""`faultbench data plot` as a user calls it, and its page in a browser."""

from __future__ import annotations

import io
import os
import shutil
import subprocess

import pytest

pytest.importorskip("matplotlib", reason="no matplotlib: pip install matplotlib")

PLANT = ("data", "plot", "-d", "plant", "--window", "0.5")
BROWSER = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


@pytest.mark.parametrize("suffix", ["png", "svg", "html", "PNG"])
def test_a_file_is_written_and_nothing_is_printed(suffix, site):
    done = site.command(*PLANT, "-o", f"plant.{suffix}", DISPLAY="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "html": b"<!DOCTYPE html>"}[suffix.lower()]
    assert (site.folder / f"plant.{suffix}").read_bytes().startswith(begins)
    assert not [path for path in site.folder.iterdir() if ".part" in path.name]
    assert not site.cache.exists(), "nothing is ingested"


def test_two_processes_write_the_same_bytes(site):
    for name in ("one.svg", "two.svg"):
        assert site.command(*PLANT, "-o", name, PYTHONHASHSEED="random").returncode == 0
    assert (site.folder / "one.svg").read_bytes() == (site.folder / "two.svg").read_bytes()


def test_recordings_channel_and_classes_can_be_named(site):
    done = site.command(*PLANT, "-o", "a.html", "-r", "far ball 1 1 hp", "-r", "near healthy 0 0 hp", "--channel", "a")
    assert done.returncode == 0, done.stderr
    text = (site.folder / "a.html").read_text("utf-8")
    assert "Licence: not stated" in text
    assert "Randall &amp; Antoni 2011" in text
    assert "Slip moves real lines" in text
    assert text.index("<h2>ball size 1</h2>") < text.index("<h2>healthy</h2>")
    assert site.command(*PLANT, "-o", "b.html", "--per-class").returncode == 0
    assert (site.folder / "b.html").read_text("utf-8").count("<section>") == 7


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-o", "x.pdf"), "'x.pdf' ends in .pdf, which is no picture: name a file .png, .svg or .html"),
        (("-o", "x"), "'x' has no ending, which is no picture"),
        (("-o", "no/such/x.png"), "--output no/such/x.png cannot be written (No such file or directory)"),
        (("-o", "modules/x.svg", "-r", "near inner 0 9 hp"), "plant has no recording 'near inner 0 9 hp': did you mean 'near inner 0 "),
        (("-o", "x.png", "--channel", "z"), "has no channel 'z': it has a"),
        (("-o", "x.png", "-r", "near inner 0 0 hp", "--per-class"), "leave one of them away"),
        (("-o", "x.png", "--window", "0"), "give --window more seconds"),
        (("-o", "x.png", "--window", "nan"), "a waveform of nan s shows nothing"),
        (("-o", "x.png", "--window", "inf"), "a waveform of inf s shows nothing"),
        (("-o", "x.png", "--window", "-1"), "give --window more seconds"),
        (("-o", "x.png", "-d", "plnt"), "no data set is called 'plnt': did you mean plant"),
        (("-o", "x.png", "-d", "plant:mood=spoilt"), "a file is foreign: take the official one"),
        (("-o", "x.png", "-d", "cwru"), "no data folder is given"),
        ((), "missing option"),
    ],
)
def test_bad_usage_and_bad_data_are_one_line_and_leave_nothing(words, said, site):
    done = site.command(*PLANT, *words, FAULTBENCH_DATA="")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in site.folder.iterdir()) == ["modules"]


def test_without_matplotlib_it_is_said_how_to_get_it(site):
    done = site.command(*PLANT, "-o", "x.png", before="import sys; sys.modules['matplotlib'] = None")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: a plot needs matplotlib: pip install matplotlib\n"


def test_a_full_disk_leaves_the_old_picture(site):
    (site.folder / "x.svg").write_text("old")
    full = "import os\ndef full(*_):\n    raise OSError(28, 'No space left on device')\nos.fsync = full"
    done = site.command(*PLANT, "-o", "x.svg", before=full)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "--output x.svg cannot be written (No space left on device)" in done.stderr
    assert (site.folder / "x.svg").read_text() == "old"
    assert sorted(path.name for path in site.folder.iterdir()) == ["modules", "x.svg"]


def test_a_link_stays_a_link(site):
    (site.folder / "real.svg").write_text("old")
    (site.folder / "x.svg").symlink_to("real.svg")
    assert site.command(*PLANT, "-o", "x.svg").returncode == 0
    assert (site.folder / "x.svg").is_symlink()
    assert (site.folder / "real.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no chromium: apt-get install chromium")
@pytest.mark.parametrize("width", [500, 1400])
def test_a_browser_shows_the_page(width, site):
    """The page is laid out, its panels hold ink, and on a narrow screen nothing is wider than it."""
    assert site.command(*PLANT, "-o", "page.html").returncode == 0
    shot = site.folder / "shot.png"
    words = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={site.folder / 'profile'}"]
    page = (site.folder / "page.html").as_uri()
    environment = {**os.environ, "HOME": str(site.folder)}
    subprocess.run(
        [*words, f"--window-size={width},2400", f"--screenshot={shot}", page],
        check=True, capture_output=True, timeout=120, env=environment,
    )  # fmt: skip
    pixels = greys(shot.read_bytes())
    assert pixels.shape == (2400, width)
    dark = pixels < 100
    assert 0.005 < dark.mean() < 0.3
    filled = dark.any(axis=1).reshape(24, 100).any(axis=1)
    assert filled[:15].all(), "every hundred lines of the page hold something"
    assert not dark[:, -4:].any(), "nothing runs over the edge"
    dom = subprocess.run([*words, "--dump-dom", page], check=True, capture_output=True, timeout=120, env=environment, text=True).stdout
    assert dom.count("<svg") == 12


def greys(data: bytes):
    """(line, column): the brightness of a PNG, 0 to 255."""
    from matplotlib.image import imread

    return 255 * imread(io.BytesIO(data), format="png")[..., :3].mean(axis=2)
