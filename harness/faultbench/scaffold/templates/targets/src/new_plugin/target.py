"""This machine as a target: the runner in a process of its own."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

from faultbench.api import CellError, Device, EpisodeWindows, Measurement, Timing, probe_host, run_on_host

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
"""Where Linux says how the clock of the first core is governed. `powersave` and `performance` time differently."""


class NewPlugin:
    """The machine that faultbench runs on.

    A target for a device elsewhere takes the artifact and the episodes there, starts `faultbench/artifact/runner.py`, the single file that
    needs numpy and onnxruntime alone, and brings back what it wrote. `run_on_host` does all of that on this machine.

    Args:
        threads: Threads of the runtime.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def probe(self) -> Device:
        """What would run an artifact. The fingerprint covers whatever changes a time, and nothing that changes by itself.

        Raises:
            CellError: It cannot be reached.
        """
        device: Device = probe_host()
        told = f"{device.fingerprint} {_governor()}".encode()
        return dataclasses.replace(device, fingerprint=hashlib.sha256(told).hexdigest())

    def run(self, artifact: Path, episodes: EpisodeWindows, timing: Timing) -> Measurement:
        """Adapts, predicts and times.

        Raises:
            CellError: The artifact did not run.
        """
        device = self.probe()
        measured = run_on_host(artifact, episodes, dataclasses.replace(timing, threads=self.threads))
        notes = {**measured.notes, "governor": _governor() or "not known"}
        return dataclasses.replace(measured, device=device, notes=notes)


def _governor() -> str:
    try:
        return GOVERNOR.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return ""  # a virtual machine, or another system
    except OSError as error:
        raise CellError(f"new-plugin: {GOVERNOR} cannot be read ({error.strerror}): check its permissions") from error
