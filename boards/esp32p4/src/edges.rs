use core::cell::RefCell;

use board::{Edge, Edges};
use critical_section::Mutex;
use esp_hal::gpio::{AnyPin, Event, Input, InputConfig, Io};
use esp_hal::interrupt::Priority;
use esp_hal::{handler, ram};
use heapless::Deque;

use crate::Systimer;

/// Edges that the interrupt has stored for the loop: 64 edges, 32 ms.
static SEEN: Mutex<RefCell<Deque<Edge, 64>>> = Mutex::new(RefCell::new(Deque::new()));
/// The pad of the comparator, while its edges are required.
static WIRE: Mutex<RefCell<Option<Input<'static>>>> = Mutex::new(RefCell::new(None));

/// The edges of the pilot at the car, from the comparator's pad by interrupt.
///
/// Their time is that of the interrupt, a few us after the edge; this delay is the same at each edge and
/// cancels out. An edge while interrupts are off is late: `DutyMeter` drops periods of wrong length.
#[derive(Debug)]
pub struct WireEdges(());

impl WireEdges {
    /// Enables the interrupt; without a pad no edges come.
    pub fn new(mut io: Io<'static>, pad: Option<u8>) -> Self {
        let Some(pad) = pad else { return Self(()) };
        io.set_interrupt_handler(on_edge);
        // SAFETY: `Pins::check` gives each pad one signal, and this one belongs to the pilot's edges.
        let pin = unsafe { AnyPin::steal(pad) };
        let mut input = Input::new(pin, InputConfig::default());
        critical_section::with(|cs| {
            input.listen(Event::AnyEdge);
            WIRE.borrow_ref_mut(cs).replace(input);
        });
        Self(())
    }
}

impl Edges for WireEdges {
    fn next(&mut self) -> Option<Edge> {
        critical_section::with(|cs| SEEN.borrow_ref_mut(cs).pop_front())
    }
}

#[handler(priority = Priority::Priority2)]
#[ram]
fn on_edge() {
    let count = Systimer::now();
    critical_section::with(|cs| {
        let mut wire = WIRE.borrow_ref_mut(cs);
        let Some(input) = wire.as_mut().filter(|input| input.is_interrupt_set()) else { return };
        let is_rising = input.is_high();
        input.clear_interrupt();
        let mut seen = SEEN.borrow_ref_mut(cs);
        if seen.is_full() {
            // The loop is late: the oldest edge has the least value.
            seen.pop_front();
        }
        let _ = seen.push_back(Edge { count, is_rising });
    });
}
