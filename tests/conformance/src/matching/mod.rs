//! The cases of ISO 15118-3 for one side's matching: frames in and out, virtual time, and the other side
//! driven by hand.

pub(crate) mod car;
pub(crate) mod charger;

/// Offset of a field in a frame (`spec/slac.md`, section 2), and its replacement.
pub(crate) type Bend = (usize, &'static [u8]);

/// A frame with one field changed.
fn bent(mut frame: Vec<u8>, (at, bytes): Bend) -> Vec<u8> {
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    frame
}

const NO_MAC: &[u8] = &[0; 6];
const OTHER_RUN: &[u8] = &[0xEE; 8];
const OTHER_NAME: &[u8] = &[0xAA; 17];

/// In every message of matching but `CM_SLAC_PARM.CNF` and `CM_VALIDATE`.
pub(crate) const APPLICATION: Bend = (19, &[1]);
pub(crate) const SECURITY: Bend = (20, &[1]);

/// In `CM_SLAC_PARM.CNF`.
pub(crate) mod parm {
    use super::{Bend, NO_MAC, OTHER_RUN};

    pub(crate) const TARGET: Bend = (19, NO_MAC);
    pub(crate) const TIMEOUT: Bend = (26, &[0]);
    pub(crate) const RESPONSE_TYPE: Bend = (27, &[0]);
    pub(crate) const FORWARDING: Bend = (28, NO_MAC);
    pub(crate) const APPLICATION: Bend = (34, &[1]);
    pub(crate) const SECURITY: Bend = (35, &[1]);
    pub(crate) const RUN: Bend = (36, OTHER_RUN);
}

/// In `CM_START_ATTEN_CHAR.IND`.
pub(crate) mod start {
    use super::{Bend, OTHER_RUN};

    pub(crate) const SOUNDS: Bend = (21, &[0]);
    pub(crate) const TIMEOUT: Bend = (22, &[0]);
    pub(crate) const RESPONSE_TYPE: Bend = (23, &[0]);
    pub(crate) const RUN: Bend = (30, OTHER_RUN);
}

/// In `CM_ATTEN_CHAR.IND` and `.RSP`.
pub(crate) mod report {
    use super::{Bend, NO_MAC, OTHER_NAME, OTHER_RUN};

    pub(crate) const CAR: Bend = (21, NO_MAC);
    pub(crate) const RUN: Bend = (27, OTHER_RUN);
    pub(crate) const SOURCE: Bend = (35, OTHER_NAME);
    pub(crate) const RESPONDER: Bend = (52, OTHER_NAME);
    /// Sounds of the report, result of the response.
    pub(crate) const SOUNDS: Bend = (69, &[0]);
    pub(crate) const RESULT: Bend = (69, &[0xFF]);
    pub(crate) const GROUPS: Bend = (70, &[0]);
}

/// In `CM_VALIDATE`.
pub(crate) mod validate {
    use super::Bend;

    pub(crate) const SIGNAL: Bend = (19, &[1]);
    pub(crate) const RESULT: Bend = (21, &[9]);
}

/// In `CM_SLAC_MATCH`.
pub(crate) mod matched {
    use super::{Bend, NO_MAC, OTHER_NAME, OTHER_RUN};

    pub(crate) const LENGTH: Bend = (21, &[0, 0]);
    pub(crate) const CAR_NAME: Bend = (23, OTHER_NAME);
    pub(crate) const CAR: Bend = (40, NO_MAC);
    pub(crate) const CHARGER_NAME: Bend = (46, OTHER_NAME);
    pub(crate) const CHARGER: Bend = (63, NO_MAC);
    pub(crate) const RUN: Bend = (69, OTHER_RUN);
}
