//! The order of DIN SPEC 70121.

use session::Exchange as K;

use super::Next::{self, Ask, Close, Grant, Lock, Open, Over, Rest, Stay};
use super::Row;
use super::State::{self, Asking, Closing, Granted, Locking, Opening};
use crate::Time;

const fn row(
    state: State,
    done: Next,
    again: Option<Time>,
    stopping: Next,
    refused: Next,
    must_end: bool,
) -> Row {
    Row { state, done, again, stopping, refused, must_end }
}

#[rustfmt::skip] // a table reads best with one row a line
pub(crate) const ORDER: &[Row] = &[
    //  state done again stopping refused must end
    row(Asking(K::Handshake),        Ask(K::SessionSetup),     None,                   Over,                  Over,                false),
    row(Asking(K::SessionSetup),     Ask(K::ServiceDiscovery), None,                   Open,                  Open,                false),
    row(Asking(K::ServiceDiscovery), Ask(K::ServiceSelection), None,                   Open,                  Open,                false),
    row(Asking(K::ServiceSelection), Ask(K::Authorisation),    None,                   Open,                  Open,                false),
    row(Asking(K::Authorisation),    Ask(K::ChargeParameters), Some(Time::Pace),       Open,                  Open,                false),
    row(Asking(K::ChargeParameters), Lock,                     Some(Time::Pace),       Open,                  Open,                false),
    row(Locking,                     Ask(K::CableCheck),       None,                   Open,                  Stay,                false),
    row(Asking(K::CableCheck),       Ask(K::PreCharge),        Some(Time::Pace),       Open,                  Open,                false),
    row(Asking(K::PreCharge),        Close,                    Some(Time::Pace),       Open,                  Open,                false),
    row(Closing,                     Ask(K::PowerOn),          None,                   Open,                  Stay,                false),
    // After PowerDelivery (on) a charger accepts CurrentDemandReq only (din.md): the first one requests 0 A.
    row(Asking(K::PowerOn),          Grant,                    None,                   Ask(K::CurrentDemand), Ask(K::PowerOff),    false),
    row(Granted,                     Ask(K::CurrentDemand),    Some(Time::DemandPace), Ask(K::CurrentDemand), Stay,                false),
    row(Asking(K::CurrentDemand),    Stay,                     Some(Time::DemandPace), Ask(K::PowerOff),      Ask(K::PowerOff),    false),
    row(Asking(K::PowerOff),         Rest,                     None,                   Stay,                  Rest,                false),
    row(Opening { powered: true },   Ask(K::WeldingDetection), None,                   Stay,                  Stay,                false),
    row(Opening { powered: false },  Ask(K::SessionStop),      None,                   Stay,                  Stay,                false),
    row(Asking(K::WeldingDetection), Ask(K::SessionStop),      Some(Time::Pace),       Stay,                  Ask(K::SessionStop), true),
    row(Asking(K::SessionStop),      Over,                     None,                   Stay,                  Over,                true),
];
