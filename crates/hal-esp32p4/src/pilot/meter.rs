use control_pilot::{Level, LevelTracker, Output};
use machine::{Duration, Instant};
use session::Reading;

use super::{Phases, Span};
use crate::{Clock, Counter, Millivolts, Range, Scale};

/// The result of the last complete window, in mV of the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voltages {
    /// The high phase, or the steady pilot.
    pub high: Range,
    /// The low phase, while the pilot pulses.
    pub low: Option<Range>,
}

/// The charger's measurement of the pilot.
///
/// The board reports each rising edge of its own PWM with its time ([`edge`](Self::edge)). The edge is taken
/// from the timer or from the pad that it drives, never from the wire: a wire that touches earth has no edge.
/// The board converts at the time that [`next`](Self::next) returns ([`sample`](Self::sample)). A conversion
/// counts only if it lies in the steady part of its phase, timed from the edge. [`WINDOW`](Self::WINDOW)
/// samples of each phase make a reading; `control_pilot` judges the lowest and the highest sample of the
/// window:
///
/// * The diode check uses the highest sample of the low phase.
/// * If the lowest and the highest sample of the high phase are one level, that is the reading.
/// * If they are two of B, C and D, the reading is the one that permits less: noise never makes a car ready.
/// * Any other two are [`Level::E`]: A would mean that the plug is out, which releases a latch.
///
/// Without edges, without conversions in time, or with an ADC that fails, no new reading comes; the old one
/// ages, and after 200 ms the role is SAFE. An ADC that returns one value for both phases shows no low phase
/// of -12 V: E.
#[derive(Clone, Debug)]
pub struct PilotMeter {
    scale: Scale,
    output: Output,
    /// Earlier samples do not count: the wire may still have the output from before the last change.
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

    /// When this phase is sampled after the edge at `edge`; `None` if it was sampled already, or if the time
    /// is past.
    fn due(&self, edge: Instant, now: Instant) -> Option<Instant> {
        let is_done = self.taken.is_some_and(|taken| taken >= edge);
        let last = edge + Duration::from_micros(self.span.until_us);
        let at = edge + Duration::from_micros(self.span.sample_us());
        (!is_done && now < last).then_some(at.max(now))
    }
}

impl PilotMeter {
    /// Samples of each phase in one reading: 10, one in each period of 1 ms. A change is detected within 20
    /// ms. The session then debounces it for 30 ms, of the 60 ms that it is allowed (judgement).
    pub const WINDOW: u16 = 10;
    /// After a change of the output samples do not count for two periods: the PWM takes its new duty at a
    /// period's end.
    const CHANGE: Duration = Duration::from_millis(2);

    /// A meter for a pilot that is steady, before the first sample.
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

    /// Sets what is driven from `now` on. The same output as before changes nothing.
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

    /// Converts now and adds the sample; returns the level if this completed a reading.
    ///
    /// # Errors
    /// The conversion failed; no sample was added.
    pub fn sample<A: Millivolts, C: Counter>(
        &mut self,
        adc: &mut A,
        clock: &mut Clock<C>,
    ) -> Result<Option<Level>, A::Error> {
        let begun = clock.now();
        let pad_mv = adc.read_mv()?;
        Ok(self.take(begun, clock.now(), pad_mv))
    }

    /// Adds a conversion that ran from `begun` to `done` and measured `pad_mv` at the pad; returns the level
    /// if this completed a reading.
    pub fn take(&mut self, begun: Instant, done: Instant, pad_mv: i32) -> Option<Level> {
        let wire_mv = self.scale.wire_mv(pad_mv);
        // An old edge does no harm: no phase reaches beyond a period. An edge after the start of the
        // conversion counts as 0 us before it, where no phase is.
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

    /// The newest reading, with the time of its first sample; `None` before the first.
    pub const fn reading(&self) -> Option<Reading<Level>> {
        self.reading
    }

    /// The voltages of the newest reading.
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
        // A window begins with its first sample, so that `begun` is present.
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

/// The more restrictive of two judgements of one window.
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
