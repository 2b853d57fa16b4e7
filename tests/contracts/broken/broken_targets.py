"""Targets, each broken in one way."""

import dataclasses
import shutil
import tempfile
from pathlib import Path

import numpy as np

from faultbench.api import CellError, probe_host, run_on_host


class Good:
    """This machine."""

    def __init__(self, threads=1):
        self.threads = threads

    def probe(self):
        return probe_host()

    def run(self, artifact, episodes, timing):
        return self.spoil(run_on_host(artifact, episodes, dataclasses.replace(timing, threads=self.threads)))

    def spoil(self, measurement):
        return measurement


class Changed(Good):
    """A measurement of which one field is another."""

    field = "kind"

    def change(self, value):
        return value

    def spoil(self, m):
        return dataclasses.replace(m, **{self.field: self.change(getattr(m, self.field))})


class OddRefusal(Good):
    def probe(self):
        raise OSError("no route to host")


class CurtRefusal(Good):
    def probe(self):
        raise CellError("unreachable")


class Unreachable(Good):
    def probe(self):
        raise CellError("gateway: it does not answer: switch it on")


class ByFreeMemory(Good):
    turns = 0

    def probe(self):
        ByFreeMemory.turns += 1
        return dataclasses.replace(probe_host(), fingerprint=f"{ByFreeMemory.turns} bytes free")


class NoCpu(Good):
    def probe(self):
        return dataclasses.replace(probe_host(), cpu="")


class Nothing(Good):
    def spoil(self, m):
        return None


class GuessedKind(Changed):
    field = "kind"

    def change(self, _):
        return "guessed"


class SmallPredictions(Changed):
    field = "predictions"

    def change(self, p):
        return p.astype(np.int8)


class OtherPredictions(Changed):
    field = "predictions"

    def change(self, p):
        return (p + 1) % 3


class Softmaxed(Changed):
    field = "logits"

    def change(self, z):
        return (np.exp(z - z.max(2, keepdims=True)) / np.exp(z - z.max(2, keepdims=True)).sum(2, keepdims=True)).astype(np.float32)


class KeepsItsState(Good):
    """Adds the labels of every episode to those of the one before."""

    def run(self, artifact, episodes, timing):
        m = super().run(artifact, episodes, timing)
        logits = m.logits + 0.1 * np.arange(len(m.logits), dtype=np.float32)[:, None, None] * np.array([1, 0, -1], np.float32)
        return dataclasses.replace(m, logits=logits, predictions=logits.argmax(2))


class Milliseconds(Changed):
    field = "latency_s"

    def change(self, t):
        return t[:3]


class Instant(Changed):
    field = "latency_s"

    def change(self, t):
        return 0 * t


class NoMemory(Changed):
    field = "peak_rss_bytes"

    def change(self, _):
        return 0


class ElsewhereThanProbed(Good):
    def probe(self):
        return dataclasses.replace(probe_host(), fingerprint="gateway 7")


class AnyThreads(Good):
    def run(self, artifact, episodes, timing):
        return run_on_host(artifact, episodes, timing)


class Mends(Good):
    """Where an artifact does not run, measures the last one that did."""

    last = None

    def run(self, artifact, episodes, timing):
        try:
            measurement = super().run(artifact, episodes, timing)
        except CellError:
            if not Mends.last:
                raise
            return super().run(Mends.last, episodes, timing)
        Mends.last = Path(tempfile.mkdtemp()) / "artifact"
        shutil.copytree(artifact, Mends.last)
        return measurement


class ReturnsNothing(Good):
    def probe(self):
        return None


class Exits(Good):
    def probe(self):
        raise SystemExit(1)
