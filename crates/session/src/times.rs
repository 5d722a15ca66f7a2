use machine::Duration;

/// The side that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The car.
    Car,
    /// The charger.
    Charger,
}

/// The permitted values of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Any value.
    Any,
    /// Any value except 0.
    NotZero,
    /// More than 0, at most the standard's value: a safety rule depends on it.
    UpToStandard,
}

/// One row of [`TIMES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRow {
    /// The time that this row describes.
    pub time: Time,
    /// The side that waits.
    pub side: Side,
    /// Its name in configurations, stop reasons and logs; unique within a side.
    pub name: &'static str,
    /// The standard's value.
    pub standard: Duration,
    /// The value that deployed peers need; never less than the standard's.
    pub field: Duration,
    /// The permitted values.
    pub range: Range,
    /// The standard's name and the source of both values. "std" is DIN SPEC 70121 as open-source
    /// implementations cite it, "judgement" is a choice of this project.
    pub source: &'static str,
}

/// Declares [`Time`] and [`TIMES`]. For each side: its times with name, values of standard and field in ms,
/// range and source.
macro_rules! times {
    ($($side:ident {
        $($(#[$doc:meta])*
        $time:ident: $name:literal, [$standard:literal, $field:literal], $range:ident, $source:literal;)*
    })*) => {
        /// An event that a side waits for, or a pause that it keeps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Time {
            $($(
                $(#[$doc])*
                #[doc = concat!("\n\n", stringify!($side), "; ", $source, ".")]
                $time,
            )*)*
        }

        /// Every time of both sides, in the order of [`Time`].
        pub const TIMES: &[TimeRow] = &[$($(TimeRow {
            time: Time::$time,
            side: Side::$side,
            name: $name,
            standard: Duration::from_millis($standard),
            field: Duration::from_millis($field),
            range: Range::$range,
            source: $source,
        },)*)*];
    };
}

times! {
    Car {
        /// For the response to the handshake.
        Handshake: "supportedAppProtocolRes", [2_000, 2_000], NotZero, "std";
        /// Additional time for the first response of a connection.
        StartAllowance: "start allowance", [0, 3_000], Any,
            "judgement: a charger that has just accepted the connection may still start its program";
        /// For the response to `SessionSetup`.
        SessionSetup: "SessionSetupRes", [2_000, 5_000], NotZero, "std; 5 s as pyPLC and clara";
        /// For the response to `ServiceDiscovery`.
        ServiceDiscovery: "ServiceDiscoveryRes", [2_000, 5_000], NotZero, "std; 5 s as pyPLC and clara";
        /// For the response to the selection of service and payment.
        ServiceSelection: "ServicePaymentSelectionRes", [2_000, 5_000], NotZero,
            "std; 5 s as pyPLC and clara";
        /// For the response to the request for authorisation.
        Authorisation: "ContractAuthenticationRes", [2_000, 5_000], NotZero, "std; 5 s as pyPLC and clara";
        /// For the response to `ChargeParameterDiscovery`.
        ChargeParameters: "ChargeParameterDiscoveryRes", [2_000, 5_000], NotZero,
            "std; Compleo 0.5 s, others more than 1 s";
        /// For the response to `CableCheck`.
        CableCheck: "CableCheckRes", [2_000, 30_000], NotZero, "std; 30 s as pyPLC and clara";
        /// For the response to `PreCharge`.
        PreCharge: "PreChargeRes", [2_000, 5_000], NotZero, "std; 5 s as pyPLC and clara";
        /// For the response to `PowerDelivery` when power is switched on.
        PowerOn: "PowerDeliveryRes (on)", [2_000, 6_000], NotZero,
            "std; Compleo 0.9 s, 4.5 s allowed by ISO 15118-2";
        /// For the response to `CurrentDemand`.
        CurrentDemand: "CurrentDemandRes", [250, 5_000], NotZero, "std; 5 s in practice";
        /// For the response to `PowerDelivery` when power is switched off.
        PowerOff: "PowerDeliveryRes (off)", [2_000, 6_000], NotZero, "std; Compleo 1.5 s";
        /// For the response to `WeldingDetection`.
        WeldingDetection: "WeldingDetectionRes", [2_000, 2_000], NotZero,
            "std; ABB never answers, Compleo 1.0 s";
        /// For the response to `SessionStop`.
        SessionStop: "SessionStopRes", [2_000, 2_000], NotZero, "std";
        /// From the connection to the response to `SessionSetup`.
        Setup: "communication setup", [20_000, 20_000], NotZero, "V2G_EVCC_CommunicationSetup_Timeout, std";
        /// From the connection to the response to `PowerDelivery` with power on.
        ReadyToCharge: "ready to charge", [150_000, 300_000], NotZero,
            "V2G_EVCC_ReadyToCharge_Timeout, std; the sum of the longer loops";
        /// For the authorisation, from the first request.
        AuthorisationLoop: "authorisation", [60_000, 120_000], NotZero,
            "V2G_EVCC_Ongoing_Timeout, std; 120 s as pyPLC and clara";
        /// For the charger's parameters, from the first request.
        ChargeParametersLoop: "charge parameters", [60_000, 60_000], NotZero, "V2G_EVCC_Ongoing_Timeout, std";
        /// For the isolation test, from the first request.
        CableCheckLoop: "cable check", [40_000, 60_000], NotZero,
            "V2G_EVCC_CableCheck_Timeout, std; 44 s seen";
        /// For the precharge, from the first request.
        PreChargeLoop: "precharge", [7_000, 30_000], NotZero,
            "V2G_EVCC_PreCharge_Timeout, std; 8 s seen, 30 s as pyPLC and clara";
        /// Between a response that is Ongoing, or a precharge that is not finished, and the next request.
        Pace: "pace", [90, 90], Any, "Ioniq (observed)";
        /// Between a response to `PreCharge` with a voltage near the battery's and the next request: the
        /// voltage may settle in between. Longer than 50 ms plus the time between two readings: the
        /// contactors close only with a reading that is this much later than the response.
        PreChargePace: "precharge pace", [300, 300], NotZero,
            "judgement: more than the 200 ms of settling, less than the 0.5 s of pyPLC";
        /// Between a response to `CurrentDemand` and the next request.
        DemandPace: "demand pace", [90, 90], Any, "Ioniq (observed)";
        /// For the connector lock to confirm.
        Lock: "lock confirmation", [2_000, 2_000], NotZero, "pyPLC";
        /// For the contactors' feedback to follow.
        Contactors: "contactor feedback", [2_000, 2_000], NotZero, "pyPLC";
        /// Shortest time from pilot B to open contactors at the end of a charge.
        Rest: "rest", [300, 300], Any, "clara: 300 ms of pilot B before the contactors open";
        /// For the inlet to fall below 60 V after the contactors have opened. After that it is a fault, and
        /// the plug stays locked.
        Discharge: "discharge", [10_000, 10_000], NotZero,
            "judgement: an HYC300 falls from 220 V to 60 V in 0.6 s, a Compleo takes more than 2 s";
        /// How long the battery may request no current before the car ends the charge.
        NoDemand: "no demand", [30_000, 30_000], NotZero, "judgement";
    }
    Charger {
        /// From the connection to the request of `SessionSetup`.
        SetupBudget: "communication setup", [18_000, 18_000], NotZero,
            "V2G_SECC_CommunicationSetup_Performance, std";
        /// From a response to the next request.
        Sequence: "sequence", [60_000, 60_000], NotZero, "V2G_SECC_Sequence_Timeout, std";
        /// For the pilot to reach C or D at `CableCheck`, and B at `WeldingDetection`.
        PilotDetection: "pilot detection", [1_500, 1_500], NotZero,
            "V2G_SECC_CPState_Detection_Timeout, std; 3 s with the quirk slow-pilot (EvseV2G)";
        /// For the authorisation, from the first request.
        AuthorisationBudget: "authorisation", [55_000, 115_000], NotZero,
            "V2G_SECC_Ongoing_Performance, std; 115 s is within the 120 s of pyPLC and clara";
        /// For the isolation test, from its start.
        CableCheckBudget: "cable check", [38_000, 58_000], NotZero, "std; the car's default here is 60 s";
        /// For cable and power stage to fall below 60 V before an isolation test; 0: the charger does not
        /// wait.
        Settle: "settle", [10_000, 10_000], Any, "EVerest";
        /// For the voltage of the isolation test to be reached.
        Raise: "raise", [10_000, 10_000], NotZero, "EVerest";
        /// For the isolation monitor's self-test, if it has one.
        SelfTest: "self-test", [20_000, 20_000], NotZero, "judgement";
        /// For the precharge, from the first request.
        PreChargeBudget: "precharge", [5_000, 28_000], NotZero, "std; pyPLC and clara wait 30 s";
        /// For `WeldingDetection` and `SessionStop` after power is off.
        WeldingBudget: "welding detection", [30_000, 30_000], NotZero,
            "judgement: 10 polls of a Compleo take 11 s";
        /// Longest delay of the response to `PowerDelivery` with power off, while the current falls.
        PowerOffDelay: "power off", [1_500, 1_500], UpToStandard, "std";
        /// Without a valid `CurrentDemand` for this time the charger sets the current to 0 A.
        Stall: "stall", [1_000, 1_000], UpToStandard, "judgement";
        /// How long the pilot keeps 5 % after the session's end.
        OscillatorRetain: "oscillator retain", [1_500, 1_500], Any, "V2G_SECC_CPOscillator_Retain, std";
        /// From the insertion of the plug to 5 %.
        PlugToPwm: "plug to PWM", [500, 500], Any, "EVerest; Teslas send the first SLAC request fast";
        /// Steady +12 V between two offers of 5 %.
        PilotPause: "pilot pause", [3_000, 3_000], Any, "t_step_X1, EVerest";
        /// For the car to follow a stop by the charger. After that the charger reduces the current itself.
        StopGrace: "stop grace", [10_000, 10_000], Any, "judgement; an Ioniq follows after 0.25 s";
        /// From a response with a FAILED code to closing the connection.
        CloseAfterFailed: "close after FAILED", [0, 5_000], Any,
            "ISO 15118-4 wants the connection closed within 5 s";
        /// From any other stop to closing the connection.
        CloseAfterStop: "close", [60_000, 60_000], Any, "std: cars follow within the sequence timer";
    }
}

const COUNT: usize = TIMES.len();

/// The columns of a row that are needed at run time; the sources stay out of flash.
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
    /// The name in configurations, stop reasons and logs; unique within a side.
    pub fn name(self) -> &'static str {
        BRIEFS.get(self as usize).map_or("", |(_, name, _)| name)
    }
}

/// How long each side waits, in whole milliseconds: see [`TIMES`]. A side uses only its own times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times([u32; COUNT]);

impl Times {
    /// The standard's values, column `standard` of [`TIMES`].
    pub const STANDARD: Self = Self::column(true);
    /// The values that deployed peers need, column `field` of [`TIMES`].
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

    /// The value of `time`.
    pub fn get(&self, time: Time) -> Duration {
        Duration::from_millis(self.0.get(time as usize).copied().unwrap_or(0).into())
    }

    /// The same times with `time` set to `value`, rounded up to 1 ms and at most 49 days.
    #[must_use]
    pub fn with(mut self, time: Time, value: Duration) -> Self {
        if let Some(slot) = self.0.get_mut(time as usize) {
            *slot = millis(value);
        }
        self
    }

    /// The same times, each reduced to its value in `most`.
    #[must_use]
    pub fn at_most(mut self, most: &Self) -> Self {
        for (own, most) in self.0.iter_mut().zip(most.0) {
            *own = (*own).min(most);
        }
        self
    }

    /// Checks that each time of `side` is within its [`Range`].
    ///
    /// # Errors
    /// The name of the first time that is not.
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
