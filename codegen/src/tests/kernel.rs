//! Random programs in the kernel: its verifier refuses none of those that are generated, and they do there
//! what they do in the interpreter. As root; without, it is said that they are skipped.

mod answers;
mod features;
mod machine;
mod process;

use ewapa_lang::plan::Plan;
use ewapa_templates::Counter;
use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::random::{Happens, MAX_ROWS, any_plan, fits, happens};
use super::reference::{Groups, Kept, Reference, empty};
use super::run::{compile, read, told};
use super::scripts::{each_accepted, number, program_of, seed};
use crate::layout::MapKind;
use machine::Kernel;

/// How many programs the long test loads, if the variable says so: `EWAPA_RANDOM_PROGRAMS=10000`.
const HOW_MANY: &str = "EWAPA_RANDOM_PROGRAMS";

/// The number of programs of a run that says nothing else.
const FEW: u64 = 500;

fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions.
    let root = unsafe { libc::geteuid() } == 0;
    assert!(root || std::env::var_os("CI").is_none(), "CI runs as root");
    if !root {
        eprintln!("skipped: it takes root to load programs");
    }
    root
}

/// The rows that anything has been added to. A map that each CPU has a row of from the start does not say
/// whether it was looked up.
fn touched(plan: &Plan, store: usize, groups: Groups) -> Groups {
    let kinds = plan.stores[store].slots.iter();
    let blank: Vec<Kept> = kinds.map(|kind| empty(*kind)).collect();
    groups
        .into_iter()
        .filter(|(_, row)| *row != blank)
        .collect()
}

/// Runs the events in the kernel and holds what it keeps and tells against the reference.
fn check(plan: &Plan, events: &[(u64, Happens)]) {
    let mut program = compile(plan);
    for (store, layout) in plan.stores.iter().zip(&mut program.stores) {
        if !store.keys.is_empty() {
            layout.max_rows = MAX_ROWS as u32;
        }
    }
    let kernel =
        Kernel::load(&program).unwrap_or_else(|error| panic!("{error}\n{plan:#?}\n{program}"));
    let mut expected = Reference::new(plan, MAX_ROWS, usize::MAX);
    for (cpu, event) in events {
        match event {
            Happens::Call(call) => {
                kernel.take(*cpu, call);
                expected.take(*cpu, call);
            }
            Happens::Other(clause) => {
                let clause = clause % plan.clauses.len();
                kernel.happen(*cpu, clause);
                expected.event(*cpu, clause);
            }
        }
    }
    for (index, groups) in expected.stores.iter().enumerate() {
        let rows = kernel.rows(&program.stores[index].map);
        let rows = rows.iter().map(|(key, value)| (&key[..], &value[..]));
        let mut found = read(plan, &program, rows.collect(), index);
        let mut groups = groups.clone();
        if program.stores[index].kind == MapKind::PerCpuArray {
            found = touched(plan, index, found);
            groups = touched(plan, index, groups);
        }
        assert_eq!(
            found, groups,
            "store {index}\n{plan:#?}\n{events:#?}\n{program}"
        );
    }
    assert_eq!(
        told(&program, &kernel.messages()),
        expected.messages,
        "{plan:#?}\n{events:#?}\n{program}"
    );
    assert_eq!(kernel.counter(Counter::GroupsFull), expected.lost);
    assert_eq!(kernel.counter(Counter::NoMessage), 0);
}

#[test]
fn the_kernel_takes_every_random_program_and_does_what_the_reference_does() {
    if !is_root() {
        return;
    }
    let (programs, deep) = (number(HOW_MANY).unwrap_or(FEW), any_plan(3));
    let events = vec(happens(), 1..8);
    // The same ones each time, and with a greater number the same and more.
    let random = match seed() {
        0 => TestRng::deterministic_rng(RngAlgorithm::ChaCha),
        seed => TestRng::from_seed(RngAlgorithm::ChaCha, &[seed.to_ne_bytes(); 4].concat()),
    };
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let mut loaded = 0;
    while loaded < programs {
        let plan = deep.new_tree(&mut runner).expect("a plan").current();
        let events = events.new_tree(&mut runner).expect("events").current();
        if fits(&plan) {
            check(&plan, &events);
            loaded += 1;
            if loaded % 500 == 0 {
                eprintln!("{loaded} programs");
            }
        }
    }
}

#[test]
fn the_kernel_takes_every_random_script() {
    if !is_root() {
        return;
    }
    each_accepted(|script| {
        if let Err(error) = Kernel::load(&script.program) {
            panic!("{error}\n{}\n{}", script.text, script.program);
        }
    });
}

#[test]
fn a_helper_may_fill_what_lies_deeper_than_all_before() {
    if !is_root() {
        return;
    }
    let program = program_of(
        "u:libc:write /(-((uint8)(cpu)) != (int32)(len(comm)))/ {
           $a = 1; $b = (int64)pid; $c = 0; $s = comm; $p = (comm, $b);
           @of[(wasi_duration / 1us), comm] = hist((((strncmp($s, \"main\", 2) != 0)
             ? $a : len((156 != $b ? $s : comm))) ^ 430));
         }",
    );
    if let Err(error) = Kernel::load(&program) {
        panic!("{error}\n{program}");
    }
}
