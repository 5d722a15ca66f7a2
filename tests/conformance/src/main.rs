//! Prints the report: Markdown, or with `--json` for machines. Ends with 1 when a verdict is not the table's.

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
