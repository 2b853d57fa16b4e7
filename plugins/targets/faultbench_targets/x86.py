"""The target `x86`: onnxruntime's CPU provider on this machine, one core per thread."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from faultbench.api import CellError, Device, EpisodeWindows, Measurement, Timing, probe_host, run_on_host

_NAMES = {"x86_64", "amd64", "x64"}
"""What systems call the architecture, in lower case."""


class X86:
    """The machine that faultbench runs on, if it is an x86-64 one.

    Args:
        threads: Threads of the runtime.
    """

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    def probe(self) -> Device:
        """This machine.

        Raises:
            CellError: It is of another architecture.
        """
        device: Device = probe_host()
        if device.arch.lower() not in _NAMES:
            raise CellError(f"x86: this machine is {device.arch}, not x86-64: choose a target for it (faultbench list targets)")
        return device

    def run(self, artifact: Path, episodes: EpisodeWindows, timing: Timing) -> Measurement:
        """Adapts, predicts and times in a child process that runs the single-file runner.

        Raises:
            CellError: The machine is of another architecture, or the artifact did not run.
        """
        self.probe()
        return run_on_host(artifact, episodes, dataclasses.replace(timing, threads=self.threads))
