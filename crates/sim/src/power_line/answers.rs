//! The answers of a modem.

use homeplug_mme::view::{
    BrgInfoCnf, GetKeyCnf, GetKeyReq, Label, Network, NscmGetDLinkStatusCnf, NscmGetVersionCnf, NwInfoCnf,
    NwInfoOldCnf, OldNetwork, OldNetworks, OldStation, OpAttributesCnf, PlLinkStatusCnf, RsDevCnf, SetKeyCnf,
    SetKeyReq, Slice, Station, SwVerCnf, View,
};
use homeplug_mme::{Frame, Mac, NetworkKey, Nid, Nmk};
use machine::{Duration, Entropy};

use super::modem::Modem;
use super::write;

/// A modem's answer and action for a message.
#[derive(Debug, Default)]
pub(super) struct Reply {
    /// The answer; empty if it sends none.
    pub(super) frame: Vec<u8>,
    /// Time until it restarts; `None`: it does not restart.
    pub(super) restarts: Option<Duration>,
}

/// The modem's view of its network.
#[derive(Debug)]
pub(super) struct Around {
    /// Whether its own host sent the request.
    pub(super) is_local: bool,
    /// Whether it has just started.
    pub(super) is_fresh: bool,
    /// Its terminal equipment identifier (TEI) in the network.
    pub(super) tei: u8,
    pub(super) is_coordinator: bool,
    pub(super) coordinator: Option<Mac>,
    /// The other modems that have joined.
    pub(super) members: Vec<Member>,
}

/// Another modem of the network.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) mac: Mac,
    pub(super) tei: u8,
    pub(super) host: Option<Mac>,
}

/// Key type NMK, the network's key.
const KEY_NMK: u8 = 1;
/// Protocol of a key exchange between host and modem; also its message number in local answers (observed).
const PID_HLE: u8 = 4;
const PMN_LOCAL: u8 = 0xFF;
/// Average PHY rate to and from a station, as in captures.
const RATE: u8 = 9;
impl Modem {
    /// Answers a message that is a request in the kind's list.
    pub(super) fn answer(&mut self, message: &Frame<'_>, around: &Around) -> Reply {
        let mut reply = Reply::default();
        let is_known = self.config.kind.traits().answers.iter().any(|id| message.is(*id));
        let (Some((mac, key)), true) = (self.identity(), is_known) else { return reply };
        let Ok(view) = View::of(message) else { return reply };
        let to = message.from;
        let nid = if around.is_fresh { Nid::default() } else { key.nid };
        let is_member = !around.is_fresh && (around.is_coordinator || !around.members.is_empty());
        let link_status = u8::from(!around.members.is_empty());
        reply.frame = match view {
            // Hosts set only the network's key.
            View::SetKeyReq(request) if request.key_type != KEY_NMK => Vec::new(),
            View::SetKeyReq(request) => {
                if self.config.takes_keys {
                    reply.restarts = Some(self.linger_time());
                    self.image.set_network(NetworkKey { nid: request.nid, nmk: request.new_key });
                }
                write(&self.confirm_key(&request, around.is_local), to, mac)
            }
            View::GetKeyReq(request) => {
                write(&self.tell_key(&request, NetworkKey { nid, nmk: key.nmk }, around.is_local), to, mac)
            }
            View::BrgInfoReq(_) => {
                let hosts = self.hosts.iter().flat_map(|host| host.0).collect::<Vec<_>>();
                let nbda = u8::try_from(self.hosts.len()).unwrap_or(u8::MAX);
                write(&BrgInfoCnf { bsf: nbda.min(1), btei: around.tei, nbda, bda: Slice(&hosts) }, to, mac)
            }
            View::SwVerReq(request) => write(&self.version(request.cookie.unwrap_or_default()), to, mac),
            View::OpAttributesReq(request) => write(&self.attributes(request.cookie, request.rtype), to, mac),
            View::RsDevReq(_) => {
                reply.restarts = Some(Duration::ZERO);
                write(&RsDevCnf { mstatus: 0 }, to, mac)
            }
            View::PlLinkStatusReq(_) => write(&PlLinkStatusCnf { mstatus: 0, link_status }, to, mac),
            View::NwInfoReq(_) => {
                let data = around.networks(nid, is_member);
                let data_len = u16::try_from(data.len()).unwrap_or_default();
                write(&NwInfoCnf { sub_version: 0, data_len, data: Slice(&data) }, to, mac)
            }
            View::NwInfoOldReq(_) => {
                let data = around.old_networks(nid);
                let networks = if is_member { OldNetworks::new(1, &data) } else { OldNetworks::new(0, &[]) };
                write(&NwInfoOldCnf { networks }, to, mac)
            }
            View::ModuleOperationReq(request) => {
                self.operate(request.operation, to, mac, &mut reply.restarts)
            }
            View::NscmGetVersionReq(request) => {
                let (version, request_id) = (request.version, request.request_id);
                write(&NscmGetVersionCnf { version, request_id }, to, mac)
            }
            View::NscmGetDLinkStatusReq(request) => {
                let (version, request_id) = (request.version, request.request_id);
                write(&NscmGetDLinkStatusCnf { version, request_id, link_status }, to, mac)
            }
            View::NscmResetDeviceReq(_) => {
                reply.restarts = Some(Duration::ZERO);
                Vec::new()
            }
            _ => Vec::new(),
        };
        reply
    }

    fn nonce(&mut self) -> [u8; 4] {
        let mut nonce = [0; 4];
        self.chance.fill(&mut nonce);
        nonce
    }

    /// A modem answers 1 to its own host, 0 to a remote one (observed).
    fn confirm_key(&mut self, request: &SetKeyReq, is_local: bool) -> SetKeyCnf {
        SetKeyCnf {
            result: if is_local { self.config.set_key_result } else { 0 },
            my_nonce: self.nonce(),
            your_nonce: request.my_nonce,
            pid: PID_HLE,
            prn: request.prn,
            pmn: if is_local { PMN_LOCAL } else { 0 },
            cco_cap: 0,
        }
    }

    /// Only the own host receives the key, and only if it names the modem's network; every host receives the
    /// network's identifier (observed).
    fn tell_key(&mut self, request: &GetKeyReq, own: NetworkKey, is_local: bool) -> GetKeyCnf {
        let is_granted = is_local && request.nid == own.nid;
        GetKeyCnf {
            result: u8::from(!is_granted),
            key_type: request.requested_key_type,
            my_nonce: self.nonce(),
            your_nonce: request.my_nonce,
            nid: own.nid,
            eks: u8::from(is_granted),
            pid: PID_HLE,
            prn: request.prn,
            pmn: if is_granted { PMN_LOCAL } else { 0 },
            key: if is_granted { own.nmk } else { Nmk::new([0; 16]) },
        }
    }

    fn version(&self, cookie: u32) -> SwVerCnf {
        let traits = self.config.kind.traits();
        SwVerCnf {
            mstatus: 0,
            device_class: traits.device_class,
            ver_len: u8::try_from(traits.version.len() + 1).unwrap_or(u8::MAX),
            version: label(traits.version),
            ident: Some(0),
            stepping: Some(0),
            cookie: Some(cookie),
        }
    }

    /// Version numbers and date of this project, in the captured layout.
    fn attributes(&self, cookie: u32, rtype: u8) -> OpAttributesCnf {
        OpAttributesCnf {
            mstatus: 0,
            cookie,
            rtype,
            mlength: 118,
            family: label(self.config.kind.traits().hardware),
            devtype: label("MAC"),
            major: 1,
            minor: 1,
            composite: 0,
            build: 730,
            build_date: label("20140815"),
            release: label("CS"),
            sdram: Some(0),
            line_frequency: Some(5),
        }
    }
}

impl Around {
    /// The data of the newer network information, which begin with a reserved byte and the number of
    /// networks.
    fn networks(&self, nid: Nid, is_member: bool) -> Vec<u8> {
        let mut data = vec![0, u8::from(is_member)];
        if !is_member {
            return data;
        }
        let network = Network {
            nid,
            snid: short(nid),
            own_tei: self.tei,
            role: self.role(),
            cco_mac: self.coordinator.unwrap_or(Mac([0; 6])),
            cco_tei: 1,
            num_stas: self.count(),
        };
        data.extend(network.to_bytes());
        for member in &self.members {
            let station = Station {
                mac: member.mac,
                tei: member.tei,
                bda: member.host.unwrap_or(Mac([0; 6])),
                avg_tx: RATE.into(),
                coupling: 0,
                avg_rx: RATE.into(),
            };
            data.extend(station.to_bytes());
        }
        data
    }

    /// The one network of the older network information.
    fn old_networks(&self, nid: Nid) -> Vec<u8> {
        let network = OldNetwork {
            nid,
            snid: short(nid),
            own_tei: self.tei,
            role: self.role(),
            cco_mac: self.coordinator.unwrap_or(Mac([0; 6])),
            cco_tei: 1,
            num_stas: self.count(),
        };
        let mut data = network.to_bytes().to_vec();
        for member in &self.members {
            let bda = member.host.unwrap_or(Mac([0; 6]));
            let station = OldStation { mac: member.mac, tei: member.tei, bda, avg_tx: RATE, avg_rx: RATE };
            data.extend(station.to_bytes());
        }
        data
    }

    fn role(&self) -> u8 {
        if self.is_coordinator { 2 } else { 0 }
    }

    fn count(&self) -> u8 {
        u8::try_from(self.members.len()).unwrap_or(u8::MAX)
    }
}

/// A network's short identifier; how real modems derive it is not public.
fn short(nid: Nid) -> u8 {
    let [first, ..] = nid.0;
    first & 0x0F
}

fn label<const N: usize>(text: &str) -> Label<N> {
    let mut bytes = [0; N];
    bytes.iter_mut().zip(text.bytes()).for_each(|(byte, letter)| *byte = letter);
    Label(bytes)
}
