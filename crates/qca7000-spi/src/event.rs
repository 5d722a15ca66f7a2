use crate::Register;

/// Events for logs and the layer above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The chip is set up; frames can be sent and received.
    Up,
    /// The chip responds again with its state kept: it was not reset, and its link over the power line
    /// persists.
    Resumed,
    /// The chip started again: power, `VS_RS_DEV`, or an internal fault. [`Event::Up`] follows.
    Restarted,
    /// The bus or the chip returned an invalid response; it is probed.
    Lost(Loss),
    /// No signature for [`times::SILENT`](crate::times::SILENT), with the last invalid response: check
    /// supply, wires, mode and clock of the bus; 0000 and FFFF mean that the chip does not drive the line.
    /// Probing continues.
    Silent(Loss),
    /// The host resets the chip.
    Resetting(Reset),
    /// The chip did not start within [`times::RESET`](crate::times::RESET) of its reset; it is reset again.
    ResetUnanswered,
    /// Data was lost.
    Dropped(Dropped),
    /// A frame waits for room in the chip's write buffer; reported once for a frame.
    WriteBufferFull {
        /// Room in bytes.
        space: u16,
        /// Room that the frame needs in bytes.
        needed: u16,
    },
}

/// Why the chip is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A register returned an impossible value, twice for the signature.
    Value {
        /// The register.
        register: Register,
        /// The value read.
        value: u16,
    },
    /// The bus reported an error.
    Bus,
}

/// Why the host resets the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The chip was running before the host: the content of its buffers is unknown.
    Unknown,
    /// `RDBUF_ERR`.
    ReadError,
    /// `WRBUF_ERR`.
    WriteError,
    /// The write buffer was not empty after a start.
    NotEmpty {
        /// Room in bytes.
        space: u16,
    },
    /// A frame found no room in the write buffer for [`times::STUCK`](crate::times::STUCK).
    Stuck,
}

/// Lost data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Received bytes that belong to no frame.
    Noise {
        /// Number of bytes.
        bytes: usize,
    },
    /// A received frame whose end mark is not at its length, or did not arrive in time.
    Cut {
        /// Announced length in bytes.
        length: usize,
    },
    /// A received frame above [`MAX_FRAME`](crate::MAX_FRAME).
    TooLong {
        /// Announced length in bytes.
        length: usize,
    },
    /// A frame that was queued when the chip was reset or started again.
    Unsent {
        /// Its length in bytes.
        length: usize,
    },
}

/// Counts since the machine was created. Each saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames returned by [`poll_frame`](crate::Qca7000::poll_frame).
    pub received: u32,
    /// Frames written into the chip.
    pub sent: u32,
    /// [`Event::Lost`].
    pub losses: u32,
    /// [`Event::Restarted`].
    pub restarts: u32,
    /// [`Event::Resetting`].
    pub resets: u32,
    /// Bytes of [`Dropped::Noise`].
    pub noise_bytes: u32,
    /// [`Dropped::Cut`].
    pub cut: u32,
    /// [`Dropped::TooLong`].
    pub too_long: u32,
    /// [`Dropped::Unsent`].
    pub unsent: u32,
    /// [`Event::WriteBufferFull`].
    pub write_buffer_full: u32,
    /// Events dropped because the queue was full.
    pub events_lost: u32,
}
