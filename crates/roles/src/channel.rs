use sdp::Security;

/// Creates the channel of each connection, and determines what discovery announces: plain TCP, TLS, or both.
pub trait Channels {
    /// The type of its channels.
    type Channel: Channel;

    /// Whether connections with this security are accepted.
    fn offers(&self, security: Security) -> bool;

    /// The channel of a new connection, with a security that is accepted.
    fn open(&mut self, security: Security) -> Self::Channel;
}

/// A layer between one TCP connection and V2GTP: none ([`Plain`]), or TLS.
///
/// The wire side is TCP's bytes, the plain side is V2GTP's. A channel does no I/O. A handshake is output of
/// [`write`](Self::write) without plain input.
pub trait Channel {
    /// Removes bytes from the front of `wire` and returns the plain bytes that result, possibly none. Removes
    /// at least one byte unless `wire` is empty.
    ///
    /// # Errors
    /// [`Broken`] if the peer's bytes are invalid; the connection ends then.
    fn read<'a, 'w: 'a>(&'a mut self, wire: &mut &'w [u8]) -> Result<&'a [u8], Broken>;

    /// Converts as much of `plain` as fits into bytes for the wire. Also called with empty `plain`.
    fn write(&mut self, plain: &[u8], wire: &mut [u8]) -> Written;

    /// Closes the channel: the next [`write`](Self::write) informs the peer.
    fn close(&mut self);

    /// Whether the peer has closed the channel above TCP.
    fn is_closed(&self) -> bool;

    /// The peer's certificate, DER encoded; `None` without one.
    fn peer(&self) -> Option<&[u8]>;
}

/// The result of [`Channel::write`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Plain bytes consumed.
    pub plain: usize,
    /// Bytes written for the wire.
    pub wire: usize,
}

/// The peer's bytes violate the channel's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer's bytes break the channel's rules: the connection is closed")]
pub struct Broken;

/// No additional layer: the plain bytes are the wire's bytes.
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

/// The first that `channels` accepts of plain and TLS.
pub(crate) fn only(channels: &impl Channels) -> Security {
    if channels.offers(Security::NONE) { Security::NONE } else { Security::TLS }
}
