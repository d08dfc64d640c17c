//! The events of random blocks, and what can be said of each.

/// A kind of event.
#[derive(Debug)]
pub struct Event {
    /// Probes of it.
    pub probes: &'static [&'static str],
    /// Numbers that it has.
    pub numbers: &'static [&'static str],
    /// Times.
    pub times: &'static [&'static str],
    /// Sizes.
    pub sizes: &'static [&'static str],
    /// Conditions.
    pub conditions: &'static [&'static str],
    /// Texts.
    pub texts: &'static [&'static str],
    /// Addresses in the process, from which texts and bytes are read.
    pub addresses: &'static [&'static str],
    /// Keys of other types.
    pub keys: &'static [&'static str],
    /// Whether tables can be of it.
    pub in_tables: bool,
}

/// What every event has.
pub const NUMBERS: &[&str] = &["pid", "tid", "uid", "cpu", "rand", "ppid"];

/// All of them.
pub const EVENTS: &[Event] = &[
    Event {
        probes: &[
            "wasi:*",
            "wasi:fd_*",
            "wasi:wasmtime:fd_write",
            "wasi:{fd_read,fd_write}, wasi:node:path_*",
        ],
        numbers: &[
            "fd",
            "syscall_count",
            "iovs",
            "depth",
            "call_id",
            "arg0",
            "args.fd",
            "thread_hops",
            "handed_count",
        ],
        times: &[
            "duration",
            "syscall_time",
            "self_time",
            "offcpu_time",
            "handed_time",
        ],
        sizes: &["bytes", "bytes_req", "syscall_bytes", "handed_bytes"],
        conditions: &[
            "ok",
            "errno == EBADF",
            "errno != 0",
            "func == \"fd_write\"",
            "runtime == \"wasmi\"",
        ],
        texts: &["path"],
        addresses: &["arg1"],
        keys: &["func", "runtime", "module", "errno", "ok"],
        in_tables: true,
    },
    Event {
        probes: &["wasi:*:enter", "wasi:fd_write:enter"],
        numbers: &["fd", "iovs", "depth", "call_id", "arg0"],
        times: &[],
        sizes: &["bytes_req"],
        conditions: &["func == \"fd_write\"", "runtime == \"wasmi\""],
        texts: &["path"],
        addresses: &["arg1"],
        keys: &["func", "runtime", "module", "ustack(5)", "kstack"],
        in_tables: true,
    },
    Event {
        probes: &["syscall:*", "syscall:{read,write,openat}", "syscall:futex"],
        numbers: &["ret", "arg0", "arg5", "call_id"],
        times: &["duration", "wasi_duration"],
        sizes: &[],
        conditions: &[
            "in_wasi",
            "handed",
            "errno != 0",
            "syscall == \"write\"",
            "wasi_func == \"fd_read\"",
        ],
        texts: &[],
        addresses: &["arg1"],
        keys: &["syscall", "wasi_func", "errno", "runtime"],
        in_tables: true,
    },
    Event {
        probes: &["phase:*", "phase:start", "phase:{exec,exit}"],
        numbers: &[],
        times: &["duration", "elapsed_exec"],
        sizes: &[],
        conditions: &["phase == \"exec\""],
        texts: &[],
        addresses: &[],
        keys: &["phase", "runtime", "module"],
        in_tables: true,
    },
    Event {
        probes: &[
            "uprobe:libc:malloc",
            "u:libc:write",
            "uprobe:/bin/true:main+4",
        ],
        numbers: &["arg0", "arg1", "arg3", "arg7", "reg(\"ip\")"],
        times: &["wasi_duration"],
        sizes: &[],
        conditions: &["in_wasi", "wasi_func == \"fd_read\""],
        texts: &[],
        addresses: &["arg0", "arg2 + 8", "reg(\"sp\")"],
        keys: &[
            "func",
            "probe",
            "wasi_func",
            "runtime",
            "ustack",
            "kstack(3)",
            "usym(arg0)",
        ],
        in_tables: true,
    },
    Event {
        probes: &["uretprobe:libc:malloc"],
        numbers: &["retval", "(int32)retval"],
        times: &["wasi_duration"],
        sizes: &[],
        conditions: &["in_wasi"],
        texts: &[],
        addresses: &["retval"],
        keys: &["func", "probe", "ustack(perf, 4)"],
        in_tables: true,
    },
    Event {
        probes: &["tracepoint:sched:sched_switch"],
        numbers: &["args.prev_pid", "args.next_pid"],
        times: &[],
        sizes: &[],
        conditions: &["in_wasi"],
        texts: &["args.prev_comm"],
        addresses: &[],
        keys: &["probe", "kstack"],
        in_tables: true,
    },
    Event {
        probes: &[
            "tracepoint:syscalls:sys_enter_open*",
            "t:syscalls:sys_enter_openat",
        ],
        numbers: &["cpu"],
        times: &[],
        sizes: &[],
        conditions: &["in_wasi"],
        texts: &["str(args.filename)"],
        addresses: &["args.filename"],
        keys: &["probe", "ustack(6)"],
        in_tables: true,
    },
    Event {
        probes: &["rawtracepoint:sched_switch"],
        numbers: &["arg0", "arg1"],
        times: &[],
        sizes: &[],
        conditions: &["in_wasi"],
        texts: &[],
        addresses: &[],
        keys: &["probe", "ksym(arg1)"],
        in_tables: true,
    },
    Event {
        probes: &["profile:hz:99", "profile:ms:10"],
        numbers: &["numaid"],
        times: &[],
        sizes: &[],
        conditions: &["in_wasi"],
        texts: &[],
        addresses: &[],
        keys: &["ustack", "kstack"],
        in_tables: true,
    },
    Event {
        probes: &[
            "begin",
            "end",
            "interval:1s",
            "interval:ms:100",
            "begin, interval:s:1",
        ],
        numbers: &["numaid"],
        times: &[],
        sizes: &[],
        conditions: &["true"],
        texts: &[],
        addresses: &[],
        keys: &["cpu"],
        in_tables: false,
    },
];
