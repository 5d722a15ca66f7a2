//! Declarations as data: what a type is in the schema's terms, for tests against the schema and for tools.

/// What a type is.
#[derive(Debug)]
pub enum Shape {
    /// `xs:boolean`.
    Boolean,
    /// A bounded integer; its range decides its coding.
    Integer {
        /// The smallest value.
        min: i64,
        /// The largest value.
        max: i64,
    },
    /// `xs:unsignedLong`.
    Unsigned64,
    /// `xs:integer`, of any size.
    BigInteger,
    /// An enumeration with its values in schema order.
    Enumeration(&'static [&'static str]),
    /// A string of at most N characters.
    Text(u32),
    /// `xs:hexBinary` of at most N bytes.
    HexBinary(u32),
    /// `xs:base64Binary` of at most N bytes.
    Base64Binary(u32),
    /// An element with attributes or children.
    Element(Element),
    /// A choice or substitution group: the elements in schema order.
    Choice(&'static [(&'static str, &'static Self)]),
    /// A sequence inside a sequence that occurs as a whole.
    Group(&'static [Member]),
    /// `xs:any`.
    Wildcard,
    /// The abstract head of a substitution group.
    Head,
}

/// An element with attributes or children.
#[derive(Debug)]
pub struct Element {
    /// The name of the Rust type.
    pub name: &'static str,
    /// Attributes (`@Name`), simple content (`$`) and children, in the order of the grammar.
    pub members: &'static [Member],
    /// Whether text may occur between the children.
    pub mixed: bool,
}

/// One field.
#[derive(Debug)]
pub struct Member {
    /// The schema's name; empty for a choice or group, which has the names of its elements.
    pub name: &'static str,
    /// How often it occurs.
    pub occurs: Occurs,
    /// Its type.
    pub shape: &'static Shape,
}

/// How often a field occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurs {
    /// At least this many times.
    pub min: u32,
    /// At most this many times; [`UNBOUNDED`](crate::UNBOUNDED) for no limit.
    pub max: u32,
}
