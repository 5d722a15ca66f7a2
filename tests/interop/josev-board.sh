#!/usr/bin/env bash
# One DIN SPEC 70121 session over a real network stack: Josev's car against the charger's firmware on an emulated board, from
# discovery to SessionStop. The board's network goes on in the charger's namespace (`emulate --bridge`). Both are on the same
# cable already: Josev has no matching.
set -uo pipefail
export LC_ALL=C
. "$(dirname "$0")/lib.sh"
ROOT=$(root_folder)
OUT=$(target_folder)/interop/josev-board
RECORDING=$OUT/session.pcapng
EMULATE=${EMULATE:-$(target_folder)/debug/emulate}
LEAST_ROUNDS=20 # of CurrentDemand; the car asks for up to 100

# What the car sends, repeats taken together: every state of a DIN session.
STATES="supportedAppProtocolReq SessionSetupReq ServiceDiscoveryReq ServicePaymentSelectionReq\
 ContractAuthenticationReq ChargeParameterDiscoveryReq CableCheckReq PreChargeReq PowerDeliveryReq\
 CurrentDemandReq PowerDeliveryReq WeldingDetectionReq SessionStopReq"


check_car() {
    local rounds
    rounds=$(josev_car_sent | grep -c CurrentDemandReq)
    check "all states, in their order" equal "$(josev_car_sent | uniq | paste -sd' ')" "$STATES"
    check "each request has its response" equal "$(josev_car_received | sed s/Res$/Req/)" "$(josev_car_sent)"
    check "CurrentDemand: $rounds rounds" at_least "$rounds" "$LEAST_ROUNDS"
    check "the car's session ended well" grep -q "Communication session stopped successfully" "$OUT/car.log"
    check "the car has no complaint" nothing "$(complaints "$OUT/car.log")"
}

check_board() {
    check "the board's session ended well" grep -q "stopped by the car in .*: ended normally" "$OUT/board.log"
    check_summary "the car" Req "$(josev_car_sent)"
}

find_tools
need ip ethtool tshark java javac python3.11
find_ccs
[ -x "$EMULATE" ] || die "no $EMULATE: run 'cargo build -p emulate -p fastcharge-ccs' first"
rm -rf "$OUT"
mkdir -p "$OUT"
make_python josev-0.31.2 josev-requirements.txt
make_hosts
# The board's packets are its own.
ip netns exec "$CHARGER" sysctl -qw "net.ipv6.conf.$INTERFACE.disable_ipv6=1"
start "$CHARGER" "$OUT/board.log" "$EMULATE" --bridge "$INTERFACE" -o "$RECORDING"
BOARD=$STARTED
wait_for "$OUT/board.log" "charger applies 5 %" 120 "$BOARD"
start_josev "$CAR" "$OUT/car.log" "$TOOLS/josev/josev.py" evcc "$TOOLS/josev/car-din.json"
EVCC=$STARTED
wait_for "$OUT/car.log" "TCP connection closed" 90 "$EVCC"
check "the board ends by itself" end_by "$BOARD" 30
alive "$BOARD" || check "the board's exit code" equal "$(exit_code "$BOARD")" 0
check_car
check_board
check_recording "$RECORDING" $((2 * $(josev_car_sent | wc -l)))
closing_line
