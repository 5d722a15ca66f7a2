//! The expectations of a script.

use machine::{Duration, Instant};
use session::{Cause, StopReason};

use super::injector::FaultInjector;
use super::setup::{CHARGER, port};
use super::words::Form;
use crate::World;
use crate::plant::{Occurrence, Side, Truth};
use crate::trace::Kind;

/// An expectation. Times `within` count from the first step that took effect, other than plugging in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A side stops, reports this cause first, and does so within this time.
    Stops(Side, String, Option<Duration>),
    /// No side stops.
    NobodyStops,
    /// A side has no current and open contactors within this time.
    Safe(Side, Duration),
    /// Current flows at the end of the script.
    Charging,
    /// The session ends normally at both sides.
    Finishes,
    /// At least this energy is transferred, in mWh.
    Energy(i64),
    /// No energy is transferred.
    NoEnergy,
    /// After the first step the voltage on the cable never exceeds this, in mV.
    VoltageBelow(i64),
    /// After the first step the current never exceeds this, in mA.
    CurrentBelow(i64),
    /// A side's contactors never close.
    NeverCloses(Side),
    /// A side reports this so that the count is in the range.
    Told(Side, String, u32, u32),
    /// A side sends this message or frame so that the count is in the range.
    Says(Side, String, u32, u32),
    /// A side sends a message in which this field has this value.
    Field(Side, String, String, String),
    /// A side never sends such a message.
    NeverField(Side, String, String, String),
    /// A side sends these messages in this order, each directly after the one before or its repetitions.
    Sequence(Side, Vec<String>),
    /// A side's lock is closed at the end.
    Locked(Side),
    /// A side's lock is open within this time after the side was SAFE.
    Unlocked(Side, Duration),
    /// The voltage on the cable is at most 60 V within this time.
    Dead(Duration),
    /// After all faults are repaired and the plug was pulled and inserted again, current flows.
    Recovers,
}

/// The forms of `expect` lines.
#[rustfmt::skip] // a table reads best with one row a line
pub(super) const FORMS: &[Form<Expect>] = &[
    Form { words: "WHO stops WORD", make: |a| Expect::Stops(a.who(), a.word(0), None) },
    Form { words: "WHO stops WORD within TIME", make: |a| Expect::Stops(a.who(), a.word(0), Some(a.time())) },
    Form { words: "nobody stops", make: |_| Expect::NobodyStops },
    Form { words: "WHO safe within TIME", make: |a| Expect::Safe(a.who(), a.time()) },
    Form { words: "charging", make: |_| Expect::Charging },
    Form { words: "finishes", make: |_| Expect::Finishes },
    Form { words: "energy N Wh", make: |a| Expect::Energy(a.number(0) * 1000) },
    Form { words: "no energy", make: |_| Expect::NoEnergy },
    Form { words: "voltage below VALUE", make: |a| Expect::VoltageBelow(a.number(0)) },
    Form { words: "current below VALUE", make: |a| Expect::CurrentBelow(a.number(0)) },
    Form { words: "WHO never closes", make: |a| Expect::NeverCloses(a.who()) },
    Form { words: "WHO tells WORD", make: |a| Expect::Told(a.who(), a.word(0), 1, u32::MAX) },
    Form { words: "WHO tells WORD RANGE", make: |a| Expect::Told(a.who(), a.word(0), a.range().0, a.range().1) },
    Form { words: "WHO never tells WORD", make: |a| Expect::Told(a.who(), a.word(0), 0, 0) },
    Form { words: "WHO says WORD RANGE", make: |a| Expect::Says(a.who(), a.word(0), a.range().0, a.range().1) },
    Form { words: "WHO never says WORD", make: |a| Expect::Says(a.who(), a.word(0), 0, 0) },
    Form { words: "WHO says WORD with WORD WORD", make: |a| Expect::Field(a.who(), a.word(0), a.word(1), a.word(2)) },
    Form { words: "WHO never says WORD with WORD WORD", make: |a| Expect::NeverField(a.who(), a.word(0), a.word(1), a.word(2)) },
    Form { words: "WHO says in order REST", make: |a| Expect::Sequence(a.who(), a.word(0).split(' ').map(str::to_owned).collect()) },
    Form { words: "WHO locked", make: |a| Expect::Locked(a.who()) },
    Form { words: "WHO unlocked within TIME", make: |a| Expect::Unlocked(a.who(), a.time()) },
    Form { words: "dead within TIME", make: |a| Expect::Dead(a.time()) },
    Form { words: "recovers", make: |_| Expect::Recovers },
];

/// State that is recorded while a world runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    last: Option<(Instant, Truth)>,
    /// Energy into the car in mW s; negative is out of the car.
    energy: f64,
    /// Time of the first step that took effect.
    pub(super) fault: Option<Instant>,
    /// When each side was SAFE first after that.
    safe: [Option<Instant>; 2],
    /// When each side's lock was open first after that.
    unlocked: [Option<Instant>; 2],
    /// When the cable was dead first after that.
    dead: Option<Instant>,
    most_mv: i32,
    most_ma: i32,
    /// The physical state at the end of the script's own time.
    end: Option<Truth>,
    /// Current flowed again after the plug was inserted again.
    recovered: bool,
}

/// Current in mA below which none counts as flowing: as for opening contactors.
const NOTHING_MA: i32 = 1_000;
/// Voltage up to which a cable is dead, in mV.
const DEAD_MV: i32 = session::DEAD_MV;

impl Tally {
    /// Records the physical state after a step.
    pub(super) fn watch(&mut self, now: Instant, truth: Truth) {
        if let Some((then, before)) = self.last.filter(|_| self.end.is_none()) {
            let seconds = f64::from(u32::try_from(now.since(then).as_micros()).unwrap_or(0)) / 1e6;
            self.energy += f64::from(before.inlet_mv) * f64::from(before.current_ma) / 1e3 * seconds;
        }
        self.last = Some((now, truth));
        if self.fault.is_none() || self.end.is_some() {
            return;
        }
        self.most_mv = self.most_mv.max(truth.cable_mv);
        self.most_ma = self.most_ma.max(truth.current_ma);
        let is_quiet = truth.current_ma < NOTHING_MA;
        let safe = [is_quiet && !truth.charger_closed, is_quiet && !truth.car_closed];
        let open = [!truth.charger_locked, !truth.car_locked];
        for (index, (first, is_safe)) in self.safe.iter_mut().zip(safe).enumerate() {
            if is_safe {
                first.get_or_insert(now);
            }
            let is_open = first.is_some() && open.get(index).copied().unwrap_or(false);
            if let Some(unlocked) = self.unlocked.get_mut(index).filter(|_| is_open) {
                unlocked.get_or_insert(now);
            }
        }
        if truth.cable_mv.max(truth.inlet_mv) <= DEAD_MV && self.safe.iter().all(Option::is_some) {
            self.dead.get_or_insert(now);
        }
    }

    pub(super) fn finish(&mut self) {
        self.end = self.last.map(|(_, truth)| truth);
    }

    pub(super) const fn recover(&mut self) {
        self.recovered = true;
    }

    /// Whether current flows now.
    pub(super) fn flows(&self) -> bool {
        self.last.is_some_and(|(_, truth)| truth.current_ma >= NOTHING_MA && truth.car_closed)
    }

    fn watt_hours(&self) -> f64 {
        self.energy / 3_600_000.0
    }
}

impl Expect {
    /// Whether the expectation was met, and what was observed.
    #[expect(clippy::too_many_lines, reason = "one arm for each of them")]
    pub(super) fn judge(
        &self,
        world: &World<FaultInjector<'_>>,
        tally: &Tally,
        until: Instant,
    ) -> (bool, String) {
        let told = |side: Side| {
            let name = world.name(port(side)).to_owned();
            let entries = world.trace().entries().iter();
            entries.filter(move |entry| entry.kind == Kind::Told && entry.who == name && entry.at <= until)
        };
        let late = |at: Instant| tally.fault.map_or_else(|| at.since(Instant::ZERO), |fault| at.since(fault));
        let said = |side: Side| {
            let said = world.node(port(side)).map(FaultInjector::said).unwrap_or_default().iter();
            said.filter(|said| said.at <= until)
        };
        let stop = |side: Side| -> Option<(Instant, StopReason)> {
            let stops = world.node(port(side))?.program.stops();
            stops.first().filter(|(at, _)| *at <= until).copied()
        };
        let millis = |time: Duration| format!("{} ms", time.as_millis());
        let of =
            |[charger, car]: [Option<Instant>; 2], side| if side == Side::Charger { charger } else { car };
        let in_time = |at: Option<Instant>, limit: Duration| {
            let seen = at.map_or_else(|| "never".to_owned(), |at| format!("after {}", millis(late(at))));
            (at.is_some_and(|at| late(at) <= limit), seen)
        };
        match self {
            Self::Stops(side, cause, limit) => {
                let Some((at, reason)) = stop(*side) else {
                    return (false, "it did not stop".to_owned());
                };
                let found = words_of(reason.cause);
                let is_cause = [found.as_str(), reason.cause.name()].contains(&cause.as_str());
                let in_time = limit.is_none_or(|limit| late(at) <= limit);
                (is_cause && in_time, format!("{found} after {}", millis(late(at))))
            }
            Self::NobodyStops => {
                let first = [Side::Charger, Side::Car].into_iter().filter_map(stop).min_by_key(|(at, _)| *at);
                (first.is_none(), first.map_or_else(String::new, |(_, reason)| words_of(reason.cause)))
            }
            Self::Safe(side, limit) => in_time(of(tally.safe, *side), *limit),
            Self::Charging => {
                let amps = tally.end.map_or(0, |truth| truth.current_ma);
                (amps >= NOTHING_MA, format!("{amps} mA at the end"))
            }
            Self::Finishes => {
                let causes =
                    [Side::Charger, Side::Car].map(|side| stop(side).map(|(_, reason)| reason.cause));
                let has_finished = causes.iter().all(|cause| *cause == Some(Cause::Finished));
                let [charger, car] = causes.map(|cause| cause.map_or_else(|| "went on".to_owned(), words_of));
                (has_finished, format!("charger {charger}, car {car}"))
            }
            #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
            Self::Energy(least) => {
                let seen = tally.watt_hours();
                (seen * 1000.0 >= *least as f64, format!("{seen:.1} Wh"))
            }
            Self::NoEnergy => (tally.watt_hours() < 0.01, format!("{:.3} Wh", tally.watt_hours())),
            Self::VoltageBelow(most) => (i64::from(tally.most_mv) < *most, format!("{} mV", tally.most_mv)),
            Self::CurrentBelow(most) => (i64::from(tally.most_ma) < *most, format!("{} mA", tally.most_ma)),
            Self::NeverCloses(side) => {
                let bench = world.bench(CHARGER);
                let mut occurrences = bench.map(crate::plant::Bench::occurrences).unwrap_or_default().iter();
                let closed = occurrences.find(|(at, what)| {
                    *at <= until && matches!(what, Occurrence::Closed { side: closed, is_commanded: true, .. } if closed == side)
                });
                (
                    closed.is_none(),
                    closed.map_or_else(String::new, |(at, _)| format!("closed at {} ms", at.as_millis())),
                )
            }
            Self::Told(side, words, least, most) => {
                let count =
                    told(*side).filter(|entry| entry.what.replace('"', "").contains(words.as_str())).count();
                count_is(count, *least, *most)
            }
            Self::Says(side, name, least, most) => {
                let frames = world.node(port(*side)).map(FaultInjector::frames).unwrap_or_default();
                let frames = frames.iter().filter(|(at, frame)| *at <= until && frame == name).count();
                count_is(
                    frames + said(*side).filter(|said| said.message.name() == name).count(),
                    *least,
                    *most,
                )
            }
            Self::Field(side, name, path, value) | Self::NeverField(side, name, path, value) => {
                let mut seen: Vec<String> = Vec::new();
                let mut found = false;
                for said in said(*side).filter(|said| said.message.name() == name) {
                    found |= said.message.is_at(path, value);
                    let text =
                        said.message.get(path).map_or_else(|| "absent".to_owned(), ToString::to_string);
                    if !seen.contains(&text) {
                        seen.push(text);
                    }
                }
                let wanted = matches!(self, Self::Field(..));
                (found == wanted, seen.iter().take(8).cloned().collect::<Vec<_>>().join(", "))
            }
            Self::Sequence(side, names) => {
                let mut all: Vec<&str> = said(*side).map(|said| said.message.name()).collect();
                all.dedup();
                let is_there =
                    all.windows(names.len()).any(|window| window.iter().zip(names).all(|(a, b)| a == b));
                (is_there, all.join(" "))
            }
            Self::Locked(side) => {
                let is_locked = tally.end.is_some_and(|truth| match side {
                    Side::Charger => truth.charger_locked,
                    Side::Car => truth.car_locked,
                });
                (is_locked, if is_locked { "locked" } else { "open" }.to_owned())
            }
            Self::Unlocked(side, limit) => in_time(of(tally.unlocked, *side), *limit),
            Self::Dead(limit) => in_time(tally.dead, *limit),
            Self::Recovers => {
                (tally.recovered, if tally.recovered { "current flows" } else { "no current" }.to_owned())
            }
        }
    }
}

fn count_is(count: usize, least: u32, most: u32) -> (bool, String) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    ((least..=most).contains(&count), format!("{count} times"))
}

/// A cause in the words of a script: its name and, in brackets, its detail without spaces.
pub(super) fn words_of(cause: Cause) -> String {
    let about = match cause {
        Cause::CarError(code) => Some(code.to_string()),
        cause => cause.subject().map(|subject| subject.replace(' ', "")),
    };
    about.map_or_else(|| cause.name().to_owned(), |about| format!("{}({about})", cause.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_in_the_words_of_a_script_has_no_spaces() {
        assert_eq!(words_of(Cause::Timeout("ready to charge")), "Timeout(readytocharge)");
        assert_eq!(words_of(Cause::CarError(4)), "CarError(4)");
        assert_eq!(words_of(Cause::OverCurrent), "OverCurrent");
    }
}
