"""From a data set's name to a picture or a page of its recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from faultbench import __version__
from faultbench.data.recording import Catalogue, DataSet
from faultbench.inspection.page import page
from faultbench.inspection.plots import Caption, picture
from faultbench.inspection.selection import Selection, select
from faultbench.inspection.spectra import SMOOTHING_HZ
from faultbench.inspection.views import WAVEFORM_S, View, view
from faultbench.registry import Choice, make


def draw(
    dataset: Choice,
    suffix: str,
    *,
    recordings: tuple[str, ...] = (),
    per_class: bool = False,
    channel: str | None = None,
    waveform_s: float | None = None,
    data_dir: Path | None = None,
) -> bytes:
    """The picture of recordings, read one by one, with nothing kept.

    Args:
        dataset: Whose.
        suffix: `png`, `svg` or `html`.
        recordings: Ids; none takes one for every element.
        per_class: Whether one for every element and severity is taken.
        channel: None takes each recording's first.
        waveform_s: How much of the waveform is shown.
        data_dir: The folder that holds a folder per data set, or None.

    Raises:
        UsageError: A recording or a channel does not exist, or what is asked for contradicts itself.
        DataError: The data are not there, or cannot be read.
        PluginError: The data set cannot be made, or breaks its contract.
    """
    made: DataSet = make(dataset, data_dir=data_dir)
    catalogue = made.catalogue()
    selection = select(catalogue, recordings, per_class=per_class, channel=channel)
    views = [view(made, chosen, WAVEFORM_S if waveform_s is None else waveform_s) for chosen in selection.chosen]
    caption = _caption(dataset.spelling, catalogue, selection, views)
    return page(views, caption) if suffix == "html" else picture(views, caption, suffix)


def _caption(name: str, catalogue: Catalogue, selection: Selection, views: Sequence[View]) -> Caption:
    lines = (
        "Lines: from the stated geometry and speed, up to the third harmonic, those of the stated damage strong. "
        "Slip moves real lines by 1 to 2 %."
    )
    gears = (
        "Gears: mesh frequency (GMF) up to the third harmonic, with three side-bands of pinion and wheel on either side, in the amplitude "
        "spectrum; the gears' turns in the envelope's."
    )
    return Caption(
        title=f"{name}: waveform and spectra",
        subtitle=selection.said,
        notes=(
            f"Spectra: Hann segments half over one another, averaged over up to {max(one.averaged_s for one in views):.3g} s. "
            f"Envelope: of the whole band, levelled in bands of {SMOOTHING_HZ:g} Hz (pre-whitened), squared, over its mean; "
            "after Randall & Antoni 2011, doi 10.1016/j.ymssp.2010.07.017.",
            *([lines] if any(one.lines for one in views) else []),
            *([gears] if any(one.recording.gearing and one.lines for one in views) else []),
            f"Data: {catalogue.cite or catalogue.dataset}. Licence: {catalogue.licence or 'not stated'}. "
            f"Drawn by faultbench {__version__}.",
        ),
    )
