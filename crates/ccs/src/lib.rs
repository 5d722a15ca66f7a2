//! The command ccs
#![no_std]
#![forbid(unsafe_code)]
