use sdp::Security;

/// Makes the channel of each connection. Discovery announces what is on offer: plain, TLS, or both side by
/// side.
pub trait Channels {
    /// What it makes.
    type Channel: Channel;

    /// Whether connections of this security are on offer.
    fn offers(&self, security: Security) -> bool;

    /// The channel of a connection that begins, of a security that is on offer.
    fn open(&mut self, security: Security) -> Self::Channel;
}

/// What stands between one TCP connection and V2GTP: nothing ([`Plain`]), or TLS.
///
/// The wire side is what TCP carries, the plain side is what V2GTP reads and writes. A channel does no
/// I/O; a handshake is output of [`write`](Self::write) that no plain bytes caused.
pub trait Channel {
    /// Takes bytes off the front of `wire` and gives the plain bytes that they make, maybe none. Always
    /// takes something unless `wire` is empty.
    ///
    /// # Errors
    /// [`Broken`] when the peer's bytes cannot be right; the connection is over then.
    fn read<'a, 'w: 'a>(&'a mut self, wire: &mut &'w [u8]) -> Result<&'a [u8], Broken>;

    /// Turns as much of `plain` as fits into bytes for the wire. Called with empty `plain`, too.
    fn write(&mut self, plain: &[u8], wire: &mut [u8]) -> Written;

    /// Says goodbye to the peer, with the next [`write`](Self::write).
    fn close(&mut self);

    /// Whether the peer has closed the channel above TCP.
    fn is_closed(&self) -> bool;

    /// Who the peer has proven to be, where the channel knows: its certificate, DER encoded.
    fn peer(&self) -> Option<&[u8]>;
}

/// What [`Channel::write`] has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Plain bytes taken.
    pub plain: usize,
    /// Bytes put on the wire.
    pub wire: usize,
}

/// The peer's bytes break the channel's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer's bytes break the channel's rules: the connection is closed")]
pub struct Broken;

/// No channel at all: plain bytes are the wire's bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain;

impl Channels for Plain {
    type Channel = Self;

    fn offers(&self, security: Security) -> bool {
        security == Security::NONE
    }

    fn open(&mut self, _: Security) -> Self {
        Self
    }
}

impl Channel for Plain {
    fn read<'a, 'w: 'a>(&'a mut self, wire: &mut &'w [u8]) -> Result<&'a [u8], Broken> {
        Ok(core::mem::take(wire))
    }

    fn write(&mut self, plain: &[u8], wire: &mut [u8]) -> Written {
        let len = plain.len().min(wire.len());
        wire.iter_mut().zip(plain).for_each(|(to, from)| *to = *from);
        Written { plain: len, wire: len }
    }

    fn close(&mut self) {}

    fn is_closed(&self) -> bool {
        false
    }

    fn peer(&self) -> Option<&[u8]> {
        None
    }
}

/// Plain or TLS of what `channels` offers, the first that is.
pub(crate) fn only(channels: &impl Channels) -> Security {
    if channels.offers(Security::NONE) { Security::NONE } else { Security::TLS }
}
