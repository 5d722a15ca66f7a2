//! What a board gives.

mod ends;

use embedded_hal::delay::DelayNs;
use hal_esp32p4::{Clock, Counter, Flash, Pool, SelfTest, Stages, Watchdog};
use machine::Instant;
use roles::Mac;

pub use ends::{Battery, Edge, Edges, NoStage, Stage, StageFault};

/// The types of a board's parts that every role needs. It has no values: a board implements it for a type of
/// its own.
pub trait Hardware {
    /// The counter of its clock.
    type Counter: Counter;
    /// Its watchdog.
    type Stages: Stages;
    /// Two sectors of its flash.
    type Flash: Flash;
    /// Its Ethernet.
    type Port: Port;
    /// Its serial line.
    type Serial: Serial;
    /// Its sources of entropy.
    type Noise: Noise;
    /// Its delay.
    type Delay: DelayNs;
}

/// A board without what is physical on the cable: that is a [`Cable`](crate::Cable).
pub struct Board<H: Hardware> {
    /// Its name, for the log: `esp32p4`.
    pub name: &'static str,
    /// The address that its maker gave it; unicast. The setting `mac` goes before it.
    pub mac: Mac,
    /// Microseconds since the start.
    pub clock: Clock<H::Counter>,
    /// Started by the loop, before anything is driven.
    pub watchdog: Watchdog<H::Stages>,
    /// Frames.
    pub port: H::Port,
    /// Log and commands.
    pub serial: H::Serial,
    /// Samples for keys.
    pub noise: H::Noise,
    /// Waits of the SAFE sequence.
    pub delay: H::Delay,
    /// Which roles the firmware has, by their [`Role::NAME`](crate::Role::NAME); one that has several asks
    /// [`kept_role`](crate::kept_role) at its start.
    pub roles: &'static [&'static str],
    /// The signals of the board and their pads, from 0 on, until `None`; for people.
    pub pins: fn(usize) -> Option<(&'static str, u8)>,
    /// The checks of the self-test that only the board can do: chip revision and pins. The loop does the
    /// others.
    pub checks: fn(&mut SelfTest),
    /// Called when there is nothing to do before the given time: may wait for an interrupt, and must return
    /// within 1 ms. A board without one gives a function that does nothing.
    pub rest: fn(Instant),
}

/// Ethernet frames in and out, without their check sequence. The frames of ether type 88E1 and IPv6 must both
/// come, to the own address and to all multicast groups. No call blocks.
pub trait Port {
    /// The next frame that was received, into `buffer` of [`roles::MAX_FRAME`] bytes; its length. A frame
    /// that is longer than that, or damaged, is dropped and counted in [`lost`](Self::lost).
    fn receive(&mut self, now: Instant, buffer: &mut [u8]) -> Option<usize>;

    /// Sends a frame of at most [`roles::MAX_FRAME`] bytes. `false`: there is no room, it is lost.
    fn send(&mut self, now: Instant, frame: &[u8]) -> bool;

    /// Whether the link to the other side of the wire is up: PHY, or modem on SPI. Asked every 50 ms.
    fn is_up(&mut self, now: Instant) -> bool;

    /// Frames that were lost on the way in since the start: too long, damaged, no descriptor free. Wraps.
    fn lost(&mut self) -> u32;

    /// Gives every frame on the wire from now on, whoever it is for. For Listen.
    fn hear_all(&mut self);
}

/// A serial line. No call blocks.
pub trait Serial {
    /// The next byte that was received.
    fn read(&mut self) -> Option<u8>;

    /// Takes as many of `bytes` as there is room for; how many.
    fn write(&mut self, bytes: &[u8]) -> usize;
}

/// Samples of the board's sources of entropy.
pub trait Noise {
    /// Takes one sample of each source and gives it to [`Pool::sample`]. Called until the pool has enough,
    /// and once in each turn while it has not; must return within 1 ms.
    fn sample(&mut self, pool: &mut Pool);
}
