//! The `$variables` of a probe block.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, VariableId};
use crate::span::Span;
use crate::types::Type;

use super::Checker;
use super::MAX_VARIABLES;
use super::learnt::Learnt;
use super::name::did_you_mean;
use super::value::Value;

/// What is known while the statements of a block are checked.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// The clause that the block becomes, by its index.
    pub(super) clause: usize,
    /// The probe, if it has no call.
    pub(super) without_call: Option<String>,
    /// How many statements it has so far.
    pub(super) statements: usize,
    /// How many `if` are around the current statement.
    pub(super) ifs: usize,
    /// How many braces are.
    depth: usize,
    /// Whether statements were refused that may have assigned variables.
    pub(super) incomplete: bool,
    variables: Vec<Variable>,
}

#[derive(Debug)]
struct Variable {
    name: String,
    place: Span,
    /// Within how many braces `let` declared it; one without `let` is known until the block's end.
    declared: Option<usize>,
    assigned: bool,
    visible: bool,
}

impl Scope {
    /// The scope of a clause. `without_call` is its probe, if that has no call.
    pub(super) fn new(clause: usize, without_call: Option<String>) -> Scope {
        Scope {
            clause,
            without_call,
            ..Scope::default()
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.variables
            .iter()
            .position(|known| known.visible && known.name == name)
    }

    /// Goes into braces.
    pub(super) fn enter(&mut self) {
        self.depth += 1;
    }

    /// Leaves braces: what `let` declared within them is forgotten.
    pub(super) fn leave(&mut self) {
        for variable in &mut self.variables {
            if variable.declared == Some(self.depth) {
                variable.visible = false;
            }
        }
        self.depth = self.depth.saturating_sub(1);
    }
}

impl Checker<'_> {
    /// The value of a variable.
    pub(super) fn variable(&mut self, name: &str, place: Span) -> Option<Value> {
        let scope = self.scope.as_ref()?;
        let found = scope.find(name);
        if let Some(index) = found
            && scope.variables[index].assigned
        {
            let ty = self.learnt_variable(index).ty()?;
            return Some(Value::new(
                plan::ExprKind::Variable(VariableId(index)),
                ty,
                place,
            ));
        }
        if scope.incomplete {
            return None;
        }
        let message = format!("`{name}` has no value yet");
        let mut error = Diagnostic::new(Code::Unassigned, place, message);
        if let Some(index) = found {
            error = error.also(scope.variables[index].place, "declared without a value");
        } else {
            let known = scope.variables.iter().filter(|known| known.visible);
            error = did_you_mean(error, name, known.map(|known| known.name.as_str()));
        }
        self.errors.push(error.help(format!(
            "give it one above, in the same block: `{name} = 0`; what lasts longer than one event is kept in a map: `@{}`",
            name.trim_start_matches('$')
        )));
        None
    }

    /// The variable that is given a value; a new one if there is none of this name.
    pub(super) fn assigned_variable(&mut self, name: &str, place: Span) -> Option<VariableId> {
        let scope = self.scope.as_mut()?;
        let index = match scope.find(name) {
            Some(index) => index,
            None => self.new_variable(name, place, false)?,
        };
        let scope = self.scope.as_mut()?;
        scope.variables[index].assigned = true;
        Some(VariableId(index))
    }

    /// `let $x`
    pub(super) fn declared_variable(&mut self, name: &str, place: Span) -> Option<VariableId> {
        let scope = self.scope.as_ref()?;
        if let Some(index) = scope.find(name) {
            let first = scope.variables[index].place;
            let message = format!("the variable `{name}` is declared twice");
            self.errors.push(
                Diagnostic::new(Code::Duplicate, place, message)
                    .also(first, "first here")
                    .help(format!(
                        "to give it another value write `{name} = …` without `let`"
                    )),
            );
            return None;
        }
        self.new_variable(name, place, true).map(VariableId)
    }

    fn new_variable(&mut self, name: &str, place: Span, declared: bool) -> Option<usize> {
        let scope = self.scope.as_mut()?;
        let index = scope.variables.len();
        if index == MAX_VARIABLES {
            self.too_many(
                place,
                format!("a block has at most {MAX_VARIABLES} variables"),
            );
            return None;
        }
        scope.variables.push(Variable {
            name: name.to_owned(),
            place,
            declared: declared.then_some(scope.depth),
            assigned: false,
            visible: true,
        });
        Some(index)
    }

    /// A value as one of the type of a variable.
    pub(super) fn fit_variable(
        &mut self,
        value: Value,
        variable: VariableId,
        name: &str,
    ) -> Option<Value> {
        let mut learnt = self.learnt_variable(variable.0);
        let value = self.fit(value, &mut learnt, &format!("`{name}`"));
        let clause = self.scope.as_ref().map_or(0, |scope| scope.clause);
        self.variables.insert((clause, variable.0), learnt);
        value
    }

    /// What is added to a variable whose type is open decides about it.
    pub(super) fn hint_variable(&mut self, name: &str, value: Value) {
        if let Some(index) = self.scope.as_ref().and_then(|scope| scope.find(name)) {
            self.fit_variable(value, VariableId(index), name);
        }
    }

    /// The types of the variables of the block.
    pub(super) fn variable_types(&self) -> Vec<Type> {
        let count = self.scope.as_ref().map_or(0, |scope| scope.variables.len());
        (0..count)
            .map(|index| self.learnt_variable(index).ty().unwrap_or(Type::Int))
            .collect()
    }

    fn learnt_variable(&self, index: usize) -> Learnt {
        let clause = self.scope.as_ref().map_or(0, |scope| scope.clause);
        self.variables
            .get(&(clause, index))
            .copied()
            .unwrap_or_default()
    }
}
