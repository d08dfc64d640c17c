//! The helpers of the kernel, and the functions of the template.

use ewapa_templates::{CALL_AROUND, ELAPSED, IS_TRACED, PARENT};

use super::registers::{Region, Registers, Step, Word};
use super::{ENOENT, Kind, Machine, memory};

const EFAULT: i64 = -14;

const NANOSECONDS: u64 = 5_000_000_123;
const PARENT_PROCESS: u64 = 17;
const COOKIE: u64 = 3;
const OTHER: u64 = 99;

/// Who runs a program, as the kernel says it.
#[derive(Debug, Clone)]
pub struct Says {
    pub process: u64,
    pub thread: u64,
    pub user: u64,
    pub group: u64,
    /// The name of the thread.
    pub name: String,
}

impl Default for Says {
    fn default() -> Says {
        Says {
            process: 4711,
            thread: 4712,
            user: 1000,
            group: 100,
            name: "interpreter".to_owned(),
        }
    }
}

impl Machine<'_> {
    pub(super) fn called(&mut self, name: &str, arguments: &[Word]) -> Step<Word> {
        Ok(match name {
            IS_TRACED => Word::Number(1),
            CALL_AROUND => Word::Pointer(Region::Call, 0),
            ELAPSED => Word::Number(NANOSECONDS),
            PARENT => Word::Number(PARENT_PROCESS),
            _ => Word::Number(self.function(name, arguments)?),
        })
    }

    pub(super) fn helper(&mut self, number: i32, registers: &Registers) -> Step<Word> {
        Ok(match number {
            1 => {
                let (map, key) = self.map_and_key(registers)?;
                Word::Unchecked(self.look_up(map, key))
            }
            2 => {
                let (map, key) = self.map_and_key(registers)?;
                let value = self.bytes(registers.get(3)?, 0, self.maps[map].value_size)?;
                let flags = registers.number(4)?;
                Word::Number(self.insert(map, key, value, flags)? as u64)
            }
            3 => {
                let (map, key) = self.map_and_key(registers)?;
                if self.maps[map].kind != Kind::Hash {
                    return Err("deletes from an array".to_owned());
                }
                let deleted = self.maps[map].rows.remove(&key).is_some();
                Word::Number(if deleted { 0 } else { ENOENT as u64 })
            }
            5 | 125 | 208 => Word::Number(NANOSECONDS),
            8 => Word::Number(self.cpu),
            14 => Word::Number(self.says.process << 32 | self.says.thread),
            15 => Word::Number(self.says.group << 32 | self.says.user),
            16 => {
                let mut name = self.says.name.as_bytes().to_vec();
                name.resize(registers.number(2)? as usize, 0);
                self.write(registers.get(1)?, 0, &name)?;
                Word::Number(0)
            }
            7 | 35 | 42 | 80 => Word::Number(OTHER),
            112..=115 => self.read(number, registers)?,
            131 => self.reserve(registers)?,
            132 => self.submit(registers)?,
            164 => self.for_each(registers)?,
            174 if registers.get(1)? == Word::Pointer(Region::Context, 0) => Word::Number(COOKIE),
            _ => return Err("unknown helper".to_owned()),
        })
    }

    fn map_and_key(&self, registers: &Registers) -> Step<(usize, Vec<u8>)> {
        let map = self.any_map(registers)?;
        let key = self.bytes(registers.get(2)?, 0, self.maps[map].key_size)?;
        Ok((map, key))
    }

    fn any_map(&self, registers: &Registers) -> Step<usize> {
        match registers.get(1)? {
            Word::Map(map) => Ok(map),
            _ => Err("the first argument is no map".to_owned()),
        }
    }

    /// Reads the memory of the process or the kernel, or a text in it.
    fn read(&mut self, number: i32, registers: &Registers) -> Step<Word> {
        let (to, size) = (registers.get(1)?, registers.number(2)? as usize);
        let of_kernel = matches!(number, 113 | 115);
        let copied;
        let found = match registers.get(3)? {
            Word::Number(address) if of_kernel => memory::of_kernel(&self.context, address),
            Word::Number(address) => self.memory.from(address),
            // What the kernel copies for a program.
            from => {
                copied = self.bytes(from, 0, size)?;
                &copied
            }
        };
        let found = found[..size.min(found.len())].to_vec();
        let is_text = number >= 114;
        let found = if is_text {
            memory::text_of(found, size)
        } else {
            (found.len() == size).then_some(found)
        };
        match found {
            Some(found) => {
                self.write(to, 0, &found)?;
                Ok(Word::Number(if is_text { found.len() as u64 } else { 0 }))
            }
            None => {
                self.write(to, 0, &vec![0; size])?;
                Ok(Word::Number(EFAULT as u64))
            }
        }
    }

    fn reserve(&mut self, registers: &Registers) -> Step<Word> {
        let map = self.any_map(registers)?;
        if self.maps[map].kind != Kind::RingBuffer || registers.number(3)? != 0 {
            return Err("reserves a record where there is no ring buffer".to_owned());
        }
        if self.record.is_some() {
            return Err("reserves a record while it has another one".to_owned());
        }
        if self.messages.len() >= self.message_room {
            return Ok(Word::Unchecked(None));
        }
        // What was there before is still there.
        self.values.push(vec![0xa5; registers.number(2)? as usize]);
        self.record = Some(self.values.len() - 1);
        Ok(Word::Unchecked(self.record))
    }

    fn submit(&mut self, registers: &Registers) -> Step<Word> {
        let record = self.record.take();
        match (registers.get(1)?, record) {
            (Word::Pointer(Region::Value(index), 0), Some(record)) if index == record => {
                self.messages.push(self.values[index].clone());
                Ok(Word::Number(0))
            }
            _ => Err("submits what is no record".to_owned()),
        }
    }

    fn for_each(&mut self, registers: &Registers) -> Step<Word> {
        let map = self.any_map(registers)?;
        let Word::Function(function) = registers.get(2)? else {
            return Err("the second argument is no function".to_owned());
        };
        let name = self.program.functions[function].name.clone();
        let (mut count, mut last) = (0, None);
        while let Some((at, key, value)) = self.row_after(map, last.as_ref()) {
            self.values.push(key.clone());
            let copied = self.values.len() - 1;
            last = Some((at, key));
            count += 1;
            let arguments = [
                Word::Map(map),
                Word::Pointer(Region::Value(copied), 0),
                Word::Pointer(Region::Value(value), 0),
                registers.get(3)?,
            ];
            match self.function(&name, &arguments)? {
                0 => {}
                1 => break,
                other => return Err(format!("{name} returns {other}")),
            }
        }
        Ok(Word::Number(count))
    }

    /// The row that follows in the order of the map: its place, its key and where its value is. As in the
    /// kernel, rows that are made behind the present one while a loop goes on come to it, too.
    fn row_after(
        &self,
        map: usize,
        last: Option<&(usize, Vec<u8>)>,
    ) -> Option<(usize, Vec<u8>, usize)> {
        let order = self.orders.get(&self.maps[map].name);
        let place = |key: &Vec<u8>| {
            let known = order.and_then(|order| order.iter().position(|known| known == key));
            known.unwrap_or(usize::MAX)
        };
        let rows = self.maps[map].rows.iter();
        rows.map(|(key, value)| (place(key), key, *value))
            .filter(|(at, key, _)| last.is_none_or(|(last, of)| (*at, *key) > (*last, of)))
            .min()
            .map(|(at, key, value)| (at, key.clone(), value))
    }
}
