use machine::Duration;

use super::{Kind, NEIGHBOUR_DB, Node, PLUGGED_DB, World};
use crate::Port;
use crate::plant::{Fault, Side};
use crate::power_line::{Rule, Weather};

/// A change of a world from outside: by a script, a person, or a disturbance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// The cable that ends at this port is plugged in.
    Plug(Port),
    /// It is unplugged.
    Unplug(Port),
    /// The hardware at the cable that ends at this port has a fault, or is repaired.
    Hardware(Port, Fault),
    /// A modem stops, and runs again after this time.
    RestartModem(Port, Duration),
    /// A modem hangs (`true`), or no longer does.
    FreezeModem(Port, bool),
    /// A node hangs (`true`), or no longer does: it receives no input and is not polled.
    FreezeNode(Port, bool),
    /// The path between two modems is cut (`true`), or repaired.
    Partition(Port, Port, bool),
    /// The attenuation between two modems, in dB.
    Attenuation(Port, Port, u8),
    /// The random disturbance on the path between two modems.
    PathWeather(Port, Port, Weather),
    /// The random disturbance on the cable between a host and its modem.
    CableWeather(Port, Weather),
    /// A scripted fault of frames.
    Rule(Rule),
    /// Removes all scripted faults of frames.
    ClearRules,
    /// A frame from this port's host that its node did not send.
    Say(Port, &'static [u8]),
}

impl<N: Node> World<N> {
    /// Carries it out now.
    pub fn perform(&mut self, injection: Injection) {
        if !matches!(injection, Injection::Say(..)) {
            self.note(Kind::World, None, || format!("{injection:?}"));
        }
        let now = self.now;
        match injection {
            Injection::Plug(port) => self.plug(port, true),
            Injection::Unplug(port) => self.plug(port, false),
            Injection::Hardware(port, fault) => {
                let cables = self.cables.iter_mut().filter(|cable| cable.side(port).is_some());
                cables.for_each(|cable| cable.bench.inject(now, fault));
            }
            Injection::RestartModem(port, downtime) => self.line.restart(now, port, downtime),
            Injection::FreezeModem(port, is_frozen) => self.line.freeze(port, is_frozen),
            Injection::FreezeNode(port, is_frozen) => {
                if let Some(slot) = self.slots.get_mut(usize::from(port.0)) {
                    slot.is_frozen = is_frozen;
                }
                if !is_frozen {
                    self.show_again(port);
                }
            }
            Injection::Partition(a, b, is_cut) => self.line.partition(now, a, b, is_cut),
            Injection::Attenuation(a, b, db) => self.line.set_attenuation(now, a, b, db),
            Injection::PathWeather(a, b, weather) => self.line.set_path_weather(a, b, weather),
            Injection::CableWeather(port, weather) => self.line.set_cable_weather(port, weather),
            Injection::Rule(rule) => self.line.add_rule(rule),
            Injection::ClearRules => self.line.clear_rules(),
            Injection::Say(port, frame) => self.say(port, frame),
        }
    }

    /// Sends a frame from the host at `port` that its node did not send.
    pub fn say(&mut self, port: Port, frame: &[u8]) {
        let what = format!("in the name of {}: {}", self.name(port), super::describe(frame));
        self.note(Kind::World, None, || what);
        self.line.handle(self.now, port, frame);
    }

    fn plug(&mut self, port: Port, is_plugged: bool) {
        let db = if is_plugged { PLUGGED_DB } else { NEIGHBOUR_DB };
        for cable in self.cables.iter_mut().filter(|cable| cable.side(port).is_some()) {
            cable.bench.plug(self.now, is_plugged);
            self.line.set_attenuation(self.now, cable.port(Side::Charger), cable.port(Side::Car), db);
        }
    }

    /// Shows the present state of the cable to a node that hung.
    fn show_again(&mut self, port: Port) {
        if let Some(pilot) = self.cable(port).map(|cable| cable.bench.pilot()) {
            self.show(port, pilot);
        }
    }
}
