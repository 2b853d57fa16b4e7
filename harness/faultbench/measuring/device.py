"""What the machine is that runs this process."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path

from faultbench.measuring.target import Device

_CPUINFO = Path("/proc/cpuinfo")
_MODEL_KEYS = ("model name", "cpu model", "Model", "Hardware", "cpu")
"""What /proc/cpuinfo calls the processor: on x86, MIPS, boards of ARM (the last two), POWER."""
_TELLING_KEYS = ("vendor_id", "cpu family", "model", "stepping", "flags", "CPU implementer", "CPU part", "CPU revision", "Features")
"""What tells two processors of one name apart: virtual machines call many `AMD EPYC`."""


_KERNEL_CHOICES = (
    "ATEN_CPU_CAPABILITY",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)
"""Variables by which torch, oneDNN, MKL, numpy and OpenBLAS choose other kernels, whose sums end in other bits."""


def probe_host() -> Device:
    """This machine. Its fingerprint covers all of it but the name, which changes no time."""
    import psutil  # type: ignore[import-untyped]

    cpuinfo = _cpuinfo()
    arch, cpu, cores, system = platform.machine(), _cpu(cpuinfo), os.cpu_count() or 1, platform.platform()
    memory = int(psutil.virtual_memory().total)
    versions = {"python": platform.python_version(), **{name: importlib.metadata.version(name) for name in ("numpy", "onnxruntime")}}
    telling = {key: cpuinfo[key] for key in _TELLING_KEYS if key in cpuinfo}
    said = [arch, cpu, cores, round(memory / 2**30), system, versions, telling]  # a kernel keeps a little memory back, more or less
    return Device(
        name=platform.node() or "localhost",
        arch=arch,
        cpu=cpu,
        cores=cores,
        memory_bytes=memory,
        os=system,
        versions=versions,
        fingerprint=hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest(),
    )


def arithmetic() -> dict[str, object]:
    """What can change the last bits of a sum on this machine: the processor, Python, and what picks the kernels of a library."""
    cpuinfo = _cpuinfo()
    return {
        "arch": platform.machine(),
        "python": platform.python_version(),
        "processor": {key: cpuinfo[key] for key in _TELLING_KEYS if key in cpuinfo},
        "environment": {name: os.environ[name] for name in _KERNEL_CHOICES if name in os.environ},
    }


def _cpuinfo() -> dict[str, str]:
    """The first processor's lines of /proc/cpuinfo, and the board's; empty where there is no such file."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}  # not Linux
    found: dict[str, str] = {}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon:
            found.setdefault(key.strip(), value.strip())
    return found


def _cpu(cpuinfo: Mapping[str, str]) -> str:
    """The processor as a person calls it."""
    for key in _MODEL_KEYS:
        if cpuinfo.get(key):
            return cpuinfo[key]
    if platform.system() == "Darwin":
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=False)
        if asked.stdout.strip():
            return asked.stdout.strip()
    return platform.processor() or platform.machine()
