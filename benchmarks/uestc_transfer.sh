#!/bin/sh
# T4 on real records: trained on Case Western and on the simulation, adapted on UESTC at one speed, tested at its others; in Hz and in
# orders, clean and in noise, white and that of the machine. And the other way round: trained on UESTC, tested at the drive end of Case
# Western. Beside it T1 on UESTC: the same bearings at other speeds, which says how well a bearing is known again.
# FAULTBENCH_DATA names the folder that holds cwru/ and uestc/.
#   sh benchmarks/uestc_transfer.sh
set -eu
here=$(dirname "$0")
: "${FAULTBENCH_DATA:?name the folder that holds cwru/ and uestc/}"
faultbench run -d uestc -s session -l maml,cnn,centroid --seeds 2 --json "$here/uestc_session.json"
faultbench run -d uestc -s new-dataset,new-dataset:base=orders --source cwru,simulated -l maml,cnn,centroid --seeds 2 \
    --json "$here/uestc_transfer.json"
faultbench run -d uestc -s new-dataset --source cwru,simulated -l maml,cnn,centroid --seeds 2 \
    --snr 10,5,0,-5,floor:10,floor:0,floor:-10,machine:10,machine:0,machine:-5 --json "$here/uestc_noise.json"
faultbench run -d cwru -s new-dataset --source uestc,simulated -l maml,cnn,centroid --seeds 2 --json "$here/cwru_from_uestc.json"
