//! The field types of a project. A closed set: the compiler lists every place to touch.

/// The type of a field. Array, vector and geometry come later.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// UTF-8 text without NUL.
    Text,
    /// 32-bit whole number (PostgreSQL `integer`).
    Integer,
    /// 64-bit whole number.
    Bigint,
    /// Exact number: `precision` digits in all (at most 18), `scale` of them after the point.
    Decimal {
        /// Digits in all, 1 to 18.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// 64-bit floating point; never for money.
    Double,
    /// True or false.
    Boolean,
    /// Calendar day.
    Date,
    /// Time of day, microseconds.
    Time,
    /// Moment in UTC, microseconds (PostgreSQL `timestamptz`).
    Timestamp,
    /// UUID, lower case on the wire.
    Uuid,
    /// Any JSON value.
    Json,
    /// Bytes, `\x` hex on the wire.
    Bytes,
    /// One of a fixed list of texts.
    Enum {
        /// Name in error texts: `orders_status`.
        name: String,
        /// The allowed values, in their order.
        values: Vec<String>,
    },
}

impl FieldType {
    /// PostgreSQL's name of the type as its error texts use it (`integer`, `numeric`, `timestamp with time zone`).
    #[must_use]
    pub fn sql_name(&self) -> &str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Decimal { .. } => "numeric",
            Self::Double => "double precision",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp with time zone",
            Self::Uuid => "uuid",
            Self::Json => "json",
            Self::Bytes => "bytea",
            Self::Enum { name, .. } => name,
        }
    }

    /// The name of the type as schema files have it: `decimal(12,2)`, `timestamp`, `enum`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Decimal { precision, scale } => format!("decimal({precision},{scale})"),
            Self::Double => "double".to_owned(),
            Self::Timestamp => "timestamp".to_owned(),
            Self::Bytes => "bytes".to_owned(),
            Self::Enum { .. } => "enum".to_owned(),
            other => other.sql_name().to_owned(),
        }
    }
}
