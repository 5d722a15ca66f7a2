//! The story of a session in words and as JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;
use listen::packet::Flow;
use listen::story::{Cause, End, How, Range, Side, Sign, Span};
use listen::{Close, Offer, Story, When};
use serde_json::{Value, json};
use session::{By, Limits, Phase, StopReason};

use super::layout::Width;
use super::notes::seconds;
use crate::decode::{Connection, Schema};
use crate::hex;
use crate::style::{self, Palette};

/// A line of a story.
pub struct Line {
    /// 0: the heading.
    pub depth: usize,
    /// The heading, or how the session ended.
    pub is_main: bool,
    pub words: String,
}

/// A session of a file, kept until the file's end.
pub struct Told {
    number: u64,
    first: When,
    last: When,
    flow: Option<Flow>,
    is_tls: bool,
    protocol: Option<Schema>,
    offered: Vec<Offer>,
    answer: Option<&'static str>,
    story: Story,
}

impl Told {
    /// The story of a connection whose latest frame was at `last`; `None` where no message was seen and it is not encrypted.
    pub fn of(connection: &Connection<'_>, last: When) -> Option<Self> {
        let Connection { number, first, flow, talk } = *connection;
        let has_begun = talk.story().messages > 0 || talk.is_tls();
        has_begun.then(|| Self {
            number,
            first,
            last,
            flow,
            is_tls: talk.is_tls(),
            protocol: talk.protocol(),
            offered: talk.offered().to_vec(),
            answer: talk.answer(),
            story: talk.story().clone(),
        })
    }

    /// Whether there is more to tell than a handshake that went well: its two messages say it all.
    pub fn has_more(&self) -> bool {
        let is_refused = self.answer.is_some_and(|answer| answer.starts_with("Failed"));
        let has_begun = self.story.phases.iter().any(|span| span.phase > Phase::Handshake);
        self.is_tls
            || has_begun
            || is_refused
            || self.protocol.is_some_and(|protocol| protocol != Schema::Din)
    }

    /// Some lines for people, the first below the file's or between its messages.
    pub fn write_text(&self, palette: Palette, width: Width, out: &mut dyn Write) -> io::Result<()> {
        for Line { depth, is_main, words } in self.lines() {
            let style = palette.with(if is_main { style::END } else { Style::new() });
            let indent = 2 + 2 * depth;
            width.write(&format!("{:indent$}{style}{words}{style:#}", ""), indent + 2, out)?;
        }
        Ok(())
    }

    /// The story in lines.
    pub fn lines(&self) -> Vec<Line> {
        let Self { number, first, last, story, .. } = self;
        let protocol = self.protocol.map_or("unknown message set", Schema::name);
        let mut head = format!("session {number}: {protocol}, frames {} to {}", first.frame, last.frame);
        if let (Some(start), Some(end)) = (first.time_ns, last.time_ns) {
            // Writing to a string cannot fail.
            let _ = write!(head, ", {:.1} s", seconds(end.saturating_sub(start)));
        }
        let below = |words| Line { depth: 1, is_main: false, words };
        let mut lines = vec![Line { depth: 0, is_main: true, words: head }];
        for (who, id, limits) in [
            ("car", &story.evcc_id[..], story.car_limits),
            ("charger", &story.evse_id[..], story.charger_limits),
        ] {
            let limits = limits.map_or(String::new(), |limits| format!(", {}", limit_words(&limits)));
            if !id.is_empty() || !limits.is_empty() {
                lines.push(below(format!("{who} {}{limits}", id_words(id))));
            }
        }
        if story.soc_percent.count > 0 {
            let Range { first, last, .. } = story.soc_percent;
            lines.push(below(format!("SoC {first} % to {last} %")));
        }
        if let Some((target, reached)) = story.precharge_mv {
            lines.push(below(format!(
                "precharge: target {} V, reached {} V",
                tenths(target),
                tenths(reached)
            )));
        }
        if story.present_ma.count > 0 {
            let (voltage, current) = (story.present_mv, story.present_ma);
            lines.push(below(format!(
                "{} V to {} V, {} A to {} A, {:.3} kWh",
                tenths(voltage.min),
                tenths(voltage.max),
                tenths(current.min),
                tenths(current.max),
                watt_hours(story) / 1000.0
            )));
        }
        let spans: Vec<String> = story.phases.iter().map(span_words).collect();
        if !spans.is_empty() {
            lines.push(below(format!("phases: {}", spans.join(", "))));
        }
        let end = story.end();
        lines.push(Line { is_main: true, ..below(self.end_words(&end)) });
        lines.extend(advice(&end).map(|advice| below(format!("advice: {advice}"))));
        lines
    }

    /// All of it.
    pub fn to_json(&self) -> Value {
        let Self { story, .. } = self;
        let end = story.end();
        let address = |end: listen::packet::Endpoint| format!("[{}]:{}", end.address, end.port);
        let offered: Value = self
            .offered
            .iter()
            .map(|Offer { namespace, schema_id, priority }| {
                json!({ "namespace": namespace.as_str(), "schema_id": schema_id, "priority": priority })
            })
            .collect();
        json!({
            "connection": self.number,
            "first_frame": self.first.frame,
            "last_frame": self.last.frame,
            "start_s": self.first.time_ns.map(seconds),
            "end_s": self.last.time_ns.map(seconds),
            "encrypted": self.is_tls,
            "protocol": self.protocol.map(Schema::name),
            "offered": offered,
            "handshake_answer": self.answer,
            "session_id": hexadecimal(&story.session_id),
            "car": {
                "id": hexadecimal(&story.evcc_id),
                "address": self.flow.map(|flow| address(flow.source)),
                "limits": story.car_limits.as_ref().map(limits),
            },
            "charger": {
                "id": hexadecimal(&story.evse_id),
                "address": self.flow.map(|flow| address(flow.destination)),
                "limits": story.charger_limits.as_ref().map(limits),
            },
            "messages": story.messages,
            "soc_percent": range(&story.soc_percent, 1.0),
            "present_voltage_v": range(&story.present_mv, 1000.0),
            "present_current_a": range(&story.present_ma, 1000.0),
            "target_voltage_v": range(&story.target_mv, 1000.0),
            "target_current_a": range(&story.target_ma, 1000.0),
            "precharge_target_v": story.precharge_mv.map(|(target, _)| f64::from(target) / 1000.0),
            "precharge_reached_v": story.precharge_mv.map(|(_, reached)| f64::from(reached) / 1000.0),
            "power_delivered": story.has_delivered,
            "energy_wh": (story.present_ma.count > 0).then(|| watt_hours(story)),
            "silences": story.silences,
            "phases": story.phases.iter().map(span).collect::<Value>(),
            "end": {
                "by": end.by.map(side),
                "how": how(&end.how),
                "phase": end.phase.name(),
                "frame": end.when.frame,
                "time_s": end.when.time_ns.map(seconds),
                "orderly": end.is_orderly,
                "cause": end.cause.as_ref().map(|(_, sign)| json!({ "message": sign.message, "frame": sign.when.frame })),
                "words": self.end_words(&end),
                "advice": advice(&end),
            },
        })
    }

    /// How it ended, in one sentence.
    fn end_words(&self, end: &End) -> String {
        let End { how, phase, when, .. } = end;
        let frame = when.frame;
        let phase = self.phase_words(*phase);
        let by = end.by.map_or("no one", Side::name);
        let mut words = match how {
            How::Unseen => format!("not ended: the capture ends in {phase}, frame {frame}"),
            How::Closed(close) => {
                let what = match close {
                    Close::Fin => "closed the connection: FIN",
                    Close::Reset => "reset the connection: RST",
                    Close::Refused => "refused the connection: RST",
                };
                format!("ended by {by} ({what} in {phase}, frame {frame})")
            }
            How::Failed(what) | How::CarError(what) | How::ChargerStatus(what) => {
                format!("ended by {by} ({what} in {phase}, frame {frame})")
            }
            How::CarStop(message) => {
                format!("ended by {by} ({} in {phase}, frame {frame})", stop_words(message))
            }
        };
        if let Some((cause, Sign { message, when, .. })) = end.cause {
            let what = match cause {
                Cause::OutOfOrder => "out of order",
                Cause::WrongSession => "with another session id",
            };
            // Writing to a string cannot fail.
            let _ = write!(words, "; the cause is the car: {message} {what}, frame {}", when.frame);
        }
        words
    }

    /// The phase; of a session that is not decoded what it is.
    fn phase_words(&self, phase: Phase) -> String {
        let is_decoded = matches!(self.protocol, None | Some(Schema::Din));
        match self.protocol {
            Some(protocol) if !is_decoded => {
                format!("a session of {}, which is not decoded", protocol.name())
            }
            _ if self.is_tls => "an encrypted session".into(),
            _ => phase.name().into(),
        }
    }
}

/// One line of advice, where there is something to do.
fn advice(end: &End) -> Option<&'static str> {
    let cause = match (end.cause.map(|(cause, _)| cause), end.how) {
        (Some(Cause::OutOfOrder), _) => session::Cause::OutOfOrder(""),
        (Some(Cause::WrongSession), _) => session::Cause::UnknownSession(""),
        (None, How::Failed(_)) => session::Cause::FailedResponse(""),
        (None, How::CarError(_)) => session::Cause::CarError(0),
        (None, How::ChargerStatus(status)) => {
            session::Cause::ChargerStatus(status.strip_prefix("EVSE_").unwrap_or(status))
        }
        (None, How::Closed(_)) => session::Cause::ConnectionLost(""),
        (None, How::CarStop(_) | How::Unseen) => return None,
    };
    let by = match end.by {
        Some(Side::Car) => By::Car,
        Some(Side::Charger) => By::Charger,
        None => By::Network,
    };
    Some(StopReason::new(by, cause, end.phase).advice())
}

/// The car's ordinary stop.
fn stop_words(message: &'static str) -> &'static str {
    match message {
        "PowerDeliveryReq" => "PowerDelivery(false)",
        other => other,
    }
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Car => "car",
        Side::Charger => "charger",
    }
}

fn how(how: &How) -> &'static str {
    match how {
        How::Failed(what) | How::CarError(what) | How::ChargerStatus(what) => what,
        How::CarStop(message) => stop_words(message),
        How::Closed(Close::Fin) => "FIN",
        How::Closed(Close::Reset) => "RST",
        How::Closed(Close::Refused) => "refused",
        How::Unseen => "capture ends",
    }
}

fn watt_hours(story: &Story) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53 mWh")]
    let milliwatt_hours = story.energy_mwh() as f64;
    milliwatt_hours / 1000.0
}

fn hexadecimal(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    hex::write(bytes, &mut text);
    (!bytes.is_empty()).then_some(text)
}

/// An identifier as text where it is text, else in hexadecimal.
fn id_words(id: &[u8]) -> String {
    let is_text = id.len() > 2 && id.iter().all(u8::is_ascii_graphic);
    if is_text { format!("\"{}\"", id.escape_ascii()) } else { hexadecimal(id).unwrap_or_default() }
}

fn tenths(milli: i32) -> String {
    format!("{:.1}", f64::from(milli) / 1000.0)
}

fn limit_words(limits: &Limits) -> String {
    let mut words =
        format!("at most {} V, {} A", tenths(limits.max_voltage_mv), tenths(limits.max_current_ma));
    if limits.max_power_w > 0 {
        // Writing to a string cannot fail.
        let _ = write!(words, ", {:.1} kW", f64::from(limits.max_power_w) / 1000.0);
    }
    words
}

fn limits(limits: &Limits) -> Value {
    let named = |value: i32, scale: f64| (value != 0).then(|| f64::from(value) / scale);
    json!({
        "max_voltage_v": named(limits.max_voltage_mv, 1000.0),
        "min_voltage_v": named(limits.min_voltage_mv, 1000.0),
        "max_current_a": named(limits.max_current_ma, 1000.0),
        "min_current_a": named(limits.min_current_ma, 1000.0),
        "max_power_w": named(limits.max_power_w, 1.0),
    })
}

fn range(range: &Range, scale: f64) -> Value {
    if range.count == 0 {
        return Value::Null;
    }
    let of = |value: i32| f64::from(value) / scale;
    json!({
        "first": of(range.first),
        "min": of(range.min),
        "max": of(range.max),
        "last": of(range.last),
        "count": range.count,
    })
}

fn duration_s(span: &Span) -> Option<f64> {
    Some(seconds(span.last.time_ns?.saturating_sub(span.first.time_ns?)))
}

fn span_words(span: &Span) -> String {
    match duration_s(span) {
        Some(duration) => format!("{} {duration:.1} s", span.phase),
        None => span.phase.to_string(),
    }
}

fn span(span: &Span) -> Value {
    json!({
        "phase": span.phase.name(),
        "first_frame": span.first.frame,
        "start_s": span.first.time_ns.map(seconds),
        "duration_s": duration_s(span),
        "requests": span.requests,
        "responses": span.responses,
    })
}
