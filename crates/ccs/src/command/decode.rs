//! `ccs decode`: the messages in captures.

mod lines;
mod matchings;
mod story;
mod summary;

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;

use homeplug_mme::view::View;

use crate::cli::{DecodeArgs, Exit, is_interactive};
use crate::decode::source::{self, EXPECTED, End, Format, Source};
use crate::decode::{Content, Counts, Decoder, Event, GivenUp, Keys, MAX_STREAMS};
use crate::escape::Plain;
use crate::style::{self, Palette};

use lines::{JsonLines, TextLines};
use summary::Summary;

/// What becomes of the events of a file.
trait Report {
    /// The next event.
    fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()>;
    /// The file is over.
    fn end(&mut self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()>;
}

/// What is known only at the end of a file.
struct Totals<'e> {
    /// How it ended.
    end: &'e End,
    /// How many TCP connections it had.
    streams: u64,
    given_up: GivenUp,
    counts: &'e Counts,
}

impl Totals<'_> {
    /// What was not read, and why.
    fn notes(&self) -> Vec<String> {
        let cut = match self.counts.cut_frames {
            0 => None,
            1 => Some("1 frame is cut by the snap length: capture with a longer one (`tcpdump -s 0`)".into()),
            count => Some(format!(
                "{count} frames are cut by the snap length: capture with a longer one (`tcpdump -s 0`)"
            )),
        };
        let unread = self.counts.unread.iter().map(|(why, count)| why.words(*count));
        unread.chain(cut).chain(self.given_up()).collect()
    }

    /// What was given up because memory is bounded.
    fn given_up(&self) -> Option<String> {
        let GivenUp { connections, gaps } = self.given_up;
        let forgotten =
            format!("{connections} connections evicted (at most {MAX_STREAMS} of a kind are tracked)");
        let gaps_given_up = format!("{gaps} gaps abandoned (too much data after them)");
        let parts = [(connections, forgotten), (gaps, gaps_given_up)];
        let parts: Vec<_> =
            parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, words)| words).collect();
        (!parts.is_empty()).then(|| format!("memory is bounded: {}", parts.join(", ")))
    }
}

/// Decodes all files; one that cannot be read does not stop the others.
pub fn run(args: &DecodeArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut exit = Exit::Good;
    let keys = if args.show_keys { Keys::Shown } else { Keys::Redacted };
    for path in &args.files {
        let name = path.to_string_lossy();
        let source = match open(path) {
            Ok(source) => source,
            Err(error) => {
                out.flush()?;
                complain(&name, &error.to_string());
                exit = Exit::Failed;
                continue;
            }
        };
        let format = source.format();
        let mut report: Box<dyn Report + '_> = match (args.summary, args.json) {
            (true, json) => Box::new(Summary::new(&name, format, json)),
            (false, true) => Box::new(JsonLines::new(&name, keys)),
            (false, false) => {
                if args.files.len() > 1 {
                    writeln!(out, "== {}", Plain(&name))?;
                }
                Box::new(TextLines::new(Palette::stdout(), keys))
            }
        };
        let at_once = is_interactive() || path.as_os_str() == "-";
        exit = exit.and(decode(source, &name, report.as_mut(), at_once, out)?);
    }
    out.flush()?;
    Ok(exit)
}

fn open(path: &Path) -> Result<Source, source::Error> {
    let input: Box<dyn Read> =
        if path.as_os_str() == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
    Source::open(input)
}

fn decode(
    source: Source,
    name: &str,
    report: &mut dyn Report,
    at_once: bool,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let is_capture = matches!(source.format(), Format::Pcap | Format::PcapNg);
    let mut decoder = Decoder::new();
    let mut written = Ok(());
    let mut exit = Exit::Good;
    let mut on_event = |event: &Event<'_>| {
        if is_failure(event, is_capture) {
            exit = Exit::Failed;
        }
        if written.is_ok() {
            written = report.event(event, out);
            if at_once && written.is_ok() {
                written = out.flush();
            }
        }
        written.is_ok()
    };
    let end = source.read(&mut |packet| {
        let mut go_on = true;
        decoder.take(packet, &mut |event| go_on &= on_event(event));
        if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    let end = match end {
        Ok(end) => end,
        Err(error) => End::Cut(error.to_string()),
    };
    decoder.finish(&mut |event| {
        on_event(event);
    });
    written?;
    let counts = decoder.counts();
    if counts.unread.keys().any(|why| why.is_interface()) {
        exit = Exit::Failed;
    }
    report
        .end(&Totals { end: &end, streams: decoder.streams(), given_up: decoder.given_up(), counts }, out)?;
    if end == End::NothingFound {
        out.flush()?;
        complain(
            name,
            &format!("it is not a capture, and no message was found in this text; expected {EXPECTED}"),
        );
        exit = Exit::Failed;
    }
    if let End::Cut(reason) = &end {
        out.flush()?;
        complain(name, &format!("cut: {reason}; everything before that is decoded"));
        exit = Exit::Failed;
    }
    Ok(exit)
}

/// Whether the exit code reports it. Foreign bytes on the wire are untrusted input in a capture; in lines and streams that
/// are given as messages they are an error. So is a message that is lost because its frame was captured in part.
fn is_failure(event: &Event<'_>, is_capture: bool) -> bool {
    match &event.content {
        Content::Gap => event.cut.is_some(),
        Content::Mme(frame) if event.cut.is_some() => View::of(frame).is_err(),
        Content::BadMme(_) if event.cut.is_some() => true,
        Content::CutMessage(..) => true,
        Content::Exi(exi) => exi.error.is_some(),
        Content::BadLine(_) | Content::LongLine => true,
        Content::Unknown(_) | Content::Skipped(_) | Content::BadMme(_) => !is_capture,
        Content::Mme(frame) => !is_capture && View::of(frame).is_err(),
        _ => false,
    }
}

fn complain(name: &str, what: &str) {
    let (name, what) = (Plain(name), Plain(what));
    anstream::eprintln!("{}{name}: {what}{}", style::BAD.render(), style::RESET);
}
