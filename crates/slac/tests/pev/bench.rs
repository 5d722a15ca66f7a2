//! A car on the bench: virtual time, recorded outputs, and simulated chargers.

use homeplug_mme::{Frame, GROUPS, MAX_FRAME, Mac, NetworkKey, Nmk, Profile, RunId, Slac, StationId};
use machine::{Cx, Duration, Entropy, Instant, Machine};
use slac::{Dropped, Event, Pev, PevConfig, PevInput, PevState};

pub(super) const CAR: Mac = Mac([2, 0, 0, 0, 0, 0xE1]);
pub(super) const NEAR: Mac = Mac([2, 0, 0, 0, 0, 0x51]);
pub(super) const FAR: Mac = Mac([2, 0, 0, 0, 0, 0x52]);

/// Different bytes in each draw.
pub(super) struct Counter(pub u8);

impl Entropy for Counter {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0 = self.0.wrapping_add(1);
            *byte = self.0;
        }
    }
}

pub(super) struct Bench {
    car: Mac,
    pub pev: Pev,
    pub now: Instant,
    pub entropy: Counter,
    pub chargers: Vec<Charger>,
    /// What the car sent.
    pub sent: Vec<Sent>,
    pub events: Vec<Event>,
    /// Every change of the required pilot state.
    pub toggles: Vec<(Instant, Option<bool>)>,
}

pub(super) struct Sent {
    pub at: Instant,
    pub to: Mac,
    pub slac: Slac,
    pub bytes: Vec<u8>,
}

/// A simulated charger that follows the standard; a test may make it lose or change messages.
#[derive(Clone)]
pub(super) struct Charger {
    pub mac: Mac,
    pub db: u8,
    pub sounds: u8,
    pub answers: bool,
    pub reports: bool,
    /// Its modem measures; else it reports as `EVerest` does.
    pub measures: bool,
    /// Number of match requests without a response.
    pub deaf_to_matches: u8,
}

impl Charger {
    pub(super) fn new(mac: Mac, db: u8) -> Self {
        Self { mac, db, sounds: 10, answers: true, reports: true, measures: true, deaf_to_matches: 0 }
    }

    pub(super) fn key(&self) -> NetworkKey {
        NetworkKey::derived(Nmk::new([self.db; 16]))
    }

    pub(super) fn report(&self, run_id: RunId, car: Mac) -> Slac {
        let (sounds, db) = if self.measures { (self.sounds, self.db) } else { (0, 1) };
        Slac::AttenChar { run_id, car, sounds, profile: Some(Profile([db; GROUPS])) }
    }

    pub(super) fn cnf(&self, run_id: RunId, car: Mac) -> Slac {
        let none = StationId::default();
        Slac::MatchCnf { run_id, car, pev_id: none, charger: self.mac, evse_id: none, key: self.key() }
    }

    fn hear(&mut self, to: Mac, from: Mac, slac: Slac) -> Option<Slac> {
        match slac {
            Slac::ParmReq { run_id } if self.answers => {
                Some(Slac::ParmCnf { run_id, sounds: self.sounds, timeout_100ms: 6, car: from })
            }
            Slac::Sound { run_id, remaining: 0, .. } if self.reports => Some(self.report(run_id, from)),
            Slac::MatchReq { run_id, .. } if to == self.mac => {
                let hears = self.deaf_to_matches == 0;
                self.deaf_to_matches = self.deaf_to_matches.saturating_sub(1);
                hears.then(|| self.cnf(run_id, from))
            }
            _ => None,
        }
    }
}

pub(super) fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

pub(super) fn frame(slac: Slac, from: Mac, to: Mac) -> Vec<u8> {
    let mut buffer = [0; MAX_FRAME];
    let len = slac.emit(to, from, &mut buffer).unwrap();
    buffer[..len].to_vec()
}

impl Bench {
    pub(super) fn new(config: PevConfig) -> Self {
        Self {
            car: config.mac,
            pev: Pev::new(config),
            now: Instant::ZERO,
            entropy: Counter(0),
            chargers: Vec::new(),
            sent: Vec::new(),
            events: Vec::new(),
            toggles: Vec::new(),
        }
    }

    /// A car whose modem is ready, plugged in at time 0.
    pub(super) fn plugged(config: PevConfig, chargers: &[Charger]) -> Self {
        let mut bench = Self::new(config);
        bench.chargers = chargers.to_vec();
        bench.give(PevInput::ModemReady(true));
        bench.give(PevInput::Start);
        bench
    }

    /// A car that is matched with [`NEAR`], with its outputs so far discarded.
    pub(super) fn matched(config: PevConfig) -> Self {
        let mut bench = Self::plugged(config, &[Charger::new(NEAR, 9)]);
        bench.until(PevState::Joining);
        bench.join();
        assert!(bench.pev.is_matched());
        bench.sent.clear();
        bench.events.clear();
        bench
    }

    /// The modem takes the key and finds the charger.
    pub(super) fn join(&mut self) {
        self.give(PevInput::ModemReady(true));
        self.give(PevInput::Link(true));
        self.run(ms(300));
    }

    pub(super) fn give(&mut self, input: PevInput<'_>) {
        self.pev.handle(&mut Cx { now: self.now, entropy: &mut self.entropy }, input);
        self.drain();
    }

    /// A message to the car.
    pub(super) fn hear(&mut self, slac: Slac, from: Mac) {
        self.give(PevInput::Frame(&frame(slac, from, CAR)));
    }

    /// Advances the time.
    pub(super) fn run(&mut self, span: Duration) {
        let end = self.now + span;
        while self.step(end) {}
        self.now = end;
    }

    /// Advances the time until a state is reached.
    pub(super) fn until(&mut self, state: PevState) {
        let end = self.now + ms(120_000);
        while self.pev.state() != state {
            assert!(self.step(end), "{state:?} is never reached from {:?}", self.pev.state());
        }
    }

    pub(super) fn step(&mut self, end: Instant) -> bool {
        let Some(due) = self.pev.poll_timeout().filter(|due| due.at <= end) else { return false };
        self.now = self.now.max(due.at);
        self.pev.handle_timeout(&mut Cx { now: self.now, entropy: &mut self.entropy });
        assert!(self.pev.poll_timeout().is_none_or(|due| due.at > self.now));
        self.drain();
        true
    }

    fn drain(&mut self) {
        let mut buffer = [0; MAX_FRAME];
        while let Some((len, ())) = self.pev.poll_transmit(&mut buffer).unwrap() {
            let bytes = buffer[..len].to_vec();
            let parsed = Frame::parse(&bytes).unwrap();
            assert_eq!(parsed.from, self.car);
            let (to, car) = (parsed.to, parsed.from);
            let slac = Slac::parse(&parsed).unwrap().unwrap();
            self.sent.push(Sent { at: self.now, to, slac, bytes });
            for index in 0..self.chargers.len() {
                let charger = &mut self.chargers[index];
                let from = charger.mac;
                if let Some(answer) = charger.hear(to, car, slac) {
                    let bytes = frame(answer, from, car);
                    let cx = &mut Cx { now: self.now, entropy: &mut self.entropy };
                    self.pev.handle(cx, PevInput::Frame(&bytes));
                }
            }
        }
        self.events.extend(std::iter::from_fn(|| self.pev.poll_event()));
        if self.toggles.last().and_then(|(_, shown)| *shown) != self.pev.toggle() {
            self.toggles.push((self.now, self.pev.toggle()));
        }
    }

    pub(super) fn run_id(&self) -> RunId {
        let asked = |event: &Event| match event {
            Event::Asked { run_id, .. } => Some(*run_id),
            _ => None,
        };
        self.events.iter().rev().find_map(asked).unwrap()
    }

    /// Times of the messages of one type, in ms.
    pub(super) fn times(&self, kind: impl Fn(&Slac) -> bool) -> Vec<u64> {
        self.sent.iter().filter(|sent| kind(&sent.slac)).map(|sent| sent.at.as_millis()).collect()
    }

    pub(super) fn dropped(&self) -> Vec<Dropped> {
        let why = |event: &Event| match event {
            Event::Dropped { why, .. } => Some(*why),
            _ => None,
        };
        self.events.iter().filter_map(why).collect()
    }

    pub(super) fn chosen(&self) -> Vec<Mac> {
        let peer = |event: &Event| match event {
            Event::Chosen { peer } => Some(*peer),
            _ => None,
        };
        self.events.iter().filter_map(peer).collect()
    }

    pub(super) fn failures(&self) -> Vec<slac::Failure> {
        let failure = |event: &Event| match event {
            Event::Failed(failure) => Some(*failure),
            _ => None,
        };
        self.events.iter().filter_map(failure).collect()
    }
}

pub(super) fn is_parm_req(slac: &Slac) -> bool {
    matches!(slac, Slac::ParmReq { .. })
}

pub(super) fn is_match_req(slac: &Slac) -> bool {
    matches!(slac, Slac::MatchReq { .. })
}

pub(super) fn is_rsp(slac: &Slac) -> bool {
    matches!(slac, Slac::AttenCharRsp { .. })
}
