use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::Error;

/// SIGINT and SIGTERM as something to read, instead of something that ends the process.
///
/// Hold them before any thread is started: a thread that does not would be interrupted in the place of this
/// one. When this is dropped they end the process again.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// Holds them back from now on, in this thread and those that it starts.
    ///
    /// # Errors
    /// [`Error::Os`].
    pub fn hold() -> Result<Self, Error> {
        let mask = Self::mask();
        mask.thread_block().map_err(Error::os("holding signals back"))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        SignalFd::with_flags(&mask, flags).map(Self).map_err(Error::os("listening for signals"))
    }

    fn mask() -> SigSet {
        [Signal::SIGINT, Signal::SIGTERM].into_iter().collect()
    }

    /// Whether one has come; each call takes one.
    pub fn take(&self) -> Result<bool, Error> {
        match self.0.read_signal() {
            Ok(signal) => Ok(signal.is_some()),
            Err(Errno::EINTR) => Ok(false),
            Err(errno) => Err(Error::Os { what: "reading a signal", errno }),
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // Behind the loop signals end the process again; a failure here changes nothing else.
        let _ = Self::mask().thread_unblock();
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
