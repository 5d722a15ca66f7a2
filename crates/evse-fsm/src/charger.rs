use crate::{Config, ConfigError, Demand, Event, Input};
use machine::{Cx, Deadline, Machine, Queue};
use session::{Phase, StopReason};

/// A charger's connector: pilot, session and plant. See the crate's documentation.
#[derive(Debug)]
pub struct Charger {
    #[allow(dead_code)]
    config: Config,
    events: Queue<Event, 16>,
}

impl Charger {
    /// A charger with nothing plugged in.
    ///
    /// # Errors
    /// What [`Config::check`] says.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Self { config: config.effective(), events: Queue::new() })
    }

    /// What the charger wants of its plant now. Read and apply it after each call.
    pub fn demand(&self) -> Demand {
        Demand::SAFE
    }

    /// Whether the connection shall be closed now: everything that was to be sent has been taken.
    /// Stays so until [`Input::Closed`] or a new [`Input::Connected`].
    pub fn wants_close(&self) -> bool {
        false
    }

    /// Where the connector is.
    pub fn phase(&self) -> Phase {
        Phase::Idle
    }

    /// Why the session at hand is being ended, or why the last one ended.
    pub fn stop_reason(&self) -> Option<StopReason> {
        None
    }
}

impl Machine for Charger {
    type Input<'a> = Input<'a>;
    type Route = u16;
    type Event = Event;

    fn handle(&mut self, _cx: &mut Cx<'_>, _input: Input<'_>) {}

    fn handle_timeout(&mut self, _cx: &mut Cx<'_>) {}

    fn poll_transmit(&mut self, _buffer: &mut [u8]) -> Option<(usize, u16)> {
        None
    }

    fn poll_event(&mut self) -> Option<Event> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        None
    }
}
