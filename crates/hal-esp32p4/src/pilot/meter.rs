use control_pilot::{Level, LevelTracker, Output};
use machine::{Duration, Instant};
use session::Reading;

use super::{Phases, Span};
use crate::{Clock, Counter, Millivolts, Range, Scale};

/// What the last whole window measured, in mV of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voltages {
    /// The high phase, or the steady pilot.
    pub high: Range,
    /// The low phase, while the pilot pulses.
    pub low: Option<Range>,
}

/// The charger's measurement of the pilot.
///
/// The half for the chip reports each rising edge of its own PWM with its time ([`edge`](Self::edge)) - from
/// the timer or from the pad that it drives, never from the wire, which has no edge where it touches earth -
/// and converts when [`next`](Self::next) says so ([`sample`](Self::sample)). A conversion counts only if it
/// lies in the steady part of its phase, timed from the edge. [`WINDOW`](Self::WINDOW) samples of each phase
/// make a reading; `control_pilot` judges both ends of the window:
///
/// * The highest sample of the low phase is the one that the diode check gets.
/// * Where lowest and highest sample of the high phase are one level, that is the reading.
/// * Where they are two of B, C and D, the reading is the one that asks for less: noise never makes a car
///   ready.
/// * Any other two are [`Level::E`]: A would mean that the plug is out, which frees a latch.
///
/// Without edges, without conversions in time, or with an ADC that gives errors there are no new readings;
/// the old one ages, and after 200 ms the role is SAFE. An ADC that gives one value for both phases has no
/// low phase of -12 V: E.
#[derive(Clone, Debug)]
pub struct PilotMeter {
    scale: Scale,
    output: Output,
    /// Samples count from here on: what is driven now is on the wire.
    counts_from: Instant,
    edge: Option<Instant>,
    high: Phase,
    low: Option<Phase>,
    begun: Option<Instant>,
    tracker: LevelTracker,
    reading: Option<Reading<Level>>,
    voltages: Option<Voltages>,
}

/// One phase's samples in the window.
#[derive(Clone, Copy, Debug)]
struct Phase {
    span: Span,
    range: Range,
    /// When the last sample was taken.
    taken: Option<Instant>,
}

impl Phase {
    const fn new(span: Span) -> Self {
        Self { span, range: Range::EMPTY, taken: None }
    }

    const fn is_full(&self) -> bool {
        self.range.count >= PilotMeter::WINDOW
    }

    /// When this phase is to be sampled after the edge at `edge`; `None` if it was, or if that is past.
    fn due(&self, edge: Instant, now: Instant) -> Option<Instant> {
        let is_done = self.taken.is_some_and(|taken| taken >= edge);
        let last = edge + Duration::from_micros(self.span.until_us);
        let at = edge + Duration::from_micros(self.span.sample_us());
        (!is_done && now < last).then_some(at.max(now))
    }
}

impl PilotMeter {
    /// Samples of each phase in one reading: 10, one in each period of 1 ms. A change is seen within 20 ms;
    /// the session then debounces it for 30 ms, of the 60 ms that it has (judgement).
    pub const WINDOW: u16 = 10;
    /// After a change of the output samples do not count for two periods: the PWM takes its new duty at a
    /// period's end.
    const CHANGE: Duration = Duration::from_millis(2);

    /// A pilot that is driven steady, before the first sample.
    pub const fn new(scale: Scale) -> Self {
        Self {
            scale,
            output: Output::Steady,
            counts_from: Instant::ZERO,
            edge: None,
            high: Phase::new(Phases::of(Output::Steady).high),
            low: None,
            begun: None,
            tracker: LevelTracker::new(),
            reading: None,
            voltages: None,
        }
    }

    /// What is driven from now on. The same as before changes nothing.
    pub fn drive(&mut self, now: Instant, output: Output) {
        if output != self.output {
            (self.output, self.counts_from) = (output, now + Self::CHANGE);
            self.clear();
        }
    }

    /// The pilot rose at `at`.
    pub const fn edge(&mut self, at: Instant) {
        self.edge = Some(at);
    }

    /// When to convert next, now at the earliest; `None`: wait for the next edge.
    pub fn next(&self, now: Instant) -> Option<Instant> {
        if now < self.counts_from {
            return Some(self.counts_from).filter(|_| self.low.is_none());
        }
        let Some(low) = self.low else {
            return Some(self.high.taken.map_or(now, |taken| (taken + Phases::PERIOD).max(now)));
        };
        let edge = self.edge?;
        let dues = [self.high.due(edge, now), low.due(edge, now)];
        dues.into_iter().flatten().min()
    }

    /// Converts now and takes the sample; the level, when this made a reading.
    ///
    /// # Errors
    /// The conversion failed; nothing was taken.
    pub fn sample<A: Millivolts, C: Counter>(
        &mut self,
        adc: &mut A,
        clock: &mut Clock<C>,
    ) -> Result<Option<Level>, A::Error> {
        let begun = clock.now();
        let pad_mv = adc.read_mv()?;
        Ok(self.take(begun, clock.now(), pad_mv))
    }

    /// Takes a conversion that ran from `begun` to `done` and gave `pad_mv` at the pad; the level, when this
    /// made a reading.
    pub fn take(&mut self, begun: Instant, done: Instant, pad_mv: i32) -> Option<Level> {
        let wire_mv = self.scale.wire_mv(pad_mv);
        // However old it is: no phase reaches beyond a period. After a conversion's begin it is 0 us away,
        // which is no phase.
        let edge = self.edge;
        let phases = [Some(&mut self.high), self.low.as_mut()];
        let phase = phases.into_iter().flatten().find(|phase| match edge {
            _ if begun < self.counts_from => false,
            _ if phase.span == Span::ALWAYS => true,
            Some(edge) => phase.span.holds(begun.since(edge).as_micros(), done.since(edge).as_micros()),
            None => false,
        })?;
        phase.range.take(wire_mv);
        phase.taken = Some(begun);
        self.begun.get_or_insert(begun);
        let is_full = self.high.is_full() && self.low.is_none_or(|low| low.is_full());
        is_full.then(|| self.judge())
    }

    /// The newest reading, with the time of its first sample.
    pub const fn reading(&self) -> Option<Reading<Level>> {
        self.reading
    }

    /// What it was made of.
    pub const fn voltages(&self) -> Option<Voltages> {
        self.voltages
    }

    fn judge(&mut self) -> Level {
        let voltages = Voltages { high: self.high.range, low: self.low.map(|low| low.range) };
        let low_mv = voltages.low.map(|low| low.max_mv);
        let judged = [voltages.high.min_mv, voltages.high.max_mv].map(|high_mv| {
            let mut tracker = self.tracker;
            tracker.update(high_mv, low_mv);
            tracker
        });
        self.tracker = less(judged);
        let level = self.tracker.level();
        // A window begins with its first sample, so there is one.
        self.reading = self.begun.map(|begun| Reading::new(level, begun));
        self.voltages = Some(voltages);
        self.clear();
        level
    }

    fn clear(&mut self) {
        let phases = Phases::of(self.output);
        let taken = (self.high.taken, self.low.and_then(|low| low.taken));
        self.high = Phase { taken: taken.0, ..Phase::new(phases.high) };
        self.low = phases.low.map(|span| Phase { taken: taken.1, ..Phase::new(span) });
        self.begun = None;
    }
}

/// Of two judgements of one window the one that allows less.
fn less([one, other]: [LevelTracker; 2]) -> LevelTracker {
    let (a, b) = (one.level(), other.level());
    if a == b {
        one
    } else if a.is_plugged() && b.is_plugged() {
        if a.nominal_mv() > b.nominal_mv() { one } else { other }
    } else {
        LevelTracker::new()
    }
}
