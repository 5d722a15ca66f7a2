use control_pilot::Output;
use machine::Duration;

/// A span of time after the pilot's rising edge in which a sample counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Begin, in us after the edge.
    pub from_us: u64,
    /// End, in us after the edge: the conversion must be complete by then.
    pub until_us: u64,
}

impl Span {
    /// Any time, for a steady pilot.
    pub const ALWAYS: Self = Self { from_us: 0, until_us: u64::MAX };

    /// Whether a conversion from `begun_us` to `done_us` is inside the span.
    pub const fn holds(self, begun_us: u64, done_us: u64) -> bool {
        self.from_us <= begun_us && begun_us <= done_us && done_us <= self.until_us
    }

    /// When to start the conversion, in us after the edge: after a quarter of the span, so that a late start
    /// still fits.
    pub const fn sample_us(self) -> u64 {
        self.from_us + (self.until_us - self.from_us) / 4
    }
}

/// When the pilot is sampled for a given output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// The high phase; the whole time while the pilot is steady, at whatever level.
    pub high: Span,
    /// The low phase; `None` for a steady pilot.
    pub low: Option<Span>,
}

impl Phases {
    /// The pilot's period: 1 ms.
    pub const PERIOD: Duration = Duration::from_millis(1);
    /// Time from an edge until the voltage is steady: 20 us (judgement: driver, 1 kOhm with the cable and the
    /// modem's coupling of about 1 nF, and the ADC's own capacitor).
    pub const SETTLE_US: u64 = 20;
    /// Time from the end of a conversion to the next edge, at least: 5 us (judgement: jitter of the edge's
    /// time stamp).
    pub const GUARD_US: u64 = 5;

    /// The phases of an output. At 5 % the high phase is 50 us long: a sample counts from 20 us to 45 us
    /// after the edge.
    pub const fn of(output: Output) -> Self {
        match output {
            Output::Pwm(duty) => {
                // A per mille of 1 ms is a microsecond.
                let (fall_us, period_us) = (duty as u64, Self::PERIOD.as_micros());
                Self { high: Self::between(0, fall_us), low: Some(Self::between(fall_us, period_us)) }
            }
            Output::Steady | Output::Zero | Output::Negative => Self { high: Span::ALWAYS, low: None },
        }
    }

    /// The steady part between two edges; empty if they are too close.
    const fn between(edge_us: u64, next_us: u64) -> Span {
        let (from_us, until_us) = (edge_us + Self::SETTLE_US, next_us.saturating_sub(Self::GUARD_US));
        Span { from_us, until_us: if until_us < from_us { from_us } else { until_us } }
    }
}
