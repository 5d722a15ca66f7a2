//! Keys, amplitude map and network of a station.

use crate::field::{Slice, addresses, first};
use crate::message::{messages, record};
use crate::{Mac, NetworkKey, Nid, Nmk};

/// Protocol of a key exchange: 4, between a host and its modem.
const PID_HLE: u8 = 4;
/// Key type: 1, the network's key.
const KEY_NMK: u8 = 1;

messages! {
    /// `CM_SET_KEY.REQ`: a host sets its modem's key.
    cm(0x6008) => pub struct SetKeyReq {
        /// 1: network membership key.
        pub key_type: u8,
        /// Any value; the modem repeats it.
        pub my_nonce: [u8; 4],
        /// 0.
        pub your_nonce: [u8; 4],
        /// Protocol: 4, host and modem.
        pub pid: u8,
        /// Run of the protocol: 0.
        pub prn: u16,
        /// Message of the run: 0.
        pub pmn: u8,
        /// Capability to coordinate: 0.
        pub cco_cap: u8,
        /// The network.
        pub nid: Nid,
        /// 1: it is the network's key.
        pub new_eks: u8,
        /// The key.
        pub new_key: Nmk,
    }

    /// `CM_SET_KEY.CNF`. The result is no evidence: modems that accepted the key answer 1 (39 of 40
    /// captured).
    cm(0x6009) => pub struct SetKeyCnf {
        /// 0 or 1; see above.
        pub result: u8,
        /// The modem's nonce.
        pub my_nonce: [u8; 4],
        /// The host's nonce, repeated.
        pub your_nonce: [u8; 4],
        /// See [`SetKeyReq`].
        pub pid: u8,
        /// See [`SetKeyReq`].
        pub prn: u16,
        /// See [`SetKeyReq`]; 255 observed.
        pub pmn: u8,
        /// See [`SetKeyReq`].
        pub cco_cap: u8,
    }

    /// `CM_GET_KEY.REQ`: a host requests a modem's key.
    cm(0x600C) => pub struct GetKeyReq {
        /// 0: direct.
        pub request_type: u8,
        /// 1: network membership key.
        pub requested_key_type: u8,
        /// The network whose key is requested.
        pub nid: Nid,
        /// See [`SetKeyReq`].
        pub my_nonce: [u8; 4],
        /// See [`SetKeyReq`].
        pub pid: u8,
        /// See [`SetKeyReq`].
        pub prn: u16,
        /// See [`SetKeyReq`].
        pub pmn: u8,
    }

    /// `CM_GET_KEY.CNF`: the modem's network, and its key unless refused.
    cm(0x600D) => pub struct GetKeyCnf {
        /// 0: granted.
        pub result: u8,
        /// See [`SetKeyReq`].
        pub key_type: u8,
        /// The modem's nonce.
        pub my_nonce: [u8; 4],
        /// The host's nonce, repeated.
        pub your_nonce: [u8; 4],
        /// The modem's network, even if the key is refused.
        pub nid: Nid,
        /// 1: the key is the network's.
        pub eks: u8,
        /// See [`SetKeyReq`].
        pub pid: u8,
        /// See [`SetKeyReq`].
        pub prn: u16,
        /// See [`SetKeyReq`].
        pub pmn: u8,
        /// The key; zero if it is refused.
        pub key: Nmk => 368,
    }

    /// `CM_AMP_MAP.REQ`: limits the transmit power of each carrier.
    cm(0x601C) => pub struct AmpMapReq<'a> {
        /// Number of carriers.
        pub amlen: u16,
        /// Four bits for each, the lower ones first (from memory of the standard).
        pub amdata: Slice<'a> = amlen.div_ceil(2),
    }

    /// `CM_AMP_MAP.CNF`.
    cm(0x601D) => pub struct AmpMapCnf {
        /// 0: accepted.
        pub result: u8,
    }

    /// `CM_BRG_INFO.REQ`: requests the hosts on a modem's Ethernet side.
    #[derive(Default)]
    cm(0x6020) => pub struct BrgInfoReq {}

    /// `CM_BRG_INFO.CNF`.
    cm(0x6021) => pub struct BrgInfoCnf<'a> {
        /// 1: the station is a bridge.
        pub bsf: u8,
        /// Terminal equipment identifier of the bridge.
        pub btei: u8,
        /// Number of hosts on its Ethernet side.
        pub nbda: u8,
        /// Their addresses, six bytes each.
        pub bda: Slice<'a> = u16::from(nbda) * 6,
    }

    /// `CM_NW_STATS.REQ`: requests the rates of a network.
    #[derive(Default)]
    cm(0x6048) => pub struct NwStatsReq {}

    /// `CM_NW_STATS.CNF`.
    cm(0x6049) => pub struct NwStatsCnf<'a> {
        /// Number of stations.
        pub num_stas: u8,
        /// For each its address and the average rates to and from it in Mbit/s: eight bytes.
        pub stations: Slice<'a> = u16::from(num_stas) * 8,
    }
}

impl SetKeyReq {
    /// The request that sets `key`. The nonce must not be zero: a repeated zero would be no evidence.
    pub const fn new(nonce: [u8; 4], key: NetworkKey) -> Self {
        Self {
            key_type: KEY_NMK,
            my_nonce: nonce,
            your_nonce: [0; 4],
            pid: PID_HLE,
            prn: 0,
            pmn: 0,
            cco_cap: 0,
            nid: key.nid,
            new_eks: 1,
            new_key: key.nmk,
        }
    }
}

impl GetKeyReq {
    /// The request for the key of `nid`.
    pub const fn new(nonce: [u8; 4], nid: Nid) -> Self {
        Self {
            request_type: 0,
            requested_key_type: KEY_NMK,
            nid,
            my_nonce: nonce,
            pid: PID_HLE,
            prn: 0,
            pmn: 0,
        }
    }
}

impl BrgInfoCnf<'_> {
    /// The hosts on its Ethernet side.
    pub fn hosts(&self) -> impl Iterator<Item = Mac> + '_ {
        addresses(self.bda.0)
    }
}

record! {
    /// A station in [`NwStatsCnf`].
    pub struct StationRate {
        /// Its address.
        pub mac: Mac,
        /// Average rate to it in Mbit/s.
        pub tx_mbit_s: u8,
        /// Average rate from it in Mbit/s.
        pub rx_mbit_s: u8,
    }
}

impl NwStatsCnf<'_> {
    /// The stations.
    pub fn stations(&self) -> impl Iterator<Item = StationRate> + '_ {
        rates(self.stations.0)
    }
}

/// The consecutive stations in `bytes`.
pub(crate) fn rates(bytes: &[u8]) -> impl Iterator<Item = StationRate> + '_ {
    bytes.chunks_exact(8).filter_map(|station| Some(first(station)?.0))
}
