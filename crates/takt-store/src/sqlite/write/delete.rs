//! Removed rows: told before they go, then removed by key. Where nothing is to be told, one statement does it all.

use takt_model::{ForeignKey, OnDelete, Project, Table, Verb};
use takt_plan::{GuardedDelete, RowSink, WriteRule};

use super::{
    Attempt, Writing, constraints,
    returning::{self, Order},
    shape, targets,
};
use crate::{
    Change, Outcome, StoreError,
    sqlite::{
        error::driver,
        lower::{RowName, Sql},
        read::{always, prepare},
    },
};

pub(super) fn run(
    writing: Writing<'_>,
    plan: &GuardedDelete,
    sink: &mut dyn RowSink,
) -> Result<Outcome, StoreError> {
    let table = writing.table;
    let mut outcome = Outcome::default();
    let open = |rule: &WriteRule| always(&writing.env, &rule.using);
    let plain = !writing.capture
        && plan.returning.is_none()
        && plan.max_affected.is_none()
        && plan.rules.iter().any(open)
        && !falls_on_itself(writing.env.project, table);
    if plain && let Some(affected) = all_at_once(&writing, plan)? {
        outcome.affected = affected;
        return Ok(outcome);
    }
    let targets = targets::select(&writing, &plan.filter, &plan.rules, writing.capture, plan.max_affected)?;
    if let Some(node) = &plan.returning {
        let keys: Vec<_> = targets.iter().map(|t| t.key.clone()).collect();
        outcome.returned = returning::tell(&writing, node, &keys, &[], Order::OfNode, sink)?;
    }
    let mut sql = Sql::new(writing.env, table.primary_key.len());
    shape::delete_row(&mut sql, table);
    let mut statement = prepare(writing.conn, &sql)?;
    for target in targets {
        for (at, value) in target.key.iter().enumerate() {
            statement.raw_bind_parameter(at + 1, value).map_err(driver)?;
        }
        statement.raw_execute().map_err(|e| writing.failure(e, &Attempt::Remove { key: &target.key }))?;
        outcome.affected += 1;
        if writing.capture {
            let rule = plan.rules.iter().zip(&target.held).find(|(_, held)| **held);
            outcome.changes.push(Change {
                table: table.name.clone(),
                verb: Verb::Delete,
                before: Some(target.old),
                after: None,
                rule: rule.map(|(r, _)| r.policy.clone()).unwrap_or_default(),
            });
        }
    }
    Ok(outcome)
}

/// One statement for all rows; `None` if a foreign key stood in the way, so that the slow way can say which.
fn all_at_once(writing: &Writing<'_>, plan: &GuardedDelete) -> Result<Option<u64>, StoreError> {
    let mut sql = Sql::new(writing.env, 0);
    sql.row = RowName::Own;
    sql.push("DELETE FROM ");
    sql.ident(&writing.table.name);
    sql.condition(&mut 0, &plan.filter)?;
    let mut statement = prepare(writing.conn, &sql)?;
    match statement.raw_execute() {
        Ok(removed) => Ok(Some(removed as u64)),
        Err(e) if constraints::is_one(&e) => Ok(None),
        Err(e) => Err(driver(e)),
    }
}

/// Whether a removed row may take others of its own table with it. SQLite does not count those, even where the filter
/// finds them too; PostgreSQL does.
fn falls_on_itself(project: &Project, table: &Table) -> bool {
    let mut falling = vec![table];
    let mut at = 0;
    while let Some(target) = falling.get(at).copied() {
        at += 1;
        for other in &project.tables {
            let cascades = |k: &ForeignKey| k.target == target.id && k.on_delete == OnDelete::Cascade;
            if !other.foreign_keys.iter().any(cascades) {
                continue;
            }
            if other.id == table.id {
                return true;
            }
            if !falling.iter().any(|f| f.id == other.id) {
                falling.push(other);
            }
        }
    }
    false
}
