//! Small ELF executables built by code, with chosen symbols and code bytes.

use std::path::PathBuf;

use object::write::StreamingBuffer;
use object::write::elf::{FileHeader, ProgramHeader, SectionIndex, Sym, Writer};
use object::{Endianness, elf};

/// Code begins at this address...
pub const TEXT_ADDRESS: u64 = 0x40_1000;
/// ...and each function takes this many bytes.
pub const FUNCTION_SIZE: usize = 64;

/// `push rbp; mov rbp, rsp; pop rbp; ret`
pub const PUSH: &[u8] = &[0x55, 0x48, 0x89, 0xe5, 0x5d, 0xc3];

/// What to build.
#[derive(Default, Clone)]
pub struct Fixture {
    functions: Vec<(String, Vec<u8>)>,
    /// Another name of the function before.
    aliases: Vec<(String, usize)>,
    rodata: Vec<u8>,
    /// How many times more the last symbol is in the tables.
    copies: usize,
    stripped: bool,
    exported: bool,
    /// Sections that are not loaded: name and content.
    sections: Vec<(&'static str, Vec<u8>)>,
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture {
            rodata: b"constants\0".to_vec(),
            ..Fixture::default()
        }
    }

    /// Adds a function with this mangled name and code.
    pub fn function(mut self, name: &str, code: &[u8]) -> Fixture {
        assert!(code.len() <= FUNCTION_SIZE);
        self.functions.push((name.to_owned(), code.to_vec()));
        self
    }

    /// Adds functions that begin with a push.
    pub fn functions<N: AsRef<str>>(self, names: impl IntoIterator<Item = N>) -> Fixture {
        names
            .into_iter()
            .fold(self, |fixture, name| fixture.function(name.as_ref(), PUSH))
    }

    /// Puts the last symbol into the tables this many times more.
    pub fn again(mut self, times: usize) -> Fixture {
        self.copies = times;
        self
    }

    /// Gives the last function another name.
    pub fn alias(mut self, name: &str) -> Fixture {
        self.aliases
            .push((name.to_owned(), self.functions.len() - 1));
        self
    }

    /// Puts a text into the read-only data.
    pub fn text(mut self, text: &str) -> Fixture {
        self.rodata.extend_from_slice(text.as_bytes());
        self.rodata.push(0);
        self
    }

    /// Leaves out .symtab.
    pub fn stripped(mut self) -> Fixture {
        self.stripped = true;
        self
    }

    /// Puts the functions into .dynsym.
    pub fn exported(mut self) -> Fixture {
        self.exported = true;
        self
    }

    /// Adds a section that is not loaded.
    pub fn section(mut self, name: &'static str, content: &[u8]) -> Fixture {
        self.sections.push((name, content.to_vec()));
        self
    }

    /// Adds a build-id.
    pub fn build_id(self, id: &[u8]) -> Fixture {
        let size = u32::try_from(id.len()).unwrap().to_le_bytes();
        let note = [&[4, 0, 0, 0], &size[..], &[3, 0, 0, 0], b"GNU\0", id].concat();
        self.section(".note.gnu.build-id", &note)
    }

    /// Names a debug file, as `objcopy --add-gnu-debuglink` does.
    pub fn debug_link(self, name: &str, debug: &[u8]) -> Fixture {
        let mut content = format!("{name}\0").into_bytes();
        content.resize(content.len().next_multiple_of(4), 0);
        content.extend(crc32fast::hash(debug).to_le_bytes());
        self.section(".gnu_debuglink", &content)
    }

    /// The address of the function that was added as the n-th.
    pub fn address(n: usize) -> u64 {
        TEXT_ADDRESS + (n * FUNCTION_SIZE) as u64
    }

    /// The file.
    pub fn build(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for (_, code) in &self.functions {
            text.extend_from_slice(code);
            text.resize(text.len().next_multiple_of(FUNCTION_SIZE), 0xcc);
        }
        let symbols = self
            .functions
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (name, at));
        let symbols: Vec<(&String, usize)> = symbols
            .chain(self.aliases.iter().map(|(name, at)| (name, *at)))
            .collect();

        let last = symbols.len().saturating_sub(1);
        let entries: Vec<usize> = (0..symbols.len())
            .chain(std::iter::repeat_n(last, self.copies))
            .collect();

        let mut bytes = Vec::new();
        let mut stream = StreamingBuffer::new(&mut bytes);
        let mut writer = Writer::new(Endianness::Little, true, &mut stream);
        let static_names: Vec<_> = symbols
            .iter()
            .map(|(name, _)| writer.add_string(name.as_bytes()))
            .collect();
        let dynamic_names: Vec<_> = symbols
            .iter()
            .map(|(name, _)| writer.add_dynamic_string(name.as_bytes()))
            .collect();

        writer.reserve_file_header();
        writer.reserve_program_headers(1);
        let text_at = writer.reserve(text.len(), 0x1000);
        let rodata_at = writer.reserve(self.rodata.len(), 16);
        let sections_at: Vec<usize> = self
            .sections
            .iter()
            .map(|(_, content)| writer.reserve(content.len(), 16))
            .collect();
        writer.reserve_null_section_index();
        let text_name = writer.add_section_name(b".text");
        writer.reserve_section_index();
        let rodata_name = writer.add_section_name(b".rodata");
        writer.reserve_section_index();
        let section_names: Vec<_> = self
            .sections
            .iter()
            .map(|(name, _)| {
                writer.reserve_section_index();
                writer.add_section_name(name.as_bytes())
            })
            .collect();
        if self.exported {
            writer.reserve_null_dynamic_symbol_index();
            entries.iter().for_each(|_| {
                writer.reserve_dynamic_symbol_index();
            });
            writer.reserve_dynsym_section_index();
            writer.reserve_dynsym();
            writer.reserve_dynstr_section_index();
            writer.reserve_dynstr();
        }
        if !self.stripped {
            writer.reserve_null_symbol_index();
            entries.iter().for_each(|_| {
                writer.reserve_symbol_index(Some(SectionIndex(1)));
            });
            writer.reserve_symtab_section_index();
            writer.reserve_symtab();
            writer.reserve_strtab_section_index();
            writer.reserve_strtab();
        }
        writer.reserve_shstrtab_section_index();
        writer.reserve_shstrtab();
        writer.reserve_section_headers();

        let header = FileHeader {
            os_abi: 0,
            abi_version: 0,
            e_type: elf::ET_EXEC,
            e_machine: elf::EM_X86_64,
            e_entry: TEXT_ADDRESS,
            e_flags: 0,
        };
        writer.write_file_header(&header).unwrap();
        writer.write_align_program_headers();
        writer.write_program_header(&ProgramHeader {
            p_type: elf::PT_LOAD,
            p_flags: elf::PF_R | elf::PF_X,
            p_offset: text_at as u64,
            p_vaddr: TEXT_ADDRESS,
            p_paddr: TEXT_ADDRESS,
            p_filesz: text.len() as u64,
            p_memsz: text.len() as u64,
            p_align: 0x1000,
        });
        writer.write_align(0x1000);
        writer.write(&text);
        writer.write_align(16);
        writer.write(&self.rodata);
        for (_, content) in &self.sections {
            writer.write_align(16);
            writer.write(content);
        }
        let symbol = |name, at| Sym {
            name: Some(name),
            section: Some(SectionIndex(1)),
            st_info: elf::STB_GLOBAL << 4 | elf::STT_FUNC,
            st_other: 0,
            st_shndx: 1,
            st_value: Fixture::address(at),
            st_size: self.functions[at].1.len() as u64,
        };
        if self.exported {
            writer.write_null_dynamic_symbol();
            for entry in &entries {
                writer.write_dynamic_symbol(&symbol(dynamic_names[*entry], symbols[*entry].1));
            }
            writer.write_dynstr();
        }
        if !self.stripped {
            writer.write_null_symbol();
            for entry in &entries {
                writer.write_symbol(&symbol(static_names[*entry], symbols[*entry].1));
            }
            writer.write_strtab();
        }
        writer.write_shstrtab();
        writer.write_null_section_header();
        let section =
            |name, flags, address, offset: usize, size: usize| object::write::elf::SectionHeader {
                name: Some(name),
                sh_type: elf::SHT_PROGBITS,
                sh_flags: u64::from(flags),
                sh_addr: address,
                sh_offset: offset as u64,
                sh_size: size as u64,
                sh_link: 0,
                sh_info: 0,
                sh_addralign: 16,
                sh_entsize: 0,
            };
        writer.write_section_header(&section(
            text_name,
            elf::SHF_ALLOC | elf::SHF_EXECINSTR,
            TEXT_ADDRESS,
            text_at,
            text.len(),
        ));
        writer.write_section_header(&section(
            rodata_name,
            elf::SHF_ALLOC,
            0,
            rodata_at,
            self.rodata.len(),
        ));
        for ((name, at), (_, content)) in section_names
            .into_iter()
            .zip(sections_at)
            .zip(&self.sections)
        {
            writer.write_section_header(&section(name, 0, 0, at, content.len()));
        }
        if self.exported {
            writer.write_dynsym_section_header(0, 1);
            writer.write_dynstr_section_header(0);
        }
        if !self.stripped {
            writer.write_symtab_section_header(1);
            writer.write_strtab_section_header();
        }
        writer.write_shstrtab_section_header();
        stream.result().unwrap();
        bytes
    }

    /// Writes the file below a folder for this test run, under this name.
    pub fn save(&self, name: &str) -> PathBuf {
        save(name, &self.build())
    }
}

/// Writes bytes to a file for this test run.
pub fn save(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name.replace('/', "_"));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name.rsplit('/').next().unwrap());
    std::fs::write(&path, bytes).unwrap();
    path
}
