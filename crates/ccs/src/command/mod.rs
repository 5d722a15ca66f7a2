//! What the subcommands do.

pub mod decode;
pub mod evse;
pub mod exi;
pub mod pev;
pub mod sim_modem;
