#!/usr/bin/env bash
# From a fresh clone to pictures of a trained flow: installs missing packages, builds, trains, samples and draws.
# Completed steps are not repeated, and an interrupted training continues where it stopped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
run=runs/annulus

tools/install-packages.sh build tests
[ -f build/build.ninja ] || meson setup build
meson compile -C build train sample evaluate visualize

# samples.png is the last thing that a training writes.
if [ ! -f $run/samples.png ]; then
  if [ -f $run/config.toml ]; then
    build/tools/train --resume $run
  else
    build/tools/train --preset annulus --out $run
  fi
fi
if [ ! $run/path.gif -nt $run/model.safetensors ]; then
  build/tools/sample $run --count 10000 --image $run/samples.png --gif $run/path.gif
fi

cat <<EOF_NEXT

The pictures are in $PWD/$run:
  samples.png   the data beside 10,000 samples of the trained flow
  path.gif      the samples on their way from noise to data

What to try next:
  build/tools/evaluate $run             how good the samples are, as JSON
  build/tools/visualize marginal        how the field that carries samples looks: marginal.gif
  build/tools/train --preset checkerboard       another density; train --help lists them all
  build/tools/train --data points.csv --out runs/mine
                                                your own points
  tests/run.sh                                  every test
EOF_NEXT
