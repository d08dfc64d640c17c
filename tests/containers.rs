//! Processes with another view of the machine than ewapa: of its files, its processes or its users.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::directory::Directory;
use support::guest::Guest;
use support::host::ewapa;
use support::process::Process;
use support::runtime::Invocation;
use support::trace::{Script, Traced};
use support::wasm3::{Objects, can_be_built_with, installed};
use support::watch;

/// What a guest of these tests writes.
const WRITES: i64 = 10;

/// A folder that will be the root of a process, with a runtime that needs nothing else, and a module.
struct Root(Directory);

impl Root {
    fn new() -> Root {
        let directory = Directory::new();
        Objects::Program.build(&directory.path().join("runtime"), &[], &["-static"]);
        Guest::named("ends").compile(&directory);
        Root(directory)
    }

    fn path(&self, name: &str) -> String {
        let path = self.0.path().join(name);
        path.to_str().expect("a path of text").to_owned()
    }

    /// A shell in this folder with a mount namespace of its own.
    fn apart(&self, text: &str) -> Invocation {
        Invocation {
            directory: self.0.path().to_owned(),
            ..Invocation::of(["unshare", "-m", "sh", "-ec", text])
        }
    }
}

const SCRIPT: &str = "table t from wasi:fd_write by pid, tid { calls = count() }";

/// Pids, threads and calls. Nothing was lost.
fn rows(traced: &Traced) -> Vec<(i64, i64, i64)> {
    assert_eq!(traced.ended.code(), 0, "{}", traced.ended.stderr);
    let table = traced.report.table();
    assert!(
        table.headline.contains(" · nothing lost"),
        "{}",
        table.headline
    );
    table
        .rows()
        .map(|row| (row.number("PID"), row.number("TID"), row.number("CALLS")))
        .collect()
}

/// Calls of each process.
fn calls(traced: &Traced) -> Vec<i64> {
    rows(traced).iter().map(|(_, _, calls)| *calls).collect()
}

#[test]
fn a_runtime_below_another_root() {
    if can_be_built_with(&["gcc"]) {
        let root = Root::new();
        let chroot = Invocation::of(["chroot", &root.path("."), "/runtime", "ends.wasm"]);
        assert_eq!(calls(&Script::new(SCRIPT).run(&chroot)), [WRITES]);
    }
}

/// The file is in a filesystem that nobody else sees.
const PIVOT: &str =
    "mkdir root; mount -t tmpfs none root; cp runtime ends.wasm root; mkdir root/old
    cd root; pivot_root . old; exec /runtime ends.wasm";

#[test]
fn a_runtime_in_a_filesystem_of_its_own() {
    if can_be_built_with(&["gcc", "unshare"]) {
        let traced = Script::new(SCRIPT).run(&Root::new().apart(PIVOT));
        assert_eq!(calls(&traced), [WRITES]);
    }
}

/// An overlay: `touch` copies the file to the upper layer, where it is another one with the same number.
const OVERLAY: &str = "mkdir all; mount -t tmpfs none all; cd all; mkdir lower upper work merged
    cp ../runtime ../ends.wasm lower
    mount -t overlay none -o lowerdir=lower,upperdir=upper,workdir=work merged; cd merged
    ./runtime ends.wasm; ./runtime ends.wasm; touch runtime; ./runtime ends.wasm
    cat ../../runtime >runtime; ./runtime ends.wasm";

#[test]
fn a_runtime_on_an_overlay() {
    if can_be_built_with(&["gcc", "unshare"]) {
        let traced = Script::new(SCRIPT).run(&Root::new().apart(OVERLAY));
        assert_eq!(calls(&traced), [WRITES; 4], "{}", traced.ended.stderr);
    }
}

#[test]
fn a_file_with_several_names_is_one_runtime() {
    if can_be_built_with(&["gcc", "unshare"]) {
        let text = "ln runtime hard; ln -s runtime soft; : >bound; mount --bind runtime bound
            for name in runtime hard soft bound; do ./$name ends.wasm; done";
        let traced = Script::new(SCRIPT).run(&Root::new().apart(text));
        assert_eq!(calls(&traced), [WRITES; 4]);
    }
}

/// Executes a file that is in memory only: PROGRAM MODULE.
const IN_MEMORY: &str = "import os, sys
fd = os.memfd_create('runtime', 0)
os.write(fd, open(sys.argv[1], 'rb').read())
os.execve(fd, ['runtime', sys.argv[2]], {})";

#[test]
fn a_runtime_in_memory_without_a_name() {
    if can_be_built_with(&["gcc", "python3"]) {
        let root = Root::new();
        let (program, module) = (root.path("runtime"), root.path("ends.wasm"));
        let run = Invocation::of(["python3", "-c", IN_MEMORY, &program, &module]);
        assert_eq!(calls(&Script::new(SCRIPT).run(&run)), [WRITES]);
    }
}

/// Processes and threads have the numbers of the machine, also where they have others themselves.
#[test]
fn a_runtime_among_processes_of_its_own() {
    if can_be_built_with(&["gcc", "unshare"]) {
        let root = Root::new();
        let run = Invocation::of([
            "unshare",
            "--pid",
            "--fork",
            "sh",
            "-c",
            "echo $$ >&2; \"$0\" \"$1\"",
            &root.path("runtime"),
            &root.path("ends.wasm"),
        ]);
        let traced = Script::new(SCRIPT).run(&run);
        assert!(
            traced.ended.stderr.contains("1\n"),
            "{}",
            traced.ended.stderr
        );
        let rows = rows(&traced);
        let [(pid, tid, WRITES)] = rows[..] else {
            panic!("{rows:?}")
        };
        assert_eq!(pid, tid);
        assert!(pid > 10, "{pid}");
    }
}

#[test]
fn a_runtime_with_users_of_its_own() {
    if can_be_built_with(&["gcc", "unshare"]) {
        let root = Root::new();
        let run = Invocation::of([
            "unshare",
            "--user",
            "--map-root-user",
            &root.path("runtime"),
            &root.path("ends.wasm"),
        ]);
        assert_eq!(calls(&Script::new(SCRIPT).run(&run)), [WRITES]);
    }
}

/// What the kernel tells of processes would be taken for others.
#[test]
fn ewapa_among_processes_of_its_own_is_refused() {
    if !can_be_built_with(&["unshare"]) {
        return;
    }
    let program = installed();
    for arguments in [
        vec!["--", program.to_str().expect("text"), "none.wasm"],
        vec!["-p", "1"],
        vec![],
    ] {
        let ended = Process::start(
            Command::new("unshare")
                .args(["--pid", "--fork", "--mount-proc"])
                .arg(ewapa())
                .args(["script", "-e", SCRIPT])
                .args(arguments),
        )
        .end();
        assert_eq!(ended.code(), 71, "{}", ended.stderr);
        assert_eq!(
            ended.stderr,
            "ewapa: ewapa runs in a PID namespace of its own, as that of a container, where processes have other numbers than the kernel tells; run it outside, or in a container with the machine's namespace (`--pid=host`)\n"
        );
    }
}

/// Runs a command where every process of the machine is traced. The calls of each process of this name.
fn on_the_machine(name: &str, command: &mut Command) -> Vec<String> {
    let script =
        format!("table t from wasi:fd_write where comm == \"{name}\" by pid {{ calls = count() }}");
    let watched = watch::begin(&script, &[]);
    let ended = Process::start(command).end();
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let (rows, said) = watched.end();
    assert!(!said.contains(name), "{said}");
    rows.iter()
        .filter_map(|row| row.split_once(','))
        .map(|(_, calls)| calls.to_owned())
        .collect()
}

/// The same text for a runtime of a name that no other test has.
fn named(root: &Root, name: &str, text: &str) -> Command {
    std::fs::rename(root.path("runtime"), root.path(name)).expect("name the runtime");
    root.apart(&text.replace("runtime", name)).command()
}

fn ten_of_each(processes: usize) -> Vec<String> {
    vec![WRITES.to_string(); processes]
}

/// Its filesystem is not mounted where ewapa is: the kernel does not ask before the first program of it.
#[test]
fn the_first_process_of_a_filesystem_of_its_own_misses_no_call() {
    if can_be_built_with(&["gcc", "unshare"]) {
        let root = Root::new();
        let mut command = named(&root, "pivoted", PIVOT);
        assert_eq!(on_the_machine("pivoted", &mut command), ten_of_each(1));
    }
}

#[test]
fn the_first_process_of_an_overlay_misses_no_call() {
    if can_be_built_with(&["gcc", "unshare"]) {
        let root = Root::new();
        let mut command = named(&root, "overlaid", OVERLAY);
        assert_eq!(on_the_machine("overlaid", &mut command), ten_of_each(4));
    }
}

#[test]
fn the_first_process_in_memory_without_a_name_misses_no_call() {
    if can_be_built_with(&["gcc", "python3"]) {
        let root = Root::new();
        let in_memory = IN_MEMORY.replace("'runtime'", "'memory'");
        let paths: [PathBuf; 2] =
            ["runtime", "ends.wasm"].map(|name| Path::new(&root.path(name)).to_owned());
        let mut command = Command::new("python3");
        command.arg("-c").arg(in_memory).args(paths);
        assert_eq!(on_the_machine("memfd:memory", &mut command), ten_of_each(1));
    }
}
