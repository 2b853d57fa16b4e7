"""A third party's data set, published on a server of its own: what an author writes, in one file."""

import os
from pathlib import Path

import numpy as np

from faultbench.api import Catalogue, Channel, DataError, Offer, Publication, PublishedFile, Recording, hookimpl

NAMES = [f"{element}-{load}.dat" for element in ("healthy", "inner", "outer") for load in (0, 1)]


@hookimpl
def faultbench_datasets():
    yield Offer("far", "far_away:Far", "a data set from far away", publication="far_away:published")
    yield Offer("silent", "far_away:Far", "a data set whose plugin says nothing of its source")
    yield Offer("broken", "far_away:Far", "a data set whose publication is broken", publication="far_away:broken")


def published():
    server = os.environ.get("FAR_SERVER", "http://127.0.0.1:9")
    return Publication(
        homepage="http://far.example",
        licence="CC BY-NC 4.0",
        cite="Far & Away 2026",
        terms=os.environ.get("FAR_TERMS", ""),
        files=tuple(PublishedFile(name, (f"{server}/{name}",), **_known(name)) for name in NAMES),
        how="ask far away",
    )


def _known(name):
    """What the source says of every file but the last."""
    import hashlib

    content = content_of(name)
    return {} if name == NAMES[-1] else {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}


def broken():
    raise ZeroDivisionError("on purpose")


def content_of(name):
    signal = np.random.default_rng(list(name.encode())).normal(size=40_000).astype("<f4")
    return f"far {name}\n".encode() + signal.tobytes()


class Far:
    def __init__(self, data_dir=None):
        self.folder = Path(data_dir or os.environ.get("FAULTBENCH_DATA") or "nowhere") / "far"

    def catalogue(self):
        here = [name for name in NAMES if (self.folder / name).is_file()]
        if not here:
            raise DataError("far: nothing is here: get it with `faultbench data get far`")
        return Catalogue("far", "1", tuple(_recording(name) for name in here), ("rig",), licence="CC BY-NC 4.0")

    def read(self, recording, channel):
        return self._signal(self.folder / f"{recording.id}.dat")

    def check_file(self, file):
        self._signal(file)

    def _signal(self, file):
        content = file.read_bytes()
        head = f"far {file.name}\n".encode()
        if not content.startswith(head) or len(content) != len(head) + 160_000:
            raise DataError(f"far: {file} is not the file its name says: get it again")
        return np.frombuffer(content[len(head) :], "<f4")


def _recording(name):
    element, load = name.removesuffix(".dat").split("-")
    channels = (Channel("a", 1000.0, 40_000),)
    return Recording("far", f"{element}-{load}", "rig", "rig", element, element, "", f"{element}-{load}", f"{load} hp", 1800.0, channels)
