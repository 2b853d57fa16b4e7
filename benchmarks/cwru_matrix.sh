#!/bin/sh
# The matrix on the real Case Western records: T2, and T3 beside it. FAULTBENCH_DATA names the folder that holds cwru/.
#   sh benchmarks/cwru_matrix.sh
set -eu
here=$(dirname "$0")
: "${FAULTBENCH_DATA:?name the folder that holds cwru/}"
faultbench run -d cwru -s new-device -l maml,cnn,centroid -c none,prune40 -t x86 --shots 5 --seeds 2 --json "$here/cwru_new_device.json"
faultbench run -d cwru -s unseen-bearing -l maml,cnn,centroid -c none,prune40 -t x86 --shots 5 --seeds 2 --json "$here/cwru_unseen_bearing.json"
