//! A machine that scripts are compiled for in tests: always the same, and without files. And how they are
//! compiled.

#![allow(dead_code, reason = "no test needs all of it")]

use ewapa_lang::host::{Field, Host, RETURNED, UsdtArgument, UsdtPlace};
use ewapa_lang::{Compiled, Environment, compile, render};

/// A script that has to be right.
pub fn compiled(text: &str, environment: &Environment) -> Compiled {
    compile(text, environment, &[])
        .unwrap_or_else(|errors| panic!("{}", render(&errors, "x.ewq", text, false)))
}

/// The machine.
#[derive(Debug)]
pub struct Machine;

/// Its tracepoints, and the fields of each: type, name, offset, size.
type Tracepoint = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str, u16, u16)],
);

const OPEN: &[(&str, &str, u16, u16)] = &[
    ("int", "__syscall_nr", 8, 4),
    ("int", "dfd", 16, 8),
    ("const char *", "filename", 24, 8),
];

const TRACEPOINTS: &[Tracepoint] = &[
    ("raw_syscalls", "sys_enter", &[("long", "id", 8, 8)]),
    (
        "sched",
        "sched_process_exec",
        &[("__data_loc char[]", "filename", 8, 4)],
    ),
    (
        "sched",
        "sched_switch",
        &[
            ("char", "prev_comm", 8, 16),
            ("pid_t", "prev_pid", 24, 4),
            ("pid_t", "next_pid", 56, 4),
        ],
    ),
    (
        "syscalls",
        "sys_enter_open",
        &[("const char *", "filename", 16, 8)],
    ),
    ("syscalls", "sys_enter_openat", OPEN),
    ("syscalls", "sys_enter_openat2", OPEN),
    ("syscalls", "sys_exit_openat", &[("long", "ret", 16, 8)]),
];

const FILES: &[(&str, &str)] = &[
    (
        "lib.ewq",
        "param slow = 1ms;\n\
         alias wasi:io = wasi:{fd_read,fd_write};\n\
         macro is_slow(time) { time >= slow }\n\
         macro add($to, what) { $to += what; $to }\n",
    ),
    ("table.ewq", "table t from wasi:* { calls = count() }\n"),
    ("loop.ewq", "// A comment.\nimport \"loop.ewq\"\n"),
    ("wrong.ewq", "macro twice(x) {\n  x +\n}\n"),
    ("mistyped.ewq", "macro sum(x) {\n  x + bytes\n}\n"),
];

impl Host for Machine {
    fn tracepoints(&self, category: &str, name: &str) -> Result<Vec<(String, String)>, String> {
        let matching = TRACEPOINTS
            .iter()
            .filter(|(known, of, _)| matches(category, known) && matches(name, of));
        Ok(matching
            .map(|(category, name, _)| ((*category).to_owned(), (*name).to_owned()))
            .collect())
    }

    fn fields(&self, category: &str, name: &str) -> Result<Vec<Field>, String> {
        let mut known = TRACEPOINTS.iter();
        let (_, _, fields) = known
            .find(|(known, of, _)| *known == category && *of == name)
            .ok_or("there is no such tracepoint")?;
        let field = |(ty, name, offset, size): &(&str, &str, u16, u16)| Field {
            name: (*name).to_owned(),
            ty: (*ty).to_owned(),
            offset: *offset,
            size: *size,
            signed: matches!(*ty, "int" | "long" | "pid_t"),
        };
        Ok(fields.iter().map(field).collect())
    }

    fn parameters(&self, function: &str) -> Result<Vec<Field>, String> {
        let field = |name: &str, ty: &str, offset, size, signed| Field {
            name: name.to_owned(),
            ty: ty.to_owned(),
            offset,
            size,
            signed,
        };
        let mut fields = vec![field("file", "struct file *", 0, 8, false)];
        match function {
            "vfs_write" => fields.extend([
                field("buf", "const char *", 8, 8, false),
                field("count", "size_t", 16, 8, false),
                field(RETURNED, "ssize_t", 24, 8, true),
            ]),
            "vfs_fsync" => fields.extend([
                field("datasync", "int", 8, 4, true),
                field(RETURNED, "int", 16, 4, true),
            ]),
            "fput" => {}
            _ => return Err("there is no such function".to_owned()),
        }
        Ok(fields)
    }

    fn usdt_arguments(
        &self,
        _path: &str,
        _provider: &str,
        name: &str,
    ) -> Result<Vec<UsdtArgument>, String> {
        match name {
            "begin" => Ok(vec![UsdtArgument {
                size: 4,
                signed: true,
                place: UsdtPlace::Register(80),
            }]),
            _ => Err(format!("there is no static probe `{name}`")),
        }
    }

    fn import(&self, path: &str, _from: Option<&str>) -> Result<(String, String), String> {
        let mut files = FILES.iter();
        let (name, text) = files
            .find(|(name, _)| *name == path)
            .ok_or("there is no such file")?;
        Ok(((*text).to_owned(), (*name).to_owned()))
    }
}

/// Whether a name matches a glob of `*`.
fn matches(glob: &str, name: &str) -> bool {
    match glob.split_once('*') {
        None => glob == name,
        Some((before, after)) => name
            .strip_prefix(before)
            .is_some_and(|rest| (0..=rest.len()).any(|at| matches(after, &rest[at..]))),
    }
}
