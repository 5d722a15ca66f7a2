use machine::{Entropy, Instant};

/// The system's monotonic clock, counted from the start of this object.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: std::time::Instant,
    unix_origin: std::time::Duration,
}

impl Clock {
    /// Starts a clock at zero.
    #[expect(clippy::disallowed_methods, reason = "this is where the machines' time comes from")]
    pub fn start() -> Self {
        let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Self { origin: std::time::Instant::now(), unix_origin: unix.unwrap_or_default() }
    }

    /// The time since the start.
    pub fn now(&self) -> Instant {
        let elapsed = self.origin.elapsed().as_micros();
        Instant::from_micros(u64::try_from(elapsed).unwrap_or(u64::MAX))
    }

    /// Calendar time at `instant` as time since 1970 (UTC). It is based on the calendar at the start: later
    /// corrections of the system's clock do not change it.
    pub fn unix(&self, instant: Instant) -> std::time::Duration {
        self.unix_origin + std::time::Duration::from_micros(instant.as_micros())
    }
}

/// Random bytes from the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        // Fails only on kernels before 3.17, or where the system call is forbidden. Then ids repeat and
        // sessions can be mixed up, so the program must not continue.
        if let Err(error) = getrandom::fill(buffer) {
            eprintln!("no random numbers from the operating system: {error}");
            std::process::abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_goes_forward_from_zero() {
        let clock = Clock::start();
        let first = clock.now();
        let second = clock.now();
        assert!(first <= second && first < Instant::from_millis(60_000));
        assert!(clock.unix(second) > std::time::Duration::from_secs(1_600_000_000));
    }

    #[test]
    fn random_bytes_differ() {
        let (mut one, mut two) = ([0; 16], [0; 16]);
        OsEntropy.fill(&mut one);
        OsEntropy.fill(&mut two);
        assert_ne!(one, two);
    }
}
