//! `ccs decode --json`: one object for each message.

use std::fmt::Write as _;
use std::io::{self, Write};

use sdp::Message;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::notes::{CONTRADICTION, cut_words, log_text, note, seconds};
use super::{Report, Totals};
use crate::decode::{Basis, Content, Direction, Discovery, Document, Event, Keys, Schema, mme};
use crate::escape::{self, Plain};
use crate::hex;

/// Writes one object per line; other findings go to standard error.
pub(crate) struct JsonLines<'a> {
    file: &'a str,
    keys: Keys,
    exi: String,
    name: String,
    line: Vec<u8>,
}

/// The object. An unknown value is null. `error` is present only if the payload does not decode, `header` and
/// `fault` only for messages of the power line, `note` only for an anomaly.
#[derive(serde::Serialize)]
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
    body: Option<Body<'a>>,
    /// How the schema was determined, and the confidence (0..=1).
    basis: Option<&'static str>,
    confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// Why a matching message must be ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    /// If the frame was captured in part: bytes in the capture, and on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<Value>,
    /// The anomaly.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

/// The content of a message.
enum Body<'a> {
    /// Fields of a message of the power line, of discovery and others.
    Fields(Value),
    /// A whole document in the mapping of the corpus: its root element with the content.
    Document(&'a Document<'a>),
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let document = match self {
            Self::Fields(fields) => return fields.serialize(serializer),
            Self::Document(document) => document,
        };
        let mut map = serializer.serialize_map(Some(1))?;
        match document {
            Document::App(exi_app::Message::Req(request)) => map.serialize_entry(document.root(), request)?,
            Document::App(exi_app::Message::Res(answer)) => map.serialize_entry(document.root(), answer)?,
            Document::Din(message) => map.serialize_entry(document.root(), message)?,
        }
        map.end()
    }
}

impl<'a> JsonLines<'a> {
    /// A report on the file of this name.
    pub(crate) fn new(file: &'a str, keys: Keys) -> Self {
        Self { file, keys, exi: String::new(), name: String::new(), line: Vec::new() }
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
                record.body = exi.document.map(Body::Document);
                if exi.schema.is_some() {
                    record.basis = Some(basis(exi.basis));
                    record.confidence = Some(f64::from(exi.basis.confidence()) / 100.0);
                }
                record.error = exi.error.as_ref().map(ToString::to_string);
            }
            Content::Sdp(sdp) => {
                record.message = Some(sdp.name());
                record.body = Some(Body::Fields(sdp_body(*sdp)));
            }
            Content::Mme(frame) => {
                self.name.clear();
                // Writing to a string cannot fail.
                let _ = write!(self.name, "{}", frame.mm_type);
                record.message = Some(&self.name);
                record.header = Some(mme::header(frame));
                match mme::to_json(frame, self.keys) {
                    Ok(fields) => record.body = Some(Body::Fields(fields)),
                    Err(error) => record.error = Some(error.to_string()),
                }
                record.fault = mme::fault(frame).map(|fault| fault.to_string());
                record.cut = event.cut.map(|cut| json!({ "captured": cut.captured, "whole": cut.whole }));
            }
            Content::Log(text) => {
                record.message = Some("syslog");
                record.body = Some(Body::Fields(json!({ "text": log_text(text, self.keys) })));
            }
            Content::Noted(words) => {
                record.message = Some("plant");
                record.body = Some(Body::Fields((*words).into()));
            }
            // These are part of the story.
            Content::Opened(_) | Content::Closed(..) | Content::Over(_) => return Ok(()),
            other => {
                let note = note(other, self.keys).unwrap_or_default();
                let cut = event.cut.map_or(String::new(), |cut| format!(" ({})", cut_words(cut)));
                anstream::eprintln!("{}: frame {}: {note}{cut}", Plain(self.file), event.frame);
                return Ok(());
            }
        }
        // Written in one piece, because a document is serialised in many small ones.
        self.line.clear();
        escape::write_json(&record, &mut self.line)?;
        self.line.push(b'\n');
        out.write_all(&self.line)
    }

    fn end(&mut self, totals: &Totals<'_>, _out: &mut dyn Write) -> io::Result<()> {
        for words in totals.notes() {
            anstream::eprintln!("{}: {words}", Plain(self.file));
        }
        Ok(())
    }
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
