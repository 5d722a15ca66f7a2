//! `ccs decode`: the messages in captures and texts.

mod args;
mod csv;
mod filter;
mod fold;
mod follow;
mod html;
pub(super) mod json;
pub(crate) mod layout;
pub(super) mod lines;
mod matchings;
pub(crate) mod notes;
mod plot;
mod series;
pub(crate) mod story;
pub(super) mod summary;
mod time;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::path::Path;

use hal_linux::Signals;
use homeplug_mme::view::View;

use crate::decode::source::{self, EXPECTED, End, Format, Source};
use crate::decode::{Content, Counts, Decoder, Event, GivenUp, Keys, MAX_STREAMS};
use crate::escape::Plain;
use crate::exit::{Exit, Usage};
use crate::style::is_interactive;
use crate::style::{self, Palette};

pub use args::DecodeArgs;
use filter::Filter;
use follow::Follow;
pub use layout::Width;
pub use lines::{Look, Printer};
use summary::Summary;
pub use time::TimeName;

/// A form of output for the events of a file.
pub(super) trait Report {
    /// Handles the next event.
    fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()>;
    /// Handles the end of the file.
    fn end(&mut self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()>;
}

/// Lines of text as a report.
pub(super) struct Lines(pub Printer);

impl Report for Lines {
    fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.0.event(event, out)
    }

    fn end(&mut self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.0.flush(out)?;
        totals.notes().into_iter().try_for_each(|words| writeln!(out, "{words}"))
    }
}

/// A report on the events that pass a filter.
struct Filtered<'a> {
    filter: &'a Filter,
    report: Box<dyn Report + 'a>,
}

impl Report for Filtered<'_> {
    fn event(&mut self, event: &Event<'_>, out: &mut dyn Write) -> io::Result<()> {
        // The story of a session is always shown.
        let is_shown = matches!(event.content, Content::Over(_)) || self.filter.shows(event);
        if is_shown { self.report.event(event, out) } else { Ok(()) }
    }

    fn end(&mut self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()> {
        self.report.end(totals, out)
    }
}

/// Totals, available at the end of a file.
pub(super) struct Totals<'e> {
    /// How reading ended.
    pub end: &'e End,
    /// Number of TCP connections.
    pub streams: u64,
    /// Counts of what was evicted or abandoned because memory is bounded.
    pub given_up: GivenUp,
    /// Counts of what was not read.
    pub counts: &'e Counts,
}

impl Totals<'_> {
    /// What was not read, and why.
    fn notes(&self) -> Vec<String> {
        let advice = "cut by the snap length: capture with a longer one (`tcpdump -s 0`)";
        let cut = match self.counts.cut_frames {
            0 => None,
            1 => Some(format!("1 frame is {advice}")),
            count => Some(format!("{count} frames are {advice}")),
        };
        let unread = self.counts.unread.iter().map(|(why, count)| why.words(*count));
        unread.chain(cut).chain(self.given_up()).collect()
    }

    /// What was evicted or abandoned because memory is bounded.
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

/// Decodes all files. A file that cannot be read does not stop the others.
pub fn run(args: &DecodeArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    check(args)?;
    let mut exit = Exit::Good;
    let filter = Filter::new(&args.filter, args.v2g);
    for path in &args.files {
        let name = path.to_string_lossy();
        let source = match open(path, args.follow) {
            Ok(source) => source,
            Err(error) => {
                out.flush()?;
                complain(&name, &error.to_string());
                exit = Exit::Failed;
                continue;
            }
        };
        let mut reports = reports(args, &name, &source, &filter, out)?;
        let at_once = is_interactive() || args.follow || path.as_os_str() == "-";
        exit = exit.and(decode(source, &name, &mut reports, at_once, out)?);
    }
    out.flush()?;
    Ok(exit)
}

/// Checks that the parser of the command line cannot express.
fn check(args: &DecodeArgs) -> Result<(), Usage> {
    let usage = |words: &'static str| Err(Usage(Cow::Borrowed(words)));
    let is_one_file = args.files.len() == 1;
    if args.follow && (!is_one_file || args.files.iter().any(|path| path.as_os_str() == "-")) {
        return usage("`--follow` takes one file; the standard input is followed without it");
    }
    if (args.plot.is_some() || args.html.is_some() || args.csv) && !is_one_file {
        return usage("`--csv`, `--plot` and `--html` take one file");
    }
    Ok(())
}

/// The reports on a file.
fn reports<'a>(
    args: &'a DecodeArgs,
    name: &'a str,
    source: &Source,
    filter: &'a Filter,
    out: &mut dyn Write,
) -> io::Result<Vec<Box<dyn Report + 'a>>> {
    let keys = if args.show_keys { Keys::Shown } else { Keys::Redacted };
    let mut reports: Vec<Box<dyn Report + 'a>> = Vec::new();
    if let Some(path) = &args.plot {
        reports.push(Box::new(plot::Plot::new(name, File::create(path)?)));
    }
    if let Some(path) = &args.html {
        reports.push(Box::new(html::Html::new(name, File::create(path)?, keys)));
    }
    let filtered = |report: Box<dyn Report + 'a>| Box::new(Filtered { filter, report });
    if args.summary {
        reports.push(Box::new(Summary::new(name, &source.format().to_string(), source.packing(), args.json)));
    } else if args.json {
        reports.push(filtered(Box::new(json::JsonLines::new(name, keys))));
    } else if args.csv {
        reports.push(Box::new(csv::Csv::default()));
    } else if reports.is_empty() {
        if args.files.len() > 1 {
            writeln!(out, "== {}", Plain(name))?;
        }
        let width = match (args.wide, args.width) {
            (true, _) => Width::default(),
            (false, Some(columns)) => Width::new(Some(columns.into())),
            (false, None) => Width::of_terminal(),
        };
        let is_coloured = Palette::stdout().enabled;
        let look = Look { keys, time: args.time, width, all: args.all, is_coloured };
        reports.push(filtered(Box::new(Lines(Printer::new(look)))));
    }
    Ok(reports)
}

fn open(path: &Path, follow: bool) -> Result<Source, source::Error> {
    let input: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin())
    } else if follow {
        Box::new(Follow::new(File::open(path)?, Signals::hold().map_err(io::Error::other)?))
    } else {
        Box::new(File::open(path)?)
    };
    Source::open(input)
}

fn decode(
    source: Source,
    name: &str,
    reports: &mut [Box<dyn Report + '_>],
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
        for report in reports.iter_mut() {
            if written.is_ok() {
                written = report.event(event, out);
            }
        }
        if at_once && written.is_ok() {
            written = out.flush();
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
    let totals = Totals { end: &end, streams: decoder.streams(), given_up: decoder.given_up(), counts };
    for report in reports.iter_mut() {
        report.end(&totals, out)?;
    }
    let complaint = match &end {
        End::Cut(reason) => format!("cut: {reason}; everything before that is decoded"),
        End::NothingFound => {
            format!("it is not a capture, and no message was found in this text; expected {EXPECTED}")
        }
        End::Complete | End::Stopped => return Ok(exit),
    };
    out.flush()?;
    complain(name, &complaint);
    Ok(Exit::Failed)
}

/// Whether the exit code reports the event. In a capture foreign bytes are untrusted input; in lines and
/// streams that are given as messages they are an error. A message that is lost because its frame was
/// captured in part is an error too.
fn is_failure(event: &Event<'_>, is_capture: bool) -> bool {
    match &event.content {
        Content::Gap => event.cut.is_some(),
        Content::Mme(frame) if event.cut.is_some() => View::of(frame).is_err(),
        Content::BadMme(_) if event.cut.is_some() => true,
        Content::Exi(exi) => exi.error.is_some(),
        Content::CutMessage(..) | Content::BadLine(_) | Content::LongLine => true,
        Content::Unknown(_) | Content::Skipped(_) | Content::BadMme(_) => !is_capture,
        Content::Mme(frame) => !is_capture && View::of(frame).is_err(),
        _ => false,
    }
}

fn complain(name: &str, what: &str) {
    let (name, what) = (Plain(name), Plain(what));
    anstream::eprintln!("{}{name}: {what}{}", style::BAD.render(), style::RESET);
}
