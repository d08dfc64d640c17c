//! What user space does on behalf of a script: `cat`, `system`, `join`.

use crate::ast::Arg;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{Action, BinaryOp, Expr, ExprKind, MessageKind};
use crate::types::Type;

use super::Checker;
use super::function::Call;
use super::value::Position;

/// `join()` reads so many texts at most, as in bpftrace.
const MAX_JOINED: i64 = 16;

/// The bytes of a text that `join()` reads, with the 0 behind it, as in bpftrace.
const JOINED: u16 = 1024;

impl Checker<'_> {
    /// `cat("/proc/%d/maps", pid)`
    pub(super) fn cat(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let (pieces, values) = self.formatted(call, "`cat(\"/proc/%d/maps\", pid)`")?;
        self.tell(call.place, MessageKind::Cat(pieces), values, actions)
    }

    /// `system("kill -CONT %d", pid)`
    pub(super) fn system(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        if !self.environment.allows_unsafe {
            let message = "`system()` runs commands, which a script may only do with `--unsafe`";
            self.errors.push(
                Diagnostic::new(Code::Unsafe, call.function.span, message)
                    .help("run it with `ewapa script --unsafe …` if you trust the script"),
            );
            return None;
        }
        let (pieces, values) = self.formatted(call, "`system(\"ps -p %d\", pid)`")?;
        self.tell(call.place, MessageKind::System(pieces), values, actions)
    }

    /// `join(args.argv)` and `join(args.argv, ",")`
    pub(super) fn join(&mut self, call: &Call, actions: &mut Vec<Action>) -> Option<()> {
        let (list, separator): (&Arg, String) = match call.args {
            [list] => (list, " ".to_owned()),
            [list, separator] => (list, self.format(call, separator)?),
            _ => {
                return self.takes(
                    call,
                    "the address of a list of texts, and what stands between them",
                    "`join(args.argv)`",
                );
            }
        };
        let (list, space) = self.address(&list.value, Position::Statement)?;
        let ty = Type::Unsigned;
        let room = Type::Text(self.max_strlen().max(JOINED));
        let texts = (0..MAX_JOINED).map(|index| {
            let offset = Expr {
                kind: ExprKind::Const(8 * index),
                ty,
            };
            let place = Expr {
                kind: ExprKind::Binary(BinaryOp::Add, Box::new(list.clone()), Box::new(offset)),
                ty,
            };
            let address = Expr {
                kind: ExprKind::Read {
                    address: Box::new(place),
                    size: 8,
                    signed: false,
                    space,
                },
                ty,
            };
            Expr {
                kind: ExprKind::ReadText {
                    address: Box::new(address),
                    length: None,
                    space,
                },
                ty: room,
            }
        });
        let texts = texts.collect();
        self.tell(call.place, MessageKind::Join(separator), texts, actions)
    }
}
