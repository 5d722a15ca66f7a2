//! The charger's role over Ethernet frames.

use std::io::Write;

use evse_fsm::{Demand, Operator, Plant};
use hal_linux::{Clock, Interface, OsEntropy, PlantBackend, Port};
use machine::{Cx, Machine};
use roles::{Event, Evse, EvseConfig, EvseLink, EvseStorage, Happening, Input, Mac};

use super::serve::{Desk, Tells, serve};
use crate::cli::Exit;
use crate::config::Config;
use crate::escape::Plain;
use crate::said::Said;

/// Runs a charger with this address on the interface.
pub fn run<P, B>(
    config: &Config,
    interface: &Interface,
    mac: Mac,
    clock: Clock,
    desk: Desk<'_, P, B>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<Exit>
where
    P: Port,
    B: PlantBackend<Demand = Demand, Reading = Plant>,
{
    let address = interface.role_address(mac);
    let usual = EvseConfig::new(mac);
    let link = if config.link_up { EvseLink::Given } else { EvseLink::matched(mac) };
    let role = EvseConfig {
        address: Some(address),
        link,
        port: config.port.unwrap_or(usual.port),
        charger: config.charger.clone(),
        ..usual
    };
    let how = if config.link_up { "the link is taken as up" } else { "matching by SLAC" };
    let ready = format!("ready on {}: {mac}, [{address}]:{}; {how}", Plain(interface.name()), role.port);
    let mut cx = Cx { now: clock.now(), entropy: &mut OsEntropy };
    let mut storage: EvseStorage = EvseStorage::new();
    let mut evse = Evse::new(&mut cx, role, &mut storage)?;
    evse.watch(desk.inbox);
    if let Some((latch, _)) = desk.latches.found() {
        evse.handle(&mut cx, Input::Operator(Operator::Latch(latch)));
    }
    serve(&mut evse, desk, clock, &ready, out)
}

impl Tells for Event {
    fn session(&self) -> Option<&evse_fsm::Event> {
        match &self.what {
            Happening::Session(event) => Some(event),
            _ => None,
        }
    }

    fn connection(&self) -> Option<bool> {
        match self.what {
            Happening::Connected(_) => Some(true),
            Happening::Free => Some(false),
            _ => None,
        }
    }

    fn said(&self) -> Said {
        Said::Charger(self.what)
    }
}
