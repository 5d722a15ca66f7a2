//! Every recorded car against our charger: what the car sent then, sent again at the recorded times.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use control_pilot::Level;
use evse_fsm::{Authorisation, Operator};
use exi_din::{BodyElement, ResponseCode, V2gMessage};
use machine::Duration;
use replay::{Session, World, sessions};
use roles::{EvseConfig, EvseStorage, Mac};

/// Every capture with a car that speaks DIN SPEC 70121.
const CAPTURES: &[&str] = &[
    "2022-11-09_athome_until_ChargeParameterDiscoveryRequest.pcapng",
    "2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng",
    "2022-12-13_compleo_powerdelivery230_no_load.pcapng",
    "2023-04-16_at_home_Ioniq_in_currentDemandLoop.pcapng",
    "2023-04-19_compleo_pyPlc_lightbulb_failedBadRegulation.pcapng",
    "2023-04-19_westparkAlpi_pyPlc_lightbulb_1fail_1ok.pcapng",
    "2023-04-24_atHome_Ioniq_without_and_with_60W_bulbs.pcapng",
    "2023-04-26_atHome_IoniqWithBulbs10minutesTimeout.pcapng",
    "2024-04-20_ModelY_pyPLC_stop_in_precharge.pcapng",
    "2024-06-11_Griffigroen_polestar2_stop_in_precharge.pcapng",
    "2025-07-22_pyPLC_with_tesla_model_x_plaid_until_charging_loop.pcapng",
    "CCM_SPI_powerOn_and_SLAC_until_contractAuth.txt.pcap",
    "DIN_DC_DS5366_Josev.pcapng",
    "spi_ioniq_alpiHYC150_Meitingen_2024-04-03_Ok.csv.pcap",
    "spi_ioniq_alpiHYC150_makerspace_landsberg_left_small_2024-04-03_ok.csv.pcap",
    "spi_ioniq_alpiHYC300_LangenbruckTwoSessions_2024-04-03_Ok.csv.pcap",
    "spi_ioniq_alpiHYC300_SWIsued_2024-03-22_ok_stopOnCharger.csv.pcap",
    "zelos_v2g_din_session.pcap",
];

/// Requests that our charger refuses by the rules, and why: capture, frame, code.
const REFUSED: &[(&str, u64, ResponseCode, &str)] = &[];

/// Looping requests whose answer says when the loop ends; the recorded charger ended it before the last one.
const LAST_OF_LOOP: [&str; 3] = ["ContractAuthenticationReq", "ChargeParameterDiscoveryReq", "CableCheckReq"];

fn config(session: &Session) -> EvseConfig {
    let mut config = EvseConfig::new(Mac([0x02, 0, 0, 0, 0, 0x01]));
    let charger = &mut config.charger;
    charger.authorisation = Authorisation::Operator;
    charger.session_id_len = u8::try_from(session.id.len()).unwrap().max(1);
    // Larger than every recorded car asks for, so that limits refuse nobody.
    charger.limits.max_voltage_mv = 1_000_000;
    charger.limits.max_current_ma = 600_000;
    charger.limits.max_power_w = 600_000;
    charger.isolation_test = Duration::from_millis(1);
    if let Some((first, last)) = session.span("ChargeParameterDiscoveryReq") {
        charger.parameter_time = Duration::from_micros((last - first).saturating_sub(1000));
    }
    config
}

/// The request before and after `index` change what the car's side of the plant does.
fn prepare(world: &mut World<'_>, session: &Session, index: usize) {
    let request = &session.requests[index];
    let is_last = LAST_OF_LOOP.contains(&request.name)
        && session.requests[index + 1..].iter().all(|later| later.name != request.name);
    match request.name {
        "ContractAuthenticationReq" if is_last => world.operator(Operator::Authorise(true)),
        "CableCheckReq" => {
            world.isolation_valid = is_last;
            world.pilot = Level::C;
        }
        "WeldingDetectionReq" | "SessionStopReq" => world.pilot = Level::B,
        _ => return,
    }
    // The sensors see it before the message comes.
    world.run(world.now + 60_000);
}

fn code(stream: &[u8]) -> (String, Option<ResponseCode>) {
    let Ok(message) = V2gMessage::decode(stream) else {
        return ("supportedAppProtocolRes".to_owned(), None);
    };
    let code = match message.body.element {
        Some(BodyElement::SessionSetupRes(res)) => res.response_code,
        Some(BodyElement::ServiceDiscoveryRes(res)) => res.response_code,
        Some(BodyElement::ServicePaymentSelectionRes(res)) => res.response_code,
        Some(BodyElement::ContractAuthenticationRes(res)) => res.response_code,
        Some(BodyElement::ChargeParameterDiscoveryRes(res)) => res.response_code,
        Some(BodyElement::CableCheckRes(res)) => res.response_code,
        Some(BodyElement::PreChargeRes(res)) => res.response_code,
        Some(BodyElement::PowerDeliveryRes(res)) => res.response_code,
        Some(BodyElement::CurrentDemandRes(res)) => res.response_code,
        Some(BodyElement::WeldingDetectionRes(res)) => res.response_code,
        Some(BodyElement::SessionStopRes(res)) => res.response_code,
        other => panic!("{other:?} is no answer of a DC charger"),
    };
    (message.name().unwrap().to_owned(), Some(code))
}

/// Sends request `index` and checks the answer.
fn step(world: &mut World<'_>, session: &Session, index: usize) -> Result<(), String> {
    let request = &session.requests[index];
    prepare(world, session, index);
    world.send(&request.stream);
    let label = format!("{} frame {} {}", session.name, request.frame, request.name);
    let answer = world.answer(world.now + 2_000_000).ok_or_else(|| format!("{label}: no answer"))?;
    let (name, code) = code(&answer.stream);
    if name != request.name.replace("Req", "Res") {
        return Err(format!("{label}: answered by {name}"));
    }
    let known = REFUSED
        .iter()
        .find(|(capture, frame, ..)| session.name.starts_with(capture) && *frame == request.frame);
    match (code, known) {
        (Some(code), Some((_, _, expected, _))) if code == *expected => Ok(()),
        (Some(code), None) if !code.is_failed() => Ok(()),
        (None, None) => Ok(()),
        (code, _) => Err(format!("{label}: {code:?}")),
    }
}

/// Replays the first `count` requests at their recorded times.
fn replay<'s>(
    session: &Session,
    count: usize,
    storage: &'s mut EvseStorage<'s>,
) -> Result<World<'s>, String> {
    let mut world = World::new(config(session), storage, &session.id);
    world.connect();
    let start = world.now;
    let first = session.requests[0].at;
    for index in 0..count {
        world.run(start + session.requests[index].at - first);
        step(&mut world, session, index)?;
    }
    Ok(world)
}

#[test]
fn every_recorded_car_gets_the_right_positive_answers_up_to_where_its_capture_ends() {
    let mut failures = Vec::new();
    let mut replayed = 0;
    for capture in CAPTURES {
        for session in sessions(capture) {
            let mut storage = EvseStorage::new();
            match replay(&session, session.requests.len(), &mut storage) {
                Ok(_) => replayed += session.requests.len(),
                Err(failure) => failures.push(failure),
            }
        }
    }
    println!("{replayed} requests");
    assert!(replayed > 5000 || corpus::path("captures").is_none(), "only {replayed} requests were replayed");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
