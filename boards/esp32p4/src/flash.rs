use esp_hal::peripherals::FLASH;
use esp_storage::{FlashStorage, FlashStorageError};
use hal_esp32p4::{Flash, Sector};

/// Two sectors of the flash, through esp-storage: the functions of the chip's ROM, called from RAM with
/// interrupts off. No other code runs meanwhile, so `Store` writes only while the outputs are SAFE.
pub struct StoreFlash(FlashStorage<'static>);

/// Buffer for a part of a read or write, at a multiple of 4 as the ROM requires. For other addresses
/// esp-storage has another path, which uses 4096 bytes of stack.
#[repr(align(4))]
struct Aligned([u8; 64]);

impl StoreFlash {
    /// Offset of the first sector: the partition `store` of `partitions.csv`.
    pub const OFFSET: u32 = 0x9000;

    /// The chip's flash.
    pub fn new(flash: FLASH<'static>) -> Self {
        Self(FlashStorage::new(flash))
    }

    const fn at(sector: Sector, offset: u32) -> u32 {
        let sector = match sector {
            Sector::First => 0,
            Sector::Second => Sector::BYTES,
        };
        Self::OFFSET + sector + offset
    }
}

impl Flash for StoreFlash {
    type Error = FlashStorageError;

    fn read(&mut self, sector: Sector, offset: u32, bytes: &mut [u8]) -> Result<(), FlashStorageError> {
        let mut part = Aligned([0; 64]);
        let mut at = Self::at(sector, offset);
        for to in bytes.chunks_mut(part.0.len()) {
            let Some(from) = part.0.get_mut(..to.len()) else { continue };
            self.0.read_nor(at, from)?;
            to.copy_from_slice(from);
            at += 64;
        }
        Ok(())
    }

    fn erase(&mut self, sector: Sector) -> Result<(), FlashStorageError> {
        let from = Self::at(sector, 0);
        self.0.erase(from, from + Sector::BYTES)
    }

    fn write(&mut self, sector: Sector, offset: u32, bytes: &[u8]) -> Result<(), FlashStorageError> {
        let mut part = Aligned([0; 64]);
        let mut at = Self::at(sector, offset);
        for from in bytes.chunks(part.0.len()) {
            let Some(to) = part.0.get_mut(..from.len()) else { continue };
            to.copy_from_slice(from);
            self.0.write_nor(at, to)?;
            at += 64;
        }
        Ok(())
    }
}
