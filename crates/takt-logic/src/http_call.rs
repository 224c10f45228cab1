//! A call of an `http` function: outside any transaction, on a worker's thread.

use bytes::Bytes;
use http::{HeaderMap, Method};
use takt_engine::Engine;
use takt_model::Principal;
use tokio::runtime::Handle;

use crate::{FunctionKind, Logic, LogicError, js::web};

/// A request to an `http` function.
#[derive(Debug, Clone)]
pub struct HttpCall<'a> {
    /// Name of the function.
    pub function: &'a str,
    /// Who calls.
    pub who: Principal,
    /// Verb.
    pub method: Method,
    /// As asked for: `/functions/v1/status/42`.
    pub path: String,
    /// Without the question mark; may be empty.
    pub query: String,
    /// As received.
    pub headers: HeaderMap,
    /// As received.
    pub body: Bytes,
}

/// The answer of an `http` function.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpAnswer {
    /// 200 to 599.
    pub status: u16,
    /// As the function said.
    pub headers: HeaderMap,
    /// As the function said.
    pub body: Bytes,
}

/// A request on its way to a worker.
pub(crate) struct Errand {
    pub(crate) logic: Logic,
    pub(crate) engine: Engine,
    pub(crate) runtime: Handle,
    pub(crate) function: usize,
    pub(crate) who: Principal,
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Logic {
    /// Runs an `http` function.
    ///
    /// # Errors
    /// See [`LogicError`]; what its actions have committed stays.
    pub async fn http(&self, engine: &Engine, call: HttpCall<'_>) -> Result<HttpAnswer, LogicError> {
        let shared = &self.shared;
        let at = shared.position(call.function, FunctionKind::Http).ok_or(LogicError::UnknownFunction)?;
        if !shared.functions[at].may_be_called_by(&call.who) {
            return Err(LogicError::Denied);
        }
        let host = call.headers.get(http::header::HOST).and_then(|h| h.to_str().ok()).unwrap_or("localhost");
        let question = if call.query.is_empty() { "" } else { "?" };
        let errand = Errand {
            logic: self.clone(),
            engine: engine.clone(),
            runtime: Handle::current(),
            function: at,
            who: call.who,
            method: call.method,
            url: format!("http://{host}{}{question}{}", call.path, call.query),
            headers: call.headers,
            body: call.body,
        };
        shared.workers.run(move || web::run(&errand)).await
    }
}
