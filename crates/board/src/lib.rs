//! One main loop for every board: a charger, a car or a listener on a microcontroller.
//!
//! The loop is the same on each board and for each role. A board provides its parts, as `embedded-hal` pins
//! and small traits:
//!
//! | trait | what it is | on the ESP32-P4 |
//! |---|---|---|
//! | [`Port`] | Ethernet frames in and out | the EMAC, or a modem on SPI ([`SpiPort`]) |
//! | [`Serial`] | bytes of the log and of commands | UART0 |
//! | [`Noise`] | samples for the entropy pool | ADC noise, two oscillators |
//! | [`Edges`] | the pilot's edges with their time | GPIO interrupt, or the PWM's own timer |
//! | [`Stage`] | the power stage with its sensors (charger) | the application's; [`NoStage`] without one |
//! | [`Battery`] | the battery and the car's sensors (car) | the application's |
//! | [`Counter`], [`Stages`], [`Flash`], [`Ledc`], [`Millivolts`] | clock, watchdog, flash, PWM, ADC | `hal-esp32p4` |
//! | `OutputPin`, `InputPin`, `DelayNs` | contactors, lock, relay, contacts, a delay | GPIO |
//!
//! # A firmware's `main`
//! ```ignore
//! let mut cable = ChargerCable::new(Wiring { .. }, stage);  // SAFE from here on
//! let board: Board<P4> = Board { name: "esp32p4", mac, clock, watchdog, port, serial, noise, delay, .. };
//! match board::charger(board, flash, &mut cable) {          // role, storage and loop live in this call's frame
//!     Exit::Reboot => chip.reset(),
//! }
//! ```
//! [`charger`], [`car`] and [`listen()`] return only when the board must start again; the outputs are SAFE
//! then. If the settings or the role change, they end the role, make the board SAFE and create the role again
//! in the same memory. All of that memory is in the call's own frame: a firmware has one stack, of the size
//! in `docs/porting.md`.
//!
//! # A turn
//! 1. The samples that are due are taken: pilot, duty, proximity ([`Cable::measure`]), each with its time.
//! 2. The role receives the snapshot of all readings, then its timers that are due.
//! 3. What the role demands is applied; a fault of an output runs the SAFE sequence.
//! 4. At most one command from the serial line is executed.
//! 5. At most [`FRAMES_A_TURN`] frames are received; after each the demand is applied if it changed.
//! 6. The watchdog receives its signs; changed settings are saved while the outputs are SAFE.
//!
//! # When something fails
//! | failure | what the loop does | what the serial line reports |
//! |---|---|---|
//! | a check of the self-test | no output is driven; commands are answered | each failed check and what to do |
//! | an output, a contactor | the SAFE sequence; the role has no readings until it demands no energy | which part |
//! | the Ethernet's link | the session ends, as if the cable were cut | down, up |
//! | frames that are too long, or lost by the port | dropped and counted | how many, once a second at most |
//! | the pilot cannot be measured: the ADC is silent | the reading ages; after 200 ms the role is SAFE | the stop reason |
//! | the ADC is stuck at a level | high and low phase are equal, so the pilot is not 5 %; the role is SAFE | the stop reason |
//! | a save to flash was torn | the last good copy is used; a torn latch counts as latched | the latch, and `reset latch` |
//! | flash that cannot be written | goes on; changes are lost at a power cut | once for each cause |
//! | a panic, a dead loop | the board's panic handler and the watchdog's first stage run `hal_esp32p4::Parts::make_safe` | the panic |
//!
//! # On the serial line
//! The log has the lines of `ccs`: time, checkpoint, direction, words. `json on` gives each as a JSON object,
//! `frames on` adds every frame as hexadecimal text. [`COMMANDS`] lists the commands; each is accepted as a
//! line of words or as `{"command":"..."}`.
#![no_std]
#![forbid(unsafe_code)]

mod answers;
mod cable;
mod command;
mod desk;
mod log;
mod parts;
mod role;
mod run;
mod settings;
mod spi;
mod tools;
mod turn;

pub use answers::kept_role;
pub use cable::{
    Cable, CableFault, CablePins, CarCable, CarReading, ChargerCable, NoCable, ProximityWire, Wiring,
};
pub use command::{COMMANDS, Tool};
pub use desk::{Desk, Exit, FRAMES_A_TURN, Leave};
pub use hal_esp32p4::{Clock, Counter, Flash, Ledc, Millivolts, Outputs, Parts, SelfTest, Stages, Watchdog};
pub use log::{Console, Head};
pub use parts::{Battery, Board, Edge, Edges, Hardware, NoStage, Noise, Port, Serial, Stage, StageFault};
pub use role::{Ear, Heard, Input, Listen, Note, OnLine, Role, Step, Wish};
pub use roles::Mac;
pub use run::{car, car_config, charger, charger_config, listen};
pub use spi::SpiPort;
pub use turn::Turn;
