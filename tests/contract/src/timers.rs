//! The timers of every machine, by name. A role has those of all its parts.

/// Of the sessions of charger and car.
pub const SESSION: &[&str] = &[
    "authorisation",
    "battery voltage",
    "cable check",
    "close",
    "communication setup",
    "contactors",
    "discharge",
    "lock confirmation",
    "loop",
    "next request",
    "no current",
    "no demand",
    "pilot",
    "power",
    "precharge",
    "protection",
    "ramp",
    "ready to charge",
    "response",
    "rest",
    "sequence",
    "stale reading",
    "stale vehicle",
    "stop by the charger",
    "stop grace",
    "vehicle",
    "watch",
    "welding detection",
];

/// Of matching, both sides.
pub const MATCHING: &[&str] = &[
    "T_conn_resume",
    "T_step_EF",
    "TP_EV_batch_msg_interval",
    "TP_EV_vald_state_duration",
    "TP_link_ready_notification",
    "TT_EVSE_SLAC_init",
    "TT_EVSE_vald_toggle",
    "TT_EV_atten_results",
    "TT_match_join",
    "TT_match_response",
    "TT_matching_rate",
    "more chargers' answers",
    "slac run",
];

/// Of the care of a modem.
pub const MODEM: &[&str] = &["modem", "modem link"];

/// Of discovery.
pub const DISCOVERY: &[&str] = &["sdp answer", "sdp open"];

/// Of the roles themselves.
pub const ROLES: &[&str] =
    &["communication setup", "no connection over the link", "rest", "tcp", "tcp close", "tcp connect"];
