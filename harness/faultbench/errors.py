"""What can go wrong, for the person who can mend it. Each class knows the exit code that the command ends with.

A message is one line: `what is wrong: what to do`.
"""


class FaultbenchError(Exception):
    """Any error that faultbench raises on purpose."""

    exit_code = 4


class UsageError(FaultbenchError):
    """A name, a parameter, an option or a criterion that does not fit."""

    exit_code = 2


class DataError(FaultbenchError):
    """A recording, a folder or a file from outside that cannot be used."""

    exit_code = 2


class IsolationError(DataError):
    """A split that shares what its isolation level promises to keep apart."""


class PluginError(FaultbenchError):
    """A plugin that breaks its contract, or cannot be imported."""

    exit_code = 2


class NotApplicable(FaultbenchError):  # noqa: N818 - it is an answer, not a failure
    """A pair of parts that makes no sense together; the cell says so, it does not fail."""


class CellError(FaultbenchError):
    """A cell that could not be computed."""
