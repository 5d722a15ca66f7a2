//! Care of power-line modems.
#![no_std]
#![forbid(unsafe_code)]

pub mod pib;
