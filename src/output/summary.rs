//! What stands above and below tables: how the run went, in words.

use std::fmt::Write as _;
use std::time::Duration;

use ewapa_lang::plan::Table;
use ewapa_templates::Counter;

use crate::engine::processes::Found;
use crate::engine::reading::{Losses, Reading};
use crate::engine::trace::Outcome;

use super::cells::escape;

/// The line above a table.
pub fn headline(table: &Table, reading: &Reading) -> String {
    let processes = match reading.processes {
        1 => "1 process".to_owned(),
        count => format!("{count} processes"),
    };
    format!(
        "{} · {processes} · {} · {}",
        escape(table.title.as_ref().unwrap_or(&table.name)),
        duration(reading.elapsed),
        losses(&reading.losses)
    )
}

fn duration(elapsed: Duration) -> String {
    match elapsed.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds if seconds < 600.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.1} min", seconds / 60.0),
    }
}

/// What is missing from the tables, in a few words.
fn losses(losses: &Losses) -> String {
    let mut parts = Vec::new();
    let mut say = |count: u64, what: &str| {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    };
    say(losses.lost(), "lost");
    say(losses.unmatched(), "unmatched");
    say(losses.count(Counter::Abandoned), "abandoned");
    say(losses.open(), "still open");
    say(losses.count(Counter::NoMessage), "messages lost");
    say(losses.missed, "events missed");
    if parts.is_empty() {
        parts.push("nothing lost".to_owned());
    }
    if !losses.unfinished.is_empty() {
        let total: u64 = losses.unfinished.iter().map(|(_, count)| count).sum();
        let names: Vec<&str> = losses
            .unfinished
            .iter()
            .map(|(function, _)| function.name())
            .collect();
        parts.push(format!("{total} unfinished ({})", names.join(", ")));
    }
    parts.join(", ")
}

/// What is said once about the whole run, below the tables. What probes cost matters to tables only.
pub fn footer(outcome: &Outcome, has_tables: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if !has_tables && !outcome.reading.losses.is_complete() {
        lines.push(format!("not complete: {}", losses(&outcome.reading.losses)));
    }
    if let (Some(cost), true) = (outcome.probe_cost, has_tables) {
        let microseconds = |found: Option<&Found>| {
            let named_within = found.is_some_and(|found| found.named_within);
            format!("{:.1}", cost.of_call(named_within).as_secs_f64() * 1e6)
        };
        let mut told: Vec<String> = outcome
            .found
            .iter()
            .map(|found| microseconds(Some(found)))
            .collect();
        told.sort();
        told.dedup();
        if told.is_empty() {
            told.push(microseconds(None));
        }
        let mut line = format!(
            "probe cost about {} us a call, not subtracted",
            told.join(" to ")
        );
        for found in outcome
            .found
            .iter()
            .filter(|found| found.single_stepped > 0)
        {
            write!(
                line,
                "; more for {} functions of {} that the kernel single-steps",
                found.single_stepped, found.name
            )
            .expect("write to a string");
        }
        lines.push(line);
    }
    for found in outcome
        .found
        .iter()
        .filter(|found| !found.missing.is_empty())
    {
        let names: Vec<&str> = found
            .missing
            .iter()
            .map(|function| function.name())
            .take(4)
            .collect();
        let more = if found.missing.len() > names.len() {
            " …"
        } else {
            ""
        };
        lines.push(format!(
            "{}: {} of the functions cannot be seen ({}{more}); `ewapa symbols` says why",
            found.name,
            found.missing.len(),
            names.join(", ")
        ));
    }
    for found in outcome.found.iter().filter(|found| found.start_unseen) {
        lines.push(format!(
            "{}: it is not known where it enters the guest: the phase `start` is not seen",
            found.name
        ));
    }
    for (name, paths) in &outcome.merged {
        let paths: Vec<String> = paths
            .iter()
            .map(|path| escape(&path.to_string_lossy()))
            .collect();
        lines.push(format!(
            "{name}: {} builds are shown as one, as their versions do not tell them apart: {}",
            paths.len(),
            paths.join(", ")
        ));
    }
    lines.extend(uncounted(&outcome.reading.losses));
    let handed = outcome.reading.losses.count(Counter::Handed);
    if handed > 0 {
        lines.push(format!(
            "{handed} system calls of other threads are booked to the WASI calls that they worked for: an estimate, from which thread wakes which"
        ));
    }
    lines
}

/// What is missing from the numbers of a run: completed calls that are in no table, values that are in no call,
/// and what the script said and nobody heard. A call that never returned is not missing, and neither is one that
/// went on when the run ended.
pub fn missing(losses: &Losses) -> Vec<String> {
    let mut missing = Vec::new();
    let mut say = |count: u64, what: &str| {
        if count > 0 {
            missing.push(format!("{count} {what}"));
        }
    };
    say(
        losses.unmatched(),
        "returns or names of calls came without a call",
    );
    say(
        losses.count(Counter::Abandoned),
        "calls were left without a return",
    );
    say(
        losses.missed,
        "events came while a program of a script ran on the same processor",
    );
    missing.extend(uncounted(losses));
    missing
}

/// What the kernel's part had no room for, or could not read: a sentence for each.
fn uncounted(losses: &Losses) -> Vec<String> {
    let sentences = [
        (
            Counter::GroupsFull,
            "calls found no place in a table: it has more groups than it can hold",
        ),
        (
            Counter::NoThread,
            "calls were not seen: no room for the record of their thread or goroutine",
        ),
        (
            Counter::Deep,
            "calls were not seen: they were nested too deep",
        ),
        (
            Counter::NoMemory,
            "values could not be read from the memory of a process: they count as none",
        ),
        (
            Counter::NoEvent,
            "events of processes found no room: calls of new programs or libraries may not have been seen",
        ),
        (
            Counter::NoMessage,
            "messages of the script found no room: what it printed or did to its maps is not all",
        ),
        (
            Counter::Processes,
            "child processes were not traced: there were too many",
        ),
        (
            Counter::Buffers,
            "calls had more than 64 buffers: what they were asked to move counts as none",
        ),
        (
            Counter::Paths,
            "paths of open descriptors found no room: they are missing in later calls",
        ),
        (
            Counter::Lives,
            "processes found no room: their phases were not seen",
        ),
        (
            Counter::Moved,
            "calls ended on another thread than they began on, and the script reads what is added up on one thread",
        ),
        (
            Counter::Stacks,
            "stacks found no place, as others have it: they count as none",
        ),
        (
            Counter::Unbooked,
            "system calls of threads that worked for a call, made between an answer and their next wait, are booked to no call",
        ),
        (
            Counter::NoHanded,
            "times work that a call handed to another thread found no room: what that did is not booked to the call",
        ),
    ];
    let counted = sentences
        .into_iter()
        .map(|(counter, what)| (losses.count(counter), what));
    let counted = counted.filter(|(count, _)| *count > 0);
    counted
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
}
