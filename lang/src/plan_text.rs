//! A plan as text, for `--emit plan`.

mod result;

use std::fmt;

use crate::errno;
use crate::plan::{
    Action, Aggregate, BinaryOp, Column, ColumnExpr, Expr, ExprKind, Plan, Probe, Slot, SlotId,
    SlotKind, Sort, SortBy, Store, Table, Unit,
};
use crate::types::{Enumeration, Type};
use crate::wasi::{Function, FunctionSet};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, clause) in self.clauses.iter().enumerate() {
            writeln!(f, "clause {index}")?;
            for probe in &clause.probes {
                writeln!(f, "  on {probe}")?;
            }
            if let Some(filter) = &clause.filter {
                writeln!(f, "  where {filter}")?;
            }
            for Action::Record(store) in &clause.actions {
                writeln!(f, "  record in store {}", store.0)?;
            }
        }
        for (index, store) in self.stores.iter().enumerate() {
            write!(f, "store {index} of {store}")?;
        }
        self.tables
            .iter()
            .try_for_each(|table| write!(f, "{table}"))?;
        self.checks
            .iter()
            .try_for_each(|check| writeln!(f, "{check}"))
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
            writeln!(f, "  key {key}: {}", key.ty)?;
        }
        self.slots
            .iter()
            .enumerate()
            .try_for_each(|(index, slot)| writeln!(f, "  slot {index} {slot}"))
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            SlotKind::Count => "count",
            SlotKind::Values(_) => "values of",
            SlotKind::Sum(_) => "sum of",
            SlotKind::SumOfSquares(_) => "sum of squares of",
            SlotKind::Min(_) => "min of",
            SlotKind::Max(_) => "max of",
            SlotKind::Histogram(_) => "histogram of",
        };
        write!(f, "{kind}")?;
        if let Some(value) = self.kind.value() {
            write!(f, " {value}")?;
        }
        self.condition
            .as_ref()
            .map_or(Ok(()), |condition| write!(f, " if {condition}"))
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Const(value) => constant(f, *value, self.ty),
            ExprKind::Text(text) => write!(f, "{text:?}"),
            ExprKind::Builtin(builtin) => f.write_str(builtin.name),
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
        if let Some(title) = &self.title {
            writeln!(f, "  title {title:?}")?;
        }
        if let Some(having) = &self.having {
            writeln!(f, "  having {having}")?;
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
        if let Some(limit) = self.limit {
            writeln!(f, "  limit {limit}")?;
        }
        if let Some(every) = self.every {
            writeln!(f, "  every {every}ns")?;
        }
        self.pivot.as_ref().map_or(Ok(()), |pivot| {
            write!(f, "  pivot key {}", self.keys[pivot.key])?;
            if let Some(baseline) = &pivot.baseline {
                let column = &self.columns[baseline.ratio_of].name;
                write!(f, " against {}, ratio of {column}", baseline.value)?;
            }
            writeln!(f)
        })
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
            Unit::Rate => "rate",
            Unit::Bar => "bar",
        })
    }
}

impl fmt::Display for ColumnExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnExpr::Number(value) => write!(f, "{value}"),
            ColumnExpr::Aggregate(aggregate) => write!(f, "{aggregate}"),
            ColumnExpr::Negate(inner) => write!(f, "-{inner}"),
            ColumnExpr::Share(of) => write!(f, "share({of})"),
            ColumnExpr::Binary(op, left, right) => write!(f, "({left} {op} {right})"),
        }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aggregate::Count { count } => write!(f, "count({count})"),
            Aggregate::Sum { sum, values } => write!(f, "sum({sum} {values})"),
            Aggregate::Rate { sum, values } => write!(f, "rate({sum} {values})"),
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
