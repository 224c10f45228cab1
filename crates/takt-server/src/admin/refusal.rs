//! Why a command is not done, in the language of whoever asks: the one place where refusals of commands become
//! sentences. Not here: what pages say (`studio/refusal.rs`), whose German words commands share.

use takt_auth::AuthError;
use takt_engine::EngineError;
use takt_interfaces::InterfacesError;

use super::{AdminError, sentence};
use crate::studio::told_in_german;

/// Why a command is not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A sentence in both languages.
    Words {
        /// English.
        en: String,
        /// German.
        de: String,
    },
    /// A sentence in the language that is asked for, or one that there is in English only.
    Told(String),
    /// What the room of deliveries refuses.
    Room(InterfacesError),
    /// What the engine refuses.
    Engine(EngineError),
}

impl Refusal {
    pub(crate) fn words(en: impl Into<String>, de: impl Into<String>) -> Self {
        Self::Words { en: en.into(), de: de.into() }
    }

    /// As the command prints it. English names the thing as it was typed; German has the words of the console.
    pub(crate) fn told(self, language: &str) -> AdminError {
        let is_german = language == "de";
        AdminError(match self {
            Self::Words { de, .. } if is_german => de,
            Self::Words { en: text, .. } | Self::Told(text) => text,
            Self::Room(error) if is_german => sentence(&told_in_german(&error)),
            Self::Engine(error) if is_german => sentence(&told_in_german(&error.into())),
            Self::Room(error) => sentence(&error.to_string()),
            Self::Engine(error) => sentence(&error.to_string()),
        })
    }
}

impl From<InterfacesError> for Refusal {
    fn from(error: InterfacesError) -> Self {
        Self::Room(error)
    }
}

impl From<EngineError> for Refusal {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<AuthError> for Refusal {
    fn from(error: AuthError) -> Self {
        Self::Told(sentence(&error.to_string()))
    }
}
