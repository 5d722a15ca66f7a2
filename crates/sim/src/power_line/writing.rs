//! A write of parameters that is under way.

use homeplug_mme::view::ModuleSpec;

/// A session in which a modem's image is being written.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) session_id: u32,
    pub(super) module: ModuleSpec,
    pub(super) bytes: Vec<u8>,
}
