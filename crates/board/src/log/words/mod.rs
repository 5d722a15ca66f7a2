//! Events in words, the same as those of the command `ccs`.

pub mod car;
pub mod charger;
mod link;
mod message;
