"""A bearing as the source packs it, `KA01.rar`: a folder of its name with 80 measurements, and two PDF."""

from __future__ import annotations

import re
from pathlib import Path

from faultbench.api import DataError, Limits, Member, members_of, unpack
from faultbench_datasets.paderborn.bearings import stems
from faultbench_datasets.paderborn.measurement import MAX_FILE_BYTES

_LIMITS = Limits(members=1000, file_bytes=MAX_FILE_BYTES, total_bytes=4 * 1024**3)
"""More than ten times the members, and six times the bytes, that the source packs."""
_SAFE = re.compile(r"\w[\w ().+-]*", re.ASCII)


def unpack_bearing(archive: Path, code: str) -> Path:
    """The folder of a bearing's measurements, unpacked beside its archive and named by the bearing's code.

    Nothing but files of the official names is written; the others are passed over.

    Raises:
        DataError: Nothing is installed that could, the archive is damaged, or holds what no archive of the source does.
    """
    folder = archive.with_name(code)
    unpack(archive, folder, lambda member: _measurement(member, code), _LIMITS)
    return folder


def check_archive(archive: Path, code: str) -> None:
    """Returns where an archive holds all measurements of a bearing, and nothing that no archive of the source does.

    Raises:
        DataError: It does not, or nothing is installed that could look into it.
    """
    try:
        held = {name for member in members_of(archive, _LIMITS) if (name := _measurement(member, code))}
    except ValueError as error:
        raise DataError(f"{archive} is no archive of {code} ({error}): get it again") from error
    lacking = [name for name in (f"{stem}.mat" for stem in stems(code)) if name not in held]
    if lacking:
        raise DataError(f"{archive} lacks {len(lacking)} of the {len(stems(code))} measurements, {lacking[0]} among them: get it again")


def _measurement(member: Member, code: str) -> str:
    """The name of a measurement's file; empty for another file of the bearing's folder.

    Raises:
        ValueError: The member lies elsewhere.
    """
    parts = member.name.split("/")
    if len(parts) != 2 or parts[0] != code or not _SAFE.fullmatch(parts[1]):
        raise ValueError(f"{member.name[:80]!a} is no file in {code}/")
    return parts[1] if parts[1] in {f"{stem}.mat" for stem in stems(code)} else ""
