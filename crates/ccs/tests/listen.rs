//! `listen::Listen` with a microcontroller's storage on every capture of the corpus: the same messages and
//! stories as `ccs decode`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests: a surprise ends the test"
)]

use std::fs::File;
use std::ops::ControlFlow;

use ccs::decode::source::{Data, Source};
use ccs::decode::{Content as Decoded, Decoder};
use listen::story::{End, Side};
use listen::{BoardStorage, Content, Listen, Sight};

/// The result of a session: messages, EVCCID, energy, end.
type Told = (u64, Vec<u8>, i64, End);

fn told(talk: &listen::Talk) -> Option<Told> {
    let story = talk.story();
    // A decoder's times count from the first frame of the file.
    let mut end = story.end();
    end.when.time_ns = None;
    end.cause = None;
    (story.messages > 0).then(|| (story.messages, story.evcc_id.to_vec(), story.energy_mwh(), end))
}

/// The names of the messages, the stories, and what could be observed.
fn heard(name: &str) -> Option<(Vec<&'static str>, Vec<Told>, Sight)> {
    let path = corpus::path(&format!("captures/{name}"))?;
    let mut observer: Box<Listen<BoardStorage>> = Box::default();
    let (mut messages, mut stories) = (Vec::new(), Vec::new());
    let mut on_event = |event: &listen::Event<'_>| match event.content {
        Content::Message { name: Some(name), .. } => messages.push(name),
        Content::Over { talk, .. } => stories.extend(told(talk)),
        _ => {}
    };
    Source::open(Box::new(File::open(path).unwrap()))
        .unwrap()
        .read(&mut |packet| {
            if let Data::Link(1, bytes) = packet.data {
                observer.handle(packet.time_ns.unwrap(), bytes, &mut on_event);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    observer.finish(&mut on_event);
    let sight = observer.status().sight;
    Some((messages, stories, sight))
}

fn decoded(name: &str) -> (Vec<&'static str>, Vec<Told>) {
    let path = corpus::path(&format!("captures/{name}")).unwrap();
    let mut decoder = Decoder::new();
    let (mut messages, mut stories) = (Vec::new(), Vec::new());
    let mut on_event = |event: &ccs::decode::Event<'_>| match &event.content {
        Decoded::Exi(exi) => messages.extend(exi.message),
        Decoded::Over(connection) => stories.extend(told(connection.talk)),
        _ => {}
    };
    let source = Source::open(Box::new(File::open(path).unwrap())).unwrap();
    source
        .read(&mut |packet| {
            decoder.take(packet, &mut on_event);
            ControlFlow::Continue(())
        })
        .unwrap();
    decoder.finish(&mut on_event);
    (messages, stories)
}

fn captures() -> Vec<String> {
    let Some(path) = corpus::path("captures/summary.json") else { return Vec::new() };
    let all: Vec<corpus::Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    all.iter().map(|capture| corpus::text(capture, "capture").to_owned()).collect()
}

#[test]
fn an_observer_with_a_board_s_storage_hears_the_messages_and_stories_that_the_decoder_finds() {
    for name in captures() {
        let (messages, mut stories, _) = heard(&name).unwrap();
        let (expected, mut expected_stories) = decoded(&name);
        assert_eq!(messages, expected, "{name}");
        // Few connections are kept at the same time, so stories end in another order.
        stories.sort_by_key(|told| told.3.when.frame);
        expected_stories.sort_by_key(|told| told.3.when.frame);
        assert_eq!(stories, expected_stories, "{name}");
    }
}

#[test]
fn a_modem_that_does_not_hear_both_sides_is_said_and_no_other_is() {
    let is_blind = |sight: &Sight| matches!(sight, Sight::OnlyBroadcasts | Sight::OneSide(_));
    let all = captures().into_iter();
    let sights = all.filter_map(|name| heard(&name).map(|(.., sight)| (name, sight)));
    let blind: Vec<(String, Sight)> = sights.filter(|(_, sight)| is_blind(sight)).collect();
    if !captures().is_empty() {
        let known = [
            ("2022-10-26_WP4_networkEstablishedButHiddenCommunication.pcapng", Sight::OneSide(Side::Charger)),
            (
                "2025-01-21_listenMode_01_slow_and_only_broadcast_visible.pcapng",
                Sight::OneSide(Side::Charger),
            ),
            ("2025-01-21_listenMode_04_cutted_tx_path_no_joining.pcapng", Sight::OneSide(Side::Charger)),
        ];
        assert_eq!(blind, known.map(|(name, sight)| (name.to_owned(), sight)));
    }
}
