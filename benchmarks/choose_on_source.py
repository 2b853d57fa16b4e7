"""How the defaults of the learners were chosen: by cross-validation on the source, grouped by bearing or by mounting.

    python benchmarks/choose_on_source.py -d cwru -l maml -l maml:inner_steps=3 -l centroid
    python benchmarks/choose_on_source.py -d simulated --group mounting -l maml

No signal of the scenario's target is read. The source is cut into folds by bearing (or by mounting:
another transfer path, as at a new device); a learner is meta-trained on all folds but one, and its episodes are drawn from
the one left out. Printed are the mean accuracy over folds, clean and in white noise, and the worst fold. FAULTBENCH_DATA
names the folder of the data.
"""

import argparse
import dataclasses
import json
import os
import time
from pathlib import Path

import numpy as np
import torch

from faultbench.data.episodes import EpisodeDrawer, generator
from faultbench.data.split import EpisodeRequest
from faultbench.data.windows import cut
from faultbench.learning.contracts import Budget, NetShape
from faultbench.learning.parts import RegistryParts
from faultbench.learning.tasks import Tasks
from faultbench.registry import Registry, make

HERE = Path(__file__).parent
FOLDS = 3


def source_of(registry, dataset, scenario, request):
    """The source pool of a scenario's split, and its signals. Of the others only the catalogue's lengths are looked at."""
    data = make(registry.choose("datasets", dataset), data_dir=Path(os.environ.get("FAULTBENCH_DATA", HERE.parents[1] / "shared" / "data")))
    split = make(registry.choose("scenarios", scenario)).split([data.catalogue()], request, 0)
    signals = {(r.dataset, r.id, c): data.read(r, c) for r, c in zip(split.source.recordings, split.source.leads, strict=True)}
    return split, signals


def part_of(pool, rows):
    """A pool of some rows of another."""
    return pool.only(rows)


def folds(pool, group):
    """(training rows, test rows) of each fold."""
    names = sorted({getattr(r, group) for r in pool.recordings})
    shuffled = np.random.default_rng(5).permutation(names)
    for held in np.array_split(shuffled, min(FOLDS, len(names))):
        inside = [i for i, r in enumerate(pool.recordings) if getattr(r, group) in set(held.tolist())]
        used = {pool.recordings[i].bearing for i in inside}
        yield [i for i, r in enumerate(pool.recordings) if r.bearing not in used], inside


def noised(windows, snr_db, rng):
    """White noise at a ratio to each window's own power."""
    if snr_db is None:
        return windows
    deviation = windows.std(-1, keepdims=True)
    return (windows + rng.standard_normal(windows.shape) * deviation * 10 ** (-snr_db / 20)).astype(np.float32)


def evaluate(registry, text, split, signals, fold, request, args):
    """Accuracy per noise level, and seconds of training."""
    train, test = (part_of(split.source, rows) for rows in fold)
    learner = make(registry.choose("learners", text))
    request_here = dataclasses.replace(request, ways=min(request.ways, len(set(test.labels))))
    tasks = Tasks(train, signals, split.window, request_here, np.random.SeedSequence(args.seed))
    shape = NetShape(split.window, split.rate_hz, len(split.source.channels[0]), request.ways, request.ways * request.shots)
    began = time.perf_counter()
    net = learner.fit(learner.build(shape, RegistryParts(registry), args.seed), tasks, Budget(scale=args.scale, seed=args.seed))
    seconds = time.perf_counter() - began
    drawer = EpisodeDrawer(test, split.window, request_here)
    accuracy = []
    for level in args.snr:
        snr, rng, hits = None if level == "clean" else float(level), generator(args.seed, "choose"), []
        for turn in range(args.episodes):
            episode = drawer.draw(rng, turn)
            support, query = (
                torch.from_numpy(noised(cut(signals, test, rows, split.window), snr, rng)) for rows in (episode.support, episode.query)
            )
            state = learner.adapt(net, support, torch.eye(request_here.ways)[torch.from_numpy(episode.support_labels)])
            hits.append((learner.predict(net, state, query).argmax(1).numpy() == episode.query_labels).mean())
        accuracy.append(np.mean(hits))
    return accuracy, seconds


def main():
    """Prints a line per learner."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-d", "--dataset", default="cwru")
    parser.add_argument("-s", "--scenario", default="new-device")
    parser.add_argument("-l", "--learner", action="append", required=True)
    parser.add_argument("--group", choices=["bearing", "mounting"], default="bearing")
    parser.add_argument("--ways", type=int, default=5)
    parser.add_argument("--shots", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=60)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full training")
    parser.add_argument("--snr", nargs="*", default=["clean", "0"], help="clean, or dB")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where the figures are written")
    args = parser.parse_args()
    torch.set_num_threads(1)
    registry = Registry.discover()
    request = EpisodeRequest(ways=args.ways, shots=args.shots, shots_rare=args.shots)
    split, signals = source_of(registry, args.dataset, args.scenario, request)
    parts = list(folds(split.source, args.group))
    written = []
    for text in args.learner:
        found = [evaluate(registry, text, split, signals, fold, request, args) for fold in parts]
        accuracy = np.array([a for a, _ in found])
        written.append({"learner": text, "snr": args.snr, "folds": accuracy.tolist(), "mean": accuracy.mean(0).tolist()})
        shown = "  ".join(f"{s} {m:.4f} (worst fold {w:.3f})" for s, m, w in zip(args.snr, accuracy.mean(0), accuracy.min(0), strict=True))
        print(f"{args.dataset} {args.group} K={args.shots} {text}: {shown}  {np.mean([s for _, s in found]):.0f} s a training", flush=True)
    if args.json:
        told = {"dataset": args.dataset, "group": args.group, "shots": args.shots, "episodes": args.episodes, "scale": args.scale}
        args.json.write_text(json.dumps({**told, "learners": written}, indent=1) + "\n")


if __name__ == "__main__":
    main()
