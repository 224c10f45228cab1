//! Media types and profiles: what the answer looks like, and in which namespace the table is.

use crate::{Method, RestError, RestParts};

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    /// A JSON array of rows.
    Json,
    /// One JSON object; anything but one row is PGRST116.
    Object,
    /// CSV with a header line.
    Csv,
}

impl Media {
    /// `Content-Type` of the answer.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Object => "application/vnd.pgrst.object+json; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// The best of `Accept` that we can write.
    pub(crate) fn accepted(accept: Option<&str>) -> Result<Self, RestError> {
        let Some(accept) = accept.filter(|a| !a.trim().is_empty()) else {
            return Ok(Self::Json);
        };
        let mut offers: Vec<(f32, &str)> = accept.split(',').map(|o| (weight(o), o.trim())).collect();
        // Stable: what stands first wins among equals.
        offers.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        for (weight, offer) in offers {
            if weight > 0.0
                && let Some(media) = Self::named(offer)?
            {
                return Ok(media);
            }
        }
        Err(RestError::new("PGRST107", format!("None of these media types are available: {accept}")))
    }

    fn named(offer: &str) -> Result<Option<Self>, RestError> {
        let mut parts = offer.split(';').map(str::trim);
        let media = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "application/json"
            | "*/*"
            | "application/*"
            | "application/vnd.pgrst.array+json"
            | "application/vnd.pgrst.array" => Self::Json,
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Self::Object,
            "text/csv" => Self::Csv,
            _ => return Ok(None),
        };
        if parts.any(|p| p.eq_ignore_ascii_case("nulls=stripped")) {
            return Err(RestError::not_built("nulls=stripped in Accept"));
        }
        Ok(Some(media))
    }
}

fn weight(offer: &str) -> f32 {
    offer
        .split(';')
        .skip(1)
        .find_map(|p| p.trim().strip_prefix("q=")?.parse().ok())
        .filter(|q: &f32| q.is_finite())
        .unwrap_or(1.0)
}

/// Only JSON bodies are read so far.
pub(crate) fn check_body_type(content_type: Option<&str>) -> Result<(), RestError> {
    let Some(sent) = content_type else { return Ok(()) };
    let media = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.as_str() {
        "" | "application/json" => Ok(()),
        "text/csv" | "application/x-www-form-urlencoded" => {
            Err(RestError::not_built(format_args!("bodies of type {media}")))
        }
        _ => Err(RestError::body(format!("Content-Type not acceptable: {media}"))),
    }
}

/// There is one namespace on the wire: `public`.
pub(crate) fn check_profile(parts: &RestParts<'_>) -> Result<(), RestError> {
    let profile = match parts.method {
        Method::Get | Method::Head => parts.accept_profile,
        Method::Post | Method::Patch | Method::Put | Method::Delete => parts.content_profile,
    };
    match profile.map(str::trim) {
        None | Some("public") => Ok(()),
        Some(other) => Err(RestError::new("PGRST106", format!("Invalid schema: {other}"))
            .hint("Only the following schemas are exposed: public")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_best_offer_that_we_can_write_wins() {
        let cases = [
            (None, Media::Json),
            (Some(""), Media::Json),
            (Some("*/*"), Media::Json),
            (Some("application/json"), Media::Json),
            (Some("application/json; charset=utf-8"), Media::Json),
            (Some("application/vnd.pgrst.object+json"), Media::Object),
            (Some("application/vnd.pgrst.object"), Media::Object),
            (Some("text/csv"), Media::Csv),
            (Some("text/html, application/xhtml+xml, */*;q=0.8"), Media::Json),
            (Some("application/json;q=0.1, text/csv"), Media::Csv),
        ];
        for (accept, media) in cases {
            assert_eq!(Media::accepted(accept).unwrap(), media, "{accept:?}");
        }
    }

    #[test]
    fn what_we_cannot_write_is_refused() {
        for accept in ["text/html", "application/geo+json", "application/json;q=0", "image/*, text/html"] {
            let error = Media::accepted(Some(accept)).unwrap_err();
            assert_eq!((error.status, &*error.code), (406, "PGRST107"), "{accept}");
        }
        let stripped = "application/vnd.pgrst.array+json;nulls=stripped";
        assert_eq!(Media::accepted(Some(stripped)).unwrap_err().code, "PGRST127");
    }
}
