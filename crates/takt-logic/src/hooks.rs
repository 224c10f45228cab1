//! Table hooks: functions that run for every written row, inside the transaction that writes it.
//! Lives here: which functions wait for which rows, and with whose rights they run. Not here: when a write sets them
//! off and what is undone if one refuses (engine).

use std::sync::Arc;

use takt_engine::{ActionError, ActionTx, Change, Hooks};
use takt_model::{Principal, Table, Verb};

use crate::{
    FunctionKind, Logic,
    action::act,
    js::run::{Caller, Second},
    load::Shared,
};

impl Logic {
    /// What written rows set off; nothing if the project has no hooks, so that no write pays for the question.
    #[must_use]
    pub fn hooks(&self) -> Option<Arc<dyn Hooks>> {
        let has_some = self.shared.functions.iter().any(|f| f.kind == FunctionKind::Hook);
        has_some.then(|| Arc::new(TableHooks(Arc::clone(&self.shared))) as Arc<dyn Hooks>)
    }
}

struct TableHooks(Arc<Shared>);

impl Hooks for TableHooks {
    fn wants(&self, table: &Table, verb: Verb) -> bool {
        self.0.functions.iter().any(|f| f.waits_for(&table.name, verb))
    }

    fn run(&self, tx: &ActionTx, who: &Principal, change: &Change) -> Result<(), ActionError> {
        let caller = Caller::of(who);
        for (at, function) in self.0.functions.iter().enumerate() {
            if !function.waits_for(&change.table, change.verb) {
                continue;
            }
            let rights = if function.runs_as_service { who.elevated() } else { who.clone() };
            let tx = tx.acting_as(&rights);
            let step = tx.step_begin(function.label.clone());
            let ended = act(&self.0, at, caller.as_ref(), &Second::Row(change), &tx);
            match &ended {
                Ok(_) => tx.step_end_unless_empty(step),
                Err(_) => tx.step_end(step, false),
            }
            ended?;
        }
        Ok(())
    }
}
