//! What is done at an event.

use super::{Expr, MessageId, SlotId, StoreId, VariableId};

/// One thing done at an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Find a group and update slots of it.
    Record(Record),
    /// Forget a group.
    Delete {
        /// Where it is.
        store: StoreId,
        /// Which one.
        keys: Vec<Expr>,
    },
    /// `$variable = value`. A value that is none makes the variable none. A text may be shorter than the
    /// variable.
    Assign {
        /// The variable.
        variable: VariableId,
        /// Its new value.
        value: Expr,
    },
    /// Do one or the other.
    If {
        /// Of type [`crate::types::Type::Bool`].
        condition: Expr,
        /// If it holds.
        then: Vec<Action>,
        /// If it does not.
        otherwise: Vec<Action>,
    },
    /// Again and again while the condition holds, or forever. A loop that has not ended after some millions
    /// of rounds ends there.
    Loop {
        /// Of type [`crate::types::Type::Bool`].
        condition: Option<Expr>,
        /// What is done in each round.
        body: Vec<Action>,
        /// What follows it, also after [`Action::Continue`].
        step: Vec<Action>,
    },
    /// For each key of a map whose rows all CPUs share, in no order.
    ForEach {
        /// The map's store.
        store: StoreId,
        /// The variables that a key's parts are put into; none where it is not used.
        keys: Vec<Option<VariableId>>,
        /// The variables that the slots are put into; none where it is not used.
        slots: Vec<Option<VariableId>>,
        /// What is done.
        body: Vec<Action>,
    },
    /// Ends the innermost loop. No action follows it in its list.
    Break,
    /// Ends the round of the innermost loop. No action follows it in its list.
    Continue,
    /// Tell user space. What is told in one event arrives in order; what finds no room is counted.
    Tell {
        /// What of.
        message: MessageId,
        /// The message's values.
        values: Vec<Expr>,
    },
    /// Nothing more at this event in this clause. No action follows it in its list.
    Return,
}

/// The update of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where the group is.
    pub store: StoreId,
    /// Which group: one for each of [`super::Store::keys`].
    pub keys: Vec<Expr>,
    /// What changes. One look-up for all.
    pub updates: Vec<Update>,
}

/// The update of one slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The slot.
    pub slot: SlotId,
    /// The value, for every slot but [`super::SlotKind::Count`]. If it is none the slot stays as it is.
    pub value: Option<Expr>,
    /// Only if this holds, of type [`crate::types::Type::Bool`].
    pub condition: Option<Expr>,
}

impl Action {
    /// Whether any expression of the action, or of the actions within, satisfies the predicate.
    pub fn any_expression(&self, predicate: &mut dyn FnMut(&Expr) -> bool) -> bool {
        match self {
            Action::Record(record) => {
                record.keys.iter().any(&mut *predicate)
                    || record
                        .updates
                        .iter()
                        .flat_map(|update| update.value.iter().chain(&update.condition))
                        .any(predicate)
            }
            Action::Delete { keys, .. } => keys.iter().any(predicate),
            Action::Assign { value, .. } => predicate(value),
            Action::If {
                condition,
                then,
                otherwise,
            } => {
                predicate(condition)
                    || then
                        .iter()
                        .chain(otherwise)
                        .any(|action| action.any_expression(predicate))
            }
            Action::Loop {
                condition,
                body,
                step,
            } => {
                condition.iter().any(&mut *predicate)
                    || body
                        .iter()
                        .chain(step)
                        .any(|action| action.any_expression(predicate))
            }
            Action::ForEach { body, .. } => {
                body.iter().any(|action| action.any_expression(predicate))
            }
            Action::Tell { values, .. } => values.iter().any(predicate),
            Action::Return | Action::Break | Action::Continue => false,
        }
    }
}
