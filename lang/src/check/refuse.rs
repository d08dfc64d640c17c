//! What is refused by name: the parts of the language that are still to come, and what bpftrace has
//! and this language leaves out.

use crate::ast::{Expr, ExprKind, Foreign, UnaryOp};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;

use super::Checker;

/// Why there are no types of C.
const NO_TYPES: &str = "a script needs no C types: values come as builtins with names and types";

/// Why types are not asked for.
const NO_ASKING: &str = "the type of a value is known where it is written; `ewapa list -v PROBE` shows those of arguments";

/// What does instead of other ways of printing.
const PRINT: &str = "use `printf()`";

/// Functions and values of bpftrace that this language leaves out, and what to do instead.
const LEFT_OUT: &[(&str, &str)] = &[
    (
        "assert",
        "what has to hold at the end is a `check`: `check \"fast\" @slow == 0;`",
    ),
    ("assert_str", NO_ASKING),
    ("bswap", "swap bytes with `<<`, `>>` and `|`"),
    ("cgroup_path", "`cgroup` is the number of the cgroup"),
    (
        "cgroupid",
        "`cgroup` is the number of the cgroup; a script does not look cgroups up by path",
    ),
    (
        "cpid",
        "a script that traces a command sees no other: `pid`",
    ),
    (
        "ctx",
        "what a probe gives has names: `arg0`, `args.NAME`, `retval`",
    ),
    ("debugf", PRINT),
    (
        "default_str_length",
        "`config = { max_strlen = 200 }` sets it",
    ),
    ("errorf", PRINT),
    ("fail", "what a script cannot do is said before it runs"),
    ("find", "ask `has_key(@x, key)`, then read `@x[key]`"),
    (
        "get_func_ip",
        "`func` is the function, `reg(\"ip\")` the address",
    ),
    (
        "getopt",
        "an option of a script is a parameter: `param name = 1 \"what it is for\";`",
    ),
    (
        "globmatch",
        "a name is matched by the probe, `wasi:fd_*`; of a text there are `text[:4] == \"wasm\"` and `strcontains()`",
    ),
    (
        "has_cpid",
        "a script that traces a command sees no other: `pid`",
    ),
    ("is_array", NO_ASKING),
    ("is_integer", NO_ASKING),
    ("is_literal", NO_ASKING),
    ("is_ptr", NO_ASKING),
    ("is_str", NO_ASKING),
    ("is_unsigned_integer", NO_ASKING),
    ("jiffies", "use `nsecs`"),
    ("kaddr", "a script does not look up addresses by name"),
    ("kfunc_allowed", "a script calls no function of the kernel"),
    ("kfunc_exist", "a script calls no function of the kernel"),
    ("macaddr", "a script does not see network packets"),
    (
        "memcmp",
        "texts are compared with `==`, or in part with `strncmp()`",
    ),
    (
        "ncpus",
        "`cpu` is the CPU of the event; a map with it as its key has a row for each",
    ),
    (
        "ntop",
        "print the bytes of an address: `printf(\"%r\", buf(address, 4))`",
    ),
    (
        "offsetof",
        "a script needs no C types: values come as builtins with names and types",
    ),
    (
        "override",
        "a script only watches; it never changes what a program does",
    ),
    (
        "percpu_kaddr",
        "a script does not look up addresses by name",
    ),
    ("pcomm", "`comm` is the name of the thread"),
    ("probetype", "`probe` is the whole probe"),
    ("pton", "a script does not see network packets"),
    (
        "signal",
        "a script only watches; it never changes what a program does",
    ),
    (
        "signal_thread",
        "a script only watches; it never changes what a program does",
    ),
    ("skboutput", "a script does not see network packets"),
    ("socket_cookie", "a script does not see network packets"),
    (
        "static_assert",
        "what has to hold at the end is a `check`: `check \"fast\" @slow == 0;`",
    ),
    ("strcap", "`strcontains()` and `strncmp()` look into texts"),
    (
        "strstr",
        "`strcontains(text, \"part\")` says whether it is there",
    ),
    (
        "syscall_name",
        "at `syscall:*` the builtin `syscall` is shown by its name",
    ),
    ("typeof", NO_TYPES),
    ("uaddr", "a script does not look up addresses by name"),
    ("unwatch", "memory cannot be watched"),
    ("warnf", PRINT),
    ("username", "`uid` is the number of the user"),
    (
        "usermode",
        "a `profile` of the program's own code has a `ustack`",
    ),
];

/// What to do instead of a function of bpftrace that is left out.
pub(super) fn left_out(name: &str) -> Option<&'static str> {
    LEFT_OUT
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, hint)| *hint)
}

impl Checker<'_> {
    /// Refuses a part of the language that is still to come. `what` ends in its verb: "`having` is".
    pub(super) fn not_yet(&mut self, place: Span, what: &str) {
        let message = format!("{what} part of the language, but this version does not run it yet");
        self.errors
            .push(Diagnostic::new(Code::NotYet, place, message));
    }

    /// The same, with what does instead.
    pub(super) fn not_yet_but(&mut self, place: Span, what: &str, hint: &str) {
        self.not_yet(place, what);
        if let Some(error) = self.errors.last_mut() {
            error.help.push(hint.to_owned());
        }
    }

    /// The same, as the result of a check.
    pub(super) fn refused<T>(&mut self, place: Span, what: &str) -> Option<T> {
        self.not_yet(place, what);
        None
    }

    /// Refuses what bpftrace has and this language leaves out.
    pub(super) fn not_in_language(&mut self, place: Span, what: &str, hint: &str) {
        let message = format!("{what} bpftrace's, and this language leaves it out");
        self.errors
            .push(Diagnostic::new(Code::NotInLanguage, place, message).help(hint));
    }

    pub(super) fn foreign(&mut self, foreign: &Foreign) {
        let hint = match foreign.word.as_str() {
            "fn" => "statements that are used again are a `macro`",
            "let" => "a map needs no declaration: what is put into it decides what it is",
            word if word.starts_with('#') => {
                "there is no C preprocessor; another script's macros come with `import \"lib.ewq\"`"
            }
            _ => NO_TYPES,
        };
        self.not_in_language(foreign.span, &format!("`{}` is", foreign.word), hint);
    }

    /// Refuses an expression of a kind that no value of a call and no column can have yet.
    pub(super) fn refuse_expr<T>(&mut self, expr: &Expr) -> Option<T> {
        const NO_POINTERS: &str = "a script does not follow pointers to C types; `*(uint64 *)address` reads a number, `str(address)` a text";
        let place = expr.span;
        match &expr.kind {
            ExprKind::Variable(name) | ExprKind::Map(name) => {
                let message = format!("`{name}` has no value outside of probe blocks");
                self.errors.push(
                    Diagnostic::new(Code::UnknownName, place, message)
                        .help("a table is about values of calls, such as `duration`"),
                );
            }
            ExprKind::Positional(name) => self.not_yet(place, &format!("`{name}` here is")),
            ExprKind::Ternary(..) => self.not_yet(place, "`? :` here is"),
            ExprKind::Index(..) => {
                self.not_in_language(place, "looking something up with `[ ]` is", NO_POINTERS)
            }
            ExprKind::Slice(..) => {
                self.not_yet(place, "a part of a text that is not compared is");
                if let Some(error) = self.errors.last_mut() {
                    let help = "it can be compared, `comm[:4] == \"wasm\"`, and be printed, `printf(\"%.4s\", comm)`";
                    error.help.push(help.to_owned());
                }
            }
            ExprKind::Field(of, field) => match &of.kind {
                ExprKind::Name(name) => {
                    self.not_yet(place, &format!("`{name}.{}` here is", field.text))
                }
                _ => self.not_yet(place, &format!("`.{}` here is", field.text)),
            },
            ExprKind::Step { up, .. } => {
                let what = if *up { "`++`" } else { "`--`" };
                if self.scope.is_none() {
                    let hint = "variables and maps change in probe blocks";
                    self.not_in_language(place, &format!("{what} outside of statements is"), hint);
                    return None;
                }
                let message = format!("{what} changes only a variable or a map");
                self.errors.push(
                    Diagnostic::new(Code::BadArgument, place, message)
                        .help("a variable is `$x`, a map `@x` or `@x[key]`"),
                );
            }
            ExprKind::Tuple(_) => self.not_yet(place, "a tuple here is"),
            ExprKind::Cast(ty, _) if ty.text.contains([' ', '*']) => {
                self.not_in_language(place, &format!("a cast to `{}` is", ty.text), NO_POINTERS);
            }
            ExprKind::Cast(ty, _) => self.not_yet(place, &format!("a cast to `{}` is", ty.text)),
            ExprKind::Arrow(..) => self.not_in_language(place, "`->` is", NO_POINTERS),
            ExprKind::Unary(UnaryOp::Deref, _) => {
                self.not_in_language(place, "`*` before a value is", NO_POINTERS)
            }
            ExprKind::Unary(UnaryOp::Address, _) => {
                self.not_in_language(place, "`&` before a value is", NO_POINTERS)
            }
            ExprKind::Unary(UnaryOp::BitNot, _) => self.not_yet(place, "`~` here is"),
            ExprKind::Binary(op, ..) => self.not_yet(place, &format!("`{}` here is", op.text())),
            _ => self.not_yet(place, "this kind of expression here is"),
        }
        None
    }
}
