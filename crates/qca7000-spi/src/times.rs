//! Every time of this crate, with its source.

use machine::{Duration, timers};

/// Interval of signature reads while probing: the recorded host reads it every 10 to 20 ms.
pub const PROBE: Duration = Duration::from_millis(20);

/// Time without a signature before [`Event::Silent`](crate::Event::Silent). The recorded chip responds 0.94 s
/// after its host's first read at power-on; twice that.
pub const SILENT: Duration = Duration::from_millis(2000);

/// Time for a chip to start after its reset, before it is reset again: Linux (`qca_spi.c`), ten times 1 s.
pub const RESET: Duration = Duration::from_secs(10);

/// Interval of services without an interrupt. Linux users whose interrupt is missed poll every 50 ms
/// (raspberrypi/linux issue 5766).
pub const POLL: Duration = Duration::from_millis(50);

/// Interval of reads of a write buffer without enough room. Judgement: the power line transmits a frame of 1
/// 522 bytes in 2 to 3 ms at 4 to 6 Mbit/s.
pub const RETRY: Duration = Duration::from_millis(2);

/// Time without room for a frame before the chip is reset. Linux (`qca_spi.c`), its transmit timeout of 1 s.
pub const STUCK: Duration = Duration::from_secs(1);

/// Wait for the rest of a frame when the chip has nothing more to read. Judgement: the chip offers whole
/// frames in all recordings, so a rest that does not come immediately does not come.
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
