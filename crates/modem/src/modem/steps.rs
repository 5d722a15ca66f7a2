use machine::{Cx, Duration, Instant, Retry};

use super::{Ask, Modem, ModemEvent, ModemFault, State, Timer};
use crate::profile::Vendor;
use crate::restart::{POLL, Restart};

/// Pause between two searches, and after [`FAST_SEARCHES`] of them: judgement.
const SEARCH: Duration = Duration::from_millis(500);
const SEARCH_SLOW: Duration = Duration::from_secs(2);
/// Searches before the modem counts as absent: a modem that is restarting is found within them; judgement.
const FAST_SEARCHES: u8 = 12;
/// Wait for the response to a key (the vendor's tools wait 0.5 to 1 s).
const KEY_ANSWER: Duration = Duration::from_millis(500);
/// How many times a key is sent before the modem counts as faulty: judgement.
const KEY_TRIES: u8 = 3;
/// How many times an ineffective key is set again before the modem counts as faulty: judgement.
const KEY_ROUNDS: u8 = 3;
/// How many times the key is requested after a restart: a modem reports no network in its first second
/// (observed in `2022-11-25_v0.2_ABB`); judgement.
const VERIFY_TRIES: u8 = 6;
/// Pause after a fault: judgement.
const FAULT_PAUSE: Duration = Duration::from_secs(10);
/// Pause between two requests to an idle modem: short enough to detect the 1.3 s of a restart.
const PRESENCE: Duration = Duration::from_millis(1000);
/// Minimum of the caller's interval: a modem takes up to 20 ms to respond (observed).
const MIN_LINK_INTERVAL: Duration = Duration::from_millis(50);
/// Consecutive unanswered requests after which the modem counts as absent: judgement.
const SILENCE: u8 = 4;

/// The next step and its time.
impl Modem {
    pub(super) fn search(&mut self, now: Instant, searches: u8) {
        self.state = State::Searching { searches };
        for (vendor, ask) in [(Vendor::Qualcomm, Ask::Version), (Vendor::Lumissil, Ask::LumissilVersion)] {
            if self.config.profile.is_none_or(|profile| profile.vendor == vendor) {
                self.asks.push(ask);
            }
        }
        let pause = if searches < FAST_SEARCHES { SEARCH } else { SEARCH_SLOW };
        self.timers.set(Timer::Step, now + pause);
    }

    /// The modem responds: sets the required key if it has another one, else becomes idle.
    pub(super) fn proceed(&mut self, cx: &mut Cx<'_>) {
        match self.wanted {
            Some(_) if self.wanted != self.confirmed => self.begin_key(cx),
            Some(_) => self.rest(cx.now, Some(false)),
            None => self.rest(cx.now, None),
        }
    }

    pub(super) fn begin_key(&mut self, cx: &mut Cx<'_>) {
        self.confirmed = None;
        self.had_link = self.link != Some(false);
        self.rejoined = None;
        if self.link == Some(true) {
            self.change_link(false);
        }
        self.link = None;
        self.timers.clear(Timer::Hold);
        if self.rounds >= KEY_ROUNDS {
            return self.fail(cx.now, ModemFault::KeyNotTaken);
        }
        self.rounds += 1;
        self.new_nonce(cx);
        self.send_key(cx.now, Retry::new(KEY_TRIES, KEY_ANSWER));
    }

    fn send_key(&mut self, now: Instant, mut retry: Retry) {
        let Some(due) = retry.again(now) else { return self.fail(now, ModemFault::KeyNotConfirmed) };
        self.state = State::SettingKey(retry);
        self.asks.push(Ask::SetKey);
        self.timers.set(Timer::Step, due);
    }

    /// Requests the modem's key.
    pub(super) fn begin_verifying(&mut self, cx: &mut Cx<'_>) {
        self.verify(cx, Retry::new(VERIFY_TRIES, KEY_ANSWER));
    }

    fn verify(&mut self, cx: &mut Cx<'_>, mut retry: Retry) {
        let Some(due) = retry.again(cx.now) else { return self.proceed(cx) };
        self.state = State::Verifying(retry);
        self.asks.push(Ask::GetKey);
        if self.watches() {
            self.asks.push(Ask::Link);
        }
        self.timers.set(Timer::Step, due);
    }

    /// The modem is ready: only watches it.
    pub(super) fn rest(&mut self, now: Instant, verified: Option<bool>) {
        self.state = State::Present { unanswered: 0 };
        self.doubt = false;
        if let Some(verified) = verified {
            self.rounds = 0;
            self.events.push(ModemEvent::Ready { verified });
        }
        self.ask_present(now);
    }

    pub(super) fn ask_present(&mut self, now: Instant) {
        let watches = self.watches();
        let ask = if watches { Ask::Link } else { self.version_ask() };
        self.asks.push(ask);
        self.asked = true;
        let pause = if watches { self.link_interval() } else { PRESENCE };
        self.timers.set(Timer::Step, now + pause);
    }

    pub(super) fn watches(&self) -> bool {
        self.watching && self.family().tells_link
    }

    pub(super) fn link_interval(&self) -> Duration {
        self.config.link_interval.max(MIN_LINK_INTERVAL)
    }

    pub(super) fn ask_restarting(&mut self, now: Instant, restart: Restart) {
        self.state = State::Restarting(restart);
        self.asks.push(self.version_ask());
        self.asked = true;
        if self.watches() && self.family().tells_key {
            self.asks.push(Ask::GetKey);
            self.asks.push(Ask::Link);
        }
        self.timers.set(Timer::Step, now + POLL);
    }

    pub(super) fn version_ask(&self) -> Ask {
        if self.family().vendor == Vendor::Lumissil { Ask::LumissilVersion } else { Ask::Version }
    }

    pub(super) fn fail(&mut self, now: Instant, fault: ModemFault) {
        self.events.push(ModemEvent::Fault(fault));
        self.rounds = 0;
        self.state = State::Faulty;
        // A modem that was restarting is found again soon; one that accepts no key is tried again after a
        // pause.
        let once = fault == ModemFault::KeyNotConfirmed && !core::mem::replace(&mut self.has_failed, true);
        self.timers.set(Timer::Step, now + if once { SEARCH } else { FAULT_PAUSE });
    }

    pub(super) fn new_nonce(&mut self, cx: &mut Cx<'_>) {
        cx.entropy.fill(&mut self.nonce);
        // Never zero: a repeated zero would be no evidence.
        let [first, ..] = &mut self.nonce;
        *first |= 1;
    }

    /// No recent response has reported that the link is up.
    pub(super) fn link_missed(&mut self, now: Instant) {
        match self.rejoined.take() {
            Some(rejoined) if now < rejoined => self.timers.set(Timer::Hold, rejoined),
            _ => self.change_link(false),
        }
    }

    pub(super) fn change_link(&mut self, up: bool) {
        if self.link != Some(up) {
            self.link = Some(up);
            self.events.push(ModemEvent::Link(up));
        }
    }

    pub(super) fn on_step(&mut self, cx: &mut Cx<'_>) {
        match self.state {
            State::Stopped => {}
            State::Searching { searches } => {
                let searches = searches.saturating_add(1);
                if searches == FAST_SEARCHES {
                    self.events.push(ModemEvent::NotFound);
                }
                self.search(cx.now, searches);
            }
            State::SettingKey(retry) => self.send_key(cx.now, retry),
            State::Restarting(mut restart) => {
                if self.asked {
                    restart.missed();
                }
                if restart.is_over(cx.now) {
                    self.events.push(ModemEvent::Fault(ModemFault::NotBack));
                    self.search(cx.now, FAST_SEARCHES);
                } else {
                    self.ask_restarting(cx.now, restart);
                }
            }
            State::Verifying(retry) => self.verify(cx, retry),
            State::Present { unanswered } => self.on_present_step(cx, unanswered),
            State::Faulty => self.search(cx.now, 0),
        }
    }

    pub(super) fn on_present_step(&mut self, cx: &mut Cx<'_>, unanswered: u8) {
        let unanswered = if self.asked { unanswered.saturating_add(1) } else { 0 };
        self.doubt |= unanswered > 0;
        if unanswered >= SILENCE {
            self.events.push(ModemEvent::Silent);
            return self.search(cx.now, 0);
        }
        self.state = State::Present { unanswered };
        if self.doubt && self.confirmed.is_some() && self.family().tells_key {
            self.new_nonce(cx);
            self.asks.push(Ask::GetKey);
        }
        self.ask_present(cx.now);
    }
}
