//! The messages that the benches measure, and the cost of the same bytes in other codecs.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a bench without its data ends")]
#![allow(unnameable_types, reason = "parts of programs, no API")]

pub mod flood;
pub mod reaction;
pub mod session;
pub mod share;

/// One message of `corpus/bench-messages.txt`.
pub struct Message {
    /// Name of the message.
    pub name: String,
    /// Its EXI stream.
    pub stream: Vec<u8>,
}

/// The 22 DIN messages of `corpus/bench-messages.txt`; empty without the corpus.
pub fn din_messages() -> Vec<Message> {
    let Some(path) = corpus::path("bench-messages.txt") else { return Vec::new() };
    let text = std::fs::read_to_string(path).expect("readable bench messages");
    let lines = text.lines().filter_map(|line| line.strip_prefix("din ")?.split_once(' '));
    lines.map(|(name, hex)| Message { name: name.to_owned(), stream: corpus::bytes(hex) }).collect()
}

/// The largest golden vector of each of the 34 kinds of messages; empty without the corpus.
pub fn golden_messages() -> Vec<Message> {
    let mut messages: std::collections::BTreeMap<String, Vec<u8>> = std::collections::BTreeMap::default();
    for line in corpus::lines("golden-public.jsonl").unwrap_or_default() {
        let stream = corpus::bytes(corpus::text(&line, "exi"));
        if corpus::text(&line, "schema") == "din" && stream.len() < 1000 {
            let largest = messages.entry(corpus::text(&line, "message").to_owned()).or_default();
            if stream.len() > largest.len() {
                *largest = stream;
            }
        }
    }
    messages.into_iter().map(|(name, stream)| Message { name, stream }).collect()
}

/// Every DIN payload of one capture, in order of time; empty without the corpus.
pub fn captured(capture: &str) -> Vec<Vec<u8>> {
    let lines = corpus::lines("captures/vectors.jsonl").unwrap_or_default();
    let lines = lines.iter().filter(|line| corpus::text(line, "capture") == capture);
    let lines = lines.filter(|line| corpus::text(line, "schema") == "din");
    lines.map(|line| corpus::bytes(corpus::text(line, "exi"))).collect()
}
