"""From the signals of several data sets to signals on one base: what a scenario that takes sources is split, trained and tested on."""

from __future__ import annotations

import numpy as np

from faultbench.data.resampling import common_base, rebased
from faultbench.matrix.graph import Work
from faultbench.matrix.signals import gathered_folder, load_catalogue, save_catalogue, save_signal, signal_path


def gather(work: Work) -> None:
    """Brings the first channel of every recording to the common base, and keeps the data sets beside one another, the target's first.

    All that follows reads these signals and no others: the audit audits what is trained on and what is tested.

    Raises:
        IsolationError: The signals cannot be brought to the base.
        UsageError: A data set stands there twice.
    """
    folders = [work.inputs[f"ingest.{number}"] for number in range(len(work.inputs))]
    catalogues = [load_catalogue(folder) for folder in folders]
    base = common_base(catalogues, work.params["base"])
    done, total = 0, sum(len(catalogue.recordings) for catalogue in catalogues)
    for number, (folder, catalogue) in enumerate(zip(folders, catalogues, strict=True)):
        out = gathered_folder(work.out, number)
        out.mkdir()
        for i, recording in enumerate(catalogue.recordings):
            work.say(done, total)
            signal = np.load(signal_path(folder, i, 0), mmap_mode="r", allow_pickle=False)
            save_signal(base.apply(signal, recording), signal_path(out, i, 0))
            done += 1
        save_catalogue(rebased(catalogue, base), out)
    work.say(total, total)
