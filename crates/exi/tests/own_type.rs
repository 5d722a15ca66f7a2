//! A user's own type in a declaration compiles and works with and without the feature `json` of another
//! crate.

use exi::shape::Shape;
use exi::{Input, Root, Simple, Writer};

/// A voltage in volts, without a JSON form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volts(u16);

impl<'a> Simple<'a> for Volts {
    const SHAPE: &'static Shape = <u16 as Simple<'a>>::SHAPE;

    fn value<I: Input<'a>>(input: &mut I) -> Self {
        Self(u16::value(input))
    }

    fn put(&self, out: &mut Writer<'_>) {
        self.0.put(out);
    }
}

exi::element! {
    /// A reading.
    pub struct Reading {
        /// Now.
        pub voltage: Volts = "Voltage",
        /// Before.
        pub last: Option<Volts> = "Last",
    }
}
exi::choice! {
    /// A reading or a bare voltage.
    pub enum Either {
        /// A reading.
        Reading(Reading) = "Reading",
        /// A bare voltage.
        Volts(Volts) = "Volts",
    }
}
exi::group! {
    /// Two voltages.
    pub struct Pair<'a> {
        /// The first.
        pub first: Volts = "First",
        /// The name of the second.
        pub second: exi::Text<'a, 8> = "Second",
    }
}

const ROOT: Root = Root { name: "Reading", code: 0, bits: 2, end: None };

#[test]
fn a_declaration_with_a_type_of_ones_own_needs_no_json() {
    let reading = Reading { voltage: Volts(400), last: None };
    let mut buffer = [0; 16];
    let length = exi::encode(&reading, ROOT, &mut buffer).unwrap();
    assert_eq!(exi::decode::<Reading>(&buffer[..length], ROOT), Ok(reading));
    // By hand: header 0x80; 2 bits root, 1 bit Voltage, 1 bit value; 400 as 0x90 0x03; 1 bit end of Voltage;
    // of the state [Last, end, escape] the code 1 in 2 bits.
    assert_eq!(buffer[..length], [0x80, 0x09, 0x00, 0x32], "{:02x?}", &buffer[..length]);
    assert_eq!(Either::Reading(reading).name(), "Reading");
    assert_eq!(Pair { first: Volts(1), second: "a".into() }.first, Volts(1));
}
