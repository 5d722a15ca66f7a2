//! Values and fields to JSON and back.

use serde::Serializer;
use serde::ser::SerializeMap;
use serde_json::Value;

use super::{Json, JsonError, JsonField, Members, Source, write};
use crate::{Attribute, Binary, Bounded, Head, Integer, List, Saturated, Simple, Text, View, Wildcard};

impl<'a, T: Json<'a>> JsonField<'a> for T {
    fn to_map<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        self.to_members(name, map)
    }

    fn from_map(name: &'static str, map: &mut Members<'a, '_>) -> Result<Self, JsonError> {
        T::from_members(name, map)?.ok_or_else(|| map.missing::<T>(name))
    }
}

impl<'a, T: Json<'a>> JsonField<'a> for Option<T> {
    fn to_map<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        self.as_ref().map_or(Ok(()), |value| value.to_members(name, map))
    }

    fn from_map(name: &'static str, map: &mut Members<'a, '_>) -> Result<Self, JsonError> {
        T::from_members(name, map)
    }
}

impl<'a, T: Json<'a> + Copy + 'a, const MIN: u32, const MAX: u32> JsonField<'a> for List<'a, T, MIN, MAX> {
    fn to_map<M: SerializeMap>(&self, name: &'static str, map: &mut M) -> Result<(), M::Error> {
        write::add_items(self.iter(), name, map)
    }

    fn from_map(name: &'static str, map: &mut Members<'a, '_>) -> Result<Self, JsonError> {
        let items: &'a [T] = map.take_items(name)?;
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        if count < MIN { Err(map.missing::<T>(name)) } else { Ok(items.into()) }
    }
}

impl<'a> Json<'a> for bool {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(*self)
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        source.value.as_bool().ok_or_else(|| source.error("expected true or false"))
    }
}

macro_rules! numbers {
    ($($get:ident: $($type:ty),*;)*) => {$($(
        impl<'a> Json<'a> for $type {
            fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }

            fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
                source.number(Value::$get)
            }
        }
    )*)*};
}
numbers! {
    as_i64: u8, i8, u16, i16, u32, i32, i64;
    as_u64: u64;
}

impl<'a, const MIN: i8, const MAX: i8> Json<'a> for Bounded<MIN, MAX> {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i8(self.get())
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        let number: i8 = source.number(Value::as_i64)?;
        Self::new(number).ok_or_else(|| source.error("the number is out of range"))
    }
}

impl<'a> Json<'a> for Saturated {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        source.number(Value::as_i64).map(Self)
    }
}

impl<'a> Json<'a> for Integer<'a> {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        write::big_number(self, serializer)
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        source.big_number()
    }
}

impl<'a, const MAX: u32> Json<'a> for Text<'a, MAX> {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        let text = Self::from(source.text()?);
        if text.len() > MAX as usize {
            return Err(source.error("the string is longer than its schema allows"));
        }
        Ok(text)
    }
}

impl<'a, const HEX: bool, const MAX: u32> Json<'a> for Binary<'a, HEX, MAX> {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        let bytes = if HEX { source.hexadecimal()? } else { source.base64()? };
        if bytes.len() > MAX as usize {
            return Err(source.error("the binary is longer than its schema allows"));
        }
        Ok(bytes.into())
    }
}

impl<'a, T: Json<'a> + Simple<'a>> Json<'a> for Attribute<T> {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.to_serde(serializer)
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        T::from_json(source).map(Self)
    }
}

impl<'a, T: Json<'a> + Copy> Json<'a> for View<'a, T> {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().to_serde(serializer)
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        Ok(Self::from(source.keep(T::from_json(source)?)))
    }
}

impl<'a> Json<'a> for Wildcard {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        Err(source.error("content of another schema, which cannot be encoded"))
    }
}

impl<'a> Json<'a> for Head {
    fn to_serde<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_map(Some(0))?.end()
    }

    fn from_json(source: Source<'a, '_>) -> Result<Self, JsonError> {
        source.members()?.finish().map(|()| Self)
    }
}
