//! Any bytes as frames and time for a listener with its own modem: no panic, the contract of a machine,
//! bounded storage, and no transmission before it is configured to join.
//!
//! The input is a list of steps: a byte for the kind, then its data.
#![no_main]

use std::cell::Cell;

use homeplug_mme::{NetworkKey, Nmk};
use libfuzzer_sys::fuzz_target;
use listen::Event;
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use roles::{Listen, ListenStorage, ListenWatch, MAX_FRAME, Mac};

/// Observed messages are complete, and no longer than the listener keeps.
#[derive(Default)]
struct Ear {
    heard: Cell<u64>,
}

impl ListenWatch for Ear {
    fn heard(&self, event: &Event<'_>) {
        self.heard.set(self.heard.get() + 1);
        let _ = format!("{event:?}");
    }
}

fuzz_target!(|input: &[u8]| {
    let mut entropy = ScriptedEntropy::new(&[7, 11, 13]);
    let mut now = Instant::ZERO;
    let (mut storage, ear) = (ListenStorage::default(), Ear::default());
    let mut listen: Listen<'_> = Listen::new(Mac([0x02, 0, 0, 0, 0, 1]), &mut storage);
    listen.watch(&ear);
    let mut buffer = [0; MAX_FRAME];
    let (mut may_send, mut frames) = (false, 0_u64);
    let mut rest = input;
    while let [step, argument, tail @ ..] = rest {
        rest = tail;
        let mut cx = Cx { now, entropy: &mut entropy };
        match step % 8 {
            0..=3 => {
                // Up to 1 020 bytes: a frame is longer than most inputs of a fuzzer.
                let (frame, tail) = rest.split_at(rest.len().min(usize::from(*argument) * 4));
                rest = tail;
                frames += 1;
                listen.handle(&mut cx, frame);
            }
            4 | 5 => {
                now += Duration::from_millis(u64::from(*argument) * 10);
                listen.handle_timeout(&mut Cx { now, entropy: &mut entropy });
                let is_future = listen.poll_timeout().is_none_or(|deadline| deadline.at > now);
                assert!(is_future, "a deadline that was handled is due again");
            }
            6 => {
                may_send = true;
                listen.join(&mut cx);
            }
            _ => {
                may_send = true;
                listen.set_key(&mut cx, NetworkKey::derived(Nmk::new([*argument; 16])));
            }
        }
        for _ in 0..100 {
            match listen.poll_transmit(&mut buffer).unwrap() {
                Some(_) => assert!(may_send, "a listener that was not told to join transmits"),
                None => break,
            }
        }
        while listen.poll_event().is_some() {}
        assert!(listen.attempts().len() <= 4);
    }
    listen.finish();
    // A frame gives a bounded number of events: its messages are at least 8 bytes long.
    let most = (frames + 1) * 1024;
    assert!(ear.heard.get() <= most, "{} events of {frames} frames", ear.heard.get());
});
