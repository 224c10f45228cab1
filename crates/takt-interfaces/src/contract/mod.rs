//! Contracts of operations: schemas that messages must fulfil, compiled once with the project, and the judgement of each
//! message against its own.
//!
//! Lives here: which schema a message has, and what follows from a judgement. Beneath: `schema.rs` (compiling), `read.rs`
//! (what is wrong with the files), `drift.rs` (what differs, in words), `names.rs` (which keys are fields), `sample.rs` (what is kept to show it),
//! `figures.rs` (plausibility), `parked.rs` (answers that wait for a decision).
//! Invariants: a request that breaks its contract is never sent; of an answer that breaks its contract nothing is
//! written; the call itself is not repeated for that.

mod drift;
mod figures;
mod names;
mod parked;
mod read;
mod sample;
mod schema;
mod watch;

use std::{collections::HashMap, sync::Arc};

use serde_json::Value as Json;
use takt_model::{Contract, OnDrift, PlausibleRule, Project};

pub use drift::{Drift, DriftKind, Judged};
pub(crate) use drift::{Finding, Kept};
pub(crate) use parked::{Answer, call_key, kept_answer, without_answers};
use schema::Schema;
pub(crate) use watch::Watch;

use crate::{interfaces::House, rows::drifts};

/// Which way a judged message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// What we send; of messages that come in, what others send.
    Request,
    /// What is answered.
    Response,
    /// What a question brought, as a whole.
    Result,
}

impl Direction {
    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Result => "result",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        [Self::Request, Self::Response, Self::Result].into_iter().find(|d| d.name() == name)
    }
}

/// Where a message belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) connection: &'a str,
    pub(crate) operation: &'a str,
    /// Name of the call or of the step around it; empty where there is one call.
    pub(crate) step: &'a str,
}

/// The compiled contracts of a project.
#[derive(Debug, Default)]
pub struct Contracts {
    /// By connection, then by operation.
    operations: HashMap<String, HashMap<String, Compiled>>,
}

/// The contract of one operation.
#[derive(Debug, Default)]
struct Compiled {
    on_drift: OnDrift,
    request: Option<Arc<Schema>>,
    response: Option<Arc<Schema>>,
    steps: HashMap<String, StepSchemas>,
}

/// The contract of one call of several.
#[derive(Debug, Default)]
struct StepSchemas {
    request: Option<Arc<Schema>>,
    response: Option<Arc<Schema>>,
}

impl Contracts {
    fn of(&self, connection: &str, operation: &str) -> Option<&Compiled> {
        self.operations.get(connection)?.get(operation)
    }

    /// Whether something is declared for the operation.
    pub(crate) fn has(&self, connection: &str, operation: &str) -> bool {
        self.of(connection, operation).is_some()
    }

    /// Whether it is declared what the answer to the operation must look like.
    pub(crate) fn judges_answers(&self, connection: &str, operation: &str) -> bool {
        self.of(connection, operation).is_some_and(|of| of.response.is_some())
    }

    /// Fingerprints of an operation's schemas as they are now: `step`, direction, fingerprint.
    fn fingerprints(&self, connection: &str, operation: &str) -> Vec<(String, Direction, String)> {
        let Some(of) = self.of(connection, operation) else { return Vec::new() };
        let mut all = Vec::new();
        let mut add = |step: &str, direction, schema: &Option<Arc<Schema>>| {
            all.extend(schema.as_ref().map(|s| (step.to_owned(), direction, s.fingerprint().to_owned())));
        };
        add("", Direction::Request, &of.request);
        add("", Direction::Response, &of.response);
        for (step, StepSchemas { request, response }) in &of.steps {
            add(step, Direction::Request, request);
            add(step, Direction::Response, response);
        }
        all
    }

    /// Whether a finding was made against a schema that holds no more.
    pub(crate) fn is_outdated(&self, drift: &Drift) -> bool {
        if drift.kind == DriftKind::Implausible {
            return false;
        }
        let now = self.fingerprints(&drift.connection, &drift.operation);
        !now.iter().any(|(step, direction, print)| {
            *print == drift.contract && *direction == drift.direction && self.says(drift, step)
        })
    }

    /// Whether the contract under `step` is the one that the finding was made against: calls without a name share one.
    fn says(&self, drift: &Drift, step: &str) -> bool {
        step == drift.step || step.is_empty()
    }
}

impl Compiled {
    /// The schema of a message; calls without one of their own have that of the operation.
    fn schema(&self, step: &str, direction: Direction) -> Option<&Arc<Schema>> {
        let own = self.steps.get(step);
        match direction {
            Direction::Request => own.and_then(|s| s.request.as_ref()).or(self.request.as_ref()),
            Direction::Response => own.and_then(|s| s.response.as_ref()).or(self.response.as_ref()),
            Direction::Result => None,
        }
    }
}

/// What is judged, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// We made it: what breaks its contract does not leave.
    Ours,
    /// The other side made it: what breaks its contract is drift.
    Theirs,
}

impl House {
    /// Judges a message. Without a contract everything is fine.
    pub(crate) fn judge(
        &self,
        project: &Project,
        place: Place<'_>,
        direction: Direction,
        whose: Whose,
        message: &Json,
    ) -> Judged {
        let contracts = self.watch.contracts();
        let Some(compiled) = contracts.of(place.connection, place.operation) else {
            return Judged::default();
        };
        let Some(schema) = compiled.schema(place.step, direction) else { return Judged::default() };
        let now = self.engine.now();
        let findings = self.differences(project, place, direction, whose, schema, message);
        let stop = self.stop(place, whose, compiled.on_drift, &findings);
        // Now and then a good message of the other side is kept, to be shown beside one that is not.
        let is_good = whose == Whose::Theirs && findings.iter().all(|f| !f.breaking);
        let is_wanted = is_good && self.watch.wants_sample(place, direction, schema, now);
        let keep = || Kept { step: place.step.to_owned(), direction, sample: sample::of(project, message) };
        let kept = is_wanted.then(keep).into_iter().collect();
        Judged { findings: self.watch.due(place, findings, now), kept, stop }
    }

    /// Why nothing may be done with a message that came in before, and what breaks its contract, if that is so now. It
    /// was judged when it came; a contract that was changed since may find what was not written down then.
    pub(crate) fn stops(&self, project: &Project, place: Place<'_>, message: &Json) -> Option<Judged> {
        let contracts = self.watch.contracts();
        let compiled = contracts.of(place.connection, place.operation)?;
        let (direction, whose) = (Direction::Request, Whose::Theirs);
        let schema = compiled.schema(place.step, direction)?;
        let mut findings = self.differences(project, place, direction, whose, schema, message);
        let stop = self.stop(place, whose, compiled.on_drift, &findings)?;
        findings.retain(|f| f.breaking);
        Some(Judged { findings, kept: Vec::new(), stop: Some(stop) }.again())
    }

    fn differences(
        &self,
        project: &Project,
        place: Place<'_>,
        direction: Direction,
        whose: Whose,
        schema: &Schema,
        message: &Json,
    ) -> Vec<Finding> {
        if schema.is_fulfilled(message) {
            return Vec::new();
        }
        let before = match whose {
            Whose::Ours => None,
            Whose::Theirs => self.good_sample(place, direction),
        };
        let mut findings = drift::findings(project, place, direction, schema, message, before.as_deref());
        for finding in &mut findings {
            finding.breaking |= whose == Whose::Ours;
        }
        findings
    }

    fn good_sample(&self, place: Place<'_>, direction: Direction) -> Option<String> {
        let found = self.engine.look_up(|tx| drifts::sample(tx, place, direction));
        found
            .inspect_err(|error| tracing::warn!(%error, "an earlier sample could not be read"))
            .ok()
            .flatten()
    }

    /// The sentence that stops the work, unless everything that breaks the contract was accepted or is only noted.
    fn stop(
        &self,
        place: Place<'_>,
        whose: Whose,
        on_drift: OnDrift,
        findings: &[Finding],
    ) -> Option<String> {
        let mut breaking: Vec<&Finding> = findings.iter().filter(|f| f.breaking).collect();
        if breaking.is_empty() || (whose == Whose::Theirs && on_drift == OnDrift::Note) {
            return None;
        }
        if whose == Whose::Theirs {
            let accepted = self.engine.look_up(|tx| drifts::accepted(tx, place.connection, place.operation));
            match accepted {
                Ok(accepted) => breaking.retain(|f| !accepted.iter().any(|a| a.is(f))),
                // What cannot be looked up was not accepted.
                Err(error) => tracing::warn!(%error, "what was accepted could not be read"),
            }
        }
        let first = breaking.first()?;
        Some(drift::sentence(whose, first, breaking.len()))
    }

    /// Judges the figures of what a question brought.
    pub(crate) fn judge_figures(&self, place: Place<'_>, rules: &[PlausibleRule], result: &str) -> Judged {
        if rules.is_empty() && !self.watch.contracts().has(place.connection, place.operation) {
            return Judged::default();
        }
        let result = serde_json::from_str(result).unwrap_or(Json::Null);
        let last = self.good_sample(place, Direction::Result);
        figures::judge(place, rules, &result, last.as_deref())
    }
}

/// The contract of an operation, as far as it can be compiled.
fn compile(
    contract: &Contract,
    mut schema: impl FnMut(&takt_model::SchemaRef, Whose) -> Option<Arc<Schema>>,
    incoming: bool,
) -> Compiled {
    let ours = if incoming { Whose::Theirs } else { Whose::Ours };
    let mut read =
        |named: &Option<takt_model::SchemaRef>, whose| named.as_ref().and_then(|n| schema(n, whose));
    Compiled {
        on_drift: contract.on_drift,
        request: read(&contract.request, ours),
        response: read(&contract.response, Whose::Theirs),
        steps: contract
            .steps
            .iter()
            .map(|s| {
                let request = read(&s.request, ours);
                let response = read(&s.response, Whose::Theirs);
                (s.name.clone(), StepSchemas { request, response })
            })
            .collect(),
    }
}
