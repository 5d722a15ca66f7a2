# Two hosts on one machine, joined by a cable, and the processes on them. Sourced by the scripts beside it.
# Everything made here is removed on exit, and only processes started here are ended, by their process id.

INTERFACE=plc0 # its name in both namespaces
PROCESSES=()   # process ids, in the order of their start
PASSED=0
FAILED=0

root_folder() { (cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd); }
target_folder() { echo "${CARGO_TARGET_DIR:-$ROOT/target}"; }

die() {
    echo "$(basename "$0"): $*" >&2
    exit 1
}

need() { # need PROGRAM...: end unless each one is installed
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || die "needs '$program': install it (tests/interop/README.md has the list)"
    done
}

# The tools for peers lie beside the project. Without them there is nothing to talk to; in CI that is a failure.
find_tools() {
    TOOLS=${CCS_TOOLS:-$ROOT/../shared/tools}
    [ -f "$TOOLS/josev/josev.py" ] && return
    [ "${CI:-}" = true ] && die "no peer tools at ${CCS_TOOLS:-../shared/tools}; CI must have them"
    echo "skipped: no peer tools beside the project"
    exit 0
}

# ---- hosts

make_hosts() { # sets CHARGER and CAR to the names of two namespaces joined by a veth pair
    [ "$(id -u)" = 0 ] || die "needs root for network namespaces: run it with sudo"
    local id=$$ host
    CHARGER=ccs-evse-$id CAR=ccs-pev-$id
    trap remove_hosts EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    ip netns add "$CHARGER"
    ip netns add "$CAR"
    ip link add "$INTERFACE" netns "$CHARGER" address 02:00:00:00:00:0e type veth \
        peer name "$INTERFACE" netns "$CAR" address 02:00:00:00:00:0c
    for host in "$CHARGER" "$CAR"; do
        # No waiting for duplicate addresses, real checksums and no packets larger than the cable's.
        ip netns exec "$host" sysctl -qw "net.ipv6.conf.$INTERFACE.accept_dad=0"
        ip netns exec "$host" ethtool -K "$INTERFACE" tx off tso off gso off gro off >/dev/null
        ip -n "$host" link set lo up
        ip -n "$host" link set "$INTERFACE" up
    done
    # The kernel gives the addresses a moment after both ends of the cable are up.
    for host in "$CHARGER" "$CAR"; do
        for _ in $(seq 100); do
            ip -n "$host" -6 addr show dev "$INTERFACE" scope link -tentative | grep -q fe80 && continue 2
            sleep 0.1
        done
        die "no link-local address on $INTERFACE in $host after 10 s"
    done
}

remove_hosts() {
    local code=$? process
    trap - EXIT
    for process in ${PROCESSES[@]+"${PROCESSES[@]}"}; do
        kill "$process" 2>/dev/null
    done
    for process in ${PROCESSES[@]+"${PROCESSES[@]}"}; do
        end_by "$process" 5 || kill -KILL "$process" 2>/dev/null
    done
    ip netns del "$CAR" 2>/dev/null
    ip netns del "$CHARGER" 2>/dev/null
    exit "$code"
}

# ---- processes

start() { # start HOST LOG COMMAND...: sets STARTED to the process id
    local host=$1 log=$2
    shift 2
    ip netns exec "$host" "$@" >"$log" 2>&1 </dev/null &
    STARTED=$!
    PROCESSES+=("$STARTED")
}

alive() { kill -0 "$1" 2>/dev/null; }

end_by() { # end_by PROCESS SECONDS: wait for its end; fails when it still runs
    local tenths=$(($2 * 10))
    while alive "$1"; do
        [ "$((tenths--))" -gt 0 ] || return 1
        sleep 0.1
    done
}

exit_code() { # exit_code PROCESS: of one that has ended
    local code=0
    wait "$1" || code=$?
    echo "$code"
}

wait_for() { # wait_for LOG TEXT SECONDS PROCESS: until the text is in the log
    local tenths=$(($3 * 10))
    until grep -q -- "$2" "$1" 2>/dev/null; do
        alive "$4" || grep -q -- "$2" "$1" || { tail -5 "$1" >&2; die "$(basename "$1") ended before it said '$2'"; }
        [ "$((tenths--))" -gt 0 ] || { tail -5 "$1" >&2; die "$(basename "$1") did not say '$2' within $3 s"; }
        sleep 0.1
    done
}

# ---- checks

check() { # check WHAT COMMAND...: one line, counted
    local what=$1
    shift
    if "$@"; then
        PASSED=$((PASSED + 1))
        echo "ok      $what"
    else
        FAILED=$((FAILED + 1))
        echo "FAILED  $what"
    fi
}

equal() { [ "$1" = "$2" ] || { printf '        expected: %s\n        found:    %s\n' "$2" "$1"; false; }; }
at_least() { [ "$1" -ge "$2" ] || { printf '        expected: at least %s\n        found:    %s\n' "$2" "$1"; false; }; }
nothing() { [ -z "$1" ] || { sed 's/^/        /' <<<"$1" | head -12; false; }; }

closing_line() { # the script's result: the last line and the exit code
    echo "$PASSED passed, $FAILED failed"
    [ "$FAILED" = 0 ]
}
