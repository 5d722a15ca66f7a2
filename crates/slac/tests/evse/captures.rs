//! Every recorded car against this charger, which has the recorded charger's address: the car must receive
//! the key.

use homeplug_mme::{GROUPS, Mac, Profile, Slac};
use machine::{Duration, Instant};
use slac::{Event, EvseConfig, EvseInput, EvseState};

use crate::bench::{Bench, MODEM, Sent};
use crate::recorded::{Attempt, Recorded, attempts, frames, names};

/// Captures with both sides of a matching: number of attempts with a key, and without.
const CARS: &[(&str, usize, usize)] = &[
    ("2022-11-09_athome_until_ChargeParameterDiscoveryRequest.pcapng", 1, 0),
    // It repeats its request at the end.
    ("2022-11-17_Dehner_Alpitronic_until_SdpRequest.pcapng", 1, 1),
    ("2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng", 1, 0),
    ("2022-11-25_v0.2_alpi_SDP_ok_TCP_fail.pcapng", 1, 0),
    ("2022-12-13_compleo_powerdelivery230_no_load.pcapng", 2, 0),
    ("2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng", 1, 0),
    ("2023-04-19_compleo_pyPlc_lightbulb_failedBadRegulation.pcapng", 2, 1),
    ("2023-04-19_westparkAlpi_pyPlc_lightbulb_1fail_1ok.pcapng", 2, 1),
    ("2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng", 3, 0),
    ("2023-04-26_atHome_IoniqWithBulbs10minutesTimeout.pcapng", 1, 0),
    // The recorded charger answered with a RunID of its own, and the car repeated its request only.
    ("2023-05-03_TaycanLeftside_slacFail.pcapng", 0, 2),
    ("2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng", 1, 0),
    ("2024-06-11_Griffigroen_polestar2_stop_in_precharge.pcapng", 1, 0),
    ("2025-07-22_pyPLC_with_tesla_model_x_plaid_until_charging_loop.pcapng", 1, 0),
    ("CCM_SPI_powerOn_and_SLAC_until_contractAuth.txt.pcap", 1, 0),
    // The emulated car begins a run, and another 50 s later.
    ("DIN_DC_DS5366_Josev.pcapng", 1, 1),
    ("ISO-20_BPT_AC_DS5366_Josev.pcapng", 1, 1),
    ("ISO-20_TLS13_DC_DS5366_Josev.pcapng", 1, 0),
    ("ISO-2_AC_DS5366.pcapng", 1, 0),
    ("ISO-2_DC_DS5366.pcapng", 1, 0),
    ("ISO-2_DC_Pause_DS5366.pcapng", 1, 0),
    ("ISO-2_DC_PnC_TLS_CertInstallation_DS5366_RiseV2G.pcapng", 1, 0),
    ("ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng", 1, 0),
    ("ISO-2_DC_SalesTariffSchedule_DS5366_RiseV2G.pcapng", 1, 0),
    // Two chargers; the car chooses the one with the lower attenuation.
    ("ISO-2_DC_multi_EVSE_SLAC_DS5366_Josev.pcapng", 1, 1),
    ("porsche-taycan-4s-driverside-ac-iso2.pcap", 1, 0),
    ("spi_ioniq_alpiHYC150_Meitingen_2024-04-03_Ok.csv.pcap", 1, 0),
    ("spi_ioniq_alpiHYC150_makerspace_landsberg_left_small_2024-04-03_ok.csv.pcap", 1, 0),
    ("spi_ioniq_alpiHYC300_LangenbruckTwoSessions_2024-04-03_Ok.csv.pcap", 1, 0),
    ("spi_ioniq_alpiHYC300_SWIsued_2024-03-22_ok_stopOnCharger.csv.pcap", 1, 0),
    ("zelos_v2g_din_session.pcap", 1, 0),
];

/// Captures of the charger's side only (a listening modem), or without matching.
const WITHOUT_A_CAR: &[&str] = &[
    "2022-10-26_WP4_networkEstablishedButHiddenCommunication.pcapng",
    "2025-01-21_listenMode_01_slow_and_only_broadcast_visible.pcapng",
    "2025-01-21_listenMode_02_mac_spoofing_some_frames_visible.pcapng",
    "2025-01-21_listenMode_04_cutted_tx_path_no_joining.pcapng",
    "IEC61851_AC_PWM_Basic.pcapng",
    "spi_testPoweronOnDesk.csv.pcap",
];

#[test]
fn every_capture_is_in_one_of_the_lists() {
    let Some(names) = names() else { return };
    let listed = CARS.iter().map(|(name, ..)| *name).chain(WITHOUT_A_CAR.iter().copied());
    assert_eq!(listed.map(str::to_owned).collect::<std::collections::BTreeSet<_>>(), names);
    for name in WITHOUT_A_CAR {
        assert!(attempts(&frames(name).unwrap()).is_empty(), "{name}");
    }
}

/// Simulates the car and the modem of an attempt; measurements are synthetic if none were recorded. The car
/// answers our report with the delay with which it answered the recorded one, because some chargers take a
/// second for theirs.
fn play(attempt: &Attempt, offset_db: i8) -> (Bench, Vec<Sent>) {
    let mut bench = Bench::with(EvseConfig { offset_db, ..EvseConfig::new(attempt.charger) });
    let begin = attempt.frames[0].micros;
    let measures = attempt.frames.iter().any(|frame| matches!(frame.message, Slac::Measured { .. }));
    let mut sent: Vec<Sent> = Vec::new();
    let (mut reports, mut reported) = (0, 0);
    let mut ahead = Duration::ZERO;
    for frame in &attempt.frames {
        let mut time = Instant::ZERO + Duration::from_micros(frame.micros - begin);
        if frame.from == attempt.charger {
            if matches!(frame.message, Slac::AttenChar { .. }) {
                (reports, reported) = (reports + 1, time.as_millis());
            }
            continue;
        }
        if matches!(frame.message, Slac::AttenCharRsp { .. }) {
            let is_report = |sent: &&Sent| matches!(sent.message, Slac::AttenChar { .. });
            while sent.iter().filter(is_report).count() < reports {
                bench.after(1);
                sent.extend(bench.sent());
                assert!(bench.now.since(time) < Duration::from_secs(1), "no report");
            }
            let ours = sent.iter().filter(is_report).nth(reports - 1).unwrap();
            ahead = Duration::from_millis(reported.saturating_sub(ours.ms));
        }
        time = Instant::ZERO + time.since(Instant::ZERO + ahead);
        bench.until(time.max(bench.now));
        bench.frame(&frame.bytes);
        if matches!(frame.message, Slac::Sound { .. }) && !measures {
            bench.cast(MODEM, Slac::Measured { car: attempt.car, profile: Some(Profile([12; GROUPS])) });
        }
        sent.extend(bench.sent());
    }
    (bench, sent)
}

fn only(frames: &[Recorded], from: Mac) -> Vec<&Recorded> {
    frames.iter().filter(|frame| frame.from == from).collect()
}

/// The frame without a tag, and with blank network identifier and key in a confirmation.
fn comparable(bytes: &[u8], message: Slac) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if bytes[12..14] == [0x81, 0x00] {
        bytes.drain(12..16);
    }
    // A frame with a tag is padded less, and some captures contain bytes that the modem added after the
    // frame.
    bytes.resize(crate::bench::bytes(Mac([0; 6]), Mac([0; 6]), message).len(), 0);
    if matches!(message, Slac::MatchCnf { .. }) {
        bytes[85..92].fill(0);
        bytes[93..109].fill(0);
    }
    bytes
}

#[test]
fn every_recorded_car_gets_the_key_and_the_answers_are_those_of_its_charger() {
    let mut got = 0;
    for (capture, keys, others) in CARS {
        let Some(frames) = frames(capture) else { return };
        let attempts = attempts(&frames);
        let (succeeding, failing): (Vec<_>, Vec<_>) = attempts.into_iter().partition(Attempt::succeeds);
        assert_eq!((succeeding.len(), failing.len()), (*keys, *others), "{capture}");
        for attempt in &succeeding {
            let (mut bench, sent) = play(attempt, 0);
            assert_eq!(bench.evse.state(), EvseState::Joining, "{capture}");
            assert_eq!(bench.evse.peer(), Some(attempt.car), "{capture}");
            let told = bench.told();
            assert!(told.contains(&Event::KeyGiven { peer: attempt.car }), "{capture}: {told:?}");
            same_answers(capture, attempt, &sent);
            bench.after(6_500).input(EvseInput::Link(true));
            bench.after(200);
            assert!(bench.evse.is_matched(), "{capture}");
            got += 1;
        }
        for attempt in &failing {
            unfinished(capture, attempt);
        }
    }
    assert_eq!(got, 35);
}

/// Each type of response once: the number of repetitions depends on the speed of a charger.
fn same_answers(capture: &str, attempt: &Attempt, sent: &[Sent]) {
    let theirs = only(&attempt.frames, attempt.charger);
    let kinds: [fn(&Slac) -> bool; 2] =
        [|it| matches!(it, Slac::ParmCnf { .. }), |it| matches!(it, Slac::MatchCnf { .. })];
    for is_kind in kinds {
        let ours: Vec<_> = sent.iter().filter(|it| is_kind(&it.message)).collect();
        let their = theirs.iter().find(|it| is_kind(&it.message)).unwrap();
        assert!(!ours.is_empty(), "{capture}");
        for our in ours {
            let (our, their) = (comparable(&our.bytes, our.message), comparable(&their.bytes, their.message));
            assert_eq!(corpus::hex(&our), corpus::hex(&their), "{capture}");
        }
    }
}

fn unfinished(capture: &str, attempt: &Attempt) {
    let (mut bench, sent) = play(attempt, 0);
    assert_ne!(sent.len(), 0, "{capture}: answered");
    let requests =
        attempt.frames.iter().filter(|frame| matches!(frame.message, Slac::ParmReq { .. })).count();
    let answers = sent.iter().filter(|sent| matches!(sent.message, Slac::ParmCnf { .. })).count();
    assert_eq!(requests, answers, "{capture}");
    assert_eq!(bench.evse.state(), EvseState::Matching, "{capture}");
    if capture.contains("Taycan") {
        // Fault of the recorded charger: another RunID than the car's in each response.
        for request in only(&attempt.frames, attempt.car) {
            let Slac::ParmReq { run_id } = request.message else { panic!("{capture}") };
            let is_answer =
                |it: &&Sent| matches!(it.message, Slac::ParmCnf { run_id: id, .. } if id == run_id);
            assert!(sent.iter().any(|it| is_answer(&it)), "{capture}");
            let theirs = only(&attempt.frames, attempt.charger);
            assert!(
                !theirs
                    .iter()
                    .any(|it| matches!(it.message, Slac::ParmCnf { run_id: id, .. } if id == run_id))
            );
        }
    }
    bench.after(30_000);
    assert_eq!(bench.evse.state(), EvseState::Matching, "{capture}");
}

#[test]
fn reports_are_those_of_recorded_chargers_that_measure() {
    let mut compared = Vec::new();
    for (capture, ..) in CARS {
        let Some(frames) = frames(capture) else { return };
        for attempt in attempts(&frames) {
            let measured = attempt
                .frames
                .iter()
                .filter(|it| matches!(it.message, Slac::Measured { profile: Some(_), .. }));
            let theirs = attempt.frames.iter().find_map(|it| match it.message {
                Slac::AttenChar { profile: Some(profile), sounds, .. } => Some((profile, sounds)),
                _ => None,
            });
            let (10, Some((their, sounds))) = (measured.count(), theirs) else { continue };
            // dSPACE's charger subtracts 3 dB, and sometimes divides nine measurements by ten.
            let is_dspace = capture.contains("DS5366");
            let (_, sent) = play(&attempt, if is_dspace { -3 } else { 0 });
            let ours = sent.iter().find_map(|it| match it.message {
                Slac::AttenChar { profile: Some(profile), sounds, .. } => Some((profile, sounds)),
                _ => None,
            });
            let (our, count) = ours.unwrap();
            assert_eq!((count, sounds), (10, 10), "{capture}");
            if is_dspace {
                let differ = our.0.iter().zip(their.0).map(|(our, their)| i16::from(*our) - i16::from(their));
                let (least, most) = (differ.clone().min().unwrap(), differ.max().unwrap());
                assert!(least >= -1 && most <= 5, "{capture}: {least} to {most} dB");
            } else {
                assert_eq!(our, their, "{capture}");
            }
            compared.push(*capture);
        }
    }
    if compared.is_empty() {
        return;
    }
    assert!(compared.contains(&"porsche-taycan-4s-driverside-ac-iso2.pcap"));
    assert_eq!(compared.len(), 12, "{compared:?}");
}
