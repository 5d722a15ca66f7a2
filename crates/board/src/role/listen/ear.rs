use core::cell::RefCell;
use core::fmt;

use heapless::Deque;
use homeplug_mme::{Frame, Mac, Profile, RunId, Slac};
use listen::{Content, Direction, Discovery, Event};
use roles::{ListenEvent, ListenWatch};

/// What a listener received and the loop has not logged yet.
#[derive(Debug, Default)]
pub struct Ear(RefCell<Inside>);

/// Most waiting observations. One frame carries more messages than this only if it was built for that.
const WAITING: usize = 8;

#[derive(Debug, Default)]
struct Inside {
    waiting: Deque<Heard, WAITING>,
    lost: u32,
    open: Open,
}

/// Matching or session that began and whose story was not logged yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Open {
    /// Whether a car was matching.
    pub is_matching: bool,
    /// Number of the session's connection.
    pub session: Option<u64>,
    /// Time of its newest frame in ns.
    pub latest_ns: i64,
}

/// One observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard {
    /// A step of a matching.
    Step(Step),
    /// A message of a session, or one of discovery.
    Message(session::Message, Option<Discovery>),
    /// A matching that ended without a result: no further frame of it came.
    Unmatched,
    /// The connection of a session closed, or was silent until it counts as lost: its story is complete. With
    /// the end of the observed time in ns, where the connection is not closed.
    Over(u64, Option<i64>),
    /// A session was evicted: too many were open at the same time.
    GivenUp,
    /// An event of the observer, and the key.
    Event(ListenEvent),
    /// This many observations were dropped.
    Lost(u32),
}

/// A step of a matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    car: Mac,
    what: What,
}

/// What a car does, or a charger in answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Asked(RunId),
    Answered(Mac),
    /// Number of sounds, and the mean attenuation in hundredths of a dB; `None`: the modem does not measure.
    Measured(Mac, u8, Option<u32>),
    Chosen(Mac),
    KeyGiven(Mac),
}

impl Ear {
    /// An observer before the first frame.
    pub const fn new() -> Self {
        let open = Open { is_matching: false, session: None, latest_ns: 0 };
        Self(RefCell::new(Inside { waiting: Deque::new(), lost: 0, open }))
    }

    /// Removes and returns the oldest observation.
    pub(super) fn pop(&self) -> Option<Heard> {
        let mut inside = self.0.try_borrow_mut().ok()?;
        let next = inside.waiting.pop_front();
        next.or_else(|| match core::mem::take(&mut inside.lost) {
            0 => None,
            lost => Some(Heard::Lost(lost)),
        })
    }

    pub(super) fn open(&self) -> Open {
        self.0.try_borrow().map(|inside| inside.open).unwrap_or_default()
    }

    /// Ends what is open after a silence: its story is logged as far as it is known.
    pub(super) fn give_up(&self, now_ns: i64) {
        let Ok(mut inside) = self.0.try_borrow_mut() else { return };
        let Open { is_matching, session, .. } = core::mem::take(&mut inside.open);
        if let Some(connection) = session {
            inside.push(Heard::Over(connection, Some(now_ns)));
        } else if is_matching {
            inside.push(Heard::Unmatched);
        }
    }
}

impl Inside {
    /// When it is full the oldest observation is dropped: a session's end comes last.
    fn push(&mut self, heard: Heard) {
        if self.waiting.is_full() {
            self.waiting.pop_front();
            self.lost = self.lost.saturating_add(1);
        }
        // Room was made above.
        let _ = self.waiting.push_back(heard);
    }

    fn hear(&mut self, event: &Event<'_>) {
        let Event { direction, connection, .. } = *event;
        let mut is_of_open = true;
        match event.content {
            Content::Mme(frame) => match Step::of(&frame) {
                Some(step) => {
                    self.open.is_matching = !matches!(step.what, What::KeyGiven(_));
                    self.push(Heard::Step(step));
                }
                None => is_of_open = false,
            },
            Content::Discovery(discovery) => {
                self.push(Heard::Message(message(direction, discovery.name()), Some(discovery)));
            }
            Content::Message { name, .. } => {
                self.open.session = connection;
                self.push(Heard::Message(message(direction, name.unwrap_or("a message")), None));
            }
            Content::Encrypted => {
                self.open.session = connection;
                self.push(Heard::Message(message(direction, "TLS"), None));
            }
            Content::Closed(_) => {
                if let Some(connection) = self.open.session.take_if(|open| Some(*open) == connection) {
                    self.push(Heard::Over(connection, None));
                }
            }
            Content::Over { .. } => {
                if self.open.session.take_if(|open| Some(*open) == connection).is_some() {
                    self.push(Heard::GivenUp);
                }
            }
            Content::Opened | Content::Gap | Content::Skipped(_) => is_of_open = false,
        }
        if let Some(latest) = event.when.time_ns.filter(|_| is_of_open) {
            self.open.latest_ns = latest;
        }
    }
}

impl ListenWatch for Ear {
    fn heard(&self, event: &Event<'_>) {
        if let Ok(mut inside) = self.0.try_borrow_mut() {
            inside.hear(event);
        }
    }
}

/// A message whose name is decoded. A message of the car counts as received, as at a charger.
fn message(direction: Option<Direction>, name: &'static str) -> session::Message {
    let direction = match direction {
        Some(Direction::ToPev) => session::Direction::Sent,
        _ => session::Direction::Received,
    };
    session::Message { direction, name, checkpoint: None, values: session::Values::default() }
}

impl Step {
    /// The step that a frame stands for, if it is logged: sounds are not.
    fn of(frame: &Frame<'_>) -> Option<Self> {
        let sender = frame.from;
        let (car, what) = match Slac::parse(frame)?.ok()? {
            Slac::ParmReq { run_id } => (sender, What::Asked(run_id)),
            Slac::ParmCnf { car, .. } => (car, What::Answered(sender)),
            Slac::AttenChar { car, sounds, profile, .. } => {
                (car, What::Measured(sender, sounds, profile.as_ref().map(Profile::mean_cdb)))
            }
            Slac::MatchReq { car, charger, .. } => (car, What::Chosen(charger)),
            Slac::MatchCnf { car, charger, .. } => (car, What::KeyGiven(charger)),
            _ => return None,
        };
        Some(Self { car, what })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let car = self.car;
        match self.what {
            What::Asked(run_id) => write!(f, "slac: {car} asks who is there, run {run_id}"),
            What::Answered(charger) => write!(f, "slac: {charger} answers {car}"),
            What::Measured(charger, sounds, Some(cdb)) => {
                let (db, rest) = (cdb / 100, cdb % 100);
                write!(f, "slac: {charger} hears {car} at {db}.{rest:02} dB over {sounds} sounds")
            }
            What::Measured(charger, _, None) => write!(f, "slac: {charger} reports no attenuation profile"),
            What::Chosen(charger) => write!(f, "slac: {car} chooses {charger}"),
            What::KeyGiven(charger) => write!(f, "slac: {charger} gives {car} its key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use listen::{Close, Known, When};
    use v2gtp::PayloadType;

    use super::*;

    fn event(content: Content<'_>) -> Event<'_> {
        Event { when: When { frame: 1, time_ns: Some(7) }, direction: None, connection: Some(3), content }
    }

    #[test]
    fn a_frame_with_too_many_messages_loses_the_oldest_and_never_the_sessions_end() {
        let ear = Ear::new();
        let (payload_type, payload, schema) = (PayloadType::EXI, &[][..], None);
        let message = Content::Message { payload_type, payload, schema, known: Known::Guess, name: None };
        (0..20).for_each(|_| ear.heard(&event(message)));
        ear.heard(&event(Content::Closed(Close::Fin)));
        let (mut last, mut count, mut lost) = (None, 0, 0);
        while let Some(heard) = ear.pop() {
            match heard {
                Heard::Lost(more) => lost += more,
                heard => (last, count) = (Some(heard), count + 1),
            }
        }
        assert_eq!((last, count, lost), (Some(Heard::Over(3, None)), 8, 13));
        assert_eq!(ear.open().session, None);
    }
}
