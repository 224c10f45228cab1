//! `[reconcile]`: what is compared with the other side, how often, and what is done about what is missing.

use std::time::Duration;

use super::super::{
    document::{Section, Spotted},
    problems::{Problems, did_you_mean, did_you_mean_or_list},
};
use super::{connect, operation, time};
use crate::{
    Connect, Connection, Expr, FieldId, FieldType, MissingHere, MissingThere, OperationKind, Ours, Project,
    Protocol, Reconcile, Rhythm, Schedule, SharedState, Source, Table, parse_expression,
};

/// Nobody compares more often.
const SHORTEST: Duration = Duration::from_secs(60);
/// Nobody looks further back; what is older than deliveries are kept can no longer be sent again.
const LONGEST_WINDOW: Duration = Duration::from_secs(30 * 86_400);
/// Each costs a look at the database.
const MOST_STATES: usize = 8;
/// What entries of theirs say beside fields and states.
const RESERVED: [&str; 3] = ["key", "at", "message"];
const DEFAULT_GRACE: Duration = Duration::from_secs(15 * 60);

pub(super) fn read(root: &Section<'_>, project: &Project, problems: &mut Problems) -> Option<Reconcile> {
    let part = root.section("reconcile", problems)?;
    let rhythm = rhythm(&part, problems);
    let window = time(&part, "window", problems);
    let grace = time(&part, "grace", problems).unwrap_or(DEFAULT_GRACE);
    let theirs = part.text("theirs", problems).and_then(|t| operation::export(&t, problems));
    let ours = ours(&part, project, problems);
    let missing_here = missing_here(&part, problems);
    let missing_there = missing_there(&part, problems);
    let connect = part.value("connect").and_then(|_| connect::read(&part, problems));
    part.finish(problems);
    let (Some(window), Some(theirs)) = (window, theirs) else {
        let help = "write `window = \"3d\"` and `theirs = \"logic/erp.ts#sales\"`".to_owned();
        let message = "a comparison needs its `window` and a function that asks what `theirs` is";
        problems.error(part.source(), message, help);
        return None;
    };
    let rhythm = rhythm?;
    check_times(part.source(), &rhythm, window, grace, problems);
    let source = part.source().clone();
    Some(Reconcile {
        rhythm,
        window,
        grace,
        theirs,
        ours: ours?,
        missing_here,
        missing_there,
        connect,
        source,
    })
}

/// `every = "1h"`, or `schedule = "30 3 * * *"` with a `time_zone`, as jobs have it.
fn rhythm(part: &Section<'_>, problems: &mut Problems) -> Option<Rhythm> {
    let is_paced = part.value("every").is_some();
    let pause = time(part, "every", problems);
    let (cron, zone) = (part.text("schedule", problems), part.text("time_zone", problems));
    let help = || {
        "write `every = \"1h\"`, or `schedule = \"30 3 * * *\"`, `time_zone = \"Europe/Berlin\"`".to_owned()
    };
    match (is_paced, cron) {
        (true, Some(cron)) => {
            problems.error(&cron.source, "a comparison has `every` or a `schedule`, not both", help());
            None
        }
        (false, None) => {
            problems.error(part.source(), "a comparison needs `every` or a `schedule`", help());
            None
        }
        (true, None) => {
            if let Some(zone) = zone {
                problems.error(&zone.source, "a time zone without a `schedule`", help());
            }
            let pause = pause?;
            if pause < SHORTEST {
                let help = "write `every = \"1h\"`".to_owned();
                problems.error(part.source(), "`every` must be a minute (`1m`) or more", help);
            }
            Some(Rhythm::Every(pause.max(SHORTEST)))
        }
        (false, Some(cron)) => {
            let zone = zone.as_ref().map_or("UTC", |z| z.value.as_str());
            let read = Schedule::read(&cron.value, zone);
            let read = read.map_err(|why| problems.error(&cron.source, why, help())).ok()?;
            Some(Rhythm::Schedule(read))
        }
    }
}

fn check_times(source: &Source, rhythm: &Rhythm, window: Duration, grace: Duration, problems: &mut Problems) {
    if window < rhythm.longest_pause().saturating_mul(2) {
        let (message, help) = match rhythm {
            Rhythm::Every(_) => (
                "`window` must be at least twice as long as `every`",
                "what comes up while one comparison runs must be seen by the next: twice `every`, or more",
            ),
            Rhythm::Schedule(_) => (
                "`window` must be at least twice as long as the longest pause of `schedule`",
                "what comes up while one comparison runs must be seen by the next; for every night that is `2d` and the hour that one night may be longer, so `3d`",
            ),
        };
        problems.error(source, message, help.to_owned());
    }
    if window > LONGEST_WINDOW {
        problems.error(source, "`window` may be at most 30 days (`30d`)", None);
    }
    if grace >= window {
        problems.error(source, "`grace` must be shorter than `window`, or nothing is ever missing", None);
    }
}

fn ours(part: &Section<'_>, project: &Project, problems: &mut Problems) -> Option<Ours> {
    const EXAMPLE: &str = "ours = { table = \"orders\", key = \"number\", at = \"created_at\" }";
    let Some(ours) = part.section("ours", problems) else {
        problems.error(part.source(), "a comparison needs what is `ours`", format!("write `{EXAMPLE}`"));
        return None;
    };
    let table = named_table(&ours, project, problems);
    let (key, at) = (ours.text("key", problems), ours.text("at", problems));
    let (holds, expected) = (ours.text("holds", problems), ours.text("expected", problems));
    let same = ours.texts("same", problems);
    let states = ours.section("states", problems);
    ours.finish(problems);
    let table = table?;
    let (Some(key), Some(at)) = (key, at) else {
        problems.error(ours.source(), "`ours` needs its `key` and `at`", format!("write `{EXAMPLE}`"));
        return None;
    };
    if table.primary_key.len() != 1 {
        let message =
            format!("`{}` has no primary key of one field, by which a row is found again", table.name);
        problems.error(ours.source(), message, None);
    }
    let (key_id, at_id) = (field(table, &key, problems)?, field(table, &at, problems)?);
    if !table.is_unique(&[key_id]) {
        problems.error(
            &key.source,
            format!("`{}` is not unique, so it names no single row", key.value),
            None,
        );
    }
    if table.get(at_id).kind != FieldType::Timestamp {
        problems.error(&at.source, format!("`{}` is no timestamp", at.value), None);
    }
    let fields = |same: Spotted<Vec<String>>, problems: &mut Problems| {
        let one = |name| field(table, &Spotted { value: name, source: same.source.clone() }, problems);
        same.value.into_iter().filter_map(one).collect()
    };
    Some(Ours {
        table: table.id,
        key: key_id,
        at: at_id,
        holds: condition(project, table, holds.as_ref(), problems),
        holds_text: holds.map(|h| h.value),
        expected: condition(project, table, expected.as_ref(), problems),
        expected_text: expected.map(|e| e.value),
        same: same.map(|s| fields(s, problems)).unwrap_or_default(),
        states: states.map(|s| shared_states(project, table, &s, problems)).unwrap_or_default(),
    })
}

/// `[reconcile.ours.states.cancelled]` with `label` and `when`.
fn shared_states(
    project: &Project,
    table: &Table,
    part: &Section<'_>,
    problems: &mut Problems,
) -> Vec<SharedState> {
    let mut states = Vec::new();
    for (name, state) in part.all_sections(problems) {
        let label = state.words("label", &project.settings.languages, problems);
        let when = state.text("when", problems);
        state.finish(problems);
        if RESERVED.contains(&name) || table.field(name).is_some() {
            let message = format!("`{name}` is what a row says already; a state needs a name of its own");
            problems.error(state.source(), message, None);
        }
        let Some(when) = when else {
            let help = "write `when = \"status = 'cancelled'\"`".to_owned();
            problems.error(state.source(), format!("nothing says when a row is `{name}`"), help);
            continue;
        };
        states.push(SharedState {
            name: name.to_owned(),
            label,
            when: condition(project, table, Some(&when), problems),
            when_text: when.value,
        });
    }
    if states.len() > MOST_STATES {
        problems.error(part.source(), format!("at most {MOST_STATES} states are compared"), None);
        states.truncate(MOST_STATES);
    }
    states
}

fn named_table<'p>(ours: &Section<'_>, project: &'p Project, problems: &mut Problems) -> Option<&'p Table> {
    let said = ours.text("table", problems)?;
    let found = project.table(&said.value);
    if found.is_none() {
        let help = did_you_mean(&said.value, project.tables.iter().map(|t| t.name.as_str()));
        problems.error(&said.source, format!("there is no table `{}`", said.value), help);
    }
    found
}

fn field(table: &Table, said: &Spotted<String>, problems: &mut Problems) -> Option<FieldId> {
    let found = table.field(&said.value).map(|f| f.id);
    if found.is_none() {
        let help = did_you_mean_or_list(&said.value, table.fields.iter().map(|f| f.name.as_str()));
        problems.error(&said.source, format!("table `{}` has no field `{}`", table.name, said.value), help);
    }
    found
}

/// Nothing said means every row; what cannot be read means none.
fn condition(
    project: &Project,
    table: &Table,
    said: Option<&Spotted<String>>,
    problems: &mut Problems,
) -> Expr {
    let Some(said) = said else { return Expr::yes() };
    parse_expression(project, table.id, &said.value).unwrap_or_else(|problem| {
        problems.error(&said.source, problem.message, problem.help);
        Expr::no()
    })
}

fn missing_here(part: &Section<'_>, problems: &mut Problems) -> MissingHere {
    let Some(said) = part.text("missing_here", problems) else { return MissingHere::default() };
    match said.value.as_str() {
        "receive" => MissingHere::Receive,
        "offer" => MissingHere::Offer,
        "report" => MissingHere::Report,
        other => {
            let help = did_you_mean_or_list(other, ["receive", "offer", "report"]);
            problems.error(&said.source, format!("unknown answer `{other}` to what is missing here"), help);
            MissingHere::default()
        }
    }
}

/// `missing_there = "offer"` with `send = "sale"`
fn missing_there(part: &Section<'_>, problems: &mut Problems) -> MissingThere {
    let send = part.text("send", problems);
    let Some(said) = part.text("missing_there", problems) else { return MissingThere::default() };
    let by = |problems: &mut Problems| {
        if send.is_none() {
            let help = "write `send = \"sale\"`".to_owned();
            problems.error(&said.source, "nothing says which operation sends what is missing there", help);
        }
        send.as_ref().map(|s| s.value.clone())
    };
    match said.value.as_str() {
        "send" => by(problems).map_or(MissingThere::Report, MissingThere::Send),
        "offer" => by(problems).map_or(MissingThere::Report, MissingThere::Offer),
        "report" => MissingThere::Report,
        other => {
            let help = did_you_mean_or_list(other, ["send", "offer", "report"]);
            problems.error(&said.source, format!("unknown answer `{other}` to what is missing there"), help);
            MissingThere::default()
        }
    }
}

/// What only makes sense together with the rest of the connection.
pub(super) fn check(connection: &Connection, project: &Project, problems: &mut Problems) {
    let Some(reconcile) = &connection.reconcile else { return };
    let asks = |c: &Connect| matches!(c.protocol, Protocol::Rest | Protocol::JsonRpc);
    if !asks(reconcile.connect.as_ref().unwrap_or(&connection.connect)) {
        let help = "write `[reconcile.connect]` with `protocol = \"rest\"`, `base` and `auth`".to_owned();
        problems.error(&reconcile.source, "nobody can be asked over this connection", help);
    }
    if let Some(name) = reconcile.missing_there.operation() {
        let delivers = |o: &&crate::Operation| o.name == name && matches!(o.kind, OperationKind::Deliver(_));
        if !connection.operations.iter().any(|o| delivers(&o)) {
            let message = format!("there is no operation `{name}` that delivers");
            problems.error(&reconcile.source, message, None);
        }
    }
    let receives = connection.operations.iter().any(|o| matches!(o.kind, OperationKind::Receive(_)));
    if reconcile.missing_here != MissingHere::Report && !receives {
        let message = "no operation receives what is missing here (`kind = \"receive\"`)";
        problems.error(&reconcile.source, message, None);
    }
    let table = project.tables.iter().find(|t| t.id == reconcile.ours.table);
    let key = table.map(|t| t.get(reconcile.ours.key));
    if let Some(key) = key.filter(|k| k.personal.is_some()) {
        let declared = connection.data.iter().any(|d| d.fields.contains(&key.name));
        if !declared {
            let message = format!("`{}` is personal and would leave; `data` does not declare it", key.name);
            problems.error(&reconcile.source, message, None);
        }
    }
}
