//! The story of a session as text and as JSON.

use std::io::{self, Write};

use anstyle::Style;
use listen::packet::Flow;
use listen::story::{Part, Range, Side, Span, Tale};
use listen::{Offer, Story, Talk, When};
use serde_json::{Value, json};
use session::{Limits, Phase};

use super::layout::Width;
use super::notes::seconds;
use crate::decode::{Connection, Pressed, Schema};
use crate::hex;
use crate::style::{self, Palette};

/// A line of a story.
pub(crate) struct Line {
    /// Depth of indentation; 0 is the heading.
    pub depth: usize,
    /// Whether it is the heading, or how the session ended.
    pub is_main: bool,
    pub words: String,
}

/// A finished session of a file or a role.
pub(crate) struct Told {
    /// What the numbers count: frames, or messages where the source has no frames.
    counted: &'static str,
    number: u64,
    first: When,
    last: When,
    flow: Option<Flow>,
    talk: Talk,
    /// The stop button, if a log in the capture reports it.
    pressed: Option<Pressed>,
}

impl Told {
    /// The story of a connection whose latest frame was at `last`; `None` if it has no message and is not
    /// encrypted.
    pub(crate) fn of(connection: &Connection<'_>, last: When) -> Option<Self> {
        let Connection { number, first, flow, talk, pressed } = *connection;
        let has_begun = talk.story().messages > 0 || talk.is_tls();
        has_begun.then(|| Self {
            counted: "frame",
            number,
            first,
            last,
            flow,
            talk: talk.clone(),
            pressed: pressed.filter(|pressed| (first.frame..=last.frame).contains(&pressed.when.frame)),
        })
    }

    /// As [`of`](Self::of), for the messages of a role, which have no frame numbers.
    pub(crate) fn of_messages(connection: &Connection<'_>, last: When) -> Option<Self> {
        Self::of(connection, last).map(|told| Self { counted: "message", ..told })
    }

    /// Whether the story adds anything: a handshake without error is complete with its two messages.
    pub(crate) fn has_more(&self) -> bool {
        let is_refused = self.talk.answer().is_some_and(|answer| answer.starts_with("Failed"));
        let has_begun = self.talk.story().phases.iter().any(|span| span.phase > Phase::Handshake);
        self.talk.is_tls()
            || has_begun
            || is_refused
            || self.talk.protocol().is_some_and(|protocol| protocol != Schema::Din)
    }

    /// The story as text; `until_ns` is the time up to which the observer received frames.
    fn tale(&self, until_ns: Option<i64>) -> Tale<'_> {
        let &Self { counted, number, first, last, ref talk, pressed, .. } = self;
        let pressed = pressed.map(|Pressed { when, at }| (at, when));
        Tale { counted, number, first, last, talk, pressed, until_ns }
    }

    /// Writes the story as indented lines. `until_ns` is the time up to which the observer received frames.
    pub(crate) fn write_text(
        &self,
        until_ns: Option<i64>,
        palette: Palette,
        width: Width,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for Line { depth, is_main, words } in self.lines(until_ns) {
            let style = palette.with(if is_main { style::END } else { Style::new() });
            let indent = 2 + 2 * depth;
            width.write(&format!("{:indent$}{style}{words}{style:#}", ""), indent + 2, out)?;
        }
        Ok(())
    }

    /// The lines of the story. `until_ns`: see [`write_text`](Self::write_text).
    pub(crate) fn lines(&self, until_ns: Option<i64>) -> Vec<Line> {
        let mut lines = Vec::new();
        self.tale(until_ns).tell(&mut |part, words| {
            let depth = usize::from(part != Part::Head);
            lines.push(Line { depth, is_main: part != Part::Detail, words: words.to_string() });
        });
        lines
    }

    /// The story as JSON. `until_ns`: see [`write_text`](Self::write_text).
    pub(crate) fn to_json(&self, until_ns: Option<i64>) -> Value {
        let (talk, story) = (&self.talk, self.talk.story());
        let address = |end: listen::packet::Endpoint| format!("[{}]:{}", end.address, end.port);
        let offered: Value = talk
            .offered()
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
            "encrypted": talk.is_tls(),
            "protocol": talk.protocol().map(Schema::name),
            "offered": offered,
            "handshake_answer": talk.answer(),
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
            "rounds_per_s": rounds_per_s(story),
            "welding_voltage_v": range(&story.welding_mv, 1000.0),
            "silences": story.silences,
            "pauses": story.pauses,
            "tolerated": story.signs.tolerated.map(|sign| json!({ "code": sign.what, "frame": sign.when.frame })),
            "longest_pause": story.longest_pause.map(|pause| json!({
                "phase": pause.phase.name(),
                "frame": pause.since.frame,
                "duration_s": seconds(pause.length_ns),
            })),
            "phases": story.phases.iter().map(span).collect::<Value>(),
            "end": end(&self.tale(until_ns)),
        })
    }
}

fn end(tale: &Tale<'_>) -> Value {
    let end = tale.end();
    json!({
        "by": end.by.map(side),
        "how": if tale.lost_ns().is_some() { "link lost" } else { end.how.word() },
        "phase": end.phase.name(),
        "frame": end.when.frame,
        "time_s": end.when.time_ns.map(seconds),
        "orderly": end.is_orderly,
        "stop_button": tale.pressed_before().map(|(at, when)| json!({ "at": side(at), "frame": when.frame })),
        "cause": end.cause.map(|(cause, sign)| json!({
            "by": side(cause.side()),
            "message": sign.message,
            "frame": sign.when.frame,
            "words": tale.cause(cause, sign).to_string(),
        })),
        "words": tale.ending().to_string(),
        "advice": tale.advice(),
    })
}

fn side(side: Side) -> &'static str {
    match side {
        Side::Car => "car",
        Side::Charger => "charger",
    }
}

/// Responses of `CurrentDemand` per second.
fn rounds_per_s(story: &Story) -> Option<f64> {
    let span = story.phases.iter().find(|span| span.phase == Phase::ChargeLoop)?;
    let duration = duration_s(span).filter(|duration| *duration > 0.0)?;
    Some(f64::from(span.responses) / duration)
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
    span.length_ns().map(seconds)
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
