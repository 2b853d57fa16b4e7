"""The wheel in an environment of its own, beside a plugin from elsewhere. Slow: it installs packages."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]


def ran(*command, **options):
    """A command that must succeed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    ran(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, ROOT)
    return next(folder.glob("faultbench-*.whl"))


@pytest.fixture(scope="session")
def fresh(tmp_path_factory, wheel):
    """The folder of the commands of a fresh virtual environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("fresh")
    ran(sys.executable, "-m", "venv", folder)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet")
    ran(*pip, "torch==2.13.0")
    ran(*pip, wheel)
    return folder / "bin"


@pytest.fixture
def place(tmp_path):
    """An empty working folder, with a cache and a store of its own."""
    return {
        "cwd": tmp_path,
        "env": {**os.environ, "FAULTBENCH_CACHE": str(tmp_path / "cache"), "FAULTBENCH_RESULTS": str(tmp_path / "results")},
    }


def test_the_wheel_holds_the_six_packages_and_nothing_of_the_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    parts = ("datasets", "learners", "compressors", "targets", "observers")
    packages = {"faultbench", *(f"faultbench_{part}" for part in parts)}
    assert packages <= tops
    assert all(top in packages or top.endswith(".dist-info") for top in tops)
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)
    harness = Path(__file__).parents[1] / "harness"
    kept = {path.relative_to(harness).as_posix() for path in (harness / "faultbench").rglob("*") if path.is_file()}
    kept = {name for name in kept if "__pycache__" not in name}
    assert any(name.endswith(".css") for name in kept)
    assert kept <= set(names), "what is read at run time: templates, schemas, the page's script and style"


def test_the_main_job_runs_from_the_wheel(fresh, place):
    ran(fresh / "faultbench", "run", "--learner", "maml", "--compressor", "prune40", "--quick", "--json", "out.json", **place)
    row = json.loads((place["cwd"] / "out.json").read_text())["rows"][0]
    assert row["accuracy"]["mean"] > 0.5
    assert row["parity"]["holds"]
    assert row["watermark"] == "quick"


def test_a_run_killed_at_any_point_goes_on_where_it_was(fresh, place):
    command = [str(fresh / "faultbench"), "run", "-l", "centroid", "--quick", "--json", "out.json"]
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **place)
    for line in killed.stderr:
        if line.startswith("train"):
            break
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    again = ran(*command, **place)
    assert "ingest" not in [line.split()[0] for line in again.stderr.splitlines() if line.strip()]
    third = ran(*command, **place)
    assert "nothing was computed" in third.stderr


def test_a_plugin_from_elsewhere_is_found_and_runs(fresh, place):
    source = place["cwd"] / "acme"
    package = source / "acme_rounding"
    package.mkdir(parents=True)
    (source / "pyproject.toml").write_text(
        textwrap.dedent("""
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"
            [project]
            name = "acme-rounding"
            version = "1.2.3"
            [project.entry-points.faultbench]
            rounding = "acme_rounding"
        """)
    )
    (package / "__init__.py").write_text(
        textwrap.dedent("""
            from faultbench.api import Offer, Param, hookimpl

            @hookimpl
            def faultbench_compressors():
                params = {"bits": Param(int, 8, "bits of the mantissa that stay", ge=1)}
                yield Offer("round", "acme_rounding.rounding:Round", "rounds the weights", params, positional="bits")
        """)
    )
    (package / "rounding.py").write_text(
        textwrap.dedent("""
            import torch

            class Round:
                def __init__(self, bits=8):
                    self.bits = bits

                def compress(self, net, ctx):
                    with torch.no_grad():
                        for p in net.body.parameters():
                            mantissa, exponent = torch.frexp(p)
                            p.copy_(torch.ldexp(torch.round(mantissa * 2**self.bits) / 2**self.bits, exponent))
                    return net, {"bits": self.bits}
        """)
    )
    ran(fresh / "python", "-m", "pip", "install", "--quiet", source)
    listed = ran(fresh / "faultbench", "list", "compressors", **place).stdout
    assert "round" in listed
    assert "acme-rounding" in listed
    ran(fresh / "faultbench", "run", "-l", "cnn:steps=5", "-c", "round6", "--quick", "--episodes", "5", "--json", "out.json", **place)
    row = json.loads((place["cwd"] / "out.json").read_text())["rows"][0]
    assert row["cell"]["compressor"] == "round6"
    assert row["achieved"]["bits"] == 6
