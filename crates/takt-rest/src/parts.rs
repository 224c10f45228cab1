//! What arrives: the pieces of an HTTP request that the dialect reads.

use crate::RestError;

/// The methods of the dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Read without a body.
    Head,
    /// Create.
    Post,
    /// Change.
    Patch,
    /// Create or replace one row; not built yet.
    Put,
    /// Remove.
    Delete,
}

impl Method {
    /// The method of that name.
    ///
    /// # Errors
    /// PGRST117 for a method that the dialect does not know. OPTIONS is the server's.
    pub fn named(name: &str) -> Result<Self, RestError> {
        Ok(match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PATCH" => Self::Patch,
            "PUT" => Self::Put,
            "DELETE" => Self::Delete,
            _ => {
                let message = format!("Unsupported HTTP method: {name}");
                return Err(RestError::new("PGRST117", message));
            }
        })
    }

    /// `GET`
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    pub(crate) fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// The pieces of a request to `/{table}`. Repeated headers are joined by commas.
#[derive(Debug, Clone, Copy)]
pub struct RestParts<'a> {
    /// Method.
    pub method: Method,
    /// The path segment, percent-decoded.
    pub table: &'a str,
    /// The query string as sent, without `?`.
    pub query: &'a str,
    /// `Accept`
    pub accept: Option<&'a str>,
    /// `Accept-Profile`
    pub accept_profile: Option<&'a str>,
    /// `Content-Profile`
    pub content_profile: Option<&'a str>,
    /// `Content-Type`
    pub content_type: Option<&'a str>,
    /// `Prefer`
    pub prefer: Option<&'a str>,
    /// `Range`, in rows: `0-9`, `5-`.
    pub range: Option<&'a str>,
    /// The body; read for POST and PATCH.
    pub body: &'a [u8],
}

impl<'a> RestParts<'a> {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, table: &'a str, query: &'a str) -> Self {
        Self {
            method,
            table,
            query,
            accept: None,
            accept_profile: None,
            content_profile: None,
            content_type: None,
            prefer: None,
            range: None,
            body: &[],
        }
    }
}
