//! What the row policies of a project let people read and write. Pure; no database is asked.

use takt_model::{CompareOp, Exposure, Expr, Field, FieldId, Policy, Project, Table, Value, Verb};

/// The roles that everybody has: visitors and signed-in customers.
const EVERYBODY: [&str; 2] = ["anon", "authenticated"];

/// A field that somebody may read or write, and the policy that says so.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) table: &'a Table,
    pub(crate) field: &'a Field,
    pub(crate) policy: &'a Policy,
}

impl Opening<'_> {
    /// `orders.total`, the way both the developer and the schema name it.
    pub(crate) fn name(&self) -> String {
        format!("{}.{}", self.table.name, self.field.name)
    }

    /// The field, the policy that opens it, and where that policy stands: evidence for the developer.
    pub(crate) fn evidence(&self) -> String {
        let Policy { name, source, .. } = self.policy;
        format!("{} – \"{name}\" ({}:{})", self.name(), source.file, source.line)
    }
}

/// The project's own tables.
pub(crate) fn tables(project: &Project) -> impl Iterator<Item = &Table> {
    project.tables.iter().filter(|t| t.exposure == Exposure::Public)
}

/// Fields that visitors or customers may set to a value of their choice.
pub(crate) fn writable_by_everybody<'a>(
    project: &'a Project,
    wanted: impl Fn(&Field) -> bool,
) -> Vec<Opening<'a>> {
    openings(project, wanted, |policy, field| {
        let writes = policy.allow.iter().any(|v| matches!(v, Verb::Insert | Verb::Update));
        writes && for_everybody(policy) && !never(policy) && !pinned(policy, field)
    })
}

/// Fields that anybody at all may change by writing to the table, staff included.
pub(crate) fn changeable_directly<'a>(
    project: &'a Project,
    wanted: impl Fn(&Field) -> bool,
) -> Vec<Opening<'a>> {
    openings(project, wanted, |policy, _| policy.allow.contains(&Verb::Update) && !never(policy))
}

/// Fields that are readable without signing in, or by everybody who is signed in, whoever the row belongs to.
pub(crate) fn readable_by_everybody<'a>(
    project: &'a Project,
    wanted: impl Fn(&Field) -> bool,
) -> Vec<Opening<'a>> {
    openings(project, wanted, |policy, _| {
        let reads = policy.allow.contains(&Verb::Select) && !never(policy);
        let visitors = policy.to.iter().any(|r| r == "anon");
        let all_customers = policy.to.iter().any(|r| r == "authenticated")
            && policy.using.as_ref().is_none_or(holds_for_every_account);
        reads && (visitors || all_customers)
    })
}

fn openings<'a>(
    project: &'a Project,
    wanted: impl Fn(&Field) -> bool,
    opens: impl Fn(&Policy, FieldId) -> bool,
) -> Vec<Opening<'a>> {
    let mut found = Vec::new();
    for table in tables(project) {
        for field in table.fields.iter().filter(|f| wanted(f)) {
            let covers = |p: &&Policy| p.fields.as_ref().is_none_or(|list| list.contains(&field.id));
            if let Some(policy) = table.policies.iter().filter(covers).find(|p| opens(p, field.id)) {
                found.push(Opening { table, field, policy });
            }
        }
    }
    found
}

fn for_everybody(policy: &Policy) -> bool {
    policy.to.iter().any(|r| EVERYBODY.contains(&r.as_str()))
}

fn never(policy: &Policy) -> bool {
    let no = |e: &Expr| {
        matches!(e, Expr::Or(list) if list.is_empty()) || *e == Expr::Literal(Value::Boolean(false))
    };
    policy.using.as_ref().is_some_and(no) || policy.check.as_ref().is_some_and(no)
}

/// Whether the policy's check leaves the field exactly one value, so that nobody can choose.
fn pinned(policy: &Policy, field: FieldId) -> bool {
    fn pins(expr: &Expr, field: FieldId) -> bool {
        let is_field = |e: &Expr| matches!(e, Expr::Column { scope: 0, field: f, .. } if *f == field);
        let is_constant = |e: &Expr| matches!(e, Expr::Literal(_));
        match expr {
            Expr::And(list) => list.iter().any(|e| pins(e, field)),
            Expr::Compare(CompareOp::Eq | CompareOp::NotDistinct, l, r) => {
                (is_field(l) && is_constant(r)) || (is_field(r) && is_constant(l))
            }
            Expr::IsNull(e) | Expr::IsBoolean(e, _) => is_field(e),
            _ => false,
        }
    }
    let rule = policy.check.as_ref().or(policy.using.as_ref());
    rule.is_some_and(|e| pins(e, field))
}

/// Whether a condition holds for every signed-in account and every row: `true`, `1 = 1`,
/// `auth.uid() is not null`, `auth.role() = 'authenticated'`.
fn holds_for_every_account(expr: &Expr) -> bool {
    match expr {
        Expr::And(list) => list.iter().all(holds_for_every_account),
        Expr::Or(list) => list.iter().any(holds_for_every_account),
        Expr::Literal(value) => *value == Value::Boolean(true),
        Expr::Not(inner) => {
            matches!(inner.as_ref(), Expr::IsNull(e) if matches!(e.as_ref(), Expr::AuthUid | Expr::AuthRole))
        }
        Expr::IsBoolean(inner, wanted) => *wanted && holds_for_every_account(inner),
        Expr::Compare(CompareOp::Eq, l, r) => {
            let signed_in = |a: &Expr, b: &Expr| {
                matches!(a, Expr::AuthRole)
                    && matches!(b, Expr::Literal(Value::Text(t)) if t == "authenticated")
            };
            signed_in(l, r) || signed_in(r, l) || (l == r && matches!(l.as_ref(), Expr::Literal(_)))
        }
        _ => false,
    }
}
