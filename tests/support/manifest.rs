//! A guest that calls WASI functions with arguments that it knows and states what it did: the arguments, what
//! came back, and how much was moved.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use ewapa_lang::wasi::{ArgType, Function, Moved};

use super::directory::Directory;

/// The most arguments that a function has.
pub const MOST_ARGUMENTS: usize = 9;

/// What a guest passes: one argument, or two for what is an address and a length.
#[derive(Debug, Clone, Copy)]
pub enum Value {
    /// A number.
    Number(u64),
    /// The address of these bytes, and their number.
    Path(&'static [u8]),
    /// The address of an array of buffers of these lengths, and the number of buffers. All buffers are at the
    /// same place.
    Buffers(&'static [u32]),
    /// The address of room for so many bytes, which are 0.
    Room(u32),
    /// The same, and the number of bytes.
    Sized(u32),
    /// The address of these words of 64 bits.
    Words(&'static [u64]),
    /// The address where a descriptor of this name is told.
    Opens(&'static str),
    /// The descriptor of this name. One that was never told is 1000, which is not open.
    Fd(&'static str),
}

/// One call of the guest.
#[derive(Debug, Clone)]
pub struct Call {
    pub function: Function,
    pub values: Vec<Value>,
}

impl Call {
    /// A call of the function of this name.
    pub fn new(function: &str, values: &[Value]) -> Call {
        let function =
            Function::named(function).unwrap_or_else(|| panic!("{function} is a WASI function"));
        let arguments: usize = values.iter().map(|value| value.arguments()).sum();
        assert_eq!(arguments, function.args().len(), "arguments of {function}");
        Call {
            function,
            values: values.to_vec(),
        }
    }

    /// The path that it passes; the first, if it passes two.
    pub fn path(&self) -> Option<&'static [u8]> {
        self.values.iter().find_map(|value| match value {
            Value::Path(path) => Some(*path),
            _ => None,
        })
    }

    /// How many buffers it passes, and how many bytes these hold.
    fn buffers(&self) -> Option<(u64, u64)> {
        self.values.iter().find_map(|value| match value {
            Value::Buffers(lengths) => Some((
                lengths.len() as u64,
                lengths.iter().copied().map(u64::from).sum(),
            )),
            _ => None,
        })
    }
}

impl Value {
    /// How many arguments it stands for.
    fn arguments(self) -> usize {
        match self {
            Value::Path(_) | Value::Buffers(_) | Value::Sized(_) => 2,
            _ => 1,
        }
    }
}

/// What the guest states of a call.
#[derive(Debug, Clone)]
pub struct Statement {
    pub call: Call,
    /// The arguments, those of 32 bits zero-extended.
    pub arguments: Vec<u64>,
    /// How many buffers it passed, and how many bytes these hold.
    pub buffers: Option<(u64, u64)>,
    pub errno: u32,
    /// The word to which the last argument of [`ArgType::Moved`] leads, or the one of `path_open` that takes the
    /// descriptor.
    pub told: u32,
}

impl Statement {
    /// How many bytes the call was asked to move; `None` if its function moves none.
    pub fn asked(&self) -> Option<u64> {
        let args = self.call.function.args();
        let length = || match self.call.function.name() {
            "fd_prestat_dir_name" => Some(2),
            _ => args.iter().position(|arg| arg.name == "buf_len"),
        };
        match self.buffers {
            Some((_, bytes)) => Some(bytes),
            None => Some(self.arguments[length()?]),
        }
    }

    /// How many bytes the call moved; `None` if its function moves none.
    pub fn moved(&self) -> Option<u32> {
        let moved = self.call.function.moved()?;
        Some(match moved {
            _ if self.errno != 0 => 0,
            Moved::Pointer(_) => self.told,
            Moved::Value(index) => self.arguments[index] as u32,
        })
    }
}

/// The guest of some calls.
#[derive(Debug)]
pub struct Manifest {
    calls: Vec<Call>,
    /// How it ends: by returning from `_start`, or by a call that it makes last and states nothing of.
    last: Option<Call>,
    /// The descriptor to which it writes its statements.
    states_to: u64,
}

/// Bytes that a statement takes: the arguments, the errno, and the word that was told.
const STATEMENT: usize = 8 * MOST_ARGUMENTS + 8;

/// Where statements are kept in the guest's memory.
const STATEMENTS: usize = 0x2_0000;

/// The guest's memory in pages of 64 KiB.
const PAGES: usize = 8;

impl Manifest {
    /// A guest that makes these calls.
    pub fn new(calls: Vec<Call>) -> Manifest {
        assert!(STATEMENTS + calls.len() * STATEMENT < PAGES * 0x1_0000);
        Manifest {
            calls,
            last: None,
            states_to: 1,
        }
    }

    /// The same, which writes its statements to this descriptor.
    pub fn stating_to(mut self, descriptor: u64) -> Manifest {
        self.states_to = descriptor;
        self
    }

    /// The same, which ends by this call.
    pub fn ending(mut self, last: Call) -> Manifest {
        self.last = Some(last);
        self
    }

    /// The module, in a folder.
    pub fn compile(&self, directory: &Directory) -> PathBuf {
        let text = self.text();
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"));
        directory.file("manifest.wasm", wasm)
    }

    /// What it stated, which is the end of what it wrote.
    pub fn statements(&self, stdout: &[u8]) -> Vec<Statement> {
        let length = self.calls.len() * STATEMENT;
        let Some(start) = stdout.len().checked_sub(length) else {
            panic!("the guest stated nothing");
        };
        let word = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let long = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        self.calls
            .iter()
            .zip(stdout[start..].chunks_exact(STATEMENT))
            .map(|(call, bytes)| Statement {
                call: call.clone(),
                buffers: call.buffers(),
                arguments: bytes[..8 * call.function.args().len()]
                    .chunks_exact(8)
                    .map(long)
                    .collect(),
                errno: word(&bytes[STATEMENT - 8..STATEMENT - 4]),
                told: word(&bytes[STATEMENT - 4..]),
            })
            .collect()
    }

    /// The call by which the guest writes its statements.
    pub fn report(&self) -> Statement {
        let length = self.calls.len() * STATEMENT;
        let [report, at] = [REPORT, REPORT + 8].map(|value| value as u64);
        let arguments = [self.states_to, report, 1, at];
        Statement {
            call: Call::new("fd_write", &arguments.map(Value::Number)),
            arguments: arguments.to_vec(),
            buffers: Some((1, length as u64)),
            errno: 0,
            told: length as u32,
        }
    }

    fn text(&self) -> String {
        let mut memory = Memory::new();
        let mut body = String::new();
        for (index, call) in self.calls.iter().enumerate() {
            memory.statement(&mut body, call, STATEMENTS + index * STATEMENT);
        }
        let length = self.calls.len() * STATEMENT;
        write!(
            body,
            "(i32.store (i32.const {REPORT}) (i32.const {STATEMENTS}))
             (i32.store (i32.const {}) (i32.const {length}))
             (drop (call $report (i32.const {}) (i32.const {REPORT}) (i32.const 1) (i32.const {})))",
            REPORT + 4,
            self.states_to,
            REPORT + 8,
        )
        .expect("write to a string");
        if let Some(last) = &self.last {
            let arguments = memory.arguments(last).join(" ");
            let call = format!("(call ${} {arguments})", last.function);
            if last.function.name() == "proc_exit" {
                body += &call;
            } else {
                write!(body, "(drop {call})").expect("write to a string");
            }
        }
        let mut functions: Vec<Function> = self.calls.iter().map(|call| call.function).collect();
        functions.extend(self.last.as_ref().map(|call| call.function));
        functions.sort_unstable();
        functions.dedup();
        let imports: String = functions.into_iter().map(import).collect();
        format!(
            "(module
              {imports}
              (import \"wasi_snapshot_preview1\" \"fd_write\" (func $report (param i32 i32 i32 i32) (result i32)))
              (memory (export \"memory\") {PAGES})
              {}
              (func (export \"_start\") {body}))",
            memory.data
        )
    }
}

/// Where the buffer of the guest's last fd_write is described.
const REPORT: usize = 64;

fn import(function: Function) -> String {
    let types: Vec<&str> = function
        .args()
        .iter()
        .map(|arg| wasm_type(arg.ty))
        .collect();
    let result = match function.name() {
        "proc_exit" => "",
        _ => "(result i32)",
    };
    format!(
        "(import \"wasi_snapshot_preview1\" \"{function}\" (func ${function} (param {}) {result}))\n",
        types.join(" ")
    )
}

fn wasm_type(ty: ArgType) -> &'static str {
    match ty {
        ArgType::U64 => "i64",
        ArgType::U32 | ArgType::Pointer | ArgType::Moved => "i32",
    }
}

/// What is where in the guest's memory.
struct Memory {
    next: usize,
    data: String,
    descriptors: BTreeMap<&'static str, usize>,
}

impl Memory {
    fn new() -> Memory {
        Memory {
            next: 256,
            data: String::new(),
            descriptors: BTreeMap::new(),
        }
    }

    fn room(&mut self, length: usize) -> usize {
        let at = self.next;
        self.next += length.next_multiple_of(8);
        assert!(self.next < STATEMENTS, "no room is left in the guest");
        at
    }

    fn bytes(&mut self, bytes: &[u8]) -> usize {
        let at = self.room(bytes.len());
        let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        writeln!(self.data, "(data (i32.const {at}) \"{escaped}\")").expect("write to a string");
        at
    }

    fn descriptor(&mut self, name: &'static str) -> usize {
        if let Some(at) = self.descriptors.get(name) {
            return *at;
        }
        let at = self.bytes(&1000u32.to_le_bytes());
        self.descriptors.insert(name, at);
        at
    }

    fn buffers(&mut self, lengths: &[u32]) -> usize {
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let place = self.room(longest as usize) as u32;
        let array: Vec<u8> = lengths
            .iter()
            .flat_map(|length| [place, *length])
            .flat_map(u32::to_le_bytes)
            .collect();
        self.bytes(&array)
    }

    /// The arguments of a call as text.
    fn arguments(&mut self, call: &Call) -> Vec<String> {
        let number = |value: usize| value.to_string();
        let mut values = Vec::new();
        for value in &call.values {
            match *value {
                Value::Number(value) => values.push(value.to_string()),
                Value::Path(path) => {
                    values.extend([number(self.bytes(path)), number(path.len())]);
                }
                Value::Buffers(lengths) => {
                    values.extend([number(self.buffers(lengths)), number(lengths.len())]);
                }
                Value::Room(length) => values.push(number(self.room(length as usize))),
                Value::Sized(length) => {
                    values.extend([number(self.room(length as usize)), length.to_string()]);
                }
                Value::Words(words) => {
                    let bytes: Vec<u8> = words.iter().copied().flat_map(u64::to_le_bytes).collect();
                    values.push(number(self.bytes(&bytes)));
                }
                Value::Opens(name) => values.push(number(self.descriptor(name))),
                Value::Fd(name) => {
                    values.push(format!("load {}", self.descriptor(name)));
                }
            }
        }
        values
            .iter()
            .zip(call.function.args())
            .map(|(value, arg)| match value.strip_prefix("load ") {
                Some(at) => format!("(i32.load (i32.const {at}))"),
                None => format!("({}.const {value})", wasm_type(arg.ty)),
            })
            .collect()
    }

    /// The call, and what the guest states of it.
    fn statement(&mut self, body: &mut String, call: &Call, at: usize) {
        let arguments = self.arguments(call);
        for (index, (argument, arg)) in arguments.iter().zip(call.function.args()).enumerate() {
            let ty = wasm_type(arg.ty);
            writeln!(
                body,
                "({ty}.store (i32.const {}) {argument})",
                at + 8 * index
            )
            .expect("write to a string");
        }
        writeln!(
            body,
            "(i32.store (i32.const {}) (call ${} {}))",
            at + STATEMENT - 8,
            call.function,
            arguments.join(" ")
        )
        .expect("write to a string");
        let told = match call.function.moved() {
            Some(Moved::Pointer(index)) => Some(index),
            _ if call.function.name() == "path_open" => Some(8),
            _ => None,
        };
        if let Some(index) = told {
            writeln!(
                body,
                "(i32.store (i32.const {}) (i32.load {}))",
                at + STATEMENT - 4,
                arguments[index]
            )
            .expect("write to a string");
        }
    }
}
