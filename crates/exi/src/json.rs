//! JSON both ways, from the same declarations (feature `json`).
//!
//! The mapping: element names as in the schema, a repeated element is an array, `xs:hexBinary` is
//! upper-case hexadecimal and `xs:base64Binary` base 64, an enumeration its schema name, an attribute
//! `"@Name"`, the value of a type with attributes and simple content `"$"`. An absent element is absent.

use std::cell::RefCell;
use std::fmt;

use base64::Engine as _;
use bumpalo::Bump;
use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use crate::shape::Shape;
use crate::trace::Sink;
use crate::{Error, ErrorKind, Integer, Particle, Path, Root, encode};

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

impl std::error::Error for JsonError {}

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
    /// Walks through a stream with this root.
    pub dissect: for<'a> fn(&'a [u8], Root, &mut dyn Sink<'a>) -> Result<(), Error>,
    /// Its declaration.
    pub shape: &'static Shape,
}

impl Schema {
    /// Decodes a document, or a fragment, whatever its root element is: `{"Name": content}`.
    pub fn decode(&self, stream: &[u8], fragment: bool) -> Result<Value, Error> {
        let (element, root) = self.announced(stream, fragment)?;
        let content = (element.decode)(stream, root)?;
        Ok(Value::Object(Map::from_iter([(element.name.to_owned(), content)])))
    }

    /// Walks through a document, or a fragment, whatever its root element is.
    pub fn dissect<'a>(
        &self,
        stream: &'a [u8],
        fragment: bool,
        sink: &mut dyn Sink<'a>,
    ) -> Result<(), Error> {
        let (element, root) = self.announced(stream, fragment)?;
        (element.dissect)(stream, root, sink)
    }

    /// Encodes `{"Name": content}`. Where a name stands for several elements, the global one is meant.
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
        // Behind the elements come the codes of any other element and of the end.
        let end = if fragment { u16::try_from(self.elements.len() + 1).ok() } else { None };
        let elements = self.elements.iter().filter(move |element| fragment || element.global);
        (0..)
            .zip(elements)
            .map(move |(code, element)| (element, Root { name: element.name, code, bits, end }))
    }
}

/// Decodes a `T` to JSON.
#[doc(hidden)]
pub fn decode_one<'a, T: Particle<'a>>(stream: &'a [u8], root: Root) -> Result<Value, Error> {
    let value: T = crate::decode(stream, root)?;
    // A message is a tree of maps with text keys: building one in memory cannot fail.
    Ok(Item(&value, std::marker::PhantomData).to_value())
}

/// Encodes a `T` from JSON.
#[doc(hidden)]
pub fn encode_one<'a, T: Particle<'a>>(source: Source<'a, '_>, root: Root) -> Result<Vec<u8>, JsonError> {
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

/// The longest stream that is made from JSON, in bytes: judgement.
const MAX_STREAM: usize = 1 << 24;

/// A place in a JSON document, for error messages.
#[derive(Debug)]
struct Link<'p> {
    name: &'p str,
    parent: Option<&'p Link<'p>>,
}

impl Link<'_> {
    fn path(&self) -> String {
        self.parent.map_or_else(|| self.name.to_owned(), |parent| format!("{}/{}", parent.path(), self.name))
    }
}

/// JSON from which a value is made, and where in the document it stands.
#[derive(Clone, Copy)]
pub struct Source<'a, 'p> {
    /// The JSON.
    pub value: &'a Value,
    arena: &'a Bump,
    at: &'p Link<'p>,
}

impl<'a, 'p> Source<'a, 'p> {
    /// The name of the element.
    pub fn name(&self) -> &'p str {
        self.at.name
    }

    /// An error here.
    pub fn error(&self, message: &str) -> JsonError {
        JsonError { path: self.at.path(), message: message.to_owned() }
    }

    /// Keeps a value as long as the message lives.
    pub(crate) fn keep<T: Copy>(&self, value: T) -> &'a T {
        self.arena.alloc(value)
    }

    /// The members of an object.
    pub fn members(&self) -> Result<Members<'a, 'p>, JsonError> {
        let object = self.value.as_object().ok_or_else(|| self.error("expected an object"))?;
        Ok(Members { object, used: RefCell::default(), arena: self.arena, at: self.at })
    }

    /// A string.
    pub fn text(&self) -> Result<&'a str, JsonError> {
        self.value.as_str().ok_or_else(|| self.error("expected a string"))
    }

    /// A number that fits into `T`.
    pub fn number<N, T: TryFrom<N>>(&self, get: fn(&Value) -> Option<N>) -> Result<T, JsonError> {
        let number = get(self.value).ok_or_else(|| self.error("expected a whole number"))?;
        T::try_from(number).map_err(|_| self.error("the number is out of range"))
    }

    /// The place of a string in a list of names.
    pub fn one_of(&self, names: &[&str]) -> Result<u32, JsonError> {
        let text = self.text()?;
        let place = names.iter().position(|name| *name == text);
        place
            .and_then(|place| u32::try_from(place).ok())
            .ok_or_else(|| self.error(&format!("{text:?} is not one of {}", names.join(", "))))
    }

    /// Bytes from hexadecimal digits.
    pub fn hexadecimal(&self) -> Result<&'a [u8], JsonError> {
        let text = self.text()?;
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len() % 2 == 0);
        let digits = digits.ok_or_else(|| self.error("expected an even number of hexadecimal digits"))?;
        let bytes = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
        Ok(self.arena.alloc_slice_fill_iter(bytes.collect::<Vec<u8>>()))
    }

    /// Bytes from base 64.
    pub fn base64(&self) -> Result<&'a [u8], JsonError> {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(self.text()?)
            .map_err(|error| self.error(&format!("expected base 64: {error}")))?;
        Ok(self.arena.alloc_slice_copy(&bytes))
    }

    /// A whole number of any size.
    pub fn big_number(&self) -> Result<Integer<'a>, JsonError> {
        let text = self.value.as_number().map(ToString::to_string).unwrap_or_default();
        let (negative, digits) =
            text.strip_prefix('-').map_or((false, text.as_str()), |digits| (true, digits));
        let mut decimal: Vec<u32> = digits.chars().map_while(|c| c.to_digit(10)).collect();
        if decimal.len() != digits.len() || digits.is_empty() {
            return Err(self.error("expected a whole number"));
        }
        if negative {
            // -v is written as v - 1.
            for digit in decimal.iter_mut().rev() {
                if *digit > 0 {
                    *digit -= 1;
                    break;
                }
                *digit = 9;
            }
        }
        let mut groups = Vec::new();
        while groups.is_empty() || decimal.iter().any(|digit| *digit > 0) {
            let mut rest = 0;
            for digit in &mut decimal {
                let value = rest * 10 + *digit;
                (*digit, rest) = (value / 128, value % 128);
            }
            groups.push(rest as u8);
        }
        Ok(Integer::from_groups(negative, self.arena.alloc_slice_copy(&groups)))
    }
}

/// The members of a JSON object, each taken once; what is left over is an error.
pub struct Members<'a, 'p> {
    object: &'a Map<String, Value>,
    used: RefCell<Vec<&'a str>>,
    arena: &'a Bump,
    at: &'p Link<'p>,
}

impl<'a> Members<'a, '_> {
    /// Takes the member `name`.
    pub fn take<T: Particle<'a>>(&mut self, name: &'static str) -> Result<Option<T>, JsonError> {
        let Some((key, value)) = self.object.get_key_value(name) else { return Ok(None) };
        self.used.borrow_mut().push(key);
        self.make(key, value).map(Some)
    }

    /// Takes the one member whose name is in `names`.
    pub fn take_one_of<T: Particle<'a>>(
        &mut self,
        names: &'static [&'static str],
    ) -> Result<Option<T>, JsonError> {
        let mut found = self.object.iter().filter(|(key, _)| names.contains(&key.as_str()));
        let Some((key, value)) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            let message = format!("only one of these may stand here: {}", names.join(", "));
            return Err(JsonError { path: self.at.path(), message });
        }
        self.used.borrow_mut().push(key);
        self.make(key, value).map(Some)
    }

    /// Takes the array `name`, or the arrays of the names that `T` carries itself.
    pub fn take_items<T: Particle<'a> + Copy>(&mut self, name: &'static str) -> Result<&'a [T], JsonError> {
        let mut items = Vec::new();
        for (key, value) in self.object {
            if key != name && !T::json_names().contains(&key.as_str()) {
                continue;
            }
            self.used.borrow_mut().push(key);
            let Some(array) = value.as_array() else {
                let link = Link { name: key, parent: Some(self.at) };
                return Err(JsonError {
                    path: link.path(),
                    message: "expected an array: it may repeat".to_owned(),
                });
            };
            for value in array {
                items.push(self.make(key, value)?);
            }
        }
        Ok(self.arena.alloc_slice_copy(&items))
    }

    /// Whether one of the names is there.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.object.contains_key(*name))
    }

    /// The error for a member that must be there.
    pub fn missing<T: Particle<'a>>(&self, name: &str) -> JsonError {
        let wanted = if T::json_names().is_empty() { name.to_owned() } else { T::json_names().join(" or ") };
        JsonError { path: self.at.path(), message: format!("{wanted} is missing") }
    }

    /// Refuses members that nobody took.
    pub fn finish(self) -> Result<(), JsonError> {
        let used = self.used.into_inner();
        match self.object.keys().find(|key| !used.contains(&key.as_str())) {
            Some(key) => {
                let message = format!("{key:?} is not an element of this schema here");
                Err(JsonError { path: self.at.path(), message })
            }
            None => Ok(()),
        }
    }

    fn make<T: Particle<'a>>(&self, name: &str, value: &'a Value) -> Result<T, JsonError> {
        let link = Link { name, parent: Some(self.at) };
        T::from_json(Source { value, arena: self.arena, at: &link })
    }
}

/// A particle as serde sees it.
struct Item<'t, 'a, T>(&'t T, std::marker::PhantomData<&'a ()>);

impl<'a, T: Particle<'a>> Item<'_, 'a, T> {
    fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

impl<'a, T: Particle<'a>> serde::Serialize for Item<'_, 'a, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_serde(serializer)
    }
}

/// Adds one member to an object.
#[doc(hidden)]
pub fn add<'a, T: Particle<'a>, M: SerializeMap>(
    value: &T,
    name: &'static str,
    map: &mut M,
) -> Result<(), M::Error> {
    map.serialize_entry(name, &Item(value, std::marker::PhantomData))
}

/// Adds the items of a list: an array under its name, or under each name that the items carry themselves.
pub(crate) fn add_items<'a, T: Particle<'a>, M: SerializeMap>(
    items: impl Iterator<Item = T>,
    name: &'static str,
    map: &mut M,
) -> Result<(), M::Error> {
    let mut arrays: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for item in items {
        let place = usize::try_from(item.alternative()).unwrap_or(usize::MAX);
        let key = T::json_names().get(place).copied().unwrap_or(name);
        let value = Item(&item, std::marker::PhantomData).to_value();
        match arrays.iter_mut().find(|(name, _)| *name == key) {
            Some((_, array)) => array.push(value),
            None => arrays.push((key, vec![value])),
        }
    }
    arrays.into_iter().try_for_each(|(name, array)| map.serialize_entry(name, &array))
}

/// Serialises a whole number of any size.
pub(crate) fn big_number<S: serde::Serializer>(
    integer: &Integer<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    // Decimal digits, least significant first: multiply by 128 and add, from the top group down.
    let mut digits: Vec<u32> = vec![0];
    let groups: Vec<u8> = integer.groups().collect();
    let add = |digits: &mut Vec<u32>, factor: u32, mut carry: u32| {
        for digit in digits.iter_mut() {
            let value = *digit * factor + carry;
            (*digit, carry) = (value % 10, value / 10);
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    };
    for group in groups.iter().rev() {
        add(&mut digits, 128, u32::from(*group));
    }
    if integer.is_negative() {
        add(&mut digits, 1, 1);
    }
    let sign = if integer.is_negative() { "-" } else { "" };
    let text: String =
        sign.chars().chain(digits.iter().rev().filter_map(|digit| char::from_digit(*digit, 10))).collect();
    match text.parse::<serde_json::Number>() {
        Ok(number) => serde::Serialize::serialize(&number, serializer),
        // Beyond what a number of JSON can be.
        Err(_) => serializer.serialize_str(&text),
    }
}
