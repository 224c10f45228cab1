//! What a project is: tables, field types, values, relations, policies, connections, settings, principals,
//! and the problems found while reading them.
//!
//! Pure: no runtime, no clock, no file, no socket. Everything arrives as text ([`ProjectFiles`])
//! and leaves as data ([`Project`]) plus a list of [`Problem`]s; reading a broken project never panics.

mod connection;
mod contract;
mod cron;
mod expr;
mod expr_parse;
mod files;
mod health;
mod plausible;
mod principal;
mod problem;
mod project;
mod read;
mod reconcile;
mod schedule;
mod settings;
mod table;
mod types;
mod value;
mod words;

pub use connection::{
    Breaker, Connect, Connection, ConnectionAuth, ConnectionOrigin, DataFlow, Deliver, ExportRef, Guard,
    HttpRequest, MailOut, MailSecurity, OnDead, OnUnknown, Operation, OperationKind, Outage, Partner, Poll,
    Protocol, Receive, Retry, event_fits,
};
pub use contract::{Contract, OnDrift, SchemaRef, StepContract};
pub use expr::{ArithmeticOp, CompareOp, Expr, ExprText, ScalarFunction, SubQuery};
pub use expr_parse::{ExprProblem, parse_expression};
pub use files::ProjectFiles;
pub use health::{ApiVersion, HealthProbe};
pub use plausible::{Figure, FigureKind, Figures, PlausibleRule};
pub use principal::{Principal, Rights, User};
pub use problem::{Problem, Severity, Source};
pub use project::{Project, Relation, SystemTables};
pub use read::did_you_mean;
pub use reconcile::{MissingHere, MissingThere, Ours, Reconcile, Rhythm, SharedState};
pub use schedule::Schedule;
pub use settings::{
    AuthSettings, LimitSettings, LogFormat, LogicSettings, Origin, ServerSettings, Settings, SettingsLayer,
    WebhookSettings, parse_duration,
};
pub use table::{
    Check, DefaultValue, Exposure, Field, FieldId, ForeignKey, Index, NumberPart, NumberTemplate, OnDelete,
    Policy, Privacy, Table, TableId, Transitions, Verb,
};
pub use types::FieldType;
pub use value::{Value, ValueError, ValueRef, write_json_string};
pub use words::Words;

pub use rust_decimal::Decimal;
pub use uuid::Uuid;
