//! Every form of text in which users have messages: one file each in `tests/text`, written with the tools of
//! its name from six messages of a test bench (`corpus/captures/DIN_DC_DS5366_Josev.pcapng`), with
//! documentation addresses.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use corpus::Value;

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/text")
}

fn decode(args: &[&str], file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ccs")).arg("decode").args(args).arg(file).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The objects of `--json`.
fn json(file: &Path) -> (Vec<Value>, Output) {
    let output = decode(&["--json"], file);
    let lines = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, output)
}

/// The messages of a file; it must be read without an error.
fn messages(file: &Path) -> Vec<String> {
    let (lines, output) = json(file);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{}", file.display());
    lines.iter().map(|line| line["exi"].as_str().unwrap().to_owned()).collect()
}

fn expected() -> Vec<String> {
    let text = std::fs::read_to_string(samples().join("messages.hex")).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// A file with this content, removed at the end.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("ccs-texts-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // A file that is left does no harm.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn every_form_of_text_gives_the_same_messages() {
    let expected = expected();
    assert_eq!(expected.len(), 6);
    let mut files = 0;
    for entry in std::fs::read_dir(samples()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(messages(&path), expected, "{}", path.display());
        files += 1;
    }
    assert!(files >= 82, "{files}");
}

#[test]
fn every_form_reads_with_other_ends_of_lines_and_in_upper_case() {
    let expected = expected();
    for name in [
        "xxd.txt",
        "hexdump-canonical.txt",
        "od-bytes.txt",
        "pyplc.log",
        "wireshark-export.txt",
        "c-array.txt",
    ] {
        let sample = std::fs::read_to_string(samples().join(name)).unwrap();
        let is_hex = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_hexdigit());
        let upper = |line: &str| {
            let words =
                line.split(' ').map(|word| if is_hex(word) { word.to_uppercase() } else { word.to_owned() });
            words.collect::<Vec<_>>().join(" ")
        };
        let changed: Vec<String> = sample.lines().map(upper).collect();
        let file = Temporary::new(name, (changed.join("\r\n") + "\r\n").as_bytes());
        assert_eq!(messages(&file.0), expected, "{name}");
    }
}

#[test]
fn the_times_of_logs_are_those_of_their_lines() {
    let times = |name: &str| -> Vec<f64> {
        let (lines, _) = json(&samples().join(name));
        lines.iter().map(|line| line["time_s"].as_f64().unwrap()).collect()
    };
    for (name, expected) in [
        ("pyplc.log", [0.0, 0.1, 0.482, 1.219, 10.826, 11.747]),
        ("clara.log", [0.0, 0.1, 0.482, 1.219, 10.826, 11.747]),
        ("csv-hex.csv", [0.0, 0.1, 0.482, 1.219, 10.827, 11.748]),
        ("everest.yaml", [0.0, 0.099_805, 0.482_067, 1.218_826, 11.806_672, 12.706_672]),
        ("colours.log", [0.0, 0.099_805, 0.482_067, 1.218_826, 11.806_672, 12.706_672]),
        ("pyplc-decoded.txt", [0.0, 0.099_805, 0.482_067, 1.218_826, 13.906_672, 14.906_672]),
        ("tcpdump-x.txt", [0.0, 0.099_805, 0.482_067, 1.218_826, 10.826_483, 11.747_66]),
        ("wireshark-export.txt", [0.0, 0.099_805, 0.482_067, 1.218_826, 10.826_483, 11.747_66]),
    ] {
        let times = times(name);
        let differs = times.iter().zip(expected).any(|(one, other)| (one - other).abs() > 2e-6);
        assert!(times.len() == expected.len() && !differs, "{name}: {times:?}");
    }
}

#[test]
fn a_message_that_lacks_its_end_is_an_error_and_the_next_is_read() {
    let file =
        Temporary::new("cut.log", b"[1ms] rx = 01 FE 80 01 00 00 00 22 80 00 DB\n[2ms] rx = 80 40 00 40\n");
    let output = decode(&[], &file.0);
    let shown = text(&output.stdout);
    assert!(shown.contains("a message is cut: 11 of 42 bytes are there"), "{shown}");
    assert!(shown.contains("supportedAppProtocolRes"), "{shown}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_block_of_bytes_that_is_nothing_known_is_an_error_and_prose_is_not() {
    let block =
        Temporary::new("block.txt", b"00000000  de ad be ef 00 01 02 03  |........|\n\n80 40 00 40\n");
    let output = decode(&[], &block.0);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("8 bytes are neither EXI"), "{}", text(&output.stdout));
    let prose =
        b"[1ms] mac 02:00:00:00:00:01, id 0123456789ABCDEF, 400 V\n1000\nbad decade\n[2ms] 80 40 00 40\n";
    let prose = Temporary::new("prose.txt", prose);
    assert_eq!(messages(&prose.0), ["80400040"]);
}

#[test]
fn a_message_that_a_log_has_in_two_forms_is_one_and_one_that_is_sent_twice_is_two() {
    let whole = "received = 01 FE 80 01 00 00 00 04 80 40 00 40\n";
    let heard = "[SNIFFER] EXI from 50094 to 15118 (4bytes) = 80 40 00 40\n";
    for (log, count) in [([whole, heard], 1), ([heard, whole], 1), ([whole, whole], 2), ([heard, heard], 2)] {
        let file = Temporary::new("forms.log", log.concat().as_bytes());
        assert_eq!(messages(&file.0).len(), count, "{log:?}");
    }
}

#[test]
fn an_address_is_no_row_of_bytes() {
    let text = "fe80::c690:83f3:fbcb:980e%15\nfe80::4c46:fea5:b6c9:25a9%3\n80 40 00 40\n";
    let file = Temporary::new("address.log", format!("starting\n{text}").as_bytes());
    assert_eq!(messages(&file.0), ["80400040"]);
}

#[test]
fn text_without_any_message_is_refused_with_what_is_read() {
    let file = Temporary::new("letter.txt", b"Dear Sir or Madam,\nthe car stopped at 12:30:00.\n");
    let output = decode(&[], &file.0);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no message was found in this text; expected a pcapng"));
}

#[test]
fn a_file_that_unpacks_to_far_more_than_a_capture_is_not_read_on() {
    // 70 MiB of line ends after a message: 70 kB.
    let make = "(echo 80400040; head -c 73400320 /dev/zero | tr '\\0' '\\n') | gzip -9n";
    let packed = Command::new("sh").args(["-c", make]).output().unwrap().stdout;
    let file = Temporary::new("bomb.gz", &packed);
    let output = decode(&[], &file.0);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("supportedAppProtocolRes"));
    assert!(text(&output.stderr).contains("unpacks to far more than a capture"), "{}", text(&output.stderr));
}

#[test]
fn a_packed_file_that_is_cut_gives_what_comes_before() {
    let sample = std::fs::read(samples().join("two-members.log.gz")).unwrap();
    let file = Temporary::new("cut.gz", &sample[..sample.len() - 20]);
    let (lines, output) = json(&file.0);
    assert_eq!(output.status.code(), Some(1));
    assert!(!lines.is_empty() && text(&output.stderr).contains("cut: "), "{}", text(&output.stderr));
}

/// Each sample of the findings: number of EXI messages, exit code, and further output.
const CASES: &[(&str, usize, i32, &str)] = &[
    ("carray.txt", 3, 0, ""),
    ("csv.txt", 6, 0, ""),
    ("hexdumpC.txt", 12, 0, ""),
    ("pyplc.txt", 12, 0, ""),
    ("raw.bin", 12, 0, ""),
    ("utf16.txt", 12, 0, ""),
    ("sll.pcap", 792, 0, ""),
    ("snap96.pcap", 6, 1, "809 frames are cut by the snap length"),
    ("usb.pcap", 0, 1, "200 frames of link type 249 (USBPcap) were not read"),
    ("can.pcap", 0, 1, "200 frames of link type 227 (SocketCAN) were not read"),
];

#[test]
fn every_sample_of_the_findings_reads() {
    let Some(folder) = corpus::path("../findings/cases") else { return };
    for (name, count, code, words) in CASES {
        let (lines, output) = json(&folder.join(name));
        let found = lines.iter().filter(|line| !line["exi"].is_null()).count();
        assert_eq!((found, output.status.code()), (*count, Some(*code)), "{name}");
        assert!(text(&output.stderr).contains(words), "{name}: {}", text(&output.stderr));
    }
}

#[test]
fn lines_that_pyplc_sends_by_syslog_are_part_of_the_log() {
    let name = "captures/2025-07-22_pyPLC_with_tesla_model_x_plaid_until_charging_loop.pcapng";
    let Some(capture) = corpus::path(name) else { return };
    let shown = text(&decode(&[], &capture).stdout);
    assert!(shown.contains("syslog   \"received SLAC_PARAM.REQ\"\n"));
    let (lines, _) = json(&capture);
    let line = lines.iter().find(|line| line["frame"] == 3).unwrap();
    assert_eq!(
        (&line["message"], &line["body"]["text"]),
        (&"syslog".into(), &"[EVSE] transmitting CM_SLAC_PARAM.CNF".into())
    );
}
