use embedded_hal::digital::InputPin;
use embedded_hal::spi::SpiDevice;
use machine::{Cx, Duration, Entropy, Instant};
use qca7000_spi::Driver;

use crate::Port;

/// A modem on SPI as the board's [`Port`], where there is no Ethernet MAC.
pub struct SpiPort<'b, S, I> {
    driver: Driver<'b, S, I>,
    seen: Option<Instant>,
}

/// A source without bytes: the driver uses no entropy.
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

impl<'b, S: SpiDevice, I: InputPin> SpiPort<'b, S, I> {
    /// A port on this driver of the modem.
    pub const fn new(driver: Driver<'b, S, I>) -> Self {
        Self { driver, seen: None }
    }

    fn poll(&mut self, now: Instant) {
        self.driver.poll(&mut Cx { now, entropy: &mut NoEntropy });
    }
}

/// Time without contact to the chip until the link counts as down: a chip that probes or recovers from a
/// disturbed wire is not a link that is down (judgement; its own reset takes about a second).
const AWAY: Duration = Duration::from_millis(1_500);

impl<S: SpiDevice, I: InputPin> Port for SpiPort<'_, S, I> {
    fn receive(&mut self, now: Instant, buffer: &mut [u8]) -> Option<usize> {
        self.poll(now);
        let frame = self.driver.chip().poll_frame()?;
        let room = buffer.get_mut(..frame.len())?;
        room.copy_from_slice(frame);
        Some(frame.len())
    }

    fn send(&mut self, now: Instant, frame: &[u8]) -> bool {
        let is_taken = self.driver.chip().can_send() && self.driver.chip().send(frame).is_ok();
        self.poll(now);
        is_taken
    }

    fn is_up(&mut self, now: Instant) -> bool {
        if self.driver.chip().is_up() {
            self.seen = Some(now);
        }
        self.seen.is_some_and(|seen| now.since(seen) < AWAY)
    }

    fn lost(&mut self) -> u32 {
        let counters = self.driver.chip().counters();
        counters.cut.wrapping_add(counters.too_long)
    }

    /// The chip decides which frames its host receives: all on the power line that are addressed to it.
    fn hear_all(&mut self) {}
}
