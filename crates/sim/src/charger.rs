use machine::{Cx, Deadline, Duration, Instant, Machine};
use roles::{Evse, EvseConfig, EvseConfigError, EvseStorage};

use crate::{Drive, Input, Node};

/// The charger's role as a node. Its sensors are those of the [`Bench`](crate::plant::Bench) at its cable.
pub struct Charger<'a> {
    evse: Evse<'a>,
    next_reading: Instant,
}

/// Time between two readings of the sensors: a quarter of the age at which a reading is stale.
const READING: Duration = Duration::from_millis(50);

impl<'a> Charger<'a> {
    /// A charger that is not at a cable yet.
    ///
    /// # Errors
    /// Those of [`EvseConfig::check`].
    pub fn new(
        cx: &mut Cx<'_>,
        config: EvseConfig,
        storage: &'a mut EvseStorage<'a>,
    ) -> Result<Self, EvseConfigError> {
        Ok(Self { evse: Evse::new(cx, config, storage)?, next_reading: cx.now })
    }

    /// The role.
    pub const fn role(&self) -> &Evse<'a> {
        &self.evse
    }

    /// The role, to change its state.
    pub const fn role_mut(&mut self) -> &mut Evse<'a> {
        &mut self.evse
    }
}

impl Node for Charger<'_> {
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        match input {
            Input::Frame(frame) => self.evse.handle(cx, roles::EvseInput::Frame(frame)),
            Input::Plant(plant) => {
                self.next_reading = cx.now + READING;
                self.evse.handle(cx, roles::EvseInput::Plant(plant));
            }
            Input::Pilot(_) | Input::CarPlant(_) => (),
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.evse.handle_timeout(cx);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        machine::whole(self.evse.poll_transmit(buffer)).map(|(length, ())| length)
    }

    fn poll_event(&mut self) -> Option<String> {
        self.evse.poll_event().map(|event| format!("{:?}", event.what))
    }

    fn drop_event(&mut self) -> bool {
        self.evse.poll_event().is_some()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.evse.poll_timeout()
    }

    fn drive(&self) -> Drive {
        Drive::Charger(self.evse.demand())
    }

    fn reads_at(&self) -> Option<Instant> {
        Some(self.next_reading)
    }
}
