use core::fmt;

/// A numbered moment of a session that users quote in reports.
///
/// The numbers are pyPLC's, so that its users can continue to use them. Both sides use the same number for
/// the same moment. A number never changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checkpoint(u16);

macro_rules! checkpoints {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl Checkpoint {
            $(#[doc = concat!($text, ".")]
            pub const $name: Self = Self($number);)*

            /// Every checkpoint, in ascending order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Description of the moment, without the number: `CurrentDemand request`.
            pub const fn text(self) -> &'static str {
                match self.0 {
                    $($number => $text,)*
                    _ => "",
                }
            }
        }
    };
}

checkpoints! {
    KEY_SET = 1, "charger made NID and NMK and set them in its modem";
    PILOT_A = 2, "pilot +12 V (A): nothing plugged in";
    PLUG_CONNECTED = 3, "plug connected";
    PILOT_B = 4, "pilot 9 V (B)";
    PILOT_5_PERCENT = 5, "charger applies 5 %";
    CAR_SEES_5_PERCENT = 6, "car sees 5 % and wakes its modem";
    CAR_HEARS_COORDINATOR = 7, "car hears the coordinator";
    SLAC_PARM_REQ_SENT = 100, "car sent SLAC_PARM.REQ";
    SLAC_PARM_REQ_RECEIVED = 101, "charger received SLAC_PARM.REQ and sends CNF";
    SLAC_PARM_CNF_RECEIVED = 102, "car received SLAC_PARM.CNF";
    START_ATTEN_CHAR = 103, "START_ATTEN_CHAR.IND";
    MNBC_SOUND = 104, "MNBC_SOUND.IND";
    ATTEN_PROFILE = 110, "charger's modem reports attenuation";
    ATTEN_CHAR_SENT = 120, "ATTEN_CHAR.IND sent";
    ATTEN_CHAR_RECEIVED = 130, "ATTEN_CHAR.IND received";
    ATTEN_CHAR_RSP = 140, "ATTEN_CHAR.RSP sent";
    SLAC_MATCH_REQ = 150, "SLAC_MATCH.REQ sent";
    SLAC_MATCH_CNF_SENT = 155, "SLAC_MATCH.CNF sent";
    SLAC_MATCH_CNF_RECEIVED = 160, "SLAC_MATCH.CNF received";
    CAR_KEY_SET = 170, "key set in the car's modem";
    MODEM_RESTARTS = 180, "the car's modem restarts";
    LINK_UP = 190, "power-line link up";
    DISCOVERY_REQ_SENT = 200, "discovery request sent";
    DISCOVERY_REQ_RECEIVED = 201, "discovery request received";
    DISCOVERY_RES_SENT = 202, "discovery response sent";
    DISCOVERY_RES_RECEIVED = 203, "discovery response received";
    NEIGHBOUR_SOLICITATION = 204, "neighbour solicitation";
    NEIGHBOUR_ADVERTISEMENT = 205, "neighbour advertisement";
    ADDRESSES_CLEAR = 210, "addresses clear";
    TCP_LISTENING = 300, "listening for the connection";
    TCP_SYN = 301, "SYN";
    TCP_SYN_ACK = 302, "SYN+ACK";
    TCP_CONNECTED = 303, "connected";
    HANDSHAKE_REQ_SENT = 400, "handshake request sent";
    HANDSHAKE_REQ_RECEIVED = 401, "handshake request received";
    HANDSHAKE_RES_SENT = 402, "handshake response sent";
    HANDSHAKE_RES_RECEIVED = 403, "handshake response received";
    SESSION_SETUP_REQ = 500, "SessionSetup request";
    SESSION_SETUP_RES_SENT = 505, "SessionSetup response sent";
    SESSION_SETUP_RES_RECEIVED = 506, "SessionSetup response received";
    SERVICE_DISCOVERY_REQ = 510, "ServiceDiscovery request";
    SERVICE_DISCOVERY_RES = 515, "ServiceDiscovery response";
    PAYMENT_SELECTION_REQ = 520, "ServicePaymentSelection request";
    PAYMENT_SELECTION_RES = 525, "ServicePaymentSelection response";
    AUTHENTICATION_REQ = 530, "ContractAuthentication request";
    AUTHENTICATION_RES = 535, "ContractAuthentication response";
    USER_AUTHORISES = 536, "user authorises";
    AUTHENTICATION_FINISHED = 538, "charger says Finished";
    CHARGE_PARAMETER_REQ = 540, "ChargeParameterDiscovery request";
    CHARGE_PARAMETER_RES = 545, "ChargeParameterDiscovery response";
    PILOT_C = 550, "car moves the pilot to C or D";
    LOCK_DRIVEN = 555, "connector lock driven";
    LOCK_CONFIRMED = 556, "connector lock confirmed";
    CABLE_CHECK_REQ = 560, "CableCheck request";
    ISOLATION_TEST = 561, "isolation test";
    CABLE_CHECK_RES = 565, "CableCheck response";
    CABLE_CHECK_FINISHED = 566, "CableCheck finished";
    PRE_CHARGE_REQ = 570, "PreCharge request";
    PRE_CHARGE_RES = 575, "PreCharge response";
    VOLTAGE_ADJUSTED = 580, "charger adjusts the voltage";
    VOLTAGE_COMPARED = 581, "car compares the voltage";
    PRE_CHARGE_REPEATED = 582, "PreCharge repeats";
    CONTACTORS_CLOSE = 590, "close enough, car closes its contactors";
    POWER_START_REQ = 600, "PowerDelivery(start) request";
    POWER_START_RES = 605, "PowerDelivery(start) response";
    CURRENT_DEMAND_REQ = 700, "CurrentDemand request";
    CURRENT_DEMAND_RES = 705, "CurrentDemand response";
    CURRENT_DEMAND_LOOP = 710, "charging loop runs";
    POWER_STOP_REQ = 800, "PowerDelivery(stop) request";
    POWER_STOP_RES_SENT = 805, "PowerDelivery(stop) response sent";
    POWER_STOP_RES_RECEIVED = 806, "PowerDelivery(stop) response received";
    PILOT_BACK_TO_B = 810, "car moves the pilot from C to B";
    WELDING_DETECTION_REQ = 850, "WeldingDetection request";
    WELDING_DETECTION_RES = 855, "WeldingDetection response";
    SESSION_STOP_REQ = 900, "SessionStop request";
    SESSION_STOP_RES = 905, "SessionStop response";
}

impl Checkpoint {
    /// The number in logs: 1..=905.
    pub const fn number(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checkpoint({} {})", self.0, self.text())
    }
}

impl fmt::Display for Checkpoint {
    /// The number in brackets, then the description: `[700] CurrentDemand request`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:03}] {}", self.0, self.text())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn numbers_rise_and_each_has_its_words() {
        assert!(Checkpoint::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(Checkpoint::ALL.iter().all(|checkpoint| !checkpoint.text().is_empty()));
    }

    #[test]
    fn logs_show_three_digits_and_the_moment() {
        assert_eq!(Checkpoint::PILOT_5_PERCENT.to_string(), "[005] charger applies 5 %");
    }
}
