//! The parts of a random script.

/// Possible setups: each occurs once in this many scripts.
pub(super) const SETUPS: &[(u64, &str)] = &[
    (3, "battery {400V|800V} {5..49} %"),
    (3, "enough {51..60} %"),
    (1, "sensors within {0|5|10} permille"),
    (2, "charger sensors default"),
    (4, "charger without {duty|proximity|stage|lock}"),
    (2, "car sensors default"),
    (4, "car without {proximity|temperature|emergency}"),
    (4, "stage {alpitronic|compleo}"),
    (3, "stage off by {-1000|-500|500|1000} permille"),
    (4, "stage drifts {500|1000} permille in {5..60}s"),
    (6, "stage keeps {10..50}V"),
    (3, "cable {hyc300|compleo|switched}"),
    (6, "isolation bands 2023"),
    (8, "isolation test by 2023"),
    (5, "isolation monitor {plain|without test|with ohms}"),
    (6, "isolation test {1..20}s"),
    (6, "charger gives {920|1000}V {5|50|500}A"),
    // Slow hardware does not meet the standard's times.
    (4, "{charger strict|car strict|stage slow|stage slow}"),
    (8, "charger modem {QCA7420|slow}"),
    (8, "charger session id {4|8}"),
    (8, "car precharge compared {20|30|60}V"),
    (8, "{charger|car} clock skew {0..500} ppm"),
    (8, "{charger|car} clock starts {1..4000000}s"),
    (8, "plug {1..20}s"),
];

/// Possible faults, and what undoes them; `sound` undoes a sensor's fault.
pub(super) const ACTIONS: &[&str] = &[
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
    "sensor of {charger voltage|charger stage|car voltage|car battery} off {-400|-100|-60|-30|30|60|100|400}V / sound",
    "sensor of {charger|car} current off {-200|-60|-10|-3|3|10|60|200}A / sound",
    "sensor of {charger voltage|charger stage|charger current|car voltage|car battery|car current} scaled {0|500|900|1100|1500|2000} permille / sound",
    "sensor of {charger voltage|charger stage|charger current|car voltage|car battery|car current} noisy {2|10|60}V / sound",
    "sensor of {charger voltage|charger stage|car voltage|car battery} stuck at {0|50|350|900}V / sound",
    "sensor of {charger|car} current stuck at {-60|0|1|60|200}A / sound",
    "sensor of {charger voltage|charger stage|charger current|car voltage|car battery|car current} reversed / sound",
    "sensor of {charger|car} {duty|proximity|voltage|current|contactors|lock|emergency} frozen / sound",
    "sensor of {charger pilot|charger stage|charger isolation|car battery|car temperature} frozen / sound",
    "sensor of {charger|car} {contactors|lock|emergency} {stuck at closed|stuck at open|reversed} / sound",
    "sensor of charger pilot stuck at {A|B|C|D|E|F} / sound",
    "sensor of {charger|car} duty stuck at {0|20|50|1000} / sound",
    "sensor of {charger|car} proximity stuck at {absent|plugged|pressed|unknown} / sound",
    "sensor of charger isolation {stuck at measuring|stuck at valid|stuck at warning|stuck at fault|scaled 10 permille} / sound",
    "sensor of car temperature stuck at {-50|25|75|95|140}C / sound",
    "glitch of {charger pilot|charger contactors|charger lock|charger proximity|car contactors|car lock|car proximity} {5..40}ms",
    "pilot bounces {1..25}ms",
    "monitor fails its test / monitor mends",
    "bleeder breaks / bleeder mends",
    "stage draws {3..100}A / stage mends",
    "restart {charger|car}",
    "battery goes / battery returns",
    "charger hears {discovery 0|discovery 16|discovery of stranger|syn|syn of stranger|old reset|router|claim|wish}",
    "car hears {answer of stranger|old reset|router|claim|wish}",
    "{charger|car} hears {100..5000} frames a second for 1s",
];

/// V2G messages of both sides.
pub(super) const MESSAGES: &str = "{supportedAppProtocolReq|supportedAppProtocolRes|SessionSetupReq|SessionSetupRes|\
    ServiceDiscoveryReq|ServiceDiscoveryRes|ServicePaymentSelectionReq|ServicePaymentSelectionRes|\
    ContractAuthenticationReq|ContractAuthenticationRes|ChargeParameterDiscoveryReq|ChargeParameterDiscoveryRes|\
    CableCheckReq|CableCheckRes|PreChargeReq|PreChargeRes|PowerDeliveryReq|PowerDeliveryRes|CurrentDemandReq|\
    CurrentDemandRes|WeldingDetectionReq|WeldingDetectionRes|SessionStopReq|SessionStopRes}";

/// Possible actions on a V2G message.
pub(super) const TO_MESSAGES: &[&str] = &[
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

/// Frames on the line, and their senders.
pub(super) const FRAMES: &[&str] = &[
    "car says {SdpReq|TcpSyn|TcpFin|TcpRst} {1..3}",
    "charger says {SdpRes|TcpSyn|TcpFin|TcpRst} {1..3}",
    "car says {CM_SLAC_PARM.REQ|CM_START_ATTEN_CHAR.IND|CM_MNBC_SOUND.IND|CM_ATTEN_CHAR.RSP|CM_SLAC_MATCH.REQ|CM_SET_KEY.REQ} {1..3}",
    "charger says {CM_SLAC_PARM.CNF|CM_ATTEN_CHAR.IND|CM_SLAC_MATCH.CNF|CM_SET_KEY.REQ} {1..3}",
    "{charger|car} hears {CM_SET_KEY.CNF|CM_ATTEN_PROFILE.IND} {1..3}",
];

/// Possible actions on a frame.
pub(super) const TO_FRAMES: &[&str] = &[
    "withhold",
    "delay {1..3000}ms",
    "twice",
    "cut {0..60}",
    "put {14..80} {00|FF|A5}",
    "spoil {14..80} {00|FF|A5}",
];

/// Possible values in a message: its name, the field's path, values.
#[rustfmt::skip] // a table reads best with one row a line
pub(super) const FIELDS: &[(&str, &str, &str)] = &[
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
