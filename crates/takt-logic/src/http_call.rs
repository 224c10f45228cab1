//! A call of an `http` function: outside any transaction, on a thread of its own pool.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderMap, Method};
use parking_lot::{Condvar, Mutex};
use takt_engine::Engine;
use takt_model::Principal;
use tokio::{runtime::Handle, sync::oneshot};

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
        shared.workers.run(errand).await
    }
}

/// Calls that may wait for a worker.
const WAITING_MAX: usize = 256;
/// Threads at most; they are made when they are first needed and end when they are not.
const THREADS_MAX: usize = 8;
/// Bytes of a thread's stack; most of it is address space only.
const THREAD_STACK: usize = 4 * 1024 * 1024;

type Answer = oneshot::Sender<Result<HttpAnswer, LogicError>>;

/// The threads of `http` functions.
#[derive(Default)]
pub(crate) struct Workers {
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(Errand, Answer)>,
    threads: usize,
    idle: usize,
}

impl Workers {
    async fn run(&self, errand: Errand) -> Result<HttpAnswer, LogicError> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(errand, answer)?;
        answered.await.unwrap_or(Err(LogicError::Busy))
    }

    fn enqueue(&self, errand: Errand, answer: Answer) -> Result<(), LogicError> {
        let mut state = self.queue.state.lock();
        if state.waiting.len() >= WAITING_MAX {
            return Err(LogicError::Busy);
        }
        state.waiting.push_back((errand, answer));
        if state.waiting.len() > state.idle && state.threads < THREADS_MAX {
            let queue = Arc::clone(&self.queue);
            let thread =
                std::thread::Builder::new().name("takt-http-function".to_owned()).stack_size(THREAD_STACK);
            match thread.spawn(move || work(&queue)) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    tracing::error!(%error, "no thread for http functions");
                    state.waiting.clear();
                    return Err(LogicError::Busy);
                }
                Err(_) => {}
            }
        }
        self.queue.wake.notify_one();
        Ok(())
    }
}

/// A worker: takes errands until there has been none for a while.
fn work(queue: &Queue) {
    loop {
        let next = {
            let mut state = queue.state.lock();
            state.idle += 1;
            if state.waiting.is_empty() {
                queue.wake.wait_for(&mut state, std::time::Duration::from_secs(10));
            }
            state.idle -= 1;
            let next = state.waiting.pop_front();
            if next.is_none() {
                state.threads -= 1;
            }
            next
        };
        let Some((errand, answer)) = next else { return };
        // Nobody waits any more (the client went away): nothing to do.
        if answer.is_closed() {
            continue;
        }
        let result = catch_unwind(AssertUnwindSafe(|| web::run(&errand)));
        let panicked = LogicError::Failed {
            code: "XX000",
            message: "the script engine's host panicked".to_owned(),
            position: None,
        };
        let _ = answer.send(result.unwrap_or(Err(panicked)));
    }
}
