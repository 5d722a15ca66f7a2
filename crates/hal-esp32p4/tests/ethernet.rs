//! The Ethernet port over a ring of DMA descriptors, with damaged frames, missing descriptors and a stopped
//! DMA.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use std::collections::VecDeque;

use hal_esp32p4::{Ring, RingPort};

/// Receive descriptors of the ESP32-P4's ring.
const DESCRIPTORS: usize = 8;
/// The longest frame that a role accepts, without its check sequence.
const LONGEST: usize = 1_514;

/// Rings whose state the test sees and changes while the port has them.
#[derive(Default)]
struct Descriptors {
    received: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
    /// Free transmit descriptors.
    free: usize,
    is_linked: bool,
    has_stopped: bool,
    missed: u32,
}

impl Descriptors {
    /// A frame arrives; without a free descriptor it is missed.
    fn comes(&mut self, length: usize) {
        if self.received.len() < DESCRIPTORS {
            self.received.push_back(vec![u8::try_from(length % 251).unwrap(); length]);
        } else {
            self.missed += 1;
        }
    }
}

impl Ring for &mut Descriptors {
    fn oldest(&mut self) -> Option<&[u8]> {
        self.received.front().map(Vec::as_slice)
    }

    fn release(&mut self) {
        self.received.pop_front().expect("nothing is released twice");
    }

    fn transmit(&mut self, frame: &[u8]) -> bool {
        if self.free == 0 {
            return false;
        }
        self.free -= 1;
        self.sent.push(frame.to_vec());
        true
    }

    fn link(&mut self) -> bool {
        self.is_linked
    }

    fn has_stopped(&mut self) -> bool {
        self.has_stopped
    }

    fn missed(&mut self) -> u32 {
        std::mem::take(&mut self.missed)
    }
}

/// Lengths of the frames that a port returns, and its count of lost frames.
fn taken(descriptors: &mut Descriptors) -> (Vec<usize>, u32) {
    let mut port = RingPort::new(descriptors);
    let mut buffer = [0; LONGEST];
    let lengths = std::iter::from_fn(|| port.receive(&mut buffer)).collect();
    (lengths, port.lost())
}

#[test]
fn frames_longer_than_the_mtu_and_runts_are_dropped_and_counted_and_the_next_frame_comes() {
    let mut descriptors = Descriptors::default();
    for length in [LONGEST + 1, 60, 13, 0, LONGEST + 10, LONGEST, 14] {
        descriptors.comes(length);
    }
    assert_eq!(taken(&mut descriptors), (vec![60, LONGEST, 14], 4));
    assert!(descriptors.received.is_empty(), "every descriptor is given back");
}

#[test]
fn a_ring_full_of_frames_that_are_dropped_ends_a_call_and_the_next_one_goes_on() {
    let mut descriptors = Descriptors::default();
    (0..DESCRIPTORS).for_each(|_| descriptors.comes(LONGEST + 1));
    let mut port = RingPort::new(&mut descriptors);
    let mut buffer = [0; LONGEST];
    assert_eq!((port.receive(&mut buffer), port.lost()), (None, 8));
    descriptors.comes(60);
    assert_eq!(taken(&mut descriptors), (vec![60], 0));
}

#[test]
fn frames_that_find_no_descriptor_are_counted_once() {
    let mut descriptors = Descriptors::default();
    (0..DESCRIPTORS + 3).for_each(|_| descriptors.comes(60));
    let mut port = RingPort::new(&mut descriptors);
    assert_eq!((port.lost(), port.lost()), (3, 3));
    let mut buffer = [0; LONGEST];
    assert_eq!(std::iter::from_fn(|| port.receive(&mut buffer)).count(), DESCRIPTORS);
}

#[test]
fn a_frame_for_which_no_descriptor_is_free_is_not_sent_and_one_that_comes_free_is_used() {
    let mut descriptors = Descriptors { free: 1, ..Descriptors::default() };
    let mut port = RingPort::new(&mut descriptors);
    assert!(port.send(&[1; 60]));
    assert!(!port.send(&[2; 60]));
    descriptors.free = 1;
    assert!(RingPort::new(&mut descriptors).send(&[3; LONGEST]));
    assert_eq!(descriptors.sent, [vec![1; 60], vec![3; LONGEST]]);
}

#[test]
fn a_short_frame_is_filled_up_to_what_the_wire_takes() {
    let mut descriptors = Descriptors { free: 2, ..Descriptors::default() };
    let mut port = RingPort::new(&mut descriptors);
    assert!(port.send(&[9; 59]) && port.send(&[9; 60]));
    assert_eq!(descriptors.sent, [[&[9; 59][..], &[0]].concat(), vec![9; 60]]);
}

#[test]
fn a_link_that_flaps_is_followed_each_time() {
    let mut descriptors = Descriptors::default();
    for is_linked in [true, false, true, true, false, true] {
        descriptors.is_linked = is_linked;
        assert_eq!(RingPort::new(&mut descriptors).is_up(), is_linked);
    }
}

/// A ring whose DMA reports only once that it has stopped, like a bit that is cleared by reading.
struct Stops(Option<bool>);

impl Ring for Stops {
    fn oldest(&mut self) -> Option<&[u8]> {
        None
    }

    fn release(&mut self) {}

    fn transmit(&mut self, _: &[u8]) -> bool {
        false
    }

    fn link(&mut self) -> bool {
        true
    }

    fn has_stopped(&mut self) -> bool {
        self.0.take().unwrap_or_default()
    }

    fn missed(&mut self) -> u32 {
        0
    }
}

#[test]
fn a_dma_that_stopped_once_is_a_link_that_is_down_until_the_reset() {
    let mut port = RingPort::new(Stops(Some(true)));
    assert_eq!([port.is_up(), port.is_up(), port.is_up()], [false; 3]);
    let mut port = RingPort::new(Stops(None));
    assert!(port.is_up(), "one that runs is up");
}
