//! Common parts of charger and car while their loop runs: log lines for the loop's events, and the last line
//! for every kind of end.

use std::any::Any;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hal_linux::{
    Clock, Counters, Error, Happening, Notify, OsEntropy, Outcome, PlantBackend, Port, Role, Runner, Signals,
};
use machine::Instant;
use session::{By, Cause, Phase, StopReason};

use crate::exit::Exit;
use crate::reporter::Reporter;
use crate::said::Said;

/// Reports the loop's events that are not the role's own.
pub(crate) fn report<E>(reporter: &mut Reporter<'_, '_>, at: Instant, happening: &Happening<'_, E>) {
    match happening {
        Happening::Frame(direction, frame) => reporter.frame(at, *direction, frame),
        Happening::Lost(length) => reporter.told(at, Said::NotSent(*length)),
        Happening::Tick => reporter.tick(at),
        Happening::PlantFailed(fault) => {
            let words = format!("warning: the plant failed and is made SAFE: {fault}");
            reporter.told(at, Said::Loop("plant failed", words));
        }
        Happening::PlantGood => {
            reporter.told(at, Said::Loop("plant good", "the plant gives readings again".into()));
        }
        Happening::InterfaceDown => {
            let words = "warning: the network interface is down or gone; waiting for it".into();
            reporter.told(at, Said::Loop("interface down", words));
        }
        Happening::InterfaceUp => {
            reporter.told(at, Said::Loop("interface up", "the network interface is back".into()));
        }
        Happening::HeldUp(late) => {
            let tenths = (late.as_millis() + 50) / 100;
            let words = format!("warning: the program was held up for {}.{} s", tenths / 10, tenths % 10);
            reporter.told(at, Said::Loop("held up", words));
        }
        Happening::Counters(counters) => reporter.say(at, counters.to_string()),
        Happening::Event(_) | Happening::StopRequested => {}
    }
}

/// Observer of a role's loop.
pub(crate) trait Observes<E> {
    /// Writes a line.
    fn say(&mut self, at: Instant, words: &str);
    /// Handles an event; `Break` ends the loop.
    fn take(&mut self, at: Instant, happening: Happening<'_, E>) -> ControlFlow<()>;
    /// Writes the last line. Returns the exit.
    fn end(&mut self, at: Instant, ran: &Ran) -> Exit;
}

/// Runs a role's loop to its end: writes the first lines, the events and the last line.
pub(crate) fn run<R, P, B>(
    role: &mut R,
    port: &mut P,
    plant: &mut B,
    clock: Clock,
    signals: &Signals,
    first: &[String],
    observer: &mut impl Observes<R::Event>,
) -> Exit
where
    R: Role,
    P: Port,
    B: PlantBackend<Demand = R::Demand, Reading = R::Reading>,
{
    for words in first {
        observer.say(clock.now(), words);
    }
    let runner = Runner {
        role,
        port,
        plant,
        clock,
        entropy: &mut OsEntropy,
        signals,
        notify: Notify::from_env(),
        counters: &mut Counters::default(),
    };
    let ran =
        catch_unwind(AssertUnwindSafe(|| runner.run(&mut |at, happening| observer.take(at, happening))));
    observer.end(clock.now(), &ran)
}

/// Result of a loop; the outer error is a panic.
pub(crate) type Ran = std::thread::Result<Result<Outcome, Error>>;

/// Reports the end with the stop reason as the last line. `session` is the phase of a session that is still
/// open; `own` is this side.
pub(crate) fn end(
    reporter: &mut Reporter<'_, '_>,
    at: Instant,
    ran: &Ran,
    session: Option<Phase>,
    own: By,
    before: Option<StopReason>,
) -> Exit {
    let cut_off = |by, cause| session.map(|phase| StopReason::new(by, cause, phase)).or(before);
    let (reason, exit) = match ran {
        Ok(Ok(Outcome::Ended)) => (before, None),
        Ok(Ok(Outcome::Interrupted)) => (cut_off(By::Operator, Cause::OperatorStop), Some(Exit::Interrupted)),
        Ok(Err(error)) => {
            reporter.say(at, format!("the network cannot be used any more: {error}"));
            let cause = Cause::ConnectionLost("the program's own socket");
            (cut_off(By::Network, cause), Some(Exit::Session(code_of_network(error))))
        }
        Err(panic) => {
            reporter.say(at, format!("the program failed: {}", words_of(&**panic)));
            let phase = session.unwrap_or(Phase::Idle);
            (Some(StopReason::new(own, Cause::ProgramFailed, phase)), None)
        }
    };
    let last = reason.map_or_else(|| "stopped: there was no session".into(), |reason| reason.to_string());
    reporter.end(&last);
    exit.unwrap_or_else(|| reason.map_or(Exit::Good, |reason| Exit::Session(reason.exit_code())))
}

fn code_of_network(error: &Error) -> u8 {
    if error.is_access() { 3 } else { 1 }
}

/// The message of a panic.
fn words_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbox::Inbox;
    use crate::log_writer::with_log_writer;
    use crate::reporter::How;
    use hal_linux::Clock;

    /// The lines and the exit for such an end.
    fn ended(ran: &Ran, session: Option<Phase>, before: Option<StopReason>) -> (Vec<String>, Exit) {
        let (mut out, inbox) = (Vec::new(), Inbox::default());
        let exit = with_log_writer(&mut out, None, |writer| {
            let mut reporter = Reporter::new(writer, &inbox, Clock::start(), How::default());
            end(&mut reporter, Instant::ZERO, ran, session, By::Charger, before)
        });
        (String::from_utf8(out).unwrap().lines().map(ToOwned::to_owned).collect(), exit)
    }

    /// A case: result of the loop, open session, earlier stop reason, begin of the last line, exit.
    type Row<'a> = (Ran, Option<Phase>, Option<StopReason>, &'a str, Exit);

    #[test]
    fn the_stop_reason_is_the_last_line_whatever_was_the_end() {
        let finished = StopReason::new(By::Car, Cause::Finished, Phase::SessionStop);
        let loop_phase = Some(Phase::ChargeLoop);
        let panicked = || Err(Box::new("index out of range") as Box<dyn Any + Send>);
        let taken = || Error::Taken { name: "plc0".into(), holder: "process 1".into() };
        let table: [Row<'_>; 7] = [
            (Ok(Ok(Outcome::Ended)), None, None, "stopped: there was no session", Exit::Good),
            (Ok(Ok(Outcome::Ended)), None, Some(finished), "stopped by the car in ", Exit::Session(0)),
            (
                Ok(Ok(Outcome::Interrupted)),
                loop_phase,
                Some(finished),
                "stopped by the operator in CurrentDemand: stop requested",
                Exit::Interrupted,
            ),
            (Ok(Ok(Outcome::Interrupted)), None, Some(finished), "stopped by the car in ", Exit::Interrupted),
            (
                Ok(Err(taken())),
                loop_phase,
                None,
                "stopped by the network in CurrentDemand: connection lost",
                Exit::Session(3),
            ),
            (
                panicked(),
                loop_phase,
                None,
                "stopped by the charger in CurrentDemand: program failed",
                Exit::Session(42),
            ),
            (
                panicked(),
                None,
                Some(finished),
                "stopped by the charger in Idle: program failed",
                Exit::Session(42),
            ),
        ];
        for (ran, session, before, last, expected) in table {
            let (lines, exit) = ended(&ran, session, before);
            assert!(lines.last().unwrap().starts_with(last), "{lines:?}");
            assert_eq!(exit, expected, "{lines:?}");
        }
    }

    #[test]
    fn an_error_and_a_panic_are_in_the_log_before_the_last_line() {
        let down: Ran = Ok(Err(Error::Down("plc0".into())));
        assert!(ended(&down, None, None).0[0].contains("interface plc0 is down"));
        let panicked: Ran = Err(Box::new(String::from("a bug")));
        assert!(ended(&panicked, None, None).0[0].ends_with("the program failed: a bug"));
    }
}
