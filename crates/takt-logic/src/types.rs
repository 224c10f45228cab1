//! Declarations for editors: what functions are given, with the project's own tables and jobs.
//! Lives here: the part that depends on the project. The rest stands in `takt.d.ts` beside this file.

use std::fmt::Write;

use takt_model::{Field, FieldType, Project, Table};

use crate::{FunctionKind, Logic, js::conditions::public_tables};

const FIXED: &str = include_str!("takt.d.ts");

impl Logic {
    /// The text of `logic/takt.d.ts`.
    #[must_use]
    pub fn declarations(&self) -> String {
        let project = &self.shared.project;
        let mut out = FIXED.to_owned();
        let jobs = self.functions().iter().filter(|f| f.kind == FunctionKind::Job);
        let jobs: Vec<String> = jobs.map(|f| format!("{:?}", f.name)).collect();
        let job = if jobs.is_empty() { "never".to_owned() } else { jobs.join(" | ") };
        let _ = write!(out, "\n  type Job = {job};\n\n  interface Db {{\n");
        for table in public_tables(project) {
            let (property, name) = (property(&table.name), type_name(&table.name));
            let _ = writeln!(out, "    {property}: Table<Rows.{name}, New.{name}, {}>;", key(table));
        }
        // Namespaces of their own: a table may be named as one of ours.
        out.push_str("  }\n\n  /** Rows as they are read. */\n  namespace Rows {\n");
        public_tables(project).for_each(|table| row(&mut out, project, table));
        out.push_str("  }\n\n  /** What a new row needs. */\n  namespace New {\n");
        public_tables(project).for_each(|table| new_row(&mut out, table));
        out.push_str("  }\n}\n");
        out
    }
}

fn row(out: &mut String, project: &Project, table: &Table) {
    let about = project.settings.languages.first().and_then(|l| table.about.get(l)).unwrap_or_default();
    if !about.is_empty() {
        let _ = writeln!(out, "    /** {} */", about.replace("*/", "* /").replace('\n', " "));
    }
    let _ = writeln!(out, "    interface {} {{", type_name(&table.name));
    for field in &table.fields {
        let _ = writeln!(out, "      {}: {}{};", property(&field.name), kind(&field.kind), or_null(field));
    }
    out.push_str("    }\n");
}

fn new_row(out: &mut String, table: &Table) {
    let _ = writeln!(out, "    interface {} {{", type_name(&table.name));
    for field in &table.fields {
        let optional = if field.required && field.default.is_none() { "" } else { "?" };
        let (name, kind) = (property(&field.name), kind(&field.kind));
        let _ = writeln!(out, "      {name}{optional}: Takt.Given<{kind}>{};", or_null(field));
    }
    out.push_str("    }\n");
}

fn or_null(field: &Field) -> &'static str {
    if field.required { "" } else { " | null" }
}

fn key(table: &Table) -> String {
    let given = |field: &Field| format!("Given<{}>", kind(&field.kind));
    match table.primary_key.as_slice() {
        [one] => given(table.get(*one)),
        several => {
            let parts: Vec<String> = several
                .iter()
                .map(|f| table.get(*f))
                .map(|f| format!("{}: {}", property(&f.name), given(f)))
                .collect();
            format!("{{ {} }}", parts.join("; "))
        }
    }
}

/// What a value is in JavaScript.
fn kind(kind: &FieldType) -> String {
    match kind {
        FieldType::Text | FieldType::Uuid | FieldType::Date | FieldType::Time | FieldType::Timestamp => {
            "string".to_owned()
        }
        FieldType::Integer | FieldType::Double => "number".to_owned(),
        FieldType::Bigint => "bigint".to_owned(),
        FieldType::Decimal { .. } => "Takt.Decimal".to_owned(),
        FieldType::Boolean => "boolean".to_owned(),
        FieldType::Json => "any".to_owned(),
        FieldType::Bytes => "Uint8Array".to_owned(),
        FieldType::Enum { values, .. } => {
            let values: Vec<String> =
                values.iter().map(|v| serde_json::Value::from(v.as_str()).to_string()).collect();
            values.join(" | ")
        }
    }
}

/// `order_items` is `OrderItems`.
fn type_name(table: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    table.split(|c: char| !c.is_alphanumeric()).map(word).collect()
}

/// A name as a property: in quotation marks where it needs them.
fn property(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(is_plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        return name.to_owned();
    }
    serde_json::Value::from(name).to_string()
}
