//! The eBPF templates, compiled, and what they share with user space.
//!
//! `c/wasi.bpf.c` holds the life cycle of a WASI call; the compiler of scripts generates functions
//! for it: [`ENTER`], [`LEAVE`], [`SYSCALL`], [`PHASE`] and [`EVENT`]. `struct call`, the record that both sides read, is made from the
//! table of builtins of `ewapa-lang`; the structures below are the twins of `c/shared.h`.

use ewapa_lang::builtin::BUILTINS;
use ewapa_lang::types::Type;

/// The object compiled from `c/wasi.bpf.c`, with undefined references to the generated functions.
pub static WASI: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/wasi.bpf.o"));

/// The generated function that decides at entry whether a call is of interest: not 0 if it is.
pub const ENTER: &str = "ewapa_enter";

/// The generated function that takes each completed call of interest.
pub const LEAVE: &str = "ewapa_leave";

/// The generated function that does the clause with this index, its third argument, if the clause waits
/// for something that user space tells of.
pub const EVENT: &str = "ewapa_event";

/// The generated function that takes each completed system call of a traced process.
pub const SYSCALL: &str = "ewapa_syscall";

/// The generated function that takes each phase that a traced process reaches.
pub const PHASE: &str = "ewapa_phase";

/// What the names of all functions begin with that template and generated code know of each other. All of
/// the generated ones get the address of a `struct call`, and the program's context.
pub const SHARED: &str = "ewapa_";

/// A function of the template: whether the script looks at the current process.
pub const IS_TRACED: &str = "ewapa_is_traced";

/// A function of the template: the address of the record of the WASI call around the current moment, or of
/// one that has none of its values.
pub const CALL_AROUND: &str = "ewapa_call_around";

/// A function of the template: nanoseconds since the script started.
pub const ELAPSED: &str = "ewapa_elapsed";

/// A function of the template: the process that started the current one.
pub const PARENT: &str = "ewapa_parent";

/// The program that hands its first argument, the index of a clause, to [`EVENT`]. It is attached to
/// nothing, but run by user space (`BPF_PROG_TEST_RUN`).
pub const SCRIPT_EVENT: &str = "script_event";

/// The bytes of `struct call`.
pub const CALL_SIZE: usize = {
    let mut size = 0;
    let mut index = 0;
    while index < BUILTINS.len() {
        size += match BUILTINS[index].ty {
            Type::Text(bytes) => bytes as usize,
            _ => 8,
        };
        index += 1;
    }
    size
};

/// The section that each file with probes has its own map for: [`Image`].
pub const IMAGE: &str = ".rodata.image";

/// In how many ways the functions of one file may be called.
pub const IMAGE_ABIS: usize = 4;

/// What the programs on one file know of it: they are loaded for it, and the verifier removes what other files
/// would need.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Image {
    /// How its functions are called.
    pub abis: [Abi; IMAGE_ABIS],
    /// How many of these it has.
    pub count: u8,
    /// A bit for each [`Role`] that its probes have.
    pub roles: u8,
    /// Which file it is of those where guest memory is searched; [`Image::NO_NUMBER`] if there were too many.
    pub number: u8,
    /// Its functions are Go's: the programs are those for calls of goroutines.
    pub goroutines: bool,
    /// Then: where a thread keeps the goroutine that it works for.
    pub running: Running,
}

/// Where a thread of a Go program keeps the goroutine that it works for; zeros if that is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Running {
    /// From the base of FS to a pointer to the `g` that runs, in bytes.
    pub tls: i32,
    /// The offset in a `g` of a pointer to its thread, in bytes.
    pub m: u16,
    /// The offset in that of a pointer to the `g` that the thread works for, in bytes.
    pub curg: u16,
}

impl Image {
    /// How many files where guest memory is searched have a number.
    pub const NUMBERS: u8 = 64;
    /// What is found is not kept for the next call.
    pub const NO_NUMBER: u8 = 0xff;

    /// The bytes of `struct image`.
    pub fn to_bytes(self) -> Vec<u8> {
        let abis = self.abis.into_iter().flat_map(Abi::to_bytes);
        let rest = [
            self.count,
            self.roles,
            self.number,
            u8::from(self.goroutines),
        ];
        let running = self.running;
        abis.chain(rest)
            .chain(running.tls.to_ne_bytes())
            .chain(running.m.to_ne_bytes())
            .chain(running.curg.to_ne_bytes())
            .chain([0; 4])
            .collect()
    }
}

/// How a host function gets its arguments and gives its result, in numbers.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Abi {
    /// 0 unknown, 1 registers, 2 array, 3 pointer to an array, 4 captured by a closure.
    pub args: u8,
    /// The first argument's register, or the one that holds the array's address: 0 rdi to 5 r9.
    pub args_reg: u8,
    /// Bytes from one cell of the array to the next.
    pub stride: u8,
    /// 0 unknown, 1 return register, 2 first cell.
    pub errno_at: u8,
    /// 0 always, 1 if the return register's low byte is not 0, 2 if the return register is 0.
    pub valid: u8,
    /// 0 unknown, 1 host addresses, 2 register, 3 pointer in a structure, 4 to be searched, 5 by the context, 6 in a store
    /// of objects.
    pub memory: u8,
    /// The register of `memory`.
    pub memory_reg: u8,
    /// What an array of buffers looks like: 0 as the guest has it, 1 as the host does.
    pub buffers: u8,
    /// The offset in the structure, in bytes.
    pub memory_off: u16,
    /// The offset of what is captured, in bytes.
    pub args_off: u16,
    /// Of a context: the offset of its number in it, signed, and that of a pointer to this number in what is
    /// captured. In the object of a memory in a store: the offsets of a pointer to its description and of its base. In
    /// bytes.
    pub memory_more: [u16; 2],
}

impl Abi {
    /// The bytes of `struct abi`.
    pub fn to_bytes(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&[
            self.args,
            self.args_reg,
            self.stride,
            self.errno_at,
            self.valid,
            self.memory,
            self.memory_reg,
            self.buffers,
        ]);
        bytes[8..10].copy_from_slice(&self.memory_off.to_ne_bytes());
        bytes[10..12].copy_from_slice(&self.args_off.to_ne_bytes());
        bytes[12..14].copy_from_slice(&self.memory_more[0].to_ne_bytes());
        bytes[14..16].copy_from_slice(&self.memory_more[1].to_ne_bytes());
        bytes
    }
}

/// What a probe site is, as the cookie of its probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookie {
    /// Index of the WASI function; [`Cookie::NONE`] for an envelope.
    pub func: u8,
    /// What the site tells.
    pub role: Role,
    /// Index of the argument that is a descriptor, or [`Cookie::NONE`].
    pub fd_arg: u8,
    /// Index of the argument that says how many bytes moved, or [`Cookie::NONE`]; with
    /// [`Cookie::BY_VALUE`] if it is not a pointer.
    pub moved_arg: u8,
    /// Index into [`Image::abis`].
    pub abi: u8,
    /// The value of the builtin `runtime`: 24 bits.
    pub runtime: u32,
}

/// What a probe site tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// One WASI call, and which.
    Call = 0,
    /// A call from the guest to the host; a name site inside tells which.
    Envelope = 1,
    /// Which WASI function the open envelope is.
    Name = 2,
    /// An envelope that only measures what a probe costs; with a function, one that names a call.
    Calibration = 3,
    /// The guest is about to begin.
    Start = 4,
    /// A goroutine ends.
    End = 5,
}

/// A process that is traced: the value of the map `processes`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// The value of the builtin `module`.
    pub module: i64,
    /// The value of the builtin `runtime`, if one was found.
    pub runtime: i64,
    /// Whether what it does is the script's.
    pub quiet: Quiet,
}

/// Whether the system calls and phases of a process are the script's. Its WASI calls are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiet {
    /// They are. The kernel's part says 1 of one whose calls are those of goroutines.
    Not = 0,
    /// They will be: it is about to become what is traced.
    UntilExec = 2,
    /// They are not, nor are those of its children: it is this process.
    Always = 3,
}

impl Process {
    /// The words of `struct process`.
    pub fn to_words(self) -> [i64; 3] {
        [self.module, self.runtime, self.quiet as i64]
    }
}

/// The program that is told what user space has found in a process, before that goes on: the process, the
/// runtime, the module, and whether it ran before it was traced. It is attached to nothing, but run by
/// user space.
pub const PROCESS_KNOWN: &str = "process_known";

impl Cookie {
    /// No function, no argument.
    pub const NONE: u8 = 0xff;
    /// Flag of `moved_arg`: the argument is the number.
    pub const BY_VALUE: u8 = 0x80;

    /// The cookie as the kernel keeps it.
    pub fn to_u64(self) -> u64 {
        let runtime = self.runtime.to_le_bytes();
        u64::from_le_bytes([
            self.func,
            self.role as u8,
            self.fd_arg,
            self.moved_arg,
            self.abi,
            runtime[0],
            runtime[1],
            runtime[2],
        ])
    }
}

/// Something that user space has to look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A traced process has a new program; it is stopped.
    Exec(u32),
    /// A traced process has new libraries; it is stopped.
    Library(u32),
    /// A traced process has ended.
    Exit(u32),
    /// A process has begun to be a runtime that is known, by the value of the builtin; it is not stopped.
    Runtime(u32, u32),
    /// A process of the machine has new libraries, one with the name of a runtime; it is stopped.
    Stopped(u32),
    /// A process of the machine has a program of a filesystem, by its device, whose programs are not held; it is
    /// stopped.
    Filesystem(u32, u32),
}

impl Event {
    /// Reads a `struct event`.
    pub fn from_bytes(bytes: &[u8]) -> Option<Event> {
        let kind = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?);
        let pid = u32::from_ne_bytes(bytes.get(4..8)?.try_into().ok()?);
        let detail = || Some(u32::from_ne_bytes(bytes.get(8..12)?.try_into().ok()?));
        match kind {
            1 => Some(Event::Exec(pid)),
            2 => Some(Event::Library(pid)),
            3 => Some(Event::Exit(pid)),
            4 => Some(Event::Runtime(pid, detail()?)),
            5 => Some(Event::Stopped(pid)),
            6 => Some(Event::Filesystem(pid, detail()?)),
            _ => None,
        }
    }
}

/// What the map `files` says of a file that is no runtime.
pub const NO_RUNTIME: i32 = -1;

/// How many offsets lead to the file of a program: the length of `file_offsets`.
pub const FILE_OFFSETS: usize = 12;

/// What went wrong or stayed open: the index into the map `counters`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Counter {
    /// A return without its entry, or a name without its call.
    Unmatched,
    /// A call that was left without returning.
    Abandoned,
    /// A call nested too deep.
    Deep,
    /// No memory for the record of a thread or of a goroutine.
    NoThread,
    /// A call whose group found no place in its table.
    GroupsFull,
    /// Guest memory that could not be read.
    NoMemory,
    /// An event that found no place in the ring buffer.
    NoEvent,
    /// A process that found no place among those traced.
    Processes,
    /// Calls and envelopes that were opened.
    Entries,
    /// Calls and envelopes that were closed.
    Returns,
    /// A message of the script that found no place in the ring buffer.
    NoMessage,
    /// A call with more buffers than are added up.
    Buffers,
    /// A path that found no place among those of open descriptors.
    Paths,
    /// A process whose phases found no place.
    Lives,
    /// A stack that found no place: another one has it.
    Stacks,
    /// A system call of a thread that worked for a call, booked to it.
    Handed,
    /// Work that a call handed over and that found no place in the records of that.
    NoHanded,
    /// A system call of such a thread behind its answer, of which nothing tells for whom it was.
    Unbooked,
    /// A call that ended on another thread than it began on, of which the script reads what cannot be told then.
    Moved,
}

impl Counter {
    /// How many there are.
    pub const COUNT: u32 = Counter::Moved as u32 + 1;
}
