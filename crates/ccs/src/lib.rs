//! The command `ccs` as a library: what `main` starts, and what tests look at.
#![forbid(unsafe_code)]

pub mod cli;
pub mod command;
mod config;
pub mod decode;
mod demo;
mod hex;
mod log;
mod style;
