//! Instructions that a frame causes on the board, from its arrival until the loop requests the next.

use std::collections::{BTreeMap, VecDeque};

use exi_din::V2gMessage;
use wire::Counted;

use crate::share::Row;

/// Frames delivered to the board whose instructions are not counted yet, and the counts by kind.
#[derive(Default)]
pub(crate) struct Work {
    given: VecDeque<(usize, Option<String>)>,
    counts: BTreeMap<String, Vec<u32>>,
}

impl Work {
    /// A frame is delivered to the board.
    pub(crate) fn give(&mut self, frame: &[u8]) {
        self.given.push_back((frame.len(), kind(frame)));
    }

    /// The board has reported a count. Earlier frames without a count were lost.
    pub(crate) fn count(&mut self, counted: Counted) {
        while let Some((length, kind)) = self.given.pop_front() {
            if length == usize::from(counted.length) {
                if let Some(kind) = kind {
                    self.counts.entry(kind).or_default().push(counted.instructions);
                }
                return;
            }
        }
    }

    /// A row for each kind of frame: the smallest count, without work that only some of the frames cause,
    /// such as a log line.
    pub(crate) fn rows(self) -> Vec<Row> {
        let least = |counts: Vec<u32>| counts.into_iter().min().unwrap_or(0).into();
        self.counts
            .into_iter()
            .map(|(kind, counts)| (format!("instructions.{kind}"), least(counts)))
            .collect()
    }
}

/// The kind of a frame with a row in the ledger: a step of matching that needs an answer, or a round of the
/// charging loop.
fn kind(frame: &[u8]) -> Option<String> {
    let of_matching = |name: &str| name.starts_with("CM_SLAC") || name.starts_with("CM_ATTEN_CHAR");
    if let Ok(frame) = homeplug_mme::Frame::parse(frame) {
        return Some(frame.mm_type.to_string()).filter(|name| of_matching(name));
    }
    let name = message(frame)?.name()?;
    name.starts_with("CurrentDemand").then(|| name.to_owned())
}

/// The message of DIN SPEC 70121 in a frame that contains it whole.
pub(crate) fn message(frame: &[u8]) -> Option<V2gMessage<'_>> {
    let packet = etherparse::SlicedPacket::from_ethernet(frame).ok()?;
    let Some(etherparse::TransportSlice::Tcp(tcp)) = packet.transport else { return None };
    let (_, message) = tcp.payload().split_first_chunk::<{ v2gtp::HEADER_LEN }>()?;
    V2gMessage::decode(message).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(length: u16, instructions: u32) -> Counted {
        Counted { length, instructions }
    }

    #[test]
    fn a_frame_that_was_lost_does_not_give_its_name_to_another_ones_count() {
        let mut work = Work::default();
        work.given.extend([(60, Some("lost".to_owned())), (90, Some("kept".to_owned()))]);
        work.count(counted(90, 7));
        assert_eq!(work.rows(), [("instructions.kept".to_owned(), 7)]);
    }

    #[test]
    fn a_row_is_the_least_so_that_a_line_of_the_log_changes_nothing() {
        let mut work = Work::default();
        for instructions in [10, 1_000_000, 11, 9, 12] {
            work.given.push_back((60, Some("x".to_owned())));
            work.count(counted(60, instructions));
        }
        assert_eq!(work.rows(), [("instructions.x".to_owned(), 9)]);
    }
}
