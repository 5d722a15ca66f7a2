//! The smallest script that fails in the same way.

use super::parse::parse;
use super::run::{Verdict, run};

/// Removes from one scenario's text, line by line, what its failure does not need. The failure - the broken
/// rule, or the expectations - stays the same. A text that is invalid or passes is returned unchanged.
pub fn shrink(text: &str) -> String {
    let Some(failure) = failure(text) else { return text.to_owned() };
    let mut lines: Vec<&str> = text.lines().collect();
    loop {
        let before = lines.len();
        for index in (0..lines.len()).rev() {
            let is_needed = |line: &&str| {
                ["scenario ", "expect ", "setup    loose"].iter().any(|head| line.starts_with(head))
            };
            if lines.get(index).is_none_or(is_needed) {
                continue;
            }
            let mut fewer = lines.clone();
            fewer.remove(index);
            if self::failure(&fewer.join("\n")).as_ref() == Some(&failure) {
                lines = fewer;
            }
        }
        if lines.len() == before {
            return lines.join("\n") + "\n";
        }
    }
}

/// The failure of a text's first scenario.
fn failure(text: &str) -> Option<Vec<String>> {
    let scripts = parse(text).ok()?;
    let verdict = run(scripts.first()?);
    (!verdict.passed()).then(|| signature(&verdict))
}

/// The broken rule's id, or the expectations that were not met.
fn signature(verdict: &Verdict) -> Vec<String> {
    if let Some(rule) = verdict.rule() {
        return vec![rule.to_owned()];
    }
    let missed = verdict.checks.iter().filter(|check| !check.passed).map(|check| check.expected.clone());
    missed.chain(verdict.stuck.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_failure_needs_is_left() {
        let text = "scenario X\ntitle t\nside car\nsetup    seed 3\nat 6s: nothing\nat 7s: unplug\nat 8s: driver stops\n\
                    expect charging\n";
        assert_eq!(shrink(text), "scenario X\nat 7s: unplug\nexpect charging\n");
    }

    #[test]
    fn what_passes_stays_as_it_is() {
        let text = "scenario X\ntitle t\nside car\nsetup until 10s\nexpect no energy\n";
        assert_eq!(shrink(text), text);
    }
}
