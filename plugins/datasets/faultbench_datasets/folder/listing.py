"""From the table and the files to recordings, with everything that is wrong on the way."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faultbench.api import Catalogue, Channel, DataError, Recording, Remark, file_digest, noted, open_regular
from faultbench_datasets.folder.entries import Entry, read_row, spelled_in_several_ways, with_ids
from faultbench_datasets.folder.signals import KINDS, MAX_BYTES, offered, read_signals
from faultbench_datasets.folder.table import Table, has_table, read_table
from faultbench_datasets.folder.template import files_in
from faultbench_datasets.folder.times import Times
from faultbench_datasets.folder.words import FULL_SCALE, one_letter_off, resembling

READER_VERSION = 1
"""To be raised with every change that changes a signal."""

_LOOK_VERSION = 1
"""To be raised where something else is kept of a file."""

ONLY = "signal"
"""What the only channel of a file is called."""

_RATES_AGREE = 1e-6
_LOOKED_INTO = 1000
"""Files of a folder without a table whose headers are read."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds.

    Args:
        catalogue: The recordings that can be read; None where there is none.
        remarks: What was found. An error is whatever would stop a run.
        entries: The table's rows that became recordings, by the recordings' ids.
        digests: SHA-256 of each of their files.
    """

    catalogue: Catalogue | None
    remarks: tuple[Remark, ...]
    entries: Mapping[str, Entry] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def list_folder(root: Path) -> Listing:
    """Everything that a folder's table and files say. Files that are new or have changed are read.

    Args:
        root: The folder, resolved.
    """
    try:
        there = has_table(root)
    except DataError as error:
        return Listing(None, (Remark("error", str(error)),))
    if not there:
        how = f"write recordings.csv, `faultbench data check {root} --template` begins it"
        return Listing(None, (Remark("error", f"there is no table: {how}"), *_holdings(root)))
    table = read_table(root)
    name = _plant(table.name or root.name)
    wrong: list[str] = []
    entries = _entries(table, root, name, wrong)
    looks = _looked_at(entries, wrong)
    found = [(entry, _recording(name, entry, looks[entry.file], wrong)) for entry in entries if entry.file in looks]
    listed = {entry.id: entry for entry, recording in found if recording is not None}
    recordings = tuple(recording for _, recording in found if recording is not None)
    digests = {entry.file: looks[entry.file]["sha256"] for entry in listed.values()}
    remarks = [
        *table.remarks,
        *(Remark("error", text) for text in dict.fromkeys(wrong)),
        *_remarks_on(entries, looks, table),
        *_loose(root, [*(entry.file for entry in entries), *(str(row.values.get("file", "")) for row in table.rows)]),
    ]
    remarks = [dataclasses.replace(remark, text=_short(remark.text, root)) for remark in remarks]
    if not recordings:
        return Listing(None, tuple(remarks))
    contents = [[e.id, digests[e.file], e.channels, e.factor, e.decimal, e.unit] for e in listed.values()]
    machines = tuple(dict.fromkeys(r.machine for r in recordings))
    catalogue = Catalogue(
        dataset=name,
        version=f"{READER_VERSION}-{hashlib.sha256(json.dumps(contents).encode()).hexdigest()[:16]}",
        recordings=recordings,
        targets=machines if len(machines) > 1 else tuple(dict.fromkeys(r.mounting for r in recordings)),
        cite=table.cite,
        licence=table.licence,
    )
    return Listing(catalogue, tuple(remarks), listed, digests)


def wanted_of(entries: Sequence[Entry]) -> tuple[str, ...]:
    """The channels that rows of one file ask for."""
    return tuple(sorted({channel for entry in entries for channel in entry.channels}))


def _entries(table: Table, root: Path, name: str, wrong: list[str]) -> list[Entry]:
    found = []
    for row in table.rows:
        entry, texts = read_row(row, root, name, table.geometries)
        wrong += texts
        if entry is not None:
            found.append(entry)
    entries, texts = with_ids(found)
    wrong += texts
    wrong += spelled_in_several_ways(found)
    return entries


def _looked_at(entries: Sequence[Entry], wrong: list[str]) -> dict[str, dict[str, Any]]:
    """By file, what has to be known of it to list its recordings."""
    rows_of: dict[str, list[Entry]] = {}
    for entry in entries:
        rows_of.setdefault(entry.file, []).append(entry)
    alike: dict[tuple[tuple[str, ...], str], list[Entry]] = {}
    for file, rows in rows_of.items():
        if len({row.decimal for row in rows}) > 1:
            wrong.append(f"{rows[0].where}: {file} has rows of different decimal signs: write one")
            continue
        try:
            with open_regular(rows[0].path, MAX_BYTES):
                alike.setdefault((wanted_of(rows), rows[0].decimal), []).append(rows[0])
        except DataError as error:
            wrong.append(f"{rows[0].where}: {error}")
    looks: dict[str, dict[str, Any]] = {}
    for asked, firsts in alike.items():
        for entry, look in zip(firsts, _noted(asked, [entry.path for entry in firsts]), strict=True):
            if "error" in look:
                wrong.append(f"{entry.where}: {look['error']}")
            else:
                looks[entry.file] = look
    return looks


def _noted(asked: tuple[tuple[str, ...], str], paths: Sequence[Path]) -> list[dict[str, Any]]:
    """What files say that are all asked for the same; from the notes, where they have not changed since."""

    def look(path: Path) -> dict[str, Any]:
        return _look(path, *asked)

    looks = noted("folder", f"{READER_VERSION}.{_LOOK_VERSION} {json.dumps(asked)}", paths, look)
    # What went wrong may have gone wrong by chance (no memory, no time), so that alone is not taken from the notes.
    return [look(path) if _went_wrong(said) else said for path, said in zip(paths, looks, strict=True)]


def _look(path: Path, wanted: Sequence[str], decimal: str) -> dict[str, Any]:
    """What is kept of a file: its digest, its rate, and of each channel how many samples it holds, or why it cannot be read."""
    try:
        content = read_signals(path, wanted, decimal)
        digest = file_digest(path, MAX_BYTES)
    except DataError as error:
        return {"error": str(error)}
    lengths = [str(signal) if isinstance(signal, DataError) else len(signal) for signal in content.signals]
    return {
        "sha256": digest,
        "rate_hz": content.rate_hz,
        "full_scale": content.full_scale,
        "samples": dict(zip(wanted, lengths, strict=True)),
        "times": None if content.times is None else dataclasses.asdict(content.times),
        "times_taken": list(content.times_taken),
    }


def _went_wrong(look: Mapping[str, Any]) -> bool:
    return "error" in look or any(isinstance(samples, str) for samples in look["samples"].values())


def _recording(plant: str, entry: Entry, look: Mapping[str, Any], wrong: list[str]) -> Recording | None:
    """The recording that an entry and its file make; None, and why not among `wrong`, where they do not fit."""
    samples = [look["samples"][channel] for channel in entry.channels]
    found = [said for said in samples if isinstance(said, str)]
    rate_hz = look["rate_hz"] or entry.rate_hz
    times = None if look["times"] is None else Times(**look["times"])
    if rate_hz is None:
        none = f"the times in {entry.file} say {times.rate_hz:g}" if times and times.rate_hz else f"{entry.path.suffix} files say none"
        found.append(f"rate is missing, {none}: write samples per second")
    elif entry.rate_hz is not None and abs(entry.rate_hz / rate_hz - 1) > _RATES_AGREE:
        found.append(f"rate is {entry.rate_hz:g} Hz, {entry.file} says {rate_hz:g} Hz: correct the table, or leave the rate out")
    elif times is not None and times.named and times.contradicts(rate_hz):
        column = f"the times in {entry.file} (column {times.title!a})"
        found.append(f"rate is {rate_hz:g} Hz, {column} say {times.rate_hz:g} Hz: correct the table, or the times in the file")
    if look["full_scale"] and entry.unit and not entry.scaled:
        found.append(f"{entry.file} holds shares of full scale, no {entry.unit}: write what full scale is in column scale")
    wrong += [f"{entry.where}: {text}" for text in found]
    if found or rate_hz is None:
        return None
    unit = FULL_SCALE if look["full_scale"] and not entry.scaled else entry.unit or "g"
    return Recording(
        dataset=plant,
        id=entry.id,
        machine=entry.machine,
        mounting=entry.mounting,
        bearing=entry.bearing,
        element=entry.element,
        severity=entry.severity,
        session=entry.session,
        load=entry.load,
        speed_rpm=entry.speed_rpm,
        channels=tuple(Channel(name or ONLY, rate_hz, length, unit) for name, length in zip(entry.channels, samples, strict=True)),
        geometry=entry.geometry,
        position=entry.position,
        notes=entry.notes,
        gearing=entry.gearing,
    )


def _remarks_on(entries: Sequence[Entry], looks: Mapping[str, Mapping[str, Any]], table: Table) -> list[Remark]:
    """What is no error, and can be seen in the table and the files' headers alone."""
    remarks = []
    unscaled = [entry.id for entry in entries if entry.file in looks and looks[entry.file]["full_scale"] and not entry.scaled]
    if unscaled:
        text = "PCM samples without a scale are shares of full scale, no accelerations, and differ with the recorder's range"
        remarks.append(Remark("warning", f"{text} ({_some(unscaled)}): write the acceleration at full scale in column scale"))
    remarks += [Remark("warning", text) for text in _remarks_on_times(entries, looks)]
    for element, count in sorted(Counter(entry.element for entry in entries).items()):
        meant = resembling(element)
        if meant is not None:
            remarks.append(
                Remark("warning", f"{count} recordings are of the class {element!a}, which no bearing has: did you mean {meant!a}?")
            )
    remarks += [Remark("warning", text) for text in _letters_off(entries)]
    unused = sorted(set(table.geometries) - {entry.geometry.name for entry in entries if entry.geometry})
    if unused:
        remarks.append(Remark("fact", f"no recording names the geometries {', '.join(map(ascii, unused))}"))
    return remarks


def _letters_off(entries: Sequence[Entry]) -> list[str]:
    """Classes and severities of which one may be a slip of the other."""
    texts = []
    for what, of in (("classes", lambda entry: entry.element), ("severities", lambda entry: entry.severity)):
        first: dict[str, Entry] = {}
        for entry in entries:
            first.setdefault(of(entry), entry)
        known = [name for name in first if what != "classes" or resembling(name) is None]  # else that was said
        for pair in one_letter_off(known):
            one, other = (f"{name!a} ({first[name].where})" for name in pair)
            texts.append(f"the {what} {one} and {other} differ by one letter: if they are one, write it the same way")
    return texts


def _remarks_on_times(entries: Sequence[Entry], looks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Where a column of times is taken for a signal, and where one without a heading contradicts the rate."""
    taken, doubted = [], []
    for entry in entries:
        look = looks.get(entry.file)
        if look is None or look["times"] is None:
            continue
        times = Times(**look["times"])
        if set(entry.channels) & set(look["times_taken"]):
            taken.append(f"{entry.id}: {times.title!a}")
        if not times.named and entry.rate_hz and times.contradicts(entry.rate_hz):
            doubted.append(f"{entry.id}: {times.rate_hz:g} Hz, stated {entry.rate_hz:g} Hz")
    texts = []
    if taken:
        texts.append(
            f"{len(taken)} recordings are no signals but times or counts, which rise in equal steps ({_some(taken)}): name another"
        )
    if doubted:
        texts.append(
            f"{len(doubted)} files begin with a column that may be times, of another rate than stated ({_some(doubted)}): check it"
        )
    return texts


def _holdings(root: Path) -> list[Remark]:
    """What a folder without a table holds, by the headers of its files."""
    files = files_in(root)
    alike: dict[str, list[str]] = {}
    remarks = []
    for file in files[:_LOOKED_INTO]:
        try:
            rate_hz, channels = offered(root / file)
        except DataError as error:
            remarks.append(Remark("warning", _short(str(error), root)))
            continue
        rate = "" if rate_hz is None else f" of {rate_hz:g} Hz"
        signals = f"{len(channels) or 'no'} signal{'' if len(channels) == 1 else 's'} each"
        alike.setdefault(f"{Path(file).suffix.lower()} files{rate} with {signals}", []).append(file)
    remarks += [Remark("fact", f"{len(some)} {what} ({_some(some)})") for what, some in alike.items()]
    if len(files) > _LOOKED_INTO:
        remarks.append(Remark("fact", f"{len(files) - _LOOKED_INTO} more files that could be recordings were not looked into"))
    return remarks or [Remark("fact", f"no file of it could be a recording ({', '.join(KINDS)})")]


def _loose(root: Path, listed: Sequence[str]) -> list[Remark]:
    """What files are there that no row names."""
    known = {name.replace("\\", "/").removeprefix("./") for name in listed}
    loose = [name for name in files_in(root) if name not in known]
    if not loose:
        return []
    kinds = Counter(Path(name).suffix.lower() for name in loose)
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return [Remark("fact", f"files that no table lists: {said} ({_some(loose)})")]


def _plant(name: str) -> str:
    """A name that can stand on one line, and in a path."""
    kept = "".join(c if c.isprintable() and c not in "|/\\" else "-" for c in name).strip()
    return kept[:64] or "plant"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _short(text: str, root: Path) -> str:
    """A message with paths from the folder, as the table writes them."""
    return text.replace(f"{root}/", "").replace(f"{root}\\", "")
