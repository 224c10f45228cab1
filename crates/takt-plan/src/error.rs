//! Why a plan is refused before any database sees it.

/// Refusals of [`crate::guard()`]. A field or table that the caller may not read is told like a missing one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The caller has no policy that shows this field (or it does not exist): 42703.
    #[error("column {table}.{field} does not exist")]
    UnknownField {
        /// Table name.
        table: String,
        /// Field name.
        field: String,
    },
    /// No policy lets the caller do this verb on the table at all: 42501 "permission denied for table".
    #[error("permission denied for table {table}")]
    Denied {
        /// Table name.
        table: String,
    },
    /// A policy exists, but none covers the fields that are to be written (mass assignment): 42501.
    #[error("permission denied for column {field} of table {table}")]
    FieldDenied {
        /// Table name.
        table: String,
        /// The first field that no policy of the caller lets through.
        field: String,
    },
    /// Update or delete without a filter: 21000.
    #[error("{verb} requires a WHERE clause")]
    NoFilter {
        /// `UPDATE` or `DELETE`.
        verb: &'static str,
    },
    /// More nodes than the limit.
    #[error("the request asks for {asked} tables at once; at most {limit} are allowed")]
    TooManyNodes {
        /// Asked for.
        asked: usize,
        /// `limits.embeds`
        limit: usize,
    },
}
