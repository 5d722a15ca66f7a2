use evse_fsm::{Contactors, Isolation};
use machine::{Duration, Instant};
use session::fresh;

use crate::invariant::hold;
use crate::plant::Bench;

/// Consecutive isolation tests with high voltage that ended with the same electrical fault.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::invariant) struct Tries {
    /// Number of these tests.
    pub(in crate::invariant) failed: u8,
    kind: Option<Kind>,
    now: Option<Try>,
}

/// A test in progress.
#[derive(Clone, Copy, Debug, Default)]
struct Try {
    found: Option<Kind>,
    was_live: bool,
    off_since: Option<Instant>,
    open_since: Option<Instant>,
}

/// A reading of the charger that ends a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Isolation,
    Voltage,
    Contactor,
}

/// The voltage differs from its set point by this much in mV,
const OFF_MV: u32 = 20_000;
/// for this time: a charger that allows its stage 10 s has read the difference before it stops.
const OFF: Duration = Duration::from_millis(9_500);
/// Contactors that do not follow within this time have failed.
const OPEN: Duration = Duration::from_millis(400);

impl Tries {
    /// Takes the charger's present state. An unplugged plug and a passed test reset the count.
    pub(super) fn keep(&mut self, now: Instant, bench: &Bench, is_checked: bool, is_out: bool) {
        if is_out || is_checked {
            *self = Self::default();
            return;
        }
        if bench.demand().contactors == Contactors::Closed {
            self.now.get_or_insert_default().keep(now, bench);
            return;
        }
        let Some(mut over) = self.now.take() else { return };
        // A charger that opens immediately has done so because of the present reading.
        over.keep(now, bench);
        let Try { found: Some(found), was_live: true, .. } = over else { return };
        self.failed = if self.kind == Some(found) { self.failed.saturating_add(1) } else { 1 };
        self.kind = Some(found);
    }
}

impl Try {
    fn keep(&mut self, now: Instant, bench: &Bench) {
        let read = bench.read_by_charger();
        let set_mv = bench.demand().supply.voltage_mv;
        let is_off = fresh(read.voltage_mv, now).is_some_and(|mv| mv.abs_diff(set_mv) > OFF_MV);
        let is_open = fresh(read.contactors, now) == Some(false);
        let lasts = |since: &mut Option<Instant>, is_so, time| {
            hold(since, is_so, now).is_some_and(|since| now.since(since) >= time)
        };
        let has_fault = fresh(read.isolation, now).is_some_and(|read| read.status == Isolation::Fault);
        let kinds = [
            (has_fault, Kind::Isolation),
            (lasts(&mut self.off_since, is_off, OFF), Kind::Voltage),
            (lasts(&mut self.open_since, is_open, OPEN), Kind::Contactor),
        ];
        let found = kinds.into_iter().find(|(is_so, _)| *is_so).map(|(_, kind)| kind);
        self.found = self.found.or(found);
        self.was_live |= bench.truth().cable_mv >= session::DEAD_MV;
    }
}
