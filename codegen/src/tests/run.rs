//! Runs plans: the filter at entry and the action at the end of each call, as the template does.

use ewapa_lang::plan::{Expr, Plan, SlotKind};
use ewapa_lang::types::Type;
use ewapa_templates::{ENTER, EVENT, LEAVE};

use super::reference::{self, Groups, Kept, Key};
use super::terms::{Call, MEMORY, count_if, not, slot, table};
use crate::histogram;
use crate::interpreter::{Machine, Memory};
use crate::layout::{Field, MapKind, MessageLayout};
use crate::program::{Program, generate};
use crate::slot::decode_extreme;

/// The program of a plan that fits.
pub fn compile(plan: &Plan) -> Program {
    generate(plan).expect("a plan that fits")
}

/// Whether the filter at entry lets the call through.
pub fn enters(machine: &mut Machine<'_>, call: &Call) -> bool {
    match machine.run(ENTER, &call.at_entry().to_bytes()) {
        Ok(result) => result != 0,
        Err(error) => panic!("{error}"),
    }
}

/// One call from its entry to its end.
pub fn take(machine: &mut Machine<'_>, cpu: u64, call: &Call) {
    machine.cpu = cpu;
    if enters(machine, call)
        && let Err(error) = machine.run(LEAVE, &call.to_bytes())
    {
        panic!("{error}");
    }
}

/// What the first store holds after these calls, all on CPU 0.
pub fn groups(plan: &Plan, calls: &[Call]) -> Groups {
    let program = compile(plan);
    let mut machine = Machine::new(&program);
    machine.memory = Memory::of(&MEMORY);
    for call in calls {
        take(&mut machine, 0, call);
    }
    read(plan, &program, machine.rows(&program.stores[0].map), 0)
}

/// The slots of the only group of the first store after these calls.
pub fn row(plan: &Plan, calls: &[Call]) -> Vec<Kept> {
    let groups = groups(plan, calls);
    assert!(groups.len() <= 1, "several groups: {groups:?}");
    groups.into_values().next().expect("a group")
}

/// What a slot holds after these calls.
pub fn accumulated(kind: SlotKind, value: Expr, calls: &[Call]) -> Kept {
    row(&table(Vec::new(), vec![slot(kind, value)]), calls).remove(0)
}

/// The value that generated code computes.
pub fn value(expr: &Expr, call: &Call) -> Option<i64> {
    let slots = vec![
        slot(SlotKind::Values, expr.clone()),
        slot(SlotKind::Sum, expr.clone()),
    ];
    let row = row(&table(Vec::new(), slots), std::slice::from_ref(call));
    match row[..] {
        [Kept::Number(1), Kept::Number(value)] => Some(value),
        [Kept::Number(0), Kept::Number(0)] => None,
        _ => panic!("{row:?}"),
    }
}

/// Whether the condition holds in generated code: as it is, turned around and as a value.
pub fn holds(condition: &Expr, call: &Call) -> bool {
    let slots = vec![
        count_if(condition.clone()),
        count_if(not(not(condition.clone()))),
        slot(SlotKind::Sum, not(not(condition.clone()))),
        count_if(not(condition.clone())),
    ];
    let row = row(&table(Vec::new(), slots), std::slice::from_ref(call));
    let yes = row[0] == Kept::Number(1);
    // A condition that has no value does not hold, and its negation does not either.
    let no = reference::holds(&not(condition.clone()), call);
    assert!(!(yes && no));
    let expected = [yes, yes, yes, no].map(|truth| Kept::Number(i64::from(truth)));
    assert_eq!(row, expected, "a condition has several truths");
    yes
}

/// The event that is no call of the clause with this index.
pub fn happen(machine: &mut Machine<'_>, cpu: u64, clause: usize) {
    machine.cpu = cpu;
    if let Err(error) = machine.run_event(EVENT, clause as u64) {
        panic!("{error}");
    }
}

/// What user space has been told: the index of each message, and its values.
pub fn told(program: &Program, messages: &[Vec<u8>]) -> Vec<(usize, Vec<Key>)> {
    let message = |record: &Vec<u8>| {
        let index = MessageLayout::index(record).expect("a record begins with its message");
        let layout = &program.messages[index];
        assert_eq!(record.len(), layout.size);
        (index, fields(record, &layout.values))
    };
    messages.iter().map(message).collect()
}

fn fields(bytes: &[u8], fields: &[Field]) -> Vec<Key> {
    let field = |field: &Field| match field.ty {
        Type::Text(room) => Key::Text(text(&bytes[field.offset..][..usize::from(room)])),
        _ => Key::Number(word(bytes, field.offset)),
    };
    fields.iter().map(field).collect()
}

/// A text without the zeros behind it, of which there is at least one.
fn text(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.iter().position(|byte| *byte == 0);
    let (text, rest) = bytes.split_at(length.expect("a 0 behind a text"));
    assert!(
        rest.iter().all(|byte| *byte == 0),
        "a text is filled up with 0"
    );
    text.to_vec()
}

fn word(bytes: &[u8], at: usize) -> i64 {
    i64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// What the store with this index holds, of its map's rows.
pub fn read(plan: &Plan, program: &Program, rows: Vec<(&[u8], &[u8])>, index: usize) -> Groups {
    let (store, layout) = (&plan.stores[index], &program.stores[index]);
    let key = |bytes: &[u8]| match layout.kind {
        MapKind::PerCpuArray => (word(bytes, 0) as u64, Vec::new()),
        MapKind::HashByCpu => (word(bytes, 0) as u64, fields(bytes, &layout.keys)),
        MapKind::Shared => (0, fields(bytes, &layout.keys)),
    };
    let kept = |kind: SlotKind, bytes: &[u8], at: usize| match kind {
        SlotKind::Count | SlotKind::Values | SlotKind::Sum | SlotKind::Last | SlotKind::Tally => {
            Kept::Number(word(bytes, at))
        }
        SlotKind::Min => Kept::Number(decode_extreme(word(bytes, at) as u64, true)),
        SlotKind::Max => Kept::Number(decode_extreme(word(bytes, at) as u64, false)),
        SlotKind::SumOfSquares => {
            let (low, high) = (word(bytes, at) as u64, word(bytes, at + 8) as u64);
            Kept::Squares(u128::from(high) << 64 | u128::from(low))
        }
        SlotKind::Histogram(buckets) => {
            let buckets = (0..histogram::count(buckets))
                .map(|bucket| (bucket, word(bytes, at + 8 * bucket) as u64));
            Kept::Histogram(buckets.filter(|(_, count)| *count > 0).collect())
        }
        SlotKind::Text(room) => Kept::Text(text(&bytes[at..at + usize::from(room)])),
        SlotKind::Series { .. } => unreachable!("what time it is decides"),
    };
    rows.into_iter()
        .map(|(key_bytes, value)| {
            assert_eq!(value.len(), layout.value_size);
            let slots = store.slots.iter().zip(&layout.slots);
            (
                key(key_bytes),
                slots.map(|(slot, at)| kept(*slot, value, *at)).collect(),
            )
        })
        .collect()
}
