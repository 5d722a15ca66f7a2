use core::fmt;

/// The payload type of a V2GTP header: encoding and schema of the payload.
///
/// Any number is a valid value, so that an observer keeps unknown ones; known types have names.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PayloadType(pub u16);

impl PayloadType {
    /// EXI of DIN SPEC 70121 and ISO 15118-2, and the `supportedAppProtocol` handshake of all protocols.
    pub const EXI: Self = Self(0x8001);
    /// ISO 15118-20, messages common to all kinds of energy transfer.
    pub const ISO20_COMMON: Self = Self(0x8002);
    /// ISO 15118-20, AC.
    pub const ISO20_AC: Self = Self(0x8003);
    /// ISO 15118-20, DC.
    pub const ISO20_DC: Self = Self(0x8004);
    /// ISO 15118-20, automatic connection device (pantograph).
    pub const ISO20_ACDP: Self = Self(0x8005);
    /// ISO 15118-20, wireless.
    pub const ISO20_WPT: Self = Self(0x8006);
    /// ISO 15118-20 amendment 1, AC with distributed energy resources, IEC variant.
    pub const ISO20_AC_DER_IEC: Self = Self(0x8010);
    /// ISO 15118-20 amendment 1, AC with distributed energy resources, SAE variant.
    pub const ISO20_AC_DER_SAE: Self = Self(0x8011);
    /// ISO 15118-20 side stream: schedule renegotiation.
    pub const ISO20_SCHEDULE: Self = Self(0x8101);
    /// ISO 15118-20 side stream: metering confirmation.
    pub const ISO20_METERING: Self = Self(0x8102);
    /// ISO 15118-20 side stream: state of the automatic connection device.
    pub const ISO20_ACDP_STATUS: Self = Self(0x8103);
    /// ISO 15118-20 side stream: parking status.
    pub const ISO20_PARKING: Self = Self(0x8104);
    /// Discovery request (UDP).
    pub const SDP_REQUEST: Self = Self(0x9000);
    /// Discovery response (UDP).
    pub const SDP_RESPONSE: Self = Self(0x9001);
    /// Discovery request, wireless (UDP).
    pub const SDP_WIRELESS_REQUEST: Self = Self(0x9002);
    /// Discovery response, wireless (UDP).
    pub const SDP_WIRELESS_RESPONSE: Self = Self(0x9003);

    /// The name in logs; `None` for an unknown type.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(known, _)| *known == self).map(|(_, name)| *name)
    }

    /// Whether the number is in the manufacturer-specific range (0xA000 and up).
    pub const fn is_vendor(self) -> bool {
        self.0 >= 0xA000
    }
}

/// Numbers and meanings as in deployed ISO 15118-2 and -20 stacks; the side streams are named by Josev only.
const NAMES: &[(PayloadType, &str)] = &[
    (PayloadType::EXI, "EXI"),
    (PayloadType::ISO20_COMMON, "ISO 15118-20 common"),
    (PayloadType::ISO20_AC, "ISO 15118-20 AC"),
    (PayloadType::ISO20_DC, "ISO 15118-20 DC"),
    (PayloadType::ISO20_ACDP, "ISO 15118-20 ACDP"),
    (PayloadType::ISO20_WPT, "ISO 15118-20 WPT"),
    (PayloadType::ISO20_AC_DER_IEC, "ISO 15118-20 AC DER IEC"),
    (PayloadType::ISO20_AC_DER_SAE, "ISO 15118-20 AC DER SAE"),
    (PayloadType::ISO20_SCHEDULE, "ISO 15118-20 schedule renegotiation"),
    (PayloadType::ISO20_METERING, "ISO 15118-20 metering confirmation"),
    (PayloadType::ISO20_ACDP_STATUS, "ISO 15118-20 ACDP status"),
    (PayloadType::ISO20_PARKING, "ISO 15118-20 parking status"),
    (PayloadType::SDP_REQUEST, "SDP request"),
    (PayloadType::SDP_RESPONSE, "SDP response"),
    (PayloadType::SDP_WIRELESS_REQUEST, "SDP wireless request"),
    (PayloadType::SDP_WIRELESS_RESPONSE, "SDP wireless response"),
];

impl fmt::Debug for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for PayloadType {
    /// The name with the number, or the number alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} (0x{:04X})", self.0),
            None => write!(f, "0x{:04X}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn known_types_print_their_name_and_others_their_number() {
        assert_eq!(PayloadType::EXI.to_string(), "EXI (0x8001)");
        assert_eq!(PayloadType(0xA001).to_string(), "0xA001");
    }

    #[test]
    fn each_number_has_one_name() {
        for (index, (number, name)) in NAMES.iter().enumerate() {
            for (other, other_name) in &NAMES[index + 1..] {
                assert!(number != other && name != other_name, "{name} and {other_name}");
            }
        }
    }
}
