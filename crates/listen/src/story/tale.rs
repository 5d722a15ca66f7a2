//! The text of a session's story, line by line.

use core::fmt;

use session::{By, Limits, Phase, StopReason};

use super::{Cause, End, How, Pause, Range, Side, Sign, Span, Story};
use crate::{Close, Schema, Talk, When};

/// Time after the last frame of a session without an end from which the link counts as lost: judgement, no
/// peer waits longer than 60 s for a message, and cars not longer than 5 s.
pub const LOST_NS: i64 = 10_000_000_000;

/// A log line about the end follows at most this many frames after it: judgement, one message and its
/// sender's log line.
const STOP_FRAMES: u64 = 10;

const NS_PER_S: i64 = 1_000_000_000;

/// A session and what its text needs.
#[derive(Clone, Copy, Debug)]
pub struct Tale<'t> {
    /// What the numbers count: `frame`, or `message` where the source has no frames.
    pub counted: &'static str,
    /// Number of the session, from 1 on.
    pub number: u64,
    /// The connection's first frame.
    pub first: When,
    /// The connection's latest frame.
    pub last: When,
    /// State of the connection.
    pub talk: &'t Talk,
    /// Which side's stop button was pressed, and when, according to a log line.
    pub pressed: Option<(Side, When)>,
    /// Time up to which the observer received frames, in ns.
    pub until_ns: Option<i64>,
}

/// Kind of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Heading.
    Head,
    /// Detail below the heading.
    Detail,
    /// How the session ended.
    End,
}

/// Receives the lines.
pub type OnLine<'l> = dyn FnMut(Part, fmt::Arguments<'_>) + 'l;

impl Tale<'_> {
    /// Writes the lines, the heading first.
    pub fn tell(&self, line: &mut OnLine<'_>) {
        let story = self.talk.story();
        line(Part::Head, format_args!("{}", Heading(self)));
        for (who, id, limits) in [
            ("car", &story.evcc_id[..], story.car_limits),
            ("charger", &story.evse_id[..], story.charger_limits),
        ] {
            match limits {
                Some(limits) => line(Part::Detail, format_args!("{who} {}, {}", Id(id), Most(limits))),
                None if id.is_empty() => {}
                None => line(Part::Detail, format_args!("{who} {}", Id(id))),
            }
        }
        self.values(line);
        if let Some(Pause { phase, since, length_ns }) = story.longest_pause {
            let (length, counted, since) = (Seconds(length_ns), self.counted, since.frame);
            match story.pauses {
                0 | 1 => {
                    line(
                        Part::Detail,
                        format_args!("silent for {length} in {phase} after {counted} {since}"),
                    );
                }
                pauses => line(
                    Part::Detail,
                    format_args!(
                        "silent for {length} in {phase} after {counted} {since}, the longest of {pauses} silences"
                    ),
                ),
            }
        }
        if let Some(Sign { when, message, what, .. }) = story.signs.tolerated {
            let (counted, frame) = (self.counted, when.frame);
            line(
                Part::Detail,
                format_args!("{what} in {message}, {counted} {frame}, and the session went on"),
            );
        }
        if !story.phases.is_empty() {
            line(Part::Detail, format_args!("phases: {}", Phases(&story.phases)));
        }
        line(Part::End, format_args!("{}", self.ending()));
        if let Some(advice) = self.advice().filter(|_| self.pressed_before().is_none()) {
            line(Part::Detail, format_args!("advice: {advice}"));
        }
    }

    fn values(&self, line: &mut OnLine<'_>) {
        let story = self.talk.story();
        if story.soc_percent.count > 0 {
            let Range { first, last, .. } = story.soc_percent;
            line(Part::Detail, format_args!("SoC {first} % to {last} %"));
        }
        if let Some((target, reached)) = story.precharge_mv {
            let (target, reached) = (Tenths(target), Tenths(reached));
            line(Part::Detail, format_args!("precharge: target {target} V, reached {reached} V"));
        }
        if story.present_ma.count > 0 {
            line(Part::Detail, format_args!("{}", Delivered(story)));
        }
        if story.welding_mv.count > 0 {
            let Range { first, last, .. } = story.welding_mv;
            let (first, last) = (Tenths(first), Tenths(last));
            line(Part::Detail, format_args!("welding detection: {first} V at first, {last} V at last"));
        }
    }

    /// How the session ended.
    pub fn end(&self) -> End {
        self.talk.story().end()
    }

    /// How long the observer still received other frames after the last frame of a session without an end, in
    /// ns.
    pub fn lost_ns(&self) -> Option<i64> {
        let silent_ns = self.until_ns?.saturating_sub(self.talk.story().last?.time_ns?);
        (self.end().how == How::Unseen && silent_ns > LOST_NS).then_some(silent_ns)
    }

    /// How it ended, in one sentence.
    pub fn ending(&self) -> impl fmt::Display {
        Ending(self, self.end())
    }

    /// A deviation of a side as text.
    pub fn cause(&self, cause: Cause, sign: Sign) -> impl fmt::Display + use<> {
        Wrong { cause, sign, counted: self.counted }
    }

    /// One line of advice; `None` where nothing can be done.
    pub fn advice(&self) -> Option<&'static str> {
        advice(&self.end(), self.lost_ns().is_some())
    }

    /// The stop button, if the log reports its press near the time of the end: a log line may precede its
    /// message.
    pub fn pressed_before(&self) -> Option<(Side, When)> {
        self.pressed.filter(|(_, when)| when.frame <= self.end().when.frame + STOP_FRAMES)
    }
}

struct Heading<'t>(&'t Tale<'t>);

impl fmt::Display for Heading<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tale { counted, number, first, last, talk, .. } = self.0;
        let protocol = talk.protocol().map_or("unknown message set", Schema::name);
        write!(f, "session {number}: {protocol}, {counted}s {} to {}", first.frame, last.frame)?;
        match first.until(*last) {
            Some(length) => write!(f, ", {}", Seconds(length)),
            None => Ok(()),
        }
    }
}

struct Delivered<'s>(&'s Story);

impl fmt::Display for Delivered<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Story { present_mv: voltage, present_ma: current, .. } = self.0;
        let (least, most) = (Tenths(voltage.min), Tenths(voltage.max));
        write!(f, "{least} V to {most} V, {} A to {} A, ", Tenths(current.min), Tenths(current.max))?;
        write!(f, "{} kWh", Rounded { value: self.0.energy_mwh(), unit: 1_000, places: 3 })?;
        let span = self.0.phases.iter().find(|span| span.phase == Phase::ChargeLoop);
        let Some((span, unit)) = span.and_then(|span| Some((span, span.length_ns()?))) else { return Ok(()) };
        if unit <= 0 {
            return Ok(());
        }
        let value = i64::from(span.responses).saturating_mul(10 * NS_PER_S);
        write!(f, ", {} rounds/s", Rounded { value, unit, places: 1 })
    }
}

struct Phases<'s>(&'s [Span]);

impl fmt::Display for Phases<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, span) in self.0.iter().enumerate() {
            write!(f, "{}{}", if index == 0 { "" } else { ", " }, span.phase)?;
            if let Some(length) = span.length_ns() {
                write!(f, " {}", Seconds(length))?;
            }
        }
        Ok(())
    }
}

struct Ending<'t>(&'t Tale<'t>, End);

impl fmt::Display for Ending<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(tale, End { by, how, phase, when, cause, .. }) = self;
        let (counted, frame) = (tale.counted, when.frame);
        let (by, phase) = (by.map_or("no one", Side::name), Reached(tale, *phase));
        match (how, tale.lost_ns()) {
            (How::Unseen, Some(lost)) => write!(
                f,
                "not ended: nothing comes after {counted} {frame} in {phase}, for {}: the link was lost",
                Seconds(lost)
            )?,
            (How::Unseen, None) if counted == "message" => {
                write!(f, "not ended by a message: the last one is in {phase}, {counted} {frame}")?;
            }
            (How::Unseen, None) => write!(f, "not ended: the capture ends in {phase}, {counted} {frame}")?,
            (how, _) => write!(f, "ended by {by} ({} in {phase}, {counted} {frame})", Said(*how))?,
        }
        if let Some((at, when)) = tale.pressed_before() {
            write!(f, "; the stop button was pressed at {}, {counted} {}", at.name(), when.frame)?;
        }
        match cause {
            Some((cause, sign)) => {
                write!(f, "; the cause is {}: {}", cause.side().name(), tale.cause(*cause, *sign))
            }
            None => Ok(()),
        }
    }
}

/// Writes the phase; of a session that was not decoded, its state.
struct Reached<'t>(&'t Tale<'t>, Phase);

impl fmt::Display for Reached<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let talk = self.0.talk;
        match talk.protocol().filter(|protocol| *protocol != Schema::Din) {
            Some(protocol) => write!(f, "a session of {}, which is not decoded", protocol.name()),
            None if talk.is_tls() => f.write_str("an encrypted session"),
            None => f.write_str(self.1.name()),
        }
    }
}

/// Writes what ended a session.
struct Said(How);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            How::Closed(Close::Fin) => "closed the connection: FIN",
            How::Closed(Close::Reset) => "reset the connection: RST",
            How::Closed(Close::Refused) => "refused the connection: RST",
            how => how.word(),
        })
    }
}

struct Wrong {
    cause: Cause,
    sign: Sign,
    counted: &'static str,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cause, sign: Sign { message, when, what, .. }, counted } = self;
        let frame = when.frame;
        match *cause {
            Cause::OutOfOrder(_) => write!(f, "{message} out of order, {counted} {frame}"),
            Cause::WrongSession(_) => write!(f, "{message} with another session id, {counted} {frame}"),
            Cause::Unanswered(ns) => {
                write!(f, "{message}, {counted} {frame}, was not answered for {}", Seconds(ns))
            }
            Cause::Silent(ns) => {
                write!(f, "nothing came after {message}, {counted} {frame}, for {}", Seconds(ns))
            }
            Cause::Unfinished(ns) => {
                write!(f, "{message}, {counted} {frame}, is Ongoing for {}", Seconds(ns))
            }
            Cause::NotReady => write!(f, "{message} is Finished with {what}, {counted} {frame}"),
            Cause::VoltageOff(target, reached) => {
                let (target, reached) = (Tenths(target), Tenths(reached));
                write!(f, "{message}, {counted} {frame}, reports {reached} V of {target} V")
            }
        }
    }
}

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

/// Writes an identifier as text if it is printable, else in hexadecimal.
struct Id<'i>(&'i [u8]);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() > 2 && self.0.iter().all(u8::is_ascii_graphic) {
            return write!(f, "\"{}\"", self.0.escape_ascii());
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

struct Most(Limits);

impl fmt::Display for Most {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limits { max_voltage_mv, max_current_ma, max_power_w, .. } = self.0;
        write!(f, "at most {} V, {} A", Tenths(max_voltage_mv), Tenths(max_current_ma))?;
        if max_power_w > 0 {
            write!(f, ", {} kW", Tenths(max_power_w))?;
        }
        Ok(())
    }
}

/// Writes thousandths with one decimal.
struct Tenths(i32);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Rounded { value: self.0.into(), unit: 100, places: 1 }.fmt(f)
    }
}

/// Writes nanoseconds as seconds with one decimal.
struct Seconds(i64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", Rounded { value: self.0, unit: NS_PER_S / 10, places: 1 })
    }
}

/// Writes `value / unit` with `places` decimals; a half is rounded away from zero.
struct Rounded {
    value: i64,
    unit: i64,
    places: u32,
}

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.unit.unsigned_abs().max(1);
        let rounded = (self.value.unsigned_abs() + unit / 2) / unit;
        let one = 10_u64.pow(self.places);
        let (sign, places) = (if self.value < 0 { "-" } else { "" }, self.places as usize);
        write!(f, "{sign}{}.{:0places$}", rounded / one, rounded % one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn values_are_rounded_to_their_places() {
        for (value, unit, places, shown) in [
            (355_249, 100, 1, "355.2"),
            (355_250, 100, 1, "355.3"),
            (-49, 100, 1, "-0.0"),
            (-50, 100, 1, "-0.1"),
            (1_499, 1_000, 3, "0.001"),
            (12_345_678, 1_000, 3, "12.346"),
            (7, 0, 1, "0.7"),
        ] {
            assert_eq!(Rounded { value, unit, places }.to_string(), shown);
        }
        assert_eq!(Seconds(1_949_999_999).to_string(), "1.9 s");
    }

    #[test]
    fn an_identifier_is_text_where_it_can_be_read() {
        for (id, shown) in [(&b"DE*ABC"[..], "\"DE*ABC\""), (b"AB", "4142"), (&[0, 0xFF, 1, 2], "00ff0102")] {
            assert_eq!(Id(id).to_string(), shown);
        }
    }
}
