//! All cases have the result of the table, and the table is complete.
#![allow(clippy::panic, reason = "a test ends where it fails")]

use std::collections::BTreeSet;

use conformance::{cases, run, table};

#[test]
fn every_case_goes_as_the_table_says() {
    let Some(report) = run() else { return };
    let surprises: Vec<String> = report
        .surprises()
        .map(|line| format!("{}: {}: {}", line.case.id, line.verdict.word(), line.verdict.why()))
        .collect();
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

#[test]
fn every_case_is_in_exactly_one_row_and_no_row_is_without_cases() {
    let Some(cases) = cases() else { return };
    assert!(!cases.is_empty());
    for case in &cases {
        let rows: Vec<_> = table::rows().filter(|row| row.has(case)).map(|row| row.cases).collect();
        assert_eq!(rows.len(), 1, "{} ({}) is in {rows:?}", case.id, case.stimulus);
    }
    for row in table::rows() {
        assert!(cases.iter().any(|case| row.has(case)), "no case for {}", row.cases);
    }
}

#[test]
fn no_row_stands_twice() {
    let all: Vec<_> = table::rows().map(|row| row.cases).collect();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}
