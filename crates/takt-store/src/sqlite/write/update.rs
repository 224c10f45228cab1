//! Changed rows: found first, then written one by one by key, so that each is judged by the rules that held for it.
//! Where nothing is to be judged row by row, one statement does it all.

use std::borrow::Cow;

use rusqlite::CachedStatement;
use takt_model::{Field, FieldId, FieldType, Value, Verb};
use takt_plan::{Assignment, GuardedUpdate, RowSink, WriteRule};

use super::{
    Attempt, Key, Writing, constraints,
    obligations::{Obligations, Values, transition},
    returning::{self, Order},
    shape,
    targets::{self, Target},
};
use crate::{
    Change, Outcome, StoreError,
    sqlite::{
        error::{driver, refused},
        lower::{RowName, Sql},
        number::exact,
        read::{always, prepare},
        types::{Bind, decode, encode},
    },
};

pub(super) fn run(
    writing: Writing<'_>,
    plan: &GuardedUpdate,
    sink: &mut dyn RowSink,
) -> Result<Outcome, StoreError> {
    let table = writing.table;
    let mut outcome = Outcome::default();
    if plan.set.is_empty() {
        return Ok(outcome);
    }
    if is_plain(&writing, plan)
        && let Some(affected) = all_at_once(&writing, plan)?
    {
        outcome.affected = affected;
        return Ok(outcome);
    }
    let wants_old = writing.capture || plan.set.iter().any(|(id, set)| needs_old(table.get(*id), set));
    let targets = targets::select(&writing, &plan.filter, &plan.rules, wants_old, plan.max_affected)?;
    let fields: Vec<FieldId> = plan.set.iter().map(|(id, _)| *id).collect();
    let mut updater = Updater::new(writing, &fields, &plan.rules)?;
    let mut keys = Vec::with_capacity(targets.len());
    for target in targets {
        let new = new_values(&writing, plan, &target)?;
        let values = plan
            .set
            .iter()
            .zip(&new)
            .map(|((id, _), value)| encode(table, table.get(*id), value))
            .collect::<Result<Vec<_>, _>>()?;
        keys.push(updater.update(target, &values, &mut outcome)?);
    }
    if let Some(node) = &plan.returning {
        outcome.returned = returning::tell(&writing, node, &keys, &outcome.changes, Order::OfNode, sink)?;
    }
    Ok(outcome)
}

fn needs_old(field: &Field, set: &Assignment) -> bool {
    field.transitions.is_some() || !matches!(set, Assignment::Value(_))
}

/// Whether no row has to be looked at before or afterwards.
fn is_plain(writing: &Writing<'_>, plan: &GuardedUpdate) -> bool {
    let open = |rule: &WriteRule| always(&writing.env, &rule.using) && always(&writing.env, &rule.check);
    // A required field that becomes null is refused for the sake of a row; without rows there is nothing to refuse.
    let nulls = |(id, set): &(FieldId, Assignment)| {
        matches!(set, Assignment::Value(Value::Null)) && writing.table.get(*id).required
    };
    !writing.capture
        && !plan.set.iter().any(nulls)
        && plan.returning.is_none()
        && plan.max_affected.is_none()
        && plan.rules.iter().any(open)
        && !plan.set.iter().any(|(id, set)| needs_old(writing.table.get(*id), set))
}

/// One statement for all rows; `None` if a constraint failed, so that the slow way can say which.
fn all_at_once(writing: &Writing<'_>, plan: &GuardedUpdate) -> Result<Option<u64>, StoreError> {
    let Writing { conn, env, table, .. } = *writing;
    let mut sql = Sql::new(env, 0);
    sql.row = RowName::Own;
    sql.push("UPDATE ");
    sql.ident(&table.name);
    for (at, (id, set)) in plan.set.iter().enumerate() {
        sql.push(if at == 0 { " SET " } else { ", " });
        let field = table.get(*id);
        sql.ident(&field.name);
        sql.push(" = ");
        if let Assignment::Value(value) = set {
            sql.bind(encode(table, field, value)?);
        }
    }
    sql.condition(&mut 0, &plan.filter)?;
    let held = vec![true; plan.rules.len()];
    let obligations = Obligations::push(&mut sql, table, &plan.rules, false, Values::Unknown)?;
    let mut statement = prepare(conn, &sql)?;
    if statement.column_count() == 0 {
        return match statement.raw_execute() {
            Ok(changed) => Ok(Some(changed as u64)),
            Err(e) if constraints::is_one(&e) => Ok(None),
            Err(e) => Err(driver(e)),
        };
    }
    let mut rows = statement.raw_query();
    let mut affected = 0;
    loop {
        match rows.next() {
            Ok(None) => return Ok(Some(affected)),
            Ok(row) => obligations.judge(row, &held)?,
            Err(e) if constraints::is_one(&e) => return Ok(None),
            Err(e) => return Err(driver(e)),
        };
        affected += 1;
    }
}

/// What the fields become, for one row.
fn new_values<'p>(
    writing: &Writing<'_>,
    plan: &'p GuardedUpdate,
    target: &Target,
) -> Result<Vec<Cow<'p, Value>>, StoreError> {
    let table = writing.table;
    plan.set
        .iter()
        .map(|(id, set)| {
            let (field, old) = (table.get(*id), target.old.get(usize::from(id.0)));
            let new = match (set, old) {
                (Assignment::Value(value), _) => Cow::Borrowed(value),
                (Assignment::Add(by), Some(old)) => Cow::Owned(moved(field, old, by, Sign::Plus)?),
                (Assignment::Subtract(by), Some(old)) => Cow::Owned(moved(field, old, by, Sign::Minus)?),
                (_, None) => return Err(StoreError::Internal("an old value is missing".to_owned())),
            };
            if let Some(old) = old {
                transition(table, field, old, &new)?;
            }
            Ok(new)
        })
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
}

/// The old value plus or minus another, exact or refused; null stays null.
fn moved(field: &Field, old: &Value, by: &Value, sign: Sign) -> Result<Value, StoreError> {
    let out_of_range = || refused("22003", format!("{} out of range", field.kind.sql_name()));
    match (&field.kind, old, by) {
        (_, Value::Null, _) | (_, _, Value::Null) => Ok(Value::Null),
        (FieldType::Double, Value::Double(old), by) => {
            let by = double(by).ok_or_else(|| no_operator(field, sign))?;
            Ok(Value::Double(if sign == Sign::Plus { old + by } else { old - by }))
        }
        (_, old, by) => {
            let (Some(old), Some(by)) = (exact(old), exact(by)) else { return Err(no_operator(field, sign)) };
            let sum = if sign == Sign::Plus { old.checked_add(by) } else { old.checked_sub(by) };
            sum.map(Value::Decimal).ok_or_else(out_of_range)
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "arithmetic on doubles rounds")]
fn double(value: &Value) -> Option<f64> {
    match value {
        Value::Double(v) => Some(*v),
        Value::Integer(v) => Some(*v as f64),
        Value::Decimal(d) => d.to_string().parse().ok(),
        _ => None,
    }
}

fn no_operator(field: &Field, sign: Sign) -> StoreError {
    let (kind, sign) = (field.kind.sql_name(), if sign == Sign::Plus { "+" } else { "-" });
    refused("42883", format!("operator does not exist: {kind} {sign} {kind}"))
}

/// Writes rows by key with one prepared statement.
pub(super) struct Updater<'a> {
    writing: Writing<'a>,
    fields: Vec<FieldId>,
    rules: &'a [WriteRule],
    statement: CachedStatement<'a>,
    obligations: Obligations<'a>,
}

impl<'a> Updater<'a> {
    pub(super) fn new(
        writing: Writing<'a>,
        fields: &[FieldId],
        rules: &'a [WriteRule],
    ) -> Result<Self, StoreError> {
        let Writing { conn, env, table, capture, .. } = writing;
        let keys = table.primary_key.len();
        let mut sql = Sql::new(env, keys + fields.len());
        shape::update_row(&mut sql, table, fields.iter().copied());
        // Who captures has looked at all fields of the row before.
        let values = if capture { Values::Known } else { Values::Unknown };
        let obligations = Obligations::push(&mut sql, table, rules, capture, values)?;
        let statement = prepare(conn, &sql)?;
        Ok(Self { writing, fields: fields.to_vec(), rules, statement, obligations })
    }

    /// Writes one row; the answer is its key afterwards.
    pub(super) fn update(
        &mut self,
        target: Target,
        values: &[Bind<'_>],
        outcome: &mut Outcome,
    ) -> Result<Key, StoreError> {
        let table = self.writing.table;
        let held = if self.obligations.beforehand {
            let new = constraints::changed(&self.writing, &self.fields, values, &target)?;
            Cow::Owned(constraints::foreseen(&self.writing, &new, self.rules, &target.held)?)
        } else {
            Cow::Borrowed(target.held.as_slice())
        };
        let judged = if self.obligations.are_by_values() {
            Some(self.obligations.judge_values(&held, || self.new_row(&target.old, values))?)
        } else {
            None
        };
        for (at, value) in target.key.iter().chain(values).enumerate() {
            self.statement.raw_bind_parameter(at + 1, value).map_err(driver)?;
        }
        let mut rows = self.statement.raw_query();
        let explain = |e| constraints::of_update(&self.writing, e, &self.fields, values, &target, self.rules);
        let first = rows.next().map_err(explain)?;
        let written = judged.map_or_else(|| self.obligations.judge(first, &held), Ok)?;
        while rows.next().map_err(explain)?.is_some() {}
        drop(rows);
        outcome.affected += 1;
        if self.writing.capture {
            outcome.changes.push(Change {
                table: table.name.clone(),
                verb: Verb::Update,
                before: Some(target.old),
                after: written.after,
                rule: self.rules.get(written.rule).map(|r| r.policy.clone()).unwrap_or_default(),
            });
        }
        let now = |(id, old): (&FieldId, Bind<'static>)| {
            let set = self.fields.iter().position(|f| f == id).and_then(|at| values.get(at));
            set.map_or(old, |value| value.clone().into_owned())
        };
        Ok(table.primary_key.iter().zip(target.key).map(now).collect())
    }
}

impl Updater<'_> {
    /// The row as it will be.
    fn new_row(&self, old: &[Value], set: &[Bind<'_>]) -> Result<Vec<Value>, StoreError> {
        let mut row = old.to_vec();
        for (id, value) in self.fields.iter().zip(set) {
            if let Some(place) = row.get_mut(usize::from(id.0)) {
                *place = decode(&self.writing.table.get(*id).kind, value.as_raw())?.to_owned();
            }
        }
        Ok(row)
    }
}

/// ` WHERE "t"."id" = ?1 ...`
pub(super) fn where_key(sql: &mut Sql<'_>, table: &takt_model::Table) {
    let mut conditions = 0;
    for (at, field) in table.primary_key.iter().enumerate() {
        sql.conjunction(&mut conditions);
        sql.column(0, table.id, *field);
        sql.push(" = ");
        sql.parameter(at + 1);
    }
}

impl Attempt<'_> {
    /// The key of the row that is there already.
    pub(super) fn old_key(&self) -> Option<&[Bind<'_>]> {
        match self {
            Self::Store { instead_of, .. } => *instead_of,
            Self::Remove { key } => Some(key),
        }
    }
}
