use super::text::render;
use super::*;
use crate::engine::groups::{Key, Step, Value};
use ewapa_codegen::histogram::bucket;
use ewapa_codegen::slot::encode_extreme;
use ewapa_lang::plan::{Aggregate, Buckets, Fold, Shape, SlotId, Store, StoreId};
use ewapa_lang::types::Enumeration;
use expect_test::{Expect, expect};

fn plan(keys: &[Type], slots: &[SlotKind]) -> Plan {
    Plan {
        stores: vec![Store {
            name: "m".to_owned(),
            keys: keys.to_vec(),
            slots: slots.to_vec(),
        }],
        ..Plan::default()
    }
}

fn map(name: &str, value: MapValue, ty: Type) -> Map {
    Map {
        name: name.to_owned(),
        keys: Vec::new(),
        key_shape: None,
        store: StoreId(0),
        value,
        ty,
        shape: None,
    }
}

fn group(keys: &[Key], values: &[Value]) -> Group {
    Group {
        keys: keys.to_vec(),
        values: values.to_vec(),
    }
}

fn printed(plan: &Plan, map: &Map, groups: &[Group], cut: Cut) -> String {
    render(&Shown::new(plan, map, groups, cut, &Names::default()))
}

fn check(plan: &Plan, map: &Map, groups: &[Group], top: Option<usize>, expected: &Expect) {
    let cut = Cut { top, ..Cut::NONE };
    expected.assert_eq(&printed(plan, map, groups, cut));
}

fn json(plan: &Plan, map: &Map, groups: &[Group]) -> String {
    let shown = Shown::new(plan, map, groups, Cut::NONE, &Names::default());
    serde_json::to_string(&shown).expect("an object")
}

const COUNT: MapValue = MapValue::Aggregate(Aggregate::Count { count: SlotId(0) });

fn number(number: i64) -> Key {
    Key::Number(number)
}

#[test]
fn the_largest_value_is_last_and_equal_ones_are_in_the_order_of_the_keys() {
    let plan = plan(
        &[Type::Int, Type::Enum(Enumeration::Errno)],
        &[SlotKind::Count],
    );
    let row = |fd, errno, count| group(&[fd, number(errno)], &[Value::Sum(count)]);
    let groups = [
        row(number(10), 0, 5),
        row(number(2), 8, 9),
        row(Key::None, 0, 5),
        row(number(-3), 0, 5),
    ];
    let map = map("n", COUNT, Type::Int);
    check(
        &plan,
        &map,
        &groups,
        None,
        &expect![[r"
            @n[-, SUCCESS]: 5
            @n[-3, SUCCESS]: 5
            @n[10, SUCCESS]: 5
            @n[2, BADF]: 9
        "]],
    );
    check(
        &plan,
        &map,
        &groups,
        Some(1),
        &expect![[r"
            @n[2, BADF]: 9
        "]],
    );
}

#[test]
fn a_map_without_a_key_has_one_line() {
    let plan = plan(&[], &[SlotKind::Tally]);
    let number = MapValue::Number(SlotId(0));
    check(
        &plan,
        &map("", number, Type::Int),
        &[group(&[], &[Value::Sum(5)])],
        None,
        &expect![[r"
            @: 5
        "]],
    );
}

#[test]
fn what_is_empty_is_not_shown() {
    let max = MapValue::Aggregate(Aggregate::Max {
        max: SlotId(0),
        values: SlotId(1),
    });
    let kinds = [SlotKind::Max, SlotKind::Values];
    let values = [Value::Extreme(0), Value::Sum(0)];
    let map = map("m", max, Type::Int);
    check(
        &plan(&[], &kinds),
        &map,
        &[group(&[], &values)],
        None,
        &expect![[""]],
    );
    check(&plan(&[Type::Int], &kinds), &map, &[], None, &expect![[""]]);
    // A key whose values all were none is there, and says so.
    check(
        &plan(&[Type::Int], &kinds),
        &map,
        &[group(&[number(1)], &values)],
        None,
        &expect![[r"
            @m[1]: -
        "]],
    );
}

#[test]
fn aggregates_are_whole_and_have_all_their_digits() {
    let slots = [
        Value::Sum(9_007_199_254_740_993),
        Value::Sum(2),
        Value::Extreme(encode_extreme(-5, true)),
    ];
    let kinds = [SlotKind::Sum, SlotKind::Values, SlotKind::Min];
    let (sum, values, min) = (SlotId(0), SlotId(1), SlotId(2));
    let cases = [
        (Aggregate::Sum { sum, values }, "@m: 9007199254740993\n"),
        (Aggregate::Avg { sum, values }, "@m: 4503599627370496\n"),
        (Aggregate::Min { min, values }, "@m: -5\n"),
    ];
    for (aggregate, expected) in cases {
        let map = map("m", MapValue::Aggregate(aggregate), Type::Int);
        let groups = [group(&[], &slots)];
        assert_eq!(
            printed(&plan(&[], &kinds), &map, &groups, Cut::NONE),
            expected
        );
    }
}

#[test]
fn times_and_sizes_have_their_unit() {
    let plan = plan(&[], &[SlotKind::Sum, SlotKind::Values]);
    let stats = MapValue::Stats {
        sum: SlotId(0),
        values: SlotId(1),
    };
    let groups = [group(&[], &[Value::Sum(4_500_000), Value::Sum(3)])];
    check(
        &plan,
        &map("x", stats, Type::Time),
        &groups,
        None,
        &expect![[r"
            @x: count 3, average 1.5 ms, total 4.5 ms
        "]],
    );
    check(
        &plan,
        &map("x", stats, Type::Int),
        &groups,
        None,
        &expect![[r"
            @x: count 3, average 1500000, total 4500000
        "]],
    );
}

#[test]
fn a_histogram_says_what_its_bounds_are_numbers_of() {
    let kind = SlotKind::Histogram(Buckets::Log2 { bits: 0 });
    let plan = plan(&[Type::Text(16)], &[kind]);
    let histogram = MapValue::Histogram(SlotId(0));
    let counts = |value, count| {
        let index = bucket(Buckets::Log2 { bits: 0 }, value) as u16;
        Value::Histogram(vec![(index, count)])
    };
    let groups = [
        group(&[Key::Text(b"a\x1b[2J".to_vec())], &[counts(5000, 7)]),
        group(&[Key::Text(b"b".to_vec())], &[counts(1, 2)]),
    ];
    check(
        &plan,
        &map("size", histogram, Type::Time),
        &groups,
        None,
        &expect![[r"
            @size[b]: (ns)
            [1]                    2 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|

            @size[a\u{1b}[2J]: (ns)
            [4K, 8K)               7 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@|

        "]],
    );
    let nothing = [group(
        &[Key::Text(b"c".to_vec())],
        &[Value::Histogram(Vec::new())],
    )];
    check(
        &plan,
        &map("size", histogram, Type::Time),
        &nothing,
        None,
        &expect![[r"
            @size[c]: -
        "]],
    );
    let plain = printed(
        &plan,
        &map("size", histogram, Type::Int),
        &groups,
        Cut {
            top: Some(1),
            divisor: 1,
        },
    );
    assert!(plain.starts_with("@size[a\\u{1b}[2J]: \n[4K, 8K)"));
}

#[test]
fn values_may_be_divided_and_a_divided_time_is_a_plain_number() {
    let plan = plan(&[Type::Int], &[SlotKind::Count]);
    let groups = [
        group(&[number(1)], &[Value::Sum(1_500)]),
        group(&[number(2)], &[Value::Sum(999)]),
    ];
    let cut = Cut {
        top: Some(0),
        divisor: 1000,
    };
    let shown = printed(&plan, &map("t", COUNT, Type::Time), &groups, cut);
    assert_eq!(shown, "@t[2]: 0\n@t[1]: 1\n");
}

#[test]
fn texts_tuples_and_numbers_without_a_sign_are_values() {
    let text = |text: &[u8]| Value::Text(text.to_vec());
    let of = |kind, ty| map("m", kind, ty);
    let first = MapValue::Number(SlotId(0));
    check(
        &plan(&[], &[SlotKind::Text(8)]),
        &of(first, Type::Text(8)),
        &[group(&[], &[text(b"a b\0\0\0\0\0")])],
        None,
        &expect![[r"
            @m: a b
        "]],
    );
    check(
        &plan(&[], &[SlotKind::Last]),
        &of(first, Type::Unsigned),
        &[group(&[], &[Value::Sum(-1)])],
        None,
        &expect![[r"
            @m: 18446744073709551615
        "]],
    );
    let tuple = Map {
        shape: Some(Shape::Tuple(vec![
            Shape::One(Type::Int),
            Shape::Tuple(vec![
                Shape::One(Type::Text(8)),
                Shape::One(Type::Enum(Enumeration::LinuxErrno)),
            ]),
        ])),
        ..of(MapValue::Tuple, Type::Int)
    };
    let kinds = [SlotKind::Last, SlotKind::Text(8), SlotKind::Last];
    let tuple_plan = plan(&[Type::Text(8)], &kinds);
    let groups = [group(
        &[Key::Text(b"k".to_vec())],
        &[Value::Sum(1), text(b"x\0\0\0\0\0\0\0"), Value::Sum(2)],
    )];
    check(
        &tuple_plan,
        &tuple,
        &groups,
        None,
        &expect![[r"
            @m[k]: (1, (x, ENOENT))
        "]],
    );
    assert_eq!(
        json(&tuple_plan, &tuple, &groups),
        r#"{"@m":{"k":[1,["x","ENOENT"]]}}"#
    );
}

#[test]
fn an_address_that_a_script_keeps_lies_in_the_slot_of_a_text() {
    let plan = plan(&[], &[SlotKind::Text(16)]);
    let ty = Type::Address(ewapa_lang::types::Space::User);
    let words = [0x1234u64, u64::from(u32::MAX)]
        .map(u64::to_ne_bytes)
        .concat();
    check(
        &plan,
        &map("a", MapValue::Number(SlotId(0)), ty),
        &[group(&[], &[Value::Text(words)])],
        None,
        &expect![[r"
            @a: 0x1234
        "]],
    );
}

#[test]
fn a_series_is_a_line_and_its_steps() {
    let kind = SlotKind::Series {
        step: 1_000_000_000,
        steps: 4,
        fold: Fold::Sum,
    };
    let plan = plan(&[Type::Int], &[kind]);
    let step = |number, sum| {
        let kept = Step {
            count: 1,
            sum,
            extreme: 0,
        };
        (number, kept)
    };
    let groups = [
        group(
            &[number(1)],
            &[Value::Series(vec![step(10, 4), step(12, 8)])],
        ),
        // It was written before the others' steps.
        group(&[number(2)], &[Value::Series(vec![step(3, 5)])]),
    ];
    let series = map("s", MapValue::Series(SlotId(0)), Type::Int);
    let shown = printed(&plan, &series, &groups, Cut::NONE);
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 10, "{shown}");
    assert!(lines[0].starts_with("@s[2]:"), "{shown}");
    assert!(lines[5].starts_with("@s[1]: "), "{shown}");
    assert!(lines[1].contains("           - |    "), "{shown}");
    assert!(
        lines[6].contains("           4 |@@@@@@@@@@@@@@@@@@@@@@@@@@ "),
        "{shown}"
    );
    assert!(
        lines[8].contains("           8 |@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"),
        "{shown}"
    );
    assert_eq!(
        json(&plan, &series, &groups),
        r#"{"@s":{"2":[null,null,null],"1":[4,null,8]}}"#
    );
}

#[test]
fn programs_get_the_shapes_of_bpftrace() {
    let two = plan(&[Type::Int, Type::Text(8)], &[SlotKind::Count]);
    let groups = [group(
        &[number(1), Key::Text(b"abc".to_vec())],
        &[Value::Sum(5)],
    )];
    let count = map("x", COUNT, Type::Int);
    assert_eq!(json(&two, &count, &groups), r#"{"@x":{"1,abc":5}}"#);
    assert_eq!(
        Shown::new(&two, &count, &groups, Cut::NONE, &Names::default()).kind(),
        "map"
    );

    let kind = SlotKind::Histogram(Buckets::Log2 { bits: 0 });
    let one = plan(&[], &[kind]);
    let at = |value| bucket(Buckets::Log2 { bits: 0 }, value) as u16;
    let counts = [(at(-4), 1), (at(9), 2), (at(40), 1)];
    let histogram = map("h", MapValue::Histogram(SlotId(0)), Type::Time);
    assert_eq!(
        json(
            &one,
            &histogram,
            &[group(&[], &[Value::Histogram(counts[1..].to_vec())])]
        ),
        r#"{"@h":[{"min":8,"max":15,"count":2},{"min":16,"max":31,"count":0},{"min":32,"max":63,"count":1}]}"#
    );
    let below = json(
        &one,
        &histogram,
        &[group(&[], &[Value::Histogram(counts[..1].to_vec())])],
    );
    assert_eq!(below, r#"{"@h":[{"max":-1,"count":1}]}"#);

    let stats = map(
        "s",
        MapValue::Stats {
            sum: SlotId(0),
            values: SlotId(1),
        },
        Type::Time,
    );
    let plan = plan(&[], &[SlotKind::Sum, SlotKind::Values]);
    assert_eq!(
        json(
            &plan,
            &stats,
            &[group(&[], &[Value::Sum(9), Value::Sum(2)])]
        ),
        r#"{"@s":{"count":2,"average":4,"total":9}}"#
    );
}
