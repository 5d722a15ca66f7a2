//! From text to scripts.

use std::collections::BTreeMap;
use std::fmt;

use machine::{Duration, Instant};

use super::expect::{self, Expect};
use super::packet::FRAMES;
use super::senses;
use super::setup::{self, Setup};
use super::step::{self, Action};
use super::words::{self, Form};
use crate::plant::Side;

/// One scenario, or one case of it.
#[derive(Clone, Debug)]
pub struct Script {
    /// Its id in the list of faults, such as `X039`.
    pub id: String,
    /// The case, if the scenario has several: the first words of its row.
    pub case: String,
    /// Short description of the fault.
    pub title: String,
    /// Which side is judged: `charger`, `car` or `both`.
    pub side: String,
    /// Where and why the expectation differs from the proposed one.
    pub why: String,
    /// The other project's entry for the same case.
    pub theirs: String,
    /// The setup of the world.
    pub setup: Setup,
    /// The steps in the order of the file.
    pub steps: Vec<Step>,
    /// The expectations, each with its text.
    pub expect: Vec<(String, Expect)>,
}

/// A step of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it is done.
    pub when: When,
    /// What is done.
    pub action: Action,
    /// Its text in the script.
    pub words: String,
}

/// When a step is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time.
    At(Instant),
    /// This long after the preceding step.
    After(Duration),
    /// When a side sends this message or frame, or receives it (`true`): from the first to the last time.
    On(Side, String, bool, u32, u32),
}

/// A mistake in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Number of the line, from 1.
    pub line: usize,
    /// Description of the mistake.
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Mistake {}

type Lines = Vec<(usize, String)>;

/// The forms of what a line waits for.
const TRIGGERS: &[Form<When>] = &[
    Form { words: "at TIME", make: |a| When::At(Instant::ZERO + a.time()) },
    Form { words: "after TIME", make: |a| When::After(a.time()) },
    Form { words: "at checkpoint N of WHO", make: |a| checkpoint(a.who(), a.number(0), (1, 1)) },
    Form { words: "at checkpoint N of WHO RANGE", make: |a| checkpoint(a.who(), a.number(0), a.range()) },
    Form { words: "on WORD", make: |a| on_message(a.word(0), (1, 1)) },
    Form { words: "on WORD RANGE", make: |a| on_message(a.word(0), a.range()) },
    Form { words: "on WHO says WORD", make: |a| When::On(a.who(), a.word(0), false, 1, 1) },
    Form {
        words: "on WHO says WORD RANGE",
        make: |a| When::On(a.who(), a.word(0), false, a.range().0, a.range().1),
    },
    Form { words: "on WHO hears WORD", make: |a| When::On(a.who(), a.word(0), true, 1, 1) },
    Form {
        words: "on WHO hears WORD RANGE",
        make: |a| When::On(a.who(), a.word(0), true, a.range().0, a.range().1),
    },
];

fn checkpoint(who: Side, number: i64, (first, last): (u32, u32)) -> When {
    When::On(who, format!("checkpoint {number}"), false, first, last)
}

fn on_message(name: String, (first, last): (u32, u32)) -> When {
    let side = if name.ends_with("Res") { Side::Charger } else { Side::Car };
    When::On(side, name, false, first, last)
}

/// Reads scenarios.
///
/// # Errors
/// The first line that is not valid.
pub fn parse(text: &str) -> Result<Vec<Script>, Mistake> {
    let mut blocks: Vec<Lines> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.starts_with("scenario ") {
            blocks.push(Vec::new());
        }
        if line.is_empty() {
            continue;
        }
        let Some(block) = blocks.last_mut() else {
            return Err(Mistake { line: index + 1, what: "the first line must be `scenario ID`".to_owned() });
        };
        block.push((index + 1, line.to_owned()));
    }
    let mut scripts = Vec::new();
    for block in blocks {
        for (case, lines) in cases(block)? {
            scripts.push(script(case, &lines)?);
        }
    }
    Ok(scripts)
}

/// A block once for each row of its table.
fn cases(block: Lines) -> Result<Vec<(String, Lines)>, Mistake> {
    let Some(at) = block.iter().position(|(_, line)| line.starts_with("cases ")) else {
        return Ok(vec![(String::new(), block)]);
    };
    let names: Vec<String> =
        block.get(at).map(|(_, line)| words::split(line).into_iter().skip(1).collect()).unwrap_or_default();
    let is_row = |line: &str| line.starts_with('|');
    let mut all = Vec::new();
    for (number, row) in block.iter().filter(|(_, line)| is_row(line)) {
        let values = words::split(row.trim_start_matches('|'));
        if values.len() != names.len() {
            let what = format!("{} values in a table of {} columns", values.len(), names.len());
            return Err(Mistake { line: *number, what });
        }
        // Longer names first, so that none is replaced inside another.
        let columns: BTreeMap<_, _> =
            names.iter().zip(&values).map(|(name, value)| ((usize::MAX - name.len(), name), value)).collect();
        let lines = block.iter().enumerate().filter(|(index, (_, line))| *index != at && !is_row(line));
        let filled = lines.map(|(_, (number, line))| {
            let fill = |line: String, ((_, name), value): (&(usize, &String), &&String)| {
                line.replace(&format!("${name}"), value)
            };
            (*number, columns.iter().fold(line.clone(), fill))
        });
        let case: Vec<&str> = values.iter().map(String::as_str).collect();
        all.push((case.join(" "), filled.collect()));
    }
    Ok(all)
}

fn script(case: String, lines: &Lines) -> Result<Script, Mistake> {
    let mut script = Script {
        id: String::new(),
        case,
        title: String::new(),
        side: String::new(),
        why: String::new(),
        theirs: String::new(),
        setup: Setup::default(),
        steps: Vec::new(),
        expect: Vec::new(),
    };
    let mut numbers = Vec::new();
    for (line, text) in lines {
        let mistake = |what: String| Mistake { line: *line, what };
        let (head, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match head {
            "scenario" => rest.clone_into(&mut script.id),
            "title" => rest.clone_into(&mut script.title),
            "side" if matches!(rest, "charger" | "car" | "both") => rest.clone_into(&mut script.side),
            "side" => return Err(mistake(format!("`{rest}` is not `charger`, `car` or `both`"))),
            "theirs" => rest.clone_into(&mut script.theirs),
            "why" => script.why = [script.why.as_str(), rest].join(" ").trim().into(),
            "setup" => {
                let change = words::read("setup", setup::FORMS, &words::split(rest)).map_err(mistake)?;
                change(&mut script.setup);
                script.setup.check().map_err(mistake)?;
            }
            "expect" => {
                let expect =
                    words::read("expectation", expect::FORMS, &words::split(rest)).map_err(mistake)?;
                script.expect.push((rest.to_owned(), expect));
            }
            "at" | "after" | "on" => {
                script.steps.push(read_step(text).map_err(mistake)?);
                numbers.push(*line);
            }
            _ => {
                const HEADS: [&str; 10] = [
                    "scenario",
                    "title",
                    "side",
                    "why",
                    "theirs",
                    "setup",
                    "cases",
                    "at TIME: step",
                    "on NAME: step",
                    "expect",
                ];
                let nearest = HEADS.iter().min_by_key(|known| strsim::damerau_levenshtein(known, head));
                let nearest = nearest.copied().unwrap_or_default();
                return Err(mistake(format!("unknown word `{head}`: did you mean `{nearest}`?")));
            }
        }
    }
    check_times(&script, &numbers)?;
    Ok(script)
}

/// Rejects times that are never reached.
fn check_times(script: &Script, lines: &[usize]) -> Result<(), Mistake> {
    for (index, (step, line)) in script.steps.iter().zip(lines).enumerate() {
        let what = match &step.when {
            When::At(at) if *at >= script.setup.until => format!(
                "at {} ms the script is over: it ends after {} ms; set `setup until TIME`",
                at.as_millis(),
                script.setup.end().as_millis()
            ),
            When::After(_) if index == 0 => "`after` needs a step before it".to_owned(),
            _ => continue,
        };
        return Err(Mistake { line: *line, what });
    }
    Ok(())
}

fn read_step(text: &str) -> Result<Step, String> {
    // The step begins after the first colon that a space follows: colons of addresses have none.
    let (when, words) = text.split_once(": ").ok_or("a `:` is missing between when and what")?;
    let mut when = words::read("time or message", TRIGGERS, &words::split(when))?;
    let action = words::read("step", step::FORMS, &words::split(words))?;
    if let When::On(_, name, is_heard, first, _) = &mut when {
        if *first == 0 {
            return Err("messages are counted from 1".to_owned());
        }
        check_name(name, *is_heard)?;
    }
    if let Action::Act(act) = &action {
        match &when {
            When::On(_, name, ..) if act.needs_message() && is_frame(name) => {
                return Err(format!("`{name}` is a frame and no V2G message"));
            }
            When::On(_, name, ..) if name.starts_with("checkpoint ") => {
                return Err("a checkpoint is no message".to_owned());
            }
            When::On(..) => (),
            When::At(_) | When::After(_) => {
                return Err("this needs a message: begin with `on NAME`".to_owned());
            }
        }
    }
    if let Some(mistake) = senses::mistake(words) {
        return Err(mistake);
    }
    if let Action::Hear(..) = &action
        && text.contains("answer at")
        && !text.contains("::")
    {
        return Err("`answer at` needs an IPv6 address".to_owned());
    }
    Ok(Step { when, action, words: text.to_owned() })
}

fn is_frame(name: &str) -> bool {
    FRAMES.contains(&name) || name.contains('.')
}

/// Names of V2G messages, both ways.
fn messages() -> impl Iterator<Item = String> {
    let names = [
        "supportedAppProtocol",
        "SessionSetup",
        "ServiceDiscovery",
        "ServicePaymentSelection",
        "ContractAuthentication",
        "ChargeParameterDiscovery",
        "CableCheck",
        "PreCharge",
        "PowerDelivery",
        "CurrentDemand",
        "WeldingDetection",
        "SessionStop",
    ];
    names.into_iter().flat_map(|name| ["Req", "Res"].map(|way| format!("{name}{way}")))
}

fn check_name(name: &str, is_heard: bool) -> Result<(), String> {
    let is_known = name == "*"
        || name.starts_with("checkpoint ")
        || is_frame(name)
        || messages().any(|known| known == *name);
    if !is_known {
        let nearest =
            messages().min_by_key(|known| strsim::damerau_levenshtein(known, name)).unwrap_or_default();
        return Err(format!("unknown message `{name}`: did you mean `{nearest}`?"));
    }
    if is_heard && !is_frame(name) {
        return Err(format!("`{name}` is changed where it is said: begin with `on {name}`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_a_script_for_each_row() {
        let scripts = parse(
            "scenario X\ncases M MORE\n| SessionSetupRes 1\n| CableCheckRes 2..\non $M $MORE: withhold",
        )
        .unwrap();
        let whens: Vec<_> = scripts.iter().map(|script| script.steps[0].when.clone()).collect();
        assert_eq!(scripts[1].case, "CableCheckRes 2..");
        assert_eq!(
            whens,
            [
                When::On(Side::Charger, "SessionSetupRes".to_owned(), false, 1, 1),
                When::On(Side::Charger, "CableCheckRes".to_owned(), false, 2, u32::MAX),
            ]
        );
    }

    #[test]
    fn mistakes_have_a_line_and_a_suggestion() {
        let cases = [
            ("title x", "line 1: the first line must be `scenario ID`"),
            ("scenario X\nexpekt charging", "line 2: unknown word `expekt`: did you mean `expect`?"),
            (
                "scenario X\n\nat 70s: unplug",
                "line 3: at 70000 ms the script is over: it ends after 60000 ms; set `setup until TIME`",
            ),
            (
                "scenario X\non PrechargeRes: withhold",
                "line 2: unknown message `PrechargeRes`: did you mean `PreChargeRes`?",
            ),
            (
                "scenario X\non PreChargeRes: withold",
                "line 2: unknown step `withold`: did you mean `withhold`?",
            ),
            ("scenario X\nat 6s: withhold", "line 2: this needs a message: begin with `on NAME`"),
            ("scenario X\non PreChargeRes withhold", "line 2: a `:` is missing between when and what"),
            ("scenario X\nafter 1s: plug", "line 2: `after` needs a step before it"),
            (
                "scenario X\nexpect car stop Unplugged",
                "line 2: unknown expectation `car stop Unplugged`: did you mean `WHO stops WORD`?",
            ),
            ("scenario X\ncases A B\n| 1", "line 3: 1 values in a table of 2 columns"),
            (
                "scenario X\nat 6s: sensor of car volts absent",
                "line 2: the sensors are pilot, duty, proximity, voltage, stage, battery, current, isolation, contactors, lock, temperature, emergency",
            ),
            ("scenario X\non car says SdpReq: append 00", "line 2: `SdpReq` is a frame and no V2G message"),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), expected);
        }
    }
}
