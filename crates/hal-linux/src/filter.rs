//! Programs for the kernel's packet filter (classic BPF): which frames of an interface a role receives.

use libc::sock_filter;
use roles::Mac;

/// `EtherTypes` of `HomePlug` and IPv6.
const HOMEPLUG: u32 = 0x88E1;
const IPV6: u32 = 0x86DD;
/// All nodes of the link (RFC 4291 2.7.1) as an Ethernet address (RFC 2464 7).
const ALL_NODES: Mac = Mac([0x33, 0x33, 0, 0, 0, 1]);
const BROADCAST: Mac = Mac([0xFF; 6]);

/// Operations (`linux/bpf_common.h`).
const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const JUMP_EQUAL: u16 = 0x15;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;

/// Where the kernel provides the VLAN tag that it removed from a frame (`linux/filter.h`).
const VLAN_TAG: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_VLAN_TAG).cast_unsigned();
const VLAN_TAG_PRESENT: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_VLAN_TAG_PRESENT).cast_unsigned();
/// VLAN identifier in a tag; 0 means that the tag has a priority only.
const VLAN_ID: u32 = 0x0FFF;

/// Return value that accepts a frame in full length.
const WHOLE: u32 = u32::MAX;

const fn step(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

/// Compares with `k`: skips `equal` steps if it is equal, else `other` steps.
fn jump(k: u32, equal: usize, other: usize) -> sock_filter {
    // A program has 23 steps.
    let near = |steps: usize| u8::try_from(steps).unwrap_or(u8::MAX);
    sock_filter { code: JUMP_EQUAL, jt: near(equal), jf: near(other), k }
}

/// A program that drops every frame.
pub(crate) fn nothing() -> Vec<sock_filter> {
    vec![step(RETURN, 0)]
}

/// A program that accepts every frame.
pub(crate) fn everything() -> Vec<sock_filter> {
    vec![step(RETURN, WHOLE)]
}

/// A program for a station with this address in the group `solicited`. It accepts `HomePlug` frames, and IPv6
/// frames to its address, to its groups and to all nodes. It drops shorter frames, and frames of a VLAN,
/// because the kernel delivers those without their tag.
pub(crate) fn station(mac: Mac, solicited: Mac) -> Vec<sock_filter> {
    let addresses = [mac, ALL_NODES, solicited, BROADCAST];
    // Each address takes three steps; the last two steps of the program are "drop" and "pass".
    let drop = |left: usize| left * 3;
    let mut program = vec![
        step(LOAD_WORD, VLAN_TAG_PRESENT),
        jump(0, 3, 0),
        step(LOAD_WORD, VLAN_TAG),
        step(AND, VLAN_ID),
        jump(0, 0, 4 + drop(addresses.len())),
        step(LOAD_HALF, 12),
        jump(HOMEPLUG, 3 + drop(addresses.len()), 0),
        jump(IPV6, 0, 1 + drop(addresses.len())),
        step(LOAD_WORD, 0),
    ];
    for (index, Mac([a, b, c, d, e, f])) in addresses.into_iter().enumerate() {
        let left = addresses.len() - 1 - index;
        // If the first four bytes differ, the next address is compared: they are still loaded.
        program.push(jump(u32::from_be_bytes([a, b, c, d]), 0, 2));
        program.push(step(LOAD_HALF, 4));
        program.push(jump(u16::from_be_bytes([e, f]).into(), drop(left) + 1, drop(left)));
    }
    program.push(step(RETURN, 0));
    program.push(step(RETURN, WHOLE));
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Mac = Mac([0x02, 0x1B, 0x21, 1, 2, 3]);
    const SOLICITED: Mac = Mac([0x33, 0x33, 0xFF, 1, 2, 3]);

    /// Runs a program as the kernel does. `tag` is the VLAN tag that the kernel removed.
    fn passes(program: &[sock_filter], frame: &[u8], tag: Option<u16>) -> bool {
        let (mut at, mut loaded) = (0, 0_u32);
        loop {
            let sock_filter { code, jt, jf, k } = program[at];
            let bytes = |len: usize| frame.get(k as usize..k as usize + len);
            at += 1;
            match code {
                LOAD_WORD if k == VLAN_TAG_PRESENT => loaded = tag.is_some().into(),
                LOAD_WORD if k == VLAN_TAG => loaded = tag.unwrap().into(),
                LOAD_WORD => match bytes(4) {
                    Some(word) => loaded = u32::from_be_bytes(word.try_into().unwrap()),
                    None => return false,
                },
                LOAD_HALF => match bytes(2) {
                    Some(half) => loaded = u16::from_be_bytes(half.try_into().unwrap()).into(),
                    None => return false,
                },
                AND => loaded &= k,
                JUMP_EQUAL => at += usize::from(if loaded == k { jt } else { jf }),
                RETURN => return k > 0,
                _ => panic!("operation {code:#x}"),
            }
        }
    }

    fn frame(to: [u8; 6], ethertype: u16) -> Vec<u8> {
        [&to[..], &[2, 0, 0, 0, 0, 9], &ethertype.to_be_bytes(), &[0; 46]].concat()
    }

    #[test]
    fn homeplug_passes_and_of_ipv6_what_is_for_the_station_its_groups_or_all() {
        let program = station(OWN, SOLICITED);
        let passes = |to, ethertype| passes(&program, &frame(to, ethertype), None);
        for to in [OWN, ALL_NODES, SOLICITED, BROADCAST] {
            assert!(passes(to.0, 0x86DD) && passes(to.0, 0x88E1), "{to}");
            for ethertype in [0x0800, 0x0806, 0x8100, 0x88A8, 0x88E0, 0x86DE] {
                assert!(!passes(to.0, ethertype), "{to} {ethertype:04x}");
            }
            // Each bit of the address wrong in turn.
            for bit in 0..48 {
                let mut other = to.0;
                other[bit / 8] ^= 1 << (bit % 8);
                assert!(!passes(other, 0x86DD), "{to}, bit {bit}");
            }
        }
        assert!(passes([2; 6], 0x88E1));
    }

    #[test]
    fn a_frame_of_a_vlan_does_not_pass_and_one_with_a_priority_alone_does() {
        let program = station(OWN, SOLICITED);
        for ethertype in [0x86DD, 0x88E1] {
            let frame = frame(OWN.0, ethertype);
            assert!(passes(&program, &frame, Some(0)) && passes(&program, &frame, Some(0xE000)));
            assert!(!passes(&program, &frame, Some(1)) && !passes(&program, &frame, Some(0xEFFF)));
        }
    }

    #[test]
    fn a_frame_that_is_too_short_does_not_pass() {
        let program = station(OWN, SOLICITED);
        let whole = frame(OWN.0, 0x86DD);
        assert!((0..14).all(|len| !passes(&program, &whole[..len], None)));
        assert!(passes(&program, &whole[..14], None));
        assert!(!passes(&nothing(), &whole, None));
    }
}
