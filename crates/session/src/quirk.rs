/// One thing that a side bends for peers as they are deployed: field experience as data. `F` is the side's flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirk<F> {
    /// Its switch.
    pub flag: F,
    /// The id that configurations and logs use.
    pub id: &'static str,
    /// What it bends.
    pub bends: &'static str,
    /// Who needs it.
    pub needed_by: &'static str,
    /// Whether it is on unless switched off; `strict` switches all off.
    pub default: bool,
}

impl<F> Quirk<F> {
    /// The row of `table` with this id.
    pub fn by_id<'t>(table: &'t [Self], id: &str) -> Option<&'t Self> {
        table.iter().find(|quirk| quirk.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_finds_its_row() {
        let row = |flag, id| Quirk { flag, id, bends: "", needed_by: "", default: true };
        let table = [row(1, "one"), row(2, "two")];
        assert_eq!(Quirk::by_id(&table, "two"), Some(&row(2, "two")));
        assert_eq!(Quirk::by_id(&table, "nonsense"), None);
    }
}
