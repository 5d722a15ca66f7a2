use core::fmt;

/// The caller's buffer is too short for the next output, which stays queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort {
    /// Length in bytes of the shortest buffer that the output fits into.
    pub needed: usize,
}

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the buffer is too short for the next output: it needs {} bytes", self.needed)
    }
}

impl core::error::Error for TooShort {}

/// The next output of a machine whose caller gives it a buffer that is long enough for every output, by the
/// constant that the machine's crate names for that.
///
/// # Panics
/// In debug builds, when the buffer was too short: the caller uses the wrong constant.
pub fn whole<R>(polled: Result<Option<(usize, R)>, TooShort>) -> Option<(usize, R)> {
    polled.unwrap_or_else(|too_short| {
        debug_assert!(false, "{too_short}");
        None
    })
}
