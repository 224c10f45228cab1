//! Answers made smaller on the way out: gzip, brotli or zstd, as the caller's `Accept-Encoding` likes it best.
//! Lives here: which encoding, for which types, and the three compressors. Files of `public/` come with their own
//! variants (`http/static_files.rs`) and pass through.

use std::io::{self, Write};

use ::http::{HeaderValue, Response, header};
use axum::body::{Body, Bytes};
use http_body::Body as _;
use http_body_util::BodyExt;

/// Smaller answers gain nothing.
const FROM_BYTES: u64 = 1_000;
/// Larger answers are compressed beside the request threads, not on them.
const ASIDE_FROM_BYTES: u64 = 64 * 1024;

/// An encoding of an answer; in the order in which we like them for answers made at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Zstd,
    Brotli,
    Gzip,
}

impl Encoding {
    pub(crate) const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    /// As headers name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }
}

/// How much time a compression is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// An answer that is sent once.
    Quick,
    /// A file that is sent many times.
    Thorough,
}

/// The encoding among `offered` that the caller likes best; the first one offered wins a draw.
pub(crate) fn best(accept: Option<&HeaderValue>, offered: &[Encoding]) -> Option<Encoding> {
    let accept = accept?.to_str().ok()?;
    let mut best: Option<(Encoding, u32)> = None;
    for encoding in offered {
        let quality = quality(accept, encoding.name());
        if quality > best.map_or(0, |(_, q)| q) {
            best = Some((*encoding, quality));
        }
    }
    best.map(|(encoding, _)| encoding)
}

/// Quality in thousandths; 0 for what is not accepted.
fn quality(accept: &str, name: &str) -> u32 {
    let mut any = 0;
    for part in accept.split(',') {
        let mut pieces = part.split(';').map(str::trim);
        let coding = pieces.next().unwrap_or_default();
        let q = pieces.find_map(|p| p.strip_prefix("q=")).map_or(1000, thousandths);
        if coding.eq_ignore_ascii_case(name) {
            return q;
        }
        if coding == "*" {
            any = q;
        }
    }
    any
}

fn thousandths(text: &str) -> u32 {
    let q: f32 = text.trim().parse().unwrap_or(0.0);
    // In range: clamped to 0..=1 before.
    (q.clamp(0.0, 1.0) * 1000.0) as u32
}

/// Whether bytes of this type get smaller.
pub(crate) fn is_compressible(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || matches!(
            kind,
            "application/json"
                | "application/javascript"
                | "application/xml"
                | "application/wasm"
                | "application/manifest+json"
                | "font/ttf"
                | "font/otf"
                | "image/x-icon"
                | "image/vnd.microsoft.icon"
        )
}

/// Compresses a finished answer if that makes sense. Streams and answers that bring their own encoding pass.
pub(crate) async fn answer(accept: Option<HeaderValue>, response: Response<Body>) -> Response<Body> {
    if !is_worth_it(&response) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    parts.headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    let Some(encoding) = best(accept.as_ref(), &Encoding::ALL) else {
        return Response::from_parts(parts, body);
    };
    let Ok(plain) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        // A body whose length is known comes from memory and cannot fail.
        return Response::from_parts(parts, Body::empty());
    };
    match compressed(encoding, plain.clone()).await {
        Some(smaller) => {
            parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
            parts.headers.remove(header::CONTENT_LENGTH);
            parts.headers.remove(header::ACCEPT_RANGES);
            Response::from_parts(parts, Body::from(smaller))
        }
        None => Response::from_parts(parts, Body::from(plain)),
    }
}

fn is_worth_it(response: &Response<Body>) -> bool {
    let headers = response.headers();
    let is_large = response.body().size_hint().exact().is_some_and(|n| n >= FROM_BYTES);
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    is_large
        && !headers.contains_key(header::CONTENT_ENCODING)
        && !headers.contains_key(header::ETAG)
        && response.status() != ::http::StatusCode::PARTIAL_CONTENT
        && kind.is_some_and(is_compressible)
}

async fn compressed(encoding: Encoding, plain: Bytes) -> Option<Vec<u8>> {
    let result = if plain.len() as u64 >= ASIDE_FROM_BYTES {
        tokio::task::spawn_blocking(move || compress(encoding, Effort::Quick, &plain)).await.ok()?
    } else {
        compress(encoding, Effort::Quick, &plain)
    };
    // Compressing into memory does not fail; if it should, the plain answer goes out.
    result.inspect_err(|error| tracing::error!(%error, "an answer could not be compressed")).ok()
}

/// The bytes in that encoding.
pub(crate) fn compress(encoding: Encoding, effort: Effort, plain: &[u8]) -> io::Result<Vec<u8>> {
    match encoding {
        Encoding::Zstd => zstd::bulk::compress(plain, if effort == Effort::Quick { 1 } else { 12 }),
        Encoding::Gzip => {
            let level = if effort == Effort::Quick { 3 } else { 9 };
            let out = Vec::with_capacity(plain.len() / 3);
            let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::new(level));
            encoder.write_all(plain)?;
            encoder.finish()
        }
        Encoding::Brotli => {
            let quality = if effort == Effort::Quick { 2 } else { 9 };
            let mut out = Vec::with_capacity(plain.len() / 3);
            let mut encoder = brotli::CompressorWriter::new(&mut out, 16 * 1024, quality, 20);
            encoder.write_all(plain)?;
            encoder.flush()?;
            drop(encoder);
            Ok(out)
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::io::Read;

    use super::*;

    fn accept(text: &'static str) -> Option<&'static str> {
        best(Some(&HeaderValue::from_static(text)), &Encoding::ALL).map(Encoding::name)
    }

    #[test]
    fn the_callers_favourite_wins_and_ours_in_a_draw() {
        for (text, expected) in [
            ("", None),
            ("identity", None),
            ("gzip", Some("gzip")),
            ("GZIP", Some("gzip")),
            ("gzip, deflate, br", Some("br")),
            ("gzip, deflate, br, zstd", Some("zstd")),
            ("br;q=0.5, gzip;q=0.8", Some("gzip")),
            ("zstd;q=0, *", Some("br")),
            ("*;q=0", None),
            ("gzip;q=nonsense", None),
        ] {
            assert_eq!(accept(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_compressed_can_be_read_again() {
        let plain = "Darjeeling und Assam. ".repeat(200).into_bytes();
        for effort in [Effort::Quick, Effort::Thorough] {
            for encoding in Encoding::ALL {
                let small = compress(encoding, effort, &plain).unwrap();
                assert!(small.len() < plain.len() / 4, "{encoding:?}");
                let mut back = Vec::new();
                match encoding {
                    Encoding::Zstd => back = zstd::bulk::decompress(&small, plain.len()).unwrap(),
                    Encoding::Gzip => {
                        flate2::read::GzDecoder::new(&small[..]).read_to_end(&mut back).map(drop).unwrap();
                    }
                    Encoding::Brotli => {
                        brotli::Decompressor::new(&small[..], 4096).read_to_end(&mut back).map(drop).unwrap();
                    }
                }
                assert_eq!(back, plain, "{encoding:?}");
            }
        }
    }

    #[test]
    fn only_types_that_get_smaller_are_compressed() {
        for (kind, expected) in [
            ("application/json; charset=utf-8", true),
            ("application/vnd.pgrst.object+json; charset=utf-8", true),
            ("image/svg+xml", true),
            ("text/html", true),
            ("image/png", false),
            ("font/woff2", false),
            ("application/octet-stream", false),
        ] {
            assert_eq!(is_compressible(kind), expected, "{kind}");
        }
    }
}
