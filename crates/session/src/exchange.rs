use crate::{Checkpoint, Phase, Protocol, Time};

/// A request and its response, under a name that no protocol owns. Both directions of a `PowerDelivery` are exchanges of
/// their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exchange {
    /// Which protocol is spoken.
    Handshake,
    /// A session id is given.
    SessionSetup,
    /// What the charger offers.
    ServiceDiscovery,
    /// One service in detail.
    ServiceDetail,
    /// What the car takes of it, and how it is paid.
    ServiceSelection,
    /// A contract is shown.
    PaymentDetails,
    /// Whether the car may charge.
    Authorisation,
    /// What each side can give and take.
    ChargeParameters,
    /// The isolation test.
    CableCheck,
    /// The charger's output follows the battery's voltage.
    PreCharge,
    /// Power is switched on.
    PowerOn,
    /// DC charging: what the car wants now.
    CurrentDemand,
    /// AC charging: the meter.
    ChargingStatus,
    /// A meter reading is signed.
    MeteringReceipt,
    /// Power is switched off.
    PowerOff,
    /// The voltage at the inlet after the car's contactors have opened.
    WeldingDetection,
    /// The session ends.
    SessionStop,
    /// A contract's certificate is renewed.
    CertificateUpdate,
    /// A contract's certificate is installed.
    CertificateInstallation,
}

/// The names of an exchange's messages in one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// The request's.
    pub request: &'static str,
    /// The response's.
    pub response: &'static str,
}

/// The numbers of one message at both ends; absent where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// When it is sent.
    pub sent: Option<Checkpoint>,
    /// When it is received.
    pub received: Option<Checkpoint>,
}

impl Moments {
    const NONE: Self = Self { sent: None, received: None };

    const fn at(both: Checkpoint) -> Self {
        Self::of(both, both)
    }

    const fn of(sent: Checkpoint, received: Checkpoint) -> Self {
        Self { sent: Some(sent), received: Some(received) }
    }
}

/// One row of [`EXCHANGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeRow {
    /// Which exchange.
    pub exchange: Exchange,
    /// Its messages in DIN SPEC 70121.
    pub din: Names,
    /// The phase that it belongs to.
    pub phase: Phase,
    /// The request's numbers.
    pub request: Moments,
    /// The response's numbers.
    pub response: Moments,
    /// How long the car waits for the response; absent where no car here asks for it.
    pub response_time: Option<Time>,
    /// How long the car repeats it, from the first request; absent where it asks once.
    pub loop_time: Option<Time>,
    /// How long the charger may take for what this exchange is for, from the first request; absent where it answers at once.
    pub budget: Option<Time>,
}

impl ExchangeRow {
    const fn new(exchange: Exchange, din: Names, phase: Phase) -> Self {
        let (request, response) = (Moments::NONE, Moments::NONE);
        let (response_time, loop_time, budget) = (None, None, None);
        Self { exchange, din, phase, request, response, response_time, loop_time, budget }
    }

    const fn numbered(self, request: Moments, response: Moments) -> Self {
        Self { request, response, ..self }
    }

    const fn answered(self, time: Time) -> Self {
        Self { response_time: Some(time), ..self }
    }

    const fn looped(self, time: Time) -> Self {
        Self { loop_time: Some(time), ..self }
    }

    const fn within(self, time: Time) -> Self {
        Self { budget: Some(time), ..self }
    }
}

/// The names of a request and its response.
macro_rules! names {
    ($name:literal) => {
        Names { request: concat!($name, "Req"), response: concat!($name, "Res") }
    };
}

/// Every exchange, in the order of the type. Both sides take phases, numbers, names and times from here.
pub static EXCHANGES: [ExchangeRow; 19] = {
    use {Checkpoint as C, Exchange as X, ExchangeRow as Row, Moments as M, Phase as P, Time as T};
    [
        Row::new(X::Handshake, names!("supportedAppProtocol"), P::Handshake)
            .numbered(
                M::of(C::HANDSHAKE_REQ_SENT, C::HANDSHAKE_REQ_RECEIVED),
                M::of(C::HANDSHAKE_RES_SENT, C::HANDSHAKE_RES_RECEIVED),
            )
            .answered(T::Handshake),
        Row::new(X::SessionSetup, names!("SessionSetup"), P::SessionSetup)
            .numbered(
                M::at(C::SESSION_SETUP_REQ),
                M::of(C::SESSION_SETUP_RES_SENT, C::SESSION_SETUP_RES_RECEIVED),
            )
            .answered(T::SessionSetup),
        Row::new(X::ServiceDiscovery, names!("ServiceDiscovery"), P::ServiceDiscovery)
            .numbered(M::at(C::SERVICE_DISCOVERY_REQ), M::at(C::SERVICE_DISCOVERY_RES))
            .answered(T::ServiceDiscovery),
        Row::new(X::ServiceDetail, names!("ServiceDetail"), P::ServiceDiscovery),
        Row::new(X::ServiceSelection, names!("ServicePaymentSelection"), P::ServiceSelection)
            .numbered(M::at(C::PAYMENT_SELECTION_REQ), M::at(C::PAYMENT_SELECTION_RES))
            .answered(T::ServiceSelection),
        Row::new(X::PaymentDetails, names!("PaymentDetails"), P::ServiceSelection),
        Row::new(X::Authorisation, names!("ContractAuthentication"), P::Authorisation)
            .numbered(M::at(C::AUTHENTICATION_REQ), M::at(C::AUTHENTICATION_RES))
            .answered(T::Authorisation)
            .looped(T::AuthorisationLoop)
            .within(T::AuthorisationBudget),
        Row::new(X::ChargeParameters, names!("ChargeParameterDiscovery"), P::ChargeParameters)
            .numbered(M::at(C::CHARGE_PARAMETER_REQ), M::at(C::CHARGE_PARAMETER_RES))
            .answered(T::ChargeParameters)
            .looped(T::ChargeParametersLoop),
        Row::new(X::CableCheck, names!("CableCheck"), P::CableCheck)
            .numbered(M::at(C::CABLE_CHECK_REQ), M::at(C::CABLE_CHECK_RES))
            .answered(T::CableCheck)
            .looped(T::CableCheckLoop)
            .within(T::CableCheckBudget),
        Row::new(X::PreCharge, names!("PreCharge"), P::PreCharge)
            .numbered(M::at(C::PRE_CHARGE_REQ), M::at(C::PRE_CHARGE_RES))
            .answered(T::PreCharge)
            .looped(T::PreChargeLoop)
            .within(T::PreChargeBudget),
        Row::new(X::PowerOn, names!("PowerDelivery"), P::PowerOn)
            .numbered(M::at(C::POWER_START_REQ), M::at(C::POWER_START_RES))
            .answered(T::PowerOn),
        Row::new(X::CurrentDemand, names!("CurrentDemand"), P::ChargeLoop)
            .numbered(M::at(C::CURRENT_DEMAND_REQ), M::at(C::CURRENT_DEMAND_RES))
            .answered(T::CurrentDemand),
        Row::new(X::ChargingStatus, names!("ChargingStatus"), P::ChargeLoop),
        Row::new(X::MeteringReceipt, names!("MeteringReceipt"), P::ChargeLoop),
        Row::new(X::PowerOff, names!("PowerDelivery"), P::PowerOff)
            .numbered(M::at(C::POWER_STOP_REQ), M::of(C::POWER_STOP_RES_SENT, C::POWER_STOP_RES_RECEIVED))
            .answered(T::PowerOff)
            .within(T::WeldingBudget),
        Row::new(X::WeldingDetection, names!("WeldingDetection"), P::WeldingDetection)
            .numbered(M::at(C::WELDING_DETECTION_REQ), M::at(C::WELDING_DETECTION_RES))
            .answered(T::WeldingDetection),
        Row::new(X::SessionStop, names!("SessionStop"), P::SessionStop)
            .numbered(M::at(C::SESSION_STOP_REQ), M::at(C::SESSION_STOP_RES))
            .answered(T::SessionStop),
        Row::new(X::CertificateUpdate, names!("CertificateUpdate"), P::ServiceSelection),
        Row::new(X::CertificateInstallation, names!("CertificateInstallation"), P::ServiceSelection),
    ]
};

impl Exchange {
    /// What belongs to it.
    pub fn row(self) -> &'static ExchangeRow {
        // Every exchange has its row in its place, which a test checks.
        let [first, ..] = &EXCHANGES;
        EXCHANGES.get(self as usize).unwrap_or(first)
    }

    /// The names of its messages in this protocol.
    pub fn names(self, protocol: Protocol) -> Names {
        match protocol {
            Protocol::Din => self.row().din,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_enumeration() {
        for (index, row) in EXCHANGES.iter().enumerate() {
            assert_eq!(row.exchange as usize, index);
            assert_eq!(row.exchange.row(), row);
        }
        assert_eq!(EXCHANGES.len(), Exchange::CertificateInstallation as usize + 1);
    }

    #[test]
    fn what_the_car_asks_has_numbers_and_a_time_and_the_rest_has_neither() {
        for row in &EXCHANGES {
            let moments = [row.request.sent, row.request.received, row.response.sent, row.response.received];
            let is_asked = row.response_time.is_some();
            assert!(moments.iter().all(|moment| moment.is_some() == is_asked), "{:?}", row.exchange);
            assert!(is_asked || row.loop_time.is_none() && row.budget.is_none(), "{:?}", row.exchange);
        }
    }

    #[test]
    fn a_request_is_sent_before_its_response_and_phases_follow_each_other() {
        let asked = || EXCHANGES.iter().filter(|row| row.response_time.is_some());
        for row in asked() {
            assert!(row.request.sent <= row.request.received && row.request.received < row.response.sent);
            assert!(row.response.sent <= row.response.received, "{:?}", row.exchange);
        }
        assert!(asked().zip(asked().skip(1)).all(|(one, next)| one.phase < next.phase));
    }
}
