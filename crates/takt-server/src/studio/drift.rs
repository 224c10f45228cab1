//! What changed at a partner, on the page of its connection: what differs from what is agreed, both samples, and the
//! button by which a person says that it is right so.

use axum::{
    body::Body,
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use maud::{Markup, html};
use takt_interfaces::{DriftKind, InterfacesError};
use takt_model::Uuid;

use super::{
    page, refusal,
    session::{Member, MemberPost},
};
use crate::{
    app::App,
    deliveries::drift::{self, Shown},
};

/// The part of the connection's page; nothing if everything is as agreed.
pub(super) fn part(app: &App, member: &Member, connection: &str) -> Result<Markup, InterfacesError> {
    let all = drift::all(app, Some(connection))?;
    if all.is_empty() {
        return Ok(html! {});
    }
    let project = app.project();
    let code = member.visitor.language.code();
    Ok(html! {
        h2 #changes { (member.t("Was dort anders ist als vereinbart", "What is different there from what is agreed")) }
        @for shown in &all {
            section.change {
                p { strong { (drift::consequence(shown, code)) } ": " (drift::sentence(&project, &shown.drift, code)) }
                p.soft { (drift::seen(&shown.drift, code)) }
                (samples(member, shown))
                (accept_button(member, shown))
            }
        }
    })
}

fn samples(member: &Member, shown: &Shown) -> Markup {
    let samples =
        [(member.t("Vorher", "Before"), &shown.drift.before), (member.t("Jetzt", "Now"), &shown.drift.after)];
    html! {
        details {
            summary { (member.t("Beide Proben zeigen", "Show both samples")) }
            @for (name, sample) in samples {
                @if let Some(sample) = sample { p { (name) } pre.content tabindex="0" { (sample) } }
            }
            p.soft { (member.t("Persönliche Werte sind hier verborgen.", "Personal values are hidden here.")) }
        }
    }
}

/// Only for what acceptance can mend.
fn accept_button(member: &Member, shown: &Shown) -> Markup {
    let drift = &shown.drift;
    let is_fixed_rule = drift.kind == DriftKind::Implausible && drift.detail.is_none();
    if !shown.open || !member.may_operate() || is_fixed_rule {
        return html! {};
    }
    let sure = member.t(
        "Ist das wirklich richtig so? Was deshalb wartet, geht dann weiter.",
        "Is this really right? What waits because of it then goes on.",
    );
    html! {
        form.actions method="post" action={ "/studio/deliveries/" (drift.connection) "/changes/" (drift.id) } {
            (page::token(&member.visitor))
            button type="submit" data-confirm=(sure) { (member.t("Das ist richtig so", "This is right")) }
        }
    }
}

/// `POST /studio/deliveries/{connection}/changes/{id}`: a person accepts.
pub(super) async fn accept(
    Path((connection, id)): Path<(String, String)>,
    post: MemberPost,
) -> Response<Body> {
    let member = post.member;
    let Some(id) = Uuid::parse_str(&id).ok().filter(|_| member.may_operate()) else {
        return page::not_found(&member.visitor);
    };
    match member.interfaces().accept(id).await {
        Ok(gone_on) => {
            member.visitor.studio.forget_report().await;
            Redirect::to(&format!("/studio/deliveries/{connection}?done=accept&count={gone_on}"))
                .into_response()
        }
        Err(InterfacesError::UnknownDrift(_)) => page::not_found(&member.visitor),
        Err(error) => page::broken(&member.visitor, &refusal::interfaces(&error, member.visitor.language)),
    }
}
