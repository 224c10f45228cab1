//! A call of an action: access, input, one transaction of the engine.

use std::sync::Arc;

use takt_engine::{Action, ActionAnswer, ActionError, ActionTx, Engine, Idempotency, Once};
use takt_model::{Principal, Words};

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
    validate::{Given, canonical},
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

/// What an action is besides its function: for whom it runs, and what keeps it from running twice.
#[derive(Debug)]
pub(crate) struct Effect {
    pub(crate) caller: Principal,
    pub(crate) input_json: String,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) once: Option<Once>,
}

impl Effect {
    /// One that nothing keeps from running twice.
    pub(crate) fn of(caller: Principal) -> Self {
        Self { caller, input_json: String::new(), idempotency: None, once: None }
    }

    fn action(self, function: String, label: Words, runs_as_service: bool) -> Action {
        let Self { caller, input_json, idempotency, once } = self;
        let rights = if runs_as_service { caller.elevated() } else { caller.clone() };
        Action { function, label, caller, rights, input_json, idempotency, once }
    }
}

/// What the function is given.
#[derive(Debug)]
pub(crate) enum Work {
    /// What its `input` asks for.
    Input(Given),
    /// JSON text, as it is.
    Json(String),
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
        let idempotency = call.idempotency.map(|key| Idempotency { key });
        let effect = Effect { caller: call.who, input_json, idempotency, once: None };
        self.run(engine, at, effect, Work::Input(given)).await
    }

    /// Runs the function at this position as one transaction.
    pub(crate) async fn run(
        &self,
        engine: &Engine,
        at: usize,
        effect: Effect,
        work: Work,
    ) -> Result<ActionAnswer, LogicError> {
        let shared = Arc::clone(&self.shared);
        let function = &shared.functions[at];
        let caller = Caller::of(&effect.caller);
        let action = effect.action(function.name.clone(), function.label.clone(), function.runs_as_service);
        let shared = Arc::clone(&shared);
        let job = move |tx: &ActionTx| {
            let second = match &work {
                Work::Input(given) => Second::Input(given),
                Work::Json(text) => Second::Json(text),
            };
            act(&shared, at, caller.as_ref(), &second, tx)
        };
        Ok(engine.act(action, job).await?)
    }

    /// An action that cannot even begin: its failure is told and noted as any other.
    pub(crate) async fn fail(
        &self,
        engine: &Engine,
        function: &str,
        effect: Effect,
        code: &'static str,
        message: String,
    ) -> Result<ActionAnswer, LogicError> {
        let label =
            self.function(function).map_or_else(|| Words::from([("en", function)]), |f| f.label.clone());
        let action = effect.action(function.to_owned(), label, false);
        let failed =
            move |_: &ActionTx| Err(ActionError::Failed { code, message: message.clone(), position: None });
        Ok(engine.act(action, failed).await?)
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
            host.set_functions(&shared.functions);
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
