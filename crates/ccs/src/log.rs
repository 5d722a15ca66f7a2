//! The live log of a charger or a car: time, checkpoint, direction, message with values; the stop reason
//! last.

use std::fmt::Write as _;
use std::io::{self, Write};

use evse_fsm::{Direction, Event, Message};
use machine::Instant;
use roles::words::{OfCarSession, OfChargerSession, OfValues, WARNING, way};
use roles::{Happening, PevEvent};
use session::Checkpoint;
use v2gtp::PayloadType;

use crate::decode::{Schema, values};
use crate::inbox::Document;
use crate::repeats::More;
use crate::said::Said;
use crate::style::{self, Palette};
use crate::words::{self, Side, Word};

/// Writes one line for each event.
pub(crate) struct Log {
    palette: Palette,
    line: String,
    /// The side whose log it is, if one log has both sides.
    who: &'static str,
}

/// Additional data of an event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Details<'d> {
    /// The message that it is about; all its values are shown.
    pub document: Option<&'d Document>,
    /// How many events of its kind it stands for.
    pub more: Option<More>,
}

impl Log {
    /// A log in these colours.
    pub(crate) fn new(palette: Palette) -> Self {
        Self { palette, line: String::new(), who: "" }
    }

    /// Writes an event of a role or the program, if it has a text.
    pub(crate) fn said(
        &mut self,
        at: Instant,
        said: &Said,
        details: Details<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let word = match said {
            Said::Charger(Happening::Session(event)) => return self.event(at, event, details, out),
            Said::Car(PevEvent::Session(event)) => return self.car_event(at, event, details, out),
            Said::Charger(what) => words::of_charger(what),
            Said::Car(event) => words::of_car(event),
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

    /// Writes an event of a charger.
    pub(crate) fn event(
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
            event => {
                let of = OfChargerSession(event);
                let is_dropped = matches!(event, Event::Dropped(_));
                let length = length_of(details.document.filter(|_| is_dropped));
                self.of_session(at, of.who(), of.checkpoint(), &format!("{of}{length}"))
            }
        };
        self.finish(details.more, out)
    }

    /// Writes an event of a car.
    pub(crate) fn car_event(
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
            event => {
                let of = OfCarSession(event);
                let is_dropped = matches!(event, Event::Dropped(_));
                let length = length_of(details.document.filter(|_| is_dropped));
                self.of_session(at, of.who(), of.checkpoint(), &format!("{of}{length}"))
            }
        };
        self.finish(details.more, out)
    }

    /// Writes a line that is no event of the session.
    pub(crate) fn say(
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

    /// From now on, lines that are no messages begin with this side.
    pub(crate) fn speak_for(&mut self, who: &'static str) {
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

    fn of_session(
        &mut self,
        at: Instant,
        who: &str,
        checkpoint: Option<Checkpoint>,
        words: &str,
    ) -> std::fmt::Result {
        if who == WARNING { self.warning(at, words) } else { self.note(at, checkpoint, words) }
    }

    fn warning(&mut self, at: Instant, what: &str) -> std::fmt::Result {
        self.begin(at, None)?;
        let bad = self.palette.with(style::BAD);
        write!(self.line, "{bad}{WARNING:10} {what}{bad:#}")
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
        let style = self.palette.with(if from_car { style::PEV } else { style::EVSE });
        write!(self.line, "{style}{:10} {}{style:#}", way(from_car), message.name)?;
        match document.and_then(|document| schema_of(document, message.name).map(|schema| (schema, document)))
        {
            Some((schema, document)) => {
                values::describe(schema, &document.bytes, &mut self.line);
                Ok(())
            }
            None => write!(self.line, "{}", OfValues(&message.values)),
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

/// The length of a message that cannot be shown.
fn length_of(document: Option<&Document>) -> String {
    document.map_or_else(String::new, |document| format!(" ({} bytes)", document.bytes.len()))
}

#[cfg(test)]
mod tests {
    use evse_fsm::{Dropped, Values};
    use session::Target;

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
