#!/usr/bin/env bash
# A hostile station on the link of a charger and a car that charge: three hosts on a bridge, and everything that a
# stranger can send, at the full rate of the machine. The session goes on or ends safely with its true reason; memory,
# log, recording and the work of a turn stay bounded, and the frames are all accounted for.
set -uo pipefail
export LC_ALL=C
. "$(dirname "$0")/lib.sh"
ROOT=$(root_folder)
OUT=$(target_folder)/interop/flood
FLOOD=${FLOOD:-$(target_folder)/debug/flood}
KINDS="segments syns slac random discoveries spoofed"
EACH=${EACH:-3}        # seconds of each kind
MOST_KB=20480          # resident memory of each program at its peak
MOST_LINES=200         # of each log, for the flood
MOST_FRAMES=32         # of a turn: `hal_linux::Budget::TURN`
MOST_RECORDED=1100000  # bytes, with --record-max-mb 1
ATTACKER_MAC=02:00:00:00:00:0a

# ---- hosts

make_bridge() { # charger, car and attacker on a bridge that knows where the first two are and does not learn otherwise
    begin_hosts
    BRIDGE=ccs-bridge-$$ ATTACKER=ccs-attacker-$$
    add_host "$BRIDGE"
    add_host "$ATTACKER"
    ip netns exec "$BRIDGE" sysctl -qw net.ipv6.conf.default.disable_ipv6=1 # a bridge has no packets of its own
    ip netns exec "$ATTACKER" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    ip -n "$BRIDGE" link add br0 type bridge mcast_snooping 0
    ip -n "$BRIDGE" link set br0 up
    join_bridge "$CHARGER" "$CHARGER_MAC" to_charger 02:00:00:00:01:0e
    join_bridge "$CAR" "$CAR_MAC" to_car 02:00:00:00:01:0c
    join_bridge "$ATTACKER" "$ATTACKER_MAC" to_attacker 02:00:00:00:01:0a
}

join_bridge() { # join_bridge HOST MAC PORT MAC
    add_cable "$1" "$INTERFACE" "$2" "$BRIDGE" "$3" "$4"
    ip -n "$BRIDGE" link set "$3" master br0
}

known_at() { # known_at MAC PORT: frames to this address go there, whoever claims to be it
    ip netns exec "$BRIDGE" bridge fdb replace "$1" dev "$2" master static
}

wait_for_bridge() {
    local port
    for port in to_charger to_car to_attacker; do
        for _ in $(seq 100); do
            ip netns exec "$BRIDGE" bridge link show dev "$port" | grep -q 'state forwarding' && continue 2
            sleep 0.1
        done
        die "the bridge does not forward to $port after 10 s"
    done
}

# ---- what they say

own_address() { sed -nE 's/.* ready on [^:]+: ([0-9a-f:]{17})[,;].*/\1/p' "$1"; }
lines() { wc -l <"$1"; }
last_line() { tail -1 "$1"; }
peak_kb() { awk '/^VmHWM/ { print $2 }' "/proc/$1/status" 2>/dev/null; }

watch_memory() { # watch_memory PROCESS FILE: its peak, as long as it runs
    local kb
    while kb=$(peak_kb "$1") && [ -n "$kb" ]; do
        echo "$kb" >"$2.new" && mv "$2.new" "$2"
        sleep 0.2
    done
}

# counted LOG WORDS: the number before these words in the last line of counters; 0 where they are not
counted() {
    local number
    number=$(grep -F 'frames: ' "$1" | tail -1 | sed -nE "s/.*[ (:]([0-9]+) $2.*/\1/p")
    echo "${number:-0}"
}
# on_interface HOST: what the kernel has seen coming
on_interface() { ip -n "$1" -s -j link show dev "$INTERFACE" | sed -nE 's/.*"rx":\{"bytes":[0-9]+,"packets":([0-9]+).*/\1/p'; }

check_side() { # check_side NAME HOST CODE LINES-BEFORE
    local name=$1 log=$OUT/$1.log received dropped filtered seen
    received=$(counted "$log" received) dropped=$(counted "$log" dropped) filtered=$(counted "$log" 'filtered by the kernel')
    seen=$(on_interface "$2")
    echo "        $(grep -F 'frames: ' "$log" | tail -1 | sed 's/^ *//')"
    check "$name: a stop reason is the last line" grep -qE '^stopped by ' <<<"$(last_line "$log")"
    check "$name: its exit code is that of a session: $3, $(last_line "$log")" is_of_session "$3"
    check "$name: no panic" nothing "$(grep -iE 'panicked|overflow' "$log")"
    check "$name: resident memory $(cat "$OUT/$name.peak") kB" at_least "$MOST_KB" "$(cat "$OUT/$name.peak")"
    check "$name: $(lines "$log") lines, $4 before the flood" at_least $((MOST_LINES + $4)) "$(lines "$log")"
    check "$name: frames came" at_least "$received" 1000
    check "$name: frames received are taken or ignored" equal \
        $(($(counted "$log" taken) + $(counted "$log" ignored))) "$received"
    # Those that came before the socket was there, or after it, are none of its.
    check "$name: received, dropped and filtered are what came: $seen on the interface" at_least "$seen" \
        $((received + dropped + filtered))
    check "$name: and no frame in twenty is unaccounted for" at_least $((20 * (received + dropped + filtered))) $((19 * seen))
    check "$name: no turn took more frames than its budget" at_least "$MOST_FRAMES" "$(most_frames "$log")"
    check "$name: the plant was read in each turn" at_least "$(counted "$log" readings)" $(($(turns "$log") - 1))
    check "$name: and driven in each turn" at_least "$(counted "$log" demands)" $(($(turns "$log") - 1))
    check "$name: the recording ends at its limit" at_least "$MOST_RECORDED" "$(stat -c %s "$OUT/$name.pcapng")"
    check "$name: and is whole" equal "$(fields "$OUT/$name.pcapng" frame frame.number | tail -1 | grep -c '^[0-9]*$')" 1
}

turns() { counted "$1" turns; }
most_frames() { grep -F 'frames: ' "$1" | tail -1 | sed -nE 's/.*at most ([0-9]+) frames in one.*/\1/p'; }
is_of_session() { [ "$1" = 0 ] || { [ "$1" -ge 10 ] && [ "$1" -le 65 ]; } || equal "$1" "0 or 10..65"; }

need ip bridge ethtool sysctl tshark
find_ccs
[ -x "$FLOOD" ] || die "no $FLOOD: run 'cargo build -p benches --bin flood' first"
rm -rf "$OUT"
mkdir -p "$OUT"
make_bridge
wait_for_bridge
start "$CHARGER" "$OUT/charger.log" "$CCS" evse -i "$INTERFACE" --link up --plant simulated --sessions 1 \
    --record "$OUT/charger.pcapng" --record-max-mb 1
EVSE=$STARTED
wait_for "$OUT/charger.log" "ready on" 10 "$EVSE"
start "$CAR" "$OUT/car.log" "$CCS" pev -i "$INTERFACE" --link up --plant simulated --soc 50 --enough 52 --sessions 1 \
    --record "$OUT/car.pcapng" --record-max-mb 1
PEV=$STARTED
wait_for "$OUT/car.log" "ready on" 10 "$PEV"
known_at "$(own_address "$OUT/charger.log")" to_charger
known_at "$(own_address "$OUT/car.log")" to_car
wait_for "$OUT/car.log" "[710]" 60 "$PEV"
before_charger=$(lines "$OUT/charger.log") before_car=$(lines "$OUT/car.log")
watch_memory "$EVSE" "$OUT/charger.peak" &
PROCESSES+=($!)
watch_memory "$PEV" "$OUT/car.peak" &
PROCESSES+=($!)
# shellcheck disable=SC2086 # a list of words
start "$ATTACKER" "$OUT/flood.log" "$FLOOD" "$INTERFACE" "$EACH" "$(own_address "$OUT/charger.log")" \
    "$(own_address "$OUT/car.log")" $KINDS
FLOODER=$STARTED
check "the flood ends by itself" end_by "$FLOODER" $((EACH * 6 + 60))
alive "$FLOODER" || check "its exit code" equal "$(exit_code "$FLOODER")" 0
sed 's/^/        /' "$OUT/flood.log"
check "it was one: 1000 frames a second at least" at_least "$(sed -nE 's/^all: ([0-9]+) .*/\1/p' "$OUT/flood.log")" $((EACH * 6000))
check "the car ends by itself" end_by "$PEV" 120
check "the charger ends by itself" end_by "$EVSE" 30
CAR_CODE=$(exit_code "$PEV") CHARGER_CODE=$(exit_code "$EVSE")
check_side charger "$CHARGER" "$CHARGER_CODE" "$before_charger"
check_side car "$CAR" "$CAR_CODE" "$before_car"
closing_line
