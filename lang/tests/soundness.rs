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
    "@text[comm] = comm;",
    "$t = \"short\";",
    "$t = comm;",
    "$t = ok ? comm : \"a text that is longer than others\";",
    "@text[$t] = str(arg1, 20);",
    "if ($t[:3] == \"abc\" || strncmp($t, comm, 4)) { @text[\"x\"] = $t; }",
    "@pair = (pid, comm);",
    "$p = (1, (\"a\", duration));",
    "@tuple[$p] = $p;",
    "print($p); print((1, \"a\")); print(@text[comm]);",
    "for ($kv : @text) { @c[func] += len($kv.1); if ($kv.0 == \"x\") { break; } continue; }",
    "for $i : 0..pid { $x += 1us; }",
    "unroll (3) { @c[func]++; }",
    "while ($x < 10us) { $x += 1us; }",
    "@n = count(); if (@n > 5) { @c[func]--; }",
    "@u = nsecs - @u; @h = hist((nsecs - @u) / 1000);",
    "@stacks[ustack(5), kstack] = count(); printf(\"%s\", usym(arg0));",
    "@b[0] = has_key(@text, comm) ? EBADF : errno;",
    "@series = tseries(duration, 1s, 10, \"avg\");",
    "tabulate(\"t\", @n, @u);",
    "printf(\"%s %r\", strftime(\"%H\", nsecs), buf(arg1, 12));",
    "join(arg0);",
    "@bits = ~(uint8)pid & 0xf | 1 << 3; @bits ^= arg2 >> 1;",
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
            MapValue::Tuple => {
                let types = map.shape.as_ref().unwrap().types();
                assert_eq!(types.len(), store.slots.len(), "{}", map.name);
            }
            MapValue::Series(slot) => {
                assert!(matches!(store.slots[slot.0], SlotKind::Series { .. }));
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
            MessageKind::Print { map, .. }
            | MessageKind::Clear { map }
            | MessageKind::Zero { map } => {
                assert!(*map < plan.maps.len());
            }
            MessageKind::Time(_) | MessageKind::Exit(_) => assert!(message.values.is_empty()),
            MessageKind::PrintKey { map } => {
                assert_eq!(plan.stores[plan.maps[*map].store.0].keys, message.values);
            }
            MessageKind::PrintValue(shape) => assert_eq!(shape.types(), message.values),
            MessageKind::Tabulate { maps, sort, .. } => {
                assert!(maps.iter().all(|map| *map < plan.maps.len()));
                assert!(sort.is_none_or(|sort| sort < maps.len()));
            }
            MessageKind::Join(_) => assert!(message.values.iter().all(|ty| ty.is_text())),
            MessageKind::Cat(_) | MessageKind::System(_) => {}
        }
    }
    for clause in &plan.clauses {
        if let Some(filter) = &clause.filter {
            assert_eq!(filter.ty, Type::Bool);
            expression(filter, plan, &clause.variables);
        }
        actions(&clause.actions, plan, &clause.variables);
    }
}

/// Whether all CPUs share the slots of a store, so that they can be read.
fn is_shared(store: &Store) -> bool {
    store
        .slots
        .iter()
        .all(|slot| matches!(slot, SlotKind::Last | SlotKind::Tally | SlotKind::Text(_)))
}

/// Whether a value has room in a place: a text may be smaller than it.
fn fits(value: Type, place: Type) -> bool {
    match (value, place) {
        (Type::Text(value), Type::Text(place)) => value <= place,
        _ => value == place,
    }
}

fn fit(values: &[Expr], places: &[Type]) {
    assert_eq!(values.len(), places.len());
    for (value, place) in values.iter().zip(places) {
        assert!(fits(value.ty, *place), "{value} into {place:?}");
    }
}

fn actions(all: &[Action], plan: &Plan, variables: &[Type]) {
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
                        match (slots[update.slot.0], value.ty) {
                            (SlotKind::Text(room), ty) => assert!(fits(ty, Type::Text(room))),
                            (_, ty) => assert!(!ty.is_text()),
                        }
                        expression(value, plan, variables);
                    }
                }
            }
            Action::Delete { store, keys } => {
                group(*store, keys, plan, variables);
            }
            Action::Assign { variable, value } => {
                assert!(fits(value.ty, variables[variable.0]));
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
                fit(values, &plan.messages[message.0].values);
                for value in values {
                    expression(value, plan, variables);
                }
            }
            Action::Loop {
                condition,
                body,
                step,
            } => {
                for condition in condition.iter() {
                    assert_eq!(condition.ty, Type::Bool);
                    expression(condition, plan, variables);
                }
                actions(body, plan, variables);
                actions(step, plan, variables);
            }
            Action::ForEach {
                store,
                keys,
                slots,
                body,
            } => {
                let store = &plan.stores[store.0];
                assert!(is_shared(store));
                assert_eq!(
                    (keys.len(), slots.len()),
                    (store.keys.len(), store.slots.len())
                );
                for (variable, ty) in keys.iter().zip(&store.keys) {
                    assert!(variable.is_none_or(|variable| variables[variable.0] == *ty));
                }
                actions(body, plan, variables);
            }
            Action::Return | Action::Break | Action::Continue => {
                assert_eq!(index + 1, all.len(), "something follows what ends");
            }
        }
    }
}

fn group(store: StoreId, keys: &[Expr], plan: &Plan, variables: &[Type]) {
    fit(keys, &plan.stores[store.0].keys);
    for key in keys {
        expression(key, plan, variables);
    }
}

fn expression(expr: &Expr, plan: &Plan, variables: &[Type]) {
    match &expr.kind {
        ExprKind::Variable(variable) => assert_eq!(variables[variable.0], expr.ty),
        ExprKind::Map { store, slot, keys } => {
            let kind = plan.stores[store.0].slots[slot.0];
            assert!(!matches!(
                kind,
                SlotKind::Histogram(_) | SlotKind::Series { .. } | SlotKind::SumOfSquares
            ));
            group(*store, keys, plan, variables);
        }
        ExprKind::Choose {
            condition,
            then,
            otherwise,
        } => {
            assert_eq!(condition.ty, Type::Bool);
            assert!(fits(then.ty, expr.ty) && fits(otherwise.ty, expr.ty));
        }
        ExprKind::HasKey { store, keys } => {
            group(*store, keys, plan, variables);
        }
        ExprKind::Named { value, test } => {
            assert_eq!(value.ty, Type::Enum(plan.tests[*test].of));
        }
        ExprKind::Rows(store) => assert!(!plan.stores[store.0].keys.is_empty()),
        ExprKind::TextBytes { bytes, .. } => assert!(8 + usize::from(*bytes) <= expr.ty.size()),
        ExprKind::Text(text) => assert!(text.len() < expr.ty.size()),
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
            "table t from wasi:* {{ n = count() }} wasi:fd_* /ok || !ok/ {{ $x = 0; $t = \"\"; $p = (2, (\"\", 1us)); {} }} wasi:* {{ $x = 0us; @a = 0us; @g[ok]++; @b[0] = errno; @c[func]++; @d[comm, ok] = hist(bytes); @e = quantile(duration, 0.5); @f = stats(@c[func]); @text[comm] = comm; $t = comm; $p = (1, (\"a\", duration)); @n = count(); @u = nsecs; {} }}",
            one.join(" "),
            other.join(" ")
        );
        // Only a variable that is declared twice is wrong with any of these, or that all is too large.
        match compile(&text, &ENVIRONMENT, &[]) {
            Ok(compiled) => sound(&compiled.plan),
            Err(errors) => for error in errors {
                prop_assert!(matches!(error.code, ewapa_lang::Code::Duplicate | ewapa_lang::Code::TooLarge), "{error:?} of {text}");
            },
        }
    }
}
