use bitflags::bitflags;

/// The command that reads frames out of the chip.
pub const READ: u16 = READ_BIT;

/// The command that writes a frame into the chip.
pub const WRITE: u16 = 0;

/// Constant value of [`Register::Signature`] (AN4 section 5.1.7).
pub const SIGNATURE: u16 = 0xAA55;

const READ_BIT: u16 = 1 << 15;
const REGISTER_BIT: u16 = 1 << 14;

/// The bit of [`Register::Config`] that resets the chip; the others are written as read (AN4 section 5.1.4).
pub(crate) const RESET_BIT: u16 = 1 << 6;

/// The interrupts in use (AN4 section 7.1).
pub(crate) const ENABLED: Cause =
    Cause::CPU_ON.union(Cause::PACKET).union(Cause::READ_ERROR).union(Cause::WRITE_ERROR);

/// The chip's registers, 16 bit each; the discriminant is the address in the lower 14 bits of a command (AN4
/// section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Register {
    /// `BFR_SIZE`, written: number of bytes of the next read or write of frames.
    BufferSize = 0x0100,
    /// `WRBUF_SPC_AVA`, read: room in the write buffer in bytes, [`WRITE_BUFFER`](crate::WRITE_BUFFER) when
    /// it is empty.
    WriteSpace = 0x0200,
    /// `RDBUF_BYTE_AVA`, read: bytes that can be read, at most [`READ_MAX`](crate::READ_MAX).
    ReadAvailable = 0x0300,
    /// `SPI_CONFIG`, read and written: bit 6 resets the chip.
    Config = 0x0400,
    /// `INTR_CAUSE`, read and written: causes of the interrupt ([`Cause`]); writing acknowledges them.
    InterruptCause = 0x0C00,
    /// `INTR_ENABLE`, read and written: causes that raise an interrupt. 0x0040 after a start in the
    /// recordings.
    InterruptEnable = 0x0D00,
    /// `SIGNATURE`, read: always [`SIGNATURE`].
    Signature = 0x1A00,
}

impl Register {
    /// The command that reads the register.
    pub const fn read(self) -> u16 {
        READ_BIT | self.write()
    }

    /// The command that writes the register.
    pub const fn write(self) -> u16 {
        REGISTER_BIT | self as u16
    }
}

bitflags! {
    /// Cause of an interrupt (AN4 section 5.1.5; bits 3 and 10 from Linux, `qca_7k.h`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Cause: u16 {
        /// `PKT_AVLBL`: frames can be read.
        const PACKET = 1 << 0;
        /// `RDBUF_ERR`: a read past the available bytes. The chip needs a reset.
        const READ_ERROR = 1 << 1;
        /// `WRBUF_ERR`: a write past the available room. The chip needs a reset.
        const WRITE_ERROR = 1 << 2;
        /// `ADDR_ERR`: a register that does not exist was addressed.
        const ADDRESS_ERROR = 1 << 3;
        /// `CPU_ON`: the chip has just started.
        const CPU_ON = 1 << 6;
        /// `WRBUF_BELOW_WM`: the write buffer is below its watermark. Set in each recorded cause, not used.
        const WRITE_BELOW_WATERMARK = 1 << 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The commands in `CCM_SPI_powerOn_and_SLAC_until_contractAuth` (Ioniq), and that of a reset from AN4.
    #[test]
    fn commands_are_the_recorded_ones() {
        let commands = [
            (Register::BufferSize.write(), 0x4100),
            (Register::WriteSpace.read(), 0xC200),
            (Register::ReadAvailable.read(), 0xC300),
            (Register::InterruptCause.read(), 0xCC00),
            (Register::InterruptCause.write(), 0x4C00),
            (Register::InterruptEnable.write(), 0x4D00),
            (Register::Signature.read(), 0xDA00),
            (Register::Config.read(), 0xC400),
            (Register::Config.write(), 0x4400),
            (READ, 0x8000),
            (WRITE, 0x0000),
        ];
        for (command, recorded) in commands {
            assert_eq!(command, recorded, "{command:04X}");
        }
    }

    /// 0x0440 after the start, 0x0401 with each frame, and 0x0047 enabled, in the same recording.
    #[test]
    fn recorded_causes_have_names() {
        assert_eq!(Cause::from_bits(0x0440), Some(Cause::CPU_ON | Cause::WRITE_BELOW_WATERMARK));
        assert_eq!(Cause::from_bits(0x0401), Some(Cause::PACKET | Cause::WRITE_BELOW_WATERMARK));
        assert_eq!(ENABLED.bits(), 0x0047);
        assert_eq!(Cause::from_bits(0xFFFF), None);
    }
}
