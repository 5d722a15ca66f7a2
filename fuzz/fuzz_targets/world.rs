//! Bytes choose the faults in a whole world of charger, car, modems and cable, and their times: no safety
//! rule is broken, no machine panics, and after the repair of everything the car charges.
//!
//! A failing input is reported as its script: `ccs world replay FILE` runs it.
#![no_main]

use std::sync::{Mutex, PoisonError};

use libfuzzer_sys::fuzz_target;
use sim::script::{parse, random, run, shrink};

/// The script that runs now, for a panic in the middle of it.
static PLAYED: Mutex<String> = Mutex::new(String::new());

fn tell(text: &str) {
    eprintln!("as a script; put it into a FILE, and `ccs world replay FILE` shows what happens:\n\n{text}");
}

fuzz_target!(
    init: {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            tell(&PLAYED.lock().unwrap_or_else(PoisonError::into_inner));
            before(panic);
        }));
    },
    |input: &[u8]| {
        let text = random::of_bytes(input);
        PLAYED.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&text);
        let scripts = parse(&text).expect("any bytes give a script");
        let verdict = run(&scripts[0]);
        if !verdict.passed() {
            let least = shrink(&text);
            *PLAYED.lock().unwrap_or_else(PoisonError::into_inner) = least;
            panic!("{verdict}");
        }
    }
);
