//! The ways in which programs start others: what a runtime calls below a command is counted exactly, whoever
//! starts it and how.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use support::directory::Directory;
use support::guest::Guest;
use support::runtime::{Invocation, Runtime};
use support::trace::Script;

/// What each process of the guest writes.
const WRITES: i64 = 10;

/// A way, a text for `sh` in which RUN is the guest on its runtime, how many processes run that, and the programs that it needs.
const WAYS: &[(&str, &str, i64, &[&str])] = &[
    ("a pipe", "RUN | cat", 1, &[]),
    ("a substitution", "x=$(RUN); y=`RUN`", 2, &[]),
    ("a subshell in the background", "(RUN; RUN) & wait", 2, &[]),
    ("exec", "exec RUN", 1, &[]),
    (
        "a chain of execs",
        "exec env nice nohup timeout 600 env RUN",
        1,
        &["nohup", "timeout"],
    ),
    ("an empty environment", "env -i RUN", 1, &[]),
    ("timeout", "timeout 600 RUN", 1, &["timeout"]),
    (
        "timeout in the foreground",
        "timeout --foreground 600 RUN",
        1,
        &["timeout"],
    ),
    ("nohup", "nohup RUN", 1, &["nohup"]),
    ("setsid", "setsid --wait RUN", 1, &["setsid"]),
    (
        "xargs",
        "seq 8 | xargs -P 4 -n 1 sh -c 'exec RUN'",
        8,
        &["xargs"],
    ),
    (
        "make",
        "printf 'all: a b c d\\na b c d:\\n\\t@RUN\\n' >Makefile; make -s -j 4",
        4,
        &["make"],
    ),
    ("find", "find . -maxdepth 0 -exec RUN \\;", 1, &["find"]),
    (
        "another user",
        "setpriv --reuid 65534 --regid 65534 --clear-groups RUN",
        1,
        &["setpriv"],
    ),
    (
        "a program that changes its user",
        "cp runtime other; chown 65534 other; chmod 4755 other; ./other guest.wasm",
        1,
        &[],
    ),
    (
        "a daemon",
        "mkfifo ended; ((setsid sh -c 'RUN; echo >ended' &) &); read _ <ended",
        1,
        &["setsid"],
    ),
    (
        "an interpreter's line",
        "printf '#!/bin/sh\\nexec RUN\\n' >script; chmod +x script; ./script; ./script",
        2,
        &[],
    ),
    (
        "posix_spawn",
        "python3 -c 'import os, sys; c = sys.argv[1:]; [os.waitpid(os.posix_spawn(c[0], c, os.environ), 0) for _ in range(3)]' RUN",
        3,
        &["python3"],
    ),
    (
        "fork and exec",
        "python3 -c 'import os, sys\nfor _ in range(3):\n  p = os.fork() or os.execv(sys.argv[1], sys.argv[1:])\n  os.waitpid(p, 0)' RUN",
        3,
        &["python3"],
    ),
    (
        "fork twice",
        "python3 -c 'import os, sys\nif not os.fork():\n  if not os.fork(): os.execv(sys.argv[1], sys.argv[1:])\n  os.wait()\nelse: os.wait()' RUN",
        1,
        &["python3"],
    ),
    // With vfork, where Python finds that it may.
    (
        "Python's subprocess",
        "python3 -c 'import subprocess, sys; [subprocess.run(sys.argv[1:], close_fds=c, start_new_session=n, check=True) for c in (0, 1) for n in (0, 1)]' RUN",
        4,
        &["python3"],
    ),
    (
        "Python's threads",
        "python3 -c 'import subprocess, sys, threading as t; ts = [t.Thread(target=lambda: subprocess.run(sys.argv[1:])) for _ in range(6)]; [x.start() for x in ts]; [x.join() for x in ts]' RUN",
        6,
        &["python3"],
    ),
    (
        "exec by a thread",
        "python3 -c 'import os, sys, threading as t; x = t.Thread(target=lambda: os.execv(sys.argv[1], sys.argv[1:])); x.start(); x.join()' RUN",
        1,
        &["python3"],
    ),
    (
        "Node's child_process",
        "node -e 'const c = require(\"child_process\"), [f, ...a] = process.argv.slice(1); c.spawnSync(f, a); c.spawn(f, a, { detached: true }); c.execFile(f, a)' RUN",
        3,
        &["node"],
    ),
];

fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[test]
fn whoever_starts_a_runtime_its_calls_are_counted() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    let mut wrong = Vec::new();
    for (way, text, processes, programs) in WAYS {
        if let Some(missing) = programs.iter().find(|program| !has(program)) {
            eprintln!("{way}: left out, as there is no {missing}");
            continue;
        }
        let directory = Directory::new();
        // Another user has to reach it.
        let open = |path: &Path| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("chmod");
        };
        open(directory.path());
        let runtime = directory.path().join("runtime");
        std::fs::copy(Runtime::Wasm3.binary(), &runtime).expect("copy the runtime");
        open(&runtime);
        let module = directory.path().join("guest.wasm");
        std::fs::rename(Guest::named("ends").compile(&directory), &module).expect("name it");
        let run = format!("{} {}", runtime.display(), module.display());
        let command = Invocation {
            directory: directory.path().to_owned(),
            ..Invocation::of(["sh", "-c", &text.replace("RUN", &run)])
        };
        let script = "table t from wasi:fd_write by pid { calls = count() }";
        let traced = Script::new(script).run(&command);
        let calls: Vec<i64> = traced
            .report
            .table()
            .rows()
            .map(|row| row.number("CALLS"))
            .collect();
        let expected = vec![WRITES; usize::try_from(*processes).expect("a number")];
        let headline = &traced.report.table().headline;
        let is_right = calls == expected
            && headline.ends_with(" · nothing lost")
            && traced.ended.code() == 0
            && !traced.ended.stderr.contains("job control");
        if !is_right {
            wrong.push(format!(
                "{way}: {calls:?} of {expected:?}; {headline}; {}",
                traced.ended.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// It is told of each stop, and goes on without its command.
#[test]
fn a_shell_with_job_control_is_named() {
    if !Runtime::Wasm3.is_ready() || !has("bash") {
        return;
    }
    let directory = Directory::new();
    let guest = Runtime::Wasm3.run(&Guest::named("ends").compile(&directory), directory.path());
    let shell = guest.wrapped(["bash", "-c", "set -m; \"$@\" & wait; true", "bash"]);
    let traced = Script::new("table t from wasi:fd_write by pid { calls = count() }").run(&shell);
    assert!(
        traced.ended.stderr.contains("ewapa: bash (process ")
            && traced.ended.stderr.contains("seems to have job control"),
        "{}",
        traced.ended.stderr
    );
}
