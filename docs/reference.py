"""Writes the reference pages from the program itself: hooks and public names from `faultbench`, commands from their own help.

The synopsis in `design.md` is written, too.

    python docs/reference.py [--check]

`--check` writes nothing and ends with 1 where a page is not what it would write.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from faultbench import api, hookspecs
from faultbench.cli.app import app

DOCS = Path(__file__).parent
WIDTH = 100
SYNOPSIS_WIDTH = 140
BEGIN, END = "<!-- synopsis -->\n```text\n", "```\n<!-- /synopsis -->\n"
MADE = "<!-- made by `python docs/reference.py`: change what it is made from -->\n"


def pages() -> dict[str, str]:
    """Every page by its path."""
    made = {"commands.md": commands(), "hooks.md": hooks(), "api.md": public_names()}
    design = (DOCS / "design.md").read_text("utf-8")
    before, begin, rest = design.partition(BEGIN)
    _, end, after = rest.partition(END)
    return {**{f"reference/{name}": text for name, text in made.items()}, "design.md": before + begin + synopsis() + end + after}


def synopsis() -> str:
    """Every command with its arguments and options; of an option with two names the first."""
    lines: list[str] = []
    for path, command in _commands(typer.main.get_command(app), "faultbench"):
        words = [_argument(param) for param in command.params if param.param_type_name == "argument"]
        words += [_option(param) for param in command.params if param.param_type_name == "option"]
        if command.options_metavar != "[OPTIONS]":
            words.insert(0, command.options_metavar)
        if words or not getattr(command, "commands", None):
            line = path
            for word in words:
                if len(line) + 1 + len(word) > SYNOPSIS_WIDTH:
                    lines.append(line)
                    line = " " * len(path)
                line += f" {word}"
            lines.append(line)
    return "\n".join(lines) + "\n"


def _argument(param: Any) -> str:
    return (param.metavar if param.required else f"[{param.metavar}]") + ("..." if param.nargs == -1 else "")


def _option(param: Any) -> str:
    word = param.opts[0] if param.is_flag else f"{param.opts[0]} {param.metavar}"
    return (word if param.required else f"[{word}]") + ("..." if param.multiple else "")


def commands() -> str:
    """The commands, each with its own help."""
    parts = [MADE, "# Commands\n", "What `--help` of each command prints. Exit codes stand at the end of `faultbench run --help`.\n"]
    for path, command in _commands(typer.main.get_command(app), "faultbench"):
        text = _help(command, path)
        parts.append(f"## `{path}`\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def _help(command: Any, path: str) -> str:
    context = command.make_context(path, [], resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH)
    return "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())


def _commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _commands(inner, f"{path} {name}")


def hooks() -> str:
    """The hooks of a plugin."""
    parts = [MADE, "# Hooks\n", f"{inspect.getdoc(hookspecs)}\n"]
    for name, function in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("faultbench_"):
            parts.append(f"## `{name}`\n\n```text\n{_signature(name, function)}\n```\n\n{inspect.getdoc(function)}\n")
    described = {name: inspect.getdoc(getattr(api, name)) for name in ("Offer", "Param")}
    parts.extend(f"## `faultbench.api.{name}`\n\n```text\n{said}\n```\n" for name, said in described.items())
    return "\n".join(parts)


def _signature(name: str, function: Any) -> str:
    return f"def {name}{str(inspect.signature(function)).replace(chr(39), '')}: ..."


def public_names() -> str:
    """What `faultbench.api` holds."""
    parts = [
        MADE,
        "# Public names\n",
        f"All that a plugin imports: `from faultbench.api import ...`. Plugin API version {api.API_VERSION}.\n",
        "| name | what it is |\n|---|---|",
    ]
    for name in sorted(api._HOME_OF):
        value = getattr(api, name)
        if inspect.isclass(value) or inspect.isfunction(value) or name == "hookimpl":
            said = (inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ").replace("|", "\\|")
        else:
            said = f"constant, `{value!r}`" if isinstance(value, str | int | tuple) else "type alias"
        parts.append(f"| `{name}` | {said} |")
    return "\n".join(parts) + "\n"


def main() -> int:
    """Writes or checks the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    args = parser.parse_args()
    made = pages()
    stale = [name for name, text in made.items() if not (DOCS / name).is_file() or (DOCS / name).read_text("utf-8") != text]
    if args.check:
        print("\n".join(f"{name} is not what the program says: run python docs/reference.py" for name in stale), file=sys.stderr)
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).parent.mkdir(exist_ok=True)
        (DOCS / name).write_text(made[name], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
