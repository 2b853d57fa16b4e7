"""The stages, a file each, and what each depends on beside its parameters and its inputs.

    ingest -> split -> train -> compress -> export -> measure -> judge
                |                                        |
                +--> episodes ---------------------------+--> compare, of two learners

A scenario that takes other data sets for its source has a `gather` of their `ingest`s in the place of `ingest`.

`audit` stands beside `split` and `episodes`, for those who ask what is shared and train nothing.

What is trained depends on `split` alone, which knows of one episode, so that other numbers of episodes train nothing again.

This file imports none of them: keys are computed without.
"""

from faultbench.matrix.keys import Kind

SPLIT_FOLDER, AUDIT_FILE = "split", "audit.json"
ACHIEVED_FILE = "achieved.json"
ARTIFACT_FOLDER, EXPORT_FILE = "artifact", "export.json"
ROW_FILE, DIFFERENCES_FILE = "row.json", "differences.json"
"""What stages leave for others, in their folders."""

INGEST = Kind("ingest", 1, ("data", "matrix/signals.py"), ("numpy", "scipy"))
GATHER = Kind("gather", 1, INGEST.rooms, INGEST.libraries)
SPLIT = Kind("split", 1, ("data", "matrix/signals.py", "matrix/stages/drawing.py"), ("numpy",))
EPISODES = Kind("episodes", 1, (*SPLIT.rooms, "matrix/stages/split.py"), SPLIT.libraries)
AUDIT = Kind("audit", 1, SPLIT.rooms, SPLIT.libraries)
TRAIN = Kind("train", 1, ("data", "learning", "matrix/signals.py", "matrix/stages/learners.py"), ("numpy", "torch", "pytorch-lightning"))
COMPRESS = Kind("compress", 1, (*TRAIN.rooms, "matrix/stages/train.py"), (*TRAIN.libraries, "torch-pruning"))
EXPORT = Kind("export", 1, (*TRAIN.rooms, "artifact", "matrix/episodes.py"), (*TRAIN.libraries, "onnx", "onnxscript", "onnxruntime"))
MEASURE = Kind("measure", 1, ("artifact", "measuring", "matrix/episodes.py", "matrix/measurement.py"), ("numpy", "onnxruntime"), alone=True)
JUDGE = Kind("judge", 1, ("results", "measuring/summary.py", "matrix/outcome.py", "matrix/measurement.py"), ("numpy", "torchmetrics"))
COMPARE = Kind("compare", 1, ("results", "matrix/outcome.py", "matrix/measurement.py"), ("numpy",))
