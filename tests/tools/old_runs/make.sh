#!/usr/bin/env bash
# make.sh TOOLS: the runs of this folder, by the programs in the folder TOOLS.
set -euo pipefail
tools=$(realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"

# make NAME OPTION...: six steps and some samples, and the samples after twelve steps in two halves.
make() {
  "$tools/train" --data moons --hidden 8 --steps 6 --batch 8 --ema 0.9 --log-every 3 --seed 5 --threads 1 --out "$@"
  rm "$1/samples.png"
  "$tools/sample" "$1" --count 4 --steps 5 >"$1/samples.csv"
  later=$(mktemp -d)
  cp "$1"/* "$later"
  "$tools/train" --resume "$later" --steps 12
  "$tools/sample" "$later" --count 4 --steps 5 >"$1/samples-after-12.csv"
}
make flow
make score --source 8gaussians --path schroedinger-bridge --sigma 1 --score
