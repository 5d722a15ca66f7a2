extern crate std;
use homeplug_mme::view::{GetKeyCnf, PlLinkStatusCnf, SetKeyCnf};
use homeplug_mme::{NetworkKey, Nid, Nmk};
use machine::{Duration, Machine, TooShort};
use std::vec;
use std::vec::Vec;

use super::*;
use crate::LUMISSIL;
use crate::profile::{NONE, PROFILES};
use crate::script::{Bench, MODEM, OTHER, OWN, Script, from, sent, version};

const KEY: NetworkKey = NetworkKey { nid: Nid([1, 2, 3, 4, 5, 6, 7]), nmk: Nmk::new([5; 16]) };
const SECOND: NetworkKey = NetworkKey { nid: Nid([7, 6, 5, 4, 3, 2, 1]), nmk: Nmk::new([6; 16]) };
const SET_KEY: u16 = 0x6008;
const READY: ModemEvent = ModemEvent::Ready { verified: true };

/// A request with one repetition.
const ASKED: Retry = Retry::new(2, Duration::from_secs(1));

fn found() -> ModemEvent {
    ModemEvent::Found { address: MODEM, profile: Profile::of_firmware(b"QCA7420") }
}

fn bench(script: Script) -> Bench<Modem> {
    let mut bench = Bench::new(Modem::new(ModemConfig::new(OWN)), script);
    bench.with(Modem::start);
    bench
}

/// A modem that has the key and whose link is watched.
fn ready() -> Bench<Modem> {
    let mut bench = bench(Script::new());
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    assert_eq!(bench.run(8000), [found(), READY]);
    bench.with(|modem, cx| modem.watch_link(cx, true));
    bench
}

#[test]
fn the_modem_is_found_by_its_answer_and_its_family_by_its_firmware() {
    let mut bench = bench(Script::new());
    assert_eq!(bench.run(5000), [found()]);
    assert_eq!(bench.machine.address(), Some(MODEM));
    assert_eq!(bench.machine.firmware(), b"MAC-QCA7420-1.4.0.20-00-20171027-CS");
    assert!(!bench.machine.is_ready(), "no key is set yet");
    assert!(bench.modem.log.iter().all(|(_, to, _)| *to == Mac::LOCAL_MODEM));
}

#[test]
fn a_key_is_set_and_the_modem_is_ready_only_after_its_restart() {
    let mut bench = bench(Script::new());
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    // The modem responds for 2.7 s with the new key before it restarts, until 4.1 s.
    assert_eq!(bench.run(4000), [found()]);
    assert_eq!(bench.machine.key(), Some(KEY));
    assert!(!bench.machine.is_ready());
    assert_eq!(bench.run(2000), [READY]);
    assert!(bench.machine.is_ready());
    assert_eq!(bench.modem.asked(SET_KEY), 1);
    assert_eq!(bench.modem.key, KEY);
}

#[test]
fn both_results_of_a_confirmation_count_and_a_wrong_echo_does_not() {
    for result in [0, 1] {
        let mut bench = bench(Script { set_key: Some((result, true)), ..Script::new() });
        bench.with(|modem, cx| modem.set_key(cx, KEY));
        assert_eq!(bench.run(8000), [found(), READY]);
    }
    let mut bench = bench(Script { set_key: Some((1, false)), ..Script::new() });
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    let fault = ModemEvent::Fault(ModemFault::KeyNotConfirmed);
    assert_eq!(bench.run(1800), [found(), fault]);
    assert_eq!((bench.machine.key(), bench.modem.asked(SET_KEY)), (None, 3));
    // Repeated immediately, in case it was restarting; then after a pause.
    assert_eq!(bench.run(9000), [found(), fault]);
    assert_eq!(bench.modem.asked(SET_KEY), 6);
}

#[test]
fn a_confirmation_from_another_modem_does_not_count() {
    let mut bench = bench(Script { set_key: None, ..Script::new() });
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    bench.run(100);
    let nonce = bench.machine.nonce;
    let answer =
        SetKeyCnf { result: 1, my_nonce: [0; 4], your_nonce: nonce, pid: 4, prn: 0, pmn: 0, cco_cap: 0 };
    bench.with(|modem, cx| modem.handle(cx, &from(OTHER, &answer)));
    assert_eq!(bench.machine.key(), None);
    bench.with(|modem, cx| modem.handle(cx, &sent(&answer)));
    assert_eq!(bench.machine.key(), Some(KEY));
}

#[test]
fn lost_frames_are_sent_again() {
    let mut script = Script::new();
    script.lose = vec![0xA000, 0xA000, SET_KEY, SET_KEY, 0x600C];
    let mut bench = bench(script);
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    assert_eq!(bench.run(10_000), [found(), READY]);
}

#[test]
fn an_absent_modem_is_told_once_and_found_when_it_comes() {
    let mut bench = bench(Script { firmware: None, ..Script::new() });
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    assert_eq!(bench.run(60_000), [ModemEvent::NotFound]);
    let asked = bench.modem.asked(0xA000);
    assert!((35..45).contains(&asked), "at a low rate: {asked}");
    bench.modem.firmware = Some("MAC-QCA7420-1.4.0.20-00-20171027-CS");
    assert_eq!(bench.run(10_000), [found(), READY]);
}

#[test]
fn a_modem_without_firmware_or_that_does_not_keep_its_key_is_a_fault_that_is_tried_again() {
    let mut bare = bench(Script { firmware: Some("BootLoader"), ..Script::new() });
    let fault = ModemEvent::Fault(ModemFault::NoFirmware);
    assert_eq!(bare.run(25_000), [fault, fault, fault]);

    let mut stubborn = bench(Script { keeps_key: false, ..Script::new() });
    stubborn.with(|modem, cx| modem.set_key(cx, KEY));
    let events = stubborn.run(24_000);
    let other = ModemEvent::OtherKey;
    let fault = ModemEvent::Fault(ModemFault::KeyNotTaken);
    assert_eq!(events, [found(), other, other, other, fault]);
    assert_eq!((stubborn.machine.is_ready(), stubborn.machine.key()), (false, None));
    stubborn.modem.keeps_key = true;
    assert!(stubborn.run(25_000).contains(&READY));

    let mut gone = bench(Script { restart: (Duration::ZERO, Duration::from_secs(60)), ..Script::new() });
    gone.with(|modem, cx| modem.set_key(cx, KEY));
    assert_eq!(gone.run(30_000), [found(), ModemEvent::Fault(ModemFault::NotBack)]);
    assert_eq!(gone.run(40_000), [found(), READY]);
}

#[test]
fn a_modem_that_does_not_restart_is_ready_when_it_would_have() {
    let mut bench = bench(Script { restart: (Duration::ZERO, Duration::ZERO), ..Script::new() });
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    assert_eq!(bench.run(5500), [found()]);
    assert_eq!(bench.run(1500), [READY]);
}

/// A modem that takes a key without a restart.
fn never_silent() -> Script {
    Script { restart: (Duration::ZERO, Duration::ZERO), shy: Duration::ZERO, ..Script::new() }
}

/// A modem whose link is watched while a key is set, as a car's.
fn joining(script: Script) -> Bench<Modem> {
    let mut bench = bench(script);
    bench.run(100);
    bench.with(|modem, cx| modem.watch_link(cx, true));
    bench.run(100);
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    bench
}

#[test]
fn the_new_key_and_a_link_make_it_ready_whether_it_was_silent_or_not() {
    for link_at in [0, 300, 2500] {
        let mut bench = joining(never_silent());
        bench.run(link_at);
        assert!(!bench.machine.is_ready(), "a key without a link says nothing");
        bench.modem.link = Some(true);
        assert_eq!(bench.run(260), [READY, ModemEvent::Link(true)], "link after {link_at} ms");
        assert!(bench.machine.is_ready());
    }
}

#[test]
fn a_link_without_the_new_key_is_the_old_networks() {
    let mut bench = joining(Script { keeps_key: false, ..never_silent() });
    bench.modem.link = Some(true);
    assert_eq!(bench.run(5000), []);
    assert!(!bench.machine.is_ready());
}

#[test]
fn a_restart_that_follows_an_old_networks_link_is_no_lost_link() {
    // It reports the new key for 2.7 s with the old network's link, then restarts, and joins 2 s later or
    // never.
    for joins in [true, false] {
        let mut bench = joining(Script { link: Some(true), shy: Duration::ZERO, ..Script::new() });
        assert_eq!(bench.run(1000), [ModemEvent::Link(false), READY, ModemEvent::Link(true)]);
        bench.run(1700);
        bench.modem.link = Some(false);
        assert_eq!(bench.run(4000), []);
        bench.modem.link = Some(joins);
        assert_eq!(bench.run(2200), [], "8.9 s after the key");
        let then: &[ModemEvent] = if joins { &[] } else { &[ModemEvent::Link(false)] };
        assert_eq!(bench.run(2000), then);
        // From then on a lost link is reported as usual.
        bench.modem.link = Some(false);
        assert_eq!(bench.run(2000).len(), usize::from(joins));
    }
}

#[test]
fn a_link_that_came_with_the_key_and_goes_is_told_at_once() {
    let mut bench = joining(never_silent());
    bench.run(300);
    bench.modem.link = Some(true);
    assert_eq!(bench.run(260), [READY, ModemEvent::Link(true)]);
    bench.modem.link = Some(false);
    assert_eq!(bench.run(1800), [ModemEvent::Link(false)]);
}

#[test]
fn the_last_key_wins_whenever_it_comes() {
    for later in [0, 50, 1000, 3000, 4300, 9000] {
        let mut bench = bench(Script::new());
        bench.with(|modem, cx| modem.set_key(cx, KEY));
        bench.run(later);
        bench.with(|modem, cx| modem.set_key(cx, SECOND));
        assert!(!bench.machine.is_ready(), "{later}");
        bench.run(20_000);
        assert!(bench.machine.is_ready(), "{later}");
        assert_eq!((bench.machine.key(), bench.modem.key), (Some(SECOND), SECOND), "{later}");
    }
}

#[test]
fn many_keys_in_a_row_are_no_fault() {
    let mut bench = bench(Script::new());
    for number in 0..10 {
        let key = NetworkKey::derived(Nmk::new([number; 16]));
        bench.with(|modem, cx| modem.set_key(cx, key));
        bench.run(u64::from(number) * 5000 % 6000);
    }
    assert!(bench.run(10_000).iter().all(|event| !matches!(event, ModemEvent::Fault(_))));
    assert_eq!(bench.machine.key(), Some(NetworkKey::derived(Nmk::new([9; 16]))));
}

#[test]
fn the_link_is_told_when_it_changes_and_only_while_it_is_watched() {
    let mut bench = ready();
    assert_eq!((bench.run(2000), bench.machine.link()), (vec![], Some(false)));
    bench.modem.link = Some(true);
    assert_eq!(bench.run(600), [ModemEvent::Link(true)]);
    // One response lost, one invalid: still up.
    bench.modem.lose = vec![0xA0B8];
    assert_eq!(bench.run(1100), []);
    bench.modem.link = Some(false);
    assert_eq!((bench.run(500), bench.machine.link()), (vec![], Some(true)));
    assert_eq!(bench.run(1500), [ModemEvent::Link(false)]);
    bench.with(|modem, cx| modem.watch_link(cx, false));
    bench.modem.link = Some(true);
    let before = bench.modem.asked(0xA0B8);
    assert_eq!((bench.run(5000), bench.machine.link()), (vec![], None));
    assert_eq!(bench.modem.asked(0xA0B8), before);
}

#[test]
fn a_link_that_is_up_before_the_modem_tells_its_key_makes_it_ready() {
    let mut bench = bench(Script { shy: Duration::from_secs(8), link: Some(true), ..Script::new() });
    bench.with(|modem, cx| modem.watch_link(cx, true));
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    assert_eq!(bench.run(5000), [found(), READY, ModemEvent::Link(true)]);
    // What it reports later still counts.
    bench.modem.key = SECOND;
    assert_eq!(bench.run(10_000)[..2], [ModemEvent::OtherKey, ModemEvent::Link(false)]);
}

#[test]
fn a_modem_that_never_tells_its_key_is_ready_after_a_while() {
    let mut bench = bench(Script { shy: Duration::from_secs(60), ..Script::new() });
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    assert_eq!(bench.run(6000), [found()]);
    assert_eq!(bench.run(3000), [ModemEvent::Ready { verified: false }]);
}

#[test]
fn an_interval_of_nothing_is_bounded() {
    let config = ModemConfig { link_interval: Duration::ZERO, ..ModemConfig::new(OWN) };
    let mut bench = Bench::new(Modem::new(config), Script::new());
    bench.with(Modem::start);
    bench.with(|modem, cx| modem.watch_link(cx, true));
    bench.run(1000);
    assert!(bench.modem.asked(0xA0B8) <= 21);
}

#[test]
fn a_new_key_ends_the_link() {
    let mut bench = ready();
    bench.modem.link = Some(true);
    assert_eq!(bench.run(1000), [ModemEvent::Link(true)]);
    bench.with(|modem, cx| modem.set_key(cx, SECOND));
    assert_eq!(bench.machine.link(), None);
    let unverified = READY;
    assert_eq!(bench.run(8000), [ModemEvent::Link(false), unverified, ModemEvent::Link(true)]);
}

#[test]
fn a_modem_that_restarts_by_itself_gets_its_key_again() {
    for (away, silent) in [(1400, false), (6000, true)] {
        let mut bench = ready();
        bench.modem.key = SECOND;
        let now = bench.now;
        bench.modem.away(now, Duration::from_millis(10), Duration::from_millis(away));
        let events = bench.run(20_000);
        assert_eq!(events.contains(&ModemEvent::Silent), silent, "{events:?}");
        assert!(events.contains(&ModemEvent::OtherKey), "{events:?}");
        assert_eq!(events.last(), Some(&READY));
        assert_eq!((bench.modem.key, bench.modem.asked(SET_KEY)), (KEY, 2));
    }
}

#[test]
fn a_modem_that_was_away_and_kept_its_key_is_not_set_again() {
    for away in [600, 1400, 10_000] {
        let mut bench = ready();
        let now = bench.now;
        bench.modem.away(now, Duration::from_millis(10), Duration::from_millis(away));
        let events = bench.run(20_000);
        assert!(bench.machine.is_ready() && !events.contains(&ModemEvent::OtherKey), "{events:?}");
        assert_eq!(bench.modem.asked(SET_KEY), 1);
    }
}

#[test]
fn a_lumissil_modem_is_found_set_and_watched_by_its_own_messages() {
    let mut bench = bench(Script { firmware: None, lumissil: true, ..Script::new() });
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    bench.with(|modem, cx| modem.watch_link(cx, true));
    let found = ModemEvent::Found { address: MODEM, profile: &LUMISSIL };
    assert_eq!(bench.run(8000), [found, ModemEvent::Ready { verified: false }]);
    bench.modem.link = Some(true);
    assert_eq!(bench.run(1000), [ModemEvent::Link(true)]);
    assert_eq!(bench.modem.asked(0xA0B8), 0, "it is not asked Qualcomm's way");
    // It cannot report its key: after an absence the key is set again.
    let now = bench.now;
    bench.modem.away(now, Duration::ZERO, Duration::from_secs(10));
    bench.run(30_000);
    assert_eq!(bench.modem.asked(SET_KEY), 2);
}

#[test]
fn without_a_modem_it_is_always_ready_and_the_link_is_the_callers() {
    let config = ModemConfig { profile: Some(&NONE), ..ModemConfig::new(OWN) };
    let mut bench = Bench::new(Modem::new(config), Script::new());
    bench.with(Modem::start);
    assert!(bench.machine.is_ready());
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    bench.machine.set_link(true);
    bench.machine.set_link(true);
    let unverified = ModemEvent::Ready { verified: false };
    assert_eq!(bench.run(60_000), [unverified, ModemEvent::Link(true)]);
    assert_eq!((bench.machine.key(), bench.machine.link()), (Some(KEY), Some(true)));
    assert!(bench.modem.log.is_empty(), "nothing is sent");
    bench.machine.set_link(false);
    assert_eq!(bench.run(0), [ModemEvent::Link(false)]);
}

#[test]
fn a_given_family_is_not_asked_the_other_vendors_way() {
    let config = ModemConfig { profile: PROFILES.first(), ..ModemConfig::new(OWN) };
    let mut bench = Bench::new(Modem::new(config), Script { firmware: None, ..Script::new() });
    bench.with(Modem::start);
    bench.run(5000);
    assert_eq!(bench.modem.asked(0xAC6C), 0);
    assert!(bench.modem.asked(0xA000) > 5);
}

#[test]
fn foreign_and_broken_frames_change_nothing() {
    let mut bench = ready();
    bench.run(1000);
    let link = PlLinkStatusCnf { mstatus: 0, link_status: 1 };
    let broken = &sent(&link)[..20];
    let mut elsewhere = sent(&link);
    elsewhere[5] ^= 1;
    for frame in [&[][..], &[0xFF; 60], &from(OTHER, &link), &from(OTHER, &version("BootLoader")), &elsewhere]
    {
        bench.with(|modem, cx| modem.handle(cx, frame));
        assert_eq!((bench.machine.poll_event(), bench.machine.link()), (None, Some(false)));
    }
    bench.with(|modem, cx| modem.handle(cx, broken));
    assert_eq!(bench.machine.poll_event(), Some(ModemEvent::Malformed));
    // A request that does not fit stays queued.
    let due = bench.machine.poll_timeout().unwrap();
    bench.now = due.at;
    bench.with(Machine::handle_timeout);
    assert_eq!(bench.machine.poll_transmit(&mut [0; 20]), Err(TooShort { needed: 60 }));
    assert_eq!(bench.machine.poll_transmit(&mut [0; 60]), Ok(Some((60, ()))));
}

#[test]
fn while_the_link_is_watched_nobody_can_take_the_modem_away_in_its_name() {
    let mut bench = ready();
    bench.modem.link = Some(true);
    bench.run(1000);
    assert_eq!(bench.machine.link(), Some(true));
    bench.with(|modem, cx| modem.handle(cx, &sent(&version("BootLoader"))));
    assert_eq!(bench.run(5000), []);
    assert!(bench.machine.is_ready() && bench.machine.link() == Some(true));
    // A modem without firmware does not report its link.
    bench.modem.firmware = Some("BootLoader");
    bench.modem.link = None;
    bench.modem.lose = vec![0x600C; 20];
    let events = bench.run(5000);
    let fault = ModemEvent::Fault(ModemFault::NoFirmware);
    assert_eq!(events, [ModemEvent::Link(false), ModemEvent::Silent, fault]);
}

/// The hosts' and modems' own frames of a capture, passed to a modem that waits for exactly them.
#[test]
fn recorded_modems_are_found_and_their_confirmations_are_taken() {
    let Some(lines) = corpus::lines("captures/mme.jsonl") else { return };
    let mut checked = Vec::new();
    let mac = |line: &corpus::Value, name| {
        Mac(corpus::bytes(&corpus::text(line, name).replace(':', "")).try_into().unwrap())
    };
    for pair in lines.windows(2) {
        let [request, answer] = pair else { continue };
        let bytes = corpus::bytes(corpus::text(answer, "bytes"));
        if corpus::text(answer, "name") == "VS_SW_VER.CNF" {
            let own = mac(answer, "dst");
            let mut bench = Bench::new(
                Modem::new(ModemConfig::new(own)),
                Script { firmware: None, own, ..Script::new() },
            );
            bench.with(Modem::start);
            bench.with(|modem, cx| modem.handle(cx, &bytes));
            assert_eq!(bench.machine.address(), Some(mac(answer, "src")));
            let firmware = bench.machine.firmware();
            assert!(firmware.starts_with(b"MAC-QCA7"));
            assert_ne!(bench.machine.profile().unwrap().name, "unknown");
            checked.push("version");
        }
        let is = |line, name| corpus::text(line, "name") == name;
        if is(request, "CM_SET_KEY.REQ") && is(answer, "CM_SET_KEY.CNF") {
            let (own, modem) = (mac(answer, "dst"), mac(answer, "src"));
            let asked = corpus::bytes(corpus::text(request, "bytes"));
            let mut machine = Modem::new(ModemConfig::new(own));
            machine.address = Some(modem);
            machine.state = State::SettingKey(ASKED);
            machine.nonce = asked[20..24].try_into().unwrap();
            let (nid, nmk) =
                (Nid(asked[33..40].try_into().unwrap()), Nmk::new(asked[41..57].try_into().unwrap()));
            machine.wanted = Some(NetworkKey { nid, nmk });
            let mut bench = Bench::new(machine, Script::new());
            bench.with(|modem, cx| modem.handle(cx, &bytes));
            assert_eq!(bench.machine.key(), bench.machine.wanted, "{}", corpus::text(answer, "capture"));
            checked.push("key");
        }
    }
    let count = |what| checked.iter().filter(|checked| **checked == what).count();
    assert!(count("version") >= 15 && count("key") >= 30, "{} {}", count("version"), count("key"));
}

/// The modem's responses to a request for its key, in every recorded form.
#[test]
fn a_shown_key_counts_by_its_network_or_by_itself_and_only_with_the_right_echo() {
    let (none, other) = (Nid::default(), SECOND.nid);
    let (hidden, wrong) = (Nmk::new([0; 16]), SECOND.nmk);
    let table = [
        (KEY.nid, KEY.nmk, true, Some(READY)),
        (KEY.nid, hidden, true, Some(READY)),
        (none, KEY.nmk, true, Some(READY)),
        (none, hidden, true, None),
        (none, wrong, true, Some(ModemEvent::OtherKey)),
        (other, hidden, true, Some(ModemEvent::OtherKey)),
        (KEY.nid, KEY.nmk, false, None),
        (other, hidden, false, None),
    ];
    for (nid, key, echoes, expected) in table {
        let mut machine = Modem::new(ModemConfig::new(OWN));
        machine.address = Some(MODEM);
        (machine.wanted, machine.confirmed) = (Some(KEY), Some(KEY));
        machine.nonce = [1, 2, 3, 4];
        machine.state = State::Verifying(ASKED);
        let mut bench = Bench::new(machine, Script::new());
        let your_nonce = if echoes { [1, 2, 3, 4] } else { [0xAA; 4] };
        let (result, key_type, my_nonce, eks) = (0, 1, [3; 4], 1);
        let (pid, prn, pmn) = (4, 0, 255);
        let answer = GetKeyCnf { result, key_type, my_nonce, your_nonce, nid, eks, pid, prn, pmn, key };
        bench.with(|modem, cx| modem.handle(cx, &sent(&answer)));
        assert_eq!(bench.machine.poll_event(), expected, "{nid} {echoes}");
    }
}

#[test]
fn a_nonce_is_never_zero() {
    let mut bench = Bench::new(Modem::new(ModemConfig::new(OWN)), Script::new());
    bench.entropy = machine::ScriptedEntropy::new(&[]);
    bench.with(Modem::start);
    bench.with(|modem, cx| modem.set_key(cx, KEY));
    // The scripted modem checks it.
    assert_eq!(bench.run(8000), [found(), READY]);
}
