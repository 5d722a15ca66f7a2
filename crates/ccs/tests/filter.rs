//! The built command `ccs exi`, compared with documents of other codecs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::io::Write;
use std::process::{Command, Stdio};

use corpus::Value;

/// The command's exit code and output lines.
fn filter(args: &[&str], input: &str) -> (i32, Vec<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ccs"))
        .arg("exi")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), lines.lines().map(ToOwned::to_owned).collect())
}

/// The golden documents of one schema on which all reference codecs agree.
fn golden(schema: &str) -> Option<Vec<Value>> {
    let lines = corpus::lines("golden-public.jsonl")?;
    let of_schema =
        |line: &Value| line["schema"] == schema && line["agree"] == true && line["fragment"] == false;
    Some(lines.into_iter().filter(of_schema).collect())
}

fn joined(lines: &[Value], field: impl Fn(&Value) -> String) -> String {
    lines.iter().map(|line| field(line) + "\n").collect()
}

#[test]
fn golden_documents_pass_the_filter_both_ways() {
    for schema in ["app", "din"] {
        let Some(golden) = golden(schema) else { return };
        assert!(golden.len() >= 20, "{schema}: {}", golden.len());
        let hex = joined(&golden, |line| corpus::text(line, "exi").to_owned());
        let json = joined(&golden, |line| line["json"].to_string());

        let (exit, decoded) = filter(&["decode", "--schema", schema], &hex);
        assert_eq!((exit, decoded.len()), (0, golden.len()));
        for (line, golden) in decoded.iter().zip(&golden) {
            let line: Value = serde_json::from_str(line).unwrap();
            assert_eq!(line, golden["json"], "{}", golden["exi"]);
        }
        for (command, input) in [("encode", &json), ("recode", &hex)] {
            let (exit, encoded) = filter(&[command, "--schema", schema], input);
            assert_eq!((exit, encoded.join("\n") + "\n"), (0, hex.clone()), "{schema} {command}");
        }
    }
}

#[test]
fn broken_documents_give_a_line_each_and_exit_code_1() {
    let Some(lines) = corpus::lines("negative-public.jsonl") else { return };
    let din: Vec<Value> = lines.into_iter().filter(|line| line["schema"] == "din").collect();
    assert!(din.len() > 50);
    let (exit, answers) =
        filter(&["decode", "--schema", "din"], &joined(&din, |line| corpus::text(line, "exi").to_owned()));
    assert_eq!((exit, answers.len()), (1, din.len()));
    for (answer, line) in answers.iter().zip(&din) {
        if corpus::text(line, "exi").is_empty() {
            assert_eq!(answer, "");
            continue;
        }
        let answer: Value = serde_json::from_str(answer).unwrap();
        let failed = answer.get("error").is_some();
        assert_eq!(failed, answer.get("bit").is_some_and(Value::is_u64), "{answer}");
        assert!(failed || answer.as_object().is_some_and(|root| root.len() == 1), "{answer}");
    }
}

#[test]
fn wrong_usage_is_exit_code_2() {
    assert_eq!(filter(&["decode", "--schema", "iso3"], "").0, 2);
    assert_eq!(filter(&["decode"], "").0, 2);
}

#[test]
fn fragments_have_a_grammar_of_their_own() {
    // The golden lists have no SignedInfo of DIN; the filter must read what it wrote.
    let json = r#"{"ContractAuthenticationReq":{"@Id":"i","GenChallenge":"g"}}"#;
    let (exit, encoded) = filter(&["encode", "--schema", "din", "--fragment"], json);
    assert_eq!(exit, 0, "{encoded:?}");
    let (_, decoded) = filter(&["decode", "--schema", "din", "--fragment"], &encoded.join("\n"));
    assert_eq!(decoded, [json]);
    assert_eq!(filter(&["decode", "--schema", "din"], &encoded.join("\n")).0, 1, "it is no document");
}
