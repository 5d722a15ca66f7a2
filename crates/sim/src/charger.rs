use evse_fsm::{Contactors, Isolation, Plant, Reading};
use machine::{Cx, Deadline, Duration, Instant, Machine};
use roles::{ConfigError, Evse, EvseConfig, EvseStorage};

use crate::{Drive, Input, Node, Pilot};

/// The charger's role as a node, with the plainest plant: voltage follows the demand at once while the
/// contactors are closed and is gone while they are open, the current is what is demanded, contactors and
/// lock confirm at once, the isolation is good. Sensors are read every 50 ms.
pub struct Charger<'a> {
    evse: Evse<'a>,
    pilot: Option<Pilot>,
    next_reading: Instant,
}

/// How often sensors are read: a quarter of the age at which a reading is stale.
const READING: Duration = Duration::from_millis(50);

impl<'a> Charger<'a> {
    /// A charger that is at no cable yet.
    ///
    /// # Errors
    /// What [`EvseConfig::check`] says.
    pub fn new(
        cx: &mut Cx<'_>,
        config: EvseConfig,
        storage: &'a mut EvseStorage<'a>,
    ) -> Result<Self, ConfigError> {
        Ok(Self { evse: Evse::new(cx, config, storage)?, pilot: None, next_reading: cx.now })
    }

    /// The role.
    pub const fn role(&self) -> &Evse<'a> {
        &self.evse
    }

    /// The role, to tell it something.
    pub const fn role_mut(&mut self) -> &mut Evse<'a> {
        &mut self.evse
    }

    fn read(&mut self, cx: &mut Cx<'_>) {
        let Some(pilot) = self.pilot else { return };
        let at = cx.now;
        let demand = self.evse.demand();
        let closed = demand.contactors == Contactors::Closed;
        let driven = |value| Some(Reading::new(if closed { value } else { 0 }, at));
        let plant = Plant {
            pilot: Some(Reading::new(pilot.level, at)),
            voltage_mv: driven(demand.supply.voltage_mv),
            current_ma: driven(demand.supply.current_ma),
            isolation: Some(Reading::new(Isolation::Valid, at)),
            contactors: Some(Reading::new(closed, at)),
            lock: Some(Reading::new(true, at)),
            emergency_stop: Some(Reading::new(false, at)),
            duty_permille: Some(Reading::new(demand.pilot.duty_permille().unwrap_or(1000), at)),
            ..Plant::default()
        };
        self.evse.handle(cx, roles::Input::Plant(plant));
    }
}

impl Node for Charger<'_> {
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        match input {
            Input::Frame(frame) => self.evse.handle(cx, roles::Input::Frame(frame)),
            Input::Pilot(pilot) => {
                self.pilot = Some(pilot);
                self.read(cx);
            }
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        if self.next_reading <= cx.now {
            self.next_reading = cx.now + READING;
            self.read(cx);
        }
        self.evse.handle_timeout(cx);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        self.evse.poll_transmit(buffer).map(|(length, ())| length)
    }

    fn poll_event(&mut self) -> Option<String> {
        self.evse.poll_event().map(|event| format!("{:?}", event.what))
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        Deadline::earlier(self.evse.poll_timeout(), Some(Deadline { at: self.next_reading, name: "sensors" }))
    }

    fn drive(&self) -> Drive {
        Drive::Charger(self.evse.demand().pilot)
    }
}
