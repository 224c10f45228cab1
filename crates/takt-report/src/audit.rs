//! The audit in plain words: what people call each act. Pure.
//! Lives here: the words. Not here: the rows (`takt-engine`) and who may read them (`takt-server`).

use takt_engine::{ActorKind, AuditEntry};

use crate::{format, text::pick};

/// What people call an act; what has no name yet is told as it is stored.
#[must_use]
pub fn act_word<'a>(act: &'a str, language: &str) -> &'a str {
    let (de, en) = match act {
        "story.look" => ("Geschichte angesehen", "looked at a story"),
        "story.reveal" => {
            ("persönliche Werte einer Geschichte angesehen", "looked at a story's personal values")
        }
        "story.list" => ("Geschichten abgefragt", "listed stories"),
        "delivery.look" => ("Zustellung angesehen", "looked at a delivery"),
        "delivery.reveal" => {
            ("persönliche Werte einer Zustellung angesehen", "looked at a delivery's personal values")
        }
        "delivery.replay" => ("Zustellung noch einmal angestoßen", "sent a delivery again"),
        "delivery.edit" => ("Inhalt geändert und gesendet", "changed the content and sent it"),
        "delivery.arrived" => ("als angekommen vermerkt", "noted as arrived"),
        "delivery.cancel" => ("Zustellung abgebrochen", "cancelled a delivery"),
        "deliveries.replay" => ("Zustellungen noch einmal angestoßen", "sent deliveries again"),
        "connection.pause" => ("Verbindung angehalten", "paused a connection"),
        "connection.resume" => ("Verbindung fortgesetzt", "let a connection go on"),
        "drift.accept" => ("Abweichung vom Vereinbarten gebilligt", "accepted a change of a partner"),
        "reconcile.replay" => ("Fehlendes nachgeholt", "made up for what was missing"),
        "reconcile.settle" => ("Abweichung als erledigt vermerkt", "called a difference settled"),
        "webhook.make" => ("Empfänger angelegt", "added a receiver"),
        "webhook.change" => ("Empfänger geändert", "changed a receiver"),
        "webhook.test" => ("Empfänger geprüft", "tested a receiver"),
        "webhook.exchange" => ("Geheimnis eines Empfängers getauscht", "exchanged the secret of a receiver"),
        "webhook.remove" => ("Empfänger entfernt", "removed a receiver"),
        "secret.set" => ("Geheimnis hinterlegt", "kept a secret"),
        "secret.remove" => ("Geheimnis gelöscht", "removed a secret"),
        "backup.owner_key" => {
            ("neuen Schlüssel zur Sicherung ausgegeben", "gave out a new key to the backup")
        }
        "job.run" => ("Aufgabe angestoßen", "ran a job"),
        "job.cancel" => ("Aufgabe abgebrochen", "cancelled a job"),
        "job.retry" => ("Aufgabe noch einmal angestoßen", "retried a job"),
        "account.add" => ("Konto angelegt", "made an account"),
        "account.role" => ("Rollen eines Kontos geändert", "changed the roles of an account"),
        "order.state" => ("Stand einer Bestellung geändert", "changed the state of an order"),
        "audit.look" => ("Protokoll angesehen", "looked at the audit"),
        other => return other,
    };
    pick(language, de, en)
}

/// What an act is about: "Geschichte 0199...". What has no word is told as it is stored.
#[must_use]
pub fn subject_words(subject: &str, language: &str) -> String {
    let (kind, rest) = subject.split_once(' ').unwrap_or((subject, ""));
    let (de, en) = match kind {
        "deliveries" => return several(rest, language).unwrap_or_else(|| subject.to_owned()),
        "story" => ("Geschichte", "story"),
        "stories" => ("Geschichten", "stories"),
        "delivery" => ("Zustellung", "delivery"),
        "connection" => ("Verbindung", "connection"),
        "job" => ("Aufgabe", "job"),
        "backup" => ("Sicherung", "backup"),
        "secret" => ("Geheimnis", "secret"),
        "order" => ("Bestellung", "order"),
        "account" => ("Konto", "account"),
        "audit" => ("Protokoll", "audit"),
        _ => return subject.to_owned(),
    };
    format!("{} {rest}", pick(language, de, en)).trim_end().to_owned()
}

/// What a replay of many was about, of `3 connection=erp state=dead lane=any text`; none if it is not of that form.
fn several(told: &str, language: &str) -> Option<String> {
    // The lane is the last one and may hold anything.
    let (told, lane) = told.split_once(" lane=").map_or((told, None), |(told, lane)| (told, Some(lane)));
    let mut parts = told.split(' ');
    let n: u64 = parts.next()?.parse().ok()?;
    let mut about = Vec::new();
    for part in parts {
        let (name, value) = part.split_once('=')?;
        about.push(match name {
            "connection" if value == "functions" => {
                pick(language, "eigene Funktionen", "own functions").to_owned()
            }
            "connection" => format!("{} {value}", pick(language, "Verbindung", "connection")),
            "state" => format!("{} {}", pick(language, "Stand", "state"), state_word(value, language)?),
            "story" => format!("{} {value}", pick(language, "Geschichte", "story")),
            "since" => format!("{} {}", pick(language, "ab", "since"), moment(value, language)?),
            "until" => format!("{} {}", pick(language, "vor", "before"), moment(value, language)?),
            _ => return None,
        });
    }
    about.extend(
        lane.map(|lane| format!("{} {lane}", pick(language, "Schlüssel der Reihenfolge", "ordering key"))),
    );
    let what = if n == 1 {
        pick(language, "Zustellung", "delivery")
    } else {
        pick(language, "Zustellungen", "deliveries")
    };
    let count = format!("{} {what}", format::count(n, language));
    Some(if about.is_empty() { count } else { format!("{count}: {}", about.join(", ")) })
}

fn state_word(state: &str, language: &str) -> Option<&'static str> {
    let (de, en) = match state {
        "waiting" => ("„wartet“", "“waiting”"),
        "delivered" => ("„zugestellt“", "“delivered”"),
        "dead" => ("„unzustellbar“", "“dead letter”"),
        "asking" => ("„braucht eine Entscheidung“", "“needs a decision”"),
        "cancelled" => ("„abgebrochen“", "“cancelled”"),
        _ => return None,
    };
    Some(pick(language, de, en))
}

fn moment(text: &str, language: &str) -> Option<String> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(format::moment(at.as_microsecond(), language))
}

/// A row as one line for a terminal.
#[must_use]
pub fn audit_line(entry: &AuditEntry, language: &str, zone: &str) -> String {
    let when = format::moment_in(entry.at, language, zone);
    let from = match entry.actor {
        ActorKind::Account => format!(", {}", entry.place),
        ActorKind::Key => format!(" ({}), {}", pick(language, "Schlüssel", "key"), entry.place),
        ActorKind::Command => format!(" ({})", pick(language, "Befehl", "command")),
    };
    let reason = entry
        .reason
        .as_deref()
        .map_or_else(String::new, |reason| format!(" – {}: {reason}", pick(language, "Grund", "reason")));
    let (act, subject) = (act_word(&entry.act, language), subject_words(&entry.subject, language));
    format!("{when}  {}{from}: {act} – {subject}{reason}", entry.name)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use takt_model::Uuid;

    use super::*;

    #[test]
    fn a_row_is_read_aloud_in_both_languages() {
        let entry = AuditEntry {
            id: Uuid::nil(),
            at: 1_795_425_247_000_000,
            act: "story.reveal".to_owned(),
            actor: ActorKind::Account,
            account: Some(Uuid::nil()),
            name: "owner@example.org".to_owned(),
            subject: "story 0199".to_owned(),
            reason: Some("Rückfrage der Kundin zur Lieferadresse".to_owned()),
            place: "203.0.113.9".to_owned(),
        };
        let told = [audit_line(&entry, "de", "Europe/Berlin"), audit_line(&entry, "en", "UTC")].join("\n");
        expect![[r#"
            23.11.2026, 10:14:07 Uhr (MEZ)  owner@example.org, 203.0.113.9: persönliche Werte einer Geschichte angesehen – Geschichte 0199 – Grund: Rückfrage der Kundin zur Lieferadresse
            23 Nov 2026, 09:14:07 (UTC)  owner@example.org, 203.0.113.9: looked at a story's personal values – story 0199 – reason: Rückfrage der Kundin zur Lieferadresse"#]].assert_eq(&told);
        assert_eq!(subject_words("moon 7", "de"), "moon 7");
        assert_eq!(act_word("moon.look", "de"), "moon.look", "a new act is told as it is stored");
        assert_eq!(act_word("webhook.test", "de"), "Empfänger geprüft");
        assert_eq!(act_word("webhook.test", "en"), "tested a receiver");
    }

    #[test]
    fn what_a_replay_of_many_was_about_is_told_in_both_languages() {
        let told: Vec<String> = [
            "deliveries 1 connection=erp",
            "deliveries 12400 connection=hook-abc state=dead since=2026-11-23T09:00:00+00:00",
            "deliveries 2 connection=functions state=asking until=2026-11-23T09:14:07.5+00:00",
            "deliveries 3 state=cancelled lane=a state=b lane=c",
            "deliveries 4 state=waiting story=0199b1c2-0000-7000-8000-000000000001",
            "deliveries 5 state=moon colour=red",
            "deliveries many",
        ]
        .iter()
        .flat_map(|subject| [subject_words(subject, "de"), subject_words(subject, "en")])
        .collect();
        expect![[r#"
            1 Zustellung: Verbindung erp
            1 delivery: connection erp
            12.400 Zustellungen: Verbindung hook-abc, Stand „unzustellbar“, ab 23.11.2026, 09:00:00 Uhr (UTC)
            12,400 deliveries: connection hook-abc, state “dead letter”, since 23 Nov 2026, 09:00:00 (UTC)
            2 Zustellungen: eigene Funktionen, Stand „braucht eine Entscheidung“, vor 23.11.2026, 09:14:07 Uhr (UTC)
            2 deliveries: own functions, state “needs a decision”, before 23 Nov 2026, 09:14:07 (UTC)
            3 Zustellungen: Stand „abgebrochen“, Schlüssel der Reihenfolge a state=b lane=c
            3 deliveries: state “cancelled”, ordering key a state=b lane=c
            4 Zustellungen: Stand „wartet“, Geschichte 0199b1c2-0000-7000-8000-000000000001
            4 deliveries: state “waiting”, story 0199b1c2-0000-7000-8000-000000000001
            deliveries 5 state=moon colour=red
            deliveries 5 state=moon colour=red
            deliveries many
            deliveries many"#]].assert_eq(&told.join("\n"));
    }
}
