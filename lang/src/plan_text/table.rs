//! Tables as text.

use std::fmt;

use crate::plan::{Aggregate, Column, ColumnCondition, ColumnExpr, Sort, SortBy, Table, Unit};

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
            Unit::Spark => "spark",
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
            ColumnExpr::Series(slot) => write!(f, "series({slot})"),
            ColumnExpr::Histogram(slot, ty) => write!(f, "histogram({slot} of {ty})"),
            ColumnExpr::Elsewhere { store, keys } => {
                let keys: Vec<String> = keys.iter().map(|key| format!("key {key}")).collect();
                write!(f, "count of store {}[{}]", store.0, keys.join(", "))
            }
            ColumnExpr::Binary(op, left, right) => write!(f, "({left} {op} {right})"),
            ColumnExpr::Choose {
                condition,
                then,
                otherwise,
            } => write!(f, "({condition} ? {then} : {otherwise})"),
        }
    }
}

impl fmt::Display for ColumnCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnCondition::Compare(op, left, right) => write!(f, "({left} {op} {right})"),
            ColumnCondition::Logic(op, left, right) => write!(f, "({left} {op} {right})"),
            ColumnCondition::Not(inner) => write!(f, "!{inner}"),
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
