//! Any bytes as a datagram: at most one answer, and only to a request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use machine::{Cx, Instant, Machine, ScriptedEntropy};
use sdp::{Client, ClientConfig, Datagram, Endpoint, Message, Offer, Server};

fuzz_target!(|bytes: &[u8]| {
    let mut entropy = ScriptedEntropy::new(&[1, 2, 3]);
    let mut cx = Cx { now: Instant::ZERO, entropy: &mut entropy };
    let peer = Endpoint { address: "fe80::2".parse().expect("an address"), port: 50032 };
    let own = "fe80::1".parse().expect("an address");
    let mut server = Server::new(Offer { address: own, plain: Some(sdp::DEFAULT_TCP_PORT), tls: None });
    server.start(None);
    server.handle(&mut cx, Datagram { from: peer, bytes });
    let mut buffer = [0; sdp::MAX_LEN];
    if let Some((length, to)) = server.poll_transmit(&mut buffer).unwrap() {
        assert_eq!(to, peer);
        assert!(matches!(Message::parse(bytes), Ok(Message::Request(_))));
        assert!(matches!(Message::parse(&buffer[..length]), Ok(Message::Response(_))));
    }
    assert!(server.poll_transmit(&mut buffer).unwrap().is_none());

    let mut client = Client::new(ClientConfig { plain: true, tls: true });
    client.start(&mut cx);
    client.handle(&mut cx, Datagram { from: peer, bytes });
    if client.found().is_some() {
        assert!(matches!(Message::parse(bytes), Ok(Message::Response(_))));
    }
});
