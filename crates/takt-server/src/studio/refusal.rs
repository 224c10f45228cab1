//! Refusals in words for people: what an error of a lower floor means to somebody at a form.

use takt_auth::AuthError;
use takt_engine::{EngineError, RefusedTransition, StoreError};
use takt_interfaces::InterfacesError;
use takt_logic::LogicError;
use takt_model::{Field, Table};
use takt_plan::PlanError;

use super::{
    language::Language,
    rows::{self, state_word, value_word},
};
use crate::deliveries::{reconciled, verdicts};

/// What a refused plan means.
pub(super) fn engine(error: &EngineError, language: Language) -> String {
    let said = match error {
        EngineError::Plan(
            PlanError::Denied { .. } | PlanError::FieldDenied { .. } | PlanError::UnknownField { .. },
        ) => language
            .t("Keine Regel erlaubt Ihrem Konto diese Änderung.", "No rule allows your account this change."),
        EngineError::Store(StoreError::Refused { code, .. }) => refused(code, language),
        EngineError::Store(StoreError::Transition(t)) => return transition(t, None, language),
        EngineError::Store(StoreError::Busy | StoreError::Timeout) => language.t(
            "Gerade ist viel los. Bitte versuchen Sie es gleich noch einmal.",
            "It is busy just now. Please try again in a moment.",
        ),
        EngineError::Store(StoreError::Full) => language.t(
            "Der Speicherplatz ist voll. Es wurde nichts geschrieben.",
            "The disk is full. Nothing was written.",
        ),
        EngineError::Rejected { message, .. } => {
            return message.get(language.code()).unwrap_or_default().to_owned();
        }
        EngineError::NotSingular { .. } => {
            language.t("Diesen Eintrag gibt es nicht.", "This entry does not exist.")
        }
        EngineError::Plan(PlanError::NoFilter { .. } | PlanError::TooManyNodes { .. })
        | EngineError::Store(StoreError::Locked(_) | StoreError::Open(_) | StoreError::Internal(_))
        | EngineError::IdempotencyMismatch
        | EngineError::Hook { .. }
        | EngineError::Schema(_)
        | EngineError::Internal(_) => {
            tracing::error!(%error, "a page of the console failed");
            unexpected(language)
        }
    };
    said.to_owned()
}

/// As [`engine`], of a change of one field: its values are called as the schema labels them.
pub(super) fn of_field(error: &EngineError, field: &Field, language: Language) -> String {
    match error {
        EngineError::Store(StoreError::Transition(t)) if t.field == field.name => {
            transition(t, Some(field), language)
        }
        error => engine(error, language),
    }
}

/// What a refused change of a row means: with the field that it is about, as people call it, and its rule.
pub(super) fn of_row(error: &EngineError, table: &Table, language: Language) -> String {
    if let EngineError::Store(StoreError::Transition(t)) = error {
        return transition(t, table.field(&t.field), language);
    }
    let words = engine(error, language);
    let EngineError::Store(StoreError::Refused { message, .. }) = error else { return words };
    let Some(field) = concerned(table, message) else { return words };
    let label = rows::label(field, language);
    let is_its_check = |check: &&takt_model::Check| message.contains(&format!("\"{}\"", check.name));
    match field.check.as_ref().filter(is_its_check) {
        Some(check) => format!("{label}: {words} ({})", check.text),
        None => format!("{label}: {words}"),
    }
}

/// PostgreSQL's messages name a column, a check or a unique index in quotation marks.
fn concerned<'a>(table: &'a Table, message: &str) -> Option<&'a Field> {
    let named = message.split('"').skip(1).step_by(2);
    named.filter(|name| *name != table.name).find_map(|name| {
        let of_check = table.fields.iter().find(|f| f.check.as_ref().is_some_and(|c| c.name == name));
        let index = table.indexes.iter().find(|i| i.name == name);
        let key = table.foreign_keys.iter().find(|k| k.name == name);
        let of_index = index.and_then(|i| i.fields.first()).map(|f| table.get(*f));
        table.field(name).or(of_check).or(of_index).or_else(|| key.map(|k| table.get(k.field)))
    })
}

/// Which state may not follow which, and which may.
fn transition(refused: &RefusedTransition, field: Option<&Field>, language: Language) -> String {
    let word = |state: &str| {
        let said = field.map_or_else(|| state_word(state, language), |f| value_word(f, state, language));
        match language {
            Language::German => format!("„{said}“"),
            Language::English => format!("“{said}”"),
        }
    };
    let from = word(&refused.from);
    let to = refused.to.as_deref().map_or_else(|| language.t("leer", "empty").to_owned(), word);
    let next: Vec<String> = refused.allowed.iter().map(|state| word(state)).collect();
    let next = next.join(language.t(" oder ", " or "));
    match language {
        Language::German if next.is_empty() => {
            format!("Aus {from} kann nicht {to} werden: {from} ist endgültig.")
        }
        Language::German => format!("Aus {from} kann nicht {to} werden, nur {next}."),
        Language::English if next.is_empty() => format!("{from} cannot become {to}: it is final."),
        Language::English => format!("{from} cannot become {to}, only {next}."),
    }
}

/// The database's own words name constraints and stay in the log of the API; people get the meaning.
fn refused(code: &str, language: Language) -> &'static str {
    match code {
        "42501" => language
            .t("Keine Regel erlaubt Ihrem Konto diese Änderung.", "No rule allows your account this change."),
        "23514" => language
            .t("Die Regeln der Daten lassen das nicht zu.", "The rules of the data do not allow this."),
        "23505" => language.t("Das gibt es schon einmal.", "This exists already."),
        "23503" => language.t(
            "Ein anderer Eintrag gehört dazu und passt nicht.",
            "Another entry belongs to it and does not fit.",
        ),
        "23502" => language.t("Ein Pflichtfeld ist leer.", "A required field is empty."),
        "22001" => language.t("Der Text ist zu lang.", "The text is too long."),
        "22003" => language.t("Diese Zahl ist zu groß.", "This number is too large."),
        _ => language.t("Die Datenbank hat das abgelehnt.", "The database refused this."),
    }
}

/// What a refused sign-in means.
pub(super) fn auth(error: &AuthError, language: Language) -> String {
    let said = match error {
        AuthError::InvalidCredentials => {
            language.t("E-Mail-Adresse oder Passwort stimmt nicht.", "Email address or password is wrong.")
        }
        AuthError::SetupCodeWrong => {
            language.t("Der Einmalcode stimmt nicht.", "The one-time code is wrong.")
        }
        AuthError::SetupClosed => language.t(
            "Das erste Konto gibt es schon. Bitte melden Sie sich an.",
            "The first account exists already. Please sign in.",
        ),
        AuthError::SetupCodeWait { .. } => language.t(
            "Zu viele falsche Codes. Bitte warten Sie zehn Sekunden und versuchen Sie es dann noch einmal.",
            "Too many wrong codes. Please wait ten seconds, then try again.",
        ),
        AuthError::WeakPassword { .. } => {
            language.t("Das Passwort ist zu kurz.", "The password is too short.")
        }
        AuthError::EmailExists | AuthError::UserAlreadyExists => language.t(
            "Ein Konto mit dieser Adresse gibt es schon.",
            "There is already an account with this address.",
        ),
        AuthError::ConsoleDenied => {
            language.t("Dieses Konto darf hier nicht hinein.", "This account may not come in here.")
        }
        AuthError::UserBanned => language.t("Dieses Konto ist gesperrt.", "This account is suspended."),
        AuthError::ValidationFailed(_) => {
            language.t("Bitte prüfen Sie die Eingaben.", "Please check what you entered.")
        }
        AuthError::OverRequestRateLimit { .. } => language.t(
            "Zu viele Versuche. Bitte warten Sie ein paar Minuten.",
            "Too many tries. Please wait a few minutes.",
        ),
        other => {
            if other.is_ours() {
                tracing::error!(error = %other, "an account page of the console failed");
                return unexpected(language).to_owned();
            }
            return other.message();
        }
    };
    said.to_owned()
}

/// What a refused action means.
pub(super) fn logic(error: &LogicError, language: Language) -> String {
    match error {
        LogicError::Engine(error) => engine(error, language),
        LogicError::Denied => {
            language.t("Ihr Konto darf das nicht.", "Your account may not do this.").to_owned()
        }
        LogicError::UnknownFunction => {
            language.t("Diesen Vorgang gibt es nicht.", "This process does not exist.").to_owned()
        }
        LogicError::BadInput { message, .. } => {
            format!("{}: {message}", language.t("Die Eingabe passt nicht", "The input does not fit"))
        }
        LogicError::Busy => language
            .t(
                "Gerade ist viel los. Bitte versuchen Sie es gleich noch einmal.",
                "It is busy just now. Please try again in a moment.",
            )
            .to_owned(),
        LogicError::Failed { .. } => {
            tracing::error!(%error, "an action called from the console failed");
            unexpected(language).to_owned()
        }
    }
}

/// What a refused decision about a delivery means.
pub(super) fn interfaces(error: &InterfacesError, language: Language) -> String {
    let said = match error {
        InterfacesError::Engine(error) => return engine(error, language),
        InterfacesError::UnknownDelivery(_) => {
            language.t("Diese Zustellung gibt es nicht.", "This delivery does not exist.")
        }
        InterfacesError::UnknownConnection(_) => {
            language.t("Diese Verbindung gibt es nicht.", "This connection does not exist.")
        }
        InterfacesError::UnknownDrift(_) => {
            language.t("Diese Änderung gibt es nicht.", "This change does not exist.")
        }
        InterfacesError::NotNow(_) => language.t(
            "Das geht gerade nicht: Es ist unterwegs, schon beendet, oder jemand ändert es gerade. Bitte sehen Sie noch einmal nach.",
            "That is not possible now: it is under way, has ended already, or somebody is changing it. Please look again.",
        ),
        InterfacesError::NotCompared(why) => return reconciled::not_compared(why, language.code()),
        InterfacesError::UnknownSubscription(_) => {
            language.t("Dieses Abonnement gibt es nicht.", "This subscription does not exist.")
        }
        InterfacesError::Subscription(wrong) => {
            let told = wrong.iter().map(|w| verdicts::complaint(w, language.code()));
            return told.collect::<Vec<_>>().join(" ");
        }
        InterfacesError::TooManySubscriptions(most) => {
            let words = language.t(
                "Es gibt schon so viele Abonnements, wie es geben darf",
                "There are as many subscriptions as there may be",
            );
            return format!("{words} ({most}).");
        }
        InterfacesError::NoWebhook(_) => language.t(
            "Nur Meldungen, die wir senden, lassen sich so testen.",
            "Only messages that we send can be tested like this.",
        ),
        InterfacesError::NoChance => {
            tracing::error!(%error, "a page of the console failed");
            unexpected(language)
        }
        InterfacesError::Body(why) => {
            let words = language.t("Der Inhalt ist kein gültiges JSON", "The content is not valid JSON");
            return format!("{words}: {why}");
        }
    };
    said.to_owned()
}

fn unexpected(language: Language) -> &'static str {
    language.t(
        "Etwas ist im Programm schiefgegangen. Es wurde nichts geschrieben.",
        "Something went wrong in the program. Nothing was written.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_refused_row_names_the_field_as_people_call_it() {
        let mut files = takt_model::ProjectFiles::default();
        files.0.insert("takt.toml".to_owned(), "name = \"T\"\nlanguages = [\"de\", \"en\"]\n".to_owned());
        let table = "label = { de = \"Artikel\", en = \"Products\" }\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\n\
                     [fields.price]\ntype = \"decimal(12,2)\"\nlabel = { de = \"Preis\", en = \"Price\" }\ncheck = \"price >= 0\"\n\
                     [fields.sku]\ntype = \"text\"\nlabel = { de = \"Artikelnummer\", en = \"Article number\" }\nunique = true\n";
        files.0.insert("schema/products.toml".to_owned(), table.to_owned());
        let (project, _) = takt_model::Project::parse(&files, &[]);
        let told = |code: &'static str, message: &str| {
            let refused =
                StoreError::Refused { code, message: message.to_owned(), details: None, hint: None };
            let error = EngineError::Store(refused);
            let table = project.table("products").unwrap();
            [Language::German, Language::English].map(|language| of_row(&error, table, language))
        };
        let check = "new row for relation \"products\" violates check constraint \"products_price_check\"";
        assert_eq!(
            told("23514", check),
            [
                "Preis: Die Regeln der Daten lassen das nicht zu. (price >= 0)",
                "Price: The rules of the data do not allow this. (price >= 0)"
            ]
        );
        let double = "duplicate key value violates unique constraint \"products_sku_key\"";
        assert_eq!(
            told("23505", double),
            ["Artikelnummer: Das gibt es schon einmal.", "Article number: This exists already."]
        );
        assert_eq!(
            told("XX000", "what \"ever\""),
            ["Die Datenbank hat das abgelehnt.", "The database refused this."]
        );
    }

    #[test]
    fn a_refused_transition_is_told_in_words() {
        let refused = |from: &str, to: Option<&str>, allowed: &[&str]| RefusedTransition {
            table: "orders".to_owned(),
            field: "status".to_owned(),
            from: from.to_owned(),
            to: to.map(ToOwned::to_owned),
            allowed: allowed.iter().map(|s| (*s).to_owned()).collect(),
        };
        let told = |t: &RefusedTransition| {
            [Language::German, Language::English].map(|language| transition(t, None, language))
        };
        assert_eq!(
            told(&refused("paid", Some("pending"), &["shipped", "cancelled"])),
            [
                "Aus „bezahlt“ kann nicht „offen“ werden, nur „versendet“ oder „storniert“.",
                "“paid” cannot become “open”, only “shipped” or “cancelled”."
            ]
        );
        // As the schema labels them, if it does.
        let orders = "label = \"Orders\"\n[fields]\nid = { type = \"uuid\", primary_key = true }\n[fields.status]\n\
             type = \"enum\"\nvalues = [\"paid\", \"packed\"]\n\
             labels = { paid = { de = \"ist bezahlt\", en = \"settled\" }, packed = { de = \"gepackt\", en = \"in its box\" } }\n";
        let takt = "name = \"Test\"\nlanguages = [\"de\", \"en\"]\n";
        let files = takt_model::ProjectFiles::from([("takt.toml", takt), ("schema/orders.toml", orders)]);
        let (project, _) = takt_model::Project::parse(&files, &[]);
        let field = project.table("orders").unwrap().field("status").unwrap();
        let error =
            EngineError::Store(StoreError::Transition(refused("packed", Some("paid"), &["shipped"]).into()));
        assert_eq!(
            of_field(&error, field, Language::German),
            "Aus „gepackt“ kann nicht „ist bezahlt“ werden, nur „versendet“."
        );
        assert_eq!(
            of_field(&error, field, Language::English),
            "“in its box” cannot become “settled”, only “shipped”."
        );
        assert_eq!(
            told(&refused("brewed", None, &[])),
            [
                "Aus „brewed“ kann nicht leer werden: „brewed“ ist endgültig.",
                "“brewed” cannot become empty: it is final."
            ]
        );
    }
}
