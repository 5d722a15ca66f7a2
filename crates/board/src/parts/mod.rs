//! The parts that a board provides.

mod ends;

use embedded_hal::delay::DelayNs;
use hal_esp32p4::{Clock, Counter, Flash, Pool, SelfTest, Stages, Watchdog};
use machine::Instant;
use roles::Mac;

pub use ends::{Battery, Edge, Edges, NoStage, Stage, StageFault};

/// The types of a board's parts that every role needs. A board implements it for a type of its own, which
/// needs no values.
pub trait Hardware {
    /// Counter of the clock.
    type Counter: Counter;
    /// Hardware timer of the watchdog.
    type Stages: Stages;
    /// Two sectors of flash for settings and latch.
    type Flash: Flash;
    /// Ethernet, or a modem on SPI.
    type Port: Port;
    /// Serial line for log and commands.
    type Serial: Serial;
    /// Sources of entropy.
    type Noise: Noise;
    /// Delay for the SAFE sequence.
    type Delay: DelayNs;
}

/// A board without its physical side, which is a [`Cable`](crate::Cable).
pub struct Board<H: Hardware> {
    /// Name for the log, such as `esp32p4`.
    pub name: &'static str,
    /// MAC address from the manufacturer; unicast. The setting `mac` overrides it.
    pub mac: Mac,
    /// Microseconds since the start.
    pub clock: Clock<H::Counter>,
    /// Not running yet: the loop starts it before any output is driven.
    pub watchdog: Watchdog<H::Stages>,
    /// Ethernet frames in and out.
    pub port: H::Port,
    /// Serial line for log and commands.
    pub serial: H::Serial,
    /// Samples for the entropy pool.
    pub noise: H::Noise,
    /// Delay for the SAFE sequence.
    pub delay: H::Delay,
    /// The roles of the firmware, by their [`Role::NAME`](crate::Role::NAME). A firmware with several calls
    /// [`kept_role`](crate::kept_role) at its start.
    pub roles: &'static [&'static str],
    /// Name and pad of each signal, for the command `pins`: called with 0, 1, 2 ... until `None`.
    pub pins: fn(usize) -> Option<(&'static str, u8)>,
    /// The checks of the self-test that only the board can do: chip revision and pins. The loop does the
    /// rest.
    pub checks: fn(&mut SelfTest),
    /// Called when no work is due before the given time. It may wait for an interrupt and must return within
    /// 1 ms. A board without such an interrupt provides a function that does nothing.
    pub rest: fn(Instant),
}

/// Ethernet frames in and out, without their check sequence. Frames of `EtherType` 0x88E1 and IPv6 must both
/// arrive, to the own address and to all multicast groups. No call blocks.
pub trait Port {
    /// Writes the next received frame into `buffer` of [`roles::MAX_FRAME`] bytes and returns its length. A
    /// longer or damaged frame is dropped and counted in [`lost`](Self::lost).
    fn receive(&mut self, now: Instant, buffer: &mut [u8]) -> Option<usize>;

    /// Sends a frame of at most [`roles::MAX_FRAME`] bytes. `false`: no buffer is free, the frame is lost.
    fn send(&mut self, now: Instant, frame: &[u8]) -> bool;

    /// Whether the link is up: of the PHY, or of the modem on SPI. Called every 50 ms.
    fn is_up(&mut self, now: Instant) -> bool;

    /// Frames that were lost on reception since the start: too long, damaged, no descriptor free. Wraps.
    fn lost(&mut self) -> u32;

    /// Receives every frame on the wire from now on, whatever its destination. For Listen.
    fn hear_all(&mut self);
}

/// A serial line. No call blocks.
pub trait Serial {
    /// The next byte that was received.
    fn read(&mut self) -> Option<u8>;

    /// Accepts as many of `bytes` as fit; returns their number.
    fn write(&mut self, bytes: &[u8]) -> usize;
}

/// Samples of the board's sources of entropy.
pub trait Noise {
    /// Takes one sample of each source and passes it to [`Pool::sample`]. Called once in each turn until the
    /// pool has enough; must return within 1 ms.
    fn sample(&mut self, pool: &mut Pool);
}
