//! What one room lends to another that may not know it: secrets of `takt-auth` and functions of `takt-logic` to
//! `takt-interfaces`.

use std::sync::Weak;

use takt_auth::Auth;
use takt_interfaces::{Boxed, Cause, Consume, Consumed, Ended, MakeBody, Outcome, Secrets, Talk};
use takt_logic::{Converse, Event, LogicError};
use takt_outbound::Secret;

use crate::app::App;

/// The secrets of connections.
pub(crate) struct SecretsOf(pub(crate) Auth);

impl Secrets for SecretsOf {
    fn secret(&self, name: &str) -> Option<Secret> {
        self.0.connection_secret(name).map(|value| Secret::new(value.as_str()))
    }

    fn seal(&self, name: &str, value: &Secret) -> Option<Vec<u8>> {
        let sealed = self.0.seal(name, value.expose().as_bytes());
        sealed.inspect_err(|error| tracing::error!(%error, "a secret cannot be sealed")).ok()
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Option<Secret> {
        let opened = self.0.open_sealed(name, sealed)?;
        std::str::from_utf8(&opened).ok().map(Secret::new)
    }
}

/// The project's functions, those of now: after a reload these are others. Weak, because the application has the
/// room that it is lent to.
pub(crate) struct FunctionsOf(pub(crate) Weak<App>);

impl Consume for FunctionsOf {
    fn consumers(&self) -> Vec<(String, Vec<String>)> {
        let Some(app) = self.0.upgrade() else { return Vec::new() };
        let logic = app.logic.load();
        logic.consumers().into_iter().map(|c| (c.function.to_owned(), c.events.to_vec())).collect()
    }

    fn consume(&self, function: &str, event: Consumed) -> Boxed<Ended> {
        let (app, function) = (self.0.upgrade(), function.to_owned());
        Box::pin(async move {
            let Some(app) = app else { return going_away() };
            let logic = app.logic.load_full();
            let Consumed { id, name, key, payload, at } = event;
            let event = Event { id, name, key, payload, at };
            match logic.consume(&app.engine, &function, &event).await {
                Ok(answer) if answer.refused => refused(&answer.body),
                Ok(answer) => Ended {
                    error: None,
                    response: Some(format!("story {}", answer.story)),
                    ..Ended::without_answer(Outcome::Ok, "")
                },
                Err(error) => Ended::without_answer(outcome(&error), error.to_string()),
            }
        })
    }
}

impl MakeBody for FunctionsOf {
    fn make(&self, file: &str, export: &str, input: String) -> Boxed<Result<String, String>> {
        let (app, file, export) = (self.0.upgrade(), file.to_owned(), export.to_owned());
        Box::pin(async move {
            let Some(app) = app else { return Err("the server is going away".to_owned()) };
            let logic = app.logic.load_full();
            logic.map(&file, &export, &input).await.map_err(|e| format!("{file}#{export}: {e}"))
        })
    }

    fn talk(
        &self,
        file: &str,
        export: &str,
        input: String,
        talk: Talk,
    ) -> Boxed<(Result<String, String>, Option<Talk>)> {
        let (app, file, export) = (self.0.upgrade(), file.to_owned(), export.to_owned());
        Box::pin(async move {
            let Some(app) = app else { return (Err("the server is going away".to_owned()), Some(talk)) };
            let logic = app.logic.load_full();
            let (result, led) = logic.converse(&file, &export, &input, Led(talk)).await;
            (result.map_err(|e| e.to_string()), led.map(|led| led.0))
        })
    }
}

/// A talk in the words of `takt-logic`.
struct Led(Talk);

impl Converse for Led {
    fn is_rpc(&self) -> bool {
        self.0.is_rpc()
    }

    fn call(&mut self, request_json: &str) -> Result<String, String> {
        self.0.call(request_json)
    }

    fn kept(&self, step: &str) -> Option<String> {
        self.0.kept(step)
    }

    fn keep(&mut self, step: &str, result_json: &str) {
        self.0.keep(step, result_json);
    }

    fn refuse(&mut self) {
        self.0.refuse();
    }
}

fn going_away() -> Ended {
    Ended::without_answer(Outcome::Failed, "the server is going away")
}

/// `reject` in a consumer: the rules say no. It would say so again, so a person decides. Its words are kept in all
/// their languages.
fn refused(body: &str) -> Ended {
    let said = serde_json::from_str::<serde_json::Value>(body).ok();
    let message = said.and_then(|json| json.get("message").cloned()).unwrap_or_else(|| body.into());
    let words = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    Ended { cause: Some(Cause::Rules), ..Ended::without_answer(Outcome::Refused, words) }
}

fn outcome(error: &LogicError) -> Outcome {
    match error {
        LogicError::UnknownFunction | LogicError::Denied | LogicError::BadInput { .. } => Outcome::Refused,
        // Nothing was written: trying again does no harm, and may help once somebody has mended the function.
        LogicError::Failed { .. } | LogicError::Busy | LogicError::Engine(_) => Outcome::Failed,
    }
}
