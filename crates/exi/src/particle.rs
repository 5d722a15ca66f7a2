//! How types become a grammar: the productions of a state, and how each is read and written.

use crate::shape::{Occurs, Shape};
use crate::{ErrorKind, Input, Simple, State, Writer};

/// What one field adds to the states before it.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The number of productions that begin it: 1 for an element, the number of alternatives for a choice.
    pub codes: u32,
    /// Whether it may be absent.
    pub optional: bool,
    /// Whether it may occur again.
    pub repeated: bool,
    /// Whether it is an attribute: text of a mixed type cannot precede a required attribute.
    pub attribute: bool,
}

impl Slot {
    const fn once(self) -> bool {
        !self.optional && !self.repeated
    }
}

/// The states after a field: when it is complete, and between two items of it.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    /// After the field.
    pub state: State,
    /// After an item of a repeated field: another item, or what follows.
    pub repeat: State,
    /// Whether text may occur instead of the field.
    pub mixed: bool,
    /// Whether the state before the field is independent of the values of earlier fields, because the
    /// previous field is required. The encoder's code is then a compile-time constant.
    pub fixed: bool,
}

/// The states of an element with `N` fields (`M = N + 1`): before the first field, and after each. `mixed`
/// types allow text everywhere; `first` limits the productions before the first field (0: no limit).
#[allow(clippy::indexing_slicing, reason = "runs at compile time: a wrong index does not compile")]
pub const fn grammar<const N: usize, const M: usize>(slots: [Slot; N], mixed: bool, first: u32) -> [Next; M] {
    let none = State { codes: 0, bits: 0 };
    let mut states = [Next { state: none, repeat: none, mixed, fixed: true }; M];
    let mut at = 0;
    while at <= N {
        let mut codes = 0;
        let mut field = at;
        let mut closed = false;
        let mut attribute = false;
        while field < N && !closed {
            codes += slots[field].codes;
            closed = !slots[field].optional;
            attribute = closed && slots[field].attribute;
            field += 1;
        }
        if !closed {
            codes += 1; // the end of the element
        }
        if mixed && !attribute {
            codes += 1; // text
        }
        if at == 0 && first > 0 {
            codes = first;
        }
        states[at].state = State::new(codes);
        if at > 0 {
            states[at].repeat = State::new(slots[at - 1].codes + codes);
            states[at].fixed = at == 1 || slots[at - 2].once();
        }
        at += 1;
    }
    states
}

/// Whether the last field is required, so that the state before the end is always the same.
pub const fn ends_fixed<const N: usize>(slots: &[Slot; N]) -> bool {
    match slots.last() {
        Some(slot) => slot.once(),
        None => true,
    }
}

/// Content between a start and an end: an element's type, or a choice of elements.
///
/// Made by [`element!`](crate::element), [`choice!`](crate::choice), [`group!`](crate::group) and
/// [`enumeration!`](crate::enumeration), or by implementing [`Simple`].
pub trait Particle<'a>: Sized {
    /// The number of productions that begin it.
    const CODES: u32 = 1;
    /// Whether it has the element names itself (a choice or a group); else its field has the name.
    const NAMES_ITSELF: bool = false;
    /// Whether it is an attribute or simple content: its value directly follows its code.
    const ATTRIBUTE: bool = false;
    /// The type as data, for tests against the schema and for tools.
    const SHAPE: &'static Shape;

    /// Reads the content. `alternative` is its event code, read already, below [`CODES`](Self::CODES).
    fn read<I: Input<'a>>(input: &mut I, alternative: u32) -> Self;

    /// The event code that begins it.
    fn alternative(&self) -> u32 {
        0
    }

    /// Writes the content, without the code that begins it.
    fn write(&self, out: &mut Writer<'_>);
}

/// An empty string or binary may be coded as escape code `1`, then `000` for the end of the element.
const ESCAPED_END_BITS: u32 = 3;

impl<'a, T: Simple<'a>> Particle<'a> for T {
    const SHAPE: &'static Shape = <T as Simple<'a>>::SHAPE;

    #[inline]
    fn read<I: Input<'a>>(input: &mut I, _alternative: u32) -> Self {
        if let Some(empty) = T::empty() {
            if input.take(1) == 1 {
                if input.take(ESCAPED_END_BITS) != 0 {
                    input.fail(ErrorKind::Event, ESCAPED_END_BITS);
                }
                return empty;
            }
        } else {
            input.zeros(1);
        }
        let value = T::value(input);
        input.zeros(1);
        value
    }

    #[inline]
    fn write(&self, out: &mut Writer<'_>) {
        out.zeros(1);
        self.put(out);
        out.zeros(1);
    }
}

/// An attribute, or the value of a type with simple content: coded without start and end of an element. In a
/// declaration the name of an attribute begins with `@`; simple content has the name `$`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<T>(pub T);

impl<'a, T: Simple<'a>> Particle<'a> for Attribute<T> {
    const ATTRIBUTE: bool = true;
    const SHAPE: &'static Shape = <T as Simple<'a>>::SHAPE;

    fn read<I: Input<'a>>(input: &mut I, _alternative: u32) -> Self {
        Self(T::value(input))
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.0.put(out);
    }
}

/// Content of other schemas (`xs:any`). It has a code in the grammar; a document that uses it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wildcard(());

/// The abstract head of a substitution group. The schema does not allow it in a document. It is read and
/// written as an empty element, because chargers send it (observed in the 2023-04-16 Ioniq capture:
/// `SASchedules` without a list). It has no content, so a session treats it as absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head;

impl<'a> Particle<'a> for Wildcard {
    const SHAPE: &'static Shape = &Shape::Wildcard;

    fn read<I: Input<'a>>(input: &mut I, _alternative: u32) -> Self {
        input.fail(ErrorKind::Foreign, 0);
        Self(())
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.fail(ErrorKind::Foreign);
    }
}

impl<'a> Particle<'a> for Head {
    const SHAPE: &'static Shape = &Shape::Head;

    fn read<I: Input<'a>>(input: &mut I, _alternative: u32) -> Self {
        input.zeros(1);
        Self
    }

    fn write(&self, out: &mut Writer<'_>) {
        out.zeros(1);
    }
}

/// State of the encoder between two fields.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// The state before the next event.
    pub state: State,
    /// The number of codes of this state that belong to optional fields left out so far.
    pub skipped: u32,
}

/// A field of an element: its type determines how often it occurs.
pub trait Field<'a>: Sized {
    /// What it adds to the states before it.
    const SLOT: Slot;
    /// The type as data, for tests against the schema and for tools.
    const SHAPE: &'static Shape;
    /// How often it occurs.
    const OCCURS: Occurs;

    /// Reads the field if `at` is one of its codes, then reads the next event. `at` is the code of the event
    /// that was read, counted from this field on.
    fn read_field<I: Input<'a>>(input: &mut I, name: &'static str, at: &mut u32, next: Next) -> Self;

    /// Writes the event before the field, then the field.
    fn write_field(&self, out: &mut Writer<'_>, at: &mut Position, next: Next);
}

/// Reads a particle and reports its name, unless the particle reports it itself.
#[inline(always)]
pub(crate) fn read_named<'a, T: Particle<'a>, I: Input<'a>>(
    input: &mut I,
    name: &'static str,
    alternative: u32,
) -> T {
    if T::NAMES_ITSELF {
        return T::read(input, alternative);
    }
    input.enter(name);
    let value = T::read(input, alternative);
    input.leave();
    value
}

impl<'a, T: Particle<'a>> Field<'a> for T {
    const SLOT: Slot = Slot { codes: T::CODES, optional: false, repeated: false, attribute: T::ATTRIBUTE };
    const SHAPE: &'static Shape = <T as Particle<'a>>::SHAPE;
    const OCCURS: Occurs = Occurs { min: 1, max: 1 };

    #[inline(always)]
    fn read_field<I: Input<'a>>(input: &mut I, name: &'static str, at: &mut u32, next: Next) -> Self {
        if next.mixed && *at >= T::CODES {
            input.fail(ErrorKind::Event, 0);
        }
        let value = read_named(input, name, *at);
        *at = input.event(next.state);
        value
    }

    #[inline(always)]
    fn write_field(&self, out: &mut Writer<'_>, at: &mut Position, next: Next) {
        out.event(at.skipped + self.alternative(), at.state, next.fixed);
        self.write(out);
        *at = Position { state: next.state, skipped: 0 };
    }
}

impl<'a, T: Particle<'a>> Field<'a> for Option<T> {
    const SLOT: Slot = Slot { codes: T::CODES, optional: true, repeated: false, attribute: T::ATTRIBUTE };
    const SHAPE: &'static Shape = <T as Particle<'a>>::SHAPE;
    const OCCURS: Occurs = Occurs { min: 0, max: 1 };

    fn read_field<I: Input<'a>>(input: &mut I, name: &'static str, at: &mut u32, next: Next) -> Self {
        if *at >= T::CODES {
            *at -= T::CODES;
            return None;
        }
        let value = read_named(input, name, *at);
        *at = input.event(next.state);
        Some(value)
    }

    #[inline(always)]
    fn write_field(&self, out: &mut Writer<'_>, at: &mut Position, next: Next) {
        match self {
            Some(value) => value.write_field(out, at, next),
            None => at.skipped += T::CODES,
        }
    }
}
