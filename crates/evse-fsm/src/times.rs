use crate::Quirks;
use machine::Duration;

/// Timers and waits of a charger.
///
/// Sources in brackets; "(std)" is DIN SPEC 70121 as the programs read here cite it, "judgement" is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// From the connection to `SessionSetupReq`: 18 s
    /// (`V2G_SECC_CommunicationSetup_Performance`, std).
    pub setup: Duration,
    /// From an answer to the next request: 60 s (`V2G_SECC_Sequence_Timeout`, std).
    pub sequence: Duration,
    /// For the pilot to reach C/D at `CableCheckReq` and B at `WeldingDetectionReq`: 1.5 s
    /// (`V2G_SECC_CPState_Detection_Timeout`, std), 3 s relaxed (`EvseV2G`).
    pub pilot_detection: Duration,
    /// For the authorisation, from the first request: 55 s (`V2G_SECC_Ongoing_Performance`, std), 115 s
    /// relaxed, which cars with 120 s (pyPLC, clara) still bear.
    pub authorisation: Duration,
    /// For `CableCheck`: 38 s (std), 58 s relaxed (the car's default here is 60 s).
    pub cable_check: Duration,
    /// For cable and power stage to fall below 60 V before an isolation test: 10 s (`EVerest`); 0: not waited for.
    pub settle: Duration,
    /// For the voltage of the isolation test to be reached: 10 s (`EVerest`).
    pub raise: Duration,
    /// For the isolation monitor's self-test, where it has one: 20 s (judgement).
    pub self_test: Duration,
    /// For `PreCharge`: 5 s (std), 28 s relaxed (pyPLC and clara wait 30 s).
    pub precharge: Duration,
    /// For `WeldingDetection` and `SessionStop` after power is off: 30 s (judgement: 10 polls of a
    /// Compleo take 11 s).
    pub welding: Duration,
    /// Longest delay of the answer to `PowerDelivery(false)` while the current falls: 1.5 s (std).
    pub power_off: Duration,
    /// Without a valid `CurrentDemandReq` the current goes to 0 A after 1 s (judgement).
    pub stall: Duration,
    /// The pilot keeps 5 % after the session's end: 1.5 s (`V2G_SECC_CPOscillator_Retain`, std).
    pub oscillator_retain: Duration,
    /// From the plug to 5 %: 0.5 s (EVerest; Teslas send the first SLAC request fast).
    pub plug_to_pwm: Duration,
    /// Steady +12 V between two offers of 5 %: 3 s (`t_step_X1`, EVerest).
    pub pilot_pause: Duration,
    /// Time for the car to follow a stop by the charger before the charger takes the current down itself:
    /// 10 s (judgement; an Ioniq follows after 0.25 s).
    pub stop_grace: Duration,
    /// From a FAILED answer to closing the connection: 5 s (the conformance suite of ISO 15118-4 wants the
    /// close within 5 s); 0 in the standard's set.
    pub close_after_failed: Duration,
    /// From any other stop to closing the connection: 60 s (std: cars follow within the sequence timer).
    pub close_after_stop: Duration,
}

impl Times {
    /// The standard's values.
    pub const STANDARD: Self = Self {
        setup: Duration::from_secs(18),
        sequence: Duration::from_secs(60),
        pilot_detection: Duration::from_millis(1500),
        authorisation: Duration::from_secs(55),
        cable_check: Duration::from_secs(38),
        settle: Duration::from_secs(10),
        raise: Duration::from_secs(10),
        self_test: Duration::from_secs(20),
        precharge: Duration::from_secs(5),
        welding: Duration::from_secs(30),
        power_off: Duration::from_millis(1500),
        stall: Duration::from_secs(1),
        oscillator_retain: Duration::from_millis(1500),
        plug_to_pwm: Duration::from_millis(500),
        pilot_pause: Duration::from_secs(3),
        stop_grace: Duration::from_secs(10),
        close_after_failed: Duration::ZERO,
        close_after_stop: Duration::from_secs(60),
    };

    /// The values that deployed cars are happier with: longer budgets.
    pub const RELAXED: Self = Self {
        authorisation: Duration::from_secs(115),
        cable_check: Duration::from_secs(58),
        precharge: Duration::from_secs(28),
        close_after_failed: Duration::from_secs(5),
        ..Self::STANDARD
    };

    /// The pilot detection time of the quirk `slow-pilot`.
    const SLOW_PILOT: Duration = Duration::from_secs(3);

    /// The times with the switches of the quirks about timers applied.
    pub(crate) fn with_quirks(mut self, quirks: Quirks) -> Self {
        if !quirks.contains(Quirks::RELAXED_TIMERS) {
            self.authorisation = self.authorisation.min(Self::STANDARD.authorisation);
            self.cable_check = self.cable_check.min(Self::STANDARD.cable_check);
            self.precharge = self.precharge.min(Self::STANDARD.precharge);
        }
        if quirks.contains(Quirks::SLOW_PILOT) {
            self.pilot_detection = self.pilot_detection.max(Self::SLOW_PILOT);
        }
        if !quirks.contains(Quirks::LATE_CLOSE) {
            self.close_after_failed = Duration::ZERO;
        }
        self
    }

    /// The name of the first time that makes no sense.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let needed = [
            ("setup", self.setup),
            ("sequence", self.sequence),
            ("pilot_detection", self.pilot_detection),
            ("authorisation", self.authorisation),
            ("cable_check", self.cable_check),
            ("raise", self.raise),
            ("self_test", self.self_test),
            ("precharge", self.precharge),
            ("welding", self.welding),
            ("power_off", self.power_off),
            ("stall", self.stall),
        ];
        if let Some((name, _)) = needed.iter().find(|(_, time)| *time == Duration::ZERO) {
            return Err(name);
        }
        if self.stall > Self::STANDARD.stall {
            return Err("stall");
        }
        if self.power_off > Self::STANDARD.power_off {
            return Err("power_off");
        }
        Ok(())
    }
}
