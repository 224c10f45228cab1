//! The circuit breaker of a connection: too many failures among the last calls, or nobody there at all, and nobody calls
//! for a while; then one call tries. Pure; its state is persisted by whoever has it, so that a restart does not begin to knock again.

use std::{collections::VecDeque, time::Duration};

use takt_model::Breaker as Rules;

use crate::{Outcome, outcome::micros};

/// The first pause where nobody was there at all: that costs the other side nothing, and a restart is over soon.
const ABSENT: Duration = Duration::from_secs(5);

/// A breaker.
#[derive(Debug, Clone)]
pub(crate) struct Breaker {
    rules: Rules,
    /// Whether each of the last calls failed.
    last: VecDeque<bool>,
    state: State,
}

/// Moments and pauses are microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Calls go through.
    Closed,
    /// None does until `until`; then one may try.
    Open { until: i64, pause: i64 },
}

impl Breaker {
    pub(crate) fn new(rules: Rules, state: State) -> Self {
        Self { rules, last: VecDeque::new(), state }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// How many of `wanted` calls may begin now, while `running` run.
    pub(crate) fn allowed(&self, wanted: usize, running: usize, now: i64) -> usize {
        match self.state {
            State::Closed => wanted,
            State::Open { until, .. } if now >= until && running == 0 => wanted.min(1),
            State::Open { .. } => 0,
        }
    }

    /// A call has found nobody there and no other runs: that is enough. What comes now would only overtake what waits.
    pub(crate) fn absent(&mut self, now: i64) {
        match self.state {
            State::Closed => {
                let pause = micros(self.rules.pause.min(ABSENT));
                self.state = State::Open { until: now.saturating_add(pause), pause };
            }
            State::Open { .. } => self.ended(Outcome::Failed, now),
        }
    }

    /// A call has ended. A refusal is an answer: the other side is there.
    pub(crate) fn ended(&mut self, outcome: Outcome, now: i64) {
        let failed = matches!(outcome, Outcome::Failed | Outcome::Unknown);
        match (self.state, failed) {
            (State::Open { .. }, false) => {
                self.state = State::Closed;
                self.last.clear();
            }
            // Calls that were under way when it opened do not count again.
            (State::Open { until, pause }, true) if now >= until => {
                let pause = pause.saturating_mul(2).min(micros(self.rules.pause_max));
                self.state = State::Open { until: now.saturating_add(pause), pause };
            }
            (State::Open { .. }, true) => {}
            (State::Closed, _) => self.count(failed, now),
        }
    }

    fn count(&mut self, failed: bool, now: i64) {
        self.last.push_back(failed);
        let most = usize::try_from(self.rules.of).unwrap_or(usize::MAX);
        while self.last.len() > most {
            self.last.pop_front();
        }
        let failures = self.last.iter().filter(|f| **f).count();
        if failures >= usize::try_from(self.rules.failures).unwrap_or(usize::MAX) {
            let pause = micros(self.rules.pause);
            self.state = State::Open { until: now.saturating_add(pause), pause };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn breaker() -> Breaker {
        Breaker::new(Rules::default(), State::Closed)
    }

    #[test]
    fn five_failures_of_ten_open_it_and_one_success_closes_it() {
        let mut b = breaker();
        for _ in 0..4 {
            b.ended(Outcome::Failed, 0);
            b.ended(Outcome::Ok, 0);
        }
        assert_eq!(b.state(), State::Closed);
        b.ended(Outcome::Unknown, 0);
        assert_eq!(b.state(), State::Open { until: 30 * SECOND, pause: 30 * SECOND });
        assert_eq!(b.allowed(8, 0, 29 * SECOND), 0);
        assert_eq!(b.allowed(8, 0, 30 * SECOND), 1, "one may try");
        assert_eq!(b.allowed(8, 1, 30 * SECOND), 0, "but only one");
        b.ended(Outcome::Ok, 31 * SECOND);
        assert_eq!(b.allowed(8, 0, 31 * SECOND), 8);
    }

    #[test]
    fn each_failed_try_doubles_the_pause_up_to_its_end() {
        let mut b = breaker();
        (0..5).for_each(|_| b.ended(Outcome::Failed, 0));
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let State::Open { until, pause } = b.state() else { return };
            pauses.push(pause / SECOND);
            b.ended(Outcome::Failed, until - 1);
            assert_eq!(b.state(), State::Open { until, pause }, "calls that were under way do not count");
            b.ended(Outcome::Failed, until);
        }
        assert_eq!(pauses, [30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn nobody_there_opens_it_at_once_and_the_first_pause_is_short() {
        let mut b = breaker();
        b.absent(0);
        assert_eq!(b.state(), State::Open { until: 5 * SECOND, pause: 5 * SECOND });
        b.absent(5 * SECOND);
        assert_eq!(b.state(), State::Open { until: 15 * SECOND, pause: 10 * SECOND });
        b.ended(Outcome::Ok, 16 * SECOND);
        assert_eq!(b.state(), State::Closed);
    }

    #[test]
    fn refusals_are_answers() {
        let mut b = breaker();
        (0..100).for_each(|_| b.ended(Outcome::Refused, 0));
        assert_eq!(b.state(), State::Closed);
    }
}
