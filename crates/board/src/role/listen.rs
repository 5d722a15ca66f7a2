use core::fmt;

use homeplug_mme::{Frame, FrameError, Mac, MmType, NetworkKey};
use machine::{Cx, Deadline, Instant, Machine, Queue, TooShort};
use session::Phase;

use super::{Note, Role, Wish};
use crate::Head;

/// A listener: hears every frame and says what management frames are in it. It sends nothing and drives nothing.
#[derive(Debug)]
pub struct Listen {
    events: Queue<Heard, EVENTS>,
    frames: u32,
    others: u32,
}

/// Events that wait at most; they are taken after each frame.
const EVENTS: usize = 4;

/// A management frame that was heard, or one that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    from: Mac,
    to: Mac,
    what: Result<MmType, FrameError>,
}

impl Listen {
    /// One that has heard nothing.
    pub const fn new() -> Self {
        Self { events: Queue::new(), frames: 0, others: 0 }
    }

    fn take(&mut self, frame: &[u8]) {
        self.frames = self.frames.wrapping_add(1);
        let Some((head, _)) = frame.split_first_chunk::<14>() else { return };
        let [t0, t1, t2, t3, t4, t5, f0, f1, f2, f3, f4, f5, kind @ ..] = *head;
        if u16::from_be_bytes(kind) != homeplug_mme::ETHERTYPE {
            self.others = self.others.wrapping_add(1);
            return;
        }
        let what = Frame::parse(frame).map(|frame| frame.mm_type);
        self.events.push(Heard {
            from: Mac([f0, f1, f2, f3, f4, f5]),
            to: Mac([t0, t1, t2, t3, t4, t5]),
            what,
        });
    }
}

impl Default for Listen {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {} ", self.from, self.to)?;
        match &self.what {
            Ok(mm_type) => write!(f, "{mm_type}"),
            Err(error) => write!(f, "makes no sense: {error}"),
        }
    }
}

/// What goes into a [`Listen`].
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A frame.
    Frame(&'a [u8]),
    /// Anything else: it is not used.
    Other,
}

impl Machine for Listen {
    type Input<'i> = Input<'i>;
    type Route = ();
    type Event = Heard;

    fn handle(&mut self, _: &mut Cx<'_>, input: Input<'_>) {
        if let Input::Frame(frame) = input {
            self.take(frame);
        }
    }

    fn handle_timeout(&mut self, _: &mut Cx<'_>) {}

    fn poll_transmit(&mut self, _: &mut [u8]) -> Result<Option<(usize, ())>, TooShort> {
        Ok(None)
    }

    fn poll_event(&mut self) -> Option<Heard> {
        self.events.pop()
    }

    fn poll_timeout(&self) -> Option<Deadline> {
        None
    }
}

impl Role for Listen {
    type Demand = ();
    type Reading = ();
    const NAME: &'static str = "listen";
    const SAFE: () = ();

    fn frame(frame: &[u8]) -> Input<'_> {
        Input::Frame(frame)
    }

    fn reading<'a>((): ()) -> Input<'a> {
        Input::Other
    }

    fn no_reading<'a>() -> Input<'a> {
        Input::Other
    }

    fn interface_down<'a>() -> Input<'a> {
        Input::Other
    }

    fn wish(&mut self, _: &mut Cx<'_>, wish: Wish) -> bool {
        matches!(wish, Wish::Start | Wish::Latch(_))
    }

    fn demand(&self) {}

    fn is_energised((): &()) -> bool {
        false
    }

    fn phase(&self) -> Option<Phase> {
        None
    }

    fn key(&self) -> Option<NetworkKey> {
        None
    }

    fn describe(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, ", {} frames heard, {} of other protocols", self.frames, self.others)
    }

    fn head(_: &Heard) -> Option<Head> {
        Some(Head { at: Instant::ZERO, checkpoint: None, who: "heard" })
    }

    fn words(event: &Heard, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(event, out)
    }

    fn note(_: &Heard) -> Note<'_> {
        Note::None
    }
}
