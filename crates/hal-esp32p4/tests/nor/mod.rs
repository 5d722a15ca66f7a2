//! A flash whose power fails at any byte.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::cell::RefCell;
use std::rc::Rc;

use hal_esp32p4::{Flash, Sector, Store};

/// NOR flash: writing clears bits, byte by byte; erasing sets them, in eight strokes.
pub(crate) struct Chip {
    pub sectors: [Vec<u8>; 2],
    /// Steps until the power fails; `None`: it does not fail.
    pub power: Option<usize>,
    /// The bits that the byte at the power failure keeps.
    pub torn: u8,
    pub steps: usize,
    pub erased: [u32; 2],
    /// Bytes that cannot be written any more, by sector and offset.
    pub worn: Vec<(usize, usize)>,
}

#[derive(Clone)]
pub(crate) struct Nor(pub Rc<RefCell<Chip>>);

#[derive(Debug, PartialEq)]
pub(crate) struct NoPower;

impl Nor {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(Chip {
            sectors: [vec![0xFF; 4_096], vec![0xFF; 4_096]],
            power: None,
            torn: 0,
            steps: 0,
            erased: [0; 2],
            worn: Vec::new(),
        })))
    }

    /// The power fails after this number of steps.
    pub(crate) fn fail_after(&self, steps: usize, torn: u8) {
        let mut chip = self.0.borrow_mut();
        (chip.power, chip.torn, chip.steps) = (Some(steps), torn, 0);
    }

    pub(crate) fn power_on(&self) {
        self.0.borrow_mut().power = None;
    }

    /// A copy as it is now.
    pub(crate) fn copy(&self) -> Self {
        let chip = self.0.borrow();
        let copy = Self::new();
        copy.0.borrow_mut().sectors.clone_from(&chip.sectors);
        copy.0.borrow_mut().worn.clone_from(&chip.worn);
        copy
    }

    pub(crate) fn load(&self) -> Store<Self> {
        Store::load(self.clone()).unwrap()
    }
}

impl Chip {
    /// One step, in which the power may fail.
    fn step(&mut self) -> Result<(), NoPower> {
        let is_over = self.power == Some(self.steps);
        self.steps += usize::from(!is_over);
        if is_over { Err(NoPower) } else { Ok(()) }
    }
}

impl Flash for Nor {
    type Error = NoPower;

    fn read(&mut self, sector: Sector, offset: u32, bytes: &mut [u8]) -> Result<(), NoPower> {
        let chip = self.0.borrow();
        let from = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(&chip.sectors[sector as usize][from..from + bytes.len()]);
        Ok(())
    }

    fn erase(&mut self, sector: Sector) -> Result<(), NoPower> {
        let mut chip = self.0.borrow_mut();
        chip.erased[sector as usize] += 1;
        for stroke in 0..8 {
            let torn = chip.torn;
            let is_torn = chip.step().is_err();
            // A torn stroke sets some bits of every byte; a whole one sets one bit more.
            let bits = if is_torn { torn } else { 0xFF >> (7 - stroke) };
            for byte in &mut chip.sectors[sector as usize] {
                *byte |= bits;
            }
            if is_torn {
                return Err(NoPower);
            }
        }
        Ok(())
    }

    fn write(&mut self, sector: Sector, offset: u32, bytes: &[u8]) -> Result<(), NoPower> {
        assert!(offset.is_multiple_of(4) && bytes.len().is_multiple_of(4), "whole words");
        let mut chip = self.0.borrow_mut();
        for (index, byte) in bytes.iter().enumerate() {
            let at = usize::try_from(offset).unwrap() + index;
            let torn = chip.torn;
            let is_torn = chip.step().is_err();
            let is_worn = chip.worn.contains(&(sector as usize, at));
            let mask = if is_torn { torn } else { 0 } | if is_worn { 0xFF } else { 0 };
            chip.sectors[sector as usize][at] &= byte | mask;
            if is_torn {
                return Err(NoPower);
            }
        }
        Ok(())
    }
}
