use machine::{Cx, Deadline, Machine};
use roles::{Pev, PevConfig, PevInput};

use crate::{Drive, Input, Node};

/// The car's role as a node: it sees the pilot's duty cycle while it is plugged in.
#[derive(Debug)]
pub struct Car {
    pev: Pev,
}

impl Car {
    /// A car that is at no cable yet.
    pub fn new(cx: &mut Cx<'_>, config: PevConfig) -> Self {
        Self { pev: Pev::new(cx, config) }
    }

    /// The role.
    pub const fn role(&self) -> &Pev {
        &self.pev
    }
}

impl Node for Car {
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        match input {
            Input::Frame(frame) => self.pev.handle(cx, PevInput::Frame(frame)),
            Input::Pilot(pilot) => {
                let duty = pilot.output.and_then(control_pilot::Output::duty_permille);
                self.pev.handle(cx, PevInput::Pilot(duty));
            }
            Input::Plant(_) | Input::CarPlant(_) => (),
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.pev.handle_timeout(cx);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        self.pev.poll_transmit(buffer).map(|(length, ())| length)
    }

    fn poll_event(&mut self) -> Option<String> {
        self.pev.poll_event().map(|event| format!("{event:?}"))
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.pev.poll_timeout()
    }

    fn drive(&self) -> Drive {
        Drive::level(self.pev.demand().pilot)
    }
}
