//! Prints the report: Markdown, or JSON with `--json`. Exit code 1 if a verdict differs from the table.

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(report) = conformance::run() else { return ExitCode::SUCCESS };
    if std::env::args().any(|argument| argument == "--json") {
        println!("{:#}", report.to_json());
    } else {
        println!("{report}");
    }
    let surprises = report.surprises().count();
    if surprises == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
