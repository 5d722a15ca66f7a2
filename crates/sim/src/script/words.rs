//! Words of a script: forms with places for values, and the error if none fits.

use machine::Duration;

use super::message;
use crate::plant::Side;

/// A form: fixed words, and places in capitals.
///
/// `WHO` is `charger` or `car`, `TIME` `5s`, `300ms` or `2min`, `N` a number, `RANGE` `3`, `3..5` or `3..`,
/// `VALUE` `380V`, `20A` or `46C`, `BYTES` hexadecimal, `WORD` one word, and `REST` all words that follow.
pub(super) struct Form<T> {
    pub(super) words: &'static str,
    pub(super) make: fn(&Args) -> T,
}

/// The values at the places of a form, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Args(Vec<Arg>);

#[derive(Clone, Debug)]
enum Arg {
    Who(Side),
    Time(Duration),
    Number(i64),
    Range(u32, u32),
    Bytes(Vec<u8>),
    Word(String),
}

impl Args {
    pub(super) fn who(&self) -> Side {
        self.0
            .iter()
            .find_map(|arg| if let Arg::Who(side) = arg { Some(*side) } else { None })
            .unwrap_or(Side::Car)
    }

    pub(super) fn time(&self) -> Duration {
        let find = |arg: &Arg| if let Arg::Time(time) = arg { Some(*time) } else { None };
        self.0.iter().find_map(find).unwrap_or(Duration::ZERO)
    }

    pub(super) fn number(&self, nth: usize) -> i64 {
        let mut numbers =
            self.0.iter().filter_map(|arg| if let Arg::Number(number) = arg { Some(*number) } else { None });
        numbers.nth(nth).unwrap_or(0)
    }

    /// A number as another type, or zero if it does not fit.
    pub(super) fn fit<T: TryFrom<i64> + Default>(&self, nth: usize) -> T {
        T::try_from(self.number(nth)).unwrap_or_default()
    }

    pub(super) fn range(&self) -> (u32, u32) {
        let find = |arg: &Arg| if let Arg::Range(first, last) = arg { Some((*first, *last)) } else { None };
        self.0.iter().find_map(find).unwrap_or((1, 1))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let find = |arg: &Arg| if let Arg::Bytes(bytes) = arg { Some(bytes.clone()) } else { None };
        self.0.iter().find_map(find).unwrap_or_default()
    }

    pub(super) fn word(&self, nth: usize) -> String {
        let mut words =
            self.0.iter().filter_map(|arg| if let Arg::Word(word) = arg { Some(word) } else { None });
        words.nth(nth).cloned().unwrap_or_default()
    }
}

/// Words of a line: separated by spaces, or quoted.
pub(super) fn split(line: &str) -> Vec<String> {
    let (mut words, mut rest) = (Vec::new(), line.trim());
    while !rest.is_empty() {
        let (word, tail) = match rest.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some(both) => both,
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = tail.trim_start();
    }
    words
}

/// Reads words by the first form that fits.
pub(super) fn read<T>(what: &str, forms: &[Form<T>], words: &[String]) -> Result<T, String> {
    let mut nearly = None;
    for form in forms {
        match fit(form.words, words) {
            Ok(args) => return Ok((form.make)(&args)),
            Err(Some(why)) => nearly = nearly.or(Some((why, form.words))),
            Err(None) => (),
        }
    }
    if let Some((why, form)) = nearly {
        return Err(format!("{why}: the form is `{form}`"));
    }
    let text = words.join(" ");
    let distance = |form: &&Form<T>| {
        let shape: Vec<&str> = form
            .words
            .split(' ')
            .enumerate()
            .map(|(at, word)| if is_place(word) { words.get(at).map_or(word, String::as_str) } else { word })
            .collect();
        strsim::damerau_levenshtein(&shape.join(" "), &text)
    };
    let nearest = forms.iter().min_by_key(distance).map_or("", |form| form.words);
    Err(format!("unknown {what} `{text}`: did you mean `{nearest}`?"))
}

fn is_place(word: &str) -> bool {
    matches!(word, "WHO" | "TIME" | "N" | "RANGE" | "VALUE" | "BYTES" | "WORD" | "REST")
}

/// The values at the places. `Err`: the words do not fit, with the reason if only a value does not.
fn fit(form: &str, words: &[String]) -> Result<Args, Option<String>> {
    let shape: Vec<&str> = form.split(' ').collect();
    let has_rest = matches!(shape.last(), Some(&("REST" | "BYTES")));
    if words.len() != shape.len() && !(has_rest && words.len() > shape.len()) {
        return Err(None);
    }
    let literals = shape.iter().zip(words).filter(|(form, _)| !is_place(form));
    if literals.clone().any(|(form, word)| form != word)
        || literals.count() == 0 && !has_rest && shape.len() > 2
    {
        return Err(None);
    }
    let mut args = Args::default();
    for (at, (place, word)) in shape.iter().zip(words).enumerate() {
        let rest = || words.get(at..).unwrap_or_default().join(" ");
        let (arg, wanted) = match *place {
            "WHO" => (who(word).map(Arg::Who), "`charger` or `car`"),
            "TIME" => (time(word).map(Arg::Time), "a time such as `5s`, `300ms` or `2min`"),
            "N" => (word.parse().ok().map(Arg::Number), "a number"),
            "VALUE" => {
                let number = message::quantity(word).map(|(thousandths, _)| Arg::Number(thousandths));
                (number, "a value such as `380V`, `20A` or `46C`")
            }
            "RANGE" => (range(word).map(|(first, last)| Arg::Range(first, last)), "`3`, `3..5` or `3..`"),
            "BYTES" => (bytes(&rest()).map(Arg::Bytes), "bytes in hexadecimal"),
            "REST" => (Some(Arg::Word(rest())), "words"),
            "WORD" => (Some(Arg::Word(word.clone())), "a word"),
            _ => continue,
        };
        args.0.push(arg.ok_or_else(|| Some(format!("`{word}` is not {wanted}")))?);
    }
    Ok(args)
}

pub(super) fn who(word: &str) -> Option<Side> {
    match word {
        "charger" => Some(Side::Charger),
        "car" => Some(Side::Car),
        _ => None,
    }
}

pub(super) fn time(word: &str) -> Option<Duration> {
    let (number, micros) =
        [("ms", 1_000.0), ("min", 60_000_000.0), ("s", 1_000_000.0), ("h", 3_600_000_000.0)]
            .iter()
            .find_map(|(unit, micros)| word.strip_suffix(unit).map(|number| (number, *micros)))?;
    let number: f64 = number.parse().ok().filter(|number| (0.0..1e9).contains(number))?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and small")]
    Some(Duration::from_micros((number * micros).round() as u64))
}

fn range(word: &str) -> Option<(u32, u32)> {
    let (first, last) = match word.split_once("..") {
        Some((first, "")) => (first.parse().ok()?, u32::MAX),
        Some((first, last)) => (first.parse().ok()?, last.parse().ok()?),
        None => (word.parse().ok()?, word.parse().ok()?),
    };
    (first <= last).then_some((first, last))
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|letter| *letter != ' ')
        .map(|letter| letter.to_digit(16))
        .collect::<Option<_>>()?;
    let pair = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: &[Form<u64>] = &[
        Form { words: "plug", make: |_| 1 },
        Form { words: "stall WHO TIME", make: |args| args.time().as_millis() },
    ];

    fn try_words(line: &str) -> Result<u64, String> {
        read("step", FORMS, &split(line))
    }

    #[test]
    fn a_form_takes_its_values() {
        assert_eq!(try_words("plug"), Ok(1));
        assert_eq!(try_words("stall car 2.5s"), Ok(2_500));
        assert_eq!(time("2min"), Some(Duration::from_secs(120)));
        assert_eq!(bytes("01 fE"), Some(vec![1, 0xFE]));
        assert_eq!([range("3"), range("3.."), range("5..3")], [Some((3, 3)), Some((3, u32::MAX)), None]);
        assert_eq!(split("a \"b c\" d"), ["a", "b c", "d"]);
    }

    #[test]
    fn what_does_not_fit_is_said_with_a_suggestion() {
        assert_eq!(try_words("plugg"), Err("unknown step `plugg`: did you mean `plug`?".to_owned()));
        let words = try_words("stal car 2s").unwrap_err();
        assert!(words.ends_with("did you mean `stall WHO TIME`?"), "{words}");
        let words = try_words("stall car soon").unwrap_err();
        assert_eq!(
            words,
            "`soon` is not a time such as `5s`, `300ms` or `2min`: the form is `stall WHO TIME`"
        );
    }
}
