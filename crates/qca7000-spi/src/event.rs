use crate::Register;

/// What people and logs want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The chip is set up; frames can pass.
    Up,
    /// The chip answers again and has kept its state: it was not reset, its link over the power line lives
    /// on.
    Resumed,
    /// The chip started again: power, `VS_RS_DEV`, a fault of its own. [`Event::Up`] follows.
    Restarted,
    /// The bus or the chip does not answer as a chip does; it is probed.
    Lost(Loss),
    /// No signature for [`times::SILENT`](crate::times::SILENT), and what was seen in its place: look at
    /// supply, wires, mode and clock of the bus; 0000 and FFFF are a chip that does not drive the line. It is
    /// probed on.
    Silent(Loss),
    /// The host resets the chip.
    Resetting(Reset),
    /// The chip did not start within [`times::RESET`](crate::times::RESET) of its reset; it is reset again.
    ResetUnanswered,
    /// Something did not get through.
    Dropped(Dropped),
    /// A frame waits for room in the chip's write buffer; said once for a frame.
    WriteBufferFull {
        /// Room in bytes.
        space: u16,
        /// What the frame needs in bytes.
        needed: u16,
    },
}

/// Why the chip is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// A register read a value that it cannot have, twice in the case of the signature.
    Value {
        /// The register.
        register: Register,
        /// What was read.
        value: u16,
    },
    /// The bus reported an error.
    Bus,
}

/// Why the host resets the chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The chip was running before the host: what its buffers hold is unknown.
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

/// What did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dropped {
    /// Received bytes that belong to no frame.
    Noise {
        /// How many.
        bytes: usize,
    },
    /// A received frame whose end is not where its header says, or did not come in time.
    Cut {
        /// Announced length in bytes.
        length: usize,
    },
    /// A received frame above [`MAX_FRAME`](crate::MAX_FRAME).
    TooLong {
        /// Announced length in bytes.
        length: usize,
    },
    /// A frame that waited to be sent when the chip was reset or started again.
    Unsent {
        /// Its length in bytes.
        length: usize,
    },
}

/// What happened since the machine was made. Each stays at its greatest value when it gets there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames given by [`poll_frame`](crate::Qca7000::poll_frame).
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
    /// Events that were not asked for in time and are lost.
    pub events_lost: u32,
}
