//! The steps of a script, and their effects.

use std::net::Ipv6Addr;

use machine::{Cx, Duration};
use pev_fsm::Operator as CarOperator;
use roles::{EvseInput, PevInput};

use super::act::Act;
use super::forge::{Forged, STRANGER, forge};
use super::injector::FaultInjector;
use super::packet::{self, ACK, RST, SYN};
use super::senses;
use super::setup::{CAR, CHARGER, port};
use super::words::{Args, Form};
use crate::plant::{ContactorFault, Fault, LockFault, PilotFault, Sensor, SensorFault, Side, StageFault};
use crate::power_line::Weather;
use crate::{Host, Injection, Span, World};
use evse_fsm::Operator;

/// An action of a script.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// On the message or frame that it waited for.
    Act(Act),
    /// On the world.
    Inject(Injection),
    /// A node hangs for this time.
    Stall(Side, Duration),
    /// A node's program ends, and starts again after `DOWN` with only the latch that it had reported.
    Restart(Side),
    /// A switch or level is read wrong for this time.
    Glitch(Side, Sensor, Duration),
    /// The pilot wire opens for this time.
    PilotBounce(Duration),
    /// An action of the charger's operator.
    Charger(Operator),
    /// An action of the car's driver.
    Car(CarOperator),
    /// The car's owner changes a request.
    Wish(Wish),
    /// A node receives a forged frame.
    Hear(Side, Forged),
    /// For this time a node receives this many frames a second that are not addressed to it.
    Flood(Side, u64, Duration),
    /// No action: the step only waits.
    Nothing,
}

/// A request of a car's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Target state of charge in percent.
    Enough(u8),
    /// At most this voltage in mV.
    Volts(i32),
    /// At most this current in mA.
    Amperes(i32),
}

fn inject(injection: Injection) -> Action {
    Action::Inject(injection)
}

fn fault(fault: Fault) -> Action {
    inject(Injection::Hardware(CHARGER, fault))
}

fn sensor(args: &Args, make: SensorFault) -> Action {
    // The line was rejected if no such sensor exists.
    let known = senses::sensor(&args.word(0)).unwrap_or(Sensor::Voltage);
    fault(Fault::Sensor(args.who(), known, make))
}

fn weather(loss_permille: u16, duplicate_permille: u16, delay: Span) -> Action {
    inject(Injection::PathWeather(
        CHARGER,
        CAR,
        Weather { loss_permille, duplicate_permille, delay, ..Weather::default() },
    ))
}

/// Downtime of a program that restarts: longer than the heartbeat.
pub(super) const DOWN: Duration = Duration::from_secs(2);

/// Most frames of one flood: each is stored until it is due.
const FLOOD: u64 = 1_000_000;

/// The forms of all steps.
#[rustfmt::skip] // a table reads best with one row a line
pub(super) const FORMS: &[Form<Action>] = &[
    Form { words: "nothing", make: |_| Action::Nothing },
    // The message or frame that was awaited.
    Form { words: "withhold", make: |_| Action::Act(Act::Withhold) },
    Form { words: "delay TIME", make: |a| Action::Act(Act::Delay(a.time())) },
    Form { words: "twice", make: |_| Action::Act(Act::Twice) },
    Form { words: "set WORD WORD", make: |a| Action::Act(Act::Set(a.word(0), a.word(1))) },
    Form { words: "become REST", make: |a| Action::Act(Act::Become(a.word(0))) },
    Form { words: "repeat WORD N", make: |a| Action::Act(Act::Repeat(a.word(0), a.fit(0))) },
    Form { words: "append BYTES", make: |a| Action::Act(Act::Append(a.bytes())) },
    Form { words: "prepend BYTES", make: |a| Action::Act(Act::Prepend(a.bytes())) },
    Form { words: "payload BYTES", make: |a| Action::Act(Act::Payload(a.bytes())) },
    Form { words: "raw BYTES", make: |a| Action::Act(Act::Raw(a.bytes())) },
    Form { words: "cut N", make: |a| Action::Act(Act::Cut(a.fit(0))) },
    Form { words: "pieces N", make: |a| Action::Act(Act::Pieces(a.fit(0))) },
    Form { words: "put N BYTES", make: |a| Action::Act(Act::Put(a.fit(0), a.bytes())) },
    Form { words: "spoil N BYTES", make: |a| Action::Act(Act::Spoil(a.fit(0), a.bytes())) },
    Form { words: "lose N segments", make: |a| Action::Act(Act::LoseSegments(a.fit::<u32>(0).saturating_sub(1))) },
    // Plug, line and modems.
    Form { words: "plug", make: |_| inject(Injection::Plug(CAR)) },
    Form { words: "unplug", make: |_| inject(Injection::Unplug(CAR)) },
    Form { words: "cut line", make: |_| inject(Injection::Partition(CHARGER, CAR, true)) },
    Form { words: "mend line", make: |_| inject(Injection::Partition(CHARGER, CAR, false)) },
    Form { words: "attenuation N dB", make: |a| inject(Injection::Attenuation(CHARGER, CAR, a.fit(0))) },
    Form { words: "line loses N permille", make: |a| weather(a.fit(0), 0, Span::ZERO) },
    Form { words: "line doubles N permille", make: |a| weather(0, a.fit(0), Span::ZERO) },
    Form { words: "line delays N ms", make: |a| weather(0, 0, Span::millis(a.fit(0), a.fit(0))) },
    Form { words: "restart modem of WHO for TIME", make: |a| inject(Injection::RestartModem(port(a.who()), a.time())) },
    Form { words: "freeze modem of WHO", make: |a| inject(Injection::FreezeModem(port(a.who()), true)) },
    Form { words: "thaw modem of WHO", make: |a| inject(Injection::FreezeModem(port(a.who()), false)) },
    // Programs.
    Form { words: "freeze WHO", make: |a| inject(Injection::FreezeNode(port(a.who()), true)) },
    Form { words: "thaw WHO", make: |a| inject(Injection::FreezeNode(port(a.who()), false)) },
    Form { words: "stall WHO TIME", make: |a| Action::Stall(a.who(), a.time()) },
    Form { words: "restart WHO", make: |a| Action::Restart(a.who()) },
    // Operator, driver and owner.
    Form { words: "operator authorises", make: |_| Action::Charger(Operator::Authorise(true)) },
    Form { words: "operator refuses", make: |_| Action::Charger(Operator::Authorise(false)) },
    Form { words: "operator stops", make: |_| Action::Charger(Operator::Stop) },
    Form { words: "operator resets", make: |_| Action::Charger(Operator::Reset) },
    Form { words: "operator retries", make: |_| Action::Charger(Operator::Retry) },
    Form { words: "operator closes", make: |_| Action::Charger(Operator::Available(false)) },
    Form { words: "operator opens", make: |_| Action::Charger(Operator::Available(true)) },
    Form { words: "driver stops", make: |_| Action::Car(CarOperator::Stop) },
    Form { words: "driver starts", make: |_| Action::Car(CarOperator::Start) },
    Form { words: "driver resets", make: |_| Action::Car(CarOperator::Reset) },
    Form { words: "owner wants N %", make: |a| Action::Wish(Wish::Enough(a.fit(0))) },
    Form { words: "owner bears voltage VALUE", make: |a| Action::Wish(Wish::Volts(a.fit(0))) },
    Form { words: "owner bears current VALUE", make: |a| Action::Wish(Wish::Amperes(a.fit(0))) },
    Form { words: "emergency stop of WHO", make: |a| fault(Fault::EmergencyStop(a.who(), true)) },
    Form { words: "release stop of WHO", make: |a| fault(Fault::EmergencyStop(a.who(), false)) },
    // Hardware.
    Form { words: "contactors of WHO weld", make: |a| fault(Fault::Contactors(a.who(), ContactorFault::Welded)) },
    Form { words: "contactors of WHO stay open", make: |a| fault(Fault::Contactors(a.who(), ContactorFault::StuckOpen)) },
    Form { words: "contactors of WHO mend", make: |a| fault(Fault::Contactors(a.who(), ContactorFault::Sound)) },
    Form { words: "pilot open", make: |_| fault(Fault::Pilot(PilotFault::Open)) },
    Form { words: "pilot short", make: |_| fault(Fault::Pilot(PilotFault::Short)) },
    Form { words: "pilot without diode", make: |_| fault(Fault::Pilot(PilotFault::NoDiode)) },
    Form { words: "pilot duty N permille", make: |a| fault(Fault::Pilot(PilotFault::Duty(a.fit(0)))) },
    Form { words: "pilot bounces TIME", make: |a| Action::PilotBounce(a.time()) },
    Form { words: "pilot mends", make: |_| fault(Fault::Pilot(PilotFault::Sound)) },
    Form { words: "proximity open", make: |_| fault(Fault::ProximityOpen(true)) },
    Form { words: "leak N ohm", make: |a| fault(Fault::Leak(a.fit(0))) },
    Form { words: "stage dead", make: |_| fault(Fault::Stage(StageFault::Dead)) },
    Form { words: "stage scaled N permille", make: |a| fault(Fault::Stage(StageFault::Scaled(a.fit(0)))) },
    Form { words: "stage runs away", make: |_| fault(Fault::Stage(StageFault::Runaway)) },
    Form { words: "stage stuck", make: |_| fault(Fault::Stage(StageFault::Stuck)) },
    Form { words: "stage adds VALUE", make: |a| fault(Fault::Stage(StageFault::Extra(a.fit(0)))) },
    Form { words: "stage draws VALUE", make: |a| fault(Fault::Stage(StageFault::Draws(a.fit(0)))) },
    Form { words: "stage mends", make: |_| fault(Fault::Stage(StageFault::Sound)) },
    Form { words: "lock of WHO springs open", make: |a| fault(Fault::Lock(a.who(), LockFault::SpringsOpen)) },
    Form { words: "lock of WHO stays open", make: |a| fault(Fault::Lock(a.who(), LockFault::StaysOpen)) },
    Form { words: "lock of WHO stays closed", make: |a| fault(Fault::Lock(a.who(), LockFault::StaysClosed)) },
    Form { words: "lock of WHO mends", make: |a| fault(Fault::Lock(a.who(), LockFault::Sound)) },
    Form { words: "sensor of WHO WORD absent", make: |a| sensor(a, SensorFault::Absent) },
    Form { words: "sensor of WHO WORD frozen", make: |a| sensor(a, SensorFault::Frozen) },
    Form { words: "sensor of WHO WORD silent", make: |a| sensor(a, SensorFault::Silent) },
    Form { words: "sensor of WHO WORD sound", make: |a| sensor(a, SensorFault::Sound) },
    Form { words: "sensor of WHO WORD off VALUE", make: |a| sensor(a, SensorFault::Offset(a.fit(0))) },
    Form { words: "sensor of WHO WORD scaled N permille", make: |a| sensor(a, SensorFault::Scaled(a.fit(0))) },
    Form { words: "sensor of WHO WORD noisy VALUE", make: |a| sensor(a, SensorFault::Noisy(a.fit(0))) },
    Form { words: "sensor of WHO WORD stuck at WORD", make: |a| sensor(a, SensorFault::Stuck(senses::says(&a.word(1)).unwrap_or(0))) },
    Form { words: "sensor of WHO WORD reversed", make: |a| sensor(a, SensorFault::Reversed) },
    Form { words: "glitch of WHO WORD TIME", make: |a| Action::Glitch(a.who(), senses::sensor(&a.word(0)).unwrap_or(Sensor::Contactors), a.time()) },
    Form { words: "monitor fails its test", make: |_| fault(Fault::SelfTestFails(true)) },
    Form { words: "monitor mends", make: |_| fault(Fault::SelfTestFails(false)) },
    Form { words: "bleeder breaks", make: |_| fault(Fault::BleederOpen(true)) },
    Form { words: "bleeder mends", make: |_| fault(Fault::BleederOpen(false)) },
    Form { words: "silence WHO", make: |a| fault(Fault::Silence(a.who(), true)) },
    Form { words: "battery goes", make: |_| fault(Fault::BatteryGone(true)) },
    Form { words: "battery returns", make: |_| fault(Fault::BatteryGone(false)) },
    // Forged frames.
    Form { words: "WHO hears discovery N", make: |a| Action::Hear(a.who(), Forged::Discovery(true, a.fit(0))) },
    Form { words: "WHO hears discovery of stranger", make: |a| Action::Hear(a.who(), Forged::Discovery(false, 16)) },
    Form { words: "WHO hears datagram BYTES", make: |a| Action::Hear(a.who(), Forged::Datagram(a.bytes())) },
    Form { words: "WHO hears answer at WORD port N security N", make: |a| Action::Hear(a.who(), Forged::Answer(true, a.word(0).parse().unwrap_or(Ipv6Addr::UNSPECIFIED), a.fit(0), a.fit(1))) },
    Form { words: "WHO hears answer of stranger", make: |a| Action::Hear(a.who(), Forged::Answer(false, STRANGER.1, 50_000, 16)) },
    Form { words: "WHO hears syn", make: |a| Action::Hear(a.who(), Forged::Tcp { opens: true, is_peer: true }) },
    Form { words: "WHO hears syn of stranger", make: |a| Action::Hear(a.who(), Forged::Tcp { opens: true, is_peer: false }) },
    Form { words: "WHO hears old reset", make: |a| Action::Hear(a.who(), Forged::Tcp { opens: false, is_peer: true }) },
    Form { words: "WHO hears reset N ahead", make: |a| Action::Hear(a.who(), Forged::Blind { flags: RST, ahead: a.fit(0), payload: Vec::new() }) },
    Form { words: "WHO hears opening N ahead", make: |a| Action::Hear(a.who(), Forged::Blind { flags: SYN, ahead: a.fit(0), payload: Vec::new() }) },
    Form { words: "WHO hears blind BYTES", make: |a| Action::Hear(a.who(), Forged::Blind { flags: ACK, ahead: 0, payload: a.bytes() }) },
    Form { words: "WHO hears claim", make: |a| Action::Hear(a.who(), Forged::Claim(true)) },
    Form { words: "WHO hears wish", make: |a| Action::Hear(a.who(), Forged::Claim(false)) },
    Form { words: "WHO hears router", make: |a| Action::Hear(a.who(), Forged::Router) },
    Form { words: "WHO hears N frames a second for TIME", make: |a| Action::Flood(a.who(), a.fit(0), a.time()) },
    Form { words: "WHO hears frame BYTES", make: |a| Action::Hear(a.who(), Forged::Bytes(a.bytes())) },
];

impl Action {
    /// Carries it out, unless it was applied to a message already.
    pub(super) fn perform(&self, world: &mut World<FaultInjector<'_>>) {
        match self {
            Self::Act(_) | Self::Nothing => (),
            Self::Inject(injection) => world.inject(world.now(), *injection),
            Self::Stall(side, time) => {
                world.inject(world.now(), Injection::FreezeNode(port(*side), true));
                world.inject(world.now() + *time, Injection::FreezeNode(port(*side), false));
            }
            Self::Restart(side) => {
                world.tell(port(*side), |node, _| node.end());
                world.inject(world.now(), Injection::FreezeNode(port(*side), true));
                world.inject(world.now() + DOWN, Injection::FreezeNode(port(*side), false));
            }
            Self::Glitch(side, sensor, time) => {
                // An inverted switch; a pilot and a proximity wire as if no plug were inserted.
                let wrong = match sensor {
                    Sensor::Pilot | Sensor::Proximity => SensorFault::Stuck(0),
                    _ => SensorFault::Reversed,
                };
                let fault = |fault| Fault::Sensor(*side, *sensor, fault);
                passes(world, *time, fault(wrong), fault(SensorFault::Sound));
            }
            Self::PilotBounce(time) => {
                passes(world, *time, Fault::Pilot(PilotFault::Open), Fault::Pilot(PilotFault::Sound));
            }
            Self::Charger(words) => world.tell(CHARGER, |node, cx| {
                node.with(cx, |host, cx| say_charger(host, cx, *words));
            }),
            Self::Car(words) => world.tell(CAR, |node, cx| {
                node.with(cx, |host, cx| {
                    if let Host::Car(car) = host {
                        machine::Machine::handle(car.role_mut(), cx, PevInput::Operator(*words));
                    }
                });
            }),
            Self::Wish(wish) => world.tell(CAR, |node, _| {
                if let Host::Car(car) = &mut node.program.host {
                    let mut wishes = car.wishes();
                    match wish {
                        Wish::Enough(percent) => wishes.enough_percent = *percent,
                        Wish::Volts(mv) => wishes.limits.max_voltage_mv = *mv,
                        Wish::Amperes(ma) => wishes.limits.max_current_ma = *ma,
                    }
                    car.wish(wishes);
                }
            }),
            Self::Flood(side, rate, time) => {
                let begin = world.now();
                let count = rate.saturating_mul(time.as_micros()) / 1_000_000;
                world.tell(port(*side), |node, _| {
                    if count > FLOOD {
                        return node
                            .refuse(&format!("{count} frames are too many: at most {FLOOD} in one step"));
                    }
                    for number in 0..count {
                        let at = begin + Duration::from_micros(number * 1_000_000 / (*rate).max(1));
                        node.hear_later(at, packet::broadcast(STRANGER));
                    }
                });
            }
            Self::Hear(side, forged) => {
                let at = port(*side);
                let Some(frame) = forge(world, *side, forged) else { return };
                world.tell(at, |node, cx| node.hear(cx, &frame));
            }
        }
    }
}

/// A fault now, and another one that replaces it after a time.
fn passes(world: &mut World<FaultInjector<'_>>, time: Duration, first: Fault, then: Fault) {
    let now = world.now();
    world.inject(now, Injection::Hardware(CHARGER, first));
    world.inject(now + time, Injection::Hardware(CHARGER, then));
}

fn say_charger(host: &mut Host<'_>, cx: &mut Cx<'_>, words: Operator) {
    if let Host::Charger(charger) = host {
        machine::Machine::handle(charger.role_mut(), cx, EvseInput::Operator(words));
    }
}
