use crate::Phase;
use core::fmt;
use machine::Duration;

/// The side that ended the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The car: by message, pilot or plug.
    Car,
    /// The charger: by its own decision.
    Charger,
    /// A person or a back end, at either side.
    Operator,
    /// The modem, the link or the connection.
    Network,
}

/// What ended the session. Closed: every program matches every variant.
///
/// A contained name is that of the timer, message, reading or status, as in logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The car ended the session normally.
    Finished,
    /// Someone requested the end at the charger or in the car.
    OperatorStop,
    /// The emergency stop was pressed.
    EmergencyStop,
    /// The authorisation was refused or withdrawn.
    NotAuthorised,
    /// The plug was pulled: pilot A at the charger, the proximity wire in the car.
    Unplugged,
    /// The release button of the plug was pressed (proximity).
    Released,
    /// The proximity wire shows no resistance that a plug has, or no plug although the pilot shows one: a
    /// short, a break or a wrong resistor.
    ProximityFault,
    /// The car left pilot C or D while it had to be ready: its hardware stop request.
    LeftReady,
    /// Pilot E or F: a short, a broken wire or the peer's fault signal.
    PilotFault,
    /// The pilot's duty cycle differs from the demanded one or is lost.
    PilotLost,
    /// A timer expired; its name.
    Timeout(&'static str),
    /// A message came out of order; its name.
    OutOfOrder(&'static str),
    /// A message of another session; its name.
    UnknownSession(&'static str),
    /// The content of a message was refused; the message's name.
    Refused(&'static str),
    /// Too many messages that do not decode.
    Undecodable,
    /// The peer answered with a FAILED code; the message's name.
    FailedResponse(&'static str),
    /// The charger's stop button or back end: the charger requested a normal end.
    StoppedAtCharger,
    /// The car reported the error with this code (`DC_EVErrorCode`, 1..=11).
    CarError(u8),
    /// The charger reported Shutdown, Malfunction or Emergency; the status's name.
    ChargerStatus(&'static str),
    /// Both sides have no protocol in common.
    NoCommonProtocol,
    /// A reading that a safety rule needs is missing or too old; its name.
    StaleReading(&'static str),
    /// The program was delayed: it handled a deadline far too late.
    HeldUp,
    /// The isolation test failed, or the monitor reported a fault.
    Isolation,
    /// The isolation monitor makes no new measurements, or failed its self-test.
    MonitorHangs,
    /// Voltage where none is allowed: a contactor may be welded.
    WeldSuspected,
    /// A contactor did not follow its command.
    Contactor,
    /// The connector lock did not confirm its command.
    Lock,
    /// Over-voltage at the output.
    OverVoltage,
    /// Over-current, or current where none is allowed.
    OverCurrent,
    /// Current against the direction of charging.
    ReverseCurrent,
    /// A current was demanded and none was measured.
    NoCurrent,
    /// The voltage did not reach the target or left it.
    VoltageOff,
    /// Two own sensors contradict each other; their names.
    Suspect(&'static str),
    /// The battery's voltage has the wrong sign.
    Polarity,
    /// The pins of the inlet are too hot, or their sensor is faulty.
    InletHot,
    /// The peer closed the connection or it broke; how.
    ConnectionLost(&'static str),
    /// The power-line link was lost.
    LinkLost,
    /// The modem does not answer.
    NoModem,
    /// SLAC found no match.
    NoMatch,
    /// No charger answered discovery.
    NoDiscovery,
    /// The announced port accepts no connection.
    NoConnection,
    /// The network interface is down or removed.
    InterfaceDown,
    /// The program failed.
    ProgramFailed,
}

/// Why a session stopped: the last line of every log and the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopReason {
    /// The side that ended the session.
    pub by: By,
    /// What ended the session.
    pub cause: Cause,
    /// The phase of the session at that moment.
    pub phase: Phase,
    /// Values that explain the cause.
    pub detail: Detail,
}

/// What the peer reported when the session ended, and which values were compared; `None` where it does not
/// apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// The response code.
    pub code: Option<&'static str>,
    /// The charger's status.
    pub status: Option<&'static str>,
    /// The charger's notification.
    pub notification: Option<&'static str>,
    /// The car's error.
    pub error: Option<&'static str>,
    /// The values that caused the stop.
    pub compared: Option<Compared>,
    /// How long the program was delayed.
    pub held_up: Option<Duration>,
}

/// A value and the value that it was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The measured or reported quantity, as in a log: `inlet voltage`.
    pub what: &'static str,
    /// Its value in thousandths of `unit`.
    pub found: i32,
    /// What it was compared with: `battery voltage`.
    pub against: &'static str,
    /// Its value in thousandths of `unit`.
    pub limit: i32,
    /// `V`, `A` or `degC`.
    pub unit: &'static str,
}

impl By {
    /// The name in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Car => "the car",
            Self::Charger => "the charger",
            Self::Operator => "the operator",
            Self::Network => "the network",
        }
    }
}

/// (exit code, name, what happened, advice).
type Words = (u8, &'static str, &'static str, &'static str);

impl Cause {
    /// Every cause, in groups of exit codes. Contained names are `"..."`, the code of the car's error is 0.
    #[rustfmt::skip] // one group of exit codes a line
    pub const ALL: &'static [Self] = &[
        Self::Finished, Self::OperatorStop, Self::StoppedAtCharger,
        Self::EmergencyStop, Self::NotAuthorised,
        Self::Unplugged, Self::LeftReady, Self::PilotFault, Self::PilotLost, Self::Released,
        Self::ProximityFault,
        Self::Timeout("..."), Self::OutOfOrder("..."), Self::UnknownSession("..."), Self::Refused("..."),
        Self::Undecodable, Self::FailedResponse("..."), Self::CarError(0), Self::ChargerStatus("..."),
        Self::NoCommonProtocol,
        Self::StaleReading("..."), Self::HeldUp, Self::ProgramFailed,
        Self::Isolation, Self::WeldSuspected, Self::Contactor, Self::Lock, Self::OverVoltage,
        Self::OverCurrent, Self::VoltageOff, Self::InletHot, Self::MonitorHangs, Self::ReverseCurrent,
        Self::ConnectionLost("..."), Self::LinkLost, Self::NoModem, Self::NoMatch, Self::NoDiscovery,
        Self::NoConnection, Self::InterfaceDown,
        Self::NoCurrent, Self::Suspect("..."), Self::Polarity,
    ];

    /// The cause's name without its content: `Timeout`.
    pub const fn name(self) -> &'static str {
        self.words().1
    }

    /// The contained name of a timer, message, reading or status; `None` where the cause has none.
    pub const fn subject(self) -> Option<&'static str> {
        match self {
            Self::Timeout(name)
            | Self::OutOfOrder(name)
            | Self::UnknownSession(name)
            | Self::Refused(name)
            | Self::FailedResponse(name)
            | Self::ChargerStatus(name)
            | Self::StaleReading(name)
            | Self::Suspect(name)
            | Self::ConnectionLost(name) => Some(name),
            _ => None,
        }
    }

    #[rustfmt::skip] // a table reads best with one row a line
    const fn words(self) -> Words {
        match self {
            Self::Finished => (0, "Finished", "ended normally", "nothing to do"),
            Self::OperatorStop => (0, "OperatorStop", "stop requested", "nothing to do"),
            Self::StoppedAtCharger => (0, "StoppedAtCharger", "stopped at the charger", "nothing to do"),
            Self::EmergencyStop => (10, "EmergencyStop", "emergency stop", "find out why, release the button, then reset or plug in again"),
            Self::NotAuthorised => (11, "NotAuthorised", "not authorised", "authorise within the ongoing timer, or charge freely by configuration"),
            Self::Unplugged => (20, "Unplugged", "plug out (pilot or proximity)", "plug in again; if no one pulled it, look at the pilot and proximity wires"),
            Self::LeftReady => (21, "LeftReady", "car left pilot C/D", "the car asked for the end by hardware: read its own fault memory"),
            Self::PilotFault => (22, "PilotFault", "pilot E or F", "look for a short or a broken pilot wire and at the diode"),
            Self::Released => (24, "Released", "release button pressed", "plug in again and leave the button alone while charging"),
            Self::ProximityFault => (25, "ProximityFault", "proximity shows no plug, the pilot does", "look for a short, a break or a wrong resistor on the proximity wire"),
            Self::PilotLost => (23, "PilotLost", "pilot duty cycle lost", "measure the pilot: 1 kHz, +-12 V, 5 %"),
            Self::Timeout(_) => (30, "Timeout", "timer ran out", "see which side was silent in the last lines before; relax the timer only if it answers late"),
            Self::OutOfOrder(_) => (31, "OutOfOrder", "message out of order", "compare the order with the checkpoints before; the sender is wrong, or a response was lost"),
            Self::UnknownSession(_) => (32, "UnknownSession", "message of another session", "the sender must echo the session id with the same length and bytes"),
            Self::Refused(_) => (33, "Refused", "message refused", "compare its values with the other side's limits in the log"),
            Self::Undecodable => (34, "Undecodable", "messages do not decode", "record the traffic and decode it: wrong schema or a broken encoder"),
            Self::FailedResponse(_) => (35, "FailedResponse", "answered with a failure", "the response code names the cause"),
            Self::CarError(_) => (36, "CarError", "car reports an error", "see DC_EVErrorCode in the log and the car's fault memory"),
            Self::ChargerStatus(_) => (37, "ChargerStatus", "charger's status ends it", "look at the charger"),
            Self::NoCommonProtocol => (38, "NoCommonProtocol", "no protocol in common", "see the offered namespaces; DIN SPEC 70121 is needed"),
            Self::StaleReading(_) => (40, "StaleReading", "reading missing or too old", "the adapter must deliver it at least every 200 ms"),
            Self::HeldUp => (41, "HeldUp", "program held up", "something stopped or blocked it: find that before energising again"),
            Self::ProgramFailed => (42, "ProgramFailed", "program failed", "a bug: report it with the lines before this one"),
            Self::Isolation => (50, "Isolation", "isolation fault", "measure the isolation of cable and inlet before the next try"),
            Self::MonitorHangs => (58, "MonitorHangs", "isolation monitor makes no new measurements or fails its self-test", "check the monitor's supply, its connection and its own fault memory"),
            Self::WeldSuspected => (51, "WeldSuspected", "voltage where there must be none", "a contactor may be welded: do not touch, measure"),
            Self::Contactor => (52, "Contactor", "contactor did not follow", "check its coil, supply and feedback contact"),
            Self::Lock => (53, "Lock", "connector lock failed", "check the lock's drive and feedback"),
            Self::OverVoltage => (54, "OverVoltage", "over-voltage", "latched: find the cause, then reset"),
            Self::OverCurrent => (55, "OverCurrent", "over-current", "latched: find the cause, then reset"),
            Self::ReverseCurrent => (59, "ReverseCurrent", "current flows backwards", "latched: look at the power stage and the sign of the current sensor, then reset"),
            Self::NoCurrent => (70, "NoCurrent", "current was demanded and did not come", "look at the power stage and the current sensor"),
            Self::Suspect(_) => (71, "Suspect", "sensors contradict each other", "latched: measure, replace the wrong sensor, then reset; release the plug by hand only after measuring below 60 V"),
            Self::Polarity => (72, "Polarity", "battery voltage has the wrong sign", "check the wiring of the battery and of its sensor before energising"),
            Self::VoltageOff => (56, "VoltageOff", "voltage off its target", "look at the power stage and at the precharge log"),
            Self::InletHot => (57, "InletHot", "inlet too hot", "let it cool; look for dirty or loose pins, and at the temperature sensor"),
            Self::ConnectionLost(_) => (60, "ConnectionLost", "connection lost", "if unexpected, look at the power-line link"),
            Self::LinkLost => (61, "LinkLost", "power-line link lost", "check coupling, attenuation and pilot noise"),
            Self::NoModem => (62, "NoModem", "no modem answers", "check its supply and the Ethernet or SPI connection"),
            Self::NoMatch => (63, "NoMatch", "SLAC found no match", "check the modem's role (PIB) and the coupling to the pilot"),
            Self::NoDiscovery => (64, "NoDiscovery", "no discovery answer", "the charger must answer SDP on UDP 15118 over the matched link"),
            Self::NoConnection => (65, "NoConnection", "no TCP connection", "only the port announced by discovery is the right one"),
            Self::InterfaceDown => (66, "InterfaceDown", "network interface is down", "bring it up again: the program waits for it"),
        }
    }
}

impl StopReason {
    /// A reason without details.
    pub const fn new(by: By, cause: Cause, phase: Phase) -> Self {
        let detail = Detail {
            code: None,
            status: None,
            notification: None,
            error: None,
            compared: None,
            held_up: None,
        };
        Self { by, cause, phase, detail }
    }

    /// The reason with these details.
    #[must_use]
    pub const fn with(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// The exit code of a program that ends with this reason. 0 is a normal end; every other cause has its
    /// own number: 10.. people, 20.. pilot, 30.. messages and timers, 40.. own program, 50.. and 70..
    /// electrical, 60.. network.
    pub const fn exit_code(self) -> u8 {
        self.cause.words().0
    }

    /// What to do, in one line.
    pub fn advice(self) -> &'static str {
        match self.cause {
            Cause::ChargerStatus("EmergencyShutdown") => {
                "the charger's emergency stop, or an emergency shutdown of its own, was the cause: look there"
            }
            Cause::VoltageOff if self.phase == Phase::CableCheck => {
                "look at the power stage: a slow one needs more time to raise or to settle, one that keeps a voltage a bleeder"
            }
            cause => cause.words().3,
        }
    }

    /// Whether this reason replaces `told`, the earlier one: only if it is worse. An electrical fault or an
    /// emergency is worse than any other failure, which is worse than a normal end. The usual consequences of
    /// a stop never replace its reason: the plug is pulled, the pilot leaves C, the charger shuts down.
    pub fn replaces(self, told: Self) -> bool {
        let follows = matches!(
            self.cause,
            Cause::Unplugged
                | Cause::Released
                | Cause::LeftReady
                | Cause::ChargerStatus("Shutdown" | "UtilityInterrupt")
        );
        !follows && self.badness() > told.badness()
    }

    /// Severity: 0 normal, 1 failed, 2 electrical or emergency.
    const fn badness(self) -> u8 {
        match self.exit_code() {
            0 => 0,
            10 | 50..=59 | 70..=79 => 2,
            _ => 1,
        }
    }

    /// Whether the session ended normally (exit code 0).
    pub const fn is_normal(self) -> bool {
        self.exit_code() == 0
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words().2)?;
        match (self.subject(), self) {
            (Some(subject), _) => write!(f, " ({subject})"),
            (None, Self::CarError(code)) => write!(f, " ({code})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for StopReason {
    /// One line: which side, the phase, the cause, and the advice.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, cause, phase, detail } = self;
        write!(f, "stopped by {} in {phase}: {cause}{detail}; {}", by.name(), self.advice())
    }
}

impl fmt::Display for Detail {
    /// Each present part, after a comma: `, FAILED, EVSE_EmergencyShutdown, inlet voltage 0.0 V against
    /// battery voltage 350.1 V`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = [self.code, self.status, self.notification, self.error];
        said.into_iter().flatten().try_for_each(|name| write!(f, ", {name}"))?;
        if let Some(compared) = self.compared {
            write!(f, ", {compared}")?;
        }
        match self.held_up {
            Some(time) => {
                write!(f, ", for {} s", Tenths(i32::try_from(time.as_millis()).unwrap_or(i32::MAX)))
            }
            None => Ok(()),
        }
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, found, against, limit, unit } = *self;
        write!(f, "{what} {} {unit} against {against} {} {unit}", Tenths(found), Tenths(limit))
    }
}

/// Thousandths, shown with one decimal place.
struct Tenths(i32);

impl fmt::Display for Tenths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 <= -100 { "-" } else { "" };
        let tenths = self.0.unsigned_abs() / 100;
        write!(f, "{sign}{}.{}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeSet;
    use std::string::ToString;

    #[test]
    fn each_failure_has_an_exit_code_of_its_own() {
        let codes: BTreeSet<u8> = Cause::ALL.iter().map(|cause| cause.words().0).collect();
        assert_eq!(codes.len(), Cause::ALL.len() - 2, "only the three normal ends share a code");
        assert!(codes.iter().all(|code| *code < 100));
    }

    #[test]
    fn a_cause_is_called_as_it_is_written_and_the_list_has_each() {
        for cause in Cause::ALL {
            let written = std::format!("{cause:?}");
            assert_eq!(cause.name(), written.split('(').next().unwrap());
        }
        // The table has one row for each cause; its match has no wildcard.
        let rows = include_str!("stop.rs").lines().filter(|line| {
            line.trim_start().starts_with("Self::") && line.contains(" => (") && line.contains(", \"")
        });
        assert_eq!(rows.count(), Cause::ALL.len());
    }

    #[test]
    fn the_last_line_says_who_where_what_and_what_to_do() {
        let stop = StopReason::new(By::Charger, Cause::Timeout("sequence"), Phase::ChargeLoop);
        let line = stop.to_string();
        assert!(line.starts_with("stopped by the charger in CurrentDemand: timer ran out (sequence); "));
        assert!(!stop.is_normal() && line.ends_with(stop.advice()));
        assert!(!line.contains('\n'));
    }

    #[test]
    fn a_reason_is_replaced_only_by_a_worse_one_that_does_not_follow_from_it() {
        let reason = |cause| StopReason::new(By::Car, cause, Phase::ChargeLoop);
        let table = [
            (Cause::OperatorStop, Cause::Timeout("x"), true),
            (Cause::OperatorStop, Cause::Contactor, true),
            (Cause::CarError(4), Cause::InletHot, true),
            (Cause::PilotLost, Cause::EmergencyStop, true),
            (Cause::OperatorStop, Cause::Finished, false),
            (Cause::OperatorStop, Cause::Unplugged, false),
            (Cause::Finished, Cause::ChargerStatus("Shutdown"), false),
            (Cause::Finished, Cause::ChargerStatus("EmergencyShutdown"), true),
            (Cause::Unplugged, Cause::ConnectionLost("RST"), false),
            (Cause::EmergencyStop, Cause::Contactor, false),
            (Cause::Contactor, Cause::OperatorStop, false),
        ];
        for (told, later, replaces) in table {
            assert_eq!(reason(later).replaces(reason(told)), replaces, "{told} {later}");
        }
    }

    #[test]
    fn an_emergency_shutdown_of_the_charger_has_words_of_its_own() {
        let stop = |name| StopReason::new(By::Charger, Cause::ChargerStatus(name), Phase::ChargeLoop);
        assert!(stop("EmergencyShutdown").to_string().contains("emergency stop"));
        assert_eq!(stop("Malfunction").advice(), "look at the charger");
        let off = |phase| StopReason::new(By::Charger, Cause::VoltageOff, phase).advice();
        assert!(off(Phase::CableCheck).contains("more time to raise or to settle"));
        assert!(off(Phase::PreCharge).contains("precharge log"));
    }

    #[test]
    fn the_last_line_says_what_the_other_side_said_and_what_was_compared() {
        let compared = Compared { what: "inlet", found: -40, against: "battery", limit: -350_150, unit: "V" };
        let detail = Detail { code: Some("FAILED"), compared: Some(compared), ..Detail::default() };
        let stop = StopReason::new(By::Charger, Cause::FailedResponse("x"), Phase::PreCharge).with(detail);
        let line = stop.to_string();
        assert!(line.contains("(x), FAILED, inlet 0.0 V against battery -350.1 V; "), "{line}");
        let held_up = Detail { held_up: Some(Duration::from_millis(400)), ..Detail::default() };
        let stop = StopReason::new(By::Car, Cause::HeldUp, Phase::PreCharge).with(held_up);
        assert!(stop.to_string().contains("program held up, for 0.4 s; "), "{stop}");
    }
}
