//! How messages of other systems differ from what is agreed, in plain words: for the terminal, the console and the
//! generated documentation. Lives here: the words. Not here: what counts as a difference (`takt-interfaces`).

use serde::Serialize;
use takt_interfaces::{Direction, Drift, DriftKind, InterfacesError};
use takt_model::{Connection, OperationKind, Project, SchemaRef};
use takt_report::format;

use crate::{
    app::App,
    deliveries::words::{connection_name, say},
};

/// A difference with whether it waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    #[serde(flatten)]
    pub(crate) drift: Drift,
    /// Whether it waits for a decision.
    pub(crate) open: bool,
    /// Whether it is about what we wanted to send.
    pub(crate) ours: bool,
}

/// The differences of one connection, or of all; what waits for a decision first.
pub(crate) fn all(app: &App, connection: Option<&str>) -> Result<Vec<Shown>, InterfacesError> {
    let found = app.interfaces.drifts(connection)?;
    let shown = |drift: Drift| -> Result<Shown, InterfacesError> {
        let (open, ours) = (app.interfaces.is_open(&drift)?, app.interfaces.is_ours(&drift));
        Ok(Shown { drift, open, ours })
    };
    let mut all = found.into_iter().map(shown).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|s| !s.open);
    Ok(all)
}

/// The heading of the differences in the documentation of a connection.
pub(crate) fn heading(language: &str) -> &'static str {
    say(language, "What was different from that", "Was davon abwich")
}

/// What differs, in one sentence.
pub(crate) fn sentence(project: &Project, drift: &Drift, language: &str) -> String {
    let who = connection_name(project, &drift.connection, language);
    let of = match drift.step.as_str() {
        "" => drift.operation.clone(),
        step => format!("{}/{step}", drift.operation),
    };
    let is_ours = drift.direction == Direction::Request && !is_received(project, drift);
    let difference = difference(drift, language);
    match (is_ours, language) {
        (true, "de") => {
            format!("Was wir an {who} senden wollten ({of}), entspricht nicht dem Vertrag: {difference}")
        }
        (true, _) => format!("What we wanted to send to {who} ({of}) is not as agreed: {difference}"),
        (false, _) => format!("{who} ({of}): {difference}"),
    }
}

fn is_received(project: &Project, drift: &Drift) -> bool {
    let operations =
        project.connection(&drift.connection).map(|c| c.operations.as_slice()).unwrap_or_default();
    operations.iter().any(|o| o.name == drift.operation && matches!(o.kind, OperationKind::Receive(_)))
}

fn difference(drift: &Drift, language: &str) -> String {
    let detail = drift.detail.as_deref().unwrap_or_default();
    let path = match drift.path.as_str() {
        "" => say(language, "the message", "die Nachricht").to_owned(),
        path if language == "de" => format!("„{path}“"),
        path => format!("\"{path}\""),
    };
    let german = language == "de";
    match drift.kind {
        DriftKind::UnknownField if german => format!("{path} ist neu und im Vertrag nicht genannt."),
        DriftKind::UnknownField => format!("{path} is new and not named in the contract."),
        DriftKind::NewValue if german && detail.is_empty() => {
            format!("{path} hat einen Wert, der nicht in der Liste steht.")
        }
        DriftKind::NewValue if german => format!("{path} hat den neuen Wert „{detail}“."),
        DriftKind::NewValue if detail.is_empty() => format!("{path} has a value that is not in the list."),
        DriftKind::NewValue => format!("{path} has the new value \"{detail}\"."),
        DriftKind::Missing if german => format!("{path} fehlt."),
        DriftKind::Missing => format!("{path} is missing."),
        DriftKind::Renamed if german => {
            format!("{path} fehlt; daneben steht neu „{detail}“ – wohl umbenannt.")
        }
        DriftKind::Renamed => format!("{path} is missing; \"{detail}\" stands beside it - probably renamed."),
        DriftKind::Type => {
            let (wanted, is) = detail.split_once(" > ").unwrap_or(("", detail));
            let (wanted, is) = (types(wanted, language), types(is, language));
            if german {
                format!("{path} war {wanted} und ist jetzt {is}.")
            } else {
                format!("{path} was {wanted} and is now {is}.")
            }
        }
        DriftKind::Null if german => format!("{path} ist leer, dort gehört ein Wert hin."),
        DriftKind::Null => format!("{path} is empty where a value belongs."),
        DriftKind::Value if german => {
            format!("{path} liegt außerhalb dessen, was vereinbart ist ({detail}).")
        }
        DriftKind::Value => format!("{path} is outside of what is agreed ({detail})."),
        DriftKind::Implausible if german => {
            format!(
                "Die Antwort ist wohlgeformt, kann aber nicht stimmen: {path} gilt nicht. Es wurde nichts übernommen."
            )
        }
        DriftKind::Implausible => {
            format!(
                "The answer is well-formed but cannot be right: {path} does not hold. Nothing was taken over."
            )
        }
    }
}

fn types(names: &str, language: &str) -> String {
    let word = |name: &str| match name {
        "string" => say(language, "a text", "ein Text"),
        "number" => say(language, "a number", "eine Zahl"),
        "integer" => say(language, "a whole number", "eine ganze Zahl"),
        "boolean" => say(language, "yes or no", "ja oder nein"),
        "array" => say(language, "a list", "eine Liste"),
        "object" => say(language, "a group of fields", "eine Gruppe von Feldern"),
        _ => say(language, "nothing", "nichts"),
    };
    let or = say(language, " or ", " oder ");
    names.split(" or ").map(word).collect::<Vec<_>>().join(or)
}

/// What follows from it now.
pub(crate) fn consequence(shown: &Shown, language: &str) -> &'static str {
    let Shown { drift, open, ours } = shown;
    match (drift.accepted, open, drift.breaking) {
        _ if *ours => say(language, "did not leave", "ging nicht hinaus"),
        (true, ..) => say(language, "accepted", "hingenommen"),
        (false, true, _) => say(language, "needs a decision", "braucht eine Entscheidung"),
        (false, false, true) => say(language, "settled", "erledigt"),
        (false, false, false) => say(language, "harmless", "harmlos"),
    }
}

/// When and how often, in one phrase.
pub(crate) fn seen(drift: &Drift, language: &str) -> String {
    let (first, last) =
        (format::moment(drift.first_seen, language), format::moment(drift.last_seen, language));
    let times = format::count(u64::try_from(drift.count).unwrap_or_default(), language);
    if language == "de" {
        format!("zuerst {first}, zuletzt {last}, {times} mal")
    } else {
        format!("first {first}, last {last}, {times} times")
    }
}

/// The form for a terminal: sentence, times, both samples.
pub(crate) fn told(project: &Project, shown: &Shown, language: &str) -> String {
    let drift = &shown.drift;
    let mut text = format!(
        "{}  [{}]\n  {}\n  {}",
        drift.id,
        consequence(shown, language),
        sentence(project, drift, language),
        seen(drift, language)
    );
    for (name, sample) in
        [(say(language, "before", "vorher"), &drift.before), (say(language, "now", "jetzt"), &drift.after)]
    {
        if let Some(sample) = sample {
            text.push_str(&format!("\n  {name}: {sample}"));
        }
    }
    text
}

/// What a connection's file agrees on, operation by operation, for its documentation.
pub(crate) fn agreed(connection: &Connection, language: &str) -> Vec<(String, String)> {
    let none = say(
        language,
        "nothing agreed: changes there are not noticed",
        "nichts vereinbart: Änderungen dort fallen nicht auf",
    );
    let mut facts = Vec::new();
    for operation in &connection.operations {
        let mut said: Vec<String> = Vec::new();
        if let Some(contract) = &operation.contract {
            let files: Vec<&SchemaRef> = contract.schemas().collect();
            said.push(files.iter().map(|s| s.file.as_str()).collect::<Vec<_>>().join(", "));
            said.push(
                match contract.on_drift {
                    takt_model::OnDrift::StopLane => say(
                        language,
                        "if the other side breaks it, nothing is written and a person decides",
                        "bricht ihn die andere Seite, wird nichts geschrieben und ein Mensch entscheidet",
                    ),
                    takt_model::OnDrift::Note => say(
                        language,
                        "if the other side breaks it, that is noted and work goes on",
                        "bricht ihn die andere Seite, wird das vermerkt und weitergearbeitet",
                    ),
                }
                .to_owned(),
            );
        }
        if let OperationKind::Poll(poll) = &operation.kind
            && !poll.plausible.is_empty()
        {
            let rules: Vec<&str> = poll.plausible.iter().map(|r| r.text()).collect();
            let only = say(language, "taken over only if", "übernommen wird nur, wenn gilt:");
            said.push(format!("{only} {}", rules.join("; ")));
        }
        let said = if said.is_empty() { none.to_owned() } else { said.join("; ") };
        facts.push((operation.name.clone(), said));
    }
    facts
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use expect_test::expect;
    use takt_model::Uuid;

    fn drift(kind: DriftKind, path: &str, detail: &str) -> Drift {
        Drift {
            id: Uuid::from_u128(1),
            connection: "erp".to_owned(),
            operation: "stock".to_owned(),
            step: "products".to_owned(),
            direction: Direction::Response,
            path: path.to_owned(),
            kind,
            breaking: kind.is_breaking(),
            detail: (!detail.is_empty()).then(|| detail.to_owned()),
            first_seen: 1_795_424_400_000_000,
            last_seen: 1_795_428_000_000_000,
            count: 3,
            before: Some("{\"stock\":1}".to_owned()),
            after: Some("{\"quantity\":1}".to_owned()),
            accepted: false,
            contract: String::new(),
        }
    }

    #[test]
    fn a_difference_is_told_in_one_sentence() {
        let project = Project::default();
        let mut all = String::new();
        for (kind, path, detail) in [
            (DriftKind::UnknownField, "*.colour", ""),
            (DriftKind::NewValue, "*.state", "on_hold"),
            (DriftKind::NewValue, "*.state", ""),
            (DriftKind::Missing, "*.stock", ""),
            (DriftKind::Renamed, "*.stock", "quantity"),
            (DriftKind::Type, "*.stock", "integer or null > string"),
            (DriftKind::Null, "*.stock", ""),
            (DriftKind::Value, "*.stock", "minimum"),
            (DriftKind::Implausible, "zeros(stock) <= 50% * rows", ""),
            (DriftKind::Type, "", "array > object"),
        ] {
            for language in ["de", "en"] {
                all.push_str(&sentence(&project, &drift(kind, path, detail), language));
                all.push('\n');
            }
        }
        expect![[r#"
            erp (stock/products): „*.colour“ ist neu und im Vertrag nicht genannt.
            erp (stock/products): "*.colour" is new and not named in the contract.
            erp (stock/products): „*.state“ hat den neuen Wert „on_hold“.
            erp (stock/products): "*.state" has the new value "on_hold".
            erp (stock/products): „*.state“ hat einen Wert, der nicht in der Liste steht.
            erp (stock/products): "*.state" has a value that is not in the list.
            erp (stock/products): „*.stock“ fehlt.
            erp (stock/products): "*.stock" is missing.
            erp (stock/products): „*.stock“ fehlt; daneben steht neu „quantity“ – wohl umbenannt.
            erp (stock/products): "*.stock" is missing; "quantity" stands beside it - probably renamed.
            erp (stock/products): „*.stock“ war eine ganze Zahl oder nichts und ist jetzt ein Text.
            erp (stock/products): "*.stock" was a whole number or nothing and is now a text.
            erp (stock/products): „*.stock“ ist leer, dort gehört ein Wert hin.
            erp (stock/products): "*.stock" is empty where a value belongs.
            erp (stock/products): „*.stock“ liegt außerhalb dessen, was vereinbart ist (minimum).
            erp (stock/products): "*.stock" is outside of what is agreed (minimum).
            erp (stock/products): Die Antwort ist wohlgeformt, kann aber nicht stimmen: „zeros(stock) <= 50% * rows“ gilt nicht. Es wurde nichts übernommen.
            erp (stock/products): The answer is well-formed but cannot be right: "zeros(stock) <= 50% * rows" does not hold. Nothing was taken over.
            erp (stock/products): die Nachricht war eine Liste und ist jetzt eine Gruppe von Feldern.
            erp (stock/products): the message was a list and is now a group of fields.
        "#]].assert_eq(&all);
        let shown =
            Shown { drift: drift(DriftKind::Renamed, "*.stock", "quantity"), open: true, ours: false };
        expect![[r#"
            00000000-0000-0000-0000-000000000001  [braucht eine Entscheidung]
              erp (stock/products): „*.stock“ fehlt; daneben steht neu „quantity“ – wohl umbenannt.
              zuerst 23.11.2026, 09:00:00 Uhr (UTC), zuletzt 23.11.2026, 10:00:00 Uhr (UTC), 3 mal
              vorher: {"stock":1}
              jetzt: {"quantity":1}"#]]
        .assert_eq(&told(&project, &shown, "de"));
    }
}
