//! What the code of one function is made with: the assembler, the stack frame, and where stores,
//! messages and variables are.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{Expr, ExprKind, SlotKind, VariableId};
use ewapa_lang::types::Type;

use crate::expr::offset;
use crate::insn::{Assembler, R1, R6, R7, R10, Reg};
use crate::layout::{MessageLayout, StoreLayout};

/// The register that holds the address of the call.
pub const CALL: Reg = R6;

/// The register that holds the address of a group's value while its slots are updated.
pub const VALUE: Reg = R7;

/// The most bytes of stack that a generated function may take: the kernel gives 512 to a chain of calls,
/// and the template, which begins the chain, needs the rest.
pub const FRAME_LIMIT: usize = 352;

/// The stack frame of one function. It grows down from `r10`.
#[derive(Debug, Default)]
pub struct Frame {
    used: usize,
    deepest: usize,
}

/// A state of a frame to return to.
#[derive(Debug, Clone, Copy)]
pub struct Mark(usize);

impl Frame {
    /// The offset from `r10` of so many new bytes, rounded up to words. What does not fit the stack has
    /// no sensible offset, and [`Frame::deepest`] tells.
    pub fn take(&mut self, bytes: usize) -> i16 {
        self.used += bytes.next_multiple_of(8);
        self.deepest = self.deepest.max(self.used);
        i16::try_from(self.used).map_or(i16::MIN, |used| -used)
    }

    /// What is taken now.
    pub fn mark(&self) -> Mark {
        Mark(self.used)
    }

    /// Gives back what has been taken since the mark.
    pub fn release(&mut self, mark: Mark) {
        self.used = mark.0;
    }

    /// The most bytes that were taken at a time.
    pub fn deepest(&self) -> usize {
        self.deepest
    }
}

/// Compiles into one function.
pub struct Compiler<'a> {
    /// The function's code.
    pub asm: Assembler,
    /// The function's stack.
    pub frame: Frame,
    /// Where the variables are, as an offset from `r10`.
    pub variables: i16,
    /// Where the groups of each store are.
    pub stores: &'a [StoreLayout],
    /// What each slot of each store keeps.
    pub slots: &'a [Vec<SlotKind>],
    /// What each message looks like.
    pub messages: &'a [MessageLayout],
}

impl Compiler<'_> {
    /// Where a field of the call or a variable is: base and offset.
    pub fn place_of(&self, expr: &Expr) -> Option<(Reg, i16)> {
        match &expr.kind {
            ExprKind::Builtin(builtin) => Some((CALL, offset(builtin))),
            ExprKind::Variable(variable) => Some((R10, self.variable(*variable))),
            _ => None,
        }
    }

    /// Makes room for variables of these types, all of them none.
    pub fn declare(&mut self, variables: &[Type]) {
        let variables = variables.len();
        self.variables = self.frame.take(8 * variables);
        if variables > 0 {
            self.asm.constant(R1, NONE);
        }
        for variable in 0..variables {
            let place = self.variable(VariableId(variable));
            self.asm.store(R10, place, R1);
        }
    }

    /// The place of a variable, as an offset from `r10`.
    pub fn variable(&self, variable: VariableId) -> i16 {
        let bytes = i16::try_from(8 * variable.0).unwrap_or(i16::MAX);
        self.variables.saturating_add(bytes)
    }
}
