//! Threads for functions that run outside any transaction, so that neither the writer nor the server waits for them.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::LogicError;

/// Calls that may wait for a worker.
const WAITING_MAX: usize = 256;
/// Threads at most; they are made when they are first needed and end when they are not.
const THREADS_MAX: usize = 8;
/// How long a thread waits for more.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a thread's stack; most of it is address space only.
const THREAD_STACK: usize = 4 * 1024 * 1024;

type Task = Box<dyn FnOnce() + Send>;

/// The threads.
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
    waiting: VecDeque<Task>,
    threads: usize,
    idle: usize,
}

impl Workers {
    /// Runs `work` on one of the threads.
    ///
    /// # Errors
    /// [`LogicError::Busy`] if too many wait; else those of `work`.
    pub(crate) async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, LogicError> + Send + 'static,
    ) -> Result<R, LogicError> {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Box::new(move || {
            // Nobody waits any more (the client went away): nothing to do.
            if answer.is_closed() {
                return;
            }
            let panicked = || LogicError::Failed {
                code: "XX000",
                message: "the script engine's host panicked".to_owned(),
                position: None,
            };
            let result = catch_unwind(AssertUnwindSafe(work));
            let _ = answer.send(result.unwrap_or_else(|_| Err(panicked())));
        }))?;
        answered.await.unwrap_or(Err(LogicError::Busy))
    }

    fn enqueue(&self, task: Task) -> Result<(), LogicError> {
        let mut state = self.queue.state.lock();
        if state.waiting.len() >= WAITING_MAX {
            return Err(LogicError::Busy);
        }
        state.waiting.push_back(task);
        if state.waiting.len() > state.idle && state.threads < THREADS_MAX {
            let queue = Arc::clone(&self.queue);
            let thread =
                std::thread::Builder::new().name("takt-function".to_owned()).stack_size(THREAD_STACK);
            match thread.spawn(move || work(&queue)) {
                Ok(_) => state.threads += 1,
                Err(error) if state.threads == 0 => {
                    tracing::error!(%error, "no thread for functions");
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

/// A worker: takes tasks until there has been none for a while.
fn work(queue: &Queue) {
    loop {
        let next = {
            let mut state = queue.state.lock();
            state.idle += 1;
            if state.waiting.is_empty() {
                queue.wake.wait_for(&mut state, PATIENCE);
            }
            state.idle -= 1;
            let next = state.waiting.pop_front();
            if next.is_none() {
                state.threads -= 1;
            }
            next
        };
        let Some(task) = next else { return };
        task();
    }
}
