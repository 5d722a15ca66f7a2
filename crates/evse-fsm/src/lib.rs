//! The charger's DIN session and its plant, without I/O
#![no_std]
#![forbid(unsafe_code)]
