//! A plan as text, for `--emit plan`.

use std::fmt;

use crate::errno;
use crate::plan::{
    Action, Aggregate, BinaryOp, Buckets, Clause, Column, ColumnExpr, Event, Expr, ExprKind, Plan,
    Probe, SlotId, SlotKind, Sort, SortBy, Store, Table, Unit, Update,
};
use crate::types::{Enumeration, Type};
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
            writeln!(f, "message {index}: {:?}", message.kind)?;
        }
        for map in &self.maps {
            writeln!(
                f,
                "map @{} in store {}: {} {:?}",
                map.name, map.store.0, map.ty, map.value
            )?;
        }
        self.tables
            .iter()
            .try_for_each(|table| write!(f, "{table}"))
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

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.name)?;
        for key in &self.keys {
            writeln!(f, "  key {key}")?;
        }
        self.slots
            .iter()
            .enumerate()
            .try_for_each(|(index, slot)| writeln!(f, "  slot {index} {slot}"))
    }
}

impl fmt::Display for SlotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SlotKind::Count => f.write_str("count"),
            SlotKind::Values => f.write_str("values"),
            SlotKind::Sum => f.write_str("sum"),
            SlotKind::SumOfSquares => f.write_str("sum of squares"),
            SlotKind::Min => f.write_str("min"),
            SlotKind::Max => f.write_str("max"),
            SlotKind::Last => f.write_str("last"),
            SlotKind::Tally => f.write_str("tally"),
            SlotKind::Histogram(Buckets::LogLinear) => f.write_str("histogram"),
            SlotKind::Histogram(Buckets::Log2) => f.write_str("histogram by powers of two"),
            SlotKind::Histogram(Buckets::Linear { min, max, step }) => {
                write!(f, "histogram from {min} to {max} by {step}")
            }
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Const(value) => constant(f, *value, self.ty),
            ExprKind::Text(text) => write!(f, "{text:?}"),
            ExprKind::Builtin(builtin) => f.write_str(builtin.name),
            ExprKind::Variable(variable) => write!(f, "${}", variable.0),
            ExprKind::Map { store, keys } => write!(f, "store {}{}", store.0, list(keys)),
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => write!(f, "({condition} ? {then} : {otherwise})"),
            ExprKind::Negate(inner) => write!(f, "-{inner}"),
            ExprKind::Not(inner) => write!(f, "!{inner}"),
            ExprKind::Binary(op, left, right) => write!(f, "({left} {op} {right})"),
        }
    }
}

fn constant(f: &mut fmt::Formatter<'_>, value: i64, ty: Type) -> fmt::Result {
    match ty {
        Type::Time => write!(f, "{value}ns"),
        Type::Size => write!(f, "{value}B"),
        Type::Enum(Enumeration::Errno) => match errno::name(value) {
            Some(name) => write!(f, "E{name}"),
            None => write!(f, "errno {value}"),
        },
        Type::Enum(Enumeration::Func) => {
            match usize::try_from(value).ok().and_then(Function::from_index) {
                Some(function) => write!(f, "{function}"),
                None => write!(f, "function {value}"),
            }
        }
        Type::Enum(Enumeration::Runtime) => write!(f, "runtime {value}"),
        _ => write!(f, "{value}"),
    }
}

impl fmt::Display for BinaryOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::Rem => "%",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::And => "&&",
            BinaryOp::Or => "||",
        })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "table {} from store {}", self.name, self.store.0)?;
        for key in &self.keys {
            writeln!(f, "  key {key}")?;
        }
        for column in &self.columns {
            writeln!(f, "  column {column}")?;
        }
        if let Some(Sort { by, descending }) = self.sort {
            let what = match by {
                SortBy::Key(index) => format!("key {}", self.keys[index]),
                SortBy::Column(index) => format!("column {}", self.columns[index].name),
            };
            writeln!(
                f,
                "  sort by {what} {}",
                if descending {
                    "descending"
                } else {
                    "ascending"
                }
            )?;
        }
        self.limit
            .map_or(Ok(()), |limit| writeln!(f, "  limit {limit}"))
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} as {} = {}",
            self.name, self.ty, self.unit, self.value
        )
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unit::Auto => "auto",
            Unit::Ns => "ns",
            Unit::Us => "us",
            Unit::Ms => "ms",
            Unit::S => "s",
            Unit::Bytes => "bytes",
            Unit::Pct => "pct",
            Unit::Int => "int",
            Unit::Hex => "hex",
        })
    }
}

impl fmt::Display for ColumnExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnExpr::Number(value) => write!(f, "{value}"),
            ColumnExpr::Aggregate(aggregate) => write!(f, "{aggregate}"),
            ColumnExpr::Negate(inner) => write!(f, "-{inner}"),
            ColumnExpr::Binary(op, left, right) => write!(f, "({left} {op} {right})"),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aggregate::Count { count } => write!(f, "count({count})"),
            Aggregate::Sum { sum, values } => write!(f, "sum({sum} {values})"),
            Aggregate::Avg { sum, values } => write!(f, "avg({sum} {values})"),
            Aggregate::Min { min, values } => write!(f, "min({min} {values})"),
            Aggregate::Max { max, values } => write!(f, "max({max} {values})"),
            Aggregate::Stddev {
                sum,
                squares,
                values,
            } => write!(f, "stddev({sum} {squares} {values})"),
            Aggregate::Quantile {
                histogram,
                min,
                max,
                q,
            } => write!(f, "quantile {q}({histogram} {min} {max})"),
        }
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}
