//! Stops: their reason, and the status that the car receives.

use control_pilot::Level;
use machine::{Duration, TimerName};
use session::{By, Cause, Checkpoint, Detail, Latch, StopReason, Time};

use super::Charger;
use super::state::{Stop, Timer};
use crate::found::Found;
use crate::order::State;
use crate::power::SAFE_OPEN;
use crate::request::Verdict;
use crate::{Event, Operator, Quirks, Status, wire};

impl Charger {
    /// Time for a car to end the session in which it has reported an error: 3 s (judgement).
    const ERROR_GRACE: Duration = Duration::from_secs(3);

    /// Records the reason; a later one replaces it only if it is worse.
    pub(super) fn stop_for(&mut self, by: By, found: impl Into<Found>, status: Status) {
        let Found { cause, compared } = found.into();
        let held_up = (cause == Cause::HeldUp).then_some(self.unseen);
        let reason =
            StopReason::new(by, cause, self.phase).with(Detail { compared, held_up, ..Detail::default() });
        let is_first = self.session.stop.is_none();
        let stop = self.session.stop.get_or_insert(Stop { reason, status });
        if status.is_unsafe() && !stop.status.is_unsafe() {
            stop.status = status;
        }
        if !is_first && !is_worse(cause, stop.reason) {
            return;
        }
        stop.reason = reason;
        self.events.push(Event::Stopping(reason));
        self.count(cause);
        if is_first {
            self.set(Timer::Close, Time::CloseAfterStop);
            self.begin_fall(cause);
        }
    }

    /// From the start of a stop voltage and current only decrease. A car that the charger has requested to
    /// stop has [`Time::StopGrace`](session::Time::StopGrace) for it.
    fn begin_fall(&mut self, cause: Cause) {
        let is_asked = matches!(cause, Cause::OperatorStop | Cause::NotAuthorised);
        let grace = self.config.times.get(Time::StopGrace);
        // A car that reports an error ends the session itself and gets 0 A meanwhile.
        let grace = if is_asked { grace } else { grace.min(Self::ERROR_GRACE) };
        self.power.fall(self.now, if is_asked { grace } else { Duration::ZERO });
        if self.power.is_at_car() {
            self.session.timers.set(Timer::StopGrace, self.now + grace);
        }
    }

    /// Stores the response code of a refusal, for the details of the stop.
    pub(super) fn note_refusal(&mut self, verdict: Verdict, error: u8) {
        let protocol = self.session.protocol;
        let notifies = self.config.quirks.contains(Quirks::NOTIFY_STOP);
        if let Some(Stop { reason, status }) = &mut self.session.stop
            && reason.detail.code.is_none()
        {
            let compared = reason.detail.compared;
            reason.detail = Detail {
                code: Some(wire::verdict_name(protocol, verdict)),
                status: Some(status.name()),
                notification: notifies.then_some(wire::stop_notification(protocol)),
                error: wire::error_name(protocol, error).filter(|_| error != 0),
                compared,
                ..Detail::default()
            };
        }
    }

    /// Makes the outputs SAFE: 0 V and 0 A now, pilot steady, contactors open below 1 A or after 100 ms.
    pub(super) fn make_safe(&mut self, by: By, found: impl Into<Found>, status: Status) {
        self.power.stop(self.now, SAFE_OPEN);
        self.pilot.halt(self.now);
        let found = found.into();
        self.latch_at_once(found.cause);
        if self.session.state != State::NoSession {
            self.stop_for(by, found, status);
        }
    }

    pub(super) fn emergency_stop(&mut self) {
        if self.latched >= Some(Latch::EmergencyStop) && !self.power.is_energised() {
            return;
        }
        self.latch(Latch::EmergencyStop);
        self.make_safe(By::Operator, Cause::EmergencyStop, Status::EmergencyShutdown);
    }

    pub(super) fn operator(&mut self, word: Operator) {
        match word {
            Operator::Authorise(yes) => {
                self.authorised = Some(yes);
                if yes {
                    self.checkpoint(Checkpoint::USER_AUTHORISES);
                } else if self.session.state.is_authorised() {
                    self.orderly_stop(Cause::NotAuthorised);
                }
            }
            Operator::Stop => {
                // Without this a car that tries again would charge again.
                self.stopped = self.level != Some(Level::A);
                self.orderly_stop(Cause::OperatorStop);
            }
            Operator::EmergencyStop => self.emergency_stop(),
            Operator::Reset => self.reset(),
            Operator::Latch(latch) => self.latch(latch),
            Operator::Available(yes) => {
                self.available = yes;
                if !yes && self.session.state != State::NoSession {
                    self.orderly_stop(Cause::OperatorStop);
                }
            }
            Operator::Retry if self.session.state == State::NoSession => self.pilot.halt(self.now),
            Operator::Retry => {}
        }
    }

    /// Requests the car to stop, and reduces the current. While the car's contactors may be closed or
    /// closing, the voltage stays: slow contacts would otherwise close onto a dead output (DIN SPEC 70121:
    /// the car ends the session, then the voltage is removed).
    pub(super) fn orderly_stop(&mut self, cause: Cause) {
        if self.session.state == State::NoSession {
            return;
        }
        self.stop_for(By::Operator, cause, Status::Shutdown);
        if !self.power.is_at_car() {
            self.power.stop(self.now, self.config.times.get(Time::PowerOffDelay));
        }
    }

    pub(super) fn expired(&mut self, timer: Timer) {
        match timer {
            // A connection without any message: it is closed, the pilot stays.
            Timer::Setup if self.session.state == State::Handshake => self.session.close = true,
            Timer::Close => self.session.close = true,
            // The car does not follow: the charger reduces the current itself.
            Timer::StopGrace => self.power.stop(self.now, self.config.times.get(Time::PowerOffDelay)),
            // The car sends valid requests: the next one is refused with this cause, then the session ends.
            Timer::Authorisation | Timer::CableCheck | Timer::PreCharge => {
                self.make_safe(By::Charger, Cause::Timeout(timer.name()), Status::Malfunction);
            }
            Timer::Setup | Timer::Sequence | Timer::Welding => {
                self.make_safe(By::Charger, Cause::Timeout(timer.name()), Status::Malfunction);
                self.session.state = State::StopOnly;
                self.session.close = true;
            }
        }
    }
}

/// Whether a cause is worse than the recorded reason. The usual consequences of a stop are not. A fault is
/// worse than a normal end, an electrical one worse than any other. A pilot that shows the plug out explains
/// an earlier proximity fault.
fn is_worse(cause: Cause, told: StopReason) -> bool {
    let follows = matches!(
        cause,
        Cause::Unplugged
            | Cause::LeftReady
            | Cause::LinkLost
            | Cause::ConnectionLost(_)
            | Cause::OutOfOrder(_)
            | Cause::UnknownSession(_)
            | Cause::Refused(_)
    );
    let resolves = (told.cause, cause) == (Cause::ProximityFault, Cause::Unplugged);
    resolves || !follows && severity(StopReason { cause, ..told }) > severity(told)
}

/// Severity by the groups of exit codes: 0 normal, 1 a fault, 2 electrical or an emergency stop.
fn severity(reason: StopReason) -> u8 {
    match reason.exit_code() {
        0 => 0,
        10 | 50..=59 | 70.. => 2,
        _ => 1,
    }
}
