//! Comparisons with other systems in plain words: how the last one ended, what is missing on which side and since when.
//! Everything here is read by owners, in German and English; once for the terminal and once for the console.

use serde_json::{Value as Json, json};
use takt_interfaces::{
    Difference, DifferenceAction, DifferenceKind, DifferenceReason, Interfaces, InterfacesError, NotCompared,
    Reconciliation, ReconciliationState, Wish,
};
use takt_model::{Connection, MissingHere, MissingThere, Project, Reconcile, Rhythm, SharedState, Words};
use takt_report::format;

use crate::{
    admin::refusal::Refusal,
    app::App,
    deliveries::words::{connection_name, say, span},
};

/// A command or a page waits so long for the answer; the comparison goes on afterwards.
pub(crate) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(50);
/// Differences that are told one by one.
const MOST_TOLD: usize = 100;

/// Compares with one connection, or with each that declares it, and tells it in words.
pub(crate) async fn compare(
    app: &App,
    room: &Interfaces,
    connection: Option<String>,
    wish: Wish,
    language: &str,
) -> Result<Json, Refusal> {
    let project = app.project();
    let all = project.connections.iter().filter(|c| c.reconcile.is_some()).map(|c| c.id.clone());
    let wanted: Vec<String> = connection.map_or_else(|| all.collect(), |one| vec![one]);
    if wanted.is_empty() {
        let none = say(
            language,
            "No connection says what it compares (`[reconcile]` in its file).",
            "Keine Verbindung sagt, was sie abgleicht (`[reconcile]` in ihrer Datei).",
        );
        return Ok(json!({ "reconciliations": [], "text": none }));
    }
    let is_alone = wanted.len() == 1;
    let (mut told, mut texts) = (Vec::new(), Vec::new());
    for id in wanted {
        match one(room, &id, wish).await {
            Ok(Some(done)) => {
                texts.push(in_words(&project, &done.run, &done.differences, wish.dry_run, language));
                told.push(json!(done));
            }
            Ok(None) => texts.push(still_running(&id, language)),
            // Of several, one that is not set up does not keep the others away.
            Err(InterfacesError::NotCompared(why)) if !is_alone => {
                texts.push(format!(
                    "{}: {}",
                    connection_name(&project, &id, language),
                    not_compared(&why, language)
                ));
                told.push(json!({ "connection": id, "not_compared": why.to_string() }));
            }
            Err(InterfacesError::NotCompared(why)) => {
                return Err(Refusal::Told(not_compared(&why, language)));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(json!({ "reconciliations": told, "dry_run": wish.dry_run, "text": texts.join("\n\n") }))
}

/// A person says that what does not agree about `key` is settled.
pub(crate) async fn settle(
    room: &Interfaces,
    connection: &str,
    key: &str,
    language: &str,
) -> Result<Json, Refusal> {
    let n = room.settle_difference(connection, key).await?;
    if n == 0 {
        return Err(Refusal::Told(match language {
            "de" => format!("Bei `{connection}` ist zu {key} nichts offen."),
            _ => format!("Nothing is open about {key} at `{connection}`."),
        }));
    }
    let text = match language {
        "de" => format!("{key} gilt als erledigt."),
        _ => format!("{key} counts as settled."),
    };
    Ok(json!({ "settled": n, "text": text }))
}

/// Goes on in the background if it takes longer than a command waits.
async fn one(
    room: &Interfaces,
    id: &str,
    wish: Wish,
) -> Result<Option<takt_interfaces::Reconciled>, InterfacesError> {
    let (room, id) = (room.clone(), id.to_owned());
    with_patience(PATIENCE, async move { room.reconcile(&id, wish).await }).await.transpose()
}

/// What came of `work`; nothing if it takes longer. Then it goes on by itself, also if nobody waits any more.
pub(crate) async fn with_patience<T: Send + 'static>(
    patience: std::time::Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> Option<T> {
    tokio::time::timeout(patience, tokio::spawn(work)).await.ok()?.ok()
}

fn still_running(id: &str, language: &str) -> String {
    match language {
        "de" => format!(
            "Der Abgleich mit `{id}` läuft noch; sein Ergebnis steht danach in /studio/deliveries/{id}."
        ),
        _ => format!(
            "The comparison with `{id}` is still running; its result will stand at /studio/deliveries/{id}."
        ),
    }
}

/// Why nothing was compared.
pub(crate) fn not_compared(why: &NotCompared, language: &str) -> String {
    match why {
        NotCompared::Undeclared => say(
            language,
            "The file of this connection does not say what to compare (`[reconcile]`).",
            "Die Datei dieser Verbindung sagt nicht, was abzugleichen ist (`[reconcile]`).",
        )
        .to_owned(),
        NotCompared::Paused => say(
            language,
            "The connection is paused; nobody is asked.",
            "Die Verbindung ist angehalten; es wird niemand gefragt.",
        )
        .to_owned(),
        NotCompared::Secret(name) => match language {
            "de" => format!("Das Geheimnis `{name}` ist nicht gesetzt; `takt secrets set {name}` setzt es."),
            _ => format!("The secret `{name}` is not set; `takt secrets set {name}` sets it."),
        },
        NotCompared::Busy => say(
            language,
            "A comparison is running; please look again in a moment.",
            "Ein Abgleich läuft gerade; bitte sehen Sie gleich noch einmal nach.",
        )
        .to_owned(),
    }
}

/// What is compared, for headings: "Bestellungen".
fn things<'p>(project: &'p Project, connection: &str, language: &str) -> &'p str {
    let table = project
        .connection(connection)
        .and_then(|c| c.reconcile.as_ref())
        .and_then(|r| project.tables.iter().find(|t| t.id == r.ours.table));
    table.map_or("", |t| t.label.get(language).unwrap_or(&t.name))
}

/// A whole comparison for the terminal.
fn in_words(
    project: &Project,
    run: &Reconciliation,
    differences: &[Difference],
    dry_run: bool,
    language: &str,
) -> String {
    let name = connection_name(project, &run.connection, language);
    let mut lines = vec![format!("{name} ({}): {}", run.connection, summary(project, run, language))];
    let shown = differences.iter().take(MOST_TOLD).map(|d| format!("  {}", sentence(project, d, language)));
    lines.extend(shown);
    if differences.len() > MOST_TOLD {
        let more = differences.len() - MOST_TOLD;
        lines.push(format!("  … {more} {}", say(language, "more", "weitere")));
    }
    if dry_run {
        lines.push(
            say(
                language,
                "  It was only looked; nothing was written, sent or handled.",
                "  Es wurde nur nachgesehen; nichts wurde geschrieben, gesendet oder verarbeitet.",
            )
            .to_owned(),
        );
    } else if differences.iter().any(|d| d.is_open() && is_offered(project, d)) {
        let (english, german) = ("sends or handles what is missing.", "sendet oder verarbeitet, was fehlt.");
        let command = format!("takt deliveries reconcile {} --replay", run.connection);
        lines.push(format!("  `{command}` {}", say(language, english, german)));
    }
    lines.join("\n")
}

/// Whether a person may have it sent or handled.
pub(crate) fn is_offered(project: &Project, difference: &Difference) -> bool {
    let Some(reconcile) = project.connection(&difference.connection).and_then(|c| c.reconcile.as_ref())
    else {
        return false;
    };
    match difference.kind {
        DifferenceKind::MissingThere => {
            reconcile.missing_there.operation().is_some() && difference.reason.is_none()
        }
        DifferenceKind::MissingHere => {
            let may = reconcile.missing_here != MissingHere::Report;
            may && matches!(difference.reason, None | Some(DifferenceReason::Stopped))
        }
        DifferenceKind::Different | DifferenceKind::Twice => false,
    }
}

/// How a comparison ended, in one or two sentences.
pub(crate) fn summary(project: &Project, run: &Reconciliation, language: &str) -> String {
    let moment = |at| format::moment(at, language);
    let error = run.error.as_deref().unwrap_or_default();
    let (from, to) = (moment(run.from_at), moment(run.to_at));
    match (run.state, language) {
        (ReconciliationState::Running, "de") => {
            format!("Ein Abgleich läuft seit {}.", moment(run.started_at))
        }
        (ReconciliationState::Running, _) => {
            format!("A comparison is running since {}.", moment(run.started_at))
        }
        (ReconciliationState::Failed, "de") => format!(
            "Der Abgleich vom {} ist gescheitert; ob etwas fehlt, ist nicht bekannt. Grund: {error}",
            moment(run.started_at)
        ),
        (ReconciliationState::Failed, _) => format!(
            "The comparison of {} failed; whether anything is missing is not known. Reason: {error}",
            moment(run.started_at)
        ),
        (ReconciliationState::Implausible, "de") => format!(
            "Der Antwort vom {} wird nicht geglaubt: Dort war gar nichts, hier {}. Es wurde nichts geändert.",
            moment(run.started_at),
            run.ours
        ),
        (ReconciliationState::Implausible, _) => format!(
            "The answer of {} is not believed: nothing at all there, {} here. Nothing was changed.",
            moment(run.started_at),
            run.ours
        ),
        (ReconciliationState::Agreed, "de") => {
            format!("{from} bis {to} stimmt überein: {}.", counts(project, run, language))
        }
        (ReconciliationState::Agreed, _) => {
            format!("{from} to {to} agrees: {}.", counts(project, run, language))
        }
        (ReconciliationState::Differences, "de") => {
            format!("{from} bis {to} stimmt nicht überein: {}.", counts(project, run, language))
        }
        (ReconciliationState::Differences, _) => {
            format!("{from} to {to} does not agree: {}.", counts(project, run, language))
        }
    }
}

fn counts(project: &Project, run: &Reconciliation, language: &str) -> String {
    let things = things(project, &run.connection, language);
    let mut parts = match language {
        "de" => vec![
            format!("{things}: {} dort erwartet, {} dort gefunden", run.ours, run.theirs),
            format!("{} gleich", run.matched),
        ],
        _ => vec![
            format!("{things}: {} expected there, {} found there", run.ours, run.theirs),
            format!("{} equal", run.matched),
        ],
    };
    for (n, english, german) in [
        (run.missing_there, "missing there", "fehlen dort"),
        (run.missing_here, "missing here", "fehlten hier"),
        (run.different, "different", "verschieden"),
        (run.twice, "there more than once", "dort mehrfach"),
        (run.under_way, "still under way", "noch unterwegs"),
        (run.replayed, "sent or handled once more", "noch einmal gesendet oder verarbeitet"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {}", say(language, english, german)));
        }
    }
    parts.join(", ")
}

/// A difference in one sentence: what, on which side, since when, what was done about it.
pub(crate) fn sentence(project: &Project, difference: &Difference, language: &str) -> String {
    let d = difference;
    let partner = connection_name(project, &d.connection, language);
    let what = match (d.kind, language) {
        (DifferenceKind::MissingThere, "de") => format!("{} fehlt bei {partner}.", d.key),
        (DifferenceKind::MissingThere, _) => format!("{} is missing at {partner}.", d.key),
        (DifferenceKind::MissingHere, "de") => format!("{} steht bei {partner}, hier aber nicht.", d.key),
        (DifferenceKind::MissingHere, _) => format!("{} is known at {partner}, but not here.", d.key),
        (DifferenceKind::Twice, "de") => {
            format!("{} steht bei {partner} {}-mal.", d.key, d.theirs.as_deref().unwrap_or("2"))
        }
        (DifferenceKind::Twice, _) => {
            format!("{} stands {} times at {partner}.", d.key, d.theirs.as_deref().unwrap_or("2"))
        }
        (DifferenceKind::Different, _) => different(project, d, partner, language),
    };
    let first = format::moment(d.first_at, language);
    let since = match language {
        "de" => format!("Zuerst gesehen: {first}."),
        _ => format!("First seen: {first}."),
    };
    let done = done(d, language);
    let why = d.reason.map_or_else(String::new, |reason| because(reason, language).to_owned());
    [what, since, done, why].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn different(project: &Project, d: &Difference, partner: &str, language: &str) -> String {
    let field = d.field.as_deref().unwrap_or_default();
    let reconcile = project.connection(&d.connection).and_then(|c| c.reconcile.as_ref());
    if let Some(state) = reconcile.and_then(|r| r.ours.states.iter().find(|s| s.name == field)) {
        return in_another_state(d, state, partner, language);
    }
    let table = reconcile.and_then(|r| project.tables.iter().find(|t| t.id == r.ours.table));
    let label = table.and_then(|t| t.field(field)).and_then(|f| f.label.get(language)).unwrap_or(field);
    let nothing = say(language, "nothing", "nichts");
    let (ours, theirs) = (d.ours.as_deref().unwrap_or(nothing), d.theirs.as_deref().unwrap_or(nothing));
    match language {
        "de" => format!("{}: „{label}“ ist hier {ours}, bei {partner} {theirs}.", d.key),
        _ => format!("{}: \"{label}\" is {ours} here, {theirs} at {partner}.", d.key),
    }
}

fn in_another_state(d: &Difference, state: &SharedState, partner: &str, language: &str) -> String {
    let word = |said: Option<&str>| match said {
        Some("true") => say(language, "yes", "ja").to_owned(),
        Some("false") => say(language, "no", "nein").to_owned(),
        Some(other) => other.to_owned(),
        None => say(language, "not told", "keine Angabe").to_owned(),
    };
    let (ours, theirs) = (word(d.ours.as_deref()), word(d.theirs.as_deref()));
    let label = state.label.get(language).unwrap_or(&state.name);
    match language {
        "de" => format!("{}: „{label}“ – hier {ours}, bei {partner} {theirs}.", d.key),
        _ => format!("{}: \"{label}\" – here {ours}, at {partner} {theirs}.", d.key),
    }
}

fn done(d: &Difference, language: &str) -> String {
    let Some((action, at)) = d.action.zip(d.acted_at) else { return String::new() };
    let at = format::moment(at, language);
    let gone = d.gone_at.map(|at| format::moment(at, language));
    let (english, german) = match action {
        DifferenceAction::Received => {
            ("handled as though the message had come", "verarbeitet, als wäre die Meldung gekommen")
        }
        DifferenceAction::Sent => ("put on its way again", "noch einmal auf den Weg gebracht"),
        DifferenceAction::Settled => ("settled by hand", "von Hand erledigt"),
    };
    match (gone, language) {
        (Some(gone), "de") => format!("Am {at} {german}; seit {gone} in Ordnung."),
        (Some(gone), _) => format!("On {at} {english}; in order since {gone}."),
        (None, "de") => format!("Am {at} {german}."),
        (None, _) => format!("On {at} {english}."),
    }
}

fn because(reason: DifferenceReason, language: &str) -> &'static str {
    let (english, german) = match reason {
        DifferenceReason::NoEvent => (
            "What would be sent is not kept here; it must be entered there by hand.",
            "Was zu senden wäre, ist hier nicht aufbewahrt; es ist dort von Hand einzutragen.",
        ),
        DifferenceReason::NoMessage => (
            "They tell no message that could be handled; it must be entered here by hand.",
            "Dort steht keine Meldung, die verarbeitet werden könnte; es ist hier von Hand einzutragen.",
        ),
        DifferenceReason::Stopped => (
            "The message came; what follows from it waits for a decision.",
            "Die Meldung kam; was daraus folgt, wartet auf eine Entscheidung.",
        ),
        DifferenceReason::WithoutEffect => (
            "The message came and was handled, and changed nothing; please look at it.",
            "Die Meldung kam und wurde verarbeitet, ohne etwas zu ändern; bitte ansehen.",
        ),
    };
    say(language, english, german)
}

/// What the file says about it, as facts with their names.
pub(crate) fn facts(
    project: &Project,
    connection: &Connection,
    last: Option<&Reconciliation>,
    language: &str,
) -> Vec<(String, String)> {
    let Some(reconcile) = &connection.reconcile else { return Vec::new() };
    let fact = |english, german, value: String| (say(language, english, german).to_owned(), value);
    let (file, export) = (&reconcile.theirs.file, &reconcile.theirs.export);
    let mut facts = vec![
        fact("What", "Was", what(project, reconcile, language)),
        fact("How often", "Wie oft", rhythm(&reconcile.rhythm, language)),
        fact("How far back", "Wie weit zurück", span(reconcile.window, language)),
        fact(
            "On its way, not missing, for",
            "Unterwegs und nicht fehlend für",
            span(reconcile.grace, language),
        ),
        fact("Who asks them", "Wer dort fragt", format!("{file}#{export}")),
        fact("Missing there", "Fehlt dort", missing_there(&reconcile.missing_there, language)),
        fact("Missing here", "Fehlt hier", missing_here(reconcile.missing_here, language).to_owned()),
    ];
    let never = || say(language, "never yet", "noch nie").to_owned();
    let last = last.map_or_else(never, |run| summary(project, run, language));
    facts.push(fact("Last time", "Zuletzt", last));
    facts
}

fn rhythm(rhythm: &Rhythm, language: &str) -> String {
    match rhythm {
        Rhythm::Every(pause) => format!("{} {}", say(language, "every", "alle"), span(*pause, language)),
        Rhythm::Schedule(s) => {
            format!("{} {} ({})", say(language, "by cron:", "nach Zeitplan:"), s.text, s.time_zone)
        }
    }
}

fn what(project: &Project, reconcile: &Reconcile, language: &str) -> String {
    let Some(table) = project.tables.iter().find(|t| t.id == reconcile.ours.table) else {
        return String::new();
    };
    let label = |words: &Words, name: &str| words.get(language).unwrap_or(name).to_owned();
    let field = |id| {
        let field = table.get(id);
        label(&field.label, &field.name)
    };
    let mut text = format!("{} ({})", label(&table.label, &table.name), field(reconcile.ours.key));
    if !reconcile.ours.same.is_empty() {
        let same: Vec<_> = reconcile.ours.same.iter().map(|f| field(*f)).collect();
        text.push_str(&format!(
            "; {} {}",
            say(language, "must be equal:", "gleich sein muss:"),
            same.join(", ")
        ));
    }
    if !reconcile.ours.states.is_empty() {
        let states: Vec<_> = reconcile.ours.states.iter().map(|s| label(&s.label, &s.name)).collect();
        text.push_str(&format!(
            "; {} {}",
            say(language, "so on both sides or on neither:", "auf beiden Seiten so oder auf keiner:"),
            states.join(", ")
        ));
    }
    text
}

fn missing_there(answer: &MissingThere, language: &str) -> String {
    match (answer, language) {
        (MissingThere::Send(op), "de") => format!("wird einmal von selbst noch einmal gesendet ({op})"),
        (MissingThere::Send(op), _) => format!("is sent again by itself, once ({op})"),
        (MissingThere::Offer(op), "de") => format!("wird auf Wunsch noch einmal gesendet ({op})"),
        (MissingThere::Offer(op), _) => format!("is sent again if a person wants it ({op})"),
        (MissingThere::Report, _) => say(language, "is told", "wird gemeldet").to_owned(),
    }
}

fn missing_here(answer: MissingHere, language: &str) -> &'static str {
    let (english, german) = match answer {
        MissingHere::Receive => {
            ("is handled as though the message had come", "wird verarbeitet, als wäre die Meldung gekommen")
        }
        MissingHere::Offer => (
            "is handled as though the message had come, if a person wants it",
            "wird auf Wunsch verarbeitet, als wäre die Meldung gekommen",
        ),
        MissingHere::Report => ("is told", "wird gemeldet"),
    };
    say(language, english, german)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use expect_test::expect;
    use takt_model::{ProjectFiles, Uuid};

    use super::*;

    const AT: i64 = 1_795_424_400_000_000;

    /// Who waits is let go, and the work goes on.
    #[tokio::test]
    async fn work_that_takes_longer_goes_on_by_itself() {
        use std::time::Duration;
        let (told, hears) = tokio::sync::oneshot::channel();
        let work = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            told.send(()).unwrap();
        };
        assert_eq!(with_patience(Duration::from_millis(5), work).await, None);
        assert_eq!(hears.await, Ok(()));
        assert_eq!(with_patience(PATIENCE, async { 7 }).await, Some(7));
    }

    fn project() -> Project {
        let files = ProjectFiles::from([
            ("takt.toml", "name = \"Test\"\nlanguages = [\"de\", \"en\"]\n"),
            (
                "schema/orders.toml",
                "label = { de = \"Bestellungen\", en = \"Orders\" }\n[fields]\nid = { type = \"uuid\", primary_key = true }\n\
                 number = { type = \"text\", unique = true }\ncreated_at = { type = \"timestamp\" }\n\
                 total = { label = { de = \"Summe\", en = \"Total\" }, type = \"decimal(12,2)\" }\n",
            ),
            (
                "interfaces/erp.toml",
                "purpose = { de = \"x\", en = \"x\" }\npartner = { name = \"Tryton\" }\nowner = \"o\"\n\
                 outage = { de = \"x\", en = \"x\" }\ndata = []\n[connect]\nprotocol = \"rest\"\nbase = \"http://erp.example\"\n\
                 [[op]]\nname = \"sale\"\nkind = \"deliver\"\non = \"order.placed\"\nrequest = \"POST /sales\"\n\
                 [reconcile]\nevery = \"1h\"\nwindow = \"3d\"\ntheirs = \"logic/erp.ts#sales\"\n\
                 ours = { table = \"orders\", key = \"number\", at = \"created_at\", same = [\"total\"],\n\
                 states = { gone = { label = { de = \"storniert\", en = \"cancelled\" }, when = \"total = 0\" } } }\n\
                 missing_there = \"offer\"\nsend = \"sale\"\n",
            ),
        ]);
        let (project, problems) = Project::parse(&files, &[]);
        assert!(problems.is_empty(), "{problems:?}");
        project
    }

    fn run(state: ReconciliationState) -> Reconciliation {
        let off = i64::from(state == ReconciliationState::Differences);
        Reconciliation {
            id: Uuid::nil(),
            connection: "erp".into(),
            state,
            by_hand: false,
            started_at: AT,
            ended_at: Some(AT),
            from_at: AT - 3_600_000_000,
            to_at: AT,
            ours: 12,
            theirs: 12 - 2 * off,
            matched: 12 - 3 * off,
            missing_there: 2 * off,
            missing_here: 0,
            different: off,
            twice: 0,
            under_way: 0,
            replayed: off,
            error: Some("no answer".into()),
        }
    }

    fn difference(kind: DifferenceKind) -> Difference {
        Difference {
            id: Uuid::nil(),
            connection: "erp".into(),
            kind,
            key: "B-1".into(),
            field: None,
            ours: None,
            theirs: None,
            at: AT,
            first_at: AT,
            last_at: AT,
            gone_at: None,
            action: None,
            acted_at: None,
            delivery: None,
            reason: None,
        }
    }

    #[test]
    fn comparisons_are_told_to_owners() {
        let project = project();
        let mut text = String::new();
        for state in [
            ReconciliationState::Agreed,
            ReconciliationState::Differences,
            ReconciliationState::Implausible,
            ReconciliationState::Failed,
        ] {
            for language in ["de", "en"] {
                text.push_str(&summary(&project, &run(state), language));
                text.push('\n');
            }
        }
        let total = Difference {
            field: Some("total".into()),
            ours: Some("12.90".into()),
            theirs: Some("1.00".into()),
            ..difference(DifferenceKind::Different)
        };
        let sent = Difference {
            action: Some(DifferenceAction::Sent),
            acted_at: Some(AT),
            gone_at: Some(AT + 3_600_000_000),
            ..difference(DifferenceKind::MissingThere)
        };
        let stopped =
            Difference { reason: Some(DifferenceReason::Stopped), ..difference(DifferenceKind::MissingHere) };
        let state = |ours: &str, theirs: Option<&str>| Difference {
            field: Some("gone".into()),
            ours: Some(ours.into()),
            theirs: theirs.map(str::to_owned),
            ..difference(DifferenceKind::Different)
        };
        for d in [
            difference(DifferenceKind::MissingThere),
            sent,
            stopped,
            total,
            state("true", Some("false")),
            state("false", Some("true")),
            state("true", None),
            difference(DifferenceKind::Twice),
        ] {
            for language in ["de", "en"] {
                text.push_str(&sentence(&project, &d, language));
                text.push('\n');
            }
        }
        expect![[r#"
            23.11.2026, 08:00:00 Uhr (UTC) bis 23.11.2026, 09:00:00 Uhr (UTC) stimmt überein: Bestellungen: 12 dort erwartet, 12 dort gefunden, 12 gleich.
            23 Nov 2026, 08:00:00 (UTC) to 23 Nov 2026, 09:00:00 (UTC) agrees: Orders: 12 expected there, 12 found there, 12 equal.
            23.11.2026, 08:00:00 Uhr (UTC) bis 23.11.2026, 09:00:00 Uhr (UTC) stimmt nicht überein: Bestellungen: 12 dort erwartet, 10 dort gefunden, 9 gleich, 2 fehlen dort, 1 verschieden, 1 noch einmal gesendet oder verarbeitet.
            23 Nov 2026, 08:00:00 (UTC) to 23 Nov 2026, 09:00:00 (UTC) does not agree: Orders: 12 expected there, 10 found there, 9 equal, 2 missing there, 1 different, 1 sent or handled once more.
            Der Antwort vom 23.11.2026, 09:00:00 Uhr (UTC) wird nicht geglaubt: Dort war gar nichts, hier 12. Es wurde nichts geändert.
            The answer of 23 Nov 2026, 09:00:00 (UTC) is not believed: nothing at all there, 12 here. Nothing was changed.
            Der Abgleich vom 23.11.2026, 09:00:00 Uhr (UTC) ist gescheitert; ob etwas fehlt, ist nicht bekannt. Grund: no answer
            The comparison of 23 Nov 2026, 09:00:00 (UTC) failed; whether anything is missing is not known. Reason: no answer
            B-1 fehlt bei Tryton. Zuerst gesehen: 23.11.2026, 09:00:00 Uhr (UTC).
            B-1 is missing at Tryton. First seen: 23 Nov 2026, 09:00:00 (UTC).
            B-1 fehlt bei Tryton. Zuerst gesehen: 23.11.2026, 09:00:00 Uhr (UTC). Am 23.11.2026, 09:00:00 Uhr (UTC) noch einmal auf den Weg gebracht; seit 23.11.2026, 10:00:00 Uhr (UTC) in Ordnung.
            B-1 is missing at Tryton. First seen: 23 Nov 2026, 09:00:00 (UTC). On 23 Nov 2026, 09:00:00 (UTC) put on its way again; in order since 23 Nov 2026, 10:00:00 (UTC).
            B-1 steht bei Tryton, hier aber nicht. Zuerst gesehen: 23.11.2026, 09:00:00 Uhr (UTC). Die Meldung kam; was daraus folgt, wartet auf eine Entscheidung.
            B-1 is known at Tryton, but not here. First seen: 23 Nov 2026, 09:00:00 (UTC). The message came; what follows from it waits for a decision.
            B-1: „Summe“ ist hier 12.90, bei Tryton 1.00. Zuerst gesehen: 23.11.2026, 09:00:00 Uhr (UTC).
            B-1: "Total" is 12.90 here, 1.00 at Tryton. First seen: 23 Nov 2026, 09:00:00 (UTC).
            B-1: „storniert“ – hier ja, bei Tryton nein. Zuerst gesehen: 23.11.2026, 09:00:00 Uhr (UTC).
            B-1: "cancelled" – here yes, at Tryton no. First seen: 23 Nov 2026, 09:00:00 (UTC).
            B-1: „storniert“ – hier nein, bei Tryton ja. Zuerst gesehen: 23.11.2026, 09:00:00 Uhr (UTC).
            B-1: "cancelled" – here no, at Tryton yes. First seen: 23 Nov 2026, 09:00:00 (UTC).
            B-1: „storniert“ – hier ja, bei Tryton keine Angabe. Zuerst gesehen: 23.11.2026, 09:00:00 Uhr (UTC).
            B-1: "cancelled" – here yes, at Tryton not told. First seen: 23 Nov 2026, 09:00:00 (UTC).
            B-1 steht bei Tryton 2-mal. Zuerst gesehen: 23.11.2026, 09:00:00 Uhr (UTC).
            B-1 stands 2 times at Tryton. First seen: 23 Nov 2026, 09:00:00 (UTC).
        "#]].assert_eq(&text);
    }
}
