//! A plan as text, for `--emit plan`.

mod expression;
mod message;
mod result;
mod store;
mod table;

use std::fmt;

use crate::plan::{
    Action, Clause, Event, Expr, Plan, Probe, RawProbe, Syscalls, Update, VariableId,
};
use crate::wasi::{Function, FunctionSet};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.clauses.iter().enumerate() {
            write!(f, "clause {index}\n{clause}")?;
        }
        for (index, store) in self.stores.iter().enumerate() {
            write!(f, "store {index} of {store}")?;
        }
        for (index, message) in self.messages.iter().enumerate() {
            writeln!(f, "message {index}: {message}")?;
        }
        for (index, map) in self.maps.iter().enumerate() {
            writeln!(f, "map {index} {map}")?;
        }
        self.tables
            .iter()
            .try_for_each(|table| write!(f, "{table}"))?;
        self.checks
            .iter()
            .try_for_each(|check| writeln!(f, "{check}"))
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.event {
            Event::Wasi(probes) => probes
                .iter()
                .try_for_each(|probe| writeln!(f, "  on {probe}"))?,
            Event::WasiEnter(probes) => probes
                .iter()
                .try_for_each(|probe| writeln!(f, "  on the begin of {probe}"))?,
            Event::Syscall(Syscalls::All) => writeln!(f, "  on all system calls")?,
            Event::Syscall(Syscalls::Numbers(numbers)) => {
                writeln!(f, "  on the system calls {numbers:?}")?;
            }
            Event::Phase(phases) => phases
                .iter()
                .try_for_each(|phase| writeln!(f, "  on the phase {}", phase.name()))?,
            Event::Raw(probes) => probes
                .iter()
                .try_for_each(|probe| writeln!(f, "  on {probe}"))?,
            Event::Begin => writeln!(f, "  at the begin")?,
            Event::End => writeln!(f, "  at the end")?,
            Event::Interval(period) => writeln!(f, "  every {period}ns")?,
        }
        if let Some(filter) = &self.filter {
            writeln!(f, "  where {filter}")?;
        }
        actions(f, &self.actions, 1)
    }
}

fn actions(f: &mut fmt::Formatter<'_>, all: &[Action], depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    for action in all {
        match action {
            Action::Record(record) => {
                writeln!(f, "{indent}record in store {}", record.store.0)?;
                for key in &record.keys {
                    writeln!(f, "{indent}  key {key}")?;
                }
                for update in &record.updates {
                    writeln!(f, "{indent}  {update}")?;
                }
            }
            Action::Delete { store, keys } => {
                writeln!(f, "{indent}delete from store {}{}", store.0, list(keys))?;
            }
            Action::Assign { variable, value } => writeln!(f, "{indent}${} = {value}", variable.0)?,
            Action::If {
                condition,
                then,
                otherwise,
            } => {
                writeln!(f, "{indent}if {condition}")?;
                actions(f, then, depth + 1)?;
                if !otherwise.is_empty() {
                    writeln!(f, "{indent}else")?;
                    actions(f, otherwise, depth + 1)?;
                }
            }
            Action::Tell { message, values } => {
                writeln!(f, "{indent}tell message {}{}", message.0, list(values))?;
            }
            Action::Loop {
                condition,
                body,
                step,
            } => {
                match condition {
                    Some(condition) => writeln!(f, "{indent}while {condition}")?,
                    None => writeln!(f, "{indent}forever")?,
                }
                actions(f, body, depth + 1)?;
                if !step.is_empty() {
                    writeln!(f, "{indent}step")?;
                    actions(f, step, depth + 1)?;
                }
            }
            Action::ForEach {
                store,
                keys,
                slots,
                body,
            } => {
                let names = |variables: &[Option<VariableId>]| {
                    let names: Vec<String> = variables
                        .iter()
                        .map(|variable| {
                            variable.map_or("_".to_owned(), |known| format!("${}", known.0))
                        })
                        .collect();
                    names.join(", ")
                };
                let (keys, slots) = (names(keys), names(slots));
                writeln!(
                    f,
                    "{indent}for each [{keys}] = {slots} of store {}",
                    store.0
                )?;
                actions(f, body, depth + 1)?;
            }
            Action::Break => writeln!(f, "{indent}break")?,
            Action::Continue => writeln!(f, "{indent}continue")?,
            Action::Return => writeln!(f, "{indent}return")?,
        }
    }
    Ok(())
}

fn list(exprs: &[Expr]) -> String {
    if exprs.is_empty() {
        return String::new();
    }
    let exprs: Vec<String> = exprs.iter().map(Expr::to_string).collect();
    format!("[{}]", exprs.join(", "))
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {}", self.slot.0)?;
        if let Some(value) = &self.value {
            write!(f, " of {value}")?;
        }
        self.condition
            .as_ref()
            .map_or(Ok(()), |condition| write!(f, " if {condition}"))
    }
}

/// As it is written in a script.
impl fmt::Display for RawProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let behind = |offset: u64| match offset {
            0 => String::new(),
            offset => format!("+{offset}"),
        };
        match self {
            RawProbe::Uprobe {
                path,
                function,
                offset,
                returns,
            } => {
                let kind = if *returns { "uretprobe" } else { "uprobe" };
                write!(f, "{kind}:{path}:{function}{}", behind(*offset))
            }
            RawProbe::Usdt {
                path,
                provider,
                name,
            } if provider.is_empty() => write!(f, "usdt:{path}:{name}"),
            RawProbe::Usdt {
                path,
                provider,
                name,
            } => write!(f, "usdt:{path}:{provider}:{name}"),
            RawProbe::Tracepoint { category, name } => write!(f, "tracepoint:{category}:{name}"),
            RawProbe::RawTracepoint(name) => write!(f, "rawtracepoint:{name}"),
            RawProbe::Kprobe {
                function,
                offset,
                returns,
            } => {
                let kind = if *returns { "kretprobe" } else { "kprobe" };
                write!(f, "{kind}:{function}{}", behind(*offset))
            }
            RawProbe::Fentry { function, returns } => {
                let kind = if *returns { "fexit" } else { "fentry" };
                write!(f, "{kind}:{function}")
            }
            RawProbe::Profile { period } => write!(f, "profile:ns:{period}"),
        }
    }
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.functions == FunctionSet::all() {
            write!(f, "all functions")?;
        } else {
            let names: Vec<&str> = self.functions.iter().map(Function::name).collect();
            write!(f, "{}", names.join(" "))?;
        }
        self.runtime
            .map_or(Ok(()), |runtime| write!(f, " of runtime {runtime}"))
    }
}
