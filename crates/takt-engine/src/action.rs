//! A business action: one transaction with its story, its events and its idempotency key.
//!
//! Everything the action writes stands in a savepoint inside its transaction. If the action refuses or fails, that
//! savepoint is rolled back, and the story (and, for a refusal, the kept answer) still commits around it.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use takt_model::{CompareOp, Principal, Uuid, Value, Words};
use takt_plan::{Buffered, Plan, Rows, guard};
use takt_store::{Change, Outcome, RefusedTransition, StoreError, Tx};

use crate::{
    Clock, Engine, EngineError, EngineTx, Once,
    hooks::Progress,
    story::{Recorder, StoryResult},
};

/// An action that is to run.
#[derive(Debug, Clone)]
pub struct Action {
    /// Name of the function: `checkout`.
    pub function: String,
    /// What people call it.
    pub label: Words,
    /// Who called.
    pub caller: Principal,
    /// With whose rights its plans run: the caller's, or elevated (`runs_as = "service"`).
    pub rights: Principal,
    /// The input as canonical JSON text, for the idempotency key's comparison.
    pub input_json: String,
    /// From the header, if sent.
    pub idempotency: Option<Idempotency>,
    /// What it is done for, if that may happen only once.
    pub once: Option<Once>,
}

/// An `Idempotency-Key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// As sent; 1 to 255 visible characters.
    pub key: String,
}

/// How an action ended, as it is answered (and, with a key, kept and answered again).
#[derive(Debug, Clone, PartialEq)]
pub struct ActionAnswer {
    /// HTTP status: 200, 204 for nothing, or the status of `reject`.
    pub status: u16,
    /// JSON text of the result, or of the refusal: `{"message": {"de": .., "en": ..}, "details": ..}`.
    pub body: String,
    /// Whether the action refused by `reject`.
    pub refused: bool,
    /// Whether this is an answer kept from an earlier call, or it was done before ([`Once`]).
    pub replayed: bool,
    /// Id of the story; nil if it was done before and nobody kept which.
    pub story: Uuid,
}

/// Why an action did not succeed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ActionError {
    /// `reject(status, words)`: rolled back, told to the caller, kept under the idempotency key.
    #[error("refused with {status}")]
    Reject {
        /// 400 to 499.
        status: u16,
        /// Told to the caller, per language.
        message: Words,
        /// Further JSON for the caller, or `null`.
        details_json: String,
    },
    /// The function threw, ran out of time or memory: rolled back, told as an error without inner detail.
    #[error("{message}")]
    Failed {
        /// `57014` time, `53200` memory, `54001` recursion, `P0001` thrown.
        code: &'static str,
        /// For the log and the developer.
        message: String,
        /// `logic/checkout.ts:12:9`
        position: Option<String>,
    },
    /// A plan was refused and the function did not catch it.
    #[error(transparent)]
    Engine(EngineError),
}

/// The transaction of an action: an [`EngineTx`] that writes down what happens for the story.
/// A cheap handle (`Clone`), bound to its thread, dead after the action.
#[derive(Clone)]
pub struct ActionTx {
    pub(crate) inner: EngineTx,
    rights: Rc<Principal>,
    /// None for hooks of a write that no action makes.
    story: Option<Uuid>,
    pub(crate) recorder: Rc<RefCell<Recorder>>,
    pub(crate) progress: Rc<Progress>,
}

impl ActionTx {
    fn new(inner: EngineTx, rights: &Principal, story: Uuid, clock: Arc<dyn Clock>) -> Self {
        let recorder = Rc::new(RefCell::new(Recorder::timed_by(clock)));
        Self { story: Some(story), recorder, ..Self::without_story(&inner, rights) }
    }

    /// For the hooks of a plain write: nobody tells of it.
    pub(crate) fn without_story(inner: &EngineTx, rights: &Principal) -> Self {
        Self {
            inner: inner.clone(),
            rights: Rc::new(rights.clone()),
            story: None,
            recorder: Rc::default(),
            progress: Rc::default(),
        }
    }

    /// The same transaction and story with other rights; for hooks, which have rights of their own.
    #[must_use]
    pub fn acting_as(&self, rights: &Principal) -> Self {
        Self { rights: Rc::new(rights.clone()), ..self.clone() }
    }

    /// Guards (with the action's rights) and runs a plan; written rows enter the story.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn rows(&self, plan: Plan) -> Result<(Rows, Outcome), EngineError> {
        let guarded = guard(plan, self.inner.project(), &self.rights)?;
        let mut sink = Buffered::default();
        let outcome = self.run_guarded(&guarded, &mut sink)?;
        Ok((sink.into_rows(), outcome))
    }

    /// Notes written rows for the story, if there will be one.
    pub(crate) fn record(&self, changes: &[Change]) {
        if self.story.is_some() {
            self.recorder.borrow_mut().record(self.inner.project(), changes);
        }
    }

    /// The transaction beneath.
    #[must_use]
    pub fn inner(&self) -> &EngineTx {
        &self.inner
    }

    /// A step begins; steps may nest. Returns its number for [`ActionTx::step_end`].
    pub fn step_begin(&self, label: Words) -> usize {
        self.recorder.borrow_mut().step_begin(label)
    }

    /// A step ends.
    pub fn step_end(&self, step: usize, succeeded: bool) {
        self.recorder.borrow_mut().step_end(step, succeeded);
    }

    /// As [`ActionTx::step_end`], but a step in which nothing happened is not told at all.
    pub fn step_end_unless_empty(&self, step: usize) {
        self.recorder.borrow_mut().step_end_unless_empty(step);
    }

    /// Says what was decided, for whoever reads the story: a line in the step that is open.
    pub fn note(&self, words: Words) {
        self.recorder.borrow_mut().note(words);
    }

    /// Id of the story; none where nobody tells one (hooks of a write that no action makes).
    #[must_use]
    pub fn story(&self) -> Option<Uuid> {
        self.story
    }

    /// An event that leaves if and only if the action commits.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn emit(&self, name: &str, key: Option<&str>, payload_json: &str) -> Result<(), EngineError> {
        // The story names the event; the outbox's own row is no change that it tells of.
        self.inner.tx.set_capture(false);
        let emitted = self.inner.emit_for(name, key, payload_json, self.story);
        self.inner.tx.set_capture(true);
        emitted?;
        self.recorder.borrow_mut().events.push(name.to_owned());
        Ok(())
    }
}

impl Engine {
    /// Runs `job` as one action: its plans, events, story and kept answer commit together or not at all.
    /// A refusal rolls back everything but the story and the kept answer. `job` returns the result as JSON text
    /// (empty for nothing) and may run more than once.
    ///
    /// # Errors
    /// [`ActionError::Failed`] and [`ActionError::Engine`]; a refusal is an `Ok` with `refused`.
    pub async fn act(
        &self,
        action: Action,
        mut job: impl FnMut(&ActionTx) -> Result<String, ActionError> + Send + 'static,
    ) -> Result<ActionAnswer, ActionError> {
        let served = self.served();
        let clock = self.clock();
        // The outer error rolls back all, the story too; the inner one is told after the story has committed.
        let whole = move |tx: &Tx| -> Result<(Result<ActionAnswer, ActionError>, bool), ActionError> {
            let started = clock.now();
            let etx = EngineTx::new(tx, &served);
            if let Some(kept) = kept_answer(&etx, &action)? {
                return Ok((Ok(kept), false));
            }
            if let Some(once) = &action.once
                && let Some(done) = once.done_before(&etx, &action)?
            {
                return Ok((Ok(done), false));
            }
            let story = etx.new_uuid();
            let action_tx = ActionTx::new(etx.clone(), &action.rights, story, Arc::clone(&clock));
            let ended = tx.nested(|_| job(&action_tx));
            if !tx.is_alive() {
                // The database gave up the whole commit group: nothing can be kept, not even a story.
                return Err(ended.err().unwrap_or_else(|| StoreError::Busy.into()));
            }
            let (answer, result) = how_it_ended(ended, story);
            let recorder = action_tx.recorder.take();
            tx.set_capture(false);
            let told = recorder.into_story(&action, story, started, clock.now() - started, result);
            told.insert(&etx)?;
            if let Some(once) = &action.once {
                once.note(&etx, &action, &answer, &told.result, story)?;
            }
            if let Ok(answer) = &answer {
                keep_answer(&etx, &action, answer)?;
            }
            Ok((answer, etx.has_emitted()))
        };
        let (answer, emitted) = self.store().write(self.context(true), whole).await?;
        self.announce(emitted);
        answer
    }
}

/// What the caller and the story are told of how the function ended.
fn how_it_ended(
    ended: Result<String, ActionError>,
    story: Uuid,
) -> (Result<ActionAnswer, ActionError>, StoryResult) {
    let answer = |status, body, refused| ActionAnswer { status, body, refused, replayed: false, story };
    // What a hook refused is this action's refusal, however the function came by it.
    let ended = ended.map_err(|error| match error {
        ActionError::Engine(error) => error.into(),
        error => error,
    });
    match ended {
        Ok(body) => {
            let status = if body.is_empty() { 204 } else { 200 };
            (Ok(answer(status, body, false)), StoryResult::Success)
        }
        Err(ActionError::Reject { status, message, details_json }) => {
            let words = serde_json::json!(&message);
            let details = if details_json.is_empty() { "null" } else { &details_json };
            let body = format!(r#"{{"message":{words},"details":{details}}}"#);
            (Ok(answer(status, body, true)), StoryResult::Refused { status, message })
        }
        Err(ActionError::Failed { code, message, position }) => {
            let result = StoryResult::Failed {
                code: code.to_owned(),
                message: message.clone(),
                position: position.clone(),
            };
            (Err(ActionError::Failed { code, message, position }), result)
        }
        Err(ActionError::Engine(error)) => {
            let code = match &error {
                EngineError::Store(StoreError::Refused { code, .. }) => *code,
                EngineError::Store(StoreError::Transition(_)) => RefusedTransition::CODE,
                EngineError::Plan(_) => "42501",
                _ => "XX000",
            };
            let result =
                StoryResult::Failed { code: code.to_owned(), message: error.to_string(), position: None };
            (Err(ActionError::Engine(error)), result)
        }
    }
}

const IDEMPOTENCY: &str = "takt.idempotency_keys";

/// Under whom a key is kept; visitors share one name, their keys are as hard to guess as the client makes them.
fn key_owner(caller: &Principal) -> String {
    match caller.uid() {
        Some(id) => id.to_string(),
        None => caller.claim_role().to_owned(),
    }
}

fn hash(text: &str) -> String {
    use std::fmt::Write;
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::with_capacity(64), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The kept answer of an earlier call under the same key, unless it is older than `logic.idempotency`.
fn kept_answer(tx: &EngineTx, action: &Action) -> Result<Option<ActionAnswer>, EngineError> {
    let Some(Idempotency { key }) = &action.idempotency else { return Ok(None) };
    let who = Principal::system("idempotency: look up key");
    let on = tx.on(IDEMPOTENCY)?;
    let this = on
        .eq("caller", Value::Text(key_owner(&action.caller)))?
        .and(on.eq("function", Value::Text(action.function.clone()))?)
        .and(on.eq("key", Value::Text(key.clone()))?);
    let columns = ["body_hash", "status", "body", "refused", "story", "at"];
    let (rows, _) = tx.rows(&who, on.read(&columns, Some(this.clone()), &[], None)?)?;
    let Some(row) = rows.rows.into_iter().next() else { return Ok(None) };
    let mut row = row.into_iter();
    let mut next = || row.next().unwrap_or(Value::Null);
    let (body_hash, status, body, refused, story, at) = (next(), next(), next(), next(), next(), next());
    let (Value::Text(body_hash), Value::Integer(status), Value::Text(body)) = (body_hash, status, body)
    else {
        return Err(EngineError::Internal("a kept answer cannot be read".to_owned()));
    };
    let (Value::Boolean(refused), Value::Uuid(story), Value::Timestamp(at)) = (refused, story, at) else {
        return Err(EngineError::Internal("a kept answer cannot be read".to_owned()));
    };
    if at < oldest_kept(tx) {
        tx.rows(&who, on.delete(this))?;
        return Ok(None);
    }
    if body_hash != hash(&action.input_json) {
        return Err(EngineError::IdempotencyMismatch);
    }
    let status = u16::try_from(status).unwrap_or(200);
    Ok(Some(ActionAnswer { status, body, refused, replayed: true, story }))
}

/// Answers older than this are as if they had never been given.
fn oldest_kept(tx: &EngineTx) -> i64 {
    let kept_for = i64::try_from(tx.project().settings.logic.idempotency.as_micros()).unwrap_or(i64::MAX);
    tx.now().saturating_sub(kept_for)
}

/// Deletes expired answers.
pub(crate) fn forget_expired_answers(tx: &EngineTx) -> Result<(), EngineError> {
    let on = tx.on(IDEMPOTENCY)?;
    let expired = on.compare("at", CompareOp::Lt, Value::Timestamp(oldest_kept(tx)))?;
    tx.rows(&Principal::system("idempotency: forget expired"), on.delete(expired))?;
    Ok(())
}

fn keep_answer(tx: &EngineTx, action: &Action, answer: &ActionAnswer) -> Result<(), EngineError> {
    let Some(Idempotency { key }) = &action.idempotency else { return Ok(()) };
    let plan = tx.on(IDEMPOTENCY)?.insert(vec![
        ("caller", Value::Text(key_owner(&action.caller))),
        ("function", Value::Text(action.function.clone())),
        ("key", Value::Text(key.clone())),
        ("body_hash", Value::Text(hash(&action.input_json))),
        ("status", Value::Integer(i64::from(answer.status))),
        ("body", Value::Text(answer.body.clone())),
        ("refused", Value::Boolean(answer.refused)),
        ("story", Value::Uuid(answer.story)),
        ("at", Value::Timestamp(tx.now())),
    ])?;
    tx.rows(&Principal::system("idempotency: keep answer"), plan)?;
    Ok(())
}
