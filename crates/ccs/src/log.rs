//! The live log of a charger or a car: time, checkpoint, direction, message with values; the stop reason last.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::{self, Write};

use evse_fsm::{Direction, Dropped, Event, Isolation, Message, Status, Values, Warning};
use machine::Instant;
use session::{Checkpoint, Phase, StopReason, Target};

use crate::decode::values::write_scaled;
use crate::decode::{Schema, values};
use crate::style::{self, Palette};
use crate::words::{self, Side};

/// Writes one line for each event.
pub struct Log {
    palette: Palette,
    line: String,
    /// Values of messages that went by as bytes and whose event is still to come.
    seen: VecDeque<(&'static str, String)>,
    stopped: Option<StopReason>,
    /// Whose log it is, where there are two.
    who: &'static str,
}

/// Messages that may be under way between the wire and the session at once: judgement.
const MAX_SEEN: usize = 8;

impl Log {
    /// A log in these colours.
    pub fn new(palette: Palette) -> Self {
        Self { palette, line: String::new(), seen: VecDeque::new(), stopped: None, who: "" }
    }

    /// The last session's end.
    pub fn stop_reason(&self) -> Option<StopReason> {
        self.stopped
    }

    /// A message that went by on the wire: its values are shown in full with its event.
    pub fn on_the_wire(&mut self, schema: Schema, message: &'static str, document: &[u8]) {
        let mut line = String::new();
        values::describe(schema, document, &mut line);
        if self.seen.len() == MAX_SEEN {
            self.seen.pop_front();
        }
        self.seen.push_back((message, line));
    }

    /// Writes what a charger's event says.
    pub fn event(&mut self, at: Instant, event: &Event, out: &mut dyn Write) -> io::Result<()> {
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = match event {
            Event::Message(message) => self.message(at, Side::Evse, message),
            Event::Phase(phase) => self.phase(at, *phase),
            Event::Checkpoint(checkpoint) => self.note(at, Some(*checkpoint), checkpoint.text()),
            Event::Dropped(dropped) => {
                self.note(at, None, &format!("dropped: {}", describe_dropped(*dropped)))
            }
            Event::Warning(warning) => self.warning(at, &describe_warning(*warning)),
            Event::Latched(latch) => self.warning(at, &format!("latched: {}", latch.advice())),
            Event::Unlatched(latch) => self.warning(at, &format!("released: {}", latch.name())),
            Event::Stopping(reason) => self.note(at, None, &format!("stopping: {reason}")),
            Event::Stopped(reason) => self.stopped(at, *reason),
        };
        self.line.push('\n');
        out.write_all(self.line.as_bytes())
    }

    /// Writes what a car's event says.
    pub fn car_event(&mut self, at: Instant, event: &pev_fsm::Event, out: &mut dyn Write) -> io::Result<()> {
        use pev_fsm::Event;
        self.line.clear();
        let _ = match event {
            Event::Message(message) => self.message(at, Side::Pev, message),
            Event::Phase(phase) => self.phase(at, *phase),
            Event::Checkpoint(checkpoint) => self.note(at, Some(*checkpoint), checkpoint.text()),
            Event::Dropped(dropped) => {
                self.note(at, None, &format!("dropped: {}", words::of_dropped_answer(*dropped)))
            }
            Event::Warning(warning) => self.warning(at, &words::of_car_warning(*warning)),
            Event::EmergencyOpening { current_ma } => {
                self.warning(at, &words::of_emergency_opening(*current_ma))
            }
            Event::Latched(latch) => self.warning(at, &format!("latched: {}", latch.advice())),
            Event::Unlatched(latch) => self.warning(at, &format!("released: {}", latch.name())),
            Event::Stopping(reason) => self.note(at, None, &format!("stopping: {reason}")),
            Event::Stopped(reason) => self.stopped(at, *reason),
        };
        self.line.push('\n');
        out.write_all(self.line.as_bytes())
    }

    /// Writes a line that is no event of the session.
    pub fn say(
        &mut self,
        at: Instant,
        checkpoint: Option<Checkpoint>,
        what: &str,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.line.clear();
        let _ = self.note(at, checkpoint, what);
        self.line.push('\n');
        out.write_all(self.line.as_bytes())
    }

    /// From now on lines that are no messages name this side.
    pub fn speak_for(&mut self, who: &'static str) {
        self.who = who;
    }

    /// A message that was seen on the wire is not shown.
    pub fn forget(&mut self, message: &'static str) {
        if let Some(index) = self.seen.iter().position(|(name, _)| *name == message) {
            self.seen.remove(index);
        }
    }

    fn begin(&mut self, at: Instant, checkpoint: Option<Checkpoint>) -> std::fmt::Result {
        let millis = at.as_millis();
        write!(self.line, "{:7}.{:03} ", millis / 1000, millis % 1000)?;
        match checkpoint {
            Some(checkpoint) => write!(self.line, "[{:03}] ", checkpoint.number()),
            None => self.line.write_str("      "),
        }
    }

    fn note(&mut self, at: Instant, checkpoint: Option<Checkpoint>, what: &str) -> std::fmt::Result {
        self.begin(at, checkpoint)?;
        let dim = self.palette.with(style::DIM);
        write!(self.line, "{dim}{:10} {what}{dim:#}", self.who)
    }

    fn phase(&mut self, at: Instant, phase: Phase) -> std::fmt::Result {
        self.note(at, None, &format!("phase {phase}"))
    }

    fn stopped(&mut self, at: Instant, reason: StopReason) -> std::fmt::Result {
        self.stopped = Some(reason);
        self.seen.clear();
        self.note(at, None, &reason.to_string())
    }

    fn warning(&mut self, at: Instant, what: &str) -> std::fmt::Result {
        self.begin(at, None)?;
        let bad = self.palette.with(style::BAD);
        write!(self.line, "{bad}{:10} {what}{bad:#}", "warning")
    }

    fn message(&mut self, at: Instant, side: Side, message: &Message) -> std::fmt::Result {
        self.begin(at, message.checkpoint)?;
        let from_car = (side == Side::Evse) == (message.direction == Direction::Received);
        let (style, direction) =
            if from_car { (style::PEV, "pev->evse") } else { (style::EVSE, "evse->pev") };
        let style = self.palette.with(style);
        write!(self.line, "{style}{direction:10} {}{style:#}", message.name)?;
        let seen = self.seen.iter().position(|(name, _)| *name == message.name);
        match seen.and_then(|index| self.seen.remove(index)) {
            Some((_, values)) => self.line.write_str(&values),
            None => write_values(&message.values, &mut self.line),
        }
    }
}

/// The main values, for a message that was not seen on the wire.
fn write_values(values: &Values, line: &mut String) -> std::fmt::Result {
    if let Some(code) = values.code {
        write!(line, " {code}")?;
    }
    if let Some(finished) = values.finished {
        line.write_str(if finished { " finished" } else { " ongoing" })?;
    }
    if let Some(status) = values.status {
        write!(line, " status={}", status_name(status))?;
    }
    if let Some(isolation) = values.isolation {
        write!(line, " isolation={}", isolation_name(isolation))?;
    }
    if let Some(target) = values.target {
        write_target("target", target, line)?;
    }
    if let Some(present) = values.present {
        write_target("present", present, line)?;
    }
    if let Some(soc) = values.soc_percent {
        write!(line, " soc={soc}%")?;
    }
    if let Some(error) = values.car_error {
        write!(line, " car-error={error}")?;
    }
    if let Some(power) = values.power_on {
        line.write_str(if power { " power=on" } else { " power=off" })?;
    }
    if let Some(limits) = values.limits {
        let limit = Target { voltage_mv: limits.max_voltage_mv, current_ma: limits.max_current_ma };
        write_target("limits", limit, line)?;
    }
    Ok(())
}

fn write_target(name: &str, target: Target, line: &mut String) -> std::fmt::Result {
    write!(line, " {name}=")?;
    // Tenths are what the messages carry.
    write_scaled((target.voltage_mv / 100).into(), -1, line);
    line.write_str("V/")?;
    write_scaled((target.current_ma / 100).into(), -1, line);
    line.write_str("A")
}

fn status_name(status: Status) -> &'static str {
    match status {
        Status::NotReady => "not-ready",
        Status::Ready => "ready",
        Status::Shutdown => "shutdown",
        Status::UtilityInterrupt => "utility-interrupt",
        Status::IsolationMonitoring => "isolation-monitoring",
        Status::EmergencyShutdown => "emergency-shutdown",
        Status::Malfunction => "malfunction",
    }
}

fn isolation_name(isolation: Isolation) -> &'static str {
    match isolation {
        Isolation::Measuring => "invalid",
        Isolation::Valid => "valid",
        Isolation::Warning => "warning",
        Isolation::Fault => "fault",
    }
}

fn describe_dropped(dropped: Dropped) -> String {
    match dropped {
        Dropped::NoSession => "a message, but there is no session".into(),
        Dropped::PayloadType(payload_type) => format!("a message of payload type 0x{payload_type:04X}"),
        Dropped::Undecodable { bit } => format!("a message that does not decode at bit {bit}"),
        Dropped::NotARequest(name) => format!("{name}: only a charger sends it"),
        Dropped::Unsupported(name) => format!("{name}: not for DC charging"),
        Dropped::DoesNotFit(name) => format!("{name}: does not fit into the buffer"),
        Dropped::NotTaken(name) => format!("{name}: the answer before was not sent yet"),
        Dropped::Connection => "a connection, before the pilot offers 5 % again".into(),
    }
}

fn describe_warning(warning: Warning) -> String {
    match warning {
        Warning::NoPowerStage => "no power stage: what the car is told is made up".into(),
        Warning::Quirk(id) => format!("quirk {id} was needed"),
        Warning::Stalled => "no CurrentDemandReq for a second: 0 A".into(),
        Warning::Impatient(name) => format!("{name} came before the answer to the one before it"),
        Warning::IsolationLow => "the isolation is low; charging goes on".into(),
        Warning::OpenedUnderCurrent(Some(ma)) => {
            format!("the contactors had to open under {} A: the power stage did not stop", ma / 1000)
        }
        Warning::OpenedUnderCurrent(None) => {
            "the contactors had to open under an unknown current: look at its sensor".into()
        }
        Warning::StillLive(mv) => {
            format!("everything is off and {} V are on the cable: look for welded contactors", mv / 1000)
        }
        Warning::CarNotReady => "the car is not ready: 0 A until it is".into(),
        Warning::MonitorUnproven => {
            "the isolation monitor has neither a count nor a self-test: one that hangs is not found".into()
        }
        Warning::ReverseAllowed(ma) => {
            format!("up to {} A out of the car are allowed by configuration", ma / 1000)
        }
        Warning::ContactorsStillClosed => "the contactors are demanded open and say closed".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{By, Cause, Phase};

    fn line(log: &mut Log, event: &Event) -> String {
        let mut out = Vec::new();
        log.event(Instant::from_millis(12_345), event, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn message(values: Values) -> Event {
        let checkpoint = Some(Checkpoint::PRE_CHARGE_REQ);
        Event::Message(Message { direction: Direction::Received, name: "PreChargeReq", checkpoint, values })
    }

    #[test]
    fn a_message_has_time_checkpoint_direction_name_and_values() {
        let mut log = Log::new(Palette { enabled: false });
        let target = Some(Target { voltage_mv: 355_250, current_ma: -500 });
        let values = Values { target, soc_percent: Some(42), ..Values::default() };
        assert_eq!(
            line(&mut log, &message(values)),
            "     12.345 [570] pev->evse  PreChargeReq target=355.2V/-0.5A soc=42%\n"
        );
    }

    #[test]
    fn a_message_seen_on_the_wire_shows_all_its_values_once() {
        let mut log = Log::new(Palette { enabled: false });
        log.on_the_wire(Schema::App, "PreChargeReq", &[0x80, 0x40, 0x00, 0x40]);
        let event = message(Values::default());
        assert!(
            line(&mut log, &event).contains("PreChargeReq ResponseCode=OK_SuccessfulNegotiation SchemaID=1")
        );
        assert!(line(&mut log, &event).ends_with("PreChargeReq\n"));
    }

    #[test]
    fn the_end_of_a_session_is_kept_for_the_exit_code() {
        let mut log = Log::new(Palette { enabled: false });
        let reason = StopReason::new(By::Car, Cause::Finished, Phase::SessionStop);
        assert!(line(&mut log, &Event::Stopped(reason)).contains(&reason.to_string()));
        assert_eq!(log.stop_reason(), Some(reason));
    }
}
