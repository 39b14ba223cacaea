#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds and measures on a GPU host that has nvcc, CMake and ninja but neither our packages nor a network.
#
#   tools/gpu_host.sh bundle             here: downloads the packages the build needs into .gpu_host/ (git-ignored)
#   tools/gpu_host.sh run [stage...]     there: unpacks them and runs the stages; default: build test sanitize bench
#     build      configures with CUDA and builds everything
#     test       every test, then the cases on the CUDA device by themselves
#     sanitize   compute-sanitizer memcheck, racecheck, initcheck and synccheck on the kernels' CUDA cases
#     bench      every program of bench/, and training steps against PyTorch's where it is installed, JSON
#
# `run` writes <date>_<stage>.log, the benchmarks' JSON and <date>.json, the summary, to $OUT, or bench/results/gpu_host.
set -euo pipefail
cd "$(dirname "$0")/.."

bundle=.gpu_host
build=build/gpu_host
prefix=$PWD/$build/prefix

make_bundle() {
  # Libraries and headers only: a compiler and the build tools are there.
  mapfile -t roots < <(tools/install_packages.sh --list build test | grep -E '^(lib.*-dev|nlohmann-json3-dev)')
  mapfile -t packages < <(
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
      --no-enhances "${roots[@]}" | grep -E '^[a-z0-9]' | sort -u |
      grep -vE '^(libc6|libc-dev|libc6-dev|linux-libc|libgcc|libstdc|libgomp|gcc|catch2|pkg|debconf|perl|dpkg|tar)')
  mapfile -t packages < <(apt-cache show --no-all-versions "${packages[@]}" 2>/dev/null |
    awk '/^Package: /{ name = $2 } /^Priority: (optional|extra)/{ print name }' | sort -u)
  rm -rf "$bundle"
  mkdir -p "$bundle"
  (cd "$bundle" && apt-get download -q "${packages[@]}")
  echo "bundle: $(ls $bundle | wc -l) packages, $(du -sm $bundle | cut -f1) MiB in $bundle"
  [ "$(du -sm $bundle | cut -f1)" -le 50 ] || { echo "error: $bundle: more than 50 MiB" >&2; exit 1; }
}

# Finds cuDNN and NCCL where only Python's packages have them, and gives them the names that linkers look for.
link_python_libraries() {
  local site name library
  for site in $(python3 -c 'import site, sys; print("\n".join(site.getsitepackages() + sys.path))' | sort -u); do
    for name in cudnn nccl; do
      library=$(ls "$site/nvidia/$name/lib/lib$name.so".* 2>/dev/null | head -1 || true)
      [ -n "$library" ] && [ ! -e "$prefix/usr/lib/lib$name.so" ] || continue
      ln -sf "$site/nvidia/$name/lib/"* "$prefix/usr/lib/"
      ln -sf "$library" "$prefix/usr/lib/lib$name.so"
      ln -sf "$site/nvidia/$name/include/"* "$prefix/usr/include/"
      echo "$name: $library"
    done
  done
}

stage_build() {
  ls $bundle/*.deb >/dev/null 2>&1 || { echo "error: $bundle: no packages (tools/gpu_host.sh bundle)" >&2; return 3; }
  mkdir -p "$prefix/usr/lib" "$prefix/usr/include"
  for package in $bundle/*.deb; do dpkg -x "$package" "$prefix"; done
  link_python_libraries
  # Old-style run paths also serve the libraries that our libraries need.
  cmake --preset cuda -B $build -DCMAKE_PREFIX_PATH="$prefix/usr" \
    -DCMAKE_BUILD_RPATH="$prefix/usr/lib/$(gcc -print-multiarch);$prefix/usr/lib" \
    -DCMAKE_EXE_LINKER_FLAGS="-Wl,--disable-new-dtags -Wl,-rpath-link,$prefix/usr/lib/$(gcc -print-multiarch)" \
    -DCMAKE_SHARED_LINKER_FLAGS=-Wl,--disable-new-dtags -DCMAKE_MODULE_LINKER_FLAGS=-Wl,--disable-new-dtags
  cmake --build $build -j "$(nproc)"
}

# The gtest programs that have cases on the CUDA device.
cuda_tests() {
  local program
  for program in $build/bin/test_*; do
    if "$program" --gtest_list_tests 2>/dev/null | grep -qi cuda; then echo "$program"; fi
  done
}

stage_test() {
  local code=0 program
  # The figures need gnuplot, which is not there.
  ctest --test-dir $build -E '^report$' --output-on-failure -j "$(($(nproc) / 2 + 1))" || code=1
  for program in $(cuda_tests); do
    "$program" --gtest_filter='*cuda*:*Cuda*:*CUDA*' --gtest_brief=1 || code=1
  done
  return $code
}

stage_sanitize() {
  local code=0 program tool
  command -v compute-sanitizer >/dev/null || PATH=$PATH:/usr/local/cuda/bin
  for program in $(cuda_tests); do
    for tool in memcheck racecheck initcheck synccheck; do
      echo "-- $tool $(basename "$program")"
      timeout "${SANITIZE_SECONDS:-120}" compute-sanitizer --tool $tool --error-exitcode 9 "$program" \
        --gtest_filter='*cuda*:*Cuda*:*CUDA*' --gtest_brief=1 || code=$?
    done
  done
  return $code
}

stage_bench() {
  local code=0 source name
  for source in bench/*.cpp; do
    name=$(basename "$source" .cpp)
    echo "-- $name"
    if [ "$name" = compare ]; then
      $build/bin/compare --quick --json "$out/${date}_compare.json" || code=1
    elif [ "$name" = bench_vade ]; then  # accuracies, not times
      $build/bin/bench_vade > "$out/${date}_bench_vade.json" || code=1
    else
      $build/bin/"$name" --benchmark_out="$out/${date}_$name.json" --benchmark_out_format=json || code=1
    fi
  done
  compare_with_pytorch || code=1
  return $code
}

# Each model's training step against its twin's, eager, compiled and in a CUDA graph. TWINS, TWIN_PRECISIONS: fewer.
compare_with_pytorch() {
  local code=0 model precision how layout
  if ! python3 -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>/dev/null; then
    echo "-- train.py: no PyTorch with CUDA here"
    return 0
  fi
  for model in ${TWINS:-basic basic_wide conv conv_small cvae_genre vade}; do
    case $model in conv* | beta | cvae*) layout=--channels-last ;; *) layout= ;; esac
    for precision in ${TWIN_PRECISIONS:-fp32 fp16}; do
      for how in "" --compile --graph; do
        echo "-- train.py $model $precision $layout $how"
        # shellcheck disable=SC2086  # flags, or nothing
        python3 bench/reference/train.py --compare $build/bin/bench_train --device cuda --model "$model" \
          --precision "$precision" $layout $how --pairs 3 --steps 50 --min-time 1 |
          tee -a "$out/${date}_train_twins.jsonl" || code=1
      done
    done
  done
  return $code
}

run_stages() {
  out=${OUT:-bench/results/gpu_host}
  date=$(date +%Y-%m-%dT%H%M)
  mkdir -p "$out"
  # Headers that no target names are found as system headers.
  export CPLUS_INCLUDE_PATH=$prefix/usr/include C_INCLUDE_PATH=$prefix/usr/include
  export LD_LIBRARY_PATH=$prefix/usr/lib/$(gcc -print-multiarch):$prefix/usr/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  local stages=("$@") stage results=() failed=0 from code
  [ ${#stages[@]} -gt 0 ] || stages=(build test sanitize bench)
  for stage in "${stages[@]}"; do
    declare -F "stage_$stage" >/dev/null ||
      { echo "error: $stage: no such stage (allowed build, test, sanitize, bench)" >&2; exit 2; }
  done
  for stage in "${stages[@]}"; do
    from=$SECONDS
    set +e
    # A subshell of its own, so that `set -e` stays in force inside the stage.
    (set -e; "stage_$stage") 2>&1 | tee "$out/${date}_$stage.log"
    code=${PIPESTATUS[0]}
    set -e
    results+=("$stage $code $((SECONDS - from))")
    [ "$code" -eq 0 ] || failed=1
    [ "$code" -eq 0 ] || [ "$stage" != build ] || break
  done
  # The stage_x lines of the logs are the evidence; this is their index.
  printf '%s\n' "${results[@]}" | python3 -c '
import json, pathlib, platform, re, subprocess, sys
out, date = pathlib.Path(sys.argv[1]), sys.argv[2]
def first(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip().splitlines()[-1]
    except (OSError, IndexError):
        return None
stages = {}
for line in sys.stdin:
    stage, code, seconds = line.split()
    log = (out / f"{date}_{stage}.log").read_text(errors="replace")
    stages[stage] = {
        "exit_code": int(code), "seconds": int(seconds),
        "passed": sum(map(int, re.findall(r"\[  PASSED  \] (\d+) test", log))),
        "failed": sum(map(int, re.findall(r"\[  FAILED  \] (\d+) test", log))),
        "skipped": sum(map(int, re.findall(r"\[  SKIPPED \] (\d+) test", log))),
        "ctest": (re.findall(r"\d+% tests passed.*", log) or [None])[-1],
        "sanitizer_errors": sum(map(int, re.findall(r"ERROR SUMMARY: (\d+)", log))),
    }
summary = {
    "date": date, "commit": first("git", "rev-parse", "HEAD"),
    "gpu": first("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"),
    "nvcc": first("nvcc", "--version") or first("/usr/local/cuda/bin/nvcc", "--version"),
    "system": platform.platform(), "processor": platform.processor() or platform.machine(), "stages": stages,
}
(out / f"{date}.json").write_text(json.dumps(summary, indent=2) + "\n")
print(json.dumps(summary, indent=2))' "$out" "$date"
  return $failed
}

case "${1:-}" in
  bundle) make_bundle ;;
  run) shift; run_stages "$@" ;;
  *) sed -n '3,12s/^# \{0,1\}//p' "$0"; [ "${1:-}" = --help ] || exit 2 ;;
esac
