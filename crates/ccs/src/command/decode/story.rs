//! The story of a session in words and as JSON.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::Style;
use listen::packet::Flow;
use listen::story::{Cause, End, How, Pause, Range, Side, Sign, Span};
use listen::{Close, Offer, Story, When};
use serde_json::{Value, json};
use session::{By, Limits, Phase, StopReason};

use super::layout::Width;
use super::notes::seconds;
use crate::decode::{Connection, Pressed, Schema};
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

/// How long a recording goes on after the last frame of a session that has no end, until the link was lost: judgement, no
/// peer waits longer for a message than 60 s, and cars no longer than 5 s.
const LOST_NS: i64 = 10_000_000_000;

/// A log line about the end comes at most this many frames after it: judgement, a message and what its sender logs of it.
const STOP_FRAMES: u64 = 10;

/// A session of a file or of a role, as it is shown when it is over.
pub struct Told {
    /// What is counted: frames, or messages where no frames are known.
    counted: &'static str,
    number: u64,
    first: When,
    last: When,
    flow: Option<Flow>,
    is_tls: bool,
    protocol: Option<Schema>,
    offered: Vec<Offer>,
    answer: Option<&'static str>,
    story: Story,
    /// The stop button, where a log in the capture reports it.
    pressed: Option<Pressed>,
}

impl Told {
    /// The story of a connection whose latest frame was at `last`; `None` where no message was seen and it is not encrypted.
    pub fn of(connection: &Connection<'_>, last: When) -> Option<Self> {
        let Connection { number, first, flow, talk, pressed } = *connection;
        let has_begun = talk.story().messages > 0 || talk.is_tls();
        has_begun.then(|| Self {
            counted: "frame",
            number,
            first,
            last,
            flow,
            is_tls: talk.is_tls(),
            protocol: talk.protocol(),
            offered: talk.offered().to_vec(),
            answer: talk.answer(),
            story: talk.story().clone(),
            pressed: pressed.filter(|pressed| (first.frame..=last.frame).contains(&pressed.when.frame)),
        })
    }

    /// The same of the messages of a role, which has no frames.
    pub fn of_messages(connection: &Connection<'_>, last: When) -> Option<Self> {
        Self::of(connection, last).map(|told| Self { counted: "message", ..told })
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

    /// Some lines for people, the first below the file's or between its messages. `until_ns`: up to when there was something
    /// to hear.
    pub fn write_text(
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

    /// The story in lines. `until_ns`: see [`write_text`](Self::write_text).
    pub fn lines(&self, until_ns: Option<i64>) -> Vec<Line> {
        let Self { counted, number, first, last, story, .. } = self;
        let protocol = self.protocol.map_or("unknown message set", Schema::name);
        let mut head = format!("session {number}: {protocol}, {counted}s {} to {}", first.frame, last.frame);
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
                "{} V to {} V, {} A to {} A, {:.3} kWh{}",
                tenths(voltage.min),
                tenths(voltage.max),
                tenths(current.min),
                tenths(current.max),
                watt_hours(story) / 1000.0,
                rounds_per_s(story).map_or(String::new(), |rounds| format!(", {rounds:.1} rounds/s"))
            )));
        }
        if story.welding_mv.count > 0 {
            let Range { first, last, .. } = story.welding_mv;
            let (first, last) = (tenths(first), tenths(last));
            lines.push(below(format!("welding detection: {first} V at first, {last} V at last")));
        }
        if let Some(Pause { phase, since, length_ns }) = story.longest_pause {
            let others = match story.pauses {
                0 | 1 => String::new(),
                pauses => format!(", the longest of {pauses} silences"),
            };
            let length = seconds(length_ns);
            let since = since.frame;
            lines.push(below(format!("silent for {length:.1} s in {phase} after {counted} {since}{others}")));
        }
        if let Some(Sign { when, message, what, .. }) = story.signs.tolerated {
            let frame = when.frame;
            lines.push(below(format!("{what} in {message}, {counted} {frame}, and the session went on")));
        }
        let spans: Vec<String> = story.phases.iter().map(span_words).collect();
        if !spans.is_empty() {
            lines.push(below(format!("phases: {}", spans.join(", "))));
        }
        let end = story.end();
        let lost = self.lost_s(&end, until_ns);
        lines.push(Line { is_main: true, ..below(self.end_words(&end, lost)) });
        let advice = advice(&end, lost.is_some()).filter(|_| self.pressed_before(&end).is_none());
        lines.extend(advice.map(|advice| below(format!("advice: {advice}"))));
        lines
    }

    /// For how long there was something to hear, in s, after the last frame of a session that has no end.
    fn lost_s(&self, end: &End, until_ns: Option<i64>) -> Option<f64> {
        let silent_ns = until_ns?.saturating_sub(self.story.last?.time_ns?);
        (end.how == How::Unseen && silent_ns > LOST_NS).then(|| seconds(silent_ns))
    }

    /// All of it. `until_ns`: up to when there was something to hear.
    pub fn to_json(&self, until_ns: Option<i64>) -> Value {
        let Self { story, .. } = self;
        let end = story.end();
        let lost = self.lost_s(&end, until_ns);
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
            "end": self.end_json(&end, lost),
        })
    }

    fn end_json(&self, end: &End, lost: Option<f64>) -> Value {
        json!({
            "by": end.by.map(side),
            "how": if lost.is_some() { "link lost" } else { how(&end.how) },
            "phase": end.phase.name(),
            "frame": end.when.frame,
            "time_s": end.when.time_ns.map(seconds),
            "orderly": end.is_orderly,
            "stop_button": self.pressed_before(end).map(|pressed| json!({
                "at": side(pressed.at),
                "frame": pressed.when.frame,
            })),
            "cause": end.cause.as_ref().map(|(cause, sign)| json!({
                "by": side(cause.side()),
                "message": sign.message,
                "frame": sign.when.frame,
                "words": cause_words(*cause, sign, self.counted),
            })),
            "words": self.end_words(end, lost),
            "advice": advice(end, lost.is_some()),
        })
    }

    /// How it ended, in one sentence.
    fn end_words(&self, end: &End, lost_s: Option<f64>) -> String {
        let End { how, phase, when, .. } = end;
        let (counted, frame) = (self.counted, when.frame);
        let phase = self.phase_words(*phase);
        let by = end.by.map_or("no one", Side::name);
        let mut words = match (how, lost_s) {
            (How::Unseen, Some(lost)) => format!(
                "not ended: nothing comes after {counted} {frame} in {phase}, for {lost:.1} s: the link was lost"
            ),
            (How::Unseen, None) if counted == "message" => {
                format!("not ended by a message: the last one is in {phase}, {counted} {frame}")
            }
            (How::Unseen, None) => format!("not ended: the capture ends in {phase}, {counted} {frame}"),
            (How::Closed(close), _) => {
                let what = match close {
                    Close::Fin => "closed the connection: FIN",
                    Close::Reset => "reset the connection: RST",
                    Close::Refused => "refused the connection: RST",
                };
                format!("ended by {by} ({what} in {phase}, {counted} {frame})")
            }
            (How::Failed(what) | How::Refused(what) | How::CarError(what) | How::ChargerStatus(what), _) => {
                format!("ended by {by} ({what} in {phase}, {counted} {frame})")
            }
            (How::CarStop(message), _) => {
                format!("ended by {by} ({} in {phase}, {counted} {frame})", stop_words(message))
            }
        };
        if let Some(Pressed { when, at }) = self.pressed_before(end) {
            // Writing to a string cannot fail.
            let _ = write!(words, "; the stop button was pressed at {}, {counted} {}", at.name(), when.frame);
        }
        if let Some((cause, sign)) = &end.cause {
            // Writing to a string cannot fail.
            let _ = write!(
                words,
                "; the cause is {}: {}",
                cause.side().name(),
                cause_words(*cause, sign, counted)
            );
        }
        words
    }

    /// The stop button, if the log reports it at about the time the session was ended: a line may overtake a message.
    fn pressed_before(&self, end: &End) -> Option<Pressed> {
        self.pressed.filter(|pressed| pressed.when.frame <= end.when.frame + STOP_FRAMES)
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

/// What a side did wrong.
fn cause_words(cause: Cause, sign: &Sign, counted: &str) -> String {
    let Sign { message, when, .. } = sign;
    let frame = when.frame;
    match cause {
        Cause::OutOfOrder(_) => format!("{message} out of order, {counted} {frame}"),
        Cause::WrongSession(_) => format!("{message} with another session id, {counted} {frame}"),
        Cause::Unanswered(ns) => {
            format!("{message}, {counted} {frame}, was not answered for {:.1} s", seconds(ns))
        }
        Cause::Silent(ns) => {
            format!("nothing came after {message}, {counted} {frame}, for {:.1} s", seconds(ns))
        }
        Cause::Unfinished(ns) => {
            format!("{message}, {counted} {frame}, is Ongoing for {:.1} s", seconds(ns))
        }
        Cause::NotReady => format!("{message} is Finished with {}, {counted} {frame}", sign.what),
        Cause::VoltageOff(target, reached) => {
            format!("{message}, {counted} {frame}, reports {} V of {} V", tenths(reached), tenths(target))
        }
    }
}

/// One line of advice, where there is something to do.
fn advice(end: &End, is_lost: bool) -> Option<&'static str> {
    let cause = match (end.cause.map(|(cause, _)| cause), end.how) {
        _ if is_lost => session::Cause::LinkLost,
        (Some(Cause::OutOfOrder(_)), _) => session::Cause::OutOfOrder(""),
        (Some(Cause::WrongSession(_)), _) => session::Cause::UnknownSession(""),
        (Some(Cause::Unanswered(_) | Cause::Silent(_) | Cause::Unfinished(_)), _) => {
            session::Cause::Timeout("")
        }
        (Some(Cause::NotReady), _) => session::Cause::ChargerStatus("NotReady"),
        (Some(Cause::VoltageOff(..)), _) => session::Cause::VoltageOff,
        (None, How::Refused(_)) => session::Cause::NoCommonProtocol,
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
        How::Failed(what) | How::Refused(what) | How::CarError(what) | How::ChargerStatus(what) => what,
        How::CarStop(message) => stop_words(message),
        How::Closed(Close::Fin) => "FIN",
        How::Closed(Close::Reset) => "RST",
        How::Closed(Close::Refused) => "refused",
        How::Unseen => "capture ends",
    }
}

/// Answers of `CurrentDemand` in a second.
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
