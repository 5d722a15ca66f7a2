//! The car's side of the cable, up to the link.

use control_pilot::{DutyMeaning, Level};
use homeplug_mme::Mac;
use machine::{Cx, Deadline, Machine};
use modem::{Modem, ModemEvent};

use crate::line::{Line, LineEvent};

/// A car on a cable: it waits for 5 %, finds its charger through the modem, and joins its network.
///
/// The session above the link is not here yet. Frames go in with [`PevInput::Frame`] and come out of
/// `poll_transmit`; [`demand`](Self::demand) is to be read and applied after each call.
#[derive(Debug)]
pub struct Pev {
    mac: Mac,
    line: Line<slac::Pev>,
    sees_digital: bool,
    ignored: u32,
}

/// Everything that can be set about a car on a cable.
#[derive(Clone, Copy, Debug)]
pub struct PevConfig {
    /// How it is matched, and the station's own MAC address.
    pub slac: slac::PevConfig,
    /// The modem's family where it is known; else it is found out.
    pub modem: Option<&'static modem::Profile>,
}

/// What goes into a [`Pev`].
#[derive(Clone, Copy, Debug)]
pub enum PevInput<'a> {
    /// An Ethernet frame without its check sequence, as it came.
    Frame(&'a [u8]),
    /// The duty cycle that is measured on the pilot in per mille; `None` when it is steady or there is no plug.
    Pilot(Option<u16>),
    /// Leave the network and begin anew, without waiting for the pilot.
    Restart,
}

/// What a car wants of its plant now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PevDemand {
    /// What it pulls the pilot to: B, or C while it is being recognised by its pilot.
    pub pilot: Level,
}

/// What a car tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PevEvent {
    /// With the modem.
    Modem(ModemEvent),
    /// In matching.
    Slac(slac::Event),
}

impl PevConfig {
    /// A car at `mac` with any modem, matched as usual.
    pub const fn new(mac: Mac) -> Self {
        Self { slac: slac::PevConfig::new(mac), modem: None }
    }
}

impl Pev {
    /// A car that sees no pilot yet.
    pub fn new(cx: &mut Cx<'_>, config: PevConfig) -> Self {
        let mac = config.slac.mac;
        let modem = modem::ModemConfig { profile: config.modem, ..modem::ModemConfig::new(mac) };
        let line = Line::new(cx, modem, slac::Pev::new(config.slac));
        Self { mac, line, sees_digital: false, ignored: 0 }
    }

    /// What it wants of its plant now.
    pub fn demand(&self) -> PevDemand {
        let ready = self.line.slac().toggle() == Some(true);
        PevDemand { pilot: if ready { Level::C } else { Level::B } }
    }

    /// Where matching is.
    pub fn matching(&self) -> slac::PevState {
        self.line.slac().state()
    }

    /// The charger's host, once it is matched.
    pub fn charger(&self) -> Option<Mac> {
        self.line.peer().filter(|_| self.line.is_up())
    }

    /// The modem.
    pub fn modem(&self) -> &Modem {
        self.line.modem()
    }

    /// The station's own MAC address.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// How many frames were none of its business.
    pub fn ignored(&self) -> u32 {
        self.ignored
    }
}

impl Machine for Pev {
    type Input<'i> = PevInput<'i>;
    type Route = ();
    type Event = PevEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, input: PevInput<'_>) {
        match input {
            PevInput::Frame(frame) if Line::<slac::Pev>::is_for(frame) => self.line.frame(cx, frame),
            PevInput::Frame(_) => self.ignored = self.ignored.saturating_add(1),
            PevInput::Pilot(duty) => {
                let digital = duty.is_some_and(|permille| DutyMeaning::of(permille) == DutyMeaning::Digital);
                if core::mem::replace(&mut self.sees_digital, digital) != digital {
                    self.line.tell(cx, if digital { slac::PevInput::Start } else { slac::PevInput::Stop });
                }
            }
            PevInput::Restart => self.line.tell(cx, slac::PevInput::Error),
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.line.handle_timeout(cx);
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<(usize, ())> {
        self.line.poll_transmit(buffer).map(|len| (len, ()))
    }

    fn poll_event(&mut self) -> Option<PevEvent> {
        self.line.poll_event().map(|event| match event {
            LineEvent::Modem(event) => PevEvent::Modem(event),
            LineEvent::Slac(event) => PevEvent::Slac(event),
        })
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.line.poll_timeout()
    }
}
