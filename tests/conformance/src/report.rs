use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};

use crate::table::{What, row_of};
use crate::{Case, cases};

/// The result of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It passed; a note may state how it was run.
    Passed(&'static str),
    /// It failed: the observation, and the reason if the table accepts it.
    Failed(String, Option<&'static str>),
    /// It does not apply.
    NotApplicable(&'static str),
}

impl Verdict {
    /// The word in the report.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(..) => "failed",
            Self::NotApplicable(_) => "not applicable",
        }
    }

    /// The text besides the word.
    pub fn why(&self) -> String {
        match self {
            Self::Passed(note) => (*note).to_owned(),
            Self::Failed(seen, None) => seen.clone(),
            Self::Failed(seen, Some(why)) => format!("{seen}; {why}"),
            Self::NotApplicable(why) => (*why).to_owned(),
        }
    }
}

/// A case and its result.
#[derive(Clone, Debug)]
pub struct Line {
    /// The case.
    pub case: Case,
    /// How it went.
    pub verdict: Verdict,
    /// Whether the verdict is that of the table.
    pub is_expected: bool,
}

/// The results of all cases.
#[derive(Clone, Debug)]
pub struct Report(pub Vec<Line>);

/// Runs all cases; `None` without the catalogue.
pub fn run() -> Option<Report> {
    Some(Report(cases()?.into_iter().map(play).collect()))
}

fn play(case: Case) -> Line {
    let (verdict, is_expected) = match row_of(&case).map(|row| row.what) {
        None => (Verdict::Failed("no row of the table".to_owned(), None), false),
        Some(What::No(why)) => (Verdict::NotApplicable(why), true),
        Some(What::Passes(run, note)) => match guarded(run) {
            Ok(()) => (Verdict::Passed(note), true),
            Err(seen) => (Verdict::Failed(seen, None), false),
        },
        Some(What::Fails(run, why)) => match guarded(run) {
            Ok(()) => (Verdict::Passed("though the table says it fails"), false),
            Err(seen) => (Verdict::Failed(seen, Some(why)), true),
        },
    };
    Line { case, verdict, is_expected }
}

/// A case that panics has failed; the other cases still run.
fn guarded(run: fn() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        Err(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned())
    })
}

/// Passed, failed, not applicable.
type Totals = [usize; 3];

impl Report {
    fn totals<'l>(lines: impl Iterator<Item = &'l Line>) -> Totals {
        lines.fold([0; 3], |[passed, failed, not], line| match line.verdict {
            Verdict::Passed(_) => [passed + 1, failed, not],
            Verdict::Failed(..) => [passed, failed + 1, not],
            Verdict::NotApplicable(_) => [passed, failed, not + 1],
        })
    }

    /// Lines by suite and group, in the order of the catalogue's names.
    fn groups(&self) -> BTreeMap<(&str, &str), Vec<&Line>> {
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for line in &self.0 {
            groups.entry((line.case.suite.as_str(), line.case.group.as_str())).or_default().push(line);
        }
        groups
    }

    /// Lines whose verdict differs from the table.
    pub fn surprises(&self) -> impl Iterator<Item = &Line> {
        self.0.iter().filter(|line| !line.is_expected)
    }

    /// The report as JSON.
    pub fn to_json(&self) -> Value {
        let [passed, failed, not_applicable] = Self::totals(self.0.iter());
        let cases: Vec<Value> = self
            .0
            .iter()
            .map(|line| {
                let Line { case, verdict, is_expected } = line;
                json!({
                    "suite": case.suite, "group": case.group, "id": case.id,
                    "verdict": verdict.word(), "why": verdict.why(), "expected": is_expected,
                })
            })
            .collect();
        json!({
            "totals": { "passed": passed, "failed": failed, "not_applicable": not_applicable },
            "cases": cases,
        })
    }
}

/// As Markdown: totals, then each group.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# Conformance\n")?;
        writeln!(
            f,
            "| suite | group | cases | passed | failed | not applicable |\n|---|---|---|---|---|---|"
        )?;
        let row = |f: &mut fmt::Formatter<'_>, suite: &str, group: &str, [passed, failed, not]: Totals| {
            writeln!(f, "| {suite} | {group} | {} | {passed} | {failed} | {not} |", passed + failed + not)
        };
        row(f, "**all**", "", Self::totals(self.0.iter()))?;
        let mut suites: Vec<&str> = self.groups().into_keys().map(|(suite, _)| suite).collect();
        suites.dedup();
        for suite in suites {
            let of_suite = self.0.iter().filter(|line| line.case.suite == suite);
            row(f, &format!("**{suite}**"), "", Self::totals(of_suite))?;
        }
        for ((suite, group), lines) in self.groups() {
            row(f, suite, group, Self::totals(lines.into_iter()))?;
        }
        for ((suite, group), lines) in self.groups() {
            writeln!(f, "\n## {suite}: {group}\n\n| case | verdict | stimulus | expected | remark |")?;
            writeln!(f, "|---|---|---|---|---|")?;
            for Line { case, verdict, .. } in lines {
                let Case { id, stimulus, expect, .. } = case;
                let (word, why) = (verdict.word(), verdict.why());
                writeln!(f, "| {id} | {word} | {stimulus} | {expect} | {why} |")?;
            }
        }
        Ok(())
    }
}
