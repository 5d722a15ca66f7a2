use core::fmt;

/// The caller's buffer is too short for the next output, which stays queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort {
    /// Length in bytes of the shortest buffer into which the output fits.
    pub needed: usize,
}

impl fmt::Display for TooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the buffer is too short for the next output: it needs {} bytes", self.needed)
    }
}

impl core::error::Error for TooShort {}

/// The next output of a machine whose caller uses a buffer that is long enough for every output: the constant
/// of the machine's crate for it.
///
/// # Panics
/// In debug builds, if the buffer is too short: the caller uses the wrong constant.
pub fn whole<R>(polled: Result<Option<(usize, R)>, TooShort>) -> Option<(usize, R)> {
    polled.unwrap_or_else(|too_short| {
        debug_assert!(false, "{too_short}");
        None
    })
}
