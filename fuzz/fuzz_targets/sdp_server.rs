//! Any bytes as a datagram: at most one answer, and only to a request.
#![no_main]

use contract::timers::DISCOVERY;
use libfuzzer_sys::fuzz_target;
use machine::Machine;
use machine::check::Check;
use sdp::{Client, ClientConfig, Datagram, Endpoint, MAX_LEN, Message, Offer, Server};

fuzz_target!(|bytes: &[u8]| {
    let peer = Endpoint { address: "fe80::2".parse().expect("an address"), port: 50032 };
    let own = "fe80::1".parse().expect("an address");
    let offer = Offer { address: own, plain: Some(sdp::DEFAULT_TCP_PORT), tls: None };
    let mut server = Check::new(DISCOVERY, MAX_LEN, |_| Server::new(offer)).unwrap();
    server.call(|server, _| server.start(None)).unwrap();
    server.call(|server, cx| server.handle(cx, Datagram { from: peer, bytes })).unwrap();
    let sent = server.take_sent();
    assert!(sent.len() <= 1);
    for (answer, to) in sent {
        assert_eq!(to, peer);
        assert!(matches!(Message::parse(bytes), Ok(Message::Request(_))));
        assert!(matches!(Message::parse(&answer), Ok(Message::Response(_))));
    }

    let config = ClientConfig { plain: true, tls: true };
    let mut client = Check::new(DISCOVERY, MAX_LEN, |_| Client::new(config)).unwrap();
    client.call(|client, cx| client.start(cx)).unwrap();
    client.call(|client, cx| client.handle(cx, Datagram { from: peer, bytes })).unwrap();
    if client.machine().found().is_some() {
        assert!(matches!(Message::parse(bytes), Ok(Message::Response(_))));
    }
});
