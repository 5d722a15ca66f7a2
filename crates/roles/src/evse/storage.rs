use v2gtp::Deframer;

use crate::net::StationStorage;

/// The memory that an [`Evse`](super::Evse) borrows: about 17 kB with `N` of 4 kB ([`EvseStorage::SIZE`] is
/// exact).
///
/// `N` is the greatest length of a V2GTP message in bytes, header included, in each direction: 4 kB for DIN,
/// 64 kB for ISO 15118-20. On a board it is a `static`, created once:
///
/// ```
/// use roles::EvseStorage;
/// let mut storage = EvseStorage::new();
/// assert!(EvseStorage::<4096>::SIZE < 24 * 1024);
/// # let _ = &mut storage;
/// ```
pub struct EvseStorage<'a, const N: usize = { v2gtp::MAX_DIN }> {
    pub(crate) station: StationStorage<'a>,
    pub(crate) deframer: Deframer<N>,
    pub(crate) out: [u8; N],
}

impl EvseStorage<'_> {
    /// Memory for one connector and messages of at most DIN's length.
    pub const fn new() -> Self {
        Self::with_size()
    }
}

impl<const N: usize> EvseStorage<'_, N> {
    /// Its size in bytes.
    pub const SIZE: usize = size_of::<Self>();

    /// Memory for one connector and messages of at most `N` bytes.
    pub const fn with_size() -> Self {
        Self { station: StationStorage::new(), deframer: Deframer::new(), out: [0; N] }
    }
}

impl<const N: usize> Default for EvseStorage<'_, N> {
    fn default() -> Self {
        Self::with_size()
    }
}
