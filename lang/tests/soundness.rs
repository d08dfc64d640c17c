//! What every plan of an accepted script holds, so that the code generator can rely on it.

use ewapa_lang::plan::{
    Action, Expr, ExprKind, MapValue, MessageKind, Piece, Plan, SlotKind, Store, StoreId,
};
use ewapa_lang::types::Type;
use ewapa_lang::{Environment, compile};
use proptest::prelude::*;

const ENVIRONMENT: Environment = Environment {
    runtimes: &["wasmtime", "wasmer"],
    ..Environment::EMPTY
};

const STATEMENTS: &[&str] = &[
    "@a = 0;",
    "@a = duration;",
    "@a += self_time;",
    "@b[pid] = errno;",
    "@b[tid] = 8;",
    "@c[func]++;",
    "@c[\"fd_read\"] -= 2;",
    "@d[comm, ok] = hist(bytes);",
    "@d[\"x\", @b[0] == EBADF] = hist(0);",
    "@e = quantile(duration, 0.5);",
    "@f = stats(@c[func]);",
    "$x = 0;",
    "$x = duration;",
    "$x += 1us;",
    "let $y = @c[func] ? @a : 0;",
    "if ($x > @a) { $x = @a; return; }",
    "if (ok) { @a = 1us; } else if (fd) { exit(); } else { return; }",
    "delete(@b[pid]);",
    "delete(@d[comm, ok]);",
    "printf(\"%d %s %s\\n\", $x, func, comm);",
    "printf(\"%-5s|%%|%x\\n\", \"text\", @c[func]);",
    "print(@d, 3);",
    "clear(@e);",
    "zero(@f);",
    "time();",
    "{ let $z = ok; @g[$z]++; }",
    "return;",
];

fn sound(plan: &Plan) {
    for store in &plan.stores {
        assert!(!store.slots.is_empty(), "{}", store.name);
    }
    for map in &plan.maps {
        let store = &plan.stores[map.store.0];
        match map.value {
            MapValue::Number(slot) => {
                assert_eq!(slot.0, 0);
                assert!(is_shared(store), "{}", map.name);
            }
            MapValue::Histogram(slot) => {
                assert!(matches!(store.slots[slot.0], SlotKind::Histogram(_)));
            }
            MapValue::Stats { sum, values } => {
                assert_eq!(store.slots[sum.0], SlotKind::Sum);
                assert_eq!(store.slots[values.0], SlotKind::Values);
            }
            MapValue::Aggregate(_) => {}
        }
    }
    for message in &plan.messages {
        match &message.kind {
            MessageKind::Printf(pieces) => {
                let values = pieces
                    .iter()
                    .filter(|piece| matches!(piece, Piece::Value(_)))
                    .count();
                assert_eq!(values, message.values.len());
            }
            MessageKind::Delete { map } => {
                assert_eq!(plan.stores[plan.maps[*map].store.0].keys, message.values);
            }
            MessageKind::Print { map, .. }
            | MessageKind::Clear { map }
            | MessageKind::Zero { map } => {
                assert!(*map < plan.maps.len());
            }
            MessageKind::Time(_) | MessageKind::Exit => assert!(message.values.is_empty()),
        }
    }
    for clause in &plan.clauses {
        if let Some(filter) = &clause.filter {
            assert_eq!(filter.ty, Type::Bool);
            expression(filter, plan, clause.variables);
        }
        actions(&clause.actions, plan, clause.variables);
    }
}

/// Whether all CPUs share the only slot of a store, so that it can be read.
fn is_shared(store: &Store) -> bool {
    matches!(store.slots[..], [SlotKind::Last | SlotKind::Tally])
}

fn actions(all: &[Action], plan: &Plan, variables: usize) {
    for (index, action) in all.iter().enumerate() {
        match action {
            Action::Record(record) => {
                group(record.store, &record.keys, plan, variables);
                let slots = &plan.stores[record.store.0].slots;
                assert_eq!(record.updates.len(), slots.len());
                for update in &record.updates {
                    let counts = slots[update.slot.0] == SlotKind::Count;
                    assert_eq!(update.value.is_none(), counts);
                    if let Some(value) = &update.value {
                        assert_ne!(value.ty, Type::Text);
                        expression(value, plan, variables);
                    }
                }
            }
            Action::Delete { store, keys } => {
                assert!(is_shared(&plan.stores[store.0]));
                group(*store, keys, plan, variables);
            }
            Action::Assign { variable, value } => {
                assert!(variable.0 < variables);
                assert_ne!(value.ty, Type::Text);
                expression(value, plan, variables);
            }
            Action::If {
                condition,
                then,
                otherwise,
            } => {
                assert_eq!(condition.ty, Type::Bool);
                expression(condition, plan, variables);
                actions(then, plan, variables);
                actions(otherwise, plan, variables);
            }
            Action::Tell { message, values } => {
                let types: Vec<Type> = values.iter().map(|value| value.ty).collect();
                assert_eq!(types, plan.messages[message.0].values);
                for value in values {
                    expression(value, plan, variables);
                }
            }
            Action::Return => assert_eq!(index + 1, all.len(), "something follows a return"),
        }
    }
}

fn group(store: StoreId, keys: &[Expr], plan: &Plan, variables: usize) {
    let types: Vec<Type> = keys.iter().map(|key| key.ty).collect();
    assert_eq!(types, plan.stores[store.0].keys);
    for key in keys {
        expression(key, plan, variables);
    }
}

fn expression(expr: &Expr, plan: &Plan, variables: usize) {
    match &expr.kind {
        ExprKind::Variable(variable) => assert!(variable.0 < variables),
        ExprKind::Map { store, keys } => {
            assert!(is_shared(&plan.stores[store.0]));
            group(*store, keys, plan, variables);
        }
        ExprKind::Choose {
            condition,
            then,
            otherwise,
        } => {
            assert_eq!(condition.ty, Type::Bool);
            assert_eq!((then.ty, otherwise.ty), (expr.ty, expr.ty));
        }
        ExprKind::Text(text) => assert!(text.len() < ewapa_lang::builtin::TEXT_LEN),
        _ => {}
    }
    for part in expr.parts() {
        expression(part, plan, variables);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn accepted_blocks_have_sound_plans(
        one in prop::collection::vec(prop::sample::select(STATEMENTS), 0..12),
        other in prop::collection::vec(prop::sample::select(STATEMENTS), 0..12),
    ) {
        let text = format!(
            "table t from wasi:* {{ n = count() }} wasi:fd_* /ok || !ok/ {{ $x = 0; {} }} wasi:* {{ $x = 0us; @a = 0us; @g[ok]++; @b[0] = errno; @c[func]++; @d[comm, ok] = hist(bytes); @e = quantile(duration, 0.5); @f = stats(@c[func]); {} }}",
            one.join(" "),
            other.join(" ")
        );
        // Only a variable that is declared twice is wrong with any of these.
        match compile(&text, &ENVIRONMENT, &[]) {
            Ok(compiled) => sound(&compiled.plan),
            Err(errors) => for error in errors {
                prop_assert!(matches!(error.code, ewapa_lang::Code::Duplicate), "{error:?} of {text}");
            },
        }
    }
}
