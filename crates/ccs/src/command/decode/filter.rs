//! `ccs decode --filter`: which events are shown.

use homeplug_mme::view::View;

use crate::decode::{Close, Content, Direction, Event, values};

/// The conditions. Terms of one kind are alternatives; each kind that is given must match.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    directions: Vec<Direction>,
    names: Vec<String>,
    is_trouble: bool,
    is_v2g: bool,
}

/// The directions by their names.
const DIRECTIONS: &[(&str, Direction)] = &[
    ("pev->evse", Direction::ToEvse),
    ("evse->pev", Direction::ToPev),
    ("pev", Direction::ToEvse),
    ("evse", Direction::ToPev),
];

impl Filter {
    /// Parses the terms of the command line: `pev`, `evse`, `trouble`, or a part of a message name.
    pub(super) fn new(terms: &[String], is_v2g: bool) -> Self {
        let mut filter = Self { is_v2g, ..Self::default() };
        for term in terms.iter().map(|term| term.to_ascii_lowercase()) {
            match DIRECTIONS.iter().find(|row| row.0 == term) {
                Some((_, direction)) => filter.directions.push(*direction),
                None if term == "trouble" => filter.is_trouble = true,
                None => filter.names.push(term),
            }
        }
        filter
    }

    /// Whether an event is shown.
    pub(super) fn shows(&self, event: &Event<'_>) -> bool {
        (!self.is_v2g || matches!(event.content, Content::Exi(_) | Content::Sdp(_) | Content::Other(..)))
            && (self.directions.is_empty()
                || event.direction.is_some_and(|direction| self.directions.contains(&direction)))
            && (self.names.is_empty() || self.has_name(event))
            && (!self.is_trouble || is_trouble(event))
    }

    fn has_name(&self, event: &Event<'_>) -> bool {
        let name = match &event.content {
            Content::Exi(exi) => exi.message.unwrap_or_default().to_ascii_lowercase(),
            Content::Sdp(sdp) => sdp.name().to_ascii_lowercase(),
            Content::Mme(frame) => frame.mm_type.to_string().to_ascii_lowercase(),
            Content::Log(_) => "syslog".into(),
            _ => return false,
        };
        self.names.iter().any(|part| name.contains(part))
    }
}

/// Whether something is wrong: a FAILED code, an error or status that ends a session, a message that does not
/// decode or comes from the wrong side, missing bytes, a connection that is reset.
pub(super) fn is_trouble(event: &Event<'_>) -> bool {
    event.is_contradiction
        || event.cut.is_some()
        || match &event.content {
            Content::Exi(exi) => {
                exi.error.is_some()
                    || exi.schema.is_some_and(|schema| values::has_trouble(schema, exi.payload))
            }
            Content::Mme(frame) => View::of(frame).is_err(),
            Content::Closed(_, close) => *close != Close::Fin,
            Content::BadMme(_)
            | Content::Skipped(_)
            | Content::Gap
            | Content::Unknown(_)
            | Content::CutMessage(..)
            | Content::BadLine(_)
            | Content::LongLine => true,
            _ => false,
        }
}
