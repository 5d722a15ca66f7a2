# Hosts on one machine, joined by cables, and the processes on them. Sourced by the scripts beside it.
# Everything made here is removed on exit, and only processes started here are ended, by their process id.

INTERFACE=plc0 # its name on the charger's and the car's host
CHARGER_MAC=02:00:00:00:00:0e
CAR_MAC=02:00:00:00:00:0c
HOSTS=()     # network namespaces
PROCESSES=() # process ids, in the order of their start
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

find_ccs() { # sets CCS to the program under test
    CCS=${CCS:-$(target_folder)/debug/ccs}
    [ -x "$CCS" ] || die "no $CCS: run 'cargo build -p fastcharge-ccs' first"
    # A latch of another run, or of this machine, must not affect this run.
    export STATE_DIRECTORY=$(target_folder)/interop/state
    rm -rf "$STATE_DIRECTORY"
    mkdir -p "$STATE_DIRECTORY"
}

make_python() { # make_python NAME REQUIREMENTS: sets PYTHON to that of an environment with just these packages
    local venv requirements=$ROOT/tests/interop/$2
    venv=$(target_folder)/interop/$1
    PYTHON=$venv/bin/python
    cmp -s "$requirements" "$venv/complete" && return
    rm -rf "$venv"
    python3.11 -m venv "$venv" || die "cannot make a Python environment"
    "$venv/bin/pip" install -q --disable-pip-version-check --no-deps -r "$requirements" || die "cannot install $1"
    cp "$requirements" "$venv/complete"
}

# start_josev HOST LOG PROGRAM...: one side of Josev with DIN SPEC 70121 alone; its files are made in $OUT
start_josev() {
    local host=$1 log=$2
    shift 2
    mkdir -p "$OUT/pki"
    start "$host" "$log" env NETWORK_INTERFACE="$INTERFACE" PROTOCOLS=DIN_SPEC_70121 PKI_PATH="$OUT/pki/" \
        LOG_LEVEL=INFO MESSAGE_LOG_JSON=false PYTHONUNBUFFERED=1 TMPDIR="$OUT" \
        JAVA_TOOL_OPTIONS="-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1" "$PYTHON" "$@"
}

# ---- hosts

make_hosts() { # sets CHARGER and CAR to the names of two namespaces joined by a veth pair
    begin_hosts
    add_cable "$CHARGER" "$INTERFACE" "$CHARGER_MAC" "$CAR" "$INTERFACE" "$CAR_MAC"
    # The kernel assigns the addresses shortly after both ends of the cable are up.
    local host
    for host in "$CHARGER" "$CAR"; do
        for _ in $(seq 100); do
            ip -n "$host" -6 addr show dev "$INTERFACE" scope link -tentative | grep -q fe80 && continue 2
            sleep 0.1
        done
        die "no link-local address on $INTERFACE in $host after 10 s"
    done
}

make_hosts_with_modems() { # sets CHARGER, CAR and MODEMS, which has cables to both: charger_end and car_end
    begin_hosts
    MODEMS=ccs-modems-$$
    add_host "$MODEMS"
    ip netns exec "$MODEMS" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 # a modem has no packets of its own
    add_cable "$CHARGER" "$INTERFACE" "$CHARGER_MAC" "$MODEMS" charger_end 02:00:00:00:01:0e
    add_cable "$CAR" "$INTERFACE" "$CAR_MAC" "$MODEMS" car_end 02:00:00:00:01:0c
}

begin_hosts() {
    [ "$(id -u)" = 0 ] || die "needs root for network namespaces: run it with sudo"
    trap remove_hosts EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    CHARGER=ccs-evse-$$ CAR=ccs-pev-$$
    add_host "$CHARGER"
    add_host "$CAR"
}

add_host() {
    ip netns add "$1" || die "cannot make the namespace $1"
    HOSTS+=("$1")
    ip -n "$1" link set lo up
}

add_cable() { # add_cable HOST INTERFACE MAC HOST INTERFACE MAC
    ip link add "$2" netns "$1" address "$3" type veth peer name "$5" netns "$4" address "$6" ||
        die "cannot join $1 and $4"
    local host interface
    for end in "$1 $2" "$4 $5"; do
        read -r host interface <<<"$end"
        # No duplicate address detection, real checksums, and no packets larger than the cable's.
        ip netns exec "$host" sysctl -qw "net.ipv6.conf.$interface.accept_dad=0"
        ip netns exec "$host" ethtool -K "$interface" tx off tso off gso off gro off >/dev/null
        ip -n "$host" link set "$interface" up
    done
}

remove_hosts() {
    local code=$? process host
    trap - EXIT
    for process in ${PROCESSES[@]+"${PROCESSES[@]}"}; do
        kill "$process" 2>/dev/null
    done
    for process in ${PROCESSES[@]+"${PROCESSES[@]}"}; do
        end_by "$process" 5 || kill -KILL "$process" 2>/dev/null
    done
    for host in ${HOSTS[@]+"${HOSTS[@]}"}; do
        ip netns del "$host" 2>/dev/null
    done
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

said() { # said LOG TEXT [TIMES]: whether the text is in so many lines of the log
    local times
    times=$(grep -c -F -- "$2" "$1" 2>/dev/null)
    [ "${times:-0}" -ge "${3:-1}" ]
}

happened() { # happened PATTERN: how often the log on the standard input says so; a line may stand for more than one
    awk -v pattern="$1" '$0 ~ pattern { n += match($0, /[.]{3} [0-9]+ more in /) ? substr($0, RSTART + 4) + 0 : 1 } END { print n + 0 }'
}

wait_for() { # wait_for LOG TEXT SECONDS PROCESS [TIMES]: until the text is in the log, in that many lines
    local tenths=$(($3 * 10)) times=${5:-1}
    until said "$1" "$2" "$times"; do
        alive "$4" || said "$1" "$2" "$times" || { tail -5 "$1" >&2; die "$(basename "$1") ended before it said '$2'"; }
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
unequal() { [ "$1" != "$2" ] || { printf '        both times: %s\n' "$1"; false; }; }
nothing() { [ -z "$1" ] || { sed 's/^/        /' <<<"$1" | head -12; false; }; }

# ---- recordings, by a reader that is not ours

# fields RECORDING FILTER FIELD...: a line for each frame that passes. Trouble is a line, too, so that no check
# takes it for "nothing found".
fields() {
    local recording=$1 filter=$2 field names=()
    shift 2
    for field; do names+=(-e "$field"); done
    tshark -r "$recording" -o tcp.check_checksum:TRUE -o udp.check_checksum:TRUE -Y "$filter" -T fields \
        "${names[@]}" 2>/dev/null || echo "tshark failed with $?: $recording, '$filter'"
}

count() { fields "$1" "$2" frame.number | wc -l; } # count RECORDING FILTER: its frames

# check_recording RECORDING MESSAGES: that one session with so many messages is on the wire as it should be
check_recording() {
    check "tshark: one discovery question and answer at least" at_least "$(count "$1" 'udp.port == 15118')" 2
    check "tshark: one connection" equal "$(count "$1" 'tcp.flags.syn == 1 && tcp.flags.ack == 0')" 1
    check "tshark: $2 messages in segments of their own" at_least "$(count "$1" 'tcp.len > 0')" "$2"
    check "tshark: both sides close" at_least "$(count "$1" 'tcp.flags.fin == 1')" 2
    check "tshark: no reset" equal "$(count "$1" 'tcp.flags.reset == 1')" 0
    # If a machine stands still for 200 ms, Linux sends again: no fault of either side.
    local again
    again=$(count "$1" 'tcp.analysis.retransmission')
    check "tshark: $again sent twice, of a hundred one at most" at_least $(($2 / 100)) "$again"
    check "tshark: no wrong checksum" equal "$(count "$1" 'tcp.checksum.status == 0 || udp.checksum.status == 0')" 0
    check "tshark: nothing malformed" equal "$(count "$1" '_ws.malformed')" 0
}

# complaints LOG: what a Python program says from level WARNING on, and its exceptions
complaints() { grep -E '^(WARNING|ERROR|CRITICAL)|Traceback|^[A-Za-z.]*(Error|Exception)\b' "$1"; }

# What Josev's car logs as sent and received.
josev_car_sent() { sed -nE 's/.* Sent ([A-Za-z]+Req)$/\1/p' "$OUT/car.log"; }
josev_car_received() { sed -nE 's/.* ([A-Za-z]+Res) received$/\1/p' "$OUT/car.log"; }

check_summary() { # check_summary WHO KIND NAMES: the recording has as many of each message whose name ends so
    "$CCS" decode --summary "$RECORDING" >"$OUT/summary.txt" 2>&1
    check "ccs decode --summary: exit code" equal $? 0
    check "ccs decode --summary counts what $1 sent" equal \
        "$(sed -nE "s/^ +([0-9]+) ([A-Za-z]+$2)\$/\1 \2/p" "$OUT/summary.txt" | sort -k2)" \
        "$(sort <<<"$3" | uniq -c | sed 's/^ *//' | sort -k2)"
}

closing_line() { # the script's result: the last line and the exit code
    echo "$PASSED passed, $FAILED failed"
    [ "$FAILED" = 0 ]
}
