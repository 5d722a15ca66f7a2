use crate::Timing;

/// The rising edges of the own PWM, from reads of its timer. It needs no interrupt, and a late read does not
/// change the time of an edge.
#[derive(Clone, Copy, Debug, Default)]
pub struct TimerEdges {
    last: Option<u64>,
}

impl TimerEdges {
    /// The newest edge in counts of a clock of `hz`; `None` if it was returned before. `now` is the clock's
    /// count and `counts` the timer's, both read together.
    pub fn look(&mut self, now: u64, counts: u32, hz: u32) -> Option<u64> {
        let edge = now.wrapping_sub(Timing::PILOT.since_edge(counts, hz));
        // The two counters are not read in the same cycle: the computed times of one edge differ slightly.
        let half_a_period = u64::from(hz / Timing::PILOT_HZ / 2);
        let is_new =
            self.last.is_none_or(|last| edge.wrapping_sub(last).cast_signed() > half_a_period.cast_signed());
        is_new.then(|| {
            self.last = Some(edge);
            edge
        })
    }
}
