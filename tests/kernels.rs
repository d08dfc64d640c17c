//! The same numbers on older kernels, whose ways to probe are others: Debian's 6.1, which has perf events only and no
//! loops, and 6.12, which has multi links and no session links. Both have kprobes and trampolines. `tests/kernels/install.sh` fetches
//! them; they run in an emulator, without a disk: what is needed is in their initial file system.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use expect_test::{Expect, expect};
use support::directory::Directory;
use support::guest::Guest;
use support::host::ewapa;
use support::runtime::Runtime;

/// A kernel of Debian.
#[derive(Debug, Clone, Copy)]
enum Kernel {
    Linux6_1,
    Linux6_12,
}

/// What each kernel is asked: a name, a script, and the command that it traces. The guest writes five bytes a hundred
/// times, and once to a descriptor that is not open.
const ASKED: [(&str, &str, &str); 10] = [
    (
        "calls",
        "table t from wasi:{fd_write,fd_read} by func { calls = count(), failed = count() if errno != 0, bytes = sum(bytes) } sort calls desc",
        GUEST,
    ),
    (
        "inside",
        "table t from syscall:writev where in_wasi by wasi_func, syscall { calls = count(), per_wasi = count() / wasi_calls }",
        GUEST,
    ),
    (
        "phases",
        "table t from phase:* by phase { runs = count() }",
        GUEST,
    ),
    (
        "values",
        "wasi:fd_write { @asked = sum(bytes_req); @waited[offcpu_time >= 0ns] = count(); @stacks[ustack(1)] = count(); }",
        GUEST,
    ),
    (
        "kprobes",
        "kprobe:vfs_write /comm == \"dd\"/ { @[func] = count(); @most = max(arg2); }\n\
         kretprobe:vfs_write /comm == \"dd\"/ { @returns = count(); @bytes = sum(retval); }",
        COPY,
    ),
    (
        "typed",
        "fentry:vfs_write /comm == \"dd\"/ { @calls[func] = count(); @bytes = sum(args.count); }\n\
         fexit:vmlinux:vfs_write /comm == \"dd\"/ { @ret = sum(retval); @asked = sum(args.count); }\n\
         fentry:vfs_wri* /comm == \"dd\"/ { @globs[probe] = count(); }\n\
         fentry:do_sys_openat2 /comm == \"dd\" && str(uptr(args.filename)) == \"/tmp/zeros\"/ { @opened[args.dfd] = count(); }\n\
         fentry:shmem_write_begin /comm == \"dd\" && args.fsdata != 0 && args.file > args.len/ { @pointers = count(); }",
        COPY,
    ),
    (
        "within",
        "fentry:vfs_write /comm == \"dd\"/ { @outer[kstack(1)] = count(); }\n\
         fentry:get_perf_callchain /comm == \"dd\"/ { @inner[kstack(1)] = count(); }\n\
         end { clear(@outer); clear(@inner); }",
        COPY,
    ),
    (
        "functions",
        "kprobe:vfs_wri* /comm == \"dd\"/ { @[func] = count(); }",
        COPY,
    ),
    (
        "tracepoints",
        "tracepoint:syscalls:sys_enter_write /comm == \"dd\"/ { @calls = count(); @bytes = sum(args.count); }",
        COPY,
    ),
    (
        "loop",
        "begin { $i = 0; while ($i < 3) { $i++; print($i); } exit(); }",
        COPY,
    ),
];

const GUEST: &str = "wasm3 calls.wasm";
const COPY: &str = "dd if=/dev/zero of=/tmp/zeros bs=1k count=100 status=none";

impl Kernel {
    fn series(self) -> &'static str {
        match self {
            Kernel::Linux6_1 => "6.1",
            Kernel::Linux6_12 => "6.12",
        }
    }

    /// What it said to this question; none if it cannot be run here.
    fn says(self, question: &str) -> Option<String> {
        static SAID: [OnceLock<Option<String>>; 2] = [OnceLock::new(), OnceLock::new()];
        let said = SAID[self as usize].get_or_init(|| self.run());
        let all = said.as_ref()?;
        let (_, from) = all
            .split_once(&format!("<<<{question}>>>\n"))
            .unwrap_or_else(|| panic!("{question} was not asked:\n{all}"));
        Some(from.split("<<<").next().unwrap_or_default().to_owned())
    }

    /// Boots it, asks everything, and returns what came over the serial line.
    fn run(self) -> Option<String> {
        let image = kernels().join(self.series());
        for needed in [
            &image,
            Path::new("/bin/busybox"),
            Path::new("/usr/bin/qemu-system-x86_64"),
        ] {
            if !needed.exists() {
                support::skip(&format!(
                    "{} is missing: ./test.sh installs it",
                    needed.display()
                ));
                return None;
            }
        }
        if !Runtime::Wasm3.is_ready() {
            return None;
        }
        let directory = Directory::new();
        let files = initial_files(&directory);
        // Ten minutes: it takes ten seconds.
        let output = Command::new("timeout")
            .args(["600", "/usr/bin/qemu-system-x86_64"])
            .args([
                "-accel",
                "tcg,thread=multi",
                "-cpu",
                // Qemu 7.2 emulates cmpxchg16b wrongly.
                "Nehalem,-cx16",
                "-m",
                "1024",
            ])
            .args(["-nodefaults", "-no-user-config", "-nographic", "-no-reboot"])
            .args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"])
            .args(["-serial", "stdio", "-kernel"])
            .arg(&image)
            .arg("-initrd")
            .arg(&files)
            .stdin(Stdio::null())
            .output()
            .expect("run the emulator");
        let said = String::from_utf8_lossy(&output.stdout).replace('\r', "");
        assert!(
            said.contains("<<<end>>>"),
            "{self:?} did not come to its end:\n{said}"
        );
        Some(said)
    }
}

/// Where `tests/kernels/install.sh` puts kernels.
fn kernels() -> PathBuf {
    match std::env::var_os("EWAPA_KERNELS") {
        Some(folder) => PathBuf::from(folder),
        None => {
            PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cache/ewapa/kernels")
        }
    }
}

/// An archive with ewapa, a runtime, a guest and a shell, whose first program asks everything.
fn initial_files(directory: &Directory) -> PathBuf {
    let root = directory.path().join("root");
    for folder in ["bin", "proc", "sys", "dev", "tmp", "guest"] {
        fs::create_dir_all(root.join(folder)).expect("make a folder");
    }
    fs::copy("/bin/busybox", root.join("bin/busybox")).expect("copy the shell");
    for name in ["sh", "mount", "dd", "poweroff", "mkdir"] {
        symlink("busybox", root.join("bin").join(name)).expect("make a link");
    }
    for (program, name) in [(ewapa(), "ewapa"), (Runtime::Wasm3.binary(), "wasm3")] {
        for library in libraries(&program) {
            let to = root.join(library.strip_prefix("/").expect("an absolute path"));
            fs::create_dir_all(to.parent().expect("a folder")).expect("make a folder");
            fs::copy(&library, to).expect("copy a library");
        }
        fs::copy(program, root.join("bin").join(name)).expect("copy a program");
    }
    let guest = Guest::named("calls").set("writes", 100).compile(directory);
    fs::copy(guest, root.join("guest/calls.wasm")).expect("copy the guest");
    fs::write(root.join("guest/data"), [b'x'; 4096]).expect("write the guest's data");

    let mut script = "#!/bin/sh\nexport PATH=/bin TERM=dumb\n\
        mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev\n\
        mount -t tracefs tracefs /sys/kernel/tracing; mount -t tmpfs tmp /tmp; cd /guest\n\
        echo '<<<doctor>>>'; ewapa doctor\n"
        .to_owned();
    for (question, text, command) in ASKED {
        let name = format!("{question}.ewq");
        fs::write(root.join("guest").join(&name), text).expect("write a script");
        script += &format!(
            "echo '<<<{question}>>>'; ewapa script -q --strict {name} -- {command} 2>&1 >/tmp/written\n"
        );
    }
    script += "echo '<<<end>>>'\npoweroff -f\n";
    let init = root.join("init");
    fs::write(&init, script).expect("write the first program");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&init, mode).expect("make it executable");

    let archive = directory.path().join("files");
    let mut cpio = Command::new("/bin/busybox")
        .args(["cpio", "-o", "-H", "newc"])
        .current_dir(&root)
        .stdin(Stdio::piped())
        .stdout(fs::File::create(&archive).expect("make the archive"))
        .stderr(Stdio::null())
        .spawn()
        .expect("run cpio");
    let mut names = cpio.stdin.take().expect("its input");
    for name in names_below(&root) {
        writeln!(names, "{name}").expect("name a file");
    }
    drop(names);
    assert!(cpio.wait().expect("wait for cpio").success());
    archive
}

/// What a program is linked with.
fn libraries(program: &Path) -> BTreeSet<PathBuf> {
    let listed = Command::new("ldd").arg(program).output().expect("run ldd");
    String::from_utf8_lossy(&listed.stdout)
        .split_whitespace()
        .filter(|word| word.starts_with('/'))
        .map(PathBuf::from)
        .collect()
}

/// The names of all files below a folder, a folder before what it holds.
fn names_below(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("list a folder") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(root).expect("a path below it");
            names.push(name.to_str().expect("a name of this test").to_owned());
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            }
        }
    }
    names
}

/// Checks what a kernel says. Of the doctor's lines not those that are of the build or of other tests.
fn says(kernel: Kernel, question: &str, expected: Expect) {
    if let Some(said) = kernel.says(question) {
        let lines = said.split_inclusive('\n');
        let lasting = lines.filter(|line| {
            !["ok  kernel ", "ok  runtimes "]
                .iter()
                .any(|of| line.starts_with(of))
        });
        expected.assert_eq(&lasting.collect::<String>());
    }
}

/// The same on both.
fn both_say(question: &str, expected: Expect) {
    for kernel in [Kernel::Linux6_1, Kernel::Linux6_12] {
        if let Some(said) = kernel.says(question) {
            expected.assert_eq(&said);
        }
    }
}

#[test]
fn the_way_to_probe_is_the_best_that_a_kernel_has() {
    says(
        Kernel::Linux6_1,
        "doctor",
        expect![[r#"
            ok  rights             commands, processes of everyone, the whole machine
            ok  BTF                /sys/kernel/btf/vmlinux
            ok  user probes        the kernel takes programs for user functions
            ok  tracepoints        raw tracepoints for system calls and processes
            !   session            not there: session links: one probe for entry and return (Linux 6.13); a probe costs more: entry and return are two
            !   multi              not there: multi links: all functions at once (Linux 6.6); attaching and detaching are slow: a perf event for each function
            ok  task-storage       task storage for open calls
            ok  typed-tracepoints  tracepoints with typed arguments
            ok  batch              maps are read many rows at a time
            ok  fanotify           new programs wait until they were looked into
            !   may-goto           not there: loops, and strcontains() (Linux 6.9); scripts with `while`, `for` or strcontains() are refused
            scripts can run here: try `ewapa demo`
        "#]],
    );
    says(
        Kernel::Linux6_12,
        "doctor",
        expect![[r#"
            ok  rights             commands, processes of everyone, the whole machine
            ok  BTF                /sys/kernel/btf/vmlinux
            ok  user probes        the kernel takes programs for user functions
            ok  tracepoints        raw tracepoints for system calls and processes
            !   session            not there: session links: one probe for entry and return (Linux 6.13); a probe costs more: entry and return are two
            ok  multi              multi links: all functions at once
            ok  task-storage       task storage for open calls
            ok  typed-tracepoints  tracepoints with typed arguments
            ok  batch              maps are read many rows at a time
            ok  fanotify           new programs wait until they were looked into
            ok  may-goto           loops, and strcontains()
            scripts can run here: try `ewapa demo`
        "#]],
    );
}

#[test]
fn calls_are_exact() {
    both_say(
        "calls",
        expect![[r#"
        FUNC      CALLS  FAILED    BYTES
        fd_write    101       1    500 B
        fd_read     100       0  1.6 KiB
    "#]],
    );
}

#[test]
fn system_calls_are_those_of_their_calls() {
    both_say(
        "inside",
        expect![[r#"
        WASI_FUNC  SYSCALL  CALLS  PER_WASI
        fd_write   writev     101         1
    "#]],
    );
}

#[test]
fn phases_are_reached() {
    both_say(
        "phases",
        expect![[r#"
        PHASE       RUNS
        exec           1
        start          1
        first_wasi     1
        exit           1
    "#]],
    );
}

#[test]
fn values_of_the_scheduler_and_stacks_are_there() {
    both_say(
        "values",
        expect![[r#"
        @asked: 505 B
        @stacks[
            op_Call+78
        ]: 101
        @waited[true]: 101
    "#]],
    );
}

#[test]
fn kprobes_see_each_call_and_return_of_a_function_of_the_kernel() {
    both_say(
        "kprobes",
        expect![[r#"
        @[vfs_write]: 100
        @bytes: 102400
        @most: 1024
        @returns: 100
    "#]],
    );
}

#[test]
fn functions_of_the_kernel_have_their_arguments_by_name_at_entry_and_return() {
    both_say(
        "typed",
        expect![[r#"
            @asked: 102400
            @bytes: 102400
            @calls[vfs_write]: 100
            @globs[fentry:vfs_write]: 100
            @opened[-100]: 1
            @pointers: 100
            @ret: 102400
        "#]],
    );
}

#[test]
fn a_function_that_its_own_program_calls_is_told_as_missed() {
    says(
        Kernel::Linux6_1,
        "within",
        expect![[r#"
            ewapa: cannot attach fentry:get_perf_callchain: `get_perf_callchain` takes 7 arguments, more than 6, which `fentry` and `fexit` do not take; `kprobe:get_perf_callchain` watches it
        "#]],
    );
    says(
        Kernel::Linux6_12,
        "within",
        expect![[r#"
            ewapa: --strict: not complete: 100 events came while a program of a script ran on the same processor
        "#]],
    );
}

#[test]
fn kprobes_take_globs() {
    both_say(
        "functions",
        expect![[r#"
        @[vfs_write]: 100
    "#]],
    );
}

#[test]
fn tracepoints_give_their_arguments() {
    both_say(
        "tracepoints",
        expect![[r#"
        @bytes: 102400
        @calls: 100
    "#]],
    );
}

#[test]
fn loops_are_refused_by_name_where_there_are_none() {
    says(
        Kernel::Linux6_1,
        "loop",
        expect![[r#"
        ewapa: this script has a loop, or looks for a text in another one, and this kernel ends no loop by itself: it needs `may_goto` (Linux 6.9); the start of texts is compared with `strncmp()`, and without it
    "#]],
    );
    says(
        Kernel::Linux6_12,
        "loop",
        expect![[r#"
            1
            2
            3
        "#]],
    );
}
