//! Loops: `while`, `for` over numbers and maps, `unroll`.

use crate::ast::{self, Block, Name};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, Action, Aggregate, BinaryOp, Expr, MapValue, SlotId, VariableId};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::map::{Holds, MapId};
use super::map_use::turned;
use super::number::taken_as;
use super::param::Constant;
use super::tuple::Form;
use super::typing::{a, is_plain};
use super::value::Position;
use super::variable::part_names;

/// `unroll` repeats at most so often, as in bpftrace.
const MAX_ROUNDS: i64 = 100;

fn variable(id: VariableId, ty: Type) -> Expr {
    Expr {
        kind: plan::ExprKind::Variable(id),
        ty,
    }
}

fn number(value: i64) -> Expr {
    Expr {
        kind: plan::ExprKind::Const(value),
        ty: Type::Int,
    }
}

fn computed(op: BinaryOp, left: Expr, right: Expr, ty: Type) -> Expr {
    Expr {
        kind: plan::ExprKind::Binary(op, Box::new(left), Box::new(right)),
        ty,
    }
}

/// Counts a variable up to an end.
fn counting(counter: VariableId, end: Expr, body: Vec<Action>) -> Action {
    let now = || variable(counter, Type::Int);
    Action::Loop {
        condition: Some(computed(BinaryOp::Lt, now(), end, Type::Bool)),
        body,
        step: vec![Action::Assign {
            variable: counter,
            value: computed(BinaryOp::Add, now(), number(1), Type::Int),
        }],
    }
}

impl Checker<'_> {
    /// `while (condition) { … }`
    pub(super) fn while_loop(
        &mut self,
        condition: &ast::Expr,
        body: &Block,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        let place = condition.span;
        let condition = self.condition(condition, Position::Condition);
        let body = self.body(body, place)?;
        let condition = match condition?.kind {
            plan::ExprKind::Const(value) if value != 0 => None,
            kind => Some(Expr {
                kind,
                ty: Type::Bool,
            }),
        };
        actions.push(Action::Loop {
            condition,
            body,
            step: Vec::new(),
        });
        Some(())
    }

    /// `unroll (n) { … }`
    pub(super) fn unroll(
        &mut self,
        times: &ast::Expr,
        body: &Block,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        let place = times.span;
        let rounds = match self.constant(times)? {
            Some(Constant::Number(ast::Number {
                amount: ast::Amount::Whole(rounds @ 0..=MAX_ROUNDS),
                ty: Type::Int,
            })) => Some(rounds),
            _ => None,
        };
        if rounds.is_none() {
            let message = format!(
                "`unroll` repeats a number of times that is known before the script runs, at most {MAX_ROUNDS}"
            );
            self.errors.push(
                Diagnostic::new(Code::NotConstant, place, message)
                    .help("what is not known before is counted by `for $i : 0..n { … }`"),
            );
        }
        self.enter();
        let counter = self.loop_variable("$.rounds", place);
        let body = self.body(body, place);
        self.leave();
        let (rounds, counter, body) = (rounds?, counter?, body?);
        self.teach_variable(counter, Type::Int, place);
        actions.push(Action::Assign {
            variable: counter,
            value: number(0),
        });
        actions.push(counting(counter, number(rounds), body));
        Some(())
    }

    /// `for $i : 0..10 { … }` and `for ($kv : @map) { … }`
    pub(super) fn for_loop(
        &mut self,
        name: &Name,
        over: &ast::Expr,
        until: Option<&ast::Expr>,
        body: &Block,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        self.enter();
        let done = match until {
            Some(until) => self.for_numbers(name, over, until, body, actions),
            None => self.for_keys(name, over, body, actions),
        };
        self.leave();
        done
    }

    fn for_numbers(
        &mut self,
        name: &Name,
        from: &ast::Expr,
        until: &ast::Expr,
        body: &Block,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        let place = from.span.to(until.span);
        let (from, until) = (self.end_of_range(from), self.end_of_range(until));
        let counter = self.loop_variable(&name.text, name.span)?;
        self.teach_variable(counter, Type::Int, name.span);
        let is_known = until
            .as_ref()
            .is_some_and(|until| matches!(until.kind, plan::ExprKind::Const(_)));
        let end = if is_known {
            None
        } else {
            // The end is computed once.
            let end = self.loop_variable(&format!("{}.end", name.text), place)?;
            self.teach_variable(end, Type::Int, place);
            Some(end)
        };
        let body = self.body(body, place);
        let (from, mut until, body) = (from?, until?, body?);
        for value in [&from, &until] {
            self.spend(value, place);
        }
        if let Some(end) = end {
            actions.push(Action::Assign {
                variable: end,
                value: until,
            });
            until = variable(end, Type::Int);
        }
        actions.push(Action::Assign {
            variable: counter,
            value: from,
        });
        actions.push(counting(counter, until, body));
        Some(())
    }

    fn end_of_range(&mut self, expr: &ast::Expr) -> Option<Expr> {
        let value = self.value(expr, Position::Statement)?;
        if is_plain(value.expr.ty) {
            return Some(taken_as(value.expr, Type::Int));
        }
        let ty = a(value.expr.ty);
        let message = format!("a range is from a number to a number, and this is {ty}");
        self.errors.push(
            Diagnostic::new(Code::BadArgument, expr.span, message)
                .label(format!("this is {ty}"))
                .help("such as `for $i : 0..10 { … }`"),
        );
        None
    }

    fn for_keys(
        &mut self,
        name: &Name,
        over: &ast::Expr,
        body: &Block,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        let ast::ExprKind::Map(map_name) = &over.kind else {
            let message = "`for` goes over a range of numbers or a map";
            self.errors.push(
                Diagnostic::new(Code::BadArgument, over.span, message)
                    .help("such as `for $i : 0..10 { … }` or `for ($kv : @x) { … }`"),
            );
            return None;
        };
        let map = self.map(map_name, over.span)?;
        self.filled(map, over.span)?;
        let computed = self.computed_in_loops(map);
        if computed.is_none() {
            self.readable(map, over.span)?;
        }
        let parts = self.keys_and_values(map, name, computed, over.span);
        let store = self.store(map);
        let Some(Row {
            keys,
            slots,
            values,
        }) = parts
        else {
            // Nothing is known of it yet: what the body teaches is learnt when it is.
            if let Some(scope) = &mut self.scope {
                scope.incomplete = true;
            }
            return None;
        };
        let mut body = self.body(body, over.span)?;
        let is_computed = |variable| values.iter().any(|(known, _)| *known == variable);
        let mut asks = |expr: &Expr| reads_any(expr, &is_computed);
        if body.iter().any(|action| action.any_expression(&mut asks)) {
            let assigned = values
                .into_iter()
                .map(|(variable, value)| Action::Assign { variable, value });
            body.splice(0..0, assigned);
        }
        actions.push(Action::ForEach {
            store,
            keys: self.used(keys, &body),
            slots: self.used(slots, &body),
            body,
        });
        Some(())
    }

    /// The variables of a key and of what a map holds for it: `$kv.0` and `$kv.1`, or their parts.
    fn keys_and_values(
        &mut self,
        map: MapId,
        name: &Name,
        computed: Option<MapValue>,
        place: Span,
    ) -> Option<Row> {
        let known = &self.maps[map.0];
        let keys = self.key_types(map)?;
        let (form, values) = match &known.holds {
            Some((Holds::Aggregate { .. }, _)) if computed.is_some() => {
                let ty = known.value.ty()?;
                (Form::One, vec![ty])
            }
            Some((Holds::Tuple(form), _)) => {
                let types: Option<Vec<Type>> =
                    known.parts.iter().map(super::learnt::Learnt::ty).collect();
                (form.clone(), types?)
            }
            Some(_) => (Form::One, vec![known.value.ty()?]),
            None => return None,
        };
        if keys.is_empty() {
            if self.learning {
                return None;
            }
            let message = format!("`{}` has no keys to go over", self.maps[map.0].name);
            self.errors
                .push(Diagnostic::new(Code::BadArgument, place, message));
            return None;
        }
        let key_form = match (keys.len(), &known.forms) {
            (1, _) => Form::One,
            (_, Some(forms)) => Form::Tuple(forms.clone()),
            (count, None) => Form::Tuple(vec![Form::One; count]),
        };
        let mut declare = |what: &str, form: &Form, types: Vec<Type>| {
            let names = part_names(&format!("{}.{what}", name.text), form);
            let mut variables = Vec::new();
            for (part, ty) in names.iter().zip(types) {
                let variable = self.loop_variable(part, name.span)?;
                self.teach_variable(variable, ty, place);
                variables.push(variable);
            }
            Some(variables)
        };
        let keys = declare("0", &key_form, keys)?;
        let Some(computed) = computed else {
            let slots = declare("1", &form, values)?;
            return Some(Row {
                keys,
                slots,
                values: Vec::new(),
            });
        };
        let ty = *values.first()?;
        let kept = Form::Tuple(vec![Form::One; 2]);
        let slots = declare("kept", &kept, vec![ty, Type::Int])?;
        let slot = |id: SlotId, ty| variable(slots[id.0], ty);
        let values = match computed {
            MapValue::Stats { sum, values } => {
                let parts = Form::Tuple(vec![Form::One; 3]);
                let named = declare("1", &parts, vec![Type::Int, ty, ty])?;
                let average = Aggregate::Avg { sum, values };
                let average = read_in_loop(average, ty, &slot)?;
                let values = [slot(values, Type::Int), average, slot(sum, ty)];
                named.into_iter().zip(values).collect()
            }
            MapValue::Aggregate(aggregate) => {
                let named = declare("1", &Form::One, vec![ty])?;
                vec![(*named.first()?, read_in_loop(aggregate, ty, &slot)?)]
            }
            _ => return None,
        };
        Some(Row {
            keys,
            slots,
            values,
        })
    }

    /// What a map holds, if that is computed of more than one slot in loops.
    fn computed_in_loops(&self, map: MapId) -> Option<MapValue> {
        match &self.maps[map.0].holds {
            Some((Holds::Aggregate { value, .. }, _)) => match value {
                MapValue::Stats { .. }
                | MapValue::Aggregate(
                    Aggregate::Avg { .. } | Aggregate::Min { .. } | Aggregate::Max { .. },
                ) => Some(*value),
                _ => None,
            },
            _ => None,
        }
    }

    /// The variables that the body reads; none for the others.
    fn used(&self, variables: Vec<VariableId>, body: &[Action]) -> Vec<Option<VariableId>> {
        let is_used = |wanted: VariableId| {
            let mut reads = |expr: &Expr| reads(expr, wanted);
            body.iter().any(|action| action.any_expression(&mut reads))
        };
        variables
            .into_iter()
            .map(|variable| is_used(variable).then_some(variable))
            .collect()
    }

    /// What is repeated.
    fn body(&mut self, body: &Block, place: Span) -> Option<Vec<Action>> {
        if !self.enter_if(place) {
            return None;
        }
        if let Some(scope) = &mut self.scope {
            scope.loops += 1;
        }
        let mut actions = Vec::new();
        self.statements_of(body, &mut actions);
        if let Some(scope) = &mut self.scope {
            scope.loops -= 1;
            scope.ifs -= 1;
        }
        Some(actions)
    }

    /// `break` and `continue`
    pub(super) fn jump(
        &mut self,
        action: Action,
        place: Span,
        actions: &mut Vec<Action>,
    ) -> Option<()> {
        if self.scope.as_ref().is_some_and(|scope| scope.loops > 0) {
            actions.push(action);
            return Some(());
        }
        let name = match action {
            Action::Break => "break",
            _ => "continue",
        };
        let message = format!("there is no loop around this `{name}`");
        self.errors.push(
            Diagnostic::new(Code::NoLoop, place, message).help("to leave the block write `return`"),
        );
        None
    }

    fn enter(&mut self) {
        if let Some(scope) = &mut self.scope {
            scope.enter();
        }
    }

    fn leave(&mut self) {
        if let Some(scope) = &mut self.scope {
            scope.leave();
        }
    }
}

/// The variables of a row in a loop over a map.
struct Row {
    /// The parts of the key.
    keys: Vec<VariableId>,
    /// What the slots hold.
    slots: Vec<VariableId>,
    /// The variables whose values are computed of these.
    values: Vec<(VariableId, Expr)>,
}

/// The value of an aggregate of which the slots are at hand: of extremes as they were put in, but that unsigned ones
/// have their highest bit inverted. 0 without a value.
fn read_in_loop(
    aggregate: Aggregate,
    ty: Type,
    slot: &dyn Fn(SlotId, Type) -> Expr,
) -> Option<Expr> {
    let (extreme, values) = match aggregate {
        Aggregate::Avg { sum, values } => {
            return Some(computed(
                BinaryOp::Div,
                slot(sum, ty),
                slot(values, Type::Int),
                ty,
            ));
        }
        Aggregate::Min { min, values } => (min, values),
        Aggregate::Max { max, values } => (max, values),
        _ => return None,
    };
    let value = match ty {
        Type::Unsigned => turned(slot(extreme, ty)),
        _ => slot(extreme, ty),
    };
    let any = computed(BinaryOp::Ne, slot(values, Type::Int), number(0), Type::Bool);
    let zero = plan::ExprKind::Const(0);
    let kind = plan::ExprKind::Choose {
        condition: Box::new(any),
        then: Box::new(value),
        otherwise: Box::new(Expr { kind: zero, ty }),
    };
    Some(Expr { kind, ty })
}

fn reads(expr: &Expr, wanted: VariableId) -> bool {
    reads_any(expr, &|variable| variable == wanted)
}

fn reads_any(expr: &Expr, wanted: &dyn Fn(VariableId) -> bool) -> bool {
    matches!(expr.kind, plan::ExprKind::Variable(variable) if wanted(variable))
        || expr.parts().into_iter().any(|part| reads_any(part, wanted))
}
