#!/usr/bin/env bash
# QEMU's system emulators for the emulated boards, from Debian's packages, unpacked into target/qemu: installing them would
# remove a qemu-utils that is there already. Prints the folder.
set -euo pipefail
cd "$(dirname "$0")/.."
ROOT=$PWD
TO=${CARGO_TARGET_DIR:-$ROOT/target}/qemu
if [ ! -x "$TO/usr/bin/qemu-system-arm" ]; then
    mkdir -p "$TO/debs/partial"
    apt-get update -qq >&2
    # Downloads what is missing of the emulators and their dependencies; installs and removes no package.
    apt-get install -y -qq --no-install-recommends --download-only \
        -o Dir::Cache::archives="$TO/debs" qemu-system-misc qemu-system-arm >&2
    for package in "$TO"/debs/*.deb; do dpkg-deb -x "$package" "$TO"; done
    rm -r "$TO/debs"
fi
echo "$TO"
