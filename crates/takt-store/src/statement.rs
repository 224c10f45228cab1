//! The statement of a write as text, without running it.

use takt_plan::Guarded;

use crate::{
    StoreError,
    sqlite::{self, Env},
};

/// The statement by which a write stores each of its rows, with `?1`, `?2` ... in the place of values. It is that of
/// transactions which keep what was written ([`crate::TxContext::capture`]), as those of business actions do; values and
/// the question by which rows were found are not in it.
///
/// # Errors
/// [`StoreError::Internal`] for a read; else what lowering refuses.
pub fn statement(plan: &Guarded) -> Result<String, StoreError> {
    let env = Env { project: plan.project(), principal: plan.principal(), now: 0, values: &[] };
    sqlite::statement(env, plan.plan())
}
