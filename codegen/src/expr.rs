//! Expressions over the fields of a call, variables and maps. Values end in `r0`; `r1` to `r5` are
//! scratch; intermediate values wait on the stack. What may have no value is given a label to go to then.

mod condition;
mod kernel;
mod memory;
mod number;
mod search;
mod text;

use ewapa_lang::builtin::{Builtin, NONE};
use ewapa_lang::plan::{Expr, ExprKind, KernelValue};
use ewapa_lang::types::Type;

use crate::compiler::{Compiler, Place};
use crate::insn::{Label, R0};

/// The field's offset in `struct call`.
pub fn offset(builtin: &Builtin) -> i16 {
    i16::try_from(builtin.offset()).expect("struct call is small")
}

/// Whether the expression, or one that it is made of, satisfies the predicate.
pub fn any(expr: &Expr, predicate: &mut dyn FnMut(&Expr) -> bool) -> bool {
    predicate(expr) || expr.parts().into_iter().any(|part| any(part, predicate))
}

impl Compiler<'_> {
    /// Puts the value of a number or condition into `r0`; goes to `none` if it has none.
    pub fn value(&mut self, expr: &Expr, none: Label) {
        self.check_none(expr, none);
        self.number(expr, none);
    }

    /// Puts the value of a number or condition into `r0`, [`NONE`] if it has none.
    pub fn value_or_none(&mut self, expr: &Expr) {
        let (none, done) = (self.asm.label(), self.asm.label());
        self.value(expr, none);
        self.asm.jump(done);
        self.asm.place(none);
        self.asm.constant(R0, NONE);
        self.asm.place(done);
    }

    /// Puts a value of any type into a place with room for so many bytes, which may be more than the value
    /// has: the rest becomes 0.
    pub fn put(&mut self, expr: &Expr, to: Place, room: usize) {
        if is_word(expr.ty) {
            self.value_or_none(expr);
            self.store(to, R0);
            self.forget_in_loop(to, 8);
            self.zero(to.after(8), room.saturating_sub(8));
        } else {
            self.copy(expr, to, room);
        }
    }

    /// Does one or the other as the condition says.
    fn choose(
        &mut self,
        condition: &Expr,
        then: impl FnOnce(&mut Self),
        otherwise: impl FnOnce(&mut Self),
    ) {
        let (no, end) = (self.asm.label(), self.asm.label());
        self.branch(condition, no, false);
        then(self);
        self.asm.jump(end);
        self.asm.place(no);
        otherwise(self);
        self.asm.place(end);
    }
}

/// How many operators and operands an expression has.
fn size(expr: &Expr) -> usize {
    1 + expr.parts().into_iter().map(size).sum::<usize>()
}

/// Whether values of this type are one word, with [`NONE`] for none.
fn is_word(ty: Type) -> bool {
    !matches!(ty, Type::Text(_) | Type::Bytes(_) | Type::Address(_))
}

/// Whether the expression takes the context of the event.
pub fn takes_context(expr: &Expr) -> bool {
    any(expr, &mut |part| {
        matches!(
            part.kind,
            ExprKind::Context { .. }
                | ExprKind::ContextAddress { .. }
                | ExprKind::Stack
                | ExprKind::Depth(_)
                | ExprKind::Kernel(KernelValue::Cookie)
        )
    })
}

/// A constant, a field or a variable: loaded by one instruction.
fn is_leaf(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Const(_) | ExprKind::Builtin(_) | ExprKind::Variable(_)
    )
}
