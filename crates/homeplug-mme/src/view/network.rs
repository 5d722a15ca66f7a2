//! `VS_NW_INFO` in both forms: a modem's networks, their stations, and the hosts of those.

use crate::field::{Field, Reader, Slice, Visit, Writer, first, whole};
use crate::message::{messages, record, vs_1_1};
use crate::{Id, Mac, Message, MessageError, Nid};

messages! {
    /// `VS_NW_INFO.REQ`, version 1.1: requests the modem's networks.
    #[derive(Default)]
    vs_1_1(0xA038) => pub struct NwInfoReq {}

    /// `VS_NW_INFO.REQ`, version 1.0.
    #[derive(Default)]
    vs(0xA038) => pub struct NwInfoOldReq {}

    /// `VS_NW_INFO.CNF`, version 1.0 (INT6x00; QCA7xxx also sends it).
    vs(0xA039) => pub struct NwInfoOldCnf<'a> {
        /// The networks.
        pub networks: OldNetworks<'a>,
    }
}

record! {
    /// `VS_NW_INFO.CNF`, version 1.1 (QCA7xxx).
    pub struct NwInfoCnf<'a> {
        /// Version of this form.
        pub sub_version: u8 => 1,
        /// Bytes that follow.
        pub data_len: u16,
        /// One reserved byte, then the networks; see [`networks`](Self::networks).
        pub data: Slice<'a> = data_len,
    }
}

impl<'a> Message<'a> for NwInfoCnf<'a> {
    const ID: Id = vs_1_1(0xA039);

    fn parse(body: &'a [u8]) -> Result<Self, MessageError> {
        whole(body)
    }

    fn write(&self, out: &mut Writer<'_>) {
        self.put(out);
    }

    /// Shows the networks instead of their bytes.
    fn fields(&self, visit: &mut Visit<'_>) {
        self.sub_version.show("sub_version", visit);
        self.data_len.show("data_len", visit);
        let num_avlns = self.data.0.get(1).copied().unwrap_or_default();
        show_networks(num_avlns, self.networks(), visit);
    }
}

record! {
    /// A network in the form of version 1.1.
    pub struct Network {
        /// Its identifier.
        pub nid: Nid => 2,
        /// Its short identifier.
        pub snid: u8,
        /// The modem's own terminal equipment identifier.
        pub own_tei: u8 => 4,
        /// 0 station, 1 proxy coordinator, 2 coordinator.
        pub role: u8,
        /// The coordinator.
        pub cco_mac: Mac,
        /// Its terminal equipment identifier.
        pub cco_tei: u8 => 3,
        /// Number of other stations.
        pub num_stas: u8 => 5,
    }
}

record! {
    /// Another station of a network, in the form of version 1.1.
    pub struct Station {
        /// Its address.
        pub mac: Mac,
        /// Its terminal equipment identifier.
        pub tei: u8 => 3,
        /// The first host on its Ethernet side.
        pub bda: Mac,
        /// Average rate to it in Mbit/s.
        pub avg_tx: u16,
        /// How it is coupled.
        pub coupling: u8 => 1,
        /// Average rate from it in Mbit/s.
        pub avg_rx: u16 => 2,
    }
}

record! {
    /// A network in the form of version 1.0.
    pub struct OldNetwork {
        /// Its identifier.
        pub nid: Nid,
        /// Its short identifier.
        pub snid: u8,
        /// The modem's own terminal equipment identifier.
        pub own_tei: u8,
        /// 0 station, 1 proxy coordinator, 2 coordinator.
        pub role: u8,
        /// The coordinator.
        pub cco_mac: Mac,
        /// Its terminal equipment identifier.
        pub cco_tei: u8,
        /// Number of other stations.
        pub num_stas: u8,
    }
}

record! {
    /// Another station of a network, in the form of version 1.0.
    pub struct OldStation {
        /// Its address.
        pub mac: Mac,
        /// Its terminal equipment identifier.
        pub tei: u8,
        /// The first host on its Ethernet side.
        pub bda: Mac,
        /// Average rate to it in Mbit/s.
        pub avg_tx: u8,
        /// Average rate from it in Mbit/s.
        pub avg_rx: u8,
    }
}

macro_rules! to_bytes {
    ($($record:ident: $len:literal),* $(,)?) => {$(
        impl $record {
            /// Length in a frame.
            pub const LEN: usize = $len;

            /// Its bytes, for the data of a confirmation.
            pub fn to_bytes(&self) -> [u8; Self::LEN] {
                let mut bytes = [0; Self::LEN];
                self.put(&mut Writer::new(&mut bytes));
                bytes
            }
        }
    )*};
}

to_bytes!(Network: 32, Station: 24, OldNetwork: 18, OldStation: 15);

/// An entry in the list of networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<N, S> {
    /// A network; its stations follow.
    Network(N),
    /// A station of the preceding network.
    Station(S),
}

/// Networks and stations in their order, until the bytes end.
#[derive(Clone, Debug)]
pub struct Entries<'a, N, S> {
    rest: &'a [u8],
    networks: u8,
    stations: u8,
    kind: core::marker::PhantomData<(N, S)>,
}

/// The number of stations in a network, for [`Entries`].
trait Stations {
    fn stations(&self) -> u8;
}

impl Stations for Network {
    fn stations(&self) -> u8 {
        self.num_stas
    }
}

impl Stations for OldNetwork {
    fn stations(&self) -> u8 {
        self.num_stas
    }
}

impl<'a, N, S> Entries<'a, N, S> {
    const fn new(networks: u8, rest: &'a [u8]) -> Self {
        Self { rest, networks, stations: 0, kind: core::marker::PhantomData }
    }
}

#[allow(private_bounds, reason = "the four records here are all there are")]
impl<'a, N: Field<'a> + Stations, S: Field<'a>> Iterator for Entries<'a, N, S> {
    type Item = Entry<N, S>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stations > 0 {
            self.stations -= 1;
            let (station, rest) = first::<S>(self.rest)?;
            self.rest = rest;
            return Some(Entry::Station(station));
        }
        self.networks = self.networks.checked_sub(1)?;
        let (network, rest) = first::<N>(self.rest)?;
        self.rest = rest;
        self.stations = network.stations();
        Some(Entry::Network(network))
    }
}

impl<'a> NwInfoCnf<'a> {
    /// Networks and their stations.
    pub fn networks(&self) -> Entries<'a, Network, Station> {
        match self.data.0 {
            [_, networks, rest @ ..] => Entries::new(*networks, rest),
            _ => Entries::new(0, &[]),
        }
    }
}

/// The networks of [`NwInfoOldCnf`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OldNetworks<'a> {
    count: u8,
    bytes: &'a [u8],
}

impl<'a> OldNetworks<'a> {
    /// `count` networks, each followed by its stations, as bytes.
    pub const fn new(count: u8, bytes: &'a [u8]) -> Self {
        Self { count, bytes }
    }

    /// Networks and their stations.
    pub fn entries(&self) -> Entries<'a, OldNetwork, OldStation> {
        Entries::new(self.count, self.bytes)
    }
}

impl<'a> Field<'a> for OldNetworks<'a> {
    fn take(input: &mut Reader<'a>) -> Self {
        let count = u8::take(input);
        let before = input.rest();
        for _ in 0..count {
            let network = OldNetwork::take(input);
            for _ in 0..network.num_stas {
                OldStation::take(input);
            }
        }
        let used = before.len() - input.rest().len();
        Self { count, bytes: before.get(..used).unwrap_or_default() }
    }

    fn put(&self, out: &mut Writer<'_>) {
        out.bytes(&[self.count]);
        out.bytes(self.bytes);
    }

    fn show(&self, _name: &'static str, visit: &mut Visit<'_>) {
        show_networks(self.count, self.entries(), visit);
    }
}

fn show_networks<'a, N: Field<'a> + Stations, S: Field<'a>>(
    num_avlns: u8,
    entries: Entries<'a, N, S>,
    visit: &mut Visit<'_>,
) {
    num_avlns.show("num_avlns", visit);
    for entry in entries {
        match entry {
            Entry::Network(network) => network.show("", visit),
            Entry::Station(station) => station.show("", visit),
        }
    }
}
