//! JSON from which a message is built, with its place in the document.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use bumpalo::Bump;
use serde_json::Value;

use super::JsonError;
use crate::Integer;

/// A place in a JSON document, for error messages.
#[derive(Debug)]
pub(super) struct Link<'p> {
    pub(super) name: &'p str,
    pub(super) parent: Option<&'p Self>,
}

impl Link<'_> {
    pub(super) fn path(&self) -> String {
        self.parent.map_or_else(|| self.name.to_owned(), |parent| format!("{}/{}", parent.path(), self.name))
    }
}

/// JSON from which a value is built, with its place in the document.
#[derive(Clone, Copy)]
pub struct Source<'a, 'p> {
    /// The JSON.
    pub value: &'a Value,
    pub(super) arena: &'a Bump,
    pub(super) at: &'p Link<'p>,
}

impl<'a, 'p> Source<'a, 'p> {
    /// The name of the element.
    pub fn name(&self) -> &'p str {
        self.at.name
    }

    /// An error at this place.
    pub fn error(&self, message: &str) -> JsonError {
        JsonError { path: self.at.path(), message: message.to_owned() }
    }

    /// Stores a value in the arena of the message.
    pub(crate) fn keep<T: Copy>(&self, value: T) -> &'a T {
        self.arena.alloc(value)
    }

    /// A string; fails for any other JSON, as do the functions below.
    pub fn text(&self) -> Result<&'a str, JsonError> {
        self.value.as_str().ok_or_else(|| self.error("expected a string"))
    }

    /// A number that fits into `T`.
    pub fn number<N, T: TryFrom<N>>(&self, get: fn(&Value) -> Option<N>) -> Result<T, JsonError> {
        let number = get(self.value).ok_or_else(|| self.error("expected a whole number"))?;
        T::try_from(number).map_err(|_| self.error("the number is out of range"))
    }

    /// The index of the string in `names`; fails if it is not in it.
    pub fn one_of(&self, names: &[&str]) -> Result<u32, JsonError> {
        let text = self.text()?;
        let place = names.iter().position(|name| *name == text);
        place
            .and_then(|place| u32::try_from(place).ok())
            .ok_or_else(|| self.error(&format!("{text:?} is not one of {}", names.join(", "))))
    }

    /// Bytes from hexadecimal digits.
    pub fn hexadecimal(&self) -> Result<&'a [u8], JsonError> {
        let text = self.text()?;
        let digits: Option<Vec<u8>> =
            text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let digits = digits.filter(|digits| digits.len() % 2 == 0);
        let digits = digits.ok_or_else(|| self.error("expected an even number of hexadecimal digits"))?;
        let bytes = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit));
        Ok(self.arena.alloc_slice_fill_iter(bytes.collect::<Vec<u8>>()))
    }

    /// Bytes from base 64.
    pub fn base64(&self) -> Result<&'a [u8], JsonError> {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(self.text()?)
            .map_err(|error| self.error(&format!("expected base 64: {error}")))?;
        Ok(self.arena.alloc_slice_copy(&bytes))
    }

    /// A whole number of any size.
    pub fn big_number(&self) -> Result<Integer<'a>, JsonError> {
        let text = self.value.as_number().map(ToString::to_string).unwrap_or_default();
        let (negative, digits) =
            text.strip_prefix('-').map_or((false, text.as_str()), |digits| (true, digits));
        let mut decimal: Vec<u32> = digits.chars().map_while(|c| c.to_digit(10)).collect();
        if decimal.len() != digits.len() || digits.is_empty() {
            return Err(self.error("expected a whole number"));
        }
        if negative {
            // -v is coded as v - 1.
            for digit in decimal.iter_mut().rev() {
                if *digit > 0 {
                    *digit -= 1;
                    break;
                }
                *digit = 9;
            }
        }
        let mut groups = Vec::new();
        while groups.is_empty() || decimal.iter().any(|digit| *digit > 0) {
            let mut rest = 0;
            for digit in &mut decimal {
                let value = rest * 10 + *digit;
                (*digit, rest) = (value / 128, value % 128);
            }
            groups.push(rest as u8);
        }
        Ok(Integer::from_groups(negative, self.arena.alloc_slice_copy(&groups)))
    }
}
