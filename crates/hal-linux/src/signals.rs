use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::Error;

/// Signals as something to read, instead of something that ends the process.
///
/// Hold them before any thread is started: a thread that does not would be interrupted in the place of this
/// one. When this is dropped they end the process again.
#[derive(Debug)]
pub struct Signals(SignalFd);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// SIGINT or SIGTERM: an end in order; the second one, at once.
    Stop,
    /// SIGHUP: the terminal was closed. An end in order, however often it comes: a shell and the kernel send one each.
    Leave,
    /// SIGQUIT: an end at once.
    Quit,
    /// SIGUSR1: the counters.
    Report,
}

/// What each signal asks for.
const WISHES: [(Signal, Wish); 5] = [
    (Signal::SIGINT, Wish::Stop),
    (Signal::SIGTERM, Wish::Stop),
    (Signal::SIGHUP, Wish::Leave),
    (Signal::SIGQUIT, Wish::Quit),
    (Signal::SIGUSR1, Wish::Report),
];

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
        WISHES.iter().map(|(signal, _)| *signal).collect()
    }

    /// What the next signal asks for; each call takes one.
    ///
    /// # Errors
    /// [`Error::Os`].
    pub fn next(&self) -> Result<Option<Wish>, Error> {
        match self.0.read_signal() {
            Ok(signal) => Ok(signal.and_then(|signal| {
                let is_it = |of: &Signal| u32::try_from(*of as i32) == Ok(signal.ssi_signo);
                WISHES.iter().find(|(of, _)| is_it(of)).map(|(_, wish)| *wish)
            })),
            Err(Errno::EINTR) => Ok(None),
            Err(errno) => Err(Error::Os { what: "reading a signal", errno }),
        }
    }

    /// Whether one that asks for an end has come; each call takes one.
    ///
    /// # Errors
    /// [`Error::Os`].
    pub fn take(&self) -> Result<bool, Error> {
        Ok(self.next()?.is_some_and(|wish| wish != Wish::Report))
    }
}

/// A thread of the adapter's own takes no signal: one that another program holds must not end the process here.
pub(crate) fn take_none() {
    // Fails only for a mask that does not exist.
    let _ = SigSet::all().thread_block();
}

impl Drop for Signals {
    fn drop(&mut self) {
        // After the loop signals end the process again; a failure here changes nothing else.
        let _ = Self::mask().thread_unblock();
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
