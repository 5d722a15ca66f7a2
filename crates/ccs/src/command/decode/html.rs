//! `ccs decode --html`: one file with stories, curves, the sequence of messages, and each message with its
//! bits.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write};

use exi::trace::{Sink, Value};
use listen::When;

use super::notes::{note, seconds};
use super::plot::{Curves, MAX_POINTS, title};
use super::story::{Line, Told};
use super::{Report, Totals};
use crate::decode::{Codecs, Content, Direction, Event, Exi, Keys, mme, values};
use crate::escape::Plain;

/// Most messages that are shown: judgement, a browser loads all of them.
const MAX_MESSAGES: usize = 2000;
/// Most messages with one name that are shown while it repeats; further ones are counted. Judgement.
const MAX_ALIKE: usize = 3;
/// A name repeats if it occurs again within this many messages: one round of charging, and messages of modems
/// in between. Judgement.
const WITHIN: u64 = 16;

/// The report.
pub(super) struct Html<'a> {
    name: &'a str,
    file: File,
    keys: Keys,
    curves: Curves,
    stories: Vec<Vec<Line>>,
    ladder: String,
    messages: usize,
    /// Each name with its number of occurrences, and the latest one.
    names: BTreeMap<String, (usize, u64)>,
    taken: u64,
    /// Messages that are not shown: in total, and since the last one that is.
    hidden: [usize; 2],
}

impl<'a> Html<'a> {
    /// Writes the report on the file `name` into `file`.
    pub(super) fn new(name: &'a str, file: File, keys: Keys) -> Self {
        Self {
            name,
            file,
            keys,
            curves: Curves::default(),
            stories: Vec::new(),
            ladder: String::new(),
            messages: 0,
            names: BTreeMap::new(),
            taken: 0,
            hidden: [0; 2],
        }
    }

    /// Whether a message is shown; of repeated ones only the first few are.
    fn is_shown(&mut self, name: &str, is_trouble: bool) -> bool {
        self.taken += 1;
        let (count, last) = self.names.entry(name.to_owned()).or_default();
        *count = if self.taken - *last > WITHIN { 1 } else { *count + 1 };
        *last = self.taken;
        let is_shown = (*count <= MAX_ALIKE || is_trouble) && self.messages < MAX_MESSAGES;
        let [all, since] = &mut self.hidden;
        if !is_shown {
            (*all, *since) = (*all + 1, *since + 1);
            return false;
        }
        self.messages += 1;
        let skipped = std::mem::take(since);
        if skipped > 0 {
            // Writing to a string cannot fail.
            let _ = writeln!(self.ladder, "<p class=more>&#8942; {skipped} more</p>");
        }
        true
    }

    fn message(&mut self, event: &Event<'_>) {
        let (name, values, tree) = match &event.content {
            Content::Exi(exi) => exi_parts(exi),
            Content::Mme(frame) => {
                let mut values = String::new();
                // An error is shown with the values.
                if let Err(error) = mme::describe(frame, self.keys, &mut values) {
                    let _ = write!(values, " does not decode: {error}");
                }
                (frame.mm_type.to_string(), values, String::new())
            }
            Content::Sdp(sdp) => (sdp.name().to_owned(), format!(" {sdp}"), String::new()),
            other => (note(other, self.keys).unwrap_or_default(), String::new(), String::new()),
        };
        let is_trouble = super::filter::is_trouble(event);
        if !self.is_shown(&name, is_trouble) {
            return;
        }
        let side = match event.direction {
            Some(Direction::ToEvse) => "car",
            Some(Direction::ToPev) => "charger",
            None => "none",
        };
        let arrow = match event.direction {
            Some(Direction::ToEvse) => "car &#8594; charger",
            Some(Direction::ToPev) => "charger &#8594; car",
            None => "",
        };
        let time = event.time_ns.map_or(String::new(), |ns| format!("{:.3} s", seconds(ns)));
        let bad = if is_trouble { " bad" } else { "" };
        let (name, values) = (Text(&name), Text(&values));
        // Writing to a string cannot fail.
        let _ = writeln!(
            self.ladder,
            "<details class=\"{side}{bad}\"><summary><span class=t>{time}</span> <span class=f>{}</span> \
             <span class=d>{arrow}</span> <b>{name}</b> <span class=v>{values}</span></summary>{tree}</details>",
            event.frame
        );
    }

    fn page(&self, totals: &Totals<'_>) -> String {
        let title = title(self.name);
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\n\
             <title>{0}</title>\n<style>{STYLE}</style>\n<h1>{0}</h1>\n",
            Text(&title)
        );
        for story in &self.stories {
            page.push_str("<section class=story>\n");
            for Line { depth, is_main, words } in story {
                let tag = if *depth == 0 { "h2" } else { "p" };
                let class = if *is_main { " class=main" } else { "" };
                let _ = writeln!(page, "<{tag}{class}>{}</{tag}>", Text(words));
            }
            page.push_str("</section>\n");
        }
        for words in totals.notes() {
            let _ = writeln!(page, "<p class=bad>{}</p>", Text(&words));
        }
        match self.curves.svg(&Plain(&title).to_string()) {
            Ok(svg) => {
                let _ = writeln!(
                    page,
                    "<h2>Curves</h2>\n<figure>{svg}</figure>\n<p class=hint>At most {MAX_POINTS} values of each curve.</p>"
                );
            }
            Err(words) => {
                let _ = writeln!(page, "<p class=hint>{}</p>", Text(&words));
            }
        }
        let _ = writeln!(
            page,
            "<h2>Messages</h2>\n<p class=hint>{} shown, {} not: repeated ones, and all after the first {MAX_MESSAGES}. A \
             message opens with its elements and their bits.</p>\n<div class=ladder>\n{}</div></html>",
            self.messages, self.hidden[0], self.ladder
        );
        page
    }
}

/// Name, values and tree of an EXI payload.
fn exi_parts(exi: &Exi<'_>) -> (String, String, String) {
    let (mut values, mut tree) = (String::new(), String::new());
    let schema = exi.schema.filter(|_| exi.message.is_some() || exi.error.is_some());
    if let Some(schema) = schema {
        values::describe(schema, exi.payload, &mut values);
        let mut sink = Tree { out: &mut tree, depth: 0 };
        // The part before an error is shown.
        let _ = schema.dissect(exi.payload, &mut sink);
    }
    if let Some(error) = &exi.error {
        let _ = write!(values, " does not decode: {error}");
    }
    let mut hex = String::new();
    crate::hex::write(exi.payload, &mut hex);
    let name = exi.message.unwrap_or("EXI").to_owned();
    (name, values, format!("<pre>{tree}\n{hex}</pre>"))
}

/// Writes elements and values with their bits.
struct Tree<'o> {
    out: &'o mut String,
    depth: usize,
}

impl<'a> Sink<'a> for Tree<'_> {
    fn enter(&mut self, name: &'static str, bit: u32) {
        // Writing to a string cannot fail.
        let _ = write!(self.out, "\n{:>5}       {:indent$}{name}", bit, "", indent = 2 * self.depth);
        self.depth += 1;
    }

    fn value(&mut self, value: Value<'a>, start: u32, end: u32) {
        let mut text = String::new();
        values::write_value(value, &mut text);
        let _ =
            write!(self.out, " = <b>{}</b> <i>bits {start} to {}</i>", Text(&text), end.saturating_sub(1));
    }

    fn leave(&mut self, _bit: u32) {
        self.depth = self.depth.saturating_sub(1);
    }
}

/// Text in HTML, escaped.
struct Text<'a>(&'a str);

impl std::fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plain = Plain(self.0).to_string();
        plain.chars().try_for_each(|c| match c {
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '&' => f.write_str("&amp;"),
            '"' => f.write_str("&quot;"),
            c => f.write_char(c),
        })
    }
}

impl Report for Html<'_> {
    fn event(&mut self, event: &Event<'_>, _out: &mut dyn Write) -> io::Result<()> {
        self.curves.take(event);
        match &event.content {
            Content::Over(connection) => {
                let last = When { frame: event.frame, time_ns: event.time_ns };
                self.stories.extend(Told::of(connection, last).map(|story| story.lines(None)));
            }
            _ => self.message(event),
        }
        Ok(())
    }

    fn end(&mut self, totals: &Totals<'_>, _out: &mut dyn Write) -> io::Result<()> {
        let page = self.page(totals);
        self.file.write_all(page.as_bytes())
    }
}

/// Black on white, or as the reader's system is configured. The sides differ by position, not by colour.
const STYLE: &str = "
body{font:15px/1.45 system-ui,sans-serif;max-width:1150px;margin:1.5em auto;padding:0 1em;color:#111;background:#fff}
h1{font-size:1.4em}h2{font-size:1.1em;margin:1.2em 0 .3em}
.story{border-left:4px solid #888;padding:0 1em;margin:1em 0}.story p{margin:.2em 0}.main{font-weight:bold}
figure{margin:0;overflow-x:auto;background:#fff}svg{max-width:100%;height:auto}
.hint{color:#555}.more{margin:0;text-align:center;color:#555}
.ladder details{border-top:1px solid #ddd}
.ladder summary{cursor:pointer;padding:.15em 0;overflow-wrap:anywhere}
.ladder .charger summary{padding-left:12em}.ladder .none summary{padding-left:6em;color:#555}
.t,.f,.d{display:inline-block;color:#555}.t{min-width:6em}.f{min-width:3em}.d{min-width:9em}
.v{color:#333;font-size:.9em}.bad b,.bad .v,p.bad{color:#b00000}
pre{background:#f4f4f4;padding:.6em;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}pre i{color:#666}
@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}.v,.t,.f,.d,.hint,.more,.ladder .none summary,pre i{color:#bbb}
pre{background:#252525}.bad b,.bad .v,p.bad{color:#ff8080}.ladder details{border-color:#444}}
";
