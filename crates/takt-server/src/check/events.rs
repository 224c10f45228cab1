//! Whoever waits for events (deliveries, consumers) waits for something that comes, and names places in it that are
//! there; said only where all events are written out. And rules about figures of fields that a function never names.

use takt_logic::{Emitted, FunctionKind, Logic, Trigger};
use takt_model::{
    Connection, Deliver, Operation, OperationKind, Poll, Problem, Project, ProjectFiles, Severity, Source,
    did_you_mean, event_fits,
};

pub(super) fn check(files: &ProjectFiles, project: &Project, logic: &Logic) -> Vec<Problem> {
    let events = Events { emitted: logic.emitted(), connections: &project.connections };
    let mut problems = Vec::new();
    for connection in &project.connections {
        for operation in &connection.operations {
            match &operation.kind {
                OperationKind::Deliver(deliver) => problems.extend(events.delivery(operation, deliver)),
                OperationKind::Poll(poll) => problems.extend(figures(files, operation, poll)),
                OperationKind::Receive(_) => {}
            }
        }
    }
    for function in logic.functions().iter().filter(|f| f.kind == FunctionKind::Consumer) {
        if let Trigger::Events(names) = &function.trigger {
            problems.extend(names.iter().filter_map(|name| events.unknown(name, &function.source)));
        }
    }
    problems
}

/// The events that can come.
struct Events<'e> {
    emitted: Emitted,
    connections: &'e [Connection],
}

impl Events<'_> {
    fn delivery(&self, operation: &Operation, deliver: &Deliver) -> Vec<Problem> {
        let mut problems: Vec<_> =
            deliver.on.iter().filter_map(|event| self.unknown(event, &operation.source)).collect();
        let mail = deliver.mail.as_ref();
        let places = [
            ("lane", deliver.lane.as_deref()),
            ("to", mail.map(|m| m.to.as_str())),
            ("language", mail.and_then(|m| m.language.as_deref())),
        ];
        for (key, path) in places {
            let Some(path) = path else { continue };
            problems
                .extend(deliver.on.iter().filter_map(|event| self.misplaced(event, key, path, operation)));
        }
        problems.dedup_by(|a, b| a.message == b.message);
        problems
    }

    /// Names of events that no function emits but connections bring: what a delivery or a question gives, and what
    /// others send.
    fn brought(&self, pattern: &str) -> bool {
        self.connections.iter().any(|connection| {
            let of = |name: &str| format!("{}.{name}", connection.id);
            connection.operations.iter().any(|operation| match &operation.kind {
                OperationKind::Receive(receive) if receive.accept.is_empty() => {
                    pattern.starts_with(&of("")) || event_fits(pattern, &of(""))
                }
                OperationKind::Receive(receive) => {
                    receive.accept.iter().any(|kind| event_fits(pattern, &of(kind)))
                }
                OperationKind::Deliver(deliver) => {
                    deliver.run.is_some() && event_fits(pattern, &of(&operation.name))
                }
                OperationKind::Poll(_) => event_fits(pattern, &of(&operation.name)),
            })
        })
    }

    fn unknown(&self, pattern: &str, source: &Source) -> Option<Problem> {
        let is_known = self.emitted.events.keys().any(|event| event_fits(pattern, event));
        if is_known || !self.emitted.is_whole || self.brought(pattern) {
            return None;
        }
        let known = self.emitted.events.keys().map(String::as_str);
        Some(warning(source, format!("nothing emits `{pattern}`"), did_you_mean(pattern, known)))
    }

    /// A place whose first name no such event has.
    fn misplaced(&self, pattern: &str, key: &str, path: &str, operation: &Operation) -> Option<Problem> {
        let fitting: Vec<_> =
            self.emitted.events.iter().filter(|(event, _)| event_fits(pattern, event)).collect();
        let fields = fitting.iter().map(|(_, fields)| fields.as_ref()).collect::<Option<Vec<_>>>()?;
        let first = path.trim_start_matches(['$', '.']).split('.').next().unwrap_or_default();
        let known = || fields.iter().flat_map(|f| f.iter()).map(String::as_str);
        if fitting.is_empty() || self.brought(pattern) || known().any(|name| name == first) {
            return None;
        }
        let message = format!("`{key}`: `{pattern}` has no `{first}`");
        let help = did_you_mean(first, known()).or_else(|| {
            let mut all: Vec<_> = known().map(|name| format!("`{name}`")).collect();
            all.sort();
            all.dedup();
            (!all.is_empty() && all.len() < 16).then(|| format!("it has {}", all.join(", ")))
        });
        Some(warning(&operation.source, message, help))
    }
}

/// `zeros(stokc)` of a function that never says `stokc` always holds: it protects from nothing.
fn figures(files: &ProjectFiles, operation: &Operation, poll: &Poll) -> Vec<Problem> {
    let Some(text) = files.0.get(&poll.run.file) else { return Vec::new() };
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| w.len() > 1).collect();
    let mut fields: Vec<String> =
        poll.plausible.iter().flat_map(takt_model::PlausibleRule::figures).filter_map(|f| f.field).collect();
    fields.sort();
    fields.dedup();
    let unknown = fields.iter().filter(|field| field.split('.').any(|part| !words.contains(&part)));
    let told = |field: &String| {
        let message = format!(
            "`plausible`: {} never says `{field}`, so a rule about it protects from nothing",
            poll.run.file
        );
        warning(&operation.source, message, did_you_mean(field, words.iter().copied()))
    };
    unknown.map(told).collect()
}

fn warning(source: &Source, message: String, help: Option<String>) -> Problem {
    Problem { source: source.clone(), column: None, severity: Severity::Warning, message, help }
}
