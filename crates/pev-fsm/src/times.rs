use machine::Duration;

/// What a car waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// For `supportedAppProtocolRes`.
    Handshake,
    /// More than that for the very first response of a connection.
    StartAllowance,
    /// For `SessionSetupRes`.
    SessionSetup,
    /// For `ServiceDiscoveryRes`.
    ServiceDiscovery,
    /// For `ServicePaymentSelectionRes`.
    PaymentSelection,
    /// For `ContractAuthenticationRes`.
    Authentication,
    /// For `ChargeParameterDiscoveryRes`.
    ChargeParameter,
    /// For `CableCheckRes`.
    CableCheck,
    /// For `PreChargeRes`.
    PreCharge,
    /// For `PowerDeliveryRes` when power is switched on.
    PowerOn,
    /// For `CurrentDemandRes`.
    CurrentDemand,
    /// For `PowerDeliveryRes` when power is switched off.
    PowerOff,
    /// For `WeldingDetectionRes`.
    WeldingDetection,
    /// For `SessionStopRes`.
    SessionStop,
    /// From the connection to `SessionSetupRes`.
    Setup,
    /// From the connection to `PowerDeliveryRes` with power on.
    ReadyToCharge,
    /// For the authorisation, from the first request.
    AuthenticationLoop,
    /// For the charger's parameters, from the first request.
    ChargeParameterLoop,
    /// For the isolation test, from the first request.
    CableCheckLoop,
    /// For the precharge, from the first request.
    PreChargeLoop,
    /// Between a response that says Ongoing, or a precharge that is not there yet, and the next request.
    Pace,
    /// Between a `PreChargeRes` that finds the voltage near and the next request: it may settle meanwhile. Longer than
    /// 50 ms and the time between two readings: the contactors close only with one from so long behind the answer.
    PreChargePace,
    /// Between a `CurrentDemandRes` and the next request.
    DemandPace,
    /// For the connector lock to confirm.
    Lock,
    /// For the contactors' feedback to follow.
    Contactors,
    /// From pilot B to open contactors at the end of a charge, at the least.
    Rest,
    /// For the inlet to fall below 60 V behind open contactors; then it is a fault, and stays locked.
    Discharge,
    /// How long the battery may ask for nothing before the car ends the charge.
    NoDemand,
}

/// One row of [`TIMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRow {
    /// Which time.
    pub time: Time,
    /// Its name in configurations, stop reasons and logs.
    pub name: &'static str,
    /// The standard's value.
    pub standard: Duration,
    /// The value that deployed chargers need.
    pub field: Duration,
    /// Where they come from.
    pub source: &'static str,
}

const fn row(
    time: Time,
    name: &'static str,
    standard_ms: u64,
    field_ms: u64,
    source: &'static str,
) -> TimeRow {
    let (standard, field) = (Duration::from_millis(standard_ms), Duration::from_millis(field_ms));
    TimeRow { time, name, standard, field, source }
}

/// Every time, with the standard's and the field's value. "std" is DIN SPEC 70121 as the programs read here cite
/// it, "judgement" is ours.
#[rustfmt::skip] // a table reads best with one row a line
pub const TIMES: &[TimeRow] = &[
    row(Time::Handshake, "supportedAppProtocolRes", 2_000, 2_000, "std"),
    row(Time::StartAllowance, "start allowance", 0, 3_000, "judgement: a charger that has just accepted the connection may still start its program"),
    row(Time::SessionSetup, "SessionSetupRes", 2_000, 5_000, "std; 5 s as pyPLC and clara"),
    row(Time::ServiceDiscovery, "ServiceDiscoveryRes", 2_000, 5_000, "std; 5 s as pyPLC and clara"),
    row(Time::PaymentSelection, "ServicePaymentSelectionRes", 2_000, 5_000, "std; 5 s as pyPLC and clara"),
    row(Time::Authentication, "ContractAuthenticationRes", 2_000, 5_000, "std; 5 s as pyPLC and clara"),
    row(Time::ChargeParameter, "ChargeParameterDiscoveryRes", 2_000, 5_000, "std; Compleo 0.5 s, others more than 1 s"),
    row(Time::CableCheck, "CableCheckRes", 2_000, 30_000, "std; 30 s as pyPLC and clara"),
    row(Time::PreCharge, "PreChargeRes", 2_000, 5_000, "std; 5 s as pyPLC and clara"),
    row(Time::PowerOn, "PowerDeliveryRes (on)", 2_000, 6_000, "std; Compleo 0.9 s, 4.5 s allowed by ISO 15118-2"),
    row(Time::CurrentDemand, "CurrentDemandRes", 250, 5_000, "std; 5 s in practice"),
    row(Time::PowerOff, "PowerDeliveryRes (off)", 2_000, 6_000, "std; Compleo 1.5 s"),
    row(Time::WeldingDetection, "WeldingDetectionRes", 2_000, 2_000, "std; ABB never answers, Compleo 1.0 s"),
    row(Time::SessionStop, "SessionStopRes", 2_000, 2_000, "std"),
    row(Time::Setup, "communication setup", 20_000, 20_000, "V2G_EVCC_CommunicationSetup_Timeout, std"),
    row(Time::ReadyToCharge, "ready to charge", 150_000, 300_000, "V2G_EVCC_ReadyToCharge_Timeout, std; the sum of the longer loops"),
    row(Time::AuthenticationLoop, "authorisation", 60_000, 120_000, "V2G_EVCC_Ongoing_Timeout, std; 120 s as pyPLC and clara"),
    row(Time::ChargeParameterLoop, "charge parameters", 60_000, 60_000, "V2G_EVCC_Ongoing_Timeout, std"),
    row(Time::CableCheckLoop, "cable check", 40_000, 60_000, "V2G_EVCC_CableCheck_Timeout, std; 44 s seen"),
    row(Time::PreChargeLoop, "precharge", 7_000, 30_000, "V2G_EVCC_PreCharge_Timeout, std; 8 s seen, 30 s as pyPLC and clara"),
    row(Time::Pace, "pace", 90, 90, "Ioniq (observed)"),
    row(Time::PreChargePace, "precharge pace", 300, 300, "judgement: more than the 200 ms of settling, less than the 0.5 s of pyPLC"),
    row(Time::DemandPace, "demand pace", 90, 90, "Ioniq (observed)"),
    row(Time::Lock, "lock confirmation", 2_000, 2_000, "pyPLC"),
    row(Time::Contactors, "contactor feedback", 2_000, 2_000, "pyPLC"),
    row(Time::Rest, "rest", 300, 300, "clara: 300 ms of pilot B before the contactors open"),
    row(Time::Discharge, "discharge", 10_000, 10_000, "judgement: an HYC300 falls from 220 V to 60 V in 0.6 s, a Compleo takes more than 2 s"),
    row(Time::NoDemand, "no demand", 30_000, 30_000, "judgement"),
];

const COUNT: usize = TIMES.len();

/// The waits of one car, see [`TIMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times([Duration; COUNT]);

impl Time {
    /// The name in configurations, stop reasons and logs.
    pub fn name(self) -> &'static str {
        TIMES.iter().find(|row| row.time == self).map_or("", |row| row.name)
    }
}

impl Times {
    /// The standard's values.
    pub const STANDARD: Self = Self::column(true);
    /// The values that deployed chargers need.
    pub const FIELD: Self = Self::column(false);

    const fn column(standard: bool) -> Self {
        let mut values = [Duration::ZERO; COUNT];
        let (mut rows, mut rest) = (TIMES, values.as_mut_slice());
        while let ([row, more @ ..], [value, others @ ..]) = (rows, rest) {
            *value = if standard { row.standard } else { row.field };
            (rows, rest) = (more, others);
        }
        Self(values)
    }

    /// How long `time` is.
    pub fn get(&self, time: Time) -> Duration {
        self.0.get(time as usize).copied().unwrap_or(Duration::ZERO)
    }

    /// The times with `time` set to `value`.
    #[must_use]
    pub fn with(mut self, time: Time, value: Duration) -> Self {
        if let Some(slot) = self.0.get_mut(time as usize) {
            *slot = value;
        }
        self
    }

    /// The name of the first time that must not be zero and is.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let may_be_zero =
            |time| matches!(time, Time::StartAllowance | Time::Pace | Time::DemandPace | Time::Rest);
        TIMES
            .iter()
            .find(|row| self.get(row.time) == Duration::ZERO && !may_be_zero(row.time))
            .map_or(Ok(()), |row| Err(row.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_enumeration_and_names_nothing_twice() {
        for (index, row) in TIMES.iter().enumerate() {
            assert_eq!(row.time as usize, index, "{}", row.name);
            assert!(row.field >= row.standard, "{}: the field needs no less than the standard", row.name);
            assert_eq!(TIMES.iter().filter(|other| other.name == row.name).count(), 1, "{}", row.name);
        }
        assert_eq!(COUNT, Time::NoDemand as usize + 1);
    }

    #[test]
    fn both_columns_can_be_read_and_one_value_changed() {
        assert_eq!(Times::STANDARD.get(Time::CurrentDemand), Duration::from_millis(250));
        assert_eq!(Times::FIELD.get(Time::PreChargeLoop), Duration::from_secs(30));
        let mine = Times::FIELD.with(Time::Discharge, Duration::ZERO);
        assert_eq!(mine.check(), Err("discharge"));
        assert_eq!((Times::STANDARD.check(), Times::FIELD.check()), (Ok(()), Ok(())));
    }
}
