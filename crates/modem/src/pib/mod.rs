//! A modem's parameter image (PIB): its address, keys, names, role and many other parameters.
//!
//! [`Image`] reads and shows one, [`Editor`] changes one in place, [`Image::findings`] lists what its owner
//! should check. All of them refuse an image whose sizes, links or checksums are wrong, with the position of
//! the fault.
//!
//! # Example
//! ```
//! use modem::pib::{Editor, Image, Layout, Role, field};
//!
//! let mut file = [0; 8836]; // the parameters of a QCA7420, without the chain around them
//! Editor::open(&mut file)?.set_role(Role::Evse)?;
//!
//! let image = Image::parse(&file)?;
//! assert_eq!((image.layout(), image.role()), (Layout::Bare, Some(Role::Evse)));
//! assert_eq!(image.get(&field::CCO_SELECTION).unwrap().to_string(), "2 (always)");
//! assert_eq!(image.get(&field::NMK).unwrap().to_string(), "(secret)");
//! assert_eq!(image.findings().count(), 3); // no checksums, no address, an id that is not the key's
//! # Ok::<(), modem::pib::EditError>(())
//! ```
mod edit;
mod error;
pub mod field;
mod finding;
mod image;
mod layout;
mod role;
#[cfg(test)]
pub(crate) mod sample;

pub use edit::Editor;
pub use error::{EditError, Error, Fault};
pub use field::{FIELDS, Field, Kind, Secret, Text, Value};
pub use finding::Finding;
pub use image::Image;
pub use layout::{checksum32, seal};
pub use role::Role;

/// Layout of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// QCA7000, QCA7005, QCA7420: a chain of headers and images, each with two checksums.
    Chain,
    /// `INT6x00` and AR7400: one block with a short header and one checksum.
    Flat,
    /// The parameters of a chain alone, as some tools save them: without checksum; cannot be written to a
    /// modem.
    Bare,
}
