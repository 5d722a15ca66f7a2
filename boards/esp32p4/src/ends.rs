use board::{CablePins, ProximityWire, Wiring};
use control_pilot::Coding;
use esp_hal::gpio::Io;
use esp_hal::peripherals::IO_MUX;
use hal_esp32p4::{Divider, Scale, Side, Signal};
use machine::Duration;

use crate::{Channel, Pad, PilotLedc, PwmEdges, WireEdges, safe};

/// The pins of the charger's end of the cable.
#[derive(Debug)]
pub struct ChargerPins;

impl CablePins for ChargerPins {
    type Output = Pad;
    type Input = Pad;
    type Ledc = PilotLedc;
    type Edges = PwmEdges;
    type Pilot = Channel;
    type Proximity = Channel;
}

/// The pins of the car's end of the cable.
#[derive(Debug)]
pub struct CarPins;

impl CablePins for CarPins {
    type Output = Pad;
    type Input = Pad;
    type Ledc = PilotLedc;
    type Edges = WireEdges;
    type Pilot = Channel;
    type Proximity = Channel;
}

/// The chip's parts of the cable. The board is only one end of it, so choosing an end consumes this.
pub struct Ends {
    pub(crate) pilot: Channel,
    pub(crate) proximity: Option<Channel>,
    pub(crate) io: IO_MUX<'static>,
}

impl Ends {
    /// Time on the precharge resistor before the positive contactor: 1 s (judgement; five time constants of
    /// 100 Ohm and 2 mF).
    const PRECHARGE: Duration = Duration::from_secs(1);

    /// The charger's wiring. Only a car measures the proximity wire.
    pub fn charger(self) -> Wiring<ChargerPins> {
        Wiring {
            parts: safe::parts(Side::Charger),
            precharge: Self::PRECHARGE,
            edges: PwmEdges::default(),
            pilot: self.pilot,
            pilot_scale: Scale::PILOT,
            proximity: None,
        }
    }

    /// The car's wiring, with an inlet of this coding.
    pub fn car(self, coding: Coding) -> Wiring<CarPins> {
        let divider = match coding {
            Coding::Type1 => Divider::TYPE_1,
            Coding::Type2 => Divider::TYPE_2,
        };
        let proximity =
            self.proximity.map(|adc| ProximityWire { adc, coding, scale: Scale::PROXIMITY, divider });
        Wiring {
            parts: safe::parts(Side::Car),
            precharge: Self::PRECHARGE,
            edges: WireEdges::new(Io::new(self.io), safe::pins().pad(Signal::PilotEdge)),
            pilot: self.pilot,
            pilot_scale: Scale::PILOT,
            proximity,
        }
    }
}
