//! Orders for those who work with them: newest first, by state, one with its lines, and the next state.
//! Which states may follow, and who may set them, is decided by the table's transitions and policies.

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
use takt_logic::Call;
use takt_model::{Field, FieldId, FieldType, Principal, Project, Table, Value, Verb};
use takt_plan::Assignment;
use takt_report::format;

use super::{
    page::{self, Here},
    refusal,
    rows::{self, Wanted},
    session::{Member, MemberPost},
    test_order,
};
use crate::app::App;

/// Orders of one page.
const PAGE: u64 = 25;
/// Lines of an order.
const LINES: u64 = 200;

/// The table of orders, if the project has one that this account works with.
pub(super) fn table<'a>(project: &'a Project, who: &Principal) -> Option<&'a Table> {
    let table = project.table("orders")?;
    (rows::key_of(table).is_some() && state_field(table).is_some() && rows::is_for_staff(project, table, who))
        .then_some(table)
}

fn state_field(table: &Table) -> Option<&Field> {
    table.fields.iter().find(|f| f.transitions.is_some() && matches!(f.kind, FieldType::Enum { .. }))
}

/// What the list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    state: Option<String>,
    page: Option<u64>,
}

/// `/studio/orders`
pub(super) async fn list(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Query(asked): Query<Asked>,
) -> Response<Body> {
    let project = app.project();
    let Some((table, state)) = table(&project, member.principal()).and_then(|t| Some((t, state_field(t)?)))
    else {
        return page::not_found(&member.visitor);
    };
    let states = match &state.kind {
        FieldType::Enum { values, .. } => values.clone(),
        _ => Vec::new(),
    };
    let chosen = asked.state.filter(|s| states.contains(s));
    let number = asked.page.unwrap_or(1).clamp(1, 100_000);
    let columns = columns(table, member.principal(), state);
    let mut fields: Vec<FieldId> = table.primary_key.clone();
    fields.extend(columns.iter().map(|f| f.id));
    let wanted = Wanted {
        filter: chosen.clone().map(|s| rows::is(table, state, Value::Text(s))),
        order: moment_field(table).map(|f| (f.id, true)).into_iter().collect(),
        limit: PAGE,
        offset: (number - 1) * PAGE,
    };
    let (found, total) = match rows::read(&app.engine, member.principal(), table, &fields, wanted).await {
        Ok(found) => found,
        Err(error) => {
            return page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language));
        }
    };
    let title = rows::title(table, member.visitor.language);
    let body = html! {
        h1 { (title) }
        (filter(&member, state, &states, chosen.as_deref()))
        @if found.is_empty() {
            p.empty { (member.t("Hier ist noch nichts.", "There is nothing here yet.")) }
        } @else {
            (grid(&member, &project, &columns, state, &found))
            (pages(&member, number, total, chosen.as_deref()))
        }
    };
    page::show(&member, Here::Orders, &title, &body)
}

/// The columns of the list: what it is called, when, for whom, how much, in which state.
fn columns<'a>(table: &'a Table, who: &Principal, state: &'a Field) -> Vec<&'a Field> {
    let visible = rows::allowed(table, who, Verb::Select);
    let name = rows::name_field(table, &visible, super::language::Language::English);
    let person = table.fields.iter().find(|f| f.personal.as_deref() == Some("name"));
    let money = table.field("total").or_else(|| table.fields.iter().find(|f| format::is_money(f)));
    let wanted = [name, moment_field(table), person, money, Some(state)];
    wanted.into_iter().flatten().filter(|f| visible.contains(&f.id)).collect()
}

fn moment_field(table: &Table) -> Option<&Field> {
    table.field("created_at").or_else(|| table.fields.iter().find(|f| f.kind == FieldType::Timestamp))
}

fn filter(member: &Member, field: &Field, states: &[String], chosen: Option<&str>) -> Markup {
    let language = member.visitor.language;
    html! {
        nav.filter aria-label=(member.t("Nach Zustand", "By state")) {
            ul {
                li { a href="/studio/orders" aria-current=[chosen.is_none().then_some("true")] { (member.t("alle", "all")) } }
                @for state in states {
                    li { a href={ "/studio/orders?state=" (state) } aria-current=[(chosen == Some(state)).then_some("true")] { (rows::value_word(field, state, language)) } }
                }
            }
        }
    }
}

fn grid(
    member: &Member,
    project: &Project,
    columns: &[&Field],
    state: &Field,
    found: &[Vec<Value>],
) -> Markup {
    let language = member.visitor.language;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(member.t("Liste", "List")) {
            table.stack {
                thead { tr { @for field in columns { th scope="col" .num[is_number(field)] { (rows::label(field, language)) } } } }
                tbody { @for row in found {
                    @let key = row.first().map(|v| v.as_ref().to_text()).unwrap_or_default();
                    tr { @for (i, (field, value)) in columns.iter().zip(row.iter().skip(1)).enumerate() {
                        td data-label=(rows::label(field, language)) .num[is_number(field)] {
                            @if i == 0 { a href={ "/studio/orders/" (key) } { (rows::shown(project, field, value, language)) } }
                            @else if field.id == state.id { (state_badge(field, value, member)) }
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

fn state_badge(field: &Field, value: &Value, member: &Member) -> Markup {
    let text = value.as_ref().to_text();
    let known = ["pending", "paid", "shipped", "cancelled"];
    let class = known.iter().find(|k| **k == text).map_or_else(String::new, |k| format!("state-{k}"));
    html! { span.badge.(class) { (rows::value_word(field, &text, member.visitor.language)) } }
}

fn pages(member: &Member, number: u64, total: u64, state: Option<&str>) -> Markup {
    let last = total.div_ceil(PAGE).max(1);
    let link = |page: u64| match state {
        Some(state) => format!("/studio/orders?state={state}&page={page}"),
        None => format!("/studio/orders?page={page}"),
    };
    if last == 1 {
        return page::total(total, member.visitor.language);
    }
    html! {
        nav.pages aria-label=(member.t("Seiten", "Pages")) {
            @if number > 1 { a href=(link(number - 1)) rel="prev" { (member.t("← neuere", "← newer")) } }
            span.soft { (member.t("Seite ", "Page ")) (number) (member.t(" von ", " of ")) (last) " · " (format::count(total, member.visitor.language.code())) }
            @if number < last { a href=(link(number + 1)) rel="next" { (member.t("ältere →", "older →")) } }
        }
    }
}

/// What an order's page may say besides.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    done: Option<String>,
}

/// `/studio/orders/{id}`
pub(super) async fn one(
    AppState(app): AppState<Arc<App>>,
    member: Member,
    Path(id): Path<String>,
    Query(said): Query<Said>,
) -> Response<Body> {
    let message = match said.done.as_deref() {
        Some("changed") => {
            page::success(member.t("Der neue Zustand ist gespeichert.", "The new state is stored."))
        }
        _ => html! {},
    };
    order_page(&app, &member, &id, StatusCode::OK, &message).await
}

async fn order_page(
    app: &App,
    member: &Member,
    id: &str,
    status: StatusCode,
    message: &Markup,
) -> Response<Body> {
    let project = app.project();
    let Some((table, state)) = table(&project, member.principal()).and_then(|t| Some((t, state_field(t)?)))
    else {
        return page::not_found(&member.visitor);
    };
    let visible = rows::allowed(table, member.principal(), Verb::Select);
    let Some(filter) = rows::by_key(table, id) else { return page::not_found(&member.visitor) };
    let wanted = Wanted { filter: Some(filter), limit: 1, ..Wanted::default() };
    let row = match rows::read(&app.engine, member.principal(), table, &visible, wanted).await {
        Ok((mut found, _)) => found.pop(),
        Err(error) => {
            return page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language));
        }
    };
    let Some(row) = row else { return page::not_found(&member.visitor) };
    let lines = match lines(app, member, &project, table, id).await {
        Ok(lines) => lines,
        Err(error) => {
            return page::broken(&member.visitor, &refusal::engine(&error, member.visitor.language));
        }
    };
    let language = member.visitor.language;
    let value = |field: &Field| visible.iter().position(|v| *v == field.id).and_then(|at| row.get(at));
    let name = rows::name_field(table, &visible, language).and_then(&value).map(|v| v.as_ref().to_text());
    let title = name.unwrap_or_else(|| rows::title(table, language));
    let now = value(state).map(|v| v.as_ref().to_text()).unwrap_or_default();
    let body = html! {
        p { a href="/studio/orders" { "← " (rows::title(table, language)) } }
        div.head { h1 { (title) } @if let Some(v) = value(state) { (state_badge(state, v, member)) } }
        (message)
        @if let Some(number) = numbered(&title).filter(|_| member.sees_report()) {
            p { a href={ "/studio/tales/" (number) } {
                (member.t("Die Geschichte dazu, mit Zustellungen, Zahlung und Versand", "Its story, with deliveries, payment and shipping"))
            } }
        }
        (buttons(app, member, table, state, &now, id))
        (lines)
        dl.facts.two {
            @for (field, value) in visible.iter().map(|f| table.get(*f)).zip(&row) {
                @if field.id != state.id && !value.is_null() && field.kind != FieldType::Uuid {
                    div { dt { (rows::label(field, language)) } dd { (rows::cell(&project, field, value, language)) } }
                }
            }
        }
    };
    page::show_with(member, status, Here::Orders, &title, &body)
}

/// A number that may stand in an address.
fn numbered(title: &str) -> Option<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!title.is_empty() && title.chars().all(is_plain)).then_some(title)
}

/// A button for each state that may follow.
fn buttons(app: &App, member: &Member, table: &Table, state: &Field, now: &str, id: &str) -> Markup {
    let may_write = rows::allowed(table, member.principal(), Verb::Update).contains(&state.id);
    let next: Vec<&String> = state
        .transitions
        .iter()
        .flat_map(|t| &t.0)
        .filter(|(from, _)| from == now)
        .flat_map(|(_, next)| next)
        .filter(|to| may_write || (*to == "cancelled" && has_cancel(app, member)))
        .collect();
    html! {
        @if !next.is_empty() {
            form.actions method="post" action={ "/studio/orders/" (id) "/state" } {
                (page::token(&member.visitor))
                input type="hidden" name="from" value=(now);
                @for to in next {
                    button .primary[to == "shipped"] .danger[to == "cancelled"] type="submit" name="to" value=(to)
                        data-confirm=[(to == "cancelled").then(|| member.t("Diese Bestellung wirklich stornieren?", "Really cancel this order?"))]
                        { (verb(state, to, member)) }
                }
            }
        }
    }
}

fn verb(field: &Field, state: &str, member: &Member) -> String {
    match state {
        "paid" => member.t("Als bezahlt vermerken", "Note as paid").to_owned(),
        "shipped" => member.t("Als versendet melden", "Mark as shipped").to_owned(),
        "cancelled" => member.t("Stornieren", "Cancel the order").to_owned(),
        other => format!("→ {}", rows::value_word(field, other, member.visitor.language)),
    }
}

/// The lines: rows of the tables that point to this order.
async fn lines(
    app: &App,
    member: &Member,
    project: &Project,
    order: &Table,
    id: &str,
) -> Result<Markup, EngineError> {
    let language = member.visitor.language;
    let mut parts = Vec::new();
    for table in &project.tables {
        let Some(key) = table.foreign_keys.iter().find(|k| k.target == order.id) else { continue };
        let visible = rows::allowed(table, member.principal(), Verb::Select);
        if !visible.contains(&key.field) {
            continue;
        }
        let fields: Vec<FieldId> =
            visible.iter().copied().filter(|f| table.get(*f).kind != FieldType::Uuid).collect();
        let Ok(value) = table.get(key.field).kind.parse_text(id) else { continue };
        let filter = rows::is(table, table.get(key.field), value);
        let wanted = Wanted { filter: Some(filter), limit: LINES, ..Wanted::default() };
        let (found, _) = rows::read(&app.engine, member.principal(), table, &fields, wanted).await?;
        parts.push(html! {
            h2 { (rows::title(table, language)) }
            div.scroll tabindex="0" role="region" aria-label=(rows::title(table, language)) {
                table.stack {
                    thead { tr { @for f in &fields { th scope="col" .num[is_number(table.get(*f))] { (rows::label(table.get(*f), language)) } } } }
                    tbody { @for row in &found { tr { @for (f, v) in fields.iter().zip(row) {
                        td data-label=(rows::label(table.get(*f), language)) .num[is_number(table.get(*f))] { (rows::cell(project, table.get(*f), v, language)) }
                    } } } }
                }
            }
        });
    }
    Ok(html! { @for part in parts { (part) } })
}

/// Whether the project has its own way of taking an order back, which also returns the stock.
fn has_cancel(app: &App, member: &Member) -> bool {
    let logic = app.logic.load();
    logic.function(test_order::CANCEL).is_some_and(|f| f.may_be_called_by(member.principal()))
}

/// `POST /studio/orders/{id}/state`
pub(super) async fn change_state(
    AppState(app): AppState<Arc<App>>,
    Path(id): Path<String>,
    post: MemberPost,
) -> Response<Body> {
    let (member, fields) = (post.member, post.fields);
    let (from, to) = (fields.get("from"), fields.get("to"));
    let changed = if to == "cancelled" && has_cancel(&app, &member) {
        cancel(&app, &member, &id).await
    } else {
        set_state(&app, &member, &id, from, to).await
    };
    match changed {
        Ok(()) => {
            member.note("order.state", &format!("order {id}: {from} -> {to}"));
            member.visitor.studio.forget_report().await;
            Redirect::to(&format!("/studio/orders/{id}?done=changed")).into_response()
        }
        Err(words) => order_page(&app, &member, &id, StatusCode::CONFLICT, &page::problem(&words)).await,
    }
}

async fn cancel(app: &App, member: &Member, id: &str) -> Result<(), String> {
    let language = member.visitor.language;
    let logic = app.logic.load_full();
    let call = Call {
        function: test_order::CANCEL,
        who: member.principal().clone(),
        input: serde_json::json!({ "order_id": id }),
        idempotency: None,
    };
    let answer = logic.call(&app.engine, call).await.map_err(|e| refusal::logic(&e, language))?;
    if answer.refused { Err(test_order::refused_words(&answer.body, language)) } else { Ok(()) }
}

async fn set_state(app: &App, member: &Member, id: &str, from: &str, to: &str) -> Result<(), String> {
    let language = member.visitor.language;
    let gone = || language.t("Diese Bestellung gibt es nicht.", "This order does not exist.").to_owned();
    let project = app.project();
    let table = table(&project, member.principal()).ok_or_else(gone)?;
    let state = state_field(table).ok_or_else(gone)?;
    let filter = rows::by_key(table, id).ok_or_else(gone)?;
    let value = state.kind.parse_text(to).map_err(|e| e.to_string())?;
    let old = state.kind.parse_text(from).map_err(|e| e.to_string())?;
    let filter = filter.and(rows::is(table, state, old));
    let set = vec![(state.id, Assignment::Value(value))];
    match rows::change(&app.engine, member.principal(), table, filter, set).await {
        Ok(0) => Err(language
            .t(
                "Nichts geändert: Der Zustand ist inzwischen ein anderer, oder keine Regel erlaubt Ihnen diese Änderung.",
                "Nothing changed: the state has moved on meanwhile, or no rule allows you this change.",
            )
            .to_owned()),
        Ok(_) => Ok(()),
        Err(error) => Err(refusal::of_field(&error, state, language)),
    }
}
