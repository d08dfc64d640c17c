//! The helpers of the kernel, and the functions of the template.

use ewapa_templates::{CALL_AROUND, ELAPSED, IS_TRACED, PARENT};

use super::registers::{Region, Registers, Step, Word};
use super::{ENOENT, Kind, Machine};

const EFAULT: i64 = -14;

/// What the kernel says of the process and the time: what tests compare with.
pub mod says {
    pub const NANOSECONDS: u64 = 5_000_000_123;
    pub const PROCESS: u64 = 4711;
    pub const THREAD: u64 = 4712;
    pub const USER: u64 = 1000;
    pub const GROUP: u64 = 100;
    pub const PARENT: u64 = 17;
    pub const NAME: &str = "interpreter";
    pub const COOKIE: u64 = 3;
    pub const OTHER: u64 = 99;
}

impl Machine<'_> {
    pub(super) fn called(&mut self, name: &str, arguments: &[Word]) -> Step<Word> {
        Ok(match name {
            IS_TRACED => Word::Number(1),
            CALL_AROUND => Word::Pointer(Region::Call, 0),
            ELAPSED => Word::Number(says::NANOSECONDS),
            PARENT => Word::Number(says::PARENT),
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
            5 | 125 | 208 => Word::Number(says::NANOSECONDS),
            8 => Word::Number(self.cpu),
            14 => Word::Number(says::PROCESS << 32 | says::THREAD),
            15 => Word::Number(says::GROUP << 32 | says::USER),
            16 => {
                let mut name = says::NAME.as_bytes().to_vec();
                name.resize(registers.number(2)? as usize, 0);
                self.write(registers.get(1)?, 0, &name)?;
                Word::Number(0)
            }
            7 | 35 | 42 | 80 => Word::Number(says::OTHER),
            112..=115 => self.read(number, registers)?,
            131 => self.reserve(registers)?,
            132 => self.submit(registers)?,
            164 => self.for_each(registers)?,
            174 if registers.get(1)? == Word::Pointer(Region::Context, 0) => {
                Word::Number(says::COOKIE)
            }
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

    /// Reads the memory of the process, or a text in it.
    fn read(&mut self, number: i32, registers: &Registers) -> Step<Word> {
        let (to, size) = (registers.get(1)?, registers.number(2)? as usize);
        let found = match registers.get(3)? {
            Word::Number(address) => address
                .checked_sub(self.memory.as_ptr() as u64)
                .and_then(|start| self.memory.get(usize::try_from(start).ok()?..))
                .map(<[u8]>::to_vec),
            // What the kernel copies for a program.
            from => Some(self.bytes(from, 0, size)?),
        };
        let is_text = number >= 114;
        let found = found.and_then(|mut found| {
            if is_text {
                let end = found.iter().position(|byte| *byte == 0)?;
                found.truncate((end + 1).min(size));
                if let Some(last) = found.last_mut() {
                    *last = 0;
                }
                Some(found)
            } else {
                (found.len() >= size).then(|| found[..size].to_vec())
            }
        });
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
        let rows = self.maps[map].rows.clone();
        let count = rows.len() as u64;
        for (key, value) in rows {
            self.values.push(key);
            let key = self.values.len() - 1;
            let arguments = [
                Word::Map(map),
                Word::Pointer(Region::Value(key), 0),
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
}
