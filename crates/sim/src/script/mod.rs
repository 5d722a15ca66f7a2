//! Fault scenarios as text: setup, steps with their times, and expectations.
//!
//! ```text
//! scenario X092
//! title    SessionStopRes missing
//! side     car
//! setup    enough 51 %
//! on SessionStopRes: withhold
//! expect   car unlocked within 20s
//! expect   recovers
//! ```
//!
//! A file contains any number of scenarios. `#` begins a comment. A `why` line states why the expectation
//! differs from the one proposed for the id. A `theirs` line quotes another project's table for the same
//! case.
//!
//! | line | means |
//! |---|---|
//! | `setup ...` | setup; default: a usual charger and a 400 V car at 50 %, plugged in at 5 s, for a minute |
//! | `at TIME: step` | at this time |
//! | `after TIME: step` | this time after the preceding step |
//! | `on NAME [RANGE]: step` | when this V2G message is sent for the first time, or the times of the range |
//! | `on WHO says NAME [RANGE]: step`, `on WHO hears NAME [RANGE]: step` | the same for a frame, such as `CM_SET_KEY.CNF` or `SdpRes` |
//! | `at checkpoint N of WHO [RANGE]: step` | when a side passes a checkpoint |
//! | `expect ...` | what must be observed |
//! | `cases A B`, then `\| x y` | the scenario once for each row, with `$A` and `$B` replaced |
//!
//! The tables `FORMS` in `step`, `setup` and `expect` have the words of steps, setups and expectations. The
//! error for a mistake names its line and the nearest form.
//!
//! The faults of a sensor, `sensor of WHO NAME ...`:
//!
//! | words | the sensor reports |
//! |---|---|
//! | `absent`, `silent` | nothing; nothing new, so that its last reading ages |
//! | `frozen` | its last value as if it were new; an isolation monitor hangs, and its own counter stops |
//! | `off VALUE`, `scaled N permille`, `noisy VALUE` | a number that is off by this value, scaled, or off by up to this value each time |
//! | `stuck at WORD` | always this: `380V`, `-20A`, a duty cycle in per mille, a level such as `B`, `open`, `locked`, `pressed`, `measuring` |
//! | `reversed` | a number with the wrong sign, an inverted switch |
//! | `sound` | the truth again |
//!
//! `glitch of WHO NAME TIME` makes a switch or level read wrong for that time. `setup WHO without NAME`
//! removes a sensor. `setup sensors within N permille` sets the accuracy of the other sensors.
//!
//! ```
//! let scripts = sim::script::parse(
//!     "scenario usual
//!      title    the car charges until it has enough
//!      side     both
//!      setup    enough 51 %
//!      setup    until 5min
//!      expect   finishes
//!      expect   energy 100 Wh",
//! )?;
//! let verdict = sim::script::run(&scripts[0]);
//! assert!(verdict.passed(), "{verdict}");
//!
//! let mistake = sim::script::parse("scenario X\nat 5s: unplugg").unwrap_err();
//! assert_eq!(mistake.to_string(), "line 2: unknown step `unplugg`: did you mean `unplug`?");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod act;
mod clock;
mod expect;
mod forge;
mod injector;
mod library;
pub mod lies;
mod message;
mod packet;
mod parse;
mod program;
pub mod random;
mod reborn;
mod rule;
mod run;
mod senses;
mod setup;
mod shrink;
mod splice;
mod step;
mod story;
mod words;

pub use act::Act;
pub use clock::Clock;
pub use expect::Expect;
pub use forge::Forged;
pub use library::{FILES, Unplayed, library, unplayed};
pub use parse::{Mistake, Script, Step, When, parse};
pub use run::{Check, Played, Verdict, play, run};
pub use setup::Setup;
pub use shrink::shrink;
pub use step::{Action, Wish};
pub use story::{Look, Scene, Told};
