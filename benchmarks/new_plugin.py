"""How long the machine takes from `faultbench new plugin KIND NAME` to a row of the matrix, step by step, for every kind of plugin.

    python benchmarks/new_plugin.py [--json benchmarks/new_plugin.json] [--kinds learner,target]

The steps are the lines that the written README tells its reader: install, what there is to prepare, list, run; and `pytest`, its section
on tests. They run in a fresh virtual environment that sees the packages of this one, from an empty cache, with the files of packages in
the system's own cache as they are. Nothing is downloaded in a step: pip is told to leave dependencies alone and to build with the hatchling
that was put there before. What a reader's first installation of faultbench itself takes is not in here.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import psutil

from faultbench import __version__
from faultbench.discovery import KINDS

LIMIT_S = 60
"""What the way to a row may take."""
SCRIPTS = {
    "faultbench": "from faultbench.cli import main",
    "pytest": "from pytest import console_main as main",
}


def environment(folder):
    """A virtual environment with this Python's packages beside its own, and hatchling; gives the variables that commands need."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    stdlib = sysconfig.get_paths()["stdlib"]
    beside = [p for p in sys.path[1:] if Path(p).is_dir() and (not p.startswith(stdlib) or "site-packages" in p) and "lib-dynload" not in p]
    (next((folder / "lib").glob("python*/site-packages")) / "zz_beside.pth").write_text("\n".join(beside) + "\n")
    for name, code in SCRIPTS.items():
        script = folder / "bin" / name
        script.write_text(f"#!{folder}/bin/python\nimport sys\n{code}\nif __name__ == '__main__':\n    sys.exit(main())\n")
        script.chmod(0o755)
    subprocess.run(pip(folder, "install", "hatchling", "editables"), check=True)
    names = {name: text for name, text in os.environ.items() if name not in ("PYTHONPATH", "FAULTBENCH_DATA")}
    return {**names, "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])}


def pip(folder, *words):
    """A command of pip on a virtual environment."""
    return [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", str(folder / "bin" / "python"), *words]


def lines_of(readme, heading):
    """The commands of a README's section, as lines."""
    section = readme.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.search(r"```\n(.*?)```", section, re.DOTALL)[1].splitlines()


def walk(kind, venv, variables, folder):
    """The steps of one kind: of each the line that the reader is told, and its seconds; then the cells that have a row."""
    name, steps = f"acme-{kind}", []
    own, rows = folder / name, folder / "rows.json"
    variables = {**variables, "FAULTBENCH_CACHE": str(folder / "cache"), "FAULTBENCH_RESULTS": str(folder / "results")}

    def step(what, line, here, command=None):
        began, cpu_began = time.perf_counter(), cpu_s()
        done = subprocess.run(command or ["bash", "-c", line], cwd=here, env=variables, capture_output=True, text=True, check=False)
        steps.append({"step": what, "line": line, "seconds": time.perf_counter() - began, "cpu_s": cpu_s() - cpu_began})
        print(f"{kind:10s} {what:8s} {steps[-1]['seconds']:5.1f} s, cpu {steps[-1]['cpu_s']:5.1f} s   {line}", flush=True)
        if done.returncode:
            sys.exit(f"exit code {done.returncode}\n{done.stdout}{done.stderr}")

    folder.mkdir()
    step("write", f"faultbench new plugin {kind} {name}", folder)
    readme = (own / "README.md").read_text()
    for line in lines_of(readme, "Use"):
        if line.startswith("pip install"):
            step("install", line, own, pip(venv, "install", "--no-deps", "--no-build-isolation", "-e", "."))
        elif line.startswith("faultbench run"):
            step("run", line, own, ["bash", "-c", f"{line} --json {rows}"])
        else:
            step("list" if line.startswith("faultbench list") else "prepare", line, own)
    for line in lines_of(readme, "Test"):
        step("test", line, own)
    subprocess.run(pip(venv, "uninstall", "-y", name), check=True)
    measured = [row["cell"] for row in json.loads(rows.read_text())["rows"] if row["accuracy"]]
    cells = [" ".join(cell[axis] for axis in ("dataset", "scenario", "learner", "compressor", "target")) for cell in measured]
    assert any(name in cell for cell in cells), f"no row of {name} in {cells}"
    return {"steps": steps, "total_s": sum(s["seconds"] for s in steps), "total_cpu_s": sum(s["cpu_s"] for s in steps), "rows": cells}


def cpu_s():
    """Seconds of all processors that the processes which have ended took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    """Prints and stores the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--kinds", default=",".join(kind.removesuffix("s") for kind in KINDS))
    args = parser.parse_args()
    load_before, found = os.getloadavg(), {}
    with tempfile.TemporaryDirectory() as temporary:
        venv = Path(temporary) / "venv"
        variables = environment(venv)
        for kind in args.kinds.split(","):
            load = os.getloadavg()[0]
            found[kind] = {"load_average": load, **walk(kind, venv, variables, Path(temporary) / kind)}
    for kind, one in found.items():
        print(f"{kind:10s} {one['total_s']:6.1f} s in all, cpu {one['total_cpu_s']:.1f} s, load average {one['load_average']:.1f}")
    slowest = max(one["total_s"] for one in found.values())
    print(f"the slowest took {slowest:.1f} s, {'under' if slowest < LIMIT_S else 'OVER'} {LIMIT_S} s")
    if args.json:
        machine = {"cores": os.cpu_count(), "memory_bytes": psutil.virtual_memory().total, "python": sys.version.split()[0]}
        document = {"faultbench": __version__, "machine": machine, "load_average": {"before": load_before, "after": os.getloadavg()}}
        document |= {"limit_s": LIMIT_S, "slowest_s": slowest, "under_limit": slowest < LIMIT_S, "kinds": found}
        args.json.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
