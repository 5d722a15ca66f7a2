//! The declarations of a message set. Each macro accepts plain Rust with the schema's name after `=`.

/// Declares an element's type as a struct.
///
/// Each field is `pub name: Type = "SchemaName"` in the order of the schema; attributes (`"@Name"`, sorted by
/// name) are first. The type determines how often the field occurs: `T`, `Option<T>` or
/// [`List`](crate::List). A field whose type is a [`choice!`](crate::choice) or [`group!`](crate::group) has
/// the name `""`. `new` has the required fields as arguments, in the schema's order.
///
/// An option may follow the struct's name: `[mixed]` (text may occur between children) or `[first N]` (only
/// the first `N` productions may begin the element).
#[macro_export]
macro_rules! element {
    ($($(#[$meta:meta])* pub struct $Name:ident $(<$lt:lifetime>)? $([$($option:tt)*])? { $($fields:tt)* })*) => {$(
        $crate::__element! {
            [$($lt)?] [$($($option)*)?]
            $(#[$meta])* $Name $(<$lt>)? { $($fields)* }
        }
        impl $(<$lt>)? $Name $(<$lt>)? {
            $crate::__new! { [] [] $($fields)* }
        }
    )*};
}

/// The constructor of an element: its arguments are the fields whose type is not written `Option<...>`.
#[doc(hidden)]
#[macro_export]
macro_rules! __new {
    ([$($given:ident: $type:ty,)*] [$($absent:ident)*]) => {
        /// Creates the element from its required fields, in the schema's order; optional fields are absent.
        #[allow(clippy::too_many_arguments, reason = "as many as the schema requires")]
        #[allow(clippy::fn_params_excessive_bools, reason = "as many as the schema requires")]
        #[allow(clippy::new_without_default, reason = "an element without required content is rare")]
        pub const fn new($($given: $type),*) -> Self {
            Self { $($given,)* $($absent: None,)* }
        }
    };
    ($given:tt [$($absent:ident)*]
     $(#[$about:meta])* pub $field:ident: Option<$type:ty> = $xml:literal $(, $($rest:tt)*)?) => {
        $crate::__new! { $given [$($absent)* $field] $($($rest)*)? }
    };
    ([$($given:tt)*] $absent:tt
     $(#[$about:meta])* pub $field:ident: $type:ty = $xml:literal $(, $($rest:tt)*)?) => {
        $crate::__new! { [$($given)* $field: $type,] $absent $($($rest)*)? }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __element {
    ([] $option:tt $($rest:tt)*) => { $crate::__element! { ['a] $option ; $($rest)* } };
    ([$lt:lifetime] [$($option:tt)*] $(;)? $(#[$meta:meta])* $Name:ident $(<$own:lifetime>)? {
        $($(#[$about:meta])* pub $field:ident: $type:ty = $xml:literal),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $Name $(<$own>)? { $($(#[$about])* pub $field: $type,)* }

        impl<$lt> $Name $(<$own>)? {
            const SLOTS: [$crate::Slot; 0 $(+ $crate::__one!($field))*] = [$(<$type as $crate::Field<$lt>>::SLOT),*];
            /// The states of the grammar: before the first field, and after each.
            const NEXT: [$crate::Next; 1 $(+ $crate::__one!($field))*] = $crate::grammar(
                Self::SLOTS,
                $crate::__mixed!($($option)*),
                $crate::__first!($($option)*),
            );
        }

        impl<$lt> $crate::Particle<$lt> for $Name $(<$own>)? {
            const SHAPE: &'static $crate::shape::Shape = &$crate::shape::Shape::Element($crate::shape::Element {
                name: stringify!($Name),
                members: &[$($crate::shape::Member {
                    name: $xml,
                    occurs: <$type as $crate::Field<$lt>>::OCCURS,
                    shape: <$type as $crate::Field<$lt>>::SHAPE,
                }),*],
                mixed: $crate::__mixed!($($option)*),
            });

            fn read<I: $crate::Input<$lt>>(input: &mut I, _alternative: u32) -> Self {
                $crate::__fields!($($field),*);
                #[allow(unused_mut)]
                let mut at = input.event(const { Self::NEXT[0].state });
                $(let $field = <$type as $crate::Field<$lt>>::read_field(
                    input, $xml, &mut at, const { Self::NEXT[At::$field as usize + 1] },
                );)*
                if $crate::__mixed!($($option)*) && at != 0 {
                    input.fail($crate::ErrorKind::Event, 0);
                }
                Self { $($field),* }
            }

            fn write(&self, out: &mut $crate::Writer<'_>) {
                $crate::__fields!($($field),*);
                #[allow(unused_mut)]
                let mut at = $crate::Position { state: const { Self::NEXT[0].state }, skipped: 0 };
                $(<$type as $crate::Field<$lt>>::write_field(
                    &self.$field, out, &mut at, const { Self::NEXT[At::$field as usize + 1] },
                );)*
                // With `[first N]` the end of the element may not be allowed yet.
                if $crate::__first!($($option)*) > 0 && at.skipped >= u32::from(at.state.codes) {
                    return out.fail($crate::ErrorKind::Occurrence);
                }
                out.event(at.skipped, at.state, const { $crate::ends_fixed(&Self::SLOTS) });
            }
        }

        $crate::__json_element! { $lt ($Name $(<$own>)?) $($field: $type = $xml),* }
    };
}

/// Declares a sequence that occurs as a whole inside the sequence of an element; each field occurs once.
#[macro_export]
macro_rules! group {
    ($($(#[$meta:meta])* pub struct $Name:ident<$lt:lifetime> {
        $($(#[$about:meta])* pub $field:ident: $type:ty = $xml:literal),* $(,)?
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $Name<$lt> { $($(#[$about])* pub $field: $type,)* }

        impl<$lt> $crate::Particle<$lt> for $Name<$lt> {
            const NAMES_ITSELF: bool = true;
            const SHAPE: &'static $crate::shape::Shape = &$crate::shape::Shape::Group(&[$($crate::shape::Member {
                name: $xml,
                occurs: $crate::shape::Occurs { min: 1, max: 1 },
                shape: <$type as $crate::Particle<$lt>>::SHAPE,
            }),*]);

            fn read<I: $crate::Input<$lt>>(input: &mut I, _alternative: u32) -> Self {
                // The code of the first element is read already; one zero bit is between two elements.
                let mut between = 0;
                $(
                    input.zeros(core::mem::replace(&mut between, 1));
                    input.enter($xml);
                    let $field = <$type as $crate::Particle<$lt>>::read(input, 0);
                    input.leave();
                )*
                let _ = between;
                Self { $($field),* }
            }

            fn write(&self, out: &mut $crate::Writer<'_>) {
                let mut between = 0;
                $(
                    out.zeros(core::mem::replace(&mut between, 1));
                    self.$field.write(out);
                )*
                let _ = between;
            }
        }

        $crate::__json_group! { $lt ($Name<$lt>) $($field: $type = $xml),* }
    )*};
}

/// Declares a choice or substitution group as an enum: `Variant(Type) = "SchemaName"`, in the order of
/// the schema (members of a substitution group sorted by name, the abstract [`Head`](crate::Head) included).
#[macro_export]
macro_rules! choice {
    ($($(#[$meta:meta])* pub enum $Name:ident $(<$lt:lifetime>)? { $($variants:tt)* })*) => {$(
        $crate::__choice! { [$($lt)?] $(#[$meta])* $Name $(<$lt>)? { $($variants)* } }
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __choice {
    ([] $($rest:tt)*) => { $crate::__choice! { ['a] ; $($rest)* } };
    ([$lt:lifetime] $(;)? $(#[$meta:meta])* $Name:ident $(<$own:lifetime>)? {
        $($(#[$about:meta])* $Variant:ident($type:ty) = $xml:literal),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(clippy::large_enum_variant, reason = "without an allocator a variant cannot be boxed")]
        pub enum $Name $(<$own>)? { $($(#[$about])* $Variant($type),)* }

        impl $(<$own>)? $Name $(<$own>)? {
            /// The schema's name of the chosen element.
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$Variant(_) => $xml,)* }
            }
        }

        impl<$lt> $crate::Particle<$lt> for $Name $(<$own>)? {
            const CODES: u32 = 0 $(+ $crate::__one!($Variant))*;
            const NAMES_ITSELF: bool = true;
            const SHAPE: &'static $crate::shape::Shape = &$crate::shape::Shape::Choice(
                &[$(($xml, <$type as $crate::Particle<$lt>>::SHAPE)),*],
            );

            fn read<I: $crate::Input<$lt>>(input: &mut I, alternative: u32) -> Self {
                $crate::__fields!($($Variant),*);
                match alternative {
                    $(code if code == At::$Variant as u32 => {
                        input.enter($xml);
                        let value = <$type as $crate::Particle<$lt>>::read(input, 0);
                        input.leave();
                        Self::$Variant(value)
                    })*
                    _ => {
                        input.fail($crate::ErrorKind::Event, 0);
                        Self::read(input, 0)
                    }
                }
            }

            fn alternative(&self) -> u32 {
                $crate::__fields!($($Variant),*);
                match self { $(Self::$Variant(_) => At::$Variant as u32,)* }
            }

            fn write(&self, out: &mut $crate::Writer<'_>) {
                match self { $(Self::$Variant(value) => <$type as $crate::Particle<$lt>>::write(value, out),)* }
            }
        }

        $crate::__json_choice! { $lt ($Name $(<$own>)?) $($Variant($type) = $xml),* }
    };
}

/// Declares an enumeration: `Variant = "schema value"`, in the order of the schema.
#[macro_export]
macro_rules! enumeration {
    ($($(#[$meta:meta])* pub enum $Name:ident {
        $($(#[$about:meta])* $Variant:ident = $xml:literal),* $(,)?
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $Name { $($(#[$about])* $Variant,)* }

        impl $Name {
            /// All values in the order of the schema; the index of a value is its number on the wire.
            pub const ALL: &'static [Self] = &[$(Self::$Variant),*];
            const NAMES: &'static [&'static str] = &[$($xml),*];

            /// The schema's name of the value.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Variant => $xml,)* }
            }

            /// The value with number `index` on the wire; `None` beyond the last.
            pub const fn from_index(index: u32) -> Option<Self> {
                match index {
                    $(code if code == Self::$Variant as u32 => Some(Self::$Variant),)*
                    _ => None,
                }
            }
        }

        impl<'a> $crate::Simple<'a> for $Name {
            const SHAPE: &'static $crate::shape::Shape = &$crate::shape::Shape::Enumeration(Self::NAMES);

            fn value<I: $crate::Input<'a>>(input: &mut I) -> Self {
                let index = input.take(const { $crate::bits_for(Self::ALL.len() as u32) });
                if let Some(value) = Self::from_index(index) {
                    $crate::__tell_enumeration!(input, index, value);
                    return value;
                }
                input.fail($crate::ErrorKind::Enumeration, const { $crate::bits_for(Self::ALL.len() as u32) });
                const { Self::ALL[0] }
            }

            fn put(&self, out: &mut $crate::Writer<'_>) {
                out.put(*self as u32, const { $crate::bits_for(Self::ALL.len() as u32) });
            }
        }

        $crate::__json_enumeration! { $Name }
    )*};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __one {
    ($token:tt) => {
        1
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __fields {
    ($($name:ident),*) => {
        #[allow(non_camel_case_types, dead_code)]
        enum At { $($name),* }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __mixed {
    (mixed) => {
        true
    };
    ($($other:tt)*) => {
        false
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __first {
    (first $count:literal) => {
        $count
    };
    ($($other:tt)*) => {
        0
    };
}

#[cfg(feature = "names")]
#[doc(hidden)]
#[macro_export]
macro_rules! __tell_enumeration {
    ($input:ident, $index:ident, $value:ident) => {
        $input.value($crate::trace::Value::Enumeration($index, $value.name()))
    };
}

#[cfg(not(feature = "names"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __tell_enumeration {
    ($input:ident, $index:ident, $value:ident) => {};
}

/// Declares the elements of a schema set for tools that choose the element at run time, from a stream or from
/// JSON. `global "Name": Type` is for global elements, `local` for the others, in the order of the fragment
/// grammar (by name, then namespace). Expands to `pub static NAME: `[`Schema`](crate::json::Schema), and to
/// nothing without the feature `json`.
#[cfg(feature = "json")]
#[macro_export]
macro_rules! schema {
    ($(#[$meta:meta])* pub static $NAME:ident: { document: $document:literal, fragment: $fragment:literal }
     $($scope:ident $xml:literal: $type:ty),* $(,)?) => {
        $(#[$meta])*
        pub static $NAME: $crate::json::Schema = $crate::json::Schema {
            document_bits: $document,
            fragment_bits: $fragment,
            elements: &[$($crate::json::Declared {
                name: $xml,
                global: $crate::__global!($scope),
                decode: |stream, root| $crate::json::decode_one::<$type>(stream, root),
                encode: |source, root| $crate::json::encode_one::<$type>(source, root),
                dissect: |stream, root, sink| $crate::trace::dissect::<$type>(stream, root, sink),
                shape: <$type as $crate::Particle<'_>>::SHAPE,
            }),*],
        };
    };
}

/// Declares the elements of a schema set for tools; expands to nothing without the feature `json`.
#[cfg(not(feature = "json"))]
#[macro_export]
macro_rules! schema {
    ($($anything:tt)*) => {};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __global {
    (global) => {
        true
    };
    (local) => {
        false
    };
}

/// The JSON part of each declaration: empty without the feature `json`.
#[cfg(not(feature = "json"))]
mod json {
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __json_element {
        ($($anything:tt)*) => {};
    }
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __json_group {
        ($($anything:tt)*) => {};
    }
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __json_choice {
        ($($anything:tt)*) => {};
    }
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __json_enumeration {
        ($($anything:tt)*) => {};
    }
}

/// The JSON part of each declaration. Its bounds allow a field whose type has no JSON form: the declaration
/// compiles, and has no JSON form either.
#[cfg(feature = "json")]
mod json {
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __json_element {
        ($lt:lifetime ($Type:ty) $($field:ident: $type:ty = $xml:literal),*) => {
            impl<$lt> $crate::json::Json<$lt> for $Type
            where
                $($type: $crate::json::JsonField<$lt>,)*
            {
                fn to_serde<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    #[allow(unused_imports, unused_mut)]
                    {
                        use $crate::serde::ser::SerializeMap as _;
                        let mut map = serializer.serialize_map(None)?;
                        $(<$type as $crate::json::JsonField<$lt>>::to_map(&self.$field, $xml, &mut map)?;)*
                        map.end()
                    }
                }

                fn from_json(source: $crate::json::Source<$lt, '_>) -> Result<Self, $crate::json::JsonError> {
                    #[allow(unused_mut)]
                    let mut members = source.members()?;
                    let value = Self { $($field: <$type as $crate::json::JsonField<$lt>>::from_map($xml, &mut members)?),* };
                    members.finish()?;
                    Ok(value)
                }
            }

            impl<$lt> $crate::serde::Serialize for $Type
            where
                Self: $crate::json::Json<$lt>,
            {
                fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    $crate::json::Json::to_serde(self, serializer)
                }
            }
        };
    }

    /// A group has no object of its own: its elements are members of the surrounding element's object.
    #[doc(hidden)]
    #[macro_export]
    macro_rules! __json_group {
        ($lt:lifetime ($Type:ty) $($field:ident: $type:ty = $xml:literal),*) => {
            impl<$lt> $crate::json::Json<$lt> for $Type
            where
                $($type: $crate::json::Json<$lt>,)*
            {
                fn to_serde<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    use $crate::serde::ser::SerializeMap as _;
                    let mut map = serializer.serialize_map(None)?;
                    self.to_members("", &mut map)?;
                    map.end()
                }

                fn from_json(source: $crate::json::Source<$lt, '_>) -> Result<Self, $crate::json::JsonError> {
                    let mut members = source.members()?;
                    let value = Self::from_members("", &mut members)?;
                    members.finish()?;
                    value.ok_or_else(|| source.error("an empty group"))
                }

                fn to_members<M: $crate::serde::ser::SerializeMap>(
                    &self, _name: &'static str, map: &mut M,
                ) -> Result<(), M::Error> {
                    $($crate::json::add(&self.$field, $xml, map)?;)*
                    Ok(())
                }

                fn from_members(
                    _name: &'static str, members: &mut $crate::json::Members<$lt, '_>,
                ) -> Result<Option<Self>, $crate::json::JsonError> {
                    if !members.has(Self::json_names()) {
                        return Ok(None);
                    }
                    Ok(Some(Self { $($field: <$type as $crate::json::JsonField<$lt>>::from_map($xml, members)?),* }))
                }

                fn json_names() -> &'static [&'static str] {
                    &[$($xml),*]
                }
            }
        };
    }

    #[doc(hidden)]
    #[macro_export]
    macro_rules! __json_choice {
        ($lt:lifetime ($Type:ty) $($Variant:ident($type:ty) = $xml:literal),*) => {
            impl<$lt> $crate::json::Json<$lt> for $Type
            where
                $($type: $crate::json::Json<$lt>,)*
            {
                fn to_serde<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    match self { $(Self::$Variant(value) => <$type as $crate::json::Json<$lt>>::to_serde(value, serializer),)* }
                }

                fn from_json(source: $crate::json::Source<$lt, '_>) -> Result<Self, $crate::json::JsonError> {
                    match source.name() {
                        $($xml => <$type as $crate::json::Json<$lt>>::from_json(source).map(Self::$Variant),)*
                        _ => Err(source.error("not one of the elements that may stand here")),
                    }
                }

                fn to_members<M: $crate::serde::ser::SerializeMap>(
                    &self, _name: &'static str, map: &mut M,
                ) -> Result<(), M::Error> {
                    $crate::json::add(self, self.name(), map)
                }

                fn from_members(
                    _name: &'static str, members: &mut $crate::json::Members<$lt, '_>,
                ) -> Result<Option<Self>, $crate::json::JsonError> {
                    members.take_one_of(Self::json_names())
                }

                fn json_names() -> &'static [&'static str] {
                    &[$($xml),*]
                }
            }
        };
    }

    #[doc(hidden)]
    #[macro_export]
    macro_rules! __json_enumeration {
        ($Name:ident) => {
            impl<'a> $crate::json::Json<'a> for $Name {
                fn to_serde<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.name())
                }

                fn from_json(source: $crate::json::Source<'a, '_>) -> Result<Self, $crate::json::JsonError> {
                    let index = source.one_of(Self::NAMES)?;
                    Self::from_index(index).ok_or_else(|| source.error("not a value of the enumeration"))
                }
            }
        };
    }
}
