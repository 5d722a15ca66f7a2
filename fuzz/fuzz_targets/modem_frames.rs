//! Any bytes as a modem's frames and as time, for all machines that care for modems: no panic, bounded work, and a
//! key is sent to the own modem only.
//!
//! The input is a list of steps: a byte for the time in 50 ms, one for the frame's length, and the frame.
#![no_main]

use homeplug_mme::{Frame, Mac, NetworkKey, Nmk, view};
use libfuzzer_sys::fuzz_target;
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use modem::pib::Role;
use modem::{Finder, Modem, ModemConfig, PROFILES, PibReader, Reset};

const OWN: Mac = Mac([2, 0, 0, 0, 0, 0x5E]);

fn step<M>(machine: &mut M, cx: &mut Cx<'_>, frame: &[u8])
where
    M: for<'a> Machine<Input<'a> = &'a [u8], Route = ()>,
{
    machine.handle(cx, frame);
    machine.handle_timeout(cx);
    assert!(machine.poll_timeout().is_none_or(|due| due.at > cx.now));
    let mut buffer = [0; 1514];
    for sent in 0.. {
        assert!(sent < 50, "it sends without end");
        let Some((length, ())) = machine.poll_transmit(&mut buffer).unwrap() else { break };
        let frame = Frame::parse(&buffer[..length]).expect("an own frame");
        assert!(length >= 60 && frame.from == OWN);
        if let Some(key) = frame.get::<view::SetKeyReq>() {
            assert_eq!(frame.to, Mac::LOCAL_MODEM);
            assert_ne!(key.expect("whole").my_nonce, [0; 4]);
        }
    }
    while machine.poll_event().is_some() {}
}

fuzz_target!(|input: &[u8]| {
    let mut entropy = ScriptedEntropy::new(&[7, 11, 13]);
    let mut now = Instant::ZERO;
    let mut cx = Cx { now, entropy: &mut entropy };
    let mut image = [0; 2048];
    let mut modem = Modem::new(ModemConfig::new(OWN));
    let mut finder = Finder::new(OWN);
    let profile = &PROFILES[usize::from(input.first().is_some_and(|byte| byte & 1 == 1)) * 2];
    let mut reader = PibReader::new(OWN, Mac::LOCAL_MODEM, profile, &mut image).expect("a known family");
    let mut reset = Reset::new(OWN, Mac::LOCAL_MODEM, profile).expect("one modem");
    modem.start(&mut cx);
    modem.set_key(&mut cx, NetworkKey::derived(Nmk::new([9; 16])));
    modem.watch_link(&mut cx, true);
    finder.start(&mut cx);
    reader.start(&mut cx);
    reset.start(&mut cx);
    let mut rest = input;
    while let [time, length, tail @ ..] = rest {
        let (frame, tail) = tail.split_at(tail.len().min(usize::from(*length) * 6));
        rest = tail;
        now += Duration::from_millis(u64::from(*time) * 50);
        let mut cx = Cx { now, entropy: &mut entropy };
        step(&mut modem, &mut cx, frame);
        step(&mut finder, &mut cx, frame);
        step(&mut reader, &mut cx, frame);
        step(&mut reset, &mut cx, frame);
        assert!(!modem.is_ready() || modem.key().is_some());
    }
    let role = reader.image().and_then(|image| image.role());
    assert!(!matches!(role, Some(Role::Mixed { slac: 0, .. })));
});
