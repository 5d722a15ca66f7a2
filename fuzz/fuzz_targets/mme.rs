//! Any bytes as a management frame: no panic, and a frame that is read, written and read again is the same.
#![no_main]

use homeplug_mme::view::View;
use homeplug_mme::{Frame, MAX_FRAME, MIN_FRAME, Slac};
use libfuzzer_sys::fuzz_target;

/// Length of an 802.1Q tag, which is not written.
const TAG: usize = 4;

fuzz_target!(|bytes: &[u8]| {
    let Ok(frame) = Frame::parse(bytes) else { return };
    let mut buffer = [0; MAX_FRAME];
    if let Some(Ok(message)) = Slac::parse(&frame) {
        let len = message.emit(frame.to, frame.from, &mut buffer).expect("messages of matching are short");
        let again = Frame::parse(&buffer[..len]).expect("a frame that we wrote");
        assert_eq!(Slac::parse(&again), Some(Ok(message)));
    }
    let Ok(view) = View::of(&frame) else {
        assert!(
            !matches!(Slac::parse(&frame), Some(Ok(_))),
            "the strict form reads what the lenient one cannot"
        );
        return;
    };
    let mut values = 0;
    view.fields(&mut |name, value| {
        assert!(!name.is_empty());
        values += format!("{value:?}").len();
    });
    assert!(values <= 200 * (bytes.len() + 100), "as much as there are bytes");
    let Some(len) = view.emit(frame.to, frame.from, &mut buffer) else {
        let is_long = bytes.len() >= MAX_FRAME - 512;
        assert!(is_long || matches!(view, View::Unknown(_)), "only long messages do not fit");
        return;
    };
    let again = Frame::parse(&buffer[..len]).expect("a frame that we wrote");
    let read = View::of(&again).expect("a message that we wrote");
    // In a frame without padding, fields may be absent that padding sets to zero.
    let tag = if frame.vlan.is_some() { TAG } else { 0 };
    if bytes.len() >= MIN_FRAME + tag {
        assert_eq!(read, view);
    }
    // A second write changes nothing.
    let mut twice = [0; MAX_FRAME];
    assert_eq!(read.emit(again.to, again.from, &mut twice), Some(len));
    assert_eq!(buffer[..len], twice[..len]);
});
