//! Facts from the database: counts, broken links, duplicates, samples, overdue rows.

use std::collections::HashSet;

use takt_engine::{Engine, EngineError, Outcome};
use takt_model::{
    CompareOp, Expr, Field, FieldId, FieldType, Project, SubQuery, Table, TableId, Value, ValueRef,
};
use takt_plan::{EmbedShape, GuardedChild, Node, Output, OutputColumn, Plan, Read, RowSink, Window};

use super::who;
use crate::{
    access,
    evidence::{DoubleFact, Fact, LinkFact, OverdueFact, Suspect, SuspectReason, TableCount},
    history::DAY,
    looks,
};

/// Values sampled from each table.
const SAMPLE: u64 = 200;
/// Values looked at for duplicates.
const DOUBLES: u64 = 20_000;

/// Keeps the values of flat rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values(pub(crate) Vec<Vec<Value>>);

impl RowSink for Values {
    fn row_begin(&mut self) {
        self.0.push(Vec::new());
    }
    fn value(&mut self, _: &OutputColumn, value: ValueRef<'_>) {
        if let Some(row) = self.0.last_mut() {
            row.push(value.to_owned());
        }
    }
    fn embed_begin(&mut self, _: &GuardedChild, _: EmbedShape) {}
    fn embed_end(&mut self, _: EmbedShape) {}
    fn row_end(&mut self) {}
}

fn any(_: &Values, _: &Outcome) -> Result<(), EngineError> {
    Ok(())
}

/// Reads some fields of the rows that fit.
pub(crate) async fn rows(
    engine: &Engine,
    table: &Table,
    fields: &[FieldId],
    filter: Option<Expr>,
    limit: u64,
) -> Fact<Vec<Vec<Value>>> {
    let outputs =
        fields.iter().map(|f| Output::Field { name: table.get(*f).name.clone(), field: *f }).collect();
    let root =
        Node { outputs, filter, window: Window { limit: Some(limit), offset: 0 }, ..Node::all(table.id) };
    let (sink, _) =
        engine.run(&who(), Plan::read(root), Values::default(), any).await.map_err(|e| e.to_string())?;
    Ok(sink.0)
}

/// Counts the rows that fit.
async fn count(engine: &Engine, table: &Table, filter: Option<Expr>) -> Fact<u64> {
    let key = table.primary_key.first().ok_or("a table without a primary key")?;
    let outputs = vec![Output::Field { name: table.get(*key).name.clone(), field: *key }];
    let root = Node { outputs, filter, window: Window { limit: Some(0), offset: 0 }, ..Node::all(table.id) };
    let plan = Plan::Read(Read { root, count: true });
    let (_, outcome) = engine.run(&who(), plan, Values::default(), any).await.map_err(|e| e.to_string())?;
    outcome.count.ok_or_else(|| format!("table {} was not counted", table.name))
}

/// Rows of each of the project's tables.
pub(super) async fn counts(engine: &Engine, project: &Project) -> Fact<Vec<TableCount>> {
    let mut found = Vec::new();
    for table in access::tables(project) {
        found.push(TableCount { table: table.name.clone(), rows: count(engine, table, None).await? });
    }
    Ok(found)
}

/// Scans every reference of the project for rows whose target is gone.
pub(super) async fn links(engine: &Engine, project: &Project) -> Fact<Vec<LinkFact>> {
    let mut found = Vec::new();
    for table in access::tables(project) {
        for key in &table.foreign_keys {
            let column = |scope, table: TableId, field| Box::new(Expr::Column { scope, table, field });
            let points = Expr::Not(Box::new(Expr::IsNull(column(0, table.id, key.field))));
            let same = Expr::Compare(
                CompareOp::Eq,
                column(1, key.target, key.target_field),
                column(0, table.id, key.field),
            );
            let target = SubQuery { table: key.target, scope: 1, filter: Some(same), output: None };
            let gone = Expr::Not(Box::new(Expr::Exists(Box::new(target))));
            found.push(LinkFact {
                table: table.name.clone(),
                field: table.get(key.field).name.clone(),
                target: project.get(key.target).name.clone(),
                checked: count(engine, table, Some(points.clone())).await?,
                broken: count(engine, table, Some(points.and(gone))).await?,
            });
        }
    }
    Ok(found)
}

/// Key-like fields that are not unique, in tables where no key-like field is; and how many doubles they hold today.
pub(super) async fn doubles(engine: &Engine, project: &Project) -> Fact<Vec<DoubleFact>> {
    let mut found = Vec::new();
    for table in access::tables(project) {
        let keys: Vec<&Field> = table.fields.iter().filter(|f| looks::business_key(f)).collect();
        if keys.iter().any(|f| is_part_of_unique(table, f.id)) {
            continue;
        }
        for field in keys {
            let values = rows(engine, table, &[field.id], None, DOUBLES).await?;
            let mut seen = HashSet::new();
            let texts = values.iter().filter_map(|row| match row.first() {
                Some(Value::Text(text)) if !text.is_empty() => Some(text.as_str()),
                _ => None,
            });
            let (mut checked, mut doubles) = (0, 0);
            for text in texts {
                checked += 1;
                doubles += u64::from(!seen.insert(text));
            }
            found.push(DoubleFact { table: table.name.clone(), field: field.name.clone(), checked, doubles });
        }
    }
    Ok(found)
}

fn is_part_of_unique(table: &Table, field: FieldId) -> bool {
    table.primary_key.contains(&field) || table.indexes.iter().any(|i| i.unique && i.fields.contains(&field))
}

/// Fields without a flag that look personal, by name or by sampled values.
pub(super) async fn suspects(engine: &Engine, project: &Project) -> Fact<Vec<Suspect>> {
    let mut found = Vec::new();
    for table in access::tables(project) {
        let unmarked = || table.fields.iter().filter(|f| f.personal.is_none());
        let suspect = |field: &Field, kind: &str, reason| Suspect {
            table: table.name.clone(),
            field: field.name.clone(),
            kind: kind.to_owned(),
            reason,
        };
        found
            .extend(unmarked().filter_map(|f| {
                looks::personal_by_name(f).map(|kind| suspect(f, kind, SuspectReason::Name))
            }));
        let sampled: Vec<&Field> = unmarked()
            .filter(|f| f.kind == FieldType::Text && looks::personal_by_name(f).is_none())
            .collect();
        if sampled.is_empty() {
            continue;
        }
        let ids: Vec<FieldId> = sampled.iter().map(|f| f.id).collect();
        let values = rows(engine, table, &ids, None, SAMPLE).await?;
        for (at, field) in sampled.iter().enumerate() {
            let texts = values.iter().filter_map(|row| match row.get(at) {
                Some(Value::Text(text)) => Some(text.as_str()),
                _ => None,
            });
            if let Some((kind, hits, of)) = looks::personal_by_sample(texts) {
                found.push(suspect(field, kind, SuspectReason::Values { hits, of }));
            }
        }
    }
    Ok(found)
}

/// Rows past the period of their table. Tables whose period or age cannot be read are left out.
pub(super) async fn overdue(engine: &Engine, project: &Project, at: i64) -> Fact<Vec<OverdueFact>> {
    let mut found = Vec::new();
    for table in access::tables(project) {
        let Some(keep) = table.privacy.as_ref().and_then(|p| p.keep.as_deref()) else { continue };
        let (Some(days), Some(age)) = (days(keep), age_field(table)) else { continue };
        let older_than = |days: i64| {
            let column = Expr::Column { scope: 0, table: table.id, field: age.id };
            let moment = Value::Timestamp(at.saturating_sub(days.saturating_mul(DAY)));
            Expr::Compare(CompareOp::Lt, Box::new(column), Box::new(Expr::Literal(moment)))
        };
        found.push(OverdueFact {
            table: table.name.clone(),
            keep: keep.to_owned(),
            field: age.name.clone(),
            rows: count(engine, table, Some(older_than(days))).await?,
            long_past: count(engine, table, Some(older_than(days + 30))).await?,
        });
    }
    Ok(found)
}

/// `3 years` in days; a year has 366 and a month 31, so that nothing is called overdue too early.
fn days(keep: &str) -> Option<i64> {
    let (n, unit) = keep.trim().split_once(' ')?;
    let n: i64 = n.parse().ok()?;
    let each = match unit.trim().trim_end_matches('s') {
        "day" => 1,
        "week" => 7,
        "month" => 31,
        "year" => 366,
        _ => return None,
    };
    n.checked_mul(each)
}

/// The field that tells how old a row is.
fn age_field(table: &Table) -> Option<&Field> {
    let moments = || table.fields.iter().filter(|f| f.kind == FieldType::Timestamp && f.required);
    moments().find(|f| f.name == "created_at").or_else(|| moments().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_read_generously() {
        for (keep, expected) in [
            ("3 years", Some(1098)),
            ("1 year", Some(366)),
            ("6 months", Some(186)),
            ("30 days", Some(30)),
            ("for ever", None),
            ("", None),
            ("9223372036854775807 years", None),
        ] {
            assert_eq!(days(keep), expected, "{keep}");
        }
    }
}
