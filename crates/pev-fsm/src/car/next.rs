//! What follows: the car goes by its protocol's order.

use machine::Duration;
use session::{By, Cause, Checkpoint, Exchange, Names};

use super::{Car, Timer};
use crate::Time;
use crate::order::{self, Next, Row, State};

impl Car {
    /// What follows where the session is.
    pub(super) fn row(&self) -> Row {
        Row::of(order::of(self.session.protocol), self.session.state)
    }

    /// The names of an exchange's messages in the protocol that is spoken.
    pub(super) fn names(&self, exchange: Exchange) -> Names {
        exchange.names(self.session.protocol)
    }

    /// The answer is good, or what was waited for is there.
    pub(super) fn done(&mut self) {
        self.go(self.row().done);
    }

    /// The answer says that it is not done yet.
    pub(super) fn again(&mut self) {
        if let Some(pause) = self.row().again {
            self.pause(pause);
        }
    }

    /// What is to be asked next waits for so long.
    pub(super) fn pause(&mut self, pause: Time) {
        self.session.timers.set(Timer::Pace, self.now + self.config.time(pause));
    }

    /// The next step of an orderly end.
    pub(super) fn follow_stop(&mut self) {
        self.go(self.row().stopping);
    }

    pub(super) fn go(&mut self, next: Next) {
        match next {
            Next::Ask(exchange) => self.ask(exchange),
            Next::Lock => self.drive_lock(),
            Next::Close => self.close_contactors(),
            Next::Grant => {
                self.session.state = State::Granted;
                self.again();
            }
            Next::Open => {
                self.power_down(Duration::ZERO);
                self.open();
            }
            Next::Rest => {
                self.power_down(self.config.time(Time::Rest));
                self.checkpoint(Checkpoint::PILOT_BACK_TO_B);
                self.open();
            }
            Next::Over => self.over(),
            Next::Stay => {}
        }
    }

    /// Pilot C, and the connector is locked.
    fn drive_lock(&mut self) {
        self.session.timers.clear(Timer::Loop);
        self.power.make_ready();
        self.plug.hold();
        self.checkpoint(Checkpoint::PILOT_C);
        self.checkpoint(Checkpoint::LOCK_DRIVEN);
        self.session.state = State::Locking;
        self.session.timers.set(Timer::Lock, self.now + self.config.time(Time::Lock));
    }

    /// Pilot B was set; the contactors are waited for.
    fn open(&mut self) {
        for timer in [Timer::Pace, Timer::Lock, Timer::Loop] {
            self.session.timers.clear(timer);
        }
        self.session.state = State::Opening { powered: self.session.was_powered };
        self.opened();
    }

    /// Goes on once the contactors are open.
    pub(super) fn opened(&mut self) {
        if matches!(self.session.state, State::Opening { .. }) && self.power.is_off() {
            self.done();
        }
    }

    /// No more messages: the connection is to be closed.
    pub(super) fn over(&mut self) {
        self.power_down(Duration::ZERO);
        self.session.timers.clear_all();
        self.session.is_waiting = false;
        self.session.state = State::Over;
        self.close = self.is_connected;
        if self.session.stop.is_none() {
            self.stop_for(By::Car, Cause::Finished);
        }
    }
}
