//! What verified tokens must not be believed any more: sessions that have ended, and rights that have changed.
//! In memory, because every request asks; fed by our own writes after their commit, and loaded at start.

use std::collections::HashMap;

use parking_lot::RwLock;
use serde_json::Value;
use takt_model::Uuid;

/// An ended session and the moment (microseconds) until which a token of it could still be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) session: Uuid,
    pub(crate) until: i64,
}

/// Tokens of `user` issued up to `at` carry rights that are no longer true.
#[derive(Debug, Clone)]
pub(crate) struct NewRights {
    pub(crate) user: Uuid,
    /// Microseconds.
    pub(crate) at: i64,
    pub(crate) app_metadata: Value,
}

/// The memory.
#[derive(Default)]
pub(crate) struct Revocation {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    ended: HashMap<Uuid, i64>,
    rights: HashMap<Uuid, (i64, Value)>,
}

impl Revocation {
    pub(crate) fn end(&self, sessions: impl IntoIterator<Item = Ended>) {
        let mut state = self.state.write();
        state.ended.extend(sessions.into_iter().map(|e| (e.session, e.until)));
    }

    pub(crate) fn change(&self, rights: impl IntoIterator<Item = NewRights>) {
        let mut state = self.state.write();
        state.rights.extend(rights.into_iter().map(|r| (r.user, (r.at, r.app_metadata))));
    }

    pub(crate) fn is_ended(&self, session: Uuid) -> bool {
        self.state.read().ended.contains_key(&session)
    }

    /// The `app_metadata` that is true now, if a token issued at `issued_at` (seconds) may not know it.
    pub(crate) fn rights_since(&self, user: Uuid, issued_at: i64) -> Option<Value> {
        let state = self.state.read();
        let (at, app_metadata) = state.rights.get(&user)?;
        (issued_at <= at.div_euclid(1_000_000)).then(|| app_metadata.clone())
    }

    /// Forgets what no token can need any more. `longest` is the life of an access token.
    pub(crate) fn forget(&self, now: i64, longest: i64) {
        let mut state = self.state.write();
        state.ended.retain(|_, until| *until > now);
        state.rights.retain(|_, (at, _)| at.saturating_add(longest) > now);
    }
}
