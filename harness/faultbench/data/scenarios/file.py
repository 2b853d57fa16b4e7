"""A scenario that stands in a file: `-s my.toml`, which is short for `-s file:path=my.toml`."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from faultbench import names
from faultbench.data.published import parse_document, read_file, split_of
from faultbench.data.recording import HEALTHY, Catalogue, Recording
from faultbench.data.scenarios import builtin
from faultbench.data.scenarios.form import CLASS, LABELS, Choosing, Extended, Own, Published, Where, parse, read_text
from faultbench.data.scenarios.new_device import MOST_WAYS
from faultbench.data.scenarios.parting import Parting, make_split, with_ways, without_lone
from faultbench.data.scenarios.rules import Rules, element, element_severity, mounting, parted
from faultbench.data.split import ONE_RIG, EpisodeRequest, Scenario, Split
from faultbench.errors import DataError, IsolationError, UsageError

Splitter = Callable[[Sequence[Catalogue], EpisodeRequest, int], Split]


class FileScenario:
    """A scenario as a TOML file describes it (`form`). The file is read once, when the scenario is made.

    Args:
        path: The file.

    Raises:
        UsageError: The file cannot be read, or says what does not fit.
        DataError: A published split that it names cannot be used.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        content = read_text(self._path)
        form = parse(content, path)
        self.name, self._note = form.name, form.note
        contents = [content]
        made = form.made
        if isinstance(made, Extended):
            inner = _extended(made, path)
            self.level, base = inner.level, getattr(inner, "base", None)
            self._split: Splitter = inner.split
        elif isinstance(made, Published):
            files = [self._path.parent / file for file in made.files]
            contents += [read_file(file) for file in files]
            documents = [parse_document(each, file) for each, file in zip(contents[1:], files, strict=True)]
            self.level, base = _alike(documents, files)
            self._split = _PublishedSplits(path, documents, files)
        else:
            self.level, base = made.level, made.base
            self._split = _OwnSplits(path, form.name, made)
        if base is not None:
            self.base = base
            """That a scenario has a base tells a run that it takes sources, and to what their signals are brought."""
        self.content = hashlib.sha256(b"".join(hashlib.sha256(each).digest() for each in contents)).hexdigest()
        """Digest of all that was read: a run's results depend on it."""

    def split(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        """The split for one seed.

        Raises:
            IsolationError: The recordings cannot be parted as the file says.
            UsageError: The file names recordings that are not there, or the request asks for more than there is.
            DataError: A published split does not fit the data at hand.
        """
        made = self._split(catalogues, request, seed)
        return dataclasses.replace(made, scenario=self.name, note="; ".join(text for text in (made.note, self._note) if text))


def _extended(made: Extended, path: str) -> Scenario:
    offers = {offer.name: offer for offer in builtin()}
    if made.scenario not in offers:
        raise UsageError(f"{path}: extends is {names.shown(made.scenario)}: give one of {', '.join(offers)}")
    offer = offers[made.scenario]
    try:
        values = names.expand(offer, "", made.parameters)
    except UsageError as error:
        raise UsageError(f"{path}: [parameters]: {error}") from error
    module, _, factory = offer.factory.partition(":")
    scenario: Scenario = getattr(importlib.import_module(module), factory)(**values)
    return scenario


def _alike(documents: Sequence[Mapping[str, Any]], files: Sequence[Path]) -> tuple[str, str | None]:
    """The level and the base that published splits have in common.

    Raises:
        DataError: They are not of one scenario's making.
    """
    found = []
    for document in documents:
        base = document.get("base")
        found.append((str(document.get("level")), str(base.get("kind")) if isinstance(base, dict) else None))
    for other, file in zip(found, files, strict=True):
        if other != found[0]:
            said = " and ".join(f"{level}{f' in {base}' if base else ''}"[:40] for level, base in (found[0], other))
            raise DataError(f"{files[0]} and {file} are of {said!a}: name the splits of one scenario, one per seed")
    return found[0]


class _PublishedSplits:
    """The windows of published splits, one file per seed."""

    def __init__(self, path: str, documents: Sequence[Mapping[str, Any]], files: Sequence[Path]) -> None:
        self._path, self._documents, self._files = path, documents, files

    def __call__(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        if seed >= len(self._documents):
            held = f"{len(self._documents)} split file{'s' * (len(self._documents) > 1)}"
            raise UsageError(f"{self._path} names {held}, none for seed {seed}: give --seeds {len(self._documents)}, or name more")
        made = split_of(self._documents[seed], catalogues, request, self._files[seed])
        return dataclasses.replace(made, seed=seed)


class _OwnSplits:
    """Splits by the entries of a file."""

    def __init__(self, path: str, name: str, made: Own) -> None:
        self._path, self._name, self._made = path, name, made

    def __call__(self, catalogues: Sequence[Catalogue], request: EpisodeRequest, seed: int) -> Split:
        made = self._made
        rules = Rules(
            label=self._label,
            condition=lambda r: _joined(r, made.way, self._label),
            part=(lambda r: _joined(r, made.apart, self._label)) if made.apart else mounting,
            together=made.together,
            apart=bool(made.apart),
        )
        target = self._chosen(catalogues, "target", made.target)
        source = self._chosen(catalogues, "source", made.source)
        used = {id(r) for r in (*target, *source)}
        dropped = tuple(r for c in catalogues for r in c.recordings if id(r) not in used)
        parting = Parting("what [target] includes", target, source, dropped)
        able = parted(target, rules) if rules.apart else frozenset(map(self._label, target))
        if len(able) < 2:
            apart = f" and differ in {' and '.join(made.apart)}" if made.apart else ""
            raise IsolationError(
                f"{self._path}: {len(able)} classes of the target keep to one {', '.join(made.way) or 'way'}{apart} between support and "
                "query, two are needed: change [target] or [episodes]"
            )
        return make_split(
            self._name,
            made.level,
            without_lone(parting, rules) if rules.apart else parting,
            rules,
            with_ways(request, made.ways or min(MOST_WAYS, len(able))),
            window=made.window,
            seed=seed,
            labels=None if made.together or not rules.apart else able,
            note=ONE_RIG if made.one_rig else "",
        )

    def _chosen(self, catalogues: Sequence[Catalogue], side: str, choosing: Choosing) -> tuple[Recording, ...]:
        """The recordings of one side that belong to a class."""
        recordings = [r for c in catalogues for r in c.recordings]
        absent = {name for c in catalogues for name in c.missing}
        for key in ("include", "exclude"):
            for i, where in enumerate(getattr(choosing, key)):
                self._check(recordings, absent, f"{side}.{key}[{i}]", where)
        if not isinstance(self._made.label, str):
            for name, wheres in self._made.label.items():
                for i, where in enumerate(wheres):
                    self._check(recordings, absent, f"classes.{name}[{i}]", where)
        inside = [r for r in recordings if _fits_one(r, choosing.include) and not _fits_one(r, choosing.exclude)]
        if not inside:
            raise UsageError(f"{self._path}: [{side}]: everything that it includes is excluded too: take an exclude away")
        return tuple(r for r in inside if self._classes(r))

    def _check(self, recordings: Sequence[Recording], absent: set[str], what: str, where: Where) -> None:
        """Refuses values that no recording has, so that a slip of the pen chooses nothing silently; what a copy lacks may be named."""
        for field, values in where.items():
            known = {str(getattr(r, field)) for r in recordings}
            for value in values:
                if value not in known and value not in absent:
                    near = ", ".join(ascii(text) for text in names.nearest(value, known)) or "none, there are no recordings"
                    raise UsageError(f"{self._path}: [{what}]: no recording has {field} {names.shown(value)}: nearest are {near}")

    def _label(self, recording: Recording) -> str:
        """The class of a recording that has one."""
        return self._classes(recording)[0]

    def _classes(self, recording: Recording) -> list[str]:
        """The class of a recording, in a list; none where it belongs to none."""
        rule = self._made.label
        if isinstance(rule, str):
            return [element_severity(recording) if rule == LABELS[0] else element(recording)]
        found = [name for name, wheres in rule.items() if _fits_one(recording, wheres)]
        if len(found) > 1:
            raise UsageError(f"{self._path}: [classes]: {recording.id} is of {found[0]} and of {found[1]}: let each be of one class")
        if found and recording.healthy != (found[0] == HEALTHY):
            advice = f"call the class of the healthy ones {HEALTHY}, and no other"
            raise UsageError(f"{self._path}: [classes]: {recording.id} is of element {recording.element} and of {found[0]}: {advice}")
        return found


def _fits_one(recording: Recording, wheres: Sequence[Where]) -> bool:
    return any(all(str(getattr(recording, field)) in values for field, values in where.items()) for where in wheres)


def _joined(recording: Recording, fields: Sequence[str], label: Callable[[Recording], str]) -> str:
    """What fields say of a recording, distinct across data sets."""
    return " | ".join((recording.dataset, *(label(recording) if field == CLASS else str(getattr(recording, field)) for field in fields)))
