//! German or English: the cookie of the switch, else what the browser asks for.

use ::http::{HeaderMap, header};

/// A language of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    German,
    English,
}

impl Language {
    /// `de` or `en`.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::German => "de",
            Self::English => "en",
        }
    }

    pub(super) fn parse(code: &str) -> Option<Self> {
        match code {
            "de" => Some(Self::German),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The text in this language.
    pub(super) fn t<'a>(self, de: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::German => de,
            Self::English => en,
        }
    }

    /// The first language that the browser accepts and we speak, by weight; English if there is none.
    pub(super) fn of_browser(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let mut best = (0.0_f32, Self::English);
        for part in accepted.split(',').take(20) {
            let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
            let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let weight = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.trim().parse().ok());
            if let (Some(language), Some(weight)) = (Self::parse(&primary), weight)
                && weight > best.0
            {
                best = (weight, language);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    #[test]
    fn the_browser_is_understood() {
        for (accepted, expected) in [
            ("de-DE,de;q=0.9,en;q=0.8", Language::German),
            ("en-GB,de;q=0.9", Language::English),
            ("fr-FR,de;q=0.5,en;q=0.4", Language::German),
            ("en;q=0.4, de;q=0.8", Language::German),
            ("fr", Language::English),
            ("", Language::English),
            ("de;q=nonsense", Language::English),
        ] {
            let headers =
                HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accepted))]);
            assert_eq!(Language::of_browser(&headers), expected, "{accepted}");
        }
        assert_eq!(Language::of_browser(&HeaderMap::new()), Language::English);
    }
}
