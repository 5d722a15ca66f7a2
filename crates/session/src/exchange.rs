use crate::{Checkpoint, Phase, Protocol, Time};

/// The names of an exchange's two messages in one protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// The request's name, such as `PreChargeReq`.
    pub request: &'static str,
    /// The response's name, such as `PreChargeRes`.
    pub response: &'static str,
}

/// The checkpoints of one message at both ends; `None` where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    /// The sender's checkpoint.
    pub sent: Option<Checkpoint>,
    /// The receiver's checkpoint.
    pub received: Option<Checkpoint>,
}

/// The checkpoints of a message, when it is sent and when it is received.
macro_rules! moments {
    () => {
        Moments { sent: None, received: None }
    };
    ($sent:ident $received:ident) => {
        Moments { sent: Some(Checkpoint::$sent), received: Some(Checkpoint::$received) }
    };
}

/// One row of [`EXCHANGES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExchangeRow {
    /// The exchange that this row describes.
    pub exchange: Exchange,
    /// The names of its messages in DIN SPEC 70121.
    pub din: Names,
    /// The phase in which it takes place.
    pub phase: Phase,
    /// The request's checkpoints.
    pub request: Moments,
    /// The response's checkpoints.
    pub response: Moments,
    /// How long the car waits for the response; `None` where our car never sends the request.
    pub response_time: Option<Time>,
    /// How long the car repeats the request, from the first one; `None` where it sends it once.
    pub loop_time: Option<Time>,
    /// How long the charger's part of this exchange may take, from the first request; `None` where it answers
    /// immediately.
    pub budget: Option<Time>,
}

/// Declares [`Exchange`] and [`EXCHANGES`]. For each exchange: its name in DIN SPEC 70121, its phase, the
/// checkpoints of request and response (sent, received), and its times.
macro_rules! exchanges {
    ($($(#[$doc:meta])* $exchange:ident: $din:literal, $phase:ident,
        [$($asks:ident $asked:ident, $answers:ident $answered:ident)?],
        { $($field:ident: $time:ident),* };
    )*) => {
        /// A request and its response, with a name that belongs to no protocol. `PowerDelivery` on and
        /// `PowerDelivery` off are two exchanges.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Exchange {
            $($(#[$doc])* $exchange,)*
        }

        /// Every exchange, in the order of [`Exchange`]. Both sides use its phases, checkpoints, names and
        /// times.
        #[allow(clippy::needless_update, reason = "one row has every time")]
        pub static EXCHANGES: [ExchangeRow; [$(Exchange::$exchange),*].len()] = [$(ExchangeRow {
            exchange: Exchange::$exchange,
            din: Names { request: concat!($din, "Req"), response: concat!($din, "Res") },
            phase: Phase::$phase,
            request: moments!($($asks $asked)?),
            response: moments!($($answers $answered)?),
            $($field: Some(Time::$time),)*
            ..NO_TIMES
        },)*];
    };
}

/// A row without times: the base of each row above.
const NO_TIMES: ExchangeRow = ExchangeRow {
    exchange: Exchange::Handshake,
    din: Names { request: "", response: "" },
    phase: Phase::Handshake,
    request: moments!(),
    response: moments!(),
    response_time: None,
    loop_time: None,
    budget: None,
};

exchanges! {
    /// The car offers protocols, the charger chooses one.
    Handshake: "supportedAppProtocol", Handshake,
        [HANDSHAKE_REQ_SENT HANDSHAKE_REQ_RECEIVED, HANDSHAKE_RES_SENT HANDSHAKE_RES_RECEIVED],
        { response_time: Handshake };
    /// The charger assigns a session id.
    SessionSetup: "SessionSetup", SessionSetup,
        [SESSION_SETUP_REQ SESSION_SETUP_REQ, SESSION_SETUP_RES_SENT SESSION_SETUP_RES_RECEIVED],
        { response_time: SessionSetup };
    /// The charger lists its services.
    ServiceDiscovery: "ServiceDiscovery", ServiceDiscovery,
        [SERVICE_DISCOVERY_REQ SERVICE_DISCOVERY_REQ, SERVICE_DISCOVERY_RES SERVICE_DISCOVERY_RES],
        { response_time: ServiceDiscovery };
    /// The charger describes one service.
    ServiceDetail: "ServiceDetail", ServiceDiscovery, [], {};
    /// The car selects a service and the method of payment.
    ServiceSelection: "ServicePaymentSelection", ServiceSelection,
        [PAYMENT_SELECTION_REQ PAYMENT_SELECTION_REQ, PAYMENT_SELECTION_RES PAYMENT_SELECTION_RES],
        { response_time: ServiceSelection };
    /// The car presents a contract certificate.
    PaymentDetails: "PaymentDetails", ServiceSelection, [], {};
    /// The charger permits or refuses to charge.
    Authorisation: "ContractAuthentication", Authorisation,
        [AUTHENTICATION_REQ AUTHENTICATION_REQ, AUTHENTICATION_RES AUTHENTICATION_RES],
        { response_time: Authorisation, loop_time: AuthorisationLoop, budget: AuthorisationBudget };
    /// Both sides exchange their limits.
    ChargeParameters: "ChargeParameterDiscovery", ChargeParameters,
        [CHARGE_PARAMETER_REQ CHARGE_PARAMETER_REQ, CHARGE_PARAMETER_RES CHARGE_PARAMETER_RES],
        { response_time: ChargeParameters, loop_time: ChargeParametersLoop };
    /// The charger tests the isolation of cable and inlet.
    CableCheck: "CableCheck", CableCheck,
        [CABLE_CHECK_REQ CABLE_CHECK_REQ, CABLE_CHECK_RES CABLE_CHECK_RES],
        { response_time: CableCheck, loop_time: CableCheckLoop, budget: CableCheckBudget };
    /// The charger raises its output to the battery's voltage.
    PreCharge: "PreCharge", PreCharge,
        [PRE_CHARGE_REQ PRE_CHARGE_REQ, PRE_CHARGE_RES PRE_CHARGE_RES],
        { response_time: PreCharge, loop_time: PreChargeLoop, budget: PreChargeBudget };
    /// The car requests power on.
    PowerOn: "PowerDelivery", PowerOn,
        [POWER_START_REQ POWER_START_REQ, POWER_START_RES POWER_START_RES], { response_time: PowerOn };
    /// DC charging: the car requests a voltage and a current.
    CurrentDemand: "CurrentDemand", ChargeLoop,
        [CURRENT_DEMAND_REQ CURRENT_DEMAND_REQ, CURRENT_DEMAND_RES CURRENT_DEMAND_RES],
        { response_time: CurrentDemand };
    /// AC charging: the charger reports its meter.
    ChargingStatus: "ChargingStatus", ChargeLoop, [], {};
    /// The car signs a meter reading.
    MeteringReceipt: "MeteringReceipt", ChargeLoop, [], {};
    /// The car requests power off.
    PowerOff: "PowerDelivery", PowerOff,
        [POWER_STOP_REQ POWER_STOP_REQ, POWER_STOP_RES_SENT POWER_STOP_RES_RECEIVED],
        { response_time: PowerOff, budget: WeldingBudget };
    /// The charger reports its output voltage after the car's contactors have opened.
    WeldingDetection: "WeldingDetection", WeldingDetection,
        [WELDING_DETECTION_REQ WELDING_DETECTION_REQ, WELDING_DETECTION_RES WELDING_DETECTION_RES],
        { response_time: WeldingDetection };
    /// The car ends the session.
    SessionStop: "SessionStop", SessionStop,
        [SESSION_STOP_REQ SESSION_STOP_REQ, SESSION_STOP_RES SESSION_STOP_RES],
        { response_time: SessionStop };
    /// The car requests a renewed contract certificate.
    CertificateUpdate: "CertificateUpdate", ServiceSelection, [], {};
    /// The car requests a first contract certificate.
    CertificateInstallation: "CertificateInstallation", ServiceSelection, [], {};
}

impl Exchange {
    /// The row of this exchange in [`EXCHANGES`].
    pub fn row(self) -> &'static ExchangeRow {
        // A test checks that every exchange has its row at its index.
        let [first, ..] = &EXCHANGES;
        EXCHANGES.get(self as usize).unwrap_or(first)
    }

    /// The names of its messages in `protocol`.
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
