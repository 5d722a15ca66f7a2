//! The subcommands, one file each.

pub mod decode;
pub mod doctor;
pub mod evse;
pub mod exi;
pub mod listen;
pub mod manual;
pub mod modem;
pub mod pev;
pub mod redact;
pub mod sim_modem;
