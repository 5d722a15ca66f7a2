//! Scripts by chance: from a seed, or from a fuzzer's bytes.

use crate::Chance;

/// Where a script by chance takes its choices from.
pub trait Choices {
    /// A number below `limit`, and 0 when `limit` is 0.
    fn below(&mut self, limit: u64) -> u64;
}

impl Choices for Chance {
    fn below(&mut self, limit: u64) -> u64 {
        Self::below(self, limit)
    }
}

/// A fuzzer's bytes: two for each choice, and zeros when they are used up.
impl Choices for &[u8] {
    fn below(&mut self, limit: u64) -> u64 {
        let (pair, rest) = self.split_at(self.len().min(2));
        *self = rest;
        let number = pair.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        number.checked_rem(limit).unwrap_or(0)
    }
}

/// The script of a seed, as text: what goes wrong, and when. However that is, the safety rules hold, and after
/// everything is mended and the plug was pulled and put in again, current flows.
pub fn of_seed(seed: u64) -> String {
    let mut chance = Chance::new(seed).child("script");
    by_chance(&seed.to_string(), seed, &mut chance)
}

/// The script of a fuzzer's bytes.
pub fn of_bytes(mut bytes: &[u8]) -> String {
    let seed = bytes.below(u64::MAX);
    by_chance("bytes", seed, &mut bytes)
}

/// The most things that go wrong in one script.
const MOST: u64 = 5;
/// Everything begins at or behind this, in ms: until then the charger's modem takes its key.
const BEGIN_MS: u64 = 1_000;

fn by_chance(id: &str, seed: u64, choices: &mut impl Choices) -> String {
    // Long enough for a session up to the loop; a short charge may end in it.
    let until_ms = 30_000 + 1_000 * choices.below(31);
    let mut lines = vec![
        format!("scenario {id}"),
        "title    by chance".to_owned(),
        "side     both".to_owned(),
        format!("setup    seed {seed}"),
        "setup    loose".to_owned(),
        "setup    heartbeat".to_owned(),
        format!("setup    until {until_ms}ms"),
    ];
    for (one_in, setup) in SETUPS {
        if choices.below(*one_in) + 1 == *one_in {
            lines.push(format!("setup    {}", fill(setup, choices)));
        }
    }
    for _ in 0..=choices.below(MOST) {
        if choices.below(2) == 0 {
            let row = pick(DEEDS, choices);
            let (deed, undo) = row.split_once(" / ").unwrap_or((row, ""));
            let when = match choices.below(3) {
                0 => format!("on {}", message(choices)),
                _ => format!("at {}ms", BEGIN_MS + choices.below(until_ms - BEGIN_MS)),
            };
            lines.push(format!("{when}: {}", fill(deed, choices)));
            if !undo.is_empty() && choices.below(3) > 0 {
                let undone = lines.last().map(|line| sides_of(line)).unwrap_or_default();
                let undo = undo.replace("{charger|car}", undone);
                lines.push(format!("after {}ms: {undo}", 1 + choices.below(10_000)));
            }
        } else {
            lines.push(change(choices));
        }
    }
    lines.push("expect   recovers\n".to_owned());
    lines.join("\n")
}

/// What is done to a message or frame.
fn change(choices: &mut impl Choices) -> String {
    match choices.below(4) {
        0 => format!(
            "on {}: {}",
            fill(pick(FRAMES, choices), choices),
            fill(pick(TO_FRAMES, choices), choices)
        ),
        1 => format!("on {}: {}", message(choices), fill(pick(TO_MESSAGES, choices), choices)),
        _ => {
            let (name, path, values) =
                FIELDS.get(index(choices, FIELDS.len())).copied().unwrap_or(("*", "Header.SessionID", "00"));
            let name = fill(name, choices);
            format!("on {name} {}: set {path} {}", range(&name, choices), fill(values, choices))
        }
    }
}

/// A message's name, and the times that are meant.
fn message(choices: &mut impl Choices) -> String {
    let name = fill(MESSAGES, choices);
    let range = range(&name, choices);
    format!("{name} {range}")
}

/// `n`, `n..m` or `n..`, with numbers that a message of this name reaches.
fn range(name: &str, choices: &mut impl Choices) -> String {
    let often = if name.starts_with("CurrentDemand") { 100 } else { 4 };
    let first = 1 + choices.below(often);
    match choices.below(3) {
        0 => format!("{first}"),
        1 => format!("{first}..{}", first + choices.below(often)),
        _ => format!("{first}.."),
    }
}

/// The side that a line names, for what undoes it.
fn sides_of(line: &str) -> &'static str {
    if line.split(": ").nth(1).is_some_and(|deed| deed.contains("charger")) { "charger" } else { "car" }
}

fn pick<'t>(table: &[&'t str], choices: &mut impl Choices) -> &'t str {
    table.get(index(choices, table.len())).copied().unwrap_or("nothing")
}

fn index(choices: &mut impl Choices, length: usize) -> usize {
    usize::try_from(choices.below(u64::try_from(length).unwrap_or(0))).unwrap_or(0)
}

/// Fills the places of a row: `{a|b}` is one of these words, `{1..9}` a number.
fn fill(row: &str, choices: &mut impl Choices) -> String {
    let mut parts = row.split('{');
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (place, rest) = part.split_once('}').unwrap_or((part, ""));
        if let Some((first, last)) = place.split_once("..") {
            let (first, last): (u64, u64) = (first.parse().unwrap_or(0), last.parse().unwrap_or(0));
            filled += &(first + choices.below(last - first + 1)).to_string();
        } else {
            let words: Vec<&str> = place.split('|').collect();
            filled += pick(&words, choices);
        }
        filled += rest;
    }
    filled
}

/// What can be there: each is so once in so many scripts.
const SETUPS: &[(u64, &str)] = &[
    (3, "battery {400V|800V} {5..49} %"),
    (3, "enough {51..60} %"),
    (4, "stage {alpitronic|compleo}"),
    (4, "cable {hyc300|compleo}"),
    (6, "isolation bands 2023"),
    (6, "isolation test {1..20}s"),
    (6, "charger gives {920|1000}V {5|50|500}A"),
    (8, "charger strict"),
    (8, "car strict"),
    (8, "charger modem {QCA7420|slow}"),
    (8, "charger session id {4|8}"),
    (8, "car precharge compared {5|20|60}V"),
    (8, "{charger|car} clock skew {0..500} ppm"),
    (8, "{charger|car} clock starts {1..4000000}s"),
    (8, "plug {1..20}s"),
];

/// What can happen, and what undoes it. Readings that lie without saying so are not here: a side that has one sensor
/// cannot know, and what then breaks is no rule's.
const DEEDS: &[&str] = &[
    "unplug / plug",
    "cut line / mend line",
    "attenuation {0..70} dB / attenuation 10 dB",
    "line loses {1..900} permille / line loses 0 permille",
    "line doubles {1..900} permille / line doubles 0 permille",
    "line delays {1..1500} ms / line delays 1 ms",
    "restart modem of {charger|car} for {100..9000}ms",
    "freeze modem of {charger|car} / thaw modem of {charger|car}",
    "freeze {charger|car} / thaw {charger|car}",
    "stall {charger|car} {50..5000}ms",
    "operator {authorises|refuses|stops|resets|retries}",
    "operator closes / operator opens",
    "driver {stops|resets}",
    "owner wants {0..100} %",
    "owner bears voltage {100..900}V",
    "owner bears current {0..200}A",
    "emergency stop of {charger|car} / release stop of {charger|car}",
    "contactors of {charger|car} {weld|stay open} / contactors of {charger|car} mend",
    "pilot {open|short|without diode} / pilot mends",
    "pilot duty {0..1000} permille / pilot mends",
    "proximity open",
    "leak {1|100|500|1000|5000} ohm / leak 10000000 ohm",
    "leak {10000..2000000} ohm / leak 10000000 ohm",
    "stage {dead|runs away|stuck} / stage mends",
    "stage scaled {500..1500} permille / stage mends",
    "stage adds {1..100}A / stage mends",
    "lock of {charger|car} {springs open|stays open|stays closed} / lock of {charger|car} mends",
    "sensor of {charger|car} {pilot|duty|proximity|voltage|battery|current|isolation|contactors|lock|emergency} {absent|silent}",
    "sensor of {charger stage|car temperature} {absent|silent}",
    "silence {charger|car}",
    "battery goes / battery returns",
    "charger hears {discovery 0|discovery 16|discovery of stranger|syn|syn of stranger|old reset|router|claim|wish}",
    "car hears {answer of stranger|old reset|router|claim|wish}",
    "{charger|car} hears {100..5000} frames a second for 1s",
];

/// V2G messages of both sides.
const MESSAGES: &str = "{supportedAppProtocolReq|supportedAppProtocolRes|SessionSetupReq|SessionSetupRes|\
    ServiceDiscoveryReq|ServiceDiscoveryRes|ServicePaymentSelectionReq|ServicePaymentSelectionRes|\
    ContractAuthenticationReq|ContractAuthenticationRes|ChargeParameterDiscoveryReq|ChargeParameterDiscoveryRes|\
    CableCheckReq|CableCheckRes|PreChargeReq|PreChargeRes|PowerDeliveryReq|PowerDeliveryRes|CurrentDemandReq|\
    CurrentDemandRes|WeldingDetectionReq|WeldingDetectionRes|SessionStopReq|SessionStopRes}";

/// What can be done to a V2G message.
const TO_MESSAGES: &[&str] = &[
    "withhold",
    "delay {10..8000}ms",
    "twice",
    "append {00|FF|8098}",
    "prepend {00|01FE800100000000|01FE8001FFFFFFFF}",
    "payload {00|FF|809A|8000}",
    "raw {00|01FE800100000001|01FE9000000000020000|DEADBEEF}",
    "cut {0..20}",
    "pieces {1..9}",
    "put {0..30} {00|FF|A5}",
    "spoil {0..90} {00|FF|A5}",
    "lose {1..6} segments",
];

/// Frames on the line, and who sends them.
const FRAMES: &[&str] = &[
    "car says {SdpReq|TcpSyn|TcpFin|TcpRst} {1..3}",
    "charger says {SdpRes|TcpSyn|TcpFin|TcpRst} {1..3}",
    "car says {CM_SLAC_PARM.REQ|CM_START_ATTEN_CHAR.IND|CM_MNBC_SOUND.IND|CM_ATTEN_CHAR.RSP|CM_SLAC_MATCH.REQ|CM_SET_KEY.REQ} {1..3}",
    "charger says {CM_SLAC_PARM.CNF|CM_ATTEN_CHAR.IND|CM_SLAC_MATCH.CNF|CM_SET_KEY.REQ} {1..3}",
    "{charger|car} hears {CM_SET_KEY.CNF|CM_ATTEN_PROFILE.IND} {1..3}",
];

/// What can be done to a frame.
const TO_FRAMES: &[&str] = &[
    "withhold",
    "delay {1..3000}ms",
    "twice",
    "cut {0..60}",
    "put {14..80} {00|FF|A5}",
    "spoil {14..80} {00|FF|A5}",
];

/// What can stand in a message: its name, the field's path, values.
#[rustfmt::skip] // a table reads best with one row a line
const FIELDS: &[(&str, &str, &str)] = &[
    ("{SessionSetupRes|ServiceDiscoveryRes|ServicePaymentSelectionRes|ContractAuthenticationRes|ChargeParameterDiscoveryRes|CableCheckRes|PreChargeRes|PowerDeliveryRes|CurrentDemandRes|WeldingDetectionRes|SessionStopRes}",
        "ResponseCode", "{FAILED|FAILED_SequenceError|FAILED_UnknownSession|FAILED_PowerDeliveryNotApplied}"),
    ("{ChargeParameterDiscoveryReq|CableCheckReq|PreChargeReq|CurrentDemandReq|CableCheckRes|PreChargeRes|CurrentDemandRes}",
        "Header.SessionID", "{00|0102030405060708|FFFFFFFFFFFFFFFF}"),
    ("{CableCheckRes|PreChargeRes|CurrentDemandRes}", "DC_EVSEStatus.EVSEStatusCode",
        "{EVSE_NotReady|EVSE_Ready|EVSE_Shutdown|EVSE_UtilityInterruptEvent|EVSE_IsolationMonitoringActive|EVSE_EmergencyShutdown|EVSE_Malfunction}"),
    ("{CableCheckRes|PreChargeRes|CurrentDemandRes}", "DC_EVSEStatus.EVSEIsolationStatus", "{Invalid|Valid|Warning|Fault|absent}"),
    ("{CableCheckRes|PreChargeRes|CurrentDemandRes}", "DC_EVSEStatus.EVSENotification", "{None|StopCharging|ReNegotiation}"),
    ("{CableCheckReq|PreChargeReq|CurrentDemandReq|PowerDeliveryReq}", "DC_EVStatus.EVErrorCode",
        "{FAILED_RESSTemperatureInhibit|FAILED_EVShiftPosition|FAILED_ChargerConnectorLockFault|FAILED_EVRESSMalfunction|Reserved_A}"),
    ("{CableCheckReq|PreChargeReq|CurrentDemandReq}", "DC_EVStatus.EVReady", "{true|false}"),
    ("{CableCheckReq|PreChargeReq|CurrentDemandReq}", "DC_EVStatus.EVRESSSOC", "{0..100}"),
    ("{CableCheckRes|ContractAuthenticationRes|ChargeParameterDiscoveryRes}", "EVSEProcessing", "{Ongoing|Finished}"),
    ("PreChargeReq", "EVTargetVoltage", "{-100|0|60|300|500|900|1500}V"),
    ("CurrentDemandReq", "EVTargetVoltage", "{-100|0|60|300|500|900|1500}V"),
    ("CurrentDemandReq", "EVTargetCurrent", "{-50|0|1|20|125|400|3000}A"),
    ("CurrentDemandReq", "ChargingComplete", "{true|false}"),
    ("PreChargeRes", "EVSEPresentVoltage", "{-100|0|60|300|350|400|800|1500}V"),
    ("CurrentDemandRes", "EVSEPresentVoltage", "{-100|0|60|300|350|400|800|1500}V"),
    ("CurrentDemandRes", "EVSEPresentCurrent", "{-50|0|1|20|125|400|3000}A"),
    ("CurrentDemandRes", "EVSEMaximumCurrentLimit", "{-50|0|1|20|125|400|3000}A"),
    ("CurrentDemandRes", "EVSEMaximumVoltageLimit", "{-100|0|60|300|350|400|800|1500}V"),
    ("CurrentDemandRes", "EVSEMaximumPowerLimit", "{0|1|20|125}kW"),
    ("CurrentDemandRes", "EVSECurrentLimitAchieved", "{true|false}"),
    ("PowerDeliveryReq", "ReadyToChargeState", "{true|false}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::parse;

    #[test]
    fn every_seed_gives_a_script_that_can_be_read_and_always_the_same() {
        for seed in 0..5_000 {
            let text = of_seed(seed);
            assert_eq!(text, of_seed(seed));
            let scripts = parse(&text).unwrap_or_else(|mistake| panic!("{mistake} in\n{text}"));
            assert_eq!(scripts.len(), 1);
        }
    }

    #[test]
    fn any_bytes_give_a_script_that_can_be_read() {
        for seed in 0..1_000 {
            let mut bytes = [0; 90];
            machine::Entropy::fill(&mut Chance::new(seed), &mut bytes);
            for length in [0, 1, 20, 90] {
                let text = of_bytes(&bytes[..length]);
                assert!(parse(&text).is_ok(), "{text}");
            }
        }
    }

    #[test]
    fn every_row_is_used_by_some_seed() {
        let texts: Vec<String> = (0..20_000).map(of_seed).collect();
        for row in DEEDS.iter().chain(TO_MESSAGES).chain(TO_FRAMES) {
            let head = row.split(['{', '/']).next().unwrap_or(row).trim();
            assert!(texts.iter().any(|text| text.contains(&format!(": {head}"))), "{row}");
        }
        for (_, path, _) in FIELDS {
            assert!(texts.iter().any(|text| text.contains(&format!("set {path} "))), "{path}");
        }
    }
}
