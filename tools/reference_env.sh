#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes .venv, the Python environment of bench/reference and of the generators of tests/golden, from the pinned
# bench/reference/requirements.txt. About 3 GB: PyPI's torch is the CUDA build, which also runs on a CPU. Nothing is
# done when .venv is up to date. Then: .venv/bin/python bench/reference/...
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=bench/reference/requirements.txt
if cmp -s $requirements .venv/requirements.txt; then
  echo "reference: .venv is up to date"
  exit 0
fi
tools/install_packages.sh reference
# The system's interpreter: another `python3` on PATH may lack venv, or vanish.
/usr/bin/python3 -m venv --clear .venv
.venv/bin/python -m pip install --disable-pip-version-check -r $requirements
cp $requirements .venv/requirements.txt
echo "reference: .venv holds $(grep -cE '^[a-z]' $requirements) pinned packages and what they need"
