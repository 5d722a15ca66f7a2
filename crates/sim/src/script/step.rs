//! What a script does, and when.

use std::net::Ipv6Addr;

use homeplug_mme::Mac;
use machine::{Cx, Duration};
use pev_fsm::Operator as CarOperator;
use roles::{Input as EvseInput, PevInput};
use sdp::{Request, Response, Security, Transport};

use super::act::Act;
use super::meddler::Meddler;
use super::packet::{self, RST, SYN, Station};
use super::setup::{CAR, CHARGER};
use super::words::{Args, Form};
use crate::plant::{ContactorFault, Fault, LockFault, PilotFault, Sensor, SensorFault, Side, StageFault};
use crate::power_line::Weather;
use crate::{Host, Injection, Port, Span, World};
use evse_fsm::Operator;

/// Something that a script does.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// To the message or frame that it waited for.
    Act(Act),
    /// To the world.
    Inject(Injection),
    /// A node hangs for so long.
    Stall(Side, Duration),
    /// The charger's operator says something.
    Charger(Operator),
    /// The car's driver says something.
    Car(CarOperator),
    /// The car's owner wants something else.
    Wish(Wish),
    /// A node is given a frame that nobody sent.
    Hear(Side, Forged),
    /// A node hears so many frames a second that concern nobody, for so long.
    Flood(Side, u64, Duration),
    /// Nothing; it is only waited for.
    Nothing,
}

/// What a car's owner can want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Enough at this state of charge in percent.
    Enough(u8),
    /// At most this voltage in mV.
    Volts(i32),
    /// At most this current in mA.
    Amperes(i32),
}

/// A frame that nobody sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forged {
    /// A discovery request: whether from the peer, with this security.
    Discovery(bool, u8),
    /// A datagram at the discovery port, with this payload.
    Datagram(Vec<u8>),
    /// A discovery answer: whether from the peer; address, port and security.
    Answer(bool, Ipv6Addr, u16, u8),
    /// A TCP segment that opens (`true`) or breaks a connection, from the peer or from a stranger.
    Tcp {
        /// Whether it opens one.
        opens: bool,
        /// Whether it comes from the peer.
        is_peer: bool,
    },
    /// The peer has the node's own address, too (`true`), or would like to have it.
    Claim(bool),
    /// A router with a global prefix.
    Router,
    /// A shutdown in the name of the peer that no key protects: a V2GTP message out of nowhere.
    Bytes(Vec<u8>),
}

fn inject(injection: Injection) -> Deed {
    Deed::Inject(injection)
}

fn fault(fault: Fault) -> Deed {
    inject(Injection::Hardware(CHARGER, fault))
}

const fn port(side: Side) -> Port {
    match side {
        Side::Charger => CHARGER,
        Side::Car => CAR,
    }
}

fn sensor(args: &Args, make: SensorFault) -> Deed {
    let name = args.word(0);
    let known =
        SENSORS.iter().find(|(known, _)| *known == name).map_or(Sensor::Voltage, |(_, sensor)| *sensor);
    fault(Fault::Sensor(args.who(), known, make))
}

fn weather(loss_permille: u16, duplicate_permille: u16, delay: Span) -> Deed {
    inject(Injection::PathWeather(
        CHARGER,
        CAR,
        Weather { loss_permille, duplicate_permille, delay, ..Weather::default() },
    ))
}

/// The names of sensors in scripts.
pub(super) const SENSORS: &[(&str, Sensor)] = &[
    ("pilot", Sensor::Pilot),
    ("duty", Sensor::Duty),
    ("proximity", Sensor::Proximity),
    ("voltage", Sensor::Voltage),
    ("stage", Sensor::Stage),
    ("battery", Sensor::Battery),
    ("current", Sensor::Current),
    ("isolation", Sensor::Isolation),
    ("contactors", Sensor::Contactors),
    ("lock", Sensor::Lock),
    ("temperature", Sensor::Temperature),
    ("emergency", Sensor::EmergencyStop),
];

/// Frames of one flood, at most: each is kept until it is due.
const FLOOD: u64 = 1_000_000;

/// An address that is no station's here.
const STRANGER: (Mac, Ipv6Addr) =
    (Mac([2, 0, 0, 0, 0, 0x66]), Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0x00FF, 0xFE00, 0x66));

/// Every step.
#[rustfmt::skip] // a table reads best with one row a line
pub(super) const FORMS: &[Form<Deed>] = &[
    Form { words: "nothing", make: |_| Deed::Nothing },
    // The message or frame that was waited for.
    Form { words: "withhold", make: |_| Deed::Act(Act::Withhold) },
    Form { words: "delay TIME", make: |a| Deed::Act(Act::Delay(a.time())) },
    Form { words: "twice", make: |_| Deed::Act(Act::Twice) },
    Form { words: "set WORD WORD", make: |a| Deed::Act(Act::Set(a.word(0), a.word(1))) },
    Form { words: "become REST", make: |a| Deed::Act(Act::Become(a.word(0))) },
    Form { words: "repeat WORD N", make: |a| Deed::Act(Act::Repeat(a.word(0), a.fit(0))) },
    Form { words: "append BYTES", make: |a| Deed::Act(Act::Append(a.bytes())) },
    Form { words: "prepend BYTES", make: |a| Deed::Act(Act::Prepend(a.bytes())) },
    Form { words: "payload BYTES", make: |a| Deed::Act(Act::Payload(a.bytes())) },
    Form { words: "raw BYTES", make: |a| Deed::Act(Act::Raw(a.bytes())) },
    Form { words: "cut N", make: |a| Deed::Act(Act::Cut(a.fit(0))) },
    Form { words: "pieces N", make: |a| Deed::Act(Act::Pieces(a.fit(0))) },
    Form { words: "put N BYTES", make: |a| Deed::Act(Act::Put(a.fit(0), a.bytes())) },
    Form { words: "spoil N BYTES", make: |a| Deed::Act(Act::Spoil(a.fit(0), a.bytes())) },
    Form { words: "lose N segments", make: |a| Deed::Act(Act::LoseSegments(a.fit::<u32>(0).saturating_sub(1))) },
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
    Form { words: "stall WHO TIME", make: |a| Deed::Stall(a.who(), a.time()) },
    // People.
    Form { words: "operator authorises", make: |_| Deed::Charger(Operator::Authorise(true)) },
    Form { words: "operator refuses", make: |_| Deed::Charger(Operator::Authorise(false)) },
    Form { words: "operator stops", make: |_| Deed::Charger(Operator::Stop) },
    Form { words: "operator resets", make: |_| Deed::Charger(Operator::Reset) },
    Form { words: "operator retries", make: |_| Deed::Charger(Operator::Retry) },
    Form { words: "operator closes", make: |_| Deed::Charger(Operator::Available(false)) },
    Form { words: "operator opens", make: |_| Deed::Charger(Operator::Available(true)) },
    Form { words: "driver stops", make: |_| Deed::Car(CarOperator::Stop) },
    Form { words: "driver starts", make: |_| Deed::Car(CarOperator::Start) },
    Form { words: "driver resets", make: |_| Deed::Car(CarOperator::Reset) },
    Form { words: "owner wants N %", make: |a| Deed::Wish(Wish::Enough(a.fit(0))) },
    Form { words: "owner bears voltage VALUE", make: |a| Deed::Wish(Wish::Volts(a.fit(0))) },
    Form { words: "owner bears current VALUE", make: |a| Deed::Wish(Wish::Amperes(a.fit(0))) },
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
    Form { words: "pilot mends", make: |_| fault(Fault::Pilot(PilotFault::Sound)) },
    Form { words: "proximity open", make: |_| fault(Fault::ProximityOpen(true)) },
    Form { words: "leak N ohm", make: |a| fault(Fault::Leak(a.fit(0))) },
    Form { words: "stage dead", make: |_| fault(Fault::Stage(StageFault::Dead)) },
    Form { words: "stage scaled N permille", make: |a| fault(Fault::Stage(StageFault::Scaled(a.fit(0)))) },
    Form { words: "stage runs away", make: |_| fault(Fault::Stage(StageFault::Runaway)) },
    Form { words: "stage stuck", make: |_| fault(Fault::Stage(StageFault::Stuck)) },
    Form { words: "stage adds VALUE", make: |a| fault(Fault::Stage(StageFault::Extra(a.fit(0)))) },
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
    Form { words: "silence WHO", make: |a| fault(Fault::Silence(a.who(), true)) },
    Form { words: "battery goes", make: |_| fault(Fault::BatteryGone(true)) },
    Form { words: "battery returns", make: |_| fault(Fault::BatteryGone(false)) },
    // Frames that nobody sent.
    Form { words: "WHO hears discovery N", make: |a| Deed::Hear(a.who(), Forged::Discovery(true, a.fit(0))) },
    Form { words: "WHO hears discovery of stranger", make: |a| Deed::Hear(a.who(), Forged::Discovery(false, 16)) },
    Form { words: "WHO hears datagram BYTES", make: |a| Deed::Hear(a.who(), Forged::Datagram(a.bytes())) },
    Form { words: "WHO hears answer at WORD port N security N", make: |a| Deed::Hear(a.who(), Forged::Answer(true, a.word(0).parse().unwrap_or(Ipv6Addr::UNSPECIFIED), a.fit(0), a.fit(1))) },
    Form { words: "WHO hears answer of stranger", make: |a| Deed::Hear(a.who(), Forged::Answer(false, STRANGER.1, 50_000, 16)) },
    Form { words: "WHO hears syn", make: |a| Deed::Hear(a.who(), Forged::Tcp { opens: true, is_peer: true }) },
    Form { words: "WHO hears syn of stranger", make: |a| Deed::Hear(a.who(), Forged::Tcp { opens: true, is_peer: false }) },
    Form { words: "WHO hears old reset", make: |a| Deed::Hear(a.who(), Forged::Tcp { opens: false, is_peer: true }) },
    Form { words: "WHO hears claim", make: |a| Deed::Hear(a.who(), Forged::Claim(true)) },
    Form { words: "WHO hears wish", make: |a| Deed::Hear(a.who(), Forged::Claim(false)) },
    Form { words: "WHO hears router", make: |a| Deed::Hear(a.who(), Forged::Router) },
    Form { words: "WHO hears N frames a second for TIME", make: |a| Deed::Flood(a.who(), a.fit(0), a.time()) },
    Form { words: "WHO hears frame BYTES", make: |a| Deed::Hear(a.who(), Forged::Bytes(a.bytes())) },
];

impl Deed {
    /// Does it, unless it was done to a message already.
    pub(super) fn perform(&self, world: &mut World<Meddler<'_>>) {
        match self {
            Self::Act(_) | Self::Nothing => (),
            Self::Inject(injection) => world.inject(world.now(), *injection),
            Self::Stall(side, time) => {
                world.inject(world.now(), Injection::FreezeNode(port(*side), true));
                world.inject(world.now() + *time, Injection::FreezeNode(port(*side), false));
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
                if let Host::Car(car) = &mut node.host {
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

fn say_charger(host: &mut Host<'_>, cx: &mut Cx<'_>, words: Operator) {
    if let Host::Charger(charger) = host {
        machine::Machine::handle(charger.role_mut(), cx, EvseInput::Operator(words));
    }
}

/// The station of one side, at a port.
fn station(world: &World<Meddler<'_>>, side: Side, port: u16) -> Option<Station> {
    let host = &world.node(self::port(side))?.host;
    Some(match host {
        Host::Charger(charger) => {
            Station { mac: Mac([2, 0, 0, 0, 0, 0x5E]), address: charger.role().address(), port }
        }
        Host::Car(car) => Station { mac: car.role().mac(), address: car.role().address(), port },
    })
}

fn forge(world: &World<Meddler<'_>>, side: Side, forged: &Forged) -> Option<Vec<u8>> {
    let other = if side == Side::Car { Side::Charger } else { Side::Car };
    let to = |port| station(world, side, port);
    let from = |is_peer: bool, port| {
        let (mac, address) = STRANGER;
        if is_peer { station(world, other, port) } else { Some(Station { mac, address, port }) }
    };
    let all = |port| {
        let (mac, address) = (Mac([0x33, 0x33, 0, 0, 0, 1]), sdp::ALL_NODES.address);
        Station { mac, address, port }
    };
    let mut buffer = [0; sdp::MAX_LEN];
    let mut write = |message: sdp::Message| {
        let length = message.write(&mut buffer)?;
        buffer.get(..length).map(<[u8]>::to_vec)
    };
    Some(match forged {
        Forged::Discovery(is_peer, security) => {
            let request = Request { security: Security(*security), transport: Transport::TCP };
            packet::udp(from(*is_peer, 54_321)?, all(sdp::PORT), &write(sdp::Message::Request(request))?)
        }
        Forged::Datagram(bytes) => packet::udp(from(true, 54_321)?, all(sdp::PORT), bytes),
        Forged::Answer(is_peer, address, port, security) => {
            let response = Response {
                address: *address,
                port: *port,
                security: Security(*security),
                transport: Transport::TCP,
            };
            let asked = world.node(self::port(side))?.discovery_port()?;
            packet::udp(from(*is_peer, sdp::PORT)?, to(asked)?, &write(sdp::Message::Response(response))?)
        }
        Forged::Tcp { opens, is_peer } => {
            let flags = if *opens { SYN } else { RST };
            packet::tcp(from(*is_peer, 50_123)?, to(sdp::DEFAULT_TCP_PORT)?, 1000, flags)
        }
        Forged::Claim(has) => packet::claim(from(true, 0)?.mac, to(0)?.address, *has),
        Forged::Router => packet::router_advertisement(from(false, 0)?, all(0)),
        Forged::Bytes(bytes) => bytes.clone(),
    })
}
