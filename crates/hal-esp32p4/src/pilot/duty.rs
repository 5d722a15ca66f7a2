use control_pilot::{Level, Output};
use machine::{Duration, Instant};
use session::Reading;

/// Measures the pilot's duty cycle from its edges: in the car the charger's pilot, in the charger its own.
///
/// [`GROUP`](Self::GROUP) periods make a reading. If one of them has a wrong length, lacks an edge or differs
/// from the others, the whole group reads as [`INVALID`](Self::INVALID); the session tolerates that for a
/// time (90 ms in the car). A pilot without edges is steady, at the level that the ADC measures.
#[derive(Clone, Debug, Default)]
pub struct DutyMeter {
    rise: Option<Instant>,
    fall: Option<Instant>,
    last_edge: Option<Instant>,
    group: Group,
    reading: Option<Reading<Output>>,
}

/// Periods since the last reading.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    count: u64,
    high_us: u64,
    period_us: u64,
    /// Shortest and longest high phase in us.
    ends: Option<(u64, u64)>,
    is_bad: bool,
}

impl DutyMeter {
    /// Periods in a reading: 5, so that a new one comes every 5 ms (judgement).
    pub const GROUP: u64 = 5;
    /// Shortest period in us: 980 (judgement: the generator's 0.5 %, from memory, both clocks and the edges'
    /// time stamps).
    pub const SHORTEST_US: u64 = 980;
    /// Longest period in us: 1020.
    pub const LONGEST_US: u64 = 1_020;
    /// Largest difference between the high phases of a group in us: 10 (judgement; the generator's 5 us, from
    /// memory, in both directions).
    pub const SPREAD_US: u64 = 10;
    /// Without an edge for this time the pilot is steady: three periods.
    pub const STEADY: Duration = Duration::from_millis(3);
    /// A pilot that pulses without a valid duty cycle: `DutyMeaning::of(0)` is `Invalid`.
    pub const INVALID: Output = Output::Pwm(0);

    /// A meter before the first edge.
    pub fn new() -> Self {
        Self::default()
    }

    /// The pilot rose, or fell, at `at`.
    pub fn edge(&mut self, at: Instant, is_rising: bool) {
        // The first edge after a pause completes no period, and the reading from before the pause is
        // invalid.
        if self.last_edge.is_some_and(|before| at.since(before) >= Self::STEADY) {
            *self = Self::default();
        }
        self.last_edge = Some(at);
        if !is_rising {
            // Marks a second falling edge in a row. A second rising edge in a row is found below by its
            // missing falling edge.
            self.group.is_bad |= self.fall.is_some();
            self.fall = Some(at);
            return;
        }
        if let Some(rise) = self.rise {
            self.group.take(rise, self.fall, at);
            if self.group.count >= Self::GROUP {
                self.reading = Some(Reading::new(self.group.output(), at));
                self.group = Group::default();
            }
        }
        (self.rise, self.fall) = (Some(at), None);
    }

    /// The pilot's output at `now`. `steady_mv` is the wire's voltage from the ADC, which distinguishes the
    /// steady levels: without it a steady pilot is absent.
    pub fn output(&self, now: Instant, steady_mv: Option<i32>) -> Option<Reading<Output>> {
        let is_pulsing = self.last_edge.is_some_and(|at| now.since(at) < Self::STEADY);
        if is_pulsing {
            return self.reading;
        }
        let output = match Level::nearest(steady_mv?) {
            Level::A | Level::B | Level::C | Level::D => Output::Steady,
            Level::E => Output::Zero,
            Level::F => Output::Negative,
        };
        Some(Reading::new(output, now))
    }

    /// The duty cycle in per mille, for the charger's own measurement: 1000 and 0 for a steady pilot.
    pub fn duty_permille(&self, now: Instant, steady_mv: Option<i32>) -> Option<Reading<u16>> {
        let reading = self.output(now, steady_mv)?;
        let duty = match reading.value {
            Output::Pwm(duty) => duty,
            Output::Steady => 1_000,
            Output::Zero | Output::Negative => 0,
        };
        Some(Reading::new(duty, reading.at))
    }
}

impl Group {
    /// Takes a period from the edge `rise` to the next one.
    fn take(&mut self, rise: Instant, fall: Option<Instant>, next: Instant) {
        self.count += 1;
        let period = next.since(rise).as_micros();
        let Some(high) = fall.map(|fall| fall.since(rise).as_micros()) else {
            self.is_bad = true;
            return;
        };
        self.is_bad |= !(DutyMeter::SHORTEST_US..=DutyMeter::LONGEST_US).contains(&period);
        let (least, most) = self.ends.unwrap_or((high, high));
        self.ends = Some((least.min(high), most.max(high)));
        (self.high_us, self.period_us) = (self.high_us + high, self.period_us + period);
    }

    fn output(&self) -> Output {
        let is_spread = self.ends.is_none_or(|(least, most)| most - least > DutyMeter::SPREAD_US);
        if self.is_bad || is_spread {
            return DutyMeter::INVALID;
        }
        let rounded = (self.high_us * 1_000 + self.period_us / 2).checked_div(self.period_us).unwrap_or(0);
        u16::try_from(rounded).map_or(DutyMeter::INVALID, Output::Pwm)
    }
}
