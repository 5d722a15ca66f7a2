use core::fmt;

use board::Serial;
use esp_hal::Blocking;
use esp_hal::peripherals::UART0;
use esp_hal::uart::Uart;

/// UART0: the log and the commands.
pub struct SerialLine(Uart<'static, Blocking>);

impl SerialLine {
    /// The serial line on this UART.
    pub const fn new(uart: Uart<'static, Blocking>) -> Self {
        Self(uart)
    }
}

impl Serial for SerialLine {
    fn read(&mut self) -> Option<u8> {
        let mut byte = [0];
        let count = self.0.read_buffered(&mut byte).ok()?;
        byte.first().copied().filter(|_| count == 1)
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        if bytes.is_empty() || !self.0.write_ready() {
            return 0;
        }
        // Room for at least one byte was checked, so that it does not wait.
        self.0.write(bytes).unwrap_or(0)
    }
}

/// UART0's registers as the bootloader left them or esp-hal set them up: for log lines after a panic, and
/// before the start.
pub struct Bare;

impl Bare {
    /// Bytes in the hardware's queue of 128 from which on a write waits.
    const FULL: u8 = 120;
    /// Reads of the queue's level before a byte is dropped, about 1 ms (judgement): at 115 200 baud a byte
    /// takes 87 us.
    const PATIENCE: u32 = 20_000;
}

impl fmt::Write for Bare {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let uart = UART0::regs();
        for byte in text.bytes() {
            let has_room = (0..Self::PATIENCE).any(|_| uart.status().read().txfifo_cnt().bits() < Self::FULL);
            if !has_room {
                return Err(fmt::Error);
            }
            // SAFETY: any byte is valid.
            uart.fifo().write(|w| unsafe { w.rxfifo_rd_byte().bits(byte) });
        }
        Ok(())
    }
}
