#!/usr/bin/env bash
# A hostile station on the link of a charger and a car: three hosts on a bridge, and everything that a stranger can send,
# at the full rate of the machine, while they charge and while they match. The session goes on or ends safely with its
# true reason; memory, log, recording and the work of a turn stay bounded, and the frames are all accounted for.
set -uo pipefail
export LC_ALL=C
. "$(dirname "$0")/lib.sh"
ROOT=$(root_folder)
OUT=$(target_folder)/interop/flood
FLOOD=${FLOOD:-$(target_folder)/debug/flood}
ALL_KINDS="segments syns slac random discoveries spoofed"
KINDS=${KINDS:-$ALL_KINDS}
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
    # A packet filter on bridges would drop malformed packets.
    ip netns exec "$BRIDGE" sysctl -qw net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-iptables=0 2>/dev/null
    join_bridge "$CHARGER" "$CHARGER_MAC" to_charger 02:00:00:00:01:0e
    join_bridge "$CAR" "$CAR_MAC" to_car 02:00:00:00:01:0c
    join_bridge "$ATTACKER" "$ATTACKER_MAC" to_attacker 02:00:00:00:01:0a
}

join_bridge() { # join_bridge HOST MAC PORT MAC
    add_cable "$1" "$INTERFACE" "$2" "$BRIDGE" "$3" "$4"
    ip -n "$BRIDGE" link set "$3" master br0
}

known_at() { # known_at MAC PORT: frames to this address go there, whoever claims to be it
    ip netns exec "$BRIDGE" bridge fdb replace "$1" dev "$2" master static sticky
}

add_modems() { # the charger's modem is on the bridge, the car's on a cable of its own; the attacker reaches neither
    MODEMS=ccs-modems-$$
    add_host "$MODEMS"
    ip netns exec "$MODEMS" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    add_cable "$MODEMS" charger_end 02:00:00:00:02:0e "$BRIDGE" to_modem 02:00:00:00:01:0d
    add_cable "$CAR" plc1 02:00:00:00:00:0d "$MODEMS" car_end 02:00:00:00:02:0c
    ip -n "$BRIDGE" link set to_modem master br0
    ip netns exec "$BRIDGE" bridge link set dev to_modem isolated on
    ip netns exec "$BRIDGE" bridge link set dev to_attacker isolated on
    wait_for_bridge to_modem
}

wait_for_bridge() { # wait_for_bridge PORT...
    local port
    for port; do
        for _ in $(seq 100); do
            ip netns exec "$BRIDGE" bridge link show dev "$port" | grep -q 'state forwarding' && continue 2
            sleep 0.1
        done
        die "the bridge does not forward to $port after 10 s"
    done
}

# ---- what they report

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
on_interface() { # on_interface HOST: what the kernel has seen coming
    ip -n "$1" -s -j link show dev "$INTERFACE" | sed -nE 's/.*"rx":\{"bytes":[0-9]+,"packets":([0-9]+).*/\1/p'; }

check_side() { # check_side NAME HOST CODE LINES-BEFORE SEEN-BEFORE
    local name=$1 log=$RUN/$1.log received accounted seen=$(($(on_interface "$2") - $5)) last
    last=$(last_line "$log")
    received=$(counted "$log" received)
    accounted=$((received + $(counted "$log" dropped) + $(counted "$log" 'filtered by the kernel')))
    echo "        $(grep -F 'frames: ' "$log" | tail -1 | sed 's/^ *//')"
    check "$name: the last line is the stop reason: $last" grep -qE '^stopped by ' <<<"$last"
    check "$name: its exit code is that of a session: $3" is_of_session "$3"
    check "$name: no panic" nothing "$(grep -iE 'panicked|program failed' "$log")"
    check "$name: resident memory $(cat "$RUN/$name.peak") kB" at_least "$MOST_KB" "$(cat "$RUN/$name.peak")"
    check "$name: $(lines "$log") lines, $4 before the flood" at_least $((MOST_LINES + $4)) "$(lines "$log")"
    check "$name: the recording ends at its limit" at_least "$MOST_RECORDED" "$(stat -c %s "$RUN/$name.pcapng")"
    check "$name: frames received are taken or ignored" equal \
        $(($(counted "$log" taken) + $(counted "$log" ignored))) "$received"
    # Those that came before the socket was there, or after it, are none of its.
    check "$name: received, dropped and filtered are what came: $accounted of $seen" at_least "$seen" "$accounted"
    check "$name: and of a hundred frames one at most is unaccounted for" at_least $((100 * accounted)) $((99 * seen))
    check "$name: no turn took more frames than its budget" at_least "$MOST_FRAMES" "$(most_frames "$log")"
    check "$name: the plant was read in each turn" equal "$(counted "$log" readings)" "$(turns "$log")"
    check "$name: and driven in each turn" at_least "$(counted "$log" demands)" "$(turns "$log")"
}

turns() { counted "$1" turns; }
most_frames() { grep -F 'frames: ' "$1" | tail -1 | sed -nE 's/.*at most ([0-9]+) frames in one.*/\1/p'; }
is_of_session() { [ "$1" = 0 ] || { [ "$1" -ge 10 ] && [ "$1" -le 65 ]; } || equal "$1" "0 or 10..65"; }

# ---- the runs

start_session() { # until current flows
    start "$CHARGER" "$RUN/charger.log" "$CCS" evse -i "$INTERFACE" --config "$OUT/charger.toml" --link up \
        --plant simulated --sessions 1 --record "$RUN/charger.pcapng" --record-max-mb 1
    EVSE=$STARTED
    wait_for "$RUN/charger.log" "[005]" 20 "$EVSE"
    start "$CAR" "$RUN/car.log" "$CCS" pev -i "$INTERFACE" --link up --plant simulated --soc 20 --sessions 1 \
        --record "$RUN/car.pcapng" --record-max-mb 1
    PEV=$STARTED
    wait_for "$RUN/car.log" "ready on" 10 "$PEV"
    CHARGER_IS=$(own_address "$RUN/charger.log") CAR_IS=$(own_address "$RUN/car.log")
    known_at "$CHARGER_IS" to_charger
    known_at "$CAR_IS" to_car
    wait_for "$RUN/car.log" "[710]" 60 "$PEV"
    watch_memory "$EVSE" "$RUN/charger.peak" &
    PROCESSES+=($!)
    watch_memory "$PEV" "$RUN/car.peak" &
    PROCESSES+=($!)
}

flood() { # flood KIND...: what happens to a session
    RUN=$OUT/$1
    mkdir -p "$RUN"
    echo "-- $*"
    local charger_seen car_seen charger_lines car_lines flooder charger_code car_code
    charger_seen=$(on_interface "$CHARGER") car_seen=$(on_interface "$CAR")
    start_session
    charger_lines=$(lines "$RUN/charger.log") car_lines=$(lines "$RUN/car.log")
    start "$ATTACKER" "$RUN/flood.log" "$FLOOD" "$INTERFACE" "$EACH" "$CHARGER_IS" "$CAR_IS" "$@"
    flooder=$STARTED
    check "$1: the flood ends by itself" end_by "$flooder" $((EACH * $# + 60))
    alive "$flooder" || check "$1: its exit code" equal "$(exit_code "$flooder")" 0
    sed 's/^/        /' "$RUN/flood.log"
    check "$1: it was a flood" at_least "$(sed -nE 's/^all: ([0-9]+) .*/\1/p' "$RUN/flood.log")" $((EACH * 3000))
    if alive "$PEV" && alive "$EVSE" && ! said "$RUN/car.log" "stopping: "; then
        echo "        the session went on"
        kill -INT "$PEV"
    fi
    check "$1: the car ends" end_by "$PEV" 30
    check "$1: the charger ends" end_by "$EVSE" 30
    car_code=$(exit_code "$PEV") charger_code=$(exit_code "$EVSE")
    check_side charger "$CHARGER" "$charger_code" "$charger_lines" "$charger_seen"
    check_side car "$CAR" "$car_code" "$car_lines" "$car_seen"
}

matching() { # what happens to a charger whose car is matched meanwhile
    RUN=$OUT/matching
    mkdir -p "$RUN"
    echo "-- matching"
    local seen modem flooder
    seen=$(on_interface "$CHARGER")
    start "$MODEMS" "$RUN/modems.log" "$CCS" sim-modem charger_end car_end
    modem=$STARTED
    wait_for "$RUN/modems.log" "ready" 10 "$modem"
    start "$CHARGER" "$RUN/charger.log" "$CCS" evse -i "$INTERFACE" --config "$OUT/charger.toml" --plant simulated \
        --sessions 1 --record "$RUN/charger.pcapng" --record-max-mb 1
    EVSE=$STARTED
    wait_for "$RUN/charger.log" "[005]" 60 "$EVSE"
    known_at "$(own_address "$RUN/charger.log")" to_charger
    watch_memory "$EVSE" "$RUN/charger.peak" &
    PROCESSES+=($!)
    start "$CAR" "$RUN/car.log" "$CCS" pev -i plc1 --plant simulated --soc 20 --sessions 1
    PEV=$STARTED
    wait_for "$RUN/car.log" "ready on" 10 "$PEV"
    start "$ATTACKER" "$RUN/flood.log" "$FLOOD" "$INTERFACE" "$EACH" "$(own_address "$RUN/charger.log")" \
        "$(own_address "$RUN/car.log")" slac
    flooder=$STARTED
    check "matching: the flood ends by itself" end_by "$flooder" $((EACH + 60))
    sed 's/^/        /' "$RUN/flood.log"
    wait_for "$RUN/car.log" "[710]" 120 "$PEV"
    kill -INT "$PEV"
    check "matching: the car ends" end_by "$PEV" 30
    check "matching: the charger ends" end_by "$EVSE" 30
    check_side charger "$CHARGER" "$(exit_code "$EVSE")" 60 "$seen"
    check "car: the last line is the stop reason" grep -qE '^stopped by ' <<<"$(last_line "$RUN/car.log")"
    kill "$modem"
    check "modems: they end when asked" end_by "$modem" 10
}

need ip bridge ethtool sysctl tshark
find_ccs
[ -x "$FLOOD" ] || die "no $FLOOD: run 'cargo build -p benches --bin flood' first"
rm -rf "$OUT"
mkdir -p "$OUT"
printf '[charger]\nisolation_test_s = 1\n[plant]\nisolation_time_s = 1\n' >"$OUT/charger.toml"
make_bridge
wait_for_bridge to_charger to_car to_attacker
for kind in $KINDS; do
    flood "$kind"
done
if [ "$KINDS" = "$ALL_KINDS" ]; then
    add_modems
    matching
fi
for name in charger car; do
    check "$name: a recording that ended at its limit is whole" nothing \
        "$(tshark -r "$OUT/random/$name.pcapng" 2>&1 >/dev/null | grep -v 'Running as user')"
done
closing_line
