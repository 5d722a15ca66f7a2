//! No unnecessary waits: from the modem to 5 %, and from the key to discovery.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

mod common;

use common::{CAR, CAR_MODEM, CHARGER, CHARGER_MODEM};
use machine::{Duration, Instant};
use roles::{EvseConfig, EvseLink, EvseStorage, PevConfig, PevStorage};
use sim::{Car, Charger, Injection, Limit, ModemConfig, ModemKind, Node, Port, Span, Wishes, World};

const EVSE: Port = Port(0);
const PEV: Port = Port(1);

/// Runs a charger and a car with these modems, plugged in at `plug`, for 30 s; returns when either side first
/// reported each of the words.
fn told(plug: Instant, evse: ModemConfig, pev: ModemConfig, words: &[(&str, &str)]) -> Vec<Instant> {
    let (mut first, mut second) = (EvseStorage::new(), PevStorage::new());
    let mut world: World<Box<dyn Node + '_>> = World::new(1);
    world.add_with("evse", evse, |cx| -> Box<dyn Node + '_> {
        let config = EvseConfig { link: EvseLink::matched(CHARGER), ..EvseConfig::new(CHARGER) };
        Box::new(Charger::new(cx, config, &mut first).unwrap())
    });
    world.add_with("pev", pev, |cx| -> Box<dyn Node + '_> {
        Box::new(Car::new(cx, PevConfig::new(CAR), Wishes::CAR_400V, &mut second).unwrap())
    });
    world.add_cable(EVSE, PEV);
    world.inject(plug, Injection::Plug(PEV));
    world.run(Limit::until(Instant::from_millis(30_000)), |_| None);
    let entries = world.trace().entries();
    let first = |(who, what): &(&str, &str)| {
        let entry = entries.iter().find(|entry| entry.who == *who && entry.what.contains(what));
        entry.unwrap_or_else(|| panic!("{who} never reported {what}\n{}", world.trace())).at
    };
    words.iter().map(first).collect()
}

const EVSE_MODEM: ModemConfig = ModemConfig::evse(ModemKind::Qca7005, CHARGER_MODEM);
const PEV_MODEM: ModemConfig = ModemConfig::pev(ModemKind::Qca7005, CAR_MODEM);

#[test]
fn a_plug_that_comes_while_the_modem_takes_its_key_gets_5_percent_half_a_second_after_the_modem_is_ready() {
    for plug_ms in [0, 500, 3_000] {
        let plug = Instant::from_millis(plug_ms);
        let words = [("evse", "Modem(Ready"), ("evse", "charger applies 5 %")];
        let times = told(plug, EVSE_MODEM, PEV_MODEM, &words);
        assert!(times[0] > plug, "the modem is not ready at the plug");
        let wait = times[1].since(times[0]).as_millis();
        // The plant is read every 50 ms.
        assert!((450..=600).contains(&wait), "{wait} ms for a plug at {plug_ms} ms");
    }
}

#[test]
fn discovery_follows_the_link_when_the_cars_modem_never_goes_silent() {
    let quick = ModemConfig { lingers: Span::ZERO, restart: Span::ZERO, ..PEV_MODEM };
    let words = [("pev", "Slac(KeyGiven"), ("pev", "Modem(Link(true))"), ("pev", "Slac(Matched")];
    let times = told(Instant::from_millis(15_000), EVSE_MODEM, quick, &words);
    let (link, matched) = (times[1].since(times[0]), times[2].since(times[1]));
    // The simulated modems need up to 3 s to join, and the car sends four requests in a second.
    assert!(link < Duration::from_millis(3_500), "{} ms from the key to the link", link.as_millis());
    assert!(matched <= Duration::from_millis(250), "{} ms from the link", matched.as_millis());
}
