/// What a modem family does differently. The differences stand here, not in the machines.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Its name, as people know it.
    pub name: &'static str,
    /// Texts in its firmware's version that tell it apart.
    marks: &'static [&'static str],
    /// How to ask whether another modem is in its network.
    pub link: LinkQuery,
    /// Whether it tells the current network id (`CM_GET_KEY`), so that a key can be verified.
    pub tells_key: bool,
    /// How its parameters are read and written.
    pub parameters: Access,
    /// Whether it measures the attenuation for a charger; if not, the charger has to make one up.
    pub measures_attenuation: bool,
}

/// Which message asks for the link's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkQuery {
    /// `VS_PL_LINK_STATUS`.
    Qualcomm,
    /// `NSCM_GET_D_LINK_STATUS`.
    Lumissil,
    /// It cannot be asked.
    None,
}

/// Which messages read and write the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// `VS_MODULE_OPERATION`, 1400 bytes at a time.
    ModuleOperation,
    /// `VS_RD_MOD`, 1024 bytes at a time; writing is not supported.
    ReadModule,
    /// Not known.
    None,
}

/// The families, most special marks first. Facts: captures with QCA7420, QCA7000 and QCA7005; open-plc-utils and
/// `EVerest` for the rest.
pub static PROFILES: &[Profile] = &[
    Profile {
        name: "QCA7000/7005",
        marks: &["QCA7000", "QCA7005", "QCA7006"],
        link: LinkQuery::Qualcomm,
        tells_key: true,
        parameters: Access::ModuleOperation,
        measures_attenuation: true,
    },
    Profile {
        name: "QCA7420",
        marks: &["QCA7420", "AR7420", "QCA6410", "QCA7450"],
        link: LinkQuery::Qualcomm,
        tells_key: true,
        parameters: Access::ModuleOperation,
        measures_attenuation: false,
    },
    Profile {
        name: "INT6000/AR7400",
        marks: &["INT6000", "INT6300", "INT6400", "AR7400"],
        link: LinkQuery::None,
        tells_key: true,
        parameters: Access::ReadModule,
        measures_attenuation: false,
    },
];

/// Lumissil CG5317, found by its own version message.
pub static LUMISSIL: Profile = Profile {
    name: "Lumissil",
    marks: &[],
    link: LinkQuery::Lumissil,
    tells_key: false,
    parameters: Access::None,
    measures_attenuation: true,
};

/// A modem that answers like Qualcomm's but whose family is not known.
pub static UNKNOWN: Profile = Profile {
    name: "unknown",
    marks: &[],
    link: LinkQuery::Qualcomm,
    tells_key: true,
    parameters: Access::None,
    measures_attenuation: true,
};

/// No modem at all: a plain Ethernet link, as between two computers on a desk. Always ready; the caller says whether
/// the link is up.
pub static NONE: Profile = Profile {
    name: "none",
    marks: &[],
    link: LinkQuery::None,
    tells_key: false,
    parameters: Access::None,
    measures_attenuation: false,
};
