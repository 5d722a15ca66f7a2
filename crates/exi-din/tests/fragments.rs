//! Fragments, which are single elements encoded for a signature, compared with the reference codec beside the
//! project: a Python program that uses the schema facts only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use corpus::{Value, bytes, hex, text};

/// Reads one fragment a line; writes the decoded content and the bytes of its encoding.
const REFERENCE: &str = r"
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location('exi', sys.argv[1])
exi = importlib.util.module_from_spec(spec); spec.loader.exec_module(exi)
codec = exi.Codec(json.load(open(sys.argv[2])))
for line in sys.stdin:
    node = codec.decode(bytes.fromhex(line), frag=True)
    print(json.dumps([{node['n']: codec.json(node)}, codec.encode(node, frag=True).hex()]))
";

#[test]
fn fragments_of_every_kind_agree_with_the_reference_codec() {
    let (Some(tool), Some(facts)) = (corpus::path("../tools/exi.py"), corpus::path("../schemas/din.json"))
    else {
        return;
    };
    let mut samples = BTreeMap::new();
    for vector in corpus::lines("golden-public.jsonl").unwrap_or_default() {
        if text(&vector, "schema") == "din" {
            collect(&vector["json"], &mut samples);
        }
    }
    let fragments: Vec<_> = samples
        .into_iter()
        .flat_map(|(name, contents)| {
            contents.into_iter().map(move |content| serde_json::json!({ name.clone(): content }))
        })
        .collect();
    assert!(fragments.len() > 400, "{} samples", fragments.len());
    let ours: Vec<_> = fragments.iter().map(|json| exi_din::SCHEMA.encode(json, true).unwrap()).collect();

    let python = Command::new("python3")
        .args(["-c", REFERENCE])
        .args([tool, facts])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        println!("skipped: no python3 for the reference codec");
        return;
    };
    let lines: String = ours.iter().map(|stream| hex(stream) + "\n").collect();
    let mut input = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), ours.len());
    for ((answer, json), stream) in answers.lines().zip(&fragments).zip(&ours) {
        let answer: Value = serde_json::from_str(answer).unwrap();
        assert_eq!((&answer[0], answer[1].as_str()), (json, Some(hex(stream).as_str())));
        assert_eq!(exi_din::SCHEMA.decode(&bytes(&hex(stream)), true).unwrap(), *json);
    }
}

/// Up to four different contents of each element.
fn collect(json: &Value, samples: &mut BTreeMap<String, Vec<Value>>) {
    for (name, content) in json.as_object().into_iter().flatten() {
        let items = content.as_array().map_or(std::slice::from_ref(content), Vec::as_slice);
        for item in items.iter().filter(|_| !name.starts_with(['@', '$'])) {
            let known = samples.entry(name.clone()).or_default();
            if known.len() < 4 && !known.contains(item) {
                known.push(item.clone());
            }
            collect(item, samples);
        }
    }
}
