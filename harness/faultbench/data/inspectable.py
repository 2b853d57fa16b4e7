"""What a data set can say of its own files before a run: everything that is wrong with them at once, not the first thing only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from faultbench.data.recording import Catalogue

Grade = Literal["error", "warning", "fact"]
"""`error`: a run would stop. `warning`: a number would mislead. `fact`: worth knowing."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding about data.

    Args:
        grade: What it means for a run.
        text: One line, `what is wrong: what to do`; a fact needs no advice.
    """

    grade: Grade
    text: str


@runtime_checkable
class Inspectable(Protocol):
    """A data set made of a user's own files, which can be checked beyond the contract of `DataSet`."""

    def inspect(self) -> tuple[Catalogue | None, tuple[Remark, ...]]:
        """The catalogue of all recordings that can be read, or None where there is none, and what was found.

        Whatever would make `catalogue` stop is an error here, and does not hide what comes after it. So is a machine, mounting, bearing or
        session that is spelled in two ways (`spelled_alike`): `data check` leaves that to the data set, which knows the lines.
        """
        ...

    def template(self) -> str:
        """The text of a table that lists the files at hand, to be filled in.

        Raises:
            DataError: There are no files, or there is a table already.
        """
        ...
