//! The command `ccs` as a library, for `main` and for tests.
//!
//! | module | purpose |
//! |---|---|
//! | [`cli`] | the list of subcommands, and the exit code of the process |
//! | [`command`] | one file for each subcommand, with its options |
//! | [`decode`] | from a file to the messages in it |
//! | [`redact`] | replaces identifiers and keys in a capture |
//!
//! # Example
//! The messages in a capture, here two lines of hexadecimal text:
//!
//! ```
//! use ccs::decode::{Content, Decoder, source::Source};
//! use std::{io::Cursor, ops::ControlFlow};
//!
//! let input = b"80400040\n809a0011d00000\n";
//! let source = Source::open(Box::new(Cursor::new(input)))?;
//! let mut decoder = Decoder::new();
//! let mut names = Vec::new();
//! source.read(&mut |packet| {
//!     decoder.take(packet, &mut |event| {
//!         if let Content::Exi(exi) = &event.content {
//!             names.extend(exi.message);
//!         }
//!     });
//!     ControlFlow::Continue(())
//! })?;
//! assert_eq!(names, ["supportedAppProtocolRes", "SessionSetupReq"]);
//! # Ok::<(), ccs::decode::source::Error>(())
//! ```
#![forbid(unsafe_code)]
#![allow(unnameable_types, reason = "the command's own parts; the library is `decode`")]

mod calendar;
pub mod cli;
pub mod command;
mod config;
pub mod decode;
mod demo;
mod drive;
mod escape;
mod exit;
mod hex;
mod inbox;
mod latches;
mod lines;
mod log;
mod log_writer;
mod name;
mod plant;
mod recording;
pub mod redact;
mod repeats;
mod reporter;
mod retelling;
mod running;
mod said;
mod style;
mod words;
mod world;
