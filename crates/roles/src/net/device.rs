use machine::TooShort;
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;

/// Greatest length of an Ethernet frame without its check sequence, in bytes: 14 of header and 1500 of IPv6.
///
/// A buffer of this length is sufficient for every [`poll_transmit`](machine::Machine::poll_transmit).
pub const MAX_FRAME: usize = 1514;

/// A device for one call: at most one frame in, at most one frame out into `out`.
///
/// Without space for a whole frame in `out` it accepts no frame to send.
pub(super) struct OneFrame<'d> {
    received: Option<&'d [u8]>,
    out: &'d mut [u8],
    written: usize,
}

impl<'d> OneFrame<'d> {
    /// A device with a received frame, whose response goes to `out`.
    pub(super) fn receiving(frame: &'d [u8], out: &'d mut [u8]) -> Self {
        Self { received: Some(frame), out, written: 0 }
    }

    /// A device that accepts one frame to send.
    pub(super) fn sending(out: &'d mut [u8]) -> Self {
        Self { received: None, out, written: 0 }
    }

    /// A device without a received frame, that accepts no frame to send.
    pub(super) fn idle() -> Self {
        Self::sending(&mut [])
    }

    /// Length of the frame in `out`, 0 without one.
    pub(super) fn written(&self) -> usize {
        self.written
    }

    fn token(&mut self) -> Out<'_> {
        Out { out: self.out, written: &mut self.written }
    }
}

impl Device for OneFrame<'_> {
    type RxToken<'t>
        = In<'t>
    where
        Self: 't;
    type TxToken<'t>
        = Out<'t>
    where
        Self: 't;

    fn receive(&mut self, _now: Instant) -> Option<(In<'_>, Out<'_>)> {
        let frame = self.received.take()?;
        Some((In(frame), self.token()))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Out<'_>> {
        (self.written == 0 && self.out.len() >= MAX_FRAME).then(|| self.token())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = MAX_FRAME;
        capabilities
    }
}

pub(super) struct In<'t>(&'t [u8]);

impl RxToken for In<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

pub(super) struct Out<'t> {
    out: &'t mut [u8],
    written: &'t mut usize,
}

impl TxToken for Out<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        // smoltcp never requests more than the MTU, which is what `out` holds.
        let len = len.min(self.out.len());
        *self.written = len;
        f(self.out.get_mut(..len).unwrap_or_default())
    }
}

/// Frames to be fetched: responses to received frames, and one frame that did not fit into the caller's
/// buffer.
pub(super) struct Ready<'a> {
    frames: &'a mut [ReadyFrame; READY],
    first: usize,
    count: usize,
}

/// Capacity for responses; while it is used up no frame is received.
pub(super) const READY: usize = 2;

/// Space for one response.
pub(super) struct ReadyFrame {
    bytes: [u8; MAX_FRAME],
    len: usize,
}

impl ReadyFrame {
    pub(super) const EMPTY: Self = Self { bytes: [0; MAX_FRAME], len: 0 };
}

impl<'a> Ready<'a> {
    pub(super) fn new(frames: &'a mut [ReadyFrame; READY]) -> Self {
        Self { frames, first: 0, count: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.count == READY
    }

    /// Lends the next free frame to `fill`, which returns the length of the response; 0 for none.
    pub(super) fn push_with(&mut self, fill: impl FnOnce(&mut [u8]) -> usize) {
        if self.is_full() {
            return;
        }
        let Some(frame) = self.frames.get_mut((self.first + self.count) % READY) else { return };
        frame.len = fill(&mut frame.bytes);
        self.count += usize::from(frame.len > 0);
    }

    /// Moves the oldest frame to the start of `buffer`; a frame that does not fit stays.
    pub(super) fn pop_into(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, TooShort> {
        let Some(frame) = self.frames.get(self.first).filter(|_| !self.is_empty()) else { return Ok(None) };
        let room = buffer.get_mut(..frame.len).ok_or(TooShort { needed: frame.len })?;
        room.copy_from_slice(frame.bytes.get(..frame.len).unwrap_or_default());
        let len = frame.len;
        self.first = (self.first + 1) % READY;
        self.count -= 1;
        Ok(Some(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_leave_in_the_order_in_which_they_came() {
        let mut frames = [ReadyFrame::EMPTY; READY];
        let mut ready = Ready::new(&mut frames);
        let push = |ready: &mut Ready<'_>, byte: u8| {
            ready.push_with(|bytes| {
                bytes[0] = byte;
                1
            });
        };
        let mut out = [0; MAX_FRAME];
        push(&mut ready, 1);
        for byte in 2..6 {
            push(&mut ready, byte);
            assert!(ready.is_full());
            push(&mut ready, 99);
            assert_eq!(ready.pop_into(&mut []), Err(TooShort { needed: 1 }));
            assert_eq!((ready.pop_into(&mut out), out[0]), (Ok(Some(1)), byte - 1));
        }
        assert_eq!((ready.pop_into(&mut out), out[0]), (Ok(Some(1)), 5));
        assert_eq!(ready.pop_into(&mut out), Ok(None));
    }
}
