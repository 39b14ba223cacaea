#!/bin/bash
# SPDX-License-Identifier: MIT
# Proves the two commands of the README on a machine where nothing was installed by hand: a fresh minimal Debian in a
# chroot, a fresh clone of this repository's HEAD, tools/quick_start.sh and tools/run_tests.sh. Needs root and
# debootstrap; leaves nothing behind.
#
#   tools/check_fresh_machine.sh [--suite NAME] [--cache DIR] [--keep] [command...]
#     --suite NAME   Debian release, default this machine's; the mirror is apt's own
#     --cache DIR    keeps downloaded packages for the next time, default /var/cache/chorale-fresh
#     --keep         leaves the chroot for a look inside
#     command        run in the clone instead of the two commands
set -euo pipefail
cd "$(dirname "$0")/.."

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
cache=/var/cache/chorale-fresh
keep=
while [ $# -gt 0 ]; do
  case $1 in
    --suite) suite=$2; shift 2 ;;
    --cache) cache=$2; shift 2 ;;
    --keep) keep=1; shift ;;
    -h | --help) sed -n '3,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "error: $1: unknown option (allowed --suite, --cache, --keep)" >&2; exit 2 ;;
    *) break ;;
  esac
done
[ "$(id -u)" -eq 0 ] || { echo "error: check_fresh_machine: needs root: a chroot" >&2; exit 1; }
# All mounts live in a namespace of our own and vanish with it.
if [ "${CHORALE_FRESH_NAMESPACE:-}" != yes ]; then
  tools/install_packages.sh fresh
  options=(--suite "$suite" --cache "$cache")
  [ -z "$keep" ] || options+=(--keep)
  CHORALE_FRESH_NAMESPACE=yes exec unshare --mount --propagation private "$0" "${options[@]}" "$@"
fi

# This machine's own sources, with the wanted release in place of its own.
own=$(. /etc/os-release && echo "$VERSION_CODENAME")
sources=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
  awk -v own="$own" -v suite="$suite" '$1 == "Debian" && $4 == "main" && index($3, own) == 1 {
    sub(own, suite, $3); print "deb", $2, $3, $4 }' | sort -u)
mirror=$(awk -v suite="$suite" '$3 == suite { print $2; exit }' <<<"$sources")
[ -n "$mirror" ] || { echo "error: apt: no Debian mirror among its sources; apt-get update first?" >&2; exit 1; }

mkdir -p "$cache/archives"
cache=$(realpath "$cache")
root=$(mktemp -d /var/tmp/chorale-fresh.XXXXXX)
clean() {
  if [ -n "$keep" ]; then
    echo "kept: $root"
    return
  fi
  umount -R "$root/dev" "$root/sys" "$root/proc" "$root/var/cache/apt/archives" 2>/dev/null || true
  grep -q " $root/" /proc/mounts && { echo "still mounted, left alone: $root" >&2; return; }
  rm -rf --one-file-system "$root"
}
trap clean EXIT

started=$SECONDS
say() { printf '=== %s (%d s)\n' "$*" $((SECONDS - started)); }

say "debootstrap $suite"
tarball=$cache/$suite.tar
if [ ! -f "$tarball" ]; then
  debootstrap --variant=minbase --make-tarball="$tarball.part" "$suite" "$root/make" "$mirror" >"$cache/debootstrap.log"
  mv "$tarball.part" "$tarball"
fi
debootstrap --variant=minbase --unpack-tarball="$tarball" "$suite" "$root" "$mirror" >"$cache/debootstrap.log"

echo "$sources" >"$root/etc/apt/sources.list"
apt-config dump | grep -iE '^Acquire::https?::Proxy ' >"$root/etc/apt/apt.conf.d/50proxy" || true
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# Debian's packages stay in the cache of this script instead of being deleted after installation.
echo 'APT::Keep-Downloaded-Packages "true";' >"$root/etc/apt/apt.conf.d/51keep"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount --bind "$cache/archives" "$root/var/cache/apt/archives"

say "clone"
[ -z "$(git status --porcelain)" ] || echo "note: uncommitted changes are not part of the clone"
git clone -q --no-hardlinks . "$root/root/chorale"

inside() {
  chroot "$root" env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    TERM=dumb bash -c 'cd /root/chorale && "$@"' bash "$@"
}
timings=()
timed() {
  local from=$SECONDS
  say "$*"
  inside "$@"
  timings+=("$(printf '%6d s  %s' $((SECONDS - from)) "$*")")
}
if [ $# -gt 0 ]; then
  timed "$@"
else
  timed tools/install_packages.sh build run test
  timed tools/quick_start.sh
  timed tools/run_tests.sh
fi
say "done"
printf '%s\n' "${timings[@]}"
