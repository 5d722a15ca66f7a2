//! A charger in virtual time: frames and inputs enter at a time, outputs are recorded with theirs.

use homeplug_mme::{Frame, GROUPS, MAX_FRAME, Mac, NetworkKey, Profile, RunId, Slac, StationId};
use machine::{Cx, Entropy, Instant, Machine};
use slac::{Event, Evse, EvseConfig, EvseInput};

pub(super) const CHARGER: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);
pub(super) const MODEM: Mac = Mac([2, 0, 0, 0, 0, 0x30]);

/// Bytes that differ in each draw, so that keys differ.
pub(super) struct Counter(u8);

impl Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        }
    }
}

/// A frame of the charger.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub ms: u64,
    pub to: Mac,
    pub message: Slac,
    pub bytes: Vec<u8>,
}

pub(super) struct Bench {
    pub evse: Evse,
    pub now: Instant,
    entropy: Counter,
    sent: Vec<Sent>,
    told: Vec<(u64, Event)>,
    /// The most frames that one input caused.
    pub most: usize,
}

impl Bench {
    /// A charger without any input so far.
    pub(super) fn cold(config: EvseConfig) -> Self {
        let mut entropy = Counter(1);
        let now = Instant::ZERO;
        let evse = Evse::new(&mut Cx { now, entropy: &mut entropy }, config);
        Self { evse, now, entropy, sent: Vec::new(), told: Vec::new(), most: 0 }
    }

    /// A charger that offers 5 % to a plug.
    pub(super) fn with(config: EvseConfig) -> Self {
        let mut bench = Self::cold(config);
        bench.input(EvseInput::ModemReady(true));
        bench.input(EvseInput::Start);
        bench
    }

    pub(super) fn new() -> Self {
        Self::with(EvseConfig::new(CHARGER))
    }

    /// Calls timers up to and including that time.
    pub(super) fn at(&mut self, ms: u64) -> &mut Self {
        self.until(Instant::from_millis(ms))
    }

    pub(super) fn after(&mut self, ms: u64) -> &mut Self {
        self.until(self.now + machine::Duration::from_millis(ms))
    }

    pub(super) fn until(&mut self, end: Instant) -> &mut Self {
        assert!(end >= self.now, "back to {end} from {}", self.now);
        for _ in 0..10_000 {
            match self.evse.poll_timeout() {
                Some(due) if due.at <= end => {
                    self.now = self.now.max(due.at);
                    self.time();
                }
                _ => {
                    self.now = end;
                    return self;
                }
            }
        }
        panic!("deadlines without end at {}", self.now);
    }

    /// A late caller: no timer was called before this time.
    pub(super) fn jump(&mut self, ms: u64) -> &mut Self {
        self.now = Instant::from_millis(ms);
        self.settle();
        self
    }

    fn time(&mut self) {
        self.evse.handle_timeout(&mut Cx { now: self.now, entropy: &mut self.entropy });
        assert!(self.evse.poll_timeout().is_none_or(|due| due.at > self.now), "a deadline that stays");
        self.drain();
    }

    fn settle(&mut self) {
        self.drain();
        while self.evse.poll_timeout().is_some_and(|due| due.at <= self.now) {
            self.time();
        }
    }

    fn drain(&mut self) {
        let ms = self.now.as_millis();
        let mut buffer = [0; MAX_FRAME];
        let mut count = 0;
        while let Some((len, ())) = self.evse.poll_transmit(&mut buffer).unwrap() {
            let frame = Frame::parse(&buffer[..len]).unwrap();
            assert!(frame.to.is_unicast(), "a charger speaks to one car");
            let message = Slac::parse(&frame).unwrap().unwrap();
            self.sent.push(Sent { ms, to: frame.to, message, bytes: buffer[..len].to_vec() });
            count += 1;
            assert!(count < 100, "frames without end");
        }
        self.most = self.most.max(count);
        while let Some(event) = self.evse.poll_event() {
            self.told.push((ms, event));
        }
    }

    pub(super) fn input(&mut self, input: EvseInput<'_>) {
        self.evse.handle(&mut Cx { now: self.now, entropy: &mut self.entropy }, input);
        self.settle();
    }

    pub(super) fn frame(&mut self, bytes: &[u8]) {
        self.input(EvseInput::Frame(bytes));
    }

    pub(super) fn send(&mut self, from: Mac, to: Mac, message: Slac) {
        self.frame(&bytes(from, to, message));
    }

    /// A broadcast.
    pub(super) fn cast(&mut self, from: Mac, message: Slac) {
        self.send(from, Mac::BROADCAST, message);
    }

    /// The modem's measurement of a car's sound.
    pub(super) fn measured(&mut self, car: &Car, db: u8) {
        let profile = Some(Profile([db; GROUPS]));
        self.cast(MODEM, Slac::Measured { car: car.mac, profile });
    }

    /// Output since the previous call.
    pub(super) fn sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    /// Output without the bytes.
    pub(super) fn answers(&mut self) -> Vec<(u64, Mac, Slac)> {
        self.sent().into_iter().map(|sent| (sent.ms, sent.to, sent.message)).collect()
    }

    /// Events since the previous call.
    pub(super) fn told(&mut self) -> Vec<Event> {
        self.timed().into_iter().map(|(_, event)| event).collect()
    }

    pub(super) fn timed(&mut self) -> Vec<(u64, Event)> {
        std::mem::take(&mut self.told)
    }
}

pub(super) fn bytes(from: Mac, to: Mac, message: Slac) -> Vec<u8> {
    let mut buffer = [0; MAX_FRAME];
    let len = message.emit(to, from, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

/// A car that follows the standard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Car {
    pub mac: Mac,
    pub run_id: RunId,
}

pub(super) const CAR: Car = Car::new(1);

impl Car {
    pub(super) const fn new(number: u8) -> Self {
        Self { mac: Mac([2, 0, 0, 0, 1, number]), run_id: RunId([number; 8]) }
    }

    pub(super) const fn asks(&self) -> Slac {
        Slac::ParmReq { run_id: self.run_id }
    }

    pub(super) const fn starts(&self) -> Slac {
        Slac::StartAttenChar { run_id: self.run_id, sounds: 10, timeout_100ms: 6, car: self.mac }
    }

    pub(super) const fn sound(&self, remaining: u8) -> Slac {
        Slac::Sound { run_id: self.run_id, remaining, random: [0xFF; 16] }
    }

    pub(super) const fn acknowledges(&self, result: u8) -> Slac {
        Slac::AttenCharRsp { run_id: self.run_id, car: self.mac, result }
    }

    pub(super) const fn chooses(&self) -> Slac {
        let id = StationId([0; 17]);
        Slac::MatchReq { run_id: self.run_id, car: self.mac, pev_id: id, charger: CHARGER, evse_id: id }
    }

    pub(super) const fn answer(&self) -> Slac {
        Slac::ParmCnf { run_id: self.run_id, sounds: 10, timeout_100ms: 6, car: self.mac }
    }

    pub(super) const fn report(&self, sounds: u8, db: u8) -> Slac {
        Slac::AttenChar { run_id: self.run_id, car: self.mac, sounds, profile: Some(Profile([db; GROUPS])) }
    }

    pub(super) const fn confirmation(&self, key: NetworkKey) -> Slac {
        let id = StationId([0; 17]);
        Slac::MatchCnf { run_id: self.run_id, car: self.mac, pev_id: id, charger: CHARGER, evse_id: id, key }
    }

    /// Begins a run and announces itself.
    pub(super) fn begin(&self, bench: &mut Bench) {
        bench.cast(self.mac, self.asks());
        bench.after(100);
        for _ in 0..3 {
            bench.cast(self.mac, self.starts());
            bench.after(20);
        }
    }

    /// Sounds, measured at `db` by the charger's modem.
    pub(super) fn sounds(&self, bench: &mut Bench, db: u8) {
        for remaining in (0..10).rev() {
            bench.cast(self.mac, self.sound(remaining));
            bench.measured(self, db);
            bench.after(20);
        }
    }

    /// Continues up to an acknowledged report.
    pub(super) fn reach_choosing(&self, bench: &mut Bench) {
        self.begin(bench);
        self.sounds(bench, 12);
        bench.send(self.mac, CHARGER, self.acknowledges(0));
    }

    /// Continues up to the key.
    pub(super) fn reach_key(&self, bench: &mut Bench) {
        self.reach_choosing(bench);
        bench.after(500);
        bench.send(self.mac, CHARGER, self.chooses());
    }

    /// Continues up to the link.
    pub(super) fn reach_link(&self, bench: &mut Bench) {
        self.reach_key(bench);
        bench.after(7000);
        bench.input(EvseInput::Link(true));
        bench.after(200);
    }
}
