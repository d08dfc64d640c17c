//! A tracer that is killed: what it had stopped goes on, and nothing of it stays.

mod support;

use support::directory::Directory;
use support::guest::Guest;
use support::process::{descendants, is_alive, wait_until};
use support::runtime::Runtime;
use support::trace::{EVERYTHING, Script};

/// Each program that the shell starts is stopped until the tracer has looked into it; the tracer dies
/// somewhere among them.
#[test]
fn what_a_killed_tracer_had_stopped_goes_on() {
    if !Runtime::Wasm3.is_ready() {
        return;
    }
    for milliseconds in [0, 3, 7] {
        let directory = Directory::new();
        let done = directory.path().join("done");
        let guest = Guest::named("ends").compile(&directory);
        let loops =
            "echo begun; for i in 1 2 3 4 5 6 7 8 9 10; do \"$@\" >/dev/null; done; echo >\"$0\"";
        let watched = Runtime::Wasm3.run(&guest, directory.path()).wrapped([
            "sh",
            "-c",
            loops,
            done.to_str().expect("a path of text"),
        ]);
        let script = Script::new(EVERYTHING);
        let tracer = script.start_without_file(&watched);
        tracer.wait_for_output("begun\n".len());
        std::thread::sleep(std::time::Duration::from_millis(milliseconds));
        let family = descendants(tracer.pid());
        tracer.signal(libc::SIGKILL);
        wait_until("the shell to end its loop", || done.exists().then_some(()));
        for process in family {
            wait_until("the family to be gone", || {
                (!is_alive(process)).then_some(())
            });
        }
    }
}
