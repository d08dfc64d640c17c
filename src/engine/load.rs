//! Loads a linked object: Aya parses and relocates it and makes its maps, libbpf loads the programs.
//!
//! Aya's own loader would also parse the kernel's BTF (20 ms, 18 MB), which nothing here needs, and
//! cannot load session programs.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use aya::maps::MapData;
use aya_obj::Object;
use ewapa_templates::{IMAGE, Image};
use libbpf_sys as bpf;

use super::kernel::Offsets;
use super::needs::Needs;
use super::prepared::Prepared;

/// What the template is told before it is loaded.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the script needs.
    pub needs: Needs,
    /// Return probes fire whatever the entry probe said: with every mechanism but sessions.
    pub always_returns: bool,
    /// Ends of calls are seen at their return instructions.
    pub sees_exits: bool,
    /// Programs at calls may wait for memory.
    pub may_sleep: bool,
    /// The kernel keeps the records of threads with their tasks; else they are in a hash by thread.
    pub task_storage: bool,
    /// Where things are in the kernel's structures.
    pub offsets: Offsets,
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

/// Makes the map that stands in the place of the section [`IMAGE`].
pub struct Images {
    definition: aya_obj::Map,
    btf: Option<Arc<OwnedFd>>,
    /// The descriptor by which relocated programs have the section.
    pub section: RawFd,
}

impl Images {
    /// The map of one file.
    ///
    /// # Errors
    /// The kernel refuses it.
    pub fn map(&self, image: &Image) -> Result<MapData, Error> {
        let mut definition = self.definition.clone();
        *definition.data_mut() = image.to_bytes();
        let btf = self.btf.as_deref().map(AsFd::as_fd);
        let map = MapData::create(definition.clone(), IMAGE, btf)?;
        fill(&map, &definition)?;
        Ok(map)
    }
}

/// Maps and the descriptors of programs that the kernel has.
pub struct Loaded {
    /// By name.
    pub maps: HashMap<String, MapData>,
    object: Object,
    btf: Option<Arc<OwnedFd>>,
    image: aya_obj::Map,
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
    /// A defect of the catalogue.
    #[error(
        "its functions are called in {found} ways, and one file may have {most}: the runtime's entry in the catalogue has too many",
        most = ewapa_templates::IMAGE_ABIS
    )]
    Abis {
        /// How many there are.
        found: usize,
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
        let needs = &settings.needs;
        let reads = needs.reads.to_ne_bytes();
        let flag = |set: bool| [u8::from(set)];
        let (keeps_calls, syscall_events) = (flag(needs.keeps_calls), flag(needs.syscall_events));
        let (phases, books_handed) = (flag(needs.phases), flag(needs.books_handed));
        let may_sleep = flag(settings.may_sleep);
        let watched: Vec<u8> = needs
            .watched
            .iter()
            .flat_map(|number| number.to_ne_bytes())
            .collect();
        let Offsets {
            tgid,
            pid,
            signal,
            live,
            parent,
            fs,
            files,
        } = settings.offsets;
        let offsets = [tgid, signal, live, parent, pid, fs].map(u32::to_ne_bytes);
        let files: Vec<u8> = files
            .iter()
            .flat_map(|offset| offset.to_ne_bytes())
            .collect();
        let started = settings.started.to_ne_bytes();
        object.patch_map_data(HashMap::from([
            ("script_reads", (&reads[..], true)),
            ("sees_exits", (&[u8::from(settings.sees_exits)][..], true)),
            (
                "always_returns",
                (&[u8::from(settings.always_returns)][..], true),
            ),
            ("tgid_offset", (&offsets[0][..], true)),
            ("signal_offset", (&offsets[1][..], true)),
            ("live_offset", (&offsets[2][..], true)),
            ("parent_offset", (&offsets[3][..], true)),
            ("pid_offset", (&offsets[4][..], true)),
            ("fs_offset", (&offsets[5][..], true)),
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
            ("books_handed", (&books_handed[..], true)),
            ("may_sleep", (&may_sleep[..], true)),
            (
                "task_storage",
                (&[u8::from(settings.task_storage)][..], true),
            ),
            ("watched", (&watched[..], true)),
        ]))?;

        let btf = match aya::features().btf() {
            Some(features) => object
                .fixup_and_sanitize_btf(features)?
                .map(|btf| load_btf(&btf.to_bytes()))
                .transpose()?,
            None => None,
        };
        let definitions: Vec<(String, aya_obj::Map)> = object.maps.drain().collect();
        // A program may have 64 maps, also those in what the verifier removes: where one is not used another one
        // stands.
        let stands_for = |name| match name {
            "handed" | "helpers" if !needs.books_handed => "counters",
            "moving" if !settings.sees_exits => "counters",
            "threads_by_id" if settings.task_storage => "threads",
            "threads" if !settings.task_storage => "threads_by_id",
            _ => name,
        };
        let mut maps = HashMap::new();
        for (name, definition) in &definitions {
            if stands_for(name.as_str()) != name {
                continue;
            }
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
                    maps[stands_for(name.as_str())].fd().as_fd().as_raw_fd(),
                    definition,
                )
            }),
            &text_sections,
        )?;
        object.relocate_calls(&text_sections)?;
        let image = definitions
            .into_iter()
            .find_map(|(name, definition)| (name == IMAGE).then_some(definition))
            .ok_or_else(|| Error::Missing(IMAGE.to_owned()))?;
        Ok(Loaded {
            maps,
            object,
            btf: btf.map(Arc::new),
            image,
        })
    }

    /// What programs on a file know of it, for [`Prepared::load_for`].
    ///
    /// # Errors
    /// The object does not have the section.
    pub fn images(&self) -> Result<Images, Error> {
        Ok(Images {
            definition: self.image.clone(),
            btf: self.btf.clone(),
            section: self.map(IMAGE)?.fd().as_fd().as_raw_fd(),
        })
    }

    /// Loads one program.
    ///
    /// # Errors
    /// [`Error::Verifier`] if the kernel refuses it.
    pub fn program(&self, program: Program<'_>) -> Result<OwnedFd, Error> {
        self.prepare(program)?.load()
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
        let mut prepared = self.prepare(program)?;
        prepared.attach_to = tracepoint;
        prepared.load()
    }

    /// A program that can be loaded, also when this value is gone.
    ///
    /// # Errors
    /// The object does not have it.
    pub fn prepare(&self, program: Program<'_>) -> Result<Prepared, Error> {
        let missing = || Error::Missing(program.name.to_owned());
        let definition = self.object.programs.get(program.name).ok_or_else(missing)?;
        let function = self
            .object
            .functions
            .get(&definition.function_key())
            .ok_or_else(missing)?;
        Ok(Prepared {
            name: program.name.to_owned(),
            ty: program.ty,
            attach_type: program.attach_type,
            attach_to: 0,
            may_sleep: false,
            license: definition.license.clone(),
            function: function.clone(),
            btf: self.btf.clone(),
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

    use ewapa_templates::{Abi, IMAGE_ABIS, Role};

    use super::*;
    use crate::engine::attach::Mechanism;
    use crate::engine::probes::Probes;
    use crate::engine::{abi, kernel};

    /// Some files: each way of calling that the catalogue has, alone and beside the others.
    fn images() -> Vec<Image> {
        let abis: Vec<_> = Catalogue::in_use().abis().iter().map(abi::encode).collect();
        let alone = |roles| {
            move |abi: &Abi| {
                let mut image = Image {
                    count: 1,
                    roles,
                    ..Image::default()
                };
                image.abis[0] = *abi;
                image
            }
        };
        let call = 1 << Role::Call as u8;
        let named = 1 << Role::Envelope as u8 | 1 << Role::Name as u8 | 1 << Role::Start as u8;
        let beside = abis.chunks(IMAGE_ABIS).map(|abis| {
            let mut image = Image {
                count: abis.len() as u8,
                roles: named | call,
                ..Image::default()
            };
            image.abis[..abis.len()].copy_from_slice(abis);
            image
        });
        let of_goroutines = beside.clone().map(|image| Image {
            roles: image.roles | 1 << Role::End as u8,
            goroutines: true,
            ..image
        });
        abis.iter()
            .map(alone(call))
            .chain(abis.iter().map(alone(named)))
            .chain(beside)
            .chain(of_goroutines)
            .collect()
    }

    fn load_each(needs: Needs, may_sleep: bool, follows_all: bool, task_storage: bool) {
        let generated = program::generate(&Plan::default()).expect("generate");
        let object = elf::write(&generated).expect("write");
        let linked = link::link(ewapa_templates::WASI, &object).expect("link");
        let books_handed = needs.books_handed;
        let settings = Settings {
            needs,
            always_returns: false,
            sees_exits: follows_all,
            may_sleep,
            task_storage,
            offsets: kernel::offsets().expect("a kernel with BTF"),
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
        for mechanism in [Mechanism::Session, Mechanism::Exits] {
            let probes = Probes::prepare(&loaded, mechanism, may_sleep).expect("prepare");
            for image in images() {
                if let Err(Error::Verifier { program, log, .. }) = probes.load(&image) {
                    panic!(
                        "{program}, {image:?}: {}",
                        &log[log.len().saturating_sub(4000)..]
                    );
                }
            }
        }
        for name in [
            "process_fork",
            "process_exec",
            "process_exit",
            "process_known",
            "syscall_enter",
            "syscall_exit",
            "goroutine_syscall_enter",
            "goroutine_syscall_exit",
            "thread_wakes",
            "script_event",
        ] {
            check(loaded.program(Program {
                name,
                ty: bpf::BPF_PROG_TYPE_RAW_TRACEPOINT,
                attach_type: 0,
            }));
        }
        if !task_storage {
            check(loaded.program(Program {
                name: "thread_switch",
                ty: bpf::BPF_PROG_TYPE_RAW_TRACEPOINT,
                attach_type: 0,
            }));
            return;
        }
        let mut typed = vec![
            ("thread_switch", "sched_switch"),
            ("thread_starts", "sched_process_fork"),
        ];
        if books_handed {
            typed.push(("thread_hands_over", "sched_waking"));
        }
        for (name, tracepoint) in typed {
            let id = kernel::tracepoint_type(tracepoint).expect("the kernel has it");
            check(loaded.typed_program(name, id));
        }
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
            books_handed: true,
            syscall_events: true,
            phases: true,
            watched: [1, 2, 3, 4],
            ..nothing.clone()
        };
        for task_storage in [true, false] {
            load_each(nothing.clone(), false, false, task_storage);
            load_each(nothing.clone(), false, true, task_storage);
            load_each(everything.clone(), false, false, task_storage);
            load_each(everything.clone(), true, false, task_storage);
            load_each(everything.clone(), true, true, task_storage);
        }
    }
}
