#!/usr/bin/env bash
# The mutation check: plants one fault at a time in a copy of the tree, runs the world, and requires that the
# first safety rule that is violated is one of those that the patch names. See README.md.
#   tests/mutation/run.sh               all patches
#   tests/mutation/run.sh NAME...       those whose file name begins with NAME, without the number
#   tests/mutation/run.sh --write       all patches, and writes docs/mutation.md
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
WORK=${CARGO_TARGET_DIR:-$ROOT/target}/mutation
TREE=$WORK/tree
SEEDS=${SEEDS:-300}       # behind the library, until a rule breaks
PATIENCE=${PATIENCE:-300} # seconds that one patch may be played: a planted fault may never come to rest
export CARGO_TARGET_DIR=$WORK/target CARGO_PROFILE_DEV_DEBUG=0

write=no
if [ "${1:-}" = --write ]; then
    [ $# = 1 ] || { echo "--write is for all patches"; exit 2; }
    write=yes
    shift
fi
patches=()
for patch in "$HERE"/patches/*.patch; do
    [ $# = 0 ] && patches+=("$patch")
    for name in "$@"; do
        case $(basename "$patch") in "$name"* | [0-9][0-9]-"$name"*) patches+=("$patch") && break ;; esac
    done
done
[ ${#patches[@]} != 0 ] || { echo "no patch is called $*"; exit 2; }

field() { sed -n "s/^$2: //p" "$1"; }
# The changed line as a table cell, without - or + and without the line of the file name.
changed() { sed -n "s/^$2\([^$2].*\)/\1/p" "$1" | sed 's/^ *//; s/|/\\|/g'; }

# Always with new times: a reverted file must be built again.
rm -rf "$TREE"
mkdir -p "$TREE"
cd "$ROOT"
git ls-files -z | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | tar --extract --touch --directory "$TREE"
cd "$TREE"
# A separate repository, so that `git apply` uses nothing else.
git init --quiet .

# The first violated rule, and where: "E8<tab>scenario X012<tab>words", or "none".
build() { cargo build --quiet --locked -p fastcharge-sim --example broken >"$WORK/build.log" 2>&1; }
play() { timeout "$PATIENCE" "$CARGO_TARGET_DIR/debug/examples/broken" "$SEEDS" 2>"$WORK/play.log"; }

build || { cat "$WORK/build.log"; exit 1; }
echo "built in $SECONDS s; nothing planted: the library and $SEEDS seeds must break no rule"
clean=$(play) || { cat "$WORK/play.log"; exit 1; }
[ "$clean" = none ] || { echo "a rule is broken without any fault: $clean"; exit 1; }

bad=0
rows=""
caught=" "
for patch in "${patches[@]}"; do
    name=$(basename "$patch" .patch)
    begin=$SECONDS
    rules=$(field "$patch" rule)
    # One line is one removed, or one added, or both; the machines, the roles and the watchdog of their hardware are what is under test.
    lines=$(grep -c '^-[^-]' "$patch" || true)/$(grep -c '^+[^+]' "$patch" || true)
    file=$(sed -n 's|^+++ b/||p' "$patch")
    verdict=""
    case $lines in 1/1 | 1/0 | 0/1) ;; *) verdict="NOT ONE LINE: $lines" ;; esac
    case $file in
    crates/evse-fsm/src/* | crates/pev-fsm/src/* | crates/roles/src/*) ;;
    crates/session/src/*) ;; # what both machines take from one place
    crates/sim/src/plant/bench/step.rs) ;; # the hardware's watchdog
    *) verdict="NOT A MACHINE: $file" ;;
    esac
    for rule in ${rules:-none}; do
        grep -q "rule(\"$rule\"," "$ROOT"/crates/sim/src/invariant/rules/*.rs || verdict="NO SUCH RULE: $rule"
    done
    if [ -z "$verdict" ] && ! git apply "$patch" 2>"$WORK/apply.log"; then
        verdict="DOES NOT APPLY: $(head -n 1 "$WORK/apply.log")"
    fi
    if [ -z "$verdict" ]; then
        if ! build; then
            verdict="DOES NOT BUILD: $(grep -m 1 '^error' "$WORK/build.log" || true)"
        elif ! found=$(play); then
            verdict="WAS NOT PLAYED: $(tail -n 1 "$WORK/play.log")"
        else
            IFS=$'\t' read -r rule place _ <<<"$found"
            if [ "$rule" = none ]; then
                verdict="NOT CAUGHT (by ${rules// / or })"
            elif [[ " $rules " == *" $rule "* ]]; then
                verdict="caught by $rule at $place"
                caught+="$rule "
                cell=$(field "$patch" planted)
                rows+="| $name | ${cell//|/\\|} | \`$(changed "$patch" -)\` | \`$(changed "$patch" +)\` | $(field "$patch" hazard) | $rule | $place |"$'\n'
            else
                verdict="NOT CAUGHT by ${rules// / or }: $rule came first, at $place"
            fi
        fi
        cp "$ROOT/$file" "$file"
        touch "$file"
    fi
    case $verdict in caught*) ;; *) bad=$((bad + 1)) ;; esac
    printf '%-36s %s (%d s)\n' "$name" "$verdict" $((SECONDS - begin))
done

all=$(sed -n 's/^ *rule("\([EP][0-9]*\)".*/\1/p' "$ROOT"/crates/sim/src/invariant/rules/{charger,car}.rs)
missing=$(for rule in $all; do [[ $caught == *" $rule "* ]] || printf ' %s' "$rule"; done)
echo "$((${#patches[@]} - bad)) of ${#patches[@]} faults caught in $SECONDS s; rules that caught none of them:${missing:- none}"
[ "$bad" = 0 ] || exit 1
if [ $write = yes ]; then
    {
        sed '/^|---/q' "$ROOT/docs/mutation.md"
        rows=${rows//\`\`/(none)}
        printf '%s\nRules that caught none of them:%s.\n' "$rows" "${missing:- none}"
    } >"$WORK/mutation.md"
    cp "$WORK/mutation.md" "$ROOT/docs/mutation.md"
fi
