use super::*;
use ewapa_codegen::histogram::bucket;
use ewapa_codegen::slot::encode_extreme;
use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{SlotId, Store, StoreId};
use ewapa_lang::types::Enumeration;
use expect_test::{Expect, expect};

fn plan(keys: &[Type], slots: &[SlotKind]) -> Plan {
    Plan {
        clauses: Vec::new(),
        stores: vec![Store {
            name: "m".to_owned(),
            keys: keys.to_vec(),
            slots: slots.to_vec(),
        }],
        tables: Vec::new(),
        maps: Vec::new(),
        messages: Vec::new(),
        checks: Vec::new(),
    }
}

fn map(name: &str, value: MapValue, ty: Type) -> Map {
    Map {
        name: name.to_owned(),
        store: StoreId(0),
        value,
        ty,
    }
}

fn group(keys: &[Key], values: &[Value]) -> Group {
    Group {
        keys: keys.to_vec(),
        values: values.to_vec(),
    }
}

fn check(plan: &Plan, map: &Map, groups: &[Group], top: Option<usize>, expected: &Expect) {
    expected.assert_eq(&render(plan, map, groups, top, &Names::default()));
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
    let row = |fd, errno, count| group(&[number(fd), number(errno)], &[Value::Sum(count)]);
    let groups = [row(10, 0, 5), row(2, 8, 9), row(NONE, 0, 5), row(-3, 0, 5)];
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
            render(&plan(&[], &kinds), &map, &groups, None, &Names::default()),
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
    let kind = SlotKind::Histogram(Buckets::Log2);
    let plan = plan(&[Type::Text], &[kind]);
    let histogram = MapValue::Histogram(SlotId(0));
    let counts = |value, count| {
        let index = bucket(Buckets::Log2, value) as u16;
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
    let plain = render(
        &plan,
        &map("size", histogram, Type::Int),
        &groups,
        Some(1),
        &Names::default(),
    );
    assert!(plain.starts_with("@size[a\\u{1b}[2J]: \n[4K, 8K)"));
}
