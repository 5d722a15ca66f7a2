use machine::Duration;

use super::{Kind, NEIGHBOUR_DB, Node, PLUGGED_DB, World};
use crate::Port;
use crate::plant::{Fault, Side};
use crate::power_line::{Rule, Weather};

/// Something that is done to a world from outside: by a script, a person, or the weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Injection {
    /// The cable that ends at this port is plugged in.
    Plug(Port),
    /// It is unplugged.
    Unplug(Port),
    /// Something of the hardware at the cable that ends at this port breaks, or is mended.
    Hardware(Port, Fault),
    /// A modem stops, and runs again after this time.
    RestartModem(Port, Duration),
    /// A modem hangs (`true`), or no longer does.
    FreezeModem(Port, bool),
    /// A node hangs, or no longer does: it is given nothing and asked for nothing.
    FreezeNode(Port, bool),
    /// The path between two modems is cut, or mended.
    Partition(Port, Port, bool),
    /// This much lies between two modems, in dB.
    Attenuation(Port, Port, u8),
    /// What happens by chance on the path between two modems.
    PathWeather(Port, Port, Weather),
    /// What happens by chance on the cable between a host and its modem.
    CableWeather(Port, Weather),
    /// A fault of certain frames.
    Rule(Rule),
    /// All such faults end.
    ClearRules,
    /// A frame that comes from this port's host, though its node did not send it.
    Say(Port, &'static [u8]),
}

impl<N: Node> World<N> {
    /// Does it now.
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

    /// Sends a frame as the host at `port`, though its node did not.
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

    /// Shows a node that hung what its cable is like by now.
    fn show_again(&mut self, port: Port) {
        if let Some(pilot) = self.cable(port).map(|cable| cable.bench.pilot()) {
            self.show(port, pilot);
        }
    }
}
