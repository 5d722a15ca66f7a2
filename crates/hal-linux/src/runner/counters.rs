use std::fmt;

use machine::Duration;

use crate::PortStatistics;

/// Most work with frames in one turn of the loop, before the plant is handled again. It is counted, not
/// timed, so that it does not depend on the speed of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Frames received.
    pub frames: u32,
    /// Bytes received.
    pub bytes: usize,
    /// Units of work: frames received, frames sent and events.
    pub work: u32,
}

impl Budget {
    /// The budget of one turn: some milliseconds on a slow machine (judgement; measured by `benches`'
    /// `reaction`).
    pub const TURN: Self = Self { frames: 32, bytes: 64 * 1024, work: 128 };

    /// Subtracts a received frame; `false` if the budget does not suffice.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let has_left = self.has_left();
        self.frames = self.frames.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.spend(1);
        has_left
    }

    /// Subtracts work.
    pub(super) fn spend(&mut self, work: u32) {
        self.work = self.work.saturating_sub(work);
    }

    /// Whether another frame may be received.
    pub(super) fn has_left(&self) -> bool {
        self.frames > 0 && self.bytes > 0 && self.work > 0
    }
}

/// Counts of a loop since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames received from the port, including those that the role ignored.
    pub received: u64,
    /// Received frames that the role ignored, because they are not for it.
    pub ignored: u64,
    /// Counts of the kernel.
    pub port: PortStatistics,
    /// Frames sent.
    pub sent: u64,
    /// Frames that the role sent and the port lost.
    pub lost: u64,
    /// Events of the role.
    pub events: u64,
    /// Turns of the loop.
    pub turns: u64,
    /// Largest number of frames received in one turn.
    pub most_frames: u64,
    /// Longest turn, without its waiting time.
    pub longest_turn: Duration,
    /// Readings of the plant.
    pub readings: u64,
    /// Demands applied to the plant.
    pub demands: u64,
    /// Times that the plant failed or became degraded.
    pub plant_faults: u64,
    /// Times that the interface went down.
    pub interface_downs: u64,
    /// Times that the loop was blocked.
    pub held_up: u64,
}

impl Counters {
    /// Frames that the role handled.
    pub fn taken(&self) -> u64 {
        self.received.saturating_sub(self.ignored)
    }
}

impl fmt::Display for Counters {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { received, ignored, sent, lost, turns, most_frames, readings, demands, .. } = self;
        write!(f, "frames: {received} received ({} taken, {ignored} ignored), ", self.taken())?;
        write!(f, "{} dropped because the receive buffer was full, ", self.port.dropped)?;
        if let Some(filtered) = self.port.filtered() {
            write!(f, "{filtered} filtered by the kernel, ")?;
        }
        write!(f, "{sent} sent, {lost} lost; ")?;
        write!(f, "loop: {turns} turns, at most {most_frames} frames in one, the longest took ")?;
        let micros = self.longest_turn.as_micros();
        write!(f, "{}.{:03} ms, held up {} times; ", micros / 1000, micros % 1000, self.held_up)?;
        write!(f, "plant: {readings} readings, {demands} demands, {} faults", self.plant_faults)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_with_the_first_of_its_parts() {
        let small = Budget { frames: 2, bytes: 100, work: 5 };
        let mut frames = small;
        assert!(frames.take(1) && frames.take(1) && !frames.take(1));
        let mut bytes = small;
        assert!(bytes.take(1000) && !bytes.has_left());
        let mut work = small;
        assert!(work.take(1));
        work.spend(4);
        assert!(!work.has_left());
    }

    #[test]
    fn the_line_adds_up() {
        let port = PortStatistics { on_interface: Some(100), passed: 60, dropped: 9 };
        let counters = Counters { received: 51, ignored: 50, port, ..Counters::default() };
        let line = counters.to_string();
        assert!(line.starts_with("frames: 51 received (1 taken, 50 ignored), 9 dropped "), "{line}");
        assert!(line.contains(" 40 filtered by the kernel, ") && !line.contains('\n'), "{line}");
    }
}
