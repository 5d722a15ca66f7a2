//! A role's station next to the kernel's, on a virtual cable between two network namespaces.
//!
//! Needs root (or the capabilities to make namespaces and interfaces) and the command `ip`; prints `skipped:
//! ...` otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::io::ErrorKind;
use std::net::{Ipv6Addr, SocketAddrV6, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use hal_linux::{Error, Interface, PacketSocket, Timed};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::gettid;
use roles::Mac;

fn ip(args: &str) -> bool {
    let status = Command::new("ip").args(args.split(' ')).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs `charger` and `car` in two namespaces joined by the interfaces `charger0` and `car0`.
fn on_a_cable(charger: impl FnOnce() + Send + 'static, car: impl FnOnce(Mac) + Send + 'static) {
    let (tell_car, car_is_ready) = channel();
    let (tell_role, role_is_ready) = channel::<Mac>();
    // Dropped when the charger is done: the cable is removed with the car's namespace.
    let (keep_cable, charger_is_done) = channel::<()>();
    let car = std::thread::spawn(move || {
        if unshare(CloneFlags::CLONE_NEWNET).is_err() {
            drop(tell_car);
            return;
        }
        tell_car.send(gettid()).unwrap();
        if let Ok(mac) = role_is_ready.recv() {
            assert!(ip("link set car0 up"));
            assert!(ip("-6 addr add fe80::ca/64 dev car0 nodad"));
            car(mac);
            let _ = charger_is_done.recv();
        }
    });
    let charger = std::thread::spawn(move || {
        let car = car_is_ready.recv().ok();
        let made = car.is_some_and(|car| {
            unshare(CloneFlags::CLONE_NEWNET).is_ok()
                && ip("link add charger0 type veth peer name car0")
                && ip(&format!("link set car0 netns {car}"))
                && ip("link set charger0 up")
        });
        if !made {
            println!("skipped: no right to make namespaces and interfaces, or no `ip`");
            return;
        }
        tell_role.send(Interface::find("charger0").unwrap().role_mac()).unwrap();
        charger();
        drop(keep_cable);
    });
    charger.join().unwrap();
    car.join().unwrap();
}

/// Waits for a frame that `wanted` accepts.
fn wait_for(socket: &PacketSocket, millis: u64, wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let mut buffer = vec![0; PacketSocket::MAX_FRAME];
    #[expect(clippy::disallowed_methods, reason = "the kernel is on the other end: real time")]
    let (start, now) = (Instant::now(), Instant::now);
    while now().duration_since(start) < Duration::from_millis(millis) {
        match socket.receive(&mut buffer).unwrap() {
            Some(frame) if wanted(frame) => return Some(frame.to_vec()),
            Some(_) => {}
            #[expect(clippy::disallowed_methods, reason = "as above")]
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
    None
}

fn ones_complement_sum(bytes: &[u8]) -> u32 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let sum: u32 = words.sum();
    (sum & 0xFFFF) + (sum >> 16)
}

#[test]
fn the_role_gets_its_frames_with_good_checksums_and_the_kernel_neither_answers_nor_resets() {
    on_a_cable(
        || {
            let interface = Interface::find("charger0").unwrap();
            let mac = interface.role_mac();
            let socket = PacketSocket::open(&interface, mac, false).unwrap();
            let to_role = |next_header: u8| {
                move |frame: &[u8]| {
                    frame[..6] == mac.0 && frame[12..14] == [0x86, 0xDD] && frame[20] == next_header
                }
            };
            let udp = wait_for(&socket, 5000, to_role(17)).expect("the car's datagram");
            assert_eq!(&udp[62..], b"hello");
            // Pseudo header (addresses, length, protocol) and datagram add up to all ones.
            let sum = ones_complement_sum(&udp[22..]) + u32::try_from(udp.len() - 54).unwrap() + 17;
            assert_eq!((sum & 0xFFFF) + (sum >> 16), 0xFFFF, "checksum");
            wait_for(&socket, 5000, to_role(6)).expect("the car's SYN");
            // The SYN is repeated because nothing reset the connection.
            wait_for(&socket, 5000, to_role(6)).expect("the car's second SYN");
        },
        |role| {
            let address = role.link_local();
            assert!(ip(&format!("-6 neigh add {address} lladdr {role} dev car0")));
            let scope = nix::net::if_::if_nametoindex("car0").unwrap();
            let socket = UdpSocket::bind(SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, scope)).unwrap();
            let to = |port| SocketAddrV6::new(address, port, 0, scope);
            socket.connect(to(15118)).unwrap();
            socket.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
            // Repeated, because the charger may not be listening yet.
            for _ in 0..5 {
                socket.send(b"hello").unwrap();
                let nothing = socket.recv(&mut [0; 8]).unwrap_err();
                assert!(matches!(nothing.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{nothing}");
            }
            let unanswered = TcpStream::connect_timeout(&to(15118).into(), Duration::from_millis(3500));
            assert_eq!(unanswered.unwrap_err().kind(), ErrorKind::TimedOut, "not refused");
        },
    );
}

#[test]
fn what_the_role_sends_arrives_and_own_frames_do_not_come_back() {
    on_a_cable(
        || {
            let interface = Interface::find("charger0").unwrap();
            let mac = interface.role_mac();
            let socket = PacketSocket::open(&interface, mac, false).unwrap();
            let frame = [&[0xFF; 6][..], &mac.0, &[0x88, 0xE1, 1, 0x64, 0x60], &[0; 40]].concat();
            let back = std::iter::repeat_with(|| {
                assert!(socket.send(&frame).unwrap());
                wait_for(&socket, 100, |frame| frame.get(12..14) == Some(&[0x88, 0xE1]))
            });
            let answer = back.flatten().next().unwrap();
            assert_eq!(answer[6..12], [2; 6], "the car's answer, not the own frame");
        },
        |_| {
            let interface = Interface::find("car0").unwrap();
            let socket = PacketSocket::open(&interface, interface.mac(), true).unwrap();
            let request = wait_for(&socket, 5000, |frame| frame.get(12..14) == Some(&[0x88, 0xE1])).unwrap();
            let answer = [&request[6..12], &[2; 6], &request[12..]].concat();
            assert!(socket.send(&answer).unwrap());
        },
    );
}

#[test]
fn an_interface_that_is_down_says_how_to_bring_it_up() {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        if unshare(CloneFlags::CLONE_NEWNET).is_err() || !ip("link add down0 type veth peer name down1") {
            println!("skipped: no right to make namespaces and interfaces, or no `ip`");
            return;
        }
        send.send(Interface::find("down0").unwrap_err()).unwrap();
    })
    .join()
    .unwrap();
    if let Ok(error) = receive.try_recv() {
        assert!(matches!(&error, Error::Down(name) if name == "down0"));
        assert!(error.to_string().contains("sudo ip link set down0 up"), "{error}");
    }
}

#[test]
fn a_listener_gets_what_other_programs_send_with_its_time_and_not_what_it_sends_itself() {
    on_a_cable(
        || {
            let interface = Interface::find("charger0").unwrap();
            let mac = interface.role_mac();
            let listener = PacketSocket::for_listener(&interface, mac).unwrap();
            let other = PacketSocket::open(&interface, mac, false).unwrap();
            let frame = |kind: u8| [&[2; 6][..], &mac.0, &[0x88, 0xE1, kind], &[0; 45]].concat();
            assert!(listener.send(&frame(1)).unwrap() && other.send(&frame(2)).unwrap());
            let mut buffer = vec![0; PacketSocket::MAX_FRAME];
            let (mut kinds, mut before) = (Vec::new(), Duration::ZERO);
            while let Some(Timed { at, frame }) = listener.receive_at(&mut buffer).unwrap() {
                if frame.get(12..14) == Some(&[0x88, 0xE1]) {
                    let at = at.expect("the kernel's time");
                    assert!(at >= before && at.as_secs() > 1_600_000_000);
                    before = at;
                    kinds.push(frame[14]);
                }
            }
            assert_eq!(kinds, [2]);
        },
        |_| {},
    );
}
