use core::fmt;

use evse_fsm::{Demand, Event, Operator, Plant};
use homeplug_mme::NetworkKey;
use machine::{Cx, Instant, Machine};
use roles::{Channels, Evse, EvseInput, Happening};
use session::Phase;

use super::{Note, Role, Wish};
use crate::Head;
use crate::log::charger::OfCharger;

impl<C: Channels, const N: usize> Role for Evse<'_, C, N> {
    type Demand = Demand;
    type Reading = Plant;
    const NAME: &'static str = "charger";
    const SAFE: Demand = Demand::SAFE;

    fn frame(frame: &[u8]) -> EvseInput<'_> {
        EvseInput::Frame(frame)
    }

    fn reading<'a>(reading: Plant) -> EvseInput<'a> {
        EvseInput::Plant(reading)
    }

    fn no_reading<'a>() -> EvseInput<'a> {
        EvseInput::Plant(Plant::default())
    }

    fn interface_down<'a>() -> EvseInput<'a> {
        EvseInput::InterfaceDown
    }

    fn wish(&mut self, cx: &mut Cx<'_>, wish: Wish) -> bool {
        let word = match wish {
            Wish::Start => Operator::Available(true),
            // Ends a session in order, and offers no other one.
            Wish::Stop => Operator::Available(false),
            Wish::Authorise(yes) => Operator::Authorise(yes),
            Wish::Reset => Operator::Reset,
            Wish::Latch(latch) => Operator::Latch(latch),
        };
        self.handle(cx, EvseInput::Operator(word));
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

    fn head(event: &roles::EvseEvent) -> Option<Head> {
        let of = OfCharger(&event.what);
        let head = Head { at: Instant::ZERO, checkpoint: of.checkpoint(), who: of.who() };
        of.is_said().then_some(head)
    }

    fn words(event: &roles::EvseEvent, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&OfCharger(&event.what), out)
    }

    fn note(event: &roles::EvseEvent) -> Note<'_> {
        match &event.what {
            Happening::Session(Event::Message(message)) => Note::Message(message),
            Happening::Session(Event::Latched(latch)) => Note::Latched(*latch),
            Happening::Session(Event::Unlatched(latch)) => Note::Unlatched(*latch),
            _ => Note::None,
        }
    }
}
