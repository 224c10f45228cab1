//! Which constraint stood in the way: SQLite says only that one did. The keys are looked at after the failed
//! statement, which SQLite has already undone, inside the same transaction.

use takt_model::{Check, Field, FieldId, ForeignKey, OnDelete, Table, ValueRef};
use takt_plan::WriteRule;

use super::{
    Attempt, Writing,
    obligations::{check_violation, row_security},
    targets::Target,
};
use crate::{
    StoreError,
    sqlite::{
        error::{Constraint, constraint, driver, refused, refused_with},
        lower::{RowName, Sql},
        read::{bind_values, prepare},
        types::{Bind, decode},
    },
};

/// Whether a driver error is about a constraint of the data.
pub(super) fn is_one(error: &rusqlite::Error) -> bool {
    constraint(error).is_some()
}

/// The refusal in PostgreSQL's words, if the error is a constraint's.
pub(super) fn explain(
    writing: &Writing<'_>,
    error: &rusqlite::Error,
    attempt: &Attempt<'_>,
) -> Option<StoreError> {
    let kind = constraint(error)?;
    Some(search(writing, kind, attempt).unwrap_or_else(|failed| failed))
}

/// As [`explain`], for a changed row: the fields that were not set are read.
pub(super) fn of_update(
    writing: &Writing<'_>,
    error: rusqlite::Error,
    fields: &[FieldId],
    set: &[Bind<'_>],
    target: &Target,
    rules: &[WriteRule],
) -> StoreError {
    if !is_one(&error) {
        return driver(error);
    }
    let values = match changed(writing, fields, set, target) {
        Ok(values) => values,
        Err(failed) => return failed,
    };
    let attempt =
        Attempt::Store { values: &values, instead_of: Some(&target.key), rules, held: &target.held };
    writing.failure(error, &attempt)
}

/// All fields of a row as they will be: what is set, and what is stored.
pub(super) fn changed(
    writing: &Writing<'_>,
    fields: &[FieldId],
    set: &[Bind<'_>],
    target: &Target,
) -> Result<Vec<Bind<'static>>, StoreError> {
    let mut values = stored(writing, &target.key)?;
    for (id, value) in fields.iter().zip(set) {
        if let Some(place) = values.get_mut(usize::from(id.0)) {
            *place = value.clone().into_owned();
        }
    }
    Ok(values)
}

/// Which of the rules that held let a row with these values be, while it is not stored yet.
pub(super) fn foreseen(
    writing: &Writing<'_>,
    values: &[Bind<'_>],
    rules: &[WriteRule],
    held: &[bool],
) -> Result<Vec<bool>, StoreError> {
    let mut sql = Sql::new(writing.env, 0);
    sql.push("SELECT 1");
    for rule in rules {
        sql.push(", ((");
        sql.predicate(&rule.check)?;
        sql.push(") IS TRUE)");
    }
    unstored(&mut sql, writing.table, values);
    let mut statement = prepare(writing.conn, &sql)?;
    let mut rows = statement.raw_query();
    let Some(row) = rows.next().map_err(driver)? else { return Ok(Vec::new()) };
    held.iter()
        .enumerate()
        .map(|(at, held)| Ok(*held && row.get::<_, bool>(at + 1).map_err(driver)?))
        .collect()
}

/// ` FROM` a row that is not stored.
fn unstored(sql: &mut Sql<'_>, table: &Table, values: &[Bind<'_>]) {
    sql.push(" FROM (SELECT ");
    for (at, (field, value)) in table.fields.iter().zip(values).enumerate() {
        if at > 0 {
            sql.push(", ");
        }
        sql.bind(value.clone().into_owned());
        sql.push(" AS ");
        sql.ident(&field.name);
    }
    sql.push(") AS t0");
}

fn search(writing: &Writing<'_>, kind: Constraint, attempt: &Attempt<'_>) -> Result<StoreError, StoreError> {
    let table = writing.table;
    if let Attempt::Store { values, rules, held, .. } = attempt
        && let Some(refusal) = judge_unstored(writing, values, rules, held)?
    {
        return Ok(refusal);
    }
    let found = match (kind, attempt) {
        (Constraint::Unique, Attempt::Store { values, .. }) => duplicate(writing, values, attempt.old_key())?,
        (Constraint::ForeignKey, Attempt::Store { values, .. }) => match missing_target(writing, values)? {
            Some(found) => Some(found),
            None => match attempt.old_key() {
                Some(key) => still_referenced(writing, &stored(writing, key)?, |_| true)?,
                None => None,
            },
        },
        (_, Attempt::Remove { key }) => {
            let restricts = |r: &ForeignKey| r.on_delete == OnDelete::Restrict;
            still_referenced(writing, &stored(writing, key)?, restricts)?
        }
    };
    Ok(found.unwrap_or_else(|| {
        let code = if kind == Constraint::Unique { "23505" } else { "23503" };
        refused(code, format!("a constraint of table \"{}\" is violated", table.name))
    }))
}

/// Rules and checks come before keys, as in PostgreSQL: whoever may not store the row at all must not learn from it
/// which keys exist. SQLite looks at the keys first, so the values are judged here without being stored.
fn judge_unstored(
    writing: &Writing<'_>,
    values: &[Bind<'_>],
    rules: &[WriteRule],
    held: &[bool],
) -> Result<Option<StoreError>, StoreError> {
    let table = writing.table;
    let mut sql = Sql::new(writing.env, 0);
    sql.push("SELECT (0");
    for (rule, _) in rules.iter().zip(held).filter(|(_, held)| **held) {
        sql.push(" OR ((");
        sql.predicate(&rule.check)?;
        sql.push(") IS TRUE)");
    }
    sql.push(")");
    let checks: Vec<&Check> = table.fields.iter().filter_map(|f| f.check.as_ref()).collect();
    for check in &checks {
        sql.push(", ((");
        sql.predicate(&check.expr)?;
        sql.push(") IS NOT FALSE)");
    }
    unstored(&mut sql, table, values);
    let mut statement = prepare(writing.conn, &sql)?;
    let mut rows = statement.raw_query();
    let Some(row) = rows.next().map_err(driver)? else { return Ok(None) };
    if !row.get::<_, bool>(0).map_err(driver)? {
        return Ok(Some(row_security(table)));
    }
    for (at, check) in checks.into_iter().enumerate() {
        if !row.get::<_, bool>(at + 1).map_err(driver)? {
            return Ok(Some(check_violation(table, check)));
        }
    }
    Ok(None)
}

/// The unique key that another row already has.
fn duplicate(
    writing: &Writing<'_>,
    values: &[Bind<'_>],
    own: Option<&[Bind<'_>]>,
) -> Result<Option<StoreError>, StoreError> {
    let table = writing.table;
    let primary = (format!("{}_pkey", table.name), table.primary_key.as_slice());
    let others = table.indexes.iter().filter(|i| i.unique).map(|i| (i.name.clone(), i.fields.as_slice()));
    for (name, fields) in std::iter::once(primary).chain(others) {
        let Some(key) = pick(fields, values) else { continue };
        let mut sql = Sql::new(writing.env, 0);
        sql.push("SELECT 1 FROM ");
        sql.table_as_t0(table);
        let mut conditions = 0;
        equal(&mut sql, &mut conditions, table, fields, &key);
        if let Some(own) = own {
            sql.conjunction(&mut conditions);
            sql.push("NOT (1");
            equal(&mut sql, &mut conditions, table, &table.primary_key, own);
            sql.push(")");
        }
        if exists(writing, &sql)? {
            return Ok(Some(refused_with(
                "23505",
                format!("duplicate key value violates unique constraint \"{name}\""),
                format!("Key {} already exists.", key_text(table, fields, &key)),
            )));
        }
    }
    Ok(None)
}

/// The reference that points to no row.
fn missing_target(writing: &Writing<'_>, values: &[Bind<'_>]) -> Result<Option<StoreError>, StoreError> {
    let table = writing.table;
    for reference in &table.foreign_keys {
        let fields = [reference.field];
        let Some(key) = pick(&fields, values) else { continue };
        let target = writing.env.table(reference.target);
        let mut sql = Sql::new(writing.env, 0);
        sql.push("SELECT 1 FROM ");
        sql.table_as_t0(target);
        equal(&mut sql, &mut 0, target, &[reference.target_field], &key);
        let points_to_itself =
            target.id == table.id && values.get(usize::from(reference.target_field.0)) == key.first();
        if !points_to_itself && !exists(writing, &sql)? {
            return Ok(Some(refused_with(
                "23503",
                format!(
                    "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                    table.name, reference.name
                ),
                format!(
                    "Key {} is not present in table \"{}\".",
                    key_text(table, &fields, &key),
                    target.name
                ),
            )));
        }
    }
    Ok(None)
}

/// The reference that still points here, among those that `restricts` names (a changed key is restricted by all).
fn still_referenced(
    writing: &Writing<'_>,
    values: &[Bind<'_>],
    restricts: fn(&ForeignKey) -> bool,
) -> Result<Option<StoreError>, StoreError> {
    let table = writing.table;
    for other in &writing.env.project.tables {
        for reference in other.foreign_keys.iter().filter(|k| k.target == table.id && restricts(k)) {
            let Some(key) = pick(&[reference.target_field], values) else { continue };
            let mut sql = Sql::new(writing.env, 0);
            sql.push("SELECT 1 FROM ");
            sql.table_as_t0(other);
            equal(&mut sql, &mut 0, other, &[reference.field], &key);
            if exists(writing, &sql)? {
                return Ok(Some(refused_with(
                    "23503",
                    format!(
                        "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
                        table.name, reference.name, other.name
                    ),
                    format!(
                        "Key {} is still referenced from table \"{}\".",
                        key_text(table, &[reference.target_field], &key),
                        other.name
                    ),
                )));
            }
        }
    }
    Ok(None)
}

/// The values of `fields`, unless one is null (null keys clash with nothing and point to nothing).
fn pick(fields: &[FieldId], values: &[Bind<'_>]) -> Option<Vec<Bind<'static>>> {
    let at = |id: &FieldId| values.get(usize::from(id.0)).filter(|v| !v.is_null());
    fields.iter().map(|id| at(id).map(|v| v.clone().into_owned())).collect()
}

fn equal(sql: &mut Sql<'_>, conditions: &mut usize, table: &Table, fields: &[FieldId], key: &[Bind<'_>]) {
    for (field, value) in fields.iter().zip(key) {
        sql.conjunction(conditions);
        sql.column(0, table.id, *field);
        sql.push(" = ");
        sql.bind(value.clone().into_owned());
    }
}

fn exists(writing: &Writing<'_>, sql: &Sql<'_>) -> Result<bool, StoreError> {
    let mut statement = prepare(writing.conn, sql)?;
    let mut rows = statement.raw_query();
    Ok(rows.next().map_err(driver)?.is_some())
}

/// All fields of the row with this key.
fn stored(writing: &Writing<'_>, key: &[Bind<'_>]) -> Result<Vec<Bind<'static>>, StoreError> {
    let table = writing.table;
    let mut sql = Sql::new(writing.env, key.len());
    sql.row = RowName::Table;
    sql.push("SELECT ");
    for (at, field) in table.fields.iter().enumerate() {
        if at > 0 {
            sql.push(", ");
        }
        sql.column(0, table.id, field.id);
    }
    sql.push(" FROM ");
    sql.table_as_t0(table);
    super::update::where_key(&mut sql, table);
    let mut statement = prepare(writing.conn, &sql)?;
    bind_values(&mut statement, key)?;
    let mut rows = statement.raw_query();
    let Some(row) = rows.next().map_err(driver)? else { return Ok(Vec::new()) };
    (0..table.fields.len()).map(|at| Ok(Bind::keep(row.get_ref(at).map_err(driver)?))).collect()
}

/// `(id)=(1)`
fn key_text(table: &Table, fields: &[FieldId], key: &[Bind<'_>]) -> String {
    let fields: Vec<&Field> = fields.iter().map(|id| table.get(*id)).collect();
    let names: Vec<&str> = fields.iter().map(|f| f.name.as_str()).collect();
    let text = |(field, value): (&&Field, &Bind<'_>)| {
        decode(&field.kind, value.as_raw()).map(ValueRef::to_text).unwrap_or_default()
    };
    let values: Vec<String> = fields.iter().zip(key).map(text).collect();
    format!("({})=({})", names.join(", "), values.join(", "))
}
