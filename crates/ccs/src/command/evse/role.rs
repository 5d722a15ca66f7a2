//! The charger's role over Ethernet frames, and what it tells in words.

use std::io::Write;

use evse_fsm::{Demand, Operator, Plant};
use hal_linux::{Clock, Interface, OsEntropy, PlantBackend, Port};
use machine::{Cx, Machine};
use roles::{Evse, EvseConfig, EvseEvent, EvseInput, EvseLink, EvseStorage, Happening, Mac};
use sdp::{Security, ServerEvent};
use session::Checkpoint;

use super::serve::{Desk, Tells, serve};
use crate::cli::Exit;
use crate::config::Config;
use crate::escape::Plain;
use crate::said::Said;
use crate::words::{self, Side, Word};

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
    let link = if config.link_up { EvseLink::Up } else { EvseLink::matched(mac) };
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
        evse.handle(&mut cx, EvseInput::Operator(Operator::Latch(latch)));
    }
    serve(&mut evse, desk, clock, &ready, out)
}

impl Tells for EvseEvent {
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

/// What happened in words, where it is not the session's.
pub fn word(what: &Happening) -> Option<Word> {
    let word = |checkpoint, words: String| Some(Word { checkpoint, words });
    match what {
        Happening::Session(_) | Happening::Free => None,
        Happening::Modem(event) => Some(words::of_modem(Side::Evse, event)),
        Happening::Slac(event) => Some(words::of_slac(Side::Evse, event)),
        Happening::Discovery(event) => Some(discovery(event)),
        Happening::Serving(mac) => word(None, format!("serving the car at {mac}")),
        Happening::Connected(peer) => {
            let peer = format!("connected: [{}]:{}", peer.address, peer.port);
            word(Some(Checkpoint::TCP_CONNECTED), peer)
        }
        Happening::Disconnected(closed) => word(None, format!("disconnected: {}", closed.name())),
        Happening::Refused(peer) => {
            word(None, format!("refused a second connection from [{}]:{}", peer.address, peer.port))
        }
        Happening::AddressTaken(address) => word(None, words::of_taken_address(*address)),
        Happening::Skipped(payload_type) => word(None, format!("skipped a message of type {payload_type}")),
        Happening::Broken(error) => word(None, format!("the connection makes no sense: {error}")),
        Happening::OtherStation(mac) => word(None, format!("ignored {mac}: another car is being served")),
        Happening::Overrun => word(None, "a frame was dropped: answers were not taken in time".into()),
    }
}

fn discovery(event: &ServerEvent) -> Word {
    let security = |security: &Security| match *security {
        Security::TLS => "TLS".to_owned(),
        Security::NONE => "no TLS".to_owned(),
        Security(other) => format!("security 0x{other:02X}"),
    };
    let (checkpoint, words) = match event {
        ServerEvent::Answered { from, asked, given } => (
            Some(Checkpoint::DISCOVERY_RES_SENT),
            format!("[{}] asks for {} and gets {}", from.address, security(asked), security(given)),
        ),
        ServerEvent::Unanswered { from, why } => (None, format!("[{}] gets no answer: {why}", from.address)),
        ServerEvent::Expired => (None, "its time is over".into()),
    };
    Word { checkpoint, words: format!("discovery: {words}") }
}
