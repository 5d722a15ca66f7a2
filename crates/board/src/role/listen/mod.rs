//! The role Listen: logs the traffic between other devices and the story of each session.

mod ear;

use core::fmt;

use homeplug_mme::{Mac, NetworkKey};
use listen::Sight;
use listen::story::{LOST_NS, Part, Side, Tale};
use machine::{Cx, Deadline, Instant, Machine, TooShort};
use roles::words::{OfModem, WARNING, way};
use roles::{ListenEvent, ListenStorage};
use session::Phase;

pub use ear::{Ear, Heard, Step};

use super::{Note, OnLine, Role, Wish};

/// A listener: observes every frame, logs matchings and messages, and logs a session's story at its end or
/// after 10 s of silence. It sends no frame and drives no output. It logs the network's key only after the
/// command `key show`.
pub struct Listen<'e> {
    role: roles::Listen<'e>,
    ear: &'e Ear,
}

impl<'e> Listen<'e> {
    /// A listener on the host `own`, before the first frame.
    pub fn new(own: Mac, storage: &'e mut ListenStorage, ear: &'e Ear) -> Self {
        let mut role = roles::Listen::new(own, storage);
        role.watch(ear);
        Self { role, ear }
    }

    /// When an open session is logged as ended, if no further frame of it comes.
    fn silent_at(&self) -> Option<Instant> {
        let open = self.ear.open();
        let is_open = open.is_matching || open.session.is_some();
        let at = open.latest_ns.saturating_add(LOST_NS + 1);
        is_open.then(|| Instant::from_micros(u64::try_from(at).unwrap_or(0).div_ceil(NS_PER_US)))
    }

    fn tell(&mut self, number: u64, until_ns: Option<i64>, line: &mut OnLine<'_>) {
        let Some((talk, [first, last])) = self.role.talk(number) else { return };
        let tale = Tale { counted: "frame", number, first, last, talk, pressed: None, until_ns };
        tale.tell(&mut |part, words| match part {
            Part::Detail => line(None, "", format_args!("  {words}")),
            Part::Head | Part::End => line(None, "", words),
        });
    }
}

/// Observer clock ticks (ns) in one tick of a machine's clock (us).
const NS_PER_US: u64 = 1_000;

/// The input of a [`Listen`].
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// An Ethernet frame.
    Frame(&'a [u8]),
    /// Any other input: ignored.
    Other,
}

impl Machine for Listen<'_> {
    type Input<'i> = Input<'i>;
    type Route = ();
    type Event = Heard;

    fn handle(&mut self, cx: &mut Cx<'_>, input: Input<'_>) {
        if let Input::Frame(frame) = input {
            self.role.handle(cx, frame);
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        self.role.handle_timeout(cx);
        if self.silent_at().is_some_and(|at| at <= cx.now) {
            let now_ns = i64::try_from(cx.now.as_micros().saturating_mul(NS_PER_US)).unwrap_or(i64::MAX);
            self.ear.give_up(now_ns);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        self.role.poll_transmit(buffer)
    }

    fn poll_event(&mut self) -> Option<Heard> {
        self.ear.pop().or_else(|| self.role.poll_event().map(Heard::Event))
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        Deadline::earliest(self.role.poll_timeout(), &[("silence", self.silent_at())])
    }
}

impl Role for Listen<'_> {
    type Demand = ();
    type Reading = ();
    const NAME: &'static str = "listen";
    const SAFE: () = ();

    fn frame(frame: &[u8]) -> Input<'_> {
        Input::Frame(frame)
    }

    fn reading<'a>((): ()) -> Input<'a> {
        Input::Other
    }

    fn no_reading<'a>() -> Input<'a> {
        Input::Other
    }

    fn interface_down<'a>() -> Input<'a> {
        Input::Other
    }

    fn wish(&mut self, _: &mut Cx<'_>, wish: Wish) -> bool {
        matches!(wish, Wish::Start | Wish::Latch(_))
    }

    fn demand(&self) {}

    fn is_energised((): &()) -> bool {
        false
    }

    fn phase(&self) -> Option<Phase> {
        None
    }

    fn key(&self) -> Option<NetworkKey> {
        self.role.key()
    }

    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        let (frames, attempts) = (self.role.status().frames, self.role.attempts().len());
        let given_up = self.role.given_up();
        write!(out, ", frames heard {frames}, matchings {attempts}")?;
        write!(out, "; given up: connections {}, gaps {}", given_up.connections, given_up.gaps)
    }

    fn say(&mut self, heard: &Heard, line: &mut OnLine<'_>) {
        match heard {
            Heard::Step(step) => line(None, "", format_args!("{step}")),
            Heard::Message(message, discovery) => {
                let who = way(message.direction == session::Direction::Received);
                match discovery {
                    Some(discovery) => line(None, who, format_args!("{} {discovery}", message.name)),
                    None => line(None, who, format_args!("{}", message.name)),
                }
            }
            Heard::Unmatched => {
                let Some(attempt) = self.role.attempts().last() else { return };
                let (car, outcome) = (attempt.car, attempt.outcome().words());
                line(None, "", format_args!("slac: {car} is not matched: {outcome}"));
            }
            Heard::Over(connection, until_ns) => self.tell(*connection, *until_ns, line),
            Heard::GivenUp => line(None, WARNING, format_args!("a session was given up: too many at a time")),
            Heard::Event(ListenEvent::Learned(car)) => {
                line(None, "", format_args!("the network's key for {car} was heard; `key show` shows it"));
            }
            Heard::Event(ListenEvent::Modem(event)) => {
                line(None, "", format_args!("{}", OfModem { at_evse: false, event }));
            }
            Heard::Event(ListenEvent::Sight(sight)) => {
                if let Some(words) = of_sight(*sight) {
                    line(None, "", format_args!("{words}; docs/listen.md says where a listener hears what"));
                }
            }
            Heard::Lost(count) => {
                line(None, WARNING, format_args!("{count} things in one frame were heard and not said"));
            }
        }
    }

    fn note(heard: &Heard) -> Note<'_> {
        match heard {
            Heard::Message(message, _) => Note::Message(message),
            _ => Note::None,
        }
    }
}

/// The log text of an observation; `None`: it is not logged.
const fn of_sight(sight: Sight) -> Option<&'static str> {
    Some(match sight {
        Sight::Nothing | Sight::Waiting | Sight::Connections => return None,
        Sight::OneSide(Side::Charger) => "only what the charger says is heard",
        Sight::OneSide(Side::Car) => "only what the car says is heard",
        Sight::OnlyBroadcasts => {
            "only broadcasts are heard: a modem forwards what is for another station to no third one"
        }
        Sight::NoConnection => {
            "no connection is heard for 20 s: the car did not connect, or a third station does not hear it"
        }
    })
}
