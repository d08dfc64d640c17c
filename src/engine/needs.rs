//! What a plan needs of the template: which values it fills, which functions and tracepoints are probed.

use ewapa_lang::builtin::{BUILTINS, Events, HANDED, SERVED, WATCHED, field};
use ewapa_lang::plan::{Event, Expr, ExprKind, Phase, Plan};
use ewapa_lang::wasi::{Function, FunctionSet};

/// What a plan needs of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// One bit for each builtin that the script reads.
    pub reads: u64,
    /// The WASI functions to probe.
    pub functions: FunctionSet,
    /// Calls are followed that no clause waits for: events inside them ask for them.
    pub keeps_calls: bool,
    /// Raw probes ask for the calls around them.
    pub raw_within_calls: bool,
    /// System calls of threads that work for a call are booked to it.
    pub books_handed: bool,
    /// Each system call is an event.
    pub syscall_events: bool,
    /// Each phase is an event.
    pub phases: bool,
    /// The begin of the guest is to be seen.
    pub guest_entry: bool,
    /// Each process with a runtime is to be looked into, and not only its files: the script asks for what
    /// its command line says.
    pub looks: bool,
    /// Paths of descriptors are kept.
    pub paths: bool,
    /// What arguments lead to in guest memory is read.
    pub guest_memory: bool,
    /// Memory of the guest is read that nobody may have touched before, and no program that may wait for it
    /// takes stacks: the kernel does not let one do both.
    pub sleeps: bool,
    /// The system calls that are counted in each call; [`u32::MAX`] for none.
    pub watched: [u32; WATCHED],
    /// Programs and the raw tracepoints that they are attached to.
    pub tracepoints: Vec<(&'static str, &'static str)>,
    /// The same for programs that get typed arguments.
    pub typed_tracepoints: Vec<(&'static str, &'static str)>,
}

/// The functions that open, close and renumber descriptors.
const DESCRIPTORS: [&str; 3] = ["path_open", "fd_close", "fd_renumber"];

/// What only the sums of system calls in a call tell.
const OF_SYSCALLS: [&str; 5] = [
    "syscall_time",
    "syscall_count",
    "syscall_bytes",
    "self_time",
    // A call wakes others by system calls.
    "thread_hops",
];

impl Needs {
    /// What this plan needs.
    pub fn of(plan: &Plan) -> Needs {
        let reads = |name: &str| plan.reads(field(name));
        let waits = |wanted: &dyn Fn(&Event) -> bool| {
            plan.clauses.iter().any(|clause| wanted(&clause.event))
        };
        let syscall_events = waits(&|event| matches!(event, Event::Syscall(_)));
        let raw = waits(&|event| matches!(event, Event::Raw(_)));
        let phases = waits(&|event| matches!(event, Event::Phase(_)));
        // A phase's duration is the time since the one before, whether a clause waits for that or not.
        let guest_entry = waits(
            &|event| matches!(event, Event::Phase(wanted) if wanted.iter().any(|phase| *phase != Phase::Exec)),
        );
        let serves = syscall_events && SERVED.into_iter().any(reads);
        let raw_within_calls = raw && asks_for_call_around(plan);
        let keeps_calls = serves || raw_within_calls;
        let books_handed = serves || HANDED.into_iter().any(reads);
        let paths = reads("path");

        let sleeps = (paths || reads("bytes_req")) && !takes_stacks(plan);
        let mut functions = plan.functions();
        if keeps_calls || guest_entry {
            functions = FunctionSet::all();
        }
        if paths {
            functions = functions.union(
                DESCRIPTORS
                    .into_iter()
                    .filter_map(Function::named)
                    .collect(),
            );
        }

        let mut tracepoints = vec![
            ("process_fork", "sched_process_fork"),
            ("process_exec", "sched_process_exec"),
            ("process_exit", "sched_process_exit"),
        ];
        if syscall_events
            || books_handed
            || !plan.watched.is_empty()
            || OF_SYSCALLS.into_iter().any(reads)
        {
            tracepoints.push(("syscall_exit", "sys_exit"));
            tracepoints.push(("syscall_enter", "sys_enter"));
        }
        if reads("thread_hops") {
            tracepoints.push(("thread_wakes", "sched_waking"));
        }
        let mut typed_tracepoints = Vec::new();
        if books_handed {
            typed_tracepoints.push(("thread_hands_over", "sched_waking"));
        }
        if books_handed || reads("thread_hops") {
            typed_tracepoints.push(("thread_starts", "sched_process_fork"));
        }
        if reads("offcpu_time") {
            typed_tracepoints.push(("thread_switch", "sched_switch"));
        }

        let mut watched = [u32::MAX; WATCHED];
        for (place, number) in watched.iter_mut().zip(&plan.watched) {
            *place = u32::from(*number);
        }
        Needs {
            reads: BUILTINS
                .iter()
                .filter(|builtin| plan.reads(builtin))
                .fold(0, |bits, builtin| bits | 1 << builtin.index()),
            functions,
            keeps_calls,
            raw_within_calls,
            books_handed,
            syscall_events,
            phases,
            guest_entry,
            looks: reads("module"),
            paths,
            guest_memory: paths || reads("bytes") || reads("bytes_req"),
            sleeps,
            watched,
            tracepoints,
            typed_tracepoints,
        }
    }
}

impl Needs {
    /// Whether there are probes on runtimes at all: a script may wait for system calls or raw probes only.
    pub fn probes_calls(&self) -> bool {
        !self.functions.is_empty() || self.guest_entry
    }

    /// Whether system calls are added up in calls.
    pub fn adds_up_syscalls(&self) -> bool {
        let mut programs = self.tracepoints.iter();
        programs.any(|(program, _)| *program == "syscall_enter")
    }

    /// Whether it is to be known which thread works for which: that is kept with tasks, in their storage.
    pub fn hands_over(&self) -> bool {
        self.typed_tracepoints
            .iter()
            .any(|(program, _)| *program != "thread_switch")
    }
}

/// Whether a raw probe reads a value of the WASI call around it.
fn asks_for_call_around(plan: &Plan) -> bool {
    let mut read = |expr: &Expr| expr.reads(&mut |builtin| builtin.at.contain(Events::RAW));
    plan.clauses
        .iter()
        .filter(|clause| matches!(clause.event, Event::Raw(_)))
        .any(|clause| {
            clause.filter.as_ref().is_some_and(&mut read)
                || clause
                    .actions
                    .iter()
                    .any(|action| action.any_expression(&mut read))
        })
}

/// Whether a stack is taken at a call.
fn takes_stacks(plan: &Plan) -> bool {
    fn is_stack(expr: &Expr) -> bool {
        matches!(expr.kind, ExprKind::Stack | ExprKind::Depth(_))
            || expr.parts().into_iter().any(is_stack)
    }
    plan.clauses
        .iter()
        .filter(|clause| {
            matches!(
                clause.event,
                Event::Wasi(_) | Event::WasiEnter(_) | Event::Phase(_)
            )
        })
        .any(|clause| {
            clause.filter.as_ref().is_some_and(is_stack)
                || clause
                    .actions
                    .iter()
                    .any(|action| action.any_expression(&mut is_stack))
        })
}

/// Whether a plan waits for what only processes that are followed do.
pub fn follows_processes(plan: &Plan) -> bool {
    !plan.functions().is_empty()
        || plan
            .clauses
            .iter()
            .any(|clause| matches!(clause.event, Event::Syscall(_) | Event::Phase(_)))
}

#[cfg(test)]
mod tests {
    use ewapa_lang::builtin::builtin;
    use ewapa_lang::plan::{Clause, Probe, Syscalls};

    use super::*;

    fn plan(event: Event, reads: &[&str]) -> Plan {
        let value = |name: &&str| Expr {
            kind: ExprKind::Builtin(field(name)),
            ty: field(name).ty,
        };
        let actions = reads.iter().map(|name| ewapa_lang::plan::Action::Tell {
            message: ewapa_lang::plan::MessageId(0),
            values: vec![value(name)],
        });
        Plan {
            clauses: vec![Clause {
                event,
                filter: None,
                variables: Vec::new(),
                actions: actions.collect(),
            }],
            ..Plan::default()
        }
    }

    fn writes() -> Event {
        let functions = Function::named("fd_write").into_iter().collect();
        Event::Wasi(vec![Probe {
            functions,
            runtime: None,
        }])
    }

    fn names(functions: FunctionSet) -> Vec<&'static str> {
        functions.iter().map(Function::name).collect()
    }

    #[test]
    fn a_call_that_reads_its_duration_needs_no_more_than_its_function() {
        let needs = Needs::of(&plan(writes(), &["duration"]));
        assert_eq!(names(needs.functions), ["fd_write"]);
        assert_eq!(needs.tracepoints.len(), 3);
        assert!(needs.typed_tracepoints.is_empty());
        let duration = builtin("duration").expect("a builtin").index();
        assert_eq!(needs.reads, 1 << duration);
        assert!(!needs.keeps_calls && !needs.syscall_events && !needs.phases);
    }

    #[test]
    fn paths_need_the_functions_that_open_and_close_descriptors() {
        let needs = Needs::of(&plan(writes(), &["path"]));
        assert_eq!(
            names(needs.functions),
            ["fd_close", "fd_renumber", "fd_write", "path_open"]
        );
        assert!(needs.paths);
    }

    #[test]
    fn threads_that_are_woken_are_counted_within_system_calls() {
        let needs = Needs::of(&plan(writes(), &["thread_hops"]));
        let tracepoints: Vec<&str> = needs.tracepoints.iter().map(|(_, name)| *name).collect();
        assert!(tracepoints.contains(&"sched_waking") && tracepoints.contains(&"sys_enter"));
    }

    #[test]
    fn only_what_other_threads_did_needs_to_know_who_wakes_whom() {
        let own = Needs::of(&plan(writes(), &["syscall_time", "syscall_count"]));
        assert!(!own.books_handed && own.typed_tracepoints.is_empty());
        let handed = Needs::of(&plan(writes(), &["handed_count"]));
        assert!(handed.books_handed && handed.tracepoints.len() == 5);
        let event = Event::Syscall(Syscalls::All);
        assert!(Needs::of(&plan(event.clone(), &["wasi_func"])).books_handed);
        assert!(!Needs::of(&plan(event, &["ret"])).books_handed);
    }

    #[test]
    fn system_calls_that_ask_for_the_call_around_them_need_every_function() {
        let event = || Event::Syscall(Syscalls::All);
        let alone = Needs::of(&plan(event(), &["ret"]));
        assert!(alone.functions.is_empty() && !alone.keeps_calls && alone.syscall_events);
        let within = Needs::of(&plan(event(), &["wasi_func"]));
        assert_eq!(within.functions, FunctionSet::all());
        assert!(within.keeps_calls);
    }

    #[test]
    fn the_time_since_the_phase_before_needs_that_phase() {
        let exec = Needs::of(&plan(Event::Phase(vec![Phase::Exec]), &[]));
        assert!(exec.phases && !exec.guest_entry && exec.functions.is_empty());
        let exit = Needs::of(&plan(Event::Phase(vec![Phase::Exit]), &[]));
        assert!(exit.guest_entry);
        assert_eq!(exit.functions, FunctionSet::all());
    }

    #[test]
    fn only_what_processes_do_needs_processes() {
        assert!(!follows_processes(&plan(Event::Begin, &[])));
        assert!(follows_processes(&plan(writes(), &[])));
        assert!(follows_processes(&plan(
            Event::Phase(vec![Phase::Exit]),
            &[]
        )));
    }
}
