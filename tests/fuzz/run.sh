#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs every fuzz program for a number of seconds on seeds from the golden files; ends 1 when one finds something.
#   tests/fuzz/run.sh [SECONDS] [NAME...]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-120}
shift || true
bin=build/fuzz/bin
work=build/fuzz/corpus
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for program in "$bin"/fuzz_*; do names+=("$(basename "$program" | sed 's/^fuzz_//')"); done
fi
declare -A seeds=([npy]='*.npy' [safetensors]='*.safetensors' [json]='*.json' [config]='*.yaml' [manifest]='*.csv'
  [audio]='*.wav *.flac *.mp3 *.ogg *.opus *.aiff *.au *.w64' [feature_index]='feature_index*.json')
status=0
for name in "${names[@]}"; do
  mkdir -p "$work/$name"
  for pattern in ${seeds[$name]-}; do
    find tests/golden configs tests/fuzz -name "$pattern" -size -64k -exec cp -t "$work/$name" {} + || true
  done
  dictionary=()
  [ -f "tests/fuzz/$name.dict" ] && dictionary=("-dict=tests/fuzz/$name.dict")
  echo "fuzz_$name: $seconds s"
  if ! "$bin/fuzz_$name" -max_total_time="$seconds" -max_len=65536 -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 \
      -artifact_prefix="$work/$name-" "${dictionary[@]}" "$work/$name" >"$work/$name.log" 2>&1; then
    status=1
    echo "fuzz_$name: FAILED, see $work/$name.log"
    grep -E 'ERROR|SUMMARY|check failed|Test unit written' "$work/$name.log" || true
  else
    grep -E 'number_of_executed_units|peak_rss' "$work/$name.log"
  fi
done
exit $status
