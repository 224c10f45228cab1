//! Reading and changing rows as the account that is signed in: the project's policies decide, as at the data door.

use maud::{Markup, html};
use takt_engine::{Engine, EngineError, Outcome};
use takt_model::{
    CompareOp, Expr, Field, FieldId, FieldType, Principal, Project, Table, Value, ValueRef, Verb,
};
use takt_plan::{
    Assignment, EmbedShape, GuardedChild, Node, NullsOrder, OrderBy, Output, OutputColumn, Plan, Read,
    RowSink, Update, Window,
};
use takt_report::{format, name_fields};

use super::{language::Language, page};

/// Flat rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows(pub(super) Vec<Vec<Value>>);

impl RowSink for Rows {
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

/// Which rows, in which order.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) filter: Option<Expr>,
    pub(super) order: Vec<(FieldId, bool)>,
    pub(super) limit: u64,
    pub(super) offset: u64,
}

/// Fields of the rows, and how many fit in all.
pub(super) async fn read(
    engine: &Engine,
    who: &Principal,
    table: &Table,
    fields: &[FieldId],
    wanted: Wanted,
) -> Result<(Vec<Vec<Value>>, u64), EngineError> {
    let node = Node {
        outputs: fields
            .iter()
            .map(|f| Output::Field { name: table.get(*f).name.clone(), field: *f })
            .collect(),
        filter: wanted.filter,
        order: wanted
            .order
            .into_iter()
            .map(|(field, descending)| OrderBy { field, descending, nulls: NullsOrder::Last })
            .collect(),
        window: Window { limit: Some(wanted.limit), offset: wanted.offset },
        ..Node::all(table.id)
    };
    let plan = Plan::Read(Read { root: node, count: true });
    let (rows, outcome) = engine.run(who, plan, Rows::default(), any).await?;
    Ok((rows.0, outcome.count.unwrap_or_default()))
}

/// Changes the rows that fit, at most one. Tells how many were changed.
pub(super) async fn change(
    engine: &Engine,
    who: &Principal,
    table: &Table,
    filter: Expr,
    set: Vec<(FieldId, Assignment)>,
) -> Result<u64, EngineError> {
    let plan = Plan::Update(Update {
        table: table.id,
        filter: Some(filter),
        all: false,
        set,
        returning: None,
        max_affected: Some(1),
    });
    let (_, outcome) = engine.run(who, plan, Rows::default(), any).await?;
    Ok(outcome.affected)
}

fn any(_: &Rows, _: &Outcome) -> Result<(), EngineError> {
    Ok(())
}

/// The fields that the account's widest policy for `verb` covers; none if there is no policy.
/// A request is let through by one policy that covers all its fields, so the widest shows the most.
pub(super) fn allowed(table: &Table, who: &Principal, verb: Verb) -> Vec<FieldId> {
    let policies =
        table.policies.iter().filter(|p| p.allow.contains(&verb) && p.to.iter().any(|r| who.has_role(r)));
    policies
        .map(|p| match &p.fields {
            None => table.fields.iter().map(|f| f.id).collect(),
            Some(fields) => fields.clone(),
        })
        .max_by_key(Vec::len)
        .unwrap_or_default()
}

/// Whether a policy of a project role (not of visitors and customers) shows the table: it is worked with.
pub(super) fn is_for_staff(project: &Project, table: &Table, who: &Principal) -> bool {
    let staff = |role: &String| project.settings.roles.contains(role) && who.has_role(role);
    table.policies.iter().any(|p| p.allow.contains(&Verb::Select) && p.to.iter().any(staff))
}

/// `field = value`
pub(super) fn is(table: &Table, field: &Field, value: Value) -> Expr {
    Expr::eq(table.id, field.id, value)
}

/// `field is not distinct from value`
pub(super) fn is_still(table: &Table, field: &Field, value: Value) -> Expr {
    let column = Expr::Column { scope: 0, table: table.id, field: field.id };
    Expr::Compare(CompareOp::NotDistinct, Box::new(column), Box::new(Expr::Literal(value)))
}

/// The row with this key, if the key is one.
pub(super) fn by_key(table: &Table, key: &str) -> Option<Expr> {
    let [id] = table.primary_key.as_slice() else { return None };
    let field = table.get(*id);
    Some(is(table, field, field.kind.parse_text(key).ok()?))
}

/// The only field of the primary key.
pub(super) fn key_of(table: &Table) -> Option<&Field> {
    match table.primary_key.as_slice() {
        [id] => Some(table.get(*id)),
        _ => None,
    }
}

/// What people call a field.
pub(super) fn label(field: &Field, language: Language) -> String {
    field.label.get(language.code()).map_or_else(|| field.name.replace('_', " "), str::to_owned)
}

/// What people call a table.
pub(super) fn title(table: &Table, language: Language) -> String {
    table.label.get(language.code()).map_or_else(|| table.name.clone(), str::to_owned)
}

/// A value as people read it.
pub(super) fn shown(project: &Project, field: &Field, value: &Value, language: Language) -> String {
    if let (FieldType::Enum { .. }, Value::Text(text)) = (&field.kind, value) {
        return value_word(field, text, language).to_owned();
    }
    if let Value::Text(text) = value
        && let Some(label) = field.value_label(text, language.code())
    {
        return label.to_owned();
    }
    let currency = project.settings.currency.as_str();
    let money = (format::is_money(field) && !currency.is_empty()).then_some(currency);
    format::value(value, &field.kind, money, language.code())
}

/// A value in a cell: moments in the reader's own time, all else as [`shown`].
pub(super) fn cell(project: &Project, field: &Field, value: &Value, language: Language) -> Markup {
    match value {
        Value::Timestamp(micros) => page::moment(*micros, language),
        other => html! { (shown(project, field, other, language)) },
    }
}

/// What people call a value of an enum: as the schema labels it, else everyday words.
pub(super) fn value_word<'a>(field: &'a Field, value: &'a str, language: Language) -> &'a str {
    field.value_label(value, language.code()).unwrap_or_else(|| state_word(value, language))
}

/// Everyday words for states that shops have; any other stays as it is written.
pub(super) fn state_word(state: &str, language: Language) -> &str {
    match state {
        "pending" => language.t("offen", "open"),
        "paid" => language.t("bezahlt", "paid"),
        "shipped" => language.t("versendet", "shipped"),
        "cancelled" => language.t("storniert", "cancelled"),
        other => other,
    }
}

/// The field that names a row, if the account may see it.
pub(super) fn name_field<'a>(table: &'a Table, visible: &[FieldId], language: Language) -> Option<&'a Field> {
    name_fields(table, language.code()).into_iter().find(|f| visible.contains(&f.id))
}
