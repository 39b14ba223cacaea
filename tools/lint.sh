#!/bin/bash
# SPDX-License-Identifier: MIT
# clang-format's check, then clang-tidy (.clang-tidy) on the sources of a configured build.
#
#   tools/lint.sh [--all | FILE...]      default: the .cpp files changed since the main branch
#   BUILD=build/cpu                      the build whose compile_commands.json is used
set -euo pipefail
cd "$(dirname "$0")/.."

build=${BUILD:-build/cpu}
[ -f "$build/compile_commands.json" ] || {
  echo "error: $build: not configured (allowed: a build folder, cmake --preset cpu makes one)" >&2
  exit 2
}
tools/format.sh --check

tidy=$(command -v clang-tidy-14 || command -v clang-tidy || true)
[ -n "$tidy" ] || { echo "error: clang-tidy: not installed (tools/install_packages.sh lint)" >&2; exit 1; }
case "${1:-}" in
  --all) mapfile -t files < <(git ls-files '*.cpp') ;;
  "") mapfile -t files < <({ git diff --name-only --diff-filter=d "$(git merge-base HEAD main 2>/dev/null || echo HEAD)";
                             git ls-files --others --exclude-standard; } | grep '\.cpp$' | sort -u || true) ;;
  *) files=("$@") ;;
esac
# Only what the build knows; -fopenmp's flags and ccache are the compiler's business.
mapfile -t known < <(for f in "${files[@]}"; do grep -q "/$f\"" "$build/compile_commands.json" && echo "$f"; done || true)
if [ ${#known[@]} -eq 0 ]; then
  echo "lint: no changed source is part of $build"
  exit 0
fi
echo "lint: clang-tidy on ${#known[@]} of ${#files[@]} files"
printf '%s\0' "${known[@]}" | nice xargs -0 -n 1 -P "$(nproc)" "$tidy" -p "$build" --quiet \
  --extra-arg=-Wno-unknown-warning-option 2> >(grep -v "warnings generated" >&2)
echo "lint: clean"
