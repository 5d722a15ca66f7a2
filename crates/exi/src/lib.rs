//! Schema-informed, bit-packed EXI as the charging protocols use it, without an allocator.
//!
//! EXI omits the tags of an XML document and keeps the choices that its schema leaves open. The schema is
//! declared once, as plain Rust types. Everything else is derived from them: event codes and their widths,
//! decoder, encoder, names and bit positions for a dissector, and JSON.
//!
//! ```
//! exi::enumeration! {
//!     /// What the meter counts.
//!     pub enum Unit {
//!         /// Watt hours.
//!         Wh = "Wh",
//!         /// Ampere hours.
//!         Ah = "Ah",
//!     }
//! }
//! exi::element! {
//!     /// One reading of a meter.
//!     pub struct Reading<'a> {
//!         /// Who measured: at most 8 characters.
//!         pub meter: exi::Text<'a, 8> = "Meter",
//!         /// What was counted, if it is not Wh.
//!         pub unit: Option<Unit> = "Unit",
//!         /// The count: -32768..=32767.
//!         pub value: i16 = "Value",
//!     }
//! }
//!
//! // In this schema `Reading` is code 0 of two global elements, so the code has two bits.
//! const ROOT: exi::Root = exi::Root { name: "Reading", code: 0, bits: 2, end: None };
//!
//! let reading = Reading { meter: "A1".into(), unit: None, value: -5 };
//! let mut buffer = [0; 16];
//! let length = exi::encode(&reading, ROOT, &mut buffer)?;
//! assert_eq!(buffer[..length], [0x80, 0x00, 0x44, 0x13, 0x12, 0x82, 0x00]);
//!
//! let decoded: Reading<'_> = exi::decode(&buffer[..length], ROOT)?;
//! assert_eq!(decoded.value, -5);
//! assert!(decoded.meter == "A1" && decoded.unit.is_none());
//!
//! // A cut stream says where it ends and in which element.
//! let error = exi::decode::<Reading<'_>>(&buffer[..4], ROOT).unwrap_err();
//! assert_eq!(error.kind, exi::ErrorKind::Truncated);
//! # Ok::<(), exi::Error>(())
//! ```
//!
//! # How a declaration becomes a grammar
//! * The type of a field determines how often it may occur: `T` once, `Option<T>` at most once, [`List`]
//!   repeatedly, an enum made by [`choice!`] for a choice or substitution group.
//! * Before each field the grammar is in a *state*. Its productions are the optional fields from here to the
//!   first required one (or the end of the element), and one more code for the second level of EXI's grammar.
//!   [`State`] counts them at compile time.
//! * Strings, binaries, lists and large rare elements stay in the input: [`Text`], [`Binary`], [`List`] and
//!   [`View`] are views of its bits, or of a plain slice when a message is built. [`decode`] checks the whole
//!   document, views included, so reading a view later cannot fail.
//!
//! # What is lenient and what is strict
//! The decoder accepts what deployed peers send:
//! * bytes after the end of the document,
//! * padding that is not zero,
//! * integers with superfluous groups,
//! * strings and binaries longer than the schema's length facet,
//! * an empty string or binary coded as a second-level end of element.
//!
//! Everything else that the schema does not allow is an [`Error`]. The encoder writes the canonical form
//! only.
#![no_std]
#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::cast_lossless,
    reason = "bit arithmetic: a value has the width that was read, or that its type bounds"
)]
#![allow(
    clippy::inline_always,
    reason = "the event codes of a field are constants only where its declaration is inlined"
)]

#[cfg(feature = "json")]
extern crate alloc;

mod binary;
mod bits;
mod document;
mod error;
mod input;
mod integer;
#[cfg(feature = "json")]
pub mod json;
mod list;
mod macros;
mod particle;
mod reader;
mod root;
pub mod shape;
mod simple;
mod state;
mod text;
#[cfg(feature = "names")]
pub mod trace;
mod value;
mod view;
mod writer;

pub use binary::{Base64Binary, Binary, HexBinary};
pub use bits::Bits;
pub use document::{decode, decode_at, decode_measured, encode};
pub use error::{Error, ErrorKind, Path};
pub use input::Input;
pub use integer::Integer;
pub use list::{Items, List, UNBOUNDED};
pub use particle::{Attribute, Field, Head, Next, Particle, Position, Slot, Wildcard, ends_fixed, grammar};
pub use reader::Reader;
pub use root::{Root, root_code};
pub use simple::Simple;
pub use state::{State, bits_for};
pub use text::Text;
pub use value::{Bounded, Saturated};
pub use view::View;
pub use writer::Writer;

#[cfg(feature = "json")]
#[doc(hidden)]
pub use {bumpalo, serde, serde_json};
