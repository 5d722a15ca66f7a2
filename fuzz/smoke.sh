#!/usr/bin/env bash
# Builds all fuzz targets once and runs each for a few seconds from its seeds: `fuzz/smoke.sh [SECONDS]`.
# A long run of one target: `RUSTC_BOOTSTRAP=1 cargo fuzz run TARGET` in this folder. What target `world` finds is told
# as a script for `ccs world replay`.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-20}
# The sanitizers of cargo-fuzz need flags that a stable compiler accepts only in this way.
export RUSTC_BOOTSTRAP=1
cargo fuzz --version >/dev/null || { echo "cargo-fuzz is missing: cargo install cargo-fuzz --locked"; exit 1; }
cargo fuzz build
for seeds in seeds/*.hex; do
    target=$(basename "$seeds" .hex)
    corpus=$(mktemp -d)
    python3 - "$seeds" "$corpus" <<'PY'
import pathlib, sys
lines = [line for line in open(sys.argv[1]).read().splitlines() if not line.startswith('#')]
for number, line in enumerate(lines):
    (pathlib.Path(sys.argv[2]) / f'seed{number}').write_bytes(bytes.fromhex(line))
PY
    options=(-timeout=10)
    # A whole world is slow, and a failing one runs some hundred times until its script is short.
    [ "$target" = world ] && options=(-timeout=120 -max_len=160)
    echo "== $target, $seconds s"
    log=$(mktemp)
    if ! cargo fuzz run "$target" "$corpus" -- -max_total_time="$seconds" "${options[@]}" -rss_limit_mb=2048 \
        -print_final_stats=1 >"$log" 2>&1; then
        tail -120 "$log"
        exit 1
    fi
    grep -E '^Done|stat::peak_rss_mb' "$log"
    rm -rf "$corpus" "$log"
done
