//! Declarations of messages: one list of fields, from which reading, writing and showing are derived.

use crate::field::{Visit, Writer};
use crate::{Id, MessageError, MmType, Oui, Version};

/// A management message.
pub trait Message<'a>: Sized {
    /// Its identity.
    const ID: Id;

    /// Reads the message from a frame's body. Bytes after it, such as padding, are ignored.
    ///
    /// # Errors
    /// If the body ends too early.
    fn parse(body: &'a [u8]) -> Result<Self, MessageError>;

    /// Writes the body, without padding.
    fn write(&self, out: &mut Writer<'_>);

    /// Shows every field.
    fn fields(&self, visit: &mut Visit<'_>);
}

/// A message of the standard: version 1.1, no vendor.
pub(crate) const fn cm(mm_type: u16) -> Id {
    Id { mm_type: MmType(mm_type), version: Version::AV_1_1, oui: None }
}

/// Qualcomm's, version 1.0.
pub(crate) const fn vs(mm_type: u16) -> Id {
    Id { mm_type: MmType(mm_type), version: Version::AV_1_0, oui: Some(Oui::QUALCOMM) }
}

/// Qualcomm's, version 1.1.
pub(crate) const fn vs_1_1(mm_type: u16) -> Id {
    Id { mm_type: MmType(mm_type), version: Version::AV_1_1, oui: Some(Oui::QUALCOMM) }
}

/// Lumissil's.
pub(crate) const fn nscm(mm_type: u16) -> Id {
    Id { mm_type: MmType(mm_type), version: Version::AV_1_0, oui: Some(Oui::LUMISSIL) }
}

/// Declares a struct of consecutive fields, all numbers least significant byte first.
///
/// `field: Type => 3` is followed by three reserved bytes. The length of `field: Slice<'a> = count` is an
/// expression over earlier fields. `field: Option<Type> where (condition)` is present if the condition holds.
macro_rules! record {
    (
        $(#[$meta:meta])*
        pub struct $name:ident $(<$life:lifetime>)? {
            $(
                $(#[$doc:meta])*
                pub $field:ident: $type:ty $(where $condition:tt)? $(= $count:expr)? $(=> $gap:literal)?,
            )*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name $(<$life>)? {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl<'a> $crate::field::Field<'a> for $name $(<$life>)? {
            #[allow(unused_variables, reason = "some messages have no fields")]
            fn take(input: &mut $crate::field::Reader<'a>) -> Self {
                $(
                    let $field: $type = $crate::message::record!(@read input $(, $count)? $(, where $condition)?);
                    $(input.skip($gap);)?
                )*
                Self { $($field),* }
            }

            #[allow(unused_variables, reason = "some messages have no fields")]
            fn put(&self, out: &mut $crate::field::Writer<'_>) {
                $(
                    self.$field.put(out);
                    $(out.zeros(if self.$field.is_present() { $gap } else { 0 });)?
                )*
            }

            #[allow(unused_variables, reason = "some messages have no fields")]
            fn show(&self, name: &'static str, visit: &mut $crate::field::Visit<'_>) {
                $(self.$field.show(stringify!($field), visit);)*
            }
        }
    };
    (@read $input:ident) => { $crate::field::Field::take($input) };
    (@read $input:ident, where ($condition:expr)) => {
        if $condition { $crate::field::Field::take($input) } else { None }
    };
    (@read $input:ident, $count:expr) => { Slice::take($input, usize::from($count)) };
}

/// Declares messages: records with an identity.
macro_rules! messages {
    ($(
        $(#[$meta:meta])*
        $scope:ident($number:literal) => pub struct $name:ident $(<$life:lifetime>)? { $($fields:tt)* }
    )*) => {$(
        $crate::message::record! {
            $(#[$meta])*
            pub struct $name $(<$life>)? { $($fields)* }
        }

        impl<'a> $crate::Message<'a> for $name $(<$life>)? {
            const ID: $crate::Id = $crate::message::$scope($number);

            fn parse(body: &'a [u8]) -> Result<Self, $crate::MessageError> {
                $crate::field::whole(body)
            }

            fn write(&self, out: &mut $crate::field::Writer<'_>) {
                $crate::field::Field::put(self, out);
            }

            fn fields(&self, visit: &mut $crate::field::Visit<'_>) {
                $crate::field::Field::show(self, "", visit);
            }
        }
    )*};
}

pub(crate) use {messages, record};
