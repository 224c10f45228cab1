//! What a function of the project is, and what sets it off.

use takt_model::{Principal, Schedule, Source, Verb, Words};

use crate::Input;

/// What a function is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// One transaction; called at `/rest/v1/rpc/<name>`.
    Action,
    /// No transaction, may fetch and call actions; called at `/functions/v1/<name>`.
    Http,
    /// For every written row of a table, inside the transaction that writes it.
    Hook,
    /// After the commit of an event, in a transaction of its own.
    Consumer,
    /// When a schedule or a delay says so, in a transaction of its own.
    Job,
}

impl FunctionKind {
    /// Whether somebody calls it by its name.
    #[must_use]
    pub fn is_called(self) -> bool {
        matches!(self, Self::Action | Self::Http)
    }
}

/// What sets a function off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// Nothing but a call (or, for jobs, `later`).
    Call,
    /// `export const on = { table, verbs }`: written rows.
    Rows {
        /// Name of the table.
        table: String,
        /// Insert, update, delete.
        verbs: Vec<Verb>,
    },
    /// `export const on = "order.placed"`: events that have committed.
    Events(Vec<String>),
    /// `export const schedule = "0 6 * * *"`: the clock.
    Schedule(Schedule),
}

/// A function of the project.
#[derive(Debug, Clone)]
pub struct Function {
    /// From the file: `logic/checkout.ts` is `checkout`, `logic/stock/count.ts` is `stock.count`.
    pub name: String,
    /// What people call it; the name if nothing is said.
    pub label: Words,
    /// What it does.
    pub about: Words,
    /// Roles that may call it. The service role always may; empty means nobody else.
    pub access: Vec<String>,
    /// Whether its plans run with service rights (`runs_as = "service"`).
    pub runs_as_service: bool,
    /// What it is for.
    pub kind: FunctionKind,
    /// What sets it off.
    pub trigger: Trigger,
    /// What it must be given; nothing for kinds that are given something else.
    pub input: Input,
    /// The file; the line of the default export.
    pub source: Source,
}

impl Function {
    /// Whether `who` may call it.
    #[must_use]
    pub fn may_be_called_by(&self, who: &Principal) -> bool {
        who.has_role("service_role") || self.access.iter().any(|role| who.has_role(role))
    }

    /// Whether written rows of the table set it off.
    pub(crate) fn waits_for(&self, table: &str, verb: Verb) -> bool {
        matches!(&self.trigger, Trigger::Rows { table: t, verbs } if t == table && verbs.contains(&verb))
    }
}
