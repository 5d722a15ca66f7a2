//! Any bytes as a modem's frames and as time, for all machines that care for modems: no panic, bounded work,
//! and only the own modem receives a key.
//!
//! The input is a list of steps: a byte for the time in 50 ms, one for the frame's length, and the frame.
#![no_main]

use std::fmt::Debug;

use homeplug_mme::{Frame, MAX_FRAME, Mac, NetworkKey, Nmk, view};
use libfuzzer_sys::fuzz_target;
use machine::check::Check;
use machine::{Cx, Duration, Instant, Machine};
use modem::pib::Role;
use modem::{Finder, Modem, ModemConfig, PROFILES, PibReader, Reset};

const OWN: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);

fn check<M: Care>(make: impl FnMut() -> M, start: impl Fn(&mut M, &mut Cx<'_>)) -> Check<M> {
    let mut make = make;
    let timers = ["modem", "modem link", "modem finder", "modem read", "modem reset"];
    let mut check = Check::new(&timers, MAX_FRAME, |_| make()).unwrap();
    check.call(|machine, cx| start(machine, cx)).unwrap();
    check
}

trait Care: for<'a> Machine<Input<'a> = &'a [u8], Route = (), Event: Debug> {}
impl<M: for<'a> Machine<Input<'a> = &'a [u8], Route = (), Event: Debug>> Care for M {}

fn step<M: Care>(check: &mut Check<M>, now: Instant, frame: &[u8]) {
    check.sleep_to(now).unwrap();
    check.call(|machine, cx| machine.handle(cx, frame)).unwrap();
    check.timeout().unwrap();
    let sent = check.take_sent();
    assert!(sent.len() < 50, "it sends without end");
    for (bytes, ()) in sent {
        let frame = Frame::parse(&bytes).expect("an own frame");
        assert!(bytes.len() >= 60 && frame.from == OWN);
        if let Some(key) = frame.get::<view::SetKeyReq>() {
            assert_eq!(frame.to, Mac::LOCAL_MODEM);
            assert_ne!(key.expect("whole").my_nonce, [0; 4]);
        }
    }
    check.take_events();
}

fuzz_target!(|input: &[u8]| {
    let mut images = [[0; 2048]; 5];
    let mut images = images.iter_mut();
    let profile = &PROFILES[usize::from(input.first().is_some_and(|byte| byte & 1 == 1)) * 2];
    let mut modem = check(
        || Modem::new(ModemConfig::new(OWN)),
        |modem, cx| {
            modem.start(cx);
            modem.set_key(cx, NetworkKey::derived(Nmk::new([9; 16])));
            modem.watch_link(cx, true);
        },
    );
    let mut finder = check(|| Finder::new(OWN), Finder::start);
    let reader = || {
        PibReader::new(OWN, Mac::LOCAL_MODEM, profile, images.next().expect("five")).expect("a known family")
    };
    let mut reader = check(reader, |reader, cx| reader.start(cx));
    let mut reset = check(|| Reset::new(OWN, Mac::LOCAL_MODEM, profile).expect("one modem"), Reset::start);
    let (mut now, mut rest) = (Instant::ZERO, input);
    while let [time, length, tail @ ..] = rest {
        let (frame, tail) = tail.split_at(tail.len().min(usize::from(*length) * 6));
        rest = tail;
        now += Duration::from_millis(u64::from(*time) * 50);
        step(&mut modem, now, frame);
        step(&mut finder, now, frame);
        step(&mut reader, now, frame);
        step(&mut reset, now, frame);
        assert!(!modem.machine().is_ready() || modem.machine().key().is_some());
    }
    let role = reader.machine().image().and_then(|image| image.role());
    assert!(!matches!(role, Some(Role::Mixed { slac: 0, .. })));
});
