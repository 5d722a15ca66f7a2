//! Discovery: the client finds the server, and both receive hostile datagrams.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use contract::hostile;
use contract::timers::DISCOVERY;
use machine::Instant;
use machine::Machine;
use machine::check::{Broken, Check};
use sdp::{ALL_NODES, Client, ClientConfig, Datagram, Endpoint, MAX_LEN, Offer, Server};

const CAR: Endpoint =
    Endpoint { address: core::net::Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 2), port: 50032 };
const CHARGER: Endpoint =
    Endpoint { address: core::net::Ipv6Addr::new(0xFE80, 0, 0, 0, 0, 0, 0, 1), port: 15118 };

fn client() -> Result<Check<Client>, Broken> {
    let config = ClientConfig { plain: true, tls: true };
    let mut client = Check::new(DISCOVERY, MAX_LEN, |_| Client::new(config))?;
    client.call(sdp::Client::start)?;
    Ok(client.observing(|client| format!("{:?}", client.found())))
}

fn server() -> Result<Check<Server>, Broken> {
    let offer = Offer { address: CHARGER.address, plain: Some(51118), tls: None };
    let mut server = Check::new(DISCOVERY, MAX_LEN, |_| Server::new(offer))?;
    server.call(|server, _| server.start(Some(Instant::from_millis(18_000))))?;
    Ok(server.observing(|server| server.is_running().to_string()))
}

#[test]
fn client_and_server_keep_the_contract_when_they_find_each_other() {
    let (mut client, mut server) = (client().unwrap(), server().unwrap());
    client.pass_to(Instant::from_millis(600)).unwrap();
    server.pass_to(Instant::from_millis(600)).unwrap();
    let requests = client.take_sent();
    assert_eq!(requests.len(), 3);
    for (bytes, to) in &requests {
        assert_eq!(*to, ALL_NODES);
        server.call(|server, cx| server.handle(cx, Datagram { from: CAR, bytes })).unwrap();
    }
    for (bytes, _) in &server.take_sent() {
        client.call(|client, cx| client.handle(cx, Datagram { from: CHARGER, bytes })).unwrap();
    }
    assert!(client.machine().found().is_some());
    server.pass_to(Instant::from_millis(20_000)).unwrap();
    assert!(!server.machine().is_running());
}

#[test]
fn a_client_without_an_answer_keeps_the_contract_until_it_gives_up() {
    let mut client = client().unwrap();
    client.pass_to(Instant::from_millis(13_000)).unwrap();
    assert_eq!((client.take_sent().len(), client.due()), (50, None));
}

#[test]
fn client_and_server_keep_the_contract_with_hostile_datagrams() {
    let (mut client, mut server) = (client().unwrap(), server().unwrap());
    let request = client.take_sent().remove(0).0;
    server.call(|server, cx| server.handle(cx, Datagram { from: CAR, bytes: &request })).unwrap();
    let genuine = [request, server.take_sent().remove(0).0];
    for (bytes, millis) in hostile(7, &genuine).take(3000).zip((0..).step_by(10)) {
        for from in [CAR, CHARGER, Endpoint { port: 0, ..CAR }] {
            client.call(|client, cx| client.handle(cx, Datagram { from, bytes: &bytes })).unwrap();
            server.call(|server, cx| server.handle(cx, Datagram { from, bytes: &bytes })).unwrap();
        }
        client.pass_to(Instant::from_millis(millis)).unwrap();
        server.pass_to(Instant::from_millis(millis)).unwrap();
    }
}
