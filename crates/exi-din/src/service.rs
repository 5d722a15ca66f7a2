//! Services and their parameters.

use exi::{Attribute, List, Text, choice, element};

use crate::{EvseSupportedEnergyTransfer, PaymentOption, PhysicalValue, ServiceCategory, ValueType};

element! {
    /// The payment options.
    pub struct PaymentOptions<'a> {
        /// At least one.
        pub payment_option: List<'a, PaymentOption> = "PaymentOption",
    }

    /// A service's name and kind.
    pub struct ServiceTag<'a> {
        /// Its number; 1 is charging at all observed chargers.
        pub service_id: u16 = "ServiceID",
        /// Its name, at most 32 characters.
        pub service_name: Option<Text<'a, 32>> = "ServiceName",
        /// Its kind.
        pub service_category: ServiceCategory = "ServiceCategory",
        /// Its scope, at most 32 characters.
        pub service_scope: Option<Text<'a, 32>> = "ServiceScope",
    }

    /// The charging service.
    pub struct ServiceCharge<'a> {
        /// Name and kind.
        pub service_tag: ServiceTag<'a> = "ServiceTag",
        /// Whether it is free of charge.
        pub free_service: bool = "FreeService",
        /// The kind of energy transfer.
        pub energy_transfer_type: EvseSupportedEnergyTransfer = "EnergyTransferType",
    }

    /// Another service.
    pub struct Service<'a> {
        /// Name and kind.
        pub service_tag: ServiceTag<'a> = "ServiceTag",
        /// Whether it is free of charge.
        pub free_service: bool = "FreeService",
    }

    /// Other services.
    pub struct ServiceTagList<'a> {
        /// At least one.
        pub service: List<'a, Service<'a>> = "Service",
    }

    /// The services that the car chooses.
    pub struct SelectedServiceList<'a> {
        /// At least one.
        pub selected_service: List<'a, SelectedService> = "SelectedService",
    }

    /// A service that the car chooses.
    pub struct SelectedService {
        /// Its number.
        pub service_id: u16 = "ServiceID",
        /// The number of a set of parameters.
        pub parameter_set_id: Option<i16> = "ParameterSetID",
    }

    /// A service's sets of parameters.
    pub struct ServiceParameterList<'a> {
        /// At least one.
        pub parameter_set: List<'a, ParameterSet<'a>> = "ParameterSet",
    }

    /// A set of parameters.
    pub struct ParameterSet<'a> {
        /// Its number.
        pub parameter_set_id: i16 = "ParameterSetID",
        /// At least one.
        pub parameter: List<'a, Parameter<'a>> = "Parameter",
    }

    /// A parameter.
    pub struct Parameter<'a> {
        /// Its name.
        pub name: Attribute<Text<'a>> = "@Name",
        /// The type that it claims to have; the value has its own.
        pub value_type: Attribute<ValueType> = "@ValueType",
        /// The value.
        pub value: ParameterValue<'a> = "",
    }
}

choice! {
    /// The value of a parameter.
    pub enum ParameterValue<'a> {
        /// A boolean.
        Bool(bool) = "boolValue",
        /// A byte.
        Byte(i8) = "byteValue",
        /// A 16-bit number.
        Short(i16) = "shortValue",
        /// A 32-bit number.
        Int(i32) = "intValue",
        /// A value with a unit.
        Physical(PhysicalValue) = "physicalValue",
        /// A string.
        String(Text<'a>) = "stringValue",
    }
}
