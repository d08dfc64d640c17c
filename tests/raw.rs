//! Raw probes: what they tell is what bpftrace tells of the same script on the same program.

mod support;

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use support::bpftrace::{both, compile, is_there, output};
use support::directory::Directory;
use support::host::ewapa;
use support::is_root;
use support::process::Process;

/// The program of `tests/hosts/probed.c`, under a name that no other process has: tracepoints count those of
/// tests that run beside, too.
struct Probed {
    _directory: Directory,
    path: String,
    name: String,
}

fn probed() -> Probed {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("p{}x{number}", std::process::id());
    let directory = Directory::new();
    let program = directory.path().join(&name);
    compile("probed.c", &program);
    let path = program.to_str().expect("the folder is text").to_owned();
    Probed {
        _directory: directory,
        path,
        name,
    }
}

impl Probed {
    /// A script with the program's path and name put in.
    fn script(&self, script: &str) -> String {
        script
            .replace("PROBED", &self.path)
            .replace("COMM", &self.name)
    }
}

/// Runs a script, in which `PROBED` stands for the program, on it with both tools: they tell the same, and
/// something.
#[track_caller]
fn same(script: &str) {
    if !is_root() || !is_there() {
        return;
    }
    let program = probed();
    let (bpftrace, ewapa) = both(&program.script(script), &program.path);
    assert!(!bpftrace.is_empty(), "{script}");
    assert_eq!(
        ewapa.join("\n"),
        bpftrace.join("\n"),
        "ewapa left, bpftrace right: {script}"
    );
}

/// What ewapa prints when it runs a text on the program.
fn run(script: &str) -> String {
    let program = probed();
    let script = program.script(script);
    let program = &program.path;
    output(Command::new(ewapa()).args([
        "script",
        "-q",
        "-o",
        "/dev/stdout",
        "-e",
        &script,
        "-c",
        program,
    ]))
}

/// What ewapa says of a text that it does not run, and its exit code.
fn refused(script: &str) -> (String, i32) {
    let program = probed();
    let script = program.script(script);
    let program = &program.path;
    let ended = Command::new(ewapa())
        .args(["script", "-e", &script, "-c", program])
        .output()
        .expect("ewapa is there");
    (
        String::from_utf8_lossy(&ended.stderr).into_owned(),
        ended.status.code().unwrap_or(-1),
    )
}

#[test]
fn arguments_of_functions_are_counted_as_bpftrace_counts_them() {
    same("uprobe:PROBED:work { @[arg0] = count(); @h = hist(arg1); @s = sum(arg1); }");
}

#[test]
fn results_of_functions_are_those_of_bpftrace() {
    same("uretprobe:PROBED:work /retval < 10000/ { @h = hist(retval); @max = max(retval); }");
}

#[test]
fn entry_and_return_may_share_a_clause() {
    same("uprobe:PROBED:work, uretprobe:PROBED:work { @[probe] = count(); }");
}

#[test]
fn fields_of_tracepoints_are_those_of_bpftrace() {
    same(
        "tracepoint:syscalls:sys_enter_write /comm == \"COMM\" && args->fd == 3/ { @ = hist(args->count); }",
    );
}

#[test]
fn raw_tracepoints_get_their_arguments() {
    if is_root() {
        // The number of the system call, 1, is the second argument; the first are the registers.
        let text = run("rawtracepoint:sys_enter /comm == \"COMM\" && arg1 == 1/ { @ = count(); }");
        assert_eq!(text.trim(), "@: 43");
    }
}

#[test]
fn static_probes_have_their_arguments_and_their_semaphore_is_raised() {
    same("usdt:PROBED:probed:item { @h = hist(arg0); @k[arg1] = count(); }");
    same("usdt:PROBED:probed:guarded { @[arg0, arg1] = count(); }");
}

#[test]
fn a_glob_attaches_to_all_functions_that_it_matches() {
    same("uprobe:PROBED:w*k { @ = count(); }");
}

#[test]
fn names_of_probes_are_compared_with_texts() {
    if is_root() {
        let text = run(
            r#"uprobe:PROBED:w*k, uretprobe:PROBED:work /func[:2] == "wo" && probe != "x"/ {
              @[func == "work", func != "work", probe == "uprobe:PROBED:work", strncmp(probe, "uret", 4) == 0, strcontains(probe, ":wor")] = count();
            }"#,
        );
        assert_eq!(
            text.trim(),
            "@[true, false, false, true, true]: 100\n@[true, false, true, false, true]: 100"
        );
    }
}

#[test]
fn an_offset_within_a_function_is_a_probe_of_its_own() {
    if is_root() {
        let (text, code) = refused("uprobe:PROBED:work+100000 { @ = count(); }");
        assert!(text.contains("so nothing is at +100000"), "{text}");
        assert_eq!(code, 72);
    }
}

#[test]
fn times_between_entry_and_return_are_kept_by_thread() {
    if is_root() {
        let text = run("uprobe:PROBED:work { @start[tid] = nsecs; }
            uretprobe:PROBED:work /@start[tid]/ { @n = count(); @time = max(nsecs - @start[tid]); delete(@start[tid]); }
            end { clear(@start); }");
        assert!(text.contains("@n: 100"), "{text}");
    }
}

#[test]
fn an_interval_prints_while_a_script_without_a_command_runs() {
    if is_root() {
        let text = output(Command::new(ewapa()).args([
            "script",
            "-q",
            "-d",
            "20",
            "-e",
            "begin { @n = 0; printf(\"begin\\n\"); }
             tracepoint:sched:sched_switch { @switches = count(); }
             interval:ms:50 { @n++; print(@n); if (@n >= 3) { exit(); } }
             end { clear(@switches); clear(@n); printf(\"end\\n\"); }",
        ]));
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(
            lines[..5],
            ["begin", "@n: 1", "@n: 2", "@n: 3", "end"],
            "{text}"
        );
    }
}

#[test]
fn nothing_is_counted_behind_the_end_of_a_script() {
    if is_root() {
        let text = output(Command::new(ewapa()).args([
            "-q",
            "-d",
            "1",
            "-e",
            "tracepoint:raw_syscalls:sys_enter { @calls[comm] = count(); }
             tracepoint:sched:sched_switch { @switches[cpu] = count(); }
             END { clear(@calls); clear(@switches); printf(\"end\\n\"); }",
        ]));
        assert_eq!(text, "end\n");
    }
}

#[test]
fn a_clock_ticks_on_each_cpu() {
    if is_root() {
        let text = output(Command::new(ewapa()).args([
            "script",
            "-q",
            "-d",
            "1",
            "-e",
            "profile:hz:50 { @[cpu] = count(); }",
        ]));
        let cpus = text.lines().filter(|line| line.starts_with("@[")).count();
        assert_eq!(
            cpus,
            std::thread::available_parallelism().unwrap().get(),
            "{text}"
        );
    }
}

#[test]
fn functions_of_other_processes_are_left_out() {
    if !is_root() {
        return;
    }
    let probed = probed();
    let program = &probed.path;
    let script = format!("uprobe:{program}:work {{ @ = count(); }} end {{ printf(\"end\\n\"); }}");
    let other = format!("{program}; {program}");
    let traced = Process::start(Command::new(ewapa()).args([
        "script",
        "-q",
        "-o",
        "/dev/stdout",
        "-e",
        &script,
        "--",
        "sleep",
        "1",
    ]));
    output(Command::new("sh").args(["-c", &other]));
    let ended = traced.end();
    assert!(
        String::from_utf8_lossy(&ended.stdout).contains("@: 0"),
        "{:?}",
        ended.stdout
    );
    // With neither a command nor -p, all processes count.
    let all =
        Process::start(Command::new(ewapa()).args(["script", "-q", "-d", "2", "-e", &script]));
    std::thread::sleep(std::time::Duration::from_secs(1));
    output(Command::new("sh").args(["-c", &other]));
    let ended = all.end();
    assert!(
        String::from_utf8_lossy(&ended.stdout).contains("@: 200"),
        "{:?}\n{}",
        ended.stdout,
        ended.stderr
    );
}

#[test]
fn what_is_not_there_is_said_by_name() {
    if !is_root() {
        return;
    }
    for (script, words, code) in [
        (
            "uprobe:PROBED:wrok { @ = count(); }",
            "did you mean `work`?",
            72,
        ),
        (
            "uprobe:/no/such/file:f { @ = count(); }",
            "cannot read /no/such/file",
            66,
        ),
        (
            "uprobe:no-such-program:f { @ = count(); }",
            "no program or library is called `no-such-program`",
            66,
        ),
        (
            "uprobe:/etc/passwd:f { @ = count(); }",
            "not an ELF file",
            66,
        ),
        (
            "uprobe:PROBED:0x1 { @ = count(); }",
            "has no code at 0x1",
            72,
        ),
        (
            "rawtracepoint:no_such_one { @ = count(); }",
            "no such tracepoint",
            72,
        ),
    ] {
        let (text, found) = refused(script);
        assert!(text.contains(words), "{script}: {text}");
        assert_eq!(found, code, "{script}: {text}");
    }
}

#[test]
fn positional_words_are_the_arguments_of_a_script() {
    if is_root() {
        let text = output(Command::new(ewapa()).args([
            "script",
            "-q",
            "-e",
            "begin { printf(\"%d %s %d\\n\", $1, str($2), $#); exit(); }",
            "5",
            "foo",
        ]));
        assert_eq!(text.trim(), "5 foo 2");
    }
}
