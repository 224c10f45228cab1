//! A guarded read that is lowered once and runs many times: for everybody whom its plan serves, with other values each
//! time. Who keeps it under which name is not the store's business.

use takt_model::Value;
use takt_plan::{Guarded, GuardedPlan};

use crate::{
    StoreError,
    sqlite::{Env, Lowered},
};

/// A read, ready to run ([`crate::Tx::run_prepared`]).
#[derive(Debug)]
pub struct PreparedRead {
    plan: Guarded,
    lowered: Lowered<'static>,
}

impl PreparedRead {
    /// Lowers a read. Only what a guard has seen can be prepared.
    ///
    /// # Errors
    /// [`StoreError::Internal`] for a write; else what lowering refuses.
    pub fn of(plan: Guarded) -> Result<Self, StoreError> {
        let GuardedPlan::Read(read) = plan.plan() else {
            return Err(StoreError::Internal("only reads are prepared".to_owned()));
        };
        let env = Env { project: plan.project(), principal: plan.principal(), now: 0, values: &[] };
        let lowered = Lowered::kept(env, read)?;
        Ok(Self { plan, lowered })
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Guarded {
        &self.plan
    }

    pub(crate) fn lowered(&self) -> &Lowered<'static> {
        &self.lowered
    }

    /// Whether the statements are right for these values. Nearly all values of a type give the same text; a number with
    /// more digits than its field has does not.
    pub(crate) fn takes(&self, values: &[Value]) -> bool {
        self.lowered.takes(values)
    }
}
