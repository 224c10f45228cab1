//! What connections name in `logic/`: mapping functions, and consumers of what comes in; and where they lead.

use takt_logic::Logic;
use takt_model::{
    Connection, ConnectionAuth, ExportRef, Operation, OperationKind, Problem, Project, Severity, Source,
};
use takt_outbound::names_own_network;

/// Where a connection leads may differ from machine to machine: `TAKT_CONNECTION_ERP_BASE` is the address of `erp`.
/// Who sets it means it, so private addresses are allowed there.
pub(super) fn take_addresses(project: &mut Project, variable: impl Fn(&str) -> Option<String>) {
    for connection in &mut project.connections {
        let name = format!("TAKT_CONNECTION_{}_BASE", connection.id.to_ascii_uppercase());
        if let Some(address) = variable(&name).filter(|a| !a.is_empty()) {
            // Of what only comes in, it is the address at which they are asked for the comparison.
            let asked = connection.reconcile.as_mut().and_then(|r| r.connect.as_mut());
            let connect = asked.unwrap_or(&mut connection.connect);
            connect.address = address.trim_end_matches('/').to_owned();
            connect.allow_private = true;
        }
    }
}

pub(super) fn check(project: &Project, logic: &Logic) -> Vec<Problem> {
    let mut problems = Vec::new();
    for connection in &project.connections {
        if let Some(reconcile) = &connection.reconcile {
            problems.extend(mapping(&reconcile.source, &reconcile.theirs, logic));
        }
        problems.extend(leads_inside(connection));
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
    let inside = [connect.address.as_str(), token].into_iter().find(|a| names_own_network(a))?;
    (!connect.allow_private).then(|| Problem {
        source: connection.source.clone(),
        column: None,
        severity: Severity::Error,
        message: format!("`{inside}` is an address of the own network"),
        help: Some("write `allow_private = true` in `[connect]` if it is meant".to_owned()),
    })
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
