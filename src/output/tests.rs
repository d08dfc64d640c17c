//! Results as users and programs read them. The groups are made up; the scripts are compiled.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

use ewapa_lang::plan::Plan;
use ewapa_lang::wasi::Function;
use ewapa_lang::{Environment, compile};
use ewapa_templates::Counter;
use expect_test::{Expect, expect};

use crate::engine::calibrate::ProbeCost;
use crate::engine::groups::{Group, Key, Value};
use crate::engine::names::Names;
use crate::engine::processes::Found;
use crate::engine::reading::{Losses, Reading};
use crate::engine::trace::{Outcome, Reporter, Timings};

use super::format::Format;
use super::report::Report;
use super::verdict::{Holds, Verdict};

mod said;

fn plan(text: &str) -> Plan {
    let environment = Environment {
        runtimes: &["wasmtime", "wasm3", "wamr"],
        ..Environment::EMPTY
    };
    compile(text, &environment, &[]).expect(text).plan
}

/// Names of three runtimes: their keys are 0, 257 and 514.
fn names() -> Names {
    let mut names = Names::default();
    names.runtime(0, "wasmtime", Some("48.0.8"));
    names.runtime(1, "wasm3", Some("0.5.0"));
    names.runtime(2, "wamr", None);
    names
}

fn func(name: &str) -> Key {
    Key::Number(Function::named(name).expect(name).index() as i64)
}

const WASMTIME: Key = Key::Number(0);
const WASM3: Key = Key::Number(0x101);
const WAMR: Key = Key::Number(0x202);

fn group<const K: usize, const V: usize>(keys: [Key; K], sums: [i64; V]) -> Group {
    Group {
        keys: keys.to_vec(),
        values: sums.map(Value::Sum).to_vec(),
    }
}

fn reading(groups: Vec<Vec<Group>>) -> Reading {
    let mut losses = Losses {
        counters: vec![0; Counter::COUNT as usize],
        unfinished: vec![(Function::named("proc_exit").expect("a function"), 2)],
        missed: 0,
    };
    losses.counters[Counter::Unmatched as usize] = 3;
    Reading {
        groups,
        elapsed: Duration::from_millis(2500),
        processes: 2,
        losses,
    }
}

fn outcome(groups: Vec<Vec<Group>>) -> Outcome {
    Outcome {
        reading: reading(groups),
        names: names(),
        found: vec![Found {
            name: "wasm3 0.5.0".to_owned(),
            missing: vec![Function::named("sock_recv").expect("a function")],
            single_stepped: 0,
            named_within: true,
            start_unseen: false,
        }],
        probe_cost: Some(ProbeCost {
            pair: Duration::from_nanos(1034),
            entry: Duration::from_nanos(200),
        }),
        status: None,
        exited: false,
        exit_code: 0,
        troubles: Vec::new(),
        unattached: false,
        merged: Vec::new(),
        timings: Timings::new(Instant::now()),
        attached: Vec::new(),
        leases: Vec::new(),
    }
}

/// A place for output that can be read afterwards.
#[derive(Clone, Default)]
struct Paper(Rc<RefCell<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn printed(text: &str, groups: Vec<Vec<Group>>, format: Format, quiet: bool) -> String {
    let plan = plan(text);
    let paper = Paper::default();
    let report = Report::new(&plan, format.exporter(quiet, 140), Box::new(paper.clone()));
    report.end(&outcome(groups)).expect("paper takes all");
    String::from_utf8(paper.0.take()).expect("text")
}

fn table(text: &str, groups: Vec<Vec<Group>>, expected: Expect) {
    expected.assert_eq(&printed(text, groups, Format::Table, true));
}

const SIDE_BY_SIDE: &str = "table summary from wasi:* by func {
  calls = count(),
  total = sum(duration) as ms,
  mean  = avg(duration) as us,
} sort total desc limit 2 pivot runtime vs \"wasmtime\"";

/// Slots: count, sum of duration, number of durations.
fn three_runtimes() -> Vec<Vec<Group>> {
    let row = |name, runtime, calls, total| group([func(name), runtime], [calls, total, calls]);
    vec![vec![
        row("fd_write", WASM3, 1000, 4_000_000),
        row("fd_write", WASMTIME, 1000, 2_000_000),
        row("fd_write", WAMR, 1000, 1_500_000),
        row("fd_read", WASMTIME, 10, 90_000),
        row("fd_read", WASM3, 10, 9_000_000),
        row("clock_time_get", WAMR, 1, 100),
    ]]
}

#[test]
fn runtimes_stand_side_by_side() {
    table(
        SIDE_BY_SIDE,
        three_runtimes(),
        expect![[r#"
                      ──── wasmtime 48.0.8 ─────  ───────────── wamr ──────────────  ────────── wasm3 0.5.0 ──────────
            FUNC      CALLS  TOTAL(ms)  MEAN(us)  CALLS  TOTAL(ms)      x  MEAN(us)  CALLS  TOTAL(ms)      x  MEAN(us)
            fd_read      10      0.090       9.0      -          -      -         -     10      9.000   100x     900.0
            fd_write   1000      2.000       2.0   1000      1.500  0.75x       1.5   1000      4.000  2.00x       4.0
            1 more row is left out by the limit
        "#]],
    );
}

#[test]
fn without_a_baseline_there_are_no_ratios() {
    let text = SIDE_BY_SIDE.replace("vs \"wasmtime\"", "");
    table(
        &text,
        three_runtimes(),
        expect![[r#"
                      ────────── wamr ──────────  ────── wasm3 0.5.0 ───────  ──── wasmtime 48.0.8 ─────
            FUNC      CALLS  TOTAL(ms)  MEAN(us)  CALLS  TOTAL(ms)  MEAN(us)  CALLS  TOTAL(ms)  MEAN(us)
            fd_read       -          -         -     10      9.000     900.0     10      0.090       9.0
            fd_write   1000      1.500       1.5   1000      4.000       4.0   1000      2.000       2.0
            1 more row is left out by the limit
        "#]],
    );
    table(
        &SIDE_BY_SIDE.replace("wasmtime", "wasmtime 24"),
        three_runtimes(),
        expect![[r#"
                      ────────── wamr ──────────  ────── wasm3 0.5.0 ───────  ──── wasmtime 48.0.8 ─────
            FUNC      CALLS  TOTAL(ms)  MEAN(us)  CALLS  TOTAL(ms)  MEAN(us)  CALLS  TOTAL(ms)  MEAN(us)
            fd_read       -          -         -     10      9.000     900.0     10      0.090       9.0
            fd_write   1000      1.500       1.5   1000      4.000       4.0   1000      2.000       2.0
            1 more row is left out by the limit
            nothing to compare with: no row is of wasmtime 24
        "#]],
    );
}

#[test]
fn having_decides_before_the_limit() {
    let text = "table t from wasi:* by func, runtime { calls = count(), total = sum(duration) }
      having calls >= 10 && runtime != \"wamr\" && func != \"fd_read\" sort calls limit 1";
    table(
        text,
        three_runtimes(),
        expect![[r#"
            FUNC      RUNTIME      CALLS  TOTAL(ms)
            fd_write  wasm3 0.5.0   1000          4
            1 more row is left out by the limit
        "#]],
    );
    let text = text.replace("10 &&", "5000 &&");
    table(
        &text,
        three_runtimes(),
        expect![[r#"
        FUNC  RUNTIME  CALLS  TOTAL(ns)
        no row
    "#]],
    );
}

#[test]
fn a_comparison_without_a_value_is_false_in_having() {
    let none = Key::None;
    let rows = |condition: &str| {
        let text = format!(
            "table t from wasi:* by fd, module {{ n = count(), mean = avg(duration) }}
            having {condition} sort mean"
        );
        let groups = vec![vec![
            group([Key::Number(3), none.clone()], [1, 0, 0]),
            group([Key::Number(4), none.clone()], [2, 80, 2]),
            group([none.clone(), none.clone()], [3, 40, 4]),
        ]];
        printed(&text, groups, Format::Csv, true)
    };
    expect![[r#"
        fd,module,n,mean
        ,,3,10
        4,,2,40
        3,,1,
    "#]]
    .assert_eq(&rows("mean > 1ns || fd == 3"));
    expect![[r#"
        fd,module,n,mean
        4,,2,40
    "#]]
    .assert_eq(&rows("mean <= 1s && fd != 3"));
    expect![[r#"
        fd,module,n,mean
        ,,3,10
        3,,1,
    "#]]
    .assert_eq(&rows("!(mean > 20ns)"));
    expect![[r#"
        fd,module,n,mean
        ,,3,10
    "#]]
    .assert_eq(&rows("module == \"x\" || module != \"x\" || !(fd > 0)"));
}

#[test]
fn a_title_stands_for_the_name() {
    let text = "table t from wasi:* { n = count() } title \"Calls of all\"
      table u from wasi:* by comm { n = count() }";
    let groups = || {
        vec![
            vec![group([], [7])],
            vec![group([Key::Text(b"a|\x1b\"b\",c".to_vec())], [i64::MAX])],
        ]
    };
    expect![[r#"
        Calls of all · 2 processes · 2.5 s · 3 unmatched, 2 unfinished (proc_exit)
        N
        7
        u · 2 processes · 2.5 s · 3 unmatched, 2 unfinished (proc_exit)
        COMM                             N
        a|\u{1b}"b",c  9223372036854775807
        probe cost about 1.2 us a call, not subtracted
        wasm3 0.5.0: 1 of the functions cannot be seen (sock_recv); `ewapa symbols` says why
    "#]]
    .assert_eq(&printed(text, groups(), Format::Table, false));
    expect![[r####"
        ### Calls of all · 2 processes · 2.5 s · 3 unmatched, 2 unfinished (proc_exit)

        | N |
        | ---: |
        | 7 |

        ### u · 2 processes · 2.5 s · 3 unmatched, 2 unfinished (proc_exit)

        | COMM | N |
        | :--- | ---: |
        | a\|\\u{1b}"b",c | 9223372036854775807 |

        probe cost about 1.2 us a call, not subtracted

        wasm3 0.5.0: 1 of the functions cannot be seen (sock_recv); \`ewapa symbols\` says why
    "####]]
    .assert_eq(&printed(text, groups(), Format::Md, false));
    expect![[r#"
        n
        7

        comm,n
        "a|\u{1b}""b"",c",9223372036854775807
    "#]]
    .assert_eq(&printed(text, groups(), Format::Csv, true));
    expect![[r#"
        {"type":"row","table":"t","elapsed_ns":2500000000,"keys":{},"columns":{"n":7}}
        {"type":"row","table":"u","elapsed_ns":2500000000,"keys":{"comm":"a|\u001b\"b\",c"},"columns":{"n":9223372036854775807}}
        {"type":"summary","elapsed_ns":2500000000,"processes":2,"lost":0,"unmatched":3,"abandoned":0,"open":0,"missed":0,"unfinished":{"proc_exit":2},"probe_cost_ns":1234,"runtimes":[{"name":"wasm3 0.5.0","probe_cost_ns":1234,"single_stepped":0,"missing":["sock_recv"]}]}
    "#]].assert_eq(&printed(text, groups(), Format::Json, false));
}

#[test]
fn a_pivot_is_a_table_in_markdown_and_rows_in_csv_and_json() {
    expect![[r#"
        | FUNC | wasmtime 48.0.8 CALLS | wasmtime 48.0.8 TOTAL(ms) | wasmtime 48.0.8 MEAN(us) | wamr CALLS | wamr TOTAL(ms) | wamr x | wamr MEAN(us) | wasm3 0.5.0 CALLS | wasm3 0.5.0 TOTAL(ms) | wasm3 0.5.0 x | wasm3 0.5.0 MEAN(us) |
        | :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
        | fd_read | 10 | 0.090 | 9.0 | - | - | - | - | 10 | 9.000 | 100x | 900.0 |
        | fd_write | 1000 | 2.000 | 2.0 | 1000 | 1.500 | 0.75x | 1.5 | 1000 | 4.000 | 2.00x | 4.0 |

        1 more row is left out by the limit
    "#]].assert_eq(&printed(SIDE_BY_SIDE, three_runtimes(), Format::Md, true));
    expect![[r#"
        func,runtime,calls,total,mean
        fd_read,wasmtime 48.0.8,10,90000,9000
        fd_read,wasm3 0.5.0,10,9000000,900000
        fd_write,wasmtime 48.0.8,1000,2000000,2000
        fd_write,wamr,1000,1500000,1500
        fd_write,wasm3 0.5.0,1000,4000000,4000
    "#]]
    .assert_eq(&printed(SIDE_BY_SIDE, three_runtimes(), Format::Csv, true));
    expect![[r#"
        {"type":"row","table":"summary","elapsed_ns":2500000000,"keys":{"func":"fd_read","runtime":"wasmtime 48.0.8"},"columns":{"calls":10,"total":90000,"mean":9000.0}}
        {"type":"row","table":"summary","elapsed_ns":2500000000,"keys":{"func":"fd_read","runtime":"wasm3 0.5.0"},"columns":{"calls":10,"total":9000000,"mean":900000.0}}
        {"type":"row","table":"summary","elapsed_ns":2500000000,"keys":{"func":"fd_write","runtime":"wasmtime 48.0.8"},"columns":{"calls":1000,"total":2000000,"mean":2000.0}}
        {"type":"row","table":"summary","elapsed_ns":2500000000,"keys":{"func":"fd_write","runtime":"wamr"},"columns":{"calls":1000,"total":1500000,"mean":1500.0}}
        {"type":"row","table":"summary","elapsed_ns":2500000000,"keys":{"func":"fd_write","runtime":"wasm3 0.5.0"},"columns":{"calls":1000,"total":4000000,"mean":4000.0}}
    "#]].assert_eq(&printed(SIDE_BY_SIDE, three_runtimes(), Format::Json, true));
}

#[test]
fn a_table_is_printed_while_the_run_goes_on() {
    let plan =
        plan("table a from wasi:* { n = count() } every 1s table b from wasi:* { n = count() }");
    let paper = Paper::default();
    let exporter = Format::Table.exporter(true, 100);
    let mut report = Report::new(&plan, exporter, Box::new(paper.clone()));
    let early = reading(vec![vec![group([], [3])], Vec::new()]);
    report.due(&[0], &early, &names());
    let groups = vec![vec![group([], [5])], vec![group([], [6])]];
    report.end(&outcome(groups)).expect("paper takes all");
    expect![[r#"
        N
        3

        N
        5

        N
        6
    "#]]
    .assert_eq(&String::from_utf8(paper.0.take()).expect("text"));
}

#[test]
fn shares_are_of_all_rows_whatever_is_shown() {
    let text = "table t from wasi:* by func, runtime {
      part = share(sum(duration)) as pct, calls = share(count()) if ok, total = sum(duration)
    } having total < 5ms sort part desc limit 2";
    // Slots: sum of duration, number of durations, count of those that are ok.
    let row = |name, runtime, total| group([func(name), runtime], [total, 1, 5]);
    let groups = || {
        vec![vec![
            row("fd_write", WASMTIME, 1_000_000),
            row("fd_read", WASMTIME, 3_000_000),
            row("fd_write", WASM3, 2_000_000),
            row("fd_seek", WASM3, 10_000_000),
        ]]
    };
    table(
        text,
        groups(),
        expect![[r#"
            FUNC      RUNTIME          PART(%)  CALLS  TOTAL(ms)
            fd_read   wasmtime 48.0.8     18.8   0.25          3
            fd_write  wasm3 0.5.0         12.5   0.25          2
            1 more row is left out by the limit
        "#]],
    );
    table(
        &format!("{text} pivot runtime"),
        groups(),
        expect![[r#"
                  ────── wasm3 0.5.0 ──────  ──── wasmtime 48.0.8 ────
        FUNC      PART(%)  CALLS  TOTAL(ms)  PART(%)  CALLS  TOTAL(ms)
        fd_read         -      -          -     75.0   0.50          3
        fd_write     16.7   0.50          2     25.0   0.50          1
    "#]],
    );
}

#[test]
fn rates_are_per_second_of_the_run() {
    let text =
        "table t from wasi:* { calls = rate(1), moved = rate(bytes), busy = rate(duration) as pct,
      fast = rate(bytes) as rate, twice = rate(bytes) * 2 }";
    // In 2.5 s.
    let groups = vec![vec![group(
        [],
        [500, 500, 10 << 20, 500, 1_250_000_000, 500],
    )]];
    table(
        text,
        groups,
        expect![[r#"
        CALLS(/s)  MOVED(/s)  BUSY(%)  FAST(/s)  TWICE
              200      4 MiB     50.0     4 MiB  8 MiB
    "#]],
    );
}

#[test]
fn bars_are_drawn_to_the_scale_of_their_column() {
    let text = "table t from wasi:* by func, runtime { n = count(), calls = count() as bar, m = count() } sort n";
    let row = |name, runtime, count| group([func(name), runtime], [count]);
    let groups = || {
        vec![vec![
            row("fd_write", WASMTIME, 100),
            row("fd_read", WASMTIME, 33),
            row("fd_read", WASM3, 1),
        ]]
    };
    table(
        text,
        groups(),
        expect![[r#"
        FUNC      RUNTIME            N  CALLS                   M
        fd_read   wasm3 0.5.0        1  ▎                       1
        fd_read   wasmtime 48.0.8   33  ██████▋                33
        fd_write  wasmtime 48.0.8  100  ████████████████████  100
    "#]],
    );
    table(
        &format!("{text} pivot runtime"),
        groups(),
        expect![[r#"
                   wasm3 0.5.0   ────── wasmtime 48.0.8 ───────
        FUNC        N  CALLS  M    N  CALLS                   M
        fd_read     1  ▎      1   33  ██████▋                33
        fd_write    -  -      -  100  ████████████████████  100
    "#]],
    );
}

#[test]
fn checks_say_what_they_found() {
    let plan = plan(
        "param budget = 50us;
        table lat from wasi:* by func, runtime { calls = count(), mean = avg(duration) } having calls >= 10 limit 1
        table all from wasi:* { bytes = sum(bytes) }
        check \"holds\" lat[\"fd_write\", \"wasm3\"].mean < budget && lost == 0;
        check \"is too slow\" lat[\"fd_read\", \"wasm3 0.5.0\"].mean < budget && lost == 0;
        check \"is never called\" lat[\"clock_time_get\", \"wamr\"].mean < budget;
        check \"never called, and lost\" lat[\"clock_time_get\", \"wamr\"].mean < budget && unmatched == 0;
        check \"for each row\" lat.calls > 500 || lat.runtime == \"wasmtime\" || lat.func != \"fd_read\";
        check \"without a key\" all.bytes <= 1KiB && elapsed < 3s;
        check \"for no row\" lat.calls > 0 || probe_cost * 2 < 1us;",
    );
    let mut groups = three_runtimes();
    groups.push(vec![group([], [2048, 4])]);
    let outcome = outcome(groups);
    let verdicts: Vec<String> = Verdict::all(&plan, &outcome)
        .iter()
        .map(ToString::to_string)
        .collect();
    expect![[r#"
        check holds: holds: lat["fd_write", "wasm3"].mean < budget && lost == 0 (4 us < 50 us && 0 == 0)
        check failed: is too slow: lat["fd_read", "wasm3 0.5.0"].mean < budget && lost == 0 (900 us < 50 us && 0 == 0)
        check has no value: is never called: lat["clock_time_get", "wamr"].mean < budget (- < 50 us)
        check failed: never called, and lost: lat["clock_time_get", "wamr"].mean < budget && unmatched == 0 (- < 50 us && 3 == 0)
        check failed: for each row: lat.calls > 500 || lat.runtime == "wasmtime" || lat.func != "fd_read" is false in 1 of 5 rows, such as func fd_read, runtime wasm3 0.5.0: 10 > 500 || wasm3 0.5.0 == wasmtime || fd_read != fd_read
        check failed: without a key: all.bytes <= 1KiB && elapsed < 3s (2 KiB <= 1 KiB && 2.5 s < 3 s)
        check holds: for no row: lat.calls > 0 || probe_cost * 2 < 1us holds in 5 of 5 rows, such as func fd_read, runtime wasm3 0.5.0: 10 > 0 || 2.5 us < 1 us"#]].assert_eq(&verdicts.join("\n"));
}

#[test]
fn checks_look_at_maps() {
    let plan = plan(
        "wasi:* { @calls[func] = count(); @errors++; @slow[func] = max(duration); }
        check \"few\" @calls[\"fd_write\"] < 5; check \"none\" @calls[\"fd_sync\"] == 0;
        check \"no errors\" @errors == 0; check \"fast\" @slow[\"fd_sync\"] < 1ms;",
    );
    let outcome = outcome(vec![
        vec![
            group([func("fd_read")], [1]),
            group([func("fd_write")], [7]),
        ],
        Vec::new(),
        Vec::new(),
    ]);
    let verdicts: Vec<String> = Verdict::all(&plan, &outcome)
        .iter()
        .map(ToString::to_string)
        .collect();
    expect![[r#"
        check failed: few: @calls["fd_write"] < 5 (7 < 5)
        check holds: none: @calls["fd_sync"] == 0 (0 == 0)
        check holds: no errors: @errors == 0 (0 == 0)
        check has no value: fast: @slow["fd_sync"] < 1ms (- < 1 ms)"#]]
    .assert_eq(&verdicts.join("\n"));
}

#[test]
fn phases_are_in_the_order_in_which_they_happen() {
    let phase = |number| group([Key::Number(number)], [1]);
    table(
        "table t from phase:* by phase { n = count() } sort phase",
        vec![vec![phase(3), phase(1), phase(0), phase(2)]],
        expect![[r#"
            PHASE       N
            exec        1
            start       1
            first_wasi  1
            exit        1
        "#]],
    );
}

#[test]
fn maps_are_printed_in_the_order_of_their_names() {
    table(
        "wasi:* { @b = count(); @a = count(); @ = count(); }",
        vec![
            vec![group([], [1])],
            vec![group([], [2])],
            vec![group([], [0])],
        ],
        expect![[r#"
            @: 0
            @a: 2
            @b: 1
        "#]],
    );
}

#[test]
fn a_check_over_no_row_holds() {
    let plan = plan("table t from wasi:* by func { n = count() } check \"none\" t.n < 0;");
    let verdicts = Verdict::all(&plan, &outcome(vec![Vec::new()]))
        .iter()
        .map(|verdict| verdict.holds)
        .collect::<Vec<_>>();
    assert_eq!(verdicts, [Holds::Yes]);
}

#[test]
fn checks_are_objects_of_their_own_in_json() {
    let text = "table t from wasi:* { n = count() } check \"few\" t.n < 3; check \"many\" t.n > 3;";
    expect![[r#"
        {"type":"row","table":"t","elapsed_ns":2500000000,"keys":{},"columns":{"n":7}}
        {"type":"check","text":"few","condition":"t.n < 3","holds":false,"values":"7 < 3"}
        {"type":"check","text":"many","condition":"t.n > 3","holds":true,"values":"7 > 3"}
    "#]]
    .assert_eq(&printed(
        text,
        vec![vec![group([], [7])]],
        Format::Json,
        true,
    ));
}

#[test]
fn json_is_what_its_schema_says() {
    let schema = serde_json::from_str(include_str!("../../docs/schema/output.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let text = "table t from wasi:* by func, runtime { n = count(), mean = avg(duration) }
      table u from wasi:* by comm, fd, ok, errno, duration { n = rate(bytes) }
      check \"few\" t.n < 3; check \"unknown\" u.n > 3B; check \"clean\" lost == 0;";
    let none = || Key::None;
    let keys = [
        Key::Text(vec![0xff, 7]),
        none(),
        Key::Number(1),
        Key::Number(99),
        Key::Number(3),
    ];
    let groups = vec![three_runtimes().remove(0), vec![group(keys, [0, 0])]];
    let lines = printed(text, groups, Format::Json, false);
    let mut types = Vec::new();
    for line in lines.lines() {
        let line: serde_json::Value = serde_json::from_str(line).expect(line);
        let errors: Vec<String> = validator
            .iter_errors(&line)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
        types.push(line["type"].as_str().expect("a type").to_owned());
    }
    types.dedup();
    assert_eq!(types, ["row", "check", "summary"]);
    let wrong = serde_json::json!({"type": "row", "table": "t"});
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn groups_of_columns_that_do_not_fit_come_below() {
    let plan = plan(SIDE_BY_SIDE);
    let outcome = outcome(three_runtimes());
    for (width, expected) in [
        (
            99,
            expect![[r#"
                  ──── wasmtime 48.0.8 ─────  ───────────── wamr ──────────────
        FUNC      CALLS  TOTAL(ms)  MEAN(us)  CALLS  TOTAL(ms)      x  MEAN(us)
        fd_read      10      0.090       9.0      -          -      -         -
        fd_write   1000      2.000       2.0   1000      1.500  0.75x       1.5
                  ────────── wasm3 0.5.0 ──────────
        FUNC      CALLS  TOTAL(ms)      x  MEAN(us)
        fd_read      10      9.000   100x     900.0
        fd_write   1000      4.000  2.00x       4.0
        1 more row is left out by the limit
    "#]],
        ),
        (
            20,
            expect![[r#"
                  ──── wasmtime 48.0.8 ─────
        FUNC      CALLS  TOTAL(ms)  MEAN(us)
        fd_read      10      0.090       9.0
        fd_write   1000      2.000       2.0
                  ───────────── wamr ──────────────
        FUNC      CALLS  TOTAL(ms)      x  MEAN(us)
        fd_read       -          -      -         -
        fd_write   1000      1.500  0.75x       1.5
                  ────────── wasm3 0.5.0 ──────────
        FUNC      CALLS  TOTAL(ms)      x  MEAN(us)
        fd_read      10      9.000   100x     900.0
        fd_write   1000      4.000  2.00x       4.0
        1 more row is left out by the limit
    "#]],
        ),
    ] {
        let paper = Paper::default();
        let exporter = Format::Table.exporter(true, width);
        let report = Report::new(&plan, exporter, Box::new(paper.clone()));
        report.end(&outcome).expect("paper takes all");
        expected.assert_eq(&String::from_utf8(paper.0.take()).expect("text"));
    }
}
