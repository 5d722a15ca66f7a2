//! Texts for findings that are no messages.

use listen::packet::Endpoint;

use crate::decode::{Close, Content, Cut, Keys, without_keys};
use crate::escape::Plain;
use crate::lines::MAX_LINE;

/// Added to a message whose name belongs to the other direction.
pub(crate) const CONTRADICTION: &str = "the name belongs to the other direction";

/// Text for a frame that was captured in part.
pub(crate) fn cut_words(Cut { captured, whole }: Cut) -> String {
    format!("cut by the snap length: {captured} of {whole} bytes")
}

/// Text for a finding that is no message; `None` for a message.
pub(crate) fn note(content: &Content<'_>, keys: Keys) -> Option<String> {
    Some(match content {
        Content::Mme(_) | Content::Sdp(_) | Content::Exi(_) | Content::Over(_) => return None,
        Content::BadMme(error) => format!("a broken HomePlug frame: {error}"),
        Content::Other(payload_type, length) => format!("V2GTP {payload_type}, {length} bytes"),
        Content::Tls(_) => "TLS: this direction of the stream is encrypted".into(),
        Content::Opened(flow) => format!("TCP opens, {} to {}", end(flow.source), end(flow.destination)),
        Content::Closed(flow, close) => {
            let what = match close {
                Close::Fin => "closes (FIN)",
                Close::Reset => "reset (RST)",
                Close::Refused => "refused (RST)",
            };
            format!("TCP {what} by {}", end(flow.source))
        }
        Content::Skipped(count) => format!("{count} bytes are not V2GTP, or a message lost its end"),
        Content::Gap => "bytes are missing in the capture".into(),
        Content::Fragment => "a fragment of an IP packet, not put together".into(),
        Content::Unknown(count) => {
            format!("{count} bytes are neither EXI (80...), V2GTP (01FE...) nor an Ethernet frame")
        }
        Content::Noted(words) => format!("plant {}", Plain(words)),
        Content::Log(text) => format!("\"{}\"", Plain(&log_text(text, keys))),
        Content::CutMessage(is, whole) => format!("a message is cut: {is} of {whole} bytes are there"),
        Content::BadLine(column) => format!("not hexadecimal in column {column}"),
        Content::LongLine => format!("this line is longer than {MAX_LINE} bytes, and was skipped"),
    })
}

/// Text of a syslog datagram without its priority (RFC 3164, 4.1.1) and line end.
pub(crate) fn log_text(datagram: &[u8], keys: Keys) -> String {
    let is_priority = |head: &[u8]| {
        head.first() == Some(&b'<') && head.get(1..).is_some_and(|n| n.iter().all(u8::is_ascii_digit))
    };
    let text = match datagram.iter().take(5).position(|byte| *byte == b'>') {
        Some(end) if datagram.get(..end).is_some_and(is_priority) => {
            datagram.get(end + 1..).unwrap_or_default()
        }
        _ => datagram,
    };
    let end =
        text.iter().rposition(|byte| !matches!(byte, 0 | b'\n' | b'\r' | b' ')).map_or(0, |last| last + 1);
    let text = String::from_utf8_lossy(text.get(..end).unwrap_or_default());
    if keys == Keys::Shown { text.into_owned() } else { without_keys(&text) }
}

fn end(endpoint: Endpoint) -> String {
    format!("[{}]:{}", endpoint.address, endpoint.port)
}

/// Nanoseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "exact to the nanosecond for 100 days")]
pub(crate) fn seconds(ns: i64) -> f64 {
    ns as f64 / 1e9
}
