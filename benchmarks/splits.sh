#!/bin/sh
# The published splits of the built-in scenarios: what stands in splits/, the default request, seeds 0 to 2.
# FAULTBENCH_DATA names the folder that holds cwru/ and uestc/.
#   sh benchmarks/splits.sh
set -eu
there=$(dirname "$0")/../splits
: "${FAULTBENCH_DATA:?name the folder that holds cwru/ and uestc/}"
levels=window,session,new-device,unseen-bearing
faultbench data split -d cwru -s "$levels" -s new-device:target=fan-end -s unseen-bearing:target=fan-end -o "$there"
faultbench data split -d simulated -s "$levels" -o "$there"
faultbench data split -d uestc -s window,session -o "$there"
faultbench data split -d cwru -s new-dataset -s new-dataset:inside=T3 --source uestc,simulated -o "$there"
faultbench data split -d uestc -s new-dataset -s new-dataset:base=orders --source cwru,simulated -o "$there"
faultbench data split -d simulated -s new-dataset -s new-dataset:inside=T3 --source cwru,uestc -o "$there"
