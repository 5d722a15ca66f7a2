//! The log of a listener for a session of a world, frame by frame.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use std::ops::ControlFlow;

use board::{Ear, Input, Listen, Mac, Role};
use machine::{Cx, Duration, Instant, Machine, ScriptedEntropy};
use roles::{ListenStorage, MAX_FRAME};
use sim::script::{self, Told};

type Frames = Vec<(Instant, Vec<u8>)>;

/// The frames on a charger's cable while a car charges one percent.
fn session() -> Frames {
    let text = "scenario usual\ntitle a car charges\nside both\nsetup plug 8s\nsetup until 4h\nsetup heartbeat\n\
                setup battery 400V 50 %\nsetup enough 51 %\n";
    let script = script::parse(text).unwrap().swap_remove(0);
    let mut frames = Vec::new();
    script::play(
        &script,
        Some(&mut |_, told| {
            frames.extend(told.into_iter().filter_map(|(at, told)| match told {
                Told::Frame { frame, .. } => Some((at, frame)),
                _ => None,
            }));
            ControlFlow::Continue(())
        }),
    );
    frames
}

/// The log lines of a listener for these frames and a minute of silence after them; and its key.
fn said(frames: &[(Instant, Vec<u8>)]) -> (Vec<String>, Option<String>) {
    let (ear, mut storage) = (Ear::new(), Box::<ListenStorage>::default());
    let mut listen = Listen::new(Mac([2, 0, 0, 0, 0, 0xA1]), &mut storage, &ear);
    let (mut entropy, mut lines) = (ScriptedEntropy::new(&[1]), Vec::new());
    let mut drain = |listen: &mut Listen<'_>| {
        while let Some(heard) = listen.poll_event() {
            listen.say(&heard, &mut |_, who, words| {
                lines.push(if who.is_empty() { words.to_string() } else { format!("{who} {words}") });
            });
        }
    };
    let last = frames.last().unwrap().0 + Duration::from_secs(60);
    for (now, frame) in frames.iter().map(|(at, frame)| (*at, Some(frame))).chain([(last, None)]) {
        while let Some(due) = listen.poll_timeout().map(|due| due.at).filter(|due| *due <= now) {
            listen.handle_timeout(&mut Cx { now: due, entropy: &mut entropy });
            drain(&mut listen);
        }
        if let Some(frame) = frame {
            listen.handle(&mut Cx { now, entropy: &mut entropy }, Input::Frame(frame));
            drain(&mut listen);
        }
        assert_eq!(listen.poll_transmit(&mut [0; MAX_FRAME]), Ok(None), "it sends nothing");
    }
    let key = listen.key().map(|key| format!("{:032x}", u128::from_be_bytes(*key.nmk.reveal())));
    (lines, key)
}

/// Asserts that these words are in lines in this order.
fn in_order(lines: &[String], words: &[&str]) {
    let mut rest = lines.iter();
    for word in words {
        assert!(rest.any(|line| line.contains(word)), "{word}\n{}", lines.join("\n"));
    }
}

#[test]
fn a_session_is_said_from_the_matching_to_what_ended_it() {
    let (lines, key) = said(&session());
    in_order(
        &lines,
        &[
            " asks who is there, run ",
            " answers ",
            " dB over 10 sounds",
            " chooses ",
            " its key",
            "pev->evse SDP_REQ",
            "evse->pev SDP_RES",
            "pev->evse SessionSetupReq",
            "evse->pev CurrentDemandRes",
            "evse->pev SessionStopRes",
            "session 1: din, frames ",
            "  SoC 50 % to ",
            "  precharge: target ",
            " kWh, ",
            "  phases: Handshake ",
            "ended by the car (PowerDelivery(false) in CurrentDemand, frame ",
        ],
    );
    let key = key.expect("the charger gave it");
    assert!(!lines.iter().any(|line| line.contains(&key)), "no one asked for the key");
    assert_eq!(lines.iter().filter(|line| line.starts_with("session ")).count(), 1, "told once");
}

#[test]
fn a_session_that_goes_silent_is_told_after_ten_seconds() {
    let mut frames = session();
    // Current flows.
    frames.truncate(1_000);
    let (lines, _) = said(&frames);
    in_order(&lines, &["session 1: din, frames ", "not ended: nothing comes after frame ", "advice: "]);
    assert!(lines.iter().any(|line| line.ends_with(": the link was lost")), "{}", lines.join("\n"));
}

#[test]
fn a_matching_that_comes_to_nothing_is_said_with_what_was_missing() {
    let frames = session();
    let asked = frames.iter().position(|(_, frame)| frame[12..17] == [0x88, 0xE1, 1, 0x64, 0x60]).unwrap();
    let (lines, key) = said(&frames[asked..=asked]);
    in_order(&lines, &[" asks who is there, run ", " is not matched: no charger answered"]);
    assert_eq!((lines.len(), key), (2, None));
}

#[test]
fn bytes_that_are_no_frame_say_nothing() {
    let frames: Frames = (0..64).map(|length| (Instant::from_millis(length), vec![0x88; 64])).collect();
    let cut = frames.iter().enumerate().map(|(length, (at, frame))| (*at, frame[..length].to_vec()));
    assert!(said(&cut.collect::<Frames>()).0.is_empty());
}
