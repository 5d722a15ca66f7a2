use super::Layout;

/// Why an image is invalid, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} (offset {offset:#x})")]
pub struct Error {
    /// Bytes from the start of the image.
    pub offset: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with an image; the text advises what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file is too short.
    #[error("the image is cut off; read it from the modem again")]
    Short,
    /// Bytes follow the end of the image.
    #[error("bytes follow the end of the image; read it from the modem again")]
    Trailing,
    /// Neither a chain nor an old image.
    #[error("this is no parameter image; check the file's name")]
    Unknown,
    /// A header of another version.
    #[error("the header's version is not 1.1; this chip's images are not known")]
    Version,
    /// An impossible length.
    #[error("the length in the header is wrong; the image is damaged, use a backup")]
    Length,
    /// Headers that do not refer to each other, or not to their image.
    #[error("the headers do not link to each other; the image is damaged, use a backup")]
    Link,
    /// Something other than one manifest and one set of parameters.
    #[error("the chain holds something other than parameters; is it a firmware file?")]
    Kind,
    /// A chain without parameters.
    #[error("the chain holds no parameters; is it a firmware file?")]
    NoParameters,
    /// The header's checksum is wrong.
    #[error("the header's checksum is wrong; the image is damaged, use a backup")]
    HeaderChecksum,
    /// The image's checksum is wrong.
    #[error("the checksum is wrong: damaged, or changed by a tool that does not correct it; use a backup")]
    ImageChecksum,
}

impl Fault {
    pub(crate) const fn at(self, offset: usize) -> Error {
        Error { offset, fault: self }
    }
}

/// Why an edit was refused; the image is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// The image is invalid.
    #[error(transparent)]
    Image(#[from] Error),
    /// The position is not inside the parameters.
    #[error("{len} bytes at {offset:#x} are not inside the parameters, which are {available:#x} bytes long")]
    Outside {
        /// Bytes from the start of the parameters.
        offset: usize,
        /// Bytes to write.
        len: usize,
        /// Length of the parameters in bytes.
        available: usize,
    },
    /// The position is part of the old image's header, which is computed.
    #[error("offset {0:#x} belongs to the header, which is computed")]
    Computed(usize),
    /// The field does not exist in this layout.
    #[error("where {name} lies in a {layout:?} image is not known; nothing was changed")]
    Layout {
        /// The field.
        name: &'static str,
        /// The image's layout.
        layout: Layout,
    },
    /// The value's length differs from the field's, or a text is too long for it.
    #[error("{name} takes {max} bytes, not {len}")]
    Size {
        /// The field.
        name: &'static str,
        /// The value's length in bytes.
        len: usize,
        /// The field's length in bytes.
        max: usize,
    },
    /// A text with characters other than printable ASCII.
    #[error("{0} takes printable ASCII only")]
    NotPrintable(&'static str),
    /// An address that no station can have.
    #[error("a modem's address cannot be a group address or zero")]
    Address,
}
