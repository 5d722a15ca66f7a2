use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use crate::Error;

/// Sleeps until one of `sources` is readable, a signal arrives, or `at_most` has passed.
///
/// # Errors
/// [`Error::Os`].
pub fn wait(sources: &[BorrowedFd<'_>], at_most: Duration) -> Result<(), Error> {
    let mut polled: Vec<_> = sources.iter().map(|source| PollFd::new(*source, PollFlags::POLLIN)).collect();
    match ppoll(&mut polled, Some(TimeSpec::from_duration(at_most)), None) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(Error::Os { what: "waiting for frames", errno }),
    }
}
