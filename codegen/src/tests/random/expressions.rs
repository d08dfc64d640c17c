//! Random calls and expressions.

use ewapa_lang::builtin::{BUILTINS, NONE};
use ewapa_lang::plan::BinaryOp::{
    Add, And, BitAnd, BitOr, BitXor, Div, Eq, Ge, Gt, Le, Lt, Mul, Ne, Or, Rem, Shl, Shr, Sub,
};
use ewapa_lang::plan::{BinaryOp, Expr, ExprKind, StoreId};
use ewapa_lang::types::{Enumeration, Space, Type};
use ewapa_lang::wasi::FUNCTIONS;
use proptest::prelude::*;
use proptest::sample::select;

use super::plans::{NUMBER_STORES, TEXT_STORE};
use crate::tests::terms::{
    Call, MEMORY, choose, field, literal, map, negate, not, of_call, op, text, variable,
};

/// The types of numbers that are computed with.
pub const NUMBERS: [Type; 4] = [Type::Int, Type::Time, Type::Size, Type::Unsigned];
/// The types of the variables, in their order.
pub const VARIABLES: [Type; 7] = [
    Type::Int,
    Type::Time,
    Type::Size,
    Type::Bool,
    Type::Unsigned,
    Type::Text(16),
    Type::Text(40),
];

/// The text variables.
const TEXTS: [usize; 2] = [5, 6];

const NAMES: [&str; 6] = [
    "",
    "a",
    "main",
    "wasmtime",
    "wasmtime-worker",
    "wasmtime-workes",
];

pub fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -4i64..10,
        2 => any::<i64>(),
        1 => any::<i32>().prop_map(i64::from),
        1 => (0u32..63, -1i64..2).prop_map(|(power, delta)| (1i64 << power) + delta),
        1 => select(vec![i64::MIN, i64::MIN + 1, i64::MAX, -1, 0]),
    ]
}

pub fn call() -> impl Strategy<Value = Call> {
    let fields = BUILTINS
        .iter()
        .filter(|builtin| !builtin.ty.is_text())
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
            value.prop_map(|value| (builtin.field, value))
        });
    let names = (select(NAMES.to_vec()), select(NAMES.to_vec()));
    (fields.collect::<Vec<_>>(), names).prop_map(|(fields, (name, path))| {
        let call = Call::new().by(name).saying("path", path);
        fields
            .into_iter()
            .fold(call, |call, (name, value)| call.with(name, value))
    })
}

fn builtins(ty: Type) -> impl Strategy<Value = Expr> {
    let names = BUILTINS
        .iter()
        .filter(move |builtin| builtin.ty == ty)
        .map(of_call);
    select(names.collect::<Vec<_>>())
}

fn binary(
    left: &BoxedStrategy<Expr>,
    ops: &[BinaryOp],
    right: &BoxedStrategy<Expr>,
) -> BoxedStrategy<Expr> {
    (left.clone(), select(ops.to_vec()), right.clone())
        .prop_map(|(left, operator, right)| op(left, operator, right))
        .boxed()
}

fn condition_of(kind: ExprKind) -> Expr {
    Expr {
        kind,
        ty: Type::Bool,
    }
}

/// A text that goes where there is room for so many bytes.
fn cut(expr: Expr, room: u16) -> Expr {
    if expr.ty.size() <= usize::from(room) {
        expr
    } else {
        text("long")
    }
}

/// An address in the memory of the process, or one that nothing is at.
fn address() -> impl Strategy<Value = Expr> {
    let place = prop_oneof![
        5 => (0i64..60).prop_map(|offset| MEMORY.as_ptr() as i64 + offset),
        1 => 0i64..100,
    ];
    place.prop_map(|address| literal(address, Type::Unsigned))
}

fn read() -> impl Strategy<Value = Expr> {
    (address(), select(vec![1u8, 2, 4, 8]), any::<bool>()).prop_map(|(address, size, signed)| {
        Expr {
            kind: ExprKind::Read {
                address: Box::new(address),
                size,
                signed,
                space: Space::User,
            },
            ty: Type::Int,
        }
    })
}

fn read_text() -> impl Strategy<Value = Expr> {
    let length = proptest::option::of(prop_oneof![
        (-1i64..40).prop_map(|length| literal(length, Type::Int)),
        Just(field("fd")),
    ]);
    let room = select(vec![8u16, 16, 32, 64]);
    (address(), length, room).prop_map(|(address, length, room)| Expr {
        kind: ExprKind::ReadText {
            address: Box::new(address),
            length: length.map(Box::new),
            space: Space::User,
        },
        ty: Type::Text(room),
    })
}

/// What an expression may read besides the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    Call,
    Maps,
    MapsAndVariables,
}

/// Expressions of at most so many operators in one another.
#[derive(Clone)]
pub struct Terms {
    reads: Reads,
    /// In the order of [`NUMBERS`].
    numbers: [BoxedStrategy<Expr>; 4],
    pub condition: BoxedStrategy<Expr>,
    text: BoxedStrategy<Expr>,
}

impl Terms {
    pub fn any(reads: Reads, depth: usize) -> Terms {
        (0..depth).fold(Terms::leaves(reads), |terms, _| terms.grown())
    }

    fn leaves(reads: Reads) -> Terms {
        let stored = |ty: Type| {
            let of_type = move |(_, of): &(usize, &Type)| **of == ty;
            let index = VARIABLES.iter().enumerate().find(of_type);
            let index = index.expect("a variable of each type").0;
            if reads == Reads::MapsAndVariables {
                Just(variable(index, ty)).boxed()
            } else {
                builtins(ty).boxed()
            }
        };
        let leaf = |ty| {
            let literal = number().prop_map(move |value| literal(value, ty));
            if ty == Type::Unsigned && reads != Reads::MapsAndVariables {
                return literal.boxed();
            } else if ty == Type::Unsigned {
                return prop_oneof![stored(ty), literal].boxed();
            }
            prop_oneof![2 => builtins(ty), 1 => stored(ty), 1 => literal].boxed()
        };
        let mut texts = vec![
            Just(field("comm")).boxed(),
            Just(field("path")).boxed(),
            select(NAMES.to_vec()).prop_map(text).boxed(),
            read_text().boxed(),
        ];
        if reads == Reads::MapsAndVariables {
            texts.extend(TEXTS.map(|index| Just(variable(index, VARIABLES[index])).boxed()));
        }
        let text = select(texts).prop_flat_map(|text| text).boxed();
        let named = [
            Enumeration::Func,
            Enumeration::Runtime,
            Enumeration::Module,
            Enumeration::Errno,
        ]
        .map(|of| {
            let ty = Type::Enum(of);
            let literal = (0i64..600).prop_map(move |value| literal(value, ty));
            let side = prop_oneof![2 => builtins(ty), 1 => literal].boxed();
            let ops: &[BinaryOp] = if of == Enumeration::Errno {
                &[Eq, Ne, Lt, Le, Gt, Ge]
            } else {
                &[Eq, Ne]
            };
            binary(&side, ops, &side)
        });
        let condition = prop_oneof![
            2 => builtins(Type::Bool),
            1 => stored(Type::Bool),
            1 => (0i64..2).prop_map(|value| literal(value, Type::Bool)),
            2 => binary(&text, &[Eq, Ne], &text),
            4 => select(named.to_vec()).prop_flat_map(|comparison| comparison),
        ];
        Terms {
            reads,
            numbers: NUMBERS.map(leaf),
            condition: condition.boxed(),
            text,
        }
    }

    /// With one more operator around these terms.
    fn grown(&self) -> Terms {
        let chosen = |of: &BoxedStrategy<Expr>| {
            (self.condition.clone(), of.clone(), of.clone())
                .prop_map(|(condition, then, otherwise)| choose(condition, then, otherwise))
        };
        let grow = |number: &BoxedStrategy<Expr>| {
            prop_oneof![
                1 => number.clone(),
                1 => number.clone().prop_map(negate),
                3 => binary(number, &[Add, Sub, Rem], number),
                2 => binary(number, &[BitAnd, BitOr, BitXor, Shl, Shr], number),
                1 => number.clone().prop_map(|inner| Expr {
                    ty: inner.ty,
                    kind: ExprKind::BitNot(Box::new(inner)),
                }),
                1 => (number.clone(), select(vec![1u8, 2, 4, 8]), any::<bool>())
                    .prop_map(|(inner, bytes, signed)| Expr {
                        ty: inner.ty,
                        kind: ExprKind::Cast { value: Box::new(inner), bytes, signed },
                    }),
                3 => binary(number, &[Mul, Div], &self.numbers[0]),
                2 => chosen(number),
            ]
            .boxed()
        };
        let mut numbers = self.numbers.each_ref().map(grow);
        let length = self.text.clone().prop_map(|text| Expr {
            kind: ExprKind::Length(Box::new(text)),
            ty: Type::Int,
        });
        numbers[0] = prop_oneof![8 => numbers[0].clone(), 1 => length, 1 => read()].boxed();
        if self.reads >= Reads::Maps {
            let read = self
                .number_store()
                .prop_map(|(store, keys)| map(store, keys));
            // What has no keys has no rows to be counted.
            let with_keys = |(_, keys): &(usize, Vec<Expr>)| !keys.is_empty();
            let keyed = self.number_store().prop_filter("no keys", with_keys);
            let rows = keyed.prop_map(|(store, _)| Expr {
                kind: ExprKind::Rows(StoreId(store)),
                ty: Type::Int,
            });
            numbers[0] = prop_oneof![9 => numbers[0].clone(), 3 => read, 1 => rows].boxed();
        }
        let compare =
            |number: &BoxedStrategy<Expr>| binary(number, &[Eq, Ne, Lt, Le, Gt, Ge], number);
        let comparisons = self.numbers.each_ref().map(compare).to_vec();
        let none = prop_oneof![self.numbers[0].clone(), self.text.clone()]
            .prop_map(|inner| condition_of(ExprKind::IsNone(Box::new(inner))));
        let prefix =
            (self.text.clone(), self.text.clone(), 0u16..20).prop_map(|(left, right, bytes)| {
                condition_of(ExprKind::SamePrefix {
                    left: Box::new(left),
                    right: Box::new(right),
                    bytes,
                })
            });
        let parts = vec![
            "",
            "m",
            "in",
            "wasm",
            "time-work",
            "wasmtime-worker",
            "longer than any of them",
            "s",
        ];
        let contains = (self.text.clone(), select(parts)).prop_map(|(text, part)| {
            condition_of(ExprKind::Contains {
                text: Box::new(text),
                part: part.to_owned(),
            })
        });
        let has_key = self.number_store().prop_map(|(store, keys)| {
            condition_of(ExprKind::HasKey {
                store: StoreId(store),
                keys,
            })
        });
        let asked = if self.reads >= Reads::Maps {
            has_key.boxed()
        } else {
            self.condition.clone()
        };
        let condition = prop_oneof![
            1 => none,
            1 => prefix,
            1 => contains,
            1 => asked,
            2 => self.condition.clone(),
            2 => self.condition.clone().prop_map(not),
            6 => binary(&self.condition, &[And, Or], &self.condition),
            1 => binary(&self.condition, &[Eq, Ne], &self.condition),
            2 => chosen(&self.condition),
            6 => select(comparisons).prop_flat_map(|comparison| comparison),
        ];
        let mut text = prop_oneof![
            3 => self.text.clone(),
            1 => chosen(&self.text),
        ]
        .boxed();
        if self.reads >= Reads::Maps {
            let read = self.numbers[0].clone().prop_map(|key| Expr {
                ty: TEXT_STORE.1,
                ..map(TEXT_STORE.0, vec![key])
            });
            text = prop_oneof![4 => text, 1 => read].boxed();
        }
        Terms {
            reads: self.reads,
            numbers,
            condition: prop_oneof![8 => condition, 1 => binary(&self.text, &[Eq, Ne], &self.text)]
                .boxed(),
            text,
        }
    }

    pub fn number(&self) -> BoxedStrategy<Expr> {
        select(self.numbers.to_vec())
            .prop_flat_map(|number| number)
            .boxed()
    }

    /// An expression of this type.
    pub fn of(&self, ty: Type) -> BoxedStrategy<Expr> {
        match ty {
            Type::Bool => self.condition.clone(),
            Type::Text(room) => self
                .text
                .clone()
                .prop_map(move |text| cut(text, room))
                .boxed(),
            Type::Enum(_) => builtins(ty).boxed(),
            number => {
                let index = NUMBERS.iter().position(|known| *known == number);
                self.numbers[index.expect("a type of numbers")].clone()
            }
        }
    }

    /// Expressions of these types.
    pub fn all_of(&self, types: &[Type]) -> Vec<BoxedStrategy<Expr>> {
        types.iter().map(|ty| self.of(*ty)).collect()
    }

    /// One of the stores that hold numbers, and its keys.
    pub fn number_store(&self) -> BoxedStrategy<(usize, Vec<Expr>)> {
        let stores = NUMBER_STORES.map(|store| (Just(store.0), self.all_of(store.1)).boxed());
        select(stores.to_vec()).prop_flat_map(|store| store).boxed()
    }

    /// A key of a group.
    pub fn key(&self) -> BoxedStrategy<Expr> {
        prop_oneof![
            self.text.clone(),
            select(vec!["func", "runtime", "module", "errno", "fd"]).prop_map(field),
            self.number(),
            self.condition.clone(),
        ]
        .boxed()
    }
}
