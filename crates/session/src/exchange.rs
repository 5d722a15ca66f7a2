use crate::{Checkpoint, Phase, Protocol, Time};

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

/// The numbers of a message: when it is sent and received.
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
    /// How long the charger may take for what this exchange is for, from the first request; absent where it
    /// answers at once.
    pub budget: Option<Time>,
}

/// Declares [`Exchange`] and [`EXCHANGES`]: for each exchange its name in DIN SPEC 70121, its phase, the
/// numbers of request and response (sent, received), and its times.
macro_rules! exchanges {
    ($($(#[$doc:meta])* $exchange:ident: $din:literal, $phase:ident,
        [$($asks:ident $asked:ident, $answers:ident $answered:ident)?],
        { $($field:ident: $time:ident),* };
    )*) => {
        /// A request and its response, under a name that no protocol owns. Both directions of a
        /// `PowerDelivery` are exchanges of their own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Exchange {
            $($(#[$doc])* $exchange,)*
        }

        /// Every exchange, in the order of the type. Both sides take phases, numbers, names and times from
        /// it.
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

/// A row without times.
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
    /// Which protocol is spoken.
    Handshake: "supportedAppProtocol", Handshake,
        [HANDSHAKE_REQ_SENT HANDSHAKE_REQ_RECEIVED, HANDSHAKE_RES_SENT HANDSHAKE_RES_RECEIVED],
        { response_time: Handshake };
    /// A session id is given.
    SessionSetup: "SessionSetup", SessionSetup,
        [SESSION_SETUP_REQ SESSION_SETUP_REQ, SESSION_SETUP_RES_SENT SESSION_SETUP_RES_RECEIVED],
        { response_time: SessionSetup };
    /// What the charger offers.
    ServiceDiscovery: "ServiceDiscovery", ServiceDiscovery,
        [SERVICE_DISCOVERY_REQ SERVICE_DISCOVERY_REQ, SERVICE_DISCOVERY_RES SERVICE_DISCOVERY_RES],
        { response_time: ServiceDiscovery };
    /// One service in detail.
    ServiceDetail: "ServiceDetail", ServiceDiscovery, [], {};
    /// What the car takes of it, and how it is paid.
    ServiceSelection: "ServicePaymentSelection", ServiceSelection,
        [PAYMENT_SELECTION_REQ PAYMENT_SELECTION_REQ, PAYMENT_SELECTION_RES PAYMENT_SELECTION_RES],
        { response_time: ServiceSelection };
    /// A contract is shown.
    PaymentDetails: "PaymentDetails", ServiceSelection, [], {};
    /// Whether the car may charge.
    Authorisation: "ContractAuthentication", Authorisation,
        [AUTHENTICATION_REQ AUTHENTICATION_REQ, AUTHENTICATION_RES AUTHENTICATION_RES],
        { response_time: Authorisation, loop_time: AuthorisationLoop, budget: AuthorisationBudget };
    /// What each side can give and take.
    ChargeParameters: "ChargeParameterDiscovery", ChargeParameters,
        [CHARGE_PARAMETER_REQ CHARGE_PARAMETER_REQ, CHARGE_PARAMETER_RES CHARGE_PARAMETER_RES],
        { response_time: ChargeParameters, loop_time: ChargeParametersLoop };
    /// The isolation test.
    CableCheck: "CableCheck", CableCheck,
        [CABLE_CHECK_REQ CABLE_CHECK_REQ, CABLE_CHECK_RES CABLE_CHECK_RES],
        { response_time: CableCheck, loop_time: CableCheckLoop, budget: CableCheckBudget };
    /// The charger's output follows the battery's voltage.
    PreCharge: "PreCharge", PreCharge,
        [PRE_CHARGE_REQ PRE_CHARGE_REQ, PRE_CHARGE_RES PRE_CHARGE_RES],
        { response_time: PreCharge, loop_time: PreChargeLoop, budget: PreChargeBudget };
    /// Power is switched on.
    PowerOn: "PowerDelivery", PowerOn,
        [POWER_START_REQ POWER_START_REQ, POWER_START_RES POWER_START_RES], { response_time: PowerOn };
    /// DC charging: what the car wants now.
    CurrentDemand: "CurrentDemand", ChargeLoop,
        [CURRENT_DEMAND_REQ CURRENT_DEMAND_REQ, CURRENT_DEMAND_RES CURRENT_DEMAND_RES],
        { response_time: CurrentDemand };
    /// AC charging: the meter.
    ChargingStatus: "ChargingStatus", ChargeLoop, [], {};
    /// A meter reading is signed.
    MeteringReceipt: "MeteringReceipt", ChargeLoop, [], {};
    /// Power is switched off.
    PowerOff: "PowerDelivery", PowerOff,
        [POWER_STOP_REQ POWER_STOP_REQ, POWER_STOP_RES_SENT POWER_STOP_RES_RECEIVED],
        { response_time: PowerOff, budget: WeldingBudget };
    /// The voltage at the inlet after the car's contactors have opened.
    WeldingDetection: "WeldingDetection", WeldingDetection,
        [WELDING_DETECTION_REQ WELDING_DETECTION_REQ, WELDING_DETECTION_RES WELDING_DETECTION_RES],
        { response_time: WeldingDetection };
    /// The session ends.
    SessionStop: "SessionStop", SessionStop,
        [SESSION_STOP_REQ SESSION_STOP_REQ, SESSION_STOP_RES SESSION_STOP_RES],
        { response_time: SessionStop };
    /// A contract's certificate is renewed.
    CertificateUpdate: "CertificateUpdate", ServiceSelection, [], {};
    /// A contract's certificate is installed.
    CertificateInstallation: "CertificateInstallation", ServiceSelection, [], {};
}

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
