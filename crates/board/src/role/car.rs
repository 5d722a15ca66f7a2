use core::fmt;

use homeplug_mme::NetworkKey;
use machine::{Cx, Instant, Machine};
use pev_fsm::{Demand, Event, Operator, Plant};
use roles::{Channels, Pev, PevEvent, PevInput};
use session::Phase;

use super::{Note, Role, Wish};
use crate::log::car::OfCar;
use crate::{CarReading, Head};

impl<C: Channels, const N: usize> Role for Pev<'_, C, N> {
    type Demand = Demand;
    type Reading = CarReading;
    const NAME: &'static str = "car";
    const SAFE: Demand = Demand::SAFE;

    fn frame(frame: &[u8]) -> PevInput<'_> {
        PevInput::Frame(frame)
    }

    fn reading<'a>(CarReading { plant, vehicle }: CarReading) -> PevInput<'a> {
        match vehicle {
            Some(vehicle) => PevInput::Snapshot(plant, vehicle),
            None => PevInput::Plant(plant),
        }
    }

    fn no_reading<'a>() -> PevInput<'a> {
        PevInput::Plant(Plant::default())
    }

    fn interface_down<'a>() -> PevInput<'a> {
        PevInput::InterfaceDown
    }

    fn wish(&mut self, cx: &mut Cx<'_>, wish: Wish) -> bool {
        let word = match wish {
            Wish::Start => Operator::Start,
            Wish::Stop => Operator::Stop,
            Wish::Authorise(_) => return false,
            Wish::Reset => Operator::Reset,
            Wish::Latch(latch) => Operator::Latch(latch),
        };
        self.handle(cx, PevInput::Operator(word));
        true
    }

    fn demand(&self) -> Demand {
        Self::demand(self)
    }

    fn is_energised(demand: &Demand) -> bool {
        demand.is_energised()
    }

    fn phase(&self) -> Option<Phase> {
        Some(Self::phase(self))
    }

    fn key(&self) -> Option<NetworkKey> {
        self.modem().and_then(modem::Modem::key)
    }

    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        super::describe(out, self.matching(), self.stop_reason())
    }

    fn head(event: &PevEvent) -> Option<Head> {
        let of = OfCar(event);
        Some(Head { at: Instant::ZERO, checkpoint: of.checkpoint(), who: of.who() })
    }

    fn words(event: &PevEvent, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&OfCar(event), out)
    }

    fn note(event: &PevEvent) -> Note<'_> {
        match event {
            PevEvent::Session(Event::Message(message)) => Note::Message(message),
            PevEvent::Session(Event::Latched(latch)) => Note::Latched(*latch),
            PevEvent::Session(Event::Unlatched(latch)) => Note::Unlatched(*latch),
            _ => Note::None,
        }
    }
}
