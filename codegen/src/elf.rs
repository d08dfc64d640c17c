//! Writes a generated program as a relocatable ELF object, as clang would for the BPF target.

use ewapa_templates::{CALL_AROUND, Counter, ELAPSED, IS_TRACED, PARENT};
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind,
    SymbolScope,
};

use crate::Error;
use crate::btf::{self, Linkage, Returns};
use crate::insn::{LDDW as LOAD_ADDRESS, Symbol as Reference};
use crate::layout::MapKind;
use crate::program::{
    COUNTERS, MAX_NAMES, MAX_STACKS, MESSAGES, Program, STACK_ROOM, ZEROS, names_of, stacks_of,
};

/// ELF relocations of the BPF target (Documentation/bpf/llvm_reloc.rst).
const R_BPF_64_64: u32 = 1;
const R_BPF_64_32: u32 = 10;

/// include/uapi/linux/bpf.h
const MAP_TYPE_HASH: u32 = 1;
const MAP_TYPE_ARRAY: u32 = 2;
const MAP_TYPE_PERCPU_ARRAY: u32 = 6;
const MAP_TYPE_STACK_TRACE: u32 = 7;
const MAP_TYPE_RINGBUF: u32 = 27;
const NO_PREALLOC: u32 = 1;

/// The bytes of the ring buffer of messages: a power of two.
const MESSAGE_BYTES: u32 = 4 << 20;

/// The functions of the template that generated code calls.
const TEMPLATE_FUNCTIONS: [(&str, Returns); 4] = [
    (IS_TRACED, Returns::Int),
    (CALL_AROUND, Returns::Address),
    (ELAPSED, Returns::Unsigned),
    (PARENT, Returns::Unsigned),
];

/// The bytes of one variable in `.maps`: one pointer for each attribute.
const ATTRIBUTES: usize = 5;

/// Writes the object.
///
/// # Errors
/// The ELF writer refuses what it was given.
pub fn write(program: &Program) -> Result<Vec<u8>, Error> {
    let endian = if cfg!(target_endian = "little") {
        Endianness::Little
    } else {
        Endianness::Big
    };
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Bpf, endian);
    let mut btf = btf::Writer::default();

    let maps = object.add_section(Vec::new(), b".maps".to_vec(), SectionKind::Data);
    let mut symbols: Vec<(Reference, SymbolId)> = Vec::new();

    let mut variables = Vec::new();
    for (name, attributes) in map_definitions(program) {
        let size = 8 * ATTRIBUTES as u64;
        let symbol = object.add_symbol(symbol(
            &name,
            SymbolKind::Data,
            SymbolSection::Section(maps),
        ));
        let offset = object.add_symbol_data(symbol, maps, &[0; 8 * ATTRIBUTES], 8);
        variables.push((
            btf.map(&name, Linkage::Global, &attributes),
            offset as u32,
            size as u32,
        ));
        symbols.push((Reference::Map(name), symbol));
    }
    // The template defines this one; the linker compares both definitions.
    let counters = object.add_symbol(symbol(COUNTERS, SymbolKind::Data, SymbolSection::Undefined));
    let attributes = definition(MAP_TYPE_PERCPU_ARRAY, Counter::COUNT, 4, 8, 0);
    variables.push((btf.map(COUNTERS, Linkage::Extern, &attributes), 0, 0));
    symbols.push((Reference::Map(COUNTERS.to_owned()), counters));
    btf.data_section(".maps", &variables);

    for (name, returns) in TEMPLATE_FUNCTIONS {
        let reference = Reference::Function(name.to_owned());
        let functions = program.functions.iter();
        let mut references = functions.flat_map(|function| &function.code.symbols);
        if references.any(|(_, known)| *known == reference) {
            let symbol = symbol(name, SymbolKind::Unknown, SymbolSection::Undefined);
            symbols.push((reference, object.add_symbol(symbol)));
            btf.extern_function(name, returns);
        }
    }

    let (mut places, mut sections) = (Vec::new(), Vec::<(&str, SectionId)>::new());
    for function in &program.functions {
        let known = sections.iter().find(|(name, _)| *name == function.section);
        let text = known.map(|(_, id)| *id).unwrap_or_else(|| {
            let name = function.section.as_bytes().to_vec();
            let id = object.add_section(Vec::new(), name, SectionKind::Text);
            sections.push((function.section, id));
            id
        });
        let symbol = object.add_symbol(symbol(
            &function.name,
            SymbolKind::Text,
            SymbolSection::Section(text),
        ));
        let bytes: Vec<u8> = function
            .code
            .insns
            .iter()
            .flat_map(|insn| insn.to_bytes())
            .collect();
        let offset = object.add_symbol_data(symbol, text, &bytes, 8);
        btf.function(
            &function.name,
            function.parameters,
            &function.text,
            (function.section, offset as u32),
        );
        symbols.push((Reference::Function(function.name.clone()), symbol));
        places.push((text, offset));
    }
    for (function, (text, base)) in program.functions.iter().zip(places) {
        for (index, reference) in &function.code.symbols {
            let symbol = symbols
                .iter()
                .find(|(known, _)| known == reference)
                .map(|(_, id)| *id);
            let r_type = match reference {
                Reference::Map(_) => R_BPF_64_64,
                Reference::Function(_) if function.code.insns[*index].code == LOAD_ADDRESS => {
                    R_BPF_64_64
                }
                Reference::Function(_) => R_BPF_64_32,
            };
            object.add_relocation(
                text,
                Relocation {
                    offset: base + 8 * *index as u64,
                    symbol: symbol.ok_or(Error::Malformed(
                        "generated code refers to an unknown symbol",
                    ))?,
                    addend: 0,
                    flags: RelocationFlags::Elf { r_type },
                },
            )?;
        }
    }

    let extension = btf.extension("script.ewq");
    for (name, bytes) in [
        (b".BTF".to_vec(), btf.types()),
        (b".BTF.ext".to_vec(), extension),
    ] {
        let section = object.add_section(Vec::new(), name, SectionKind::Metadata);
        object.append_section_data(section, &bytes, 8);
    }
    Ok(object.write()?)
}

fn symbol(name: &str, kind: SymbolKind, section: SymbolSection) -> Symbol {
    Symbol {
        name: name.as_bytes().to_vec(),
        value: 0,
        size: 0,
        kind,
        scope: SymbolScope::Dynamic,
        weak: false,
        section,
        flags: SymbolFlags::None,
    }
}

type Definition = [(&'static str, u32); ATTRIBUTES];

fn definition(
    ty: u32,
    max_entries: u32,
    key_size: usize,
    value_size: usize,
    flags: u32,
) -> Definition {
    [
        ("type", ty),
        ("max_entries", max_entries),
        ("key_size", key_size as u32),
        ("value_size", value_size as u32),
        ("map_flags", flags),
    ]
}

fn map_definitions(program: &Program) -> Vec<(String, Definition)> {
    let mut maps: Vec<_> = program
        .stores
        .iter()
        .map(|store| {
            let (ty, flags) = match store.kind {
                MapKind::PerCpuArray => (MAP_TYPE_PERCPU_ARRAY, 0),
                MapKind::HashByCpu | MapKind::Shared => (MAP_TYPE_HASH, NO_PREALLOC),
            };
            (
                store.map.clone(),
                definition(ty, store.max_rows, store.key_size, store.value_size, flags),
            )
        })
        .collect();
    maps.push((
        ZEROS.to_owned(),
        definition(MAP_TYPE_ARRAY, 1, 4, program.zeros_size(), 0),
    ));
    maps.extend(program.stacks.iter().map(|depth| {
        let definition = definition(
            MAP_TYPE_STACK_TRACE,
            MAX_STACKS,
            4,
            8 * usize::from(*depth),
            0,
        );
        (stacks_of(*depth), definition)
    }));
    if program.deepest > 0 {
        let size = 8 * usize::from(program.deepest);
        let room = definition(MAP_TYPE_ARRAY, 1, 4, size, 0);
        maps.push((STACK_ROOM.to_owned(), room));
    }
    maps.extend(program.names.iter().map(|of| {
        let definition = definition(MAP_TYPE_ARRAY, MAX_NAMES, 4, 8, 0);
        (names_of(*of).to_owned(), definition)
    }));
    if !program.messages.is_empty() {
        maps.push((
            MESSAGES.to_owned(),
            definition(MAP_TYPE_RINGBUF, MESSAGE_BYTES, 0, 0, 0),
        ));
    }
    maps
}
