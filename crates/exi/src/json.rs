//! Messages to JSON and back, from the same declarations (feature `json`).
//!
//! The mapping:
//! * names are those of the schema; an absent element is absent,
//! * a repeated element is an array,
//! * `xs:hexBinary` is upper-case hexadecimal, `xs:base64Binary` is base 64,
//! * an enumeration is its schema name,
//! * an attribute is `"@Name"`, the value of a type with attributes and simple content is `"$"`.

mod convert;
mod source;
mod values;
mod write;

use alloc::borrow::ToOwned as _;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt;

use bumpalo::Bump;
use serde_json::{Map, Value};

use crate::shape::Shape;
use crate::trace::Sink;
use crate::{Error, ErrorKind, Path, Root, encode};
#[doc(hidden)]
pub use convert::add;
pub use convert::{Json, JsonField, Members};
use source::Link;
pub use source::Source;

/// Why JSON is not a message of its schema, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// The names of the elements around it, outermost first, with `/` between them.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "in {}: {}", self.path, self.message)
        }
    }
}

impl core::error::Error for JsonError {}

/// The elements of one schema set, for tools: see [`schema!`](crate::schema).
pub struct Schema {
    /// The width of a root element's code in a document, in bits.
    pub document_bits: u8,
    /// The width of a root element's code in a fragment, in bits.
    pub fragment_bits: u8,
    /// All distinct element names in the order of the fragment grammar.
    pub elements: &'static [Declared],
}

/// One element of a schema set.
pub struct Declared {
    /// Its name in the schema.
    pub name: &'static str,
    /// Whether it is a global element, which may be the root of a document.
    pub global: bool,
    /// Decodes a stream with this root.
    pub decode: fn(&[u8], Root) -> Result<Value, Error>,
    /// Encodes a stream with this root.
    pub encode: for<'a> fn(Source<'a, '_>, Root) -> Result<Vec<u8>, JsonError>,
    /// Dissects a stream with this root.
    pub dissect: for<'a> fn(&'a [u8], Root, &mut dyn Sink<'a>) -> Result<(), Error>,
    /// Its declaration.
    pub shape: &'static Shape,
}

impl Schema {
    /// Decodes a document or a fragment with any root element of the schema, to `{"Name": content}`.
    pub fn decode(&self, stream: &[u8], fragment: bool) -> Result<Value, Error> {
        let (element, root) = self.announced(stream, fragment)?;
        let content = (element.decode)(stream, root)?;
        Ok(Value::Object(Map::from_iter([(element.name.to_owned(), content)])))
    }

    /// Dissects a document or a fragment with any root element of the schema.
    pub fn dissect<'a>(
        &self,
        stream: &'a [u8],
        fragment: bool,
        sink: &mut dyn Sink<'a>,
    ) -> Result<(), Error> {
        let (element, root) = self.announced(stream, fragment)?;
        (element.dissect)(stream, root, sink)
    }

    /// Encodes `{"Name": content}`. If several elements have the name, the global one is used.
    pub fn encode(&self, json: &Value, fragment: bool) -> Result<Vec<u8>, JsonError> {
        let fail = |message: String| JsonError { path: String::new(), message };
        let Some((name, content)) =
            json.as_object().filter(|object| object.len() == 1).and_then(|o| o.iter().next())
        else {
            return Err(fail("expected an object with one member, the root element".to_owned()));
        };
        let roots = self.roots(fragment).filter(|(element, _)| element.name == name);
        let Some((element, root)) = roots.max_by_key(|(element, _)| element.global) else {
            let kind = if fragment { "an element" } else { "a global element" };
            return Err(fail(format!("{name:?} is not {kind} of this schema")));
        };
        let arena = Bump::new();
        let link = Link { name: element.name, parent: None };
        (element.encode)(Source { value: content, arena: &arena, at: &link }, root)
    }

    /// The root element that a stream announces.
    fn announced(&self, stream: &[u8], fragment: bool) -> Result<(&'static Declared, Root), Error> {
        let bits = if fragment { self.fragment_bits } else { self.document_bits };
        let code = crate::root_code(stream, bits)?;
        self.roots(fragment).find(|(_, root)| root.code == code).ok_or(Error {
            kind: ErrorKind::Root,
            bit: 8,
            path: Path::default(),
        })
    }

    fn roots(&self, fragment: bool) -> impl Iterator<Item = (&'static Declared, Root)> {
        let bits = if fragment { self.fragment_bits } else { self.document_bits };
        // After the elements follow the code of any other element and the code of the end.
        let end = if fragment { u16::try_from(self.elements.len() + 1).ok() } else { None };
        let elements = self.elements.iter().filter(move |element| fragment || element.global);
        (0..)
            .zip(elements)
            .map(move |(code, element)| (element, Root { name: element.name, code, bits, end }))
    }
}

/// Decodes a `T` to JSON.
#[doc(hidden)]
pub fn decode_one<'a, T: Json<'a>>(stream: &'a [u8], root: Root) -> Result<Value, Error> {
    let value: T = crate::decode(stream, root)?;
    Ok(convert::Item::new(&value).to_value())
}

/// Encodes a `T` from JSON.
#[doc(hidden)]
pub fn encode_one<'a, T: Json<'a>>(source: Source<'a, '_>, root: Root) -> Result<Vec<u8>, JsonError> {
    let value = T::from_json(source)?;
    let mut buffer = vec![0; 4096];
    loop {
        match encode(&value, root, &mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(buffer);
            }
            Err(Error { kind: ErrorKind::BufferFull, .. }) if buffer.len() < MAX_STREAM => {
                buffer.resize(buffer.len() * 4, 0);
            }
            Err(error) => return Err(source.error(&error.kind.to_string())),
        }
    }
}

/// Bound of the buffer for a stream made from JSON, in bytes: judgement, far above any message.
const MAX_STREAM: usize = 1 << 24;
