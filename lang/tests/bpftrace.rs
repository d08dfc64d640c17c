//! Programs as users of bpftrace write them: they compile, or what they cannot have is refused by name.

mod machine;

use ewapa_lang::{Code, Environment, compile, render};
use machine::Machine;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime"],
    host: Some(&Machine),
    ..Environment::EMPTY
};

/// Programs that compile.
const RUN: &[&str] = &[
    // Who opens which file.
    r#"#!/usr/bin/env bpftrace
/*
 * opens	Shows files that are opened.
 */
BEGIN
{
	printf("Tracing, Ctrl-C ends.\n");
	printf("%-6s %-16s %s\n", "PID", "COMM", "PATH");
}

tracepoint:syscalls:sys_enter_open,
tracepoint:syscalls:sys_enter_openat
{
	@path[tid] = args->filename; // of the thread
}

tracepoint:syscalls:sys_exit_openat
/@path[tid]/
{
	$ret = args.ret;
	$errno = $ret >= 0 ? 0 : - $ret;
	printf("%-6d %-16s %d %s\n", pid, comm, $errno, str(@path[tid]));
	delete(@path[tid]);
}

END
{
	clear(@path);
}"#,
    // How long a function takes.
    r#"uprobe:/bin/bash:readline { @start[tid] = nsecs; }
uretprobe:/bin/bash:readline /@start[tid]/ {
  @us = hist((nsecs - @start[tid]) / 1000);
  delete(@start[tid]);
}
interval:s:5 { time("%H:%M:%S\n"); print(@us); clear(@us); }"#,
    // What runs on a CPU.
    r#"profile:hz:99 /pid != 0/ { @[comm, ustack(5)] = count(); @cpu[cpu] = count(); }
interval:s:30 { exit(); }"#,
    // Kernel functions and a switch of threads.
    r#"k:vfs_read { @reads[comm] = count(); }
kr:vfs_read /retval > 0/ { @bytes = sum(retval); }
kfunc:vfs_write { @asked = sum(args.count); @files[args->file] = count(); }
kretfunc:vmlinux:vfs_write /retval > 0/ { @written = sum(retval); }
t:sched:sched_switch { @switch[args.prev_comm, args.next_pid] = count(); }
rt:sched_process_exit { @exits++; }"#,
    // Globs, and a tracepoint of all system calls.
    r#"tracepoint:syscalls:sys_enter_* { @[probe] = count(); }
tracepoint:raw_syscalls:sys_enter { @n[args.id] = count(); }
END { print(@, 10); clear(@); }"#,
    // Loops, tuples, casts and bits.
    r#"BEGIN {
  let $sum = (uint64)0;
  for ($i : 0..10) { $sum += $i; }
  while ($sum > 3) { $sum = $sum >> 1; if ($sum == 7) { break; } }
  unroll(3) { @n++; }
  $pair = (1, "two");
  @t[$pair.0, $pair.1] = $sum & 0xff;
  for ($kv : @t) { print($kv); }
}"#,
    // Functions by names that are no identifiers.
    r#"uprobe:./app:"std::fs::File::open", u:./app:"app::*" { @[func] = count(); }
U:./app:begin { printf("%d\n", arg0); }"#,
    // Settings and macros.
    r#"config = { max_strlen = 128; max_map_keys = 1000; cache_user_symbols = PER_PID }
macro start(@at) { @at[tid] = nsecs; }
macro since(@at) { nsecs - @at[tid] }
u:libc:malloc { start(@malloc); }
ur:libc:malloc /@malloc[tid]/ { @ns = hist(since(@malloc)); delete(@malloc, tid); }"#,
];

/// Programs that do not, and what is refused.
const REFUSED: &[(&str, &[&str])] = &[
    (
        r#"#ifndef HAVE_BTF
#include <linux/sched.h>
#endif
kprobe:finish_task_switch {
  $prev = (struct task_struct *)arg0;
  @[$prev->pid] = count();
}"#,
        &[
            "#ifndef",
            "#include",
            "#endif",
            "struct task_struct *",
            "->",
        ],
    ),
    (
        "struct event { uint64_t at; char name[16]; };\nBEGIN { $x = *curtask; }",
        &["struct", "*"],
    ),
    (
        "fentry:ext4:ext4_sync_file { @ = count(); }\nsoftware:page-faults:100 { @ = count(); }\nwatchpoint:0x1000:8:w { @ = count(); }",
        &["fentry", "software", "watchpoint"],
    ),
    (
        "BEGIN { signal(\"KILL\"); print(cgroupid(\"/sys\")); $a = kaddr(\"x\"); }",
        &["signal()", "cgroupid()", "kaddr()"],
    ),
    (
        "config = { stack_mode = perf }\nlet @a = lruhash(100);\nfn double($x : int64) : int64 { return $x * 2; }",
        &["stack_mode", "let", "fn"],
    ),
];

#[test]
fn programs_of_bpftrace_compile() {
    for text in RUN {
        let errors = compile(text, &ENVIRONMENT, &[]).err().unwrap_or_default();
        let shown = render(&errors, "program.bt", text, false);
        assert!(errors.is_empty(), "{text}\n{shown}");
    }
}

#[test]
fn what_programs_of_bpftrace_cannot_have_is_refused_by_name() {
    for (text, names) in REFUSED {
        let errors = compile(text, &ENVIRONMENT, &[]).err().unwrap_or_default();
        let shown = render(&errors, "program.bt", text, false);
        for name in *names {
            let quoted = format!("`{name}`");
            let mut refused = errors.iter().filter(|error| {
                matches!(error.code, Code::NotYet | Code::NotInLanguage) && !error.help.is_empty()
            });
            assert!(
                refused.any(|error| error.message.contains(&quoted)),
                "{name}\n{shown}"
            );
        }
    }
}
