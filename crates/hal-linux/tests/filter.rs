//! The kernel's filter of a role's socket, on a virtual cable in a separate network namespace.
//!
//! Needs root (or the capabilities to make namespaces and interfaces) and the command `ip`; prints `skipped:
//! ...` otherwise.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::process::{Command, Stdio};

use hal_linux::{Error, Interface, PacketSocket, Port};
use nix::sched::{CloneFlags, unshare};
use roles::Mac;

fn ip(args: &str) -> bool {
    let status = Command::new("ip").args(args.split(' ')).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs `test` in a separate network namespace with a cable from `role0` to `peer0`, on which the kernel
/// sends nothing.
fn on_a_cable(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || {
        let silent = |end: &str| {
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").is_ok()
                && ip(&format!("link set {end} up"))
        };
        let made = unshare(CloneFlags::CLONE_NEWNET).is_ok()
            && ip("link add role0 type veth peer name peer0")
            && silent("role0")
            && silent("peer0");
        if !made {
            println!("skipped: no right to make namespaces and interfaces, or no `ip`");
            return;
        }
        test();
    });
    thread.join().unwrap();
}

fn open(name: &str, promiscuous: bool) -> PacketSocket {
    let interface = Interface::find(name).unwrap();
    PacketSocket::open(&interface, interface.role_mac(), promiscuous).unwrap()
}

/// All frames that wait at the socket.
fn received(socket: &PacketSocket) -> Vec<Vec<u8>> {
    let mut buffer = vec![0; PacketSocket::MAX_FRAME];
    let mut frames = Vec::new();
    while let Some(frame) = socket.receive(&mut buffer).unwrap() {
        frames.push(frame.to_vec());
    }
    frames
}

fn frame(to: Mac, kind: &[u8], fill: u8) -> Vec<u8> {
    [&to.0[..], &[2, 0, 0, 0, 0, 9], kind, &[fill; 50]].concat()
}

const ALL_NODES: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);
const BROADCAST: Mac = Mac([0xFF; 6]);
const OTHER: Mac = Mac([2, 9, 9, 9, 9, 9]);
const IPV6: &[u8] = &[0x86, 0xDD];
const HOMEPLUG: &[u8] = &[0x88, 0xE1];

#[test]
fn only_what_concerns_the_role_passes_and_the_rest_is_counted() {
    on_a_cable(|| {
        let own = Interface::find("role0").unwrap().role_mac();
        let [.., d, e, f] = own.0;
        let solicited = Mac([0x33, 0x33, 0xFF, d, e, f]);
        let (role, peer) = (open("role0", false), open("peer0", true));
        let good = [
            (own, IPV6),
            (ALL_NODES, IPV6),
            (solicited, IPV6),
            (BROADCAST, IPV6),
            (own, HOMEPLUG),
            (BROADCAST, HOMEPLUG),
            // A tag with a priority and no VLAN identifier counts as none.
            (own, &[0x81, 0x00, 0xE0, 0x00, 0x86, 0xDD]),
        ];
        let bad: [(Mac, &[u8]); 9] = [
            (OTHER, IPV6),
            (Mac([0x33, 0x33, 0xFF, 1, 2, 3]), IPV6),
            (Mac([0x33, 0x33, 0, 0, 0, 2]), IPV6),
            (own, &[0x08, 0x00]),
            (BROADCAST, &[0x08, 0x06]),
            (own, &[0x00, 0x2E]),
            // In VLANs 1 and 4094, and with a tag in a tag.
            (own, &[0x81, 0x00, 0x00, 0x01, 0x86, 0xDD]),
            (BROADCAST, &[0x81, 0x00, 0x0F, 0xFE, 0x88, 0xE1]),
            (own, &[0x88, 0xA8, 0x00, 0x00, 0x81, 0x00, 0x00, 0x01, 0x86, 0xDD]),
        ];
        for (index, (to, kind)) in good.iter().enumerate() {
            assert!(peer.send(&frame(*to, kind, u8::try_from(index).unwrap())).unwrap());
            for (to, kind) in bad {
                assert!(peer.send(&frame(to, kind, 0xEE)).unwrap());
            }
        }
        let passed: Vec<_> = received(&role).iter().map(|frame| *frame.last().unwrap()).collect();
        assert_eq!(passed, [0, 1, 2, 3, 4, 5, 6]);
        let statistics = role.statistics();
        assert_eq!((statistics.passed, statistics.dropped), (7, 0));
        assert_eq!(statistics.filtered(), Some(7 * bad.len() as u64));
        assert_eq!(role.statistics(), statistics, "reading them changes nothing");
    });
}

#[test]
fn a_role_with_another_address_hears_the_group_of_that_one() {
    on_a_cable(|| {
        let (role, peer) = (open("role0", false), open("peer0", true));
        let group = Mac([0x33, 0x33, 0xFF, 0xAB, 0xCD, 0xEF]);
        peer.send(&frame(group, IPV6, 1)).unwrap();
        assert_eq!(received(&role).len(), 0);
        role.hear("fe80::12:34ab:cdef".parse().unwrap()).unwrap();
        peer.send(&frame(group, IPV6, 2)).unwrap();
        assert_eq!(received(&role).len(), 1);
    });
}

#[test]
fn who_listens_to_everything_gets_everything() {
    on_a_cable(|| {
        let (listener, peer) = (open("role0", true), open("peer0", true));
        for (to, kind) in [(OTHER, IPV6), (OTHER, &[0x08, 0x00][..]), (BROADCAST, &[0x08, 0x06])] {
            peer.send(&frame(to, kind, 1)).unwrap();
        }
        assert_eq!(received(&listener).len(), 3);
    });
}

#[test]
fn a_flood_that_passes_is_bounded_in_the_kernel_and_what_it_drops_is_counted() {
    on_a_cable(|| {
        let (role, peer) = (open("role0", false), open("peer0", true));
        let sent = (0..5_000).filter(|_| peer.send(&frame(BROADCAST, HOMEPLUG, 1)).unwrap()).count() as u64;
        let received = received(&role).len() as u64;
        let statistics = role.statistics();
        assert!(statistics.dropped > 0 && received < 1_000, "{received} waited");
        assert_eq!((received + statistics.dropped, statistics.passed), (sent, sent));
    });
}

#[test]
fn a_socket_opens_again_on_an_interface_that_was_removed_and_keeps_its_counts() {
    on_a_cable(|| {
        let interface = Interface::find("role0").unwrap();
        let mac = interface.role_mac();
        let mut role = PacketSocket::for_role(&interface, mac).unwrap();
        open("peer0", true).send(&frame(mac, IPV6, 1)).unwrap();
        assert_eq!(received(&role).len(), 1);
        assert!(ip("link del role0"));
        let mut buffer = vec![0; PacketSocket::MAX_FRAME];
        assert!(matches!(role.receive(&mut buffer), Err(Error::Down(name)) if name == "role0"));
        assert!(role.reopen().unwrap_err().is_interface_down());
        assert!(ip("link add role0 type veth peer name peer0"));
        for end in ["role0", "peer0"] {
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{end}/disable_ipv6"), "1").unwrap();
        }
        assert!(role.reopen().unwrap_err().is_interface_down(), "it is there and down");
        assert!(ip("link set role0 up") && ip("link set peer0 up"));
        role.reopen().unwrap();
        open("peer0", true).send(&frame(mac, IPV6, 2)).unwrap();
        assert_eq!(received(&role).len(), 1);
        assert_eq!(role.statistics().passed, 2);
        let interface = Interface::find("role0").unwrap();
        assert!(matches!(PacketSocket::for_role(&interface, mac), Err(Error::Taken { .. })));
    });
}
