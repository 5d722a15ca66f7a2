use homeplug_mme::view::{
    NscmGetVersionCnf, NscmGetVersionReq, NscmResetDeviceReq, RsDevCnf, RsDevReq, SwVerCnf, SwVerReq,
};
use homeplug_mme::{Frame, Mac};
use machine::{Cx, Deadline, Duration, Instant, Machine, Queue, Retry, Timers, TooShort, timers};

use super::{Peer, TransferFault};
use crate::profile::{Profile, Vendor};
use crate::restart::{POLL, Restart};

/// Wait for the confirmation of a restart, and number of requests; judgement.
const ANSWER: Duration = Duration::from_millis(1000);
const TRIES: u8 = 3;

const EVENTS: usize = 4;

/// Restarts a modem and waits until it responds again.
#[derive(Debug)]
pub struct Reset {
    peer: Peer,
    /// Its address after the restart, if it changes.
    later: Peer,
    vendor: Vendor,
    stage: Stage,
    /// Whether the last request is unanswered.
    asked: bool,
    send: bool,
    timers: Timers<Timer, 1>,
    events: Queue<ResetEvent, EVENTS>,
}

/// Events of a [`Reset`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetEvent {
    /// The modem confirms that it restarts.
    Confirmed,
    /// The modem responds again.
    Back,
    /// The restart failed.
    Failed(TransferFault),
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Stopped,
    Asking(Retry),
    Waiting(Restart),
}

timers! {
    enum Timer {
        Step = "modem reset",
    }
}

impl Reset {
    /// A restart of the modem at `target`, or of the one on the own cable ([`Mac::LOCAL_MODEM`]).
    ///
    /// # Errors
    /// If `target` is not the address of one modem.
    pub fn new(own: Mac, target: Mac, profile: &Profile) -> Result<Self, TransferFault> {
        let peer = Peer::new(own, target)?;
        Ok(Self::of(peer, peer, profile.vendor))
    }

    pub(super) const fn of(peer: Peer, later: Peer, vendor: Vendor) -> Self {
        Self {
            peer,
            later,
            vendor,
            stage: Stage::Stopped,
            asked: false,
            send: false,
            timers: Timers::new(),
            events: Queue::new(),
        }
    }

    /// Begins.
    pub fn start(&mut self, cx: &mut Cx<'_>) {
        // Lumissil's modems never confirm.
        let tries = if self.vendor == Vendor::Qualcomm { TRIES } else { 1 };
        self.ask(cx.now, Retry::new(tries, ANSWER));
    }

    fn ask(&mut self, now: Instant, mut retry: Retry) {
        // No response: it may restart nevertheless, or be in a restart already.
        let Some(due) = retry.again(now) else { return self.wait(now, Restart::new(now)) };
        self.stage = Stage::Asking(retry);
        self.send = true;
        self.timers.set(Timer::Step, due);
    }

    fn wait(&mut self, now: Instant, restart: Restart) {
        self.stage = Stage::Waiting(restart);
        self.send = true;
        self.asked = true;
        self.timers.set(Timer::Step, now + POLL);
    }

    fn finish(&mut self, event: ResetEvent) {
        self.stage = Stage::Stopped;
        self.send = false;
        self.timers.clear_all();
        self.events.push(event);
    }

    fn on_step(&mut self, now: Instant) {
        match self.stage {
            Stage::Stopped => {}
            Stage::Asking(retry) => self.ask(now, retry),
            Stage::Waiting(mut restart) => {
                if self.asked {
                    restart.missed();
                }
                if restart.is_over(now) {
                    self.finish(ResetEvent::Failed(TransferFault::NotBack));
                } else {
                    self.wait(now, restart);
                }
            }
        }
    }

    fn on_version(&mut self, now: Instant, version: &[u8]) {
        let Stage::Waiting(mut restart) = self.stage else { return };
        self.asked = false;
        let back = restart.answered(now);
        self.stage = Stage::Waiting(restart);
        if back && version.starts_with(b"BootLoader") {
            self.finish(ResetEvent::Failed(TransferFault::NoFirmware));
        } else if back {
            self.finish(ResetEvent::Back);
        }
    }
}

impl Machine for Reset {
    /// A whole Ethernet frame.
    type Input<'a> = &'a [u8];
    type Route = ();
    type Event = ResetEvent;

    fn handle(&mut self, cx: &mut Cx<'_>, bytes: &[u8]) {
        let Ok(frame) = Frame::parse(bytes) else { return };
        if let Some(answer) = self.later.get::<SwVerCnf>(&frame) {
            self.on_version(cx.now, answer.text());
        } else if self.later.get::<NscmGetVersionCnf>(&frame).is_some() {
            self.on_version(cx.now, &[]);
        } else if let (Some(answer), Stage::Asking(_)) = (self.peer.get::<RsDevCnf>(&frame), self.stage) {
            if answer.mstatus == 0 {
                self.events.push(ResetEvent::Confirmed);
                self.wait(cx.now, Restart::new(cx.now));
            } else {
                self.finish(ResetEvent::Failed(TransferFault::Refused(answer.mstatus.into())));
            }
        }
    }

    fn handle_timeout(&mut self, cx: &mut Cx<'_>) {
        while let Some(Timer::Step) = self.timers.expired(cx.now) {
            self.on_step(cx.now);
        }
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        if !self.send {
            return Ok(None);
        }
        let len = match (self.stage, self.vendor) {
            (Stage::Asking(_), Vendor::Lumissil) => self.peer.emit(&NscmResetDeviceReq::default(), buffer),
            (Stage::Asking(_), _) => self.peer.emit(&RsDevReq::default(), buffer),
            (_, Vendor::Lumissil) => self.later.emit(&NscmGetVersionReq::default(), buffer),
            _ => self.later.emit(&SwVerReq::default(), buffer),
        }?;
        self.send = false;
        Ok(Some((len, ())))
    }

    fn poll_event(&mut self) -> Option<ResetEvent> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        self.timers.next()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::profile::{LUMISSIL, UNKNOWN};
    use crate::script::{Bench, MODEM, OTHER, OWN, Script, from, sent};
    use std::vec;

    fn bench(profile: &Profile, script: Script) -> Bench<Reset> {
        let mut bench = Bench::new(Reset::new(OWN, Mac::LOCAL_MODEM, profile).unwrap(), script);
        bench.with(Reset::start);
        bench
    }

    #[test]
    fn a_restarted_modem_is_waited_for() {
        let mut script = Script::new();
        script.lose = vec![0xA01C];
        let mut bench = bench(&UNKNOWN, script);
        assert_eq!(bench.run(1100), [ResetEvent::Confirmed]);
        assert_eq!(bench.run(3000), []);
        assert_eq!(bench.run(2000), [ResetEvent::Back]);
        assert_eq!(bench.run(60_000), []);
        assert_eq!(bench.machine.poll_timeout(), None);
    }

    #[test]
    fn a_lumissil_modem_is_restarted_by_its_own_message() {
        let script = Script { firmware: None, lumissil: true, ..Script::new() };
        let mut bench = bench(&LUMISSIL, script);
        assert_eq!(bench.run(10_000), [ResetEvent::Back]);
        assert_eq!((bench.modem.asked(0xAC70), bench.modem.asked(0xA01C)), (1, 0));
    }

    #[test]
    fn a_modem_that_refuses_stays_away_or_loses_its_firmware_is_a_failure() {
        let failed = |fault| vec![ResetEvent::Failed(fault)];
        let mut absent = bench(&UNKNOWN, Script { firmware: None, ..Script::new() });
        absent.modem.lose = vec![0xA01C; 3];
        assert_eq!(absent.run(30_000), failed(TransferFault::NotBack));

        let mut refused = Bench::new(Reset::new(OWN, MODEM, &UNKNOWN).unwrap(), Script::new());
        refused.with(Reset::start);
        refused.with(|reset, cx| reset.handle(cx, &from(OTHER, &RsDevCnf { mstatus: 6 })));
        refused.with(|reset, cx| reset.handle(cx, &sent(&RsDevCnf { mstatus: 7 })));
        assert_eq!(refused.run(0), failed(TransferFault::Refused(7)));

        let mut bare = bench(&UNKNOWN, Script { firmware: Some("BootLoader"), ..Script::new() });
        assert_eq!(bare.run(10_000).last(), Some(&ResetEvent::Failed(TransferFault::NoFirmware)));

        assert!(matches!(Reset::new(OWN, Mac::BROADCAST, &UNKNOWN), Err(TransferFault::NotOneModem)));
    }
}
