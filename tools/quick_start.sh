#!/bin/bash
# SPDX-License-Identifier: MIT
# From a clone to results: installs what is missing, builds the programs, renders a small demo corpus, extracts
# features, trains the basic VAE, clusters, evaluates, compares with baselines and writes results/report.html. Needs
# no GPU and no CUDA toolkit; uses both where they are. Run again, it keeps what is there and goes on.
#
#   tools/quick_start.sh [--data DIR] [--results DIR] [--tracks N] [--epochs N] [--seconds S]
set -euo pipefail
cd "$(dirname "$0")/.."

data=data results=results tracks= epochs= seconds=
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '3,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --data | --results | --tracks | --epochs | --seconds)
      [ $# -gt 1 ] || { echo "error: $1: takes one value, none given" >&2; exit 2; }
      declare "${1#--}=$2"
      shift 2
      ;;
    *) echo "error: $1: unknown option (allowed --data, --results, --tracks, --epochs, --seconds)" >&2; exit 2 ;;
  esac
done

started=$SECONDS
say() { printf '\n== %s (%d s)\n' "$*" $((SECONDS - started)); }
run() {
  echo "+ $*"
  build/release/bin/"$@"
}

say "packages"
tools/install_packages.sh build run

say "build"
# CUDA code is worth its compilation only where a GPU answers.
cuda=OFF
if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then
  for nvcc in "$(command -v nvcc || true)" "${CUDA_HOME:-}/bin/nvcc" /usr/local/cuda/bin/nvcc; do
    if [ -x "$nvcc" ]; then cuda=ON; fi
  done
fi
# One set of CPU kernels, the best that this processor runs, is a third of the compilation.
processor_has() {
  local flag
  for flag in "$@"; do
    grep -m1 '^flags' /proc/cpuinfo | grep -qw "$flag" || return 1
  done
}
sets=baseline
if processor_has avx2 bmi1 bmi2 f16c fma abm movbe; then sets=avx2; fi
if [ $sets = avx2 ] && processor_has avx512f avx512bw avx512cd avx512dq avx512vl; then sets=avx512; fi
mkdir -p build
cmake --preset release -DCHORALE_CUDA=$cuda -DCHORALE_CPU_SETS=$sets >build/release.log 2>&1 || { cat build/release.log >&2; exit 1; }
cmake --build build/release -j "$(nproc)"

say "songs, features, model, clusters, baselines"
options=(--data "$data" --results "$results")
[ -z "$tracks" ] || options+=(--n-tracks "$tracks")
[ -z "$seconds" ] || options+=(--seconds "$seconds")
[ -z "$epochs" ] || options+=(--epochs "$epochs")
run quick_start "${options[@]}"

say "done: $results/report.html"
