//! A car that follows a script: one DIN SPEC 70121 session without a fault.

use control_pilot::Level;
use serde_json::{Value, json};

use crate::decode::Schema;

/// The car. It sends, waits for the answer, and goes on or asks again.
pub struct Car {
    step: Step,
    /// The session's id as the charger gave it.
    session: String,
    soc: u8,
    /// Rounds of the charging loop.
    rounds: u32,
}

/// What the car is asking for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Handshake,
    Setup,
    Services,
    Payment,
    Authorisation,
    Parameters,
    CableCheck,
    PreCharge,
    PowerOn,
    Charge,
    PowerOff,
    Welding,
    Stop,
    Over,
}

/// The battery's voltage in V, and what the car asks for.
const BATTERY_V: i64 = 355;
const TARGET_A: i64 = 80;
/// Near enough to close the contactors, in V (cars in the captures: 10..20 V).
const CLOSE_ENOUGH_V: i64 = 20;
/// Voltage at which the output counts as dead, in V.
const DEAD_V: i64 = 60;
/// Rounds of the charging loop that are shown.
const ROUNDS: u32 = 12;

impl Car {
    /// A car that is about to send its first request.
    pub fn new() -> Self {
        Self { step: Step::Handshake, session: "00".into(), soc: 42, rounds: 0 }
    }

    /// What the car does to the pilot: B, C from the isolation test to the answer that power is off, A at last.
    pub fn pilot(&self) -> Level {
        match self.step {
            Step::CableCheck | Step::PreCharge | Step::PowerOn | Step::Charge | Step::PowerOff => Level::C,
            Step::Over => Level::A,
            _ => Level::B,
        }
    }

    /// Whether the car is done and unplugs.
    pub fn is_over(&self) -> bool {
        self.step == Step::Over
    }

    /// The next request: its schema and content.
    pub fn request(&self) -> Option<(Schema, Value)> {
        if self.step == Step::Over {
            return None;
        }
        if self.step == Step::Handshake {
            let offer = json!({
                "ProtocolNamespace": exi_app::NAMESPACE_DIN, "VersionNumberMajor": 2, "VersionNumberMinor": 0,
                "SchemaID": 1, "Priority": 1,
            });
            return Some((Schema::App, json!({"supportedAppProtocolReq": {"AppProtocol": [offer]}})));
        }
        let message = json!({"V2G_Message": {"Header": {"SessionID": self.session}, "Body": self.body()}});
        Some((Schema::Din, message))
    }

    fn body(&self) -> Value {
        let status = json!({"EVReady": true, "EVErrorCode": "NO_ERROR", "EVRESSSOC": self.soc});
        let volts = |value: i64| json!({"Multiplier": 0, "Unit": "V", "Value": value});
        let amperes = |value: i64| json!({"Multiplier": 0, "Unit": "A", "Value": value});
        let power = |on: bool| {
            json!({
                "ReadyToChargeState": on,
                "DC_EVPowerDeliveryParameter": {"DC_EVStatus": status, "ChargingComplete": !on},
            })
        };
        match self.step {
            Step::Handshake | Step::Over => json!({}),
            Step::Setup => json!({"SessionSetupReq": {"EVCCID": "020000000001"}}),
            Step::Services => json!({"ServiceDiscoveryReq": {}}),
            Step::Payment => json!({"ServicePaymentSelectionReq": {
                "SelectedPaymentOption": "ExternalPayment",
                "SelectedServiceList": {"SelectedService": [{"ServiceID": 1}]},
            }}),
            Step::Authorisation => json!({"ContractAuthenticationReq": {}}),
            Step::Parameters => json!({"ChargeParameterDiscoveryReq": {
                "EVRequestedEnergyTransferType": "DC_extended",
                "DC_EVChargeParameter": {
                    "DC_EVStatus": status, "EVMaximumCurrentLimit": amperes(200),
                    "EVMaximumVoltageLimit": volts(410),
                },
            }}),
            Step::CableCheck => json!({"CableCheckReq": {"DC_EVStatus": status}}),
            Step::PreCharge => json!({"PreChargeReq": {
                "DC_EVStatus": status, "EVTargetVoltage": volts(BATTERY_V), "EVTargetCurrent": amperes(1),
            }}),
            Step::PowerOn => json!({"PowerDeliveryReq": power(true)}),
            Step::Charge => json!({"CurrentDemandReq": {
                "DC_EVStatus": status, "EVTargetCurrent": amperes(TARGET_A), "ChargingComplete": false,
                "EVTargetVoltage": volts(400),
            }}),
            Step::PowerOff => json!({"PowerDeliveryReq": power(false)}),
            Step::Welding => json!({"WeldingDetectionReq": {"DC_EVStatus": status}}),
            Step::Stop => json!({"SessionStopReq": {}}),
        }
    }

    /// Takes the charger's answer. A failure ends the session.
    pub fn answer(&mut self, answer: &Value) {
        let (content, session) = match answer.pointer("/V2G_Message") {
            Some(message) => {
                let body = message.pointer("/Body").and_then(Value::as_object);
                (body.and_then(|body| body.values().next()), message.pointer("/Header/SessionID"))
            }
            None => (answer.as_object().and_then(|root| root.values().next()), None),
        };
        let Some(content) = content else { return };
        let text = |name: &str| content.pointer(name).and_then(Value::as_str).unwrap_or_default();
        if text("/ResponseCode").to_ascii_lowercase().starts_with("failed") {
            self.step = if self.step == Step::Stop { Step::Over } else { Step::Stop };
            return;
        }
        if let Some(session) = session.and_then(Value::as_str) {
            session.clone_into(&mut self.session);
        }
        let finished = text("/EVSEProcessing") != "Ongoing";
        let volts = volts(content);
        let near = volts.is_some_and(|volts| (volts - BATTERY_V).abs() <= CLOSE_ENOUGH_V);
        let dead = volts.is_none_or(|volts| volts < DEAD_V);
        self.step = match self.step {
            Step::Handshake => Step::Setup,
            Step::Setup => Step::Services,
            Step::Services => Step::Payment,
            Step::Payment => Step::Authorisation,
            Step::Authorisation if finished => Step::Parameters,
            Step::Parameters if finished => Step::CableCheck,
            Step::CableCheck if finished => Step::PreCharge,
            Step::PreCharge if near => Step::PowerOn,
            Step::PowerOn => Step::Charge,
            Step::Charge if self.rounds + 1 >= ROUNDS => Step::PowerOff,
            Step::Charge => {
                self.rounds += 1;
                self.soc += u8::from(self.rounds.is_multiple_of(4));
                Step::Charge
            }
            Step::PowerOff => Step::Welding,
            Step::Welding if dead => Step::Stop,
            Step::Stop => Step::Over,
            again => again,
        };
    }
}

/// The voltage that the charger reports, in V.
fn volts(content: &Value) -> Option<i64> {
    let voltage = content.pointer("/EVSEPresentVoltage")?;
    let value = voltage.pointer("/Value")?.as_i64()?;
    let exponent = voltage.pointer("/Multiplier")?.as_i64()?;
    let power = 10_i64.pow(u32::try_from(exponent.unsigned_abs()).ok()?.min(3));
    Some(if exponent < 0 { value / power } else { value * power })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_of_the_script_can_be_encoded() {
        let mut car = Car::new();
        for step in [
            Step::Handshake,
            Step::Setup,
            Step::Services,
            Step::Payment,
            Step::Authorisation,
            Step::Parameters,
            Step::CableCheck,
            Step::PreCharge,
            Step::PowerOn,
            Step::Charge,
            Step::PowerOff,
            Step::Welding,
            Step::Stop,
        ] {
            car.step = step;
            let (schema, json) = car.request().unwrap();
            let document = schema.from_json(&json, false).unwrap();
            assert!(document.is_ok(), "{step:?}: {document:?}");
        }
    }

    #[test]
    fn the_car_asks_again_until_the_charger_is_finished() {
        let mut car = Car::new();
        car.step = Step::CableCheck;
        let answer = |processing: &str| {
            json!({"V2G_Message": {"Header": {"SessionID": "AB"}, "Body": {"CableCheckRes": {
                "ResponseCode": "OK", "EVSEProcessing": processing,
            }}}})
        };
        car.answer(&answer("Ongoing"));
        assert_eq!((car.step, car.session.as_str()), (Step::CableCheck, "AB"));
        car.answer(&answer("Finished"));
        assert_eq!(car.step, Step::PreCharge);
    }

    #[test]
    fn a_failure_ends_the_session() {
        let mut car = Car::new();
        car.step = Step::PreCharge;
        car.answer(&json!({"V2G_Message": {"Body": {"PreChargeRes": {"ResponseCode": "FAILED"}}}}));
        assert_eq!(car.step, Step::Stop);
    }
}
