#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the Debian or Ubuntu packages of the named sections of tools/packages.txt, as far as they are missing.
# Without anything missing it neither needs root nor the network.
#
#   tools/install_packages.sh [--list | --missing] [section...]      (default: build run test)
set -euo pipefail
cd "$(dirname "$0")/.."

mode=install
case "${1:-}" in
  --list | --missing) mode=${1#--}; shift ;;
  -h | --help) sed -n '3,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
  -*) echo "error: $1: unknown option (allowed --list, --missing)" >&2; exit 2 ;;
esac
sections=("$@")
[ ${#sections[@]} -gt 0 ] || sections=(build run test)

for section in "${sections[@]}"; do
  grep -qx "\[$section\]" tools/packages.txt ||
    { echo "error: tools/packages.txt: no such section: $section" >&2; exit 2; }
done
mapfile -t entries < <(awk -v wanted=" ${sections[*]} " '
  /^\[/ { name = substr($0, 2, length($0) - 2); next }
  /^[^#]/ && NF && index(wanted, " " name " ") && !seen[$1]++ { print $1 }' tools/packages.txt)

if [ "$mode" = list ]; then
  printf '%s\n' "${entries[@]}"
  exit 0
fi
if ! command -v dpkg-query >/dev/null; then
  echo "packages: no dpkg on this system; these are needed under its own names: ${entries[*]}"
  exit 0
fi

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
known() { [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }

# Sets `missing` to the entries of which no alternative is installed.
find_missing() {
  missing=()
  local entry name
  for entry in "${entries[@]}"; do
    for name in $(tr '|' ' ' <<<"${entry#\?}"); do
      installed "$name" && continue 2
    done
    missing+=("$entry")
  done
}

find_missing
if [ ${#missing[@]} -eq 0 ]; then
  echo "packages: all ${#entries[@]} are installed"
  exit 0
fi
if [ "$mode" = missing ]; then
  printf '%s\n' "${missing[@]}"
  exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "error: packages: missing, and neither root nor sudo to install them: ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi

# The alternative that this distribution has; nothing for an optional entry it lacks.
choose() {
  local name
  for name in $(tr '|' ' ' <<<"${1#\?}"); do
    known "$name" && { echo "$name"; return; }
  done
  [[ $1 == \?* ]] || echo "${1%%|*}"
}

echo "packages: installing ${#missing[@]} of ${#entries[@]}: ${missing[*]}"
"${as_root[@]}" apt-get update -q ||
  echo "packages: apt-get update failed (no network?), going on with the lists that are here" >&2
names=()
for entry in "${missing[@]}"; do
  name=$(choose "$entry")
  if [ -n "$name" ]; then names+=("$name"); else echo "packages: not in this distribution, left out: ${entry#\?}"; fi
done
if [ ${#names[@]} -gt 0 ]; then
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${names[@]}"
fi
echo "packages: done"
