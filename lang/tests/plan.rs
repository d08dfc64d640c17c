//! What scripts that have no errors become.

use ewapa_lang::{Compiled, Environment, compile, describe, parse, render};
use expect_test::{Expect, expect};

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer", "wamr"],
    ..Environment::EMPTY
};

fn compiled(text: &str, args: &[(&str, &str)]) -> Compiled {
    let args: Vec<_> = args
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    compile(text, &ENVIRONMENT, &args)
        .unwrap_or_else(|errors| panic!("{}", render(&errors, "x.ewq", text, false)))
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&compiled(text, &[]).plan.to_string());
}

/// The condition of a table, every operator with its parentheses.
fn filter(condition: &str) -> String {
    let compiled = compiled(
        &format!("table t from wasi:* where {condition} {{ a = count() }}"),
        &[],
    );
    compiled.plan.clauses[0]
        .filter
        .as_ref()
        .unwrap()
        .to_string()
}

/// What a column computes.
fn column(expr: &str) -> String {
    compiled(&format!("table t from wasi:* {{ a = {expr} }}"), &[])
        .plan
        .tables[0]
        .columns[0]
        .to_string()
}

#[test]
fn a_whole_script_becomes_clauses_stores_and_tables() {
    let text = include_str!("examples/01_fd_write_latency.ewq");
    check(
        text,
        expect![[r#"
        clause 0
          on fd_write
          record in store 0
            key runtime
            slot 0
            slot 1 if (errno != ESUCCESS)
            slot 2 of bytes
            slot 3 of bytes
            slot 4 of duration
            slot 5 of duration
            slot 6 of duration
            slot 7 of duration
            slot 8 of duration
            slot 9 of syscall_time
            slot 10 of syscall_time
            slot 11 of self_time
            slot 12 of self_time
        store 0 of writes
          key runtime
          slot 0 count
          slot 1 count
          slot 2 sum
          slot 3 values
          slot 4 sum
          slot 5 values
          slot 6 histogram
          slot 7 min
          slot 8 max
          slot 9 sum
          slot 10 values
          slot 11 sum
          slot 12 values
        table writes from store 0
          key runtime
          column calls: number as auto = count(#0)
          column errors: number as auto = count(#1)
          column bytes: size as bytes = sum(#2 #3)
          column total: time as ms = sum(#4 #5)
          column p50: time as us = quantile 0.5(#6 #7 #8)
          column p99: time as us = quantile 0.99(#6 #7 #8)
          column max: time as us = max(#8 #5)
          column sys: number as pct = (sum(#9 #10) / sum(#4 #5))
          column self: time as us = avg(#11 #12)
          sort by column total descending
    "#]],
    );
}

#[test]
fn tables_have_their_own_clauses_and_stores() {
    let text = r#"
        table reads from wasi:{fd_read,fd_pread}, wasi:wasmtime:fd_readdir, wasi:fd_close
            where comm == "main" && runtime != "wamr" && func != "fd_read" && errno == EBADF
            by func, bytes / 4KiB, ok
        { calls = count(), quarter = quantile(duration, 0.25) }
        sort func limit 3
        table all from wasi:*, wasi:wa*:fd_* { n = count() / 2 as hex }"#;
    check(
        text,
        expect![[r#"
        clause 0
          on fd_close fd_pread fd_read
          on fd_readdir of runtime 0
          where ((((comm == "main") && (runtime != runtime 2)) && (func != fd_read)) && (errno == EBADF))
          record in store 0
            key func
            key (bytes / 4096B)
            key ok
            slot 0
            slot 1 of duration
            slot 2 of duration
            slot 3 of duration
        clause 1
          on all functions
          on fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write of runtime 0
          on fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write of runtime 1
          on fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write of runtime 2
          record in store 1
            slot 0
        store 0 of reads
          key WASI function
          key number
          key condition
          slot 0 count
          slot 1 histogram
          slot 2 min
          slot 3 max
        store 1 of all
          slot 0 count
        table reads from store 0
          key func
          key bytes / 4KiB
          key ok
          column calls: number as auto = count(#0)
          column quarter: time as auto = quantile 0.25(#1 #2 #3)
          sort by key func ascending
          limit 3
        table all from store 1
          column n: number as hex = (count(#0) / 2)
    "#]],
    );
}

#[test]
fn operators_bind_as_in_c() {
    assert_eq!(
        filter("pid + 2 * 3 - 4 % 5 == 1"),
        "(((pid + (2 * 3)) - (4 % 5)) == 1)"
    );
    assert_eq!(
        filter("pid < 1 || pid > 2 && !ok"),
        "((pid < 1) || ((pid > 2) && !ok))"
    );
    assert_eq!(
        filter("-pid - -1 - - fd == 1"),
        "(((-pid - -1) - -fd) == 1)"
    );
    assert_eq!(
        filter("(pid - (1 - 2)) / 3 / 4 != 0"),
        "((((pid - (1 - 2)) / 3) / 4) != 0)"
    );
}

#[test]
fn numbers_take_the_type_of_what_they_are_compared_with() {
    assert_eq!(filter("duration > 10us"), "(duration > 10000ns)");
    assert_eq!(
        filter("duration > 0 && 0 < bytes"),
        "((duration > 0ns) && (0B < bytes))"
    );
    assert_eq!(
        filter("errno == 8 || 8 == errno"),
        "((errno == EBADF) || (EBADF == errno))"
    );
    assert_eq!(
        filter("duration * 2 / 1ms > 3"),
        "(((duration * 2) / 1000000ns) > 3)"
    );
}

#[test]
fn names_are_compared_by_number() {
    assert_eq!(filter("func == \"fd_write\""), "(func == fd_write)");
    assert_eq!(filter("\"wasmer\" != runtime"), "(runtime 1 != runtime)");
    assert_eq!(
        filter("comm == \"a \\\"name\\\"\""),
        "(comm == \"a \\\"name\\\"\")"
    );
}

#[test]
fn columns_know_their_type_and_unit() {
    assert_eq!(
        column("sum(duration) / count()"),
        "a: time as auto = (sum(#0 #1) / count(#2))"
    );
    assert_eq!(
        column("sum(syscall_time) / sum(duration) as pct"),
        "a: number as pct = (sum(#0 #1) / sum(#2 #3))"
    );
    assert_eq!(
        column("1.5 * max(bytes) as bytes"),
        "a: size as bytes = (1.5 * max(#0 #1))"
    );
    assert_eq!(
        column("-stddev(duration) + 1us"),
        "a: time as auto = (-stddev(#0 #1 #2) + 1000)"
    );
}

#[test]
fn a_condition_holds_for_every_aggregate_of_its_column() {
    let text = "table t from wasi:* { a = count(), b = sum(bytes) / count() if errno != 0, c = sum(bytes) }";
    check(
        text,
        expect![[r#"
        clause 0
          on all functions
          record in store 0
            slot 0
            slot 1 of bytes if (errno != ESUCCESS)
            slot 2 of bytes if (errno != ESUCCESS)
            slot 3 if (errno != ESUCCESS)
            slot 4 of bytes
            slot 5 of bytes
        store 0 of t
          slot 0 count
          slot 1 sum
          slot 2 values
          slot 3 count
          slot 4 sum
          slot 5 values
        table t from store 0
          column a: number as auto = count(#0)
          column b: size as auto = (sum(#1 #2) / count(#3))
          column c: size as auto = sum(#4 #5)
    "#]],
    );
}

#[test]
fn what_columns_share_is_kept_once() {
    let text = "table t from wasi:* {
        p50 = p50(duration), p99 = p99(duration), max = max(duration), mean = avg(duration), sum = sum(duration),
    }";
    assert_eq!(compiled(text, &[]).plan.stores[0].slots.len(), 5);
}

const PARAMS: &str = r#"
    //! name_of_it - what it does
    //! and more
    param min = 0us "at least so long";
    param who = "main";
    param share = 0.5;
    param rows = 10;
    param low = -1;
    table t from wasi:* where duration >= min && comm == who && fd > low
    { a = quantile(duration, share) * share } limit rows"#;

#[test]
fn parameters_are_their_defaults_unless_given() {
    let shown = |args| {
        let plan = compiled(PARAMS, args).plan;
        let table = &plan.tables[0];
        format!(
            "{} | {} | {:?}",
            plan.clauses[0].filter.as_ref().unwrap(),
            table.columns[0].value,
            table.limit
        )
    };
    expect![[r#"(((duration >= 0ns) && (comm == "main")) && (fd > -1)) | (quantile 0.5(#0 #1 #2) * 0.5) | Some(10)"#]].assert_eq(&shown(&[]));
    let args = [
        ("min", "1.5ms"),
        ("who", "a b"),
        ("share", "1"),
        ("rows", "3"),
        ("low", "-7"),
    ];
    expect![[r#"(((duration >= 1500000ns) && (comm == "a b")) && (fd > -7)) | (quantile 1(#0 #1 #2) * 1) | Some(3)"#]].assert_eq(&shown(&args));
    expect![[r#"(((duration >= 0ns) && (comm == "main")) && (fd > -1)) | (quantile 0.5(#0 #1 #2) * 0.5) | Some(10)"#]].assert_eq(&shown(&[("min", "7us"), ("min", "0")]));
}

#[test]
fn a_script_describes_itself() {
    let (docs, params) = describe(PARAMS).unwrap();
    assert_eq!(
        (
            docs.name.as_str(),
            docs.summary.as_str(),
            docs.body.as_str()
        ),
        ("name_of_it", "what it does", "and more")
    );
    let params: Vec<_> = params
        .iter()
        .map(|param| {
            format!(
                "{} {} {} {}",
                param.name, param.ty, param.default, param.doc
            )
        })
        .collect();
    assert_eq!(
        params,
        [
            "min time 0us at least so long",
            "who text \"main\" ",
            "share number 0.5 ",
            "rows number 10 ",
            "low number -1 "
        ]
    );
}

#[test]
fn a_script_without_a_name_has_a_summary_only() {
    let (docs, _) = describe("//! just a line").unwrap();
    assert_eq!(
        (docs.name.as_str(), docs.summary.as_str()),
        ("", "just a line")
    );
    assert_eq!(describe("").unwrap().0, ewapa_lang::Docs::default());
}

#[test]
fn a_probe_ends_where_the_braces_of_the_table_begin() {
    check(
        "table t from wasi:fd_write{n=count()}",
        expect![[r#"
        clause 0
          on fd_write
          record in store 0
            slot 0
        store 0 of t
          slot 0 count
        table t from store 0
          column n: number as auto = count(#0)
    "#]],
    );
}

#[test]
fn a_tree_shows_what_was_read_and_where() {
    expect![[r#"
        Script {
            docs: [],
            items: [
                ProbeBlock(
                    ProbeBlock {
                        probes: [
                            Probe {
                                kind: 0..4 `wasi`,
                                segments: [
                                    5..6 `*`,
                                ],
                                span: 0..6,
                            },
                        ],
                        predicate: Some(
                            8..20 Binary(
                                Eq,
                                8..15 Binary(
                                    Div,
                                    8..11 Name `pid`,
                                    14..15 2 (number),
                                ),
                                19..20 1 (number),
                            ),
                        ),
                        body: Block {
                            statements: [
                                24..37 Expr(
                                    24..36 Step {
                                        target: 24..34 Index(
                                            24..25 @,
                                            [
                                                26..29 Name `pid`,
                                                31..33 Unary(
                                                    Negate,
                                                    32..33 1 (number),
                                                ),
                                            ],
                                        ),
                                        up: true,
                                        after: true,
                                    },
                                ),
                            ],
                            span: 22..39,
                        },
                    },
                ),
            ],
        }"#]]
    .assert_eq(
        &parse("wasi:* /pid / 2 == 1/ { @[pid, -1]++; }")
            .unwrap()
            .to_string(),
    );
}

#[test]
fn clauses_after_the_columns_are_about_rows() {
    let text = r#"
        param least = 10;
        table t from wasi:* by func, runtime, errno {
          calls = count(),
          p99   = p99(duration) as us,
        } title "calls" having calls >= least && (func != "fd_read" || runtime == "wasmtime 48") && !(errno == EBADF)
          && p99 > 1.5us && p99 / 2 != 0
          sort calls pivot runtime vs "wasmtime" every 1500ms"#;
    check(
        text,
        expect![[r#"
            clause 0
              on all functions
              record in store 0
                key func
                key runtime
                key errno
                slot 0
                slot 1 of duration
                slot 2 of duration
                slot 3 of duration
            store 0 of t
              key WASI function
              key runtime
              key errno
              slot 0 count
              slot 1 histogram
              slot 2 min
              slot 3 max
            table t from store 0
              key func
              key runtime
              key errno
              column calls: number as auto = count(#0)
              column p99: time as us = quantile 0.99(#1 #2 #3)
              title "calls"
              having (((((column 0 >= 10) && (key 0 is not 20 || key 1 is "wasmtime 48")) && !((key 2 == EBADF))) && (column 1 > 1500ns)) && ((column 1 / 2) != 0ns))
              sort by column calls ascending
              every 1500000000ns
              pivot key runtime against "wasmtime", ratio of calls
        "#]],
    );
}

#[test]
fn a_check_may_stand_before_its_table() {
    let text = r#"
        param budget = 50us;
        check "fast" lat["fd_read", "wasmtime", EBADF].p99 < budget && all.calls >= 1;
        check "clean" lost == 0 && unmatched == 0 && (probe_cost < 2us || elapsed > 1s);
        check "no empty writes" lat.calls * 2 < 10 || lat.func != "fd_write";
        table lat from wasi:* by func, runtime, errno { calls = count(), p99 = p99(duration) }
        table all from wasi:* { calls = count() }"#;
    let checks: Vec<String> = compiled(text, &[])
        .plan
        .checks
        .iter()
        .map(ToString::to_string)
        .collect();
    expect![[r#"
        check "fast" ((column 1 of table 0[20, "wasmtime", 8] < 50000ns) && (column 0 of table 1[] >= 1))
        check "clean" (((lost == 0) && (unmatched == 0)) && ((probe_cost < 2000ns) || (elapsed > 1000000000ns)))
        check "no empty writes" (((column 0 * 2) < 10) || key 0 is not 26) for each row of table 0"#]].assert_eq(&checks.join("\n"));
}

/// The columns that are estimates, by index: if a system call of another thread was booked to a call, or not.
fn estimates(text: &str, any_handed: bool) -> Vec<usize> {
    let plan = compiled(text, &[]).plan;
    plan.estimates(&plan.tables[0], any_handed)
}

#[test]
fn columns_of_what_other_threads_did_are_estimates() {
    let table = "table t from wasi:* {
        a = sum(syscall_time), b = avg(handed_time), c = sum(syscall_count) / sum(handed_count), d = count() if handed_bytes > 1KiB
    }";
    assert_eq!(estimates(table, false), [1, 2, 3]);
    let filtered = "table t from wasi:* where handed_count > 0 { a = count(), b = sum(duration) }";
    assert_eq!(estimates(filtered, false), [0, 1]);
}

#[test]
fn what_a_system_call_served_is_an_estimate_once_a_thread_worked_for_another() {
    let keyed = "table t from syscall:* by wasi_func { a = count() }";
    assert_eq!(estimates(keyed, false), [] as [usize; 0]);
    assert_eq!(estimates(keyed, true), [0]);
    let own = "table t from syscall:* where in_wasi && !handed by wasi_func { a = count() }";
    assert_eq!(estimates(own, true), [] as [usize; 0]);
    let unasked = "table t from syscall:* by syscall { a = count(), b = count() if in_wasi }";
    assert_eq!(estimates(unasked, true), [1]);
}
