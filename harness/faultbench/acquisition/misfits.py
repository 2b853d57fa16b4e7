"""Files that have the name of a published one and are something else."""

from __future__ import annotations

from collections.abc import Sequence

from faultbench.acquisition.archive import NoToolError
from faultbench.acquisition.holdings import Holding
from faultbench.acquisition.local import digest_of
from faultbench.acquisition.publication import ChecksFiles, PublishedFile
from faultbench.errors import DataError


def misfits(holding: Holding, files: Sequence[PublishedFile], reader: object) -> dict[str, str]:
    """By path: why a file that is there is not the one that is published, neither by its SHA-256 nor to its reader.

    One whose SHA-256 is not known, and one that no reader looks into, is believed: `faultbench data verify` says what is known of it.

    Args:
        holding: What is there.
        files: The published files that are asked for.
        reader: The data set itself, which may check its files one by one; or None.

    Raises:
        DataError: A file cannot be read.
    """
    found: dict[str, str] = {}
    if not isinstance(reader, ChecksFiles):
        return found
    for file in files:
        place = holding.folder / file.path
        if not file.sha256 or file.path not in holding.paths or digest_of(place) == file.sha256:
            continue
        try:
            reader.check_file(place)
        except NoToolError:
            continue
        except DataError as error:
            found[file.path] = str(error)
    return found
