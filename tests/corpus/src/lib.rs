//! Bytes from other sources: where tests find them, and what they print without them.
//!
//! The corpus is beside the project (`../shared` from the workspace root) or where `CCS_CORPUS` points (the
//! folder with `golden-public.jsonl`). It is not part of the project. A test that needs it calls this crate
//! and returns when the result is `None`, after this crate has printed one `skipped: ...` line.
#![allow(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "for tests only: a broken corpus ends the test"
)]

use std::path::{Path, PathBuf};

pub use serde_json::Value;

/// The path of a corpus file or folder, such as `captures` or `golden-public.jsonl`.
pub fn path(name: &str) -> Option<PathBuf> {
    let found = root().map(|root| root.join(name)).filter(|path| path.exists());
    if found.is_none() {
        println!("skipped: no corpus ({name}); set CCS_CORPUS to its folder");
    }
    found
}

/// The facts of one schema (`app`, `din`, `dsig` ...), made from its XSD.
pub fn schema(name: &str) -> Option<Value> {
    let text =
        std::fs::read_to_string(path(&format!("../schemas/{name}.json"))?).expect("readable schema facts");
    Some(serde_json::from_str(&text).expect("schema facts are JSON"))
}

/// Every line of a `.jsonl` file of the corpus.
pub fn lines(name: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(path(name)?).expect("readable corpus file");
    Some(text.lines().map(|line| serde_json::from_str(line).expect("corpus lines are JSON")).collect())
}

/// The text field `name` of a corpus line.
pub fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Bytes from hexadecimal digits.
pub fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| char::from(c).to_digit(16).expect("hexadecimal digit");
    hex.as_bytes()
        .chunks(2)
        .map(|pair| {
            pair.iter().fold(0, |value, &c| (value << 4) | u8::try_from(digit(c)).expect("one digit"))
        })
        .collect()
}

/// Hexadecimal digits from bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        text
    })
}

/// The head of a little-endian pcap file: Ethernet, times in microseconds.
pub const PCAP_HEAD: [u8; 24] =
    [0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

/// Moves the link-local addresses of an Ethernet frame to another subnet, such as `fe80:0:1::`: those of the
/// IPv6 header and the charger's in a discovery response. A repeated session then has its own connections.
/// Checksums stay unchanged.
pub fn to_subnet(subnet: u32, frame: &mut [u8]) {
    const IPV6: [u8; 2] = [0x86, 0xDD];
    const UDP: u8 = 17;
    /// Offset of the address in a discovery response: after Ethernet, IPv6, UDP and V2GTP.
    const ANNOUNCED: usize = 14 + 40 + 8 + 8;
    if frame.get(12..14) != Some(&IPV6) {
        return;
    }
    let is_answer = frame.get(20) == Some(&UDP) && frame.get(62..66) == Some(&[0x01, 0xFE, 0x90, 0x01]);
    for at in [22, 38].into_iter().chain(is_answer.then_some(ANNOUNCED)) {
        if let Some([0xFE, 0x80, rest @ ..]) = frame.get_mut(at..at + 6) {
            rest.copy_from_slice(&subnet.to_be_bytes());
        }
    }
}

fn root() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("CCS_CORPUS") {
        return Some(PathBuf::from(folder));
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    Some(workspace.parent()?.join("shared/corpus"))
}
