//! Plans with the policies in them. Only [`crate::guard()`] makes one; a store accepts nothing else.
//!
//! A guarded read may have parameters; then it serves every request of its shape, and everybody for whom the same
//! policies apply ([`Guarded::serves`]).
//! What a policy demands travels in the plan as predicates and obligations that nothing above the store can drop.

use std::sync::{Arc, OnceLock};

use takt_model::{Expr, FieldId, Principal, Project, TableId, Value};

use crate::{Assignment, Conflict, Join, Link, Missing, OrderBy, Window};

/// A plan that may run: on behalf of a principal, over one project.
#[derive(Debug, Clone)]
pub struct Guarded {
    pub(crate) plan: GuardedPlan,
    pub(crate) principal: Principal,
    pub(crate) project: Arc<Project>,
}

impl Guarded {
    /// What runs.
    #[must_use]
    pub fn plan(&self) -> &GuardedPlan {
        &self.plan
    }

    /// Who acts; the source of `auth.uid()` and friends.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The project whose ids the plan has.
    #[must_use]
    pub fn project(&self) -> &Arc<Project> {
        &self.project
    }

    /// Whether the guard would have woven the same for `who`: it asks nothing of a principal but rights and roles.
    /// `auth.uid()` and its like stand in the plan as such and are answered when it runs.
    #[must_use]
    pub fn serves(&self, who: &Principal) -> bool {
        self.principal.stands_like(who)
    }

    /// The same plan for `who`, with values in the place of the parameters of a read; `None` for somebody whom it does
    /// not serve. No policy has parameters, so values choose among the rows that the policies show.
    #[must_use]
    pub fn asked(&self, who: &Principal, values: &[Value]) -> Option<Self> {
        let mut asked = self.clone();
        if let GuardedPlan::Read(read) = &mut asked.plan {
            read.root.fill(values);
        }
        asked.principal = who.clone();
        self.serves(who).then_some(asked)
    }
}

impl GuardedNode {
    fn fill(&mut self, values: &[Value]) {
        self.filter.walk_mut(&mut |e| {
            if let Expr::Parameter { number, .. } = e
                && let Some(value) = values.get(*number)
            {
                *e = Expr::Literal(value.clone());
            }
        });
        for child in &mut self.children {
            child.node.fill(values);
        }
    }
}

/// What runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum GuardedPlan {
    /// A read.
    Read(GuardedRead),
    /// New rows.
    Insert(GuardedInsert),
    /// Changed rows.
    Update(GuardedUpdate),
    /// Removed rows.
    Delete(GuardedDelete),
}

/// A read.
#[derive(Debug, Clone)]
pub struct GuardedRead {
    /// The root.
    pub root: GuardedNode,
    /// Whether all fitting rows are counted.
    pub count: bool,
}

/// One table of a read, policies included.
#[derive(Debug, Clone)]
pub struct GuardedNode {
    /// Of which table.
    pub table: TableId,
    /// What a row shows, in order; no `*` any more.
    pub outputs: Vec<OutputItem>,
    /// The request's filter and the select policies; `!inner` children are in it as `exists`.
    pub filter: Expr,
    /// In which order; the primary key is already appended.
    pub order: Vec<OrderBy>,
    /// How many, from where.
    pub window: Window,
    /// Embedded tables. Those of `Join::Anti` and hidden ones (`rel()`) are only in `filter`.
    pub children: Vec<GuardedChild>,
}

/// One thing a row shows.
#[derive(Debug, Clone)]
pub enum OutputItem {
    /// A field.
    Column(OutputColumn),
    /// The child at this position.
    Child(usize),
}

/// A field under a name.
#[derive(Debug, Clone)]
pub struct OutputColumn {
    /// The key in the reply; rows that are kept share it.
    pub name: Arc<str>,
    /// Which field.
    pub field: FieldId,
    json_key: OnceLock<Box<[u8]>>,
}

impl OutputColumn {
    pub(crate) fn new(name: Arc<str>, field: FieldId) -> Self {
        Self { name, field, json_key: OnceLock::new() }
    }

    /// The key as JSON with its colon: `"total":`. Made when the first row wants it; the product's own work and logic
    /// never do.
    #[must_use]
    pub fn json_key(&self) -> &[u8] {
        self.json_key.get_or_init(|| json_key(&self.name))
    }
}

/// An embedded table.
#[derive(Debug, Clone)]
pub struct GuardedChild {
    /// The key in the reply.
    pub name: String,
    /// The key as JSON with its colon.
    pub json_key: Box<[u8]>,
    /// How it hangs on the parent.
    pub link: Link,
    /// `Left` or `Inner`; for `Inner` the existence test is already in the parent's filter.
    pub join: Join,
    /// For [`Link::Through`]: which rows of the junction count (its select policies; scope 0 is the junction's row).
    pub junction_filter: Expr,
    /// Its rows.
    pub node: GuardedNode,
}

/// One policy that may let a write through: `using` must hold for the row before, `check` for the row after.
#[derive(Debug, Clone)]
pub struct WriteRule {
    /// The policy's name, for the story; `service` or the system's reason where policies do not apply.
    pub policy: String,
    /// On the row before; always true for inserts.
    pub using: Expr,
    /// On the row as finally stored; always true for deletes.
    pub check: Expr,
}

/// New rows. A row is stored if one of `rules` has its `check` hold, else 42501.
#[derive(Debug, Clone)]
pub struct GuardedInsert {
    /// Into which table.
    pub table: TableId,
    /// The fields that are given.
    pub fields: Vec<FieldId>,
    /// Their values.
    pub rows: Vec<Vec<Option<Value>>>,
    /// What `None` means.
    pub missing: Missing,
    /// Upsert.
    pub conflict: Option<Conflict>,
    /// Policies for new rows; at least one.
    pub rules: Vec<WriteRule>,
    /// Policies for the existing rows of a merging upsert; one's `using` and `check` must hold, else 42501.
    pub merge_rules: Vec<WriteRule>,
    /// For a merging upsert: the existing row must be visible (select policies over the touched fields), else 42501.
    pub merge_visible: Expr,
    /// What is told; a written row that its `filter` hides is refused with 42501, as PostgreSQL does.
    pub returning: Option<GuardedNode>,
}

/// Changed rows: those where `filter` and one rule's `using` hold; that rule's `check` must hold afterwards, else 42501.
#[derive(Debug, Clone)]
pub struct GuardedUpdate {
    /// Of which table.
    pub table: TableId,
    /// The request's filter and, if the caller may only see some rows, the select policies.
    pub filter: Expr,
    /// New values.
    pub set: Vec<(FieldId, Assignment)>,
    /// At least one.
    pub rules: Vec<WriteRule>,
    /// What is told; a changed row that its `filter` hides is refused with 42501, as PostgreSQL does.
    pub returning: Option<GuardedNode>,
    /// More rows than this refuse the whole.
    pub max_affected: Option<u64>,
}

/// Removed rows: those where `filter` and one rule's `using` hold.
#[derive(Debug, Clone)]
pub struct GuardedDelete {
    /// Of which table.
    pub table: TableId,
    /// The request's filter and the select policies.
    pub filter: Expr,
    /// At least one.
    pub rules: Vec<WriteRule>,
    /// What is told of the rows as they were.
    pub returning: Option<GuardedNode>,
    /// More rows than this refuse the whole.
    pub max_affected: Option<u64>,
}

/// `"name":` with the name escaped as JSON.
pub(crate) fn json_key(name: &str) -> Box<[u8]> {
    // Nearly every name is plain, and plans that are not kept make one for each column.
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return [b"\"", name.as_bytes(), b"\":"].concat().into_boxed_slice();
    }
    let mut key = serde_json::Value::from(name).to_string().into_bytes();
    key.push(b':');
    key.into_boxed_slice()
}
