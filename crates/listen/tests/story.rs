//! How sessions end, from messages as peers encode them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use exi::{Bounded, HexBinary};
use exi_din::{
    Body, BodyElement, CableCheckReq, CableCheckRes, CurrentDemandReq, CurrentDemandRes, DcEvErrorCode,
    DcEvStatus, DcEvseStatus, DcEvseStatusCode, EvseNotification, EvseProcessing, EvseStatus, Header,
    PhysicalValue, PowerDeliveryReq, PowerDeliveryRes, ResponseCode, SessionSetupReq, SessionSetupRes,
    SessionStopReq, SessionStopRes, UnitSymbol, V2gMessage, WeldingDetectionRes,
};
use listen::story::{Cause, How, Side};
use listen::{Close, Document, Schema, Story, Talk, When};
use session::Phase;

/// Builds a session message by message, one second apart.
struct Telling {
    story: Story,
    frame: u64,
}

const ID: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

impl Telling {
    /// From `SessionSetup` to the first round of `CurrentDemand`.
    fn charging() -> Self {
        let mut telling = Self { story: Story::default(), frame: 0 };
        let evcc_id = HexBinary::from(&[2, 0, 0, 0, 0, 0xE1]);
        telling.with(&[0; 8], BodyElement::SessionSetupReq(SessionSetupReq { evcc_id }));
        let evse_id = HexBinary::from(b"ZZ00000");
        let response_code = ResponseCode::OkNewSessionEstablished;
        telling.say(BodyElement::SessionSetupRes(SessionSetupRes {
            response_code,
            evse_id,
            date_time_now: None,
        }));
        telling.say(power(true));
        telling.say(powered());
        telling.say(demand(DcEvErrorCode::NoError));
        telling.say(supply(ResponseCode::Ok, DcEvseStatusCode::EvseReady, 400, 100));
        telling
    }

    fn say(&mut self, element: BodyElement<'_>) {
        self.with(&ID, element);
    }

    fn with(&mut self, id: &[u8], element: BodyElement<'_>) {
        let header = Header { session_id: HexBinary::from(id), notification: None, signature: None };
        let message = V2gMessage { header, body: Body { element: Some(element) } };
        let mut buffer = [0; 256];
        let length = message.encode(&mut buffer).unwrap();
        let when = self.when();
        self.story.din(when, &V2gMessage::decode(&buffer[..length]).unwrap());
    }

    fn when(&mut self) -> When {
        self.frame += 1;
        When { frame: self.frame, time_ns: Some(i64::try_from(self.frame).unwrap() * 1_000_000_000) }
    }

    fn close(&mut self, by: Side, close: Close) {
        let when = self.when();
        self.story.closed(when, by, close);
    }
}

fn volts(volts: i64) -> PhysicalValue {
    PhysicalValue::measurement(volts * 1000, UnitSymbol::V).unwrap()
}

fn amperes(amperes: i64) -> PhysicalValue {
    PhysicalValue::measurement(amperes * 1000, UnitSymbol::A).unwrap()
}

fn car(ev_error_code: DcEvErrorCode) -> DcEvStatus {
    DcEvStatus {
        ev_ready: true,
        ev_cabin_conditioning: None,
        ev_ress_conditioning: None,
        ev_error_code,
        ev_ress_soc: Bounded::new(42).unwrap(),
    }
}

fn charger(evse_status_code: DcEvseStatusCode) -> DcEvseStatus {
    DcEvseStatus {
        evse_isolation_status: None,
        evse_status_code,
        notification_max_delay: 0,
        evse_notification: EvseNotification::None,
    }
}

fn power(is_on: bool) -> BodyElement<'static> {
    BodyElement::PowerDeliveryReq(PowerDeliveryReq {
        ready_to_charge_state: is_on,
        charging_profile: None,
        ev_power_delivery_parameter: None,
    })
}

fn powered() -> BodyElement<'static> {
    let evse_status = EvseStatus::Dc(charger(DcEvseStatusCode::EvseReady));
    BodyElement::PowerDeliveryRes(PowerDeliveryRes { response_code: ResponseCode::Ok, evse_status })
}

fn demand(error: DcEvErrorCode) -> BodyElement<'static> {
    BodyElement::CurrentDemandReq(CurrentDemandReq {
        dc_ev_status: car(error),
        ev_target_current: amperes(100),
        ev_maximum_voltage_limit: None,
        ev_maximum_current_limit: None,
        ev_maximum_power_limit: None,
        bulk_charging_complete: None,
        charging_complete: false,
        remaining_time_to_full_soc: None,
        remaining_time_to_bulk_soc: None,
        ev_target_voltage: volts(400),
    })
}

fn supply(
    response_code: ResponseCode,
    status: DcEvseStatusCode,
    voltage: i64,
    current: i64,
) -> BodyElement<'static> {
    BodyElement::CurrentDemandRes(CurrentDemandRes {
        response_code,
        dc_evse_status: charger(status),
        evse_present_voltage: volts(voltage),
        evse_present_current: amperes(current),
        evse_current_limit_achieved: false,
        evse_voltage_limit_achieved: false,
        evse_power_limit_achieved: false,
        evse_maximum_voltage_limit: None,
        evse_maximum_current_limit: None,
        evse_maximum_power_limit: None,
    })
}

fn good(voltage: i64, current: i64) -> BodyElement<'static> {
    supply(ResponseCode::Ok, DcEvseStatusCode::EvseReady, voltage, current)
}

#[test]
fn a_charger_that_refuses_what_came_out_of_order_ended_it_and_the_car_is_the_cause() {
    let mut telling = Telling::charging();
    telling.say(power(false));
    telling.say(powered());
    telling.say(demand(DcEvErrorCode::NoError));
    telling.say(supply(ResponseCode::FailedSequenceError, DcEvseStatusCode::EvseReady, 400, 0));
    let end = telling.story.end();
    assert_eq!((end.by, end.how), (Some(Side::Charger), How::Failed("FAILED_SequenceError")));
    assert_eq!((end.phase, end.when.frame), (Phase::ChargeLoop, 10));
    let (cause, sign) = end.cause.unwrap();
    assert_eq!((cause, sign.message, sign.when.frame), (Cause::OutOfOrder(Side::Car), "CurrentDemandReq", 9));
}

#[test]
fn a_charger_that_refuses_a_session_id_that_changed_has_the_car_as_its_cause() {
    let mut telling = Telling::charging();
    telling.with(&[9; 8], demand(DcEvErrorCode::NoError));
    telling.say(supply(ResponseCode::FailedUnknownSession, DcEvseStatusCode::EvseReady, 0, 0));
    let end = telling.story.end();
    assert_eq!((end.by, end.how), (Some(Side::Charger), How::Failed("FAILED_UnknownSession")));
    assert_eq!(
        end.cause.map(|(cause, sign)| (cause, sign.when.frame)),
        Some((Cause::WrongSession(Side::Car), 7))
    );
}

#[test]
fn a_charger_that_answers_every_request_with_failed_is_the_cause_itself() {
    let mut telling = Telling::charging();
    for _ in 0..3 {
        telling.say(demand(DcEvErrorCode::NoError));
        telling.say(supply(ResponseCode::FailedUnknownSession, DcEvseStatusCode::EvseReady, 0, 0));
    }
    let end = telling.story.end();
    assert_eq!((end.by, end.when.frame, end.cause), (Some(Side::Charger), 8, None));
}

#[test]
fn what_came_first_ended_it_and_what_follows_does_not() {
    let mut telling = Telling::charging();
    telling.say(demand(DcEvErrorCode::FailedEvRessMalfunction));
    telling.say(supply(ResponseCode::Ok, DcEvseStatusCode::EvseShutdown, 400, 0));
    telling.say(power(false));
    telling.say(powered());
    telling.say(BodyElement::SessionStopReq(SessionStopReq {}));
    telling.say(BodyElement::SessionStopRes(SessionStopRes { response_code: ResponseCode::Ok }));
    telling.close(Side::Car, Close::Fin);
    let end = telling.story.end();
    assert_eq!((end.by, end.how), (Some(Side::Car), How::CarError("FAILED_EVRESSMalfunction")));
    assert_eq!((end.when.frame, end.is_orderly), (7, true));
}

#[test]
fn a_status_after_the_car_ended_charging_is_no_cause() {
    let mut telling = Telling::charging();
    telling.say(power(false));
    telling.say(supply(ResponseCode::Ok, DcEvseStatusCode::EvseShutdown, 400, 0));
    let end = telling.story.end();
    assert_eq!((end.by, end.how), (Some(Side::Car), How::CarStop("PowerDeliveryReq")));
    assert_eq!(end.phase, Phase::ChargeLoop);
}

#[test]
fn a_connection_that_is_closed_without_a_word_was_ended_by_who_closed_it() {
    let mut telling = Telling::charging();
    telling.close(Side::Charger, Close::Reset);
    telling.close(Side::Car, Close::Fin);
    let end = telling.story.end();
    assert_eq!((end.by, end.how, end.when.frame), (Some(Side::Charger), How::Closed(Close::Reset), 7));
    assert!(!end.is_orderly);
    assert_eq!(Telling::charging().story.end().how, How::Unseen);
}

#[test]
fn energy_is_the_charger_s_power_until_its_next_report_and_a_silence_is_not_counted() {
    let mut telling = Telling::charging();
    // 400 V and 100 A for one second, then 300 V and 20 A for one second, then five seconds without a
    // message.
    telling.say(good(300, 20));
    telling.say(good(200, 50));
    telling.frame += 4;
    telling.say(good(0, 0));
    assert_eq!(telling.story.energy_mwh(), (40_000 + 6_000) * 1000 / 3600);
    assert_eq!(telling.story.silences, 1);
    let volts = telling.story.present_mv;
    assert_eq!((volts.first, volts.min, volts.max, volts.last, volts.count), (400_000, 0, 400_000, 0, 4));
}

#[test]
fn silences_outside_current_demand_and_the_voltage_after_it_are_kept() {
    let welding = |voltage| {
        BodyElement::WeldingDetectionRes(WeldingDetectionRes {
            response_code: ResponseCode::Ok,
            dc_evse_status: charger(DcEvseStatusCode::EvseReady),
            evse_present_voltage: volts(voltage),
        })
    };
    let mut telling = Telling::charging();
    telling.frame += 7;
    telling.say(demand(DcEvErrorCode::NoError));
    telling.say(good(400, 100));
    assert_eq!((telling.story.pauses, telling.story.longest_pause), (0, None), "between two rounds");
    let last = telling.frame;
    telling.frame += 4;
    telling.say(power(false));
    telling.frame += 2;
    telling.say(welding(380));
    telling.say(welding(12));
    telling.say(BodyElement::SessionStopRes(SessionStopRes { response_code: ResponseCode::Ok }));
    telling.frame += 9;
    telling.close(Side::Car, Close::Fin);
    let longest = telling.story.longest_pause.unwrap();
    assert_eq!((telling.story.pauses, longest.phase, longest.since.frame), (2, Phase::ChargeLoop, last));
    assert_eq!(longest.length_ns, 5_000_000_000);
    let welding = telling.story.welding_mv;
    assert_eq!((welding.first, welding.last, welding.count), (380_000, 12_000, 2));
}

#[test]
fn the_sides_and_the_session_are_named_as_they_were_sent() {
    let story = Telling::charging().story;
    assert_eq!(story.evcc_id, [2, 0, 0, 0, 0, 0xE1]);
    assert_eq!(story.evse_id, *b"ZZ00000");
    assert_eq!(story.session_id, ID);
    assert_eq!(
        (story.soc_percent.first, story.reached(), story.has_delivered),
        (42, Phase::ChargeLoop, true)
    );
}

#[test]
fn bytes_that_do_not_decode_are_counted_and_change_nothing_else() {
    // SessionStopReq, then the same message with fewer bytes.
    let stop = [0x80, 0x9A, 0x02, 0x00, 0x40, 0x80, 0xC1, 0x01, 0x41, 0x81, 0xC2, 0x11, 0xF0];
    let mut talk = Talk::default();
    for (frame, length) in (1..).zip((0..=stop.len()).rev()) {
        let decoded = Document::decode(Schema::Din, &stop[..length]).unwrap().ok();
        assert_eq!(decoded.is_some(), length == stop.len(), "{length} bytes");
        let document = decoded.as_ref().map(|(document, _)| document);
        talk.message(When { frame, time_ns: None }, None, Some(Schema::Din), document);
    }
    let story = talk.story();
    assert_eq!((story.messages, story.phases.len()), (14, 1));
    assert_eq!((story.end().how, story.end().when.frame), (How::CarStop("SessionStopReq"), 1));
}

/// `SessionSetup` and then answered requests of the car.
fn begun() -> Telling {
    let mut telling = Telling { story: Story::default(), frame: 0 };
    telling
        .with(&[0; 8], BodyElement::SessionSetupReq(SessionSetupReq { evcc_id: HexBinary::from(&[2; 6]) }));
    telling.say(BodyElement::SessionSetupRes(SessionSetupRes {
        response_code: ResponseCode::OkNewSessionEstablished,
        evse_id: HexBinary::from(b"ZZ00000"),
        date_time_now: None,
    }));
    telling
}

fn cable(status: DcEvseStatusCode, evse_processing: EvseProcessing) -> BodyElement<'static> {
    BodyElement::CableCheckRes(CableCheckRes {
        response_code: ResponseCode::Ok,
        dc_evse_status: charger(status),
        evse_processing,
    })
}

fn cause(telling: &Telling) -> Option<(Cause, &'static str, u64)> {
    telling.story.end().cause.map(|(cause, sign)| (cause, sign.message, sign.when.frame))
}

#[test]
fn a_car_that_gives_up_on_a_request_without_answer_has_the_charger_as_its_cause() {
    let mut telling = Telling::charging();
    telling.say(demand(DcEvErrorCode::NoError));
    telling.close(Side::Car, Close::Fin);
    assert_eq!(telling.story.end().by, Some(Side::Car));
    assert_eq!(cause(&telling), Some((Cause::Unanswered(1_000_000_000), "CurrentDemandReq", 7)));
    // A session that closes after an answer has no such cause.
    let mut telling = Telling::charging();
    telling.close(Side::Car, Close::Fin);
    assert_eq!(cause(&telling), None);
}

#[test]
fn a_charger_that_closes_because_the_car_is_silent_has_the_car_as_its_cause() {
    let mut telling = Telling::charging();
    telling.frame += 59;
    telling.close(Side::Charger, Close::Fin);
    assert_eq!(cause(&telling), Some((Cause::Silent(60_000_000_000), "CurrentDemandRes", 6)));
}

#[test]
fn an_answer_of_another_kind_or_session_is_the_cause_of_a_car_that_closes_after_it() {
    let mut telling = Telling::charging();
    telling.say(demand(DcEvErrorCode::NoError));
    telling.say(powered());
    telling.close(Side::Car, Close::Fin);
    assert_eq!(cause(&telling), Some((Cause::OutOfOrder(Side::Charger), "PowerDeliveryRes", 8)));
    let mut telling = Telling::charging();
    telling.say(demand(DcEvErrorCode::NoError));
    telling.with(&[9; 8], good(400, 100));
    // A car that continues has accepted the deviation.
    let mut accepted = Telling { story: telling.story.clone(), frame: telling.frame };
    telling.close(Side::Car, Close::Fin);
    assert_eq!(cause(&telling), Some((Cause::WrongSession(Side::Charger), "CurrentDemandRes", 8)));
    accepted.say(demand(DcEvErrorCode::NoError));
    accepted.say(good(400, 100));
    accepted.close(Side::Car, Close::Fin);
    assert_eq!(cause(&accepted), None);
}

#[test]
fn a_charger_that_is_not_ready_after_the_cable_check_or_never_ends_it_is_the_cause() {
    let request = || BodyElement::CableCheckReq(CableCheckReq { dc_ev_status: car(DcEvErrorCode::NoError) });
    let mut telling = begun();
    telling.say(request());
    telling.say(cable(DcEvseStatusCode::EvseNotReady, EvseProcessing::Finished));
    telling.say(power(false));
    assert_eq!(cause(&telling), Some((Cause::NotReady, "CableCheckRes", 4)));
    let mut telling = begun();
    for _ in 0..12 {
        telling.say(request());
        telling.say(cable(DcEvseStatusCode::EvseReady, EvseProcessing::Ongoing));
    }
    telling.close(Side::Car, Close::Fin);
    assert_eq!(cause(&telling), Some((Cause::Unfinished(24_000_000_000), "CableCheckRes", 26)));
}

#[test]
fn a_request_that_skips_a_phase_or_does_not_wait_for_its_end_is_out_of_order() {
    let refused = || supply(ResponseCode::FailedSequenceError, DcEvseStatusCode::EvseReady, 0, 0);
    let mut telling = begun();
    telling.say(demand(DcEvErrorCode::NoError));
    telling.say(refused());
    assert_eq!(cause(&telling), Some((Cause::OutOfOrder(Side::Car), "CurrentDemandReq", 3)));
    let mut joined = Telling { story: Story::default(), frame: 0 };
    joined.say(demand(DcEvErrorCode::NoError));
    joined.say(refused());
    assert_eq!(cause(&joined), None, "nothing is known of what came before");
}

#[test]
fn a_session_that_goes_on_to_its_next_phase_was_not_ended_by_a_failed_code() {
    let mut telling = begun();
    telling.say(BodyElement::CableCheckReq(CableCheckReq { dc_ev_status: car(DcEvErrorCode::NoError) }));
    telling.say(BodyElement::CableCheckRes(CableCheckRes {
        response_code: ResponseCode::FailedUnknownSession,
        dc_evse_status: charger(DcEvseStatusCode::EvseReady),
        evse_processing: EvseProcessing::Finished,
    }));
    telling.say(demand(DcEvErrorCode::NoError));
    telling.say(supply(ResponseCode::FailedUnknownSession, DcEvseStatusCode::EvseReady, 400, 1));
    telling.say(power(false));
    let end = telling.story.end();
    assert_eq!((end.by, end.how), (Some(Side::Car), How::CarStop("PowerDeliveryReq")));
    let tolerated = telling.story.signs.tolerated.unwrap();
    assert_eq!((tolerated.what, tolerated.when.frame), ("FAILED_UnknownSession", 4));
}

#[test]
fn a_handshake_that_the_charger_refuses_ended_the_session() {
    let mut telling = Telling { story: Story::default(), frame: 0 };
    let (request, answer) = (telling.when(), telling.when());
    telling.story.handshake(request, true, None);
    telling.story.handshake(answer, false, Some("Failed_NoNegotiation"));
    telling.close(Side::Charger, Close::Fin);
    let end = telling.story.end();
    assert_eq!((end.by, end.how), (Some(Side::Charger), How::Refused("Failed_NoNegotiation")));
}
