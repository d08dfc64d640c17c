//! What is known of the memory of one process.

use std::fs::File;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::engine::maps::Mapping;

use super::Function;
use super::perf_map::{PerfMap, Place};

/// A process is not looked into again before so much time has passed.
const PATIENCE: Duration = Duration::from_millis(100);

/// Programs of one process that are remembered.
const PROGRAMS: usize = 16;

/// The memory of a process.
#[derive(Default)]
pub struct Process {
    /// Executable files, in the order of their addresses; the newest last. There are several if the
    /// process has become another program.
    layouts: Vec<Vec<Mapping>>,
    looked_into: Option<Instant>,
    perf_map: PerfMap,
}

impl Process {
    /// It has this mapped now.
    pub fn remember(&mut self, mappings: &[Mapping]) {
        self.looked_into = Some(Instant::now());
        let grown = self.layouts.last().is_some_and(|newest| {
            newest.iter().all(|mapping| {
                mappings
                    .iter()
                    .any(|now| now.addresses == mapping.addresses && now.file == mapping.file)
            })
        });
        if grown {
            self.layouts.pop();
        }
        if self.layouts.len() == PROGRAMS {
            self.layouts.remove(0);
        }
        self.layouts.push(mappings.to_vec());
    }

    /// Whether it is worth while to look into it again.
    pub fn is_stale(&self) -> bool {
        self.looked_into
            .is_none_or(|then| then.elapsed() > PATIENCE)
    }

    /// Where the process says what code it has made.
    pub fn place_perf_map(&mut self, pid: u32, tmp: Option<Rc<File>>) {
        if let Some(place) = tmp.and_then(|tmp| Place::of(pid, tmp)) {
            self.perf_map.place = Some(place);
        }
    }

    /// What is mapped at an address.
    pub fn mapping(&self, address: u64) -> Option<&Mapping> {
        let mut layouts = self.layouts.iter().rev();
        layouts.find_map(|layout| {
            layout
                .iter()
                .find(|mapping| mapping.addresses.contains(&address))
        })
    }

    /// What the process says of code that it has made at run time.
    pub fn in_perf_map(&mut self, address: u64) -> Option<Function> {
        self.perf_map.find(address)
    }
}
