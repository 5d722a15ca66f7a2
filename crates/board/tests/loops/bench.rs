//! Boards without hardware: frames, serial line, flash and watchdog, and a modem for each on one power line.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;

use board::{
    Board, Clock, Desk, Exit, Flash, Hardware, Leave, Mac, Noise, Port, Serial, Stages, Turn, Watchdog,
    car_config, charger_config,
};
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::ErrorKind;
use hal_esp32p4::{Generator, Pins, Plan, Pool, Revision, Sector, SelfTest, Side, Source};
use machine::{Cx, Duration, Instant};
use roles::{Evse, EvseStorage, Pev, PevStorage};
use sim::{ModemConfig, ModemKind, PowerLine, Span};

pub(crate) use crate::world::{Counts, TestCar, TestCharger, World, car_cable, charger_cable};

/// A side's Ethernet, serial line, watchdog and noise.
pub(crate) struct Wire(Rc<World>, Side);

impl Port for Wire {
    fn receive(&mut self, _: Instant, buffer: &mut [u8]) -> Option<usize> {
        let beside = self.0.beside.borrow_mut().take();
        if let Some(mut beside) = beside {
            beside();
            *self.0.beside.borrow_mut() = Some(beside);
        }
        let frame = self.0.end(self.1).received.borrow_mut().pop_front()?;
        buffer.get_mut(..frame.len())?.copy_from_slice(&frame);
        Some(frame.len())
    }

    fn send(&mut self, _: Instant, frame: &[u8]) -> bool {
        self.0.end(self.1).sent.borrow_mut().push(frame.to_vec());
        true
    }

    fn is_up(&mut self, _: Instant) -> bool {
        self.0.end(self.1).is_up.get()
    }

    fn lost(&mut self) -> u32 {
        self.0.end(self.1).lost.get()
    }

    fn hear_all(&mut self) {}
}

impl Serial for Wire {
    fn read(&mut self) -> Option<u8> {
        self.0.end(self.1).input.borrow_mut().pop_front()
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        self.0.end(self.1).output.borrow_mut().extend(bytes);
        bytes.len()
    }
}

impl Stages for Wire {
    type Error = ErrorKind;

    fn start(&mut self, _: Duration, _: Duration) -> Result<(), ErrorKind> {
        Ok(())
    }

    fn feed(&mut self) {
        self.0.end(self.1).fed.set(self.0.now.get());
    }
}

impl Noise for Wire {
    fn sample(&mut self, pool: &mut Pool) {
        if self.0.end(self.1).has_noise.get() {
            pool.seed(b"0123456789abcdef");
        }
    }
}

impl DelayNs for Wire {
    fn delay_ns(&mut self, ns: u32) {
        self.0.now.set(self.0.now.get() + u64::from(ns / 1_000));
    }
}

/// Flash that outlives a board: the power may fail before a byte of it is written.
#[derive(Clone)]
pub(crate) struct Sectors(pub Rc<RefCell<[[u8; 4_096]; 2]>>, pub Rc<Cell<bool>>);

impl Sectors {
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new([[0xFF; 4_096]; 2])), Rc::default())
    }
}

impl Flash for Sectors {
    type Error = ErrorKind;

    fn read(&mut self, sector: Sector, offset: u32, bytes: &mut [u8]) -> Result<(), ErrorKind> {
        let at = usize::try_from(offset).unwrap();
        bytes.copy_from_slice(&self.0.borrow()[usize::from(sector == Sector::Second)][at..at + bytes.len()]);
        Ok(())
    }

    fn erase(&mut self, sector: Sector) -> Result<(), ErrorKind> {
        if self.1.get() {
            return Err(ErrorKind::Other);
        }
        self.0.borrow_mut()[usize::from(sector == Sector::Second)].fill(0xFF);
        Ok(())
    }

    fn write(&mut self, sector: Sector, offset: u32, bytes: &[u8]) -> Result<(), ErrorKind> {
        if self.1.get() {
            return Err(ErrorKind::Other);
        }
        let at = usize::try_from(offset).unwrap();
        let mut sectors = self.0.borrow_mut();
        let part = &mut sectors[usize::from(sector == Sector::Second)][at..at + bytes.len()];
        part.iter_mut().zip(bytes).for_each(|(to, from)| *to &= from);
        Ok(())
    }
}

pub(crate) enum TestBoard {}

impl Hardware for TestBoard {
    type Counter = Counts;
    type Stages = Wire;
    type Flash = Sectors;
    type Port = Wire;
    type Serial = Wire;
    type Noise = Wire;
    type Delay = Wire;
}

fn checks(test: &mut SelfTest) {
    test.revision(Revision::OLDEST);
    test.pins(&Pins::default());
}

pub(crate) fn board(world: &Rc<World>, side: Side) -> Board<TestBoard> {
    let wire = || Wire(world.clone(), side);
    let last = if side == Side::Charger { 0xE1 } else { 0xC1 };
    Board {
        name: "test",
        mac: Mac([2, 0, 0, 0, 0, last]),
        clock: Clock::new(Counts(world.clone())),
        watchdog: Watchdog::new(wire(), Plan::of(side)),
        port: wire(),
        serial: wire(),
        noise: wire(),
        delay: wire(),
        roles: if side == Side::Charger { &["charger"] } else { &["car"] },
        pins: |_| None,
        checks,
        rest: |_| {},
    }
}

/// The result of a board's life.
pub(crate) struct Lived {
    pub exit: Exit,
    pub log: String,
    pub flash: [Sectors; 2],
}

/// A charger's board and its car's, from power-on.
pub(crate) struct Bench {
    pub world: Rc<World>,
    pub flash: [Sectors; 2],
    pub line: PowerLine,
    pub ports: [sim::Port; 2],
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut line = PowerLine::new(1);
        let modem = |config: ModemConfig| ModemConfig {
            restart: Span::exactly(Duration::from_millis(200)),
            lingers: Span::ZERO,
            ..config
        };
        let kind = ModemKind::Qca7005;
        let charger = modem(ModemConfig::evse(kind, Mac([2, 0xB0, 0x52, 0, 0, 0xE0])));
        let car = modem(ModemConfig::pev(kind, Mac([2, 0xB0, 0x52, 0, 0, 0xC0])));
        let ports = [charger, car].map(|config| line.add_modem(Instant::ZERO, config));
        line.set_attenuation(Instant::ZERO, ports[0], ports[1], 20);
        Self { world: World::new(), flash: [Sectors::new(), Sectors::new()], line, ports }
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::from_micros(self.world.now.get())
    }

    /// 50 us of everything outside the boards.
    pub(crate) fn pass(&mut self) {
        self.world.now.set(self.world.now.get() + 50);
        self.world.step();
        let now = self.now();
        for (port, side) in self.ports.into_iter().zip([Side::Charger, Side::Car]) {
            let sent: Vec<_> = self.world.end(side).sent.borrow_mut().drain(..).collect();
            for frame in sent {
                if self.world.end(side).is_up.get() {
                    self.line.handle(now, port, &frame);
                }
            }
        }
        self.line.handle_timeout(now);
        while let Some((port, frame)) = self.line.poll_transmit() {
            let side = if port == self.ports[0] { Side::Charger } else { Side::Car };
            if self.world.end(side).is_up.get() {
                self.world.end(side).received.borrow_mut().push_back(frame);
            }
        }
        while self.line.poll_event().is_some() {}
    }

    /// Runs both boards from power-on until `until` returns true, 60 s at most. `until` is called in each
    /// turn.
    pub(crate) fn play(&mut self, mut until: impl FnMut(&World, Instant) -> bool) {
        let world = self.world.clone();
        let mut charger_cable = charger_cable(&world);
        let mut car_cable = car_cable(&world);
        let mut charger = Desk::new::<TestCharger>(board(&world, Side::Charger), self.flash[0].clone());
        let mut car = Desk::new::<TestCar>(board(&world, Side::Car), self.flash[1].clone());
        let began = self.now();
        let mut passed = [false; 2];
        while passed != [true; 2] {
            passed[0] |= charger.test(&mut charger_cable) == ControlFlow::Continue(true);
            passed[1] |= car.test(&mut car_cable) == ControlFlow::Continue(true);
            self.pass();
            if until(&world, self.now()) {
                return;
            }
            assert!(self.now().since(began) < Duration::from_secs(60), "{}", world.charger.log());
        }
        let mut evse_storage: EvseStorage = EvseStorage::new();
        let mut pev_storage: PevStorage = PevStorage::new();
        let mut evse = {
            let config = charger_config(&charger, true);
            Evse::new(&mut Cx { now: self.now(), entropy: &mut generator(1) }, config, &mut evse_storage)
                .unwrap()
        };
        let mut pev = {
            let config = car_config(&car);
            Pev::new(&mut Cx { now: self.now(), entropy: &mut generator(2) }, config, &mut pev_storage)
                .unwrap()
        };
        charger.begin(&mut evse);
        car.begin(&mut pev);
        let mut charger = Turn::new(&mut charger, &mut charger_cable, &mut evse);
        let mut car = Turn::new(&mut car, &mut car_cable, &mut pev);
        loop {
            let turns = [charger.turn(), car.turn()];
            self.pass();
            assert!(turns.iter().all(|turn| !matches!(turn, ControlFlow::Break(Leave::Again))), "made again");
            let is_over = turns.iter().any(ControlFlow::is_break) || until(&world, self.now());
            if is_over {
                return;
            }
            let late = self.now().since(began) >= Duration::from_secs(60);
            assert!(!late, "\n{}\n{}", world.charger.log(), world.car.log());
        }
    }

    /// One board's whole life, together with a script that observes it. World and flash are kept for the next
    /// life.
    pub(crate) fn live(
        self,
        roles: &'static [&'static str],
        mut script: impl FnMut(&World, Instant) + 'static,
    ) -> Lived {
        let (world, flash) = (self.world.clone(), self.flash.clone());
        let mut bench = self;
        let beside = move || {
            bench.pass();
            script(&bench.world, bench.now());
        };
        *world.beside.borrow_mut() = Some(Box::new(beside));
        let board = Board { roles, ..board(&world, Side::Charger) };
        let exit = board::charger(board, flash[0].clone(), &mut charger_cable(&world));
        Lived { exit, log: world.charger.log(), flash }
    }

    /// Types a line on a board's serial line.
    pub(crate) fn types(&self, side: Side, line: &str) {
        types(&self.world, side, line);
    }
}

pub(crate) fn types(world: &World, side: Side, line: &str) {
    world.end(side).input.borrow_mut().extend(line.bytes().chain([b'\n']));
}

pub(crate) fn generator(seed: u8) -> Generator {
    let mut pool = Pool::new();
    pool.sample(Source::Rng, seed.into());
    pool.seed(b"0123456789abcdef");
    pool.generator().unwrap()
}

/// Inserts the plug 1 s after the boards' start; the battery is full `charges` after current flows.
pub(crate) fn usual(world: &World, now: Instant, charges: Duration) {
    let ready = world.charger.log().contains("self-test passed") && now > Instant::from_millis(1_000);
    world.plugged.set((world.plugged.get() || ready) && !world.is_pulled.get());
    if world.cable.get().current_ma > 5_000 {
        let since = FLOWS.get().min(now.as_micros());
        FLOWS.set(since);
        world.is_done.set(world.is_done.get() || now.as_micros() - since > charges.as_micros());
    }
}

std::thread_local! {
    /// When current flowed first in this test.
    static FLOWS: Cell<u64> = const { Cell::new(u64::MAX) };
}
