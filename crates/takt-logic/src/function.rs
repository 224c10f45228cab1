//! What a function of the project is.

use takt_model::{Principal, Source, Words};

use crate::Input;

/// Inside a transaction, or outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionKind {
    /// One transaction; called at `/rest/v1/rpc/<name>`.
    Action,
    /// No transaction, may fetch and call actions; called at `/functions/v1/<name>`.
    Http,
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
    /// Action or http.
    pub kind: FunctionKind,
    /// What it must be given; nothing for `http`.
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
}
