/// A deviation of deployed peers from the standard that a side accepts. `F` is the set of the side's quirks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirk<F> {
    /// Its flag in the set.
    pub flag: F,
    /// The id in configurations and logs.
    pub id: &'static str,
    /// The rule that it relaxes.
    pub bends: &'static str,
    /// The peers that need it.
    pub needed_by: &'static str,
    /// Whether it is on unless switched off. `strict` switches all off.
    pub default: bool,
}

impl<F> Quirk<F> {
    /// The row of `table` with this id; `None` if no row has it.
    pub fn by_id<'t>(table: &'t [Self], id: &str) -> Option<&'t Self> {
        table.iter().find(|quirk| quirk.id == id)
    }
}

/// Declares a side's quirks: `Quirks`, the set of those that are on; `QUIRKS`, the table; and `Quirk`, its
/// row.
///
/// ```
/// session::quirks! {
///     PLAIN_OK {
///         id: "plain-ok",
///         bends: "a plain OK opens a session",
///         needed_by: "ABB Terra",
///         default: true,
///     }
///     LATE_CLOSE { id: "late-close", bends: "...", needed_by: "...", default: false }
/// }
///
/// assert_eq!(Quirks::default(), Quirks::PLAIN_OK);
/// assert_eq!(Quirks::by_id("late-close").map(|quirk| quirk.flag), Some(Quirks::LATE_CLOSE));
/// assert_eq!(QUIRKS.len(), 2);
/// ```
#[macro_export]
macro_rules! quirks {
    ($($flag:ident {
        id: $id:literal,
        bends: $bends:expr,
        needed_by: $needed_by:literal,
        default: $default:literal $(,)?
    })*) => {
        #[allow(non_camel_case_types, reason = "flags are constants")]
        enum Place {
            $($flag),*
        }

        $crate::bitflags::bitflags! {
            /// The set of quirks that are switched on.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct Quirks: u16 {
                $(#[doc = concat!("`", $id, "`: see [`QUIRKS`].")]
                const $flag = 1 << Place::$flag as u16;)*
            }
        }

        /// A row of [`QUIRKS`].
        pub type Quirk = $crate::Quirk<Quirks>;

        /// Every quirk of this side.
        pub const QUIRKS: &[Quirk] = &[$(Quirk {
            flag: Quirks::$flag,
            id: $id,
            bends: $bends,
            needed_by: $needed_by,
            default: $default,
        }),*];

        impl Quirks {
            /// The quirks that are on by default.
            pub const DEFAULT: Self =
                Self::empty()$(.union(if $default { Self::$flag } else { Self::empty() }))*;

            /// The quirk with this id; `None` if no quirk has it.
            pub fn by_id(id: &str) -> Option<&'static Quirk> {
                Quirk::by_id(QUIRKS, id)
            }
        }

        impl Default for Quirks {
            fn default() -> Self {
                Self::DEFAULT
            }
        }
    };
}
