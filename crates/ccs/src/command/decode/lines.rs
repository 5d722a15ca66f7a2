//! One line a message: for people, and as JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use homeplug_mme::Frame;
use listen::packet::Endpoint;
use sdp::Message;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Report, Totals};
use crate::decode::{
    Basis, Close, Codecs, Content, Cut, Direction, Discovery, Event, Exi, Keys, Schema, mme, values,
    without_keys,
};
use crate::escape::{self, Plain};
use crate::hex;
use crate::lines::MAX_LINE;
use crate::style::{self, Palette};

/// `ccs decode --json`: one object a line; what is no message goes to the standard error.
pub struct JsonLines<'a> {
    file: &'a str,
    keys: Keys,
    exi: String,
    name: String,
}

/// The object. Absent knowledge is null; `error` is there only when the payload does not decode, `header` and
/// `fault` only for messages of the power line, `note` only where something is odd.
#[derive(Serialize)]
struct Record<'a> {
    file: &'a str,
    frame: u64,
    time_s: Option<f64>,
    dir: Option<&'static str>,
    schema: Option<&'static str>,
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Value>,
    exi: Option<&'a str>,
    body: Option<Value>,
    /// How the schema is known, and how sure that is (0..=1).
    basis: Option<&'static str>,
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why a message of matching is not to be acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// The frame was captured in part: bytes in the capture, and on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<Value>,
    /// What is odd about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// Stands with a message whose name belongs to the other direction.
const CONTRADICTION: &str = "the name belongs to the other direction";

impl<'a> JsonLines<'a> {
    /// A report on the file of this name.
    pub fn new(file: &'a str, keys: Keys) -> Self {
        Self { file, keys, exi: String::new(), name: String::new() }
    }
}

impl Report for JsonLines<'_> {
    fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut record = Record {
            file: self.file,
            frame: event.frame,
            time_s: event.time_ns.map(seconds),
            dir: event.direction.map(Direction::name),
            schema: None,
            message: None,
            header: None,
            exi: None,
            body: None,
            basis: None,
            confidence: None,
            error: None,
            fault: None,
            cut: None,
            note: event.is_contradiction.then_some(CONTRADICTION),
        };
        match &event.content {
            Content::Exi(exi) => {
                self.exi.clear();
                hex::write(exi.payload, &mut self.exi);
                record.exi = Some(&self.exi);
                record.schema = exi.schema.map(Schema::name);
                record.message = exi.message;
                record.body = body(exi);
                if exi.schema.is_some() {
                    record.basis = Some(basis(exi.basis));
                    record.confidence = Some(f64::from(exi.basis.confidence()) / 100.0);
                }
                record.error = exi.error.as_ref().map(ToString::to_string);
            }
            Content::Sdp(sdp) => {
                record.message = Some(sdp.name());
                record.body = Some(sdp_body(*sdp));
            }
            Content::Mme(frame) => {
                self.name.clear();
                // Writing to a string cannot fail.
                let _ = write!(self.name, "{}", frame.mm_type);
                record.message = Some(&self.name);
                record.header = Some(mme::header(frame));
                match mme::to_json(frame, self.keys) {
                    Ok(fields) => record.body = Some(fields),
                    Err(error) => record.error = Some(error.to_string()),
                }
                record.fault = mme::fault(frame).map(|fault| fault.to_string());
                record.cut = event.cut.map(|cut| json!({ "captured": cut.captured, "whole": cut.whole }));
            }
            Content::Log(text) => {
                record.message = Some("syslog");
                record.body = Some(json!({ "text": log_text(text, self.keys) }));
            }
            // The story has them.
            Content::Opened(_) | Content::Closed(..) | Content::Over(_) => return Ok(()),
            other => {
                let note = note(other).unwrap_or_default();
                let cut = event.cut.map_or(String::new(), |cut| format!(" ({})", cut_words(cut)));
                anstream::eprintln!("{}: frame {}: {note}{cut}", Plain(self.file), event.frame);
                return Ok(());
            }
        }
        escape::write_json(&record, out)?;
        out.write_all(b"\n")
    }

    fn end(&mut self, totals: &Totals<'_>, _out: &mut dyn Write) -> io::Result<()> {
        for words in totals.notes() {
            anstream::eprintln!("{}: {words}", Plain(self.file));
        }
        Ok(())
    }
}

/// The whole document, where it decodes.
fn body(exi: &Exi<'_>) -> Option<Value> {
    exi.schema.filter(|_| exi.error.is_none())?.to_json(exi.payload, false)?.ok()
}

fn sdp_body(sdp: Discovery) -> Value {
    match sdp.0 {
        Message::Request(request) => {
            json!({ "Security": request.security.0, "TransportProtocol": request.transport.0 })
        }
        Message::Response(response) => json!({
            "SECC_IPAddress": response.address.to_string(),
            "SECC_Port": response.port,
            "Security": response.security.0,
            "TransportProtocol": response.transport.0,
        }),
    }
}

fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Handshake => "handshake",
        Basis::PayloadType => "payload type",
        Basis::Guess(_) => "guess",
    }
}

/// Words for a frame that was captured in part.
pub fn cut_words(Cut { captured, whole }: Cut) -> String {
    format!("cut by the snap length: {captured} of {whole} bytes")
}

/// Words for what is no message.
pub fn note(content: &Content<'_>) -> Option<String> {
    Some(match content {
        Content::Mme(_) | Content::Sdp(_) | Content::Exi(_) | Content::Over(_) => return None,
        Content::BadMme(error) => format!("a broken HomePlug frame: {error}"),
        Content::Other(payload_type, length) => format!("V2GTP {payload_type}, {length} bytes"),
        Content::Tls(_) => "TLS: this direction of the stream is encrypted".into(),
        Content::Opened(flow) => format!("TCP opens, {} to {}", end(flow.source), end(flow.destination)),
        Content::Closed(flow, close) => {
            let what = match close {
                Close::Fin => "closes (FIN)",
                Close::Reset => "reset (RST)",
                Close::Refused => "refused (RST)",
            };
            format!("TCP {what} by {}", end(flow.source))
        }
        Content::Skipped(count) => format!("{count} bytes are not V2GTP, or a message lost its end"),
        Content::Gap => "bytes are missing in the capture".into(),
        Content::Fragment => "a fragment of an IP packet, not put together".into(),
        Content::Unknown(count) => {
            format!("{count} bytes are neither EXI (80...), V2GTP (01FE...) nor an Ethernet frame")
        }
        Content::Log(text) => format!("\"{}\"", Plain(&log_text(text, Keys::Redacted))),
        Content::CutMessage(is, whole) => format!("a message is cut: {is} of {whole} bytes are there"),
        Content::BadLine(column) => format!("not hexadecimal in column {column}"),
        Content::LongLine => format!("this line is longer than {MAX_LINE} bytes, and was skipped"),
    })
}

/// The text of a syslog datagram without its priority (RFC 3164, 4.1.1) and end.
pub fn log_text(datagram: &[u8], keys: Keys) -> String {
    let is_priority = |head: &[u8]| {
        head.first() == Some(&b'<') && head.get(1..).is_some_and(|n| n.iter().all(u8::is_ascii_digit))
    };
    let text = match datagram.iter().take(5).position(|byte| *byte == b'>') {
        Some(end) if datagram.get(..end).is_some_and(is_priority) => {
            datagram.get(end + 1..).unwrap_or_default()
        }
        _ => datagram,
    };
    let end =
        text.iter().rposition(|byte| !matches!(byte, 0 | b'\n' | b'\r' | b' ')).map_or(0, |last| last + 1);
    let text = String::from_utf8_lossy(text.get(..end).unwrap_or_default());
    if keys == Keys::Shown { text.into_owned() } else { without_keys(&text) }
}

fn end(endpoint: Endpoint) -> String {
    format!("[{}]:{}", endpoint.address, endpoint.port)
}

/// `ccs decode`: time, frame, direction, schema, message and values.
pub struct TextLines {
    palette: Palette,
    keys: Keys,
    line: String,
}

impl TextLines {
    /// A report in these colours.
    pub fn new(palette: Palette, keys: Keys) -> Self {
        Self { palette, keys, line: String::new() }
    }

    fn write(&mut self, event: &Event<'_>) -> std::fmt::Result {
        let (palette, line) = (self.palette, &mut self.line);
        match event.time_ns {
            Some(time) => write!(line, "{:12.6} ", seconds(time))?,
            None => write!(line, "{:12} ", "")?,
        }
        write!(line, "{:>6} ", event.frame)?;
        let style = match event.direction {
            Some(Direction::ToEvse) => style::PEV,
            Some(Direction::ToPev) => style::EVSE,
            None => style::DIM,
        };
        let style = palette.with(style);
        write!(line, "{style}{:10} ", event.direction.map_or("", Direction::name))?;
        match &event.content {
            Content::Mme(frame) => {
                write!(line, "{:8} {}{style:#}", "homeplug", frame.mm_type)?;
                write_mme(frame, self.keys, palette, line)?;
            }
            Content::Sdp(sdp) => write!(line, "{:8} {}{style:#} {sdp}", "sdp", sdp.name())?,
            Content::Exi(exi) => {
                let schema = exi.schema.map_or("?", |schema| schema.name());
                write!(line, "{schema:8} {}{style:#}", exi.message.unwrap_or("-"))?;
                write_exi(exi, palette, line)?;
            }
            other => {
                let kind = if matches!(other, Content::Log(_)) { "syslog" } else { "" };
                write!(line, "{kind:8} {}{style:#}", note(other).unwrap_or_default())?;
            }
        }
        if let Some(cut) = event.cut {
            let bad = palette.with(style::BAD);
            write!(line, " {bad}({}){bad:#}", cut_words(cut))?;
        }
        if event.is_contradiction {
            let bad = palette.with(style::BAD);
            write!(line, " {bad}({CONTRADICTION}){bad:#}")?;
        }
        Ok(())
    }
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

fn write_exi(exi: &Exi<'_>, palette: Palette, line: &mut String) -> std::fmt::Result {
    let has_values = exi.message.is_some() || exi.error.is_some();
    if let Some(schema) = exi.schema.filter(|_| has_values) {
        values::describe(schema, exi.payload, line);
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

impl Report for TextLines {
    fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()> {
        if matches!(event.content, Content::Over(_)) {
            return Ok(());
        }
        self.line.clear();
        // Writing to a string cannot fail.
        let _ = self.write(event);
        self.line.push('\n');
        out.write_all(self.line.as_bytes())
    }

    fn end(&mut self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()> {
        totals.notes().into_iter().try_for_each(|words| writeln!(out, "{words}"))
    }
}

/// Nanoseconds to seconds.
#[expect(clippy::cast_precision_loss, reason = "exact to the nanosecond for 100 days")]
pub fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::Decoder;
    use crate::decode::source::{Data, Packet};

    fn report(report: &mut dyn Report, lines: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut decoder = Decoder::new();
        for (frame, line) in (1..).zip(lines) {
            let packet = Packet { frame, time_ns: None, data: Data::Line(line) };
            decoder.take(packet, &mut |event| report.event(event, &mut out).unwrap());
        }
        String::from_utf8(out).unwrap()
    }

    fn text_lines() -> TextLines {
        TextLines::new(Palette { enabled: false }, Keys::Redacted)
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

    /// `CM_SLAC_PARM.REQ` from a car: 29 bytes count.
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
