//! DIN SPEC 70121 messages
#![no_std]
#![forbid(unsafe_code)]
