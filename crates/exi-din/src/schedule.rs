//! Schedules, tariffs and profiles.

use exi::{Attribute, Head, List, Text, choice, element};

use crate::{CostKind, UnitMultiplier};

element! {
    /// The schedules that the charger offers.
    pub struct SaScheduleList<'a> {
        /// At least one.
        pub sa_schedule_tuple: List<'a, SaScheduleTuple<'a>> = "SAScheduleTuple",
    }

    /// One schedule and its tariff.
    pub struct SaScheduleTuple<'a> {
        /// Its number, which the car chooses in its profile; 1..=255 in practice.
        pub sa_schedule_tuple_id: i16 = "SAScheduleTupleID",
        /// The power limit over time.
        pub p_max_schedule: PMaxSchedule<'a> = "PMaxSchedule",
        /// The price of the energy.
        pub sales_tariff: Option<SalesTariff<'a>> = "SalesTariff",
    }

    /// Power limits over time.
    pub struct PMaxSchedule<'a> {
        /// Its number.
        pub p_max_schedule_id: i16 = "PMaxScheduleID",
        /// At least one entry.
        pub p_max_schedule_entry: List<'a, PMaxScheduleEntry> = "PMaxScheduleEntry",
    }

    /// The power limit of one interval.
    pub struct PMaxScheduleEntry {
        /// The interval in which it applies.
        pub time_interval: TimeInterval = "",
        /// Power limit, in W: at most 32767, even if the charger can deliver more.
        pub p_max: i16 = "PMax",
    }

    /// An interval relative to the time of the message.
    pub struct RelativeTimeInterval {
        /// Its start, in s.
        pub start: u32 = "start",
        /// Its length, in s.
        pub duration: Option<u32> = "duration",
    }

    /// Energy prices over time.
    pub struct SalesTariff<'a> {
        /// Name for references of a signature.
        pub id: Attribute<Text<'a>> = "@Id",
        /// Its number.
        pub sales_tariff_id: i16 = "SalesTariffID",
        /// Description for the user, at most 32 characters.
        pub sales_tariff_description: Option<Text<'a, 32>> = "SalesTariffDescription",
        /// Number of price levels.
        pub num_e_price_levels: u8 = "NumEPriceLevels",
        /// At least one entry.
        pub sales_tariff_entry: List<'a, SalesTariffEntry<'a>> = "SalesTariffEntry",
    }

    /// Energy price of one interval.
    pub struct SalesTariffEntry<'a> {
        /// The interval in which it applies.
        pub time_interval: TimeInterval = "",
        /// The price level.
        pub e_price_level: u8 = "EPriceLevel",
        /// Costs by consumption.
        pub consumption_cost: List<'a, ConsumptionCost<'a>, 0> = "ConsumptionCost",
    }

    /// Costs above a consumption.
    pub struct ConsumptionCost<'a> {
        /// The consumption at which these costs begin.
        pub start_value: u32 = "startValue",
        /// The costs.
        pub cost: List<'a, Cost, 0> = "Cost",
    }

    /// One cost.
    pub struct Cost {
        /// Kind of the cost.
        pub cost_kind: CostKind = "costKind",
        /// The amount, before the multiplier.
        pub amount: u32 = "amount",
        /// Power of ten of the amount.
        pub amount_multiplier: Option<UnitMultiplier> = "amountMultiplier",
    }

    /// Power that the car intends to draw over time.
    pub struct ChargingProfile<'a> {
        /// The schedule that it follows.
        pub sa_schedule_tuple_id: i16 = "SAScheduleTupleID",
        /// At least one entry.
        pub profile_entry: List<'a, ProfileEntry> = "ProfileEntry",
    }

    /// Power that the car intends to draw from a moment on.
    pub struct ProfileEntry {
        /// Start, in s from now.
        pub charging_profile_entry_start: u32 = "ChargingProfileEntryStart",
        /// Power, in W.
        pub charging_profile_entry_max_power: i16 = "ChargingProfileEntryMaxPower",
    }
}

choice! {
    /// An interval of time (substitution group `TimeInterval`).
    pub enum TimeInterval {
        /// Relative to the time of the message.
        Relative(RelativeTimeInterval) = "RelativeTimeInterval",
        /// The abstract head: no content; see [`Head`].
        Head(Head) = "TimeInterval",
    }

    /// The charger's schedules (substitution group `SASchedules`).
    pub enum SaSchedules<'a> {
        /// A list.
        List(SaScheduleList<'a>) = "SAScheduleList",
        /// The abstract head: no content; see [`Head`].
        Head(Head) = "SASchedules",
    }
}
