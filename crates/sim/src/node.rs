use evse_fsm::Plant;
use machine::{Cx, Deadline, Instant};

use crate::plant::CarPlant;
use crate::{Drive, Pilot};

/// What a world passes to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// A whole Ethernet frame from its modem.
    Frame(&'a [u8]),
    /// The pilot as both ends of its cable see it: at the start and after every change.
    Pilot(Pilot),
    /// The readings at the charger's end, at the time of [`Node::reads_at`].
    Plant(Plant),
    /// The readings at the car's end, at the time of [`Node::reads_at`].
    CarPlant(CarPlant),
}

/// A host in a world: a charger, a car, a listener, or a test. The methods are those of [`machine::Machine`],
/// with frames for bytes and text for events: an adapter for a role takes a few lines.
pub trait Node {
    /// Starts the node; called once when it is added.
    fn start(&mut self, _cx: &mut Cx<'_>) {}

    /// Takes an input.
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>);

    /// Handles every deadline that is due; afterwards no deadline may be due.
    fn handle_timeout(&mut self, cx: &mut Cx<'_>);

    /// Writes the next frame for its modem into `buffer` and returns its length.
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize>;

    /// The next event, as a line of the trace.
    fn poll_event(&mut self) -> Option<String>;

    /// Drops the next event and returns whether one was waiting: [`poll_event`](Self::poll_event) without the
    /// text, for a world that keeps no trace.
    fn drop_event(&mut self) -> bool {
        self.poll_event().is_some()
    }

    /// The earliest deadline.
    fn poll_timeout(&self) -> Option<Deadline>;

    /// What it drives on its cable: a level, read after every call.
    fn drive(&self) -> Drive {
        Drive::Nothing
    }

    /// When it reads its sensors next; `None` without sensors. It also reads them immediately when its view
    /// of the pilot changes.
    fn reads_at(&self) -> Option<Instant> {
        None
    }
}

impl<T: Node + ?Sized> Node for Box<T> {
    fn start(&mut self, cx: &mut Cx<'_>) {
        (**self).start(cx);
    }
    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        (**self).handle(cx, input);
    }
    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        (**self).handle_timeout(cx);
    }
    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<usize> {
        (**self).poll_transmit(buffer)
    }
    fn poll_event(&mut self) -> Option<String> {
        (**self).poll_event()
    }
    fn drop_event(&mut self) -> bool {
        (**self).drop_event()
    }
    fn poll_timeout(&self) -> Option<Deadline> {
        (**self).poll_timeout()
    }
    fn drive(&self) -> Drive {
        (**self).drive()
    }
    fn reads_at(&self) -> Option<Instant> {
        (**self).reads_at()
    }
}
