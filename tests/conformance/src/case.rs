use corpus::Value;

/// Path of the catalogue, from the corpus folder.
const FILE: &str = "../spec/conformance.json";

/// A case of the catalogue.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its id, such as `TC_SECC_DC_VTB_PreCharge_001`.
    pub id: String,
    /// The suite that it belongs to.
    pub suite: String,
    /// Its group within the suite.
    pub group: String,
    /// The action of the tester.
    pub stimulus: String,
    /// The required result.
    pub expect: String,
}

impl Case {
    fn of(value: &Value) -> Self {
        let text = |name| corpus::text(value, name).to_owned();
        let (id, suite, group) = (text("id"), text("suite"), text("group"));
        Self { id, suite, group, stimulus: text("stimulus"), expect: text("expect") }
    }

    /// The side under test (`SECC`, `EVCC`), mode, group and number.
    pub fn parts(&self) -> Option<(&str, &str, &str, u16)> {
        let mut parts = self.id.split('_').skip(1);
        let (side, mode) = (parts.next()?, parts.next()?);
        let (group, number) = (parts.nth(1)?, parts.next()?);
        Some((side, mode, group, number.parse().ok()?))
    }
}

/// All cases; `None`, and a line that reports it, without the catalogue.
pub fn cases() -> Option<Vec<Case>> {
    let text = std::fs::read_to_string(corpus::path(FILE)?).expect("a readable list of cases");
    let list: Vec<Value> = serde_json::from_str(&text).expect("the list of cases is JSON");
    Some(list.iter().map(Case::of).collect())
}
