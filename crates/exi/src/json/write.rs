//! Members, lists and large numbers of a JSON object.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use serde::ser::SerializeMap;
use serde_json::Value;

use super::convert::{Item, Json};
use crate::Integer;

/// Adds the items of a list: an array under its name, or under each name that the items carry themselves.
pub(super) fn add_items<'a, T: Json<'a>, M: SerializeMap>(
    items: impl Iterator<Item = T>,
    name: &'static str,
    map: &mut M,
) -> Result<(), M::Error> {
    let mut arrays: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for item in items {
        let place = usize::try_from(item.alternative()).unwrap_or(usize::MAX);
        let key = T::json_names().get(place).copied().unwrap_or(name);
        let value = Item::new(&item).to_value();
        match arrays.iter_mut().find(|(name, _)| *name == key) {
            Some((_, array)) => array.push(value),
            None => arrays.push((key, vec![value])),
        }
    }
    arrays.into_iter().try_for_each(|(name, array)| map.serialize_entry(name, &array))
}

/// Serialises a whole number of any size.
pub(super) fn big_number<S: serde::Serializer>(
    integer: &Integer<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    // Decimal digits, least significant first: multiply by 128 and add, from the top group down.
    let mut digits: Vec<u32> = vec![0];
    let groups: Vec<u8> = integer.groups().collect();
    let add = |digits: &mut Vec<u32>, factor: u32, mut carry: u32| {
        for digit in digits.iter_mut() {
            let value = *digit * factor + carry;
            (*digit, carry) = (value % 10, value / 10);
        }
        while carry > 0 {
            digits.push(carry % 10);
            carry /= 10;
        }
    };
    for group in groups.iter().rev() {
        add(&mut digits, 128, u32::from(*group));
    }
    if integer.is_negative() {
        add(&mut digits, 1, 1);
    }
    let sign = if integer.is_negative() { "-" } else { "" };
    let text: String =
        sign.chars().chain(digits.iter().rev().filter_map(|digit| char::from_digit(*digit, 10))).collect();
    match text.parse::<serde_json::Number>() {
        Ok(number) => serde::Serialize::serialize(&number, serializer),
        // Beyond what a number of JSON can be.
        Err(_) => serializer.serialize_str(&text),
    }
}
