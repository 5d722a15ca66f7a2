use evse_fsm::{Demand, Event, Operator, Plant};
use machine::{Cx, Machine};
use roles::words::OfCharger;
use roles::{Channel, Evse, Happening, Input};

use super::{OnLine, Role, Wish};

impl<C: Channel, const N: usize> Role for Evse<'_, C, N> {
    type Demand = Demand;
    type Reading = Plant;
    const NAME: &'static str = "charger";
    const SAFE: Demand = Demand::SAFE;

    fn frame(frame: &[u8]) -> Input<'_> {
        Input::Frame(frame)
    }

    fn reading<'a>(reading: Plant) -> Input<'a> {
        Input::Plant(reading)
    }

    fn no_reading<'a>() -> Input<'a> {
        Input::Plant(Plant::default())
    }

    fn interface_down<'a>() -> Input<'a> {
        Input::InterfaceDown
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
        self.handle(cx, Input::Operator(word));
        true
    }

    alike!(event => &event.what, Happening::Session);

    fn say(&mut self, event: &roles::Event, line: &mut OnLine<'_>) {
        let of = OfCharger(&event.what);
        if of.is_said() {
            line(of.checkpoint(), of.who(), format_args!("{of}"));
        }
    }
}
