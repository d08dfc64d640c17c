//! Random plans over random calls: generated code and the reference agree.

use ewapa_lang::builtin::{BUILTINS, NONE};
use ewapa_lang::plan::BinaryOp::{Add, And, Div, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Rem, Sub};
use ewapa_lang::plan::{Clause, Event, Expr, Plan, Probe, SlotKind};
use ewapa_lang::types::{Enumeration, Type};
use ewapa_lang::wasi::{FUNCTIONS, Function, FunctionSet};
use ewapa_templates::Counter;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::reference::{self, Reference};
use super::run::{compile, enters, holds, read, take, value};
use super::terms::{
    Call, Grouping, HISTOGRAM, Slot, field, grouping, literal, negate, not, op, plan, text,
};
use crate::interpreter::{Machine, unreachable};

/// The types of numbers that are computed with.
const NUMBERS: [Type; 3] = [Type::Int, Type::Time, Type::Size];
const NAMES: [&str; 6] = [
    "",
    "a",
    "main",
    "wasmtime",
    "wasmtime-worker",
    "wasmtime-workes",
];
/// So many operators in one another.
const DEPTH: usize = 6;
/// So few rows that some tables are full.
const MAX_ROWS: usize = 6;

fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -4i64..10,
        2 => any::<i64>(),
        1 => any::<i32>().prop_map(i64::from),
        1 => (0u32..63, -1i64..2).prop_map(|(power, delta)| (1i64 << power) + delta),
        1 => select(vec![i64::MIN, i64::MIN + 1, i64::MAX, -1, 0]),
    ]
}

fn call() -> impl Strategy<Value = Call> {
    let fields = BUILTINS
        .iter()
        .filter(|builtin| builtin.ty != Type::Text)
        .map(|builtin| {
            let value = match builtin.ty {
                Type::Bool => (0i64..2).boxed(),
                Type::Enum(Enumeration::Func) => (0..FUNCTIONS.len() as i64).boxed(),
                Type::Enum(Enumeration::Runtime) => (0i64..3, 0i64..3)
                    .prop_map(|(version, index)| version << 8 | index)
                    .boxed(),
                Type::Enum(_) => (0i64..4).boxed(),
                _ => number().boxed(),
            };
            let none = if builtin.nullable { 1 } else { 0 };
            let value = (0..4).prop_flat_map(move |die| {
                if die < none {
                    Just(NONE).boxed()
                } else {
                    value.clone()
                }
            });
            value.prop_map(|value| (builtin.name, value))
        });
    (fields.collect::<Vec<_>>(), select(NAMES.to_vec())).prop_map(|(fields, name)| {
        let call = Call::new().by(name);
        fields
            .into_iter()
            .fold(call, |call, (name, value)| call.with(name, value))
    })
}

fn builtins(ty: Type) -> impl Strategy<Value = Expr> {
    let names = BUILTINS
        .iter()
        .filter(move |builtin| builtin.ty == ty)
        .map(|builtin| builtin.name);
    select(names.collect::<Vec<_>>()).prop_map(field)
}

/// Numbers and conditions of at most so many operators in one another.
#[derive(Clone)]
struct Terms {
    /// In the order of [`NUMBERS`].
    numbers: [BoxedStrategy<Expr>; 3],
    condition: BoxedStrategy<Expr>,
}

impl Terms {
    fn leaves() -> Terms {
        let leaf = |ty| {
            prop_oneof![2 => builtins(ty), 1 => number().prop_map(move |value| literal(value, ty))]
                .boxed()
        };
        let text_or_name =
            || prop_oneof![Just(field("comm")), select(NAMES.to_vec()).prop_map(text)];
        let texts = (text_or_name(), select(vec![Eq, Ne]), text_or_name());
        let named = [Enumeration::Func, Enumeration::Runtime, Enumeration::Module, Enumeration::Errno].map(|of| {
            let ty = Type::Enum(of);
            let side = || prop_oneof![2 => builtins(ty), 1 => (0i64..600).prop_map(move |value| literal(value, ty))];
            let ops = if of == Enumeration::Errno { vec![Eq, Ne, Lt, Le, Gt, Ge] } else { vec![Eq, Ne] };
            (side(), select(ops), side()).prop_map(|(left, eq, right)| op(left, eq, right)).boxed()
        });
        let condition = prop_oneof![
            2 => builtins(Type::Bool),
            1 => (0i64..2).prop_map(|value| literal(value, Type::Bool)),
            2 => texts.prop_map(|(left, eq, right)| op(left, eq, right)),
            4 => select(named.to_vec()).prop_flat_map(|comparison| comparison),
        ];
        Terms {
            numbers: NUMBERS.map(leaf),
            condition: condition.boxed(),
        }
    }

    /// With one more operator around these terms.
    fn grown(&self) -> Terms {
        let binary = |left: &BoxedStrategy<Expr>, ops: Vec<_>, right: &BoxedStrategy<Expr>| {
            (left.clone(), select(ops), right.clone())
                .prop_map(|(left, operator, right)| op(left, operator, right))
        };
        let grow = |number: &BoxedStrategy<Expr>| {
            prop_oneof![
                1 => number.clone(),
                1 => number.clone().prop_map(negate),
                3 => binary(number, vec![Add, Sub, Rem], number),
                3 => binary(number, vec![Mul, Div], &self.numbers[0]),
            ]
            .boxed()
        };
        let compare = |number: &BoxedStrategy<Expr>| {
            binary(number, vec![Eq, Ne, Lt, Le, Gt, Ge], number).boxed()
        };
        let comparisons = self.numbers.each_ref().map(compare).to_vec();
        let condition = prop_oneof![
            1 => self.condition.clone(),
            1 => self.condition.clone().prop_map(not),
            3 => binary(&self.condition, vec![And, Or], &self.condition),
            3 => select(comparisons).prop_flat_map(|comparison| comparison),
        ];
        Terms {
            numbers: self.numbers.each_ref().map(grow),
            condition: condition.boxed(),
        }
    }

    fn any(depth: usize) -> Terms {
        (0..depth).fold(Terms::leaves(), |terms, _| terms.grown())
    }

    fn number(&self) -> BoxedStrategy<Expr> {
        select(self.numbers.to_vec())
            .prop_flat_map(|number| number)
            .boxed()
    }

    fn key(&self) -> BoxedStrategy<Expr> {
        prop_oneof![
            Just(field("comm")),
            select(vec!["func", "runtime", "module", "errno", "fd"]).prop_map(field),
            self.number(),
            self.condition.clone(),
        ]
        .boxed()
    }

    fn slot(&self) -> BoxedStrategy<Slot> {
        let kinds = vec![
            SlotKind::Count,
            SlotKind::Values,
            SlotKind::Sum,
            SlotKind::SumOfSquares,
            SlotKind::Min,
            SlotKind::Max,
            HISTOGRAM,
        ];
        let value = prop_oneof![5 => self.number(), 1 => self.condition.clone()];
        let condition = option::of(self.condition.clone());
        (select(kinds), value, condition)
            .prop_map(|(kind, value, condition)| Slot {
                kind,
                value: (kind != SlotKind::Count).then_some(value),
                condition,
            })
            .boxed()
    }

    fn grouping(&self) -> BoxedStrategy<Grouping> {
        (vec(self.key(), 0..4), vec(self.slot(), 1..6))
            .prop_map(|(keys, slots)| grouping(keys, slots))
            .boxed()
    }

    fn clause(&self) -> BoxedStrategy<Clause> {
        let functions = prop_oneof![
            Just(FunctionSet::all()),
            any::<u64>().prop_map(|bits| Function::all()
                .filter(|function| bits >> function.index() & 1 == 1)
                .collect()),
        ];
        let probe = (functions, option::of(0u8..3))
            .prop_map(|(functions, runtime)| Probe { functions, runtime });
        (vec(probe, 1..4), option::of(self.condition.clone()))
            .prop_map(|(probes, filter)| Clause {
                event: Event::Wasi(probes),
                filter,
                variables: 0,
                actions: Vec::new(),
            })
            .boxed()
    }

    fn plan(&self) -> BoxedStrategy<Plan> {
        let clause = (self.clause(), vec(0usize..2, 1..3));
        (vec(clause, 1..4), vec(self.grouping(), 2))
            .prop_map(|(clauses, groupings)| {
                let clauses = clauses.into_iter().map(|(clause, stores)| Clause {
                    actions: stores
                        .into_iter()
                        .map(|store| groupings[store].record(store))
                        .collect(),
                    ..clause
                });
                plan(
                    clauses.collect(),
                    groupings.iter().map(Grouping::store).collect(),
                )
            })
            .boxed()
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_number_has_the_value_of_the_reference(expr in Terms::any(DEPTH).number(), call in call()) {
        prop_assert_eq!(value(&expr, &call), reference::value(&expr, &call));
    }

    #[test]
    fn a_condition_holds_when_the_reference_says_so(condition in Terms::any(DEPTH).condition, call in call()) {
        prop_assert_eq!(holds(&condition, &call), reference::holds(&condition, &call));
        prop_assert_eq!(value(&condition, &call), reference::value(&condition, &call));
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn a_plan_keeps_what_the_reference_keeps(
        plan in Terms::any(3).plan(),
        calls in vec((0u64..2, call()), 1..20),
    ) {
        let mut program = compile(&plan);
        for (store, layout) in plan.stores.iter().zip(&mut program.stores) {
            if !store.keys.is_empty() {
                layout.max_rows = MAX_ROWS as u32;
            }
        }
        let mut machine = Machine::new(&program);
        let mut expected = Reference::new(&plan, MAX_ROWS);
        for (cpu, call) in &calls {
            prop_assert_eq!(enters(&mut machine, call), reference::wanted_at_entry(&plan, call));
            take(&mut machine, *cpu, call);
            expected.take(&plan, *cpu, call);
        }
        for (index, groups) in expected.stores.iter().enumerate() {
            prop_assert_eq!(&read(&plan, &program, &machine, index), groups);
        }
        prop_assert_eq!(machine.counter(Counter::GroupsFull), expected.lost);
    }

    #[test]
    fn a_path_leads_to_every_instruction(plan in Terms::any(3).plan()) {
        for function in &compile(&plan).functions {
            prop_assert_eq!(unreachable(function), Vec::<usize>::new(), "\n{}", function);
        }
    }
}
