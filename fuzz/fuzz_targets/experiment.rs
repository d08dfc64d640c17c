//! No text makes the reader of plans of experiments, or that of their results, panic or hang. A plan that can be
//! used is the same plan when it is written and read again.

#![no_main]
#![allow(dead_code, reason = "only reading is tried")]

#[path = "."]
mod bench {
    #[path = "../../src/bench/plan.rs"]
    pub mod plan;
    #[path = "../../src/bench/result.rs"]
    pub mod result;
}
mod bundled {
    /// No script is bundled.
    pub fn script(_name: &str) -> Option<()> {
        None
    }
}
#[path = "."]
mod command {
    #[path = "../../src/command/seconds.rs"]
    pub mod seconds;
}

use std::path::Path;

use bench::plan::Plan;
use bench::result::Line;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(plan) = Plan::parse("fuzz.toml", text, Path::new("/plans")) {
        let again = Plan::parse("again.toml", &plan.text(), Path::new("/elsewhere"));
        assert_eq!(again.ok(), Some(plan));
    }
    for line in text.lines() {
        let _ = serde_json::from_str::<Line>(line);
    }
});
