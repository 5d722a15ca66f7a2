#!/usr/bin/env bash
# One DIN SPEC 70121 session over a real network stack: our car against Josev's charger, from discovery to
# SessionStop. Both are already on the same cable, so there is no matching.
set -uo pipefail
export LC_ALL=C
. "$(dirname "$0")/lib.sh"
ROOT=$(root_folder)
OUT=$(target_folder)/interop/josev-charger
RECORDING=$OUT/session.pcapng
LEAST_ROUNDS=100 # of CurrentDemand; about 300 come in the 30 s that one percent of the battery takes
MOST_A=125       # what josev-charger.py gives
BATTERY_V=344    # the simulated car's battery
NEAR_V=20        # how near the charger must be to it for the contactors to close (DIN SPEC 70121)

# What the car sends, repeats taken together: every state of a DIN session.
STATES="supportedAppProtocolReq SessionSetupReq ServiceDiscoveryReq ServicePaymentSelectionReq\
 ContractAuthenticationReq ChargeParameterDiscoveryReq CableCheckReq PreChargeReq PowerDeliveryReq\
 CurrentDemandReq PowerDeliveryReq WeldingDetectionReq SessionStopReq"
# The car's actions on its plant, by checkpoint: pilot C, lock driven, lock confirmed, cable check over,
# contactors closed, charging, pilot B.
ACTS="550 555 556 566 590 710 810"

sent() { sed -nE 's/.* pev->evse +([A-Za-z]+Req)( .*)?$/\1/p' "$OUT/car.log"; }
received() { sed -nE 's/.* evse->pev +([A-Za-z]+Res)( .*)?$/\1/p' "$OUT/car.log"; }
josev_received() { sed -nE 's/.* ([A-Za-z]+Req) received$/\1/p' "$OUT/charger.log"; }
josev_sent() { sed -nE 's/.* Sent ([A-Za-z]+Res)$/\1/p' "$OUT/charger.log"; }
acts() { grep -oE "\[(${ACTS// /|})\]" "$OUT/car.log" | tr -d '[]'; }
values() { sed -nE "s/.* $1 .*$2=([0-9.]+).*/\1/p" "$OUT/car.log"; } # values MESSAGE FIELD: one a line
whole() { echo "${1%%.*}"; }

check_car() {
    local rounds precharge first closed
    rounds=$(sent | grep -c CurrentDemandReq)
    precharge=$(values PreChargeRes EVSEPresentVoltage)
    first=$(head -1 <<<"$precharge")
    closed=$(whole "$(tail -1 <<<"$precharge")")
    check "discovery: the charger has an address" grep -q "discovery: the charger is at" "$OUT/car.log"
    check "all states, in their order" equal "$(sent | uniq | paste -sd' ')" "$STATES"
    check "each request has its response" equal "$(received | sed s/Res$/Req/)" "$(sent)"
    check "pilot, lock and contactors, in their order" equal "$(acts | paste -sd' ')" "$ACTS"
    check "precharge: $(wc -l <<<"$precharge") rounds, from $first V" \
        at_least $((BATTERY_V - NEAR_V - 1)) "$(whole "$first")"
    check "precharge: the voltage only rises" equal "$(sort -ns <<<"$precharge")" "$precharge"
    check "precharge: the contactors close at $closed V" at_least "$closed" $((BATTERY_V - NEAR_V))
    check "CurrentDemand: $rounds rounds" at_least "$rounds" "$LEAST_ROUNDS"
    check "the car asks for all that the charger gives and no more" \
        equal "$(values CurrentDemandReq EVTargetCurrent | sort -n | tail -1)" "$MOST_A.0"
    check "the charger gives it" equal "$(values CurrentDemandRes EVSEPresentCurrent | sort -n | tail -1)" "$MOST_A"
    check "welding detection: the voltage is gone" \
        at_least 60 "$(whole "$(values WeldingDetectionRes EVSEPresentVoltage | tail -1)")"
    check "the car has no warning" nothing "$(grep -w warning "$OUT/car.log")"
    check "the car's session ended well" grep -q "^stopped by the car in CurrentDemand: ended normally" "$OUT/car.log"
}

check_charger() {
    check "the charger chose DIN SPEC 70121" grep -q "Chosen protocol: DIN_SPEC_70121" "$OUT/charger.log"
    check "the charger received what the car sent" equal "$(josev_received)" "$(sent)"
    check "the car received what the charger sent" equal "$(received)" "$(josev_sent)"
    check "the charger's session ended well" grep -q \
        "Session ended in SessionStop (Communication session stopped successfully)" "$OUT/charger.log"
    # It accepts only a session id of one zero byte as a new session without a warning, and cars send eight.
    check "the charger has no complaint" nothing "$(complaints "$OUT/charger.log" |
        grep -v -e 'Closing TCP server' -e "EVCC's session ID 0000000000000000 does not match")"
}

find_tools
need ip ethtool tshark java javac python3.11
find_ccs
rm -rf "$OUT"
mkdir -p "$OUT"
make_python josev-0.31.2 josev-requirements.txt
make_hosts
start_josev "$CHARGER" "$OUT/charger.log" "$ROOT/tests/interop/josev-charger.py" "$TOOLS/josev/josev.py"
EVSE=$STARTED
wait_for "$OUT/charger.log" "UDP server started" 60 "$EVSE"
start "$CAR" "$OUT/car.log" "$CCS" pev -i "$INTERFACE" --link up --plant simulated --soc 79 --target-soc 80 \
    --all --sessions 1 --record "$RECORDING"
PEV=$STARTED
check "the car ends by itself" end_by "$PEV" 75
alive "$PEV" || check "the car's exit code" equal "$(exit_code "$PEV")" 0
wait_for "$OUT/charger.log" "Closing TCP server" 20 "$EVSE"
kill "$EVSE"
check "the charger ends when asked" end_by "$EVSE" 10
check_car
check_charger
check_summary "both sides" "Re[qs]" "$(josev_received; josev_sent)"
check_recording "$RECORDING" $((2 * $(sent | wc -l)))
closing_line
