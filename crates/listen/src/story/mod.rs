//! The story of one session: participants, values, phases, and how it ended.
//!
//! It is made from the messages of one connection, their senders and their times. Values come from DIN SPEC
//! 70121 messages; for a session in another message set the story has times, counts and the end only.

mod end;
mod facts;
mod tale;

use exi_din::{BodyElement, V2gMessage};
use heapless::Vec;
use session::{Limits, Phase};

use crate::{Close, When};
pub use end::{Cause, End, How, Side};
use facts::Facts;
pub use tale::{LOST_NS, OnLine, Part, Tale};

/// Time between two messages above which it counts as a silence, and no energy is counted: DIN SPEC 70121
/// permits no peer to wait that long.
const MAX_ROUND_NS: i64 = 2_000_000_000;

/// First, least, greatest and latest of a series of values, in thousandths of a unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// First value.
    pub first: i32,
    /// Least value.
    pub min: i32,
    /// Greatest value.
    pub max: i32,
    /// Latest value.
    pub last: i32,
    /// Number of values; 0 means that the other fields have no meaning.
    pub count: u32,
}

impl Range {
    fn add(&mut self, value: i32) {
        if self.count == 0 {
            *self = Self { first: value, min: value, max: value, last: value, count: 0 };
        }
        *self = Self {
            min: self.min.min(value),
            max: self.max.max(value),
            last: value,
            count: self.count.saturating_add(1),
            ..*self
        };
    }
}

/// One phase of a session, as observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The phase.
    pub phase: Phase,
    /// Frame of its first message.
    pub first: When,
    /// Frame of its latest message.
    pub last: When,
    /// Number of requests.
    pub requests: u32,
    /// Number of responses.
    pub responses: u32,
}

impl Span {
    /// Time from its first to its latest message in ns; `None` without times.
    pub fn length_ns(&self) -> Option<i64> {
        self.first.until(self.last)
    }
}

/// A time without messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Phase of the message before it.
    pub phase: Phase,
    /// Frame of the message before it.
    pub since: When,
    /// Its length in ns.
    pub length_ns: i64,
}

/// A message that shows how or why a session ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    /// Its frame.
    pub when: When,
    /// The phase of the session at that frame.
    pub phase: Phase,
    /// Name of the message.
    pub message: &'static str,
    /// Name of the code, status or error; empty where the message itself is the sign.
    pub what: &'static str,
}

/// The signs from which the end of a session is determined.
#[derive(Clone, Debug, Default)]
pub struct Signs {
    /// The first FAILED response code.
    pub failed: Option<Sign>,
    /// An error of the car before it ended charging.
    pub car_error: Option<Sign>,
    /// A status or notification of the charger that requests the end, before the car ended charging.
    pub charger_status: Option<Sign>,
    /// The car's `PowerDelivery(false)` or `SessionStop`.
    pub car_stop: Option<Sign>,
    /// The first request out of order that the charger did not accept.
    pub out_of_order: Option<Sign>,
    /// The first request with a wrong session id that the charger did not accept.
    pub wrong_session: Option<Sign>,
    /// The latest response that does not match the request before it.
    pub answer_out_of_order: Option<Sign>,
    /// The latest response with a session id that differs from the one in `SessionSetupRes`.
    pub answer_wrong_session: Option<Sign>,
    /// A `CableCheckRes` with `EVSEProcessing` = Finished of a charger that is not ready, or whose isolation is
    /// not valid.
    pub not_ready: Option<Sign>,
    /// The charger's refusal of the handshake.
    pub refused: Option<Sign>,
    /// The first FAILED code after which the session continued with its next phase.
    pub tolerated: Option<Sign>,
    /// The latest two messages.
    pub latest: [Option<Latest>; 2],
    /// The phase in which the charger last reported `EVSEProcessing` = Ongoing.
    ongoing: Option<Phase>,
    /// The response to `SessionStop`.
    pub stopped: Option<Sign>,
    /// The first FIN or RST: its sender, its kind and its frame.
    pub closed: Option<(Side, Close, When)>,
}

/// A message that may be the last one of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The message.
    pub sign: Sign,
    /// Whether it is a request, and so from the car.
    pub is_request: bool,
}

impl Signs {
    /// The latest message before the one at `when`.
    fn before_end(&self, when: When) -> Option<Latest> {
        self.latest.iter().flatten().copied().find(|latest| latest.sign.when < when)
    }

    fn note(&mut self, sign: Sign, is_request: bool) {
        let [latest, _] = self.latest;
        self.latest = [Some(Latest { sign, is_request }), latest];
    }
}

/// One session, as an observer saw it.
#[derive(Clone, Debug, Default)]
pub struct Story {
    /// Frame of the first message.
    pub first: Option<When>,
    /// Frame of the latest message, FIN or RST.
    pub last: Option<When>,
    /// Number of messages of all kinds.
    pub messages: u64,
    /// EVCCID, as the car sent it.
    pub evcc_id: Vec<u8, 8>,
    /// EVSEID, as the charger sent it.
    pub evse_id: Vec<u8, 32>,
    /// `SessionID` of `SessionSetupRes`.
    pub session_id: Vec<u8, 8>,
    /// The car's limits of voltage, current and power.
    pub car_limits: Option<Limits>,
    /// The charger's limits of voltage, current and power.
    pub charger_limits: Option<Limits>,
    /// State of charge that the car reports, in percent.
    pub soc_percent: Range,
    /// The charger's voltage in mV, in `PreChargeRes`, `CurrentDemandRes` and `WeldingDetectionRes`.
    pub present_mv: Range,
    /// The charger's current in mA, in `CurrentDemandRes`.
    pub present_ma: Range,
    /// The car's target voltage in mV.
    pub target_mv: Range,
    /// The car's target current in mA.
    pub target_ma: Range,
    /// Target voltage of `PreCharge` and the voltage that was reached, both in mV.
    pub precharge_mv: Option<(i32, i32)>,
    /// The charger's voltage in `WeldingDetectionRes`, in mV.
    pub welding_mv: Range,
    /// Number of silences of more than 2 s before the end of the session, without those between two rounds of
    /// `CurrentDemand`.
    pub pauses: u32,
    /// The longest of these pauses.
    pub longest_pause: Option<Pause>,
    /// Number of intervals between two `CurrentDemandRes` that were longer than 2 s. Their energy is not
    /// counted.
    pub silences: u32,
    /// Whether `PowerDelivery` switched the power on.
    pub has_delivered: bool,
    /// The phases in the order in which they began.
    pub phases: Vec<Span, 16>,
    /// The signs of its end.
    pub signs: Signs,
    /// Energy in uJ: sum of U * I * dt.
    energy_uj: i128,
    /// The latest `CurrentDemandRes`: time in ns and power in uW.
    power: Option<(i64, i64)>,
}

impl Story {
    /// Energy from the values that the charger reports, in mWh: the sum of U * I of each `CurrentDemandRes`,
    /// times the time to the next one.
    pub fn energy_mwh(&self) -> i64 {
        i64::try_from(self.energy_uj / 3_600_000).unwrap_or(i64::MAX)
    }

    /// The phase that the session reached: the latest one before a normal end.
    pub fn reached(&self) -> Phase {
        let is_end = |phase| matches!(phase, Phase::PowerOff | Phase::WeldingDetection | Phase::SessionStop);
        let before = self.phases.iter().map(|span| span.phase).filter(|phase| !is_end(*phase));
        before.max().unwrap_or_default()
    }

    /// How the session ended, as far as it was observed.
    pub fn end(&self) -> End {
        End::of(self)
    }

    /// Adds a message of the handshake; `refused` is the charger's code if it refuses.
    pub fn handshake(&mut self, when: When, is_request: bool, refused: Option<&'static str>) {
        let message = if is_request { "supportedAppProtocolReq" } else { "supportedAppProtocolRes" };
        let sign = Sign { when, phase: Phase::Handshake, message, what: refused.unwrap_or_default() };
        self.signs.note(sign, is_request);
        self.signs.refused = self.signs.refused.or(refused.map(|_| sign));
        self.count(when, Some(Phase::Handshake), is_request);
    }

    /// Adds a message of another message set, or one that does not decode.
    pub fn other(&mut self, when: When) {
        self.count(when, None, false);
    }

    /// Adds a message of DIN SPEC 70121.
    pub fn din(&mut self, when: When, message: &V2gMessage<'_>) {
        let Some(element) = &message.body.element else { return self.other(when) };
        let facts = Facts::of(element);
        let mut id = [0; 8];
        let id = message.header.session_id.copy_to(&mut id).unwrap_or_default();
        self.identify(element, id);
        self.signs(when, element.name(), id, &facts);
        let off = facts.phase == Some(Phase::PowerOn) && !facts.is_request && self.signs.car_stop.is_some();
        let is_wrong = self.signs.answer_out_of_order.is_some_and(|sign| sign.when == when);
        let phase = if off { Some(Phase::PowerOff) } else { facts.phase.filter(|_| !is_wrong) };
        self.count(when, phase, facts.is_request);
        self.values(when, &facts);
    }

    /// Adds the end of a connection, or of one of its directions.
    pub fn closed(&mut self, when: When, by: Side, close: Close) {
        self.pause(when, None);
        self.signs.closed.get_or_insert((by, close, when));
        self.last = Some(when);
    }

    /// Records a silence before a message, or before the end of the connection.
    fn pause(&mut self, when: When, phase: Option<Phase>) {
        let Some(since) = self.last else { return };
        let before = self.phases.iter().max_by_key(|span| span.last).map_or(Phase::Idle, |span| span.phase);
        let is_round = before == Phase::ChargeLoop && phase == Some(Phase::ChargeLoop);
        let is_over = self.signs.stopped.is_some() || self.signs.closed.is_some();
        let Some((from, to)) = since.time_ns.zip(when.time_ns).filter(|_| !is_round && !is_over) else {
            return;
        };
        let length_ns = to.saturating_sub(from);
        if length_ns > MAX_ROUND_NS {
            self.pauses += 1;
            if self.longest_pause.is_none_or(|longest| longest.length_ns < length_ns) {
                self.longest_pause = Some(Pause { phase: before, since, length_ns });
            }
        }
    }

    fn count(&mut self, when: When, phase: Option<Phase>, is_request: bool) {
        self.pause(when, phase);
        self.first.get_or_insert(when);
        self.last = Some(when);
        self.messages += 1;
        let Some(phase) = phase else { return };
        if !self.phases.iter().any(|span| span.phase == phase) {
            // A session has at most 16 phases, so there is room.
            let _ = self.phases.push(Span { phase, first: when, last: when, requests: 0, responses: 0 });
        }
        if let Some(span) = self.phases.iter_mut().find(|span| span.phase == phase) {
            span.last = when;
            *(if is_request { &mut span.requests } else { &mut span.responses }) += 1;
        }
    }

    fn identify(&mut self, element: &BodyElement<'_>, id: &[u8]) {
        match element {
            BodyElement::SessionSetupReq(request) => {
                self.evcc_id = request.evcc_id.iter().take(8).collect();
            }
            BodyElement::SessionSetupRes(answer) => {
                self.evse_id = answer.evse_id.iter().take(32).collect();
                self.session_id = Vec::from_slice(id).unwrap_or_default();
            }
            _ => {}
        }
    }

    fn signs(&mut self, when: When, message: &'static str, id: &[u8], facts: &Facts) {
        let phase = facts.phase.unwrap_or_default();
        let reached = self.phases.iter().map(|span| span.phase).max().unwrap_or_default();
        let is_other = phase != Phase::SessionSetup && !self.session_id.is_empty() && id != self.session_id;
        let [before, _] = self.signs.latest;
        let sign = |what| Some(Sign { when, phase, message, what });
        let signs = &mut self.signs;
        if let Some(sign) = sign("") {
            signs.note(sign, facts.is_request);
        }
        if facts.is_request {
            let is_stop = matches!(phase, Phase::PowerOff | Phase::SessionStop);
            // An observation that starts in the middle of a session may start with any phase.
            let skips =
                !self.session_id.is_empty() && phase <= Phase::ChargeLoop && phase as u8 > reached as u8 + 1;
            let is_early = signs.ongoing.is_some_and(|ongoing| phase > ongoing);
            if !is_stop && (phase < reached || skips || is_early) {
                signs.out_of_order = signs.out_of_order.or(sign(""));
            }
            if is_other {
                signs.wrong_session = signs.wrong_session.or(sign(""));
            }
            if let Some(error) = facts.car_error().filter(|_| signs.car_stop.is_none()) {
                signs.car_error = signs.car_error.or(sign(error));
            }
            if is_stop {
                signs.car_stop = signs.car_stop.or(sign(""));
            } else if signs.failed.is_some_and(|failed| failed.phase < phase) {
                signs.tolerated = signs.tolerated.or(signs.failed.take());
            }
        } else {
            let failed = facts
                .code
                .filter(|code| *code >= exi_din::ResponseCode::Failed)
                .map(exi_din::ResponseCode::name);
            if failed.is_none() && signs.failed.is_none() {
                // A deviation that the charger accepted is not a cause.
                (signs.out_of_order, signs.wrong_session) = (None, None);
            }
            let is_tolerated = signs.tolerated.is_some_and(|sign| Some(sign.what) == failed);
            signs.failed = signs.failed.or(failed.filter(|_| !is_tolerated).and_then(sign));
            signs.ongoing = facts.is_ongoing.then_some(phase);
            if let Some(status) = facts.shutdown().filter(|_| signs.car_stop.is_none()) {
                signs.charger_status = signs.charger_status.or(sign(status));
            }
            let is_answer = |request: &Latest| {
                !request.is_request || request.sign.message.strip_suffix("Req") == message.strip_suffix("Res")
            };
            if before.is_some_and(|before| !is_answer(&before)) {
                signs.answer_out_of_order = sign("");
            }
            if is_other {
                signs.answer_wrong_session = sign("");
            }
            signs.not_ready = facts.not_ready().and_then(sign).or(signs.not_ready);
            if phase == Phase::SessionStop {
                signs.stopped = signs.stopped.or(sign(""));
            }
        }
    }

    fn values(&mut self, when: When, facts: &Facts) {
        for (range, value) in [
            (&mut self.target_mv, facts.target_mv),
            (&mut self.target_ma, facts.target_ma),
            (&mut self.present_mv, facts.present_mv),
            (&mut self.present_ma, facts.present_ma),
            (&mut self.soc_percent, facts.car.map(|status| status.ev_ress_soc.get().into())),
        ] {
            if let Some(value) = value {
                range.add(value);
            }
        }
        if let Some(value) = facts.present_mv.filter(|_| facts.phase == Some(Phase::WeldingDetection)) {
            self.welding_mv.add(value);
        }
        self.has_delivered |= facts.power_on == Some(true);
        if let Some(limits) = facts.limits {
            *(if facts.is_request { &mut self.car_limits } else { &mut self.charger_limits }) = Some(limits);
        }
        if facts.phase == Some(Phase::PreCharge) {
            let (target, reached) = self.precharge_mv.unwrap_or_default();
            self.precharge_mv =
                Some((facts.target_mv.unwrap_or(target), facts.present_mv.unwrap_or(reached)));
        }
        if let (Some(time_ns), Some(mv), Some(ma)) = (when.time_ns, facts.present_mv, facts.present_ma) {
            if let Some((before_ns, microwatts)) = self.power {
                let round_ns = time_ns.saturating_sub(before_ns).max(0);
                if round_ns > MAX_ROUND_NS {
                    self.silences += 1;
                } else {
                    self.energy_uj += i128::from(microwatts) * i128::from(round_ns) / 1_000_000_000;
                }
            }
            self.power = Some((time_ns, i64::from(mv) * i64::from(ma)));
        }
    }
}
