//! Random scripts: their items.

use std::fmt::Write;

use super::Random;
use super::block::block;
use super::event::{EVENTS, Event};
use super::terms::{Place, condition, key, quantity};

/// How many operators may be in one another.
pub const DEPTH: usize = 4;

/// What blocks and tables may use.
const NAMES: &str = "param most = 5;
param slow = 1ms \"a time\";
param who = \"main\";
alias wasi:io = wasi:{fd_read,fd_write} { $c = func == \"fd_write\" ? 7 : 8; }
alias wasi:any = wasi:*;
macro count_by(@map, key) { @map[key]++; }
macro twice(x) { x + x }
";

/// The beginning of every script: each map is of a type that others may rely on.
const MAPS: &str = "begin {
  @n = 1; @n1[0] = 1; @n2[\"wasmtime\", true] += 1; @t1[0] = comm; @p1[0] = (comm, 1);
  @tab_a[0] = count(); @tab_b[0] = sum(1); @calls[0]++;
}
";

/// A script.
pub fn script(random: &mut Random) -> String {
    let mut script = String::new();
    if random.once_in(3) {
        let bytes = random.of(&["16", "32", "64", "128", "200"]);
        let _ = writeln!(script, "config = {{ max_strlen = {bytes} }}");
    }
    script.push_str(NAMES);
    script.push_str(MAPS);
    // Most are small, some are as large as they may be.
    let large = random.once_in(10);
    for index in 0..random.below(if large { 16 } else { 4 }) {
        table(random, index, &mut script);
    }
    for _ in 0..=random.below(if large { 16 } else { 3 }) {
        let statements = match random.below(24) {
            0 => 100,
            1 | 2 => 24,
            _ => 6,
        };
        let event = an_event(random);
        block(random, event, statements, &mut script);
    }
    script
}

fn an_event(random: &mut Random) -> &'static Event {
    let index = random.below(EVENTS.len() + 4);
    // Half of them are calls.
    EVENTS.get(index).unwrap_or(&EVENTS[0])
}

fn table(random: &mut Random, index: usize, script: &mut String) {
    let event = an_event(random);
    if !event.in_tables {
        return;
    }
    let place = Place {
        event,
        in_block: false,
    };
    let _ = write!(script, "table t{index} from {}", random.of(event.probes));
    if random.once_in(2) {
        let _ = write!(script, " where {}", condition(random, place, DEPTH));
    }
    let mut keys: Vec<String> = (0..random.below(4)).map(|_| key(random, place)).collect();
    keys.sort_unstable();
    keys.dedup();
    if !keys.is_empty() {
        let _ = write!(script, " by {}", keys.join(", "));
    }
    script.push_str(" {\n");
    let columns = 1 + random.below(6);
    for column in 0..columns {
        let value = quantity(random, place, DEPTH - 1);
        let aggregate = random.of(&[
            "sum", "avg", "min", "max", "stddev", "rate", "p50", "p90", "p95", "p99", "p999",
        ]);
        let _ = match random.below(7) {
            0 => write!(script, "  c{column} = count()"),
            1 => write!(
                script,
                "  c{column} = {aggregate}({value}) / 2 + {aggregate}({value})"
            ),
            2 => write!(script, "  c{column} = quantile({value}, 0.{column})"),
            3 => write!(script, "  c{column} = share(sum({value}))"),
            _ => write!(script, "  c{column} = {aggregate}({value})"),
        };
        if random.once_in(3) {
            let _ = write!(script, " if {}", condition(random, place, DEPTH - 1));
        }
        script.push_str(",\n");
    }
    let column = random.below(columns);
    let _ = match random.below(5) {
        0 => writeln!(script, "}} sort c{column} desc limit most"),
        1 => writeln!(script, "}} title \"a table\" every 1s"),
        2 => writeln!(script, "}} sort c{column} limit 3"),
        _ => writeln!(script, "}}"),
    };
}
