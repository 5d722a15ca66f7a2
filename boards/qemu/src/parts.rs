//! The parts of an emulated board.

use board::{
    Battery, Board, CablePins, CarCable, ChargerCable, Hardware, Mac, Noise, Port, Stage, StageFault, Wiring,
};
use embedded_hal::delay::DelayNs;
use evse_fsm::Plant;
use hal_esp32p4::{
    Clock, Drive, Flash, Parts, PilotPwm, Pool, Revision, Scale, Sector, SelfTest, Sense, Side,
    Source as Entropy, Watchdog,
};
use machine::{Duration, Instant};
use pev_fsm::Vehicle;
use session::{Insulation, Isolation, Reading, Target};
use wire::{Counted, Driven, Sensed, coil, contact};

use crate::chip::{Net, Timer, Uart, instructions, jitter, pause, resume};
use crate::physical::{
    COUNTS_A_MS, Coil, Contact, NoAdc, PERIOD, PHYSICAL, PilotAdc, PilotEdges, Pwm, Source, Time, count,
};

/// The board's types.
pub enum Emulated {}

impl Hardware for Emulated {
    type Counter = Time;
    type Stages = Timer;
    type Flash = &'static mut Sectors;
    type Port = Ethernet;
    type Serial = Uart;
    type Noise = Jitter;
    type Delay = Delay;
}

/// The types of the board's pins.
pub enum Pins {}

impl CablePins for Pins {
    type Output = Coil;
    type Input = Contact;
    type Ledc = Pwm;
    type Edges = PilotEdges;
    type Pilot = PilotAdc;
    type Proximity = NoAdc;
}

/// The board without its physical side.
pub fn board(side: Side, mac: Mac, role: &'static [&'static str]) -> Board<Emulated> {
    let Some(net) = Net::new() else { panic!("no network device: start the emulator with one") };
    Board {
        name: "emulated",
        mac,
        clock: Clock::new(Time),
        watchdog: Watchdog::new(Timer::default(), hal_esp32p4::Plan::of(side)),
        port: Ethernet { net, waits: false, given: None, lost: 0 },
        serial: Uart,
        noise: Jitter,
        delay: Delay,
        roles: role,
        pins: |_| None,
        checks,
        rest: |_| {},
    }
}

/// No chip and no pad can be wrong here.
fn checks(test: &mut SelfTest) {
    test.revision(Revision::OLDEST);
    test.pins(&hal_esp32p4::Pins::default());
}

/// Blank flash in RAM, which lasts as long as the emulator. Called once.
pub fn flash() -> &'static mut Sectors {
    #[unsafe(link_section = ".emulator")]
    static mut SECTORS: Sectors = Sectors([[0; SECTOR]; 2]);
    // SAFETY: one thread, and `main` calls this once.
    let sectors = unsafe { &mut *(&raw mut SECTORS) };
    sectors.0.iter_mut().for_each(|sector| sector.fill(0xFF));
    sectors
}

const SECTOR: usize = Sector::BYTES as usize;

/// Two sectors.
pub struct Sectors([[u8; SECTOR]; 2]);

impl Sectors {
    fn part(&mut self, sector: Sector, offset: u32, length: usize) -> Option<&mut [u8]> {
        let [first, second] = &mut self.0;
        let sector = if sector == Sector::First { first } else { second };
        sector.get_mut(usize::try_from(offset).ok()?..)?.get_mut(..length)
    }
}

/// An access beyond the sector's end.
#[derive(Debug)]
pub struct Beyond;

impl Flash for Sectors {
    type Error = Beyond;

    fn read(&mut self, sector: Sector, offset: u32, bytes: &mut [u8]) -> Result<(), Beyond> {
        bytes.copy_from_slice(self.part(sector, offset, bytes.len()).ok_or(Beyond)?);
        Ok(())
    }

    fn erase(&mut self, sector: Sector) -> Result<(), Beyond> {
        self.part(sector, 0, SECTOR).ok_or(Beyond)?.fill(0xFF);
        Ok(())
    }

    fn write(&mut self, sector: Sector, offset: u32, bytes: &[u8]) -> Result<(), Beyond> {
        let part = self.part(sector, offset, bytes.len()).ok_or(Beyond)?;
        part.iter_mut().zip(bytes).for_each(|(to, from)| *to &= from);
        Ok(())
    }
}

/// A delay that uses the clock.
pub struct Delay;

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        PHYSICAL.now.set(PHYSICAL.now.get() + u64::from(ns) * COUNTS_A_MS / 1_000_000);
    }
}

/// The board's clock against the emulator's: few bits, so that a host's seed is required.
pub struct Jitter;

impl Noise for Jitter {
    fn sample(&mut self, pool: &mut Pool) {
        pool.sample(Entropy::ClockJitter, (count() as u32) ^ jitter());
    }
}

/// The network device. It does not pass frames of the physical side to the loop.
pub struct Ethernet {
    net: Net,
    /// The host has received what is driven, and has not sent what the board senses yet.
    waits: bool,
    /// Length of the frame that the loop received last, and the core's count at that time.
    given: Option<(u16, u32)>,
    lost: u32,
}

impl Ethernet {
    /// The next frame of the host; clock and watchdog of the board are stopped meanwhile.
    fn wait(&mut self, buffer: &mut [u8]) -> usize {
        if let Some(length) = self.net.receive(buffer) {
            return length;
        }
        let left = pause();
        loop {
            if let Some(length) = self.net.receive(buffer) {
                resume(&left);
                return length;
            }
        }
    }
}

impl Port for Ethernet {
    fn receive(&mut self, _: Instant, buffer: &mut [u8]) -> Option<usize> {
        if let (Some((length, before)), Some(now)) = (self.given.take(), instructions()) {
            self.net.send(&Counted { length, instructions: now.wrapping_sub(before) }.frame());
        }
        if !self.waits {
            self.waits = self.net.send(&Driven { at: count(), ..PHYSICAL.driven.get() }.frame());
        }
        loop {
            let length = self.wait(buffer);
            let Some(frame) = buffer.get(..length) else {
                self.lost = self.lost.wrapping_add(1);
                continue;
            };
            let Some(sensed) = Sensed::of(frame) else {
                self.given = instructions().map(|count| (length as u16, count));
                return Some(length);
            };
            assert!(sensed.contacts & contact::PANIC == 0, "the host asked for it");
            if sensed.contacts & contact::HANG != 0 {
                loop {}
            }
            self.waits = false;
            PHYSICAL.sensed.set(sensed);
            PHYSICAL.now.set(PHYSICAL.now.get().max(sensed.until));
            PHYSICAL.at.set(PHYSICAL.now.get());
            return None;
        }
    }

    fn send(&mut self, _: Instant, frame: &[u8]) -> bool {
        let before = instructions();
        let is_sent = self.net.send(frame);
        // The wait for the device does not count as work of the loop.
        if let (Some((_, began)), Some(before), Some(after)) = (&mut self.given, before, instructions()) {
            *began = began.wrapping_add(after.wrapping_sub(before));
        }
        is_sent
    }

    fn is_up(&mut self, _: Instant) -> bool {
        true
    }

    fn lost(&mut self) -> u32 {
        self.lost
    }

    fn hear_all(&mut self) {}
}

fn sensed() -> Option<(Sensed, Duration)> {
    let at = PHYSICAL.at.get();
    (at != 0).then(|| {
        let age = Duration::from_micros(count().saturating_sub(at));
        (PHYSICAL.sensed.get(), age)
    })
}

/// Time of the measurement, on the role's clock.
fn moment(now: Instant, age: Duration) -> Instant {
    Instant::from_micros(now.as_micros().saturating_sub(age.as_micros()))
}

/// The power stage that the host simulates.
pub struct HostStage;

impl Stage for HostStage {
    fn read(&mut self, now: Instant, plant: &mut Plant) {
        let Some((sensed, age)) = sensed() else { return };
        let at = moment(now, age);
        plant.voltage_mv = Some(Reading::new(sensed.voltage_mv, at));
        plant.current_ma = Some(Reading::new(sensed.current_ma, at));
        let insulation = Insulation { count: Some(sensed.monitor), ..Insulation::of(Isolation::Valid) };
        plant.isolation = Some(Reading::new(insulation, at));
    }

    fn apply(&mut self, _: Instant, supply: Target, _: bool) -> Result<(), StageFault> {
        let driven = PHYSICAL.driven.get();
        PHYSICAL.driven.set(Driven { supply_mv: supply.voltage_mv, supply_ma: supply.current_ma, ..driven });
        Ok(())
    }
}

/// The battery that the host simulates.
pub struct HostBattery;

impl Battery for HostBattery {
    fn read(&mut self, now: Instant, plant: &mut pev_fsm::Plant) -> Option<Vehicle> {
        let (sensed, age) = sensed()?;
        let at = moment(now, age);
        plant.inlet_mv = Some(Reading::new(sensed.voltage_mv, at));
        plant.current_ma = Some(Reading::new(sensed.current_ma, at));
        Some(Vehicle {
            battery_mv: Some(sensed.battery_mv),
            soc_percent: sensed.soc_percent,
            is_done: sensed.is_done != 0,
            ..Vehicle::example(at)
        })
    }
}

/// The parts of a side. They have no state but the pins'.
fn parts(side: Side) -> Parts<Coil, Contact, Pwm> {
    Parts {
        pilot: if side == Side::Charger { PilotPwm::new(Pwm).ok() } else { None },
        relay: Some(Drive::active_high(Coil(coil::RELAY))),
        plus: Some(Drive::active_high(Coil(coil::PLUS))),
        minus: Some(Drive::active_high(Coil(coil::MINUS))),
        unlock: Some(Drive::active_high(Coil(coil::UNLOCK))),
        plus_feedback: Some(Sense::active_high(Contact(contact::PLUS))),
        minus_feedback: Some(Sense::active_high(Contact(contact::MINUS))),
        lock_feedback: Some(Sense::active_high(Contact(contact::LOCKED))),
        emergency_stop: Some(Sense::active_high(Contact(contact::STOP))),
        ..Parts::none(side)
    }
}

/// Runs the SAFE sequence on pins that are created again; returns what is driven after it, `None`: only the
/// pilot's +12 V.
pub fn make_safe() -> Option<Driven> {
    let side = PHYSICAL.side.get()?;
    parts(side).make_safe(&mut || None, &mut Delay);
    // The power stage's own heartbeat.
    let driven = Driven { supply_mv: 0, supply_ma: 0, ..PHYSICAL.driven.get() };
    (driven != Driven { pwm: PERIOD, ..Driven::default() }).then_some(driven)
}

fn wiring(side: Side) -> Wiring<Pins> {
    PHYSICAL.side.set(Some(side));
    let source = if side == Side::Charger { Source::Own } else { Source::Other };
    Wiring {
        parts: parts(side),
        precharge: Duration::ZERO,
        edges: PilotEdges::new(source),
        pilot: PilotAdc(source),
        pilot_scale: Scale::PILOT,
        proximity: None,
    }
}

/// A charger's end of the cable.
pub fn charger() -> ChargerCable<Pins, HostStage> {
    ChargerCable::new(wiring(Side::Charger), HostStage)
}

/// A car's end of the cable.
pub fn car() -> CarCable<Pins, HostBattery> {
    CarCable::new(wiring(Side::Car), HostBattery)
}
