//! The live log of a charger or a car: time, checkpoint, direction, message with values; the stop reason last.

use std::fmt::Write as _;
use std::io::{self, Write};

use evse_fsm::{Direction, Dropped, Event, Isolation, Message, Status, Values, Warning};
use machine::Instant;
use roles::{Happening, PevEvent};
use session::{Checkpoint, Latch, Phase, Target};
use v2gtp::PayloadType;

use crate::command::{evse, pev};
use crate::decode::values::write_scaled;
use crate::decode::{Schema, values};
use crate::inbox::Document;
use crate::repeats::More;
use crate::said::Said;
use crate::style::{self, Palette};
use crate::words::{self, Side, Word};

/// Writes one line for each event.
pub struct Log {
    palette: Palette,
    line: String,
    /// Whose log it is, where there are two.
    who: &'static str,
}

/// What is known of an event besides itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Details<'d> {
    /// The message that it is about: all its values are shown.
    pub document: Option<&'d Document>,
    /// How many of its kind it stands for.
    pub more: Option<More>,
}

impl Log {
    /// A log in these colours.
    pub fn new(palette: Palette) -> Self {
        Self { palette, line: String::new(), who: "" }
    }

    /// Writes what a role or the program says, if there are words for it.
    pub fn said(
        &mut self,
        at: Instant,
        said: &Said,
        details: Details<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let word = match said {
            Said::Charger(Happening::Session(event)) => return self.event(at, event, details, out),
            Said::Car(PevEvent::Session(event)) => return self.car_event(at, event, details, out),
            Said::Charger(what) => evse::role::word(what),
            Said::Car(event) => pev::observer::word(event),
            Said::NotSent(length) => Some(Word {
                checkpoint: None,
                words: format!("a frame of {length} bytes was not sent: the queue is full"),
            }),
            Said::Words(words) | Said::Loop(_, words) => return self.say(at, None, words, out),
        };
        let Some(Word { checkpoint, words }) = word else { return Ok(()) };
        self.line.clear();
        let _ = self.note(at, checkpoint, &words);
        self.finish(details.more, out)
    }

    /// Writes what a charger's event says.
    pub fn event(
        &mut self,
        at: Instant,
        event: &Event,
        details: Details<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = match event {
            Event::Message(message) => self.message(at, Side::Evse, message, details.document),
            Event::Phase(phase) => self.phase(at, *phase),
            Event::Checkpoint(checkpoint) => self.note(at, Some(*checkpoint), checkpoint.text()),
            Event::Dropped(dropped) => {
                let length = length_of(details.document);
                self.note(at, None, &format!("dropped: {}{length}", describe_dropped(*dropped)))
            }
            Event::Warning(warning) => self.warning(at, &describe_warning(*warning)),
            Event::Latched(latch) => self.warning(at, &format!("latched: {}", latch.advice())),
            Event::Unlatched(latch) => self.warning(at, &format!("released: {}", latch.name())),
            Event::Stopping(reason) => self.note(at, None, &format!("stopping: {reason}")),
            Event::Stopped(reason) => self.note(at, None, &reason.to_string()),
        };
        self.finish(details.more, out)
    }

    /// Writes what a car's event says.
    pub fn car_event(
        &mut self,
        at: Instant,
        event: &pev_fsm::Event,
        details: Details<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        use pev_fsm::Event;
        self.line.clear();
        let _ = match event {
            Event::Message(message) => self.message(at, Side::Pev, message, details.document),
            Event::Phase(phase) => self.phase(at, *phase),
            Event::Checkpoint(checkpoint) => self.note(at, Some(*checkpoint), checkpoint.text()),
            Event::Dropped(dropped) => {
                let length = length_of(details.document);
                self.note(at, None, &format!("dropped: {}{length}", words::of_dropped_answer(*dropped)))
            }
            Event::Warning(warning) => self.warning(at, &words::of_car_warning(*warning)),
            Event::EmergencyOpening { current_ma } => {
                self.warning(at, &words::of_emergency_opening(*current_ma))
            }
            Event::Latched(Latch::DriverStop) => self.note(at, None, Latch::DriverStop.advice()),
            Event::Latched(latch) => self.warning(at, &format!("latched: {}", latch.advice())),
            Event::Unlatched(latch) => self.warning(at, &format!("released: {}", latch.name())),
            Event::Stopping(reason) => self.note(at, None, &format!("stopping: {reason}")),
            Event::Stopped(reason) => self.note(at, None, &reason.to_string()),
        };
        self.finish(details.more, out)
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
        self.finish(None, out)
    }

    /// From now on lines that are no messages name this side.
    pub fn speak_for(&mut self, who: &'static str) {
        self.who = who;
    }

    fn finish(&mut self, more: Option<More>, out: &mut dyn Write) -> io::Result<()> {
        if let Some(more) = more {
            let dim = self.palette.with(style::DIM);
            let _ = write!(self.line, " {dim}{more}{dim:#}");
        }
        self.line.push('\n');
        out.write_all(self.line.as_bytes())
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

    fn warning(&mut self, at: Instant, what: &str) -> std::fmt::Result {
        self.begin(at, None)?;
        let bad = self.palette.with(style::BAD);
        write!(self.line, "{bad}{:10} {what}{bad:#}", "warning")
    }

    fn message(
        &mut self,
        at: Instant,
        side: Side,
        message: &Message,
        document: Option<&Document>,
    ) -> std::fmt::Result {
        self.begin(at, message.checkpoint)?;
        let from_car = (side == Side::Evse) == (message.direction == Direction::Received);
        let (style, direction) =
            if from_car { (style::PEV, "pev->evse") } else { (style::EVSE, "evse->pev") };
        let style = self.palette.with(style);
        write!(self.line, "{style}{direction:10} {}{style:#}", message.name)?;
        match document.and_then(|document| schema_of(document, message.name).map(|schema| (schema, document)))
        {
            Some((schema, document)) => {
                values::describe(schema, &document.bytes, &mut self.line);
                Ok(())
            }
            None => write_values(&message.values, &mut self.line),
        }
    }
}

/// The schema of a document, if it is this message.
fn schema_of(document: &Document, name: &str) -> Option<Schema> {
    let of_type = Schema::of_payload_type(PayloadType(document.payload_type));
    let schema = of_type.or_else(|| Schema::of_first_bytes(&document.bytes))?;
    let (decoded, _) = listen::Document::decode(schema, &document.bytes)?.ok()?;
    (decoded.name() == Some(name)).then_some(schema)
}

/// How long a message is that cannot be shown.
fn length_of(document: Option<&Document>) -> String {
    document.map_or_else(String::new, |document| format!(" ({} bytes)", document.bytes.len()))
}

/// The main values, for a message whose bytes are not at hand.
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
        Dropped::NotEncoded(name) => format!("{name}: has a value that cannot be encoded"),
        Dropped::NotTaken(name) => format!("{name}: the answer before was not sent yet"),
        Dropped::Connection => "a connection, before the pilot offers 5 % again".into(),
    }
}

fn describe_warning(warning: Warning) -> String {
    match warning {
        Warning::NoPowerStage => "no power stage: sending synthetic values to the car".into(),
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

    fn line(event: &Event, details: Details<'_>) -> String {
        let (mut log, mut out) = (Log::new(Palette { enabled: false }), Vec::new());
        log.event(Instant::from_millis(12_345), event, details, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn message(name: &'static str, values: Values) -> Event {
        let checkpoint = Some(Checkpoint::PRE_CHARGE_REQ);
        Event::Message(Message { direction: Direction::Received, name, checkpoint, values })
    }

    /// `supportedAppProtocolRes`.
    fn document() -> Document {
        let bytes = vec![0x80, 0x40, 0x00, 0x40];
        Document { at: Instant::ZERO, direction: Direction::Received, payload_type: 0x8001, bytes }
    }

    #[test]
    fn a_message_has_time_checkpoint_direction_name_and_values() {
        let target = Some(Target { voltage_mv: 355_250, current_ma: -500 });
        let values = Values { target, soc_percent: Some(42), ..Values::default() };
        assert_eq!(
            line(&message("PreChargeReq", values), Details::default()),
            "     12.345 [570] pev->evse  PreChargeReq target=355.2V/-0.5A soc=42%\n"
        );
    }

    #[test]
    fn with_its_bytes_a_message_shows_all_its_values_and_never_those_of_another() {
        let values = Values { soc_percent: Some(42), ..Values::default() };
        let document = document();
        let details = Details { document: Some(&document), more: None };
        let own = line(&message("supportedAppProtocolRes", values), details);
        assert!(
            own.ends_with(" supportedAppProtocolRes ResponseCode=OK_SuccessfulNegotiation SchemaID=1\n"),
            "{own}"
        );
        let other = line(&message("PreChargeReq", values), details);
        assert!(other.ends_with(" PreChargeReq soc=42%\n"), "{other}");
    }

    #[test]
    fn a_message_that_does_not_decode_is_shown_with_its_length() {
        let document = Document { bytes: vec![0; 57], ..document() };
        let dropped = Event::Dropped(Dropped::Undecodable { bit: 13 });
        let shown = line(&dropped, Details { document: Some(&document), more: None });
        assert!(shown.ends_with("dropped: a message that does not decode at bit 13 (57 bytes)\n"), "{shown}");
    }

    #[test]
    fn a_line_says_how_many_of_its_kind_it_stands_for() {
        let more = Some(More { count: 38, time: machine::Duration::from_millis(10_000) });
        let shown = line(&message("PreChargeReq", Values::default()), Details { document: None, more });
        assert!(shown.ends_with("PreChargeReq x 38 in 10.0 s\n"), "{shown}");
    }

    #[test]
    fn what_a_role_says_outside_of_its_session_has_words() {
        let mut out = Vec::new();
        let mut log = Log::new(Palette { enabled: false });
        for said in [Said::Charger(Happening::Overrun), Said::Car(PevEvent::Overrun), Said::NotSent(60)] {
            log.said(Instant::ZERO, &said, Details::default(), &mut out).unwrap();
        }
        log.said(Instant::ZERO, &Said::Charger(Happening::Free), Details::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.ends_with("a frame of 60 bytes was not sent: the queue is full\n"), "{text}");
    }
}
