//! The contract of every protocol machine in this workspace.
//!
//! A *machine* turns inputs into outputs and does nothing else: no sockets, no clock, no allocator, no
//! panics. Time and randomness come in through [`Cx`]. The verbs are always the same (trait [`Machine`]):
//!
//! | verb | rule |
//! |---|---|
//! | [`handle`](Machine::handle) | accepts bytes, frames, messages or readings; a peer's input is untrusted and never an error |
//! | [`handle_timeout`](Machine::handle_timeout) | called when the deadline is due; then the deadline is cleared or in the future |
//! | [`poll_transmit`](Machine::poll_transmit) | writes the next output into the caller's buffer and returns its route; one that does not fit stays queued |
//! | [`poll_event`](Machine::poll_event) | events for logs and the layer above; safety never depends on them |
//! | [`poll_timeout`](Machine::poll_timeout) | the earliest deadline and the timer's name |
//!
//! A machine that contains machines drains them inside its own `handle*`.
//!
//! # Example
//! A complete machine: it sends a ping, repeats it every second, and stops after the response.
//!
//! ```
//! use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, ScriptedEntropy, Timers, TooShort};
//!
//! machine::timers! {
//!     enum Timer { Retry = "retry" }
//! }
//!
//! #[derive(Debug, PartialEq)]
//! enum Event { Answered }
//!
//! struct Ping { token: u8, send: bool, timers: Timers<Timer, 1>, events: Queue<Event, 4> }
//!
//! impl Ping {
//!     /// Time between two pings: judgement.
//!     const RETRY: Duration = Duration::from_millis(1000);
//!
//!     fn start(cx: &mut Cx<'_>) -> Self {
//!         let mut timers = Timers::new();
//!         timers.set(Timer::Retry, cx.now + Self::RETRY);
//!         Self { token: cx.entropy.byte(), send: true, timers, events: Queue::new() }
//!     }
//! }
//!
//! impl Machine for Ping {
//!     type Input<'a> = &'a [u8];
//!     type Route = ();
//!     type Event = Event;
//!
//!     fn handle(&mut self, _cx: &mut Cx<'_>, pong: &[u8]) {
//!         if pong == [self.token] {
//!             self.timers.clear(Timer::Retry);
//!             self.events.push(Event::Answered);
//!         }
//!     }
//!     fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
//!         while let Some(Timer::Retry) = self.timers.expired(cx.now) {
//!             self.send = true;
//!             self.timers.set(Timer::Retry, cx.now + Self::RETRY);
//!         }
//!     }
//!     fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
//!         if !self.send {
//!             return Ok(None);
//!         }
//!         *buffer.first_mut().ok_or(TooShort { needed: 1 })? = self.token;
//!         self.send = false;
//!         Ok(Some((1, ())))
//!     }
//!     fn poll_event(&mut self) -> Option<Event> { self.events.pop() }
//!     fn poll_timeout(&self) -> Option<Deadline> { self.timers.next() }
//! }
//!
//! let mut entropy = ScriptedEntropy::new(&[7]);
//! let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
//! let mut ping = Ping::start(&mut cx);
//! let mut buffer = [0; 8];
//! assert_eq!(ping.poll_transmit(&mut []), Err(TooShort { needed: 1 }));
//! assert_eq!(ping.poll_transmit(&mut buffer), Ok(Some((1, ()))));
//! assert_eq!(ping.poll_transmit(&mut buffer), Ok(None));
//!
//! // No response for a second: the deadline is due and the ping is sent again.
//! let due = ping.poll_timeout().unwrap();
//! assert_eq!((due.at, due.name), (Instant::from_millis(1000), "retry"));
//! cx.now = due.at;
//! ping.handle_timeout(&mut cx);
//! assert_eq!(ping.poll_transmit(&mut buffer), Ok(Some((1, ()))));
//!
//! ping.handle(&mut cx, &[7]);
//! assert_eq!(ping.poll_event(), Some(Event::Answered));
//! assert_eq!(ping.poll_timeout(), None);
//! ```
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "check")]
extern crate std;

#[cfg(feature = "check")]
pub mod check;
mod entropy;
mod queue;
mod retry;
mod time;
mod timers;
mod transmit;

pub use entropy::{Entropy, ScriptedEntropy};
pub use queue::Queue;
pub use retry::Retry;
pub use time::{Duration, Instant};
pub use timers::{Deadline, TimerName, Timers};
pub use transmit::{TooShort, whole};

/// The external inputs that a machine depends on, lent for one call.
pub struct Cx<'a> {
    /// The caller's monotonic clock at this call.
    pub now: Instant,
    /// Source of unpredictable bytes.
    pub entropy: &'a mut dyn Entropy,
}

/// The verbs of a protocol machine. See the crate's documentation for the rules and an example.
pub trait Machine {
    /// Input: bytes, a frame, a decoded message, a reading.
    type Input<'a>;
    /// Destination of an output: an address, a port, or `()`.
    type Route;
    /// Event for logs and the layer above.
    type Event;

    /// Processes one input. A peer's invalid input is not an error: it is dropped and reported as an event.
    fn handle(&mut self, cx: &mut Cx<'_>, input: Self::Input<'_>);

    /// Processes every deadline that is due at `cx.now`. Calling it early does nothing.
    fn handle_timeout(&mut self, cx: &mut Cx<'_>);

    /// Writes the next output into `buffer` and returns its length in bytes and its route; `None` if no
    /// output is queued.
    ///
    /// # Errors
    /// [`TooShort`] if the next output does not fit. It stays queued: the call with a buffer of
    /// [`needed`](TooShort::needed) bytes writes it. The content of `buffer` is then undefined.
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, Self::Route)>, TooShort>;

    /// Removes and returns the oldest event.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// The earliest deadline. A caller that sleeps must wake up and call
    /// [`handle_timeout`](Self::handle_timeout) then.
    fn poll_timeout(&self) -> Option<Deadline>;
}
