//! Traits for particles and fields that have a JSON form, and the members of a JSON object.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::marker::PhantomData;

use bumpalo::Bump;
use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::{Map, Value};

use super::JsonError;
use super::source::{Link, Source};
use crate::{Field, Particle};

/// A [`Particle`] with a JSON form. The declaring macros implement it.
pub trait Json<'a>: Particle<'a> {
    /// Serialises the value, without its name.
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Builds the value from JSON; fails with the place in the JSON document.
    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError>;

    /// Adds the value to a JSON object under `name`, or under its own names.
    fn to_members<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        add(self, name, map)
    }

    /// Takes the value from a JSON object; `None` if it is absent.
    fn from_members(name: &'static str, members: &mut Members<'a, '_>) -> Result<Option<Self>, JsonError> {
        members.take(name)
    }

    /// The element names that begin it in a JSON object; empty if its field has the name.
    fn json_names() -> &'static [&'static str] {
        &[]
    }
}

/// A [`Field`] of an element as members of a JSON object.
pub trait JsonField<'a>: Field<'a> {
    /// Adds the field to a JSON object, unless it is absent.
    fn to_map<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error>;

    /// Takes the field from a JSON object; a missing required field is an error.
    fn from_map(name: &'static str, map: &mut Members<'a, '_>) -> Result<Self, JsonError>;
}

/// A particle as a serde value.
pub(super) struct Item<'t, 'a, T>(&'t T, PhantomData<&'a ()>);

impl<'t, 'a, T: Json<'a>> Item<'t, 'a, T> {
    pub(super) fn new(value: &'t T) -> Self {
        Self(value, PhantomData)
    }

    /// A message is a tree of maps with text keys, so building one in memory cannot fail.
    pub(super) fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

impl<'a, T: Json<'a>> serde::Serialize for Item<'_, 'a, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_serde(serializer)
    }
}

/// Adds one member to an object.
#[doc(hidden)]
pub fn add<'a, T: Json<'a>, M: SerializeMap>(
    value: &T,
    name: &'static str,
    map: &mut M,
) -> Result<(), M::Error> {
    map.serialize_entry(name, &Item::new(value))
}

impl<'a, 'p> Source<'a, 'p> {
    /// The members of an object; fails for any other JSON.
    pub fn members(&self) -> Result<Members<'a, 'p>, JsonError> {
        let object = self.value.as_object().ok_or_else(|| self.error("expected an object"))?;
        Ok(Members { object, used: RefCell::default(), arena: self.arena, at: self.at })
    }
}

/// The members of a JSON object. Each is taken once; a member that remains is an error.
pub struct Members<'a, 'p> {
    object: &'a Map<String, Value>,
    used: RefCell<Vec<&'a str>>,
    arena: &'a Bump,
    at: &'p Link<'p>,
}

impl<'a> Members<'a, '_> {
    /// Takes the member `name`; `None` if it is absent.
    pub fn take<T: Json<'a>>(&mut self, name: &'static str) -> Result<Option<T>, JsonError> {
        let Some((key, value)) = self.object.get_key_value(name) else { return Ok(None) };
        self.used.borrow_mut().push(key);
        self.make(key, value).map(Some)
    }

    /// Takes the only member whose name is in `names`; two of them are an error.
    pub fn take_one_of<T: Json<'a>>(
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

    /// Takes the array `name`, or the arrays with the names of the items.
    pub fn take_items<T: Json<'a> + Copy>(&mut self, name: &'static str) -> Result<&'a [T], JsonError> {
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

    /// Whether the object has a member with one of the names.
    pub fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.object.contains_key(*name))
    }

    /// The error for a required member that is absent.
    pub fn missing<T: Json<'a>>(&self, name: &str) -> JsonError {
        let wanted = if T::json_names().is_empty() { name.to_owned() } else { T::json_names().join(" or ") };
        JsonError { path: self.at.path(), message: format!("{wanted} is missing") }
    }

    /// Fails if a member was not taken.
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

    fn make<T: Json<'a>>(&self, name: &str, value: &'a Value) -> Result<T, JsonError> {
        let link = Link { name, parent: Some(self.at) };
        T::from_json(Source { value, arena: self.arena, at: &link })
    }
}
