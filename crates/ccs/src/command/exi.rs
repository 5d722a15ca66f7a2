//! `ccs exi`: converts between EXI in hexadecimal and JSON.

use std::io::{BufReader, Read, Write};

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use serde_json::Value;

use crate::decode::{Codecs, Schema};
use crate::escape;
use crate::exit::Exit;
use crate::hex;
use crate::lines::{self, Line, MAX_LINE};

/// Why a line failed; serialised as its output line.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Failure {
    error: String,
    /// Names of the elements with `/` between them; `None` where unknown.
    path: Option<String>,
    /// Position in the document in bits; `None` where the error has none.
    bit: Option<u32>,
}

type Convert = fn(Schema, bool, &[u8], &mut String) -> Result<(), Failure>;

/// Commands of `ccs exi`.
#[derive(Subcommand)]
pub enum ExiCommand {
    /// Converts EXI in hexadecimal to JSON.
    Decode(ExiArgs),
    /// Converts JSON to EXI in hexadecimal.
    Encode(ExiArgs),
    /// Converts EXI in hexadecimal to its canonical form in hexadecimal.
    Recode(ExiArgs),
}

/// Options of all `ccs exi` commands.
#[derive(Args)]
#[command(after_help = "\
Reads lines from standard input and writes one line for each; an empty line for an empty line. For a line that
fails it writes {\"error\": ..., \"path\": ..., \"bit\": ...} and continues.

Example:
  echo 809a0011d00000 | ccs exi decode --schema din

Exit codes:
  0  every line was converted
  1  some lines failed
  2  invalid command line")]
pub struct ExiArgs {
    /// Schema of every document.
    #[arg(long, value_enum)]
    pub schema: SchemaName,
    /// The lines are EXI fragments (the parts that are signed) instead of documents.
    #[arg(long)]
    pub fragment: bool,
}

/// Schemas that can be decoded and encoded.
#[derive(Clone, Copy, ValueEnum)]
pub enum SchemaName {
    /// The supportedAppProtocol handshake.
    App,
    /// DIN SPEC 70121:2012.
    Din,
}

/// Converts every line of `input` into a line of output.
pub fn run<R: Read>(
    command: &ExiCommand,
    input: &mut BufReader<R>,
    output: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let (args, convert): (&ExiArgs, Convert) = match command {
        ExiCommand::Decode(args) => (args, decode),
        ExiCommand::Encode(args) => (args, encode),
        ExiCommand::Recode(args) => (args, recode),
    };
    let schema = match args.schema {
        SchemaName::App => Schema::App,
        SchemaName::Din => Schema::Din,
    };
    let mut exit = Exit::Good;
    let (mut line, mut out) = (Vec::new(), String::new());
    for number in 1_u64.. {
        out.clear();
        let converted = match lines::next(input, &mut line)? {
            Line::End => break,
            Line::TooLong => Err(Failure::plain(format!(
                "line {number} is longer than {MAX_LINE} bytes, and was skipped: give one document a line"
            ))),
            Line::Whole => match line.trim_ascii() {
                [] => Ok(()),
                text => convert(schema, args.fragment, text, &mut out),
            },
        };
        if let Err(failure) = converted {
            exit = Exit::Failed;
            out.clear();
            out.push_str(&escape::json(&failure));
        }
        out.push('\n');
        output.write_all(out.as_bytes())?;
        // Flushed before the next read blocks: the sender may wait for this answer before the next line.
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()?;
    Ok(exit)
}

fn decode(schema: Schema, fragment: bool, line: &[u8], out: &mut String) -> Result<(), Failure> {
    let json = from_hex(schema, fragment, line)?;
    out.push_str(&escape::json(&json));
    Ok(())
}

fn encode(schema: Schema, fragment: bool, line: &[u8], out: &mut String) -> Result<(), Failure> {
    let json: Value =
        serde_json::from_slice(line).map_err(|error| Failure::plain(format!("no JSON: {error}")))?;
    to_hex(schema, fragment, &json, out)
}

fn recode(schema: Schema, fragment: bool, line: &[u8], out: &mut String) -> Result<(), Failure> {
    let json = from_hex(schema, fragment, line)?;
    to_hex(schema, fragment, &json, out)
}

fn from_hex(schema: Schema, fragment: bool, line: &[u8]) -> Result<Value, Failure> {
    let mut bytes = Vec::new();
    hex::parse(line, &mut bytes)
        .map_err(|column| Failure::plain(format!("not hexadecimal in column {column}")))?;
    match schema.to_json(&bytes, fragment) {
        Some(result) => result.map_err(|error| Failure {
            error: error.kind.to_string(),
            path: (!error.path.is_empty()).then(|| error.path.to_string()),
            bit: Some(error.bit),
        }),
        None => Err(Failure::plain(format!("there is no codec for {}", schema.name()))),
    }
}

fn to_hex(schema: Schema, fragment: bool, json: &Value, out: &mut String) -> Result<(), Failure> {
    match schema.encode_json(json, fragment) {
        Some(Ok(bytes)) => {
            hex::write(&bytes, out);
            Ok(())
        }
        Some(Err(error)) => Err(Failure {
            error: error.message,
            path: (!error.path.is_empty()).then_some(error.path),
            bit: None,
        }),
        None => Err(Failure::plain(format!("there is no codec for {}", schema.name()))),
    }
}

impl Failure {
    fn plain(error: String) -> Self {
        Self { error, path: None, bit: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(command: fn(ExiArgs) -> ExiCommand, schema: SchemaName, input: &str) -> (Exit, String) {
        let command = command(ExiArgs { schema, fragment: false });
        let mut output = Vec::new();
        let exit = run(&command, &mut BufReader::new(input.as_bytes()), &mut output).unwrap();
        (exit, String::from_utf8(output).unwrap())
    }

    const ANSWER: &str =
        r#"{"supportedAppProtocolRes":{"ResponseCode":"OK_SuccessfulNegotiation","SchemaID":1}}"#;

    #[test]
    fn every_line_gives_one_line_blank_ones_too() {
        let (exit, output) = filter(ExiCommand::Decode, SchemaName::App, "80400040\n\n \n80400040");
        assert_eq!(output, format!("{ANSWER}\n\n\n{ANSWER}\n"));
        assert_eq!(exit, Exit::Good);
        let (_, back) = filter(ExiCommand::Encode, SchemaName::App, &output);
        assert_eq!(back, "80400040\n\n\n80400040\n");
        assert_eq!(filter(ExiCommand::Recode, SchemaName::App, "8040 0040FF\n").1, "80400040\n");
    }

    #[test]
    fn a_failing_line_says_why_and_where_and_the_filter_goes_on() {
        let (exit, output) = filter(ExiCommand::Decode, SchemaName::App, "8040\nxyz\n80400040\n");
        assert_eq!(exit, Exit::Failed);
        let lines: Vec<&str> = output.lines().collect();
        let cut: Value = serde_json::from_str(lines[0]).unwrap();
        assert!(cut["error"].as_str().unwrap().contains("ends inside"), "{cut}");
        assert!(
            cut["bit"].is_u64() && cut["path"].as_str().unwrap().starts_with("supportedAppProtocolRes"),
            "{cut}"
        );
        assert_eq!(lines[1], r#"{"error":"not hexadecimal in column 1","path":null,"bit":null}"#);
        assert_eq!(lines[2], ANSWER);
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let (exit, output) =
            filter(ExiCommand::Encode, SchemaName::App, &ANSWER.replace("SchemaID", "SchemaId"));
        assert_eq!(exit, Exit::Failed);
        assert!(
            output.contains("SchemaId") && output.contains("\"path\":\"supportedAppProtocolRes\""),
            "{output}"
        );
    }
}
