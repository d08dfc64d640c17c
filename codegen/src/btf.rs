//! A writer of the BTF that a generated object needs (Documentation/bpf/btf.rst): map definitions,
//! function signatures, and the lines of the script.

use ewapa_templates::CALL_SIZE;

/// The identity of a type in the BTF that is being written. 0 is `void`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeId(pub u32);

const KIND_INT: u32 = 1;
const KIND_PTR: u32 = 2;
const KIND_ARRAY: u32 = 3;
const KIND_STRUCT: u32 = 4;
const KIND_TYPEDEF: u32 = 8;
const KIND_CONST: u32 = 10;
pub(crate) const KIND_FUNC: u32 = 12;
const KIND_FUNC_PROTO: u32 = 13;
const KIND_VAR: u32 = 14;
const KIND_DATASEC: u32 = 15;
pub(crate) const MAGIC: u16 = 0xeb9f;
pub(crate) const HEADER: usize = 24;

/// Where a variable or function is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linkage {
    /// Here.
    Global = 1,
    /// In another object.
    Extern = 2,
}

/// A parameter of a generated function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// `void *call`
    Call,
    /// `struct call *call`, of which the verifier only knows the size
    Record,
    /// `void *ctx`
    Context,
    /// `__u64 clause`
    Clause,
    /// `void *map`
    Map,
    /// `void *key`
    Key,
    /// `void *value`
    Value,
}

impl Parameter {
    /// What the kernel calls a function with for each row of a map; the last is the function's own.
    pub const CALLBACK: [Parameter; 4] = [
        Parameter::Map,
        Parameter::Key,
        Parameter::Value,
        Parameter::Context,
    ];
}

/// What a function of the template returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returns {
    /// `int`
    Int,
    /// `__u64`
    Unsigned,
    /// `const void *`
    Address,
}

/// The offset of a function in its section, its type, and the text of its line.
type Entry = (u32, TypeId, u32);

/// Builds the sections `.BTF` and `.BTF.ext`.
#[derive(Debug)]
pub struct Writer {
    types: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
    int: TypeId,
    /// By section: the functions' offsets with their types, and with their lines.
    code: Vec<(String, Vec<Entry>)>,
}

impl Default for Writer {
    fn default() -> Writer {
        let mut writer = Writer {
            types: Vec::new(),
            strings: vec![0],
            count: 0,
            int: TypeId(0),
            code: Vec::new(),
        };
        const SIGNED: u32 = 1 << 24;
        writer.int = writer.add("int", KIND_INT, 0, 4, &[SIGNED | 32]);
        writer
    }
}

impl Writer {
    fn string(&mut self, text: &str) -> u32 {
        let offset = self.strings.len() as u32;
        self.strings.extend(text.bytes().filter(|byte| *byte != 0));
        self.strings.push(0);
        offset
    }

    fn add(&mut self, name: &str, kind: u32, vlen: u32, size_or_type: u32, rest: &[u32]) -> TypeId {
        let name = if name.is_empty() {
            0
        } else {
            self.string(name)
        };
        for word in [name, kind << 24 | vlen, size_or_type].iter().chain(rest) {
            self.types.extend(word.to_ne_bytes());
        }
        self.count += 1;
        TypeId(self.count)
    }

    /// A member that says a number, as libbpf's `__uint` does: a pointer to an array of that length.
    fn number(&mut self, value: u32) -> TypeId {
        let int = self.int.0;
        let array = self.add("", KIND_ARRAY, 0, 0, &[int, int, value]);
        self.add("", KIND_PTR, 0, array.0, &[])
    }

    /// A map definition with these attributes, in the order given. Returns its variable.
    pub fn map(&mut self, name: &str, linkage: Linkage, attributes: &[(&str, u32)]) -> TypeId {
        let mut members = Vec::new();
        for (index, (attribute, value)) in attributes.iter().enumerate() {
            let ty = self.number(*value);
            let name = self.string(attribute);
            members.extend([name, ty.0, 64 * index as u32]);
        }
        let definition = self.add(
            "",
            KIND_STRUCT,
            attributes.len() as u32,
            8 * attributes.len() as u32,
            &members,
        );
        self.add(name, KIND_VAR, 0, definition.0, &[linkage as u32])
    }

    /// A section of variables: each with its offset and its size.
    pub fn data_section(&mut self, name: &str, variables: &[(TypeId, u32, u32)]) {
        let size = variables
            .iter()
            .map(|(_, offset, size)| offset + size)
            .max()
            .unwrap_or(0);
        let entries: Vec<u32> = variables
            .iter()
            .flat_map(|(variable, offset, size)| [variable.0, *offset, *size])
            .collect();
        self.add(name, KIND_DATASEC, variables.len() as u32, size, &entries);
    }

    /// `unsigned long long`, by the kernel's name.
    fn unsigned(&mut self) -> TypeId {
        let long = self.add("unsigned long long", KIND_INT, 0, 8, &[64]);
        self.add("__u64", KIND_TYPEDEF, 0, long.0, &[])
    }

    /// A function of another object that takes nothing.
    pub fn extern_function(&mut self, name: &str, returns: Returns) {
        let returned = match returns {
            Returns::Int => self.int,
            Returns::Unsigned => self.unsigned(),
            Returns::Address => {
                let constant = self.add("", KIND_CONST, 0, 0, &[]);
                self.add("", KIND_PTR, 0, constant.0, &[])
            }
        };
        let prototype = self.add("", KIND_FUNC_PROTO, 0, returned.0, &[]);
        self.add(name, KIND_FUNC, Linkage::Extern as u32, prototype.0, &[]);
    }

    /// A global function `int name(parameters)` at this offset of a section, and the script's text there.
    pub fn function(
        &mut self,
        name: &str,
        parameters: &[Parameter],
        text: &str,
        (section, offset): (&str, u32),
    ) {
        let mut members = Vec::new();
        for parameter in parameters {
            let (name, ty) = match parameter {
                Parameter::Call => ("call", self.add("", KIND_PTR, 0, 0, &[])),
                Parameter::Record => {
                    let record = self.add("call", KIND_STRUCT, 0, CALL_SIZE as u32, &[]);
                    ("call", self.add("", KIND_PTR, 0, record.0, &[]))
                }
                Parameter::Context => ("ctx", self.add("", KIND_PTR, 0, 0, &[])),
                Parameter::Map => ("map", self.add("", KIND_PTR, 0, 0, &[])),
                Parameter::Key => ("key", self.add("", KIND_PTR, 0, 0, &[])),
                Parameter::Value => ("value", self.add("", KIND_PTR, 0, 0, &[])),
                Parameter::Clause => ("clause", self.unsigned()),
            };
            members.extend([self.string(name), ty.0]);
        }
        let (int, count) = (self.int.0, parameters.len() as u32);
        let prototype = self.add("", KIND_FUNC_PROTO, count, int, &members);
        let function = self.add(name, KIND_FUNC, Linkage::Global as u32, prototype.0, &[]);
        let line = self.string(text);
        let entry = (offset, function, line);
        match self.code.iter_mut().find(|(known, _)| known == section) {
            Some((_, entries)) => entries.push(entry),
            None => self.code.push((section.to_owned(), vec![entry])),
        }
    }

    /// The section `.BTF`.
    pub fn types(&self) -> Vec<u8> {
        let mut out = header(HEADER as u32);
        for word in [
            0,
            self.types.len() as u32,
            self.types.len() as u32,
            self.strings.len() as u32,
        ] {
            out.extend(word.to_ne_bytes());
        }
        out.extend(&self.types);
        out.extend(&self.strings);
        out
    }

    /// The section `.BTF.ext` for all functions, and the file name for lines.
    pub fn extension(&mut self, file: &str) -> Vec<u8> {
        const FUNC_RECORD: u32 = 8;
        const LINE_RECORD: u32 = 16;
        let file = self.string(file);
        let (mut functions, mut lines) = (vec![FUNC_RECORD], vec![LINE_RECORD]);
        let mut number = 0;
        for (section, entries) in std::mem::take(&mut self.code) {
            let head = [self.string(&section), entries.len() as u32];
            functions.extend(head);
            lines.extend(head);
            for (offset, id, text) in entries {
                number += 1;
                functions.extend([offset, id.0]);
                lines.extend([offset, file, text, number << 10]);
            }
        }

        const EXT_HEADER: u32 = 32;
        let (function_bytes, line_bytes) = (4 * functions.len() as u32, 4 * lines.len() as u32);
        let mut out = header(EXT_HEADER);
        for word in [
            0,
            function_bytes,
            function_bytes,
            line_bytes,
            function_bytes + line_bytes,
            0,
        ] {
            out.extend(word.to_ne_bytes());
        }
        for word in functions.iter().chain(&lines) {
            out.extend(word.to_ne_bytes());
        }
        out
    }
}

fn header(length: u32) -> Vec<u8> {
    const VERSION: u8 = 1;
    const FLAGS: u8 = 0;
    let mut out = MAGIC.to_ne_bytes().to_vec();
    out.extend([VERSION, FLAGS]);
    out.extend(length.to_ne_bytes());
    out
}
