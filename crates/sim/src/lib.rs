//! The deterministic world: virtual time, power line, modems, cars and chargers from one seed.
//!
//! * [`PowerLine`] is all modems and the paths between them, without clock or I/O: in a [`World`] in virtual
//!   time, or between real interfaces in real time.
//! * [`World`] drives [`Node`]s - chargers, cars, listeners, tests - at their modems, with their
//!   [cables](Cable), and writes a [trace](trace::Trace). It jumps from deadline to deadline.
//! * [`plant`] is the hardware at both ends of a cable; [`invariant`] has the safety rules that must always
//!   hold there.
//! * Every path of a frame can have faults: random [`Weather`](power_line::Weather), or scripted
//!   [`Rule`](power_line::Rule)s. A [`plant::Fault`] breaks the hardware, an [`Injection`] does the rest. A
//!   [`Scenario`] is all of this as data.
//!
//! The crate uses no clock, no thread and no hash map: the same seed gives the same trace.
//!
//! # Example
//! A charger's modem receives a key; it confirms, is not reachable for some seconds, and answers again.
//!
//! ```
//! use homeplug_mme::view::{SetKeyReq, SwVerReq, View};
//! use homeplug_mme::{Frame, Mac, NetworkKey, Nmk, emit};
//! use machine::Instant;
//! use sim::{ModemConfig, ModemKind, PowerLine};
//!
//! let (host, modem) = (Mac([2, 0, 0, 0, 0, 0x5E]), Mac([0, 0xB0, 0x52, 0, 0, 1]));
//! let mut line = PowerLine::new(1);
//! let port = line.add_modem(Instant::ZERO, ModemConfig::evse(ModemKind::Qca7005, modem));
//!
//! let mut buffer = [0; 1514];
//! let request = SetKeyReq::new([1, 2, 3, 4], NetworkKey::derived(Nmk::new([7; 16])));
//! let length = emit(&request, Mac::LOCAL_MODEM, host, &mut buffer).unwrap();
//! line.handle(Instant::ZERO, port, &buffer[..length]);
//!
//! // No answer comes before its time.
//! assert!(line.poll_transmit().is_none());
//! let mut answers = Vec::new();
//! while let Some(due) = line.poll_timeout() {
//!     line.handle_timeout(due);
//!     answers.extend(std::iter::from_fn(|| line.poll_transmit()).map(|(_, frame)| (due, frame)));
//! }
//! let (when, frame) = &answers[0];
//! assert!(when.as_millis() < 10);
//! let View::SetKeyCnf(cnf) = View::of(&Frame::parse(frame)?)? else { panic!() };
//! assert_eq!((cnf.result, cnf.your_nonce), (1, [1, 2, 3, 4]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

mod cable;
mod car;
mod chance;
mod charger;
mod host;
pub mod invariant;
mod node;
mod pilot;
pub mod plant;
pub mod power_line;
mod queue;
mod scenario;
pub mod script;
pub mod trace;
pub mod world;

pub use cable::{Cable, Drive};
pub use car::{Car, Wishes};
pub use chance::{Chance, Span};
pub use charger::Charger;
pub use host::Host;
pub use node::{Input, Node};
pub use pilot::Pilot;
pub use power_line::{ModemConfig, ModemKind, Port, PowerLine};
pub use queue::EventQueue;
pub use scenario::{Expect, Outcome, Scenario};
pub use world::{Injection, Limit, Stop, World};
