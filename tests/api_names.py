"""The public names and their signatures, as the source says them. `python tests/api_names.py` writes them down anew.

They go to `api_names.json` beside this file, the promises also to docs/howto/plugin.md.

Read from the source, not from objects: the same text on every version of Python and of the libraries.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
HARNESS = ROOT / "harness"
STORED = Path(__file__).with_suffix(".json")
DOCS = ROOT / "docs" / "howto" / "plugin.md"
BEGIN, END = "<!-- promises -->", "<!-- /promises -->"
TESTING = {"faultbench.testing.suite": ("Suite", "contract"), "faultbench.testing.artifacts": ("centroid_graphs", "gradient_graphs")}


def public() -> dict[str, Any]:
    """Everything that a plugin author may rely on, by name."""
    sys.path.insert(0, str(HARNESS))
    from faultbench import api
    from faultbench.testing.suite import promises_of

    hooks = {name: spelled for name, spelled in _defined("faultbench.hookspecs").items() if name.startswith("faultbench_")}
    kinds = ("dataset", "scenario", "frontend", "backbone", "learner", "compressor", "target")
    return {
        "api_version": api.API_VERSION,
        "api_oldest": api.API_OLDEST,
        "api": {name: _defined(home)[name] for home, names in sorted(api._HOMES.items()) for name in sorted(names)},
        "hooks": hooks,
        "testing": {name: _defined(home)[name] for home, names in TESTING.items() for name in names},
        "promises": {kind: list(promises_of(kind)) for kind in kinds},
    }


def changes(before: dict[str, Any], after: dict[str, Any], path: str = "") -> Iterator[str]:
    """What differs, a line each: `added`, `removed` or `changed`."""
    for name in dict.fromkeys((*before, *after)):
        where = f"{path}{name}"
        if name not in after:
            yield f"removed {where}"
        elif name not in before:
            yield f"added {where}"
        elif isinstance(before[name], dict) and isinstance(after[name], dict):
            yield from changes(before[name], after[name], f"{where}.")
        elif isinstance(before[name], list) and isinstance(after[name], list):
            yield from (f"removed {where}: {item}" for item in before[name] if item not in after[name])
            yield from (f"added {where}: {item}" for item in after[name] if item not in before[name])
        elif before[name] != after[name]:
            yield f"changed {where}: {before[name]} -> {after[name]}"


def documented(promises: dict[str, list[str]]) -> str:
    """docs/howto/plugin.md with these promises in it."""
    common = next(iter(promises.values()))
    common = [promise for promise in common if all(promise in said for said in promises.values())]
    parts = {"Every plugin": common, **{f"A {kind}": [p for p in said if p not in common] for kind, said in promises.items()}}
    lines = [line for title, said in parts.items() for line in ("", f"**{title}**", "", *(f"- {promise}" for promise in said))]
    before, _, rest = DOCS.read_text(encoding="utf-8").partition(BEGIN)
    return "\n".join([f"{before}{BEGIN}", *lines[1:], f"{END}{rest.partition(END)[2]}"])


def stored() -> dict[str, Any]:
    """The list as it was last agreed on."""
    found: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
    return found


def _defined(module: str) -> dict[str, Any]:
    """What a module defines at its top, by name: functions and classes by their signatures, anything else by its value."""
    path = HARNESS / Path(*module.split(".")).with_suffix(".py")
    path = path if path.exists() else path.with_suffix("") / "__init__.py"
    found: dict[str, Any] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = _signature(node)
        elif isinstance(node, ast.ClassDef):
            found[node.name] = _class(node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = ast.unparse(node.value)
    return found


def _signature(node: ast.FunctionDef) -> str:
    kinds = [
        name.id for name in node.decorator_list if isinstance(name, ast.Name) and name.id in ("property", "classmethod", "staticmethod")
    ]
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{''.join(f'@{kind} ' for kind in kinds)}({ast.unparse(node.args)}){returned}"


def _class(node: ast.ClassDef) -> dict[str, str]:
    """Bases, fields with their defaults, and public methods."""
    said = {"(bases)": ", ".join(ast.unparse(base) for base in node.bases)}
    for inner in node.body:
        if isinstance(inner, ast.AnnAssign) and isinstance(inner.target, ast.Name) and not inner.target.id.startswith("_"):
            said[inner.target.id] = ast.unparse(inner.annotation) + (f" = {ast.unparse(inner.value)}" if inner.value else "")
        elif isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name) and not inner.targets[0].id.startswith("_"):
            said[inner.targets[0].id] = f"= {ast.unparse(inner.value)}"
        elif isinstance(inner, ast.FunctionDef) and (not inner.name.startswith("_") or inner.name in ("__init__", "__call__")):
            said[inner.name] = _signature(inner)
    return said


def main() -> None:
    """Writes the list anew, and says what of it breaks plugins."""
    before, after = (stored() if STORED.exists() else {}), public()
    said = list(changes(before, after))
    STORED.write_text(json.dumps(after, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    DOCS.write_text(documented(after["promises"]), encoding="utf-8")
    print("\n".join(said) or "nothing changed")
    if any(not line.startswith("added") for line in said) and before.get("api_version") == after["api_version"]:
        print("what was removed or changed may break plugins: raise API_VERSION, unless no release has had it (docs/howto/plugin.md)")


if __name__ == "__main__":
    main()
