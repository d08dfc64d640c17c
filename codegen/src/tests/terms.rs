//! Short names from which tests build expressions, calls and plans.

use std::collections::BTreeMap;

use ewapa_lang::builtin::{BUILTINS, Builtin, Known, NONE, builtin};
use ewapa_lang::plan::{
    Action, BinaryOp, Buckets, Clause, Event, Expr, ExprKind, Message, MessageId, MessageKind,
    Plan, Probe, Record, SlotId, SlotKind, Store, StoreId, Update, VariableId,
};
use ewapa_lang::types::{Enumeration, Type};
use ewapa_lang::wasi::{Function, FunctionSet};

/// A builtin.
pub fn field(name: &str) -> Expr {
    of_call(builtin(name).expect("a builtin of the language"))
}

/// This builtin.
pub fn of_call(builtin: &'static Builtin) -> Expr {
    Expr {
        kind: ExprKind::Builtin(builtin),
        ty: builtin.ty,
    }
}

/// A literal of this type.
pub fn literal(value: i64, ty: Type) -> Expr {
    Expr {
        kind: ExprKind::Const(value),
        ty,
    }
}

pub fn int(value: i64) -> Expr {
    literal(value, Type::Int)
}

pub fn truth(value: bool) -> Expr {
    literal(i64::from(value), Type::Bool)
}

pub fn runtime(value: i64) -> Expr {
    literal(value, Type::Enum(Enumeration::Runtime))
}

pub fn text(value: &str) -> Expr {
    Expr {
        kind: ExprKind::Text(value.to_owned()),
        ty: Type::of_text(value),
    }
}

pub fn op(left: Expr, op: BinaryOp, right: Expr) -> Expr {
    use BinaryOp::{And, Eq, Ge, Gt, Le, Lt, Ne, Or};
    let ty = if matches!(op, Eq | Ne | Lt | Le | Gt | Ge | And | Or) {
        Type::Bool
    } else {
        left.ty
    };
    Expr {
        kind: ExprKind::Binary(op, Box::new(left), Box::new(right)),
        ty,
    }
}

pub fn not(inner: Expr) -> Expr {
    Expr {
        kind: ExprKind::Not(Box::new(inner)),
        ty: Type::Bool,
    }
}

pub fn negate(inner: Expr) -> Expr {
    let ty = inner.ty;
    Expr {
        kind: ExprKind::Negate(Box::new(inner)),
        ty,
    }
}

/// A variable of this type.
pub fn variable(index: usize, ty: Type) -> Expr {
    Expr {
        kind: ExprKind::Variable(VariableId(index)),
        ty,
    }
}

/// What a map of numbers holds.
pub fn map(store: usize, keys: Vec<Expr>) -> Expr {
    Expr {
        kind: ExprKind::Map {
            store: StoreId(store),
            slot: SlotId(0),
            keys,
        },
        ty: Type::Int,
    }
}

pub fn choose(condition: Expr, then: Expr, otherwise: Expr) -> Expr {
    let ty = match (then.ty, otherwise.ty) {
        (Type::Text(one), Type::Text(other)) => Type::Text(one.max(other)),
        (ty, _) => ty,
    };
    Expr {
        ty,
        kind: ExprKind::Choose {
            condition: Box::new(condition),
            then: Box::new(then),
            otherwise: Box::new(otherwise),
        },
    }
}

pub fn assign(index: usize, value: Expr) -> Action {
    Action::Assign {
        variable: VariableId(index),
        value,
    }
}

pub fn tell(message: usize, values: Vec<Expr>) -> Action {
    Action::Tell {
        message: MessageId(message),
        values,
    }
}

pub fn delete(store: usize, keys: Vec<Expr>) -> Action {
    Action::Delete {
        store: StoreId(store),
        keys,
    }
}

pub fn when(condition: Expr, then: Vec<Action>, otherwise: Vec<Action>) -> Action {
    Action::If {
        condition,
        then,
        otherwise,
    }
}

/// What is in the memory of the process that runs the tests: texts, and bytes that are none.
pub static MEMORY: [u8; 256] = {
    let mut bytes = [0; 256];
    let text = b"main\0wasmtime\0a longer text of many words\0\0\xff\xfe\x80\x7f\x01end";
    let mut index = 0;
    while index < text.len() {
        bytes[index] = text[index];
        index += 1;
    }
    bytes
};

/// The record of one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    fields: BTreeMap<&'static str, i64>,
    /// Without the zeros behind them.
    texts: BTreeMap<&'static str, Vec<u8>>,
}

impl Call {
    /// A call of `fd_write` of which all that can be none is none, and the rest is 0.
    pub fn new() -> Call {
        let value = |builtin: &Builtin| if builtin.nullable { NONE } else { 0 };
        let (texts, numbers): (Vec<&Builtin>, Vec<&Builtin>) =
            BUILTINS.iter().partition(|builtin| builtin.ty.is_text());
        let numbers = numbers.iter();
        let texts = texts.iter();
        Call {
            fields: numbers.map(|it| (it.field, value(it))).collect(),
            texts: texts.map(|it| (it.field, Vec::new())).collect(),
        }
        .of("fd_write")
    }

    /// The record of an event that is no call.
    pub fn blank() -> Call {
        let mut call = Call::new();
        call.fields.values_mut().for_each(|value| *value = 0);
        call
    }

    /// The same, with this field.
    pub fn with(mut self, name: &str, value: i64) -> Call {
        *self.fields.get_mut(name).expect("a field of the call") = value;
        self
    }

    /// The same, of this function.
    pub fn of(self, function: &str) -> Call {
        let function = Function::named(function).expect("a WASI function");
        self.with("func", function.index() as i64)
    }

    /// The same, by a thread of this name.
    pub fn by(self, comm: &str) -> Call {
        self.saying("comm", comm)
    }

    /// The same, with this text.
    pub fn saying(mut self, field: &str, text: &str) -> Call {
        let place = self.texts.get_mut(field).expect("a text of the call");
        *place = text.as_bytes().to_vec();
        self
    }

    /// What is in the record when the call begins: what is not known yet is anything.
    pub fn at_entry(&self) -> Call {
        let mut call = self.clone();
        for builtin in BUILTINS
            .iter()
            .filter(|builtin| builtin.known > Known::Entry && !builtin.ty.is_text())
        {
            call.fields.insert(builtin.field, 0x5a5a_5a5a_5a5a_5a5a);
        }
        call
    }

    /// The field as it is in the record.
    pub fn get(&self, builtin: &Builtin) -> i64 {
        self.fields[builtin.field]
    }

    /// The text, without the zeros behind it.
    pub fn text(&self, builtin: &Builtin) -> &[u8] {
        &self.texts[builtin.field]
    }

    /// The record as the template fills it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let field = |builtin: &Builtin| match builtin.ty {
            Type::Text(bytes) => padded(self.text(builtin), bytes.into()),
            _ => self.get(builtin).to_ne_bytes().to_vec(),
        };
        BUILTINS.iter().flat_map(field).collect()
    }
}

/// The text filled up with 0 to so many bytes.
pub fn padded(text: &[u8], bytes: usize) -> Vec<u8> {
    assert!(text.len() < bytes, "no room for a 0");
    let mut padded = text.to_vec();
    padded.resize(bytes, 0);
    padded
}

/// A probe of these functions, of all if there is none.
pub fn probe(functions: &[&str]) -> Probe {
    let named = |name: &&str| Function::named(name).expect("a WASI function");
    let functions = if functions.is_empty() {
        FunctionSet::all()
    } else {
        functions.iter().map(named).collect()
    };
    Probe {
        functions,
        runtime: None,
    }
}

/// A clause that does this at each call.
pub fn every_call(action: Action) -> Clause {
    block(0, vec![action])
}

/// A slot and what an event brings to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Slot {
    pub kind: SlotKind,
    pub value: Option<Expr>,
    pub condition: Option<Expr>,
}

/// The kind of histogram that tables have.
pub const HISTOGRAM: SlotKind = SlotKind::Histogram(Buckets::LogLinear);

pub fn slot(kind: SlotKind, value: Expr) -> Slot {
    Slot {
        kind,
        value: Some(value),
        condition: None,
    }
}

pub fn slot_if(kind: SlotKind, value: Expr, condition: Expr) -> Slot {
    Slot {
        condition: Some(condition),
        ..slot(kind, value)
    }
}

pub fn count() -> Slot {
    Slot {
        kind: SlotKind::Count,
        value: None,
        condition: None,
    }
}

pub fn count_if(condition: Expr) -> Slot {
    Slot {
        condition: Some(condition),
        ..count()
    }
}

/// A store and what an event records in it: all slots in turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouping {
    pub keys: Vec<Expr>,
    pub slots: Vec<Slot>,
}

impl Grouping {
    pub fn store(&self) -> Store {
        Store {
            name: "calls".to_owned(),
            keys: self.keys.iter().map(|key| key.ty).collect(),
            slots: self.slots.iter().map(|slot| slot.kind).collect(),
        }
    }

    /// Records an event in the store with this index.
    pub fn record(&self, store: usize) -> Action {
        let update = |(index, slot): (usize, &Slot)| Update {
            slot: SlotId(index),
            value: slot.value.clone(),
            condition: slot.condition.clone(),
        };
        Action::Record(Record {
            store: StoreId(store),
            keys: self.keys.clone(),
            updates: self.slots.iter().enumerate().map(update).collect(),
        })
    }
}

pub fn grouping(keys: Vec<Expr>, slots: Vec<Slot>) -> Grouping {
    Grouping { keys, slots }
}

/// A plan without tables: what is printed is no concern of generated code.
pub fn plan(clauses: Vec<Clause>, stores: Vec<Store>) -> Plan {
    Plan {
        clauses,
        stores,
        ..Plan::default()
    }
}

/// A plan with one store that takes every call.
pub fn table(keys: Vec<Expr>, slots: Vec<Slot>) -> Plan {
    let groups = grouping(keys, slots);
    plan(vec![every_call(groups.record(0))], vec![groups.store()])
}

/// Does this at each call.
pub fn block(variables: usize, actions: Vec<Action>) -> Clause {
    Clause {
        event: Event::Wasi(vec![probe(&[])]),
        filter: None,
        variables: vec![Type::Int; variables],
        actions,
    }
}

/// Messages that bring values of these types.
pub fn messages(types: &[&[Type]]) -> Vec<Message> {
    let message = |types: &&[Type]| Message {
        kind: MessageKind::Exit(0),
        values: types.to_vec(),
    };
    types.iter().map(message).collect()
}

/// Counts in a store that has one slot and no key.
pub fn count_in(store: usize) -> Action {
    grouping(Vec::new(), vec![count()]).record(store)
}

/// A plan with one clause, which counts in a store that has one slot and no key.
pub fn counting(clause: Clause) -> Plan {
    plan(
        vec![clause],
        vec![grouping(Vec::new(), vec![count()]).store()],
    )
}
