//! What connections name in `logic/`: mapping functions, and consumers of what comes in; and where they lead.

use takt_interfaces::readable_sender;
use takt_logic::Logic;
use takt_model::{
    Connect, Connection, ConnectionAuth, ExportRef, FieldType, MailSecurity, Operation, OperationKind,
    Problem, Project, Protocol, Severity, Source, Value, ValueRef,
};
use takt_outbound::names_own_network;

/// Where a connection leads may differ from machine to machine: `TAKT_CONNECTION_ERP_BASE` is the address of `erp`.
/// Who sets it means it, so private addresses are allowed there. A password in it would be shown to whoever may look.
pub(super) fn take_addresses(
    project: &mut Project,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    for connection in &mut project.connections {
        let name = format!("TAKT_CONNECTION_{}_BASE", connection.id.to_ascii_uppercase());
        if let Some(address) = variable(&name).filter(|a| !a.is_empty()) {
            // Of what only comes in, it is the address at which they are asked for the comparison.
            let asked = connection.reconcile.as_mut().and_then(|r| r.connect.as_mut());
            let connect = asked.unwrap_or(&mut connection.connect);
            connect.address = address.trim_end_matches('/').to_owned();
            connect.allow_private = true;
            let authority = connect.address.split("://").last().unwrap_or_default();
            if authority.split(['/', '?']).next().is_some_and(|a| a.contains('@')) {
                let help =
                    "write `auth = { kind = \"basic\", user = \"...\", secret = \"...\" }` in the file";
                let message = format!("`{name}` holds a user or a password");
                let help = Some(help.to_owned());
                problems.push(Problem { help, ..told(&connect.source, Severity::Error, message) });
            }
        }
    }
    problems
}

pub(super) fn check(project: &Project, logic: &Logic) -> Vec<Problem> {
    let mut problems = Vec::new();
    let today = today();
    for connection in &project.connections {
        if let Some(reconcile) = &connection.reconcile {
            problems.extend(mapping(&reconcile.source, &reconcile.theirs, logic));
        }
        problems.extend(leads_inside(connection));
        let asked = connection.reconcile.as_ref().and_then(|r| r.connect.as_ref());
        for connect in std::iter::once(&connection.connect).chain(asked) {
            problems.extend(in_the_clear(connect));
            problems.extend(over(connect, &today));
        }
        problems.extend(nobody_writes(&connection.connect));
        for operation in &connection.operations {
            problems.extend(match &operation.kind {
                OperationKind::Deliver(deliver) => {
                    let named = [&deliver.map, &deliver.run, &deliver.look_up].into_iter().flatten();
                    named.filter_map(|export| mapping(&operation.source, export, logic)).next()
                }
                OperationKind::Poll(poll) => mapping(&operation.source, &poll.run, logic).or_else(|| {
                    unheard(operation, &[format!("{}.{}", connection.id, operation.name)], logic)
                }),
                OperationKind::Receive(receive) => {
                    let event = |kind: &String| format!("{}.{kind}", connection.id);
                    unheard(operation, &receive.accept.iter().map(event).collect::<Vec<_>>(), logic)
                }
            });
        }
    }
    problems
}

/// An address of the own network that nobody allowed: no call would pass the door. Better said when it is written.
fn leads_inside(connection: &Connection) -> Option<Problem> {
    let connect = &connection.connect;
    let token = match &connect.auth {
        ConnectionAuth::OAuth2 { token_url, .. } => token_url.as_str(),
        _ => "",
    };
    let shown = connect.shown_address();
    let inside = [shown.as_str(), token].into_iter().find(|a| names_own_network(a))?;
    (!connect.allow_private).then(|| Problem {
        source: connect.source.clone(),
        column: None,
        severity: Severity::Error,
        message: format!("`{inside}` is an address of the own network"),
        help: Some("write `allow_private = true` in `[connect]` if it is meant".to_owned()),
    })
}

/// Whoever sits on the way reads and changes what crosses the internet in the clear. In the own network it is the
/// owner's own risk, which `allow_private` says.
fn in_the_clear(connect: &Connect) -> Option<Problem> {
    let token = match &connect.auth {
        ConnectionAuth::OAuth2 { token_url, .. } => token_url.as_str(),
        _ => "",
    };
    let is_plain = |address: &str| address.starts_with("http://") && !names_own_network(address);
    let shown = connect.shown_address();
    let (plain, help) = match connect.protocol {
        Protocol::Smtp => {
            let is_open = connect.security == MailSecurity::None && !names_own_network(&connect.address);
            (is_open.then_some(shown.as_str()), "write `security = \"starttls\"` or `\"tls\"`")
        }
        _ => ([shown.as_str(), token].into_iter().find(|a| is_plain(a)), "write `https://`"),
    };
    let plain = plain.filter(|_| !connect.allow_private)?;
    let message = format!("`{plain}` would be reached in the clear: everybody on the way could read it");
    let help = format!("{help}; for a name in the own network write `allow_private = true`");
    Some(Problem { help: Some(help), ..told(&connect.source, Severity::Error, message) })
}

/// A version that is over is answered as somebody over there pleases.
fn over(connect: &Connect, today: &Value) -> Option<Problem> {
    let api = connect.api.as_ref()?;
    let (Some(end), Value::Date(today)) = (api.end, today) else { return None };
    let message = format!("the version `{}` of the other side ended on {end}", api.version);
    (end < *today).then(|| told(&connect.source, Severity::Warning, message))
}

fn today() -> Value {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let now = ValueRef::Timestamp(i64::try_from(now.as_micros()).unwrap_or(i64::MAX)).to_text();
    FieldType::Date.parse_text(now.get(..10).unwrap_or_default()).unwrap_or(Value::Null)
}

fn nobody_writes(connect: &Connect) -> Option<Problem> {
    let from = connect.from.as_deref()?;
    let why = readable_sender(from).err()?;
    let help = Some("write `from = \"Shop <post@shop.example>\"`".to_owned());
    Some(Problem { help, ..told(&connect.source, Severity::Error, why) })
}

fn mapping(source: &Source, map: &ExportRef, logic: &Logic) -> Option<Problem> {
    let ExportRef { file, export } = map;
    let message = match logic.mapping(file) {
        None => format!("`{file}` is no file of mapping functions (`export const kind = \"mapping\"`)"),
        Some(mapping) if mapping.exports.contains(export) => return None,
        Some(_) => format!("`{file}` exports no function `{export}`"),
    };
    Some(told(source, Severity::Error, message))
}

/// Nobody handles what comes in: it would be stored and nothing would follow.
fn unheard(operation: &Operation, events: &[String], logic: &Logic) -> Option<Problem> {
    let is_heard = |event: &String| logic.consumers().iter().any(|c| c.events.contains(event));
    let unheard: Vec<_> = events.iter().filter(|e| !is_heard(e)).map(String::as_str).collect();
    let message = format!("no consumer in logic/ waits for `{}`", unheard.join("`, `"));
    (!unheard.is_empty()).then(|| told(&operation.source, Severity::Warning, message))
}

fn told(source: &Source, severity: Severity, message: String) -> Problem {
    Problem { source: source.clone(), column: None, severity, message, help: None }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use takt_model::ProjectFiles;

    use super::*;

    #[test]
    fn the_environment_says_where_a_connection_leads_and_holds_no_password() {
        let file = "purpose = \"x\"\npartner = { name = \"x\" }\nowner = \"x\"\noutage = { en = \"x\" }\ndata = []\n\
                    [connect]\nprotocol = \"rest\"\nbase = \"https://erp.example\"\n";
        let takt = "name = \"Test\"\nlanguages = [\"en\"]\n";
        let files = ProjectFiles::from([("takt.toml", takt), ("interfaces/erp.toml", file)]);
        for (value, is_fine) in
            [("http://10.0.0.7:8069/rest/", true), ("https://ann:geheim@erp.example", false)]
        {
            let (mut project, _) = Project::parse(&files, &[]);
            let variable = |name: &str| (name == "TAKT_CONNECTION_ERP_BASE").then(|| value.to_owned());
            let told: Vec<_> =
                take_addresses(&mut project, variable).iter().map(ToString::to_string).collect();
            assert_eq!(told.is_empty(), is_fine, "{told:?}");
            assert!(!told.join("").contains("geheim"), "{told:?}");
            let connect = &project.connection("erp").unwrap().connect;
            assert!(connect.allow_private && !connect.address.ends_with('/'));
        }
    }
}
