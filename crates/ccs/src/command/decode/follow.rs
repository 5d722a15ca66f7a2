//! A file that grows.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::time::Duration;

use hal_linux::Signals;

/// Interval in which a file is read that has not grown: judgement.
const PAUSE: Duration = Duration::from_millis(200);

/// Reads a file that grows; SIGINT or SIGTERM is its end.
pub(super) struct Follow {
    file: File,
    signals: Signals,
    is_over: bool,
}

impl Follow {
    /// Reads from the start of the file.
    pub(super) fn new(file: File, signals: Signals) -> Self {
        Self { file, signals, is_over: false }
    }
}

impl Read for Follow {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = if self.is_over { 0 } else { self.file.read(buffer)? };
            if count > 0 || self.is_over || buffer.is_empty() {
                return Ok(count);
            }
            hal_linux::wait(&[self.signals.as_fd()], PAUSE).map_err(io::Error::other)?;
            self.is_over = self.signals.next().map_err(io::Error::other)?.is_some();
        }
    }
}
