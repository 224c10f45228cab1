//! Jobs as threads see them: a closure, its time and chance, and where its answer goes.

use std::sync::mpsc::SyncSender;

use tokio::sync::oneshot;

use crate::{
    StoreError, Tx, TxContext,
    sqlite::{ReadJob, Undo, WriteJob},
};

/// Where an answer goes.
pub(crate) trait Answer<T>: Send {
    /// Sends it; nobody may be there any more.
    fn send(self, value: T);
    /// Whether somebody is there.
    fn is_wanted(&self) -> bool;
}

impl<T: Send> Answer<T> for oneshot::Sender<T> {
    fn send(self, value: T) {
        let _ = oneshot::Sender::send(self, value);
    }

    fn is_wanted(&self) -> bool {
        !self.is_closed()
    }
}

impl<T: Send> Answer<T> for SyncSender<T> {
    fn send(self, value: T) {
        let _ = SyncSender::send(&self, value);
    }

    fn is_wanted(&self) -> bool {
        true
    }
}

/// A write: runs once or more, answers once.
pub(crate) struct Write<J, R, E, A> {
    context: TxContext,
    job: J,
    answer: A,
    result: Option<Result<R, E>>,
}

impl<J, R, E, A> Write<J, R, E, A> {
    pub(crate) fn new(context: TxContext, job: J, answer: A) -> Self {
        Self { context, job, answer, result: None }
    }
}

impl<J, R, E, A> WriteJob for Write<J, R, E, A>
where
    J: FnMut(&Tx) -> Result<R, E> + Send,
    R: Send,
    E: From<StoreError> + Send,
    A: Answer<Result<R, E>>,
{
    fn context(&self) -> TxContext {
        self.context
    }

    fn is_wanted(&self) -> bool {
        self.answer.is_wanted()
    }

    fn run(&mut self, tx: &Tx) -> Result<(), Undo> {
        // What an earlier run answered does not count any more, even if this one panics.
        self.result = None;
        let result = (self.job)(tx);
        let undo = result.is_err();
        self.result = Some(result);
        if undo { Err(Undo) } else { Ok(()) }
    }

    fn answer(self: Box<Self>) {
        let panicked = || Err(E::from(StoreError::Internal("a write job panicked".to_owned())));
        self.answer.send(self.result.unwrap_or_else(panicked));
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        self.answer.send(match self.result {
            // The job's own words about the same failure say more.
            Some(Err(own)) => Err(own),
            _ => Err(E::from(error)),
        });
    }
}

/// A read: runs once and answers.
pub(crate) struct Read<J, A> {
    context: TxContext,
    job: J,
    answer: A,
}

impl<J, A> Read<J, A> {
    pub(crate) fn new(context: TxContext, job: J, answer: A) -> Self {
        Self { context, job, answer }
    }
}

impl<J, R, E> ReadJob for Read<J, oneshot::Sender<Result<R, E>>>
where
    J: FnOnce(&Tx) -> Result<R, E> + Send,
    R: Send,
    E: From<StoreError> + Send,
{
    fn context(&self) -> TxContext {
        self.context
    }

    fn is_wanted(&self) -> bool {
        self.answer.is_wanted()
    }

    fn run(self: Box<Self>, tx: &Tx) {
        Answer::send(self.answer, (self.job)(tx));
    }

    fn refuse(self: Box<Self>, error: StoreError) {
        Answer::send(self.answer, Err(E::from(error)));
    }
}
