use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread::{Builder, JoinHandle};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::Error;

/// Signals as a file descriptor to read, instead of the end of the process.
///
/// Hold them before any thread is started: the kernel may deliver a signal to a thread that does not hold it,
/// and that ends the process. After this is dropped the signals end the process again.
#[derive(Debug)]
pub struct Signals(SignalFd);

/// The request that a signal stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// SIGINT or SIGTERM: the first one requests a normal end, the second one an immediate end.
    Stop,
    /// SIGHUP: the terminal was closed. It requests a normal end, even when repeated: a shell and the kernel
    /// send one each.
    Leave,
    /// SIGQUIT: requests an immediate end.
    Quit,
    /// SIGUSR1: requests the counters.
    Report,
}

/// The request of each signal.
const WISHES: [(Signal, Wish); 5] = [
    (Signal::SIGINT, Wish::Stop),
    (Signal::SIGTERM, Wish::Stop),
    (Signal::SIGHUP, Wish::Leave),
    (Signal::SIGQUIT, Wish::Quit),
    (Signal::SIGUSR1, Wish::Report),
];

impl Signals {
    /// Holds the signals from now on, in this thread and the threads that it starts.
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

    /// The request of the next signal, which this call consumes; `None` when no signal waits.
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

    /// Whether a signal that requests an end has arrived; consumes one signal.
    ///
    /// # Errors
    /// [`Error::Os`].
    pub fn take(&self) -> Result<bool, Error> {
        Ok(self.next()?.is_some_and(|wish| wish != Wish::Report))
    }
}

/// Starts a thread of the adapter. It blocks all signals from its start: a signal that the loop holds must
/// not end the process there.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    // A thread inherits the signal mask of the thread that starts it.
    let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    let thread = Builder::new().name(name.into()).spawn(work);
    before.thread_set_mask()?;
    thread
}

impl Drop for Signals {
    fn drop(&mut self) {
        // After the loop signals end the process again. A failure here changes nothing else.
        let _ = Self::mask().thread_unblock();
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_takes_no_signal_from_its_first_moment_and_the_one_that_starts_it_as_before() {
        let before = SigSet::thread_get_mask().unwrap();
        let (told, masks) = std::sync::mpsc::channel();
        let thread = spawn("test", move || told.send(SigSet::thread_get_mask().unwrap()).unwrap()).unwrap();
        let mask = masks.recv().unwrap();
        thread.join().unwrap();
        for (signal, _) in WISHES {
            assert!(mask.contains(signal), "{signal}");
        }
        assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    }
}
