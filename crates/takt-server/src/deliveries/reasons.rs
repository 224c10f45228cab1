//! Why something did not arrive, in plain words. Pure.
//! Lives here: words for what we know ourselves, for statuses, and for what functions say. Everything here is read by
//! owners, in German and English. Not here: what did not arrive, and where (`words.rs`).

use std::collections::HashMap;

use takt_interfaces::{Cause, Delivery, Outcome};

use super::words::say;

/// Why it did not arrive, in plain words. Empty if nothing went wrong.
pub(crate) fn why(delivery: &Delivery, language: &str) -> String {
    let is_told = |o: &Outcome| *o != Outcome::Ok || delivery.is_parked();
    let Some(outcome) = delivery.outcome.filter(is_told) else { return String::new() };
    reason(outcome, delivery.cause, delivery.error.as_deref().unwrap_or_default(), language)
}

/// Why an attempt brought no success, in plain words: by its cause where we know it ourselves, else with what the other
/// side or the project's function said behind them.
pub(crate) fn reason(outcome: Outcome, cause: Option<Cause>, error: &str, language: &str) -> String {
    let status = status(error);
    if let Some(cause) = cause {
        let known = of_cause(cause, outcome, error, language);
        return match (status, cause) {
            (Some(status), Cause::MailServer | Cause::Patience) => answered(&known, status, language),
            _ => known,
        };
    }
    let plain = match (status, outcome) {
        (Some(401 | 403), _) => say(language, "access was denied there", "der Zugang wurde dort verweigert"),
        (Some(404), _) => say(language, "the address does not exist there", "die Adresse gibt es dort nicht"),
        (Some(410), _) => say(language, "it is gone for good there", "das gibt es dort nicht mehr"),
        (Some(429), _) => say(language, "too much was sent at once", "es kam zu viel auf einmal"),
        (Some(503), _) => say(language, "the other side is not ready", "die andere Seite ist nicht bereit"),
        (Some(500..=599), _) => {
            say(language, "there is a fault on the other side", "auf der anderen Seite ist ein Fehler")
        }
        (_, Outcome::Refused) if error.starts_with("contract: ") => say(
            language,
            "it is not as agreed and did not leave",
            "es ist nicht so, wie es vereinbart ist, und ging nicht hinaus",
        ),
        (_, Outcome::Refused) => {
            say(language, "it was not accepted as it is", "es wurde so nicht angenommen")
        }
        (_, Outcome::Failed) => say(language, "it did not work", "es hat nicht geklappt"),
        (_, Outcome::Unknown) => {
            say(language, "it was sent, but no answer came", "es wurde gesendet, aber es kam keine Antwort")
        }
        (_, Outcome::Ok) => {
            say(language, "what came is not as agreed", "was kam, ist nicht so, wie es vereinbart ist")
        }
    };
    match status {
        Some(status) => answered(plain, status, language),
        None if error.is_empty() => plain.to_owned(),
        None => format!("{plain} ({error})"),
    }
}

fn answered(plain: &str, status: u16, language: &str) -> String {
    format!("{plain} ({} {status})", say(language, "answer", "Antwort"))
}

/// What we know ourselves needs no technical words behind it; they stand with the attempts.
fn of_cause(cause: Cause, outcome: Outcome, error: &str, language: &str) -> String {
    let is_unknown = outcome == Outcome::Unknown;
    let (english, german) = match cause {
        Cause::NoName => {
            ("its address cannot be found in the network", "die Adresse dort ist im Netz nicht zu finden")
        }
        Cause::Refused => (
            "nobody takes calls there: it is switched off or not reachable",
            "dort nimmt niemand ab: es ist ausgeschaltet oder nicht erreichbar",
        ),
        Cause::NoRoute => ("it cannot be reached", "es ist nicht erreichbar"),
        Cause::Tls => (
            "no safe connection came about: its certificate is not trusted, or its encryption does not fit",
            "es kam keine sichere Verbindung zustande: Dem Zertifikat dort ist nicht zu trauen, oder die Verschlüsselung passt nicht",
        ),
        Cause::Timeout if is_unknown => (
            "it was sent, but no answer came in time",
            "es wurde gesendet, aber die Antwort kam nicht rechtzeitig",
        ),
        Cause::Timeout => ("the answer did not come in time", "die Antwort kam nicht rechtzeitig"),
        Cause::Lost if is_unknown => (
            "it was sent, but the connection broke before the answer",
            "es wurde gesendet, aber die Verbindung brach vor der Antwort ab",
        ),
        Cause::Lost => ("the connection broke", "die Verbindung brach ab"),
        Cause::Patience => ("the other side asked for patience", "die andere Seite bat um Geduld"),
        Cause::Interrupted => (
            "our own server ended while it was under way",
            "der eigene Server endete, während es unterwegs war",
        ),
        Cause::NoSecret => {
            let name = error.split('`').nth(1).unwrap_or_default();
            return match language {
                "de" => {
                    format!("das Geheimnis „{name}“ fehlt hier; gesetzt wird es mit: takt secrets set {name}")
                }
                _ => format!("the secret \"{name}\" is missing here; this sets it: takt secrets set {name}"),
            };
        }
        Cause::MailServer if outcome == Outcome::Refused => {
            ("the mail server did not accept the mail", "der Mailserver hat die Nachricht nicht angenommen")
        }
        Cause::MailServer => {
            ("the mail server does not take the mail yet", "der Mailserver nimmt die Nachricht noch nicht an")
        }
        Cause::CannotTell => (
            "it was looked up there, and that did not tell whether it arrived",
            "dort wurde nachgesehen, und das ergab nicht, ob es ankam",
        ),
        Cause::Rules => return own_words(error, language),
    };
    say(language, english, german).to_owned()
}

/// What a function said when it refused: in the reader's language, if it has words in several.
fn own_words(error: &str, language: &str) -> String {
    let words: Option<HashMap<String, String>> = serde_json::from_str(error).ok();
    let Some(words) = words else { return error.to_owned() };
    let said = words.get(language).or_else(|| words.get("en")).or_else(|| words.values().min());
    said.cloned().unwrap_or_default()
}

/// The status in `answered 503`, `POST /sales answered 503: ..`, `answer 450`, `(550)`.
fn status(error: &str) -> Option<u16> {
    ["answered ", "answer ", "("].into_iter().find_map(|before| {
        let (_, rest) = error.split_once(before)?;
        let digits = rest.get(..3).filter(|d| d.bytes().all(|b| b.is_ascii_digit()))?;
        let ends = rest.as_bytes().get(3).is_none_or(|b| !b.is_ascii_alphanumeric());
        digits.parse().ok().filter(|s| ends && (100..600).contains(s))
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn every_cause_has_its_words() {
        let mut told = String::new();
        for (cause, outcome, error) in [
            (Cause::NoName, Outcome::Failed, "no connection to erp.example: failed to lookup address"),
            (
                Cause::Refused,
                Outcome::Failed,
                "no connection to 127.0.0.1:1: Connection refused (os error 111)",
            ),
            (Cause::NoRoute, Outcome::Failed, "no connection to 10.0.0.1: No route to host (os error 113)"),
            (Cause::Tls, Outcome::Failed, "no connection to erp.example: invalid peer certificate"),
            (Cause::Timeout, Outcome::Unknown, "erp.example did not answer within 5000 ms"),
            (Cause::Timeout, Outcome::Failed, "the time for this attempt is over"),
            (Cause::Lost, Outcome::Unknown, "erp.example closed the connection without an answer"),
            (Cause::Patience, Outcome::Failed, "answered 429"),
            (Cause::Interrupted, Outcome::Unknown, "the server ended while this attempt was under way"),
            (
                Cause::NoSecret,
                Outcome::Failed,
                "the secret `erp_key` is not set; `takt secrets set erp_key` sets it",
            ),
            (Cause::MailServer, Outcome::Refused, "mail.example:25 refused recipient 1 (550)"),
            (
                Cause::MailServer,
                Outcome::Failed,
                "mail.example:25 did not accept the mail at the sender: answer 451",
            ),
            (Cause::CannotTell, Outcome::Unknown, "it cannot be told"),
        ] {
            for language in ["de", "en"] {
                told.push_str(&format!("{}\n", reason(outcome, Some(cause), error, language)));
            }
        }
        expect![[r#"
            die Adresse dort ist im Netz nicht zu finden
            its address cannot be found in the network
            dort nimmt niemand ab: es ist ausgeschaltet oder nicht erreichbar
            nobody takes calls there: it is switched off or not reachable
            es ist nicht erreichbar
            it cannot be reached
            es kam keine sichere Verbindung zustande: Dem Zertifikat dort ist nicht zu trauen, oder die Verschlüsselung passt nicht
            no safe connection came about: its certificate is not trusted, or its encryption does not fit
            es wurde gesendet, aber die Antwort kam nicht rechtzeitig
            it was sent, but no answer came in time
            die Antwort kam nicht rechtzeitig
            the answer did not come in time
            es wurde gesendet, aber die Verbindung brach vor der Antwort ab
            it was sent, but the connection broke before the answer
            die andere Seite bat um Geduld (Antwort 429)
            the other side asked for patience (answer 429)
            der eigene Server endete, während es unterwegs war
            our own server ended while it was under way
            das Geheimnis „erp_key“ fehlt hier; gesetzt wird es mit: takt secrets set erp_key
            the secret "erp_key" is missing here; this sets it: takt secrets set erp_key
            der Mailserver hat die Nachricht nicht angenommen (Antwort 550)
            the mail server did not accept the mail (answer 550)
            der Mailserver nimmt die Nachricht noch nicht an (Antwort 451)
            the mail server does not take the mail yet (answer 451)
            dort wurde nachgesehen, und das ergab nicht, ob es ankam
            it was looked up there, and that did not tell whether it arrived
        "#]].assert_eq(&told);
        let called = "CallError: POST /sales answered 503: <html>";
        assert_eq!(reason(Outcome::Failed, None, called, "en"), "the other side is not ready (answer 503)");
    }
}
