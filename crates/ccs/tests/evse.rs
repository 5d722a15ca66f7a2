//! `ccs evse` on a virtual cable, with the kernel's network stack as the car.
//!
//! Needs root (or the capabilities to make namespaces and interfaces) and the command `ip`; prints `skipped:
//! ...` otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv6Addr, SocketAddrV6, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn ip(args: &str) -> bool {
    let status = Command::new("ip").args(args.split(' ')).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs `test` on a thread in a separate network namespace, with a cable from `charger0` to `car0`. The
/// kernel uses IPv6 on `car0` only: it is the car.
fn on_a_cable(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        let made = unshare(CloneFlags::CLONE_NEWNET).is_ok()
            && ip("link add charger0 type veth peer name car0")
            && std::fs::write("/proc/sys/net/ipv6/conf/charger0/disable_ipv6", "1").is_ok()
            && ip("link set charger0 up")
            && ip("link set car0 up")
            && ip("-6 addr add fe80::ca/64 dev car0 nodad");
        if !made {
            println!("skipped: no right to make namespaces and interfaces, or no `ip`");
            return;
        }
        test();
    });
    thread.join().unwrap();
}

struct Charger {
    child: Child,
    log: BufReader<ChildStdout>,
    recording: PathBuf,
}

impl Charger {
    fn start(name: &str) -> Self {
        let recording = std::env::temp_dir().join(format!("ccs-{name}-{}.pcapng", std::process::id()));
        let mut child = Command::new(env!("CARGO_BIN_EXE_ccs"))
            .args(["evse", "-i", "charger0", "--plant", "simulated", "--link", "up", "--record"])
            .arg(&recording)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stdout.take().unwrap());
        let mut charger = Self { child, log, recording };
        charger.wait_for("ready on charger0");
        charger
    }

    /// Reads the log up to a line that contains `words`, and returns it.
    fn wait_for(&mut self, words: &str) -> String {
        let mut line = String::new();
        while !line.contains(words) {
            line.clear();
            assert!(self.log.read_line(&mut line).unwrap() > 0, "the log ended without: {words}");
        }
        line
    }

    fn interrupt(&self) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    }

    /// The rest of the log, and the exit code.
    fn end(mut self) -> (String, i32, Vec<u8>) {
        let mut rest = String::new();
        self.log.read_to_string(&mut rest).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        let recorded = std::fs::read(&self.recording).unwrap();
        std::fs::remove_file(&self.recording).unwrap();
        (rest, code, recorded)
    }
}

/// Discovers the charger and connects to it.
fn connect() -> TcpStream {
    let scope = nix::net::if_::if_nametoindex("car0").unwrap();
    let socket = UdpSocket::bind(SocketAddrV6::new("fe80::ca".parse().unwrap(), 0, 0, scope)).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(250))).unwrap();
    let request = [0x01, 0xFE, 0x90, 0x00, 0, 0, 0, 2, 0x10, 0x00];
    let mut answer = [0; 28];
    let asked = (0..20).any(|_| {
        let to = SocketAddrV6::new("ff02::1".parse().unwrap(), 15118, 0, scope);
        socket.send_to(&request, to).unwrap();
        socket.recv(&mut answer).is_ok_and(|length| length == 28)
    });
    assert!(asked, "no answer to discovery");
    let address: [u8; 16] = answer[8..24].try_into().unwrap();
    let port = u16::from_be_bytes([answer[24], answer[25]]);
    let to = SocketAddrV6::new(Ipv6Addr::from(address), port, 0, scope);
    TcpStream::connect_timeout(&to.into(), Duration::from_secs(5)).unwrap()
}

#[test]
fn a_car_finds_the_charger_and_connects_and_the_recording_decodes() {
    on_a_cable(|| {
        let mut charger = Charger::start("connect");
        let connection = connect();
        assert!(charger.wait_for("discovery: [fe80::ca]").contains("[202]"));
        assert!(charger.wait_for("connected: [fe80::ca]").contains("[303]"));
        drop(connection);
        charger.wait_for("disconnected");
        charger.interrupt();
        let (rest, code, recorded) = charger.end();
        assert!(rest.lines().last().unwrap().starts_with("stopped"), "{rest}");
        assert_eq!(code, 0);

        let source = ccs::decode::source::Source::open(Box::new(std::io::Cursor::new(recorded))).unwrap();
        let mut decoder = ccs::decode::Decoder::new();
        let mut discovery = Vec::new();
        let end = source.read(&mut |packet| {
            decoder.take(packet, &mut |event| {
                if let ccs::decode::Content::Sdp(sdp) = event.content {
                    discovery.push(sdp.name());
                }
            });
            std::ops::ControlFlow::Continue(())
        });
        assert_eq!(end.unwrap(), ccs::decode::source::End::Complete);
        assert!(discovery.contains(&"SDP_REQ") && discovery.contains(&"SDP_RES"), "{discovery:?}");
        assert_eq!(decoder.streams(), 1);
    });
}

#[test]
fn without_a_car_one_signal_is_enough() {
    on_a_cable(|| {
        let charger = Charger::start("signal");
        charger.interrupt();
        let (rest, code, _) = charger.end();
        assert_eq!((rest.lines().last(), code), (Some("stopped: there was no session"), 0));
    });
}
