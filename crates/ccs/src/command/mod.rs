//! What the subcommands do.

pub mod decode;
pub mod evse;
pub mod exi;
