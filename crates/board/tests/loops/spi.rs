use std::cell::RefCell;
use std::rc::Rc;

use board::{Port, SpiPort};
use embedded_hal::digital::{self, InputPin, PinState};
use embedded_hal::spi::{self, Operation, SpiDevice};
use machine::{Duration, Instant};
use qca7000_spi::{Buffers, Driver, SEND_LEN};

#[allow(dead_code, reason = "the chip has more faults than a port sees")]
#[path = "../../../qca7000-spi/tests/spi/chip.rs"]
mod chip;

use chip::Chip;

/// The chip's place on the bus, and its interrupt.
#[derive(Clone)]
struct Shared(Rc<RefCell<Chip>>);

impl spi::ErrorType for Shared {
    type Error = spi::ErrorKind;
}

impl SpiDevice for Shared {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), spi::ErrorKind> {
        let [Operation::Write(command), data] = operations else { panic!("a command and its data") };
        self.0.borrow_mut().transaction((*command).try_into().unwrap(), data);
        Ok(())
    }
}

impl digital::ErrorType for Shared {
    type Error = digital::ErrorKind;
}

impl InputPin for Shared {
    fn is_high(&mut self) -> Result<bool, digital::ErrorKind> {
        Ok(self.0.borrow().interrupt())
    }

    fn is_low(&mut self) -> Result<bool, digital::ErrorKind> {
        self.is_high().map(|high| !high)
    }
}

struct Bench {
    chip: Rc<RefCell<Chip>>,
    port: SpiPort<'static, Shared, Shared>,
    frames: Vec<Vec<u8>>,
}

impl Bench {
    fn new() -> Self {
        let chip = Rc::new(RefCell::new(Chip::new(Duration::from_millis(900))));
        let buffers = Buffers { receive: vec![0; 4_096].leak(), send: Box::leak(Box::new([0; SEND_LEN])) };
        let shared = Shared(chip.clone());
        let port = SpiPort::new(Driver::new(buffers, shared.clone(), shared, PinState::High).unwrap());
        Self { chip, port, frames: Vec::new() }
    }

    fn now(&self) -> Instant {
        self.chip.borrow().now
    }

    /// Turns of a loop for `ms`: each receives all frames and checks the link. Returns whether it was up in
    /// the last turn.
    fn turns(&mut self, ms: u64) -> bool {
        let until = self.now() + Duration::from_millis(ms);
        let mut is_up = false;
        while self.now() < until {
            self.chip.borrow_mut().now += Duration::from_micros(500);
            let mut buffer = [0; roles::MAX_FRAME];
            while let Some(length) = self.port.receive(self.now(), &mut buffer) {
                self.frames.push(buffer[..length].to_vec());
            }
            is_up = self.port.is_up(self.now());
        }
        is_up
    }
}

#[test]
fn frames_go_both_ways_once_the_chip_has_started() {
    let mut bench = Bench::new();
    assert!(!bench.turns(800), "it starts for 900 ms");
    assert!(bench.turns(400));
    bench.chip.borrow_mut().receive(&[7; 60]);
    bench.chip.borrow_mut().receive(&[8; 1_514]);
    bench.turns(20);
    assert_eq!(bench.frames, [vec![7; 60], vec![8; 1_514]]);
    let now = bench.now();
    assert!(bench.port.send(now, &[9; 60]));
    bench.turns(20);
    assert_eq!(bench.chip.borrow().written.len(), 1);
    assert_eq!(bench.port.lost(), 0);
}

#[test]
fn a_chip_that_restarts_is_no_link_that_is_down_and_one_that_is_dead_is() {
    let mut bench = Bench::new();
    assert!(bench.turns(1_200));
    bench.chip.borrow_mut().restart();
    for _ in 0..150 {
        assert!(bench.turns(10), "it is away for a second: {}", bench.now());
    }
    bench.chip.borrow_mut().mute = Some(0);
    assert!(!bench.turns(4_000));
    bench.chip.borrow_mut().mute = None;
    assert!(bench.turns(8_000), "and it comes back");
}

#[test]
fn bytes_that_are_no_frame_are_counted_and_the_next_frame_comes() {
    let mut bench = Bench::new();
    bench.turns(1_200);
    let whole = chip::framed(&[7; 100]);
    bench.chip.borrow_mut().offer(&whole[..50]);
    bench.turns(20);
    bench.chip.borrow_mut().receive(&[8; 60]);
    bench.turns(100);
    bench.chip.borrow_mut().receive(&[9; 60]);
    bench.turns(100);
    assert_eq!(bench.frames.last(), Some(&vec![9; 60]));
    assert!(bench.port.lost() > 0);
}
