//! Go programs: their calls are those of goroutines, which end on other threads than they began on.

use std::fmt::Write as _;

use ewapa_lang::builtin::{HANDED, field};
use ewapa_symbols::{Catalogue, Goroutines, Image};
use ewapa_templates::{Cookie, Role, Running};

use super::attach::Point;
use super::needs::Needs;

/// What the templates are told of where threads keep their goroutines.
pub fn running(goroutines: &Goroutines) -> Running {
    goroutines
        .current
        .map(|current| Running {
            tls: current.tls,
            m: current.m,
            curg: current.curg,
        })
        .unwrap_or_default()
}

/// The probes by which it is seen that a goroutine ends.
pub fn ends(goroutines: &Goroutines) -> Vec<Point> {
    let cookie = Cookie {
        func: Cookie::NONE,
        role: Role::End,
        fd_arg: Cookie::NONE,
        moved_arg: Cookie::NONE,
        abi: 0,
        runtime: 0,
    };
    let point = |end: &ewapa_symbols::FileOffset| Point {
        offset: end.0,
        cookie: cookie.to_u64(),
        returns: false,
    };
    goroutines.ends.iter().map(point).collect()
}

/// Why what a script asks for cannot be told of a runtime's calls, if they are those of goroutines. `knows_threads`: it is
/// known where the kernel has what threads keep for themselves.
pub fn refusal(image: &Image, needs: &Needs, knows_threads: bool) -> Option<String> {
    let goroutines = image.goroutines.as_ref()?;
    let mut refusal = format!(
        "this is {}, whose calls are those of goroutines, which move between threads: ",
        Catalogue::in_use().names()[image.runtime]
    );
    let reads = |name: &&&str| needs.reads & 1 << field(name).index() != 0;
    let others = ["offcpu_time", "thread_hops", "handed"];
    let of_threads: Vec<&str> = HANDED
        .iter()
        .chain(&others)
        .filter(reads)
        .copied()
        .collect();
    if !of_threads.is_empty() {
        let names = of_threads.join("`, `");
        let _ = write!(
            refusal,
            "of these ewapa cannot tell `{names}`; leave it out"
        );
    } else if needs.raw_within_calls {
        refusal.push_str(
            "raw probes cannot tell which of these they are in; leave out what they read of it",
        );
    } else if needs.adds_up_syscalls() && (goroutines.current.is_none() || !knows_threads) {
        refusal.push_str(
            "where a thread keeps its goroutine is not known, so neither is which system calls are made in a call; leave out what is added up of these",
        );
    } else {
        return None;
    }
    Some(refusal)
}
