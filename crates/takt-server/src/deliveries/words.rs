//! What people call what happens to deliveries: states, outcomes, what did not arrive where. Pure. Why it did not stands in
//! `reasons.rs`.
//! Everything here is read by owners, in German and English.

use std::{collections::HashMap, sync::Arc, time::Duration};

use takt_interfaces::{
    Cause, ConnectionSource, ConnectionStatus, Delivery, DeliveryState, FUNCTIONS, Outcome, Replayed,
};
use takt_model::{Project, Protocol, Words};

pub(crate) use super::reasons::{reason, why};
use crate::app::App;

/// What people call connections and functions.
pub(crate) struct Names {
    pub(crate) project: Arc<Project>,
    /// Labels of functions.
    functions: HashMap<String, Words>,
}

impl Names {
    /// Those of now.
    pub(crate) fn of(app: &App) -> Self {
        let logic = app.logic.load();
        let functions = logic.functions().iter().map(|f| (f.name.clone(), f.label.clone())).collect();
        Self { project: app.project(), functions }
    }

    fn function<'a>(&'a self, name: &'a str, language: &str) -> &'a str {
        self.functions.get(name).and_then(|label| label.get(language)).unwrap_or(name)
    }
}

pub(crate) fn say<'t>(language: &str, english: &'t str, german: &'t str) -> &'t str {
    if language == "de" { german } else { english }
}

/// One delivery was put back.
pub(crate) fn waits_again(language: &str) -> &'static str {
    say(
        language,
        "It waits again and leaves as soon as it may.",
        "Es wartet wieder und geht hinaus, sobald es darf.",
    )
}

/// What a replay of many did, or would do.
pub(crate) fn put_back(replayed: &Replayed, language: &str) -> String {
    let again = arrived_already(replayed.delivered, replayed.dry_run, language);
    let done = match (replayed.deliveries, replayed.dry_run, language) {
        (1, true, "de") => "1 Zustellung würde noch einmal angestoßen; nichts wurde geändert.".to_owned(),
        (n, true, "de") => {
            format!("{n} Zustellungen würden noch einmal angestoßen; nichts wurde geändert.")
        }
        (1, false, "de") => "1 Zustellung wurde noch einmal angestoßen.".to_owned(),
        (n, false, "de") => format!(
            "{n} Zustellungen wurden noch einmal angestoßen und gehen in ihrer ursprünglichen Reihenfolge hinaus."
        ),
        (1, true, _) => "1 delivery would be put back; nothing was changed.".to_owned(),
        (n, true, _) => format!("{n} deliveries would be put back; nothing was changed."),
        (1, false, _) => "1 delivery was put back.".to_owned(),
        (n, false, _) => format!("{n} deliveries were put back and leave in the order of their dispatch."),
    };
    done + &again
}

/// Whoever sends again what has arrived must know it.
fn arrived_already(n: u64, dry_run: bool, language: &str) -> String {
    match (n, dry_run, language) {
        (0, _, _) => String::new(),
        (1, true, "de") => " 1 davon ist schon angekommen und käme noch einmal an.".to_owned(),
        (n, true, "de") => format!(" {n} davon sind schon angekommen und kämen noch einmal an."),
        (1, false, "de") => " 1 davon ist schon angekommen und kommt noch einmal an.".to_owned(),
        (n, false, "de") => format!(" {n} davon sind schon angekommen und kommen noch einmal an."),
        (1, true, _) => " 1 of them has arrived already and would arrive once more.".to_owned(),
        (n, true, _) => format!(" {n} of them have arrived already and would arrive once more."),
        (1, false, _) => " 1 of them has arrived already and will arrive once more.".to_owned(),
        (n, false, _) => format!(" {n} of them have arrived already and will arrive once more."),
    }
}

/// A person has decided about one that nobody was sure of.
pub(crate) fn decided(arrived: bool, language: &str) -> &'static str {
    if arrived {
        say(language, "It counts as delivered.", "Es gilt als zugestellt.")
    } else {
        say(language, "It will not leave any more.", "Es geht nicht mehr hinaus.")
    }
}

/// A connection was stopped, or goes on.
pub(crate) fn paused(connection: &str, paused: bool, language: &str) -> String {
    let what = if paused {
        say(
            language,
            "is paused; deliveries wait and nothing is lost",
            "ist angehalten; Zustellungen warten, und nichts geht verloren",
        )
    } else {
        say(language, "goes on", "läuft weiter")
    };
    format!("`{connection}` {what}.")
}

/// What people call a state.
pub(crate) fn state_word(state: DeliveryState, language: &str) -> &'static str {
    let (english, german) = match state {
        DeliveryState::Waiting => ("waiting", "wartet"),
        DeliveryState::Delivered => ("delivered", "zugestellt"),
        DeliveryState::Dead => ("dead letter", "unzustellbar"),
        DeliveryState::Asking => ("needs a decision", "braucht eine Entscheidung"),
        DeliveryState::Cancelled => ("cancelled", "abgebrochen"),
    };
    say(language, english, german)
}

/// What people call an outcome.
pub(crate) fn outcome_word(outcome: Outcome, language: &str) -> &'static str {
    let (english, german) = match outcome {
        Outcome::Ok => ("arrived", "angekommen"),
        Outcome::Refused => ("refused", "abgelehnt"),
        Outcome::Failed => ("failed", "fehlgeschlagen"),
        Outcome::Unknown => ("unknown: sent, no answer", "unbekannt: gesendet, keine Antwort"),
    };
    say(language, english, german)
}

/// What people call the state of a connection.
pub(crate) fn connection_state(status: &ConnectionStatus, language: &str) -> &'static str {
    match (status.paused, status.open_until) {
        (true, _) => say(language, "paused", "angehalten"),
        (false, Some(_)) => say(language, "resting", "ruht"),
        (false, None) if is_unwell(status) => say(language, "not well", "antwortet nicht, wie es soll"),
        (false, None) => say(language, "open", "offen"),
    }
}

/// Whether it was asked whether it is well and did not answer as it should.
pub(crate) fn is_unwell(status: &ConnectionStatus) -> bool {
    status.health.as_ref().is_some_and(|h| !h.is_well)
}

/// Why nothing is tried over a connection that rests.
pub(crate) fn at_rest(language: &str) -> &'static str {
    say(language, "nothing got through there lately", "dort kam zuletzt nichts durch")
}

/// Where a connection comes from.
pub(crate) fn source_word(source: ConnectionSource, language: &str) -> &'static str {
    let (english, german) = match source {
        ConnectionSource::File => ("file", "Datei"),
        ConnectionSource::Subscription => ("subscription", "Abonnement"),
        ConnectionSource::Functions => ("functions", "Funktionen"),
    };
    say(language, english, german)
}

/// Who gets a delivery, as people call it.
pub(crate) fn receiver(names: &Names, delivery: &Delivery, language: &str) -> String {
    if delivery.connection == FUNCTIONS {
        let own = say(language, "our own function", "die eigene Funktion");
        return format!("{own} {}", function(names, delivery, language));
    }
    quoted(connection_name(&names.project, &delivery.connection, language), language)
}

fn function(names: &Names, delivery: &Delivery, language: &str) -> String {
    quoted(names.function(&delivery.operation, language), language)
}

/// What people call a connection: the name of its partner.
pub(crate) fn connection_name<'a>(project: &'a Project, id: &'a str, language: &str) -> &'a str {
    if id == FUNCTIONS {
        return say(language, "Own functions", "Eigene Funktionen");
    }
    let partner = project.connection(id).map(|c| &c.partner);
    let name = partner.map(|p| p.names.get(language).unwrap_or(p.name.as_str()));
    name.filter(|name| !name.is_empty()).unwrap_or(id)
}

fn quoted(text: &str, language: &str) -> String {
    if language == "de" { format!("„{text}“") } else { format!("\"{text}\"") }
}

/// What a delivery is about: "Bestellung B-2026-00012", a message of another system, or the event if it has no number.
pub(crate) fn subject(names: &Names, delivery: &Delivery, number: Option<&str>, language: &str) -> String {
    let (begins, rest) = delivery.name.split_once('.').unwrap_or((delivery.name.as_str(), ""));
    let sender = names.project.connection(begins).filter(|c| c.connect.protocol == Protocol::WebhookIn);
    if sender.is_some() {
        let from = quoted(connection_name(&names.project, begins, language), language);
        let kind = if rest.is_empty() { String::new() } else { format!(" {}", quoted(rest, language)) };
        let about = number.map(|n| format!(" {} {n}", say(language, "about", "zu")));
        let about = about.unwrap_or_default();
        return match language {
            "de" => format!("die Meldung{kind} von {from}{about}"),
            _ => format!("the message{kind} of {from}{about}"),
        };
    }
    match (number, begins) {
        (None, _) => delivery.name.clone(),
        (Some(number), "order") => format!("{} {number}", say(language, "order", "Bestellung")),
        (Some(number), _) => format!("{number} ({})", delivery.name),
    }
}

/// The first letter large, as a sentence or a title begins. Names of events stay as they are.
pub(crate) fn begun(text: &str) -> String {
    let is_name = text.split(' ').next().is_some_and(|word| word.contains(['.', '_']));
    let mut letters = text.chars();
    match letters.next() {
        Some(first) if !is_name => first.to_uppercase().chain(letters).collect(),
        _ => text.to_owned(),
    }
}

/// A delivery in one sentence: what, where, and what became of it.
pub(crate) fn sentence(names: &Names, delivery: &Delivery, number: Option<&str>, language: &str) -> String {
    let (what, to) = (subject(names, delivery, number, language), receiver(names, delivery, language));
    let why = why(delivery, language);
    // What others say may have its own full stop.
    let because = if why.is_empty() { ".".to_owned() } else { format!(": {}.", why.trim_end_matches('.')) };
    if delivery.connection == FUNCTIONS {
        return handled(&function(names, delivery, language), &what, delivery, &because, language);
    }
    begun(&match (delivery.state, language) {
        (DeliveryState::Delivered, "de") => format!("{what} kam bei {to} an."),
        (DeliveryState::Delivered, _) => format!("{what} arrived at {to}."),
        (DeliveryState::Dead, "de") => format!("{what} kam nicht bei {to} an{because}"),
        (DeliveryState::Dead, _) => format!("{what} did not arrive at {to}{because}"),
        (DeliveryState::Asking, "de") if delivery.is_parked() => {
            format!("{what} kam bei {to} an; was daraus folgt, wartet{because}")
        }
        (DeliveryState::Asking, _) if delivery.is_parked() => {
            format!("{what} arrived at {to}; what follows from it waits{because}")
        }
        (DeliveryState::Asking, "de") => format!("niemand weiß, ob {what} bei {to} ankam{because}"),
        (DeliveryState::Asking, _) => format!("nobody knows whether {what} arrived at {to}{because}"),
        (DeliveryState::Cancelled, "de") => format!("{what} an {to} wurde abgebrochen."),
        (DeliveryState::Cancelled, _) => format!("{what} to {to} was cancelled."),
        (DeliveryState::Waiting, "de") if delivery.attempts == 0 => {
            format!("{what} wartet auf den Weg zu {to}.")
        }
        (DeliveryState::Waiting, _) if delivery.attempts == 0 => format!("{what} waits for its way to {to}."),
        (DeliveryState::Waiting, "de") => format!("{what} ist noch nicht bei {to}{because}"),
        (DeliveryState::Waiting, _) => format!("{what} has not arrived at {to} yet{because}"),
    })
}

/// The same of our own functions, to which nothing travels.
fn handled(function: &str, what: &str, delivery: &Delivery, because: &str, language: &str) -> String {
    let is_refused = delivery.cause == Some(Cause::Rules);
    match (delivery.state, language) {
        (DeliveryState::Delivered, "de") => format!("{function} hat {what} bearbeitet."),
        (DeliveryState::Delivered, _) => format!("{function} has handled {what}."),
        (DeliveryState::Dead, "de") if is_refused => format!("{function} hat {what} abgelehnt{because}"),
        (DeliveryState::Dead, _) if is_refused => format!("{function} has refused {what}{because}"),
        (DeliveryState::Dead, "de") => format!("{function} konnte {what} nicht bearbeiten{because}"),
        (DeliveryState::Dead, _) => format!("{function} could not handle {what}{because}"),
        (DeliveryState::Asking, "de") => {
            format!("{function} wartet mit {what} auf eine Entscheidung{because}")
        }
        (DeliveryState::Asking, _) => format!("{function} waits with {what} for a decision{because}"),
        (DeliveryState::Cancelled, "de") => {
            format!("{function} bearbeitet {what} nicht mehr: von einem Menschen abgebrochen.")
        }
        (DeliveryState::Cancelled, _) => {
            format!("{function} no longer handles {what}: cancelled by a person.")
        }
        (DeliveryState::Waiting, "de") if delivery.attempts == 0 => {
            begun(&format!("{what} wartet auf {function}."))
        }
        (DeliveryState::Waiting, _) if delivery.attempts == 0 => {
            begun(&format!("{what} waits for {function}."))
        }
        (DeliveryState::Waiting, "de") => format!("{function} hat {what} noch nicht bearbeitet{because}"),
        (DeliveryState::Waiting, _) => format!("{function} has not handled {what} yet{because}"),
    }
}

/// A time span as people say it: `2 s`, `5 min`, `3 Tage`.
pub(crate) fn span(time: Duration, language: &str) -> String {
    const DAY: u64 = 86_400;
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        s if s % DAY == 0 => {
            let one = s / DAY == 1;
            let (english, german) = if one { ("day", "Tag") } else { ("days", "Tage") };
            format!("{} {}", s / DAY, say(language, english, german))
        }
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use expect_test::expect;
    use takt_model::{ProjectFiles, Uuid};

    fn names() -> Names {
        let label = |en: &str, de: &str| {
            Words([("en".to_owned(), en.to_owned()), ("de".to_owned(), de.to_owned())].into())
        };
        let functions = [("payment_received".to_owned(), label("Payment received", "Zahlung eingegangen"))];
        Names { project: Arc::new(project()), functions: functions.into() }
    }

    fn project() -> Project {
        let erp = r#"
purpose = { en = "Orders go to the ERP.", de = "Bestellungen gehen in die Warenwirtschaft." }
partner = { name = "Warenwirtschaft" }
owner = "Sales"
outage = { en = "Orders wait.", de = "Bestellungen warten." }
[connect]
protocol = "rest"
base = "https://erp.example/api"
[[op]]
name = "order"
kind = "deliver"
on = "order.placed"
request = "POST /orders"
"#;
        let payment = erp
            .replace("\"Warenwirtschaft\"", "\"Zahlungsdienst\"")
            .replace("protocol = \"rest\"\nbase = \"https://erp.example/api\"", "protocol = \"webhook-in\"")
            .replace(
                "kind = \"deliver\"\non = \"order.placed\"\nrequest = \"POST /orders\"",
                "kind = \"receive\"",
            );
        let files = ProjectFiles::from([
            ("takt.toml", "name = \"Test\"\nlanguages = [\"de\", \"en\"]\n"),
            ("interfaces/erp.toml", erp),
            ("interfaces/payment.toml", &payment),
        ]);
        Project::parse(&files, &[]).0
    }

    fn delivery(state: DeliveryState, outcome: Option<Outcome>, error: &str) -> Delivery {
        Delivery {
            id: Uuid::from_u128(1),
            event: Uuid::from_u128(2),
            name: "order.placed".to_owned(),
            connection: "erp".to_owned(),
            operation: "order".to_owned(),
            lane: None,
            state,
            attempts: 1,
            next_at: 0,
            created_at: 0,
            first_at: None,
            ended_at: None,
            outcome,
            error: (!error.is_empty()).then(|| error.to_owned()),
            cause: None,
            story: None,
            body: None,
            journal: None,
            claimed: false,
            in_lane: false,
        }
    }

    #[test]
    fn a_delivery_is_told_in_one_sentence() {
        let names = names();
        let number = Some("B-2026-00012");
        let mut told = String::new();
        for (state, outcome, error) in [
            (DeliveryState::Dead, Some(Outcome::Refused), "answered 422"),
            (DeliveryState::Dead, Some(Outcome::Failed), "answered 503"),
            (DeliveryState::Dead, Some(Outcome::Refused), "Artikel unbekannt"),
            (DeliveryState::Asking, Some(Outcome::Unknown), "the connection was lost"),
            (
                DeliveryState::Asking,
                Some(Outcome::Ok),
                "contract: the answer is not as agreed: `number` is missing",
            ),
            (DeliveryState::Dead, Some(Outcome::Refused), "contract: it does not leave"),
            (DeliveryState::Waiting, Some(Outcome::Failed), ""),
            (DeliveryState::Delivered, Some(Outcome::Ok), ""),
            (DeliveryState::Cancelled, None, ""),
        ] {
            let d = delivery(state, outcome, error);
            told.push_str(&format!(
                "{}\n{}\n",
                sentence(&names, &d, number, "de"),
                sentence(&names, &d, number, "en")
            ));
        }
        expect![[r#"
            Bestellung B-2026-00012 kam nicht bei „Warenwirtschaft“ an: es wurde so nicht angenommen (Antwort 422).
            Order B-2026-00012 did not arrive at "Warenwirtschaft": it was not accepted as it is (answer 422).
            Bestellung B-2026-00012 kam nicht bei „Warenwirtschaft“ an: die andere Seite ist nicht bereit (Antwort 503).
            Order B-2026-00012 did not arrive at "Warenwirtschaft": the other side is not ready (answer 503).
            Bestellung B-2026-00012 kam nicht bei „Warenwirtschaft“ an: es wurde so nicht angenommen (Artikel unbekannt).
            Order B-2026-00012 did not arrive at "Warenwirtschaft": it was not accepted as it is (Artikel unbekannt).
            Niemand weiß, ob Bestellung B-2026-00012 bei „Warenwirtschaft“ ankam: es wurde gesendet, aber es kam keine Antwort (the connection was lost).
            Nobody knows whether order B-2026-00012 arrived at "Warenwirtschaft": it was sent, but no answer came (the connection was lost).
            Bestellung B-2026-00012 kam bei „Warenwirtschaft“ an; was daraus folgt, wartet: was kam, ist nicht so, wie es vereinbart ist (contract: the answer is not as agreed: `number` is missing).
            Order B-2026-00012 arrived at "Warenwirtschaft"; what follows from it waits: what came is not as agreed (contract: the answer is not as agreed: `number` is missing).
            Bestellung B-2026-00012 kam nicht bei „Warenwirtschaft“ an: es ist nicht so, wie es vereinbart ist, und ging nicht hinaus (contract: it does not leave).
            Order B-2026-00012 did not arrive at "Warenwirtschaft": it is not as agreed and did not leave (contract: it does not leave).
            Bestellung B-2026-00012 ist noch nicht bei „Warenwirtschaft“: es hat nicht geklappt.
            Order B-2026-00012 has not arrived at "Warenwirtschaft" yet: it did not work.
            Bestellung B-2026-00012 kam bei „Warenwirtschaft“ an.
            Order B-2026-00012 arrived at "Warenwirtschaft".
            Bestellung B-2026-00012 an „Warenwirtschaft“ wurde abgebrochen.
            Order B-2026-00012 to "Warenwirtschaft" was cancelled.
        "#]].assert_eq(&told);
    }

    #[test]
    fn what_our_own_functions_do_is_told_by_their_labels_and_in_their_own_words() {
        let words = r#"{"en":"Paid were 1.00 eur, the order costs 38.70 eur.","de":"Bezahlt wurden 1.00 eur, die Bestellung kostet 38.70 eur."}"#;
        let mut told = String::new();
        for (state, outcome, cause, error, number) in [
            (DeliveryState::Dead, Some(Outcome::Refused), Some(Cause::Rules), words, Some("B-2026-00012")),
            (DeliveryState::Dead, Some(Outcome::Refused), Some(Cause::Rules), words, None),
            (DeliveryState::Dead, Some(Outcome::Failed), None, "there is no order B-1", Some("B-1")),
            (DeliveryState::Waiting, None, None, "", Some("B-1")),
            (DeliveryState::Waiting, Some(Outcome::Failed), None, "there is no order B-1", Some("B-1")),
            (DeliveryState::Delivered, Some(Outcome::Ok), None, "", Some("B-1")),
        ] {
            let mut d = delivery(state, outcome, error);
            (d.connection, d.operation) = (FUNCTIONS.to_owned(), "payment_received".to_owned());
            d.name = "payment.payment_intent.succeeded".to_owned();
            d.attempts = i64::from(outcome.is_some());
            d.cause = cause;
            for language in ["de", "en"] {
                told.push_str(&format!("{}\n", sentence(&names(), &d, number, language)));
            }
        }
        expect![[r#"
            „Zahlung eingegangen“ hat die Meldung „payment_intent.succeeded“ von „Zahlungsdienst“ zu B-2026-00012 abgelehnt: Bezahlt wurden 1.00 eur, die Bestellung kostet 38.70 eur.
            "Payment received" has refused the message "payment_intent.succeeded" of "Zahlungsdienst" about B-2026-00012: Paid were 1.00 eur, the order costs 38.70 eur.
            „Zahlung eingegangen“ hat die Meldung „payment_intent.succeeded“ von „Zahlungsdienst“ abgelehnt: Bezahlt wurden 1.00 eur, die Bestellung kostet 38.70 eur.
            "Payment received" has refused the message "payment_intent.succeeded" of "Zahlungsdienst": Paid were 1.00 eur, the order costs 38.70 eur.
            „Zahlung eingegangen“ konnte die Meldung „payment_intent.succeeded“ von „Zahlungsdienst“ zu B-1 nicht bearbeiten: es hat nicht geklappt (there is no order B-1).
            "Payment received" could not handle the message "payment_intent.succeeded" of "Zahlungsdienst" about B-1: it did not work (there is no order B-1).
            Die Meldung „payment_intent.succeeded“ von „Zahlungsdienst“ zu B-1 wartet auf „Zahlung eingegangen“.
            The message "payment_intent.succeeded" of "Zahlungsdienst" about B-1 waits for "Payment received".
            „Zahlung eingegangen“ hat die Meldung „payment_intent.succeeded“ von „Zahlungsdienst“ zu B-1 noch nicht bearbeitet: es hat nicht geklappt (there is no order B-1).
            "Payment received" has not handled the message "payment_intent.succeeded" of "Zahlungsdienst" about B-1 yet: it did not work (there is no order B-1).
            „Zahlung eingegangen“ hat die Meldung „payment_intent.succeeded“ von „Zahlungsdienst“ zu B-1 bearbeitet.
            "Payment received" has handled the message "payment_intent.succeeded" of "Zahlungsdienst" about B-1.
        "#]].assert_eq(&told);
    }

    #[test]
    fn spans_read_as_people_say_them() {
        for (seconds, de, en) in [
            (2, "2 s", "2 s"),
            (300, "5 min", "5 min"),
            (7200, "2 h", "2 h"),
            (86_400, "1 Tag", "1 day"),
            (259_200, "3 Tage", "3 days"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!((span(time, "de").as_str(), span(time, "en").as_str()), (de, en));
        }
    }
}
