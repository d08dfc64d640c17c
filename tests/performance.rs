//! docs/PERFORMANCE.md shows the figures of docs/performance.json and docs/resolver.json.

#[path = "../benches/versus/page.rs"]
#[allow(dead_code, reason = "the bench also prints them")]
mod page;

#[path = "../runtime-symbols/benches/cold/page.rs"]
mod resolver;

use std::path::Path;

fn read(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    std::fs::read_to_string(docs.join(name)).expect("a file of docs/")
}

#[test]
fn the_page_has_the_tables_of_the_figures() {
    let figures = serde_json::from_str(&read("performance.json")).expect("JSON");
    let page = read("PERFORMANCE.md");
    let made = page::write_into(&page, &figures).expect("a place for the tables");
    assert!(
        made == page,
        "run `cargo bench --bench versus -- --tables` and commit docs/PERFORMANCE.md"
    );
}

#[test]
fn the_page_has_the_table_of_the_resolver() {
    let figures = serde_json::from_str(&read("resolver.json")).expect("JSON");
    let page = read("PERFORMANCE.md");
    let made = resolver::write_into(&page, &figures).expect("a place for the table");
    assert!(
        made == page,
        "docs/PERFORMANCE.md has another table than docs/resolver.json gives"
    );
}
