//! How an attempt ended, and what follows from it. Pure.
//! Invariant: whoever may have received something is never told "failed"; nobody knows is an outcome of its own.

use std::time::Duration;

use takt_model::{Deliver, OnUnknown, Retry};
use takt_outbound::{ConnectStep, MailError, MailStage, OutboundError};

use crate::{Judged, payload};

/// The end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It arrived.
    Ok,
    /// The other side will not take it as it is.
    Refused,
    /// It did not arrive; trying again makes sense.
    Failed,
    /// Bytes left and no answer came.
    Unknown,
}

impl Outcome {
    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The outcome called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ok, Self::Refused, Self::Failed, Self::Unknown].into_iter().find(|o| o.name() == name)
    }
}

/// Why an attempt brought no success, where we know it ourselves: people read it in words of their language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The name of the other side leads nowhere.
    NoName,
    /// Nobody listens there.
    Refused,
    /// No way leads there.
    NoRoute,
    /// The certificate is not trusted, or the two sides share no way of encryption.
    Tls,
    /// The answer did not come in time.
    Timeout,
    /// The connection broke before the answer, or during it.
    Lost,
    /// The other side asked for patience: nobody hurries before that is over.
    Patience,
    /// Our own server ended during the attempt.
    Interrupted,
    /// A secret of the connection is not set.
    NoSecret,
    /// A mail server took the mail not now, or not at all.
    MailServer,
    /// It was looked up there whether it arrived, and that did not tell.
    CannotTell,
    /// A function of the project refused by its own rules; its words stand in the error.
    Rules,
}

impl Cause {
    const ALL: [Self; 12] = [
        Self::NoName,
        Self::Refused,
        Self::NoRoute,
        Self::Tls,
        Self::Timeout,
        Self::Lost,
        Self::Patience,
        Self::Interrupted,
        Self::NoSecret,
        Self::MailServer,
        Self::CannotTell,
        Self::Rules,
    ];

    /// As it is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoName => "no_name",
            Self::Refused => "refused",
            Self::NoRoute => "no_route",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Lost => "lost",
            Self::Patience => "patience",
            Self::Interrupted => "interrupted",
            Self::NoSecret => "no_secret",
            Self::MailServer => "mail_server",
            Self::CannotTell => "cannot_tell",
            Self::Rules => "rules",
        }
    }

    /// The cause called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|c| c.name() == name)
    }

    /// Whether nobody was there at all: not a byte left, so it cannot be the message's own fault.
    #[must_use]
    pub fn is_absence(self) -> bool {
        matches!(self, Self::NoName | Self::Refused | Self::NoRoute | Self::Tls)
    }

    fn of_step(step: ConnectStep) -> Self {
        match step {
            ConnectStep::Name => Self::NoName,
            ConnectStep::Refused => Self::Refused,
            ConnectStep::Tls => Self::Tls,
            ConnectStep::Route => Self::NoRoute,
        }
    }

    /// Of an error of the door to the outside.
    #[must_use]
    pub fn of_error(error: &OutboundError) -> Option<Self> {
        match error {
            OutboundError::Invalid(_) | OutboundError::PrivateAddress { .. } => None,
            OutboundError::Connect { step, .. } => Some(Self::of_step(*step)),
            OutboundError::Timeout { .. } => Some(Self::Timeout),
            OutboundError::Lost { .. } | OutboundError::TooLarge { .. } | OutboundError::Broken { .. } => {
                Some(Self::Lost)
            }
        }
    }

    /// Of an error of the door for mails.
    #[must_use]
    pub fn of_mail(error: &MailError) -> Option<Self> {
        match error {
            MailError::Invalid(_) | MailError::PrivateAddress { .. } => None,
            MailError::NoConnection { step, .. } => Some(Self::of_step(*step)),
            MailError::Refused { .. } | MailError::Failed { answer: Some(_), .. } => Some(Self::MailServer),
            MailError::Failed { stage: MailStage::Connect, .. } => Some(Self::NoRoute),
            MailError::Failed { stage: MailStage::Tls, .. } => Some(Self::Tls),
            MailError::Failed { .. } | MailError::Unknown { .. } => Some(Self::Lost),
        }
    }
}

/// What an attempt gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The class.
    pub outcome: Outcome,
    /// HTTP or SMTP status.
    pub status: Option<u16>,
    /// The first bytes of the answer, for people.
    pub response: Option<String>,
    /// What went wrong, in one sentence.
    pub error: Option<String>,
    /// Why, where we know it ourselves.
    pub cause: Option<Cause>,
    /// What the other side asked us to wait.
    pub retry_after: Option<Duration>,
    /// The other side is gone for good (410).
    pub gone: bool,
    /// Results of steps that have finished, as JSON; kept for the next attempt.
    pub journal: Option<String>,
    /// What a poll brought, as JSON text.
    pub result: Option<String>,
    /// What the messages were like beside their contract.
    pub judged: Judged,
    /// The beginning of what was sent; what of it is kept for people, is masked first.
    pub sent: Option<String>,
}

impl Ended {
    /// An end without an answer.
    #[must_use]
    pub fn without_answer(outcome: Outcome, error: impl Into<String>) -> Self {
        Self {
            outcome,
            status: None,
            response: None,
            error: Some(error.into()),
            cause: None,
            retry_after: None,
            gone: false,
            journal: None,
            result: None,
            judged: Judged::default(),
            sent: None,
        }
    }

    /// What others answered as a database keeps it: a text has no NUL, and one in an answer must not keep the end of
    /// the attempt from being written down.
    pub(crate) fn make_storable(&mut self) {
        let texts =
            [&mut self.response, &mut self.error, &mut self.sent, &mut self.result, &mut self.journal];
        texts.into_iter().flatten().for_each(payload::without_nul);
        self.judged.make_storable();
    }

    /// From an error of the door to the outside.
    #[must_use]
    pub fn of_error(error: &OutboundError) -> Self {
        let outcome = match error {
            // As it stands it can never leave.
            OutboundError::Invalid(_) | OutboundError::PrivateAddress { .. } => Outcome::Refused,
            e if e.may_have_arrived() => Outcome::Unknown,
            _ => Outcome::Failed,
        };
        Self { cause: Cause::of_error(error), ..Self::without_answer(outcome, error.to_string()) }
    }

    /// The cause as it is written down: whoever asked for patience gets it, whatever else was wrong.
    pub(crate) fn cause(&self) -> Option<Cause> {
        match (self.outcome, self.retry_after) {
            (Outcome::Ok, _) => None,
            (Outcome::Failed, Some(_)) => Some(Cause::Patience),
            (Outcome::Refused | Outcome::Failed | Outcome::Unknown, _) => self.cause,
        }
    }
}

/// What HTTP's status means for a delivery: 2xx arrived; of the others only those that pass by themselves are tried
/// again (Standard Webhooks; RFC 9110). A redirect is among them: nobody follows it, and pages of maintenance are
/// reached by one.
#[must_use]
pub fn of_status(status: u16, ok_also: &[u16]) -> Outcome {
    match status {
        200..=299 => Outcome::Ok,
        s if ok_also.contains(&s) => Outcome::Ok,
        300..=399 | 408 | 409 | 425 | 429 | 500..=599 => Outcome::Failed,
        _ => Outcome::Refused,
    }
}

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It is done.
    Delivered,
    /// Tried again after this long.
    Again(Duration),
    /// A dead letter: a person decides.
    Dead,
    /// Nobody knows whether it arrived: a person decides.
    Ask,
}

/// What follows from the end of attempt `number` (from 1), `since_first` after the first one. `chance` is from 0 to 1.
pub(crate) fn next(deliver: &Rules, ended: &Ended, number: u32, since_first: Duration, chance: f64) -> Next {
    let again = || {
        let pause = pause(&deliver.retry, number, chance);
        let pause =
            ended.retry_after.map_or(pause, |asked| asked.clamp(Duration::from_secs(1), LONGEST_WAIT));
        if since_first >= deliver.retry.give_up { Next::Dead } else { Next::Again(pause) }
    };
    match ended.outcome {
        Outcome::Ok => Next::Delivered,
        Outcome::Refused => Next::Dead,
        Outcome::Failed => again(),
        Outcome::Unknown => match deliver.on_unknown {
            // A look that could not be made is made later.
            OnUnknown::LookUp if ended.cause == Some(Cause::CannotTell) => Next::Ask,
            OnUnknown::Resend | OnUnknown::LookUp => again(),
            OnUnknown::Ask => Next::Ask,
        },
    }
}

/// A span as the tables have it: microseconds.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// Nobody makes us wait longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// What the rules of an operation say about repeats.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) retry: Retry,
    pub(crate) on_unknown: OnUnknown,
}

impl Rules {
    pub(crate) fn of(deliver: &Deliver) -> Self {
        Self { retry: deliver.retry.clone(), on_unknown: deliver.on_unknown }
    }

    /// Of our own functions: they leave no trace when they fail, so a repeat is always right.
    pub(crate) fn of_functions() -> Self {
        Self { retry: Retry::api(), on_unknown: OnUnknown::Resend }
    }
}

/// The pause after attempt `number`, up to a tenth longer, so that a crowd does not come back at one moment.
fn pause(retry: &Retry, number: u32, chance: f64) -> Duration {
    let at = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let pause = retry.schedule.get(at).or(retry.schedule.last()).copied().unwrap_or(Duration::from_secs(60));
    pause.mul_f64(1.0 + 0.1 * chance.clamp(0.0, 1.0))
}

/// `Retry-After`: seconds, or a date.
#[must_use]
pub fn retry_after(value: &str, now_seconds: i64) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let at = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(at.saturating_sub(Duration::from_secs(u64::try_from(now_seconds).unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(outcome: Outcome) -> Ended {
        Ended::without_answer(outcome, "")
    }

    #[test]
    fn statuses_have_their_classes() {
        for (status, outcome) in [
            (200, Outcome::Ok),
            (204, Outcome::Ok),
            (302, Outcome::Failed),
            (400, Outcome::Refused),
            (401, Outcome::Refused),
            (404, Outcome::Refused),
            (408, Outcome::Failed),
            (409, Outcome::Failed),
            (410, Outcome::Refused),
            (422, Outcome::Refused),
            (425, Outcome::Failed),
            (429, Outcome::Failed),
            (500, Outcome::Failed),
            (503, Outcome::Failed),
        ] {
            assert_eq!(of_status(status, &[]), outcome, "{status}");
        }
        assert_eq!(of_status(409, &[409]), Outcome::Ok, "said to be fine");
    }

    #[test]
    fn pauses_grow_and_end_after_the_time_to_give_up() {
        let rules = Rules { retry: Retry::webhook(), on_unknown: OnUnknown::Resend };
        let at =
            |number, since| next(&rules, &ended(Outcome::Failed), number, Duration::from_secs(since), 0.0);
        for (number, seconds) in [(1, 5), (2, 30), (3, 300), (4, 1800), (7, 36_000), (20, 36_000)] {
            assert_eq!(at(number, 0), Next::Again(Duration::from_secs(seconds)), "{number}");
        }
        assert!(matches!(at(13, 75 * 3600), Next::Again(_)));
        assert_eq!(at(14, 76 * 3600), Next::Dead);
    }

    #[test]
    fn the_other_side_may_ask_for_patience_but_not_for_ever() {
        let rules = Rules::of_functions();
        let asked = |seconds| {
            let ended = Ended { retry_after: Some(Duration::from_secs(seconds)), ..ended(Outcome::Failed) };
            next(&rules, &ended, 1, Duration::ZERO, 0.5)
        };
        assert_eq!(asked(90), Next::Again(Duration::from_secs(90)));
        assert_eq!(asked(0), Next::Again(Duration::from_secs(1)));
        assert_eq!(asked(10_000_000), Next::Again(LONGEST_WAIT));
    }

    #[test]
    fn what_nobody_knows_is_sent_again_or_asked() {
        let ask = Rules { retry: Retry::api(), on_unknown: OnUnknown::Ask };
        assert_eq!(next(&ask, &ended(Outcome::Unknown), 1, Duration::ZERO, 0.0), Next::Ask);
        assert_eq!(next(&ask, &ended(Outcome::Refused), 1, Duration::ZERO, 0.0), Next::Dead);
        let look = Rules { retry: Retry::api(), on_unknown: OnUnknown::LookUp };
        let unsure = Ended { cause: Some(Cause::CannotTell), ..ended(Outcome::Unknown) };
        assert_eq!(next(&look, &unsure, 2, Duration::ZERO, 0.0), Next::Ask);
        let later = next(&look, &ended(Outcome::Unknown), 1, Duration::ZERO, 0.0);
        assert_eq!(later, Next::Again(Duration::from_secs(2)), "it is looked up with the next attempt");
        let again = next(&Rules::of_functions(), &ended(Outcome::Unknown), 1, Duration::ZERO, 0.0);
        assert_eq!(again, Next::Again(Duration::from_secs(2)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("120", 0), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:02:00 GMT", 60), Some(Duration::from_secs(60)));
        assert_eq!(retry_after("Thu, 01 Jan 1970 00:00:00 GMT", 60), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", 0), None);
    }
}
