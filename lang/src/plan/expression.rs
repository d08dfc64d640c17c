//! Expressions that the kernel evaluates.

use crate::builtin::Builtin;
use crate::types::{Space, StackType, Type};

use super::{SlotId, StoreId, VariableId};

/// A typed expression over the builtins of one call, evaluated in the kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
}

/// The kinds of expressions. A builtin that has no value makes the expression have none; a comparison
/// of a value that is none is false. A condition that has no value, such as `ok`, is false, and so is its
/// negation.
#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A literal, a parameter's value, a named value's number; for [`Type::Bool`] 0 or 1.
    Const(i64),
    /// A text, none of whose bytes is 0. It fits its type, which may be larger.
    Text(String),
    /// A field of the event's record. At raw events: of the WASI call around it, none if there is none.
    Builtin(&'static Builtin),
    /// What the kernel says at this moment.
    Kernel(KernelValue),
    /// A number in the context of a raw probe: a register, an argument, a field of a tracepoint.
    Context {
        /// Where it is, in bytes.
        offset: u16,
        /// 1, 2, 4 or 8 bytes.
        size: u8,
        /// Whether it is signed.
        signed: bool,
    },
    /// The address of a field in the context of a raw probe, in the kernel's memory.
    ContextAddress {
        /// Where it is, in bytes.
        offset: u16,
        /// What is there are four bytes, the low two of which say where in the context the field is
        /// (`__data_loc` of tracepoints).
        indirect: bool,
    },
    /// A number in memory. If it cannot be read it is none.
    Read {
        /// Where it is.
        address: Box<Expr>,
        /// 1, 2, 4 or 8 bytes.
        size: u8,
        /// Whether it is signed.
        signed: bool,
        /// Whose memory.
        space: Space,
    },
    /// A text in memory, up to the first 0 or the room of its type, [`Type::Text`]. Empty if it cannot be read.
    ReadText {
        /// Where it begins.
        address: Box<Expr>,
        /// At most so many bytes, the 0 behind them counted.
        length: Option<Box<Expr>>,
        /// Whose memory.
        space: Space,
    },
    /// Bytes in memory, [`Type::Bytes`]. None of them if they cannot be read.
    ReadBytes {
        /// Where they begin.
        address: Box<Expr>,
        /// How many, at most what the type has room for. None: all of it.
        length: Option<Box<Expr>>,
        /// Whose memory.
        space: Space,
    },
    /// The current stack, [`Type::Stack`]. None if there is none, or no room for it.
    Stack,
    /// The function at an address, [`Type::Address`].
    Symbol(Box<Expr>),
    /// The number cut down to so many bytes, 1, 2, 4 or 8, and taken as signed or not.
    Cast {
        /// The number.
        value: Box<Expr>,
        /// How many of its bytes.
        bytes: u8,
        /// Whether the highest bit is the sign.
        signed: bool,
    },
    /// Every bit inverted.
    BitNot(Box<Expr>),
    /// Whether two texts are the same in their first bytes, or up to a 0 in both.
    SamePrefix {
        /// One.
        left: Box<Expr>,
        /// The other.
        right: Box<Expr>,
        /// How many bytes.
        bytes: u16,
    },
    /// Whether a text contains another one.
    Contains {
        /// Where it is looked for.
        text: Box<Expr>,
        /// What is looked for, written out.
        part: String,
    },
    /// Whether the name of a value is accepted by a test, an index into [`super::Plan::tests`]. Of a value that
    /// is none it is not.
    Named {
        /// Of the type of the test.
        value: Box<Expr>,
        /// Which test.
        test: usize,
    },
    /// The number of bytes of a text before its 0.
    Length(Box<Expr>),
    /// The first bytes of a text and, where it is shorter, 0: [`Type::Bytes`].
    TextBytes {
        /// The text.
        text: Box<Expr>,
        /// How many bytes; the type has room for them.
        bytes: u16,
    },
    /// How many functions the current stack has, at most as many as its type keeps. None if there is none.
    Depth(StackType),
    /// How many keys a map has: the rows of a store that all CPUs share.
    Rows(StoreId),
    /// Whether a value is none.
    IsNone(Box<Expr>),
    /// Whether a map holds a key.
    HasKey {
        /// A store whose rows all CPUs share.
        store: StoreId,
        /// The key.
        keys: Vec<Expr>,
    },
    /// A `$variable`; none before it is assigned.
    Variable(VariableId),
    /// What a map holds for a key; 0, or the empty text, if it has none.
    Map {
        /// A store whose rows all CPUs share, as what it reads has to be all there is.
        store: StoreId,
        /// Which slot: one of a word, as it is kept, or a [`super::SlotKind::Text`].
        slot: SlotId,
        /// The key.
        keys: Vec<Expr>,
    },
    /// One or the other; the side that is not taken is not evaluated.
    Choose {
        /// Of type [`Type::Bool`].
        condition: Box<Expr>,
        /// If it holds.
        then: Box<Expr>,
        /// If it does not.
        otherwise: Box<Expr>,
    },
    /// Minus.
    Negate(Box<Expr>),
    /// Not.
    Not(Box<Expr>),
    /// Arithmetic, comparison or logic.
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
}

/// The binary operators. Division by zero gives 0 and the remainder of a division by zero the
/// dividend, as the eBPF instruction set defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinaryOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`; signed unless its type is [`Type::Unsigned`]
    Div,
    /// `%`; signed unless its type is [`Type::Unsigned`]
    Rem,
    /// `&`
    BitAnd,
    /// `|`
    BitOr,
    /// `^`
    BitXor,
    /// `<<`; by the low six bits of the right side.
    Shl,
    /// `>>`; by the low six bits of the right side. It keeps the sign unless its type is [`Type::Unsigned`].
    Shr,
    /// `==`. For [`crate::types::Enumeration::Runtime`]: the low byte of both.
    Eq,
    /// `!=`
    Ne,
    /// `<`; signed unless both sides are [`Type::Unsigned`]
    Lt,
    /// `<=`; signed unless both sides are [`Type::Unsigned`]
    Le,
    /// `>`; signed unless both sides are [`Type::Unsigned`]
    Gt,
    /// `>=`; signed unless both sides are [`Type::Unsigned`]
    Ge,
    /// `&&`; the right side is not evaluated when the left one is false.
    And,
    /// `||`; the right side is not evaluated when the left one is true.
    Or,
}

/// What the kernel says at this moment, at any event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KernelValue {
    /// Nanoseconds since the kernel started, without the time it was suspended (`CLOCK_MONOTONIC`).
    Nsecs,
    /// Nanoseconds since the kernel started (`CLOCK_BOOTTIME`).
    NsecsBoot,
    /// Nanoseconds of international atomic time (`CLOCK_TAI`).
    NsecsTai,
    /// Nanoseconds since the script started.
    Elapsed,
    /// The process.
    Pid,
    /// The thread.
    Tid,
    /// The process that started this one.
    Ppid,
    /// The user.
    Uid,
    /// The group.
    Gid,
    /// The CPU.
    Cpu,
    /// The NUMA node.
    NumaNode,
    /// The cgroup (version 2).
    Cgroup,
    /// A random number of 32 bits.
    Random,
    /// The address of `struct task_struct`.
    Task,
    /// The thread's name, [`Type::Text`] of 16 bytes.
    Comm,
    /// The number of what the probe is attached to: the value of [`crate::types::Enumeration::Probe`]
    /// and [`crate::types::Enumeration::ProbeFunction`]. At raw events only.
    Cookie,
}

impl Expr {
    /// The expressions that it is made of.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Const(_)
            | ExprKind::Text(_)
            | ExprKind::Variable(_)
            | ExprKind::Builtin(_)
            | ExprKind::Kernel(_)
            | ExprKind::Context { .. }
            | ExprKind::ContextAddress { .. }
            | ExprKind::Depth(_)
            | ExprKind::Rows(_)
            | ExprKind::Stack => Vec::new(),
            ExprKind::Negate(inner)
            | ExprKind::Not(inner)
            | ExprKind::BitNot(inner)
            | ExprKind::IsNone(inner)
            | ExprKind::Length(inner)
            | ExprKind::Symbol(inner)
            | ExprKind::Contains { text: inner, .. }
            | ExprKind::TextBytes { text: inner, .. }
            | ExprKind::Cast { value: inner, .. }
            | ExprKind::Named { value: inner, .. }
            | ExprKind::Read { address: inner, .. } => vec![inner],
            ExprKind::ReadText {
                address, length, ..
            }
            | ExprKind::ReadBytes {
                address, length, ..
            } => std::iter::once(&**address)
                .chain(length.as_deref())
                .collect(),
            ExprKind::Binary(_, left, right) | ExprKind::SamePrefix { left, right, .. } => {
                vec![left, right]
            }
            ExprKind::Map { keys, .. } | ExprKind::HasKey { keys, .. } => keys.iter().collect(),
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => vec![condition, then, otherwise],
        }
    }

    /// Whether any builtin that the expression reads satisfies the predicate.
    pub fn reads(&self, predicate: &mut dyn FnMut(&'static Builtin) -> bool) -> bool {
        match &self.kind {
            ExprKind::Builtin(builtin) => predicate(builtin),
            _ => self.parts().into_iter().any(|part| part.reads(predicate)),
        }
    }
}
