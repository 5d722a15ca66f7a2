//! What the subcommands do.

pub mod decode;
pub mod exi;
