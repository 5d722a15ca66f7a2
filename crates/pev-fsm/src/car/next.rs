//! The next step, by the order of the protocol.

use machine::Duration;
use session::{By, Cause, Checkpoint, Exchange, Names};

use super::{Car, Timer};
use crate::Time;
use crate::order::{self, Next, Row, State};

impl Car {
    /// The row of the current state.
    pub(super) fn row(&self) -> Row {
        Row::of(order::of(self.session.protocol), self.session.state)
    }

    /// The names of an exchange's messages in the session's protocol.
    pub(super) fn names(&self, exchange: Exchange) -> Names {
        exchange.names(self.session.protocol)
    }

    /// The response is accepted, or the awaited event has occurred.
    pub(super) fn done(&mut self) {
        self.go(self.row().done);
    }

    /// The response reports that processing is not finished.
    pub(super) fn again(&mut self) {
        if let Some(pause) = self.row().again {
            self.pause(pause);
        }
    }

    /// Delays the next request by this time.
    pub(super) fn pause(&mut self, pause: Time) {
        self.session.timers.set(Timer::Pace, self.now + self.config.time(pause));
    }

    /// The next step of a normal end.
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

    /// Sets pilot C and locks the connector.
    fn drive_lock(&mut self) {
        self.session.timers.clear(Timer::Loop);
        self.power.make_ready();
        self.plug.hold();
        self.checkpoint(Checkpoint::PILOT_C);
        self.checkpoint(Checkpoint::LOCK_DRIVEN);
        self.session.state = State::Locking;
        self.session.timers.set(Timer::Lock, self.now + self.config.time(Time::Lock));
    }

    /// Sets pilot B and waits for the contactors to open.
    fn open(&mut self) {
        for timer in [Timer::Pace, Timer::Lock, Timer::Loop] {
            self.session.timers.clear(timer);
        }
        self.session.state = State::Opening { powered: self.session.was_powered };
        self.opened();
    }

    /// Continues once the contactors are open.
    pub(super) fn opened(&mut self) {
        if matches!(self.session.state, State::Opening { .. }) && self.power.is_off() {
            self.done();
        }
    }

    /// Sends no more messages: the connection is to be closed.
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
