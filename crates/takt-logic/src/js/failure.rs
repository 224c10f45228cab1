//! What a failure is called, and where it happened in the source.

use rquickjs::{Coerced, Ctx, Exception, FromJs, Value as Js};
use takt_engine::{ActionError, EngineError, RefusedTransition, StoreError};
use takt_plan::PlanError;
use takt_typescript::Place;

use super::{
    host::{Host, THROWN},
    limits::Limit,
};
use crate::modules::Modules;

/// Code, details and hint of a refusal of the engine, as JavaScript may see them.
pub(crate) fn engine_words(error: &EngineError) -> (&'static str, Option<String>, Option<String>) {
    match error {
        EngineError::Plan(PlanError::UnknownField { .. }) => ("42703", None, None),
        EngineError::Plan(PlanError::Denied { .. } | PlanError::FieldDenied { .. }) => ("42501", None, None),
        EngineError::Plan(PlanError::NoFilter { .. }) => ("21000", None, None),
        EngineError::Plan(PlanError::TooManyNodes { .. }) => ("54000", None, None),
        EngineError::Store(StoreError::Refused { code, details, hint, .. }) => {
            (*code, details.clone(), hint.clone())
        }
        EngineError::Store(StoreError::Transition(t)) => {
            (RefusedTransition::CODE, Some(t.details()), Some(t.hint()))
        }
        EngineError::Store(StoreError::Busy) => ("TAKT003", None, None),
        EngineError::Store(StoreError::Timeout) => ("57014", None, None),
        EngineError::Store(StoreError::Full) => ("53100", None, None),
        EngineError::NotSingular { .. } => ("PGRST116", None, None),
        EngineError::Rejected { details_json, .. } => {
            ("REJECTED", (details_json != "null").then(|| details_json.clone()), None)
        }
        EngineError::Hook { code, .. } => (*code, None, None),
        _ => ("XX000", None, None),
    }
}

/// A limit that was hit.
pub(crate) fn limit_hit(limit: Limit, position: Option<String>) -> ActionError {
    let (code, message) = match limit {
        Limit::Time => ("57014", "the function took too long and was stopped"),
        Limit::Statements => ("54000", "the function made more statements than one call may make"),
    };
    ActionError::Failed { code, message: message.to_owned(), position }
}

/// What looks like something else when there is no memory left even to say so: `null` is thrown in the place of an
/// error, and a promise is never settled because its job could not be queued.
pub(crate) fn tell_memory(error: &mut ActionError, is_full: bool) {
    let ActionError::Failed { code, message, .. } = error else { return };
    if *code == "P0001" && (message == NOTHING || is_full) {
        *code = "53200";
        "out of memory".clone_into(message);
    }
}

/// What is told of a thrown `null`.
const NOTHING: &str = "null";

/// What came out of the script engine instead of a value.
pub(crate) fn of_value<'js>(host: &Host, ctx: &Ctx<'js>, modules: &Modules, thrown: &Js<'js>) -> ActionError {
    let position = position(modules, thrown);
    if let Some(limit) = host.budget.hit() {
        return limit_hit(limit, position);
    }
    let object = thrown.as_object();
    let refusal =
        object.and_then(|o| o.get::<_, Option<i32>>(THROWN).ok().flatten()).and_then(|at| host.thrown(at));
    if let Some(error) = refusal {
        tracing::debug!(%error, position = position.as_deref(), "the engine refused a plan of a function");
        // A hook's own refusal or failure stays what it is.
        return error.into();
    }
    let (name, message) = words(ctx, thrown);
    let code = match (name.as_str(), message.as_str()) {
        ("InternalError", "out of memory") => "53200",
        ("RangeError", "Maximum call stack size exceeded") => "54001",
        _ => "P0001",
    };
    let message = match name.as_str() {
        "" | "Error" | "InternalError" => message,
        name => format!("{name}: {message}"),
    };
    ActionError::Failed { code, message, position }
}

/// An error of the bindings; exceptions are fetched from the context.
pub(crate) fn of_error(
    host: &Host,
    ctx: &Ctx<'_>,
    modules: &Modules,
    error: &rquickjs::Error,
) -> ActionError {
    match error {
        rquickjs::Error::Exception => {
            let thrown = ctx.catch();
            of_value(host, ctx, modules, &thrown)
        }
        rquickjs::Error::Allocation => {
            ActionError::Failed { code: "53200", message: "out of memory".to_owned(), position: None }
        }
        other => match host.budget.hit() {
            Some(limit) => limit_hit(limit, None),
            None => ActionError::Failed { code: "P0001", message: other.to_string(), position: None },
        },
    }
}

/// Name and message of an error, or the text of whatever else was thrown.
pub(crate) fn words<'js>(ctx: &Ctx<'js>, thrown: &Js<'js>) -> (String, String) {
    if let Some(error) = thrown.as_object().cloned().and_then(Exception::from_object) {
        let name = error.as_object().get::<_, Option<Coerced<String>>>("name").ok().flatten();
        let message = error.message().unwrap_or_default();
        ctx.catch();
        return (name.map(|n| n.0).unwrap_or_default(), message);
    }
    let text = Coerced::<String>::from_js(ctx, thrown.clone()).map(|c| c.0);
    ctx.catch();
    (String::new(), text.unwrap_or_else(|_| "something that is no error was thrown".to_owned()))
}

/// The first place of the project's own files in an error's stack: `logic/checkout.ts:12:9`.
pub(crate) fn position(modules: &Modules, thrown: &Js<'_>) -> Option<String> {
    let error = Exception::from_object(thrown.as_object()?.clone())?;
    let stack = error.stack()?;
    stack.lines().find_map(|line| {
        let (file, place) = frame(line)?;
        let place = modules.get(file)?.positions.source(place)?;
        Some(format!("{file}:{}:{}", place.line, place.column))
    })
}

/// `    at basket (logic/checkout.ts:12:9)` or `    at logic/checkout.ts:12:9`.
fn frame(line: &str) -> Option<(&str, Place)> {
    let inner = match line.rfind('(') {
        Some(open) => line.get(open + 1..)?.trim_end().strip_suffix(')')?,
        None => line.trim().strip_prefix("at ")?,
    };
    let mut parts = inner.rsplitn(3, ':');
    let column = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    Some((parts.next()?, Place { line, column }))
}

#[cfg(test)]
mod tests {
    use takt_typescript::Place;

    use super::frame;

    #[test]
    fn frames_of_a_stack_are_read() {
        let place = Place { line: 12, column: 9 };
        assert_eq!(frame("    at basket (logic/checkout.ts:12:9)"), Some(("logic/checkout.ts", place)));
        assert_eq!(frame("    at logic/checkout.ts:12:9"), Some(("logic/checkout.ts", place)));
        assert_eq!(frame("    at add (native)"), None);
        assert_eq!(frame("nonsense"), None);
    }
}
