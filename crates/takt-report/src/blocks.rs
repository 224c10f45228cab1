//! The six blocks of a report and their names.

use crate::{report::BlockId, text::Text};

/// All blocks in their order.
pub(crate) const ALL: [BlockId; 6] = [
    BlockId::Data,
    BlockId::Machine,
    BlockId::Rules,
    BlockId::Interfaces,
    BlockId::Future,
    BlockId::Handover,
];

impl BlockId {
    /// The letter of its checks.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Data => 'D',
            Self::Machine => 'M',
            Self::Rules => 'R',
            Self::Interfaces => 'S',
            Self::Future => 'Z',
            Self::Handover => 'V',
        }
    }

    /// Its name.
    #[must_use]
    pub fn title(self) -> Text {
        match self {
            Self::Data => Text { de: "Gedächtnis", en: "Memory" },
            Self::Machine => Text { de: "Maschinenraum", en: "Engine room" },
            Self::Rules => Text { de: "Regeln", en: "Rules" },
            Self::Interfaces => Text { de: "Schnittstellen", en: "Interfaces" },
            Self::Future => Text { de: "Zukunft", en: "Future" },
            Self::Handover => Text { de: "Verantwortung", en: "Responsibility" },
        }
    }

    /// What it is about, in a few words.
    #[must_use]
    pub fn about(self) -> Text {
        match self {
            Self::Data => Text {
                de: "Die Datenbank: was gespeichert ist und ob es hält.",
                en: "The database: what is stored, and whether it lasts.",
            },
            Self::Machine => Text {
                de: "Server und Absicherung: ob alles läuft und wiederkommt.",
                en: "Server and protection: whether it runs and comes back.",
            },
            Self::Rules => Text {
                de: "Programmlogik: wer was darf und wer den Preis bestimmt.",
                en: "Program logic: who may do what, and who sets the price.",
            },
            Self::Interfaces => Text {
                de: "Verbindungen zu anderen Systemen und was dort ankommt.",
                en: "Connections to other systems, and what arrives there.",
            },
            Self::Future => Text {
                de: "Änderungen: wie schnell und wie gefahrlos sie gelingen.",
                en: "Changes: how quickly and how safely they succeed.",
            },
            Self::Handover => Text {
                de: "Zuständigkeit und Übergabe: wem was gehört.",
                en: "Responsibility and handover: who holds what.",
            },
        }
    }

    /// The block that a check belongs to.
    pub(crate) fn of(check: &str) -> Option<Self> {
        let letter = check.chars().next()?;
        ALL.into_iter().find(|b| b.letter() == letter)
    }
}
