//! Host interface of the power-line modems QCA7000 and QCA7005 over SPI: Ethernet frames in and out.
//!
//! [`Qca7000`] determines the next transaction on the bus and evaluates its result; [`Driver`] performs the
//! transactions with `embedded-hal`. The machine has the verbs of the crate [`machine`], with one difference:
//! a transaction reads as well as writes. [`poll_transfer`](Qca7000::poll_transfer) therefore replaces
//! `poll_transmit` and lends the bytes to write or the room to read into; [`Input::Done`] confirms the
//! transaction.
//!
//! | verb | here |
//! |---|---|
//! | [`handle`](Qca7000::handle) | the interrupt is active, the transaction is done, the transaction failed |
//! | [`handle_timeout`](Qca7000::handle_timeout) | a deadline is due |
//! | [`poll_transfer`](Qca7000::poll_transfer) | the next transaction on the bus |
//! | [`poll_frame`](Qca7000::poll_frame) | the next Ethernet frame from the power line, lent |
//! | [`send`](Qca7000::send) | accepts one Ethernet frame for the power line, if [`can_send`](Qca7000::can_send) |
//! | [`poll_event`](Qca7000::poll_event) | events for logs and the layer above |
//! | [`poll_timeout`](Qca7000::poll_timeout) | the earliest deadline and its name; sleep only if not [`is_busy`](Qca7000::is_busy) |
//!
//! # On the bus
//! Each transaction is a command of 16 bit, most significant byte first, and its data, under one chip select.
//! Bit 15 means read, bit 14 means register; the rest is the register's number in the upper byte
//! ([`Register`]). Without bit 14 it is the buffer of frames. Sources: AN4 of I2SE (named in the README), and
//! recordings of an Ioniq's modem; a number with another source names it.
//!
//! * **Service**, when the interrupt is active, and every [`times::POLL`] without one, because an interrupt
//!   can be missed: signature, interrupts off, cause, cause acknowledged, one burst read, interrupts on. The
//!   cause is acknowledged *before* the read: a frame that arrives in between raises it again. After a burst
//!   another service follows, until nothing is available.
//! * **Burst**: consecutive whole frames, each `length + 10` as 32 bit big endian, `AA AA AA AA`, `length` as
//!   16 bit little endian, `00 00`, the frame, `55 55`. A burst longer than the free receive buffer is read
//!   in parts, so a frame may be cut in two; [`Deframer`] joins it, and finds the next whole frame after
//!   invalid bytes.
//! * **Write**: room in the write buffer, the frame's length plus 10, and the frame without the first four
//!   bytes of the burst format. The chip adds those, so they are included in the required room. A frame below
//!   60 bytes is padded with zeros.
//!
//! # From reset to frames
//! The first read after the chip's reset has no meaning (it returns FFFF in the recordings), so the signature
//! AA55 is read twice. A chip that has just started reports it (`CPU_ON`) and is set up. A chip that was
//! running already may contain part of an old frame: it is reset, and probed until it has started.
//!
//! | observed | reaction | lost |
//! |---|---|---|
//! | no signature, an impossible register value, a failed transaction | probe every [`times::PROBE`] | the data on the bus |
//! | signature again, no `CPU_ON`, and the chip was set up before | continue ([`Event::Resumed`]) | nothing more |
//! | `CPU_ON` | set up again ([`Event::Restarted`]) | the queued frame |
//! | `RDBUF_ERR`, `WRBUF_ERR`, a write buffer that stays full for [`times::STUCK`] | reset the chip, then as at the start | both directions for about a second |
//!
//! A wrong but possible register value is not detected: it costs a frame, or leads to `RDBUF_ERR` or
//! `WRBUF_ERR`. The chip has no checksum: a frame that is disturbed on the bus is detected by the checksums
//! of TCP and UDP only.
//!
//! # Example
//! A chip that has just started, with one frame of 60 bytes for the host. The responses are those of an
//! Ioniq's modem (`CCM_SPI_powerOn_and_SLAC_until_contractAuth`), except for the frame's content:
//!
//! ```
//! use machine::{Cx, Instant, ScriptedEntropy};
//! use qca7000_spi::{Buffers, Data, Event, Input, Qca7000, RECEIVE_MIN, SEND_LEN};
//!
//! let (mut receive, mut send) = ([0; RECEIVE_MIN], [0; SEND_LEN]);
//! let mut chip = Qca7000::new(Buffers { receive: &mut receive, send: &mut send })?;
//! let mut entropy = ScriptedEntropy::new(&[]);
//! let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
//!
//! let burst = [&[0, 0, 0, 0x46, 0xAA, 0xAA, 0xAA, 0xAA, 0x3C, 0, 0, 0][..], &[7; 60], &[0x55, 0x55]].concat();
//! let answers: [(u16, &[u8]); 13] = [
//!     (0xDA00, &[0xFF, 0xFF]), // signature: without meaning at first
//!     (0xDA00, &[0xAA, 0x55]), // signature
//!     (0x4D00, &[0, 0]),       // interrupts off
//!     (0xCC00, &[0x04, 0x40]), // cause: just started
//!     (0x4C00, &[0x04, 0x40]), // acknowledged
//!     (0xC200, &[0x0C, 0x5B]), // room in the write buffer: it is empty
//!     (0xC300, &[0, 0x4A]),    // available to read
//!     (0x4100, &[0, 0x4A]),    // length of the read
//!     (0x8000, &burst),        // read
//!     (0x4D00, &[0, 0x47]),    // interrupts on
//!     (0xDA00, &[0xAA, 0x55]),
//!     (0x4D00, &[0, 0]),
//!     (0xCC00, &[0, 0]),
//! ];
//! let mut frames = Vec::new();
//! for (command, bytes) in answers {
//!     let transfer = chip.poll_transfer().unwrap();
//!     assert_eq!(u16::from_be_bytes(transfer.command), command);
//!     match transfer.data {
//!         Data::Read(into) => into.copy_from_slice(bytes),
//!         Data::Write(written) => assert_eq!(written, bytes),
//!     }
//!     chip.handle(&mut cx, Input::Done);
//!     while let Some(frame) = chip.poll_frame() {
//!         frames.push(frame.to_vec());
//!     }
//! }
//! assert_eq!(frames, [[7; 60]]);
//! assert_eq!(chip.poll_event(), Some(Event::Up));
//! # Ok::<(), qca7000_spi::BufferTooSmall>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod chip;
mod deframer;
mod driver;
mod event;
mod outbox;
mod register;
pub mod times;

pub use chip::{BufferTooSmall, Buffers, Data, Input, Qca7000, Transfer};
pub use deframer::{Deframer, Item};
pub use driver::{Driver, MAX_CLOCK_HZ, MODE, TRANSFERS_A_TURN};
pub use event::{Counters, Dropped, Event, Loss, Reset};
pub use outbox::NotSent;
pub use register::{Cause, READ, Register, SIGNATURE, WRITE};

/// The shortest Ethernet frame that the chip passes, in bytes without FCS (AN4 section 6).
pub const MIN_FRAME: usize = 60;

/// The longest Ethernet frame in either direction, in bytes without FCS: 1 500 of payload, 14 of header, 4 of
/// a VLAN tag (AN4 section 6).
pub const MAX_FRAME: usize = 1522;

/// Bytes around a frame on its way to the chip: `AA AA AA AA`, its length, `00 00`, and `55 55` at the end.
pub const SEND_OVERHEAD: usize = 10;

/// Bytes around a frame on its way from the chip: [`SEND_OVERHEAD`] and the chip's own 32-bit length.
pub const RECEIVE_OVERHEAD: usize = SEND_OVERHEAD + 4;

/// Length of the send buffer in bytes: the longest frame as it is written.
pub const SEND_LEN: usize = MAX_FRAME + SEND_OVERHEAD;

/// The smallest receive buffer in bytes: the longest frame as it is read.
pub const RECEIVE_MIN: usize = MAX_FRAME + RECEIVE_OVERHEAD;

/// Size of the chip's write buffer in bytes, which it reports when empty (AN4 section 5.1.2, recordings).
pub const WRITE_BUFFER: u16 = 0x0C5B;

/// The most that the chip can offer to read, in bytes: the size of the write buffer and one 32-bit length
/// (Linux, `qca_spi.c`). A receive buffer of this size reads every burst in one transaction.
pub const READ_MAX: u16 = WRITE_BUFFER + 4;
