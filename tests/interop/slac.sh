#!/usr/bin/env bash
# Matching by SLAC between separate processes, each on a host of its own, with simulated modems between them.
#   slac.sh ours     our charger and our car: matched, matched again, with a modem that does not measure, with loss
#   slac.sh pyslac   pyslac's charger and our car
set -uo pipefail
export LC_ALL=C
. "$(dirname "$0")/lib.sh"
ROOT=$(root_folder)
SOUNDS=10          # in an attempt
ANNOUNCEMENTS=3    # in an attempt
GROUPS_MEASURED=58 # of carriers
MATCHED_IN=120     # seconds that a car may take; 5 to 15 are usual
LEFT="left; a new key is drawn"
TYPE=homeplug_av.mmhdr.mmtype

# ---- what the hosts run; each run has a folder RUN

start_modems() { # start_modems OPTION...
    start "$MODEMS" "$RUN/modems.log" "$CCS" sim-modem charger_end car_end "$@"
    MODEM=$STARTED
    wait_for "$RUN/modems.log" "ready" 10 "$MODEM"
}

start_charger() {
    start "$CHARGER" "$RUN/charger.log" \
        "$CCS" evse -i "$INTERFACE" --plant simulated --record "$RUN/charger.pcapng" --with-keys
    EVSE=$STARTED
    wait_for "$RUN/charger.log" "ready on" 10 "$EVSE"
    CHARGER_IS=$(own_address "$RUN/charger.log")
}

run_car() { # run_car NAME: a car that comes, is matched once and leaves
    start "$CAR" "$RUN/$1.log" \
        "$CCS" pev -i "$INTERFACE" --matches 1 --timeout "$MATCHED_IN" --record "$RUN/$1.pcapng" --with-keys
    local car=$STARTED
    check "$1: it ends by itself" end_by "$car" $((MATCHED_IN + 20))
    alive "$car" || check "$1: exit code" equal "$(exit_code "$car")" 0
    CAR_IS=$(own_address "$RUN/$1.log")
}

end_process() { # end_process NAME PROCESS
    kill "$2"
    check "$1: it ends when asked" end_by "$2" 10
    alive "$2" || check "$1: exit code" equal "$(exit_code "$2")" 0
}

own_address() { sed -nE 's/.* ready on [^:]+: ([0-9a-f:]{17})[,;].*/\1/p' "$1"; }

# ---- what they report

# in_order LOG NUMBER...: these checkpoints come in this order, with others between them.
in_order() {
    local log=$1 found wanted
    found=$(sed -nE 's/^ *[0-9.]+ \[([0-9]{3})\].*/\1/p' "$log" | paste -sd' ')
    shift
    wanted=$(printf '%s .*' "$@")
    [[ "$found " =~ $wanted ]] || equal "$found" "$*"
}
CHARGER_ORDER="001 005 101 150 155 190"
CAR_ORDER="100 102 103 130 150 160 170 190"

check_words() { # check_words CAR...: logs of the charger and these cars, each matched once
    local car orders=()
    for car; do
        orders+=($CHARGER_ORDER)
        check "$car: matched with the charger" said "$RUN/$car.log" "matched with $CHARGER_IS"
        check "$car: checkpoints in order" in_order "$RUN/$car.log" $CAR_ORDER
    done
    check "charger: matched with each car" said "$RUN/charger.log" "matched with $CAR_IS" $#
    check "charger: checkpoints in order" in_order "$RUN/charger.log" "${orders[@]}"
    check "modems: linked" said "$RUN/modems.log" "modems 0 and 1 are linked" $#
}

# ---- what was on the wire

names() { # names RECORDING: how often tshark names each message of the standard
    fields "$1" homeplug-av _ws.col.Info | sed -nE 's/^(CM_[A-Z_]+\.[A-Z]+).*/\1/p' | sort | uniq -c | awk '{ print $1, $2 }' | sort -k2
}

our_names() { # our_names SUMMARY: the same by `ccs decode --summary`
    sed -nE 's/^  HomePlug [0-9]+: //p' "$1" | tr ',' '\n' | sed -nE 's/^ *(CM_[A-Z_]+\.[A-Z]+) ([0-9]+)$/\2 \1/p' | sort -k2
}

matching() { # matching RECORDING...: the messages of matching that hosts exchange
    local recording
    for recording; do
        fields "$recording" "$TYPE >= 0x6064 && $TYPE <= 0x607f" "$TYPE"
    done | sort | uniq -c
}

times() { # times MESSAGE RECORDING...: in all of them together
    local name=$1 recording
    shift
    for recording; do names "$recording"; done | awk -v name="$name" '$2 == name { sum += $1 } END { print sum + 0 }'
}

check_recording() { # check_recording NAME MATCHES: by tshark and by `ccs decode`
    local recording=$RUN/$1.pcapng summary=$RUN/$1.summary
    check "$1: tshark finds nothing malformed" nothing \
        "$(fields "$recording" '_ws.malformed || (_ws.expert.severity > 0x100000 && !user_dlt)' frame.number _ws.expert.message)"
    check "$1: tshark finds the match" at_least "$(times CM_SLAC_MATCH.CNF "$recording")" "$2"
    check "$1: tshark finds $GROUPS_MEASURED groups in each report" equal \
        "$(fields "$recording" "$TYPE == 0x606e" homeplug_av.gp.cm_atten_char.groups_count | sort -u)" "$GROUPS_MEASURED"
    "$CCS" decode --summary "$recording" >"$summary" 2>&1
    check "$1: ccs decode --summary: exit code" equal $? 0
    check "$1: ccs decode names and counts as tshark does" equal "$(our_names "$summary")" "$(names "$recording")"
    check "$1: ccs decode finds the match" equal \
        "$(grep -A1 "^  SLAC car $CAR_IS run " "$summary" | grep -c "^    charger $CHARGER_IS: .* dB, gave its key$")" "$2"
    check "$1: ccs decode finds no trouble" nothing "$(grep -E 'trouble|broken|cut' "$summary")"
}

check_both_ends() { # check_both_ends CAR...: nothing lost, and as much as the standard asks for
    local car cars=() attempts
    for car; do cars+=("$RUN/$car.pcapng"); done
    attempts=$(cat "${cars[@]/%.pcapng/.log}" | happened 'slac: .* announces')
    check "both ends saw the same messages" equal "$(matching "$RUN/charger.pcapng")" "$(matching "${cars[@]}")"
    check "$ANNOUNCEMENTS announcements for each attempt" equal \
        "$(times CM_START_ATTEN_CHAR.IND "${cars[@]}")" $((attempts * ANNOUNCEMENTS))
    check "$SOUNDS sounds for each attempt" equal \
        "$(times CM_MNBC_SOUND.IND "${cars[@]}")" $((attempts * SOUNDS))
    check "the charger's modem measured each sound" equal \
        "$(times CM_ATTEN_PROFILE.IND "$RUN/charger.pcapng")" "$(times CM_MNBC_SOUND.IND "${cars[@]}")"
    check "each report was acknowledged" equal \
        "$(times CM_ATTEN_CHAR.RSP "${cars[@]}")" "$(times CM_ATTEN_CHAR.IND "${cars[@]}")"
}

# ---- keys

given_keys() { fields "$1" "$TYPE == 0x607d" homeplug_av.gp.cm_slac_match.nmk | tr -d : | sort -u; }
set_keys() { fields "$1" "$TYPE == 0x6008" homeplug_av.cm_set_key_req.nw_key | tr -d : | sort -u; }
all_of() { nothing "$(comm -23 <(echo "$1") <(echo "$2"))"; }

shown() { # shown KEYS FILE...: which of the files show one of the keys, as hexadecimal or decimal numbers
    local keys=$1 key file hex decimal
    shift
    for file; do
        hex=$(tr -d ' :,\n' <"$file" | sed 's/0x//g' | tr A-F a-f)
        decimal=$(tr -d '\n' <"$file" | tr -s ', ' ' ')
        for key in $keys; do
            grep -qF -e "$key" <<<"$hex" && echo "$file"
            # shellcheck disable=SC2046 # sixteen numbers
            grep -qF -e "$(echo $(printf '%d ' $(sed 's/../0x& /g' <<<"$key")))" <<<"$decimal" && echo "$file"
        done
    done | sort -u
}

check_keys() { # check_keys MATCHES CAR...: each match had a key of its own, and nobody tells it
    local matches=$1 given name keys
    shift
    given=$(given_keys "$RUN/charger.pcapng")
    keys=$(for name in charger "$@"; do set_keys "$RUN/$name.pcapng"; done | sort -u)
    check "each car was given a key of its own" equal "$(wc -l <<<"$given")" "$matches"
    check "it is what the charger's modem was given before" all_of "$given" "$(set_keys "$RUN/charger.pcapng")"
    check "it is what the cars' modem was given" all_of "$given" \
        "$(for name; do set_keys "$RUN/$name.pcapng"; done | sort -u)"
    check "both ends drew keys of their own when they left" at_least "$(wc -l <<<"$keys")" $((matches + 2))
    "$CCS" decode "$RUN/charger.pcapng" >"$RUN/decoded.log" 2>&1
    "$CCS" decode --show-keys "$RUN/charger.pcapng" >"$RUN/decoded-with-keys" 2>&1
    check "no key in any log" nothing "$(shown "$keys" "$RUN"/*.log "$RUN"/*.summary)"
    check "a key is found where it was asked for" equal "$(shown "$keys" "$RUN/decoded-with-keys")" "$RUN/decoded-with-keys"
}

# ---- the runs

begin_run() { # begin_run NAME WHAT
    RUN=$OUT/$1
    mkdir -p "$RUN"
    echo "-- $2"
}

end_run() {
    end_process charger "$EVSE"
    end_process modems "$MODEM"
}

ours_again() {
    begin_run again "a car is matched, leaves and comes back"
    start_modems
    start_charger
    wait_for "$RUN/charger.log" "[005]" 60 "$EVSE"
    run_car first
    wait_for "$RUN/charger.log" "$LEFT" 60 "$EVSE"
    wait_for "$RUN/charger.log" "[005]" 60 "$EVSE" 2
    run_car second
    wait_for "$RUN/charger.log" "$LEFT" 60 "$EVSE" 2
    end_run
    check_words first second
    check_recording charger 2
    check_recording first 1
    check_recording second 1
    check_both_ends first second
    check_keys 2 first second
}

ours_blind() {
    begin_run blind "the charger's modem (QCA7420) does not measure; the car asks before the charger is ready"
    start_modems --charger-modem qca7420
    start_charger
    run_car car
    wait_for "$RUN/charger.log" "$LEFT" 60 "$EVSE"
    end_run
    check_words car
    check "charger: says that its report is made up" said "$RUN/charger.log" "no attenuation profile; sending synthetic values to $CAR_IS"
    check_recording charger 1
    check_recording car 1
    check_keys 1 car
}

ours_lossy() {
    begin_run lossy "every fifth frame on the power line is lost"
    start_modems --loss 20 --seed 1 # the seed says which
    start_charger
    wait_for "$RUN/charger.log" "[005]" 60 "$EVSE"
    run_car car
    wait_for "$RUN/charger.log" "$LEFT" 60 "$EVSE"
    end_run
    check_words car
    check_recording car 1
    check "frames were lost" unequal "$(matching "$RUN/charger.pcapng")" "$(matching "$RUN/car.pcapng")"
}

pyslac() {
    begin_run car "pyslac's charger and our car"
    start_modems
    start "$CHARGER" "$RUN/tshark.log" \
        tshark -q -i "$INTERFACE" -f "ether proto 0x88e1" -w "$RUN/charger.pcapng"
    local recorder=$STARTED charger given
    wait_for "$RUN/tshark.log" "Capturing on" 20 "$recorder"
    start "$CHARGER" "$RUN/pyslac.log" \
        env PYTHONUNBUFFERED=1 "$PYTHON" "$ROOT/tests/interop/pyslac-charger.py" "$INTERFACE"
    charger=$STARTED
    wait_for "$RUN/pyslac.log" "CM_SLAC_PARM: Started" 60 "$charger"
    CHARGER_IS=$CHARGER_MAC
    run_car car
    wait_for "$RUN/pyslac.log" "charger: its modem" 60 "$charger"
    end_process pyslac "$charger"
    sleep 1 # the last packets reach the recorder
    kill "$recorder"
    check "the recorder ends when asked" end_by "$recorder" 10
    end_process modems "$MODEM"
    check "pyslac: it matched our car" said "$RUN/pyslac.log" "charger: MATCHED with $CAR_IS"
    check "pyslac: its modem confirms that it was asked for the link" said "$RUN/pyslac.log" "charger: its modem answers"
    # Of the attempt that matched; a repeated message is no complaint.
    tac "$RUN/pyslac.log" | sed '/CM_SLAC_PARM: Started/q' | grep -v 'Frame received is not' >"$RUN/last-attempt.log"
    check "pyslac: no complaint" nothing "$(complaints "$RUN/last-attempt.log")"
    check "car: matched with pyslac" said "$RUN/car.log" "matched with $CHARGER_IS"
    check "car: checkpoints in order" in_order "$RUN/car.log" $CAR_ORDER
    check "modems: linked" said "$RUN/modems.log" "modems 0 and 1 are linked"
    check_recording charger 1
    check_recording car 1
    check_both_ends car
    given=$(given_keys "$RUN/charger.pcapng")
    check "pyslac gave one key" equal "$(wc -l <<<"$given")" 1
    check "it is what pyslac's modem was given" all_of "$given" "$(set_keys "$RUN/charger.pcapng")"
    check "it is what the car's modem was given" all_of "$given" "$(set_keys "$RUN/car.pcapng")"
    check "no key in the car's log" nothing "$(shown "$(set_keys "$RUN/car.pcapng")" "$RUN/car.log")"
}

need ip ethtool sysctl tshark
find_ccs
OUT=$(target_folder)/interop/slac-${1:-}
rm -rf "$OUT"
case "${1:-}" in
    ours)
        make_hosts_with_modems
        ours_again
        ours_blind
        ours_lossy
        ;;
    pyslac)
        need python3.11
        make_python pyslac-0.8.3 pyslac-requirements.txt
        make_hosts_with_modems
        pyslac
        ;;
    *) die "which one: ours or pyslac?" ;;
esac
closing_line
