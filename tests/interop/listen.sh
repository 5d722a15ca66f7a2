#!/usr/bin/env bash
# `ccs listen` beside charger and car, with simulated modems between them:
#   mirror   on a bridge between the charger's host and its modem: the same story as both ends tell
#   third    as a third station on the line: what is hidden is said at once; each new key is set in the own modem
#   bridge   two modems back to back as a bridge in the line: the whole session, and the same story
set -uo pipefail
export LC_ALL=C
. "$(dirname "$0")/lib.sh"
ROOT=$(root_folder)
OUT=$(target_folder)/interop/listen
CHARGES=3 # seconds
KNOWN_KEY=0123456789abcdef0123456789abcdef
TAP=ccs-tap-$$

# ---- hosts

add_tap() { # a host on which a listener is; its bridge has no packets of its own
    add_host "$TAP"
    ip netns exec "$TAP" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
    ip -n "$TAP" link add br0 type bridge mcast_snooping 0
    ip netns exec "$TAP" sysctl -qw net.bridge.bridge-nf-call-ip6tables=0 net.bridge.bridge-nf-call-iptables=0 2>/dev/null
    ip -n "$TAP" link set br0 up
}

onto_bridge() { # onto_bridge PORT...
    local port
    for port; do
        ip -n "$TAP" link set "$port" master br0
        for _ in $(seq 100); do
            ip netns exec "$TAP" bridge link show dev "$port" | grep -q 'state forwarding' && continue 2
            sleep 0.1
        done
        die "the bridge does not forward to $port after 10 s"
    done
}

add_modems() {
    MODEMS=ccs-modems-$$
    add_host "$MODEMS"
    ip netns exec "$MODEMS" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
}

end_run() { # end_run: hosts and processes of this run are gone
    local process host
    for process in "${PROCESSES[@]}"; do kill "$process" 2>/dev/null; done
    for process in "${PROCESSES[@]}"; do end_by "$process" 10 || kill -KILL "$process" 2>/dev/null; done
    for host in "${HOSTS[@]}"; do ip netns del "$host"; done
    PROCESSES=() HOSTS=()
}

# ---- processes

begin_run() { # begin_run NAME WHAT
    RUN=$OUT/$1
    mkdir -p "$RUN"
    echo "-- $2"
    begin_hosts
}

start_modems() { # start_modems LOG INTERFACE...
    start "$MODEMS" "$RUN/$1.log" "$CCS" sim-modem --restart-ms 500 "${@:2}"
    wait_for "$RUN/$1.log" "ready" 10 "$STARTED"
}

start_listener() { # start_listener HOST OPTION...
    start "$1" "$RUN/listen.log" "$CCS" listen "${@:2}"
    LISTENER=$STARTED
    wait_for "$RUN/listen.log" "ready on" 10 "$LISTENER"
}

start_charger() { # start_charger NAME OPTION...
    start "$CHARGER" "$RUN/$1.log" "$CCS" evse -i "$INTERFACE" --config "$OUT/charger.toml" --plant simulated \
        --with-keys --record "$RUN/$1.pcapng" "${@:2}"
    EVSE=$STARTED
    wait_for "$RUN/$1.log" "[005]" 60 "$EVSE"
}

charge() { # a car charges for some seconds and is stopped
    start "$CAR" "$RUN/car.log" "$CCS" pev -i "$INTERFACE" --plant simulated --soc 20 --sessions 1 \
        --with-keys --record "$RUN/car.pcapng"
    PEV=$STARTED
    wait_for "$RUN/car.log" "[710]" 90 "$PEV"
    sleep "$CHARGES"
    kill -INT "$PEV"
    check "$(basename "$RUN"): the car ends" end_by "$PEV" 30
    check "$(basename "$RUN"): the charger ends" end_by "$EVSE" 30
}

end_listener() {
    kill -INT "$LISTENER"
    check "$(basename "$RUN"): Ctrl-C ends the listener" end_by "$LISTENER" 10
    check "$(basename "$RUN"): its exit code" equal "$(exit_code "$LISTENER")" 0
}

# ---- what they report

# The story of a session without what a place in the recording decides: frame numbers, times to the tenth.
story() { # story FILE
    sed -n '/^  session 1: /,$p' "$1" | sed '1d' | sed '/^    [^ ]/!Q' |
        sed -E 's/, (frame|message) [0-9]+//g; s/([A-Za-z]) [0-9.]+ s/\1/g; s/[0-9.]+ rounds/rounds/'
}

check_story() { # check_story: the listener, and both ends by what they recorded
    local name side
    name=$(basename "$RUN")
    for side in charger car; do
        "$CCS" decode --summary "$RUN/$side.pcapng" >"$RUN/$side.summary"
    done
    check "$name: a session with who, limits, SoC, precharge, power and phases" at_least \
        "$(story "$RUN/listen.log" | wc -l)" 6
    check "$name: the same story as the charger's recording" equal \
        "$(story "$RUN/listen.log")" "$(story "$RUN/charger.summary")"
    check "$name: the same story as the car's recording" equal \
        "$(story "$RUN/listen.log")" "$(story "$RUN/car.summary")"
    check "$name: the same story as the charger's own log" equal "$(story "$RUN/listen.log")" "$(story "$RUN/charger.log")"
    check "$name: the same story as the car's own log" equal "$(story "$RUN/listen.log")" "$(story "$RUN/car.log")"
    check "$name: as many messages as the charger had" equal \
        "$(messages "$RUN/listen.log")" "$(messages "$RUN/charger.summary")"
    check "$name: ended by the car, as both ends say" said "$RUN/listen.log" "ended by the car (PowerDelivery(false) in CurrentDemand"
    check "$name: so says the charger" grep -q '^stopped by the car in ' "$RUN/charger.log"
}

messages() { sed -nE 's/^ +([0-9]+) ([A-Za-z]+Re[qs])$/\1 \2/p' "$1" | sort -k2; }

check_no_key() { # check_no_key RECORDING: the keys that were given are not in the listener's log
    local keys
    keys=$(fields "$RUN/$1.pcapng" "homeplug_av.mmhdr.mmtype == 0x607d" homeplug_av.gp.cm_slac_match.nmk | tr -d : | sort -u)
    check "$(basename "$RUN"): a key was given" at_least "$(tr -d '0\n' <<<"$keys" | wc -c)" 16
    check "$(basename "$RUN"): it is not in the listener's log" nothing \
        "$(tr -d ' :,' <"$RUN/listen.log" | grep -o -i -F "$keys")"
}

# ---- the runs

mirror() {
    begin_run mirror "a mirror between the charger's host and its modem"
    add_modems
    add_tap
    add_cable "$CHARGER" "$INTERFACE" "$CHARGER_MAC" "$TAP" to_charger 02:00:00:00:01:0e
    add_cable "$MODEMS" charger_end 02:00:00:00:02:0e "$TAP" to_modem 02:00:00:00:01:0d
    add_cable "$CAR" "$INTERFACE" "$CAR_MAC" "$MODEMS" car_end 02:00:00:00:02:0c
    onto_bridge to_charger to_modem
    start_modems modems charger_end car_end
    start_listener "$TAP" -i to_charger -i to_modem -w "$RUN/listen.pcapng"
    start_charger charger --sessions 1
    charge
    end_listener
    check_story
    check_no_key charger
    check "mirror: nothing is missing" nothing "$(grep -E '==> .*(only|no connection)|warning' "$RUN/listen.log")"
    "$CCS" decode --summary "$RUN/listen.pcapng" >"$RUN/listen.summary"
    check "mirror: its recording tells the same" equal "$(story "$RUN/listen.summary")" "$(story "$RUN/listen.log")"
    check "mirror: tshark reads its recording" at_least "$(count "$RUN/listen.pcapng" 'tcp.len > 0')" 100
    check "mirror: its recording has the message with the key" at_least "$(count "$RUN/listen.pcapng" 'homeplug_av.mmhdr.mmtype == 0x607d')" 1
    check "mirror: and the key is masked there" nothing \
        "$(fields "$RUN/listen.pcapng" "homeplug_av.mmhdr.mmtype == 0x607d" homeplug_av.gp.cm_slac_match.nmk | tr -d ':0\n')"
    check "mirror: only its owner reads it" equal "$(stat -c %a "$RUN/listen.pcapng")" 600
    end_run
}

third() {
    begin_run third "a third station on the line, set up as a car's"
    add_modems
    LISTENS=ccs-listens-$$
    add_host "$LISTENS"
    add_cable "$CHARGER" "$INTERFACE" "$CHARGER_MAC" "$MODEMS" charger_end 02:00:00:00:01:0e
    add_cable "$CAR" "$INTERFACE" "$CAR_MAC" "$MODEMS" car_end 02:00:00:00:01:0c
    add_cable "$LISTENS" "$INTERFACE" 02:00:00:00:00:0b "$MODEMS" listener_end 02:00:00:00:01:0b
    start_modems modems charger_end car_end --listener-as-car listener_end
    printf '%s\n' "$KNOWN_KEY" >"$RUN/key"
    start_listener "$LISTENS" -i "$INTERFACE" --join --key "$RUN/key" -w "$RUN/listen.pcapng" --with-keys
    wait_for "$RUN/listen.log" "modem: ready: it shows the new key" 20 "$LISTENER"
    local which
    for which in first second; do # a charger that is started again draws another key
        start_charger "$which"
        start "$CAR" "$RUN/$which-car.log" "$CCS" pev -i "$INTERFACE" --matches 1 --timeout 60
        check "third: the $which car is matched" end_by "$STARTED" 80
        kill "$EVSE"
        check "third: the $which charger ends when asked" end_by "$EVSE" 10
    done
    wait_for "$RUN/listen.log" "modem: ready: it shows the new key" 30 "$LISTENER" 3
    end_listener
    check "third: what is hidden is said" said "$RUN/listen.log" "only what the charger says is seen"
    check "third: each key is set in the own modem" equal "$(grep -c "is set in the own modem" "$RUN/listen.log")" 2
    check "third: the own modem has each, and before them the one from the file" equal \
        "$(grep -c "modem: ready: it shows the new key" "$RUN/listen.log")" 3
    check "third: the key from the file was sent to the own modem" equal \
        "$(fields "$RUN/listen.pcapng" "homeplug_av.mmhdr.mmtype == 0x6008" homeplug_av.cm_set_key_req.nw_key eth.dst |
            head -1 | tr -d ':\t')" "${KNOWN_KEY}00b052000001"
    check "third: it is not in the listener's log" nothing "$(grep -i "$KNOWN_KEY" "$RUN/listen.log")"
    check "third: and is in the charger's network" said "$RUN/modems.log" "modems 0 and 2 are linked" 2
    check_no_key first
    check_no_key second
    end_run
}

bridge() {
    begin_run bridge "two modems back to back as a bridge in the line"
    add_modems
    add_tap
    add_cable "$CHARGER" "$INTERFACE" "$CHARGER_MAC" "$MODEMS" charger_end 02:00:00:00:01:0e
    add_cable "$CAR" "$INTERFACE" "$CAR_MAC" "$MODEMS" car_end 02:00:00:00:01:0c
    add_cable "$TAP" m1 02:00:00:00:00:1e "$MODEMS" m1_end 02:00:00:00:01:1e
    add_cable "$TAP" m2 02:00:00:00:00:1c "$MODEMS" m2_end 02:00:00:00:01:1c
    onto_bridge m1 m2
    # Two lines: the car and a charger's modem; a car's modem and the charger.
    start_modems car-modems m1_end car_end
    start_modems charger-modems charger_end m2_end
    start_listener "$TAP" -i m1 -i m2 --join
    start_charger charger --sessions 1
    charge
    end_listener
    check_story
    check_no_key charger
    check "bridge: the key is set in both modems" equal "$(grep -c "modem: ready: it shows the new key" "$RUN/listen.log")" 2
    end_run
}

need ip bridge ethtool sysctl tshark
find_ccs
rm -rf "$OUT"
mkdir -p "$OUT"
printf '[charger]\nisolation_test_s = 1\n[plant]\nisolation_time_s = 1\n' >"$OUT/charger.toml"
for run in ${RUNS:-mirror third bridge}; do
    "$run"
done
closing_line
