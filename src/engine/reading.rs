//! What the kernel has counted so far: the groups of the tables, and what was lost.

use std::time::Duration;

use aya::maps::{Array, Map, MapData, PerCpuArray};
use ewapa_lang::wasi::Function;
use ewapa_templates::Counter;

use super::groups::Group;
use super::load::Loaded;
use super::trace::Error;

/// What was counted up to one moment.
#[derive(Debug, Default)]
pub struct Reading {
    /// For each store of the plan, its groups; none for those that were not asked for.
    pub groups: Vec<Vec<Group>>,
    /// From the first probe to this moment.
    pub elapsed: Duration,
    /// How many processes had a runtime.
    pub processes: usize,
    /// What was lost or left open.
    pub losses: Losses,
}

/// What was lost or left open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Losses {
    /// By [`Counter`].
    pub counters: Vec<u64>,
    /// Calls that never returned, by function.
    pub unfinished: Vec<(Function, u64)>,
    /// Events of raw probes within which another one fell: no program ran for them.
    pub missed: u64,
}

impl Losses {
    /// The value of a counter.
    pub fn count(&self, counter: Counter) -> u64 {
        self.counters.get(counter as usize).copied().unwrap_or(0)
    }

    /// Calls that did not get into the tables although they completed.
    pub fn lost(&self) -> u64 {
        [
            Counter::Deep,
            Counter::NoThread,
            Counter::GroupsFull,
            Counter::Moved,
        ]
        .into_iter()
        .map(|counter| self.count(counter))
        .sum()
    }

    /// Returns without an entry, and names without a call.
    pub fn unmatched(&self) -> u64 {
        self.count(Counter::Unmatched)
    }

    /// Nothing is missing from what the script has kept and said.
    pub fn is_complete(&self) -> bool {
        self.lost()
            + self.unmatched()
            + self.open()
            + self.count(Counter::Abandoned)
            + self.count(Counter::NoMessage)
            + self.missed
            == 0
    }

    /// Calls that were open at that moment.
    pub fn open(&self) -> u64 {
        self.count(Counter::Entries)
            .saturating_sub(self.count(Counter::Returns))
    }
}

/// The kernel's counters of what was lost.
pub struct Counters {
    counters: PerCpuArray<MapData, u64>,
    unfinished: Array<MapData, u64>,
}

impl Counters {
    /// Takes the maps.
    ///
    /// # Errors
    /// They are not what the template has.
    pub fn new(loaded: &mut Loaded) -> Result<Counters, Error> {
        let counters = Map::from_map_data(loaded.take_map("counters")?)?;
        let unfinished = Map::from_map_data(loaded.take_map("unfinished")?)?;
        Ok(Counters {
            counters: PerCpuArray::try_from(counters)?,
            unfinished: Array::try_from(unfinished)?,
        })
    }

    /// What has been lost so far.
    ///
    /// # Errors
    /// The kernel refuses to read a map.
    pub fn read(&self) -> Result<Losses, Error> {
        let mut losses = Losses::default();
        for index in 0..Counter::COUNT {
            let cpus = self.counters.get(&index, 0)?;
            losses.counters.push(cpus.iter().sum());
        }
        for function in Function::all() {
            let count = self.unfinished.get(&(function.index() as u32), 0)?;
            if count > 0 {
                losses.unfinished.push((function, count));
            }
        }
        Ok(losses)
    }
}
