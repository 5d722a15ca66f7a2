//! The car among foreign chargers: modems that do not measure, and rogues that report false measurements
//! (CVE-2025-12357).
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    reason = "a test ends where it fails"
)]

mod common;

use common::{CAR, CAR_MODEM, CHARGER, CHARGER_MODEM, key};
use control_pilot::Output;
use homeplug_mme::{Frame, GROUPS, Mac, NetworkKey, Profile, Slac};
use machine::{Cx, Deadline, Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig, PevStorage};
use sim::{
    Car, Charger, Drive, EventQueue, Expect, Injection, Input, ModemConfig, ModemKind, Node, Port, Scenario,
    Wishes, World,
};

/// The report of a foreign charger.
#[derive(Clone, Copy)]
enum Report {
    /// The measurement of its modem; if that measured nothing, this number of sounds and these groups.
    Own(u8, Option<u8>),
    /// This attenuation in dB, whatever its modem measures.
    Claimed(u8),
}

const EVEREST: Report = Report::Own(0, Some(1));
const OPEN_PLC_UTILS: Report = Report::Own(10, Some(0));
const PYSLAC: Report = Report::Own(10, None);

/// A scripted charger. It offers 5 % on its cable, and answers every car.
#[derive(Clone, Copy)]
struct Habits {
    kind: ModemKind,
    report: Report,
    /// Time from the last sound to its report.
    wait: Duration,
    /// Whether it sends a key.
    gives_key: bool,
    /// Whether its modem has the key that it sends. That of the charger at the cable's other end always has.
    links: bool,
}

const HABITS: Habits = Habits {
    kind: ModemKind::Qca7420,
    report: EVEREST,
    wait: Duration::from_millis(60),
    gives_key: true,
    links: false,
};

struct Foreign {
    mac: Mac,
    habits: Habits,
    key: NetworkKey,
    measured: Option<Profile>,
    outbox: EventQueue<Vec<u8>>,
    events: Vec<String>,
    now: Instant,
}

impl Foreign {
    fn say(&mut self, at: Instant, to: Mac, message: Slac) {
        let mut buffer = vec![0; 1514];
        let length = message.emit(to, self.mac, &mut buffer).unwrap();
        buffer.truncate(length);
        self.outbox.push(at, buffer);
    }

    fn report(&self) -> (u8, Option<Profile>) {
        match (self.habits.report, self.measured) {
            (Report::Claimed(db), _) => (10, Some(Profile([db; GROUPS]))),
            (Report::Own(..), Some(profile)) => (10, Some(profile)),
            (Report::Own(sounds, db), None) => (sounds, db.map(|db| Profile([db; GROUPS]))),
        }
    }

    fn hear(&mut self, now: Instant, from: Mac, message: Slac) {
        match message {
            Slac::ParmReq { run_id } => {
                self.say(now, from, Slac::ParmCnf { run_id, sounds: 10, timeout_100ms: 6, car: from });
            }
            Slac::Measured { profile, .. } => self.measured = profile,
            Slac::Sound { run_id, remaining: 0, .. } => {
                let (sounds, profile) = self.report();
                let report = Slac::AttenChar { run_id, car: from, sounds, profile };
                self.say(now + self.habits.wait, from, report);
            }
            Slac::AttenCharRsp { .. } => self.events.push("acknowledged".to_owned()),
            Slac::MatchReq { run_id, car, pev_id, charger, evse_id } if charger == self.mac => {
                self.events.push("chosen".to_owned());
                if self.habits.gives_key {
                    let key = self.key;
                    self.say(now, from, Slac::MatchCnf { run_id, car, pev_id, charger, evse_id, key });
                }
            }
            _ => (),
        }
    }
}

impl Node for Foreign {
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        self.now = cx.now;
        if let Input::Frame(bytes) = input
            && let Ok(frame) = Frame::parse(bytes)
            && (frame.to == self.mac || frame.to == Mac::BROADCAST)
            && let Some(Ok(message)) = Slac::parse(&frame)
        {
            self.hear(cx.now, frame.from, message);
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.now = cx.now;
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let (_, frame) = self.outbox.pop_due(self.now)?;
        buffer[..frame.len()].copy_from_slice(&frame);
        Some(frame.len())
    }

    fn poll_event(&mut self) -> Option<String> {
        (!self.events.is_empty()).then(|| self.events.remove(0))
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.outbox.next_at().filter(|at| *at > self.now).map(|at| Deadline { at, name: "script" })
    }

    fn drive(&self) -> Drive {
        Drive::output(Output::DIGITAL)
    }
}

/// The charger at the other end of the car's cable, and its neighbours.
#[derive(Clone, Copy)]
struct Setup {
    /// A foreign charger; `None`: this project's.
    own: Option<Habits>,
    others: &'static [Habits],
}

const CAR_PORT: Port = Port(0);
/// Attenuation between the car and its neighbours in dB; to its own charger it is lower.
const NEIGHBOUR_DB: u8 = 30;

fn build<'a>(
    setup: &Setup,
    evse: &'a mut EvseStorage<'a>,
    pev: &'a mut PevStorage<'a>,
) -> World<Box<dyn Node + 'a>> {
    let mut world: World<Box<dyn Node + 'a>> = World::new(1);
    let pev_modem = ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM);
    world.add_with("pev", pev_modem, |cx| -> Box<dyn Node + 'a> {
        Box::new(Car::new(cx, PevConfig::new(CAR), Wishes::CAR_400V, pev).unwrap())
    });
    let foreign = |mac, habits: Habits, key| -> Box<dyn Node + 'a> {
        let (measured, outbox, events, now) = (None, EventQueue::new(), Vec::new(), Instant::ZERO);
        Box::new(Foreign { mac, habits, key, measured, outbox, events, now })
    };
    let own = if let Some(habits) = setup.own {
        let modem = ModemConfig { key: Some(key(1)), ..ModemConfig::evse(habits.kind, CHARGER_MODEM) };
        world.add("own", foreign(CHARGER, habits, key(1)), modem)
    } else {
        world.add_with(
            "own",
            ModemConfig::evse(ModemKind::Qca7005, CHARGER_MODEM),
            |cx| -> Box<dyn Node + 'a> {
                let config = EvseConfig { link: EvseLink::matched(CHARGER), ..EvseConfig::new(CHARGER) };
                Box::new(Charger::new(cx, config, evse).unwrap())
            },
        )
    };
    world.add_cable(own, CAR_PORT);
    for (number, habits) in (0_u8..).zip(setup.others) {
        // Lower addresses than the own charger's, so that the neighbours win equal ranks.
        let mac = Mac([2, 0, 0, 0, 0, number]);
        let given = habits.links.then(|| key(0x66));
        let modem =
            ModemConfig { key: given, ..ModemConfig::evse(habits.kind, Mac([0, 0xB0, 0x52, 0, 2, number])) };
        let port = world.add(&format!("other {number}"), foreign(mac, *habits, key(0x66)), modem);
        world.inject(Instant::ZERO, Injection::Attenuation(port, CAR_PORT, NEIGHBOUR_DB));
    }
    world
}

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

const PLUG: &[(Instant, Injection)] = &[(at(15_000), Injection::Plug(CAR_PORT))];
const MATCHED: Expect = Expect::told("pev", "Slac(Matched { peer: 02:00:00:00:00:5e })");
const WARNED: Expect = Expect::told("pev", "Slac(NoneMeasured { peer: 02:00:00:00:00:5e })");
const NOT_WARNED: Expect = Expect::never_told("pev", "Slac(NoneMeasured");

const fn scenario(title: &'static str, setup: Setup, expect: &'static [Expect]) -> Scenario<Setup> {
    Scenario { id: title, title, setup, injections: PLUG, until: at(75_000), expect }
}

const fn alone(report: Report) -> Setup {
    Setup { own: Some(Habits { report, ..HABITS }), others: &[] }
}

const UNMEASURED: &[Expect] = &[
    Expect::told("own", "acknowledged"),
    Expect::told("pev", "Slac(Unmeasured { peer: 02:00:00:00:00:5e })"),
    WARNED,
    MATCHED.between(at(15_000), at(30_000)),
];

const ROGUE: Habits = Habits { report: Report::Claimed(1), ..HABITS };
const MUTE: Habits = Habits { gives_key: false, ..HABITS };

const SCENARIOS: &[Scenario<Setup>] = &[
    scenario("EVerest with a QCA7420: 58 groups of 1 dB and no sounds", alone(EVEREST), UNMEASURED),
    scenario("open-plc-utils with a QCA7420: 58 groups of 0 dB", alone(OPEN_PLC_UTILS), UNMEASURED),
    scenario("pyslac with a QCA7420: no groups", alone(PYSLAC), UNMEASURED),
    scenario(
        "a modem that does not even report sounds",
        Setup { own: Some(Habits { kind: ModemKind::Int6000, ..HABITS }), others: &[] },
        &[WARNED, Expect::told("own", "chosen")],
    ),
    scenario(
        "a neighbour that does not measure, and the own charger that does",
        Setup { own: None, others: &[HABITS] },
        &[
            Expect::told("other 0", "acknowledged"),
            Expect::never_told("other 0", "chosen"),
            NOT_WARNED,
            MATCHED.between(at(15_000), at(30_000)),
        ],
    ),
    scenario(
        "several that do not measure, and the own charger is the last of them",
        Setup { own: Some(HABITS), others: &[MUTE, MUTE] },
        &[Expect::told("other 0", "chosen"), Expect::told("other 1", "chosen"), WARNED, MATCHED],
    ),
    scenario(
        "a report after the window is no report, and the next attempt comes",
        Setup { own: Some(Habits { wait: Duration::from_millis(1000), ..HABITS }), others: &[] },
        &[Expect::told("pev", "Failed(NoReport)"), Expect::never_told("own", "chosen")],
    ),
    scenario(
        "a rogue claims 1 dB and gives a key to nowhere: then the own charger is chosen",
        Setup { own: None, others: &[ROGUE] },
        &[
            Expect::told("pev", "Failed(NoLink { peer: 02:00:00:00:00:00 })"),
            Expect::told("pev", "SetAside { peer: 02:00:00:00:00:00, instead: 02:00:00:00:00:5e }"),
            MATCHED.between(at(25_000), at(50_000)),
        ],
    ),
    scenario(
        "a rogue claims 1 dB, and the own charger does not measure",
        Setup { own: Some(HABITS), others: &[ROGUE] },
        &[
            Expect::told("pev", "SetAside { peer: 02:00:00:00:00:00, instead: 02:00:00:00:00:5e }"),
            WARNED,
            MATCHED.between(at(25_000), at(50_000)),
        ],
    ),
    scenario(
        "a rogue gives a link without answers",
        Setup { own: None, others: &[Habits { links: true, ..ROGUE }] },
        &[
            Expect::told("pev", "Matched { peer: 02:00:00:00:00:00 })"),
            Expect::told("pev", "Failed(NoSession { peer: 02:00:00:00:00:00 })"),
            Expect::told("pev", "SetAside { peer: 02:00:00:00:00:00, instead: 02:00:00:00:00:5e }"),
            MATCHED,
        ],
    ),
    scenario(
        "two rogues at once: each costs one attempt",
        Setup { own: None, others: &[ROGUE, ROGUE] },
        &[
            Expect::told("pev", "Failed(NoLink { peer: 02:00:00:00:00:00 })"),
            Expect::told("pev", "Failed(NoLink { peer: 02:00:00:00:00:01 })"),
            MATCHED,
        ],
    ),
];

#[test]
fn the_car_finds_its_charger_among_strangers_and_the_same_way_twice() {
    let mut bad = Vec::new();
    for scenario in SCENARIOS {
        let play = || {
            let (mut evse, mut pev) = (EvseStorage::new(), PevStorage::new());
            let (outcome, world) = scenario.play(|setup| build(setup, &mut evse, &mut pev), |_| None);
            (outcome, world.trace().to_string())
        };
        let (outcome, trace) = play();
        if !outcome.is_good() {
            bad.push(outcome.to_string());
            if std::env::var_os("TRACE").is_some() {
                eprintln!("{trace}");
            }
        }
        assert!(play().1 == trace, "{}: another trace the second time", scenario.id);
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
