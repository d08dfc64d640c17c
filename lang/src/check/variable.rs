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
use super::steps;
use super::tuple::{Compound, Form};
use super::value::Value;

/// A variable: its clause, its name, the place that it was first given a value at, and how many there are
/// before it of which all that is the same: the statements of a macro have one place wherever it stands.
pub(super) type VariableKey = (usize, String, Span, usize);

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
    /// How many loops are around the current statement.
    pub(super) loops: usize,
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
            .rposition(|known| known.visible && known.name == name)
    }

    /// How the parts of a variable belong together; none if it is no tuple. The parts are variables of their own,
    /// `$t.0` and so on.
    fn form(&self, name: &str) -> Option<Form> {
        let mut parts = Vec::new();
        loop {
            let part = format!("{name}.{}", parts.len());
            if self.find(&part).is_some() {
                parts.push(Form::One);
                continue;
            }
            let inner = format!("{part}.");
            let has_parts = |known: &Variable| known.visible && known.name.starts_with(&inner);
            if !self.variables.iter().any(has_parts) {
                break;
            }
            parts.push(self.form(&part)?);
        }
        (!parts.is_empty()).then_some(Form::Tuple(parts))
    }

    /// Whether a variable is a tuple.
    pub(super) fn is_tuple(&self, name: &str) -> bool {
        self.form(name).is_some()
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

    /// What a variable holds, which may be a tuple.
    pub(super) fn whole_variable(&mut self, name: &str, place: Span) -> Option<Compound> {
        let form = self.scope.as_ref()?.form(name);
        match form {
            None => self.variable(name, place).map(Compound::One),
            Some(form) => {
                let parts: Vec<Option<Value>> = part_names(name, &form)
                    .iter()
                    .map(|part| self.variable(part, place))
                    .collect();
                let parts: Option<Vec<Value>> = parts.into_iter().collect();
                form.of(&mut parts?.into_iter(), place)
            }
        }
    }

    /// The variables that are given the parts of a value of this form.
    pub(super) fn assigned_variables(
        &mut self,
        name: &str,
        form: &Form,
        place: Span,
    ) -> Option<Vec<(String, VariableId)>> {
        let scope = self.scope.as_mut()?;
        let known = scope.form(name);
        let single = scope.find(name);
        let was_tuple = known.is_some();
        let fits = match (&known, form) {
            (Some(known), form) => known == form,
            (None, Form::Tuple(_)) => single.is_none_or(|index| !scope.variables[index].assigned),
            (None, Form::One) => true,
        };
        if !fits {
            let what = |is_tuple: bool| {
                if is_tuple {
                    "a tuple"
                } else {
                    "a single value"
                }
            };
            let message = match form {
                Form::Tuple(_) if was_tuple => {
                    format!("`{name}` has other parts here than elsewhere")
                }
                _ => format!(
                    "`{name}` is {} here and {} elsewhere",
                    what(*form != Form::One),
                    what(was_tuple)
                ),
            };
            self.errors
                .push(Diagnostic::new(Code::TwoWays, place, message).help("use two variables"));
            return None;
        }
        let names = match form {
            Form::One => vec![name.to_owned()],
            Form::Tuple(_) => part_names(name, form),
        };
        if !was_tuple
            && *form != Form::One
            && let Some(index) = single
        {
            // It was declared without a value: its place becomes that of the first part.
            let declared = scope.variables[index].declared;
            scope.variables[index].name.clone_from(names.first()?);
            for part in &names[1..] {
                let index = self.new_variable(part, place, true)?;
                self.scope.as_mut()?.variables[index].declared = declared;
            }
        }
        names
            .into_iter()
            .map(|name| {
                let variable = self.assigned_variable(&name, place)?;
                Some((name, variable))
            })
            .collect()
    }

    /// A variable of a loop: it hides another one of its name until the loop ends.
    pub(super) fn loop_variable(&mut self, name: &str, place: Span) -> Option<VariableId> {
        let index = self.new_variable(name, place, true)?;
        self.scope.as_mut()?.variables[index].assigned = true;
        Some(VariableId(index))
    }

    /// Says what type a variable has.
    pub(super) fn teach_variable(&mut self, variable: VariableId, ty: Type, place: Span) {
        let mut learnt = self.learnt_variable(variable.0);
        self.news |= learnt.learn(ty, place);
        self.teach(variable.0, learnt);
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
        let value = self.fit(value, &mut learnt, &steps::called(name));
        self.teach(variable.0, learnt);
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

    /// What identifies a variable, however often the block is checked.
    fn variable_key(&self, index: usize) -> Option<VariableKey> {
        let scope = self.scope.as_ref()?;
        let variable = scope.variables.get(index)?;
        let before = scope.variables[..index]
            .iter()
            .filter(|known| known.name == variable.name && known.place == variable.place);
        let count = before.count();
        Some((scope.clause, variable.name.clone(), variable.place, count))
    }

    fn learnt_variable(&self, index: usize) -> Learnt {
        let known = self
            .variable_key(index)
            .and_then(|key| self.variables.get(&key));
        known.copied().unwrap_or_default()
    }

    fn teach(&mut self, index: usize, learnt: Learnt) {
        if let Some(key) = self.variable_key(index) {
            self.variables.insert(key, learnt);
        }
    }
}

/// The names of the variables that keep the parts of a tuple.
pub(super) fn part_names(name: &str, form: &Form) -> Vec<String> {
    match form {
        Form::One => vec![name.to_owned()],
        Form::Tuple(parts) => parts
            .iter()
            .enumerate()
            .flat_map(|(index, part)| part_names(&format!("{name}.{index}"), part))
            .collect(),
    }
}
