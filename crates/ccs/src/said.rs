//! Events of a running role for the log, and which of them count as repetitions.

use std::mem::{Discriminant, discriminant};

use listen::Close;
use listen::story::Side;
use modem::ModemEvent;
use roles::{Happening, PevEvent};
use sdp::{ClientEvent, ServerEvent};
use session::{Checkpoint, Closed, Direction, Isolation, Message, Phase, Status};

/// An event for the log, stored until the writer's thread formats it.
#[derive(Clone, Debug)]
pub enum Said {
    /// Of the charger.
    Charger(Happening),
    /// Of the car.
    Car(PevEvent),
    /// A frame of this length in bytes was not sent.
    NotSent(usize),
    /// Of the loop, already formatted; the name is that of its kind.
    Loop(&'static str, String),
    /// Of the program, already formatted.
    Words(String),
}

/// How often an event is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// Always: it originates here, and an operator needs every one.
    Always,
    /// Always, and it starts a new part of the session: repeated events are logged again after it. No peer
    /// can produce it fast: a session ends once for each offer of the pilot, and a match takes a modem's
    /// restart.
    Milestone,
    /// Once, then counted.
    Once(Kind),
}

/// What makes two events equal for the log: what happened, without addresses and numbers.
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

/// A message, reduced to what determines how a session continues.
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
    /// Whether it is a message of the session or follows from one: delayed lines of these kinds are written
    /// when the session continues.
    pub const fn is_round(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Checkpoint(_))
    }
}

impl Said {
    /// How often it is logged.
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

    /// The side that receives a message, from its direction on this side.
    pub fn towards(&self, direction: Direction) -> listen::Direction {
        let is_to_charger = matches!(self, Self::Car(_)) == (direction == Direction::Sent);
        if is_to_charger { listen::Direction::ToEvse } else { listen::Direction::ToPev }
    }

    /// Whether it ends a connection, and with it the session.
    pub fn ends_session(&self) -> bool {
        matches!(self, Self::Charger(Happening::Disconnected(_)) | Self::Car(PevEvent::Disconnected(_)))
    }

    /// Direction of the message that it is about; `None` if it is about no reported message.
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

/// Determines which side closes a connection.
#[derive(Debug, Default)]
pub(crate) struct Closing {
    /// The own side has ended the session, so it closes the connection.
    is_own: bool,
}

impl Closing {
    /// Handles an event of a role. For the end of a connection it returns which side closed it, and how.
    pub(crate) fn take(&mut self, said: &Said) -> Option<(Side, Close)> {
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
                    // Nothing was sent that a peer could observe.
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
