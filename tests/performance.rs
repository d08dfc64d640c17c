//! docs/PERFORMANCE.md shows the figures of docs/performance.json.

#[path = "../benches/versus/page.rs"]
#[allow(dead_code, reason = "the bench also prints them")]
mod page;

use std::path::Path;

#[test]
fn the_page_has_the_tables_of_the_figures() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let read = |name: &str| std::fs::read_to_string(docs.join(name)).expect("a file of docs/");
    let figures = serde_json::from_str(&read("performance.json")).expect("JSON");
    let page = read("PERFORMANCE.md");
    let made = page::write_into(&page, &figures).expect("a place for the tables");
    assert!(
        made == page,
        "run `cargo bench --bench versus -- --tables` and commit docs/PERFORMANCE.md"
    );
}
