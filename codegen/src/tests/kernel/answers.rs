//! What random scripts keep and tell: the same in the kernel as in the interpreter, to the byte.
//!
//! What time it is, a random number, a stack and the like would differ. In place of asking for it the scripts ask for
//! process and thread, so that everything else can be compared. Uprobes are attached to this process and hit; the
//! programs of other raw probes run as those of raw tracepoints, which alone the kernel runs with a given context.

use std::collections::BTreeMap;

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{Event, Plan, RawKind, RawProbe};
use ewapa_templates::{Counter, ELAPSED, PARENT};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::is_root;
use super::machine::{INPUT, Kernel, on_cpu};
use super::process::{self, Registers};
use crate::action::iterates;
use crate::btf::Parameter;
use crate::insn::{Alu, Assembler, Cond, Helper, R0, R1, R2, R9, R10, Symbol};
use crate::interpreter::{Machine, TOO_LONG};
use crate::layout::MapKind;
use crate::program::{CLAUSE, Function, Program, RAW};
use crate::tests::random::call;
use crate::tests::scripts::{Accepted, Random, each_accepted};
use crate::tests::terms::Call;

/// What the names of the programs begin with that run a clause of raw probes; the clause's index follows.
const RUN: &str = "run_";
/// What the kernel says otherwise each time: times, random numbers, stacks, and what is known of the machine.
const CHANGING: [Helper; 9] = [
    Helper::Nanoseconds,
    Helper::Random,
    Helper::StackId,
    Helper::Task,
    Helper::NumaNode,
    Helper::CgroupId,
    Helper::BootNanoseconds,
    Helper::TaiNanoseconds,
    Helper::AttachCookie,
];
/// Rows of a map that is not to be full, and of one that is.
const MANY_ROWS: u32 = 4096;
const FEW_ROWS: u32 = 6;
/// A script that says more in one event is not compared: the ring buffer holds 4 MiB.
const MOST_SAID: usize = 3 << 20;
/// Bytes of the context of a raw tracepoint.
const ARGUMENTS: usize = 96;

/// What happens, and on which CPU.
struct Happening {
    cpu: u64,
    what: What,
}

enum What {
    Call(Call),
    Syscall(Call),
    Phase(Call),
    /// The clause with this index, at `begin`, `end` or an interval.
    Other(usize),
    /// The clause with this index, with the WASI call around it.
    Raw(usize, Call, Context),
}

/// What a raw probe gives.
enum Context {
    /// At this place.
    Registers(usize, Registers),
    Bytes(Vec<u8>),
}

/// What a run leaves behind.
#[derive(Debug, PartialEq)]
struct Answer {
    /// The rows of each map of the program.
    rows: Vec<BTreeMap<Vec<u8>, Vec<u8>>>,
    messages: Vec<Vec<u8>>,
    lost: u64,
    untold: u64,
}

impl Answer {
    /// How many rows and messages there are.
    fn size(&self) -> usize {
        self.messages.len() + self.rows.iter().map(BTreeMap::len).sum::<usize>()
    }
}

/// The program that gives the same answer each time: see above.
fn repeatable(plan: &Plan, program: &Program, max_rows: u32) -> Program {
    let mut program = program.clone();
    program
        .functions
        .retain(|function| !function.name.starts_with(RAW));
    for function in &mut program.functions {
        let Function { code, .. } = function;
        let asked = |symbol: &Symbol| matches!(symbol, Symbol::Function(name) if name == ELAPSED || name == PARENT);
        for (index, _) in code.symbols.iter().filter(|(_, symbol)| asked(symbol)) {
            code.insns[*index].src = R0;
            code.insns[*index].imm = Helper::PidTgid as i32;
        }
        code.symbols.retain(|(_, symbol)| !asked(symbol));
        for insn in &mut code.insns {
            let is_helper = insn.code == 0x85 && insn.src == R0;
            if is_helper && CHANGING.iter().any(|helper| *helper as i32 == insn.imm) {
                insn.imm = Helper::PidTgid as i32;
            }
        }
    }
    for raw in std::mem::take(&mut program.raw) {
        program.functions.push(runner(raw.clause, raw.kind));
    }
    program.functions.sort_by_key(|function| function.section);
    for (store, layout) in plan.stores.iter().zip(&mut program.stores) {
        if !store.keys.is_empty() {
            layout.max_rows = max_rows;
        }
    }
    program
}

/// The program that runs a clause with its context, and the record in the map of inputs.
fn runner(clause: usize, kind: RawKind) -> Function {
    let mut asm = Assembler::default();
    let end = asm.label();
    asm.mov(R9, R1);
    asm.store_imm(R10, -8, 0);
    asm.map(R1, INPUT);
    asm.mov(R2, R10);
    asm.alu_imm(Alu::Add, R2, -8);
    asm.call(Helper::MapLookup);
    asm.jump_if_imm(Cond::Eq, R0, 0, end);
    asm.mov(R1, R0);
    asm.mov(R2, R9);
    asm.call_function(&format!("{CLAUSE}{clause}"));
    asm.place(end);
    asm.constant(R0, 0);
    asm.exit();
    Function {
        name: format!("{RUN}{clause}"),
        parameters: &[Parameter::Context],
        text: format!("clause {clause}"),
        code: asm.finish().expect("short jumps"),
        stack: 8,
        section: match kind {
            RawKind::Function => "uprobe/run",
            _ => "raw_tp/run",
        },
    }
}

/// A record of an event, with addresses among its arguments.
fn record(random: &mut Random, runner: &mut TestRunner) -> Call {
    let mut record = call().new_tree(runner).expect("a call").current();
    for argument in ["arg0", "arg1", "arg2"] {
        if !random.once_in(3) {
            record = record.with(argument, address(random) as i64);
        }
    }
    record
}

fn address(random: &mut Random) -> u64 {
    let addresses = process::addresses();
    addresses[random.below(addresses.len())]
}

/// A word: an address, a small number, or any.
fn word(random: &mut Random) -> u64 {
    match random.below(4) {
        0 | 1 => address(random),
        2 => random.below(12) as u64,
        _ => random.next(),
    }
}

/// What a tracepoint's record or a raw tracepoint's arguments are: words, and a name where some have one.
fn arguments(random: &mut Random, probe: &RawProbe) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..ARGUMENTS / 8)
        .flat_map(|_| word(random).to_ne_bytes())
        .collect();
    if let RawProbe::Tracepoint { category, name } = probe {
        match (&**category, &**name) {
            ("sched", "sched_process_exec") => {
                // Where the name is, and how long it is.
                bytes[8..12].copy_from_slice(&(40u32 | 16 << 16).to_ne_bytes());
                bytes[40..56].copy_from_slice(b"/bin/wasmtime\0\0\0");
            }
            ("sched", _) => bytes[8..24].copy_from_slice(b"main\0\0\0\0\0\0\0\0\0\0\0\0"),
            _ => {}
        }
    }
    bytes[ARGUMENTS - 8..].fill(0);
    bytes
}

/// What is to happen to a script: its beginning first, then anything that it waits for.
fn happenings(random: &mut Random, plan: &Plan) -> Vec<Happening> {
    const SYSCALLS: [i64; 8] = [0, 1, 2, 3, 202, 228, 257, 300];
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(
            RngAlgorithm::ChaCha,
            &[random.next().to_ne_bytes(); 4].concat(),
        ),
    );
    let cpus = std::thread::available_parallelism().map_or(1, |cpus| cpus.get().min(2));
    let first = plan
        .clauses
        .iter()
        .position(|clause| clause.event == Event::Begin);
    let mut happenings: Vec<Happening> = first
        .into_iter()
        .map(|clause| Happening {
            cpu: 0,
            what: What::Other(clause),
        })
        .collect();
    for _ in 0..8 {
        let clause = random.below(plan.clauses.len());
        let mut record = record(random, &mut runner);
        let what = match &plan.clauses[clause].event {
            Event::Wasi(_) | Event::WasiEnter(_) => What::Call(record),
            Event::Syscall(_) => {
                record = record.with("syscall", SYSCALLS[random.below(SYSCALLS.len())]);
                What::Syscall(record)
            }
            Event::Phase(_) => What::Phase(record.with("phase", random.below(4) as i64)),
            Event::Begin | Event::End | Event::Interval(_) => What::Other(clause),
            Event::Raw(probes) => {
                if random.once_in(3) {
                    // Outside of any call.
                    record = record.with("wasi_func", NONE).with("wasi_duration", NONE);
                }
                let context = match probes[0].kind() {
                    RawKind::Function => Context::Registers(
                        clause % process::PLACES,
                        Registers {
                            di: word(random),
                            si: word(random),
                            dx: word(random),
                            cx: word(random),
                            r8: word(random),
                            r9: word(random),
                            ax: word(random),
                        },
                    ),
                    _ => Context::Bytes(arguments(random, &probes[0])),
                };
                What::Raw(clause, record, context)
            }
        };
        happenings.push(Happening {
            cpu: random.below(cpus) as u64,
            what,
        });
    }
    happenings
}

/// In which order loops go over the rows of maps, as far as that is known.
type Orders = BTreeMap<String, Vec<Vec<u8>>>;

/// The interpreter's answer; none if it takes too long or says too much.
fn interpreted<'p>(
    program: &'p Program,
    happenings: &[Happening],
    orders: &Orders,
) -> Result<Option<(Answer, Machine<'p>)>, String> {
    let mut machine = Machine::new(program);
    machine.says = process::says();
    machine.memory = process::memory();
    machine.orders = orders.clone();
    for Happening { cpu, what } in happenings {
        let said = |machine: &Machine<'_>| machine.messages.iter().map(Vec::len).sum::<usize>();
        let before = said(&machine);
        machine.cpu = *cpu;
        let done = match what {
            What::Call(call) => machine
                .run(ewapa_templates::ENTER, &call.at_entry().to_bytes())
                .and_then(|wanted| match wanted {
                    0 => Ok(0),
                    _ => machine.run(ewapa_templates::LEAVE, &call.to_bytes()),
                }),
            What::Syscall(call) => machine.run(ewapa_templates::SYSCALL, &call.to_bytes()),
            What::Phase(call) => machine.run(ewapa_templates::PHASE, &call.to_bytes()),
            What::Other(clause) => machine.run_event(ewapa_templates::EVENT, *clause as u64),
            What::Raw(clause, call, context) => {
                machine.context = match context {
                    Context::Registers(place, registers) => registers.at(*place),
                    Context::Bytes(bytes) => bytes.clone(),
                };
                machine.run(&format!("{CLAUSE}{clause}"), &call.to_bytes())
            }
        };
        match done {
            Ok(_) if said(&machine) - before > MOST_SAID => return Ok(None),
            Ok(_) => {}
            Err(error) if error.contains(TOO_LONG) => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    let rows = |map: &str| {
        let rows = machine.rows(map).into_iter();
        rows.map(|(key, value)| (key.to_vec(), value.to_vec()))
            .collect()
    };
    let answer = Answer {
        rows: program
            .stores
            .iter()
            .map(|store| rows(&store.map))
            .collect(),
        messages: machine.messages.clone(),
        lost: machine.counter(Counter::GroupsFull),
        untold: machine.counter(Counter::NoMessage),
    };
    Ok(Some((answer, machine)))
}

/// The kernel's answer.
fn answered(kernel: &mut Kernel, program: &Program, happenings: &[Happening]) -> Answer {
    let mut attached = Vec::new();
    let mut messages = Vec::new();
    for Happening { cpu, what } in happenings {
        match what {
            What::Call(call) => kernel.take(*cpu, call),
            What::Syscall(call) => kernel.other(*cpu, call, true),
            What::Phase(call) => kernel.other(*cpu, call, false),
            What::Other(clause) => kernel.happen(*cpu, *clause),
            What::Raw(clause, call, Context::Bytes(bytes)) => {
                kernel.run_raw(&format!("{RUN}{clause}"), *cpu, call, bytes);
            }
            What::Raw(clause, call, Context::Registers(place, registers)) => {
                if !attached.contains(clause) {
                    kernel.attach(&format!("{RUN}{clause}"), process::offset_of(*place));
                    attached.push(*clause);
                }
                kernel.give(&call.to_bytes(), 0, 0);
                on_cpu(*cpu as usize);
                registers.go_to(*place);
            }
        }
        messages.extend(kernel.messages());
    }
    let stores = program.stores.iter();
    Answer {
        rows: stores
            .map(|store| kernel.rows(&store.map).into_iter().collect())
            .collect(),
        messages,
        lost: kernel.counter(Counter::GroupsFull),
        untold: kernel.counter(Counter::NoMessage),
    }
}

/// A row of an array is there on every CPU in the kernel, in the interpreter from its first use on.
fn without_untouched(mut answer: Answer, program: &Program) -> Answer {
    for (rows, store) in answer.rows.iter_mut().zip(&program.stores) {
        if store.kind == MapKind::PerCpuArray {
            rows.retain(|_, value| value.iter().any(|byte| *byte != 0));
        }
    }
    answer
}

/// In which order the kernel goes over all keys that the interpreter has seen in maps that all CPUs share.
fn orders(kernel: &Kernel, program: &Program, machine: &Machine<'_>) -> Orders {
    let shared = program
        .stores
        .iter()
        .filter(|store| store.kind == MapKind::Shared);
    shared
        .map(|store| {
            let keys = machine.keys_seen(&store.map);
            (
                store.map.clone(),
                kernel.order(&store.map, &keys, store.value_size),
            )
        })
        .collect()
}

/// What came of the comparison of a script.
#[derive(Debug, PartialEq, Eq)]
enum Compared {
    /// So many rows and messages.
    Same(usize),
    /// It runs for too long or says too much.
    NotCompared,
}

fn compared(script: &Accepted) -> Result<Compared, String> {
    let random = &mut Random(script.number ^ 0x5eed);
    let happenings = happenings(random, &script.plan);
    let loops = script
        .plan
        .clauses
        .iter()
        .any(|clause| iterates(&clause.actions));
    // A map that is full is one of few chains, whose order is nobody's.
    let max_rows = if !loops && random.once_in(4) {
        FEW_ROWS
    } else {
        MANY_ROWS
    };
    let program = repeatable(&script.plan, &script.program, max_rows);
    let Some((mut expected, mut machine)) = interpreted(&program, &happenings, &Orders::new())?
    else {
        return Ok(Compared::NotCompared);
    };
    let runs: Vec<String> = script
        .program
        .raw
        .iter()
        .map(|raw| format!("{RUN}{}", raw.clause))
        .collect();
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    let mut kernel = Kernel::load_with(&program, &runs)?;
    let found = without_untouched(answered(&mut kernel, &program, &happenings), &program);
    // Loops go on in an order that the kernel alone knows, and what they do decides which keys there are.
    for _ in 0..if loops { 4 } else { 0 } {
        if without_untouched(expected, &program) == found {
            return Ok(Compared::Same(found.size()));
        }
        let orders = orders(&kernel, &program, &machine);
        match interpreted(&program, &happenings, &orders)? {
            Some(again) => (expected, machine) = again,
            None => return Ok(Compared::NotCompared),
        }
    }
    let expected = without_untouched(expected, &program);
    if expected == found {
        return Ok(Compared::Same(found.size()));
    }
    Err(format!("interpreter: {expected:?}\nkernel: {found:?}"))
}

#[test]
fn a_random_script_gives_the_same_answer_in_the_kernel_as_in_the_interpreter() {
    /// Two keys may fall into one chain of a map, which is in the order in which they came.
    const TRIES: usize = 3;
    /// So many differences are looked for.
    const MOST: usize = 8;
    if !is_root() {
        return;
    }
    Registers::default().go_to(0);
    let (mut same, mut kept, mut all, mut different) = (0, 0, 0, Vec::new());
    each_accepted(|script| {
        let mut result = compared(script);
        for _ in 1..TRIES {
            if result.is_err() {
                result = compared(script);
            }
        }
        match result {
            Ok(Compared::Same(size)) => (same, kept) = (same + 1, kept + size),
            Ok(Compared::NotCompared) => {}
            Err(error) => different.push(format!("{error}\n{}", script.text)),
        }
        all += 1;
        assert!(different.len() < MOST, "{}", different.join("\n"));
    });
    assert!(different.is_empty(), "{}", different.join("\n"));
    eprintln!("{same} of {all} scripts compared, {kept} rows and messages");
    // Some run for too long, and some filters let nothing through.
    assert!(
        same * 10 >= all * 8,
        "only {same} of {all} scripts are compared"
    );
    assert!(
        kept >= same * 5,
        "{kept} rows and messages in {same} scripts"
    );
}
