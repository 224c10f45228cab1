//! A call of an action: access, input, one transaction of the engine.

use std::sync::Arc;

use takt_engine::{Action, ActionAnswer, ActionError, ActionTx, Engine, Idempotency};
use takt_model::Principal;

use crate::{
    FunctionKind, Logic, LogicError,
    js::{
        context::Prepared,
        host::Host,
        limits::Measure,
        pool,
        run::{Caller, Second, run},
    },
    load::Shared,
    validate::canonical,
};

/// A call of an action.
#[derive(Debug)]
pub struct Call<'a> {
    /// Name of the function.
    pub function: &'a str,
    /// Who calls.
    pub who: Principal,
    /// A JSON object.
    pub input: serde_json::Value,
    /// The `Idempotency-Key`, if one came.
    pub idempotency: Option<String>,
}

impl Logic {
    /// Runs an action as one transaction. A refusal by `reject` is an answer.
    ///
    /// # Errors
    /// See [`LogicError`]; nothing was written then.
    pub async fn call(&self, engine: &Engine, call: Call<'_>) -> Result<ActionAnswer, LogicError> {
        let shared = &self.shared;
        let at = shared.position(call.function, FunctionKind::Action).ok_or(LogicError::UnknownFunction)?;
        let function = &shared.functions[at];
        if !function.may_be_called_by(&call.who) {
            return Err(LogicError::Denied);
        }
        let given = function.input.validate(&function.name, &call.input)?;
        let input_json = if call.idempotency.is_some() { canonical(&call.input) } else { String::new() };
        let caller = Caller::of(&call.who);
        let rights = if function.runs_as_service { call.who.elevated() } else { call.who.clone() };
        let action = Action {
            function: function.name.clone(),
            label: function.label.clone(),
            caller: call.who,
            rights,
            input_json,
            idempotency: call.idempotency.map(|key| Idempotency { key }),
        };
        let shared = Arc::clone(shared);
        let job = move |tx: &ActionTx| act(&shared, at, caller.as_ref(), &Second::Input(&given), tx);
        Ok(engine.act(action, job).await?)
    }
}

/// On the thread that has the transaction.
pub(crate) fn act(
    shared: &Shared,
    at: usize,
    caller: Option<&Caller>,
    second: &Second<'_>,
    tx: &ActionTx,
) -> Result<String, ActionError> {
    let settings = &shared.project.settings;
    let prepared = match pool::take(shared.generation, at) {
        Some(prepared) => prepared,
        None => {
            let host = Host::new(Arc::clone(&shared.project), Measure::Cpu);
            let path = &shared.functions[at].source.file;
            Prepared::new(host, &shared.modules, path, settings.logic.memory_bytes)?
        }
    };
    let result = run(&prepared, &shared.modules, settings, caller, second, tx);
    // What threw by itself or was refused has ended; what was stopped may have been stopped anywhere.
    let was_stopped = matches!(&result, Err(ActionError::Failed { code, .. }) if *code != "P0001");
    if !was_stopped {
        pool::put(shared.generation, at, prepared);
    }
    result
}
