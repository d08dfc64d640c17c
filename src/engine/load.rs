//! Loads a linked object: Aya parses and relocates it and makes its maps, libbpf loads the programs.
//!
//! Aya's own loader would also parse the kernel's BTF (20 ms, 18 MB), which nothing here needs, and
//! cannot load session programs.

use std::collections::{HashMap, HashSet};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use aya::maps::MapData;
use aya_obj::Object;
use ewapa_templates::Abi;
use libbpf_sys as bpf;

use super::kernel::Offsets;
use super::needs::Needs;

/// What the template is told before it is loaded.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the script needs.
    pub needs: Needs,
    /// Return probes fire whatever the entry probe said: with every mechanism but sessions.
    pub always_returns: bool,
    /// Programs at calls may wait for memory.
    pub may_sleep: bool,
    /// Where things are in the kernel's structures.
    pub offsets: Offsets,
    /// The ways that host functions get arguments and give results.
    pub abis: Vec<Abi>,
    /// Raw probes fire in every process, and not only in traced ones.
    pub all_processes: bool,
    /// WASI calls of every process count, also of those that begin later.
    pub follows_all: bool,
    /// Where every process counts: one with a new library that has a runtime's name is stopped.
    pub holds_libraries: bool,
    /// When the script started: nanoseconds of the monotonic clock.
    pub started: u64,
}

/// A program of the linked object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Program<'a> {
    /// The symbol in the linked object.
    pub name: &'a str,
    /// `BPF_PROG_TYPE_*`
    pub ty: u32,
    /// `BPF_TRACE_*`, or 0.
    pub attach_type: u32,
}

/// Maps and the descriptors of programs that the kernel has.
pub struct Loaded {
    /// By name.
    pub maps: HashMap<String, MapData>,
    object: Object,
    btf: Option<OwnedFd>,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The object is not one that Aya can parse: a defect of the compiler.
    #[error("cannot read the linked object: {0}")]
    Parse(#[from] aya_obj::ParseError),
    /// The object's BTF: a defect of the compiler.
    #[error("cannot prepare the BTF of the linked object: {0}")]
    Btf(#[from] aya_obj::btf::BtfError),
    /// The object's relocations: a defect of the compiler.
    #[error("cannot relocate the linked object: {0}")]
    Relocate(#[from] aya_obj::relocation::EbpfRelocationError),
    /// The kernel refused a map.
    #[error("the kernel refused a map: {0}")]
    Map(#[from] aya::maps::MapError),
    /// A call into the kernel failed.
    #[error("{what} failed: {source}")]
    Kernel {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The verifier refused a program.
    #[error(
        "the kernel refused the program `{program}`: {source}; this is a defect of ewapa, `-v` shows the verifier's log"
    )]
    Verifier {
        /// The program's name.
        program: String,
        /// The kernel's answer.
        source: io::Error,
        /// What the verifier wrote.
        log: String,
    },
    /// Not a map or program of the object: a defect of the engine.
    #[error("the linked object has no `{0}`")]
    Missing(String),
}

fn last_error(what: &str) -> Error {
    Error::Kernel {
        what: what.to_owned(),
        source: io::Error::last_os_error(),
    }
}

impl Loaded {
    /// Parses the object and makes its maps.
    ///
    /// # Errors
    /// The object is malformed or the kernel refuses a map.
    pub fn new(linked: &[u8], settings: &Settings) -> Result<Loaded, Error> {
        let mut object = Object::parse(linked)?;
        let abis: Vec<u8> = settings
            .abis
            .iter()
            .flat_map(|abi| abi.to_bytes())
            .collect();
        let mut abi_table = vec![0; ewapa_templates::MAX_ABIS * 16];
        abi_table[..abis.len()].copy_from_slice(&abis);
        let needs = &settings.needs;
        let reads = needs.reads.to_ne_bytes();
        let flag = |set: bool| [u8::from(set)];
        let (keeps_calls, syscall_events) = (flag(needs.keeps_calls), flag(needs.syscall_events));
        let phases = flag(needs.phases);
        let may_sleep = flag(settings.may_sleep);
        let watched: Vec<u8> = needs
            .watched
            .iter()
            .flat_map(|number| number.to_ne_bytes())
            .collect();
        let Offsets {
            tgid,
            signal,
            live,
            parent,
            files,
        } = settings.offsets;
        let offsets = [tgid, signal, live, parent].map(u32::to_ne_bytes);
        let files: Vec<u8> = files
            .iter()
            .flat_map(|offset| offset.to_ne_bytes())
            .collect();
        let started = settings.started.to_ne_bytes();
        object.patch_map_data(HashMap::from([
            ("script_reads", (&reads[..], true)),
            (
                "always_returns",
                (&[u8::from(settings.always_returns)][..], true),
            ),
            ("tgid_offset", (&offsets[0][..], true)),
            ("signal_offset", (&offsets[1][..], true)),
            ("live_offset", (&offsets[2][..], true)),
            ("parent_offset", (&offsets[3][..], true)),
            ("file_offsets", (&files[..], true)),
            (
                "holds_libraries",
                (&[u8::from(settings.holds_libraries)][..], true),
            ),
            (
                "all_processes",
                (&[u8::from(settings.all_processes)][..], true),
            ),
            ("follows_all", (&[u8::from(settings.follows_all)][..], true)),
            ("started", (&started[..], true)),
            ("keeps_calls", (&keeps_calls[..], true)),
            ("syscall_events", (&syscall_events[..], true)),
            ("phases", (&phases[..], true)),
            ("may_sleep", (&may_sleep[..], true)),
            ("watched", (&watched[..], true)),
            ("abis", (&abi_table[..], true)),
        ]))?;

        let btf = match aya::features().btf() {
            Some(features) => object
                .fixup_and_sanitize_btf(features)?
                .map(|btf| load_btf(&btf.to_bytes()))
                .transpose()?,
            None => None,
        };
        let definitions: Vec<(String, aya_obj::Map)> = object.maps.drain().collect();
        let mut maps = HashMap::new();
        for (name, definition) in &definitions {
            let map = MapData::create(definition.clone(), name, btf.as_ref().map(AsFd::as_fd))?;
            fill(&map, definition)?;
            maps.insert(name.clone(), map);
        }
        let text_sections: HashSet<usize> = object
            .functions
            .keys()
            .map(|(section, _)| *section)
            .collect();
        object.relocate_maps(
            definitions.iter().map(|(name, definition)| {
                (
                    name.as_str(),
                    maps[name].fd().as_fd().as_raw_fd(),
                    definition,
                )
            }),
            &text_sections,
        )?;
        object.relocate_calls(&text_sections)?;
        Ok(Loaded { maps, object, btf })
    }

    /// Loads one program.
    ///
    /// # Errors
    /// [`Error::Verifier`] if the kernel refuses it.
    pub fn program(&self, program: Program<'_>) -> Result<OwnedFd, Error> {
        self.load(program, 0, 0)
    }

    /// Loads a program for a tracepoint whose arguments are typed: by this id in the kernel's BTF.
    ///
    /// # Errors
    /// [`Error::Verifier`] if the kernel refuses it.
    pub fn typed_program(&self, name: &'static str, tracepoint: u32) -> Result<OwnedFd, Error> {
        let program = Program {
            name,
            ty: bpf::BPF_PROG_TYPE_TRACING,
            attach_type: bpf::BPF_TRACE_RAW_TP,
        };
        self.load(program, tracepoint, 0)
    }

    /// Loads a program that may wait for memory of the process.
    ///
    /// # Errors
    /// [`Error::Verifier`] if the kernel refuses it.
    pub fn sleeping_program(&self, program: Program<'_>) -> Result<OwnedFd, Error> {
        self.load(program, 0, bpf::BPF_F_SLEEPABLE)
    }

    fn load(&self, program: Program<'_>, attach_to: u32, flags: u32) -> Result<OwnedFd, Error> {
        let missing = || Error::Missing(program.name.to_owned());
        let definition = self.object.programs.get(program.name).ok_or_else(missing)?;
        let function = self
            .object
            .functions
            .get(&definition.function_key())
            .ok_or_else(missing)?;
        let name = CString::new(program.name).map_err(|_| missing())?;
        let func_info = function.func_info.func_info_bytes();
        let line_info = function.line_info.line_info_bytes();

        // SAFETY: the structure is plain data; zero is its default.
        let mut options: bpf::bpf_prog_load_opts = unsafe { std::mem::zeroed() };
        options.sz = size_of::<bpf::bpf_prog_load_opts>() as _;
        options.expected_attach_type = program.attach_type;
        options.attach_btf_id = attach_to;
        options.prog_flags = flags;
        if let Some(btf) = &self.btf {
            options.prog_btf_fd = btf.as_raw_fd() as u32;
            options.func_info = func_info.as_ptr().cast();
            options.func_info_cnt = function.func_info.func_info.len() as u32;
            options.func_info_rec_size = function.func_info_rec_size as u32;
            options.line_info = line_info.as_ptr().cast();
            options.line_info_cnt = function.line_info.line_info.len() as u32;
            options.line_info_rec_size = function.line_info_rec_size as u32;
        }
        let load = |options: &bpf::bpf_prog_load_opts| {
            // SAFETY: name, licence, instructions and what the options point to live across the call;
            // aya's and libbpf's instruction are the kernel's `struct bpf_insn`.
            unsafe {
                bpf::bpf_prog_load(
                    program.ty,
                    name.as_ptr(),
                    definition.license.as_ptr(),
                    function.instructions.as_ptr().cast(),
                    function.instructions.len() as _,
                    std::ptr::from_ref(options).cast_mut(),
                )
            }
        };
        let fd = load(&options);
        if fd >= 0 {
            // SAFETY: a new descriptor that is ours.
            return Ok(unsafe { OwnedFd::from_raw_fd(fd) });
        }
        let source = io::Error::from_raw_os_error(-fd);
        let mut log = vec![0u8; 1 << 20];
        options.log_level = 1;
        options.log_buf = log.as_mut_ptr().cast();
        options.log_size = log.len() as u32;
        let second = load(&options);
        if second >= 0 {
            // SAFETY: a new descriptor that is ours.
            return Ok(unsafe { OwnedFd::from_raw_fd(second) });
        }
        let end = log.iter().position(|byte| *byte == 0).unwrap_or(log.len());
        let log = String::from_utf8_lossy(&log[..end]).into_owned();
        Err(Error::Verifier {
            program: program.name.to_owned(),
            source,
            log,
        })
    }

    /// The map of this name.
    ///
    /// # Errors
    /// There is none.
    pub fn map(&self, name: &str) -> Result<&MapData, Error> {
        self.maps
            .get(name)
            .ok_or_else(|| Error::Missing(name.to_owned()))
    }

    /// Takes the map of this name out, for a type that owns it.
    ///
    /// # Errors
    /// There is none.
    pub fn take_map(&mut self, name: &str) -> Result<MapData, Error> {
        self.maps
            .remove(name)
            .ok_or_else(|| Error::Missing(name.to_owned()))
    }
}

fn load_btf(bytes: &[u8]) -> Result<OwnedFd, Error> {
    // SAFETY: the bytes live across the call.
    let fd = unsafe {
        bpf::bpf_btf_load(
            bytes.as_ptr().cast(),
            bytes.len() as _,
            std::ptr::null_mut(),
        )
    };
    if fd < 0 {
        return Err(last_error("loading the BTF of the linked object"));
    }
    // SAFETY: a new descriptor that is ours.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Writes the initial contents of a data section, and freezes what is constant so that the verifier
/// may rely on it.
fn fill(map: &MapData, definition: &aya_obj::Map) -> Result<(), Error> {
    let fd = map.fd().as_fd().as_raw_fd();
    if !definition.data().is_empty() {
        let key = 0u32;
        // SAFETY: key and value are as long as the map's definition, from which it was made, says.
        let result = unsafe {
            bpf::bpf_map_update_elem(
                fd,
                std::ptr::from_ref(&key).cast(),
                definition.data().as_ptr().cast(),
                0,
            )
        };
        if result != 0 {
            return Err(last_error("writing the template's settings"));
        }
    }
    if definition.section_kind() == aya_obj::EbpfSectionKind::Rodata {
        // SAFETY: the descriptor is open.
        if unsafe { bpf::bpf_map_freeze(fd) } != 0 {
            return Err(last_error("freezing the template's settings"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ewapa_codegen::{elf, link, program};
    use ewapa_lang::plan::Plan;
    use ewapa_symbols::Catalogue;

    use super::*;
    use crate::engine::{abi, kernel};

    fn load_each(needs: Needs, may_sleep: bool, follows_all: bool) {
        let generated = program::generate(&Plan::default()).expect("generate");
        let object = elf::write(&generated).expect("write");
        let linked = link::link(ewapa_templates::WASI, &object).expect("link");
        let settings = Settings {
            needs,
            always_returns: false,
            may_sleep,
            offsets: kernel::offsets().expect("a kernel with BTF"),
            abis: Catalogue::in_use().abis().iter().map(abi::encode).collect(),
            all_processes: false,
            follows_all,
            holds_libraries: follows_all,
            started: kernel::now(),
        };
        let loaded = Loaded::new(&linked, &settings).expect("maps");
        let check = |result: Result<OwnedFd, Error>| {
            if let Err(Error::Verifier { program, log, .. }) = &result {
                panic!("{program}: {}", &log[log.len().saturating_sub(4000)..]);
            }
            result.expect("load");
        };
        let session = Program {
            name: "wasi_session",
            ty: bpf::BPF_PROG_TYPE_KPROBE,
            attach_type: bpf::BPF_TRACE_UPROBE_SESSION,
        };
        check(if may_sleep {
            loaded.sleeping_program(session)
        } else {
            loaded.program(session)
        });
        check(loaded.program(Program {
            name: "library_loaded",
            ty: bpf::BPF_PROG_TYPE_KPROBE,
            attach_type: bpf::BPF_TRACE_UPROBE_MULTI,
        }));
        for name in [
            "process_fork",
            "process_exec",
            "process_exit",
            "process_known",
            "syscall_enter",
            "syscall_exit",
            "thread_wakes",
            "script_event",
        ] {
            check(loaded.program(Program {
                name,
                ty: bpf::BPF_PROG_TYPE_RAW_TRACEPOINT,
                attach_type: 0,
            }));
        }
        let switch = kernel::tracepoint_type("sched_switch").expect("the kernel switches threads");
        check(loaded.typed_program("thread_switch", switch));
    }

    /// Needs root, as the kernel verifies what is loaded.
    #[test]
    fn the_kernel_takes_every_program_whatever_is_switched_on() {
        // SAFETY: a system call without arguments.
        if unsafe { libc::geteuid() } != 0 {
            eprintln!("SKIPPED: programs are loaded by root only");
            return;
        }
        let nothing = Needs::of(&Plan::default());
        let everything = Needs {
            reads: !0,
            keeps_calls: true,
            syscall_events: true,
            phases: true,
            watched: [1, 2, 3, 4],
            ..nothing.clone()
        };
        load_each(nothing.clone(), false, false);
        load_each(nothing, false, true);
        load_each(everything.clone(), false, false);
        load_each(everything.clone(), true, false);
        load_each(everything, true, true);
    }
}
