//! The runner of each case, or the reason for none.

mod electric_vehicle;
mod matching_charger;
mod session;

use crate::Case;

/// Runs a case; an error states what went wrong, in a few words.
pub type Runner = fn() -> Result<(), String>;

/// The result of the cases of a row.
#[derive(Clone, Copy)]
pub enum What {
    /// They pass. The note states what was substituted; it may be empty.
    Passes(Runner, &'static str),
    /// They fail, with the reason why that is accepted.
    Fails(Runner, &'static str),
    /// They do not apply, for this reason.
    No(&'static str),
}

/// Cases and their result.
#[derive(Clone, Copy)]
pub struct Row {
    /// Side, mode, group, and numbers (`3`, `1,4-6`); each may be `*`.
    pub cases: &'static str,
    /// Their result.
    pub what: What,
}

const fn row(cases: &'static str, what: What) -> Row {
    Row { cases, what }
}

impl Row {
    /// Whether a case belongs to this row.
    pub fn has(&self, case: &Case) -> bool {
        let mut words = self.cases.split(' ');
        let mut is = |part: &str| words.next().is_some_and(|word| word == "*" || word == part);
        let Some((side, mode, group, number)) = case.parts() else { return false };
        is(side)
            && is(mode)
            && is(group)
            && words.next().is_some_and(|numbers| numbers == "*" || contains(numbers, number))
    }
}

/// Whether a list such as `1,4-6` contains a number.
fn contains(list: &str, number: u16) -> bool {
    list.split(',').any(|span| {
        let (first, last) = span.split_once('-').unwrap_or((span, span));
        let parse = |text: &str| text.parse::<u16>().expect("numbers in the table");
        (parse(first)..=parse(last)).contains(&number)
    })
}

/// The whole table. A case belongs to exactly one row.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    session::ROWS.iter().chain(matching_charger::ROWS).chain(electric_vehicle::ROWS)
}

/// The row of a case.
pub fn row_of(case: &Case) -> Option<&'static Row> {
    rows().find(|row| row.has(case))
}
