//! The reports to an observer of a script.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::ops::ControlFlow;

use evse_fsm::Event;
use roles::Happening;
use sim::script::{Told, parse, play};

/// A restart while current flows, and the session after it.
const RESTART: &str = "scenario restarted
title    the charger's program starts again while current flows
side     charger
setup    until 2min
on CurrentDemandReq 20: restart charger
expect   charger says SessionSetupRes 2
";

#[test]
fn the_messages_of_a_charger_that_starts_again_are_seen_as_its_events_are() {
    let script = parse(RESTART).unwrap().swap_remove(0);
    let (mut is_restarted, mut messages, mut events) = (false, 0_u32, 0_u32);
    let played = play(
        &script,
        Some(&mut |_, told| {
            for (_, told) in told {
                match told {
                    Told::Step(_) => is_restarted = true,
                    Told::Message { .. } if is_restarted => messages += 1,
                    Told::Charger(event) if is_restarted => {
                        let is_message = matches!(event.what, Happening::Session(Event::Message(_)));
                        events += u32::from(is_message);
                    }
                    _ => (),
                }
            }
            ControlFlow::Continue(())
        }),
    );
    assert!(played.verdict.passed(), "{}", played.verdict);
    assert!(events > 20 && messages >= events, "{messages} messages, {events} events");
}
