//! Traced processes that mean harm: what they call themselves and their functions never reaches a terminal as it is,
//! and what they put in the way is not opened, not waited for and not believed.

mod support;

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::bpftrace::compile;
use support::host::ewapa;
use support::is_root;
use support::process::{Ended, Process, wait_until};
use support::tinyrt::{CALLS, Host};

/// Clears the screen, begins a line, is no text, and turns the direction of what follows. Short enough for a command.
const EVIL: &[u8] = b"e\x1b[2J\n\xff\xe2\x80\xae\xc2\x9bx";

/// Nothing in it does anything to a terminal.
fn assert_harmless(what: &str, bytes: &[u8]) {
    let text = std::str::from_utf8(bytes)
        .unwrap_or_else(|error| panic!("{what}: {error}: {:?}", String::from_utf8_lossy(bytes)));
    let harmful = |character: &char| {
        (character.is_control() && *character != '\n')
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found = text.chars().find(harmful);
    assert_eq!(found, None, "{what}: {text:?}");
    // A line that it begins itself would look as if ewapa had said it.
    assert!(
        !text.lines().any(|line| line.starts_with('\u{fffd}')),
        "{what}: {text:?}"
    );
}

fn ended(command: &mut Command) -> Ended {
    let mut process = Process::start(command);
    process.close_stdin();
    process.end()
}

/// The host under another name.
fn renamed(host: &Host) -> PathBuf {
    let program = host.path(OsStr::from_bytes(EVIL));
    fs::copy(&host.program, &program).expect("a copy of the host");
    program
}

/// Runs a program below ewapa; both streams have to be harmless. Returns what was written to `out`.
fn shown(host: &Host, script: &str, options: &[&str], words: &[&OsStr]) -> String {
    let mut command = host.ewapa(script, options);
    command.args(["-o", "out", "--"]).args(words);
    let _ = fs::remove_file(host.path("out"));
    let ended = ended(&mut command);
    let out = fs::read(host.path("out")).unwrap_or_default();
    assert_harmless(script, &out);
    assert_harmless(script, ended.stderr.as_bytes());
    assert_harmless(script, &ended.stdout);
    assert!(!out.is_empty(), "{script}: {}", ended.stderr);
    String::from_utf8(out).expect("it was text")
}

#[test]
fn the_name_of_a_command_is_harmless_in_every_format() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let program = renamed(&host);
    let words = [program.as_os_str(), OsStr::new("calls"), OsStr::new("5")];
    for format in ["table", "md", "csv", "json"] {
        for script in [
            "table t from wasi:* by comm, func { calls = count() }",
            "table t from wasi:* by func { calls = count() } pivot comm",
            "wasi:* { @[comm] = count(); @last = comm; }",
        ] {
            let text = shown(&host, script, &["-f", format], &words);
            assert!(text.contains("[2J"), "{format}: {text}");
        }
    }
    for format in ["table", "json"] {
        let script = "wasi:* { printf(\"%s|%10s\\n\", comm, comm); print(comm); print((1, comm)); }
            end { printf(\"%s\\n\", \"done\"); }";
        let text = shown(&host, script, &["-f", format], &words);
        assert!(text.contains("[2J"), "{format}: {text}");
    }
}

#[test]
fn a_path_of_the_guest_is_harmless() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let path = OsStr::from_bytes(EVIL);
    let words = [host.program.as_os_str(), OsStr::new("path"), path];
    for format in ["table", "md", "csv", "json"] {
        let script = "table t from wasi:* by path, func { calls = count() }";
        let text = shown(&host, script, &["-f", format], &words);
        assert!(text.contains("[2J"), "{format}: {text}");
    }
    let text = shown(
        &host,
        "wasi:* { printf(\"%s\\n\", path); @[path] = count(); }",
        &[],
        &words,
    );
    assert!(text.contains("[2J"), "{text}");
}

/// The name of a module is that of the first argument that looks like one.
#[test]
fn the_name_of_a_module_is_harmless() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut module = OsString::from_vec(EVIL.to_vec());
    module.push(".wasm");
    let words = [
        host.program.as_os_str(),
        OsStr::new("calls"),
        OsStr::new("5"),
        &module,
    ];
    let script = "table t from wasi:* by module { calls = count() }";
    for format in ["table", "csv", "json"] {
        let text = shown(&host, script, &["-f", format], &words);
        assert!(text.contains("[2J"), "{format}: {text}");
    }
}

/// A function whose symbol is not what a compiler would make.
#[test]
fn names_of_functions_are_harmless() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let mut bytes = fs::read(&host.program).expect("the host is there");
    let (name, evil) = (b"\0at_rate\0", b"\0a\x1b[2J\ne\0");
    let at = bytes
        .windows(name.len())
        .position(|window| window == name)
        .expect("the name is in its string table");
    bytes[at..at + evil.len()].copy_from_slice(evil);
    let program = host.path("named");
    fs::copy(&host.program, &program).expect("its rights");
    fs::write(&program, bytes).expect("a changed copy");
    let program = program.to_str().expect("text");
    let script = format!(
        "uprobe:{program}:a*2J*e {{ @[func] = count(); @stack[ustack(1)] = count(); @at = probe;
             printf(\"%s %s %s\\n\", func, probe, ustack(1)); @symbol[usym(reg(\"ip\"))] = count(); }}"
    );
    let words = [
        OsStr::new(program),
        OsStr::new("rate"),
        OsStr::new("0"),
        OsStr::new("0.01"),
    ];
    for format in ["table", "json"] {
        let text = shown(&host, &script, &["-f", format], &words);
        assert!(text.contains("[2J"), "{format}: {text}");
    }
    for words in [
        vec!["list".to_owned(), format!("uprobe:{program}:a*")],
        vec![
            "symbols".to_owned(),
            program.to_owned(),
            "--explain".to_owned(),
        ],
    ] {
        let ended = ended(Command::new(ewapa()).args(&words));
        assert_harmless(&words[0], &ended.stdout);
        assert_harmless(&words[0], ended.stderr.as_bytes());
    }
}

#[test]
fn names_of_static_probes_are_harmless() {
    let host = Host::new();
    let program = host.path("probed");
    compile("probed.c", &program);
    let mut bytes = fs::read(&program).expect("the program is there");
    let (name, evil) = (b"\0guarded\0", b"\0g\x1b[2J\nd\0");
    let at = bytes
        .windows(name.len())
        .position(|window| window == name)
        .expect("the name is in its notes");
    bytes[at..at + evil.len()].copy_from_slice(evil);
    fs::write(&program, bytes).expect("a changed copy");
    let ended =
        ended(Command::new(ewapa()).args(["list", &format!("usdt:{}:*", program.display())]));
    assert_harmless("list", &ended.stdout);
    assert!(
        String::from_utf8_lossy(&ended.stdout).contains("[2J"),
        "{}",
        ended.stderr
    );
}

/// What a process is called stands in what is said when it cannot be traced.
#[test]
fn messages_about_a_process_are_harmless() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let program = host.path(OsStr::from_bytes(EVIL));
    fs::copy("/bin/sleep", &program).expect("a copy");
    let sleeping = Process::start(Command::new(&program).arg("100"));
    let exe = format!("/proc/{}/exe", sleeping.pid());
    wait_until("the program", || {
        fs::read_link(&exe)
            .is_ok_and(|path| path == program)
            .then_some(())
    });
    let none = ended(&mut host.ewapa(CALLS, &["-p", &sleeping.pid().to_string()]));
    assert_eq!(none.code(), 68, "{}", none.stderr);
    sleeping.signal(libc::SIGKILL);
    sleeping.end();
    let folder = host.path("e\u{1b}[2J");
    fs::create_dir(&folder).expect("a folder");
    let stripped = folder.join("tinyrt");
    fs::copy(&host.program, &stripped).expect("a copy");
    let status = Command::new("strip").arg(&stripped).status();
    assert!(status.expect("run binutils").success());
    let mut waiting = Process::start(Command::new(&stripped).arg("waits"));
    let refused = ended(&mut host.ewapa(CALLS, &["-p", &waiting.pid().to_string()]));
    assert_eq!(refused.code(), 69, "{}", refused.stderr);
    waiting.close_stdin();
    waiting.end();
    for said in [&none.stderr, &refused.stderr] {
        assert_harmless("a message", said.as_bytes());
        assert!(said.contains("[2J"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// Traces a waiting host that has `/tmp/perf-PID.map`, as `place` makes it. Returns what is shown for an address that
/// no file has.
fn with_perf_map(place: impl Fn(&Path)) -> String {
    let host = Host::new();
    let mut target = host.start(&["waits"]);
    let map = PathBuf::from(format!("/tmp/perf-{}.map", target.pid()));
    place(&map);
    let script = "wasi:fd_read { @[usym(0x1004)] = count(); }";
    let pid = target.pid().to_string();
    let tracing = Process::start(&mut host.ewapa(script, &["-o", "out", "-p", &pid]));
    wait_until("probes", || {
        target.write(b"x");
        target.stdout().contains(&b'p').then_some(())
    });
    // What is answered has been read: a call with probes has returned.
    for _ in 0..2 {
        let answers = target.stdout().len();
        target.write(b"x");
        target.wait_for_output(answers + 1);
    }
    tracing.signal(libc::SIGINT);
    let traced = host.end(tracing);
    target.close_stdin();
    target.end();
    let _ = fs::remove_file(&map);
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert_harmless("an address", &traced.out);
    String::from_utf8(traced.out).expect("it was text")
}

#[test]
fn a_perf_map_is_read_and_its_names_are_harmless() {
    if !is_root() {
        return;
    }
    let text = with_perf_map(|path| {
        fs::write(path, b"1000 10 g\x1b[2Juest\xff\n").expect("write the map");
    });
    assert!(text.contains("@[g\\u{1b}[2Juest"), "{text}");
}

#[test]
fn a_perf_map_that_is_a_link_is_not_followed() {
    if !is_root() {
        return;
    }
    let secret = Host::new();
    let secret_file = secret.directory.file("secret", "1000 10 hidden\n");
    let text = with_perf_map(|path| {
        std::os::unix::fs::symlink(&secret_file, path).expect("make a link");
    });
    assert!(text.contains("@[0x1004]"), "{text}");
}

#[test]
fn a_perf_map_that_is_a_pipe_is_not_waited_for() {
    if !is_root() {
        return;
    }
    let text = with_perf_map(|path| {
        let status = Command::new("mkfifo").arg(path).status();
        assert!(status.expect("run mkfifo").success());
    });
    assert!(text.contains("@[0x1004]"), "{text}");
}

/// Joins a process that has mapped a file as code, with symbols wanted. Returns what is said.
fn joined_with(host: &Host, mut target: Process) -> String {
    target.wait_for_output(1);
    let pid = target.pid().to_string();
    let script = "wasi:fd_read { @[ustack(1)] = count(); }";
    let tracing = Process::start(&mut host.ewapa(script, &["-o", "out", "-p", &pid]));
    wait_until("probes", || {
        let answers = target.stdout();
        target.write(b"x");
        target.wait_for_output(answers.len() + 1);
        target.stdout().contains(&b'p').then_some(())
    });
    target.close_stdin();
    let traced = host.end(tracing);
    assert_eq!(target.end().code(), 0);
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    assert!(traced.shown().contains("waits+"), "{}", traced.shown());
    traced.shown()
}

#[test]
fn a_device_that_is_mapped_as_code_is_not_opened() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    let target = host.start(&["maps", "/dev/zero"]);
    let said = joined_with(&host, target);
    assert!(!said.contains("/dev/zero"), "{said}");
}

/// A file that is longer than its filesystem has room for: reading the hole is the signal SIGBUS.
#[test]
fn a_hole_that_cannot_be_read_does_not_end_the_run() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    fs::create_dir(host.path("small")).expect("a folder");
    // The section headers are in the hole (e_shoff is at 0x28).
    let shell = "mount -t tmpfs -o size=256k none small || exit 90
        cp tinyrt small/evil && truncate -s 100M small/evil || exit 91
        printf '\\000\\000\\000\\003\\000\\000\\000\\000' | dd of=small/evil bs=1 seek=40 conv=notrunc 2>/dev/null
        cat /dev/zero >small/fill 2>/dev/null
        exec \"$@\"";
    let mut command = Command::new(&host.program);
    command.args(["maps", "small/evil"]);
    let target = Process::start(&mut host.apart(shell, &command));
    joined_with(&host, target);
}

/// A copy of the host that claims tables of a terabyte, which are holes.
fn with_huge_tables(host: &Host, name: &str, change: impl Fn(&mut [u64; 8], u64)) -> PathBuf {
    const HUGE: u64 = 1 << 40;
    let path = host.path(name);
    fs::copy(&host.program, &path).expect("a copy");
    let file = File::options()
        .read(true)
        .write(true)
        .open(&path)
        .expect("the copy");
    let begin = file
        .metadata()
        .expect("it is there")
        .len()
        .next_multiple_of(4096);
    file.set_len(begin + HUGE).expect("a hole");
    let mut header = [0; 64];
    file.read_exact_at(&mut header, 0).expect("an ELF header");
    let at = u64::from_le_bytes(header[0x28..0x30].try_into().expect("eight bytes"));
    let count = u16::from_le_bytes([header[0x3c], header[0x3d]]);
    for index in 0..u64::from(count) {
        let place = at + 64 * index;
        let mut section = [0; 64];
        file.read_exact_at(&mut section, place)
            .expect("a section header");
        let mut words = [0; 8];
        for (word, bytes) in words.iter_mut().zip(section.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        }
        change(&mut words, begin);
        let section: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        file.write_all_at(&section, place)
            .expect("write a section header");
    }
    path
}

/// `sh_type`: the upper half of the first word of a section header.
const fn kind(words: &[u64; 8]) -> u64 {
    words[0] >> 32
}

#[test]
fn tables_without_end_are_not_read() {
    if !is_root() {
        return;
    }
    let host = Host::new();
    // Symbols and strings of a terabyte each.
    let symbols = with_huge_tables(&host, "symbols", |words, begin| {
        if [2, 3].contains(&kind(words)) {
            (words[3], words[4]) = (begin, 1 << 40);
        }
    });
    // No symbols, and all sections are constants of a terabyte, which would be searched for signs of a runtime.
    let constants = with_huge_tables(&host, "constants", |words, begin| match kind(words) {
        2 => words[0] &= 0xffff_ffff,
        1 => (words[3], words[4]) = (begin, 1 << 40),
        _ => {}
    });
    for path in [&symbols, &constants] {
        let ended = ended(Command::new(ewapa()).arg("symbols").arg(path));
        assert_ne!(ended.code(), 0);
        assert!(ended.stderr.starts_with("ewapa: "), "{}", ended.stderr);
        // One that maps it is traced, and its own functions have names.
        let target = host.start(&[OsStr::new("maps"), path.as_os_str()]);
        joined_with(&host, target);
    }
}
