//! The audit: which person or key did or looked at what, when, from where and why.
//! Lives here: its rows. They are added and, after `logic.audit`, forgotten; nothing here or above changes one.
//! Not here: what people call it (`takt-report`), who may read it (`takt-server`).

use takt_model::{CompareOp, Expr, Principal, Uuid, Value};
use takt_plan::Direction;

use crate::{Engine, EngineError, EngineTx, forget};

const TABLE: &str = "takt.audit";
const FIELDS: [&str; 9] = ["id", "at", "act", "actor", "account", "name", "subject", "reason", "place"];
/// Characters of a text.
const LONGEST: usize = 500;

/// As what somebody acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// An account that is signed in.
    Account,
    /// A program with the secret key.
    Key,
    /// Somebody with the data folder: a command.
    Command,
}

impl ActorKind {
    fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Key => "key",
            Self::Command => "command",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Account, Self::Key, Self::Command].into_iter().find(|k| k.name() == name)
    }
}

/// Who acts, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// As what.
    pub kind: ActorKind,
    /// The account, if it is one.
    pub account: Option<Uuid>,
    /// Email address, the name a person gave, or the name of the key.
    pub name: String,
    /// From where: `203.0.113.9`, `command line`.
    pub place: String,
}

/// What somebody does, for the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Who.
    pub by: Actor,
    /// `story.look`, `delivery.replay`: a stable word.
    pub act: String,
    /// To what: `story 0199...`, `connection erp`.
    pub subject: String,
    /// What was given as the reason.
    pub reason: Option<String>,
}

/// A row of the audit.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AuditEntry {
    /// Id; grows with time.
    pub id: Uuid,
    /// Microseconds since 1970 UTC.
    pub at: i64,
    /// See [`Deed::act`].
    pub act: String,
    /// As what somebody acted.
    pub actor: ActorKind,
    /// The account, if it is one.
    pub account: Option<Uuid>,
    /// See [`Actor::name`].
    pub name: String,
    /// See [`Deed::subject`].
    pub subject: String,
    /// See [`Deed::reason`].
    pub reason: Option<String>,
    /// See [`Actor::place`].
    pub place: String,
}

/// Which rows somebody wants to see; all of these hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of one of these acts, or of all that begin with one and a dot (`story` for `story.look`); empty means all.
    pub acts: Vec<String>,
    /// About one thing.
    pub subject: Option<String>,
    /// At or after.
    pub since: Option<i64>,
    /// Older than this row, for the next page.
    pub before: Option<Uuid>,
}

impl AuditEntry {
    fn from_row(row: Vec<Value>) -> Option<Self> {
        let [id, at, act, actor, account, name, subject, reason, place]: [Value; 9] = row.try_into().ok()?;
        let text = |v: Value| if let Value::Text(t) = v { Some(t) } else { None };
        let uuid = |v: Value| if let Value::Uuid(id) = v { Some(id) } else { None };
        let Value::Timestamp(at) = at else { return None };
        Some(Self {
            id: uuid(id)?,
            at,
            act: text(act)?,
            actor: ActorKind::named(&text(actor)?)?,
            account: uuid(account),
            name: text(name)?,
            subject: text(subject)?,
            reason: text(reason),
            place: text(place)?,
        })
    }
}

impl EngineTx {
    /// Writes a deed down, in the transaction that does it: neither is without the other.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn note_deed(&self, deed: &Deed) -> Result<(), EngineError> {
        let text = |t: &str| Value::Text(t.chars().take(LONGEST).collect());
        let plan = self.on(TABLE)?.insert(vec![
            ("id", Value::Uuid(self.new_uuid())),
            ("at", Value::Timestamp(self.now())),
            ("act", text(&deed.act)),
            ("actor", Value::Text(deed.by.kind.name().to_owned())),
            ("account", deed.by.account.map_or(Value::Null, Value::Uuid)),
            ("name", text(&deed.by.name)),
            ("subject", text(&deed.subject)),
            ("reason", deed.reason.as_deref().map_or(Value::Null, text)),
            ("place", text(&deed.by.place)),
        ])?;
        self.rows(&Principal::system("audit: write"), plan)?;
        Ok(())
    }
}

impl Engine {
    /// Writes down what changes nothing else: a look.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn note_deed(&self, deed: Deed) -> Result<(), EngineError> {
        self.transact(move |tx| tx.note_deed(&deed)).await
    }

    /// Rows of the audit, newest first.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn audit(&self, filter: &AuditFilter, limit: u64) -> Result<Vec<AuditEntry>, EngineError> {
        self.look_up(|tx| {
            let on = tx.on(TABLE)?;
            let mut all = Vec::new();
            let mut acts = Vec::new();
            for act in &filter.acts {
                // From `story.` to `story/`, the next character: everything that begins with it.
                let begins = |end: &str| Value::Text(format!("{act}{end}"));
                let beneath = on.compare("act", CompareOp::Ge, begins("."))?.and(on.compare(
                    "act",
                    CompareOp::Lt,
                    begins("/"),
                )?);
                acts.extend([on.eq("act", Value::Text(act.clone()))?, beneath]);
            }
            if !acts.is_empty() {
                all.push(Expr::Or(acts));
            }
            if let Some(subject) = &filter.subject {
                all.push(on.eq("subject", Value::Text(subject.clone()))?);
            }
            if let Some(since) = filter.since {
                all.push(on.compare("at", CompareOp::Ge, Value::Timestamp(since))?);
            }
            if let Some(before) = filter.before {
                all.push(on.compare("id", CompareOp::Lt, Value::Uuid(before))?);
            }
            let wanted = (!all.is_empty()).then_some(Expr::And(all));
            let plan = on.read(&FIELDS, wanted, &[("id", Direction::Descending)], Some(limit))?;
            let (rows, _) = tx.rows(&Principal::system("audit: read"), plan)?;
            Ok(rows.rows.into_iter().filter_map(AuditEntry::from_row).collect())
        })
    }

    /// Forgets the oldest rows that are older than `logic.audit`, at most 1,000; says how many.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub async fn forget_old_audit(&self) -> Result<u64, EngineError> {
        self.transact(|tx: &EngineTx| -> Result<u64, EngineError> {
            let keep = tx.project().settings.logic.audit;
            forget::older_than(tx, TABLE, keep, "audit: forget old rows")
        })
        .await
    }
}
