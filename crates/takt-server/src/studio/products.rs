//! Products for those who look after them: search, and a form with the fields that a policy lets them change.
//!
//! Only what was changed is written, and only if it still stands as the form showed it: a stock that sold
//! meanwhile is never overwritten by a page that was open.

use std::sync::Arc;

use ::http::StatusCode;
use axum::{
    body::Body,
    extract::{Path, Query, State as AppState},
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde::Deserialize;
use takt_engine::EngineError;
use takt_model::{Expr, Field, FieldId, FieldType, Principal, Project, Table, Value, Verb};
use takt_plan::Assignment;
use takt_report::format;

use super::{
    language::Language,
    page::{self, Here},
    refusal,
    rows::{self, Wanted},
    session::{Fields, Member, MemberPost},
};
use crate::app::App;

/// Products of one page.
const PAGE: u64 = 25;
/// Choices of a reference.
const CHOICES: u64 = 500;

/// The table of products, if the project has one that this account works with.
pub(super) fn table<'a>(project: &'a Project, who: &Principal) -> Option<&'a Table> {
    let table = project.table("products")?;
    (rows::key_of(table).is_some() && rows::is_for_staff(project, table, who)).then_some(table)
}

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    search: Option<String>,
    page: Option<u64>,
}

/// `/studio/products`
pub(super) async fn list(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Query(asked): Query<Asked>,
) -> Response<Body> {
    let project = app.project();
    let Some(table) = table(&project, member.principal()) else { return page::not_found(&member.visitor) };
    let language = member.visitor.language;
    let visible = rows::allowed(table, member.principal(), Verb::Select);
    let columns = columns(table, &visible, language);
    let search: String = asked.search.unwrap_or_default().trim().chars().take(100).collect();
    let number = asked.page.unwrap_or(1).clamp(1, 100_000);
    let mut fields: Vec<FieldId> = table.primary_key.clone();
    fields.extend(columns.iter().map(|f| f.id));
    let wanted = Wanted {
        filter: (!search.is_empty()).then(|| containing(table, &visible, &search)),
        order: columns.first().map(|f| (f.id, false)).into_iter().collect(),
        limit: PAGE,
        offset: (number - 1) * PAGE,
    };
    let (found, total) = match rows::read(&app.engine, member.principal(), table, &fields, wanted).await {
        Ok(found) => found,
        Err(error) => return page::broken(&member.visitor, &refusal::engine(&error, language)),
    };
    let title = rows::title(table, language);
    let body = html! {
        h1 { (title) }
        form.search method="get" action="/studio/products" role="search" {
            label for="search" { (member.t("Suchen", "Search")) }
            div.join {
                input #search type="search" name="search" value=(search);
                button type="submit" { (member.t("Suchen", "Search")) }
            }
        }
        @if found.is_empty() {
            p.empty { (member.t("Nichts gefunden.", "Nothing found.")) }
        } @else {
            (grid(&member, &project, &columns, &found))
            (pages(&member, number, total, &search))
        }
    };
    page::show(&member, Here::Products, &title, &body)
}

/// The columns of the list: name, article number, price, stock, whether it is for sale.
fn columns<'a>(table: &'a Table, visible: &[FieldId], language: Language) -> Vec<&'a Field> {
    let name = rows::name_field(table, visible, language);
    let wanted =
        [name, table.field("sku"), table.field("price"), table.field("stock"), table.field("active")];
    let mut columns: Vec<&Field> = Vec::new();
    for field in wanted.into_iter().flatten().filter(|f| visible.contains(&f.id)) {
        if !columns.iter().any(|c| c.id == field.id) {
            columns.push(field);
        }
    }
    columns
}

/// Rows that have the text in a short text field.
fn containing(table: &Table, visible: &[FieldId], search: &str) -> Expr {
    let escaped: String = search
        .chars()
        .flat_map(|c| if matches!(c, '%' | '_' | '\\') { vec!['\\', c] } else { vec![c] })
        .collect();
    let pattern = format!("%{escaped}%");
    let texts = visible
        .iter()
        .map(|f| table.get(*f))
        .filter(|f| f.kind == FieldType::Text && f.max.is_some_and(|m| m <= 200));
    Expr::Or(
        texts
            .map(|f| Expr::Like {
                expr: Box::new(Expr::Column { scope: 0, table: table.id, field: f.id }),
                pattern: Box::new(Expr::Literal(Value::Text(pattern.clone()))),
                fold_case: true,
            })
            .collect(),
    )
}

fn grid(member: &Member, project: &Project, columns: &[&Field], found: &[Vec<Value>]) -> Markup {
    let language = member.visitor.language;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(member.t("Liste", "List")) {
            table.stack {
                thead { tr { @for field in columns { th scope="col" .num[is_number(field)] { (rows::label(field, language)) } } } }
                tbody { @for row in found {
                    @let key = row.first().map(|v| v.as_ref().to_text()).unwrap_or_default();
                    tr { @for (i, (field, value)) in columns.iter().zip(row.iter().skip(1)).enumerate() {
                        td data-label=(rows::label(field, language)) .num[is_number(field)] {
                            @if i == 0 { a href={ "/studio/products/" (key) } { (rows::shown(project, field, value, language)) } }
                            @else { (rows::cell(project, field, value, language)) }
                        }
                    } }
                } }
            }
        }
    }
}

fn is_number(field: &Field) -> bool {
    matches!(
        field.kind,
        FieldType::Decimal { .. } | FieldType::Integer | FieldType::Bigint | FieldType::Double
    )
}

fn pages(member: &Member, number: u64, total: u64, search: &str) -> Markup {
    let last = total.div_ceil(PAGE).max(1);
    let button = |page: u64, text: &str| {
        html! { button.quiet type="submit" name="page" value=(page) { (text) } }
    };
    if last == 1 {
        return page::total(total, member.visitor.language);
    }
    html! {
        form.pages method="get" action="/studio/products" {
            @if !search.is_empty() { input type="hidden" name="search" value=(search); }
            @if number > 1 { (button(number - 1, member.t("← zurück", "← back"))) }
            span.soft { (member.t("Seite ", "Page ")) (number) (member.t(" von ", " of ")) (last) " · " (format::count(total, member.visitor.language.code())) }
            @if number < last { (button(number + 1, member.t("weiter →", "next →"))) }
        }
    }
}

/// What a product's page may say besides.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

/// `GET /studio/products/{id}`
pub(super) async fn form(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    Query(said): Query<Said>,
) -> Response<Body> {
    let message = match said.done.as_deref() {
        Some("saved") => page::success(member.t("Gespeichert.", "Saved.")),
        Some("same") => page::success(member.t("Es war nichts zu ändern.", "There was nothing to change.")),
        _ => html! {},
    };
    product_page(&app, &member, &id, StatusCode::OK, &message, None).await
}

async fn product_page(
    app: &App,
    member: &Member,
    id: &str,
    status: StatusCode,
    message: &Markup,
    typed: Option<&Fields>,
) -> Response<Body> {
    let project = app.project();
    let Some(table) = table(&project, member.principal()) else { return page::not_found(&member.visitor) };
    let language = member.visitor.language;
    let visible = rows::allowed(table, member.principal(), Verb::Select);
    let writable = editable(table, member.principal(), &visible);
    let Some(filter) = rows::by_key(table, id) else { return page::not_found(&member.visitor) };
    let wanted = Wanted { filter: Some(filter), limit: 1, ..Wanted::default() };
    let row = match rows::read(&app.engine, member.principal(), table, &visible, wanted).await {
        Ok((mut found, _)) => found.pop(),
        Err(error) => return page::broken(&member.visitor, &refusal::engine(&error, language)),
    };
    let Some(row) = row else { return page::not_found(&member.visitor) };
    let value = |field: FieldId| visible.iter().position(|v| *v == field).and_then(|at| row.get(at));
    let title = rows::name_field(table, &visible, language)
        .and_then(|f| value(f.id))
        .map_or_else(|| rows::title(table, language), |v| v.as_ref().to_text());
    let mut inputs = Vec::new();
    for field in &writable {
        let Some(stored) = value(field.id) else { continue };
        match input(app, member, &project, field, stored, typed).await {
            Ok(input) => inputs.push(input),
            Err(error) => return page::broken(&member.visitor, &refusal::engine(&error, language)),
        }
    }
    let body = html! {
        p { a href="/studio/products" { "← " (rows::title(table, language)) } }
        h1 { (title) }
        (message)
        @if inputs.is_empty() {
            p.empty { (member.t("Keine Regel erlaubt Ihrem Konto, hier etwas zu ändern.", "No rule allows your account to change anything here.")) }
        } @else {
            form.fields method="post" action={ "/studio/products/" (id) } {
                (page::token(&member.visitor))
                @for input in inputs { (input) }
                div.actions { button.primary type="submit" { (member.t("Speichern", "Save")) } }
            }
        }
    };
    page::show_with(member, status, Here::Products, &title, &body)
}

/// Fields that the account may change and that a form can show: price and stock first, long texts last.
fn editable<'a>(table: &'a Table, who: &Principal, visible: &[FieldId]) -> Vec<&'a Field> {
    let mut fields: Vec<&Field> = rows::allowed(table, who, Verb::Update)
        .into_iter()
        .filter(|f| visible.contains(f))
        .map(|f| table.get(f))
        .filter(|f| !matches!(f.kind, FieldType::Json | FieldType::Bytes))
        .collect();
    fields.sort_by_key(|f| match f.name.as_str() {
        "price" => 0,
        "stock" => 1,
        "active" => 2,
        _ if is_long(f) => 4,
        _ => 3,
    });
    fields
}

fn is_long(field: &Field) -> bool {
    field.kind == FieldType::Text && field.max.is_none_or(|m| m > 400)
}

/// A value as a form shows it and reads it back.
fn form_text(field: &Field, value: &Value, language: Language) -> String {
    let text = value.as_ref().to_text();
    match field.kind {
        FieldType::Decimal { .. } | FieldType::Double if language == Language::German => {
            text.replace('.', ",")
        }
        _ => text,
    }
}

/// What a person typed, as a value.
fn read_text(field: &Field, typed: &str, language: Language) -> Result<Value, String> {
    // Browsers send line ends of forms as CR LF.
    let typed = typed.replace("\r\n", "\n");
    if typed.is_empty() && !(field.required && field.kind == FieldType::Text) {
        return if field.required {
            Err(language.t("Dieses Feld darf nicht leer sein.", "This field must not be empty.").to_owned())
        } else {
            Ok(Value::Null)
        };
    }
    let text = match field.kind {
        FieldType::Decimal { scale, .. } => number(&typed, Some(usize::from(scale)), language)?,
        FieldType::Integer | FieldType::Bigint => number(&typed, Some(0), language)?,
        FieldType::Double => number(&typed, None, language)?,
        _ => typed,
    };
    field.kind.parse_text(text.trim_end_matches(['\r'])).map_err(|_| {
        language.t("Das passt nicht zur Art des Feldes.", "This does not fit the kind of field.").to_owned()
    })
}

/// A number as people of a language write it, with a point. Separators before three digits are groups of thousands;
/// digits that the field has no room for are refused, because a price that is not what was typed is noticed too late.
fn number(typed: &str, places: Option<usize>, language: Language) -> Result<String, String> {
    let (point, group) = match language {
        Language::German => (',', '.'),
        Language::English => ('.', ','),
    };
    let typed = typed.trim();
    let (whole, fraction) = typed.split_once(point).unwrap_or((typed, ""));
    let (whole, fraction) = match whole.split_once(group) {
        None => (whole.to_owned(), fraction),
        Some(_) if is_grouped(whole, group) => (whole.replace(group, ""), fraction),
        // Many people type a point where their language has a comma.
        Some((before, after)) if language == Language::German && !typed.contains(point) => {
            (before.to_owned(), after)
        }
        // No number, which the field itself will say.
        Some(_) => return Ok(typed.to_owned()),
    };
    let needed = fraction.trim_end_matches('0');
    let fraction = if places.is_some_and(|places| fraction.len() > places) { needed } else { fraction };
    match places {
        Some(0) if !fraction.is_empty() => {
            Err(language.t("Hier stehen nur ganze Zahlen.", "Only whole numbers go here.").to_owned())
        }
        Some(places) if fraction.len() > places => Err(match language {
            Language::German => {
                format!("Höchstens {places} Stellen nach dem Komma; es wird nichts gerundet.")
            }
            Language::English => format!("At most {places} digits after the point; nothing is rounded."),
        }),
        _ if fraction.is_empty() => Ok(whole),
        _ => Ok(format!("{whole}.{fraction}")),
    }
}

/// `1.234.567`: a first group that is no zero, and then three digits each.
fn is_grouped(whole: &str, group: char) -> bool {
    let mut groups = whole.trim_start_matches(['-', '+']).split(group);
    let is_digits = |g: &str| g.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len())
        && is_digits(first)
        && !first.starts_with('0')
        && groups.all(|g| g.len() == 3 && is_digits(g))
}

async fn input(
    app: &App,
    member: &Member,
    project: &Project,
    field: &Field,
    stored: &Value,
    typed: Option<&Fields>,
) -> Result<Markup, EngineError> {
    let language = member.visitor.language;
    let (name, old) = (format!("f_{}", field.name), form_text(field, stored, language));
    // After a refusal the form shows what was typed, beside the value that it began with.
    let (shown, old) = match typed {
        Some(typed) if typed.0.contains_key(&name) => {
            (typed.get(&name).to_owned(), typed.get(&format!("old_{}", field.name)).to_owned())
        }
        _ => (old.clone(), old),
    };
    let control = match &field.kind {
        FieldType::Boolean => choice(
            &name,
            &shown,
            field.required,
            &[
                ("true".to_owned(), member.t("ja", "yes").to_owned()),
                ("false".to_owned(), member.t("nein", "no").to_owned()),
            ],
        ),
        FieldType::Enum { values, .. } => {
            let all: Vec<_> =
                values.iter().map(|v| (v.clone(), rows::state_word(v, language).to_owned())).collect();
            choice(&name, &shown, field.required, &all)
        }
        FieldType::Uuid => {
            choice(&name, &shown, field.required, &references(app, member, project, field, &shown).await?)
        }
        _ if is_long(field) => {
            html! { textarea #(name) name=(name) rows="6" maxlength=[field.max] { (shown) } }
        }
        _ => {
            let mode = match field.kind {
                FieldType::Integer | FieldType::Bigint => Some("numeric"),
                FieldType::Decimal { .. } | FieldType::Double => Some("decimal"),
                _ => None,
            };
            html! { input #(name) name=(name) value=(shown) inputmode=[mode] maxlength=[field.max] required[field.required && mode.is_some()]; }
        }
    };
    Ok(html! {
        div.field.wide[is_long(field)] {
            label for=(name) { (rows::label(field, language)) }
            (control)
            input type="hidden" name={ "old_" (field.name) } value=(old);
        }
    })
}

fn choice(name: &str, chosen: &str, required: bool, all: &[(String, String)]) -> Markup {
    html! {
        select #(name) name=(name) {
            @if !required { option value="" selected[chosen.is_empty()] { "–" } }
            @for (value, text) in all { option value=(value) selected[value == chosen] { (text) } }
        }
    }
}

/// The rows that a reference may point to, by name; at the least the one it points to now.
async fn references(
    app: &App,
    member: &Member,
    project: &Project,
    field: &Field,
    now: &str,
) -> Result<Vec<(String, String)>, EngineError> {
    let stay = vec![(now.to_owned(), format::short_id(now))];
    let owner = table(project, member.principal());
    let key = owner.and_then(|t| t.foreign_keys.iter().find(|k| k.field == field.id));
    let Some(key) = key else { return Ok(stay) };
    let target = project.get(key.target);
    let visible = rows::allowed(target, member.principal(), Verb::Select);
    let Some(name) = rows::name_field(target, &visible, member.visitor.language) else { return Ok(stay) };
    let wanted = Wanted { order: vec![(name.id, false)], limit: CHOICES, ..Wanted::default() };
    let (found, _) =
        rows::read(&app.engine, member.principal(), target, &[key.target_field, name.id], wanted).await?;
    let mut all: Vec<(String, String)> = found
        .iter()
        .filter_map(|row| Some((row.first()?.as_ref().to_text(), row.get(1)?.as_ref().to_text())))
        .collect();
    if !now.is_empty() && !all.iter().any(|(value, _)| value == now) {
        all.extend(stay);
    }
    Ok(all)
}

/// `POST /studio/products/{id}`
pub(super) async fn save(
    AppState(app): AppState<Arc<App>>,
    Path(id): Path<String>,
    post: MemberPost,
) -> Response<Body> {
    let (member, fields) = (post.member, post.fields);
    match write(&app, &member, &id, &fields).await {
        Ok(0) => Redirect::to(&format!("/studio/products/{id}?done=same")).into_response(),
        Ok(_) => {
            member.visitor.studio.forget_report().await;
            Redirect::to(&format!("/studio/products/{id}?done=saved")).into_response()
        }
        Err(words) => {
            product_page(&app, &member, &id, StatusCode::CONFLICT, &page::problem(&words), Some(&fields))
                .await
        }
    }
}

/// Writes what was changed; tells how many fields that were.
async fn write(app: &App, member: &Member, id: &str, fields: &Fields) -> Result<usize, String> {
    let language = member.visitor.language;
    let gone = || language.t("Diesen Eintrag gibt es nicht.", "This entry does not exist.").to_owned();
    let project = app.project();
    let table = table(&project, member.principal()).ok_or_else(gone)?;
    let mut filter = rows::by_key(table, id).ok_or_else(gone)?;
    let visible = rows::allowed(table, member.principal(), Verb::Select);
    let mut set = Vec::new();
    for field in editable(table, member.principal(), &visible) {
        let (name, before) = (format!("f_{}", field.name), fields.get(&format!("old_{}", field.name)));
        let Some(typed) =
            fields.0.get(&name).filter(|typed| typed.replace("\r\n", "\n") != before.replace("\r\n", "\n"))
        else {
            continue;
        };
        let named = |words: String| format!("{}: {words}", rows::label(field, language));
        let new = read_text(field, typed, language).map_err(named)?;
        // What cannot be read was never shown by a form of ours; it fits no row, or an empty field.
        let old = read_text(field, before, language).unwrap_or(Value::Null);
        filter = filter.and(rows::is_still(table, field, old));
        set.push((field.id, Assignment::Value(new)));
    }
    let changed = set.len();
    if changed == 0 {
        return Ok(0);
    }
    match rows::change(&app.engine, member.principal(), table, filter, set).await {
        Ok(0) => Err(language
            .t(
                "Nichts gespeichert: Jemand anders hat dasselbe inzwischen geändert. Bitte laden Sie die Seite neu.",
                "Nothing was saved: somebody else has changed the same meanwhile. Please load the page again.",
            )
            .to_owned()),
        Ok(_) => Ok(changed),
        Err(error) => Err(refusal::of_row(&error, table, language)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use takt_model::{FieldId, Source, Words};

    use super::*;

    fn field(kind: FieldType, required: bool) -> Field {
        Field {
            id: FieldId(0),
            name: "f".to_owned(),
            label: Words::default(),
            about: Words::default(),
            kind,
            required,
            default: None,
            check: None,
            max: None,
            transitions: None,
            value_labels: Vec::new(),
            personal: None,
            was: None,
            source: Source::default(),
        }
    }

    #[test]
    fn amounts_are_read_as_the_language_writes_them() {
        let price = field(FieldType::Decimal { precision: 12, scale: 2 }, true);
        for (typed, language, expected) in [
            ("12,90", Language::German, Some("12.90")),
            ("1.234,50", Language::German, Some("1234.50")),
            ("12.90", Language::German, Some("12.90")),
            ("1.234", Language::German, Some("1234")),
            ("1.234.567", Language::German, Some("1234567")),
            ("-1.234,5", Language::German, Some("-1234.5")),
            ("1.234,500", Language::German, Some("1234.5")),
            ("12,345", Language::German, None),
            ("0.123", Language::German, None),
            ("12.34,50", Language::German, None),
            ("1.23.45", Language::German, None),
            ("1,234.50", Language::English, Some("1234.50")),
            ("1,234", Language::English, Some("1234")),
            ("1,23,456", Language::English, None),
            ("12.345", Language::English, None),
            ("12.90", Language::English, Some("12.90")),
            ("12,90", Language::English, None),
            ("", Language::German, None),
            ("viel", Language::German, None),
        ] {
            let read = read_text(&price, typed, language).ok().map(|v| v.as_ref().to_text());
            assert_eq!(read.as_deref(), expected, "{typed}");
        }
    }

    #[test]
    fn a_number_that_does_not_fit_says_why() {
        let told = |kind: FieldType, typed: &str| {
            [Language::German, Language::English]
                .map(|language| read_text(&field(kind.clone(), true), typed, language).unwrap_err())
        };
        let price = FieldType::Decimal { precision: 12, scale: 2 };
        assert_eq!(
            told(price.clone(), "0,1234").first().map(String::as_str),
            Some("Höchstens 2 Stellen nach dem Komma; es wird nichts gerundet.")
        );
        assert_eq!(
            told(price, "0.1234").last().map(String::as_str),
            Some("At most 2 digits after the point; nothing is rounded.")
        );
        assert_eq!(
            told(FieldType::Integer, "0.5"),
            ["Hier stehen nur ganze Zahlen.", "Only whole numbers go here."]
        );
        let stock = field(FieldType::Integer, true);
        assert_eq!(read_text(&stock, "1.200", Language::German), Ok(Value::Integer(1200)));
    }

    #[test]
    fn an_empty_field_is_null_only_where_it_may_be() {
        assert_eq!(read_text(&field(FieldType::Integer, false), "", Language::English), Ok(Value::Null));
        assert!(read_text(&field(FieldType::Integer, true), "", Language::English).is_err());
        assert_eq!(
            read_text(&field(FieldType::Text, true), "", Language::English),
            Ok(Value::Text(String::new()))
        );
    }
}
