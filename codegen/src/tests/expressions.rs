use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::BinaryOp::{self, Add, And, Div, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Rem, Sub};
use ewapa_lang::plan::{Expr, SlotKind};

use super::reference;
use super::run::{compile, holds, take, value};
use super::terms::{
    Call, count_if, field, int, negate, not, op, runtime, slot, table, text, truth,
};
use crate::interpreter::Machine;

const EXTREMES: [i64; 9] = [
    i64::MIN,
    i64::MIN + 1,
    -1 << 32,
    -1,
    0,
    1,
    1 << 31,
    i64::MAX - 1,
    i64::MAX,
];
const COMPARISONS: [BinaryOp; 6] = [Eq, Ne, Lt, Le, Gt, Ge];

fn check_values(call: &Call, cases: Vec<(Expr, Option<i64>)>) {
    for (expr, expected) in cases {
        assert_eq!(value(&expr, call), expected, "{expr:?}");
    }
}

fn check_conditions(call: &Call, cases: Vec<(Expr, bool)>) {
    for (condition, expected) in cases {
        assert_eq!(holds(&condition, call), expected, "{condition:?}");
    }
}

#[test]
fn arithmetic_gives_what_it_says() {
    let call = Call::new().with("fd", 7).with("pid", -3);
    let (fd, pid) = (|| field("fd"), || field("pid"));
    check_values(
        &call,
        vec![
            (int(42), Some(42)),
            (fd(), Some(7)),
            (negate(fd()), Some(-7)),
            (op(fd(), Add, int(1)), Some(8)),
            (op(fd(), Sub, pid()), Some(10)),
            (op(fd(), Mul, pid()), Some(-21)),
            (op(fd(), Div, pid()), Some(-2)),
            (op(fd(), Rem, pid()), Some(1)),
            (op(pid(), Rem, fd()), Some(-3)),
            (op(negate(fd()), Div, int(2)), Some(-3)),
        ],
    );
}

#[test]
fn the_sides_of_an_operator_keep_their_places_however_they_are_computed() {
    let call = Call::new().with("fd", 7).with("pid", 2).with("tid", 100);
    let sum = || op(field("pid"), Add, int(1));
    let long = || op(op(field("fd"), Mul, field("pid")), Sub, sum());
    check_values(
        &call,
        vec![
            (op(field("tid"), Sub, sum()), Some(97)),
            (op(sum(), Sub, field("tid")), Some(-97)),
            (op(long(), Sub, sum()), Some(8)),
            (op(sum(), Sub, long()), Some(-8)),
            (op(long(), Div, long()), Some(1)),
            (
                op(op(long(), Sub, sum()), Sub, op(sum(), Sub, long())),
                Some(16),
            ),
        ],
    );
}

#[test]
fn arithmetic_wraps_at_64_bits() {
    let call = Call::new();
    check_values(
        &call,
        vec![
            (op(int(i64::MAX), Add, int(1)), Some(i64::MIN)),
            (op(int(i64::MIN), Sub, int(1)), Some(i64::MAX)),
            (op(int(i64::MAX), Mul, int(2)), Some(-2)),
            (negate(int(i64::MIN)), Some(i64::MIN)),
            (op(int(i64::MIN), Div, int(-1)), Some(i64::MIN)),
            (op(int(i64::MIN), Rem, int(-1)), Some(0)),
        ],
    );
}

#[test]
fn a_division_by_zero_gives_zero_and_its_remainder_the_dividend() {
    let call = Call::new().with("fd", 0).with("pid", -5);
    check_values(
        &call,
        vec![
            (op(field("pid"), Div, field("fd")), Some(0)),
            (op(field("pid"), Rem, field("fd")), Some(-5)),
            (op(field("pid"), Div, int(0)), Some(0)),
            (op(int(i64::MIN), Rem, int(0)), Some(i64::MIN)),
        ],
    );
}

#[test]
fn constants_of_any_size_are_exact() {
    for value_of in EXTREMES.into_iter().chain([
        1 << 40,
        0xdead_beef,
        i64::from(i32::MIN),
        i64::from(i32::MAX),
    ]) {
        assert_eq!(value(&int(value_of), &Call::new()), Some(value_of));
    }
}

#[test]
fn comparisons_are_signed() {
    for left in EXTREMES {
        for right in EXTREMES {
            // `pid` is never none, not even with this value.
            let call = Call::new().with("pid", left).with("tid", right);
            for comparison in COMPARISONS {
                let expected = reference::compare(comparison, left, right);
                check_conditions(
                    &call,
                    vec![
                        (op(field("pid"), comparison, field("tid")), expected),
                        (op(field("pid"), comparison, int(right)), expected),
                    ],
                );
            }
        }
    }
}

#[test]
fn an_expression_with_a_value_that_is_none_has_none() {
    let call = Call::new().with("pid", 1);
    check_values(
        &call,
        vec![
            (field("fd"), None),
            (field("bytes"), None),
            (negate(field("fd")), None),
            (op(field("pid"), Add, field("fd")), None),
            (op(field("fd"), Mul, int(0)), None),
            (op(op(int(1), Sub, field("fd")), Sub, field("fd")), None),
            (
                op(
                    op(field("fd"), Add, int(1)),
                    Sub,
                    op(field("pid"), Add, field("bytes")),
                ),
                None,
            ),
        ],
    );
}

#[test]
fn a_computed_number_is_never_none() {
    let call = Call::new().with("fd", 1);
    check_values(
        &call,
        vec![
            (op(int(i64::MAX), Add, field("fd")), Some(NONE)),
            (int(NONE), Some(NONE)),
        ],
    );
    assert!(holds(
        &op(op(int(i64::MAX), Add, field("fd")), Lt, int(0)),
        &call
    ));
}

#[test]
fn a_comparison_with_none_is_false_and_its_opposite_true() {
    let call = Call::new().with("pid", 1);
    for comparison in COMPARISONS {
        for condition in [
            op(field("fd"), comparison, int(3)),
            op(int(3), comparison, field("fd")),
            op(field("fd"), comparison, field("fd")),
            op(field("fd"), comparison, int(NONE)),
            op(
                op(field("fd"), Add, int(1)),
                comparison,
                op(field("pid"), Mul, int(2)),
            ),
        ] {
            check_conditions(
                &call,
                vec![(condition.clone(), false), (not(condition), true)],
            );
        }
    }
}

#[test]
fn logic_follows_its_truth_tables() {
    let call = Call::new().with("pid", 1);
    let constant = truth;
    let computed = |value: bool| op(field("pid"), Eq, int(i64::from(value)));
    for a in [false, true] {
        for b in [false, true] {
            for (left, right) in [
                (computed(a), computed(b)),
                (constant(a), computed(b)),
                (computed(a), constant(b)),
                (constant(a), constant(b)),
            ] {
                check_conditions(
                    &call,
                    vec![
                        (op(left.clone(), And, right.clone()), a && b),
                        (op(left.clone(), Or, right.clone()), a || b),
                        (not(op(left.clone(), And, not(right.clone()))), !a || b),
                        (
                            op(
                                not(op(left.clone(), Or, right.clone())),
                                Or,
                                op(left, And, right),
                            ),
                            a == b,
                        ),
                    ],
                );
            }
        }
    }
}

#[test]
fn logic_with_a_part_that_is_none_takes_it_for_false() {
    let call = Call::new().with("pid", 1);
    let none = || op(field("fd"), Eq, int(3));
    let yes = || op(field("pid"), Eq, int(1));
    check_conditions(
        &call,
        vec![
            (op(none(), And, yes()), false),
            (op(yes(), And, none()), false),
            (op(none(), Or, yes()), true),
            (op(yes(), Or, none()), true),
            (op(not(none()), And, yes()), true),
            (op(none(), Or, none()), false),
        ],
    );
}

#[test]
fn a_bool_builtin_that_is_none_is_not_fulfilled_and_its_negation_is_not_either() {
    let ok = || field("ok");
    for (value_of_ok, expected) in [(1, true), (0, false), (NONE, false)] {
        let call = Call::new().with("ok", value_of_ok);
        check_conditions(
            &call,
            vec![
                (ok(), expected),
                (not(ok()), value_of_ok == 0),
                (not(not(ok())), expected),
                (op(ok(), And, truth(true)), expected),
                (op(truth(false), Or, ok()), expected),
            ],
        );
    }
}

#[test]
fn a_bool_builtin_as_a_value_and_its_negation_may_be_none_and_a_computed_condition_may_not() {
    let call = Call::new();
    check_values(&call, vec![(field("ok"), None), (not(field("ok")), None)]);
    check_values(
        &call.clone().with("ok", 1),
        vec![(field("ok"), Some(1)), (not(field("ok")), Some(0))],
    );
    check_values(
        &call.with("ok", 0),
        vec![
            (field("ok"), Some(0)),
            (op(field("fd"), Eq, int(1)), Some(0)),
        ],
    );
}

#[test]
fn texts_are_compared_as_a_whole() {
    let comm = || field("comm");
    for (name, literal, equal) in [
        ("wasmtime", "wasmtime", true),
        ("wasmtime", "wasmtim", false),
        ("wasmtime", "wasmtime1", false),
        ("wasmtime-worker", "wasmtime-worker", true),
        ("wasmtime-worker", "wasmtime-workes", false),
        ("xasmtime-worker", "wasmtime-worker", false),
        ("", "", true),
        ("", "a", false),
        ("käse", "käse", true),
        ("käse", "kase", false),
    ] {
        check_conditions(
            &Call::new().by(name),
            vec![
                (op(comm(), Eq, text(literal)), equal),
                (op(comm(), Ne, text(literal)), !equal),
                (op(text(literal), Eq, comm()), equal),
                (op(comm(), Eq, comm()), true),
            ],
        );
    }
}

#[test]
fn runtimes_are_compared_by_their_low_byte() {
    let call = Call::new().with("runtime", 0x07_0102);
    check_conditions(
        &call,
        vec![
            (op(field("runtime"), Eq, runtime(2)), true),
            (op(field("runtime"), Ne, runtime(2)), false),
            (op(field("runtime"), Eq, runtime(1)), false),
            (op(runtime(0x99_0002), Eq, field("runtime")), true),
            (op(field("runtime"), Ne, runtime(0x07_0103)), true),
        ],
    );
}

#[test]
fn other_numbers_are_compared_as_a_whole() {
    let call = Call::new().with("fd", 0x102).with("errno", 8);
    check_conditions(
        &call,
        vec![
            (op(field("fd"), Eq, int(2)), false),
            (op(field("errno"), Eq, field("errno")), true),
        ],
    );
}

/// A chain of 500 operators around these leaves, nested on the one side or on the other.
fn chain(leaf: impl Fn(i64) -> Expr, operator: impl Fn(i64) -> BinaryOp, right: bool) -> Expr {
    (1..=500).fold(leaf(0), |inner, index| {
        let (left, right) = if right {
            (leaf(index), inner)
        } else {
            (inner, leaf(index))
        };
        op(left, operator(index), right)
    })
}

/// The program runs, gives the reference's result and takes little of the stack.
fn check_depth(expr: &Expr, condition: bool) {
    let call = Call::new().with("pid", 3).with("tid", 4);
    let slots = if condition {
        vec![count_if(expr.clone())]
    } else {
        vec![slot(SlotKind::Sum, expr.clone())]
    };
    let plan = table(vec![field("pid")], slots);
    let program = compile(&plan);
    let mut machine = Machine::new(&program);
    take(&mut machine, 0, &call);
    let expected = if condition {
        i64::from(reference::holds(expr, &call))
    } else {
        reference::value(expr, &call).unwrap()
    };
    let rows = machine.rows("store_0");
    assert_eq!(rows[0].1[..8], expected.to_ne_bytes());
    // The template and the two functions of the chain of calls share 512 bytes.
    assert!(machine.deepest <= 128, "{} bytes of stack", machine.deepest);
}

#[test]
fn five_hundred_nested_operators_fit_the_stack() {
    let simple = |index| {
        if index % 2 == 0 {
            field("pid")
        } else {
            int(index)
        }
    };
    let compound = |index| negate(simple(index));
    for right in [false, true] {
        check_depth(&chain(simple, |_| Sub, right), false);
        check_depth(&chain(compound, |_| Sub, right), false);
    }
}

#[test]
fn a_balanced_tree_of_five_hundred_operators_fits_the_stack() {
    let mut tree = negate(field("pid"));
    for _ in 0..8 {
        tree = op(tree.clone(), Sub, op(tree, Mul, field("tid")));
    }
    check_depth(&tree, false);
}

#[test]
fn five_hundred_nested_conditions_fit_the_stack() {
    let leaf = |index| {
        op(
            op(field("pid"), Mul, int(index)),
            Gt,
            op(field("tid"), Add, int(100)),
        )
    };
    let operator = |index| if index % 3 == 0 { And } else { Or };
    for right in [false, true] {
        check_depth(&chain(leaf, operator, right), true);
        check_depth(&not(chain(|index| not(leaf(index)), operator, right)), true);
    }
}
