//! Somebody sets the clock while a script runs. It is the clock of the whole machine: the test runs in CI, or if
//! `EWAPA_SET_CLOCK` is set, and sets it back.

mod support;

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use support::is_root;
use support::process::{Process, descendants, wait_until_quiet};
use support::tinyrt::Host;

/// So many seconds the clock is set on.
const STEP: i64 = 1000;

/// A clock that was set on, and is set back in the end.
struct Step;

impl Step {
    fn make() -> Step {
        step(STEP).expect("root may set the clock");
        Step
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        step(-STEP).expect("what could be set can be set back");
    }
}

/// Moves the clock by so many seconds, however long that takes.
fn step(seconds: i64) -> io::Result<()> {
    // SAFETY: the structure is plain numbers.
    let result = unsafe {
        let mut change: libc::timex = std::mem::zeroed();
        change.modes = libc::ADJ_SETOFFSET;
        change.time.tv_sec = seconds;
        libc::adjtimex(&mut change)
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is after 1970").as_secs() as i64
}

/// Durations are those of the monotonic clock; `time()` says what the clock says; `strftime` keeps the distances
/// between the moments of a run.
#[test]
fn a_clock_that_is_set_changes_no_duration() {
    if std::env::var_os("CI").is_none() && std::env::var_os("EWAPA_SET_CLOCK").is_none() {
        eprintln!("SKIPPED: it sets the clock of this machine: run it with EWAPA_SET_CLOCK=1");
        return;
    }
    if !is_root() {
        return;
    }
    let host = Host::new();
    let script = "wasi:fd_read {
        printf(\"%d %s \", duration, strftime(\"%s\", nsecs)); time(\"%s\\n\");
    }";
    let before = now();
    let mut tracing = Process::start(&mut host.command(script, &["--strict"], &["waits"]));
    tracing.write(b"x");
    tracing.wait_for_output(1);
    let command = *descendants(tracing.pid()).first().expect("it runs");
    wait_until_quiet(command);
    let step = Step::make();
    tracing.write(b"x");
    tracing.wait_for_output(2);
    wait_until_quiet(command);
    wait_until_quiet(tracing.pid());
    drop(step);
    tracing.close_stdin();
    let traced = host.end(tracing);
    let after = now();
    assert_eq!(traced.ended.code(), 0, "{}", traced.shown());
    let text = String::from_utf8(traced.out.clone()).expect("text");
    let lines: Vec<Vec<i64>> = text
        .lines()
        .map(|line| {
            let numbers = line.split(' ').map(|word| word.parse().expect("a number"));
            numbers.collect()
        })
        .collect();
    assert_eq!(lines.len(), 3, "{text}");
    for line in &lines {
        assert!(line[0] < STEP * 1_000_000_000 / 2, "a duration: {text}");
    }
    let between = |moment: i64, on: i64| (before + on..=after + on).contains(&moment);
    assert!(between(lines[0][2], 0), "{text}");
    assert!(between(lines[1][2], STEP), "{text}");
    assert!(between(lines[2][2], 0), "{text}");
    // The moments are of one clock, whichever of both that is.
    let distance = lines[2][1] - lines[0][1];
    assert!((0..=after - before + 1).contains(&distance), "{text}");
    assert!(
        lines[1][1] >= lines[0][1] && lines[1][1] <= lines[2][1],
        "{text}"
    );
}
