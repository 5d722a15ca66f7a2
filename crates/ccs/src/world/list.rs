//! `ccs world list`: the scenarios and the safety rules.

use std::io::Write;

use clap::Args;
use sim::invariant::RULES;
use sim::script::{Script, unplayed};

use crate::exit::Exit;

/// Options of `ccs world list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Lists only this scenario, with its cases.
    #[arg(value_name = "ID", conflicts_with = "rules")]
    pub id: Option<String>,
    /// Lists the safety rules.
    #[arg(long)]
    pub rules: bool,
}

/// Writes the list.
pub(super) fn run(args: &ListArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if args.rules {
        for rule in RULES {
            let side = format!("{:?}", rule.side).to_lowercase();
            writeln!(out, "{:4} {side:8} {}\n{:13} keeps away: {}", rule.id, rule.words, "", rule.hazard)?;
        }
    } else if let Some(id) = &args.id {
        for (number, script) in super::by_id(id)?.iter().enumerate() {
            let Script { id, side, title, case, .. } = script;
            let values = if case.is_empty() { String::new() } else { format!(" ({case})") };
            writeln!(out, "{id} case {}, judged {side}: {title}{values}", number + 1)?;
            for step in &script.steps {
                writeln!(out, "    {}", step.words)?;
            }
            for (words, _) in &script.expect {
                writeln!(out, "    expect {words}")?;
            }
            if !script.why.is_empty() {
                writeln!(out, "    why so: {}", script.why)?;
            }
        }
    } else {
        let scripts = super::library()?;
        for row in super::grouped(&scripts) {
            let titles: Vec<&str> = row.titles();
            let cases = if row.scripts.len() == 1 {
                String::new()
            } else {
                format!(" ({} cases)", row.scripts.len())
            };
            writeln!(out, "{:6} {:8} {}{cases}", row.id, row.side(), titles.join("; "))?;
        }
        writeln!(out, "\nnot played here:")?;
        for row in unplayed() {
            let place = if row.is_elsewhere { "elsewhere" } else { "pending" };
            writeln!(out, "{:6} {place:10} {}", row.id, row.why)?;
        }
    }
    out.flush()?;
    Ok(Exit::Good)
}
