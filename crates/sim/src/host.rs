use machine::{Cx, Deadline, Instant};

use crate::{Car, Charger, Drive, Input, Node};

/// Either role, for worlds that have both.
#[allow(clippy::large_enum_variant, reason = "a world has a handful of them")]
pub enum Host<'a> {
    /// A charger.
    Charger(Charger<'a>),
    /// A car.
    Car(Car<'a>),
}

impl<'a> Host<'a> {
    /// The charger; `None` for a car.
    pub const fn charger(&self) -> Option<&Charger<'a>> {
        match self {
            Self::Charger(charger) => Some(charger),
            Self::Car(_) => None,
        }
    }

    /// The car; `None` for a charger.
    pub const fn car(&self) -> Option<&Car<'a>> {
        match self {
            Self::Charger(_) => None,
            Self::Car(car) => Some(car),
        }
    }
}

macro_rules! either {
    ($self:ident, $node:ident => $call:expr) => {
        match $self {
            Host::Charger($node) => $call,
            Host::Car($node) => $call,
        }
    };
}

impl Node for Host<'_> {
    fn start(&mut self, cx: &mut Cx<'_>) {
        either!(self, node => node.start(cx));
    }
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        either!(self, node => node.handle(cx, input));
    }
    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        either!(self, node => node.handle_timeout(cx));
    }
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        either!(self, node => node.poll_transmit(buffer))
    }
    fn poll_event(&mut self) -> Option<String> {
        either!(self, node => node.poll_event())
    }
    fn drop_event(&mut self) -> bool {
        either!(self, node => node.drop_event())
    }
    fn poll_timeout(&self) -> Option<Deadline> {
        either!(self, node => node.poll_timeout())
    }
    fn drive(&self) -> Drive {
        either!(self, node => node.drive())
    }
    fn reads_at(&self) -> Option<Instant> {
        either!(self, node => node.reads_at())
    }
}
