//! The SQL behind a story, worked out when it is read: nothing of it is kept when it happens.
//! Lives here: each written row planned once more as what it was, by table, verb and fields. Not here: the text (store).
//! Invariant: nothing is run. The project is that of today; whoever tells it says so if it was another one then.

use std::{collections::HashMap, sync::Arc};

use takt_model::{Expr, Principal, Project, User, Uuid, Value, Verb};
use takt_plan::{On, Plan, guard};

use super::{Story, StoryChange};

/// The rule of writes that no policy limits.
const SERVICE: &str = "service";
/// Shapes of one story: a long import writes few.
const MOST_SHAPES: usize = 50;

impl Story {
    /// The statement that stores each written row, in the order of [`Story::all_changes`], as the project of today stores
    /// it: with `?1`, `?2` ... in the place of values. Nothing where the table or the right is not there any more.
    #[must_use]
    pub fn statements(&self, project: &Arc<Project>) -> Vec<Option<String>> {
        let caller = self.caller_of_then();
        let mut known: HashMap<Vec<&str>, Option<String>> = HashMap::new();
        self.all_changes()
            .map(|change| {
                let shape = shape(change);
                if !known.contains_key(&shape) && known.len() == MOST_SHAPES {
                    return None;
                }
                known.entry(shape).or_insert_with(|| statement(project, &caller, change)).clone()
            })
            .collect()
    }

    /// Whoever called, with the roles of then; claims of a token are not kept, and no statement has them.
    fn caller_of_then(&self) -> Principal {
        let Some(id) = self.caller.as_deref().and_then(|id| Uuid::parse_str(id).ok()) else {
            return Principal::anon();
        };
        // The first is the claim `role`; the project's own follow.
        let roles = self.caller_roles.iter().skip(1).cloned().collect();
        let claims = serde_json::Value::Null;
        Principal::user(User { id, email: None, roles, session_id: None, claims })
    }
}

/// What decides about the statement.
fn shape(change: &StoryChange) -> Vec<&str> {
    let mut shape = vec![change.table.as_str(), change.verb.as_str(), change.rule.as_str()];
    if change.verb == Verb::Update.name() {
        shape.extend(change.fields.iter().map(|f| f.name.as_str()));
    }
    shape
}

fn statement(project: &Arc<Project>, caller: &Principal, change: &StoryChange) -> Option<String> {
    let on = On::table(project, &change.table).ok()?;
    let plan = match change.verb.as_str() {
        // Every field of a new row stands in the statement, whichever were given.
        verb if verb == Verb::Insert.name() => on.insert(Vec::new()).ok()?,
        verb if verb == Verb::Update.name() => {
            let changed = change.fields.iter().map(|f| (f.name.as_str(), Value::Null)).collect();
            on.update(Expr::yes(), changed).ok()?
        }
        verb if verb == Verb::Delete.name() => on.delete(Expr::yes()),
        _ => return None,
    };
    let service = Principal::service();
    let who = if change.rule == SERVICE { &service } else { caller };
    told(plan, project, who)
}

fn told(plan: Plan, project: &Arc<Project>, who: &Principal) -> Option<String> {
    takt_store::statement(&guard(plan, project, who).ok()?).ok()
}
