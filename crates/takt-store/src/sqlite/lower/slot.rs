//! What stands behind `?N`: a value of the plan, or something that is only known when the statement runs. Text and
//! slots together are what may be kept and run again, for another caller, at another time, with other values.

use std::borrow::Cow;

use takt_model::Value;

use super::{
    Env,
    expr::{self, Kind},
};
use crate::{
    StoreError,
    sqlite::{
        number::{OnScale, on_scale},
        types::Bind,
    },
};

/// What a parameter of a statement gets.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sqlite) enum Slot<'a> {
    /// This.
    Value(Bind<'a>),
    /// `auth.uid()`
    Uid,
    /// `auth.role()`
    Role,
    /// `auth.jwt()` at this path.
    Claim(Cow<'a, [String]>),
    /// `now()`
    Now,
    /// The value of this number that the plan runs with, as this kind.
    Parameter(usize, Kind),
}

impl Slot<'_> {
    /// The value, now that the caller, the moment and the values are known.
    pub(in crate::sqlite) fn filled<'s>(&'s self, env: &Env<'s>) -> Result<Cow<'s, Bind<'s>>, StoreError> {
        Ok(Cow::Owned(match self {
            Slot::Value(value) => return Ok(Cow::Borrowed(value)),
            Slot::Uid => env.principal.uid().map_or(Bind::Null, Bind::Uuid),
            Slot::Role => Bind::Text(Cow::Borrowed(env.principal.claim_role())),
            Slot::Claim(path) => {
                expr::claim(env, path).map_or(Bind::Null, |text| Bind::Text(Cow::Owned(text)))
            }
            Slot::Now => Bind::Integer(env.now),
            Slot::Parameter(number, kind) => {
                let value = env.values.get(*number).map(|value| expr::bound(value, *kind)).transpose()?;
                value.flatten().ok_or_else(|| StoreError::Internal("a parameter has no value".to_owned()))?
            }
        }))
    }

    /// The same, without the plan that it came from.
    pub(in crate::sqlite) fn into_owned(self) -> Slot<'static> {
        match self {
            Self::Value(value) => Slot::Value(value.into_owned()),
            Self::Uid => Slot::Uid,
            Self::Role => Slot::Role,
            Self::Claim(path) => Slot::Claim(Cow::Owned(path.into_owned())),
            Self::Now => Slot::Now,
            Self::Parameter(number, kind) => Slot::Parameter(number, kind),
        }
    }

    /// Whether one of `values` would have become another text than the one that has this slot: a null, a truth, a
    /// number with more digits than the field, one that is none.
    pub(in crate::sqlite) fn refuses(&self, values: &[Value]) -> bool {
        let Self::Parameter(number, kind) = self else { return false };
        !values.get(*number).is_some_and(|value| is_usual(value, *kind))
    }
}

fn is_usual(value: &Value, kind: Kind) -> bool {
    match (value, kind) {
        (Value::Null | Value::Boolean(_), _) => false,
        (Value::Double(v), Kind::Double) => !v.is_nan(),
        (_, Kind::Number(scale)) => matches!(on_scale(value, scale), Some(OnScale::Exact(_))),
        _ => Kind::of_value(value) == kind,
    }
}
