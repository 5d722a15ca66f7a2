//! What the loop does in each turn.

use std::cell::{Cell, RefCell};
use std::ffi::OsStr;
use std::net::Ipv6Addr;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use machine::Duration;

use super::echo::{Wire, alone, pair, run, run_with};
use crate::{Direction, Error, Happening, Notify, Outcome, Port, PortStatistics, Simulated};

#[test]
fn frames_are_answered_timers_fire_the_plant_is_read_and_safe_at_the_end() {
    let _alone = alone();
    let (mut port, peer) = pair();
    peer.send(b"one").unwrap();
    peer.send(b"two").unwrap();
    let (mut frames, mut beats, mut ticks) = (Vec::new(), 0, 0);
    let (ran, plant) = run(&mut port, &mut |_, happening| {
        match happening {
            Happening::Frame(direction, frame) => frames.push((direction, frame.to_vec())),
            Happening::Event("beat") => beats += 1,
            Happening::Tick => ticks += 1,
            _ => {}
        }
        if beats == 8 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(ran.outcome.unwrap(), Outcome::Ended);
    let expected = [
        (Direction::Received, b"one".to_vec()),
        (Direction::Sent, b"one".to_vec()),
        (Direction::Received, b"two".to_vec()),
        (Direction::Sent, b"two".to_vec()),
    ];
    assert_eq!(frames, expected);
    assert!(ticks >= 1 && ran.role.readings > ticks, "a plant that wakes no one is read more often");
    assert_eq!((plant.volts, plant.safe), (0, 1));
    let mut answer = [0; 8];
    assert_eq!(peer.recv(&mut answer).unwrap(), 3);
}

#[test]
fn the_counters_add_up_to_the_frames_received() {
    let _alone = alone();
    let (mut port, peer) = pair();
    let frames = [&b"one"[..], b"-two", b"three", b"-four", b"-five"];
    for frame in frames {
        peer.send(frame).unwrap();
    }
    let (mut beats, mut last) = (0, None);
    let (ran, _) = run(&mut port, &mut |_, happening| {
        match happening {
            Happening::Event("beat") => beats += 1,
            Happening::Counters(counters) => last = Some(*counters),
            _ => {}
        }
        if beats == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let counters = ran.counters;
    assert_eq!(last, Some(counters), "the observer gets them at the end");
    assert_eq!((counters.received, counters.taken(), counters.ignored), (5, 2, 3));
    assert_eq!((counters.sent, counters.lost, counters.events), (2, 0, 4));
    assert!((1..=5).contains(&counters.most_frames) && counters.turns >= counters.readings);
}

#[test]
fn a_loop_that_was_held_up_says_for_how_long() {
    let _alone = alone();
    let (mut port, _peer) = pair();
    let (mut beats, mut held_up) = (0, Vec::new());
    let (ran, _) = run(&mut port, &mut |_, happening| {
        match happening {
            Happening::Event("beat") => {
                beats += 1;
                if beats == 2 {
                    #[expect(clippy::disallowed_methods, reason = "this is what holds the loop up")]
                    std::thread::sleep(std::time::Duration::from_millis(300));
                }
            }
            Happening::HeldUp(late) => held_up.push(late),
            _ => {}
        }
        if beats == 4 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    // From the next tick on it is late: 50 ms after the one before.
    assert!(held_up.iter().any(|late| *late >= Duration::from_millis(250)), "{held_up:?}");
    assert_eq!(ran.counters.held_up, held_up.len() as u64);
}

#[test]
fn the_manager_hears_of_each_phase_from_within_the_loop() {
    let _alone = alone();
    let name = format!("ccs-turns-{}", std::process::id());
    let manager = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    manager.set_nonblocking(true).unwrap();
    let notify = Notify::new(OsStr::new(&format!("@{name}")), Some(Duration::from_millis(20)));
    let (mut port, peer) = pair();
    peer.send(b"one").unwrap();
    let mut beats = 0;
    let mut heard = Vec::new();
    let hear = |heard: &mut Vec<String>| {
        let mut buffer = [0; 64];
        while let Ok(length) = manager.recv(&mut buffer) {
            heard.push(String::from_utf8(buffer[..length].to_vec()).unwrap());
        }
    };
    run_with(&mut port, &mut Simulated(Wire::default()), notify, &mut |_, happening| {
        beats += u32::from(matches!(happening, Happening::Event("beat")));
        // A socket holds ten datagrams.
        hear(&mut heard);
        if beats == 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    hear(&mut heard);
    let alive = heard.iter().filter(|words| *words == "WATCHDOG=1").count();
    heard.retain(|words| words != "WATCHDOG=1");
    assert_eq!(heard, ["STATUS=Idle", "READY=1", "STATUS=CurrentDemand", "STOPPING=1"]);
    assert!(alive >= 3, "{alive} signs of life in 100 ms");
}

/// A port whose interface goes down after two frames and comes back later.
struct Flaky {
    pair: UnixDatagram,
    frames: Cell<u32>,
    away: u32,
    heard: RefCell<Vec<Ipv6Addr>>,
    down: Cell<bool>,
}

impl AsFd for Flaky {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pair.as_fd()
    }
}

impl Port for Flaky {
    fn receive<'b>(&self, buffer: &'b mut [u8]) -> Result<Option<&'b [u8]>, Error> {
        if self.frames.get() == 2 {
            self.frames.set(3);
            self.down.set(true);
            return Err(Error::Down("flaky0".into()));
        }
        let frame = Port::receive(&self.pair, buffer)?;
        self.frames.set(self.frames.get() + u32::from(frame.is_some()));
        Ok(frame)
    }

    fn send(&self, frame: &[u8]) -> Result<bool, Error> {
        assert!(!self.down.get(), "nothing is sent while it is down");
        Port::send(&self.pair, frame)
    }

    fn reopen(&mut self) -> Result<(), Error> {
        match self.away {
            0 => self.down.set(false),
            1 => return Err(Error::NoInterface { name: "flaky0".into(), there_are: "lo (up)".into() }),
            _ => return Err(Error::Down("flaky0".into())),
        }
        Ok(())
    }

    fn hear(&self, address: Ipv6Addr) -> Result<(), Error> {
        self.heard.borrow_mut().push(address);
        Ok(())
    }

    fn statistics(&self) -> PortStatistics {
        PortStatistics::default()
    }
}

#[test]
fn an_interface_that_goes_down_ends_the_session_and_the_loop_waits_for_it() {
    let _alone = alone();
    let (pair, peer) = pair();
    let mut port =
        Flaky { pair, frames: Cell::new(0), away: 0, heard: RefCell::default(), down: Cell::new(false) };
    for frame in [&b"one"[..], b"two", b"after"] {
        peer.send(frame).unwrap();
    }
    let mut seen = Vec::new();
    let (ran, _) = run(&mut port, &mut |_, happening| {
        match happening {
            Happening::InterfaceDown => seen.push("interface down"),
            Happening::InterfaceUp => seen.push("interface up"),
            Happening::Event(event) if event != "beat" => seen.push(event),
            _ => {}
        }
        if seen.len() == 6 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(ran.outcome.unwrap(), Outcome::Ended);
    assert_eq!(seen, ["frame", "frame", "interface down", "down", "interface up", "frame"]);
    assert_eq!((ran.role.volts, ran.counters.interface_downs), (1, 1));
    assert_eq!(port.heard.borrow().len(), 2, "the new socket learns the address, too");
}
