//! Runs generated code in the kernel: linked with the template as the engine does, loaded by libbpf, and
//! called by a program that hands it a record from a map.

use std::ffi::{CStr, CString};
use std::ptr;

use ewapa_templates::{CALL_SIZE, Counter, ENTER, EVENT, LEAVE, PHASE, SYSCALL, WASI};
use libbpf_sys as bpf;

use crate::btf::Parameter;
use crate::insn::{Alu, Assembler, Cond, Helper, R0, R1, R2, R3, R7, R9, R10};
use crate::layout::{MapKind, StoreLayout};
use crate::program::{Function, MESSAGES, Program};
use crate::tests::terms::Call;
use crate::{elf, link};

/// The program that calls the generated functions.
const HARNESS: &str = "harness";
/// The map with the record, and behind it what is called.
pub const INPUT: &str = "input";
/// What the word behind the record says.
const CALL_ENTER: u64 = 0;
const CALL_LEAVE: u64 = 1;
const CALL_EVENT: u64 = 2;
const CALL_SYSCALL: u64 = 3;
const CALL_PHASE: u64 = 4;
const INPUT_SIZE: usize = CALL_SIZE + 16;

/// A program that the kernel has taken.
pub struct Kernel {
    object: *mut bpf::bpf_object,
    harness: i32,
    cpus: usize,
    links: Vec<*mut bpf::bpf_link>,
}

impl Drop for Kernel {
    fn drop(&mut self) {
        // SAFETY: the links and the object were made by this, and each is given back once.
        unsafe {
            for link in self.links.drain(..) {
                bpf::bpf_link__destroy(link);
            }
            bpf::bpf_object__close(self.object);
        }
    }
}

/// Hands the record in the map of inputs to the function that the word behind it says.
fn harness() -> Function {
    let mut asm = Assembler::default();
    let (end, leave, event) = (asm.label(), asm.label(), asm.label());
    let word = |offset: usize| i16::try_from(CALL_SIZE + offset).expect("a small record");
    asm.mov(R9, R1);
    asm.store_imm(R10, -8, 0);
    asm.map(R1, INPUT);
    asm.mov(R2, R10);
    asm.alu_imm(Alu::Add, R2, -8);
    asm.call(Helper::MapLookup);
    asm.jump_if_imm(Cond::Eq, R0, 0, end);
    asm.mov(R7, R0);
    asm.load(R3, R7, word(0));
    asm.mov(R1, R7);
    asm.mov(R2, R9);
    asm.jump_if_imm(Cond::Eq, R3, CALL_LEAVE as i32, leave);
    asm.jump_if_imm(Cond::Eq, R3, CALL_EVENT as i32, event);
    for (what, function) in [(CALL_SYSCALL, SYSCALL), (CALL_PHASE, PHASE)] {
        let other = asm.label();
        asm.jump_if_imm(Cond::Ne, R3, what as i32, other);
        asm.call_function(function);
        asm.exit();
        asm.place(other);
    }
    asm.call_function(ENTER);
    asm.exit();
    asm.place(leave);
    asm.call_function(LEAVE);
    asm.exit();
    asm.place(event);
    asm.load(R3, R7, word(8));
    asm.call_function(EVENT);
    asm.exit();
    asm.place(end);
    asm.constant(R0, 0);
    asm.exit();
    Function {
        name: HARNESS.to_owned(),
        parameters: &[Parameter::Context],
        text: "the harness".to_owned(),
        code: asm.finish().expect("short jumps"),
        stack: 8,
        section: "raw_tp/harness",
    }
}

/// What libbpf says while it loads: the verifier's log.
unsafe extern "C" fn quiet(
    _level: bpf::libbpf_print_level,
    _format: *const std::os::raw::c_char,
    _arguments: *mut bpf::__va_list_tag,
) -> i32 {
    0
}

impl Kernel {
    /// Links and loads the program, and the programs of its raw probes.
    pub fn load(program: &Program) -> Result<Kernel, String> {
        Kernel::load_with(program, &[])
    }

    /// The same, and these programs of the template or of the generated object.
    pub fn load_with(program: &Program, others: &[&str]) -> Result<Kernel, String> {
        let mut program = program.clone();
        program.functions.push(harness());
        program.stores.push(StoreLayout {
            map: INPUT.to_owned(),
            kind: MapKind::PerCpuArray,
            keys: Vec::new(),
            key_size: 4,
            slots: Vec::new(),
            value_size: INPUT_SIZE,
            max_rows: 1,
        });
        let object = elf::write(&program).map_err(|error| error.to_string())?;
        let linked = link::link(WASI, &object).map_err(|error| error.to_string())?;
        let mut log = vec![0u8; 1 << 22];
        // SAFETY: the bytes, the names and the log live until the object is loaded; programs belong to it.
        unsafe {
            bpf::libbpf_set_print(Some(quiet));
            let object =
                bpf::bpf_object__open_mem(linked.as_ptr().cast(), linked.len() as _, ptr::null());
            if object.is_null() {
                return Err("libbpf cannot open the object".to_owned());
            }
            let mut kernel = Kernel {
                object,
                harness: -1,
                cpus: bpf::libbpf_num_possible_cpus() as usize,
                links: Vec::new(),
            };
            let mut each = bpf::bpf_object__next_program(object, ptr::null_mut());
            while !each.is_null() {
                let name = CStr::from_ptr(bpf::bpf_program__name(each)).to_string_lossy();
                let ours = name == HARNESS
                    || others.contains(&&*name)
                    || program.raw.iter().any(|raw| raw.name == name);
                bpf::bpf_program__set_autoload(each, ours);
                if ours {
                    bpf::bpf_program__set_log_buf(each, log.as_mut_ptr().cast(), log.len() as _);
                    bpf::bpf_program__set_log_level(
                        each,
                        u32::from(std::env::var_os("LOG").is_some()) * 2,
                    );
                }
                each = bpf::bpf_object__next_program(object, each);
            }
            if bpf::bpf_object__load(object) != 0 {
                let end = log.iter().position(|byte| *byte == 0).unwrap_or(0);
                let log = String::from_utf8_lossy(&log[..end]);
                let from = log.len().saturating_sub(20_000);
                return Err(format!("refused: {}", log.get(from..).unwrap_or(&log)));
            }
            kernel.harness = kernel.program(HARNESS);
            Ok(kernel)
        }
    }

    /// One call from its entry to its end.
    pub fn take(&self, cpu: u64, call: &Call) {
        if self.run(cpu, &call.at_entry().to_bytes(), CALL_ENTER, 0) != 0 {
            self.run(cpu, &call.to_bytes(), CALL_LEAVE, 0);
        }
    }

    /// The event that is no call of the clause with this index.
    pub fn happen(&self, cpu: u64, clause: usize) {
        self.run(cpu, &Call::blank().to_bytes(), CALL_EVENT, clause as u64);
    }

    /// A system call, or a phase.
    pub fn other(&self, cpu: u64, call: &Call, is_syscall: bool) {
        let what = if is_syscall { CALL_SYSCALL } else { CALL_PHASE };
        self.run(cpu, &call.to_bytes(), what, 0);
    }

    /// Runs a program of raw tracepoints with this context. The record is that in the map of inputs.
    pub fn run_raw(&self, name: &str, cpu: u64, record: &Call, context: &[u8]) {
        self.give(&record.to_bytes(), 0, 0);
        self.test_run(self.program(name), cpu, context);
    }

    /// Attaches a program to a place of this process.
    pub fn attach(&mut self, name: &str, offset: u64) {
        let name = CString::new(name).expect("a name");
        // SAFETY: the object is open, and the names are C strings; the link is given back once.
        unsafe {
            let program = bpf::bpf_object__find_program_by_name(self.object, name.as_ptr());
            let file = c"/proc/self/exe".as_ptr();
            let link = bpf::bpf_program__attach_uprobe(program, false, 0, file, offset);
            assert!(!link.is_null(), "{name:?} is attached at {offset:#x}");
            self.links.push(link);
        }
    }

    /// What programs find in the map of inputs: the record, and what is behind it.
    pub fn give(&self, call: &[u8], what: u64, clause: u64) {
        let mut input = call.to_vec();
        input.extend(what.to_ne_bytes());
        input.extend(clause.to_ne_bytes());
        assert_eq!(input.len(), INPUT_SIZE);
        let (key, values) = (0u32, input.repeat(self.cpus));
        // SAFETY: key and values are as large as the map's definition says.
        let updated = unsafe {
            let values = values.as_ptr().cast();
            bpf::bpf_map_update_elem(self.map(INPUT), ptr::from_ref(&key).cast(), values, 0)
        };
        assert_eq!(updated, 0, "the input is written");
    }

    fn run(&self, cpu: u64, call: &[u8], what: u64, clause: u64) -> u32 {
        self.give(call, what, clause);
        self.test_run(self.harness, cpu, &[])
    }

    fn program(&self, name: &str) -> i32 {
        let name = CString::new(name).expect("a name");
        // SAFETY: the object is open, and the name a C string.
        unsafe {
            let program = bpf::bpf_object__find_program_by_name(self.object, name.as_ptr());
            bpf::bpf_program__fd(program)
        }
    }

    fn test_run(&self, program: i32, cpu: u64, context: &[u8]) -> u32 {
        const RUN_ON_CPU: u32 = 1;
        on_cpu(cpu as usize);
        let mut options = bpf::bpf_test_run_opts {
            sz: size_of::<bpf::bpf_test_run_opts>() as _,
            flags: RUN_ON_CPU,
            cpu: cpu as u32,
            ctx_in: if context.is_empty() {
                ptr::null()
            } else {
                context.as_ptr().cast()
            },
            ctx_size_in: context.len() as u32,
            ..bpf::bpf_test_run_opts::default()
        };
        // SAFETY: the program is loaded, and the context outlives its run.
        let run = unsafe { bpf::bpf_prog_test_run_opts(program, &mut options) };
        assert_eq!(run, 0, "the program is run");
        options.retval
    }

    fn map(&self, name: &str) -> i32 {
        let name = CString::new(name).expect("a name");
        // SAFETY: the object is open, and the name a C string.
        unsafe { bpf::bpf_object__find_map_fd_by_name(self.object, name.as_ptr()) }
    }

    /// In which order a loop goes over these keys of a map, which has only some of them now.
    pub fn order(&self, map: &str, keys: &[Vec<u8>], value_size: usize) -> Vec<Vec<u8>> {
        let (fd, value) = (self.map(map), vec![0u8; value_size]);
        for key in keys {
            // SAFETY: key and value are as large as the map's definition says.
            unsafe {
                bpf::bpf_map_update_elem(fd, key.as_ptr().cast(), value.as_ptr().cast(), 0);
            }
        }
        self.rows(map).into_iter().map(|(key, _)| key).collect()
    }

    /// The rows of a map: key and value. The key of a map that each CPU has for itself begins with the CPU.
    pub fn rows(&self, name: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
        let name = CString::new(name).expect("a name");
        // SAFETY: the object is open; keys and values are as large as the map says, times the CPUs for a
        // map that each of them has values in.
        unsafe {
            let map = bpf::bpf_object__find_map_by_name(self.object, name.as_ptr());
            let fd = bpf::bpf_map__fd(map);
            let per_cpu = bpf::bpf_map__type(map) == bpf::BPF_MAP_TYPE_PERCPU_ARRAY;
            let mut key = vec![0u8; bpf::bpf_map__key_size(map) as usize];
            let size = bpf::bpf_map__value_size(map) as usize;
            let mut value = vec![0u8; size * if per_cpu { self.cpus } else { 1 }];
            let (mut rows, mut before) = (Vec::new(), None::<Vec<u8>>);
            loop {
                let last = before.as_ref().map_or(ptr::null(), |key| key.as_ptr());
                if bpf::bpf_map_get_next_key(fd, last.cast(), key.as_mut_ptr().cast()) != 0 {
                    return rows;
                }
                let found =
                    bpf::bpf_map_lookup_elem(fd, key.as_ptr().cast(), value.as_mut_ptr().cast());
                assert_eq!(found, 0, "the row is there");
                if per_cpu {
                    for (cpu, value) in (0u64..).zip(value.chunks(size)) {
                        let key = [&cpu.to_ne_bytes()[..], &key].concat();
                        rows.push((key, value.to_vec()));
                    }
                } else {
                    rows.push((key.clone(), value.clone()));
                }
                before = Some(key.clone());
            }
        }
    }

    /// A counter's sum over all CPUs.
    pub fn counter(&self, counter: Counter) -> u64 {
        let index = (counter as u32).to_ne_bytes();
        let rows = self.rows("counters");
        let of_it = rows.iter().filter(|(key, _)| key[8..] == index);
        of_it
            .map(|(_, value)| u64::from_ne_bytes(value[..8].try_into().expect("a word")))
            .sum()
    }

    /// What has been put into the ring buffer.
    pub fn messages(&self) -> Vec<Vec<u8>> {
        let mut messages: Vec<Vec<u8>> = Vec::new();
        let fd = self.map(MESSAGES);
        if fd < 0 {
            return messages;
        }
        // SAFETY: the messages outlive the ring buffer, which alone adds to them meanwhile.
        unsafe {
            let context = ptr::from_mut(&mut messages).cast();
            let ring = bpf::ring_buffer__new(fd, Some(add_message), context, ptr::null());
            assert!(!ring.is_null(), "the ring buffer is mapped");
            bpf::ring_buffer__consume(ring);
            bpf::ring_buffer__free(ring);
        }
        messages
    }
}

/// Moves this thread to the CPU: only there the program runs as this process, with its memory.
pub fn on_cpu(cpu: usize) {
    // SAFETY: the set is plain data, and as large as it says.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        let moved = libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set);
        assert_eq!(moved, 0, "this thread may run on every CPU");
    }
}

unsafe extern "C" fn add_message(
    messages: *mut std::os::raw::c_void,
    data: *mut std::os::raw::c_void,
    size: bpf::size_t,
) -> i32 {
    // SAFETY: libbpf hands back the vector that it was given, and so many bytes of a record.
    unsafe {
        let record = std::slice::from_raw_parts(data.cast::<u8>(), size as usize);
        (*messages.cast::<Vec<Vec<u8>>>()).push(record.to_vec());
    }
    0
}
