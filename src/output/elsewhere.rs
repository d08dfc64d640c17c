//! What other stores counted for the rows of a table.

use std::collections::HashMap;

use ewapa_lang::plan::{StoreId, Table};

use crate::engine::groups::{Key, Value};
use crate::engine::reading::Reading;

use super::column;

/// The counts of stores, by their keys.
#[derive(Debug, Default)]
pub struct Elsewhere(Vec<(StoreId, HashMap<Vec<Key>, i64>)>);

impl Elsewhere {
    /// No counts.
    pub const NOTHING: Elsewhere = Elsewhere(Vec::new());

    /// The counts that a table reads.
    pub fn new(table: &Table, reading: &Reading) -> Elsewhere {
        let counts = |store: StoreId| {
            let groups = reading.groups[store.0].iter();
            let counts = groups.filter_map(|group| match group.values.first() {
                Some(Value::Sum(count)) => Some((group.keys.clone(), *count)),
                _ => None,
            });
            (store, counts.collect())
        };
        let others = column::stores(table).into_iter();
        Elsewhere(
            others
                .filter(|store| *store != table.store)
                .map(counts)
                .collect(),
        )
    }

    /// How often a store counted for a key.
    pub fn count(&self, store: StoreId, keys: Vec<Key>) -> i64 {
        let (_, counts) = self
            .0
            .iter()
            .find(|(known, _)| *known == store)
            .expect("the counts of all stores of the table are there");
        counts.get(&keys).copied().unwrap_or(0)
    }
}
