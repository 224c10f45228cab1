//! The second pass: references and expressions, once all tables are known.

use super::names;
use super::problems::{Problems, did_you_mean, did_you_mean_or_list};
use super::table::{Draft, Expression, Place, Reference};
use crate::expr::when_null;
use crate::expr_parse::{self, ExprProblem, Purpose};
use crate::{Check, Expr, ForeignKey, OnDelete, Project, Settings, Table, TableId};

/// Puts the tables together. `doubtful` are tables that could not be read at all.
pub(crate) fn project(
    settings: Settings,
    drafts: Vec<Draft>,
    doubtful: &[String],
    problems: &mut Problems,
) -> Project {
    let mut project = Project { settings, ..Project::default() };
    let mut notes = Vec::new();
    for (at, mut draft) in drafts.into_iter().enumerate() {
        draft.table.id = TableId(u16::try_from(at).unwrap_or(u16::MAX));
        project.tables.push(draft.table);
        notes.push((draft.references, draft.expressions, draft.doubtful));
    }
    let linker = Linker {
        tables: doubtful,
        fields: notes.iter().flat_map(|(_, _, fields)| fields.iter().cloned()).collect(),
    };
    for (at, (references, expressions, own)) in notes.iter().enumerate() {
        let keys = references
            .iter()
            .filter_map(|reference| linker.foreign_key(&project, at, reference, own, problems))
            .collect();
        project.tables[at].foreign_keys = keys;
        for expression in expressions {
            // A policy that could not be read allows nothing, whoever may look at the project all the same.
            let expr = linker.expression(&project, at, expression, problems).unwrap_or_else(Expr::no);
            store(&mut project.tables[at], expression, expr);
        }
        set_null(&project.tables[at], expressions, problems);
    }
    name_indexes(&mut project.tables);
    project.schema_fingerprint = super::fingerprint::of(&project);
    project
}

/// Indexes and tables share one space of names in a database: `a` over `b_c` and `a_b` over `c` would meet.
fn name_indexes(tables: &mut [Table]) {
    let mut taken: Vec<String> = tables.iter().map(|t| t.name.clone()).collect();
    for index in tables.iter_mut().flat_map(|t| &mut t.indexes) {
        let wanted = std::mem::take(&mut index.name);
        index.name = names::free(wanted, &taken);
        taken.push(index.name.clone());
    }
}

/// When the row referred to goes, the database sets the reference to null by itself and asks no check: each must be
/// satisfied then, whatever else stands in the row.
fn set_null(table: &Table, expressions: &[Expression], problems: &mut Problems) {
    let keys = table.foreign_keys.iter().filter(|key| key.on_delete == OnDelete::SetNull);
    for field in keys.map(|key| table.get(key.field)) {
        let name = &field.name;
        for expression in expressions {
            let Place::FieldCheck(id) = expression.place else { continue };
            let check = table.get(id).check.as_ref();
            if check.is_some_and(|check| when_null::breaks(&check.expr, table, field.id)) {
                let message = format!(
                    "`check` can be false when `{name}` is null, which its `on_delete = \"set null\"` makes it"
                );
                let help = format!(
                    "let it hold then (`{name} is null or ...`), or write `on_delete = \"restrict\"` or \"cascade\""
                );
                problems.error(&expression.text.source, message, help);
            }
        }
    }
}

/// Knows what was already reported.
struct Linker<'l> {
    tables: &'l [String],
    fields: Vec<String>,
}

impl Linker<'_> {
    fn foreign_key(
        &self,
        project: &Project,
        at: usize,
        reference: &Reference,
        own_doubtful: &[String],
        problems: &mut Problems,
    ) -> Option<ForeignKey> {
        let table = &project.tables[at];
        let field = table.get(reference.field);
        let written = &reference.target.value;
        let source = &reference.target.source;
        let Some((table_name, field_name)) = written.rsplit_once('.') else {
            let help = format!("write table and field: `{written}.id`");
            problems.error(source, format!("`{written}` names no field"), help);
            return None;
        };
        let Some(target) = project.table(table_name) else {
            if !self.tables.iter().any(|t| t == table_name) {
                let help = did_you_mean(table_name, project.tables.iter().map(|t| t.name.as_str()))
                    .map(|help| help.replace("`?", &format!(".{field_name}`?")));
                problems.error(source, format!("reference to the unknown table `{table_name}`"), help);
            }
            return None;
        };
        let Some(target_field) = target.field(field_name) else {
            let help = did_you_mean_or_list(field_name, target.fields.iter().map(|f| f.name.as_str()));
            problems.error(source, format!("table `{table_name}` has no field `{field_name}`"), help);
            return None;
        };
        if !target.is_unique(&[target_field.id]) {
            let help = format!("write `unique = true` at `{field_name}`, or refer to the primary key");
            problems.error(source, format!("`{written}` is not unique, so it names no single row"), help);
            return None;
        }
        let doubtful = own_doubtful.contains(&field.name) || self.fields.contains(&target_field.name);
        if field.kind != target_field.kind && !doubtful {
            let (ours, theirs) = (field.kind.name(), target_field.kind.name());
            let help = format!("write `type = \"{theirs}\"`");
            problems.error(
                source,
                format!("field `{}` is {ours}, but `{written}` is {theirs}", field.name),
                help,
            );
            return None;
        }
        Some(ForeignKey {
            name: names::constraint(&table.name, &field.name, "fkey"),
            field: field.id,
            target: target.id,
            target_field: target_field.id,
            on_delete: reference.on_delete,
        })
    }

    fn expression(
        &self,
        project: &Project,
        at: usize,
        expression: &Expression,
        problems: &mut Problems,
    ) -> Option<Expr> {
        let purpose = match expression.place {
            Place::FieldCheck(_) => Purpose::Check,
            Place::Using(_) | Place::PolicyCheck(_) => Purpose::Policy,
        };
        let text = &expression.text.value;
        match expr_parse::parse(project, project.tables[at].id, text, purpose) {
            Ok(expr) => Some(expr),
            Err(problem) => {
                self.report(expression, problem, problems);
                None
            }
        }
    }

    /// Silent where the text speaks of something that is broken itself.
    fn report(&self, expression: &Expression, problem: ExprProblem, problems: &mut Problems) {
        let text = &expression.text.value;
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        if words.any(|word| self.fields.iter().chain(self.tables).any(|name| name == word)) {
            return;
        }
        let key = if matches!(expression.place, Place::Using(_)) { "using" } else { "check" };
        problems.error(&expression.text.source, format!("`{key}`: {}", problem.message), problem.help);
    }
}

fn store(table: &mut Table, expression: &Expression, expr: Expr) {
    let text = expression.text.value.clone();
    match expression.place {
        Place::FieldCheck(id) => {
            let name = &table.get(id).name;
            let name = names::constraint(&table.name, name, "check");
            if let Some(field) = table.fields.get_mut(usize::from(id.0)) {
                field.check = Some(Check { name, text, expr });
            }
        }
        Place::Using(at) => {
            if let Some(policy) = table.policies.get_mut(at) {
                // "All rows" has one form only.
                policy.using = Some(expr).filter(|e| *e != Expr::yes());
            }
        }
        Place::PolicyCheck(at) => {
            if let Some(policy) = table.policies.get_mut(at) {
                policy.check = Some(expr);
            }
        }
    }
}
