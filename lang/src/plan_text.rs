//! A plan as text, for `--emit plan`.

mod expression;
mod message;
mod result;
mod store;
mod table;

use std::fmt;

use crate::plan::{Action, Clause, Event, Expr, Plan, Probe, Update};
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
