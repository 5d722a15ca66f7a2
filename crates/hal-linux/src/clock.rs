use machine::{Entropy, Instant};

/// The monotonic clock, counted from the moment it was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: std::time::Instant,
    unix_origin: std::time::Duration,
}

impl Clock {
    /// A clock that starts at zero now.
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

    /// What the calendar showed at `instant`, as time since 1970 (UTC), if it was right at the start.
    pub fn unix(&self, instant: Instant) -> std::time::Duration {
        self.unix_origin + std::time::Duration::from_micros(instant.as_micros())
    }
}

/// Unpredictable bytes from the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn fill(&mut self, buffer: &mut [u8]) {
        // Fails on kernels before 3.17 only, or where the system call is forbidden: then ids repeat and
        // sessions can be mixed up, so nothing may go on.
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
