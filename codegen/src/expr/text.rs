//! Texts: sixteen bytes, filled up with 0.

use ewapa_lang::builtin::TEXT_LEN;
use ewapa_lang::plan::{Expr, ExprKind};

use crate::compiler::Compiler;
use crate::insn::{Cond, Label, R0, R1, R10, Reg};

/// The eight-byte words of a text.
const WORDS: usize = TEXT_LEN / 8;

/// Where the words of a text come from.
enum Text {
    Memory(Reg, i16),
    Literal([i64; WORDS]),
}

impl Compiler<'_> {
    /// Puts a text on the stack at this offset from `r10`.
    pub fn copy_text(&mut self, expr: &Expr, at: i16) {
        if let ExprKind::Choose {
            condition,
            then,
            otherwise,
        } = &expr.kind
        {
            return self.choose(
                condition,
                |compiler| compiler.copy_text(then, at),
                |compiler| compiler.copy_text(otherwise, at),
            );
        }
        let text = self.text(expr);
        for word in 0..WORDS {
            self.text_word(R1, &text, word);
            self.asm.store(R10, at + 8 * word as i16, R1);
        }
    }

    /// Goes to `target` if that both texts are the same is `when`.
    pub(super) fn compare_text(&mut self, left: &Expr, right: &Expr, target: Label, when: bool) {
        let (mark, end) = (self.frame.mark(), self.asm.label());
        let (left, right) = (self.text(left), self.text(right));
        for word in 0..WORDS {
            self.text_word(R0, &left, word);
            self.text_word(R1, &right, word);
            let differ = if when { end } else { target };
            self.asm.jump_if(Cond::Ne, R0, R1, differ);
        }
        if when {
            self.asm.jump(target);
        }
        self.asm.place(end);
        self.frame.release(mark);
    }

    fn text(&mut self, expr: &Expr) -> Text {
        match &expr.kind {
            ExprKind::Text(literal) => {
                let mut bytes = [0; TEXT_LEN];
                let len = literal.len().min(TEXT_LEN);
                bytes[..len].copy_from_slice(&literal.as_bytes()[..len]);
                Text::Literal(std::array::from_fn(|word| {
                    let bytes = bytes[8 * word..8 * word + 8].try_into();
                    i64::from_ne_bytes(bytes.expect("eight bytes"))
                }))
            }
            ExprKind::Choose { .. } => {
                let at = self.frame.take(TEXT_LEN);
                self.copy_text(expr, at);
                Text::Memory(R10, at)
            }
            _ => {
                let (base, offset) = self
                    .place_of(expr)
                    .expect("the checker makes texts of builtins and literals");
                Text::Memory(base, offset)
            }
        }
    }

    fn text_word(&mut self, into: Reg, text: &Text, word: usize) {
        match text {
            Text::Memory(base, offset) => {
                let offset = offset.saturating_add(8 * word as i16);
                self.asm.load(into, *base, offset);
            }
            Text::Literal(words) => self.asm.constant(into, words[word]),
        }
    }
}
