//! Charger and car with events between plug, pilot, modem, matching and session: none of them leaves a
//! plugged car without 5 % until the plug is pulled.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::large_stack_arrays,
    reason = "a test ends where it fails"
)]

mod common;

use common::{CAR, CAR_MODEM, CHARGER, CHARGER_MODEM};
use evse_fsm::{Operator, Plant, Reading};
use homeplug_mme::{GROUPS, Mac, MmType, Profile, Slac};
use machine::{Cx, Duration, Instant, Machine};
use roles::{Evse, EvseConfig, EvseLink, EvseStorage, Pev, PevConfig, PevInput, PevLink};
use sim::power_line::{Act, Place, Rule};
use sim::{
    Car, Chance, Charger, Host, Injection, Input, Limit, ModemConfig, ModemKind, Node, Port, Stop, Wishes,
    World,
};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);

fn build<'a>(kind: ModemKind, storage: &'a mut [EvseStorage<'a>; 2]) -> World<Host<'a>> {
    with(kind, true, storage)
}

fn with<'a>(kind: ModemKind, discovers: bool, storage: &'a mut [EvseStorage<'a>; 2]) -> World<Host<'a>> {
    let [evse, car] = storage;
    let mut world = World::new(1);
    world.add_with("evse", ModemConfig::evse(kind, CHARGER_MODEM), |cx| {
        let config = EvseConfig { link: EvseLink::matched(CHARGER), ..EvseConfig::new(CHARGER) };
        Host::Charger(Charger::new(cx, config, evse).unwrap())
    });
    let pev = ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM);
    world.add_with("pev", pev, |cx| {
        let config = PevConfig { discovers, ..PevConfig::new(CAR) };
        Host::Car(Car::new(cx, config, Wishes::CAR_400V, car).unwrap())
    });
    world.add_cable(EVSE, PEV);
    world.inject(Instant::ZERO, Injection::Plug(PEV));
    world
}

fn is_matched(world: &World<Host<'_>>) -> bool {
    let evse = world.node(EVSE).and_then(Host::charger).unwrap().role();
    let pev = world.node(PEV).and_then(Host::car).unwrap().role();
    evse.matching() == Some(slac::EvseState::Matched) && pev.charger() == Some(CHARGER)
}

fn storage<'a>() -> Box<[EvseStorage<'a>; 2]> {
    Box::new([EvseStorage::new(), EvseStorage::new()])
}

/// Runs until both are matched, `seconds` at most.
fn until_matched(world: &mut World<Host<'_>>, seconds: u64) -> bool {
    let limit = Limit::until(world.now() + Duration::from_secs(seconds));
    world.run(limit, |world| is_matched(world).then(String::new)) == Stop::Watched(String::new())
}

#[test]
fn however_often_a_key_brings_no_link_the_charger_tries_again_without_a_pull_of_the_plug() {
    let mut storage = storage();
    let mut world = build(ModemKind::Qca7005, &mut storage);
    let place = Place::Path { from: EVSE, to: PEV };
    let act = Act::Flip { offset: 93, mask: 1 };
    world.perform(Injection::Rule(Rule {
        place,
        mm_type: Some(MmType(0x607D)),
        skip: 0,
        times: Rule::ALWAYS,
        act,
    }));
    world.run_for(Duration::from_secs(120));
    assert!(world.trace().to_string().contains("Slac(GaveUp)"), "it is told");
    world.perform(Injection::ClearRules);
    assert!(until_matched(&mut world, 120), "{}", world.trace());
}

fn operator(world: &mut World<Host<'_>>, word: Operator) {
    world.tell(EVSE, |host, cx| {
        let Host::Charger(charger) = host else { return };
        charger.role_mut().handle(cx, roles::EvseInput::Operator(word));
    });
}

const KINDS: [ModemKind; 5] =
    [ModemKind::Qca7005, ModemKind::Qca7000, ModemKind::Lumissil, ModemKind::Qca7420, ModemKind::Int6000];

#[test]
fn an_operator_who_takes_the_offer_back_and_gives_it_again_at_any_time_leads_to_a_match() {
    for step in 0..150 {
        for (pause, word) in [(0, false), (700, false), (9000, false), (0, true)] {
            let mut storage = storage();
            let mut world = build(ModemKind::Qca7005, &mut storage);
            world.run_for(Duration::from_millis(step * 170));
            if word {
                operator(&mut world, Operator::Retry);
            } else {
                operator(&mut world, Operator::Available(false));
                world.run_for(Duration::from_millis(pause));
                operator(&mut world, Operator::Available(true));
            }
            world.run_for(Duration::from_millis(1500));
            assert!(until_matched(&mut world, 70), "{step} {pause} {word}: {}", world.trace());
        }
    }
}

#[test]
fn a_modem_that_restarts_by_itself_at_any_time_leads_to_a_match() {
    for kind in KINDS {
        for port in [EVSE, PEV] {
            for away in [200, 900, 1500, 2600, 4500, 12_000] {
                for step in 0..25 {
                    let mut storage = storage();
                    let mut world = build(kind, &mut storage);
                    world.run_for(Duration::from_millis(step * 1021));
                    world.perform(Injection::RestartModem(port, Duration::from_millis(away)));
                    world.run_for(Duration::from_millis(8000));
                    assert!(
                        until_matched(&mut world, 90),
                        "{kind:?} {port:?} {away} {step}: {}",
                        world.trace()
                    );
                }
            }
        }
    }
}

#[test]
fn only_the_own_modem_says_how_loud_a_car_was() {
    let report = |stranger: bool| {
        let mut storage = storage();
        let mut world = build(ModemKind::Qca7005, &mut storage);
        let mut said = false;
        while !is_matched(&world) {
            world.run_for(Duration::from_millis(10));
            if stranger && !said && world.trace().to_string().contains("evse: Slac(Announced") {
                said = true;
                let mut loud = [0; 85];
                let profile = Slac::Measured { car: CAR, profile: Some(Profile([200; GROUPS])) };
                let length = profile.emit(Mac::BROADCAST, Mac([2, 0, 0, 0, 0, 0x66]), &mut loud).unwrap();
                world.tell(EVSE, |host, cx| host.handle(cx, Input::Frame(&loud[..length])));
            }
        }
        assert_eq!(said, stranger);
        let entries = world.trace().entries();
        entries.iter().find(|entry| entry.what.starts_with("Slac(Measured")).unwrap().what.clone()
    };
    assert_eq!(report(true), report(false));
}

/// A desk without modems: charger and car on one wire, in steps of 10 ms.
struct Desk<'a> {
    evse: Evse<'a>,
    pev: Pev<'a>,
    now: Instant,
    chance: Chance,
}

impl Desk<'_> {
    fn run(&mut self, millis: u64) {
        for _ in 0..millis / 10 {
            self.now += Duration::from_millis(10);
            let mut cx = Cx { now: self.now, entropy: &mut self.chance };
            let pilot = Some(Reading::new(self.pev.demand().pilot, cx.now));
            self.evse.handle(&mut cx, roles::EvseInput::Plant(Plant { pilot, ..Plant::default() }));
            self.evse.handle_timeout(&mut cx);
            let pilot = Some(Reading::new(self.evse.demand().pilot, cx.now));
            self.pev.handle(&mut cx, PevInput::Plant(pev_fsm::Plant { pilot, ..pev_fsm::Plant::default() }));
            self.pev.handle_timeout(&mut cx);
            let mut buffer = [0; roles::MAX_FRAME];
            while let Some((length, ())) = self.evse.poll_transmit(&mut buffer).unwrap() {
                self.pev.handle(&mut cx, PevInput::Frame(&buffer[..length]));
            }
            while let Some((length, ())) = self.pev.poll_transmit(&mut buffer).unwrap() {
                self.evse.handle(&mut cx, roles::EvseInput::Frame(&buffer[..length]));
            }
        }
    }

    fn is_matched(&self) -> bool {
        self.evse.matching() == Some(slac::EvseState::Matched) && self.pev.charger() == Some(CHARGER)
    }
}

#[test]
fn without_modems_charger_and_car_match_and_do_so_again_after_a_step_and_for_a_car_that_began_anew() {
    let (mut storage, mut first, mut second) = (EvseStorage::new(), EvseStorage::new(), EvseStorage::new());
    let mut chance = Chance::new(1);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut chance };
    let link = EvseLink::Matched { slac: slac::EvseConfig::new(CHARGER), modem: Some(&modem::NONE) };
    let mut config = EvseConfig { link, ..EvseConfig::new(CHARGER) };
    config.charger.power_stage = evse_fsm::PowerStage::None;
    config.charger.sensors = evse_fsm::Sensors::empty();
    let evse = Evse::new(&mut cx, config, &mut storage).unwrap();
    let link = PevLink::Matched { slac: slac::PevConfig::new(CAR), modem: Some(&modem::NONE) };
    let car = PevConfig { link, ..PevConfig::new(CAR) };
    let pev = Pev::new(&mut cx, car.clone(), &mut first).unwrap();
    let mut desk = Desk { evse, pev, now: Instant::ZERO, chance };
    desk.run(5000);
    assert!(desk.is_matched());
    let mut cx = Cx { now: desk.now, entropy: &mut desk.chance };
    desk.evse.handle(&mut cx, roles::EvseInput::Operator(Operator::Retry));
    desk.run(1000);
    assert!(!desk.is_matched());
    desk.run(7000);
    assert!(desk.is_matched());
    let mut cx = Cx { now: desk.now, entropy: &mut desk.chance };
    desk.pev = Pev::new(&mut cx, car, &mut second).unwrap();
    desk.run(5000);
    assert!(desk.is_matched());
}

#[test]
fn a_car_whose_host_begins_anew_while_its_modem_keeps_the_link_matches_again() {
    for kind in KINDS {
        let mut storage = storage();
        let mut fresh = EvseStorage::new();
        let mut world = build(kind, &mut storage);
        assert!(until_matched(&mut world, 60));
        world.tell(PEV, |host, cx| {
            let car = Car::new(cx, PevConfig::new(CAR), Wishes::CAR_400V, &mut fresh);
            *host = Host::Car(car.unwrap());
        });
        assert!(!is_matched(&world));
        assert!(until_matched(&mut world, 60), "{kind:?}: {}", world.trace());
        world.run_for(Duration::from_secs(5));
        assert!(is_matched(&world) || until_matched(&mut world, 60), "{kind:?}: {}", world.trace());
    }
}

#[test]
fn a_car_that_is_matched_and_stays_quiet_is_matched_anew() {
    for kind in KINDS {
        let mut storage = storage();
        let mut world = with(kind, false, &mut storage);
        assert!(until_matched(&mut world, 60));
        world.run_for(Duration::from_secs(50));
        assert!(is_matched(&world));
        world.run_for(Duration::from_secs(12));
        assert!(world.trace().to_string().contains("Failed(Asked)"));
        assert!(until_matched(&mut world, 60));
    }
}
