#!/bin/sh
# What shortcuts score on the real records and on the simulation, at T2, T3 and T4: the leak audit with its probes. Nothing is trained.
# FAULTBENCH_DATA names the folder that holds cwru/ and uestc/.
#   sh benchmarks/shortcuts.sh
set -eu
here=$(dirname "$0")
: "${FAULTBENCH_DATA:?name the folder that holds cwru/ and uestc/}"
faultbench data audit -d cwru,simulated -s new-device,unseen-bearing --json "$here/shortcuts.json"
faultbench data audit -d uestc -s new-dataset --source cwru,simulated --json "$here/shortcuts_uestc.json"
