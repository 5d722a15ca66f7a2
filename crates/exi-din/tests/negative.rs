//! Damaged and doubtful streams: the verdict of the schema holds here too, except for a listed few.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use corpus::{Value, bytes, text};

/// Streams that the schema facts accept and we refuse, by kind and origin, and why.
const REFUSED: &[(&str, &str, &str)] = &[
    ("integer-above-type", "ChargeParameterDiscoveryRes/len2", "duration beyond unsignedInt"),
    ("integer-above-type", "PaymentDetailsRes/rand5", "DateTimeNow beyond long"),
    ("integer-above-type", "PaymentDetailsRes/rand2", "DateTimeNow beyond long"),
    ("integer-above-type", "ServiceDetailRes/min", "ServiceID beyond unsignedShort"),
    ("integer-above-type", "ServiceDetailReq/only:/Header/Notification", "ServiceID beyond unsignedShort"),
    ("integer-above-type", "PreChargeRes/enum5", "NotificationMaxDelay beyond unsignedInt"),
    ("integer-above-type", "PreChargeReq/len1", "a voltage beyond short"),
    ("integer-above-type", "PreChargeRes/none-max", "a voltage beyond short"),
];

fn vectors(schema: &str) -> Vec<Value> {
    let lines = corpus::lines("negative-public.jsonl").unwrap_or_default();
    lines.into_iter().filter(|line| text(line, "schema") == schema).collect()
}

#[test]
fn what_the_schema_rejects_is_an_error_and_what_it_accepts_decodes() {
    let schemas = [("din", &exi_din::SCHEMA), ("app", &exi_app::SCHEMA)];
    let mut departures = Vec::new();
    for (name, schema) in schemas {
        for vector in vectors(name) {
            let (kind, origin, facts) =
                (text(&vector, "kind"), text(&vector, "origin"), text(&vector, "facts"));
            let accepted = facts.starts_with("accept");
            let stream = bytes(text(&vector, "exi"));
            let decoded = schema.decode(&stream, vector["frag"] == 1);
            if let (Ok(json), Some(expected)) = (&decoded, vector.get("json").filter(|_| accepted))
                && kind != "integer-above-type"
            {
                assert_eq!(json, expected, "{name} {kind} {origin}");
            }
            if REFUSED.iter().any(|refused| (refused.0, refused.1) == (kind, origin)) {
                assert!(accepted && decoded.is_err(), "{kind} {origin} is no departure any more");
            } else if decoded.is_ok() != accepted {
                departures.push(format!(
                    "{name} {kind} {origin}: {facts} -> {:?} {}",
                    decoded.map(|_| ()),
                    text(&vector, "exi")
                ));
            }
        }
    }
    assert!(REFUSED.len() <= 10);
    assert!(departures.is_empty(), "{} departures:\n{}", departures.len(), departures.join("\n"));
}
