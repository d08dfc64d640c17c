//! What a script says, in each format; series and counts of other stores.

use super::*;
use crate::engine::groups::Step;
use crate::engine::said::{Listener, Said, Values};
use ewapa_lang::plan::{
    Aggregate, BinaryOp, Column, ColumnExpr, Fold, Map, MapValue, Piece, Shape, SlotId, SlotKind,
    Store, StoreId, Table, Unit,
};
use ewapa_lang::types::Type;

const COUNT: Aggregate = Aggregate::Count { count: SlotId(0) };

fn number(number: i64) -> Key {
    Key::Number(number)
}

fn text(text: &str) -> Key {
    Key::Text(text.as_bytes().to_vec())
}

fn counted(key: Key, count: i64) -> Group {
    Group {
        keys: vec![key],
        values: vec![Value::Sum(count)],
    }
}

/// Two maps with a text as their key: counts and lengths of time.
fn two_maps() -> Plan {
    let store = || Store {
        name: "m".to_owned(),
        keys: vec![Type::Text(16)],
        slots: vec![SlotKind::Count],
    };
    let map = |name: &str, store, ty| Map {
        name: name.to_owned(),
        keys: vec![(name == "opens").then(|| "path".to_owned())],
        key_shape: None,
        store: StoreId(store),
        value: MapValue::Aggregate(COUNT),
        ty,
        shape: None,
    };
    Plan {
        stores: vec![store(), store()],
        maps: vec![map("opens", 0, Type::Int), map("spent", 1, Type::Time)],
        ..Plan::default()
    }
}

/// What is written when these things are said.
fn heard(plan: &Plan, format: Format, all: &[Said]) -> String {
    let paper = Paper::default();
    let mut report = Report::new(plan, format.exporter(true, 140), Box::new(paper.clone()));
    for said in all {
        report.said(plan, said, &names()).expect("paper takes all");
    }
    String::from_utf8(paper.0.take()).expect("text")
}

fn values<'a>(types: &'a [Type], values: &[Key]) -> Values<'a> {
    Values {
        types,
        values: values.to_vec(),
    }
}

#[test]
fn maps_stand_side_by_side_where_they_have_the_same_key() {
    let plan = two_maps();
    let opens = vec![
        counted(text("a"), 3),
        counted(text("b\u{1b}[2J"), 12),
        counted(text("c"), 1),
    ];
    let spent = vec![counted(text("a"), 1_500_000), counted(text("c"), 20_000)];
    let maps = [(&plan.maps[0], opens), (&plan.maps[1], spent)];
    let said = |sort, limit| Said::Tabulate {
        title: "files",
        maps: &maps,
        sort,
        limit,
    };
    expect![[r#"
        files
        PATH        OPENS  SPENT(ms)
        b\u{1b}[2J     12          -
        a               3        1.5
        1 more row is left out by the limit
    "#]]
    .assert_eq(&heard(&plan, Format::Table, &[said(Some(0), Some(2))]));
    expect![[r#"
        {"type":"tabulate","data":{"files":[{"k1":"a","opens":3,"spent":1500000},{"k1":"b\u001b[2J","opens":12,"spent":null},{"k1":"c","opens":1,"spent":20000}]}}
    "#]]
    .assert_eq(&heard(&plan, Format::Json, &[said(None, None)]));
    expect![[r"
        k1,opens,spent
        a,3,1500000
        c,1,20000
        b\u{1b}[2J,12,
    "]]
    .assert_eq(&heard(&plan, Format::Csv, &[said(Some(1), None)]));
}

#[test]
fn values_and_tuples_are_printed_as_by_bpftrace() {
    let plan = Plan::default();
    let types = [Type::Int, Type::Text(8), Type::Time];
    let tuple = Shape::Tuple(vec![
        Shape::One(types[0]),
        Shape::Tuple(vec![Shape::One(types[1]), Shape::One(types[2])]),
    ]);
    let three = values(&types, &[number(1), text("abc"), number(1_500)]);
    let one = values(&[Type::Unsigned], &[number(-1)]);
    let single = Shape::One(Type::Unsigned);
    let condition = values(&[Type::Bool], &[number(1)]);
    let all = [
        Said::Value {
            shape: &tuple,
            values: &three,
        },
        Said::Value {
            shape: &single,
            values: &one,
        },
        Said::Value {
            shape: &Shape::One(Type::Bool),
            values: &condition,
        },
    ];
    expect![[r"
        (1, (abc, 1.5 us))
        18446744073709551615
        true
    "]]
    .assert_eq(&heard(&plan, Format::Table, &all));
    expect![[r#"
        {"type":"value","data":[1,["abc",1500]]}
        {"type":"value","data":18446744073709551615}
        {"type":"value","data":true}
    "#]]
    .assert_eq(&heard(&plan, Format::Json, &all));
}

#[test]
fn one_key_of_a_map_is_printed_with_its_name() {
    let plan = two_maps();
    let groups = [counted(text("a"), 3_000)];
    let said = Said::Map {
        map: &plan.maps[1],
        groups: &groups,
        top: None,
        divisor: 1,
    };
    assert_eq!(heard(&plan, Format::Table, &[said]), "@spent[a]: 3 us\n");
    let divided = Said::Map {
        map: &plan.maps[1],
        groups: &groups,
        top: None,
        divisor: 1000,
    };
    assert_eq!(heard(&plan, Format::Table, &[divided]), "@spent[a]: 3\n");
}

#[test]
fn what_is_joined_shown_and_run_comes_in_order() {
    let plan = Plan::default();
    let path = std::env::temp_dir().join(format!("ewapa-said-{}", std::process::id()));
    std::fs::write(&path, "a line\n\tnot \u{1b}[2J clear\n").expect("a file");
    let name = path.display().to_string();
    let (none, texts) = (values(&[], &[]), [Type::Text(8); 4]);
    let joined = values(&texts, &[text("ls"), text("-l"), text(""), text("behind")]);
    let pieces = |text: &str| vec![Piece::Text(text.to_owned())];
    let (cat, system) = (pieces(&name), pieces("echo from a shell; false"));
    let (before, missing) = (pieces("before\n"), pieces("/no/such/file"));
    let all = [
        Said::Printf {
            pieces: &before,
            values: &none,
        },
        Said::System(&system, &none),
        Said::Join(" ", &joined),
        Said::Cat(&cat, &none),
        Said::Cat(&missing, &none),
    ];
    expect![[r"
        before
        from a shell
        ls -l
        a line
        	not \u{1b}[2J clear
    "]]
    .assert_eq(&heard(&plan, Format::Table, &all));
    expect![[r#"
        {"type":"printf","data":"before\n"}
        {"type":"syscall","data":"from a shell\n"}
        {"type":"join","data":"ls -l"}
        {"type":"cat","data":"a line\n\tnot \\u{1b}[2J clear\n"}
    "#]]
    .assert_eq(&heard(&plan, Format::Json, &all));
    std::fs::remove_file(&path).expect("the file");
}

#[test]
fn maps_that_are_left_are_printed_unless_the_script_says_no() {
    let mut plan = two_maps();
    let groups = || vec![vec![counted(text("a"), 3)], Vec::new()];
    let printed = |plan: &Plan| {
        let paper = Paper::default();
        let exporter = Format::Table.exporter(true, 140);
        let report = Report::new(plan, exporter, Box::new(paper.clone()));
        report.end(&outcome(groups())).expect("paper takes all");
        String::from_utf8(paper.0.take()).expect("text")
    };
    assert_eq!(printed(&plan), "@opens[a]: 3\n");
    plan.settings.print_maps_on_exit = false;
    assert_eq!(printed(&plan), "");
}

/// A table by a number: a series, and a share of what another store counted.
fn table_of_series() -> Plan {
    let column = |name: &str, value, unit| Column {
        name: name.to_owned(),
        value,
        ty: Type::Int,
        unit,
    };
    let elsewhere = || ColumnExpr::Elsewhere {
        store: StoreId(1),
        keys: vec![0],
    };
    let ratio = ColumnExpr::Binary(
        BinaryOp::Div,
        Box::new(ColumnExpr::Aggregate(COUNT)),
        Box::new(elsewhere()),
    );
    let store = |slots: &[SlotKind]| Store {
        name: "t".to_owned(),
        keys: vec![Type::Int],
        slots: slots.to_vec(),
    };
    let series = SlotKind::Series {
        step: 1_000_000_000,
        steps: 4,
        fold: Fold::Sum,
    };
    Plan {
        stores: vec![store(&[SlotKind::Count, series]), store(&[SlotKind::Count])],
        tables: vec![Table {
            name: "t".to_owned(),
            title: None,
            store: StoreId(0),
            keys: vec!["fd".to_owned()],
            columns: vec![
                column("calls", elsewhere(), Unit::Auto),
                column("share", ratio, Unit::Pct),
                column("last", ColumnExpr::Series(SlotId(1)), Unit::Auto),
                column("trend", ColumnExpr::Series(SlotId(1)), Unit::Spark),
            ],
            having: None,
            sort: None,
            limit: None,
            pivot: None,
            every: None,
        }],
        ..Plan::default()
    }
}

#[test]
fn a_column_may_be_a_series_or_the_count_of_another_store() {
    let plan = table_of_series();
    let row = |key, count, steps: &[(u64, i64)]| Group {
        keys: vec![number(key)],
        values: vec![
            Value::Sum(count),
            Value::Series(
                steps
                    .iter()
                    .map(|(number, sum)| {
                        let step = Step {
                            count: 1,
                            sum: *sum,
                            extreme: 0,
                        };
                        (*number, step)
                    })
                    .collect(),
            ),
        ],
    };
    let groups = vec![
        vec![
            row(1, 1, &[(7, 2), (9, 8)]),
            row(2, 4, &[(2, 1), (8, 4)]),
            row(3, 5, &[]),
        ],
        vec![counted(number(1), 4), counted(number(2), 8)],
    ];
    let printed = |format: Format| {
        let paper = Paper::default();
        let report = Report::new(&plan, format.exporter(true, 140), Box::new(paper.clone()));
        report
            .end(&outcome(groups.clone()))
            .expect("paper takes all");
        String::from_utf8(paper.0.take()).expect("text")
    };
    expect![[r#"
        {"type":"row","table":"t","elapsed_ns":2500000000,"keys":{"fd":1},"columns":{"calls":4,"share":0.25,"last":[2,null,8],"trend":[2,null,8]}}
        {"type":"row","table":"t","elapsed_ns":2500000000,"keys":{"fd":2},"columns":{"calls":8,"share":0.5,"last":[null,4,null],"trend":[null,4,null]}}
        {"type":"row","table":"t","elapsed_ns":2500000000,"keys":{"fd":3},"columns":{"calls":0,"share":null,"last":[null,null,null],"trend":[null,null,null]}}
    "#]]
    .assert_eq(&printed(Format::Json));
    expect![[r"
        fd,calls,share,last,trend
        1,4,0.25,2;;8,2;;8
        2,8,0.5,;4;,;4;
        3,0,,;;,;;
    "]]
    .assert_eq(&printed(Format::Csv));
    let text = printed(Format::Table);
    let line = |index: usize| text.lines().nth(index).expect("a line").to_owned();
    assert_eq!(line(0), "FD  CALLS  SHARE(%)  LAST  TREND");
    assert!(line(1).starts_with("1       4      25.0     8  "), "{text}");
    assert!(
        line(2).starts_with("2       8      50.0     -   "),
        "{text}"
    );
    assert_eq!(line(3), "3       0         -     -");
}
