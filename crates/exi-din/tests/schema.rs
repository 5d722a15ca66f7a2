//! Every declaration against the facts of its schema: names, order, occurrence, types, enumerations, facets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where it fails"
)]

use std::collections::BTreeSet;

use corpus::Value;
use exi::UNBOUNDED;
use exi::json::Schema;
use exi::shape::{Element, Member, Occurs, Shape};

/// Types whose particle is declared differently here, with the same states: shown by the golden vectors.
const OTHERWISE: &[(&str, &str)] = &[
    ("dsig:PGPDataType", "a choice of two sequences is one sequence of which something must come first"),
    ("dsig:SPKIDataType", "a repeated sequence with a wildcard, which is never read, is a repeated element"),
];

#[test]
fn every_declaration_says_what_the_schema_says() {
    let schemas = [("din", &exi_din::SCHEMA), ("app", &exi_app::SCHEMA), ("dsig", &exi_dsig::SCHEMA)];
    for (name, schema) in schemas {
        let Some(facts) = corpus::schema(name) else { return };
        let mut check = Check { types: &facts["types"], seen: BTreeSet::new() };
        check.schema(schema, &facts);
        let unseen: Vec<_> = complex(&facts).filter(|name| !check.seen.contains(*name)).collect();
        assert!(unseen.is_empty(), "{name}: types that no declaration covers: {unseen:?}");
    }
}

/// The complex types that an element has.
fn complex(facts: &Value) -> impl Iterator<Item = &str> {
    let types = facts["types"].as_object().unwrap().iter();
    let types = types.filter(|(_, fact)| fact["kind"] == "complex" && fact["abstract"] == false);
    // `SignaturePropertyType` is reached as any other type; the abstract types are heads.
    types.map(|(name, _)| name.as_str())
}

struct Check<'f> {
    types: &'f Value,
    seen: BTreeSet<String>,
}

impl Check<'_> {
    fn schema(&mut self, schema: &Schema, facts: &Value) {
        assert_eq!(u64::from(schema.document_bits), facts["document_bits"].as_u64().unwrap());
        assert_eq!(u64::from(schema.fragment_bits), facts["fragment_bits"].as_u64().unwrap());
        let key = |fact: &Value| (fact["name"].to_string(), fact["ns"].to_string());
        let globals: BTreeSet<_> = facts["global_elements"].as_array().unwrap().iter().map(key).collect();
        let elements = facts["fragment_elements"].as_array().unwrap();
        assert_eq!(schema.elements.len(), elements.len());
        for (declared, fact) in schema.elements.iter().zip(elements) {
            assert_eq!(declared.name, fact["name"]);
            assert_eq!(declared.global, globals.contains(&key(fact)), "{}", declared.name);
            self.shape(declared.name, declared.shape, fact["types"][0].as_str().unwrap());
        }
    }

    fn shape(&mut self, path: &str, shape: &'static Shape, type_name: &str) {
        let fact = &self.types[type_name];
        let number = |name: &str| fact[name].as_i64();
        let length = || fact["maxLength"].as_u64().map_or(u32::MAX, |n| u32::try_from(n).unwrap());
        match (shape, fact["code"].as_str()) {
            (Shape::Boolean, Some("boolean")) => {}
            (Shape::Integer { min, max }, Some("nbit" | "unsigned" | "integer")) => {
                assert_eq!((Some(*min), Some(*max)), (number("min"), number("max")), "{path}: range");
            }
            (Shape::BigInteger, Some("integer")) => {
                assert_eq!((number("min"), number("max")), (None, None), "{path}");
            }
            (Shape::Enumeration(values), Some("enum")) => {
                let facts: Vec<_> =
                    fact["enum"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
                assert_eq!(*values, facts, "{path}: values");
            }
            (Shape::Text(max), Some("string"))
            | (Shape::HexBinary(max), Some("hexBinary"))
            | (Shape::Base64Binary(max), Some("base64Binary")) => {
                assert_eq!(*max, length(), "{path}: length");
            }
            (Shape::Head, None) => assert_eq!(fact["abstract"], true, "{path}"),
            (Shape::Element(element), None) => self.element(path, element, type_name),
            other => panic!("{path}: {other:?} for {type_name}"),
        }
    }

    fn element(&mut self, path: &str, element: &'static Element, type_name: &str) {
        if !self.seen.insert(type_name.to_owned()) || OTHERWISE.iter().any(|(name, _)| *name == type_name) {
            return;
        }
        let fact = self.types[type_name].clone();
        assert_eq!(element.mixed, fact["mixed"], "{path}: mixed");
        let mut members = element.members.iter();
        for attribute in fact["attributes"].as_array().unwrap() {
            let member = members.next().unwrap_or_else(|| panic!("{path}: {attribute} is not declared"));
            assert_eq!(member.name, format!("@{}", attribute["name"].as_str().unwrap()), "{path}");
            let min = u32::from(attribute["required"] == true);
            assert_eq!(member.occurs, Occurs { min, max: 1 }, "{path}/{}", member.name);
            self.shape(&format!("{path}/{}", member.name), member.shape, attribute["type"].as_str().unwrap());
        }
        if let Some(simple) = fact["simple"].as_str() {
            let member = members.next().unwrap();
            assert_eq!(member.name, "$");
            self.shape(&format!("{path}/$"), member.shape, simple);
        }
        let mut particles = Vec::new();
        if !fact["content"].is_null() {
            flatten(&fact["content"], &mut particles);
        }
        for particle in particles {
            let member = members.next().unwrap_or_else(|| panic!("{path}: {particle} is not declared"));
            self.member(&format!("{path}/{}", member.name), member, &particle);
        }
        assert!(members.next().is_none(), "{path}: more is declared than the schema has");
    }

    fn member(&mut self, path: &str, member: &'static Member, particle: &Value) {
        let facts = occurs(particle);
        match (member.shape, particle["p"].as_str().unwrap()) {
            // The number of occurrences of content that is never read does not change the states.
            (Shape::Wildcard, "any") => assert_eq!(member.occurs.min, facts.min.min(1), "{path}"),
            (Shape::Choice(alternatives), "el" | "choice") => {
                assert_eq!(member.occurs, facts, "{path}: occurrence");
                self.choice(path, alternatives, particle);
            }
            (Shape::Group(members), "seq") => {
                assert_eq!(member.occurs, facts, "{path}: occurrence");
                let items = particle["items"].as_array().unwrap();
                assert_eq!(members.len(), items.len());
                for (member, item) in members.iter().zip(items) {
                    self.member(path, member, item);
                }
            }
            (shape, "el") => {
                assert_eq!(member.name, particle["name"], "{path}");
                assert_eq!(member.occurs, facts, "{path}: occurrence");
                self.shape(path, shape, particle["type"].as_str().unwrap());
            }
            other => panic!("{path}: {other:?}"),
        }
    }

    fn choice(
        &mut self,
        path: &str,
        alternatives: &'static [(&'static str, &'static Shape)],
        particle: &Value,
    ) {
        let mut facts =
            particle.get("subst").or_else(|| particle.get("items")).unwrap().as_array().unwrap().clone();
        // Elements precede wildcards in a state, independent of their order in the schema.
        facts.sort_by_key(|fact| fact["p"] == "any");
        assert_eq!(alternatives.len(), facts.len(), "{path}: alternatives");
        for ((name, shape), fact) in alternatives.iter().zip(&facts) {
            if matches!(shape, Shape::Wildcard) {
                assert_eq!(fact["p"], "any");
                continue;
            }
            assert_eq!(*name, fact["name"], "{path}");
            self.shape(&format!("{path}/{name}"), shape, fact["type"].as_str().unwrap());
        }
    }
}

fn occurs(particle: &Value) -> Occurs {
    let min = u32::try_from(particle["min"].as_u64().unwrap()).unwrap();
    let max = particle["max"].as_u64().map_or(UNBOUNDED, |max| u32::try_from(max).unwrap());
    Occurs { min, max }
}

/// The particles of a sequence, including those of sequences that occur once inside it. A sequence or choice
/// of one item is that item.
fn flatten(particle: &Value, out: &mut Vec<Value>) {
    let items = particle["items"].as_array().map_or(&[][..], Vec::as_slice);
    match particle["p"].as_str().unwrap() {
        "seq" if occurs(particle) == (Occurs { min: 1, max: 1 }) => {
            for item in items {
                flatten(item, out);
            }
        }
        "seq" | "choice" if items.len() == 1 => {
            let mut item = items[0].clone();
            if occurs(&item) == (Occurs { min: 1, max: 1 }) {
                (item["min"], item["max"]) = (particle["min"].clone(), particle["max"].clone());
            }
            flatten(&item, out);
        }
        _ => out.push(particle.clone()),
    }
}
