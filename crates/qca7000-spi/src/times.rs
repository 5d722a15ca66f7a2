//! Every time of this crate, with its source.

use machine::{Duration, timers};

/// Between two looks for a signature: the recorded host looks every 10 to 20 ms.
pub const PROBE: Duration = Duration::from_millis(20);

/// Without a signature for this long, [`Event::Silent`](crate::Event::Silent). The recorded chip answers 0.94
/// s after its host's first look at power-on; twice that.
pub const SILENT: Duration = Duration::from_millis(2000);

/// How long a chip that was reset may take to start before it is reset again: Linux (`qca_spi.c`), ten times
/// 1 s.
pub const RESET: Duration = Duration::from_secs(10);

/// Between two services without an interrupt. Linux users whose interrupt is missed look every 50 ms
/// (raspberrypi/linux issue 5766).
pub const POLL: Duration = Duration::from_millis(50);

/// Between two looks at a write buffer that is too full. Judgement: the power line takes a frame of 1 522
/// bytes in 2 to 3 ms at 4 to 6 Mbit/s.
pub const RETRY: Duration = Duration::from_millis(2);

/// A frame that finds no room for this long: the chip is reset. Linux (`qca_spi.c`), its transmit timeout of
/// 1 s.
pub const STUCK: Duration = Duration::from_secs(1);

/// How long the rest of a frame is waited for when the chip has nothing more to read. Judgement: the chip
/// offers whole frames in all recordings, so a rest that does not come at once does not come.
pub const CUT: Duration = Duration::from_millis(20);

timers! {
    pub(crate) enum Timer {
        Probe = "probe",
        Silent = "silent",
        Reset = "reset",
        Poll = "poll",
        Retry = "retry",
        Cut = "cut",
    }
}
