//! Random plans: blocks of actions over stores of every kind.

use ewapa_lang::plan::{
    Action, BinaryOp, Buckets, Clause, Event, Plan, Probe, Record, SlotId, SlotKind, Store,
    StoreId, Update, VariableId,
};
use ewapa_lang::types::{Enumeration, Type};
use ewapa_lang::wasi::{Function, FunctionSet};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::expressions::{Reads, Terms, VARIABLES};
use crate::tests::terms::{
    Grouping, HISTOGRAM, Slot, assign, delete, grouping, int, messages, op, plan, tell, truth,
    variable, when,
};

/// Stores of one number: index, types of the keys, and whether updates add to it. The stores before them
/// hold aggregates.
pub const NUMBER_STORES: [(usize, &[Type], SlotKind); 3] = [
    (2, &[Type::Int], SlotKind::Last),
    (3, &[], SlotKind::Tally),
    (4, &[Type::Text(16), Type::Bool], SlotKind::Tally),
];
/// A store of one text for each number: its index, and the type of the text.
pub const TEXT_STORE: (usize, Type) = (5, Type::Text(32));
/// Variables that only loops assign, behind [`VARIABLES`]: what they count, a key and a value.
const COUNTERS: [Type; 4] = [Type::Int; 4];
const MESSAGES: [&[Type]; 4] = [
    &[Type::Text(64), Type::Unsigned, Type::Text(8)],
    &[],
    &[Type::Int, Type::Text(16)],
    &[Type::Bool, Type::Enum(Enumeration::Errno), Type::Size],
];

/// A plan whose expressions have at most so many operators in one another.
pub fn any_plan(depth: usize) -> BoxedStrategy<Plan> {
    let terms = Terms::any(Reads::MapsAndVariables, depth);
    let filters = Terms::any(Reads::Maps, depth);
    vec(any_grouping(&terms), 2)
        .prop_flat_map(move |groupings| {
            let mut stores: Vec<Store> = groupings.iter().map(Grouping::store).collect();
            stores.extend(NUMBER_STORES.map(|(_, keys, slot)| Store {
                name: "number".to_owned(),
                keys: keys.to_vec(),
                slots: vec![slot],
            }));
            stores.push(Store {
                name: "text".to_owned(),
                keys: vec![Type::Int],
                slots: vec![SlotKind::Text(32)],
            });
            let actions = any_actions(&terms, &groupings, 3);
            vec(any_clause(&filters.condition, actions), 1..4).prop_map(move |clauses| Plan {
                messages: messages(&MESSAGES),
                ..plan(clauses, stores.clone())
            })
        })
        .boxed()
}

fn any_grouping(terms: &Terms) -> BoxedStrategy<Grouping> {
    (vec(terms.key(), 0..4), vec(any_slot(terms), 1..6))
        .prop_map(|(keys, slots)| grouping(keys, slots))
        .boxed()
}

fn any_slot(terms: &Terms) -> BoxedStrategy<Slot> {
    let linear = (-20i64..20, 1i64..100, 1i64..9).prop_map(|(min, range, step)| {
        SlotKind::Histogram(Buckets::Linear {
            min,
            max: min + range,
            step,
        })
    });
    let kind = prop_oneof![
        7 => select(vec![
            SlotKind::Count,
            SlotKind::Values,
            SlotKind::Sum,
            SlotKind::SumOfSquares,
            SlotKind::Min,
            SlotKind::Max,
            HISTOGRAM,
            SlotKind::Histogram(Buckets::Log2 { bits: 0 }),
        ]),
        1 => linear,
    ];
    let value = prop_oneof![5 => terms.number(), 1 => terms.condition.clone()];
    (kind, value, option::of(terms.condition.clone()))
        .prop_map(|(kind, value, condition)| Slot {
            kind,
            value: (kind != SlotKind::Count).then_some(value),
            condition,
        })
        .boxed()
}

fn any_clause(
    condition: &BoxedStrategy<ewapa_lang::plan::Expr>,
    actions: BoxedStrategy<Vec<Action>>,
) -> BoxedStrategy<Clause> {
    let some = any::<u64>().prop_map(|bits| {
        Function::all()
            .filter(|function| bits >> function.index() & 1 == 1)
            .collect()
    });
    let functions = prop_oneof![Just(FunctionSet::all()), some];
    let probe = (functions, option::of(0u8..3))
        .prop_map(|(functions, runtime)| Probe { functions, runtime });
    let event = prop_oneof![
        4 => vec(probe, 1..4).prop_map(Event::Wasi),
        1 => select(vec![Event::Begin, Event::End, Event::Interval(1_000_000)]),
    ];
    (event, option::of(condition.clone()), actions)
        .prop_map(|(event, filter, actions)| Clause {
            event,
            filter,
            variables: VARIABLES.into_iter().chain(COUNTERS).collect(),
            actions,
        })
        .boxed()
}

/// Actions with blocks in one another.
fn any_actions(terms: &Terms, groupings: &[Grouping], depth: usize) -> BoxedStrategy<Vec<Action>> {
    let leaf = leaf_action(terms, groupings);
    let block = vec(leaf.clone(), 1..4).boxed();
    (1..depth).fold(block, |block, level| {
        let rounds = any_loop(terms, &block, VARIABLES.len() + level - 1);
        let branch = (terms.condition.clone(), block.clone(), block)
            .prop_map(|(condition, then, otherwise)| when(condition, then, otherwise));
        let branch = prop_oneof![2 => branch, 1 => rounds];
        vec(
            prop_oneof![6 => leaf.clone(), 2 => branch, 1 => add_up()],
            0..4,
        )
        .boxed()
    })
}

/// A loop of a few rounds, some of which end early: the variable with this index counts them.
fn any_loop(
    terms: &Terms,
    body: &BoxedStrategy<Vec<Action>>,
    counter: usize,
) -> BoxedStrategy<Action> {
    let count = move || variable(counter, Type::Int);
    let leave = select(vec![None, Some(Action::Break), Some(Action::Continue)]);
    let first = (terms.condition.clone(), leave);
    let rounds = (body.clone(), first, 0i64..4, any::<bool>());
    rounds
        .prop_map(move |(body, (early, leave), rounds, endless)| {
            let begin = assign(counter, int(0));
            let goes_on = op(count(), BinaryOp::Lt, int(rounds));
            let mut actions: Vec<Action> = leave
                .map(|leave| when(early, vec![leave], Vec::new()))
                .into_iter()
                .chain(body)
                .collect();
            if endless {
                let stop = when(goes_on.clone(), Vec::new(), vec![Action::Break]);
                actions.insert(0, stop);
            }
            let again = Action::Loop {
                condition: (!endless).then_some(goes_on),
                body: actions,
                step: vec![assign(counter, op(count(), BinaryOp::Add, int(1)))],
            };
            when(truth(true), vec![begin, again], Vec::new())
        })
        .boxed()
}

/// Adds up the keys and values of a map, in whatever order they come.
fn add_up() -> BoxedStrategy<Action> {
    let (key, value) = (VARIABLES.len() + 2, VARIABLES.len() + 3);
    let add = move |part: usize| {
        Action::Record(Record {
            store: StoreId(3),
            keys: Vec::new(),
            updates: vec![Update {
                slot: SlotId(0),
                value: Some(variable(part, Type::Int)),
                condition: None,
            }],
        })
    };
    any::<bool>()
        .prop_map(move |all| Action::ForEach {
            store: StoreId(2),
            keys: vec![all.then_some(VariableId(key))],
            slots: vec![Some(VariableId(value))],
            body: if all {
                vec![add(key), add(value)]
            } else {
                vec![add(value)]
            },
        })
        .boxed()
}

fn leaf_action(terms: &Terms, groupings: &[Grouping]) -> BoxedStrategy<Action> {
    let records: Vec<Action> = (0..).zip(groupings).map(|(at, it)| it.record(at)).collect();
    let condition = option::of(terms.condition.clone());
    let keep = (terms.number_store(), terms.of(Type::Int), condition).prop_map(
        |((store, keys), value, condition)| {
            Action::Record(Record {
                store: StoreId(store),
                keys,
                updates: vec![Update {
                    slot: SlotId(0),
                    value: Some(value),
                    condition,
                }],
            })
        },
    );
    let say = (terms.of(Type::Int), terms.of(TEXT_STORE.1)).prop_map(|(key, text)| {
        Action::Record(Record {
            store: StoreId(TEXT_STORE.0),
            keys: vec![key],
            updates: vec![Update {
                slot: SlotId(0),
                value: Some(text),
                condition: None,
            }],
        })
    });
    // All CPUs share the second store if anything deletes from it, never the first one.
    let keys = groupings[1].keys.clone();
    let assigns = (0..VARIABLES.len()).map(|index| {
        let value = terms.of(VARIABLES[index]);
        value.prop_map(move |value| assign(index, value)).boxed()
    });
    let tells = (0..MESSAGES.len()).map(|index| {
        let values = terms.all_of(MESSAGES[index]);
        values.prop_map(move |values| tell(index, values)).boxed()
    });
    let any_of = |of: Vec<BoxedStrategy<Action>>| select(of).prop_flat_map(|action| action);
    prop_oneof![
        6 => select(records),
        4 => keep,
        2 => say,
        6 => any_of(assigns.collect()),
        4 => any_of(tells.collect()),
        2 => terms.number_store().prop_map(|(store, keys)| delete(store, keys)),
        1 => Just(delete(1, keys)),
        1 => Just(Action::Return),
    ]
    .boxed()
}
