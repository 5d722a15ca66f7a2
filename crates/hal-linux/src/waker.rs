use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};

use crate::Error;

/// Wakes an event loop from any thread of this process: a counter of the kernel that is readable while it is
/// not zero.
#[derive(Debug)]
pub struct Waker(EventFd);

impl Waker {
    /// A waker that is not woken yet.
    ///
    /// # Errors
    /// [`Error::Os`].
    pub fn new() -> Result<Self, Error> {
        let flags = EfdFlags::EFD_NONBLOCK | EfdFlags::EFD_CLOEXEC;
        EventFd::from_value_and_flags(0, flags).map(Self).map_err(Error::os("making an event counter"))
    }

    /// Wakes the loop. Never blocks.
    pub fn wake(&self) {
        // Fails only if the counter is full, and then it is readable already.
        let _ = self.0.write(1);
    }

    /// Whether it was woken since the last call.
    pub fn take(&self) -> bool {
        loop {
            match self.0.read() {
                Ok(_) => return true,
                Err(Errno::EINTR) => {}
                Err(_) => return false,
            }
        }
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_taken_once_however_often_it_was_woken() {
        let waker = Waker::new().unwrap();
        assert!(!waker.take());
        waker.wake();
        waker.wake();
        assert!(waker.take());
        assert!(!waker.take());
    }
}
