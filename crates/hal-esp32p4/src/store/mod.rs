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
    /// The first.
    First,
    /// The second.
    Second,
}

impl Sector {
    /// Size in bytes.
    pub const BYTES: u32 = 4_096;

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Two sectors of NOR flash: what the half for the chip implements. Offsets and lengths are multiples of 4.
///
/// Writing turns ones into zeros only. On the ESP32-P4 the code that erases and writes runs from RAM, because
/// the chip cannot fetch instructions from the flash meanwhile: a sector is not erased for some 50 ms (from
/// memory), and nothing else runs.
pub trait Flash {
    /// Why it failed.
    type Error: core::fmt::Debug;

    /// Reads.
    ///
    /// # Errors
    /// The flash does not answer.
    fn read(&mut self, sector: Sector, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Makes the whole sector ones.
    ///
    /// # Errors
    /// The flash does not answer, or the erase failed.
    fn erase(&mut self, sector: Sector) -> Result<(), Self::Error>;

    /// Writes into ones. Returns when it is in the flash.
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

/// Why settings were not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError<E> {
    /// The flash failed.
    #[error("the flash failed: {0:?}")]
    Flash(E),
    /// What was written did not read back, in any slot that is left.
    #[error("the flash is worn: nothing that is written to its sectors reads back; replace the board")]
    Worn,
}

/// Settings and the latch.
///
/// Each sector has 8 slots of 512 bytes; a save writes everything into the next blank slot, with a number one
/// higher than before and a check sum, written last. So the last good copy wins, and a torn one is skipped.
/// The other sector is erased before the last slot of this one is written, so every save goes into an erased
/// sector.
///
/// A slot begins with a word of its own, written first, that says whether a latch is being set: where that
/// save was torn, the latch counts as [`Latch::Unreadable`]. So does flash that holds something and no good
/// copy. Blank flash is a new board. What is left: eight torn saves in a row fill a sector, and it must be
/// erased before the ninth is written; power that fails just then takes the trace of a torn latch along.
///
/// Values are set in memory at once and saved when the outputs are SAFE ([`save`](Self::save)). A latch holds
/// the role in memory meanwhile.
#[derive(Debug)]
pub struct Store<F> {
    flash: F,
    image: Image,
    /// The latch of the newest good copy.
    saved_latch: Option<Latch>,
    is_dirty: bool,
    number: u32,
    /// Where the newest good copy is.
    current: Option<Sector>,
    first: Use,
    second: Use,
}

/// What is in a sector.
#[derive(Clone, Copy, Debug, Default)]
struct Use {
    /// Slots up to the last one that is not blank.
    used: u32,
    /// Whether a slot is torn in which a latch was being set, after the newest good copy.
    is_latch_torn: bool,
}

impl Use {
    const fn is_full(self) -> bool {
        self.used >= SLOTS
    }
}

impl<F: Flash> Store<F> {
    /// Reads what is kept.
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

    /// The value of a key.
    pub fn get(&self, key: Key) -> Option<&[u8]> {
        self.image.get(key.0)
    }

    /// Sets a value, in memory; [`save`](Self::save) keeps it.
    ///
    /// # Errors
    /// There is no room for it; nothing has changed.
    pub fn set(&mut self, key: Key, value: &[u8]) -> Result<(), Full> {
        if self.get(key) != Some(value) {
            self.image.set(key.0, value)?;
            self.is_dirty = true;
        }
        Ok(())
    }

    /// Forgets a value, in memory.
    pub fn remove(&mut self, key: Key) {
        self.is_dirty |= self.image.remove(key.0);
    }

    /// The latch.
    pub fn latch(&self) -> Option<Latch> {
        self.image.latch()
    }

    /// Sets or resets the latch, in memory. There is always room for it.
    pub fn set_latch(&mut self, latch: Option<Latch>) {
        self.is_dirty |= latch != self.latch();
        self.image.set_latch(latch);
    }

    /// Whether something was set that is not saved.
    pub const fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// Saves what was set since, if anything was.
    ///
    /// # Errors
    /// [`StoreError`]: what was saved before is still there.
    pub fn save(&mut self, _safe: &WhileSafe<'_>) -> Result<(), StoreError<F::Error>> {
        if !self.is_dirty {
            return Ok(());
        }
        let start = self.current.unwrap_or(Sector::First);
        // What is torn in the other sector may be all that is left of a latch: it is erased only when there
        // is no other way.
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

    /// Erases the sector that is not in use before the last blank slot of the other one is written: never
    /// later, so that a torn erase is not taken for a torn save.
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

    /// Writes everything into the next slot; whether it reads back.
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
                    // Torn before this one: over.
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

    /// Whether a latch may have been kept that cannot be read: something is there without a good copy, or the
    /// save of a latch was torn after the newest good copy.
    fn is_latch_lost(&self) -> bool {
        let Some(current) = self.current else { return self.first.used + self.second.used > 0 };
        let (own, other) = match current {
            Sector::First => (self.first, self.second),
            Sector::Second => (self.second, self.first),
        };
        // A save goes on in the other sector only when this one is full and that one was erased.
        own.is_latch_torn || own.is_full() && other.is_latch_torn
    }

    const fn in_use(&mut self, sector: Sector) -> &mut Use {
        match sector {
            Sector::First => &mut self.first,
            Sector::Second => &mut self.second,
        }
    }
}
