//! Makes a module count its own WASI calls: each import gets a wrapper that adds to globals of the module, and at
//! the end the module writes these to descriptor 1. What ewapa saw is held against them.
//!
//! For each column of a call the sum over all calls of a scrambled value is kept, so that two sets of calls with the
//! same sums are the same as far as that column goes.

use std::collections::BTreeMap;
use std::convert::Infallible;

use ewapa_lang::wasi::{Function, Moved};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, EntityType, ExportKind, ExportSection, FunctionSection,
    GlobalSection, GlobalType, ImportSection, InstructionSink, MemArg, MemArgTarget, Module,
    SectionId, TypeSection, ValType,
};
use wasmparser::{FuncType, Parser, Payload, TypeRef};

/// Stands before the numbers in what a module writes, behind the description of the buffer that they are in.
const MAGIC: u64 = 0x7768_6174_2049_2064;

/// Bytes before the numbers: the buffer's description, where the number of written bytes goes, and the magic.
const HEADER: u64 = 24;

/// The sums of one function, by column: `calls`, `arg0` and so on, `errno`, `bytes`.
pub type Sums = BTreeMap<String, u64>;

/// One number for a value, which differs from that of other values in most of its bits.
pub fn scrambled(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^= mixed >> 32;
    mixed = mixed.wrapping_mul(0xd6e8_feb8_6659_fd93);
    mixed ^ mixed >> 29
}

/// A WASI import.
struct Import {
    /// Its index among the functions.
    index: u32,
    name: String,
    ty: u32,
    params: Vec<ValType>,
    results: Vec<ValType>,
    /// The first of its globals, counted from the first that was added.
    first: u32,
}

impl Import {
    fn function(&self) -> Option<Function> {
        Function::named(&self.name)
    }

    /// The columns that are kept of it, one global each.
    fn columns(&self) -> Vec<String> {
        let mut columns = vec!["calls".to_owned()];
        columns.extend((0..self.params.len()).map(|index| format!("arg{index}")));
        if !self.results.is_empty() {
            columns.push("errno".to_owned());
            if self.moved().is_some() {
                columns.push("bytes".to_owned());
            }
        }
        columns
    }

    fn moved(&self) -> Option<Moved> {
        self.function()?.moved()
    }
}

/// A module that counts its calls.
pub struct Instrumented {
    /// The module.
    pub wasm: Vec<u8>,
    imports: Vec<Import>,
}

impl Instrumented {
    /// Adds the counting. The module has a memory of its own, an export `_start`, and leaves descriptor 1 open.
    pub fn new(wasm: &[u8]) -> Instrumented {
        let mut rewrite = Rewrite::read(wasm);
        let mut module = Module::new();
        utils::parse_core_module(&mut rewrite, &mut module, Parser::new(0), wasm)
            .expect("write the module again");
        Instrumented {
            wasm: module.finish(),
            imports: rewrite.imports,
        }
    }

    /// The names of the WASI functions that it imports.
    pub fn imported(&self) -> impl Iterator<Item = &str> {
        self.imports.iter().map(|import| import.name.as_str())
    }

    /// What the module counted, by function: the call by which it tells is in it. `None` if it did not come to its end.
    pub fn counted(&self, stdout: &[u8]) -> Option<BTreeMap<String, Sums>> {
        let magic = MAGIC.to_le_bytes();
        let at = stdout.windows(8).rposition(|window| window == magic)?;
        let word = |at: usize| {
            let bytes = stdout.get(at..at + 4)?;
            Some(u64::from(u32::from_le_bytes(bytes.try_into().ok()?)))
        };
        let start = at.checked_sub(16)?;
        let (address, length) = (word(start)?, word(start + 4)?);
        let mut numbers = stdout[at + 8..].chunks_exact(8);
        let mut counted: BTreeMap<String, Sums> = BTreeMap::new();
        for import in &self.imports {
            let sums = counted.entry(import.name.clone()).or_default();
            for column in import.columns() {
                let number = u64::from_le_bytes(numbers.next()?.try_into().ok()?);
                let sum = sums.entry(column).or_default();
                *sum = sum.wrapping_add(number);
            }
        }
        let sums = counted.entry("fd_write".to_owned()).or_default();
        for (column, value) in [
            ("arg0", 1),
            ("arg1", address),
            ("arg2", 1),
            ("arg3", address + 8),
            ("errno", 0),
            ("bytes", length),
        ] {
            let sum = sums.entry(column.to_owned()).or_default();
            *sum = sum.wrapping_add(scrambled(value));
        }
        *sums.entry("calls".to_owned()).or_default() += 1;
        counted.retain(|_, sums| sums["calls"] > 0);
        Some(counted)
    }
}

/// The module as it was, and what is added to it.
struct Rewrite {
    imports: Vec<Import>,
    /// What they are imported from.
    from: String,
    types: u32,
    imported_functions: u32,
    defined_functions: u32,
    globals: u32,
    /// The function that is exported as `_start`.
    start: u32,
    has_globals: bool,
}

/// Types, functions and globals that are added, by their distance from the first.
const TYPE_SCRAMBLE: u32 = 0;
const TYPE_NOTHING: u32 = 1;
const TYPE_WRITE: u32 = 2;

impl Rewrite {
    fn read(wasm: &[u8]) -> Rewrite {
        let mut types: Vec<Option<FuncType>> = Vec::new();
        let mut rewrite = Rewrite {
            imports: Vec::new(),
            from: String::new(),
            types: 0,
            imported_functions: 0,
            defined_functions: 0,
            globals: 0,
            start: u32::MAX,
            has_globals: false,
        };
        let mut next = 0;
        for payload in Parser::new(0).parse_all(wasm) {
            match payload.expect("a module") {
                Payload::TypeSection(section) => {
                    for group in section {
                        for ty in group.expect("types").types() {
                            let is_function = matches!(
                                ty.composite_type.inner,
                                wasmparser::CompositeInnerType::Func(_)
                            );
                            types.push(is_function.then(|| ty.unwrap_func().clone()));
                        }
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import.expect("an import");
                        match import.ty {
                            TypeRef::Func(ty) => {
                                if import.module.starts_with("wasi_") {
                                    rewrite.from = import.module.to_owned();
                                    let of_type = types[ty as usize].as_ref().expect("a function");
                                    let import = Import {
                                        index: rewrite.imported_functions,
                                        name: import.name.to_owned(),
                                        ty,
                                        params: of_type.params().iter().map(value_type).collect(),
                                        results: of_type.results().iter().map(value_type).collect(),
                                        first: next,
                                    };
                                    next += import.columns().len() as u32;
                                    rewrite.imports.push(import);
                                }
                                rewrite.imported_functions += 1;
                            }
                            TypeRef::Global(_) => rewrite.globals += 1,
                            _ => {}
                        }
                    }
                }
                Payload::FunctionSection(section) => rewrite.defined_functions = section.count(),
                Payload::GlobalSection(section) => rewrite.globals += section.count(),
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export.expect("an export");
                        if export.name == "_start" {
                            rewrite.start = export.index;
                        }
                    }
                }
                _ => {}
            }
        }
        rewrite.types = types.len() as u32;
        rewrite
    }

    /// The first function that is added behind those of the module.
    fn first_added(&self) -> u32 {
        self.imported_functions + 1 + self.defined_functions
    }

    fn scramble(&self) -> u32 {
        self.first_added() + self.imports.len() as u32
    }

    fn report(&self) -> u32 {
        self.scramble() + 1
    }

    fn new_start(&self) -> u32 {
        self.scramble() + 2
    }

    fn columns(&self) -> u32 {
        self.imports
            .iter()
            .map(|import| import.columns().len() as u32)
            .sum()
    }

    /// What a function is now.
    fn moved_function(&self, index: u32) -> u32 {
        match self.imports.iter().position(|import| import.index == index) {
            Some(wrapper) => self.first_added() + wrapper as u32,
            None if index < self.imported_functions => index,
            None => index + 1,
        }
    }

    fn add_globals(&self, globals: &mut GlobalSection) {
        let ty = GlobalType {
            val_type: ValType::I64,
            mutable: true,
            shared: false,
        };
        for _ in 0..self.columns() {
            globals.global(ty, &ConstExpr::i64_const(0));
        }
    }

    /// Adds the scrambled value on the stack, of 64 bits, to a global.
    fn add(&self, code: &mut InstructionSink<'_>, global: u32) {
        code.call(self.scramble())
            .global_get(self.globals + global)
            .i64_add()
            .global_set(self.globals + global);
    }

    fn wrapper(&self, import: &Import) -> wasm_encoder::Function {
        let errno = import.params.len() as u32;
        let mut function = wasm_encoder::Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        let mut global = import.first;
        code.global_get(self.globals + global)
            .i64_const(1)
            .i64_add()
            .global_set(self.globals + global);
        for (index, ty) in import.params.iter().enumerate() {
            code.local_get(index as u32);
            if *ty == ValType::I32 {
                code.i64_extend_i32_u();
            }
            global += 1;
            self.add(&mut code, global);
        }
        if import.name == "proc_exit" {
            code.call(self.report());
        }
        for index in 0..errno {
            code.local_get(index);
        }
        code.call(import.index);
        if !import.results.is_empty() {
            code.local_tee(errno).i64_extend_i32_u();
            self.add(&mut code, global + 1);
            if let Some(moved) = import.moved() {
                code.local_get(errno).if_(BlockType::Result(ValType::I64));
                code.i64_const(0).else_();
                match moved {
                    Moved::Pointer(index) => code.local_get(index as u32).i64_load32_u(at(0, 2)),
                    Moved::Value(index) => code.local_get(index as u32).i64_extend_i32_u(),
                };
                code.end();
                self.add(&mut code, global + 2);
            }
            code.local_get(errno);
        }
        code.end();
        function
    }

    /// The same as [`scrambled`].
    fn scrambling(&self) -> wasm_encoder::Function {
        let mut function = wasm_encoder::Function::new([(1, ValType::I64)]);
        function
            .instructions()
            .local_get(0)
            .i64_const(1)
            .i64_add()
            .i64_const(0x9e37_79b9_7f4a_7c15_u64 as i64)
            .i64_mul()
            .local_tee(1)
            .local_get(1)
            .i64_const(32)
            .i64_shr_u()
            .i64_xor()
            .i64_const(0xd6e8_feb8_6659_fd93_u64 as i64)
            .i64_mul()
            .local_tee(1)
            .local_get(1)
            .i64_const(29)
            .i64_shr_u()
            .i64_xor()
            .end();
        function
    }

    /// Writes the globals to descriptor 1 from a page that is added to memory.
    fn reporting(&self) -> wasm_encoder::Function {
        let length = HEADER + 8 * u64::from(self.columns());
        assert!(length < 65536, "the numbers fit into a page");
        let mut function = wasm_encoder::Function::new([(1, ValType::I32)]);
        let mut code = function.instructions();
        code.i32_const(1)
            .memory_grow(0)
            .local_tee(0)
            .i32_const(-1)
            .i32_eq();
        code.if_(BlockType::Empty).unreachable().end();
        code.local_get(0).i32_const(16).i32_shl().local_set(0);
        code.local_get(0).local_get(0).i32_store(at(0, 2));
        code.local_get(0)
            .i32_const(length as i32)
            .i32_store(at(4, 2));
        code.local_get(0)
            .i64_const(MAGIC as i64)
            .i64_store(at(16, 3));
        for global in 0..self.columns() {
            code.local_get(0)
                .global_get(self.globals + global)
                .i64_store(at(HEADER + 8 * u64::from(global), 3));
        }
        code.i32_const(1).local_get(0).i32_const(1);
        code.local_get(0).i32_const(8).i32_add();
        code.call(self.imported_functions).drop().end();
        function
    }
}

/// Bytes of the only memory from an address on.
fn at(offset: u64, align: u32) -> MemArg {
    MemArg {
        offset,
        align,
        target: MemArgTarget::Memory(0),
        ordering: None,
    }
}

fn value_type(ty: &wasmparser::ValType) -> ValType {
    match ty {
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::I32 => ValType::I32,
        other => panic!("a WASI function with {other}"),
    }
}

impl Reencode for Rewrite {
    type Error = Infallible;

    fn function_index(&mut self, index: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.moved_function(index))
    }

    fn parse_type_section(
        &mut self,
        types: &mut TypeSection,
        section: wasmparser::TypeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_type_section(self, types, section)?;
        types.ty().function([ValType::I64], [ValType::I64]);
        types.ty().function([], []);
        types.ty().function([ValType::I32; 4], [ValType::I32]);
        Ok(())
    }

    fn parse_import_section(
        &mut self,
        imports: &mut ImportSection,
        section: wasmparser::ImportSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_import_section(self, imports, section)?;
        imports.import(
            &self.from,
            "fd_write",
            EntityType::Function(self.types + TYPE_WRITE),
        );
        Ok(())
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: wasmparser::FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_function_section(self, functions, section)?;
        for import in &self.imports {
            functions.function(import.ty);
        }
        functions.function(self.types + TYPE_SCRAMBLE);
        functions.function(self.types + TYPE_NOTHING);
        functions.function(self.types + TYPE_NOTHING);
        Ok(())
    }

    fn parse_global_section(
        &mut self,
        globals: &mut GlobalSection,
        section: wasmparser::GlobalSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_global_section(self, globals, section)?;
        self.add_globals(globals);
        self.has_globals = true;
        Ok(())
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        _after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error<Infallible>> {
        // A module without globals has no section of them: it goes before the exports.
        if before == Some(SectionId::Export) && !self.has_globals {
            let mut globals = GlobalSection::new();
            self.add_globals(&mut globals);
            module.section(&globals);
        }
        Ok(())
    }

    fn parse_export(
        &mut self,
        exports: &mut ExportSection,
        export: wasmparser::Export<'_>,
    ) -> Result<(), Error<Infallible>> {
        if export.name == "_start" {
            exports.export("_start", ExportKind::Func, self.new_start());
            return Ok(());
        }
        utils::parse_export(self, exports, export)
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: wasmparser::CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        utils::parse_code_section(self, code, section)?;
        for import in &self.imports {
            code.function(&self.wrapper(import));
        }
        code.function(&self.scrambling());
        code.function(&self.reporting());
        let mut start = wasm_encoder::Function::new([]);
        let inner = self.moved_function(self.start);
        start.instructions().call(inner).call(self.report()).end();
        code.function(&start);
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        _module: &mut Module,
        _section: wasmparser::CustomSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        // Names and debug information, which tell of other indexes.
        Ok(())
    }
}
