//! `docs/board.md` shows the loop line by line, and must be identical to the code.

#[test]
fn the_page_has_every_line_of_a_turn_in_its_order() {
    let source = include_str!("../src/turn.rs");
    let (_, body) = source.split_once("pub fn turn(&mut self)").unwrap();
    let (body, _) = body.split_once("\n    }\n").unwrap();
    let code: Vec<&str> =
        body.lines().skip(1).map(str::trim).filter(|line| !matches!(*line, "" | "{" | "}")).collect();

    let page = include_str!("../../../docs/board.md");
    let (_, table) = page.split_once("| line | what it does |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let shown: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();

    assert_eq!(shown, code);
}

#[test]
fn the_page_has_the_chargers_main_as_it_is() {
    let page = include_str!("../../../docs/board.md");
    let (_, block) = page.split_once("```rust\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    assert!(include_str!("../../../examples/esp32p4-evse/src/main.rs").contains(block), "{block}");
}
