//! How a connection is asked whether it is well, and which version of the other side it was made for.
//! Lives here: what the file says. Not here: the asking (`takt-interfaces`).

use std::time::Duration;

use jiff::civil::Date;

use crate::{HttpRequest, Source};

/// A question that changes nothing on the other side and is answered with a success while all is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthProbe {
    /// `GET` or `HEAD` of a path behind the connection's address.
    pub request: HttpRequest,
    /// How often; ten seconds or more.
    pub every: Duration,
    /// Where it stands.
    pub source: Source,
}

/// The version of the other side's interface that a connection was made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiVersion {
    /// As the other side calls it: `8.2`, `2025-09-30`.
    pub version: String,
    /// The day after which the other side no longer serves it, `2027-09-30`, if that is known.
    pub end: Option<Date>,
}
