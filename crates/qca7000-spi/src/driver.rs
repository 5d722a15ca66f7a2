use embedded_hal::digital::{InputPin, PinState};
use embedded_hal::spi::{MODE_3, Mode, Operation, SpiDevice};
use machine::Cx;

use crate::{BufferTooSmall, Buffers, Data, Input, Qca7000};

/// The mode of the bus: the clock idles high, bits are sampled on its rising edge (AN4 section 3).
pub const MODE: Mode = MODE_3;

/// The fastest clock in hertz: a period of not less than 83.3 ns (AN4 section 3).
pub const MAX_CLOCK_HZ: u32 = 12_000_000;

/// Maximum number of transactions in one [`Driver::poll`], so that a faulty chip does not block the caller.
/// Judgement: a service with a burst has eight.
pub const TRANSFERS_A_TURN: usize = 32;

/// A [`Qca7000`] on a bus of `embedded-hal`: `S` is the chip's device on it, with [`MODE`], most significant
/// bit first and at most [`MAX_CLOCK_HZ`]; `I` is its interrupt pin.
///
/// # Example
/// One turn of a board's main loop, with the frames of a role:
///
/// ```
/// use embedded_hal::{digital::InputPin, spi::SpiDevice};
/// use machine::{Cx, Machine};
/// use qca7000_spi::Driver;
///
/// fn turn<S: SpiDevice, I: InputPin, M: Machine>(
///     cx: &mut Cx<'_>, modem: &mut Driver<'_, S, I>, role: &mut M, mut role_takes: impl FnMut(&mut M, &[u8]),
/// ) {
///     modem.poll(cx);
///     while let Some(frame) = modem.chip().poll_frame() {
///         role_takes(role, frame);
///     }
///     let mut buffer = [0; qca7000_spi::MAX_FRAME];
///     if modem.chip().can_send()
///         && let Ok(Some((length, _))) = role.poll_transmit(&mut buffer)
///     {
///         // Refused only if the frame is no Ethernet frame: the role's mistake.
///         let _ = modem.chip().send(&buffer[..length]);
///         modem.poll(cx);
///     }
///     if !modem.chip().is_busy() {
///         // Sleep until the interrupt or the earlier deadline of both.
///         let _deadline = machine::Deadline::earlier(modem.chip().poll_timeout(), role.poll_timeout());
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Driver<'b, S, I> {
    chip: Qca7000<'b>,
    bus: S,
    interrupt: I,
    active: PinState,
}

impl<'b, S: SpiDevice, I: InputPin> Driver<'b, S, I> {
    /// A driver for a chip in an unknown state. `active` is the level of `interrupt` while the chip requests
    /// service: high at the chip itself.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn new(buffers: Buffers<'b>, bus: S, interrupt: I, active: PinState) -> Result<Self, BufferTooSmall> {
        Ok(Self { chip: Qca7000::new(buffers)?, bus, interrupt, active })
    }

    /// Reads the interrupt and the clock, and performs the due transactions, at most [`TRANSFERS_A_TURN`].
    /// Call it when the interrupt is active, when [`poll_timeout`](Qca7000::poll_timeout) is due, and as long
    /// as the chip [`is_busy`](Qca7000::is_busy); then take all frames.
    pub fn poll(&mut self, cx: &mut Cx<'_>) {
        let level = match self.active {
            PinState::High => self.interrupt.is_high(),
            PinState::Low => self.interrupt.is_low(),
        };
        // A pin that cannot be read counts as inactive: the chip is then served by the clock.
        if level.unwrap_or(false) {
            self.chip.handle(cx, Input::Interrupt);
        }
        self.chip.handle_timeout(cx);
        for _ in 0..TRANSFERS_A_TURN {
            let Some(transfer) = self.chip.poll_transfer() else { break };
            let command = Operation::Write(&transfer.command);
            let data = match transfer.data {
                Data::Write(bytes) => Operation::Write(bytes),
                Data::Read(bytes) => Operation::Read(bytes),
            };
            let done = self.bus.transaction(&mut [command, data]);
            self.chip.handle(cx, if done.is_ok() { Input::Done } else { Input::Failed });
        }
    }

    /// The machine, for frames, events, counters and the deadline.
    pub fn chip(&mut self) -> &mut Qca7000<'b> {
        &mut self.chip
    }
}
