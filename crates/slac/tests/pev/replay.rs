//! This car against every charger whose frames were recorded.

use std::collections::BTreeMap;

use corpus::{Value, text};
use homeplug_mme::{Frame, Mac, NetworkKey, RunId, Slac};
use slac::{Event, PevConfig, PevInput, PevState};

use crate::bench::{Bench, ms};

struct Recorded {
    time: f64,
    to: Mac,
    from: Mac,
    slac: Slac,
    bytes: Vec<u8>,
}

/// One matching up to the key: the car, its run, and the messages of the chargers.
struct Matching<'a> {
    car: Mac,
    run_id: RunId,
    charger: Mac,
    key: NetworkKey,
    answers: BTreeMap<Mac, &'a [u8]>,
    reports: BTreeMap<Mac, &'a [u8]>,
    given: &'a [u8],
}

/// The messages of matching in each capture, with 802.1Q tags removed.
fn captures() -> Option<BTreeMap<String, Vec<Recorded>>> {
    let mut captures = BTreeMap::<String, Vec<Recorded>>::new();
    for line in corpus::lines("captures/mme.jsonl")? {
        let mut bytes = corpus::bytes(text(&line, "bytes"));
        if bytes[12..14] == [0x81, 0x00] {
            bytes.drain(12..16);
        }
        let Ok(frame) = Frame::parse(&bytes) else { continue };
        let Some(Ok(slac)) = Slac::parse(&frame) else { continue };
        let time = line.get("time_s").and_then(Value::as_f64).unwrap();
        let (to, from) = (frame.to, frame.from);
        captures.entry(text(&line, "capture").into()).or_default().push(Recorded {
            time,
            to,
            from,
            slac,
            bytes,
        });
    }
    for frames in captures.values_mut() {
        frames.sort_by(|a, b| a.time.total_cmp(&b.time));
    }
    Some(captures)
}

/// One run for each key that was sent, with the last responses and reports before it.
fn runs(frames: &[Recorded]) -> Vec<Matching<'_>> {
    let mut runs = vec![];
    for (index, given) in frames.iter().enumerate() {
        let Slac::MatchCnf { run_id: run, car, charger, key, .. } = given.slac else { continue };
        let (mut answers, mut reports) = (BTreeMap::new(), BTreeMap::new());
        for earlier in frames[..index].iter().filter(|earlier| earlier.to == car) {
            match earlier.slac {
                Slac::ParmCnf { run_id, .. } if run_id == run => {
                    answers.insert(earlier.from, earlier.bytes.as_slice());
                }
                Slac::AttenChar { run_id, .. } if run_id == run => {
                    reports.insert(earlier.from, earlier.bytes.as_slice());
                }
                _ => {}
            }
        }
        runs.push(Matching { car, run_id: run, charger, key, answers, reports, given: &given.bytes });
    }
    runs
}

/// This car with the recorded one's identifiers; each recorded response follows our request.
fn play(run: &Matching<'_>) -> Bench {
    let config = PevConfig { run_id: Some(run.run_id), ..PevConfig::new(run.car) };
    let mut bench = Bench::plugged(config, &[]);
    assert_eq!(bench.sent.len(), 1);
    bench.run(ms(40));
    run.answers.values().for_each(|bytes| bench.give(PevInput::Frame(bytes)));
    bench.until(PevState::Collecting);
    bench.run(ms(40));
    run.reports.values().for_each(|bytes| bench.give(PevInput::Frame(bytes)));
    assert_eq!(bench.pev.state(), PevState::Choosing);
    bench.run(ms(90));
    bench.give(PevInput::Frame(run.given));
    assert_eq!(bench.pev.state(), PevState::Joining);
    assert_eq!(bench.dropped(), []);
    bench
}

/// The `RunID` of a car's message whose content is fixed except for a sound's random bytes.
fn settled(slac: &Slac) -> Option<RunId> {
    match *slac {
        Slac::ParmReq { run_id }
        | Slac::AttenCharRsp { run_id, .. }
        | Slac::MatchReq { run_id, .. }
        | Slac::Sound { run_id, .. }
        // One car of 2022 sent 10 instead of 6.
        | Slac::StartAttenChar { run_id, timeout_100ms: 6, .. } => Some(run_id),
        _ => None,
    }
}

/// Removes the random end of a sound: the rest of the car's message is fixed by the standard.
fn fixed(slac: &Slac, bytes: &[u8]) -> Vec<u8> {
    let end = if matches!(slac, Slac::Sound { .. }) { 55 } else { bytes.len() };
    bytes[..end].to_vec()
}

#[test]
fn our_car_gets_the_recorded_key_from_every_recorded_charger() {
    let Some(captures) = captures() else { return };
    let mut found = vec![];
    for (name, frames) in &captures {
        let (mut count, mut same) = (0, 0);
        for run in runs(frames) {
            let bench = play(&run);
            assert!(bench.pev.key() == Some(run.key), "{name}: another key");
            assert_eq!((bench.chosen(), bench.pev.peer()), (vec![run.charger], Some(run.charger)), "{name}");
            count += 1;
            // Our frames are equal to those of the recorded car, byte for byte.
            let ours: Vec<_> = bench.sent.iter().map(|sent| fixed(&sent.slac, &sent.bytes)).collect();
            for frame in frames.iter().filter(|frame| frame.from == run.car) {
                if settled(&frame.slac) == Some(run.run_id) {
                    let theirs = fixed(&frame.slac, &frame.bytes);
                    assert!(ours.contains(&theirs), "{name}: {:?}", frame.slac);
                    same += 1;
                }
            }
        }
        found.push((name.as_str(), count, same));
    }
    assert_eq!(found, EXPECTED);
}

#[test]
fn of_the_two_recorded_chargers_the_nearer_one_is_chosen() {
    let Some(captures) = captures() else { return };
    let runs = runs(&captures["ISO-2_DC_multi_EVSE_SLAC_DS5366_Josev.pcapng"]);
    let bench = play(&runs[0]);
    let mean = |event: &Event| match event {
        Event::Measured { peer, mean_cdb, .. } => Some((*mean_cdb, *peer)),
        _ => None,
    };
    let mut means: Vec<_> = bench.events.iter().filter_map(mean).collect();
    means.sort_unstable();
    let (cdb, peers): (Vec<_>, Vec<_>) = means.into_iter().unzip();
    assert_eq!(cdb, [2577, 3127]);
    assert_eq!(bench.pev.peer(), Some(peers[0]));
    // Both receive their response.
    let responses = bench.sent.iter().filter(|sent| crate::bench::is_rsp(&sent.slac));
    assert_eq!(
        responses.map(|sent| sent.to).collect::<std::collections::BTreeSet<_>>(),
        peers.into_iter().collect()
    );
}

/// Capture, keys sent (in `TaycanLeftside` the charger answers another run and sends none), number of
/// different frames of the recorded car that are equal to ours.
const EXPECTED: &[(&str, usize, usize)] = &[
    ("2022-10-26_WP4_networkEstablishedButHiddenCommunication.pcapng", 1, 0),
    ("2022-11-09_athome_until_ChargeParameterDiscoveryRequest.pcapng", 1, 14),
    ("2022-11-17_Dehner_Alpitronic_until_SdpRequest.pcapng", 1, 13),
    ("2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng", 1, 13),
    ("2022-11-25_v0.2_alpi_SDP_ok_TCP_fail.pcapng", 1, 13),
    ("2022-12-13_compleo_powerdelivery230_no_load.pcapng", 2, 28),
    ("2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng", 1, 14),
    ("2023-04-19_compleo_pyPlc_lightbulb_failedBadRegulation.pcapng", 2, 28),
    ("2023-04-19_westparkAlpi_pyPlc_lightbulb_1fail_1ok.pcapng", 2, 28),
    ("2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng", 2, 28),
    ("2023-04-26_atHome_IoniqWithBulbs10minutesTimeout.pcapng", 1, 14),
    ("2023-05-03_TaycanLeftside_slacFail.pcapng", 0, 0),
    ("2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng", 1, 14),
    ("2024-06-11_Griffigroen_polestar2_stop_in_precharge.pcapng", 1, 14),
    ("2025-01-21_listenMode_01_slow_and_only_broadcast_visible.pcapng", 1, 0),
    ("2025-01-21_listenMode_02_mac_spoofing_some_frames_visible.pcapng", 1, 0),
    ("2025-01-21_listenMode_04_cutted_tx_path_no_joining.pcapng", 1, 0),
    ("2025-07-22_pyPLC_with_tesla_model_x_plaid_until_charging_loop.pcapng", 1, 14),
    ("CCM_SPI_powerOn_and_SLAC_until_contractAuth.txt.pcap", 1, 14),
    ("DIN_DC_DS5366_Josev.pcapng", 1, 14),
    ("ISO-20_BPT_AC_DS5366_Josev.pcapng", 1, 14),
    ("ISO-20_TLS13_DC_DS5366_Josev.pcapng", 1, 14),
    ("ISO-2_AC_DS5366.pcapng", 1, 14),
    ("ISO-2_DC_DS5366.pcapng", 1, 14),
    ("ISO-2_DC_Pause_DS5366.pcapng", 1, 14),
    ("ISO-2_DC_PnC_TLS_CertInstallation_DS5366_RiseV2G.pcapng", 1, 14),
    ("ISO-2_DC_PnC_TLS_Contract_DS5366_RiseV2G.pcapng", 1, 14),
    ("ISO-2_DC_SalesTariffSchedule_DS5366_RiseV2G.pcapng", 1, 14),
    ("ISO-2_DC_multi_EVSE_SLAC_DS5366_Josev.pcapng", 1, 30),
    ("porsche-taycan-4s-driverside-ac-iso2.pcap", 1, 14),
    ("spi_ioniq_alpiHYC150_Meitingen_2024-04-03_Ok.csv.pcap", 1, 14),
    ("spi_ioniq_alpiHYC150_makerspace_landsberg_left_small_2024-04-03_ok.csv.pcap", 1, 14),
    ("spi_ioniq_alpiHYC300_LangenbruckTwoSessions_2024-04-03_Ok.csv.pcap", 1, 14),
    ("spi_ioniq_alpiHYC300_SWIsued_2024-03-22_ok_stopOnCharger.csv.pcap", 1, 14),
    ("zelos_v2g_din_session.pcap", 1, 14),
];
