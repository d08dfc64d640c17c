//! Values that are no field of an event's record: what the kernel says at that moment, and what is known of
//! the probe.

use crate::builtin::{BUILTINS, Events, builtin};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Expr, ExprKind, KernelValue, RawKind};
use crate::span::Span;
use crate::types::{Enumeration, Space, StackMode, StackType, Type};

use super::Checker;
use super::context::Context;
use super::name::argument;

/// What the kernel says at every event.
const KERNEL: &[(&str, KernelValue, Type)] = &[
    ("nsecs", KernelValue::Nsecs, Type::Unsigned),
    ("elapsed", KernelValue::Elapsed, Type::Unsigned),
    ("pid", KernelValue::Pid, Type::Int),
    ("tid", KernelValue::Tid, Type::Int),
    ("ppid", KernelValue::Ppid, Type::Int),
    ("uid", KernelValue::Uid, Type::Int),
    ("gid", KernelValue::Gid, Type::Int),
    ("cpu", KernelValue::Cpu, Type::Int),
    ("numaid", KernelValue::NumaNode, Type::Int),
    ("cgroup", KernelValue::Cgroup, Type::Unsigned),
    ("rand", KernelValue::Random, Type::Unsigned),
    ("curtask", KernelValue::Task, Type::Unsigned),
    ("comm", KernelValue::Comm, Type::Text(16)),
];

/// The deepest stack.
pub(super) const MAX_FRAMES: u8 = 127;

impl Checker<'_> {
    /// Which builtins there are where an expression stands.
    pub(super) fn here(&self) -> Events {
        let without_call = self
            .scope
            .as_ref()
            .is_some_and(|scope| scope.without_call.is_some());
        if without_call {
            Events::OTHER
        } else {
            self.context.events()
        }
    }

    /// Whose memory the addresses are in that a probe gives.
    pub(super) fn space(&self) -> Space {
        match &self.context {
            // The addresses that system calls get are the program's.
            Context::Raw(raw) if raw.written.contains("syscalls:") => Space::User,
            Context::Raw(raw) if raw.in_kernel => Space::Kernel,
            _ => Space::User,
        }
    }

    /// The value of this name, unless there is none of it anywhere. None inside if it is not known here.
    pub(super) fn around(&mut self, name: &str, place: Span) -> Option<Option<Expr>> {
        if let Some((_, value, ty)) = KERNEL.iter().find(|(known, ..)| *known == name) {
            return Some(Some(Expr {
                kind: ExprKind::Kernel(*value),
                ty: *ty,
            }));
        }
        Some(match name {
            "true" | "false" => Some(Expr {
                kind: ExprKind::Const(i64::from(name == "true")),
                ty: Type::Bool,
            }),
            "kstack" => Some(stack(Space::Kernel)),
            "ustack" => Some(stack(Space::User)),
            "in_wasi" => self.in_wasi(place),
            "probe" => self.probe_name(place),
            "func" => self.probe_function(place),
            "retval" => self.returned(place),
            "lost" | "unmatched" | "probe_cost" => {
                let message = format!("`{name}` is known when the script has run");
                let error = Diagnostic::new(Code::NotHere, place, message);
                self.errors.push(error.help(format!(
                    "look at it in a `check`: `check \"…\" {name} == 0;`"
                )));
                None
            }
            _ => match &self.context {
                Context::Raw(_) => {
                    if let Some(number) = argument(name, "arg") {
                        self.raw_argument(number, place)
                    } else if let Some(number) = argument(name, "sarg") {
                        self.stack_argument(number, place)
                    } else {
                        return None;
                    }
                }
                _ => return None,
            },
        })
    }

    /// Whether there is a WASI call around the event.
    fn in_wasi(&mut self, place: Span) -> Option<Expr> {
        let condition = |kind| Expr {
            kind,
            ty: Type::Bool,
        };
        match self.here() {
            Events::CALL | Events::ENTER => Some(condition(ExprKind::Const(1))),
            Events::SYSCALL | Events::RAW => {
                let builtin = crate::builtin::field("wasi_func");
                let func = Expr {
                    kind: ExprKind::Builtin(builtin),
                    ty: builtin.ty,
                };
                let is_none = condition(ExprKind::IsNone(Box::new(func)));
                Some(condition(ExprKind::Not(Box::new(is_none))))
            }
            _ => {
                self.not_here("in_wasi", place);
                None
            }
        }
    }

    fn probe_name(&mut self, place: Span) -> Option<Expr> {
        let written = match (&self.context, &self.scope) {
            (Context::Raw(_), _) => {
                return Some(Expr {
                    kind: ExprKind::Kernel(KernelValue::Cookie),
                    ty: Type::Enum(Enumeration::Probe),
                });
            }
            (Context::Other(written), _) => Some(written.clone()),
            (_, Some(scope)) => scope.without_call.clone(),
            _ => None,
        };
        let Some(written) = written else {
            let error = Diagnostic::new(Code::NotHere, place, "`probe` has no value here");
            self.errors.push(error.help(
                "`func` is the WASI function, `runtime` the runtime, `syscall` the system call",
            ));
            return None;
        };
        Some(Expr {
            ty: Type::of_text(&written),
            kind: ExprKind::Text(written),
        })
    }

    fn probe_function(&mut self, place: Span) -> Option<Expr> {
        match &self.context {
            Context::Raw(raw) if matches!(raw.kind, RawKind::Function | RawKind::Fentry) => {
                Some(Expr {
                    kind: ExprKind::Kernel(KernelValue::Cookie),
                    ty: Type::Enum(Enumeration::ProbeFunction),
                })
            }
            _ => {
                self.not_here("func", place);
                None
            }
        }
    }

    /// Reports that an event does not have a value that others have.
    pub(super) fn not_here(&mut self, name: &str, place: Span) {
        let without_call = match (&self.context, &self.scope) {
            (Context::Other(probe), _) => Some(probe.clone()),
            (_, Some(scope)) => scope.without_call.clone(),
            _ => None,
        };
        if let Some(probe) = without_call {
            let message = format!("there is no call at `{probe}`");
            let error = Diagnostic::new(Code::NoCall, place, message)
                .label(format!("`{name}` is a value of a call"));
            self.errors.push(if builtin(name).is_some() {
                error.help(format!(
                    "keep it in a map in a `wasi:` block, such as `@{name} = {name}`"
                ))
            } else {
                error
            });
            return;
        }
        let (at, help) = match &self.context {
            Context::Call | Context::Other(_) => ("a completed WASI call".to_owned(), None),
            Context::Enter => (
                "the begin of a WASI call".to_owned(),
                Some("it is known when the call has completed: leave `:enter` away".to_owned()),
            ),
            Context::Syscall => (
                "a system call".to_owned(),
                Some(
                    "the WASI call around it is `wasi_func`, its time so far `wasi_duration`"
                        .to_owned(),
                ),
            ),
            Context::Phase => ("a phase of a process".to_owned(), None),
            Context::Raw(raw) => (format!("`{}`", raw.written), self.instead(name)),
        };
        let message = format!("`{name}` is no value of {at}");
        let mut error = Diagnostic::new(Code::NotHere, place, message);
        let elsewhere = BUILTINS.iter().find(|builtin| builtin.name == name);
        if let Some(builtin) = elsewhere {
            error = error.label(builtin.doc.to_owned());
        }
        self.errors.push(match help {
            Some(help) => error.help(help),
            None => error,
        });
    }

    fn instead(&self, name: &str) -> Option<String> {
        let Context::Raw(raw) = &self.context else {
            return None;
        };
        let is_argument = super::name::is_argument(name);
        Some(match (raw.kind, name) {
            (RawKind::Function, "retval") => {
                "a function has a `retval` when it returns: `uretprobe:…` or `kretprobe:…`"
                    .to_owned()
            }
            (RawKind::Function, _) if is_argument && raw.returns => {
                "arguments are known at the entry: keep them in a map, `@arg[tid] = arg0`"
                    .to_owned()
            }
            (RawKind::Fentry, "retval") => {
                "a function has a `retval` when it returns: `fexit:…`".to_owned()
            }
            (RawKind::Fentry, _) if is_argument => {
                "the arguments of a function have names here: `args.NAME`".to_owned()
            }
            (RawKind::Tracepoint, _) if is_argument => {
                "the arguments of a tracepoint have names: `args.NAME`".to_owned()
            }
            (_, "duration") => {
                "measure it with two probes: `@start[tid] = nsecs` and `nsecs - @start[tid]`"
                    .to_owned()
            }
            _ => return None,
        })
    }
}

/// All of a stack.
fn stack(space: Space) -> Expr {
    Expr {
        kind: ExprKind::Stack,
        ty: Type::Stack(StackType {
            space,
            depth: MAX_FRAMES,
            mode: StackMode::Plain,
        }),
    }
}
