#!/usr/bin/env bash
# One DIN SPEC 70121 session over a real network stack: Josev's car against our charger, from discovery to
# SessionStop.   josev-din.sh [--selftest]   (--selftest: against Josev's own charger)
set -uo pipefail
export LC_ALL=C
. "$(dirname "$0")/lib.sh"
ROOT=$(root_folder)
case "${1:-}" in
    "") MODE=josev-din ;;
    --selftest) MODE=josev-selftest ;;
    *) die "unknown argument '$1': only --selftest is known" ;;
esac
OUT=$(target_folder)/interop/$MODE
RECORDING=$OUT/session.pcapng
LEAST_ROUNDS=20 # of CurrentDemand; the car asks for up to 100 and 89 come

# What the car sends, repeats taken together: every state of a DIN session.
STATES="supportedAppProtocolReq SessionSetupReq ServiceDiscoveryReq ServicePaymentSelectionReq\
 ContractAuthenticationReq ChargeParameterDiscoveryReq CableCheckReq PreChargeReq PowerDeliveryReq\
 CurrentDemandReq PowerDeliveryReq WeldingDetectionReq SessionStopReq"

start_charger() {
    if [ "$MODE" = josev-selftest ]; then
        start "$CHARGER" "$OUT/tshark.log" tshark -q -i "$INTERFACE" -f ip6 -w "$RECORDING"
        RECORDER=$STARTED
        wait_for "$OUT/tshark.log" "Capturing on" 20 "$RECORDER"
        start_josev "$CHARGER" "$OUT/charger.log" "$TOOLS/josev/josev.py" secc
        EVSE=$STARTED
        wait_for "$OUT/charger.log" "UDP server started" 60 "$EVSE"
    else
        start "$CHARGER" "$OUT/charger.log" "$CCS" evse -i "$INTERFACE" $CCS_EVSE_OPTIONS --record "$RECORDING"
        EVSE=$STARTED
        wait_for "$OUT/charger.log" "$CCS_EVSE_READY" 10 "$EVSE"
    fi
}

end_charger() { # our own ends by itself after one session; Josev's serves for ever
    if [ "$MODE" = josev-selftest ]; then
        wait_for "$OUT/charger.log" "Closing TCP server" 20 "$EVSE"
        sleep 1 # the last packets reach the recorder
        kill "$EVSE" "$RECORDER"
        check "the charger ends when asked" end_by "$EVSE" 10
        check "the recorder ends when asked" end_by "$RECORDER" 10
    else
        check "the charger ends by itself" end_by "$EVSE" 20
        alive "$EVSE" || check "the charger's exit code" equal "$(exit_code "$EVSE")" 0
    fi
}


check_car() {
    local rounds
    rounds=$(josev_car_sent | grep -c CurrentDemandReq)
    check "discovery: the car has an address" grep -q "SDPResponse received" "$OUT/car.log"
    check "handshake: DIN SPEC 70121 chosen" grep -q "Chosen protocol: DIN_SPEC_70121" "$OUT/car.log"
    check "all states, in their order" equal "$(josev_car_sent | uniq | paste -sd' ')" "$STATES"
    check "each request has its response" equal "$(josev_car_received | sed s/Res$/Req/)" "$(josev_car_sent)"
    check "precharge reached" grep -q "Precharge complete" "$OUT/car.log"
    check "CurrentDemand: $rounds rounds" at_least "$rounds" "$LEAST_ROUNDS"
    check "the car's session ended well" grep -q "Communication session stopped successfully" "$OUT/car.log"
    check "the car has no complaint" nothing "$(complaints "$OUT/car.log")"
}

check_charger() {
    if [ "$MODE" = josev-selftest ]; then
        check "the charger's session ended well" grep -q "Session ended in SessionStop (Communication session stopped successfully)" "$OUT/charger.log"
        check "the charger has no complaint" nothing "$(complaints "$OUT/charger.log" | grep -v 'Closing TCP server')"
    else
        check_summary "the car" Req "$(josev_car_sent)"
    fi
}

find_tools
need ip ethtool tshark java javac python3.11
if [ "$MODE" = josev-din ]; then
    # One session without SLAC: both hosts are on the same cable already. The car ends PreCharge after five rounds
    # whatever the voltage is, so the charger has no power stage and reports what the car asks for.
    mkdir -p "$(target_folder)/interop"
    printf '[charger]\npower_stage = false\nprecharge = "mirror"\n' >"$(target_folder)/interop/mirror.toml"
    CONFIG="--config $(target_folder)/interop/mirror.toml"
    CCS_EVSE_OPTIONS=${CCS_EVSE_OPTIONS:-$CONFIG --link up --plant simulated --sessions 1}
    CCS_EVSE_READY=${CCS_EVSE_READY:-ready}
    find_ccs
fi
rm -rf "$OUT"
mkdir -p "$OUT"
make_python josev-0.31.2 josev-requirements.txt
make_hosts
start_charger
start_josev "$CAR" "$OUT/car.log" "$TOOLS/josev/josev.py" evcc "$TOOLS/josev/car-din.json"
EVCC=$STARTED
wait_for "$OUT/car.log" "TCP connection closed" 90 "$EVCC"
end_charger
check_car
check_charger
check_recording "$RECORDING" $((2 * $(josev_car_sent | wc -l)))
closing_line
