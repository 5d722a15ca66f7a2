use machine::{Cx, Machine};
use pev_fsm::{Demand, Event, Operator, Plant};
use roles::words::OfCar;
use roles::{Channels, Pev, PevEvent, PevInput};

use super::{OnLine, Role, Wish};
use crate::CarReading;

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

    alike!(event => event, PevEvent::Session);

    fn say(&mut self, event: &PevEvent, line: &mut OnLine<'_>) {
        let of = OfCar(event);
        line(of.checkpoint(), of.who(), format_args!("{of}"));
    }
}
