use homeplug_mme::view::{
    GetKeyCnf, NscmGetDLinkStatusCnf, NscmGetVersionCnf, PlLinkStatusCnf, SetKeyCnf, SwVerCnf,
};
use homeplug_mme::{Frame, Mac, MessageError, Nid, Nmk};
use machine::{Cx, Duration, Instant};

use super::{Modem, ModemEvent, ModemFault, State, Timer};
use crate::profile::{LUMISSIL, Profile};
use crate::restart::Restart;

/// The link counts as lost if no response has reported `up` for this many and a half intervals: one lost
/// response is not a lost link; judgement.
const HOLD_INTERVALS: u64 = 2;

/// What `CM_GET_KEY.CNF` shows about the key.
enum Verdict {
    Same,
    Other,
    Unknown,
}

/// Processing of the modem's responses.
impl Modem {
    fn on_version(&mut self, cx: &mut Cx<'_>, from: Mac, version: &[u8]) {
        // While the link is watched no key is requested: a forged frame of the modem cannot end a session.
        let asked = match self.state {
            State::Searching { .. } | State::Restarting(_) => true,
            State::Present { .. } => !self.watches(),
            _ => false,
        };
        if !asked {
            return;
        }
        self.firmware = crate::firmware(version);
        if version.starts_with(b"BootLoader") {
            self.address = Some(from);
            return self.fail(cx.now, ModemFault::NoFirmware);
        }
        self.on_present(cx, from, Profile::of_firmware(version));
    }

    /// The modem responded to a presence request.
    fn on_present(&mut self, cx: &mut Cx<'_>, from: Mac, profile: &'static Profile) {
        match self.state {
            State::Searching { .. } => {
                self.address = Some(from);
                let profile = self.config.profile.unwrap_or(profile);
                self.profile = Some(profile);
                self.events.push(ModemEvent::Found { address: from, profile });
                self.check(cx);
            }
            State::Restarting(mut restart) => {
                self.asked = false;
                let back = restart.answered(cx.now);
                self.state = State::Restarting(restart);
                if back {
                    self.check(cx);
                }
            }
            _ => {}
        }
    }

    /// The modem is back: requests its key, if it can report one.
    fn check(&mut self, cx: &mut Cx<'_>) {
        if self.confirmed.is_none() || self.confirmed != self.wanted {
            return self.proceed(cx);
        }
        if self.family().tells_key {
            self.new_nonce(cx);
            self.begin_verifying(cx);
        } else if matches!(self.state, State::Restarting(_)) {
            self.proceed(cx);
        } else {
            // Its key is uncertain after an absence.
            self.begin_key(cx);
        }
    }

    fn on_set_key(&mut self, cx: &mut Cx<'_>, answer: &SetKeyCnf) {
        // The result is ignored: modems that accept the key answer 1 (39 of 40 captured).
        if matches!(self.state, State::SettingKey(_)) && answer.your_nonce == self.nonce {
            self.confirmed = self.wanted;
            self.has_failed = false;
            self.ask_restarting(cx.now, Restart::new(cx.now));
        }
    }

    fn on_get_key(&mut self, cx: &mut Cx<'_>, answer: &GetKeyCnf) {
        if answer.your_nonce != self.nonce {
            return;
        }
        let verdict = self.verdict(answer);
        if let State::Restarting(restart) = &mut self.state {
            return restart.showed_key(matches!(verdict, Verdict::Same));
        }
        match (self.state, verdict) {
            (State::Verifying(_), Verdict::Same) => self.rest(cx.now, Some(true)),
            (State::Present { .. }, Verdict::Same) => self.doubt = false,
            (State::Verifying(_) | State::Present { .. }, Verdict::Other) => {
                self.events.push(ModemEvent::OtherKey);
                self.begin_key(cx);
            }
            _ => {}
        }
    }

    /// The modem reports its network even if it refuses the key; a modem that has not joined reports the key
    /// alone.
    fn verdict(&self, answer: &GetKeyCnf) -> Verdict {
        let Some(key) = self.confirmed else { return Verdict::Unknown };
        let unknown = answer.nid == Nid::default();
        let hidden = answer.key == Nmk::new([0; Nmk::LEN]);
        match (unknown, hidden) {
            (true, true) => Verdict::Unknown,
            (true, false) if answer.key == key.nmk => Verdict::Same,
            (false, _) if answer.nid == key.nid => Verdict::Same,
            _ => Verdict::Other,
        }
    }

    fn on_link(&mut self, now: Instant, up: bool) {
        match self.state {
            _ if !self.watching => return,
            State::Present { .. } => {}
            State::Restarting(_) if !up => {
                self.had_link = false;
                return;
            }
            State::Restarting(restart) if restart.shows_key() => {
                // Some report the new key with the old network's link, and restart only then.
                self.rejoined = self.had_link.then(|| restart.rejoined());
                self.rest(now, Some(true));
            }
            // It has joined before it could report its key, and may report it later.
            State::Verifying(_) if up => {
                self.rest(now, Some(false));
                self.doubt = true;
            }
            _ => return,
        }
        if up {
            let interval = self.link_interval().as_micros();
            let hold = interval.saturating_mul(HOLD_INTERVALS).saturating_add(interval / 2);
            self.timers.set(Timer::Hold, now + Duration::from_micros(hold));
            self.change_link(true);
        } else if self.link.is_none() {
            self.link = Some(false);
        }
    }

    pub(super) fn on_frame(&mut self, cx: &mut Cx<'_>, frame: &Frame<'_>) -> Result<(), MessageError> {
        if let Some(answer) = frame.get::<SwVerCnf>() {
            self.on_version(cx, frame.from, answer?.text());
        } else if let Some(answer) = frame.get::<NscmGetVersionCnf>() {
            answer?;
            self.on_present(cx, frame.from, &LUMISSIL);
        } else if let Some(answer) = frame.get::<SetKeyCnf>() {
            self.on_set_key(cx, &answer?);
        } else if let Some(answer) = frame.get::<GetKeyCnf>() {
            self.on_get_key(cx, &answer?);
        } else if let Some(answer) = frame.get::<PlLinkStatusCnf>() {
            let answer = answer?;
            self.on_link(cx.now, answer.mstatus == 0 && answer.link_status == 1);
        } else if let Some(answer) = frame.get::<NscmGetDLinkStatusCnf>() {
            self.on_link(cx.now, answer?.link_status == 1);
        }
        Ok(())
    }
}
