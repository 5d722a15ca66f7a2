//! The own modem's key and link.

use homeplug_mme::{NetworkKey, Nmk};
use machine::Cx;

use super::{Pev, PevState, Timer, random};
use crate::times::{T_CONN_RESUME, TP_LINK_READY_NOTIFICATION};
use crate::{Event, Failure};

/// The key that the own modem must hold, and its reports.
#[derive(Debug)]
pub(super) struct Modem {
    pub key: Option<NetworkKey>,
    /// The key is a charger's key.
    pub in_network: bool,
    /// The modem responds and holds the key.
    pub ready: bool,
    /// The modem reports another station.
    pub link: bool,
}

impl Modem {
    pub(super) const fn new() -> Self {
        Self { key: None, in_network: false, ready: false, link: false }
    }
}

impl Pev {
    pub(super) fn link(&mut self, cx: &mut Cx<'_>, up: bool) {
        self.modem.link = up;
        match (self.state, self.chosen) {
            (PevState::Matched, Some(peer)) if !up => self.lost(cx, Failure::LinkLost { peer }),
            (PevState::Joining | PevState::Paused, _) => self.settle(cx),
            _ => {}
        }
    }

    /// A link that lasts for `TP_link_ready_notification` counts as established.
    pub(super) fn settle(&mut self, cx: &Cx<'_>) {
        let awaited = self.state == PevState::Joining || self.timers.due(Timer::Resume).is_some();
        if awaited && self.modem.link && self.modem.ready {
            self.timers.start(Timer::LinkReady, cx.now + TP_LINK_READY_NOTIFICATION);
        } else {
            self.timers.clear(Timer::LinkReady);
        }
    }

    pub(super) fn matched(&mut self) {
        let Some(peer) = self.chosen else { return };
        self.timers.clear_all();
        self.candidates.clear();
        self.failures = 0;
        self.join_failures = 0;
        self.aside.forget(peer);
        self.state = PevState::Matched;
        self.events.push(Event::Matched { peer });
    }

    pub(super) fn join_due(&mut self, cx: &mut Cx<'_>) {
        let Some(peer) = self.chosen else { return };
        self.events.push(Event::Failed(Failure::NoLink { peer }));
        self.aside.add(cx.now, peer);
        self.leave(cx);
        self.join_failures = self.join_failures.saturating_add(1);
        let aside_until = |mac| self.aside.until(cx.now, mac);
        let has_hope = self.candidates.has_hope(self.config.limit_cdb, aside_until);
        if self.join_failures >= self.config.max_join_failures && !has_hope {
            self.give_up();
        } else {
            self.retry(cx);
        }
    }

    pub(super) fn pause(&mut self) {
        if matches!(self.state, PevState::Matched | PevState::Paused) {
            self.state = PevState::Paused;
            self.timers.clear_all();
        }
    }

    pub(super) fn resume(&mut self, cx: &Cx<'_>) {
        if self.state == PevState::Paused && self.timers.due(Timer::Resume).is_none() {
            self.timers.set(Timer::Resume, cx.now + T_CONN_RESUME);
            self.settle(cx);
        }
    }

    pub(super) fn error(&mut self, cx: &mut Cx<'_>) {
        if !matches!(self.state, PevState::Unmatched | PevState::Waiting | PevState::GaveUp) {
            self.lost(cx, Failure::Asked);
        }
    }

    pub(super) fn no_session(&mut self, cx: &mut Cx<'_>) {
        match (self.state, self.chosen) {
            (PevState::Matched, Some(peer)) => {
                self.aside.add(cx.now, peer);
                self.lost(cx, Failure::NoSession { peer });
            }
            _ => self.error(cx),
        }
    }

    /// Draws a random key, unless the modem was in no network.
    pub(super) fn leave(&mut self, cx: &mut Cx<'_>) {
        if self.modem.in_network {
            self.modem.in_network = false;
            self.set_key(NetworkKey::derived(Nmk::new(random(cx))));
            self.events.push(Event::Left);
        }
    }

    pub(super) fn set_key(&mut self, key: NetworkKey) {
        if self.modem.key != Some(key) {
            self.modem.key = Some(key);
            self.modem.ready = false;
            self.modem.link = false;
        }
    }
}
