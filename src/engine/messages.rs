//! What the script tells user space: decodes it and does it, in the order in which it was told.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use aya::maps::{Map as AyaMap, MapData, RingBuf};
use ewapa_codegen::layout::{MessageLayout, StoreLayout};
use ewapa_codegen::program::{MESSAGES, Program};
use ewapa_lang::plan::{Map, MessageKind, Piece, Plan};
use ewapa_lang::types::Type;

use super::groups::{self, Group, Key};
use super::load::Loaded;
use super::names::Names;
use super::rows;
use super::trace::{Error, Reporter};

/// The bytes of the smallest message in the ring buffer: its number, and the header of every record.
const SMALLEST: usize = 16;

/// What shows a script's output while it runs.
pub trait Listener: Reporter {
    /// `printf`
    ///
    /// # Errors
    /// It cannot be written.
    fn printf(
        &mut self,
        pieces: &[Piece],
        types: &[Type],
        values: &[Key],
        names: &Names,
    ) -> io::Result<()>;

    /// `time`: now, by a format of strftime(3).
    ///
    /// # Errors
    /// It cannot be written.
    fn time(&mut self, format: &str) -> io::Result<()>;

    /// `print` of a map.
    ///
    /// # Errors
    /// It cannot be written.
    fn map(
        &mut self,
        plan: &Plan,
        map: &Map,
        groups: &[Group],
        top: Option<usize>,
        names: &Names,
    ) -> io::Result<()>;

    /// Nothing more is to be shown for now.
    ///
    /// # Errors
    /// It cannot be written.
    fn flush(&mut self) -> io::Result<()>;
}

/// The messages of a run.
pub struct Messages<'a> {
    plan: &'a Plan,
    program: &'a Program,
    ring: Option<RingBuf<MapData>>,
    capacity: usize,
    /// Who shows what it says.
    pub listener: &'a mut dyn Listener,
    /// The script has said `exit()`: what it says after that does not count.
    pub exit: bool,
}

impl<'a> Messages<'a> {
    /// Takes the ring buffer, if the plan has messages.
    ///
    /// # Errors
    /// There is none.
    pub fn new(
        plan: &'a Plan,
        program: &'a Program,
        loaded: &mut Loaded,
        listener: &'a mut dyn Listener,
    ) -> Result<Messages<'a>, Error> {
        let mut ring = None;
        let mut capacity = 0;
        if !plan.messages.is_empty() {
            let map = loaded.take_map(MESSAGES)?;
            capacity = map.info()?.max_entries() as usize / SMALLEST;
            ring = Some(RingBuf::try_from(AyaMap::from_map_data(map)?)?);
        }
        Ok(Messages {
            plan,
            program,
            ring,
            capacity,
            listener,
            exit: false,
        })
    }

    /// Becomes readable when a message comes.
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.ring.as_ref().map(|ring| ring.as_fd())
    }

    /// At most so many messages wait at a time.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Shows all that was said.
    ///
    /// # Errors
    /// The output cannot be written.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.listener.flush().map_err(Error::Output)
    }

    /// Handles at most so many messages. Returns whether there may be more.
    ///
    /// # Errors
    /// The output cannot be written, or the kernel refuses what is done to a map.
    pub fn handle(&mut self, loaded: &Loaded, names: &Names, limit: usize) -> Result<bool, Error> {
        let Some(mut ring) = self.ring.take() else {
            return Ok(false);
        };
        let mut handled = 0;
        let mut result = Ok(());
        while result.is_ok() && handled < limit {
            let Some(record) = ring.next() else { break };
            handled += 1;
            if !self.exit {
                result = self.one(&record, loaded, names);
            }
        }
        self.ring = Some(ring);
        result?;
        let more = handled == limit;
        // While there is more to write, the buffer decides when.
        if handled > 0 && !more {
            self.flush()?;
        }
        Ok(more)
    }

    fn one(&mut self, record: &[u8], loaded: &Loaded, names: &Names) -> Result<(), Error> {
        let plan = self.plan;
        // The kernel's part of the script has made the record, so it is one of the plan.
        let index = MessageLayout::index(record).expect("every record begins with its message");
        let (message, layout) = (&plan.messages[index], &self.program.messages[index]);
        match &message.kind {
            MessageKind::Printf(pieces) => {
                let values = values(record, layout);
                self.listener
                    .printf(pieces, &message.values, &values, names)
                    .map_err(Error::Output)
            }
            MessageKind::Time(format) => self.listener.time(format).map_err(Error::Output),
            MessageKind::Print { map, top, .. } => self.show(&plan.maps[*map], *top, loaded, names),
            MessageKind::Clear { map } => self.change(*map, loaded, rows::clear),
            MessageKind::Zero { map } => self.change(*map, loaded, rows::zero),
            MessageKind::Delete { map } => {
                // The keys lie in the message as in a row's key, but for what is before them.
                let first = layout.values.first().map_or(layout.size, |key| key.offset);
                let key = &record[first..layout.size];
                self.change(*map, loaded, |rows, layout| rows::delete(rows, layout, key))
            }
            MessageKind::Exit(_) => {
                self.exit = true;
                Ok(())
            }
            _ => unreachable!("the checker refuses it"),
        }
    }

    /// Shows a map of the plan as it is now; with `top` so many rows of it.
    ///
    /// # Errors
    /// The map cannot be read, or the output cannot be written.
    pub fn show(
        &mut self,
        map: &Map,
        top: Option<usize>,
        loaded: &Loaded,
        names: &Names,
    ) -> Result<(), Error> {
        let groups = self.groups(map, loaded)?;
        self.listener
            .map(self.plan, map, &groups, top, names)
            .map_err(Error::Output)
    }

    fn groups(&self, map: &Map, loaded: &Loaded) -> Result<Vec<Group>, Error> {
        let layout = &self.program.stores[map.store.0];
        let store = &self.plan.stores[map.store.0];
        groups::read(loaded.map(&layout.map)?, store, layout).map_err(|source| Error::Io {
            what: format!("cannot read @{}", map.name),
            source,
        })
    }

    fn change(
        &self,
        map: usize,
        loaded: &Loaded,
        change: impl FnOnce(&MapData, &StoreLayout) -> io::Result<()>,
    ) -> Result<(), Error> {
        let map = &self.plan.maps[map];
        let layout = &self.program.stores[map.store.0];
        change(loaded.map(&layout.map)?, layout).map_err(|source| Error::Io {
            what: format!("cannot change @{}", map.name),
            source,
        })
    }
}

fn values(record: &[u8], layout: &MessageLayout) -> Vec<Key> {
    let fields = layout.values.iter();
    fields
        .map(|field| groups::decode_value(&record[field.offset..], field.ty))
        .collect()
}
