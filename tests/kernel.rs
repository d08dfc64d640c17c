//! Whatever the checker lets through, the kernel's verifier lets through, too.

mod support;

use std::fmt::Write as _;
use std::process::Command;

use ewapa_lang::builtin::{BUILTINS, Builtin, Events};
use ewapa_lang::types::Type;
use support::directory::Directory;
use support::guest::Guest;
use support::host::ewapa;
use support::report::Report;
use support::runtime::Runtime;
use support::trace::Script;

/// Runs a script on 100 writes of 1 to 100 bytes.
fn run(script: &str) -> Report {
    let directory = Directory::new();
    let module = Guest::named("sizes").compile(&directory);
    let traced = Script::new(script)
        .with(&["-v"])
        .run(&Runtime::Wasm3.run(&module, directory.path()));
    assert_eq!(traced.ended.code(), 0, "{script}\n{}", traced.ended.stderr);
    traced.report
}

fn total(report: &Report, heading: &str) -> i64 {
    report.table().rows().map(|row| row.number(heading)).sum()
}

/// The values of completed calls.
fn of_calls() -> impl Iterator<Item = &'static Builtin> {
    BUILTINS
        .iter()
        .filter(|builtin| !builtin.name.is_empty() && builtin.at.contain(Events::CALL))
}

macro_rules! accepts {
    ($($name:ident => $check:block)*) => {$(
        #[test]
        fn $name() {
            if Runtime::Wasm3.is_ready() $check
        }
    )*};
}

/// `left op (left op (… term …))`, so deep.
fn nested(depth: usize, open: &str, innermost: &str, close: &str) -> String {
    format!("{}{innermost}{}", open.repeat(depth), close.repeat(depth))
}

accepts! {
    every_builtin_as_a_key => {
        for builtin in of_calls() {
            let report = run(&format!("table t from wasi:* by {} {{ n = count() }}", builtin.name));
            assert_eq!(total(&report, "N"), 100, "{}", report.text);
        }
    }

    all_builtins_as_keys_at_once => {
        let all: Vec<&str> = of_calls().map(|builtin| builtin.name).collect();
        // A table has at most 16 keys.
        for keys in all.chunks(16) {
            let report = run(&format!("table t from wasi:* by {} {{ n = count() }}", keys.join(", ")));
            assert_eq!(total(&report, "N"), 100, "{}", report.text);
        }
    }

    every_aggregate_of_every_number => {
        let numbers = of_calls().filter(|builtin| matches!(builtin.ty, Type::Int | Type::Time | Type::Size));
        for builtin in numbers {
            let name = builtin.name;
            let report = run(&format!(
                "table t from wasi:* {{ n = count(), a = sum({name}), b = avg({name}), c = min({name}), d = max({name}),
                 e = stddev({name}), f = p50({name}), g = p999({name}), h = quantile({name}, 0.33) }}"
            ));
            assert_eq!(total(&report, "N"), 100, "{}", report.text);
        }
    }

    fifty_tables_and_two_hundred_blocks => {
        let tables: String = (0..45)
            .map(|index| format!("table t{index} from wasi:* where duration >= {index}ns by func {{ n = count(), p = p99(duration) }}\n"))
            .collect();
        let blocks: String = (0..200)
            .map(|index| format!("wasi:* /fd != {index}/ {{ @m{}[comm] = count(); }}\n", index % 5))
            .collect();
        let report = run(&(tables + &blocks));
        assert_eq!(report.tables[0].sum(&[], "N"), 100, "{}", report.text);
    }

    sixty_four_columns => {
        let columns: Vec<String> = (0..64).map(|index| format!("c{index} = count() if bytes > {index}B")).collect();
        let report = run(&format!("table t from wasi:* {{ {} }}", columns.join(", ")));
        assert_eq!((total(&report, "C0"), total(&report, "C63")), (100, 37), "{}", report.text);
    }

    many_histograms_in_one_table => {
        let columns: Vec<String> = (1..=8).map(|index| format!("c{index} = p99(bytes * {index}) as int")).collect();
        let report = run(&format!("table t from wasi:* by func, fd {{ n = count(), {} }}", columns.join(", ")));
        assert_eq!(total(&report, "N"), 100, "{}", report.text);
    }

    sixteen_key_expressions => {
        let keys: Vec<String> = (0..16).map(|index| format!("bytes * {index} % 7B")).collect();
        let report = run(&format!("table t from wasi:* by {} {{ n = count() }}", keys.join(", ")));
        assert_eq!((total(&report, "N"), report.table().rows.len()), (100, 7), "{}", report.text);
    }

    twenty_tables => {
        let mut script = String::new();
        for index in 0..20 {
            writeln!(script, "table t{index} from wasi:* where bytes > {index}B by func {{ n = count(), p = p90(duration) }}")
                .expect("write to a string");
        }
        let report = run(&script);
        let counts: Vec<i64> = report.tables.iter().map(|table| table.row(&[]).number("N")).collect();
        assert_eq!(counts, (0..20).map(|index| 100 - index).collect::<Vec<_>>(), "{}", report.text);
    }

    as_many_tables_as_the_checker_allows => {
        let script = |count| (0..count).map(|index| format!("table t{index} from wasi:* {{ n = count() }}\n")).collect::<String>();
        let directory = Directory::new();
        let checked = |count: &usize| {
            let file = directory.file("tables.ewq", script(*count));
            Command::new(ewapa()).arg("script").arg(file).args(["--emit", "plan"]).output().expect("run ewapa").status.success()
        };
        let most = (1..=128).rev().find(checked).expect("one table is allowed");
        let report = run(&script(most));
        assert_eq!(report.tables.len(), most);
        assert!(report.tables.iter().all(|table| table.row(&[]).number("N") == 100), "{}", report.text);
    }

    a_deep_condition => {
        // bytes > 50 and 30 conditions that hold
        let condition = nested(30, "(fd == 1 && ", "bytes > 50B", ")");
        let report = run(&format!("table t from wasi:* where {condition} {{ n = count() }}"));
        assert_eq!(total(&report, "N"), 50, "{}", report.text);
    }

    a_condition_of_negations => {
        let condition = nested(31, "!(", "bytes > 50B", ")");
        let report = run(&format!("table t from wasi:* where {condition} {{ n = count() }}"));
        assert_eq!(total(&report, "N"), 50, "{}", report.text);
    }

    a_wide_condition => {
        let terms: Vec<String> = (1..=25).map(|size| format!("bytes == {size}B && fd < {size} + 2")).collect();
        let report = run(&format!("table t from wasi:* where {} {{ n = count() }}", terms.join(" || ")));
        assert_eq!(total(&report, "N"), 25, "{}", report.text);
    }

    a_deep_sum => {
        let expression = nested(20, "(1 + ", "syscall_count", ")");
        let report = run(&format!("table t from wasi:* {{ n = sum({expression}) }}"));
        assert_eq!(total(&report, "N"), 2100, "{}", report.text);
    }

    division_and_remainder_by_what_may_be_zero => {
        let report = run("table t from wasi:* { a = sum(bytes / (fd - 1)) as int, b = sum(syscall_count % (fd - 1)),
                          c = sum(bytes / (syscall_count - 1)) as int, d = sum(bytes % 7B) as int, e = sum(bytes / -3) as int }");
        let row = report.table().row(&[]);
        // A division by zero is 0, as in eBPF, and the remainder what was to be divided; others round to zero.
        let fifth: i64 = (1..=100).map(|size| size / -3).sum();
        assert_eq!(row.number("D"), (1..=100).map(|size| size % 7).sum::<i64>(), "{}", report.text);
        assert_eq!(row.number("E"), fifth, "{}", report.text);
        assert_eq!((row.number("A"), row.number("C")), (0, 0), "{}", report.text);
    }

    numbers_at_the_edges_of_64_bits => {
        let report = run("table t from wasi:* where fd < 9223372036854775807 && fd > -9223372036854775807 {
                          n = count(), a = max(fd * 9223372036854775807), b = min(0 - fd * 4611686018427387904) }");
        assert_eq!(total(&report, "N"), 100, "{}", report.text);
    }

    texts_and_enums_in_conditions => {
        let report = run("table t from wasi:* where comm == \"wasm3\" && func == \"fd_write\" && errno == ESUCCESS && ok
                          && errno != EBADF && comm != \"a name of 16 by\" { n = count() }");
        assert_eq!(total(&report, "N"), 100, "{}", report.text);
    }

    conditions_on_every_column => {
        let columns: Vec<String> =
            (1..=40).map(|size| format!("c{size} = count() if bytes == {size}B || duration < 0ns && self_time > {size}us")).collect();
        let report = run(&format!("table t from wasi:* {{ {} }}", columns.join(", ")));
        assert_eq!((total(&report, "C1"), total(&report, "C40")), (1, 1), "{}", report.text);
    }

    one_function_in_one_runtime_many_times => {
        let report = run("table t from wasi:fd_write, wasi:fd_*, wasi:{fd_write,fd_read}, wasi:wasm3:fd_write by func, runtime { n = count() }");
        assert_eq!(total(&report, "N"), 100, "{}", report.text);
    }

    more_groups_than_a_store_needs => {
        let report = run("table t from wasi:* by duration, bytes, syscall_time, tid { n = count() } sort n desc limit 2");
        assert_eq!(report.table().rows.len(), 2, "{}", report.text);
    }
}
