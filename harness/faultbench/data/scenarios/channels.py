"""By which channels recordings are read."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from faultbench.data.recording import Catalogue, Channel, Recording
from faultbench.errors import UsageError


@dataclass(frozen=True, slots=True)
class Reading:
    """What a window is read from.

    Args:
        channels: The channels as they are written (`named_channels`); empty takes the first of each recording.
        lacking: The recordings that lack one of them.
    """

    channels: str = ""
    lacking: tuple[Recording, ...] = ()

    def leads(self, recording: Recording) -> Sequence[Channel]:
        """The channels that can be a recording's lead: the one that is named, or any."""
        named = named_channels(recording, self.channels) if self.channels else None
        return [recording.channel(named[0])] if named else recording.channels

    def names(self, recording: Recording, rate_hz: float) -> tuple[str, ...]:
        """The channels that are read of a recording, the lead first; where none is named, its first at the common rate."""
        named = named_channels(recording, self.channels) if self.channels else None
        return named or (next(c.name for c in recording.channels if c.rate_hz == rate_hz),)

    def said(self, name: str) -> str:
        """A scenario's canonical name with the channels of its windows."""
        if not self.channels:
            return name
        head, _, rest = name.partition(":")
        return f"{head}:{','.join(sorted([*filter(None, rest.split(',')), f'channels={self.channels}']))}"


def readable(catalogues: Sequence[Catalogue], channels: str, window: int) -> tuple[Sequence[Catalogue], Reading]:
    """The catalogues without the recordings that lack a channel, and what is read of the others.

    Args:
        catalogues: What there is.
        channels: The channels of a window, by name or number, joined by `+`; empty takes the first of each recording.
        window: Samples of a window, of the lead.

    Raises:
        UsageError: No recording has them, they are written wrongly, or the lead is too slow for a window where another channel is not.
    """
    if not channels:
        return catalogues, Reading()
    everything = [r for c in catalogues for r in c.recordings]
    lacking = tuple(r for r in everything if named_channels(r, channels) is None)
    if everything and len(lacking) == len(everything):
        held = ", ".join(channel.name for channel in everything[0].channels)
        raise UsageError(f"no recording of {everything[0].dataset} has the channels {channels}: {everything[0].id} holds {held}")
    left_out = set(map(id, lacking))
    kept = [dataclasses.replace(c, recordings=tuple(r for r in c.recordings if id(r) not in left_out)) for c in catalogues]
    _refuse_a_slow_lead([r for c in kept for r in c.recordings], channels, window)
    return kept, Reading(channels, lacking)


def _refuse_a_slow_lead(recordings: Sequence[Recording], channels: str, window: int) -> None:
    leads = [recording.channel((named_channels(recording, channels) or ("",))[0]) for recording in recordings]
    if not leads or any(lead.samples is None or lead.samples >= window for lead in leads):
        return
    lead = leads[0]
    fast = next((c for c in recordings[0].channels if c.rate_hz > lead.rate_hz and (c.samples is None or c.samples >= window)), None)
    if fast is not None:
        raise UsageError(
            f"channels {channels}: the first is the lead, on whose samples windows are laid, and {lead.name} has {lead.rate_hz:g} Hz, "
            f"too few samples for a window of {window}: name a fast channel first, as {fast.name}+{lead.name}"
        )


def named_channels(recording: Recording, wanted: str) -> tuple[str, ...] | None:
    """The names of the channels that are wanted of a recording, the lead first; None where it lacks one.

    Args:
        recording: Whose channels.
        wanted: Names, or numbers counted from 1 in the recording's own order, joined by `+`: `vibration+temperature`, `1+2`.

    Raises:
        UsageError: It is written otherwise, or names a channel twice.
    """
    names = [part.strip() for part in wanted.split("+")]
    if not all(names):
        raise UsageError(f"channels {wanted!a} names nothing at one place: write names or numbers joined by +, as 1+2")
    there = [channel.name for channel in recording.channels]
    numbered = {str(number): name for number, name in enumerate(there, start=1)}
    found = [name if name in there else numbered.get(name) for name in names]
    known = tuple(name for name in found if name is not None)
    if len(known) < len(found):
        return None
    if len(set(known)) < len(known):
        raise UsageError(f"channels {wanted!a} names {max(known, key=known.count)} of {recording.id} twice: name each channel once")
    return known
