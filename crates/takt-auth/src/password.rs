//! Passwords: what is accepted, and argon2id on one thread of its own.
//!
//! One thread, because hashing is meant to be slow and must not slow down pages; one reused buffer of 19 MiB,
//! because fresh memory costs half as much again as the hashing (`design/crates.md` 3.7). The queue is bounded:
//! when it is full, people are asked to come back instead of waiting for ever.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use subtle::ConstantTimeEq;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use crate::{AuthError, random};

/// OWASP: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
/// About what one hash takes; only for `Retry-After`.
const HASH_TIME: Duration = Duration::from_millis(25);
/// An idle server gives the buffer back.
const IDLE: Duration = Duration::from_secs(10);
/// Longer passwords are refused before any work is done on them.
const MAX_BYTES: usize = 1024;

/// Whether a text can be a password at all; for every door, before limits and hashing.
pub(crate) fn check_form(password: &str) -> Result<(), AuthError> {
    if password.len() > MAX_BYTES {
        let message = format!("Password cannot be longer than {MAX_BYTES} bytes");
        return Err(AuthError::ValidationFailed(message));
    }
    if password.contains('\0') {
        let message = "Password cannot contain the NUL character".to_owned();
        return Err(AuthError::ValidationFailed(message));
    }
    Ok(())
}

/// Whether a new password is good enough. Length is what counts; no rules of composition, no expiry.
pub(crate) fn check_strength(password: &str, min_length: usize) -> Result<(), AuthError> {
    check_form(password)?;
    if password.chars().count() >= min_length.max(1) {
        return Ok(());
    }
    let message = format!("Password should be at least {} characters.", min_length.max(1));
    Err(AuthError::WeakPassword { message, reasons: vec!["length"] })
}

/// What the hashing thread keeps between passwords.
type Memory = Vec<Block>;
type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// The hashing thread. It ends when this is dropped.
pub(crate) struct Hasher {
    queue: SyncSender<Job>,
    length: usize,
}

impl Hasher {
    pub(crate) fn start(queue_length: usize) -> Result<Self, AuthError> {
        let length = queue_length.max(1);
        let (queue, jobs) = sync_channel(length);
        std::thread::Builder::new()
            .name("takt-passwords".to_owned())
            .spawn(move || work(&jobs))
            .map_err(|e| AuthError::Start(format!("the hashing thread does not start: {e}")))?;
        Ok(Self { queue, length })
    }

    /// The PHC text of a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, AuthError> {
        let password = Zeroizing::new(password);
        let salt = random::bytes::<16>()?;
        self.run(move |memory| Stored::make(&password, salt, memory)).await?
    }

    /// Whether `password` is the one that `stored` was made of. Without `stored` (no such account, or none with a
    /// password) the same work is done and the answer is no.
    pub(crate) async fn verify(&self, password: String, stored: Option<String>) -> Result<bool, AuthError> {
        let password = Zeroizing::new(password);
        self.run(move |memory| match stored.as_deref().and_then(Stored::parse) {
            Some(stored) => stored.fits(&password, memory),
            None => Stored::dummy().fits(&password, memory).map(|_| false),
        })
        .await?
    }

    async fn run<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> R + Send + 'static,
    ) -> Result<R, AuthError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |memory| {
            // Whoever asked may have gone away while waiting.
            if !reply.is_closed() {
                let _ = reply.send(work(memory));
            }
        });
        let stopped = || AuthError::Internal("the hashing thread has stopped".to_owned());
        self.queue.try_send(job).map_err(|e| match e {
            TrySendError::Full(_) => AuthError::OverRequestRateLimit { retry_after: self.time_to_drain() },
            TrySendError::Disconnected(_) => stopped(),
        })?;
        answer.await.map_err(|_| stopped())
    }

    fn time_to_drain(&self) -> Duration {
        let all = HASH_TIME.saturating_mul(u32::try_from(self.length).unwrap_or(u32::MAX));
        Duration::from_secs(all.as_secs() + 1)
    }
}

fn work(jobs: &Receiver<Job>) {
    let mut memory = Memory::new();
    loop {
        match jobs.recv_timeout(IDLE) {
            // Whatever happens to one password, the next one is checked.
            Ok(job) => {
                if catch_unwind(AssertUnwindSafe(|| job(&mut memory))).is_err() {
                    memory = Memory::new();
                }
            }
            Err(RecvTimeoutError::Timeout) => memory = Memory::new(),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// A stored password: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.
struct Stored {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Stored {
    fn make(password: &str, salt: [u8; 16], memory: &mut Memory) -> Result<String, AuthError> {
        let params = params(MEMORY_KIB, PASSES, LANES)?;
        let hash = hash(&params, password, &salt, HASH_BYTES, memory)?;
        Ok(format!(
            "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${}${}",
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash),
        ))
    }

    /// `None` for what is no argon2id hash, or one that asks for absurd work.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut costs = costs.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.parse::<u32>().ok();
        let (m, t, p) = (cost("m=")?, cost("t=")?, cost("p=")?);
        if m > 128 * 1024 || t > 16 || p > 8 {
            return None;
        }
        let hash = STANDARD_NO_PAD.decode(hash).ok().filter(|h| (16..=64).contains(&h.len()))?;
        let salt = STANDARD_NO_PAD.decode(salt).ok().filter(|s| s.len() >= 8)?;
        Some(Self { params: params(m, t, p).ok()?, salt, hash })
    }

    /// Costs what a real one costs and fits nothing: nobody knows a password of this hash.
    fn dummy() -> Self {
        Self { params: Params::DEFAULT, salt: vec![0; 16], hash: vec![0; HASH_BYTES] }
    }

    fn fits(&self, password: &str, memory: &mut Memory) -> Result<bool, AuthError> {
        let hash = hash(&self.params, password, &self.salt, self.hash.len(), memory)?;
        Ok(hash.ct_eq(&self.hash).into())
    }
}

fn params(memory: u32, passes: u32, lanes: u32) -> Result<Params, AuthError> {
    Params::new(memory, passes, lanes, None).map_err(|e| internal(&e))
}

fn hash(
    params: &Params,
    password: &str,
    salt: &[u8],
    length: usize,
    memory: &mut Memory,
) -> Result<Vec<u8>, AuthError> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let mut out = vec![0; length];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(
            password.as_bytes(),
            salt,
            &mut out,
            memory.get_mut(..blocks).unwrap_or_default(),
        )
        .map_err(|e| internal(&e))?;
    Ok(out)
}

fn internal(error: &argon2::Error) -> AuthError {
    AuthError::Internal(format!("argon2: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::*;

    #[test]
    fn length_is_the_only_rule() {
        let refused = |password: &str| check_strength(password, 8).map_err(|e| e.code()).err();
        let cases = [
            ("", Some("weak_password")),
            ("1234567", Some("weak_password")),
            ("12345678", None),
            ("aaaaaaaa", None),
            // Eight characters, though more bytes.
            ("äöüäöüäö", None),
            ("äöüäöüä", Some("weak_password")),
            ("correct horse battery staple 🐎", None),
            ("with\0nul!", Some("validation_failed")),
        ];
        for (password, expected) in cases {
            assert_eq!(refused(password), expected, "{password:?}");
        }
        assert_eq!(refused(&"x".repeat(1024)), None);
        assert_eq!(refused(&"x".repeat(1025)), Some("validation_failed"));
    }

    #[tokio::test]
    async fn the_whole_password_is_compared() {
        let hasher = Hasher::start(4).unwrap();
        let long = "p".repeat(100);
        let stored = hasher.hash(long.clone()).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let verify = async |text: &str| hasher.verify(text.to_owned(), Some(stored.clone())).await.unwrap();
        assert!(verify(&long).await);
        // bcrypt would stop at byte 72.
        assert!(!verify(&format!("{}q", &long[..99])).await);
        assert!(!verify(&long[..99]).await);
        assert!(!verify("").await);
    }

    #[test]
    fn a_hash_of_another_program_is_read() {
        // From RFC-conforming libargon2: argon2id, m=256, t=2, p=1, "password", "somesalt".
        let stored = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let stored = Stored::parse(stored).unwrap();
        let mut memory = Memory::new();
        assert_eq!(stored.fits("password", &mut memory), Ok(true));
        assert_eq!(stored.fits("Password", &mut memory), Ok(false));
    }

    #[tokio::test]
    async fn equal_passwords_have_different_hashes() {
        let hasher = Hasher::start(1).unwrap();
        let one = hasher.hash("password".to_owned()).await.unwrap();
        let two = hasher.hash("password".to_owned()).await.unwrap();
        assert_ne!(one, two);
        assert_eq!(hasher.verify("password".to_owned(), Some(one)).await, Ok(true));
    }

    #[tokio::test]
    async fn nothing_fits_where_there_is_no_hash() {
        let hasher = Hasher::start(1).unwrap();
        for stored in [None, Some(""), Some("plain"), Some("$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA")] {
            let stored = stored.map(str::to_owned);
            assert_eq!(hasher.verify("plain".to_owned(), stored).await, Ok(false));
        }
        let absurd = "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0$".to_owned() + &"A".repeat(43);
        assert!(Stored::parse(&absurd).is_none());
    }

    #[tokio::test]
    async fn a_full_queue_asks_to_come_back() {
        let hasher = std::sync::Arc::new(Hasher::start(1).unwrap());
        let mut all = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let hasher = std::sync::Arc::clone(&hasher);
            all.spawn(async move { hasher.verify("x".to_owned(), None).await });
        }
        let results = all.join_all().await;
        let refused: Vec<_> = results.iter().filter_map(|r| r.as_ref().err()).collect();
        assert!(!refused.is_empty());
        for error in refused {
            assert_eq!(error.code(), "over_request_rate_limit");
            assert!(error.retry_after().unwrap() >= Duration::from_secs(1));
        }
        assert_eq!(hasher.verify("x".to_owned(), None).await, Ok(false), "works again");
    }

    #[tokio::test]
    async fn a_panic_ends_one_job_and_not_the_thread() {
        let hasher = Hasher::start(4).unwrap();
        let failed = hasher.run(|_| panic!("on purpose")).await;
        assert_eq!(failed, Err::<(), _>(AuthError::Internal("the hashing thread has stopped".to_owned())));
        assert_eq!(hasher.verify("x".to_owned(), None).await, Ok(false));
    }

    #[tokio::test]
    async fn an_unknown_account_costs_the_same_work() {
        let hasher = Hasher::start(4).unwrap();
        let stored = hasher.hash("right".to_owned()).await.unwrap();
        let time = async |stored: Option<String>| {
            let start = std::time::Instant::now();
            assert_eq!(hasher.verify("wrong".to_owned(), stored).await, Ok(false));
            start.elapsed().as_secs_f64()
        };
        // In turns, and the quickest of each: tests run beside each other, and other work only adds.
        let (mut known, mut unknown) = (f64::MAX, f64::MAX);
        for _ in 0..25 {
            known = known.min(time(Some(stored.clone())).await);
            unknown = unknown.min(time(None).await);
        }
        // Wide, because a loaded machine doubles either: a forgotten dummy is a factor of a thousand.
        assert!((0.1..10.0).contains(&(known / unknown)), "{known} {unknown}");
    }
}
