//! Consumers: functions that run after the commit of an event, as actions of their own.
//!
//! Exactly once in effect, because the effect and the note that the event was received are one transaction
//! ([`Once`]); whoever carries events may therefore repeat itself after a crash as often as it likes.

use serde_json::json;
use takt_engine::{ActionAnswer, Engine, Once};
use takt_model::{Principal, Uuid, ValueRef};

use crate::{
    FunctionKind, Logic, LogicError, Trigger,
    action::{Effect, Work},
};

/// A consumer and the events that it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Consumer<'a> {
    /// Name of the function.
    pub function: &'a str,
    /// Names of the events.
    pub events: &'a [String],
}

/// An event that has committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id, the same over all repeats.
    pub id: Uuid,
    /// `order.placed`
    pub name: String,
    /// What it is about.
    pub key: Option<String>,
    /// JSON text.
    pub payload: String,
    /// When it was emitted: microseconds since 1970 UTC.
    pub at: i64,
}

impl Event {
    /// `{ id, name, key, payload, at }` as JSON text; the payload keeps its digits.
    fn to_json(&self) -> String {
        let at = ValueRef::Timestamp(self.at).to_text();
        let (id, name, key, at) = (json!(self.id.to_string()), json!(self.name), json!(self.key), json!(at));
        let payload = &self.payload;
        format!(r#"{{"id":{id},"name":{name},"key":{key},"payload":{payload},"at":{at}}}"#)
    }
}

impl Logic {
    /// All consumers, by name.
    #[must_use]
    pub fn consumers(&self) -> Vec<Consumer<'_>> {
        self.functions()
            .iter()
            .filter_map(|f| match &f.trigger {
                Trigger::Events(events) => Some(Consumer { function: &f.name, events }),
                _ => None,
            })
            .collect()
    }

    /// Gives an event to a consumer, unless it has had it: then the answer is the first one, `replayed`. A refusal is
    /// an answer, but the event is not received by it and may be given again.
    ///
    /// # Errors
    /// See [`LogicError`]; nothing was written then. [`LogicError::UnknownFunction`] if it waits for no such event.
    pub async fn consume(
        &self,
        engine: &Engine,
        function: &str,
        event: &Event,
    ) -> Result<ActionAnswer, LogicError> {
        let shared = &self.shared;
        let at = shared.position(function, FunctionKind::Consumer).ok_or(LogicError::UnknownFunction)?;
        let waits = matches!(&shared.functions[at].trigger,
            Trigger::Events(events) if events.contains(&event.name));
        if !waits {
            return Err(LogicError::UnknownFunction);
        }
        let once = Once::event(function, event.id);
        let effect = Effect { once: Some(once), ..Effect::of(Principal::service()) };
        self.run(engine, at, effect, Work::Json(event.to_json())).await
    }
}
