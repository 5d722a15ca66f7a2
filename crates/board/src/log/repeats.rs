use core::fmt;

use machine::{Duration, Instant};
use session::{Direction, Message};

/// Messages of one name that repeat within this time share one line: 10 s, as on Linux.
const EVERY: Duration = Duration::from_secs(10);

/// Counts messages of the same name in a row, so that a charging loop does not fill the serial line.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    received: Option<Run>,
    sent: Option<Run>,
}

/// Messages of one name in a row.
#[derive(Clone, Copy, Debug)]
struct Run {
    name: &'static str,
    since: Instant,
    count: u32,
}

/// How many further messages a line represents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct More {
    count: u32,
    time: Duration,
}

impl Repeats {
    /// How many further messages the line represents; `None`: the message has no line.
    pub(crate) fn take(&mut self, now: Instant, message: &Message) -> Option<More> {
        let run = match message.direction {
            Direction::Received => &mut self.received,
            Direction::Sent => &mut self.sent,
        };
        let new = Run { name: message.name, since: now, count: 0 };
        let Some(before) = run.as_mut().filter(|before| before.name == message.name) else {
            *run = Some(new);
            return Some(More::NONE);
        };
        let time = now.since(before.since);
        if time < EVERY {
            before.count = before.count.saturating_add(1);
            return None;
        }
        let count = core::mem::replace(before, new).count;
        Some(More { count, time })
    }
}

impl More {
    /// The line represents its own message only.
    pub(crate) const NONE: Self = Self { count: 0, time: Duration::ZERO };
}

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.count == 0 {
            return Ok(());
        }
        let tenths = self.time.as_millis() / 100;
        write!(f, " ... {} more in {}.{} s", self.count, tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use session::Values;

    use super::*;

    #[test]
    fn the_first_of_a_name_is_said_then_one_in_ten_seconds_with_the_number_of_the_others() {
        let message =
            |name, direction| Message { direction, name, checkpoint: None, values: Values::default() };
        let demand = message("CurrentDemandReq", Direction::Received);
        let mut repeats = Repeats::default();
        let at = Instant::from_millis;
        assert_eq!(repeats.take(at(0), &demand), Some(More::NONE));
        assert_eq!(repeats.take(at(0), &message("CurrentDemandRes", Direction::Sent)), Some(More::NONE));
        for step in 1..40 {
            assert_eq!(repeats.take(at(step * 250), &demand), None);
        }
        let more = repeats.take(at(10_000), &demand).unwrap();
        assert_eq!(more.to_string(), " ... 39 more in 10.0 s");
        assert_eq!(
            repeats.take(at(10_250), &message("PowerDeliveryReq", Direction::Received)),
            Some(More::NONE)
        );
        assert_eq!(repeats.take(at(10_500), &demand), Some(More::NONE));
    }
}
