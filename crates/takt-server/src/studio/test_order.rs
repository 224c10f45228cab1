//! A test order: runs the project's own `checkout` as a clearly marked demonstration customer, so that there is a
//! story to read. It is a real order of one piece, and it says so; it can be taken back at once.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State as AppState,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use serde_json::{Value as Json, json};
use takt_auth::AuthError;
use takt_engine::ActionAnswer;
use takt_logic::Call;
use takt_model::{DefaultValue, Expr, Field, FieldType, Principal, Project, Table, User, Value, Verb};
use takt_plan::{Insert, Missing, Node, Output, Plan};

use super::{
    language::Language,
    page, refusal,
    rows::{self, Wanted},
    session::{Member, MemberPost},
};
use crate::app::App;

/// The action that buys.
const CHECKOUT: &str = "checkout";
/// The action that takes an order back.
pub(super) const CANCEL: &str = "cancel_order";

/// Whether this project can place a test order: it has the action and the tables that the action speaks of.
fn is_possible(app: &App) -> bool {
    let logic = app.logic.load();
    let project = app.project();
    let takes =
        |name: &str| logic.function(CHECKOUT).is_some_and(|f| f.input.entries.iter().any(|e| e.name == name));
    takes("items")
        && takes("address_id")
        && project.table("products").is_some()
        && project.table("addresses").is_some()
}

/// The button, where it can work.
pub(super) fn invitation(member: &Member) -> Markup {
    if !is_possible(&member.visitor.app) || !member.sees_report() {
        return html! {};
    }
    html! {
        section.invite aria-labelledby="test-order" {
            h2 #test-order { (member.t("Testbestellung", "Test order")) }
            p { (member.t(
                "Kauft ein Stück auf den Namen eines Testkontos und zeigt die Geschichte dazu. Das reserviert wirklich ein Stück. Sie können es danach sofort stornieren.",
                "Buys one piece for a test account and shows its story. It really reserves one piece. You can cancel it at once afterwards.",
            )) }
            form method="post" action="/studio/test-order" {
                (page::token(&member.visitor))
                button.primary type="submit" { (member.t("Testbestellung aufgeben", "Place a test order")) }
            }
        }
    }
}

/// The message above the story of a test order.
pub(super) fn placed(member: &Member, order: &str) -> Markup {
    html! {
        div.message.note role="status" {
            p { (member.t(
                "Das ist eine Testbestellung. Sie hat wirklich ein Stück reserviert und steht bei den Bestellungen.",
                "This is a test order. It really reserved one piece and stands among the orders.",
            )) }
            @if member.visitor.app.logic.load().function(CANCEL).is_some() {
                form method="post" action="/studio/test-order/cancel" {
                    (page::token(&member.visitor))
                    input type="hidden" name="order" value=(order);
                    button type="submit" { (member.t("Gleich wieder stornieren", "Cancel it again at once")) }
                }
            }
        }
    }
}

/// `POST /studio/test-order`
pub(super) async fn place(AppState(app): AppState<Arc<App>>, post: MemberPost) -> Response<Body> {
    let member = post.member;
    if !member.sees_report() || !is_possible(&app) {
        return page::not_found(&member.visitor);
    }
    let language = member.visitor.language;
    match buy(&app, language).await {
        Ok(answer) => {
            member.visitor.studio.forget_report().await;
            // A refusal has a story too, and it is as good to read.
            let order = if answer.refused { None } else { order_id(&answer.body) };
            let query = order.map(|id| format!("?order={id}")).unwrap_or_default();
            Redirect::to(&format!("/studio/stories/{}{query}", answer.story)).into_response()
        }
        Err(words) => page::broken(&member.visitor, &words),
    }
}

/// `POST /studio/test-order/cancel`
pub(super) async fn cancel(AppState(app): AppState<Arc<App>>, post: MemberPost) -> Response<Body> {
    let (member, language) = (post.member, post.fields.get("order").to_owned());
    let (order, language) = (language, member.visitor.language);
    if !member.sees_report() {
        return page::not_found(&member.visitor);
    }
    let answer = match demonstration_customer(&app, language).await {
        Ok(who) => call(&app, CANCEL, &who, json!({ "order_id": order }), language).await,
        Err(words) => Err(words),
    };
    match answer {
        Ok(answer) if answer.refused => page::broken(&member.visitor, &refused_words(&answer.body, language)),
        Ok(answer) => {
            member.visitor.studio.forget_report().await;
            Redirect::to(&format!("/studio/stories/{}?done=cancelled", answer.story)).into_response()
        }
        Err(words) => page::broken(&member.visitor, &words),
    }
}

async fn buy(app: &App, language: Language) -> Result<ActionAnswer, String> {
    let who = demonstration_customer(app, language).await?;
    let address = demonstration_address(app, &who, language).await?;
    let product = some_product(app, &who, language).await?;
    let input = json!({ "items": [{ "product_id": product, "quantity": 1 }], "address_id": address });
    call(app, CHECKOUT, &who, input, language).await
}

async fn call(
    app: &App,
    function: &str,
    who: &Principal,
    input: Json,
    language: Language,
) -> Result<ActionAnswer, String> {
    let logic = app.logic.load_full();
    let call =
        Call { function, who: who.clone(), input, idempotency: Some(uuid::Uuid::new_v4().to_string()) };
    logic.call(&app.engine, call).await.map_err(|e| refusal::logic(&e, language))
}

/// The account that test orders are placed for. It has no password, and mail to it arrives nowhere.
async fn demonstration_customer(app: &App, language: Language) -> Result<Principal, String> {
    let told = |error: AuthError| refusal::auth(&error, language);
    let account = app.auth.demonstration_account(&host_word(&app.base_url)).await.map_err(told)?;
    let claims = json!({ "sub": account.id.to_string(), "role": "authenticated", "email": account.email });
    Ok(Principal::user(User {
        id: account.id,
        email: Some(account.email),
        roles: Vec::new(),
        session_id: None,
        claims,
    }))
}

/// A word for an address that can never be real: the host's name without port and dots at the wrong place.
fn host_word(base_url: &str) -> String {
    let host = base_url.split("://").nth(1).unwrap_or_default().split(['/', ':']).next().unwrap_or_default();
    let is_name = host.starts_with(|c: char| c.is_ascii_alphabetic())
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
        && !host.ends_with('.');
    if is_name { host.to_ascii_lowercase() } else { "shop".to_owned() }
}

/// The demonstration customer's address; made through the same policies that customers have.
async fn demonstration_address(app: &App, who: &Principal, language: Language) -> Result<String, String> {
    let told = |e| refusal::engine(&e, language);
    let missing = || language.t("Es gibt keine Adressen.", "There are no addresses.").to_owned();
    let project = app.project();
    let table = project.table("addresses").ok_or_else(missing)?;
    let key = rows::key_of(table).ok_or_else(missing)?;
    let wanted = Wanted { filter: Some(as_made_here(&project, table, who)), limit: 1, ..Wanted::default() };
    let (found, _) = rows::read(&app.engine, who, table, &[key.id], wanted).await.map_err(told)?;
    if let Some(id) = found.first().and_then(|row| row.first()) {
        return Ok(id.as_ref().to_text());
    }
    let (fields, row): (Vec<_>, Vec<_>) =
        table.fields.iter().filter_map(|f| Some((f.id, Some(sample(&project, table, f, who)?)))).unzip();
    let returning = Node {
        outputs: vec![Output::Field { name: key.name.clone(), field: key.id }],
        ..Node::all(table.id)
    };
    let plan = Plan::Insert(Insert {
        table: table.id,
        fields,
        rows: vec![row],
        missing: Missing::Default,
        conflict: None,
        returning: Some(returning),
    });
    let (rows, _) = app.engine.run(who, plan, rows::Rows::default(), |_, _| Ok(())).await.map_err(told)?;
    rows.0.first().and_then(|row| row.first()).map(|id| id.as_ref().to_text()).ok_or_else(missing)
}

/// Rows that are in every field as a demonstration makes them: whatever else is in the book was put there by others,
/// and no parcel goes there.
fn as_made_here(project: &Project, table: &Table, who: &Principal) -> Expr {
    let visible = rows::allowed(table, who, Verb::Select);
    let fields = table.fields.iter().filter(|f| visible.contains(&f.id));
    fields.fold(Expr::yes(), |all, field| {
        let made = match (sample(project, table, field, who), &field.default) {
            (Some(value), _) => value,
            (None, None) => Value::Null,
            (None, Some(DefaultValue::Constant(value))) => value.clone(),
            (None, Some(DefaultValue::AuthUid)) => who.uid().map_or(Value::Null, Value::Uuid),
            // Another one in every row.
            (None, Some(_)) => return all,
        };
        all.and(rows::is_still(table, field, made))
    })
}

/// A value for a field of the demonstration address; none where a default or nothing will do.
fn sample(project: &Project, table: &Table, field: &Field, who: &Principal) -> Option<Value> {
    if !field.required || field.default.is_some() {
        return None;
    }
    let to_account =
        table.foreign_keys.iter().any(|k| k.field == field.id && project.get(k.target).name == "auth.users");
    Some(match &field.kind {
        FieldType::Uuid if to_account => Value::Uuid(who.uid()?),
        FieldType::Enum { values, .. } => Value::Text(values.first()?.clone()),
        FieldType::Text => Value::Text(
            match field.name.as_str() {
                "street" => "Teststraße 1",
                "postal_code" | "zip" | "plz" => "00000",
                "city" => "Teststadt",
                "country" => "DE",
                _ => "Testbestellung",
            }
            .to_owned(),
        ),
        FieldType::Boolean => Value::Boolean(false),
        FieldType::Integer | FieldType::Bigint => Value::Integer(0),
        _ => return None,
    })
}

/// A product that is for sale and in stock, the cheapest.
async fn some_product(app: &App, who: &Principal, language: Language) -> Result<String, String> {
    let none = || {
        language
            .t("Kein Artikel ist im Verkauf und vorrätig.", "No product is for sale and in stock.")
            .to_owned()
    };
    let project = app.project();
    let table = project.table("products").ok_or_else(none)?;
    let key = rows::key_of(table).ok_or_else(none)?;
    let mut filter = Expr::yes();
    if let Some(stock) = table.field("stock") {
        let column = Expr::Column { scope: 0, table: table.id, field: stock.id };
        filter = filter.and(Expr::Compare(
            takt_model::CompareOp::Gt,
            Box::new(column),
            Box::new(Expr::Literal(Value::Integer(0))),
        ));
    }
    if let Some(active) = table.field("active").filter(|f| f.kind == FieldType::Boolean) {
        filter = filter.and(rows::is(table, active, Value::Boolean(true)));
    }
    let order = table.field("price").map(|f| (f.id, false)).into_iter().collect();
    let wanted = Wanted { filter: Some(filter), order, limit: 1, ..Wanted::default() };
    let (found, _) = rows::read(&app.engine, who, table, &[key.id], wanted)
        .await
        .map_err(|e| refusal::engine(&e, language))?;
    found.first().and_then(|row| row.first()).map(|id| id.as_ref().to_text()).ok_or_else(none)
}

/// The id of the order in the action's answer, if it is a plain id.
fn order_id(body: &str) -> Option<String> {
    let answer: Json = serde_json::from_str(body).ok()?;
    let id = answer.get("order_id")?.as_str()?;
    id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-').then(|| id.to_owned())
}

/// The words of a refusal in the person's language.
pub(super) fn refused_words(body: &str, language: Language) -> String {
    let answer: Json = serde_json::from_str(body).unwrap_or_default();
    let message = answer.get("message").cloned().unwrap_or_default();
    let words: Option<takt_model::Words> = serde_json::from_value(message.clone()).ok();
    words
        .and_then(|w| w.get(language.code()).map(str::to_owned))
        .or_else(|| message.as_str().map(str::to_owned))
        .unwrap_or_else(|| language.t("Der Vorgang wurde abgelehnt.", "The process was refused.").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_address_can_never_be_real() {
        for (base, expected) in [
            ("https://shop.example.org", "shop.example.org"),
            ("http://127.0.0.1:8000", "shop"),
            ("http://localhost:8000", "localhost"),
            ("http://[::1]:8000", "shop"),
            ("", "shop"),
        ] {
            assert_eq!(host_word(base), expected, "{base}");
        }
    }

    #[test]
    fn refusals_are_told_in_the_language() {
        let body = r#"{"message":{"de":"Ausverkauft.","en":"Sold out."},"details":null}"#;
        assert_eq!(refused_words(body, Language::German), "Ausverkauft.");
        assert_eq!(refused_words(body, Language::English), "Sold out.");
        assert_eq!(refused_words("nonsense", Language::English), "The process was refused.");
    }

    #[test]
    fn only_plain_ids_go_into_addresses() {
        assert_eq!(order_id(r#"{"order_id":"0199-ab"}"#).as_deref(), Some("0199-ab"));
        assert_eq!(order_id(r#"{"order_id":"x&y=z"}"#), None);
        assert_eq!(order_id("null"), None);
    }
}
