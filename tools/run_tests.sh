#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is missing, builds everything and runs every test that this machine can run. Needs neither a GPU nor
# the CUDA toolkit; where the toolkit is, the CUDA code is built. Ends with ctest's own closing lines and exit code.
#
#   tools/run_tests.sh [ctest options...]     e.g. -R programs, -LE slow
#   JOBS=N                                    parallel compilations and tests (default: all processors)
set -euo pipefail
cd "$(dirname "$0")/.."

[[ "${1:-}" != --help ]] || { sed -n '3,7s/^# \{0,1\}//p' "$0"; exit 0; }
jobs=${JOBS:-$(nproc)}
started=$SECONDS
say() { printf '== %s (%d s)\n' "$*" $((SECONDS - started)); }

say "packages"
tools/install_packages.sh build run test

preset=cpu
for nvcc in "$(command -v nvcc || true)" "${CUDA_HOME:-}/bin/nvcc" "${CUDA_PATH:-}/bin/nvcc" /usr/local/cuda/bin/nvcc; do
  if [ -x "$nvcc" ]; then preset=cuda; break; fi
done
build=build/$preset
if [ $preset = cuda ]; then
  say "configure $preset: $("$nvcc" --version | sed -n 's/^.*release \([0-9.]*\).*/CUDA toolkit \1/p')"
else
  say "configure $preset: no CUDA toolkit"
fi
cmake --preset $preset

say "build with $jobs jobs"
cmake --build $build -j "$jobs"

# Tests use two threads each, so half as many run side by side.
parallel=$(((jobs + 1) / 2))
say "test, $parallel at a time"
log=$build/tests.log
# The closing lines are held back: what could not run is said first.
set +e
ctest --test-dir $build --output-on-failure -j "$parallel" "$@" 2>&1 | tee $log | sed -u '/ tests passed, /,$d'
code=${PIPESTATUS[0]}
set -e

echo
say "not run on this machine"
{
  gpu=$(command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -c '^GPU ' || true)
  if [ $preset = cpu ]; then
    echo "no CUDA toolkit: CUDA code not built; CUDA cases not run"
  elif [ "${gpu:-0}" -eq 0 ]; then
    echo "no GPU: $(find kernels/cuda -name '*.cu' | wc -l) CUDA sources built; cases on the CUDA device not run"
  fi
  # Reasons come from the skipped cases themselves: the line after the one that names file and line.
  grep -hA1 ': Skipped$' $build/Testing/Temporary/LastTest.log 2>/dev/null | grep -vE ': Skipped$|^--' |
    sort | uniq -c | sort -rn | awk '{ n = $1; $1 = ""; print n (n == 1 ? " case" : " cases") " skipped:" $0 }' || true
  sed -n 's/^simt: /emulated, not run on a GPU: /p' $build/Testing/Temporary/LastTest.log 2>/dev/null | sort -u || true
  sed -n 's/^.* Test *#[0-9]*: \([^ ]*\) .*\*\*\*Skipped.*/skipped: \1/p' $log
} | sed 's/^/  /'
echo
sed -n '/ tests passed, /,$p' $log
exit "$code"
