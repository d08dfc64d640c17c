//! The numbers of results: whole as long as they can be, so that counts and sums are exact.

use std::cmp::Ordering;

use ewapa_lang::ast::Amount;
use ewapa_lang::plan::BinaryOp;

/// A number of a result, in the base unit of its type.
#[derive(Debug, Clone, Copy)]
pub enum Quantity {
    /// Exact.
    Whole(i64),
    /// In floating point.
    Real(f64),
}

impl Quantity {
    /// In floating point.
    pub fn real(self) -> f64 {
        match self {
            Quantity::Whole(value) => value as f64,
            Quantity::Real(value) => value,
        }
    }

    /// The value of `self op other`, where `op` is one of `+ - * / %`; none for a division by zero.
    pub fn combine(self, op: BinaryOp, other: Quantity) -> Option<Quantity> {
        if let (Quantity::Whole(left), Quantity::Whole(right)) = (self, other) {
            let exact = match op {
                BinaryOp::Add => left.checked_add(right),
                BinaryOp::Sub => left.checked_sub(right),
                BinaryOp::Mul => left.checked_mul(right),
                _ => None,
            };
            if let Some(exact) = exact {
                return Some(Quantity::Whole(exact));
            }
        }
        let (left, right) = (self.real(), other.real());
        let value = match op {
            BinaryOp::Add => left + right,
            BinaryOp::Sub => left - right,
            BinaryOp::Mul => left * right,
            BinaryOp::Div | BinaryOp::Rem if right == 0.0 => return None,
            BinaryOp::Div => left / right,
            BinaryOp::Rem => left % right,
            _ => unreachable!("the checker lets only numbers be combined"),
        };
        Some(Quantity::Real(value))
    }

    /// Whether `self op other`, where `op` is a comparison.
    pub fn compares(self, op: BinaryOp, other: Quantity) -> bool {
        let ordering = self.order(other);
        match op {
            BinaryOp::Eq => ordering.is_eq(),
            BinaryOp::Ne => ordering.is_ne(),
            BinaryOp::Lt => ordering.is_lt(),
            BinaryOp::Le => ordering.is_le(),
            BinaryOp::Gt => ordering.is_gt(),
            BinaryOp::Ge => ordering.is_ge(),
            _ => unreachable!("the checker makes this a comparison"),
        }
    }

    /// The order of two numbers.
    pub fn order(self, other: Quantity) -> Ordering {
        match (self, other) {
            (Quantity::Whole(left), Quantity::Whole(right)) => left.cmp(&right),
            _ => self.real().total_cmp(&other.real()),
        }
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Quantity::Whole(value) => value.fmt(f),
            Quantity::Real(value) => value.fmt(f),
        }
    }
}

impl std::ops::Neg for Quantity {
    type Output = Quantity;

    fn neg(self) -> Quantity {
        match self {
            Quantity::Whole(value) => value
                .checked_neg()
                .map_or(Quantity::Real(-(value as f64)), Quantity::Whole),
            Quantity::Real(value) => Quantity::Real(-value),
        }
    }
}

impl From<Amount> for Quantity {
    fn from(amount: Amount) -> Quantity {
        match amount {
            Amount::Whole(value) => Quantity::Whole(value),
            Amount::Fraction(value) => Quantity::Real(value),
        }
    }
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Quantity) -> bool {
        self.order(*other) == Ordering::Equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_beyond_what_a_float_can_hold_stay_exact() {
        let large = Quantity::Whole((1 << 60) + 1);
        assert_eq!(
            large.combine(BinaryOp::Sub, Quantity::Whole(1 << 60)),
            Some(Quantity::Whole(1))
        );
    }

    #[test]
    fn what_does_not_fit_becomes_a_float() {
        let Some(Quantity::Real(value)) =
            Quantity::Whole(i64::MAX).combine(BinaryOp::Add, Quantity::Whole(1))
        else {
            panic!("no float");
        };
        assert_eq!(value, 2f64.powi(63));
    }

    #[test]
    fn a_division_by_zero_has_no_value() {
        assert_eq!(
            Quantity::Whole(1).combine(BinaryOp::Div, Quantity::Whole(0)),
            None
        );
    }
}
