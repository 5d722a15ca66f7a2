//! Deviations of deployed cars that the charger accepts, as data.

session::quirks! {
    ODD_PRECHARGE_TARGET {
        id: "odd-precharge-target",
        bends: "a PreCharge target that is negative or below the charger's minimum is answered OK with 0 V \
                instead of FAILED",
        needed_by: "Skoda Enyaq, BMW i3 Rex 2018",
        default: true,
    }
    PROFILE_POWER {
        id: "profile-power",
        bends: "a charging profile above the schedule's power is taken instead of \
                FAILED_ChargingProfileInvalid; the limit holds all the same",
        needed_by: "cars above 32 767 W, the most that a schedule can name",
        default: true,
    }
    EMPTY_EVCCID {
        id: "empty-evccid",
        bends: "an empty EVCCID is taken instead of FAILED",
        needed_by: "early pyPLC and test tools",
        default: true,
    }
    SLOW_PILOT {
        id: "slow-pilot",
        bends: "3 s instead of 1.5 s for the pilot to reach C/D before CableCheck and B before \
                WeldingDetection",
        needed_by: "slow pilot drivers; off, because a car that is late gets FAILED from most chargers",
        default: false,
    }
    RELAXED_TIMERS {
        id: "relaxed-timers",
        bends: "the relaxed instead of the standard's budgets for authorisation, CableCheck and PreCharge",
        needed_by: "Model Y (PreCharge for 12 s), people with cards",
        default: true,
    }
    IGNORE_UNSUPPORTED {
        id: "ignore-unsupported",
        bends: "requests that DIN's DC charging has no use for are ignored instead of \
                FAILED_SequenceError",
        needed_by: "nobody known; EvseV2G does it",
        default: false,
    }
    NOTIFY_STOP {
        id: "notify-stop",
        bends: "a stop by the charger also sets the notification StopCharging, besides EVSE_Shutdown",
        needed_by: "cars that look at the notification only; Alpitronic does it, Compleo does not",
        default: true,
    }
    LATE_CLOSE {
        id: "late-close",
        bends: "after a FAILED answer the connection stays open for some seconds for a SessionStopReq",
        needed_by: "cars that end in order after a refusal",
        default: true,
    }
    ISOLATION_WARNING {
        id: "isolation-warning",
        bends: "an isolation test that ends with Warning passes",
        needed_by: "HYC150 sessions that flip to Warning and charge on; chargers with the 2014 bands",
        default: true,
    }
    EARLY_POWER_OFF {
        id: "early-power-off",
        bends: "PowerDelivery(false) between PowerDelivery(true) and the first CurrentDemand is taken instead of \
                FAILED_SequenceError",
        needed_by: "cars whose driver stops at that moment; the other way is the sequence timer",
        default: true,
    }
}
