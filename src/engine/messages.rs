//! What the script tells user space: decodes it and does it, in the order in which it was told.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use aya::maps::{Map as AyaMap, MapData, RingBuf};
use ewapa_codegen::layout::{MessageLayout, StoreLayout};
use ewapa_codegen::program::{MESSAGES, Program};
use ewapa_lang::plan::{Map, MessageKind, Plan};

use super::groups::{self, Group, Key};
use super::load::Loaded;
use super::names::Names;
use super::rows;
use super::said::{Listener, Said, Values};
use super::trace::Error;

/// The bytes of the smallest message in the ring buffer: its number, and the header of every record.
const SMALLEST: usize = 16;

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
    /// The exit code that it has said.
    pub exit_code: u8,
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
            exit_code: 0,
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
        let values = Values {
            types: &message.values,
            values: values(record, layout),
        };
        let said = match &message.kind {
            MessageKind::Printf(pieces) => Said::Printf {
                pieces,
                values: &values,
            },
            MessageKind::Time(format) => Said::Time(format),
            MessageKind::Print { map, top, divisor } => {
                return self.print(&plan.maps[*map], *top, *divisor, loaded, names);
            }
            MessageKind::PrintKey { map } => {
                let map = &plan.maps[*map];
                let mut groups = self.groups(map, loaded)?;
                groups.retain(|group| group.keys == values.values);
                let said = Said::Map {
                    map,
                    groups: &groups,
                    top: None,
                    divisor: 1,
                };
                return self.tell(&said, names);
            }
            MessageKind::PrintValue(shape) => Said::Value {
                shape,
                values: &values,
            },
            MessageKind::Tabulate {
                title,
                maps,
                sort,
                limit,
            } => {
                let maps = maps.iter().map(|map| {
                    let map = &plan.maps[*map];
                    Ok((map, self.groups(map, loaded)?))
                });
                let said = Said::Tabulate {
                    title,
                    maps: &maps.collect::<Result<Vec<_>, Error>>()?,
                    sort: *sort,
                    limit: *limit,
                };
                return self.tell(&said, names);
            }
            MessageKind::Join(between) => Said::Join(between, &values),
            MessageKind::Cat(pieces) => Said::Cat(pieces, &values),
            MessageKind::System(pieces) => Said::System(pieces, &values),
            MessageKind::Clear { map } => return self.change(*map, loaded, rows::clear),
            MessageKind::Zero { map } => return self.change(*map, loaded, rows::zero),
            MessageKind::Exit(code) => {
                self.exit = true;
                self.exit_code = *code;
                return Ok(());
            }
        };
        self.tell(&said, names)
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
        self.print(map, top, 1, loaded, names)
    }

    fn print(
        &mut self,
        map: &Map,
        top: Option<usize>,
        divisor: i64,
        loaded: &Loaded,
        names: &Names,
    ) -> Result<(), Error> {
        let said = Said::Map {
            map,
            groups: &self.groups(map, loaded)?,
            top,
            divisor,
        };
        self.tell(&said, names)
    }

    fn tell(&mut self, said: &Said<'_>, names: &Names) -> Result<(), Error> {
        self.listener
            .said(self.plan, said, names)
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
        .map(|field| groups::decode_field(&record[field.offset..], field))
        .collect()
}
