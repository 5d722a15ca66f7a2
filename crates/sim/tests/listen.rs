//! A listener on the wire of a whole session (`X045`, `X118`): its view of the frames on the charger's cable.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test ends where it fails")]

use std::cell::RefCell;
use std::ops::ControlFlow;

use homeplug_mme::{Frame, Mac};
use listen::packet::{self, Layer};
use listen::story::Side;
use listen::{Content, Event, Sight};
use machine::{Cx, Instant, Machine, ScriptedEntropy};
use roles::{Listen, ListenStorage, ListenWatch, MAX_FRAME};
use sim::script::{self, Told};

const OWN: Mac = Mac([2, 0, 0, 0, 0, 0x11]);
/// `CM_SLAC_MATCH.CNF`.
const MATCH_CNF: u16 = 0x607D;
/// Messages of other matchings that a modem in a charger's mode passes to its host: those of cars.
const OF_CARS: [u16; 5] = [0x6064, 0x606A, 0x606F, 0x6076, 0x607C];
/// One frame in a hundred is lost.
const ONE_IN: u64 = 100;

type Frames = Vec<(Instant, Vec<u8>)>;

/// The frames on the charger's cable in a session of one percent of the battery.
fn session(seed: u64) -> Frames {
    let text = "scenario usual\ntitle a car charges\nside both\nsetup plug 8s\nsetup until 4h\nsetup heartbeat\n\
                setup battery 400V 50 %\nsetup enough 51 %\n";
    let mut script = script::parse(text).unwrap().swap_remove(0);
    script.setup.seed = seed;
    let mut frames = Vec::new();
    script::play(
        &script,
        Some(&mut |_, told| {
            frames.extend(told.into_iter().filter_map(|(at, told)| match told {
                Told::Frame { frame, .. } => Some((at, frame)),
                _ => None,
            }));
            ControlFlow::Continue(())
        }),
    );
    frames
}

#[derive(Default)]
struct Heard {
    /// Names of messages; `None`: a gap.
    messages: RefCell<Vec<Option<&'static str>>>,
}

impl ListenWatch for Heard {
    fn heard(&self, event: &Event<'_>) {
        match event.content {
            Content::Message { name, .. } => self.messages.borrow_mut().push(Some(name.unwrap())),
            Content::Gap => self.messages.borrow_mut().push(None),
            _ => {}
        }
    }
}

/// The result of a listener that does not join, for these frames.
fn listened(frames: &[(Instant, Vec<u8>)], look: impl FnOnce(&Listen<'_>)) -> Vec<Option<&'static str>> {
    let (heard, mut storage) = (Heard::default(), Box::<ListenStorage>::default());
    let mut listen: Listen<'_> = Listen::new(OWN, &mut storage);
    listen.watch(&heard);
    let mut entropy = ScriptedEntropy::new(&[1]);
    for (now, frame) in frames {
        let mut cx = Cx { now: *now, entropy: &mut entropy };
        while listen.poll_timeout().is_some_and(|due| due.at <= *now) {
            listen.handle_timeout(&mut cx);
        }
        listen.handle(&mut cx, frame);
        assert_eq!(listen.poll_transmit(&mut [0; MAX_FRAME]), Ok(None), "it was not told to");
    }
    listen.finish();
    look(&listen);
    drop(listen);
    heard.messages.into_inner()
}

fn mm_type(frame: &[u8]) -> u16 {
    Frame::parse(frame).map_or(0, |frame| frame.mm_type.0)
}

fn has_message(frame: &[u8]) -> bool {
    matches!(packet::parse(1, frame), Layer::Tcp(_, segment) if !segment.data.is_empty())
}

#[test]
fn x045_who_joins_after_the_match_knows_no_key_decodes_matching_alone_and_sends_nothing() {
    let frames = session(1);
    let matched = frames.iter().position(|(_, frame)| mm_type(frame) == MATCH_CNF).unwrap();
    // A third station is not in this session's network, and receives the cars that come later.
    let later = frames.last().unwrap().0.as_micros();
    let next = session(2).into_iter();
    let next = next.map(|(at, frame)| (Instant::from_micros(later + at.as_micros()), frame));
    let all: Frames = frames[matched + 1..].iter().cloned().chain(next).collect();
    let third: Frames = all.into_iter().filter(|(_, frame)| OF_CARS.contains(&mm_type(frame))).collect();
    let messages = listened(&third, |listen| {
        let status = listen.status();
        assert_eq!((status.sight, status.has_key, listen.key()), (Sight::OneSide(Side::Car), false, None));
        assert_eq!(status.frames, u64::try_from(third.len()).unwrap());
        assert_eq!(listen.attempts().last().unwrap().sounds, 10);
    });
    assert!(third.len() > 10 && messages.is_empty());
    // Beside a mirror the listener reads the session without knowing the key.
    let messages = listened(&frames[matched + 1..], |listen| {
        assert_eq!((listen.status().sight, listen.status().has_key), (Sight::Connections, false));
    });
    assert!(messages.contains(&Some("CurrentDemandReq")));
}

#[test]
fn x118_a_capture_that_loses_one_frame_in_a_hundred_has_gaps_and_every_message_that_it_has_is_read() {
    let frames = session(1);
    let all = listened(&frames, |_| {});
    assert!(!all.contains(&None) && all.len() > 300, "{} messages", all.len());
    for seed in 1..=20_u64 {
        let mut state = seed;
        let (mut kept, mut lost) = (Frames::new(), 0);
        for (at, frame) in &frames {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            if (state >> 33).is_multiple_of(ONE_IN) {
                lost += usize::from(has_message(frame));
            } else {
                kept.push((*at, frame.clone()));
            }
        }
        let heard = listened(&kept, |_| {});
        let gaps = heard.iter().filter(|name| name.is_none()).count();
        assert!(lost > 0, "nothing was lost by seed {seed}");
        assert!((1..=lost).contains(&gaps), "{gaps} gaps of {lost} lost messages");
        assert_eq!(heard.len() - gaps, all.len() - lost, "seed {seed}");
    }
}
