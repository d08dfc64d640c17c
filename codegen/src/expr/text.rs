//! Texts, buffers and symbols: words in memory. A text is filled up with 0, of which there is at least one,
//! so two texts are the same if the words are that the smaller one has.

use ewapa_lang::plan::{Expr, ExprKind, KernelValue, SlotId, StoreId};
use ewapa_lang::types::{Space, Type};

use crate::compiler::{Compiler, Place};
use crate::insn::{Alu, Cond, Helper, Label, R0, R1, R2, R3, Reg};

/// More words than these are copied by the kernel and not one by one.
const FEW_WORDS: usize = 16;

/// Where the words of a text come from.
enum Text {
    /// A place, and how many words there are.
    Memory(Place, usize),
    /// As it is written, with a 0 behind it.
    Literal(Vec<i64>),
}

/// The words of a text with a 0 behind it, of at most so many.
fn literal_words(text: &str, most: usize) -> Vec<i64> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize((bytes.len() + 1).next_multiple_of(8), 0);
    let words = bytes.chunks_exact(8).take(most);
    words
        .map(|word| i64::from_ne_bytes(word.try_into().expect("eight bytes")))
        .collect()
}

/// The words of a text that have to be compared.
fn needed(expr: &Expr) -> usize {
    match &expr.kind {
        ExprKind::Text(literal) => literal.len() / 8 + 1,
        _ => expr.ty.size() / 8,
    }
}

impl Text {
    fn words(&self) -> usize {
        match self {
            Text::Memory(_, words) => *words,
            Text::Literal(words) => words.len(),
        }
    }
}

impl Compiler<'_> {
    /// Puts a text, buffer or symbol into a place with room for so many bytes; what the value does not
    /// fill becomes 0.
    pub fn copy(&mut self, expr: &Expr, to: Place, room: usize) {
        let mark = self.frame.mark();
        match &expr.kind {
            ExprKind::Choose {
                condition,
                then,
                otherwise,
            } => {
                self.choose(
                    condition,
                    |compiler| compiler.copy(then, to, room),
                    |compiler| compiler.copy(otherwise, to, room),
                );
            }
            ExprKind::Text(literal) => {
                let words = literal_words(literal, room / 8);
                for (index, word) in words.iter().enumerate() {
                    self.store_constant(to.after(8 * index), *word);
                }
                self.zero(to.after(8 * words.len()), room - 8 * words.len());
            }
            ExprKind::ReadText {
                address,
                length,
                space,
            } => {
                let bytes = room.min(expr.ty.size());
                self.read_text((address, length.as_deref()), *space, (to, bytes), room);
            }
            ExprKind::ReadBytes {
                address,
                length,
                space,
            } => {
                let bytes = room.min(expr.ty.size());
                self.read_bytes((address, length.as_deref()), *space, (to, bytes), room);
            }
            ExprKind::TextBytes { text, bytes } => {
                self.store_imm(to, i32::from(*bytes));
                self.text_bytes(text, usize::from(*bytes), to.after(8), room - 8);
            }
            ExprKind::Symbol(address) => self.symbol(address, expr, to, room),
            ExprKind::Kernel(KernelValue::Comm) => {
                // Up to Linux 6.1 what is behind the name's end stays as it was.
                self.zero(to, room);
                self.address(R1, to);
                self.asm.constant(R2, room.min(expr.ty.size()) as i64);
                self.asm.call(Helper::Comm);
            }
            ExprKind::Map { store, slot, keys } => {
                self.copy_from_map((*store, *slot, keys), (to, room), expr.ty.size());
            }
            _ => {
                let from = self
                    .place_of(expr)
                    .expect("the checker makes such values of others");
                self.copy_words(from, expr.ty.size().min(room), to, room);
            }
        }
        if !matches!(expr.kind, ExprKind::Text(_) | ExprKind::Variable(_)) {
            self.forget_in_loop(to, room);
        }
        self.frame.release(mark);
    }

    /// The first bytes of a text; what is behind them becomes 0.
    fn text_bytes(&mut self, text: &Expr, bytes: usize, to: Place, room: usize) {
        let kept = bytes.next_multiple_of(8).min(room);
        let words = (text.ty.size() / 8).min(kept / 8);
        let from = self.text_in_memory(text, words);
        self.copy_words(from, 8 * words, to, room);
        if !bytes.is_multiple_of(8) && kept == 8 * words {
            let last = to.after(kept - 8);
            self.load(R0, last);
            self.asm.constant(R1, (1 << (8 * (bytes % 8))) - 1);
            self.asm.alu(Alu::And, R0, R1);
            self.store(last, R0);
        }
    }

    fn copy_from_map(
        &mut self,
        (store, slot, keys): (StoreId, SlotId, &[Expr]),
        (to, room): (Place, usize),
        bytes: usize,
    ) {
        let (missing, done) = (self.asm.label(), self.asm.label());
        let from = self.slot_of_map(store, slot, keys, missing);
        self.copy_words(from, bytes.min(room), to, room);
        self.asm.jump(done);
        self.asm.place(missing);
        self.zero(to, room);
        self.asm.place(done);
    }

    /// The slot of a map's row, from `r0`; goes to `missing` if there is no such row.
    fn slot_of_map(
        &mut self,
        store: StoreId,
        slot: SlotId,
        keys: &[Expr],
        missing: Label,
    ) -> Place {
        let mark = self.frame.mark();
        let layout = &self.parts.stores[store.0];
        let key = self.key(layout, keys);
        self.look_up(&layout.map, key);
        self.asm.jump_if_imm(Cond::Eq, R0, 0, missing);
        self.frame.release(mark);
        let row = Place {
            base: R0,
            offset: 0,
        };
        row.after(layout.slots[slot.0])
    }

    /// Copies so many bytes and makes the rest 0. `r0` stays if it is where they are.
    fn copy_words(&mut self, from: Place, bytes: usize, to: Place, room: usize) {
        if bytes / 8 > FEW_WORDS {
            self.address(R3, from);
            self.address(R1, to);
            self.asm.constant(R2, bytes as i64);
            self.asm.call(Helper::ReadKernel);
        } else if from != to {
            for at in (0..bytes).step_by(8) {
                self.load(R1, from.after(at));
                self.store(to.after(at), R1);
            }
        }
        self.zero(to.after(bytes), room - bytes);
    }

    /// Makes so many bytes 0. Only for more than a few words `r0` to `r5` are lost.
    pub fn zero(&mut self, place: Place, bytes: usize) {
        if bytes / 8 > FEW_WORDS {
            // A read that fails leaves zeros.
            self.address(R1, place);
            self.asm.constant(R2, bytes as i64);
            self.asm.constant(R3, 0);
            self.asm.call(Helper::ReadKernel);
        } else {
            for at in (0..bytes).step_by(8) {
                self.store_imm(place.after(at), 0);
            }
        }
    }

    /// As [`Compiler::zero`], but `r0` stays.
    pub(super) fn zero_keeping(&mut self, place: Place, bytes: usize) {
        if bytes / 8 > FEW_WORDS {
            let mark = self.frame.mark();
            let kept = self.keep();
            self.zero(place, bytes);
            self.load(R0, kept);
            self.frame.release(mark);
        } else {
            self.zero(place, bytes);
        }
    }

    fn store_constant(&mut self, place: Place, word: i64) {
        match i32::try_from(word) {
            Ok(small) => self.store_imm(place, small),
            Err(_) => {
                self.asm.constant(R1, word);
                self.store(place, R1);
            }
        }
    }

    /// The function at an address, and the process that the address is of.
    fn symbol(&mut self, address: &Expr, expr: &Expr, to: Place, room: usize) {
        self.value_or_none(address);
        self.store(to, R0);
        if expr.ty == Type::Address(Space::User) {
            self.asm.call(Helper::PidTgid);
            self.asm.alu_imm(Alu::Rsh, R0, 32);
            self.store(to.after(8), R0);
        } else {
            self.store_imm(to.after(8), 0);
        }
        self.zero(to.after(16), room.saturating_sub(16));
    }

    /// Goes to `target` if that both texts are the same is `when`.
    pub(super) fn compare_text(&mut self, left: &Expr, right: &Expr, target: Label, when: bool) {
        let mark = self.frame.mark();
        let (left, right) = match (&left.kind, &right.kind) {
            (ExprKind::Text(_), _) => (right, left),
            _ => (left, right),
        };
        let end = self.asm.label();
        let differ = if when { end } else { target };
        if let (ExprKind::Map { store, slot, keys }, ExprKind::Text(literal)) =
            (&left.kind, &right.kind)
        {
            // Without a row there is an empty text.
            let missing = if literal.is_empty() == when {
                target
            } else {
                end
            };
            let place = self.slot_of_map(*store, *slot, keys, missing);
            let text = Text::Memory(place, left.ty.size() / 8);
            self.compare_words(
                &text,
                &Text::Literal(literal_words(literal, usize::MAX)),
                differ,
            );
        } else {
            let most = needed(left).min(needed(right));
            let (left, right) = (self.text(left, most), self.text(right, most));
            self.compare_words(&left, &right, differ);
        }
        if when {
            self.asm.jump(target);
        }
        self.asm.place(end);
        self.frame.release(mark);
    }

    /// Goes to `differ` unless both have the same words: with one jump, as the verifier goes both ways at each.
    fn compare_words(&mut self, left: &Text, right: &Text, differ: Label) {
        self.asm.constant(R3, 0);
        for word in 0..left.words().min(right.words()) {
            self.compare_word(left, right, word);
            self.asm.alu(Alu::Or, R3, R1);
        }
        self.asm.jump_if_imm(Cond::Ne, R3, 0, differ);
    }

    /// What differs in a word into `r1`. `r0` and `r3` stay.
    fn compare_word(&mut self, left: &Text, right: &Text, word: usize) {
        self.text_word(R1, left, word);
        match right {
            Text::Literal(words) if i32::try_from(words[word]).is_ok() => {
                self.asm.alu_imm(Alu::Xor, R1, words[word] as i32);
            }
            _ => {
                self.text_word(R2, right, word);
                self.asm.alu(Alu::Xor, R1, R2);
            }
        }
    }

    /// Goes to `target` if that both texts have the same first bytes, or end before, is `when`.
    pub(super) fn compare_prefix(
        &mut self,
        left: &Expr,
        right: &Expr,
        bytes: u16,
        target: Label,
        when: bool,
    ) {
        let (mark, end) = (self.frame.mark(), self.asm.label());
        let differ = if when { end } else { target };
        let most = usize::from(bytes).div_ceil(8);
        let (left, right) = (self.text(left, most), self.text(right, most));
        let words = left.words().min(right.words());
        let (whole, rest) = (usize::from(bytes) / 8, i32::from(bytes) % 8);
        self.asm.constant(R3, 0);
        for word in 0..whole.min(words) {
            self.compare_word(&left, &right, word);
            self.asm.alu(Alu::Or, R3, R1);
        }
        if rest > 0 && whole < words {
            self.compare_word(&left, &right, whole);
            // The first bytes are the low ones, or the high ones.
            let beyond = if cfg!(target_endian = "little") {
                Alu::Lsh
            } else {
                Alu::Rsh
            };
            self.asm.alu_imm(beyond, R1, 64 - 8 * rest);
            self.asm.alu(Alu::Or, R3, R1);
        }
        self.asm.jump_if_imm(Cond::Ne, R3, 0, differ);
        if when {
            self.asm.jump(target);
        }
        self.asm.place(end);
        self.frame.release(mark);
    }

    /// The words of a text of which so many matter.
    fn text(&mut self, expr: &Expr, most: usize) -> Text {
        if let ExprKind::Text(literal) = &expr.kind {
            return Text::Literal(literal_words(literal, most));
        }
        let words = most.min(expr.ty.size() / 8);
        Text::Memory(self.text_in_memory(expr, words), words)
    }

    /// Where a text is, which may be a copy of so many words of it on the stack.
    pub(super) fn text_in_memory(&mut self, expr: &Expr, words: usize) -> Place {
        self.place_of(expr).unwrap_or_else(|| {
            // A read ends with a 0, which is not to be one of these words.
            let bytes = expr.ty.size().min(8 * words + 8);
            let place = Place::stack(self.frame.take(bytes));
            self.copy(expr, place, bytes);
            place
        })
    }

    fn text_word(&mut self, into: Reg, text: &Text, word: usize) {
        match text {
            Text::Memory(place, _) => self.load(into, place.after(8 * word)),
            Text::Literal(words) => self.asm.constant(into, words[word]),
        }
    }
}
