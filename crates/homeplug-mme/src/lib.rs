//! `HomePlug` AV and Green PHY management messages.
#![no_std]
#![forbid(unsafe_code)]

mod mac;

pub use mac::Mac;
