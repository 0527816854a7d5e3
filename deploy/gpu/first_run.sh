#!/usr/bin/env bash
# Trains on all of a log on one GPU by the commands of the product (bf16, data parallel with one device), distils, scores both tiers.
# bash deploy/gpu/first_run.sh LOG LENGTH_COLUMN FOLDER [more options of `pars train`, such as --max-prompts 400]
set -euo pipefail
[ $# -ge 3 ] || { echo "usage: $0 LOG LENGTH_COLUMN FOLDER [options of pars train]" >&2; exit 2; }
log=$1 column=$2 folder=$(realpath -m "$3")
shift 3
mkdir -p "$folder"
export MLFLOW_TRACKING_URI=sqlite:///$folder/mlflow.db _MLFLOW_SERVER_ARTIFACT_ROOT=$folder/artifacts
python -c 'import torch; print("device:", torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU")' | tee "$folder/device.txt"
source=(--lengths "$log" --length-column "$column")
SECONDS=0
pars train "${source[@]}" --target-llm gpu-first-run --precision bf16-mixed --strategy ddp --devices 1 "$@" 2>&1 | tee "$folder/train.txt"
echo "training and distillation: $SECONDS s" | tee -a "$folder/device.txt"
pars evaluate "${source[@]}" --rankers models:/pars-gpu-first-run@challenger --tiers encoder,instant | tee "$folder/table.txt"
