//! What a clause waits for.

use crate::wasi::FunctionSet;

use super::{Action, Expr};

/// What a clause waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A completed WASI call. One that several probes match counts once.
    Wasi(Vec<Probe>),
    /// Before the first call.
    Begin,
    /// After the last one.
    End,
    /// Each time that so many nanoseconds have passed.
    Interval(u64),
}

/// WASI functions that a clause listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The functions.
    pub functions: FunctionSet,
    /// One runtime, as an index into the catalogue's names; all runtimes if there is none.
    pub runtime: Option<u8>,
}

/// At each event that passes the filter, do the actions.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// What it waits for.
    pub event: Event,
    /// The `where` or the predicate, of type [`crate::types::Type::Bool`].
    pub filter: Option<Expr>,
    /// How many variables the actions use.
    pub variables: usize,
    /// What is done, in order.
    pub actions: Vec<Action>,
}

impl Clause {
    /// The WASI probes that it listens to; none for other events.
    pub fn probes(&self) -> &[Probe] {
        match &self.event {
            Event::Wasi(probes) => probes,
            Event::Begin | Event::End | Event::Interval(_) => &[],
        }
    }
}
