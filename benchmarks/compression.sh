#!/bin/sh
# What filter pruning costs and gains: two learners, four degrees, on `simulated` and on the Case Western records (T2).
# FAULTBENCH_DATA names the folder that holds cwru/. docs/figures.py draws the result.
#   sh benchmarks/compression.sh
set -eu
here=$(dirname "$0")
: "${FAULTBENCH_DATA:?name the folder that holds cwru/}"
faultbench run -d simulated,cwru -s new-device -l maml,cnn -c none,prune20,prune40,prune60 --seeds 2 --json "$here/compression.json"
