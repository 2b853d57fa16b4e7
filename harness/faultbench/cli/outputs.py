"""Where results are to go, checked before any work, and written after it."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faultbench.cli.places import try_file, try_folder, writing
from faultbench.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

STDOUT = "-"
_TABLE_WIDTH = 160  # columns of table.txt, which nobody reads in a terminal
_FORMATS = ("json", "csv", "markdown", "junit", "html")


@dataclass(frozen=True, slots=True)
class Outputs:
    """The files that results are written to. Each is a file, or `-` for stdout, or None.

    Args:
        json: For JSON; likewise the other formats.
        csv: For comma-separated values.
        markdown: For Markdown.
        junit: For JUnit XML.
        html: For a page.
        out: A folder for `table.txt` and a file of every format, or None.

    Raises:
        UsageError: Two of them go to stdout, or to one file, or one has no name.
    """

    json: str | None = None
    csv: str | None = None
    markdown: str | None = None
    junit: str | None = None
    html: str | None = None
    out: Path | None = None

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for form, file in self.files():
            if not file:
                raise UsageError(f"--{form} has no file name: write one behind it, or - for standard output")
            place = STDOUT if file == STDOUT else os.path.realpath(file)
            if place in seen and (place == STDOUT or not Path(file).exists() or Path(file).is_file()):  # /dev/null takes anything
                what = "standard output" if place == STDOUT else file
                raise UsageError(f"--{seen[place]} and --{form} both go to {what}: name a file for one of them")
            seen[place] = form

    @property
    def to_stdout(self) -> bool:
        """Whether a format goes to stdout, so that nothing else may."""
        return any(file == STDOUT for _, file in self.files())

    def files(self) -> list[tuple[str, str]]:
        """The formats that are asked for, each with its file."""
        return [(form, file) for form in _FORMATS if (file := getattr(self, form)) is not None]

    def given(self) -> list[str]:
        """The options that are given."""
        return [f"--{form}" for form, _ in self.files()] + (["--out"] if self.out is not None else [])

    def check_writable(self) -> None:
        """Checks every place by writing to it, since permissions alone tell little of a read-only mount.

        Raises:
            UsageError: One cannot be written.
        """
        for form, file in self.files():
            if file != STDOUT:
                with writing(f"--{form} {file}"):
                    try_file(Path(file))
        if self.out is not None:
            with writing(f"--out {self.out}"):
                self.out.mkdir(parents=True, exist_ok=True)
                try_folder(self.out)

    def publish(self, rendered: Callable[[str], str], print_table: Callable[[Console], None], names: dict[str, str] | None = None) -> None:
        """Writes the files, and prints the table unless stdout is for something else.

        Args:
            rendered: The results in a format.
            print_table: Prints them for a person.
            names: What the files in the folder are called, by format.

        Raises:
            UsageError: A file could not be written after all; the others are, and the table is printed nevertheless.
        """
        from faultbench.report.console import Stdout

        try:
            self._write(rendered, print_table, names or {})
        finally:
            if not self.to_stdout:
                print_table(Stdout())

    def _write(self, rendered: Callable[[str], str], print_table: Callable[[Console], None], names: dict[str, str]) -> None:
        from rich.console import Console

        from faultbench.report.document import write_text

        failed: list[UsageError] = []
        places = [(form, file) for form, file in self.files() if file != STDOUT]
        if self.out is not None:
            places += [(form, str(self.out / name)) for form, name in names.items()]
        for form, file in places:
            try:
                write_text(rendered(form), file)
            except UsageError as error:
                failed.append(error)
        if self.out is not None:
            with writing(f"--out {self.out}"), (self.out / "table.txt").open("w", encoding="utf-8", errors="replace") as table:
                print_table(Console(file=table, width=_TABLE_WIDTH, highlight=False))
        for form, file in self.files():  # last, for its reader may have gone
            if file == STDOUT:
                write_text(rendered(form), STDOUT)
        if failed:
            raise failed[0]
