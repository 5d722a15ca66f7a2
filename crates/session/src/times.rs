use machine::Duration;

/// What a side waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Car: for the answer to the handshake.
    Handshake,
    /// Car: more than that for the very first response of a connection.
    StartAllowance,
    /// Car: for the response to `SessionSetup`.
    SessionSetup,
    /// Car: for the response to `ServiceDiscovery`.
    ServiceDiscovery,
    /// Car: for the response to the selection of service and payment.
    ServiceSelection,
    /// Car: for the response to a request for authorisation.
    Authorisation,
    /// Car: for the response to `ChargeParameterDiscovery`.
    ChargeParameters,
    /// Car: for the response to `CableCheck`.
    CableCheck,
    /// Car: for the response to `PreCharge`.
    PreCharge,
    /// Car: for the response to `PowerDelivery` when power is switched on.
    PowerOn,
    /// Car: for the response to `CurrentDemand`.
    CurrentDemand,
    /// Car: for the response to `PowerDelivery` when power is switched off.
    PowerOff,
    /// Car: for the response to `WeldingDetection`.
    WeldingDetection,
    /// Car: for the response to `SessionStop`.
    SessionStop,
    /// Car: from the connection to the response to `SessionSetup`.
    Setup,
    /// Car: from the connection to the response to `PowerDelivery` with power on.
    ReadyToCharge,
    /// Car: for the authorisation, from the first request.
    AuthorisationLoop,
    /// Car: for the charger's parameters, from the first request.
    ChargeParametersLoop,
    /// Car: for the isolation test, from the first request.
    CableCheckLoop,
    /// Car: for the precharge, from the first request.
    PreChargeLoop,
    /// Car: between a response that says Ongoing, or a precharge that is not there yet, and the next request.
    Pace,
    /// Car: between a response to `PreCharge` that finds the voltage near and the next request: it may settle meanwhile.
    /// Longer than 50 ms and the time between two readings: the contactors close only with a reading from that long after
    /// the response.
    PreChargePace,
    /// Car: between a response to `CurrentDemand` and the next request.
    DemandPace,
    /// Car: for the connector lock to confirm.
    Lock,
    /// Car: for the contactors' feedback to follow.
    Contactors,
    /// Car: from pilot B to open contactors at the end of a charge, at the least.
    Rest,
    /// Car: for the inlet to fall below 60 V after the contactors have opened; then it is a fault, and the plug stays locked.
    Discharge,
    /// Car: how long the battery may ask for nothing before the car ends the charge.
    NoDemand,
    /// Charger: from the connection to the request of `SessionSetup`.
    SetupBudget,
    /// Charger: from a response to the next request.
    Sequence,
    /// Charger: for the pilot to reach C or D at `CableCheck`, and B at `WeldingDetection`.
    PilotDetection,
    /// Charger: for the authorisation, from the first request.
    AuthorisationBudget,
    /// Charger: for the isolation test, from its begin.
    CableCheckBudget,
    /// Charger: for cable and power stage to fall below 60 V before an isolation test; 0: not waited for.
    Settle,
    /// Charger: for the voltage of the isolation test to be reached.
    Raise,
    /// Charger: for the isolation monitor's self-test, where it has one.
    SelfTest,
    /// Charger: for the precharge, from the first request.
    PreChargeBudget,
    /// Charger: for `WeldingDetection` and `SessionStop` after power is off.
    WeldingBudget,
    /// Charger: longest delay of the response to `PowerDelivery` with power off, while the current falls.
    PowerOffDelay,
    /// Charger: without a valid `CurrentDemand` for this time the current goes to 0 A.
    Stall,
    /// Charger: the pilot keeps 5 % after the session's end.
    OscillatorRetain,
    /// Charger: from the plug to 5 %.
    PlugToPwm,
    /// Charger: steady +12 V between two offers of 5 %.
    PilotPause,
    /// Charger: for the car to follow a stop by the charger; then the charger takes the current down itself.
    StopGrace,
    /// Charger: from a response that fails to closing the connection.
    CloseAfterFailed,
    /// Charger: from any other stop to closing the connection.
    CloseAfterStop,
}

/// Who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The car.
    Car,
    /// The charger.
    Charger,
}

/// What a time may be set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Anything.
    Any,
    /// Anything but 0.
    NotZero,
    /// More than 0, and no longer than the standard's value: safety depends on it.
    UpToStandard,
}

/// One row of [`TIMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRow {
    /// Which time.
    pub time: Time,
    /// Who waits.
    pub side: Side,
    /// Its name in configurations, stop reasons and logs; a side has none twice.
    pub name: &'static str,
    /// The standard's value.
    pub standard: Duration,
    /// The value that deployed peers need; never less.
    pub field: Duration,
    /// What it may be set to.
    pub range: Range,
    /// The standard's name of it and where the values come from. "std" is DIN SPEC 70121 as open-source implementations cite
    /// it, "judgement" is a choice of this project.
    pub source: &'static str,
}

const fn row(side: Side, time: Time, name: &'static str, ms: [u64; 2], source: &'static str) -> TimeRow {
    let [standard, field] = ms;
    let (standard, field) = (Duration::from_millis(standard), Duration::from_millis(field));
    TimeRow { time, side, name, standard, field, range: Range::NotZero, source }
}

const fn car(time: Time, name: &'static str, ms: [u64; 2], source: &'static str) -> TimeRow {
    row(Side::Car, time, name, ms, source)
}

const fn charger(time: Time, name: &'static str, ms: [u64; 2], source: &'static str) -> TimeRow {
    row(Side::Charger, time, name, ms, source)
}

impl TimeRow {
    const fn any(self) -> Self {
        Self { range: Range::Any, ..self }
    }

    const fn up_to_standard(self) -> Self {
        Self { range: Range::UpToStandard, ..self }
    }
}

/// Every time of both sides, with the standard's and the field's value, in the order of the type.
#[rustfmt::skip] // a table reads best with one row a line
pub const TIMES: &[TimeRow] = &[
    car(Time::Handshake, "supportedAppProtocolRes", [2_000, 2_000], "std"),
    car(Time::StartAllowance, "start allowance", [0, 3_000],
        "judgement: a charger that has just accepted the connection may still start its program").any(),
    car(Time::SessionSetup, "SessionSetupRes", [2_000, 5_000], "std; 5 s as pyPLC and clara"),
    car(Time::ServiceDiscovery, "ServiceDiscoveryRes", [2_000, 5_000], "std; 5 s as pyPLC and clara"),
    car(Time::ServiceSelection, "ServicePaymentSelectionRes", [2_000, 5_000], "std; 5 s as pyPLC and clara"),
    car(Time::Authorisation, "ContractAuthenticationRes", [2_000, 5_000], "std; 5 s as pyPLC and clara"),
    car(Time::ChargeParameters, "ChargeParameterDiscoveryRes", [2_000, 5_000],
        "std; Compleo 0.5 s, others more than 1 s"),
    car(Time::CableCheck, "CableCheckRes", [2_000, 30_000], "std; 30 s as pyPLC and clara"),
    car(Time::PreCharge, "PreChargeRes", [2_000, 5_000], "std; 5 s as pyPLC and clara"),
    car(Time::PowerOn, "PowerDeliveryRes (on)", [2_000, 6_000],
        "std; Compleo 0.9 s, 4.5 s allowed by ISO 15118-2"),
    car(Time::CurrentDemand, "CurrentDemandRes", [250, 5_000], "std; 5 s in practice"),
    car(Time::PowerOff, "PowerDeliveryRes (off)", [2_000, 6_000], "std; Compleo 1.5 s"),
    car(Time::WeldingDetection, "WeldingDetectionRes", [2_000, 2_000], "std; ABB never answers, Compleo 1.0 s"),
    car(Time::SessionStop, "SessionStopRes", [2_000, 2_000], "std"),
    car(Time::Setup, "communication setup", [20_000, 20_000], "V2G_EVCC_CommunicationSetup_Timeout, std"),
    car(Time::ReadyToCharge, "ready to charge", [150_000, 300_000],
        "V2G_EVCC_ReadyToCharge_Timeout, std; the sum of the longer loops"),
    car(Time::AuthorisationLoop, "authorisation", [60_000, 120_000],
        "V2G_EVCC_Ongoing_Timeout, std; 120 s as pyPLC and clara"),
    car(Time::ChargeParametersLoop, "charge parameters", [60_000, 60_000], "V2G_EVCC_Ongoing_Timeout, std"),
    car(Time::CableCheckLoop, "cable check", [40_000, 60_000], "V2G_EVCC_CableCheck_Timeout, std; 44 s seen"),
    car(Time::PreChargeLoop, "precharge", [7_000, 30_000],
        "V2G_EVCC_PreCharge_Timeout, std; 8 s seen, 30 s as pyPLC and clara"),
    car(Time::Pace, "pace", [90, 90], "Ioniq (observed)").any(),
    car(Time::PreChargePace, "precharge pace", [300, 300],
        "judgement: more than the 200 ms of settling, less than the 0.5 s of pyPLC"),
    car(Time::DemandPace, "demand pace", [90, 90], "Ioniq (observed)").any(),
    car(Time::Lock, "lock confirmation", [2_000, 2_000], "pyPLC"),
    car(Time::Contactors, "contactor feedback", [2_000, 2_000], "pyPLC"),
    car(Time::Rest, "rest", [300, 300], "clara: 300 ms of pilot B before the contactors open").any(),
    car(Time::Discharge, "discharge", [10_000, 10_000],
        "judgement: an HYC300 falls from 220 V to 60 V in 0.6 s, a Compleo takes more than 2 s"),
    car(Time::NoDemand, "no demand", [30_000, 30_000], "judgement"),
    charger(Time::SetupBudget, "communication setup", [18_000, 18_000],
        "V2G_SECC_CommunicationSetup_Performance, std"),
    charger(Time::Sequence, "sequence", [60_000, 60_000], "V2G_SECC_Sequence_Timeout, std"),
    charger(Time::PilotDetection, "pilot detection", [1_500, 1_500],
        "V2G_SECC_CPState_Detection_Timeout, std; 3 s with the quirk slow-pilot (EvseV2G)"),
    charger(Time::AuthorisationBudget, "authorisation", [55_000, 115_000],
        "V2G_SECC_Ongoing_Performance, std; 115 s is within the 120 s of pyPLC and clara"),
    charger(Time::CableCheckBudget, "cable check", [38_000, 58_000], "std; the car's default here is 60 s"),
    charger(Time::Settle, "settle", [10_000, 10_000], "EVerest").any(),
    charger(Time::Raise, "raise", [10_000, 10_000], "EVerest"),
    charger(Time::SelfTest, "self-test", [20_000, 20_000], "judgement"),
    charger(Time::PreChargeBudget, "precharge", [5_000, 28_000], "std; pyPLC and clara wait 30 s"),
    charger(Time::WeldingBudget, "welding detection", [30_000, 30_000],
        "judgement: 10 polls of a Compleo take 11 s"),
    charger(Time::PowerOffDelay, "power off", [1_500, 1_500], "std").up_to_standard(),
    charger(Time::Stall, "stall", [1_000, 1_000], "judgement").up_to_standard(),
    charger(Time::OscillatorRetain, "oscillator retain", [1_500, 1_500], "V2G_SECC_CPOscillator_Retain, std").any(),
    charger(Time::PlugToPwm, "plug to PWM", [500, 500], "EVerest; Teslas send the first SLAC request fast").any(),
    charger(Time::PilotPause, "pilot pause", [3_000, 3_000], "t_step_X1, EVerest").any(),
    charger(Time::StopGrace, "stop grace", [10_000, 10_000], "judgement; an Ioniq follows after 0.25 s").any(),
    charger(Time::CloseAfterFailed, "close after FAILED", [0, 5_000],
        "ISO 15118-4 wants the connection closed within 5 s").any(),
    charger(Time::CloseAfterStop, "close", [60_000, 60_000], "std: cars follow within the sequence timer").any(),
];

const COUNT: usize = TIMES.len();

/// What a program needs of a row when it runs; sources stay out of flash.
type Brief = (Side, &'static str, Range);

static BRIEFS: [Brief; COUNT] = {
    let mut briefs = [(Side::Car, "", Range::Any); COUNT];
    let (mut rows, mut rest) = (TIMES, briefs.as_mut_slice());
    while let ([row, more @ ..], [brief, others @ ..]) = (rows, rest) {
        *brief = (row.side, row.name, row.range);
        (rows, rest) = (more, others);
    }
    briefs
};

impl Time {
    /// The name in configurations, stop reasons and logs.
    pub fn name(self) -> &'static str {
        BRIEFS.get(self as usize).map_or("", |(_, name, _)| name)
    }
}

/// How long each side waits, to the millisecond: see [`TIMES`]. A side uses its own times only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times([u32; COUNT]);

impl Times {
    /// The standard's values.
    pub const STANDARD: Self = Self::column(true);
    /// The values that deployed peers need.
    pub const FIELD: Self = Self::column(false);

    const fn column(standard: bool) -> Self {
        let mut values = [0; COUNT];
        let (mut rows, mut rest) = (TIMES, values.as_mut_slice());
        while let ([row, more @ ..], [value, others @ ..]) = (rows, rest) {
            *value = millis(if standard { row.standard } else { row.field });
            (rows, rest) = (more, others);
        }
        Self(values)
    }

    /// How long `time` is.
    pub fn get(&self, time: Time) -> Duration {
        Duration::from_millis(self.0.get(time as usize).copied().unwrap_or(0).into())
    }

    /// The times with `time` set to `value`: rounded up to a millisecond, 49 days at most.
    #[must_use]
    pub fn with(mut self, time: Time, value: Duration) -> Self {
        if let Some(slot) = self.0.get_mut(time as usize) {
            *slot = millis(value);
        }
        self
    }

    /// The times, none longer than in `most`.
    #[must_use]
    pub fn at_most(mut self, most: &Self) -> Self {
        for (own, most) in self.0.iter_mut().zip(most.0) {
            *own = (*own).min(most);
        }
        self
    }

    /// Whether each time of `side` is in its [`Range`].
    ///
    /// # Errors
    /// The name of the first one that is not.
    pub fn check(&self, side: Side) -> Result<(), &'static str> {
        let Self(standard) = Self::STANDARD;
        let rows = BRIEFS.iter().zip(self.0.iter().zip(standard));
        let is_out = |range: Range, value: u32, standard: u32| match range {
            Range::Any => false,
            Range::NotZero => value == 0,
            Range::UpToStandard => value == 0 || value > standard,
        };
        let mut own = rows.filter(|((of, ..), _)| *of == side);
        own.find(|((.., range), (value, standard))| is_out(*range, **value, *standard))
            .map_or(Ok(()), |((_, name, _), _)| Err(name))
    }
}

#[allow(clippy::cast_possible_truncation, reason = "it is in range there")]
const fn millis(time: Duration) -> u32 {
    let millis = time.as_micros().div_ceil(1_000);
    if millis > u32::MAX as u64 { u32::MAX } else { millis as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_order_of_the_enumeration_and_a_side_names_nothing_twice() {
        for (index, row) in TIMES.iter().enumerate() {
            assert_eq!(row.time as usize, index, "{}", row.name);
            assert_eq!(row.time.name(), row.name);
            assert!(row.field >= row.standard, "{}: the field needs no less than the standard", row.name);
            let is_same = |other: &&TimeRow| (other.side, other.name) == (row.side, row.name);
            assert_eq!(TIMES.iter().filter(is_same).count(), 1, "{}", row.name);
            assert!(!row.source.is_empty(), "{}", row.name);
        }
        assert_eq!(COUNT, Time::CloseAfterStop as usize + 1);
    }

    #[test]
    fn both_columns_can_be_read_and_one_value_changed() {
        assert_eq!(Times::STANDARD.get(Time::CurrentDemand), Duration::from_millis(250));
        assert_eq!(Times::FIELD.get(Time::PreChargeLoop), Duration::from_secs(30));
        let fine = Times::FIELD.with(Time::Rest, Duration::from_micros(1));
        assert_eq!(fine.get(Time::Rest), Duration::from_millis(1));
        let long = Times::FIELD.with(Time::Rest, Duration::from_secs(u64::MAX));
        assert_eq!(long.get(Time::Rest), Duration::from_millis(u32::MAX.into()));
    }

    #[test]
    fn a_time_out_of_its_range_is_named_at_its_side_only() {
        for side in [Side::Car, Side::Charger] {
            assert_eq!((Times::STANDARD.check(side), Times::FIELD.check(side)), (Ok(()), Ok(())));
        }
        let ms = Duration::from_millis;
        for (time, value, expected) in [
            (Time::Discharge, ms(0), [Err("discharge"), Ok(())]),
            (Time::Pace, ms(0), [Ok(()), Ok(())]),
            (Time::Sequence, ms(0), [Ok(()), Err("sequence")]),
            (Time::Stall, ms(1_001), [Ok(()), Err("stall")]),
            (Time::Stall, ms(0), [Ok(()), Err("stall")]),
            (Time::PowerOffDelay, ms(1_501), [Ok(()), Err("power off")]),
            (Time::Settle, ms(0), [Ok(()), Ok(())]),
        ] {
            let times = Times::FIELD.with(time, value);
            assert_eq!([times.check(Side::Car), times.check(Side::Charger)], expected, "{time:?} {value}");
        }
    }

    #[test]
    fn a_time_can_be_held_to_another_and_is_never_lengthened_by_it() {
        let short = Times::FIELD.with(Time::PreChargeLoop, Duration::from_secs(1));
        let held = short.at_most(&Times::STANDARD);
        assert_eq!(held.get(Time::PreChargeLoop), Duration::from_secs(1));
        assert_eq!(held.get(Time::CableCheckLoop), Duration::from_secs(40));
    }
}
