//! The care of modems (crate `modem`) against the simulated ones: two independent implementations.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use common::{CAR_MODEM, CHARGER, CHARGER_MODEM, key};
use homeplug_mme::{Mac, MmType};
use machine::{Cx, Deadline, Duration, Instant, Machine};
use modem::{Modem, ModemConfig as CareConfig};
use sim::power_line::{Act, Place, Rule};
use sim::trace::Kind;
use sim::{Injection, Input, ModemConfig, ModemKind, Node, Port, World};

const HOST: Port = Port(0);

/// A host that only cares for its modem.
struct Care(Modem);

impl Node for Care {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.0.start(cx);
        self.0.set_key(cx, key(7));
        self.0.watch_link(cx, true);
    }
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        if let Input::Frame(frame) = input {
            self.0.handle(cx, frame);
        }
    }
    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.0.handle_timeout(cx);
    }
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        machine::whole(self.0.poll_transmit(buffer)).map(|(length, ())| length)
    }
    fn poll_event(&mut self) -> Option<String> {
        self.0.poll_event().map(|event| format!("{event:?}"))
    }
    fn poll_timeout(&self) -> Option<Deadline> {
        self.0.poll_timeout()
    }
}

fn care(mac: Mac) -> Care {
    Care(Modem::new(CareConfig::new(mac)))
}

fn world(config: ModemConfig) -> World<Care> {
    let mut world = World::new(1);
    world.add("host", care(CHARGER), config);
    world
}

fn evse(kind: ModemKind) -> ModemConfig {
    ModemConfig::evse(kind, CHARGER_MODEM)
}

/// When the host reported this for the first time.
fn told(world: &World<Care>, words: &str) -> Option<Instant> {
    let entries = world.trace().entries().iter();
    entries
        .filter(|entry| entry.kind == Kind::Told && entry.who == "host")
        .find(|entry| entry.what.contains(words))
        .map(|entry| entry.at)
}

#[test]
fn every_kind_of_modem_is_found_takes_its_key_and_is_ready() {
    for kind in
        [ModemKind::Qca7000, ModemKind::Qca7005, ModemKind::Qca7420, ModemKind::Int6000, ModemKind::Lumissil]
    {
        let (lingers, restart) = ModemConfig::SLOW;
        for config in [evse(kind), ModemConfig { lingers, restart, ..evse(kind) }] {
            let mut world = world(config);
            world.run_for(Duration::from_secs(30));
            assert!(told(&world, "Found").is_some(), "{kind:?}\n{}", world.trace());
            assert!(told(&world, "Ready").is_some(), "{kind:?}\n{}", world.trace());
            assert!(world.node(HOST).unwrap().0.is_ready(), "{kind:?}");
            assert_eq!(world.line().image(HOST).unwrap().network(), key(7));
            assert_eq!(told(&world, "Fault"), None, "{kind:?}\n{}", world.trace());
        }
    }
}

#[test]
fn a_link_is_told_when_the_other_modem_comes_and_goes() {
    let mut world = world(evse(ModemKind::Qca7005));
    let pev = ModemConfig { key: Some(key(7)), ..ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM) };
    let car = world.add("car", care(common::CAR), pev);
    world.inject(Instant::from_millis(20_000), Injection::Partition(HOST, car, true));
    world.run_for(Duration::from_secs(25));
    let (up, down) = (told(&world, "Link(true)").unwrap(), told(&world, "Link(false)").unwrap());
    assert!(up < Instant::from_millis(15_000) && down >= Instant::from_millis(20_000), "{up} {down}");
}

#[test]
fn an_absent_modem_is_told_and_found_when_it_comes() {
    let mut world = world(evse(ModemKind::Qca7005));
    world.perform(Injection::RestartModem(HOST, Duration::from_secs(60)));
    world.run_for(Duration::from_secs(100));
    let missing = told(&world, "NotFound").unwrap();
    assert!(missing < Instant::from_millis(60_000), "{missing}");
    assert!(told(&world, "Ready").unwrap() > Instant::from_millis(60_000));
}

#[test]
fn a_modem_that_confirms_a_key_and_keeps_its_own_is_a_fault() {
    let mut world = world(ModemConfig { takes_keys: false, ..evse(ModemKind::Qca7005) });
    world.run_for(Duration::from_secs(120));
    assert!(told(&world, "Fault(KeyNotTaken)").is_some(), "{}", world.trace());
    assert_eq!(told(&world, "Ready"), None);
}

#[test]
fn a_confirmation_that_never_comes_is_a_fault_after_three_tries_and_again_after_three_more() {
    let mut world = world(evse(ModemKind::Qca7005));
    let rule = Rule {
        place: Place::ToHost(HOST),
        mm_type: Some(MmType(0x6009)),
        skip: 0,
        times: Rule::ALWAYS,
        act: Act::Lose,
    };
    world.inject(Instant::ZERO, Injection::Rule(rule));
    world.run_for(Duration::from_secs(5));
    assert!(told(&world, "Fault(KeyNotConfirmed)").is_some(), "{}", world.trace());
    let sent = world.trace().entries().iter().filter(|entry| entry.what.contains("CM_SET_KEY.REQ"));
    // Two times three: the modem may only have been restarting.
    assert_eq!(sent.count(), 6);
}

#[test]
fn a_key_that_somebody_else_sets_is_set_again() {
    let mut world = world(evse(ModemKind::Qca7005));
    world.run_for(Duration::from_secs(20));
    let other = common::frame(&homeplug_mme::view::SetKeyReq::new([1; 4], key(9)), Mac::LOCAL_MODEM, CHARGER);
    world.say(HOST, &other);
    world.run_for(Duration::from_secs(60));
    assert!(told(&world, "OtherKey").is_some(), "{}", world.trace());
    assert_eq!(world.line().image(HOST).unwrap().network(), key(7));
}
