//! Rights: which are needed, which are kept, and whose the command has.

mod support;

use std::ffi::CString;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

use support::directory::Directory;
use support::host::{copy_program, ewapa, ewapa_with_rights};
use support::process::{Ended, Process, descendants, wait_until};

/// What tracing one's own programs takes.
const NEEDED: [&str; 3] = ["bpf", "perfmon", "checkpoint_restore"];

/// The bits of what a run keeps of all rights (include/uapi/linux/capability.h): dac_read_search, kill, sys_ptrace, lease,
/// syslog, perfmon, bpf, checkpoint_restore.
const KEPT: u64 = 1 << 2 | 1 << 5 | 1 << 19 | 1 << 28 | 1 << 34 | 1 << 38 | 1 << 39 | 1 << 40;

const SYS_ADMIN: u64 = 1 << 21;

/// Of what the keeper keeps: kill and bpf.
const KEEPERS: u64 = 1 << 5 | 1 << 39;

/// The user that has nothing; Debian and others have it by this number.
const NOBODY: u32 = 65534;

fn ended(command: &mut Command) -> Ended {
    let mut process = Process::start(command);
    process.close_stdin();
    process.end()
}

fn text(ended: &Ended) -> String {
    String::from_utf8_lossy(&ended.stdout).into_owned()
}

/// A line of `/proc/…/status` as a hexadecimal number.
fn set(status: &str, name: &str) -> u64 {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .unwrap_or_else(|| panic!("no {name} in {status}"));
    u64::from_str_radix(line.trim(), 16).expect("a set of capabilities")
}

/// ewapa as root, called by `sudo` by the user nobody.
fn called_by_nobody() -> Command {
    let mut command = Command::new(ewapa());
    command.env("SUDO_UID", NOBODY.to_string());
    command
}

fn open_to_all(directory: &Directory) {
    std::fs::set_permissions(directory.path(), Permissions::from_mode(0o777)).expect("open it");
}

#[test]
fn three_capabilities_trace_a_command() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let ended = ended(ewapa_with_rights(&directory, &NEEDED).arg("demo"));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("10001"), "{}", ended.stderr);
}

#[test]
fn three_capabilities_of_the_file_trace_a_command() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let mut command = support::host::ewapa_without_rights(&directory);
    let file = directory.path().join("ewapa");
    grant(&file, 1 << 38 | 1 << 39 | 1 << 40);
    let ended = ended(
        command
            .args(["-e", "begin { exit(); }", "--", "grep", "^Cap"])
            .arg("/proc/self/status"),
    );
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
}

/// Gives a file capabilities that are in effect at once (`struct vfs_cap_data`, revision 2).
fn grant(file: &Path, set: u64) {
    let words: [u32; 5] = [0x0200_0001, set as u32, 0, (set >> 32) as u32, 0];
    let value: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
    let path = CString::new(file.as_os_str().as_bytes()).expect("a path");
    // SAFETY: path and value live across the call, and the length is told.
    let result = unsafe {
        libc::setxattr(
            path.as_ptr(),
            c"security.capability".as_ptr(),
            value.as_ptr().cast(),
            value.len(),
            0,
        )
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn each_capability_that_is_missing_is_named() {
    if !support::is_root() {
        return;
    }
    for missing in NEEDED {
        let directory = Directory::new();
        let held: Vec<&str> = NEEDED.into_iter().filter(|name| *name != missing).collect();
        let ended = ended(ewapa_with_rights(&directory, &held).arg("demo"));
        let wanted = format!("ewapa: CAP_{} is missing to trace:", missing.to_uppercase());
        assert!(ended.stderr.contains(&wanted), "{}", ended.stderr);
        assert_eq!(ended.code(), 77);
    }
}

#[test]
fn a_process_of_another_user_takes_two_more() {
    if !support::is_root() {
        return;
    }
    let other = Process::start(Command::new("sleep").arg("100"));
    let pid = other.pid().to_string();
    let trace = |rights: &[&str]| {
        let directory = Directory::new();
        let arguments = ["script", "wasi_summary", "-p", &pid];
        ended(ewapa_with_rights(&directory, rights).args(arguments))
    };
    let refused = trace(&NEEDED);
    let wanted = format!("CAP_SYS_PTRACE and CAP_KILL are missing to trace process {pid}");
    assert!(refused.stderr.contains(&wanted), "{}", refused.stderr);
    assert_eq!(refused.code(), 77);
    // It is looked into, and found to have no runtime.
    let looked = trace(&[&NEEDED[..], &["sys_ptrace", "kill"]].concat());
    assert_eq!(looked.code(), 68, "{}", looked.stderr);
}

#[test]
fn what_the_whole_machine_lacks_is_said() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let mut command = ewapa_with_rights(&directory, &NEEDED);
    let ended = ended(command.args(["script", "wasi_summary", "-d", "0.2"]));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    for said in [
        "CAP_SYS_ADMIN is missing, and a runtime's first calls may not be seen",
        "CAP_SYS_PTRACE is missing to look into processes of others",
    ] {
        assert!(ended.stderr.contains(said), "{}", ended.stderr);
    }
}

#[test]
fn doctor_says_what_the_rights_are_for() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let few = ended(ewapa_with_rights(&directory, &NEEDED).arg("doctor"));
    assert!(
        text(&few).contains("processes of others (CAP_SYS_PTRACE)"),
        "{}",
        text(&few)
    );
    assert_eq!(few.code(), 0);
    let none = ended(support::host::ewapa_without_rights(&Directory::new()).arg("doctor"));
    assert!(text(&none).contains("CAP_BPF"), "{}", text(&none));
    assert_eq!(none.code(), 71);
}

/// All capabilities of a process: those that its threads are permitted, by their names.
fn permitted(pid: u32) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let read = |file| std::fs::read_to_string(thread.path().join(file)).ok();
        if let (Some(status), Some(name)) = (read("status"), read("comm")) {
            found.push((name.trim().to_owned(), set(&status, "CapPrm")));
        }
    }
    found
}

#[test]
fn once_attached_no_thread_has_more_than_is_needed() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let begun = directory.path().join("begun");
    let mut command = Command::new(ewapa());
    command
        .args(["script", "wasi_summary", "--", "sh", "-c"])
        .arg("touch \"$0\"; read line")
        .arg(&begun);
    let mut process = Process::start(&mut command);
    wait_until("the command", || begun.exists().then_some(()));
    for (thread, set) in permitted(process.pid()) {
        assert_eq!(set & !KEPT, 0, "{thread} has {set:x}");
        assert_ne!(set, 0, "{thread} has nothing left");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.pid())).unwrap();
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    let keeper = descendants(process.pid())
        .into_iter()
        .find(|child| {
            std::fs::read_to_string(format!("/proc/{child}/comm"))
                .is_ok_and(|name| name == "ewapa\n")
        })
        .expect("the keeper");
    // It may not have run yet.
    wait_until("the keeper to give up its capabilities", || {
        let threads = permitted(keeper);
        let given_up = threads.iter().all(|(_, set)| set & !KEEPERS == 0);
        (given_up && !threads.is_empty()).then_some(())
    });
    process.close_stdin();
    process.end();
}

#[test]
fn on_the_whole_machine_only_the_gate_has_one_more() {
    if !support::is_root() {
        return;
    }
    let mut command = Command::new(ewapa());
    let process = Process::start(command.args(["script", "wasi_summary"]));
    let threads = wait_until("the gate", || {
        let threads = permitted(process.pid());
        let is_gate =
            |(name, set): &(String, u64)| name == "gate" && set & !(KEPT | SYS_ADMIN) == 0;
        let others = threads.iter().filter(|thread| !is_gate(thread));
        let given_up = others.clone().all(|(_, set)| set & !KEPT == 0);
        (threads.iter().any(is_gate) && given_up).then_some(threads)
    });
    assert!(threads.len() >= 2);
    process.signal(libc::SIGINT);
    process.end();
}

#[test]
fn under_sudo_the_command_is_the_callers() {
    if !support::is_root() {
        return;
    }
    let mut command = called_by_nobody();
    command
        .args(["-e", "begin { @x = 1; }", "--", "sh", "-c"])
        .arg("id -u; id -g; id -G; echo $USER $LOGNAME; grep -E '^Cap(Prm|Eff|Inh|Amb)' /proc/self/status");
    let ended = ended(&mut command);
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let name = text(&ended_of("id", &["-un", &NOBODY.to_string()]));
    let name = name.trim();
    let none = "0000000000000000";
    assert_eq!(
        text(&ended),
        format!(
            "{NOBODY}\n{NOBODY}\n{NOBODY}\n{name} {name}\nCapInh:\t{none}\nCapPrm:\t{none}\nCapEff:\t{none}\nCapAmb:\t{none}\n"
        )
    );
}

fn ended_of(program: &str, arguments: &[&str]) -> Ended {
    ended(Command::new(program).args(arguments))
}

#[test]
fn the_command_can_be_another_users() {
    if !support::is_root() {
        return;
    }
    let run = |user: &str| {
        let mut command = called_by_nobody();
        command.args(["-e", "begin { @x = 1; }", "--user", user, "--", "id", "-u"]);
        ended(&mut command)
    };
    assert_eq!(text(&run("root")), "0\n");
    assert_eq!(text(&run("65534")), "65534\n");
    let unknown = run("nobody-of-this-name");
    assert_eq!(
        unknown.stderr,
        "ewapa: there is no user `nobody-of-this-name`\n"
    );
    assert_eq!(unknown.code(), 64);
    let directory = Directory::new();
    let mut command = ewapa_with_rights(&directory, &NEEDED);
    let refused = ended(command.args(["-e", "begin { exit(); }", "--user", "root", "--", "id"]));
    assert!(
        refused.stderr.contains("only root can"),
        "{}",
        refused.stderr
    );
    assert_eq!(refused.code(), 77);
}

#[test]
fn the_command_has_none_of_ewapas_capabilities() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let mut command = ewapa_with_rights(&directory, &NEEDED);
    command.args([
        "-e",
        "begin { @x = 1; }",
        "--",
        "grep",
        "-E",
        "^Cap(Inh|Prm|Eff|Amb)",
    ]);
    let ended = ended(command.arg("/proc/self/status"));
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let said = text(&ended);
    for name in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(set(&said, name), 0, "{said}");
    }
}

/// Without CAP_KILL a process that has become another user's could not be let go on.
#[test]
fn without_cap_kill_no_program_of_the_command_becomes_another_users() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    let program = directory.path().join("id-as-root");
    copy_program(Path::new("/usr/bin/id"), &program);
    let effective = |rights: &[&str]| {
        let mut command = ewapa_with_rights(&directory, rights);
        std::fs::set_permissions(&program, Permissions::from_mode(0o4755)).expect("set-user-ID");
        // In a session of its own: within one, SIGCONT needs no right.
        command.args([
            "script",
            "wasi_summary",
            "--",
            "sh",
            "-c",
            "setsid -w ./id-as-root -u",
        ]);
        text(&ended(&mut command))
    };
    assert_eq!(effective(&NEEDED), format!("{NOBODY}\n"));
    assert_eq!(effective(&[&NEEDED[..], &["kill"]].concat()), "0\n");
}

#[test]
fn the_command_has_none_of_ewapas_descriptors() {
    if !support::is_root() {
        return;
    }
    let bare = ended_of("ls", &["/proc/self/fd"]);
    let mut command = Command::new(ewapa());
    command.args(["script", "wasi_summary", "--", "ls", "/proc/self/fd"]);
    assert_eq!(text(&ended(&mut command)), text(&bare));
}

#[test]
fn a_script_reads_files_and_runs_commands_as_the_caller() {
    if !support::is_root() {
        return;
    }
    let directory = Directory::new();
    open_to_all(&directory);
    let secret = directory.file("secret", "of root alone");
    std::fs::set_permissions(&secret, Permissions::from_mode(0o600)).expect("keep it");
    let script = format!(
        "begin {{ cat(\"{0}\"); system(\"id -u; cat {0}\"); exit(); }}",
        secret.display()
    );
    let run = |command: &mut Command| ended(command.args(["--unsafe", "-e", &script]));
    let of_nobody = run(&mut called_by_nobody());
    assert_eq!(text(&of_nobody), format!("{NOBODY}\n"));
    assert!(
        of_nobody.stderr.contains("cat() cannot read"),
        "{}",
        of_nobody.stderr
    );
    // The keeper of the secret sees it twice.
    assert_eq!(
        text(&run(&mut Command::new(ewapa()))),
        "of root alone0\nof root alone"
    );
}

#[test]
fn the_output_file_is_the_callers() {
    if !support::is_root() {
        return;
    }
    let write = |command: &mut Command, path: &Path| {
        command.args(["-e", "begin { @x = 1; }", "-o"]).arg(path);
        ended(command.args(["--", "true"]))
    };
    let directory = Directory::new();
    open_to_all(&directory);
    let own = directory.path().join("own");
    assert_eq!(write(&mut called_by_nobody(), &own).code(), 0);
    let metadata = std::fs::metadata(&own).expect("it is there");
    assert_eq!((metadata.uid(), metadata.gid()), (NOBODY, NOBODY));

    let of_root = directory.file("of_root", "as it was");
    let refused = write(&mut called_by_nobody(), &of_root);
    assert_eq!(refused.code(), 74, "{}", refused.stderr);

    // A folder like /tmp: whoever made the link wants root to write through it.
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&of_root, &link).expect("make a link");
    let refused = write(&mut Command::new(ewapa()), &link);
    assert!(
        refused
            .stderr
            .contains("a symbolic link in a folder where anyone"),
        "{}",
        refused.stderr
    );
    assert_eq!(refused.code(), 74);
    assert_eq!(std::fs::read_to_string(&of_root).unwrap(), "as it was");
}

#[test]
fn a_script_cannot_change_what_it_traces() {
    for (what, said) in [
        (
            "signal(\"KILL\")",
            "`signal()` is bpftrace's, and this language leaves it out",
        ),
        (
            "override(1)",
            "`override()` is bpftrace's, and this language leaves it out",
        ),
        (
            "probe_write_user(1, 2)",
            "no function is called `probe_write_user`",
        ),
        (
            "*(int32 *)1 = 2",
            "only a variable or a map can be given a value",
        ),
        (
            "system(\"id\")",
            "which a script may only do with `--unsafe`",
        ),
    ] {
        let mut command = Command::new(ewapa());
        let refused = ended(command.arg("-e").arg(format!("begin {{ {what}; }}")));
        assert!(refused.stderr.contains(said), "{what}: {}", refused.stderr);
        assert_eq!(refused.code(), 65);
    }
}
