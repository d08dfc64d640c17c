//! What a script prints while it runs, as plain text.

use std::io::{self, Write};
use std::time::SystemTime;

use ewapa_lang::plan::{Map, Piece, Plan};
use ewapa_lang::types::Type;

use crate::engine::groups::{Group, Key};
use crate::engine::messages::Listener;
use crate::engine::names::Names;

use super::{clock, map, printf};

/// Writes text to a stream.
pub struct Console<W: Write>(pub W);

impl<W: Write> Listener for Console<W> {
    fn printf(
        &mut self,
        pieces: &[Piece],
        types: &[Type],
        values: &[Key],
        names: &Names,
    ) -> io::Result<()> {
        let text = printf::format(pieces, types, values, names);
        self.0.write_all(text.as_bytes())
    }

    fn time(&mut self, format: &str) -> io::Result<()> {
        let text = clock::format(SystemTime::now(), format);
        self.0.write_all(text.as_bytes())
    }

    fn map(
        &mut self,
        plan: &Plan,
        map: &Map,
        groups: &[Group],
        top: Option<usize>,
        names: &Names,
    ) -> io::Result<()> {
        let text = map::render(plan, map, groups, top, names);
        self.0.write_all(text.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
