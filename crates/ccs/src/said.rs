//! What a running role says, and which of it is the same again.

use std::mem::{Discriminant, discriminant};

use listen::Close;
use listen::story::Side;
use modem::ModemEvent;
use roles::{Happening, PevEvent};
use sdp::{ClientEvent, ServerEvent};
use session::{Checkpoint, Closed, Direction, Isolation, Message, Phase, Status};

/// Something for the log, as it is until someone has the time to put it into words.
#[derive(Clone, Debug)]
pub enum Said {
    /// By the charger.
    Charger(Happening),
    /// By the car.
    Car(PevEvent),
    /// A frame of this length was not sent.
    NotSent(usize),
    /// By the loop, in words already; the name is that of the kind.
    Loop(&'static str, String),
    /// By the program, in words already.
    Words(String),
}

/// How often something may be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// Always: it comes from here, and a person has to know of each.
    Always,
    /// Always, and with it something else begins: what repeats is told again. No peer can make it come fast:
    /// a session ends once for each offer of the pilot, a match takes a modem's restart.
    Milestone,
    /// Once, and then counted.
    Once(Kind),
}

/// What makes two events the same for the log: what happened, not to whom and not with which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Charger(Discriminant<Happening>),
    Car(Discriminant<PevEvent>),
    Asked(Discriminant<ServerEvent>),
    Answered(Discriminant<ClientEvent>),
    Modem(Discriminant<ModemEvent>),
    Link(bool),
    Slac(Discriminant<slac::Event>),
    Unmatched(Discriminant<slac::Failure>),
    Unheard(Discriminant<slac::Dropped>),
    Dropped(Discriminant<evse_fsm::Dropped>),
    CarDropped(Discriminant<pev_fsm::Dropped>),
    Warning(Discriminant<evse_fsm::Warning>),
    CarWarning(Discriminant<pev_fsm::Warning>),
    Phase(Phase),
    Checkpoint(Checkpoint),
    Message(Round),
    NotSent,
    Loop(&'static str),
}

/// A message, by what decides how a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round {
    pub direction: Direction,
    pub name: &'static str,
    code: Option<&'static str>,
    finished: Option<bool>,
    status: Option<Status>,
    isolation: Option<Isolation>,
    car_error: Option<u8>,
    power_on: Option<bool>,
}

impl From<&Message> for Round {
    fn from(message: &Message) -> Self {
        let Message { direction, name, values, .. } = *message;
        Self {
            direction,
            name,
            code: values.code,
            finished: values.finished,
            status: values.status,
            isolation: values.isolation,
            car_error: values.car_error,
            power_on: values.power_on,
        }
    }
}

impl Kind {
    /// Whether it is a message of the session or what follows from one: what is held back of these is told
    /// when the session goes on.
    pub const fn is_round(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Checkpoint(_))
    }
}

impl Said {
    /// How often it may be told.
    pub fn often(&self) -> Often {
        Often::Once(match self {
            Self::Words(_) => return Often::Always,
            Self::NotSent(_) => Kind::NotSent,
            Self::Loop(kind, _) => Kind::Loop(kind),
            Self::Charger(Happening::Session(event)) => return of_charger(event),
            Self::Car(PevEvent::Session(event)) => return of_car(event),
            Self::Charger(Happening::Slac(event)) | Self::Car(PevEvent::Slac(event)) => {
                return of_slac(event);
            }
            Self::Charger(Happening::Modem(event)) | Self::Car(PevEvent::Modem(event)) => match event {
                ModemEvent::Link(up) => Kind::Link(*up),
                event => Kind::Modem(discriminant(event)),
            },
            Self::Charger(Happening::Discovery(event)) => Kind::Asked(discriminant(event)),
            Self::Car(PevEvent::Discovery(event)) => Kind::Answered(discriminant(event)),
            Self::Charger(other) => Kind::Charger(discriminant(other)),
            Self::Car(other) => Kind::Car(discriminant(other)),
        })
    }

    /// Who is told by a message that went this way on this side.
    pub fn towards(&self, direction: Direction) -> listen::Direction {
        let is_to_charger = matches!(self, Self::Car(_)) == (direction == Direction::Sent);
        if is_to_charger { listen::Direction::ToEvse } else { listen::Direction::ToPev }
    }

    /// Whether a connection is over, and with it its session.
    pub fn ends_session(&self) -> bool {
        matches!(self, Self::Charger(Happening::Disconnected(_)) | Self::Car(PevEvent::Disconnected(_)))
    }

    /// Which way the message went that it is about, if it is about one that the role showed.
    pub fn direction(&self) -> Option<Direction> {
        match self {
            Self::Charger(Happening::Session(evse_fsm::Event::Message(message)))
            | Self::Car(PevEvent::Session(pev_fsm::Event::Message(message))) => Some(message.direction),
            Self::Charger(Happening::Session(evse_fsm::Event::Dropped(dropped))) => {
                use evse_fsm::Dropped;
                let is_own =
                    matches!(dropped, Dropped::NotEncoded(_) | Dropped::NotTaken(_) | Dropped::Connection);
                (!is_own).then_some(Direction::Received)
            }
            Self::Car(PevEvent::Session(pev_fsm::Event::Dropped(dropped))) => {
                use pev_fsm::Dropped;
                let is_own = matches!(dropped, Dropped::NotEncoded(_) | Dropped::Connection);
                (!is_own).then_some(Direction::Received)
            }
            _ => None,
        }
    }
}

/// Who closes a connection, as its end says it.
#[derive(Debug, Default)]
pub struct Closing {
    /// The own side has ended the session: it closes the connection.
    is_own: bool,
}

impl Closing {
    /// Takes what a role says; the end of a connection gives who closed it, and how.
    pub fn take(&mut self, said: &Said) -> Option<(Side, Close)> {
        use evse_fsm::Event::{Stopped, Stopping};
        use pev_fsm::Event::{Stopped as CarStopped, Stopping as CarStopping};
        let (own, peer) = match said {
            Said::Car(_) => (Side::Car, Side::Charger),
            _ => (Side::Charger, Side::Car),
        };
        match said {
            Said::Charger(Happening::Connected(_)) | Said::Car(PevEvent::Connected(_)) => self.is_own = false,
            Said::Charger(Happening::Session(Stopping(_) | Stopped(_)) | Happening::Broken(_))
            | Said::Car(PevEvent::Session(CarStopping(_) | CarStopped(_)) | PevEvent::Broken(_)) => {
                self.is_own = true;
            }
            Said::Charger(Happening::Disconnected(closed)) | Said::Car(PevEvent::Disconnected(closed)) => {
                let close = match closed {
                    Closed::Fin => Close::Fin,
                    Closed::Rst => Close::Reset,
                    // Nothing was sent that others could see.
                    Closed::Timeout | Closed::InterfaceDown => return None,
                };
                return Some((if self.is_own { own } else { peer }, close));
            }
            _ => {}
        }
        None
    }
}

fn of_charger(event: &evse_fsm::Event) -> Often {
    use evse_fsm::Event;
    Often::Once(match event {
        Event::Stopping(_) | Event::Stopped(_) => return Often::Milestone,
        Event::Latched(_) | Event::Unlatched(_) => return Often::Always,
        Event::Message(message) => Kind::Message(message.into()),
        Event::Phase(phase) => Kind::Phase(*phase),
        Event::Checkpoint(checkpoint) => Kind::Checkpoint(*checkpoint),
        Event::Dropped(dropped) => Kind::Dropped(discriminant(dropped)),
        Event::Warning(warning) => Kind::Warning(discriminant(warning)),
    })
}

fn of_car(event: &pev_fsm::Event) -> Often {
    use pev_fsm::Event;
    Often::Once(match event {
        Event::Stopping(_) | Event::Stopped(_) => return Often::Milestone,
        Event::Latched(_) | Event::Unlatched(_) | Event::EmergencyOpening { .. } => return Often::Always,
        Event::Message(message) => Kind::Message(message.into()),
        Event::Phase(phase) => Kind::Phase(*phase),
        Event::Checkpoint(checkpoint) => Kind::Checkpoint(*checkpoint),
        Event::Dropped(dropped) => Kind::CarDropped(discriminant(dropped)),
        Event::Warning(warning) => Kind::CarWarning(discriminant(warning)),
    })
}

fn of_slac(event: &slac::Event) -> Often {
    use slac::Event;
    Often::Once(match event {
        Event::Matched { .. } | Event::Left => return Often::Milestone,
        Event::Failed(failure) => Kind::Unmatched(discriminant(failure)),
        Event::Dropped { why, .. } => Kind::Unheard(discriminant(why)),
        other => Kind::Slac(discriminant(other)),
    })
}
