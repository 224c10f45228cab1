//! A bounded queue between threads: a full one refuses at once instead of letting callers wait without end.

use std::{collections::VecDeque, time::Duration};

use parking_lot::{Condvar, Mutex};

/// Why nothing can be put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused;

/// The queue.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
    capacity: usize,
}

struct State<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State { items: VecDeque::new(), closed: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), capacity: capacity.max(1) }
    }

    /// Puts `item` at the end, unless the queue is full or closed.
    pub(crate) fn push(&self, item: T) -> Result<(), Refused> {
        let mut state = self.state.lock();
        if state.closed || state.items.len() >= self.capacity {
            return Err(Refused);
        }
        state.items.push_back(item);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// The first item; waits for one. `None` once the queue is closed and empty.
    pub(crate) fn pop(&self) -> Option<T> {
        let mut state = self.state.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                return Some(item);
            }
            if state.closed {
                return None;
            }
            self.filled.wait(&mut state);
        }
    }

    /// As [`Queue::pop`], but `idle` runs once if nothing comes for so long.
    pub(crate) fn pop_or(&self, time: Duration, idle: impl FnOnce()) -> Option<T> {
        let mut state = self.state.lock();
        if state.items.is_empty() && !state.closed {
            self.filled.wait_for(&mut state, time);
        }
        let is_quiet = state.items.is_empty() && !state.closed;
        drop(state);
        if is_quiet {
            idle();
        }
        self.pop()
    }

    /// The first item, if there is one now.
    pub(crate) fn try_pop(&self) -> Option<T> {
        self.state.lock().items.pop_front()
    }

    /// Nothing goes in any more; what is in comes out.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.filled.notify_all();
    }

    /// Closes and throws away what is in.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let left = std::mem::take(&mut state.items);
        drop(state);
        self.filled.notify_all();
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_a_closed_one_empties() {
        let queue = Queue::new(2);
        assert_eq!((queue.push(1), queue.push(2), queue.push(3)), (Ok(()), Ok(()), Err(Refused)));
        assert_eq!(queue.try_pop(), Some(1));
        queue.close();
        assert_eq!(queue.push(4), Err(Refused));
        assert_eq!((queue.pop(), queue.pop()), (Some(2), None));
    }

    #[test]
    fn what_is_left_for_quiet_moments_runs_in_one_and_only_then() {
        let queue = Queue::new(2);
        let (mut quiet, time) = (0, Duration::from_millis(10));
        assert_eq!(queue.push(1), Ok(()));
        assert_eq!(queue.pop_or(time, || quiet += 1), Some(1));
        assert_eq!(quiet, 0);
        let pushed = queue.pop_or(time, || assert_eq!(queue.push(2), Ok(())));
        assert_eq!(pushed, Some(2));
        queue.close();
        assert_eq!(queue.pop_or(time, || quiet += 1), None);
        assert_eq!(quiet, 0);
    }
}
