//! What an action is done for, once and never again: a message, a due moment of a job, a delayed job.
//!
//! Why a crash cannot break it: the row that says "done" is written in the transaction that does it. Either both are
//! on disk or neither is, and the one writer lets no second transaction in between the question and the answer.
//! Whoever asks again after the commit is told that it is done; whoever asks after a crash finds nothing done.

use takt_model::{CompareOp, Expr, Principal, Uuid, Value};
use takt_plan::{Direction, On};

use crate::{Action, ActionAnswer, ActionError, EngineError, EngineTx, StoreError, StoryResult, jobs};

/// With which the sources of events for consumers begin.
pub(crate) const CONSUMER: &str = "consumer:";

const INBOX: &str = "takt.inbox";
const OUTBOX: &str = "takt.outbox_events";

/// What an action is done for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Once {
    /// A message: an event for a consumer. Only a success counts as received: a message whose
    /// effect was refused or failed is due again.
    Message {
        /// To whom it goes: `consumer:send_invoice`.
        source: String,
        /// Its id, stable over repeats.
        id: String,
    },
    /// A due moment of a job. It counts as done however the job ended; the next one comes soon enough.
    Due {
        /// The moment: microseconds since 1970 UTC.
        at: i64,
        /// The schedule that made it due.
        schedule: String,
    },
    /// A delayed job. Tried again when it failed, a few times.
    Later {
        /// Its id.
        id: Uuid,
        /// Which try this is, from 1; for the story.
        attempt: i64,
        /// The story that asked for it; for the story.
        asked_by: Option<Uuid>,
    },
}

impl Once {
    /// An event for a consumer.
    #[must_use]
    pub fn event(consumer: &str, id: Uuid) -> Self {
        Self::Message { source: format!("{CONSUMER}{consumer}"), id: id.to_string() }
    }

    /// Forgets messages that were received before `before` (microseconds since 1970 UTC) and can come no more: as long
    /// as their event is kept, it can be given again, however old it is. Looks at no more than `most` of those behind
    /// `after`; gives where the next look begins, unless there is nothing more.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn forget(
        tx: &EngineTx,
        before: i64,
        after: Option<i64>,
        most: u64,
    ) -> Result<Option<i64>, EngineError> {
        let (on, who) = (tx.on(INBOX)?, Principal::system("inbox: forget what can come no more"));
        let mut old = on.compare("at", CompareOp::Lt, Value::Timestamp(before))?;
        if let Some(after) = after {
            old = old.and(on.compare("at", CompareOp::Gt, Value::Timestamp(after))?);
        }
        let order = [("at", Direction::Ascending)];
        let plan = on.read(&["source", "message_id", "at"], Some(old), &order, Some(most))?;
        let (found, _) = tx.rows(&who, plan)?;
        let mut last = None;
        for row in &found.rows {
            let [Value::Text(source), Value::Text(id), Value::Timestamp(at)] = row.as_slice() else {
                continue;
            };
            last = Some(*at);
            if !is_kept(tx, id)? {
                let this = message(on, source, id)?;
                tx.rows(&who, on.delete(this))?;
            }
        }
        Ok(last.filter(|_| found.rows.len() as u64 == most))
    }

    /// The answer if this was done before.
    pub(crate) fn done_before(
        &self,
        tx: &EngineTx,
        action: &Action,
    ) -> Result<Option<ActionAnswer>, EngineError> {
        match self {
            Self::Message { source, id } => received(tx, source, id),
            Self::Due { at, .. } => Ok(jobs::has_run(tx, &action.function, *at)?.then(nothing_more)),
            Self::Later { id, .. } => Ok((!jobs::is_waiting(tx, *id)?).then(nothing_more)),
        }
    }

    /// Notes how it ended, in the transaction that did it.
    pub(crate) fn note(
        &self,
        tx: &EngineTx,
        action: &Action,
        answer: &Result<ActionAnswer, ActionError>,
        result: &StoryResult,
        story: Uuid,
    ) -> Result<(), EngineError> {
        if is_passing(answer) {
            // The server was the reason, not the function: as if it had never been tried.
            return Ok(());
        }
        match (self, answer) {
            (Self::Message { source, id }, Ok(answer)) if !answer.refused => receive(tx, source, id, answer),
            (Self::Message { .. }, _) => Ok(()),
            (Self::Due { at, schedule }, _) => {
                jobs::note_run(tx, &action.function, *at, schedule, result.name(), Some(story))
            }
            (Self::Later { id, .. }, _) => jobs::note_later(tx, *id, result, story),
        }
    }
}

fn is_passing(answer: &Result<ActionAnswer, ActionError>) -> bool {
    matches!(
        answer,
        Err(ActionError::Engine(EngineError::Store(
            StoreError::Busy | StoreError::Full | StoreError::Internal(_)
        )))
    )
}

/// Somebody else did it; what it answered then is not kept.
fn nothing_more() -> ActionAnswer {
    ActionAnswer { status: 204, body: String::new(), refused: false, replayed: true, story: Uuid::nil() }
}

fn message(on: On<'_>, source: &str, id: &str) -> Result<Expr, EngineError> {
    let source = on.eq("source", Value::Text(source.to_owned()))?;
    Ok(source.and(on.eq("message_id", Value::Text(id.to_owned()))?))
}

/// Whether the event is still there that the message was.
fn is_kept(tx: &EngineTx, id: &str) -> Result<bool, EngineError> {
    let Ok(id) = Uuid::parse_str(id) else { return Ok(false) };
    let on = tx.on(OUTBOX)?;
    let plan = on.read(&["id"], Some(on.eq("id", Value::Uuid(id))?), &[], Some(1))?;
    Ok(!tx.rows(&Principal::system("inbox: look for the event"), plan)?.0.is_empty())
}

fn received(tx: &EngineTx, source: &str, id: &str) -> Result<Option<ActionAnswer>, EngineError> {
    let on = tx.on(INBOX)?;
    let this = message(on, source, id)?;
    let plan = on.read(&["status", "result", "story"], Some(this), &[], None)?;
    let (rows, _) = tx.rows(&Principal::system("inbox: look up message"), plan)?;
    let Some(row) = rows.rows.first() else { return Ok(None) };
    let [Value::Integer(status), body, Value::Uuid(story)] = row.as_slice() else {
        return Err(EngineError::Internal("a received message cannot be read".to_owned()));
    };
    let body = match body {
        Value::Text(body) => body.clone(),
        _ => String::new(),
    };
    let status = u16::try_from(*status).unwrap_or(200);
    Ok(Some(ActionAnswer { status, body, refused: false, replayed: true, story: *story }))
}

fn receive(tx: &EngineTx, source: &str, id: &str, answer: &ActionAnswer) -> Result<(), EngineError> {
    let plan = tx.on(INBOX)?.insert(vec![
        ("source", Value::Text(source.to_owned())),
        ("message_id", Value::Text(id.to_owned())),
        ("at", Value::Timestamp(tx.now())),
        ("status", Value::Integer(i64::from(answer.status))),
        ("result", Value::Text(answer.body.clone())),
        ("story", Value::Uuid(answer.story)),
    ])?;
    tx.rows(&Principal::system("inbox: note message"), plan)?;
    Ok(())
}
