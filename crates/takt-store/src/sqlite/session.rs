//! What a running transaction has: a connection for as long as its job lasts, time, chance, and whether it still stands.

use std::{
    cell::{Cell, RefCell},
    hash::Hasher,
};

use uuid::Uuid;

use super::{error::driver, open::Db};
use crate::{StoreError, TxContext};

/// Whether a transaction may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// How a failed part of a transaction is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undoing {
    /// By a savepoint around each part. Each copies the pages that it may have to put back.
    InPart,
    /// Not in part: if a part fails that has written something, the whole transaction is given up
    /// ([`Session::has_given_up`]), and its jobs run again in the other way. For times when nothing fails.
    AsAWhole,
}

/// The innermost savepoint that is open; depth 0 if there is none.
#[derive(Debug, Clone, Copy, Default)]
struct Savepoint {
    depth: u32,
    /// [`Session::changes`] when it began.
    changes: u64,
}

/// A transaction's inside. Handles ([`crate::Tx`]) share it; after [`Session::end`] they are dead.
pub(crate) struct Session {
    db: RefCell<Option<Db>>,
    access: Access,
    undoing: Undoing,
    context: Cell<TxContext>,
    ids: Cell<Ids>,
    innermost: Cell<Savepoint>,
    /// Why SQLite rolled everything back by itself, if it did.
    fell: RefCell<Option<StoreError>>,
    given_up: Cell<bool>,
}

impl Session {
    /// `last_id` is the newest v7 id of the sessions before this one on the same writer: ids grow in the order of
    /// commits, so that "in the order of ids" is "in the order in which it happened".
    pub(crate) fn new(db: Db, access: Access, undoing: Undoing, context: TxContext, last_id: u128) -> Self {
        Self {
            db: RefCell::new(Some(db)),
            access,
            undoing,
            context: Cell::new(context),
            ids: Cell::new(Ids::new(context.seed, last_id)),
            innermost: Cell::default(),
            fell: RefCell::new(None),
            given_up: Cell::new(false),
        }
    }

    /// Takes the connection back; handles that are still around answer with an error from now on.
    pub(crate) fn end(&self) -> Option<Db> {
        self.db.borrow_mut().take()
    }

    /// The newest v7 id so far.
    pub(crate) fn last_id(&self) -> u128 {
        self.ids.get().last
    }

    /// Why the transaction fell, if it did.
    pub(crate) fn fall(&self) -> Option<StoreError> {
        self.fell.borrow().clone()
    }

    /// Whether something failed that could not be undone in part: the transaction must be rolled back, and whatever ran
    /// in it be run again with [`Undoing::InPart`].
    pub(crate) fn has_given_up(&self) -> bool {
        self.given_up.get()
    }

    /// For what is no change of rows and would go unnoticed (the schema): only with a way back.
    pub(crate) fn require_way_back(&self) -> Result<(), StoreError> {
        if self.undoing == Undoing::InPart {
            return Ok(());
        }
        self.give_up();
        Err(StoreError::Busy)
    }

    fn give_up(&self) {
        self.given_up.set(true);
        // Nobody is told: the job runs again.
        self.fell.borrow_mut().get_or_insert(StoreError::Busy);
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    pub(crate) fn context(&self) -> TxContext {
        self.context.get()
    }

    pub(crate) fn set_capture(&self, capture: bool) {
        self.context.set(TxContext { capture, ..self.context.get() });
    }

    /// Runs `work` on the connection, unless the job has ended or the transaction has fallen.
    pub(crate) fn with<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Db) -> Result<R, E>,
    ) -> Result<R, E> {
        if let Some(error) = self.fall() {
            return Err(E::from(error));
        }
        let held = self.db.borrow();
        let Some(db) = held.as_ref() else {
            return Err(E::from(StoreError::Internal("the transaction has ended".to_owned())));
        };
        work(db)
    }

    /// Whether the transaction can still be committed.
    pub(crate) fn is_alive(&self) -> bool {
        self.fell.borrow().is_none() && self.db.borrow().as_ref().is_some_and(|db| !db.conn.is_autocommit())
    }

    /// Runs `work` in a savepoint, which is rolled back if it fails. It is the one that is open already if nothing was
    /// written since that began: going back to it is the same, and each savepoint copies the pages that it may undo.
    pub(crate) fn savepoint<R, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<R, E>,
    ) -> Result<R, E> {
        if self.undoing == Undoing::AsAWhole {
            return self.hopefully(work);
        }
        let outer = self.innermost.get();
        let is_own = outer.depth == 0 || outer.changes != self.changes()?;
        let depth = if is_own { outer.depth + 1 } else { outer.depth };
        if is_own {
            self.step("SAVEPOINT", depth)?;
            self.begin_anew(depth)?;
        }
        let result = work();
        if self.has_fallen(result.is_err()) {
            return match result {
                // A job may have swallowed the error; the fall is not to be overlooked.
                Ok(_) => Err(E::from(self.fall().unwrap_or(StoreError::Full))),
                Err(e) => Err(e),
            };
        }
        if result.is_err() {
            self.step("ROLLBACK TO", depth)?;
            self.begin_anew(depth)?;
        }
        if is_own {
            self.step("RELEASE", depth)?;
            self.innermost.set(outer);
        }
        result
    }

    /// Runs `work` without a way back. What fails before it has written anything needs none.
    fn hopefully<R, E: From<StoreError>>(&self, work: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
        let before = self.changes()?;
        let result = work();
        if self.has_fallen(result.is_err()) {
            return match result {
                Ok(_) => Err(E::from(self.fall().unwrap_or(StoreError::Full))),
                Err(e) => Err(e),
            };
        }
        if result.is_err() && self.changes()? != before {
            self.give_up();
        }
        result
    }

    /// Nothing is written since the savepoint at this depth began.
    fn begin_anew(&self, depth: u32) -> Result<(), StoreError> {
        self.innermost.set(Savepoint { depth, changes: self.changes()? });
        Ok(())
    }

    /// Rows that the connection has written so far; grows with every write, also with one that was undone.
    fn changes(&self) -> Result<u64, StoreError> {
        self.with(|db| Ok(db.conn.total_changes()))
    }

    /// Notes when SQLite has rolled the whole transaction back (FULL, IOERR, NOMEM).
    fn has_fallen(&self, failed: bool) -> bool {
        if self.fell.borrow().is_some() {
            return true;
        }
        let gone = failed && self.db.borrow().as_ref().is_none_or(|db| db.conn.is_autocommit());
        if gone {
            self.fell.borrow_mut().get_or_insert(StoreError::Full);
        }
        gone
    }

    /// Notes `error` as the reason if the transaction fell with it.
    pub(crate) fn note(&self, error: &StoreError) {
        let gone = self.db.borrow().as_ref().is_some_and(|db| db.conn.is_autocommit());
        if gone && self.access == Access::Write {
            self.fell.borrow_mut().get_or_insert_with(|| error.clone());
        }
    }

    /// Each depth has a name of its own: what a panic leaves open is undone with the savepoint around it.
    fn step(&self, verb: &str, depth: u32) -> Result<(), StoreError> {
        let text = format!("{verb} takt{depth}");
        self.with(|db| {
            let done = db.conn.prepare_cached(&text).and_then(|mut s| s.raw_execute()).map_err(driver);
            done.map(|_| ())
        })
        .inspect_err(|e| {
            // Without its savepoint nothing can be undone in part: the whole must fall.
            let held = self.db.borrow();
            if let Some(db) = held.as_ref() {
                let _ = db.conn.execute_batch("ROLLBACK");
            }
            self.fell.borrow_mut().get_or_insert_with(|| e.clone());
        })
    }

    /// A new v7 UUID: time from the context, chance from the seed, growing within the transaction.
    pub(crate) fn new_uuid(&self) -> Uuid {
        let mut ids = self.ids.get();
        let uuid = ids.v7(self.context.get().now);
        self.ids.set(ids);
        uuid
    }

    /// A new v4 UUID from the seed.
    pub(crate) fn new_uuid_v4(&self) -> Uuid {
        let mut ids = self.ids.get();
        let bytes = (u128::from(ids.next()) << 64 | u128::from(ids.next())).to_be_bytes();
        self.ids.set(ids);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// Random bits of an id that are not time, version or variant.
const RANDOM_BITS: u32 = 74;

/// A seeded source of ids.
#[derive(Debug, Clone, Copy)]
struct Ids {
    seed: u64,
    drawn: u64,
    /// Time and random part of the last v7 id, without version and variant; 0 if there was none.
    last: u128,
}

impl Ids {
    fn new(seed: u64, last: u128) -> Self {
        Self { seed, drawn: 0, last }
    }

    /// A keyed hash (SipHash-2-4) of a counter: callers are told some ids of a transaction (its story's), and must not
    /// work out from them the others, which may be secrets.
    #[expect(deprecated, reason = "the standard library has no other SipHash whose key can be chosen")]
    fn next(&mut self) -> u64 {
        self.drawn += 1;
        let mut hash = std::hash::SipHasher::new_with_keys(self.seed, 0);
        hash.write_u64(self.drawn);
        hash.finish()
    }

    /// RFC 9562, method 2: within a millisecond the random part grows by a random step, so later ids are greater and
    /// none can be guessed. A clock that steps back goes on from the last id.
    fn v7(&mut self, now: i64) -> Uuid {
        let millis = u128::try_from(now.div_euclid(1_000)).unwrap_or_default() & 0xFFFF_FFFF_FFFF;
        let fresh = {
            // The highest bit starts as 0, which leaves room for as many steps as a millisecond can make.
            let random = (u128::from(self.next()) << 64 | u128::from(self.next())) >> (128 - RANDOM_BITS + 1);
            millis << RANDOM_BITS | random
        };
        let is_later = millis > self.last >> RANDOM_BITS;
        self.last = if is_later { fresh } else { self.last + 1 + u128::from(self.next() >> 32) };
        let (millis, random) = (self.last >> RANDOM_BITS, self.last & ((1 << RANDOM_BITS) - 1));
        let high = random >> 62;
        let low = random & ((1 << 62) - 1);
        Uuid::from_u128((millis & 0xFFFF_FFFF_FFFF) << 80 | 7 << 76 | high << 64 | 2 << 62 | low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_v7_and_grow_within_a_transaction() {
        let mut ids = Ids::new(7, 0);
        let now = 1_795_425_247_123_456;
        let made: Vec<Uuid> = (0..1_000).map(|_| ids.v7(now)).collect();
        assert!(made.windows(2).all(|w| w[0] < w[1]));
        for id in &made {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
            assert_eq!(id.get_timestamp().map(|t| t.to_unix().0), Some(1_795_425_247));
        }
    }

    #[test]
    fn ids_grow_from_transaction_to_transaction_whatever_the_clock_does() {
        let (mut last_id, mut last) = (0, Uuid::nil());
        for (seed, now) in [(1, 5_000_000), (2, 5_000_000), (3, 4_000_000), (4, 5_000_999), (5, 6_000_000)] {
            let mut ids = Ids::new(seed, last_id);
            for _ in 0..3 {
                let id = ids.v7(now);
                assert!(id > last, "{id} after {last}");
                last = id;
            }
            last_id = ids.last;
        }
    }

    #[test]
    fn an_id_tells_nothing_about_the_next() {
        let mut ids = Ids::new(7, 0);
        // What made the ids before could be run backwards from one of them (SplitMix64).
        let told = ids.v7(1_000_000).as_u128();
        let random = (told >> 64 & 0xFFF) << 62 | told & ((1 << 62) - 1);
        let drawn = u64::try_from(random >> 9 & u128::from(u64::MAX)).unwrap();
        let unmix = |z: u64, shift: u32| (0..64 / shift).fold(z, |x, _| z ^ (x >> shift));
        let z = unmix(drawn, 31).wrapping_mul(0x3196_42B2_D24D_8EC3);
        let state = unmix(unmix(z, 27).wrapping_mul(0x96DE_1B17_3F11_9089), 30);
        let mut guessed = Ids::new(state, 0);
        guessed.next();
        assert_ne!(guessed.next(), ids.next(), "what comes next follows from an id");
    }

    #[test]
    fn the_same_seed_gives_the_same_ids_and_another_gives_others() {
        let first = |seed| Ids::new(seed, 0).v7(1_000);
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
