//! `[[op]]`: what is done over a connection.

use std::time::Duration;

use super::super::{
    document::{Section, Spotted, whole},
    problems::{Problems, did_you_mean_or_list},
};
use super::{contract, time};
use crate::{
    Connection, Deliver, ExportRef, HttpRequest, MailOut, OnDead, OnUnknown, Operation, OperationKind, Poll,
    Protocol, Receive, Retry, event_fits, settings::duration,
};

/// Longer than every sender's retries.
const KEEP_RECEIVED: Duration = Duration::from_secs(45 * 86_400);
/// As long as senders repeat a message, by the schedule of Standard Webhooks; some take longer.
const REPEATED_FOR: Duration = Duration::from_secs(4 * 86_400);

pub(super) fn all(section: &Section<'_>, protocol: Protocol, problems: &mut Problems) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    for part in section.sections("op", problems) {
        let Some(operation) = one(&part, protocol, problems) else { continue };
        if operations.iter().any(|o| o.name == operation.name) {
            problems.error(
                part.source(),
                format!("there is an operation `{}` already", operation.name),
                None,
            );
            continue;
        }
        operations.push(operation);
        part.finish(problems);
    }
    operations
}

fn one(part: &Section<'_>, protocol: Protocol, problems: &mut Problems) -> Option<Operation> {
    let Some(name) = part.text("name", problems) else {
        problems.error(part.source(), "an operation needs a `name`", None);
        return None;
    };
    let kinds = ["deliver", "receive", "poll"];
    let kind = match part.text("kind", problems).as_ref().map(|k| k.value.as_str()) {
        Some("deliver") => OperationKind::Deliver(Box::new(deliver(part, protocol, problems))),
        Some("receive") => OperationKind::Receive(receive(part, problems)),
        Some("poll") => OperationKind::Poll(poll(part, problems)?),
        other => {
            let said = other.unwrap_or_default();
            let help = did_you_mean_or_list(said, kinds);
            problems.error(part.source(), format!("unknown kind of operation `{said}`"), help);
            return None;
        }
    };
    let contract = contract::read(part, problems);
    Some(Operation { name: name.value, kind, contract, source: part.source().clone() })
}

fn deliver(part: &Section<'_>, protocol: Protocol, problems: &mut Problems) -> Deliver {
    let on = one_or_more(part, "on", problems);
    if on.is_empty() {
        let help = "write `on = \"order.placed\"`".to_owned();
        problems.error(part.source(), "nothing says which events go out", help);
    }
    let lane = part.text("lane", problems);
    if let Some(said) = lane.as_ref().filter(|l| l.value.trim().is_empty()) {
        let help = "write `lane = \"order.id\"`, or leave it out".to_owned();
        problems.error(&said.source, "`lane` names a place in the event", help);
    }
    let lane = lane.map(|l| l.value).filter(|l| !l.trim().is_empty());
    Deliver {
        on,
        request: part.text("request", problems).and_then(|r| request(&r, problems)),
        map: part.text("map", problems).and_then(|m| export(&m, problems)),
        run: part.text("run", problems).and_then(|r| export(&r, problems)),
        mail: mail(part, problems),
        on_unknown: on_unknown(part, problems),
        look_up: part.text("lookup", problems).and_then(|l| export(&l, problems)),
        idempotency_header: part.text("idempotency_header", problems).map(|h| h.value),
        retry: retry(part, usual(protocol), problems),
        ok_also: statuses(part, problems),
        lane,
    }
}

/// A text or a list of texts.
fn one_or_more(part: &Section<'_>, key: &'static str, problems: &mut Problems) -> Vec<String> {
    let Some(Spotted { value, .. }) = part.value(key) else { return Vec::new() };
    match value.as_str() {
        Some(text) => vec![text.to_owned()],
        None => part.texts(key, problems).map(|t| t.value).unwrap_or_default(),
    }
}

/// `POST /orders/$order.id`
pub(super) fn request(said: &Spotted<String>, problems: &mut Problems) -> Option<HttpRequest> {
    const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let (method, path) = said.value.split_once(' ').unwrap_or((said.value.as_str(), ""));
    if !METHODS.contains(&method) || !path.trim().starts_with('/') {
        let help = "write `POST /orders`".to_owned();
        problems.error(&said.source, format!("`{}` is no request", said.value), help);
        return None;
    }
    Some(HttpRequest { method: method.to_owned(), path: path.trim().to_owned() })
}

/// `logic/erp.ts#toSale`
pub(super) fn export(said: &Spotted<String>, problems: &mut Problems) -> Option<ExportRef> {
    match said.value.split_once('#') {
        Some((file, export)) if file.starts_with("logic/") && !export.is_empty() => {
            Some(ExportRef { file: file.to_owned(), export: export.to_owned() })
        }
        _ => {
            let help = "write `map = \"logic/erp.ts#toSale\"`".to_owned();
            problems.error(&said.source, format!("`{}` names no function", said.value), help);
            None
        }
    }
}

fn mail(part: &Section<'_>, problems: &mut Problems) -> Option<MailOut> {
    let mail = part.section("mail", problems)?;
    let template = mail.text("template", problems).map(|t| t.value);
    let to = mail.text("to", problems).map(|t| t.value);
    let language = mail.text("language", problems).map(|t| t.value);
    mail.finish(problems);
    let (Some(template), Some(to)) = (template, to) else {
        let help = "write `mail = { template = \"order_confirmation\", to = \"order.email\" }`".to_owned();
        problems.error(mail.source(), "a mail needs its `template` and `to`", help);
        return None;
    };
    Some(MailOut { template, to, language })
}

fn on_unknown(part: &Section<'_>, problems: &mut Problems) -> OnUnknown {
    let Some(said) = part.text("on_unknown", problems) else { return OnUnknown::default() };
    match said.value.as_str() {
        "resend" => OnUnknown::Resend,
        "ask" => OnUnknown::Ask,
        "lookup" => OnUnknown::LookUp,
        other => {
            let help = did_you_mean_or_list(other, ["resend", "lookup", "ask"]);
            problems.error(&said.source, format!("unknown answer `{other}` to an unknown outcome"), help);
            OnUnknown::default()
        }
    }
}

/// The schedule where the file says none: that of the language's own standard, or of business systems.
fn usual(protocol: Protocol) -> Retry {
    match protocol {
        Protocol::WebhookOut => Retry::webhook(),
        Protocol::Smtp => Retry::mail(),
        Protocol::Rest | Protocol::JsonRpc | Protocol::WebhookIn => Retry::api(),
    }
}

fn retry(part: &Section<'_>, usual: Retry, problems: &mut Problems) -> Retry {
    let Some(said) = part.section("retry", problems) else { return usual };
    let mut retry = schedule(&said, usual, problems);
    if let Some(give_up) = time(&said, "give_up", problems) {
        retry.give_up = give_up;
        if retry.schedule.first().is_some_and(|pause| *pause > give_up) {
            let message = "`give_up` comes before the first pause is over, so nothing is ever tried again";
            problems.error(said.source(), message, "write `give_up = \"3d\"`".to_owned());
        }
    }
    if let Some(then) = said.text("then", problems) {
        match then.value.as_str() {
            "block-lane" => retry.on_dead = OnDead::BlockLane,
            "skip" => retry.on_dead = OnDead::Skip,
            other => {
                let help = did_you_mean_or_list(other, ["block-lane", "skip"]);
                problems.error(&then.source, format!("unknown end of a retry `{other}`"), help);
            }
        }
    }
    said.finish(problems);
    retry
}

/// A named schedule, or pauses: `["2s", "10s", "1m"]`.
fn schedule(said: &Section<'_>, usual: Retry, problems: &mut Problems) -> Retry {
    let Some(Spotted { value, source }) = said.value("schedule") else { return usual };
    match value.as_str() {
        Some("api") => return Retry::api(),
        Some("webhook") => return Retry::webhook(),
        Some("mail") => return Retry::mail(),
        _ => {}
    }
    let pauses = super::super::text_list(value)
        .and_then(|list| {
            list.iter().map(|text| duration(text).filter(|d| !d.is_zero())).collect::<Option<Vec<_>>>()
        })
        .filter(|pauses| !pauses.is_empty());
    match pauses {
        Some(schedule) => Retry { schedule, ..Retry::api() },
        None => {
            let help = "write `api`, `webhook`, `mail` or a list of pauses: `[\"2s\", \"1m\"]`".to_owned();
            problems.error(&source, "this is no schedule", help);
            Retry::api()
        }
    }
}

fn statuses(part: &Section<'_>, problems: &mut Problems) -> Vec<u16> {
    let Some(Spotted { value, source }) = part.value("ok_also") else { return Vec::new() };
    let list = value.as_array().and_then(|list| {
        let status = |n: i64| u16::try_from(n).ok().filter(|s| (200..600).contains(s));
        list.iter().map(|n| whole(n.get_ref()).and_then(status)).collect::<Option<Vec<_>>>()
    });
    if list.is_none() {
        problems.error(&source, "`ok_also` is a list of statuses: `[409]`", None);
    }
    let list = list.unwrap_or_default();
    for status in list.iter().filter(|s| says_again_later(**s)) {
        let message = format!("{status} says that nothing was done; such a delivery would be lost");
        problems.error(
            &source,
            message,
            "statuses like 409 or 404 may say that it is done already".to_owned(),
        );
    }
    list
}

/// Statuses with which a server says that it could not, and that one may try again.
fn says_again_later(status: u16) -> bool {
    status >= 500 || matches!(status, 408 | 425 | 429)
}

fn poll(part: &Section<'_>, problems: &mut Problems) -> Option<Poll> {
    let every = time(part, "every", problems);
    let run = part.text("run", problems).and_then(|r| export(&r, problems));
    let (Some(every), Some(run)) = (every, run) else {
        let help = "write `every = \"5m\"` and `run = \"logic/erp.ts#stock\"`".to_owned();
        problems.error(part.source(), "a poll needs `every` and a function to `run`", help);
        return None;
    };
    let plausible = contract::plausible(part, problems);
    Some(Poll { every: every.max(Duration::from_secs(1)), run, plausible })
}

fn receive(part: &Section<'_>, problems: &mut Problems) -> Receive {
    Receive {
        accept: one_or_more(part, "accept", problems),
        number: part.text("number", problems).map(|t| t.value),
        id: part.text("id", problems).map(|t| t.value),
        kind: part.text("type", problems).map(|t| t.value),
        keep: keep(part, problems),
    }
}

/// How long it is remembered which messages came; one that is repeated later counts as new.
fn keep(part: &Section<'_>, problems: &mut Problems) -> Duration {
    let Some(keep) = time(part, "keep", problems) else { return KEEP_RECEIVED };
    if keep < REPEATED_FOR {
        let source = part.value("keep").map_or_else(|| part.source().clone(), |v| v.source);
        let message = "senders repeat messages for days; one that is forgotten sooner would be handled twice";
        problems.error(&source, message, "write `keep = \"4d\"` or more; `45d` is usual".to_owned());
    }
    keep
}

/// What only makes sense together.
pub(super) fn check(connection: &Connection, problems: &mut Problems) {
    let protocol = connection.connect.protocol;
    if connection.operations.is_empty() {
        let help = "write `[[op]]` with `name` and `kind`".to_owned();
        problems.warning(&connection.source, "nothing is done over this connection", help);
    }
    for operation in &connection.operations {
        let wrong = match &operation.kind {
            OperationKind::Deliver(_) if protocol == Protocol::WebhookIn => {
                Some("webhooks that come in deliver nothing")
            }
            OperationKind::Deliver(deliver) => match protocol {
                Protocol::Rest if deliver.request.is_some() == deliver.run.is_some() => {
                    Some("a delivery needs either its `request` (`POST /orders`) or a function to `run`")
                }
                // The operation's name is the method, and the call goes to the address itself.
                Protocol::JsonRpc if deliver.request.is_some() && deliver.run.is_some() => {
                    Some("a delivery has either a `request` or a function to `run`")
                }
                Protocol::Rest | Protocol::JsonRpc
                    if (deliver.on_unknown == OnUnknown::LookUp) != deliver.look_up.is_some() =>
                {
                    Some("`on_unknown = \"lookup\"` and `lookup = \"logic/erp.ts#isThere\"` belong together")
                }
                Protocol::WebhookOut | Protocol::Smtp
                    if deliver.on_unknown == OnUnknown::LookUp || deliver.look_up.is_some() =>
                {
                    Some("only over `rest` and `jsonrpc` it can be looked up whether something arrived")
                }
                Protocol::Smtp if deliver.mail.is_none() => {
                    Some("a delivery by mail needs `mail = { template = .., to = .. }`")
                }
                Protocol::Smtp if deliver.request.is_some() || deliver.run.is_some() => Some(
                    "a mail is written by its template; `request` and `run` are for `rest` and `jsonrpc`",
                ),
                Protocol::Rest | Protocol::JsonRpc | Protocol::WebhookOut if deliver.mail.is_some() => {
                    Some("`mail` is only for connections with `protocol = \"smtp\"`")
                }
                _ => None,
            },
            OperationKind::Receive(_) if protocol != Protocol::WebhookIn => {
                Some("only webhooks that come in (`protocol = \"webhook-in\"`) can be received")
            }
            OperationKind::Poll(_) if !matches!(protocol, Protocol::Rest | Protocol::JsonRpc) => {
                Some("only `rest` and `jsonrpc` can be polled")
            }
            OperationKind::Receive(_) | OperationKind::Poll(_) => None,
        };
        let of_contract = operation.contract.as_ref();
        let misplaced = of_contract.and_then(|c| contract::misplaced(c, &operation.kind, protocol));
        for message in [wrong, misplaced].into_iter().flatten() {
            problems.error(&operation.source, message, None);
        }
        let own = format!("{}.{}", connection.id, operation.name);
        if let OperationKind::Deliver(deliver) = &operation.kind
            && deliver.run.is_some()
            && deliver.on.iter().any(|pattern| event_fits(pattern, &own))
        {
            let message = format!("what this operation brings back (`{own}`) would set it off again");
            problems.error(&operation.source, message, None);
        }
    }
}
