//! What the maps of a script become in the plan.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::plan::{self, MapValue, SlotId, SlotKind, Store};
use crate::types::Type;

use super::Checker;
use super::learnt::Learnt;
use super::map::{Holds, MapId, MapUse};
use super::tuple::Form;

impl Checker<'_> {
    /// Adds the maps to the plan, unless nothing says what one of them holds.
    pub(super) fn planned_maps(&mut self, plan: &mut plan::Plan) {
        for (index, map) in self.maps.iter().enumerate() {
            let keys: Option<Vec<Type>> = map.keys.iter().map(Learnt::ty).collect();
            let planned = map.holds.as_ref().and_then(|(holds, _)| map.planned(holds));
            let (Some(keys), Some(planned)) = (keys, planned) else {
                let message = format!("nothing says what `{}` holds", map.name);
                let error = match map.keyed {
                    Some(place) => Diagnostic::new(Code::NeverFilled, place, message),
                    None => Diagnostic::without_place(Code::NeverFilled, message),
                };
                self.errors
                    .push(error.help("it is only ever given values of itself"));
                return;
            };
            plan.maps.push(plan::Map {
                name: map.name.trim_start_matches('@').to_owned(),
                keys: map.headings.clone(),
                key_shape: map.key_shape(&keys),
                store: self.store(MapId(index)),
                value: planned.value,
                ty: planned.ty,
                shape: planned.shape,
            });
            plan.stores.push(Store {
                name: map.name.clone(),
                keys,
                slots: planned.slots,
            });
        }
    }
}

/// What a map becomes in the plan.
struct Planned {
    value: MapValue,
    slots: Vec<SlotKind>,
    ty: Type,
    shape: Option<plan::Shape>,
}

impl MapUse {
    fn key_shape(&self, types: &[Type]) -> Option<plan::Shape> {
        let forms = self.forms.as_ref()?;
        let is_nested = forms.iter().any(|form| *form != Form::One);
        let shape = || Form::Tuple(forms.clone()).shape(&mut types.iter().copied());
        is_nested.then(shape)
    }

    /// What the map becomes; none if a type is not known.
    fn planned(&self, holds: &Holds) -> Option<Planned> {
        if let Holds::Tuple(form) = holds {
            let types: Option<Vec<Type>> = self.parts.iter().map(Learnt::ty).collect();
            let types = types?;
            return Some(Planned {
                value: MapValue::Tuple,
                slots: types.iter().map(|ty| kept(*ty)).collect(),
                ty: *types.first()?,
                shape: Some(form.shape(&mut types.into_iter())),
            });
        }
        let ty = self.value.ty()?;
        let (value, slots) = match holds {
            Holds::Number { assigned: false } if !ty.is_text() => {
                (MapValue::Number(SlotId(0)), vec![SlotKind::Tally])
            }
            Holds::Number { .. } => (MapValue::Number(SlotId(0)), vec![kept(ty)]),
            Holds::Aggregate { value, slots, .. } => (*value, slots.clone()),
            Holds::Tuple(_) => return None,
        };
        Some(Planned {
            value,
            slots,
            ty,
            shape: None,
        })
    }
}

/// The slot of a value that is assigned.
fn kept(ty: Type) -> SlotKind {
    match ty {
        Type::Text(room) => SlotKind::Text(room),
        // Symbols and buffers are several words, too.
        Type::Address(_) | Type::Bytes(_) => {
            SlotKind::Text(u16::try_from(ty.size()).unwrap_or(u16::MAX - 7))
        }
        _ => SlotKind::Last,
    }
}
