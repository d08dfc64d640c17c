//! What the code of one function is made with: the assembler, the stack frame, and where stores,
//! messages and variables are.

use ewapa_lang::builtin::NONE;
use ewapa_lang::plan::{Expr, ExprKind, Nones, RawKind, SlotKind, VariableId};
use ewapa_lang::types::Type;

use crate::expr::offset;
use crate::insn::{Alu, Assembler, Helper, Label, R0, R1, R2, R3, R6, R7, R8, R9, R10, Reg};
use crate::layout::{MessageLayout, StoreLayout};

/// The register that holds the address of the call.
pub const CALL: Reg = R6;

/// The register that holds the address of a group's value while its slots are updated, and of a message's
/// record while it is written.
pub const VALUE: Reg = R7;

/// The register that holds the context, where a clause needs it.
pub const CONTEXT: Reg = R8;

/// The register that holds, in a function that is called for each row of a map, the address of the block
/// of its clause: [`Block`].
pub const BLOCK: Reg = R9;

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

    /// The offsets from `r10` of the words that are not taken, as far as any frame may reach.
    pub fn unused(&self) -> impl Iterator<Item = i16> + use<> {
        const STACK: usize = 512;
        let first = self.used + 8;
        (first..=STACK).step_by(8).map(|end| -(end as i16))
    }

    /// The most bytes that were taken at a time.
    pub fn deepest(&self) -> usize {
        self.deepest
    }
}

/// A place in memory: so many bytes from where a register points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The register.
    pub base: Reg,
    /// The bytes.
    pub offset: i16,
}

impl Place {
    /// A place on the stack, by its offset from `r10`.
    pub fn stack(offset: i16) -> Place {
        Place { base: R10, offset }
    }

    /// The place so many bytes further.
    pub fn after(self, bytes: usize) -> Place {
        let bytes = i16::try_from(bytes).unwrap_or(i16::MAX);
        Place {
            offset: self.offset.saturating_add(bytes),
            ..self
        }
    }
}

/// What a clause and the functions that it has called for each row of a map share, on the clause's stack:
/// the address of the call, the context, whether the clause is to end, and the variables.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it begins.
    pub start: Place,
    /// The types of the variables.
    pub variables: Vec<Type>,
    /// Where they are, in bytes from the start.
    pub offsets: Vec<usize>,
    /// Which of them may be none.
    pub optional: Vec<bool>,
}

impl Block {
    /// Where the address of the call is.
    pub const CALL: usize = 0;
    /// Where the context is.
    pub const CONTEXT: usize = 8;
    /// Not 0 if the clause is to end.
    pub const ENDED: usize = 16;
    const HEADER: usize = 24;

    /// The place of a variable.
    pub fn variable(&self, variable: VariableId) -> Place {
        self.start.after(self.offsets[variable.0])
    }
}

/// The labels that end the innermost loop, or the round of it.
#[derive(Debug, Clone, Copy)]
pub struct Rounds {
    /// Ends the loop.
    pub over: Label,
    /// Ends the round.
    pub next: Label,
}

/// A function that is called for each row of a map.
#[derive(Debug)]
pub struct Callback {
    /// Its name.
    pub name: String,
    /// Its code.
    pub asm: Assembler,
    /// The bytes of its frame.
    pub stack: usize,
}

/// Where the parts of a program are that all functions share.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// Where the groups of each store are.
    pub stores: &'a [StoreLayout],
    /// What each slot of each store keeps.
    pub slots: &'a [Vec<SlotKind>],
    /// What each message looks like.
    pub messages: &'a [MessageLayout],
    /// What may be none.
    pub nones: &'a Nones,
}

/// Compiles into one function.
pub struct Compiler<'a> {
    /// The function's code.
    pub asm: Assembler,
    /// The function's stack.
    pub frame: Frame,
    /// The variables.
    pub block: Block,
    /// Stores and messages.
    pub parts: Parts<'a>,
    /// What the context is, at a raw event.
    pub raw: Option<RawKind>,
    /// Whether [`CONTEXT`] holds the context.
    pub has_context: bool,
    /// Whether the verifier is to forget what is assigned to variables: with many branches it would go
    /// through each combination of what it knows of them.
    pub forgetful: bool,
    /// The innermost loop.
    pub rounds: Option<Rounds>,
    /// The functions that are called for each row of a map, made so far.
    pub callbacks: Vec<Callback>,
    /// What their names begin with.
    pub callback_prefix: String,
    /// The most bytes of stack that any chain of them takes.
    pub callback_stack: usize,
}

impl<'a> Compiler<'a> {
    /// Nothing yet.
    pub fn new(parts: Parts<'a>, callback_prefix: String) -> Compiler<'a> {
        Compiler {
            asm: Assembler::default(),
            frame: Frame::default(),
            block: Block {
                start: Place::stack(0),
                variables: Vec::new(),
                offsets: Vec::new(),
                optional: Vec::new(),
            },
            parts,
            raw: None,
            has_context: false,
            forgetful: false,
            rounds: None,
            callbacks: Vec::new(),
            callback_prefix,
            callback_stack: 0,
        }
    }

    /// Where a field of the call or a variable is.
    pub fn place_of(&self, expr: &Expr) -> Option<Place> {
        match &expr.kind {
            ExprKind::Builtin(builtin) => Some(Place {
                base: CALL,
                offset: offset(builtin),
            }),
            ExprKind::Variable(variable) => Some(self.block.variable(*variable)),
            _ => None,
        }
    }

    /// Makes room for variables of these types, and for what functions that are called for each row of a
    /// map have to know, if there are any. Those that may be none are none, the others 0.
    pub fn declare(&mut self, variables: &[Type], optional: &[bool], shared: bool) {
        let mut end = if shared { Block::HEADER } else { 0 };
        let mut offsets = Vec::with_capacity(variables.len());
        for ty in variables {
            offsets.push(end);
            end += ty.size();
        }
        self.block = Block {
            start: Place::stack(self.frame.take(end)),
            variables: variables.to_vec(),
            offsets,
            optional: optional.to_vec(),
        };
        if shared {
            let start = self.block.start;
            self.store(start.after(Block::CALL), CALL);
            if self.has_context {
                self.store(start.after(Block::CONTEXT), CONTEXT);
            }
            self.store_imm(start.after(Block::ENDED), 0);
        }
        let (texts, words): (Vec<usize>, Vec<usize>) = (0..variables.len())
            .partition(|index| matches!(variables[*index], Type::Text(_) | Type::Bytes(_)));
        for index in texts {
            let place = self.block.variable(VariableId(index));
            self.zero(place, variables[index].size());
            if self.forgetful {
                self.forget(place, variables[index]);
            }
        }
        let (words, numbers): (Vec<usize>, Vec<usize>) =
            words.into_iter().partition(|index| optional[*index]);
        for index in numbers {
            let place = self.block.variable(VariableId(index));
            self.store_imm(place, 0);
            if self.forgetful {
                self.forget(place, variables[index]);
            }
        }
        if !words.is_empty() {
            self.asm.constant(R1, NONE);
        }
        for index in words {
            let place = self.block.variable(VariableId(index));
            self.store(place, R1);
            if self.forgetful {
                // Of what is written in parts it knows nothing.
                let high = if cfg!(target_endian = "little") { 7 } else { 0 };
                self.asm
                    .store_byte(place.base, place.offset.saturating_add(high), 0x80);
            }
            for word in 1..variables[index].size() / 8 {
                self.store_imm(place.after(8 * word), 0);
            }
        }
    }

    /// `register = address of the place`
    pub fn address(&mut self, register: Reg, place: Place) {
        self.asm.mov(register, place.base);
        if place.offset != 0 {
            self.asm
                .alu_imm(Alu::Add, register, i32::from(place.offset));
        }
    }

    /// `register = the word at the place`
    pub fn load(&mut self, register: Reg, place: Place) {
        self.asm.load(register, place.base, place.offset);
    }

    /// `the word at the place = register`
    pub fn store(&mut self, place: Place, register: Reg) {
        self.asm.store(place.base, place.offset, register);
    }

    /// `the word at the place = value`
    pub fn store_imm(&mut self, place: Place, value: i32) {
        self.asm.store_imm(place.base, place.offset, value);
    }

    /// Makes the verifier forget what it knows of a variable on the stack: it then finds that a loop ends
    /// without going through each of its rounds, and that paths which differ in nothing else are the same.
    /// `r0` to `r5` are lost.
    pub fn forget(&mut self, place: Place, ty: Type) {
        const FEW_WORDS: usize = 2;
        let words = ty.size() / 8;
        if words > FEW_WORDS {
            // The kernel copies it to where it is.
            self.address(R1, place);
            self.asm.constant(R2, ty.size() as i64);
            self.asm.mov(R3, R1);
            self.asm.call(Helper::ReadKernel);
        } else {
            self.asm.constant(R1, 0);
            for word in 0..words {
                let place = place.after(8 * word);
                self.asm.atomic_add(place.base, place.offset, R1);
            }
        }
    }

    /// Keeps `r0` in a new word of the stack. `r1` to `r5` may be lost.
    pub fn keep(&mut self) -> Place {
        let place = Place::stack(self.frame.take(8));
        self.store(place, R0);
        self.forget_in_loop(place, 8);
        place
    }

    /// Makes the verifier forget what it knows of so many bytes of the stack, if this is within a loop: paths
    /// that differ in what they put there would not become one again. `r1` to `r5` are lost, and for more
    /// than two words `r0`.
    pub fn forget_in_loop(&mut self, place: Place, bytes: usize) {
        if self.rounds.is_some() && place.base == R10 {
            let bytes = u16::try_from(bytes).expect("the stack is small");
            self.forget(place, Type::Text(bytes));
        }
    }
}
