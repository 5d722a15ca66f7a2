#!/usr/bin/env bash
# Compares two folders or files of text, made by two states of the project: every difference must be a rename that
# `words.sed` lists, so that a rename cannot hide a change.
#   tests/renames/compare.sh BEFORE AFTER
set -euo pipefail
[ $# = 2 ] || { echo "usage: $0 BEFORE AFTER"; exit 2; }
words=$(dirname "$0")/words.sed
if [ -f "$1" ]; then
    diff <(sed -E -f "$words" "$1") "$2"
    exit
fi
[ "$(ls "$1")" = "$(ls "$2")" ] || { echo "not the same files in $1 and $2"; exit 1; }
different=0
for file in "$1"/*; do
    name=$(basename "$file")
    if ! diff -q <(sed -E -f "$words" "$file") "$2/$name" >/dev/null; then
        different=$((different + 1))
        echo "$name differs"
    fi
done
echo "$(ls "$1" | wc -l) files compared, $different differ"
[ "$different" = 0 ]
