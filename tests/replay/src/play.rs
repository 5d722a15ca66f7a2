use control_pilot::Level;
use evse_fsm::{Authorisation, Operator, PowerStage, Sensors};
use exi_din::{BodyElement, ResponseCode, V2gMessage};
use machine::Duration;
use roles::{EvseConfig, EvseStorage, Mac};

use crate::{Session, World, sessions};

/// Every capture with a car that uses DIN SPEC 70121.
pub const CAPTURES: &[&str] = &[
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

/// Requests that our charger must refuse, and why: capture, frame, code.
pub const REFUSED: &[(&str, u64, ResponseCode, &str)] = &[
    (
        "2022-11-09_athome_until_ChargeParameterDiscoveryRequest.pcapng",
        126,
        ResponseCode::FailedUnknownSession,
        "an early pyPLC sends an empty session id",
    ),
    (
        "2022-11-25_v0.2_ABB_until_ChargeParamDiscovery.pcapng",
        472,
        ResponseCode::FailedSequenceError,
        "an early pyPLC leaves ContractAuthentication out; the ABB closed the connection",
    ),
    (
        "CCM_SPI_powerOn_and_SLAC_until_contractAuth.txt.pcap",
        55,
        ResponseCode::FailedSequenceError,
        "the car gives up waiting for the card with PowerDelivery(false): switched off, and refused",
    ),
];

/// The time that an isolation test takes here: contactors, ramp, measurement, discharge.
const SHORTEST_TEST_US: u64 = 2_000_000;

/// Repeated requests whose response ends the loop; the recorded charger ended it before the last one.
const LAST_OF_LOOP: [&str; 3] = ["ContractAuthenticationReq", "ChargeParameterDiscoveryReq", "CableCheckReq"];

/// A charger that provides the same output as the recorded charger at the same requests.
pub fn config(session: &Session) -> EvseConfig {
    let mut config = EvseConfig::new(Mac([0x02, 0, 0, 0, 0, 0x01]));
    let charger = &mut config.charger;
    charger.authorisation = Authorisation::Operator;
    charger.session_id_len = u8::try_from(session.id.len()).unwrap().max(1);
    // Above the request of every recorded car, so that limits refuse no car.
    charger.limits.max_voltage_mv = 1_000_000;
    charger.limits.max_current_ma = 600_000;
    charger.limits.max_power_w = 600_000;
    charger.voltage_ramp_mv_per_s = 2_000_000;
    // The recorded chargers report Finished for the last CableCheckReq. If that is too soon for any isolation
    // test - programs that only simulate - our charger has no power stage either.
    let (first, last) = session.span("CableCheckReq").unwrap_or_default();
    if last - first < SHORTEST_TEST_US {
        charger.power_stage = PowerStage::None;
        charger.sensors = Sensors::empty();
        charger.isolation_test = Duration::from_micros((last - first).saturating_sub(1000));
    } else {
        charger.isolation_test = Duration::from_millis(1);
    }
    if let Some((first, last)) = session.span("ChargeParameterDiscoveryReq") {
        charger.parameter_time = Duration::from_micros((last - first).saturating_sub(1000));
    }
    config
}

/// Changes the car's side of the plant as the requests before and after `index` require.
fn prepare(world: &mut World<'_>, session: &Session, index: usize) {
    let request = &session.requests[index];
    let is_last = LAST_OF_LOOP.contains(&request.name)
        && session.requests[index + 1..].iter().all(|later| later.name != request.name);
    match request.name {
        "ContractAuthenticationReq" if is_last => world.operator(Operator::Authorise(true)),
        "CableCheckReq" => {
            world.pilot = Level::C;
            if is_last && !world.isolation_valid {
                // The monitor has its result; the output is discharged before the response.
                world.isolation_valid = true;
                world.run(world.now + 300_000);
            }
        }
        "WeldingDetectionReq" | "SessionStopReq" => world.pilot = Level::B,
        _ => return,
    }
    // The sensors read it before the message arrives.
    world.run(world.now + 60_000);
}

/// A response's name and code; the handshake's has none.
pub fn code(stream: &[u8]) -> (String, Option<ResponseCode>) {
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

/// Sends request `index` and checks the response; `false` if it is refused as listed, which ends the session.
fn step(world: &mut World<'_>, session: &Session, index: usize) -> Result<bool, String> {
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
        (Some(code), Some((_, _, expected, _))) if code == *expected => Ok(false),
        (Some(code), None) if !code.is_failed() => Ok(true),
        (None, None) => Ok(true),
        (code, _) => Err(format!("{label}: {code:?}")),
    }
}

/// Replays the first `count` requests at their recorded times.
pub fn replay<'s>(
    session: &Session,
    count: usize,
    config: EvseConfig,
    storage: &'s mut EvseStorage<'s>,
) -> Result<World<'s>, String> {
    let mut world = World::new(config, storage, &session.id);
    world.connect();
    let start = world.now;
    let first = session.requests[0].at;
    for index in 0..count {
        world.run(start + session.requests[index].at - first);
        if !step(&mut world, session, index)? {
            break;
        }
    }
    Ok(world)
}

/// The first request of each kind after `SessionSetup`: the moments at which a foreign message is inserted.
pub fn moments(session: &Session) -> Vec<usize> {
    let mut names = Vec::new();
    let firsts = session.requests.iter().enumerate().filter(|(_, request)| {
        let is_new = !names.contains(&request.name);
        names.push(request.name);
        is_new
    });
    firsts.map(|(index, _)| index).filter(|index| *index > 1).collect()
}

/// Sessions that our charger serves to the end of the capture.
pub fn served() -> Vec<Session> {
    let sessions = CAPTURES.iter().flat_map(|capture| sessions(capture));
    sessions
        .filter(|session| REFUSED.iter().all(|(capture, ..)| !session.name.starts_with(capture)))
        .collect()
}
