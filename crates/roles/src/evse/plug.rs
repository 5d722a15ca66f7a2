//! The plug and the power line: when matching may begin, when 5 % may be offered, and what ends with the
//! link.

use control_pilot::{Level, Output};
use evse_fsm::Operator;
use machine::{Cx, Machine};

use super::link::QUIET;
use super::{Evse, Happening, Stage, Timer};
use crate::channel::Channels;

/// The state of the plug, and what was reported of it to the matching.
#[derive(Debug)]
pub(super) struct Plug {
    /// Whether the operator permits the charger to offer charging.
    pub(super) available: bool,
    level: Option<Level>,
    told: Told,
}

/// The levels that were reported last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a level of its own")]
struct Told {
    available: Option<bool>,
    plugged: bool,
    offered: bool,
    ready: bool,
    busy: bool,
    up: bool,
}

impl Plug {
    pub(super) const fn new(available: bool) -> Self {
        let told =
            Told { available: None, plugged: false, offered: false, ready: false, busy: false, up: false };
        Self { available, level: None, told }
    }

    /// Stores the pilot's level, debounced by the session; `None` changes nothing.
    pub(super) fn read(&mut self, level: Option<Level>) {
        self.level = level.or(self.level);
    }
}

impl<C: Channels, const N: usize> Evse<'_, C, N> {
    /// Updates plug, pilot, session and power line after any change of one of them.
    pub(super) fn follow_line(&mut self, cx: &mut Cx<'_>) {
        self.tell_line(cx);
        let Some(line) = &self.line else {
            self.offer(cx, true);
            return;
        };
        let (offers, up) = (line.slac().offers(), line.is_up());
        match (core::mem::replace(&mut self.plug.told.up, up), up) {
            (false, true) => self.link_up(cx),
            (true, false) => self.link_lost(cx),
            _ => {}
        }
        if up && self.stage == Stage::Free {
            self.timers.start(Timer::Quiet, cx.now + QUIET);
        }
        self.offer(cx, offers);
        // The session may have changed its state.
        self.tell_line(cx);
    }

    /// Informs the session whether 5 % may be offered.
    fn offer(&mut self, cx: &mut Cx<'_>, offers: bool) {
        let available = self.plug.available && offers;
        if self.plug.told.available.replace(available) != Some(available) {
            let word = Operator::Available(available);
            self.session.handle(cx, evse_fsm::Input::Operator(word));
        }
    }

    /// Informs the matching of changes of plug, pilot and session.
    fn tell_line(&mut self, cx: &mut Cx<'_>) {
        let Some(line) = &mut self.line else { return };
        let is_offered = matches!(self.session.pilot(), Output::Pwm(_));
        let plugged = self.plug.level.is_some_and(Level::is_plugged);
        let busy = self.stream.is_connected();
        let now = Told {
            plugged,
            offered: plugged && (is_offered || busy),
            ready: self.plug.level.is_some_and(Level::is_ready),
            busy,
            ..self.plug.told
        };
        let before = core::mem::replace(&mut self.plug.told, now);
        if before.busy != now.busy {
            line.tell(cx, slac::EvseInput::Busy(now.busy));
        }
        if before.plugged && !now.plugged {
            line.tell(cx, slac::EvseInput::Stop);
        } else if before.offered && !now.offered {
            line.tell(cx, slac::EvseInput::Withdrawn);
        } else if !before.offered && now.offered {
            line.tell(cx, slac::EvseInput::Start);
        }
        if before.ready != now.ready {
            line.tell(cx, slac::EvseInput::Ready(now.ready));
        }
    }

    /// The link is up: the car may discover the charger.
    fn link_up(&mut self, cx: &mut Cx<'_>) {
        self.station.claim(cx.now);
        self.serving = self.line.as_ref().and_then(crate::line::Line::peer);
        if let Some(mac) = self.serving {
            self.events.push(Happening::Serving(mac));
        }
        if self.stage == Stage::Free {
            self.discovery.start(None);
        }
    }

    /// The link is lost: power is switched off, and the state of the old connection is cleared.
    fn link_lost(&mut self, cx: &mut Cx<'_>) {
        let Self { stream, session, events, .. } = self;
        stream.lose(cx, session, |told| events.push(told.into()));
        self.free();
    }
}
