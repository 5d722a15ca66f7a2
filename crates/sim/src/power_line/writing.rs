//! A write of parameters in progress.

use homeplug_mme::view::ModuleSpec;

/// A session that writes a modem's image.
#[derive(Debug)]
pub(super) struct Writing {
    pub(super) session_id: u32,
    pub(super) module: ModuleSpec,
    pub(super) bytes: Vec<u8>,
}
