"""Data sets, each broken in one way."""

import dataclasses
import pickle
import random

import numpy as np

from faultbench.api import Catalogue, Channel, DataError, Gearing, Geometry
from faultbench.testing.plant import CHANNEL, PlantSignals, plant


class Good:
    """The plant, read from a folder that holds a file `here`."""

    def __init__(self, data_dir=None):
        self.data_dir = data_dir

    def catalogue(self):
        if self.data_dir is None or not (self.data_dir / "here").exists():
            raise DataError("plant: there is no file `here`: make one in the data folder")
        return self.change(plant())

    def change(self, catalogue):
        return dataclasses.replace(catalogue, recordings=tuple(self.recording(i, r) for i, r in enumerate(catalogue.recordings)))

    def recording(self, i, recording):
        return recording

    def read(self, recording, channel):
        signals = PlantSignals(plant())
        if (recording.dataset, recording.id, channel) not in signals:
            raise DataError(f"plant: {recording.id} has no {channel}: take what the catalogue lists")
        return self.spoil(signals[recording.dataset, recording.id, channel], recording)

    def spoil(self, signal, recording):
        return signal


class ReadsAtOnce(Good):
    def change(self, catalogue):
        for recording in catalogue.recordings[:2]:
            self.read(recording, CHANNEL)
        return catalogue


class Empty(Good):
    def change(self, catalogue):
        return dataclasses.replace(catalogue, recordings=())


class SameIds(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, id="one") if i < 2 else recording


class OtherName(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, dataset="elsewhere") if i == 3 else recording


class Shuffled(Good):
    def change(self, catalogue):
        return dataclasses.replace(catalogue, recordings=tuple(random.sample(catalogue.recordings, len(catalogue.recordings))))


class InOrderOfASet(Good):
    def change(self, catalogue):
        return dataclasses.replace(
            catalogue, recordings=tuple({r.id: r for r in catalogue.recordings}[name] for name in {r.id for r in catalogue.recordings})
        )


class NoMachine(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, machine="")


class OddElement(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, element="Inner Race") if recording.element == "inner" else recording


class SevereHealth(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, severity="small")


class OneBearing(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, bearing=f"{recording.machine} 6205")


class OneSession(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, session=recording.bearing)


class SameMounting(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, mounting="drive end")


class NoRate(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, channels=(dataclasses.replace(recording.channels[0], rate_hz=0.0),))


class TwinChannels(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, channels=recording.channels * 2)


class NoSamples(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, channels=(dataclasses.replace(recording.channels[0], samples=0),))


class Backwards(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, speed_rpm=-1800.0)


class OrdersInHz(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, geometry=Geometry("6205", bpfo=107.3, bpfi=162.2, bsf=70.6, ftf=11.9))


class NoSuchTarget(Good):
    def change(self, catalogue):
        return dataclasses.replace(catalogue, targets=("nearby",))


class Double(Good):
    def spoil(self, signal, recording):
        return signal.astype(np.float64)


class Short(Good):
    def spoil(self, signal, recording):
        return signal[1:]


class Gaps(Good):
    def spoil(self, signal, recording):
        return np.where(np.arange(len(signal)) == 7, np.float32(np.nan), signal)


class Dead(Good):
    def spoil(self, signal, recording):
        return np.ones_like(signal)


class Noisy(Good):
    def spoil(self, signal, recording):
        return signal + np.random.default_rng().normal(size=len(signal)).astype(np.float32)


class SeededByHash(Good):
    def spoil(self, signal, recording):
        return np.random.default_rng(abs(hash(recording.id))).normal(size=len(signal)).astype(np.float32)


class Pickled(Good):
    def spoil(self, signal, recording):
        return pickle.loads(pickle.dumps(signal))  # noqa: S301 - that is the fault


class AnyChannel(Good):
    def read(self, recording, channel):
        return super().read(recording, CHANNEL)


class KeyErrors(Good):
    def read(self, recording, channel):
        return PlantSignals(plant())[recording.dataset, recording.id, channel]


class SilentlyEmpty(Good):
    def catalogue(self):
        return plant() if self.data_dir and (self.data_dir / "here").exists() else Catalogue("plant", "1", (), ())


class Curt(Good):
    def catalogue(self):
        try:
            return super().catalogue()
        except DataError:
            raise DataError("no data") from None


class TooShort(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, channels=(dataclasses.replace(recording.channels[0], samples=100),))


class HalfTooth(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, gearing=Gearing("pair", 17, 0))


class Absent(Good):
    def catalogue(self):
        raise DataError("plant: the data were lost: ask who had them last")


class Unlisted(Good):
    def recording(self, i, recording):
        return dataclasses.replace(recording, channels=(Channel("a", 1000.0),))


class ReturnsNothing(Good):
    def catalogue(self):
        return None


class Exits(Good):
    def catalogue(self):
        raise SystemExit("no data")
