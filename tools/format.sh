#!/bin/bash
# SPDX-License-Identifier: MIT
# Formats every source file with clang-format 14 and .clang-format; --check only says which files would change.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$tool" ] || ! "$tool" --version | grep -q 'version 14\.'; then
  echo "error: clang-format: version 14 is needed, other versions format differently (tools/install_packages.sh lint)" >&2
  exit 1
fi
mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.h' '*.cpp' '*.cu' '*.cuh')
if [ "${1:-}" = --check ]; then
  "$tool" --dry-run -Werror "${files[@]}"
  echo "format: ${#files[@]} files are formatted"
else
  "$tool" -i "${files[@]}"
  echo "format: ${#files[@]} files"
fi
