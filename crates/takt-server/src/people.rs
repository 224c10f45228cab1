//! People and keys that act or look: how they are named in the audit, which reason is one, who may see what.
//! Lives here: actors, reasons, the rights of console roles over stories. Not here: the rows (`takt-engine`).

use std::{collections::HashMap, net::IpAddr};

use parking_lot::Mutex;
use takt_auth::StudioRole;
use takt_engine::{Actor, ActorKind, Deed, Engine};
use takt_model::Principal;

/// Characters that a reason needs, and may have.
pub(crate) const SHORTEST_REASON: usize = 10;
const LONGEST_REASON: usize = 500;
/// A repeated look within this time is the same look; microseconds.
const SAME_LOOK: i64 = 15 * 60 * 1_000_000;
/// Looks that are remembered for that.
const MOST_LOOKS: usize = 10_000;

/// Why a reason is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoReason {
    /// Shorter than ten characters, or only one word.
    TooShort,
    /// Longer than anybody reads.
    TooLong,
}

impl NoReason {
    pub(crate) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::TooShort => (
                "Bitte nennen Sie den Grund in ein paar Worten (mindestens zehn Zeichen, zwei Wörter).",
                "Please give the reason in a few words (at least ten characters, two words).",
            ),
            Self::TooLong => (
                "Der Grund ist zu lang: höchstens 500 Zeichen.",
                "The reason is too long: at most 500 characters.",
            ),
        }
    }
}

/// A typed reason, if it says something: two words or more, not one letter over and over.
pub(crate) fn reason(typed: &str) -> Result<String, NoReason> {
    let words: Vec<&str> = typed.split_whitespace().filter(|w| w.chars().any(char::is_alphabetic)).collect();
    let clean: String = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    let clean: String = clean.chars().filter(|c| !c.is_control()).collect();
    let mut letters: Vec<char> =
        clean.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    letters.sort_unstable();
    letters.dedup();
    match clean.chars().count() {
        n if n > LONGEST_REASON => Err(NoReason::TooLong),
        n if n < SHORTEST_REASON || words.len() < 2 || letters.len() < 4 => Err(NoReason::TooShort),
        _ => Ok(clean),
    }
}

/// An account, from an address.
pub(crate) fn account(who: &Principal, email: &str, from: IpAddr) -> Actor {
    Actor { kind: ActorKind::Account, account: who.uid(), name: email.to_owned(), place: from.to_string() }
}

/// A program with the secret key.
pub(crate) fn secret_key(from: IpAddr) -> Actor {
    Actor { kind: ActorKind::Key, account: None, name: "secret key".to_owned(), place: from.to_string() }
}

/// Somebody at a terminal who may open the data folder.
pub(crate) fn command(name: &str) -> Actor {
    let name = if name.trim().is_empty() { "unknown" } else { name.trim() };
    Actor { kind: ActorKind::Command, account: None, name: name.to_owned(), place: "command line".to_owned() }
}

/// Whether a console role may see personal values for a reason. Editors work with the tables that their roles open.
pub(crate) fn may_reveal(role: StudioRole) -> bool {
    match role {
        StudioRole::Owner | StudioRole::Developer | StudioRole::Auditor => true,
        StudioRole::Editor => false,
    }
}

/// Whether a console role may read the audit.
pub(crate) fn may_audit(role: StudioRole) -> bool {
    matches!(role, StudioRole::Owner | StudioRole::Auditor)
}

/// The console role that a token carries. It is that of now: a change of rights is laid over tokens from before.
pub(crate) fn studio_role(who: &Principal) -> Option<StudioRole> {
    let role = who.user.as_ref()?.claims.get("app_metadata")?.get("studio_role")?;
    StudioRole::parse(role.as_str()?)
}

/// Who looks, and why.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    pub(crate) by: Actor,
    /// With one, personal values are shown.
    pub(crate) reason: Option<String>,
}

impl Look {
    pub(crate) fn deed(&self, act: &str, subject: String) -> Deed {
        Deed { by: self.by.clone(), act: act.to_owned(), subject, reason: self.reason.clone() }
    }
}

/// Looks of the last minutes, so that a page that is loaded again is not a second look.
#[derive(Debug, Default)]
pub(crate) struct Looks {
    seen: Mutex<HashMap<(String, String), i64>>,
}

impl Looks {
    /// Whether this is a look of its own.
    fn is_new(&self, look: &Look, subject: &str, now: i64) -> bool {
        let mut seen = self.seen.lock();
        if seen.len() >= MOST_LOOKS {
            seen.retain(|_, at| now - *at < SAME_LOOK);
        }
        if seen.len() >= MOST_LOOKS {
            seen.clear();
        }
        // A look within that time does not prolong it: who looks all day leaves more than one row.
        let key = Self::key(look, subject);
        let is_new = seen.get(&key).is_none_or(|before| now - *before >= SAME_LOOK);
        if is_new {
            seen.insert(key, now);
        }
        is_new
    }

    fn key(look: &Look, subject: &str) -> (String, String) {
        (format!("{} {}", look.by.name, look.by.place), subject.to_owned())
    }

    /// Writes a look without personal values down. Who looks after a disk that is full must be able to look, so a
    /// failure is only logged; looks at personal values are written down before anything is shown.
    pub(crate) async fn note(&self, engine: &Engine, look: &Look, act: &str, subject: String) {
        if !self.is_new(look, &subject, engine.now()) {
            return;
        }
        if let Err(error) = engine.note_deed(look.deed(act, subject.clone())).await {
            // The next look tries again.
            self.seen.lock().remove(&Self::key(look, &subject));
            tracing::error!(%error, "a look was not written to the audit");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_something() {
        for (typed, taken) in [
            ("Rückfrage der Kundin", Ok("Rückfrage der Kundin")),
            ("  complaint   about delivery ", Ok("complaint about delivery")),
            ("Order 10482 complaint", Ok("Order 10482 complaint")),
            ("", Err(NoReason::TooShort)),
            ("because", Err(NoReason::TooShort)),
            ("becausebecause", Err(NoReason::TooShort)),
            ("aaaaa aaaaaa", Err(NoReason::TooShort)),
            ("12345 67890 1", Err(NoReason::TooShort)),
            (". . . . . . . .", Err(NoReason::TooShort)),
        ] {
            assert_eq!(reason(typed), taken.map(str::to_owned), "{typed}");
        }
        assert_eq!(reason(&"why not ".repeat(100)), Err(NoReason::TooLong));
    }

    #[test]
    fn a_page_that_is_loaded_again_is_the_same_look() {
        let looks = Looks::default();
        let look = |name: &str| Look { by: command(name), reason: None };
        assert!(looks.is_new(&look("ada"), "story 1", 0));
        assert!(!looks.is_new(&look("ada"), "story 1", SAME_LOOK - 1));
        assert!(looks.is_new(&look("ada"), "story 2", SAME_LOOK - 1));
        assert!(looks.is_new(&look("bob"), "story 1", SAME_LOOK - 1));
        assert!(looks.is_new(&look("ada"), "story 1", SAME_LOOK), "looking again did not prolong it");
        assert!(!looks.is_new(&look("ada"), "story 1", 2 * SAME_LOOK - 1));
        assert!(looks.is_new(&look("ada"), "story 1", 2 * SAME_LOOK));
    }
}
