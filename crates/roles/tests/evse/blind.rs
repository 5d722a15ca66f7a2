//! Segments from a host that does not see the connection (RFC 5961).

use std::cell::RefCell;
use std::rc::Rc;

use evse_fsm::Closed;
use machine::{Cx, Machine, ScriptedEntropy};
use roles::{EvseInput, Happening};
use smoltcp::wire::{EthernetFrame, IpProtocol, Ipv6Packet, TcpControl, TcpPacket};

use crate::hostile::segment;
use crate::world::{CAR, HANDSHAKE_REQ, HANDSHAKE_RES, SESSION_SETUP_REQ, World, bytes};

const PORT: u16 = 50_001;
const CHARGER_PORT: u16 = sdp::DEFAULT_TCP_PORT;

/// A segment of the charger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    number: i32,
    expects: i32,
    length: usize,
    resets: bool,
    window: u16,
}

fn said(frame: &[u8]) -> Option<Said> {
    let ethernet = EthernetFrame::new_checked(frame).ok()?;
    let ip = Ipv6Packet::new_checked(ethernet.payload()).ok()?;
    let tcp = (ip.next_header() == IpProtocol::Tcp).then(|| TcpPacket::new_checked(ip.payload()).unwrap())?;
    assert!(tcp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()));
    Some(Said {
        number: tcp.seq_number().0,
        expects: tcp.ack_number().0,
        length: tcp.segment_len(),
        resets: tcp.rst(),
        window: tcp.window_len(),
    })
}

/// A connection with a session, and the charger's segments.
struct Bench {
    world: World,
    said: Rc<RefCell<Vec<Said>>>,
}

impl Bench {
    fn new() -> Self {
        let mut world = World::new();
        let all = Rc::new(RefCell::new(Vec::new()));
        let log = Rc::clone(&all);
        world.pass = Box::new(move |frame, to_charger| {
            if !to_charger {
                log.borrow_mut().extend(said(frame));
            }
            true
        });
        world.connect(0, PORT);
        assert_eq!(world.ask(HANDSHAKE_REQ), bytes(HANDSHAKE_RES));
        world.run(20);
        Self { world, said: all }
    }

    /// The charger's last segment.
    fn last(&self) -> Said {
        *self.said.borrow().last().unwrap()
    }

    /// The sequence numbers of each side's next byte: the car's, and the charger's.
    fn numbers(&self) -> (i32, i32) {
        let last = self.last();
        (last.expects, last.number.wrapping_add(i32::try_from(last.length).unwrap()))
    }

    /// The charger's responses to a segment in the car's name.
    fn answers(&mut self, control: TcpControl, numbers: (i32, Option<i32>), payload: &[u8]) -> Vec<Said> {
        let before = self.said.borrow().len();
        self.world.frame(&segment(CAR, PORT, CHARGER_PORT, control, numbers, payload));
        self.said.borrow()[before..].to_vec()
    }

    fn is_over(&self) -> bool {
        self.world.saw(|event| matches!(event, Happening::Disconnected(_)))
    }

    /// Asserts that the session continues.
    fn goes_on(mut self) {
        assert!(!self.is_over());
        assert_eq!(self.world.ask(SESSION_SETUP_REQ)[..3], bytes("809a02"));
    }
}

#[test]
fn a_reset_in_the_window_is_challenged_and_ends_nothing() {
    for ahead in [1, 2, 100, 1500, 2047] {
        let mut bench = Bench::new();
        let (expected, next) = bench.numbers();
        let window = bench.last().window;
        let challenge = Said { number: next, expects: expected, length: 0, resets: false, window };
        for ack in [None, Some(next), Some(next.wrapping_add(77))] {
            let answers = bench.answers(TcpControl::Rst, (expected.wrapping_add(ahead), ack), &[]);
            assert_eq!(answers, [challenge], "{ahead} ahead");
            bench.world.run(1_100);
        }
        bench.goes_on();
    }
}

#[test]
fn all_resets_of_a_window_together_cost_one_challenge_a_second() {
    let mut bench = Bench::new();
    let (expected, _) = bench.numbers();
    let mut challenges = 0;
    for ahead in 1..=1500 {
        challenges += bench.answers(TcpControl::Rst, (expected.wrapping_add(ahead), None), &[]).len();
        bench.world.run(u64::from(ahead % 2 == 0));
    }
    assert_eq!(challenges, 1);
    bench.world.run(1_000);
    assert_eq!(bench.answers(TcpControl::Rst, (expected.wrapping_add(5), None), &[]).len(), 1);
    bench.goes_on();
}

#[test]
fn a_reset_outside_the_window_is_dropped_in_silence() {
    for ahead in [-1, -2, -1500, 2048, 70_000, i32::MAX, i32::MIN] {
        let mut bench = Bench::new();
        let (expected, _) = bench.numbers();
        assert_eq!(bench.answers(TcpControl::Rst, (expected.wrapping_add(ahead), None), &[]), []);
        bench.goes_on();
    }
}

#[test]
fn a_reset_with_the_number_that_is_expected_ends_the_connection() {
    let mut bench = Bench::new();
    let (expected, _) = bench.numbers();
    assert_eq!(bench.answers(TcpControl::Rst, (expected, None), &[]), []);
    assert!(bench.world.saw(|event| *event == Happening::Disconnected(Closed::Rst)));
    bench.world.connect(1, 50_100);
}

#[test]
fn a_reset_right_after_data_counts_from_the_end_of_the_data() {
    let mut bench = Bench::new();
    let (expected, next) = bench.numbers();
    let data = [1, 0xFE, 0x80, 1, 0, 0, 0, 9];
    let frames = [
        segment(CAR, PORT, CHARGER_PORT, TcpControl::Psh, (expected, Some(next)), &data),
        segment(CAR, PORT, CHARGER_PORT, TcpControl::Rst, (expected.wrapping_add(8), None), &[]),
    ];
    // Both arrive before the charger has sent its acknowledgement.
    let mut entropy = ScriptedEntropy::new(&[1]);
    for frame in &frames {
        let mut cx = Cx { now: bench.world.now, entropy: &mut entropy };
        bench.world.evse.handle(&mut cx, EvseInput::Frame(frame));
    }
    bench.world.run(100);
    assert!(bench.world.saw(|event| *event == Happening::Disconnected(Closed::Rst)));
}

#[test]
fn a_second_opening_is_challenged_wherever_it_lies_and_ends_nothing() {
    for ahead in [-70_000, -1, 0, 1, 1000, 70_000] {
        let mut bench = Bench::new();
        let (expected, next) = bench.numbers();
        let window = bench.last().window;
        let challenge = Said { number: next, expects: expected, length: 0, resets: false, window };
        let answers = bench.answers(TcpControl::Syn, (expected.wrapping_add(ahead), None), &[]);
        assert_eq!(answers, [challenge], "{ahead} ahead");
        assert_eq!(bench.answers(TcpControl::Syn, (expected.wrapping_add(ahead), Some(next)), &[]), []);
        bench.goes_on();
    }
}

#[test]
fn a_car_that_restarted_and_takes_the_same_port_again_is_heard() {
    let mut bench = Bench::new();
    // Its power was lost: no message to the charger, and a new connection from the same port.
    bench.world.car().tcp().abort();
    bench.world.pass = Box::new(|_, to_charger| !to_charger);
    bench.world.run(20);
    bench.world.pass = Box::new(|_, _| true);
    let to = bench.world.evse.address();
    bench.world.car().connect(to, CHARGER_PORT, PORT);
    assert!(bench.world.until(3_000, |world| world.car().tcp().may_send()), "no new connection");
    assert!(bench.world.saw(|event| *event == Happening::Disconnected(Closed::Rst)));
}

#[test]
fn blind_data_is_dropped_unless_it_acknowledges_what_was_sent() {
    let mut bench = Bench::new();
    let (expected, next) = bench.numbers();
    for ack in [next.wrapping_sub(1), next.wrapping_add(1), next ^ 0x4000_0000, next.wrapping_add(i32::MIN)] {
        for control in [TcpControl::Psh, TcpControl::None, TcpControl::Fin] {
            bench.answers(control, (expected, Some(ack)), b"not the car's");
            bench.world.run(1);
        }
    }
    assert_eq!(bench.numbers().0, expected, "none of it was acknowledged");
    bench.goes_on();
}

#[test]
fn a_fin_that_comes_with_data_that_is_known_ends_the_connection_where_it_follows_all_of_it() {
    for (back, is_over) in [(10, true), (20, false), (11, false)] {
        let mut bench = Bench::new();
        let (expected, next) = bench.numbers();
        bench.answers(TcpControl::Fin, (expected.wrapping_sub(back), Some(next)), &[0; 10]);
        bench.world.run(10);
        assert_eq!(bench.is_over(), is_over, "{back} bytes back");
        if is_over {
            assert!(bench.world.saw(|event| *event == Happening::Disconnected(Closed::Fin)));
        } else {
            bench.goes_on();
        }
    }
}

#[test]
fn the_handshake_can_be_reset_by_the_exact_number_only() {
    for (ahead, is_open) in [(1, true), (500, true), (-1, true), (0, false)] {
        let mut world = World::new();
        world.discover(0).expect("discovery");
        let answer = Rc::new(RefCell::new(None));
        let log = Rc::clone(&answer);
        // The last step of the handshake does not arrive yet.
        world.pass = Box::new(move |frame, to_charger| {
            if !to_charger {
                *log.borrow_mut() = said(frame);
            }
            false
        });
        world.frame(&segment(CAR, PORT, CHARGER_PORT, TcpControl::Syn, (1000, None), &[]));
        world.run(10);
        let Said { number, expects, .. } = answer.borrow().unwrap();
        assert_eq!(expects, 1001);
        world.frame(&segment(CAR, PORT, CHARGER_PORT, TcpControl::Rst, (1001 + ahead, None), &[]));
        let ack = (1001, Some(number.wrapping_add(1)));
        world.frame(&segment(CAR, PORT, CHARGER_PORT, TcpControl::None, ack, &[]));
        assert_eq!(world.saw(|event| matches!(event, Happening::Connected(_))), is_open, "{ahead}");
    }
}

#[test]
fn what_was_said_on_an_earlier_connection_does_not_count_for_the_next() {
    let mut bench = Bench::new();
    let (expected, _) = bench.numbers();
    bench.answers(TcpControl::Rst, (expected, None), &[]);
    bench.world.car().tcp().abort();
    bench.world.run(10_000);
    bench.world.connect(0, 50_009);
    bench.world.car().tcp().abort();
    bench.world.run(10);
    let reset = |event: &&Happening| **event == Happening::Disconnected(Closed::Rst);
    assert_eq!(bench.world.events.iter().filter(reset).count(), 2);
}
