//! `ccs decode --summary`: counts and errors of a file.

use std::collections::BTreeMap;
use std::io::{self, Write};

use homeplug_mme::MmType;
use homeplug_mme::view::View;
use listen::When;
use listen::packet::Endpoint;
use serde_json::json;

use super::layout::Width;
use super::matchings::{self, Matchings};
use super::notes::{note, seconds};
use super::story::Told;
use super::{Report, Totals};
use crate::decode::source::End;
use crate::decode::{Content, Direction, Event, Keys, Schema};
use crate::escape;
use crate::style::Palette;

/// The counts of one file.
pub(crate) struct Summary<'a> {
    file: &'a str,
    format: String,
    packing: Option<&'static str>,
    json: bool,
    last_ns: Option<i64>,
    mmes: BTreeMap<MmType, u64>,
    bad_mmes: u64,
    matchings: Matchings,
    sdp: [u64; 2],
    chargers: Vec<Endpoint>,
    unlisted_chargers: u64,
    stories: Vec<Told>,
    unlisted_sessions: u64,
    schemas: BTreeMap<Option<Schema>, u64>,
    messages: BTreeMap<&'static str, u64>,
    guessed: u64,
    trailing: u64,
    tls: u64,
    gaps: u64,
    fragments: u64,
    skipped: u64,
    other: u64,
    failed: u64,
    logs: u64,
    contradictions: u64,
    first_trouble: Option<String>,
}

/// Most sessions in the list: judgement, a bound. An Ioniq opened 165 connections in one hour, few of them
/// with a message.
const MAX_STORIES: usize = 256;
/// Most chargers in the list: judgement, a bound.
const MAX_CHARGERS: usize = 16;

impl<'a> Summary<'a> {
    /// A report on the file or interface of this name; `format` is its format, `packing` its compression.
    pub(crate) fn new(file: &'a str, format: &str, packing: Option<&'static str>, json: bool) -> Self {
        Self {
            file,
            format: format.into(),
            packing,
            json,
            last_ns: None,
            mmes: BTreeMap::new(),
            bad_mmes: 0,
            matchings: Matchings::default(),
            sdp: [0; 2],
            chargers: Vec::new(),
            unlisted_chargers: 0,
            stories: Vec::new(),
            unlisted_sessions: 0,
            schemas: BTreeMap::new(),
            messages: BTreeMap::new(),
            guessed: 0,
            trailing: 0,
            tls: 0,
            gaps: 0,
            fragments: 0,
            skipped: 0,
            other: 0,
            failed: 0,
            logs: 0,
            contradictions: 0,
            first_trouble: None,
        }
    }

    fn trouble(&mut self, frame: u64, what: impl FnOnce() -> String) {
        if self.first_trouble.is_none() {
            self.first_trouble = Some(format!("frame {frame}: {}", what()));
        }
    }

    fn counters(&self, totals: &Totals<'_>) -> [(&'static str, u64); 18] {
        [
            ("malformed_homeplug", self.bad_mmes),
            ("guessed_schema", self.guessed),
            ("not_decoded", self.failed),
            ("trailing_bytes", self.trailing),
            ("other_v2gtp", self.other),
            ("encrypted_directions", self.tls),
            ("gaps", self.gaps),
            ("skipped_bytes", self.skipped),
            ("ip_fragments", self.fragments),
            ("wrong_direction", self.contradictions),
            ("evicted_matchings", self.matchings.evicted()),
            ("unlisted_sessions", self.unlisted_sessions),
            ("unlisted_charger_announcements", self.unlisted_chargers),
            ("foreign_frames", totals.counts.foreign_frames),
            ("cut_frames", totals.counts.cut_frames),
            ("syslog_lines", self.logs),
            ("evicted_connections", totals.given_up.connections),
            ("abandoned_gaps", totals.given_up.gaps),
        ]
    }

    fn schema_counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.schemas.iter().map(|(schema, count)| (schema.map_or("unknown", Schema::name), *count))
    }

    fn write_json(&self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut summary = json!({
            "file": self.file,
            "format": self.format,
            "packing": self.packing,
            "cut": match totals.end { End::Cut(reason) => Some(reason), _ => None },
            "duration_s": self.last_ns.map(seconds),
            "tcp_connections": totals.streams,
            "homeplug": self.mmes.iter().map(|(name, count)| (name.to_string(), *count)).collect::<BTreeMap<_, _>>(),
            "matchings": matchings::to_json(&self.matchings, |time_ns| json!(time_ns.map(seconds))),
            "sdp_requests": self.sdp[0],
            "sdp_responses": self.sdp[1],
            "chargers": self.chargers.iter().map(show).collect::<Vec<_>>(),
            "schemas": self.schema_counts().collect::<BTreeMap<_, _>>(),
            "messages": self.messages,
            "sessions": self.stories.iter().map(|told| told.to_json(self.last_ns)).collect::<Vec<_>>(),
            "first_trouble": self.first_trouble,
            "unread": totals.counts.unread.iter().map(|(why, count)| why.words(*count)).collect::<Vec<_>>(),
        });
        if let Some(object) = summary.as_object_mut() {
            object.extend(self.counters(totals).map(|(name, count)| (name.to_owned(), json!(count))));
        }
        escape::write_json(&summary, &mut *out)?;
        out.write_all(b"\n")
    }

    fn write_text(&self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{}: {}", escape::Plain(self.file), self.format)?;
        if let Some(packing) = self.packing {
            write!(out, " ({packing})")?;
        }
        if let Some(last) = self.last_ns {
            write!(out, ", {:.3} s up to the last message", seconds(last))?;
        }
        writeln!(out, ", {} TCP connections", totals.streams)?;
        if let End::Cut(reason) = totals.end {
            writeln!(out, "  cut: {reason}")?;
        }
        let mmes = self.mmes.iter().map(|(name, count)| (name.to_string(), *count));
        list(out, "HomePlug", mmes)?;
        matchings::write_text(&self.matchings, out)?;
        let [requests, responses] = self.sdp;
        list(out, "SDP", [("requests".to_owned(), requests), ("responses".to_owned(), responses)])?;
        for charger in &self.chargers {
            writeln!(out, "  charger {}", show(charger))?;
        }
        list(out, "V2G", self.schema_counts().map(|(name, count)| (name.to_owned(), count)))?;
        for (message, count) in &self.messages {
            writeln!(out, "    {count:>7} {message}")?;
        }
        for story in &self.stories {
            story.write_text(self.last_ns, Palette::stdout(), Width::of_terminal(), out)?;
        }
        for (name, count) in self.counters(totals) {
            if count > 0 {
                writeln!(out, "  {}: {count}", name.replace('_', " "))?;
            }
        }
        for (why, count) in &totals.counts.unread {
            writeln!(out, "  {}", why.words(*count))?;
        }
        match &self.first_trouble {
            Some(trouble) => writeln!(out, "  first trouble: {trouble}"),
            None => Ok(()),
        }
    }
}

fn show(endpoint: &Endpoint) -> String {
    format!("[{}]:{}", endpoint.address, endpoint.port)
}

/// Writes a heading with the sum, and its parts.
fn list(
    out: &mut dyn Write,
    heading: &str,
    counts: impl IntoIterator<Item = (String, u64)>,
) -> io::Result<()> {
    let counts: Vec<(String, u64)> = counts.into_iter().filter(|(_, count)| *count > 0).collect();
    if counts.is_empty() {
        return Ok(());
    }
    let sum: u64 = counts.iter().map(|(_, count)| count).sum();
    let parts: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    writeln!(out, "  {heading} {sum}: {}", parts.join(", "))
}

impl Report for Summary<'_> {
    fn event(&mut self, event: &Event<'_>, _out: &mut dyn Write) -> io::Result<()> {
        if !matches!(event.content, Content::Opened(_) | Content::Closed(..) | Content::Over(_)) {
            self.last_ns = event.time_ns.max(self.last_ns);
        }
        self.contradictions += u64::from(event.is_contradiction);
        match &event.content {
            Content::Mme(frame) => {
                *self.mmes.entry(frame.mm_type).or_default() += 1;
                self.matchings.take(When { frame: event.frame, time_ns: event.time_ns }, frame);
                if let Err(error) = View::of(frame) {
                    self.bad_mmes += 1;
                    self.trouble(event.frame, || format!("{} does not decode: {error}", frame.mm_type));
                }
            }
            Content::Sdp(sdp) => {
                let [requests, responses] = &mut self.sdp;
                *(if sdp.direction() == Direction::ToEvse { requests } else { responses }) += 1;
                match sdp.charger().filter(|charger| !self.chargers.contains(charger)) {
                    Some(charger) if self.chargers.len() < MAX_CHARGERS => self.chargers.push(charger),
                    Some(_) => self.unlisted_chargers += 1,
                    None => {}
                }
            }
            Content::Exi(exi) => {
                *self.schemas.entry(exi.schema).or_default() += 1;
                if let Some(message) = exi.message {
                    *self.messages.entry(message).or_default() += 1;
                }
                self.guessed += u64::from(exi.basis.confidence() < 100);
                self.trailing += u64::try_from(exi.trailing).unwrap_or(u64::MAX);
                if let Some(error) = &exi.error {
                    self.failed += 1;
                    self.trouble(event.frame, || format!("does not decode: {error}"));
                }
            }
            Content::Opened(_) | Content::Closed(..) | Content::Noted(_) => {}
            Content::Log(_) => self.logs += 1,
            Content::Over(connection) => {
                let last = When { frame: event.frame, time_ns: event.time_ns };
                match Told::of(connection, last) {
                    Some(story) if self.stories.len() < MAX_STORIES => self.stories.push(story),
                    Some(_) => self.unlisted_sessions += 1,
                    None => {}
                }
            }
            other => {
                match other {
                    Content::Tls(_) => self.tls += 1,
                    Content::Gap => self.gaps += 1,
                    Content::Fragment => self.fragments += 1,
                    Content::Skipped(count) | Content::Unknown(count) => {
                        self.skipped += u64::try_from(*count).unwrap_or(u64::MAX);
                    }
                    Content::BadLine(_) | Content::LongLine | Content::CutMessage(..) => self.failed += 1,
                    Content::BadMme(_) => self.bad_mmes += 1,
                    _ => self.other += 1,
                }
                self.trouble(event.frame, || note(other, Keys::Redacted).unwrap_or_default());
            }
        }
        Ok(())
    }

    fn end(&mut self, totals: &Totals<'_>, out: &mut dyn Write) -> io::Result<()> {
        if self.json { self.write_json(totals, out) } else { self.write_text(totals, out) }
    }
}
