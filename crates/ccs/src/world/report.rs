//! `ccs world report`: every scenario and its result.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use rayon::prelude::*;
use serde_json::json;
use sim::invariant::RULES;
use sim::script::{self, Script, Verdict, unplayed};

use crate::escape;
use crate::exit::Exit;

/// Options of `ccs world report`.
#[derive(Args)]
#[command(after_help = "\
Exit codes:
  0  everything as expected
  1  something was not as expected, or the report cannot be written
  2  a scenario file that cannot be read")]
pub(crate) struct ReportArgs {
    /// Format of the report.
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "markdown")]
    pub format: Format,
    /// Writes to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Scenario files to play instead of the built-in scenarios.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Markdown.
    #[value(alias = "md")]
    Markdown,
    /// One JSON object.
    Json,
    /// An HTML page.
    Html,
}

/// Plays the scenarios and writes the report.
pub(super) fn run(args: &ReportArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut scripts = Vec::new();
    for file in &args.files {
        let name = escape::path(file);
        scripts.extend(super::read(&name, &super::text_of(file)?)?);
    }
    if args.files.is_empty() {
        scripts = super::library()?;
    }
    let bar = super::bar(scripts.len());
    let verdicts: Vec<Verdict> = scripts
        .par_iter()
        .map(|script| {
            let verdict = script::run(script);
            bar.inc(1);
            verdict
        })
        .collect();
    bar.finish_and_clear();
    let all = All { scripts: &scripts, verdicts: &verdicts, is_library: args.files.is_empty() };
    let text = match args.format {
        Format::Markdown => all.markdown()?,
        Format::Json => escape::json(&all.json()) + "\n",
        Format::Html => page(&all.markdown()?),
    };
    match &args.output {
        Some(path) => {
            std::fs::write(path, text).with_context(|| format!("writing {}", escape::path(path)))?;
        }
        None => out.write_all(text.as_bytes())?,
    }
    out.flush()?;
    Ok(if all.failed() == 0 { Exit::Good } else { Exit::Failed })
}

struct All<'s> {
    scripts: &'s [Script],
    verdicts: &'s [Verdict],
    is_library: bool,
}

impl All<'_> {
    fn failed(&self) -> usize {
        self.verdicts.iter().filter(|verdict| !verdict.passed()).count()
    }

    fn cases<'s>(&'s self, id: &str) -> Vec<(&'s Script, &'s Verdict)> {
        self.scripts.iter().zip(self.verdicts).filter(|(script, _)| script.id == id).collect()
    }

    fn json(&self) -> serde_json::Value {
        let case = |(script, verdict): (&Script, &Verdict)| {
            let steps: Vec<&str> = script.steps.iter().map(|step| step.words.as_str()).collect();
            json!({
                "title": script.title, "side": script.side, "why": script.why, "theirs": script.theirs,
                "steps": steps, "verdict": verdict.to_json(),
            })
        };
        let cases: Vec<_> = self.scripts.iter().zip(self.verdicts).map(case).collect();
        let unplayed: Vec<_> = unplayed()
            .filter(|_| self.is_library)
            .map(|row| json!({"id": row.id, "elsewhere": row.is_elsewhere, "why": row.why}))
            .collect();
        json!({ "cases": cases.len(), "failed": self.failed(), "scenarios": cases, "unplayed": unplayed })
    }

    fn markdown(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        let rows = super::grouped(self.scripts);
        let (cases, failed) = (self.scripts.len(), self.failed());
        writeln!(text, "# Fault scenarios\n")?;
        writeln!(
            text,
            "Made by `ccs world report`. {} of {cases} cases of {} scenarios passed",
            cases - failed,
            rows.len()
        )?;
        writeln!(text, "(each with {} safety rules watched after every step).\n", RULES.len())?;
        writeln!(text, "| id | judged | what goes wrong | cases | passed |\n|---|---|---|---|---|")?;
        for row in rows.iter().filter(|row| row.id != THEIRS) {
            let cases = self.cases(row.id);
            let passed = cases.iter().filter(|(_, verdict)| verdict.passed()).count();
            let (titles, count) = (row.titles().join("; "), cases.len());
            writeln!(text, "| {} | {} | {} | {count} | {passed} |", row.id, row.side(), cell(&titles))?;
        }
        self.failures(&mut text)?;
        self.changed(&mut text)?;
        self.theirs(&mut text)?;
        if self.is_library {
            writeln!(text, "\n## Not played as a scenario\n\n| id | where | why |\n|---|---|---|")?;
            for row in unplayed() {
                let place = if row.is_elsewhere { "elsewhere" } else { "pending" };
                writeln!(text, "| {} | {place} | {} |", row.id, cell(row.why))?;
            }
        }
        writeln!(text, "\n## Safety rules\n\n| id | side | rule | keeps away |\n|---|---|---|---|")?;
        for rule in RULES {
            let side = format!("{:?}", rule.side).to_lowercase();
            writeln!(text, "| {} | {side} | {} | {} |", rule.id, cell(rule.words), cell(rule.hazard))?;
        }
        Ok(text)
    }

    fn failures(&self, text: &mut String) -> std::fmt::Result {
        if self.failed() == 0 {
            return Ok(());
        }
        writeln!(text, "\n## Failed\n\n```")?;
        for verdict in self.verdicts.iter().filter(|verdict| !verdict.passed()) {
            writeln!(text, "{verdict}")?;
        }
        writeln!(text, "```")
    }

    /// Lists the cases whose expectation differs from the proposed one.
    fn changed(&self, text: &mut String) -> std::fmt::Result {
        let mut rows: Vec<(&str, &str)> = self
            .scripts
            .iter()
            .filter(|script| !script.why.is_empty())
            .map(|script| (script.id.as_str(), script.why.as_str()))
            .collect();
        rows.dedup();
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(text, "\n## Judged otherwise than proposed\n\n| id | why |\n|---|---|")?;
        rows.iter().try_for_each(|(id, why)| writeln!(text, "| {id} | {} |", cell(why)))
    }

    /// Lists the cases of another project, with what its table contains.
    fn theirs(&self, text: &mut String) -> std::fmt::Result {
        let cases = self.cases(THEIRS);
        if cases.is_empty() {
            return Ok(());
        }
        writeln!(
            text,
            "\n## pyPLC's fault cases\n\n| case | what is broken | its table says | here | passed |"
        )?;
        writeln!(text, "|---|---|---|---|---|")?;
        for (script, verdict) in cases {
            let number = script.case.split(' ').next().unwrap_or_default();
            let steps: Vec<&str> = script.steps.iter().map(|step| step.words.as_str()).collect();
            let steps = if steps.is_empty() { "nothing".to_owned() } else { steps.join("; ") };
            let seen: Vec<String> = verdict
                .checks
                .iter()
                .take(2)
                .map(|check| {
                    let what = check.expected.split(' ').take(2).collect::<Vec<_>>().join(" ");
                    format!("{what}: {}", check.seen)
                })
                .collect();
            let passed = if verdict.passed() { "yes" } else { "no" };
            writeln!(
                text,
                "| {number} | {} | {} | {} | {passed} |",
                cell(&steps),
                cell(&script.theirs),
                cell(&seen.join(", "))
            )?;
        }
        Ok(())
    }
}

/// The id of the scenarios that are another project's cases.
const THEIRS: &str = "pyPLC";

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

/// Markdown as a complete HTML page.
fn page(markdown: &str) -> String {
    let mut body = String::new();
    let parser = pulldown_cmark::Parser::new_ext(markdown, pulldown_cmark::Options::ENABLE_TABLES);
    pulldown_cmark::html::push_html(&mut body, parser);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Fault scenarios</title>\n<style>{STYLE}</style>\n\
         <body>\n{body}</body></html>\n"
    )
}

const STYLE: &str = "body{font:15px/1.4 sans-serif;max-width:70em;margin:2em auto;padding:0 1em}\
    table{border-collapse:collapse}td,th{padding:.2em .7em;border-bottom:1px solid #ccc;text-align:left;vertical-align:top}\
    @media(prefers-color-scheme:dark){body{background:#111;color:#ddd}td,th{border-color:#444}}";
