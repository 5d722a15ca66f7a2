//! Timers and counters of ISO 15118-3 annex A. Values are those of two test environments, EVerest and
//! `MStar`'s tables, which agree unless a line states otherwise. A value without a source is a judgement.

use machine::Duration;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// `TT_EVSE_SLAC_init`: from 5 % to the first `CM_SLAC_PARM.REQ`. 20..=50 s: EVerest 40, pyslac 50, a test
/// environment 20.
pub const TT_EVSE_SLAC_INIT: Duration = ms(40_000);
/// `TP_EV_SLAC_init`: the car begins within this time after 5 % (one test environment: 15 s).
pub const TP_EV_SLAC_INIT: Duration = ms(10_000);
/// `TT_match_response`: wait for an answer, then repeat.
pub const TT_MATCH_RESPONSE: Duration = ms(200);
/// `TP_match_response`: answers come within this time.
pub const TP_MATCH_RESPONSE: Duration = ms(100);
/// `C_EV_match_retry`: repeats of a message after the first.
pub const C_EV_MATCH_RETRY: u8 = 2;
/// `TT_match_sequence`: wait for the next request of the sequence.
pub const TT_MATCH_SEQUENCE: Duration = ms(400);
/// `TP_match_sequence`: the car's next request comes within this time.
pub const TP_MATCH_SEQUENCE: Duration = ms(100);
/// `C_EV_start_atten_char_inds`: how often the car announces its sounds.
pub const C_EV_START_ATTEN_CHAR_INDS: u8 = 3;
/// `C_EV_match_MNBC`: sounds of the car.
pub const C_EV_MATCH_MNBC: u8 = 10;
/// `TP_EV_batch_msg_interval`: 20..=50 ms between announcements and sounds; cars 20..=40 ms (observed).
pub const TP_EV_BATCH_MSG_INTERVAL: Duration = ms(30);
/// `TT_EVSE_match_MNBC`: time from the announcement for receiving the sounds.
pub const TT_EVSE_MATCH_MNBC: Duration = ms(600);
/// [`TT_EVSE_MATCH_MNBC`] in messages, in 100 ms. Compleo chargers do not respond to a car that sends 10
/// (pyPLC).
pub const TT_EVSE_MATCH_MNBC_100MS: u8 = 6;
/// `TP_EVSE_avg_atten_calc`: the charger's report follows the last sound within this time.
pub const TP_EVSE_AVG_ATTEN_CALC: Duration = ms(100);
/// Wait for measurements after the last sound, within [`TP_EVSE_AVG_ATTEN_CALC`], because they arrive in any
/// order (EVerest).
pub const AVG_ATTEN_WAIT: Duration = ms(45);
/// `TT_EV_atten_results`: from the first announcement until the car chooses.
pub const TT_EV_ATTEN_RESULTS: Duration = ms(1200);
/// `TT_EVSE_match_session`: from the car's response to its match request.
pub const TT_EVSE_MATCH_SESSION: Duration = ms(10_000);
/// `TP_EV_match_session`: the match request follows the results within this time (`MStar`).
pub const TP_EV_MATCH_SESSION: Duration = ms(500);
/// `TT_match_join`: from the key to the link. Modems restart in between: 6.3..=8.3 s observed, once 40 s.
pub const TT_MATCH_JOIN: Duration = ms(12_000);
/// `TP_link_ready_notification`: time from the link to D-LINK_READY, 0.2..=1 s.
pub const TP_LINK_READY_NOTIFICATION: Duration = ms(200);
/// `TT_matching_repetition`: the car repeats matching for at least this time.
pub const TT_MATCHING_REPETITION: Duration = ms(10_000);
/// `TT_matching_rate`: minimum time between two attempts.
pub const TT_MATCHING_RATE: Duration = ms(400);
/// `C_conn_max_match`: minimum number of attempts at matching.
pub const C_CONN_MAX_MATCH: u8 = 3;
/// `TP_match_leave`: the network is left within this time.
pub const TP_MATCH_LEAVE: Duration = ms(1000);
/// A charger that led to no link, or to no response over it, is tried last for this time. Judgement: five
/// failures of [`TT_MATCH_JOIN`]; after a minute it is no longer in doubt.
pub const SET_ASIDE: Duration = ms(60_000);
/// `T_step_EF`: how long the charger shows its pilot's error step (a test environment: 4..=8 s).
pub const T_STEP_EF: Duration = ms(4000);
/// `C_sequ_retry`: pilot steps of a charger that receives no frame of a car.
pub const C_SEQU_RETRY: u8 = 2;
/// `TP_EV_vald_toggle`: shortest window for the car's toggles.
pub const TP_EV_VALD_TOGGLE_MIN: Duration = ms(600);
/// `TT_EVSE_vald_toggle`: longest window for the car's toggles.
pub const TT_EVSE_VALD_TOGGLE: Duration = ms(3500);
/// `TP_EV_vald_state_duration`: 200..=400 ms in each pilot state of a toggle.
pub const TP_EV_VALD_STATE_DURATION: Duration = ms(300);
/// `T_vald_detect_time`: the charger detects a pilot state within this time.
pub const T_VALD_DETECT_TIME: Duration = ms(200);
/// `C_EV_vald_nb_toggles`: toggles, 1..=3.
pub const C_EV_VALD_NB_TOGGLES: u8 = 3;
/// `C_EVSE_match_parallel`: cars that a charger measures at the same time.
pub const C_EVSE_MATCH_PARALLEL: usize = 5;
/// `TP_amp_map_exchange`: an amplitude map is answered within this time.
pub const TP_AMP_MAP_EXCHANGE: Duration = ms(100);
/// `TT_amp_map_exchange`: wait for the answer to an amplitude map.
pub const TT_AMP_MAP_EXCHANGE: Duration = ms(200);
/// `T_conn_max_comm`: a lost connection is detected within this time.
pub const T_CONN_MAX_COMM: Duration = ms(8000);
/// `T_conn_init_HLC`: the session begins within this time after the link.
pub const T_CONN_INIT_HLC: Duration = ms(200);
/// `T_conn_resume`: a link resumes from sleep within this time.
pub const T_CONN_RESUME: Duration = ms(6000);
/// `T_conn_resetup`: after a loss, matching begins again within this time.
pub const T_CONN_RESETUP: Duration = ms(15_000);

/// Mean below which the charger counts as the car's own: `C_EV_match_signalattn_direct`, hundredths of a dB
/// (`MStar`'s table).
pub const SIGNALATTN_DIRECT_CDB: u32 = 1000;
/// Mean below which the charger may be the car's own: `C_EV_match_signalattn_indirect`, hundredths of a dB.
/// Other sources have 40, 60 and 80 dB.
pub const SIGNALATTN_INDIRECT_CDB: u32 = 2000;
/// Mean above which a car chooses no charger by default: the only limit in open-plc-utils, hundredths of a
/// dB. Chargers chosen in the captures report up to 26 dB. Without a limit a car whose own charger misses its
/// sounds would choose the charger of the next post.
pub const SIGNALATTN_LIMIT_CDB: u32 = 4000;
