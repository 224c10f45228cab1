//! What people are told about webhooks: how a test ended, and what is wrong with a subscription that somebody wants to
//! save. Pure. Everything here is read by owners, in German and English.

use takt_interfaces::{Complaint, Fault, Probe, Verdict};

use super::words::say;

/// What came of a test, in a sentence or two: what happened, and what to do about it.
pub(crate) fn sentence(probe: &Probe, language: &str) -> String {
    let (host, took) = (&probe.host, probe.took / 1000);
    let status = probe.status.unwrap_or_default();
    let detail = probe.detail.as_deref().unwrap_or_default();
    let is_german = language == "de";
    match probe.verdict {
        Verdict::Arrived if is_german => {
            format!("Angekommen: {host} hat in {took} ms mit {status} geantwortet.")
        }
        Verdict::Arrived => format!("It arrived: {host} answered {status} in {took} ms."),
        Verdict::NotSent if is_german => format!("Nichts wurde gesendet: {detail}."),
        Verdict::NotSent => format!("Nothing was sent: {detail}."),
        Verdict::Private if is_german => format!(
            "Nichts wurde gesendet: {host} gehört zum eigenen Netz, und dorthin darf diese Verbindung nicht."
        ),
        Verdict::Private => format!(
            "Nothing was sent: {host} belongs to the own network, and this connection may not go there."
        ),
        Verdict::NoName if is_german => {
            format!("Es gibt keinen Rechner namens {host}. Ist die Adresse richtig geschrieben?")
        }
        Verdict::NoName => format!("There is no machine called {host}. Is the address spelled correctly?"),
        Verdict::Refused if is_german => {
            format!("Den Rechner {host} gibt es, aber dort nimmt niemand an. Läuft das Programm?")
        }
        Verdict::Refused => {
            format!("The machine {host} is there, but nobody listens. Is the program running?")
        }
        Verdict::Tls if is_german => {
            format!("Das Zertifikat von {host} ist nicht vertrauenswürdig ({detail}). Nichts wurde gesendet.")
        }
        Verdict::Tls => {
            format!("The certificate of {host} is not to be trusted ({detail}). Nothing was sent.")
        }
        Verdict::NoRoute if is_german => format!("Zu {host} führt kein Weg ({detail})."),
        Verdict::NoRoute => format!("No way leads to {host} ({detail})."),
        Verdict::Silent if is_german => {
            format!("{host} hat nach {took} ms noch nicht geantwortet. Ob es ankam, weiß niemand.")
        }
        Verdict::Silent => {
            format!("{host} had not answered after {took} ms. Nobody knows whether it arrived.")
        }
        Verdict::Broken if is_german => format!("Die Verbindung zu {host} brach ab ({detail})."),
        Verdict::Broken => format!("The connection to {host} broke ({detail})."),
        Verdict::Redirect if is_german => format!(
            "{host} verweist weiter ({status}, {detail}). Dem wird nicht gefolgt: Bitte die endgültige Adresse eintragen."
        ),
        Verdict::Redirect => format!(
            "{host} points elsewhere ({status}, {detail}). That is not followed: please enter the final address."
        ),
        Verdict::Gone if is_german => {
            format!("{host} will keine Meldungen mehr (410). Im Betrieb würde hier abgeschaltet.")
        }
        Verdict::Gone => format!("{host} wants no more messages (410). A real one would switch this off."),
        Verdict::Denied if is_german => {
            format!("{host} verweigert den Zugang ({status}). Hat der Empfänger das richtige Geheimnis?")
        }
        Verdict::Denied => {
            format!("{host} denied access ({status}). Does the receiver have the right secret?")
        }
        Verdict::NotThere if is_german => {
            format!("Bei {host} nimmt diese Adresse nichts an ({status}). Ist der Pfad richtig?")
        }
        Verdict::NotThere => {
            format!("At {host} this address takes nothing ({status}). Is the path correct?")
        }
        Verdict::Status if is_german => {
            format!("{host} hat mit {status} geantwortet, also nicht angenommen.")
        }
        Verdict::Status => format!("{host} answered {status}, so it did not take the message."),
    }
}

/// What is wrong with a field of the form, for whoever filled it in.
pub(crate) fn complaint(complaint: &Complaint, language: &str) -> String {
    if language != "de" {
        let text = complaint.to_string();
        return format!(
            "{}{text}.",
            name(&complaint.field, language).map_or(String::new(), |n| format!("{n}: "))
        );
    }
    let field = name(&complaint.field, language).unwrap_or(&complaint.field);
    match &complaint.fault {
        Fault::Missing => format!("{field}: fehlt. Wer für das Projekt einsteht, muss es beurteilen können."),
        Fault::Shape(shape) => format!("{field}: hat nicht die richtige Form ({shape})."),
        Fault::TooMuch(most) => format!("{field}: ist zu lang; höchstens {most}."),
        Fault::Unknown => format!("{field}: gibt es nicht."),
        Fault::Pattern(said) => {
            format!("{field}: „{said}“ kann kein Ereignis heißen; etwa „order.placed“ oder „order.*“.")
        }
        Fault::Language(said) => format!("{field}: „{said}“ ist keine Sprache des Projekts."),
        Fault::Address(why) => format!("{field}: ist keine Adresse eines Empfängers ({why})."),
        Fault::NotHttps => format!("{field}: muss mit https:// beginnen."),
        Fault::Private => format!("{field}: führt ins eigene Netz; das ist nicht erlaubt."),
        Fault::Credentials => format!("{field}: darf weder Benutzer noch Passwort noch „#“ enthalten."),
    }
}

/// What the form calls a field.
fn name(field: &str, language: &str) -> Option<&'static str> {
    let (english, german) = match field {
        "url" => ("Address", "Adresse"),
        "events" => ("Events", "Ereignisse"),
        "purpose" => ("Purpose", "Wozu"),
        "partner" | "partner.name" => ("Receiver", "Empfänger"),
        "partner.contact" => ("Contact", "Ansprechpartner"),
        "owner" => ("Who answers for it here", "Wer hier dafür einsteht"),
        "outage" => ("If it is down", "Wenn er ausfällt"),
        "lane" => ("In order of", "Nacheinander je"),
        "description" => ("Note", "Notiz"),
        "data" | "data.fields" => ("Personal fields", "Persönliche Felder"),
        "data.purpose" => ("Purpose of the personal data", "Zweck der persönlichen Daten"),
        "data.basis" => ("Legal basis", "Rechtsgrundlage"),
        "data.country" => ("Country", "Land"),
        "overlap" => ("Overlap", "Übergangszeit"),
        _ => return None,
    };
    Some(say(language, english, german))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn probe(verdict: Verdict, status: Option<u16>, detail: &str) -> Probe {
        let detail = (!detail.is_empty()).then(|| detail.to_owned());
        let host = "partner.example".to_owned();
        Probe { verdict, status, took: 35_400, answer: None, host, detail }
    }

    #[test]
    fn every_end_of_a_test_has_a_plain_sentence() {
        let mut told = String::new();
        for probe in [
            probe(Verdict::Arrived, Some(204), ""),
            probe(Verdict::NotSent, None, "the secret `hook_key` is not set"),
            probe(Verdict::Private, None, ""),
            probe(Verdict::NoName, None, "no such name"),
            probe(Verdict::Refused, None, "Connection refused"),
            probe(Verdict::Tls, None, "invalid peer certificate: UnknownIssuer"),
            probe(Verdict::NoRoute, None, "no route to host"),
            probe(Verdict::Silent, None, ""),
            probe(Verdict::Broken, None, "connection reset"),
            probe(Verdict::Redirect, Some(302), "https://www.partner.example/"),
            probe(Verdict::Gone, Some(410), ""),
            probe(Verdict::Denied, Some(401), ""),
            probe(Verdict::NotThere, Some(404), ""),
            probe(Verdict::Status, Some(500), ""),
        ] {
            told.push_str(&format!("{}\n{}\n", sentence(&probe, "en"), sentence(&probe, "de")));
        }
        expect![[r#"
            It arrived: partner.example answered 204 in 35 ms.
            Angekommen: partner.example hat in 35 ms mit 204 geantwortet.
            Nothing was sent: the secret `hook_key` is not set.
            Nichts wurde gesendet: the secret `hook_key` is not set.
            Nothing was sent: partner.example belongs to the own network, and this connection may not go there.
            Nichts wurde gesendet: partner.example gehört zum eigenen Netz, und dorthin darf diese Verbindung nicht.
            There is no machine called partner.example. Is the address spelled correctly?
            Es gibt keinen Rechner namens partner.example. Ist die Adresse richtig geschrieben?
            The machine partner.example is there, but nobody listens. Is the program running?
            Den Rechner partner.example gibt es, aber dort nimmt niemand an. Läuft das Programm?
            The certificate of partner.example is not to be trusted (invalid peer certificate: UnknownIssuer). Nothing was sent.
            Das Zertifikat von partner.example ist nicht vertrauenswürdig (invalid peer certificate: UnknownIssuer). Nichts wurde gesendet.
            No way leads to partner.example (no route to host).
            Zu partner.example führt kein Weg (no route to host).
            partner.example had not answered after 35 ms. Nobody knows whether it arrived.
            partner.example hat nach 35 ms noch nicht geantwortet. Ob es ankam, weiß niemand.
            The connection to partner.example broke (connection reset).
            Die Verbindung zu partner.example brach ab (connection reset).
            partner.example points elsewhere (302, https://www.partner.example/). That is not followed: please enter the final address.
            partner.example verweist weiter (302, https://www.partner.example/). Dem wird nicht gefolgt: Bitte die endgültige Adresse eintragen.
            partner.example wants no more messages (410). A real one would switch this off.
            partner.example will keine Meldungen mehr (410). Im Betrieb würde hier abgeschaltet.
            partner.example denied access (401). Does the receiver have the right secret?
            partner.example verweigert den Zugang (401). Hat der Empfänger das richtige Geheimnis?
            At partner.example this address takes nothing (404). Is the path correct?
            Bei partner.example nimmt diese Adresse nichts an (404). Ist der Pfad richtig?
            partner.example answered 500, so it did not take the message.
            partner.example hat mit 500 geantwortet, also nicht angenommen.
        "#]].assert_eq(&told);
    }

    #[test]
    fn what_is_wrong_with_a_form_is_told_in_both_languages() {
        let wrong = |field: &str, fault| Complaint { field: field.to_owned(), fault };
        let mut told = String::new();
        for wrong in [
            wrong("purpose", Fault::Missing),
            wrong("events", Fault::Pattern("order placed".to_owned())),
            wrong("url", Fault::NotHttps),
            wrong("url", Fault::Private),
            wrong("data.basis", Fault::Missing),
        ] {
            told.push_str(&format!("{}\n{}\n", complaint(&wrong, "en"), complaint(&wrong, "de")));
        }
        expect![[r#"
            Purpose: `purpose` is missing: say in plain words what the messages are for; who answers for the project must be able to judge it.
            Wozu: fehlt. Wer für das Projekt einsteht, muss es beurteilen können.
            Events: `order placed` is no event; write `order.placed`, `order.*` or `*`.
            Ereignisse: „order placed“ kann kein Ereignis heißen; etwa „order.placed“ oder „order.*“.
            Address: `url` must begin with https://.
            Adresse: muss mit https:// beginnen.
            Address: `url` leads into the own network (`webhooks.allow_private` of the settings).
            Adresse: führt ins eigene Netz; das ist nicht erlaubt.
            Legal basis: `data.basis` is missing: the legal basis on which personal data leaves.
            Rechtsgrundlage: fehlt. Wer für das Projekt einsteht, muss es beurteilen können.
        "#]].assert_eq(&told);
    }
}
