use evse_fsm::{Demand, Event, Operator, Plant};
use machine::{Cx, Machine};
use roles::words::OfCharger;
use roles::{Channels, Evse, EvseInput, Happening};

use super::{OnLine, Role, Wish};

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
            // Ends the session normally and offers no new one.
            Wish::Stop => Operator::Available(false),
            Wish::Authorise(yes) => Operator::Authorise(yes),
            Wish::Reset => Operator::Reset,
            Wish::Latch(latch) => Operator::Latch(latch),
        };
        self.handle(cx, EvseInput::Operator(word));
        true
    }

    alike!(event => &event.what, Happening::Session);

    fn say(&mut self, event: &roles::EvseEvent, line: &mut OnLine<'_>) {
        let of = OfCharger(&event.what);
        if of.is_said() {
            line(of.checkpoint(), of.who(), format_args!("{of}"));
        }
    }
}
