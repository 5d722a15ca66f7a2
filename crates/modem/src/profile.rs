/// Properties in which modem families differ. All differences are here, none is in the machines.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its common name.
    pub name: &'static str,
    /// Texts in the firmware's version that identify the family.
    marks: &'static [&'static str],
    /// The vendor whose messages it uses.
    pub vendor: Vendor,
    /// Whether it can report the link's state.
    pub tells_link: bool,
    /// Whether it reports the current NID (`CM_GET_KEY`), so that a key can be verified.
    pub tells_key: bool,
    /// Messages that read and write its parameters.
    pub parameters: Access,
    /// Whether it measures the attenuation for a charger; if not, the charger reports a synthetic one.
    pub measures_attenuation: bool,
}

/// The vendor whose messages a modem uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    /// Qualcomm's: `VS_SW_VER`, `VS_PL_LINK_STATUS`.
    Qualcomm,
    /// Lumissil's: `NSCM_GET_VERSION`, `NSCM_GET_D_LINK_STATUS`.
    Lumissil,
    /// No modem.
    None,
}

/// Which messages read and write the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `VS_MODULE_OPERATION`, 1400 bytes at a time.
    ModuleOperation,
    /// `VS_RD_MOD`, 1024 bytes at a time; writing is not supported.
    ReadModule,
    /// Unknown.
    None,
}

/// The families, most specific marks first. Source: captures with QCA7420, QCA7000 and QCA7005;
/// open-plc-utils and `EVerest` for the rest.
pub static PROFILES: &[Profile] = &[
    Profile {
        name: "QCA7000/7005",
        marks: &["QCA7000", "QCA7005", "QCA7006"],
        vendor: Vendor::Qualcomm,
        tells_link: true,
        tells_key: true,
        parameters: Access::ModuleOperation,
        measures_attenuation: true,
    },
    Profile {
        name: "QCA7420",
        marks: &["QCA7420", "AR7420", "QCA6410", "QCA7450"],
        vendor: Vendor::Qualcomm,
        tells_link: true,
        tells_key: true,
        parameters: Access::ModuleOperation,
        measures_attenuation: false,
    },
    Profile {
        name: "INT6000/AR7400",
        marks: &["INT6000", "INT6300", "INT6400", "AR7400"],
        vendor: Vendor::Qualcomm,
        tells_link: false,
        tells_key: true,
        parameters: Access::ReadModule,
        measures_attenuation: false,
    },
];

/// Lumissil CG5317, detected by its own version message.
pub static LUMISSIL: Profile = Profile {
    name: "Lumissil",
    marks: &[],
    vendor: Vendor::Lumissil,
    tells_link: true,
    tells_key: false,
    parameters: Access::None,
    measures_attenuation: true,
};

/// A modem with Qualcomm's messages and an unknown family.
pub static UNKNOWN: Profile = Profile {
    name: "unknown",
    marks: &[],
    vendor: Vendor::Qualcomm,
    tells_link: true,
    tells_key: true,
    parameters: Access::None,
    measures_attenuation: true,
};

/// No modem: a plain Ethernet link, as between two computers on a desk. Always ready; the caller sets the
/// link's state.
pub static NONE: Profile = Profile {
    name: "none",
    marks: &[],
    vendor: Vendor::None,
    tells_link: false,
    tells_key: false,
    parameters: Access::None,
    measures_attenuation: false,
};

impl Profile {
    /// The family of a modem with this firmware version (`VS_SW_VER`).
    pub fn of_firmware(version: &[u8]) -> &'static Self {
        let has = |mark: &str| version.windows(mark.len()).any(|part| part == mark.as_bytes());
        PROFILES.iter().find(|profile| profile.marks.iter().copied().any(has)).unwrap_or(&UNKNOWN)
    }

    /// Whether a modem exists to communicate with.
    pub fn is_modem(&self) -> bool {
        self.vendor != Vendor::None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_family_is_read_off_the_firmware() {
        let table: [(&[u8], &str); 5] = [
            (b"MAC-QCA7005-1.1.0.730-04-20140815-CS", "QCA7000/7005"),
            (b"MAC-QCA7000-1.1.0.727-02-20130826-FINAL", "QCA7000/7005"),
            (b"MAC-QCA7420-1.4.0.20-00-20171027-CS", "QCA7420"),
            (b"INT6000-MAC-4-1-4102-00-3679-20090724-FINAL-B", "INT6000/AR7400"),
            (b"MAC-SOMETHING-1.0", "unknown"),
        ];
        for (version, name) in table {
            assert_eq!(Profile::of_firmware(version).name, name);
        }
        assert!(LUMISSIL.is_modem() && !NONE.is_modem());
    }
}
