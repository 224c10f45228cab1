//! Refusals in words for people: what an error of a lower floor means to somebody at a form.

use takt_auth::AuthError;
use takt_engine::{EngineError, RefusedTransition, StoreError};
use takt_interfaces::InterfacesError;
use takt_logic::LogicError;
use takt_model::Field;
use takt_plan::PlanError;

use super::{
    language::Language,
    rows::{state_word, value_word},
};
use crate::deliveries::{reconciled, verdicts};

/// What a refused plan means.
pub(super) fn engine(error: &EngineError, language: Language) -> String {
    let said = match error {
        EngineError::Plan(
            PlanError::Denied { .. } | PlanError::FieldDenied { .. } | PlanError::UnknownField { .. },
        ) => language
            .t("Keine Regel erlaubt Ihrem Konto diese Änderung.", "No rule allows your account this change."),
        EngineError::Store(StoreError::Refused { code, message, .. }) => {
            return refused(code, message, language);
        }
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

fn refused(code: &str, message: &str, language: Language) -> String {
    let words = match code {
        "42501" => language
            .t("Keine Regel erlaubt Ihrem Konto diese Änderung.", "No rule allows your account this change."),
        "23514" => {
            language.t("Die Regeln der Daten lassen das nicht zu", "The rules of the data do not allow this")
        }
        "23505" => language.t("Das gibt es schon einmal", "This exists already"),
        "23503" => language.t(
            "Ein anderer Eintrag gehört dazu und passt nicht",
            "Another entry belongs to it and does not fit",
        ),
        "23502" => language.t("Ein Pflichtfeld ist leer", "A required field is empty"),
        "22001" => language.t("Der Text ist zu lang", "The text is too long"),
        _ => language.t("Die Datenbank hat das abgelehnt", "The database refused this"),
    };
    if words.ends_with('.') { words.to_owned() } else { format!("{words}: {message}") }
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
    use super::*;

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
