"""A data set read in a process of its own: with another order of sets, and with an ear for pickles. Run as a module; speaks JSON."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from faultbench.data.recording import DataSet, Recording
from faultbench.registry import Choice, make
from faultbench.testing.checks import broken

HASH_SEED = "20250101"
"""Any but the one of this process: strings hash otherwise, so that sets and what follows from them come in another order."""


def read_elsewhere(choice: Choice, data_dir: Path | None, recordings: Iterable[Recording]) -> dict[str, Any]:
    """What another process finds.

    Returns:
        `digest` of the catalogue, `signals` (a digest per recording's id), and `unpickled`, the names that a pickle asked for.

    Raises:
        BrokenPromise: It fails there.
    """
    asked = {
        "choice": {**{name: getattr(choice, name) for name in Choice.__slots__}, "params": dict(choice.params)},
        "data_dir": None if data_dir is None else str(data_dir),
        "ids": [recording.id for recording in recordings],
    }
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(asked),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONHASHSEED": HASH_SEED},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
        broken(f"it cannot be read by another process ({last})", "let it depend on its parameters and on its files alone")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def signal_digest(dataset: DataSet, recording: Recording) -> str:
    """A digest of all signals of a recording."""
    sha = hashlib.sha256()
    for channel in recording.channels:
        sha.update(dataset.read(recording, channel.name).tobytes())
    return sha.hexdigest()


def _main() -> None:
    asked = json.load(sys.stdin)
    unpickled: list[str] = []
    dataset: DataSet = make(Choice(**asked["choice"]), data_dir=None if asked["data_dir"] is None else Path(asked["data_dir"]))
    sys.addaudithook(lambda event, args: unpickled.append(f"{args[0]}.{args[1]}") if event == "pickle.find_class" else None)
    catalogue = dataset.catalogue()
    wanted = set(asked["ids"])
    signals = {r.id: signal_digest(dataset, r) for r in catalogue.recordings if r.id in wanted}
    print(json.dumps({"digest": catalogue.digest, "signals": signals, "unpickled": sorted(set(unpickled))}))


if __name__ == "__main__":
    _main()
