"""What a run is to do with its rows, checked before any work, and done after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultbench.cli.places import try_file, try_folder, writing
from faultbench.errors import UsageError

STDOUT = "-"
_TABLE_WIDTH = 160  # columns of table.txt, which nobody reads in a terminal


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where the results of a run go, and whether they are gated.

    Args:
        gate: Whether the exit code says if every row passes.
        allow_unproven: Whether a gate lets unproven rows through.
        dry_run: Whether the plan is all there is.
        json: A file, or `-` for stdout, or None.
        out: A folder for `results.json` and `table.txt`, or None.

    Raises:
        UsageError: Two of them contradict each other.
    """

    gate: bool = False
    allow_unproven: bool = False
    dry_run: bool = False
    json: str | None = None
    out: Path | None = None

    def __post_init__(self) -> None:
        if self.allow_unproven and not self.gate:
            raise UsageError("--allow-unproven has no gate to loosen: add --gate, or leave it away")
        if self.dry_run:
            for option, value in (("--gate", self.gate), ("--json", self.json), ("--out", self.out)):
                if value:
                    raise UsageError(f"--dry-run has no results for {option}: leave one of them away")

    def check_writable(self) -> None:
        """Checks every place by writing to it, since permissions alone tell little of a read-only mount.

        Raises:
            UsageError: One cannot be written.
        """
        if self.json is not None and self.json != STDOUT:
            with writing(f"--json {self.json}"):
                try_file(Path(self.json))
        if self.out is not None:
            with writing(f"--out {self.out}"):
                self.out.mkdir(parents=True, exist_ok=True)
                try_folder(self.out)

    def publish(self, rows: Sequence[Mapping[str, Any]], command: Sequence[str]) -> None:
        """Writes the files, and prints the table, or the JSON where stdout is for that.

        Raises:
            UsageError: A file could not be written after all; the table is printed nevertheless.
        """
        from faultbench.report.console import Stdout
        from faultbench.report.table import print_table

        try:
            self._write(rows, command)
        finally:
            if self.json != STDOUT:
                print_table(rows, Stdout())

    def _write(self, rows: Sequence[Mapping[str, Any]], command: Sequence[str]) -> None:
        from rich.console import Console

        from faultbench.report.document import document, write_json
        from faultbench.report.table import print_table

        result = document(rows, command)
        if self.out is not None:
            write_json(result, self.out / "results.json")
            with writing(f"--out {self.out}"), (self.out / "table.txt").open("w", encoding="utf-8") as file:
                print_table(rows, Console(file=file, width=_TABLE_WIDTH, highlight=False))
        if self.json is not None:
            write_json(result, self.json)
