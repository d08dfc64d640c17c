//! Maps and values for programs, in the shapes of bpftrace.

use ewapa_codegen::histogram::bounds;
use ewapa_lang::plan::{Aggregate, Buckets, MapValue};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::output::cells::KeyCell;
use crate::output::stack;

use super::Shown;
use super::content::Content;

impl Shown<'_> {
    /// What bpftrace calls a record of such a map.
    pub fn kind(&self) -> &'static str {
        match self.map.value {
            MapValue::Histogram(_) => "hist",
            MapValue::Stats { .. } | MapValue::Aggregate(Aggregate::Avg { .. }) => "stats",
            MapValue::Series(_) => "tseries",
            MapValue::Aggregate(_) | MapValue::Number(_) | MapValue::Tuple => "map",
        }
    }
}

/// `{"@name": {"key,key": value}}`, without a key `{"@name": value}`.
impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = format!("@{}", self.map.name);
        let mut object = serializer.serialize_map(Some(1))?;
        match (self.types.is_empty(), self.entries.first()) {
            (true, Some(entry)) => object.serialize_entry(&name, &entry.content)?,
            _ => object.serialize_entry(&name, &Keyed(self))?,
        }
        object.end()
    }
}

struct Keyed<'a>(&'a Shown<'a>);

impl Serialize for Keyed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.entries.iter().map(|entry| {
            let keys: Vec<String> = entry.keys.iter().map(KeyCell::plain).collect();
            (keys.join(","), &entry.content)
        }))
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Content::None => serializer.serialize_none(),
            Content::Cell(KeyCell::Stack(frames), _) => {
                serializer.serialize_str(&frames.block(stack::ALONE))
            }
            Content::Cell(cell, _) => cell.serialize(serializer),
            Content::Real(number, _) => serializer.serialize_f64(*number),
            Content::Histogram(buckets, counts, _) => ranges(*buckets, counts, serializer),
            Content::Stats {
                count,
                average,
                total,
            } => {
                let mut object = serializer.serialize_map(Some(3))?;
                object.serialize_entry("count", count)?;
                object.serialize_entry("average", average)?;
                object.serialize_entry("total", total)?;
                object.end()
            }
            Content::Tuple(parts) => parts.serialize(serializer),
            Content::Series(series) => series.values.serialize(serializer),
        }
    }
}

/// A range of a histogram. One that has no end on a side does not tell it.
#[derive(Serialize)]
struct Range {
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<i64>,
    count: u64,
}

/// All ranges from the first to the last one that holds anything.
fn ranges<S: Serializer>(
    buckets: Buckets,
    counts: &[(u16, u64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let (first, last) = match (counts.first(), counts.last()) {
        (Some((first, _)), Some((last, _))) => (*first, *last),
        _ => return serializer.serialize_seq(Some(0))?.end(),
    };
    let mut counts = counts.iter().peekable();
    let mut list = serializer.serialize_seq(None)?;
    for index in first..=last {
        let (low, high) = bounds(buckets, usize::from(index));
        let known = counts.next_if(|(at, _)| *at == index);
        list.serialize_element(&Range {
            min: (low != i64::MIN).then_some(low),
            max: match (high, buckets) {
                (i64::MAX, Buckets::Log2 { .. }) => Some(i64::MAX),
                (i64::MAX, _) => None,
                _ => Some(high - 1),
            },
            count: known.map_or(0, |(_, count)| *count),
        })?;
    }
    list.end()
}
