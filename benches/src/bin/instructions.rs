//! Instructions for each DIN message, compared with the fastest C codec for the same bytes, and for a whole
//! session.
//!
//! `cargo run --release -p benches --bin instructions` prints the tables as Markdown. It runs itself under
//! valgrind's callgrind, once for each message and direction: counts are repeatable, times are not.
#![allow(clippy::expect_used, reason = "a bench without its data or tool ends")]

use std::hint::black_box;
use std::process::Command;

use benches::Message;
use benches::session::{Watch, play};
use exi_din::V2gMessage;

/// Repetitions of a message: the sum is divided by this.
const ROUNDS: u32 = 100;

/// Budget of a whole session in instructions. The design (section 8) allows 50 ms of CPU on its reference
/// machine, where 619 million instructions took 42 to 49 ms. Other machines take up to twice as long, so the
/// count is compared.
const SESSION: u32 = 630_000_000;

/// Instructions of `OpenV2G`, built with gcc 12 -O2 on x86-64, by callgrind: (decode, encode).
const OPENV2G: [(&str, u32, u32); 22] = [
    ("SessionSetupReq", 1494, 1426),
    ("ServiceDiscoveryReq", 1245, 1268),
    ("ServicePaymentSelectionReq", 1843, 1775),
    ("ContractAuthenticationReq", 1241, 1239),
    ("ChargeParameterDiscoveryReq", 3741, 3345),
    ("CableCheckReq", 1804, 1739),
    ("PreChargeReq", 3249, 2993),
    ("PowerDeliveryReq", 2370, 2284),
    ("CurrentDemandReq", 7459, 6461),
    ("WeldingDetectionReq", 1804, 1806),
    ("SessionStopReq", 1230, 1278),
    ("SessionSetupRes", 2716, 2327),
    ("ServiceDiscoveryRes", 2548, 2408),
    ("ServicePaymentSelectionRes", 1396, 1427),
    ("ContractAuthenticationRes", 1549, 1536),
    ("ChargeParameterDiscoveryRes", 9080, 7513),
    ("CableCheckRes", 2395, 2193),
    ("PreChargeRes", 2979, 2717),
    ("PowerDeliveryRes", 2232, 2117),
    ("CurrentDemandRes", 6568, 5650),
    ("WeldingDetectionRes", 2978, 2740),
    ("SessionStopRes", 1396, 1435),
];

fn main() {
    let messages = benches::din_messages();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [direction, name] => {
            let message = messages.iter().find(|message| message.name == *name);
            return run(direction, message.expect("a message of the corpus"));
        }
        [_session] => return measured_session(),
        _ => {}
    }
    println!("| message | decode | OpenV2G | encode | OpenV2G |\n|---|---|---|---|---|");
    let mut sums = [0; 4];
    for message in &messages {
        let (_, decode, encode) =
            OPENV2G.iter().find(|(name, ..)| *name == message.name).expect("a figure for each message");
        let row = [count(&["decode", &message.name]), *decode, count(&["encode", &message.name]), *encode];
        println!("| {} | {} | {} | {} | {} |", message.name, row[0], row[1], row[2], row[3]);
        sums.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
    }
    if !messages.is_empty() {
        println!("| **sum** | **{}** | {} | **{}** | {} |", sums[0], sums[1], sums[2], sums[3]);
        assert!(sums[0] * 2 <= sums[1] && sums[2] * 2 <= sums[3], "over the budget: half of OpenV2G");
    }
    let session = count(&["session"]);
    println!("\n| whole session, ten minutes of charging | budget |\n|---|---|\n| {session} | {SESSION} |");
    assert!(session <= SESSION, "a session is over its budget");
}

/// Instructions of the run with these arguments, by callgrind; of a message, for one of its rounds.
fn count(arguments: &[&str]) -> u32 {
    let program = std::env::current_exe().expect("a path of this program");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*measured*"])
        .arg(program)
        .args(arguments)
        .output()
        .expect("valgrind, which counts the instructions: install the package valgrind");
    let text = String::from_utf8_lossy(&output.stderr);
    let collected =
        text.lines().find_map(|line| line.split_once("Collected :")).map(|(_, n)| n.trim().parse::<u32>());
    let collected = collected.expect("a line `Collected` from callgrind").expect("a number from callgrind");
    if arguments.len() == 1 { collected } else { collected / ROUNDS }
}

fn run(direction: &str, message: &Message) {
    let decoded = V2gMessage::decode(&message.stream).expect("a valid message");
    let mut buffer = [0; 512];
    decoded.encode(&mut buffer).expect("room for the message");
    for _ in 0..ROUNDS {
        match direction {
            "decode" => measured_decode(&message.stream),
            _ => measured_encode(&decoded, &mut buffer),
        }
    }
}

#[inline(never)]
fn measured_decode(stream: &[u8]) {
    let message = V2gMessage::decode(black_box(stream));
    black_box(&message);
}

#[inline(never)]
fn measured_encode(message: &V2gMessage<'_>, buffer: &mut [u8]) {
    let length = black_box(message).encode(buffer);
    let _ = black_box(length);
}

#[inline(never)]
fn measured_session() {
    black_box(play(black_box(1), Watch::Nobody));
}
