//! The order of DIN SPEC 70121.

use super::Again::{self, For, Never, Pause};
use super::Next::{self, Ask, Close, Grant, Lock, Open, Over, Rest, Stay};
use super::Row;
use super::State::{self, Asking, Closing, Granted, Locking, Opening};
use crate::Time;
use crate::request::Kind as K;

const fn row(state: State, done: Next, again: Again, stopping: Next, refused: Next, must_end: bool) -> Row {
    Row { state, done, again, stopping, refused, must_end }
}

#[rustfmt::skip] // a table reads best with one row a line
pub(crate) const ORDER: &[Row] = &[
    //  state                         done                     again                                       stopping               refused              must end
    row(Asking(K::Handshake),         Ask(K::SessionSetup),     Never,                                      Over,                  Over,                false),
    row(Asking(K::SessionSetup),      Ask(K::ServiceDiscovery), Never,                                      Open,                  Open,                false),
    row(Asking(K::ServiceDiscovery),  Ask(K::PaymentSelection), Never,                                      Open,                  Open,                false),
    row(Asking(K::PaymentSelection),  Ask(K::Authentication),   Never,                                      Open,                  Open,                false),
    row(Asking(K::Authentication),    Ask(K::ChargeParameter),  For(Time::Pace, Time::AuthenticationLoop),  Open,                  Open,                false),
    row(Asking(K::ChargeParameter),   Lock,                     For(Time::Pace, Time::ChargeParameterLoop), Open,                  Open,                false),
    row(Locking,                      Ask(K::CableCheck),       Never,                                      Open,                  Stay,                false),
    row(Asking(K::CableCheck),        Ask(K::PreCharge),        For(Time::Pace, Time::CableCheckLoop),      Open,                  Open,                false),
    row(Asking(K::PreCharge),         Close,                    For(Time::Pace, Time::PreChargeLoop),       Open,                  Open,                false),
    row(Closing,                      Ask(K::PowerOn),          Never,                                      Open,                  Stay,                false),
    // A charger that granted power takes CurrentDemandReq only (din.md): one of 0 A comes first.
    row(Asking(K::PowerOn),           Grant,                    Never,                                      Ask(K::CurrentDemand), Ask(K::PowerOff),    false),
    row(Granted,                      Ask(K::CurrentDemand),    Pause(Time::DemandPace),                    Ask(K::CurrentDemand), Stay,                false),
    row(Asking(K::CurrentDemand),     Stay,                     Pause(Time::DemandPace),                    Ask(K::PowerOff),      Ask(K::PowerOff),    false),
    row(Asking(K::PowerOff),          Rest,                     Never,                                      Stay,                  Rest,                false),
    row(Opening { powered: true },    Ask(K::WeldingDetection), Never,                                      Stay,                  Stay,                false),
    row(Opening { powered: false },   Ask(K::SessionStop),      Never,                                      Stay,                  Stay,                false),
    row(Asking(K::WeldingDetection),  Ask(K::SessionStop),      Pause(Time::Pace),                          Stay,                  Ask(K::SessionStop), true),
    row(Asking(K::SessionStop),       Over,                     Never,                                      Stay,                  Over,                true),
];
