//! One line of text for each message.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use homeplug_mme::Frame;
use listen::When;
use machine::Instant;

use super::fold::{Fold, Kind};
use super::layout::Width;
use super::notes::{CONTRADICTION, cut_words, note};
use super::story::Told;
use super::time::{TimeName, Times};
use crate::decode::{Basis, Content, Direction, Event, Exi, Keys, Schema, mme, values};
use crate::repeats::More;
use crate::style::{self, Palette};

/// Options of the lines.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Whether keys are shown.
    pub keys: Keys,
    /// Origin of the times.
    pub time: TimeName,
    /// Width of the lines.
    pub width: Width,
    /// Whether repeated messages are shown.
    pub all: bool,
    /// Whether colours are used.
    pub is_coloured: bool,
}

/// Writes the lines of `ccs decode`: time, frame, direction, schema, message and values; the story of a
/// session when it ends.
pub struct Printer {
    look: Look,
    palette: Palette,
    times: Times,
    fold: Fold<Entry>,
    at: Instant,
}

/// Capacity for a line of the charging loop.
const LINE: usize = 512;

/// A line that is not written yet.
struct Entry {
    time_ns: Option<i64>,
    clock_ns: Option<i64>,
    frame: u64,
    text: String,
}

impl Printer {
    /// A printer with these options.
    pub fn new(look: Look) -> Self {
        let palette = Palette { enabled: look.is_coloured };
        Self { look, palette, times: Times::new(look.time), fold: Fold::new(look.all), at: Instant::ZERO }
    }

    /// Writes an event, or counts it if it repeats earlier ones.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()> {
        let micros = event.time_ns.map_or(0, |ns| u64::try_from(ns / 1000).unwrap_or(0));
        self.at = self.at.max(Instant::from_micros(micros));
        if let Content::Over(connection) = &event.content {
            let last = When { frame: event.frame, time_ns: event.time_ns };
            let Some(story) = Told::of(connection, last).filter(Told::has_more) else { return Ok(()) };
            self.flush(out)?;
            return story.write_text(None, self.palette, self.look.width, out);
        }
        // Writing to a string cannot fail.
        let mut text = String::with_capacity(LINE);
        let _ = self.head(event, &mut text);
        let head = text.len();
        let _ = self.body(event, &mut text);
        let (name, values) = text.split_at_checked(head).unwrap_or_default();
        let stations = match &event.content {
            Content::Mme(frame) => Some((frame.from.0, frame.to.0)),
            _ => None,
        };
        let kind = Kind::new(&(name, stations), values, matches!(event.content, Content::Exi(_)));
        let entry = Entry { time_ns: event.time_ns, clock_ns: event.clock_ns, frame: event.frame, text };
        if is_single(&event.content) {
            self.flush(out)?;
            return write_entry(&mut self.times, self.look.width, self.palette, &entry, None, out);
        }
        let at = self.at;
        let Self { fold, times, look, palette, .. } = self;
        fold.take(at, kind, entry, &mut |entry, more| {
            write_entry(times, look.width, *palette, &entry, more, out)
        })
    }

    /// Writes the delayed lines.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let at = self.at;
        let Self { fold, times, look, palette, .. } = self;
        fold.flush(at, &mut |entry, more| write_entry(times, look.width, *palette, &entry, more, out))
    }

    /// Direction, schema and name.
    fn head(&self, event: &Event<'_>, text: &mut String) -> std::fmt::Result {
        let is_short = self.look.width.is_short();
        let style = match event.direction {
            Some(Direction::ToEvse) => style::PEV,
            Some(Direction::ToPev) => style::EVSE,
            None => style::DIM,
        };
        let style = self.palette.with(style);
        let direction = match (event.direction, is_short) {
            (Some(direction), false) => direction.name(),
            (Some(Direction::ToEvse), true) => "->",
            (Some(Direction::ToPev), true) => "<-",
            (None, _) => "",
        };
        let (schema, name) = match &event.content {
            Content::Mme(frame) => ("homeplug", Cow::from(frame.mm_type.to_string())),
            Content::Sdp(sdp) => ("sdp", sdp.name().into()),
            Content::Exi(exi) => (exi.schema.map_or("?", Schema::name), exi.message.unwrap_or("-").into()),
            Content::Log(_) => ("syslog", note(&event.content, self.look.keys).unwrap_or_default().into()),
            other => ("", note(other, self.look.keys).unwrap_or_default().into()),
        };
        if is_short {
            write!(text, "{style}{direction:2} {:3} {name}{style:#}", schema.get(..3).unwrap_or(schema))
        } else {
            write!(text, "{style}{direction:10} {schema:8} {name}{style:#}")
        }
    }

    /// The values and anomalies.
    fn body(&self, event: &Event<'_>, text: &mut String) -> std::fmt::Result {
        let (bad, is_short) = (self.palette.with(style::BAD), self.look.width.is_short());
        match &event.content {
            Content::Mme(frame) => write_mme(frame, self.look.keys, self.palette, text)?,
            Content::Sdp(sdp) => write!(text, " {sdp}")?,
            Content::Exi(exi) => write_exi(exi, self.palette, is_short, text)?,
            _ => {}
        }
        if let Some(cut) = event.cut {
            write!(text, " {bad}({}){bad:#}", cut_words(cut))?;
        }
        if event.is_contradiction {
            write!(text, " {bad}({CONTRADICTION}){bad:#}")?;
        }
        Ok(())
    }
}

/// Whether the event begins or ends something: it has its own line, and repeated messages are shown again
/// after it.
fn is_single(content: &Content<'_>) -> bool {
    matches!(content, Content::Opened(_) | Content::Closed(..) | Content::Tls(_) | Content::CutMessage(..))
}

fn write_entry(
    times: &mut Times,
    width: Width,
    palette: Palette,
    entry: &Entry,
    more: Option<More>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let column = times.width();
    let time = times.of(entry.time_ns, entry.clock_ns);
    let mut line = String::with_capacity(LINE);
    // Writing to a string cannot fail.
    let _ = write!(line, "{time:>column$} {:>6} ", entry.frame);
    line.push_str(&entry.text);
    if let Some(more) = more {
        let dim = palette.with(style::DIM);
        let _ = write!(line, " {dim}{more}{dim:#}");
    }
    width.write(&line, column + if width.is_short() { 15 } else { 27 }, out)
}

fn write_mme(frame: &Frame<'_>, keys: Keys, palette: Palette, line: &mut String) -> std::fmt::Result {
    let bad = palette.with(style::BAD);
    if let Err(error) = mme::describe(frame, keys, line) {
        write!(line, " {bad}does not decode: {error}{bad:#}")?;
    }
    match mme::fault(frame) {
        Some(fault) => write!(line, " {bad}not to be acted on: {fault}{bad:#}"),
        None => Ok(()),
    }
}

fn write_exi(exi: &Exi<'_>, palette: Palette, is_short: bool, line: &mut String) -> std::fmt::Result {
    let has_values = exi.message.is_some() || exi.error.is_some();
    if let Some(schema) = exi.schema.filter(|_| has_values) {
        values::describe_in(schema, exi.payload, palette, is_short, line);
    } else {
        write!(line, " {} bytes", exi.payload.len())?;
    }
    if let Basis::Guess(percent) = exi.basis {
        let dim = palette.with(style::DIM);
        write!(line, " {dim}(schema guessed, {percent} %){dim:#}")?;
    }
    if exi.trailing > 0 {
        write!(line, " (+{} trailing bytes)", exi.trailing)?;
    }
    if let Some(error) = &exi.error {
        let bad = palette.with(style::BAD);
        write!(line, " {bad}does not decode: {error}{bad:#}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::decode::json::JsonLines;
    use crate::command::decode::{Lines, Report};
    use crate::decode::Decoder;
    use crate::decode::source::{Data, Packet};
    use serde_json::{Value, json};

    fn report(report: &mut dyn Report, lines: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut decoder = Decoder::new();
        for (frame, line) in (1..).zip(lines) {
            let packet = Packet { frame, time_ns: None, data: Data::Line(line) };
            decoder.take(packet, &mut |event| report.event(event, &mut out).unwrap());
        }
        String::from_utf8(out).unwrap()
    }

    fn text_lines() -> Lines {
        Lines(Printer::new(Look { all: true, ..Look::default() }))
    }

    const ANSWER: &[u8] = &[0x80, 0x40, 0x00, 0x40];

    #[test]
    fn a_json_line_has_all_keys_and_the_whole_document() {
        let line: Value =
            serde_json::from_str(&report(&mut JsonLines::new("f", Keys::Redacted), &[ANSWER])).unwrap();
        assert_eq!(
            line,
            json!({
                "file": "f", "frame": 1, "time_s": null, "dir": "evse->pev", "schema": "app",
                "message": "supportedAppProtocolRes", "exi": "80400040",
                "body": {"supportedAppProtocolRes": {"ResponseCode": "OK_SuccessfulNegotiation", "SchemaID": 1}},
                "basis": "handshake", "confidence": 1.0,
            })
        );
    }

    #[test]
    fn a_payload_without_a_codec_has_its_schema_and_no_body() {
        let lines =
            report(&mut JsonLines::new("f", Keys::Redacted), &[&[0x80, 0x98, 0x00, 0x6C, 0x50, 0x08]]);
        let line: Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(line["schema"], "iso2");
        assert_eq!((&line["message"], &line["body"]), (&Value::Null, &Value::Null));
        assert_eq!((&line["basis"], line["confidence"].as_f64()), (&json!("guess"), Some(0.6)));
    }

    #[test]
    fn a_text_line_has_the_values_or_the_error() {
        let lines = report(&mut text_lines(), &[ANSWER, &ANSWER[..3], &[0xFF; 4]]);
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(
            lines[0].trim(),
            "1 evse->pev  app      supportedAppProtocolRes ResponseCode=OK_SuccessfulNegotiation SchemaID=1"
        );
        assert!(lines[1].contains("does not decode: bit"), "{}", lines[1]);
        assert!(lines[2].contains("4 bytes are neither EXI"), "{}", lines[2]);
    }

    /// `CM_SLAC_PARM.REQ` from a car: the first 29 bytes matter.
    const SLAC: &[u8] = b"\xFF\xFF\xFF\xFF\xFF\xFF\x02\0\0\0\0\xE1\x88\xE1\x01\x64\x60\0\0\0\0TESLA EV";

    #[test]
    fn a_management_frame_has_its_fields_tagged_or_not() {
        let tagged = [&SLAC[..12], &[0x81, 0x00, 0, 5], &SLAC[12..]].concat();
        let lines = report(&mut text_lines(), &[SLAC, &tagged]);
        for line in lines.lines() {
            let shown =
                "pev->evse  homeplug CM_SLAC_PARM.REQ from=02:00:00:00:00:e1 to=all run_id=5445534c41204556";
            assert!(line.ends_with(shown), "{line}");
        }
        let lines = report(&mut JsonLines::new("f", Keys::Redacted), &[SLAC]);
        let line: Value = serde_json::from_str(&lines).unwrap();
        assert_eq!(line["message"], "CM_SLAC_PARM.REQ");
        let header = json!({"from": "02:00:00:00:00:e1", "to": "ff:ff:ff:ff:ff:ff", "version": 1, "oui": null, "fragment": null});
        assert_eq!(line["header"], header);
        assert_eq!(
            line["body"],
            json!({"application_type": 0, "security_type": 0, "run_id": "5445534c41204556", "cipher_suites": ""})
        );
        assert!(line.get("error").is_none() && line.get("fault").is_none());
    }

    #[test]
    fn a_broken_management_frame_says_what_is_wrong_with_it() {
        let mut foreign = SLAC.to_vec();
        foreign[19] = 3;
        let lines = report(&mut text_lines(), &[&SLAC[..28], &foreign, &SLAC[..16]]);
        let lines: Vec<&str> = lines.lines().collect();
        assert!(
            lines[0]
                .ends_with("does not decode: the message ends too early, in the field at byte 2 of its body")
        );
        assert!(
            lines[1]
                .ends_with("not to be acted on: application type 3; only 0 is matching of car and charger")
        );
        assert!(
            lines[2]
                .ends_with("a broken HomePlug frame: 2 bytes are too few for a management frame's header")
        );
        let lines = report(&mut JsonLines::new("f", Keys::Redacted), &[&SLAC[..28], &foreign]);
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(lines[0]["body"].is_null() && lines[0]["error"].is_string());
        assert!(lines[1]["body"].is_object() && lines[1]["fault"].is_string());
    }
}
