//! What survives a power cut: settings and the latch, in two sectors of flash.

mod image;
mod record;

use session::Latch;

pub use image::{Full, Key};

use crate::WhileSafe;
use image::Image;
use record::{Record, SLOT, SLOTS, Slot};

/// One of the two sectors of the store, 4096 bytes each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sector {
    /// The lower address.
    First,
    /// The higher address.
    Second,
}

impl Sector {
    /// Size in bytes.
    pub const BYTES: u32 = 4_096;

    /// The other of the two sectors.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Two sectors of NOR flash: implemented by the code for the chip. Offsets and lengths are multiples of 4.
///
/// Writing turns ones into zeros only. On the ESP32-P4 the code that erases and writes runs from RAM, because
/// the chip cannot fetch instructions from the flash meanwhile. An erase takes about 50 ms (from memory), in
/// which no other code runs.
pub trait Flash {
    /// Why the access failed.
    type Error: core::fmt::Debug;

    /// Reads `bytes.len()` bytes from `offset`.
    ///
    /// # Errors
    /// The flash does not answer.
    fn read(&mut self, sector: Sector, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Sets the whole sector to ones.
    ///
    /// # Errors
    /// The flash does not answer, or the erase failed.
    fn erase(&mut self, sector: Sector) -> Result<(), Self::Error>;

    /// Writes into erased bytes. Returns when the write is complete.
    ///
    /// # Errors
    /// The flash does not answer, or the write failed.
    fn write(&mut self, sector: Sector, offset: u32, bytes: &[u8]) -> Result<(), Self::Error>;
}

impl<F: Flash> Flash for &mut F {
    type Error = F::Error;

    fn read(&mut self, sector: Sector, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        (**self).read(sector, offset, bytes)
    }

    fn erase(&mut self, sector: Sector) -> Result<(), F::Error> {
        (**self).erase(sector)
    }

    fn write(&mut self, sector: Sector, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        (**self).write(sector, offset, bytes)
    }
}

/// Why settings were not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError<E> {
    /// An access to the flash failed.
    #[error("the flash failed: {0:?}")]
    Flash(E),
    /// No remaining slot reads back what was written.
    #[error("the flash is worn: nothing that is written to its sectors reads back; replace the board")]
    Worn,
}

/// Settings and the latch.
///
/// Each sector has 8 slots of 512 bytes. A save writes everything into the next blank slot, with the next
/// number and a check sum, which is written last. The newest good copy is used, and a torn one is skipped.
/// The other sector is erased before the last slot of this one is written, so that every save goes into an
/// erased sector.
///
/// The first word of a slot is written first and states whether a latch is being set. If that save is torn,
/// the latch counts as [`Latch::Unreadable`]. Flash with data but without a good copy counts the same. Blank
/// flash is a new board. Residual hazard: eight torn saves in a row fill a sector, which must be erased
/// before the ninth is written; a power cut at that moment removes the trace of a torn latch.
///
/// Values are set in memory immediately and saved when the outputs are SAFE ([`save`](Self::save)). Until
/// then the latch in memory stops the role.
#[derive(Debug)]
pub struct Store<F> {
    flash: F,
    image: Image,
    /// The latch of the newest good copy.
    saved_latch: Option<Latch>,
    is_dirty: bool,
    number: u32,
    /// The sector of the newest good copy.
    current: Option<Sector>,
    first: Use,
    second: Use,
}

/// The use of a sector.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    /// Slots up to the last one that is not blank.
    used: u32,
    /// Whether a save that sets a latch was torn after the newest good copy.
    is_latch_torn: bool,
}

impl Use {
    const fn is_full(self) -> bool {
        self.used >= SLOTS
    }
}

impl<F: Flash> Store<F> {
    /// Loads settings and latch.
    ///
    /// # Errors
    /// The flash does not answer.
    pub fn load(flash: F) -> Result<Self, StoreError<F::Error>> {
        let mut store = Self {
            flash,
            image: Image::new(),
            saved_latch: None,
            is_dirty: false,
            number: 0,
            current: None,
            first: Use::default(),
            second: Use::default(),
        };
        store.scan(Sector::First)?;
        store.scan(Sector::Second)?;
        store.saved_latch = store.image.latch();
        if store.is_latch_lost() {
            store.set_latch(Some(Latch::Unreadable));
        }
        Ok(store)
    }

    /// The value of a key; `None` if it is not set.
    pub fn get(&self, key: Key) -> Option<&[u8]> {
        self.image.get(key.0)
    }

    /// Sets a value in memory; [`save`](Self::save) writes it.
    ///
    /// # Errors
    /// No room for it; nothing has changed.
    pub fn set(&mut self, key: Key, value: &[u8]) -> Result<(), Full> {
        if self.get(key) != Some(value) {
            self.image.set(key.0, value)?;
            self.is_dirty = true;
        }
        Ok(())
    }

    /// Removes a value in memory.
    pub fn remove(&mut self, key: Key) {
        self.is_dirty |= self.image.remove(key.0);
    }

    /// The latch in memory; `None` if none is set.
    pub fn latch(&self) -> Option<Latch> {
        self.image.latch()
    }

    /// Sets or resets the latch in memory. Room for it is reserved.
    pub fn set_latch(&mut self, latch: Option<Latch>) {
        self.is_dirty |= latch != self.latch();
        self.image.set_latch(latch);
    }

    /// Whether a change is not saved yet.
    pub const fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// Saves all changes; without a change it does nothing.
    ///
    /// # Errors
    /// [`StoreError`]: the copy saved before is unchanged.
    pub fn save(&mut self, _safe: &WhileSafe<'_>) -> Result<(), StoreError<F::Error>> {
        if !self.is_dirty {
            return Ok(());
        }
        let start = self.current.unwrap_or(Sector::First);
        // A torn save in the other sector may be the only trace of a latch: it is erased only as the last
        // resort.
        for (sector, erases) in [(start, false), (start.other(), false), (start.other(), true)] {
            if erases {
                self.erase(sector)?;
            }
            while !self.in_use(sector).is_full() {
                self.erase_ahead()?;
                if self.write_next(sector)? {
                    self.is_dirty = false;
                    self.saved_latch = self.latch();
                    return Ok(());
                }
            }
        }
        Err(StoreError::Worn)
    }

    /// Erases the unused sector before the last blank slot of the other one is written, and never later, so
    /// that a torn erase is not mistaken for a torn save.
    fn erase_ahead(&mut self) -> Result<(), StoreError<F::Error>> {
        let Some(current) = self.current else { return Ok(()) };
        if self.in_use(current).used + 1 == SLOTS {
            self.erase(current.other())?;
        }
        Ok(())
    }

    fn erase(&mut self, sector: Sector) -> Result<(), StoreError<F::Error>> {
        if self.in_use(sector).used > 0 {
            self.flash.erase(sector).map_err(StoreError::Flash)?;
            *self.in_use(sector) = Use::default();
        }
        Ok(())
    }

    /// Writes everything into the next slot; `true` if it reads back.
    fn write_next(&mut self, sector: Sector) -> Result<bool, StoreError<F::Error>> {
        let slot = self.in_use(sector).used;
        self.in_use(sector).used += 1;
        let sets_latch = self.latch().is_some() && self.latch() != self.saved_latch;
        let record = Record::new(self.number.saturating_add(1), sets_latch, self.image.bytes());
        for (offset, bytes) in record.parts() {
            self.flash.write(sector, slot * SLOT + offset, bytes).map_err(StoreError::Flash)?;
        }
        let Slot::Good { number, .. } = self.read(sector, slot)? else { return Ok(false) };
        (self.number, self.current) = (number, Some(sector));
        Ok(true)
    }

    fn read(&mut self, sector: Sector, slot: u32) -> Result<Slot, StoreError<F::Error>> {
        let mut bytes = [0; SLOT as usize];
        self.flash.read(sector, slot * SLOT, &mut bytes).map_err(StoreError::Flash)?;
        Ok(Slot::of(&bytes))
    }

    fn scan(&mut self, sector: Sector) -> Result<(), StoreError<F::Error>> {
        for index in 0..SLOTS {
            let slot = self.read(sector, index)?;
            let usage = self.in_use(sector);
            match slot {
                Slot::Blank => continue,
                Slot::Torn { sets_latch } => usage.is_latch_torn |= sets_latch,
                Slot::Good { number, image } => {
                    // Torn before this good copy: no longer relevant.
                    usage.is_latch_torn = false;
                    if self.current.is_none() || number > self.number {
                        (self.number, self.current, self.image) = (number, Some(sector), image);
                    }
                }
            }
            self.in_use(sector).used = index + 1;
        }
        Ok(())
    }

    /// Whether a latch may have been saved that cannot be read: data exist without a good copy, or the save
    /// of a latch was torn after the newest good copy.
    fn is_latch_lost(&self) -> bool {
        let Some(current) = self.current else { return self.first.used + self.second.used > 0 };
        let (own, other) = match current {
            Sector::First => (self.first, self.second),
            Sector::Second => (self.second, self.first),
        };
        // A save continues in the other sector only when this one is full and the other was erased.
        own.is_latch_torn || own.is_full() && other.is_latch_torn
    }

    const fn in_use(&mut self, sector: Sector) -> &mut Use {
        match sector {
            Sector::First => &mut self.first,
            Sector::Second => &mut self.second,
        }
    }
}
