//! Expressions over the fields of a call, variables and maps. Values end in `r0`; `r1` to `r5` are
//! scratch; intermediate values wait on the stack. What may have no value is given a label to go to then.

mod condition;
mod number;
mod text;

use ewapa_lang::builtin::{Builtin, NONE};
use ewapa_lang::plan::{Expr, ExprKind};

use crate::compiler::Compiler;
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

/// A constant, a field or a variable: loaded by one instruction.
fn is_leaf(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Const(_) | ExprKind::Builtin(_) | ExprKind::Variable(_)
    )
}
