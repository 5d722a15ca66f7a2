//! Every recorded charger against our car: the charger's responses, sent again with the recorded latency.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use pev_fsm::Quirks;
use replay::{CAPTURES, End, play_charger, play_charger_and_after, report, sessions};
use session::Cause;

/// How a recorded charger and our car end.
enum Expected {
    /// The session ends by this cause.
    Ends(Cause),
    /// Our car continues to this request, for which the recording has no response.
    GoesOn(&'static str),
}
use Expected::{Ends, GoesOn};

/// Capture, session, least number of responses that our car accepts, how they end, and why.
#[rustfmt::skip] // a table reads best with one row a line
const TABLE: &[(&str, usize, usize, Expected, &str)] = &[
    ("2022-11-09_athome_until_ChargeParameterDiscoveryRequest.pcapng", 1, 3, Ends(Cause::UnknownSession("ServiceDiscoveryRes")), "an early pyPLC changes the session id"),
    ("2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng", 1, 4, GoesOn("ContractAuthenticationReq"), "an early pyPLC left it out, and the ABB closed"),
    ("2022-12-13_compleo_powerdelivery230_no_load.pcapng", 1, 32, GoesOn("ContractAuthenticationReq"), "the card was never shown"),
    ("2022-12-13_compleo_powerdelivery230_no_load.pcapng", 2, 37, GoesOn("PowerDeliveryReq"), "the capture ends there"),
    ("2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng", 1, 7, Ends(Cause::Isolation), "pyPLC tells no isolation status; the Ioniq did not mind"),
    ("2023-04-19_compleo_pyPlc_lightbulb_failedBadRegulation.pcapng", 1, 25, Ends(Cause::ChargerStatus("EmergencyShutdown")), "pyPLC asked on 19 times; ours stops at the first"),
    ("2023-04-19_compleo_pyPlc_lightbulb_failedBadRegulation.pcapng", 2, 82, Ends(Cause::ChargerStatus("EmergencyShutdown")), "pyPLC asked on; ours stops at the first"),
    ("2023-04-19_westparkAlpi_pyPlc_lightbulb_1fail_1ok.pcapng", 1, 9, Ends(Cause::FailedResponse("CableCheckRes")), "the pilot was not at C then"),
    ("2023-04-19_westparkAlpi_pyPlc_lightbulb_1fail_1ok.pcapng", 2, 1433, GoesOn("PowerOff"), "pyPLC overlooked 75 EVSE_Shutdown; ours stops at the first"),
    ("2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng", 1, 5, GoesOn("ChargeParameterDiscoveryReq"), "pyPLC was stopped"),
    ("2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng", 2, 7, Ends(Cause::Isolation), "no isolation status"),
    ("2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng", 3, 7, Ends(Cause::Isolation), "no isolation status"),
    ("2023-04-26_atHome_IoniqWithBulbs10minutesTimeout.pcapng", 1, 7, Ends(Cause::Isolation), "no isolation status"),
    ("2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng", 1, 17, Ends(Cause::Isolation), "no isolation status"),
    ("2024-06-11_Griffigroen_polestar2_stop_in_precharge.pcapng", 1, 12, Ends(Cause::Isolation), "no isolation status"),
    ("2025-07-22_pyPLC_with_tesla_model_x_plaid_until_charging_loop.pcapng", 1, 12, Ends(Cause::Isolation), "no isolation status"),
    ("CCM_SPI_powerOn_and_SLAC_until_contractAuth.txt.pcap", 1, 5, GoesOn("ChargeParameterDiscoveryReq"), "the last recorded answer says Finished; the Ioniq had given up"),
    ("DIN_DC_DS5366_Josev.pcapng", 1, 84, GoesOn("PreChargeReq"), "the recorded car went on 94 V below its target; ours does not close"),
    ("spi_ioniq_alpiHYC150_Meitingen_2024-04-03_Ok.csv.pcap", 1, 1047, GoesOn("CurrentDemandReq"), "the capture ends in the charging loop"),
    ("spi_ioniq_alpiHYC150_makerspace_landsberg_left_small_2024-04-03_ok.csv.pcap", 1, 546, Ends(Cause::StoppedAtCharger), "stopped at the charger, as recorded"),
    ("spi_ioniq_alpiHYC300_LangenbruckTwoSessions_2024-04-03_Ok.csv.pcap", 1, 876, Ends(Cause::StoppedAtCharger), "stopped at the charger, as recorded"),
    ("spi_ioniq_alpiHYC300_SWIsued_2024-03-22_ok_stopOnCharger.csv.pcap", 1, 697, Ends(Cause::StoppedAtCharger), "stopped at the charger, as recorded"),
    ("zelos_v2g_din_session.pcap", 1, 480, Ends(Cause::Timeout("cable check")), "the isolation test never ends; the recorded car waited longer"),
];

/// The same for the chargers that report no isolation status, with the quirk `untold-isolation`.
#[rustfmt::skip]
const UNTOLD: &[(&str, usize, usize, Expected, &str)] = &[
    ("2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng", 1, 728, GoesOn("CurrentDemandReq"), "the capture ends in the charging loop"),
    ("2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng", 2, 2866, GoesOn("WeldingDetectionReq"), "the Ioniq left it out"),
    ("2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng", 3, 2848, GoesOn("WeldingDetectionReq"), "the Ioniq left it out"),
    ("2023-04-26_atHome_IoniqWithBulbs10minutesTimeout.pcapng", 1, 2856, GoesOn("WeldingDetectionReq"), "the Ioniq left it out"),
    ("2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng", 1, 24, GoesOn("PowerDeliveryReq"), "the Model Y measured nothing real and went on asking; ours is given what is reported"),
    ("2024-06-11_Griffigroen_polestar2_stop_in_precharge.pcapng", 1, 20, GoesOn("PowerDeliveryReq"), "as the Model Y"),
    ("2025-07-22_pyPLC_with_tesla_model_x_plaid_until_charging_loop.pcapng", 1, 210, GoesOn("CurrentDemandReq"), "the capture ends in the charging loop"),
];

fn check(table: &[(&str, usize, usize, Expected, &str)], quirks: Quirks) -> usize {
    let mut total = 0;
    for capture in CAPTURES {
        for (index, session) in sessions(capture).iter().enumerate() {
            let row = table.iter().find(|(name, number, ..)| name == capture && *number == index + 1);
            let Some((_, _, least, expected, why)) = row else {
                let listed = TABLE.iter().any(|(name, number, ..)| name == capture && *number == index + 1);
                assert!(listed || session.responses.is_empty(), "{}: add it to the table", session.name);
                continue;
            };
            let played = play_charger(session, |config| config.quirks = quirks);
            let as_expected = match (expected, played.end) {
                (Ends(cause), End::Stopped(stop)) => stop.cause == *cause,
                (GoesOn(name), End::Beyond(beyond)) => *name == beyond,
                _ => false,
            };
            assert!(as_expected && played.taken >= *least, "{}: {played:?}; expected: {why}", session.name);
            assert!(!played.has_emergency, "{}: contactors opened under current", session.name);
            total += played.taken;
        }
    }
    total
}

#[test]
fn every_recorded_charger_brings_our_car_to_the_recorded_end_or_a_better_one() {
    let taken = check(TABLE, Quirks::DEFAULT);
    println!("{taken} responses");
    assert!(taken > 5_000 || corpus::path("captures").is_none(), "only {taken} responses were taken");
}

#[test]
fn chargers_that_tell_no_isolation_status_charge_our_car_where_that_is_allowed() {
    let taken = check(UNTOLD, Quirks::DEFAULT | Quirks::UNTOLD_ISOLATION);
    println!("{taken} responses");
    assert!(taken > 9_000 || corpus::path("captures").is_none(), "only {taken} responses were taken");
}

#[test]
fn complete_sessions_say_all_that_the_standard_has() {
    for capture in CAPTURES.iter().filter(|capture| capture.contains("HYC300")) {
        for session in sessions(capture) {
            let played = play_charger(&session, |config| config.strict = true);
            assert!(matches!(played.end, End::Stopped(stop) if stop.cause == Cause::StoppedAtCharger));
            let end = ["CurrentDemandReq", "PowerOff", "WeldingDetectionReq", "SessionStopReq"];
            assert!(played.has_closed && played.said.ends_with(&end), "{:?}", played.said);
        }
    }
}

#[test]
fn each_quirk_is_needed_by_a_recorded_charger() {
    let first = |capture| sessions(capture).into_iter().next();
    let plain_ok = "2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng";
    let silent = "2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng";
    let slow = "zelos_v2g_din_session.pcap";
    if let Some(session) = first(plain_ok) {
        let without = Quirks::DEFAULT.difference(Quirks::PLAIN_OK);
        assert_eq!(play_charger(&session, |config| config.quirks = without).taken, 2);
    }
    if let Some(session) = first(silent) {
        let without = Quirks::UNTOLD_ISOLATION;
        let played = play_charger(&session, |config| config.quirks = without);
        assert!(matches!(played.end, End::Stopped(stop) if stop.cause == Cause::ChargerStatus("NotReady")));
    }
    if let Some(session) = first(slow) {
        let without = Quirks::DEFAULT.difference(Quirks::RELAXED_TIMERS);
        assert!(play_charger(&session, |config| config.quirks = without).taken < 330);
    }
}

/// pyPLC reports 10 A for any current, and in one session 350 V for any voltage.
#[test]
fn a_charger_whose_report_never_changes_holds_no_lock_and_latches_nothing() {
    let captures = [
        "2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng",
        "2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng",
    ];
    for session in captures.into_iter().flat_map(sessions) {
        let reports: Vec<_> = session.responses.iter().filter_map(report).collect();
        if reports.is_empty() {
            continue;
        }
        assert!(reports.len() > 600 && reports.iter().all(|(_, ma)| *ma == 10_000), "{}", session.name);
        let change =
            |config: &mut pev_fsm::Config| config.quirks = Quirks::DEFAULT | Quirks::UNTOLD_ISOLATION;
        let after = play_charger_and_after(&session, change);
        assert_eq!((after.latched, after.lock), (None, pev_fsm::Lock::Released), "{}", session.name);
    }
}
