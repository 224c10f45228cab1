//! A short name for a schema: equal for equal schemas, on every machine and in every release.
//! What people call things is no part of it; policies are, because two nodes must agree about them.

use std::fmt::Write as _;

use crate::{DefaultValue, Field, FieldType, Policy, Project, Table};

pub(crate) fn of(project: &Project) -> String {
    let mut text = String::new();
    for table in &project.tables {
        describe(project, table, &mut text);
    }
    format!("{:016x}", fnv1a(text.as_bytes()))
}

/// Fowler, Noll and Vo's hash in its 64-bit form: for telling schemas apart, not for secrets.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Writing into a `String` cannot fail, so results are dropped here.
fn describe(project: &Project, table: &Table, out: &mut String) {
    let names = |ids: &[crate::FieldId]| -> String {
        ids.iter().map(|id| table.get(*id).name.as_str()).collect::<Vec<_>>().join(",")
    };
    let _ = writeln!(out, "table {:?} {:?}", table.name, table.exposure);
    for f in &table.fields {
        field(project, f, out);
    }
    let _ = writeln!(out, " key {}", names(&table.primary_key));
    for index in &table.indexes {
        let _ = writeln!(out, " index {} {} {}", index.name, names(&index.fields), index.unique);
    }
    for key in &table.foreign_keys {
        let target = project.get(key.target);
        let _ = writeln!(
            out,
            " reference {} {} {:?} {} {:?}",
            key.name,
            table.get(key.field).name,
            target.name,
            target.get(key.target_field).name,
            key.on_delete
        );
    }
    for p in &table.policies {
        policy(project, p, p.fields.as_deref().map(names), out);
    }
}

fn field(project: &Project, field: &Field, out: &mut String) {
    let _ = write!(out, " field {} {} required {}", field.name, kind(&field.kind), field.required);
    if let Some(default) = &field.default {
        let _ = write!(out, " default {}", default_text(default));
    }
    if let Some(check) = &field.check {
        let _ = write!(out, " check {} {:?}", check.name, check.expr.display(project).to_string());
    }
    if let Some(max) = field.max {
        let _ = write!(out, " max {max}");
    }
    for (from, to) in field.transitions.iter().flat_map(|t| &t.0) {
        let _ = write!(out, " transition {from:?} {to:?}");
    }
    out.push('\n');
}

fn kind(kind: &FieldType) -> String {
    match kind {
        FieldType::Enum { name, values } => format!("enum {name} {values:?}"),
        other => other.name(),
    }
}

fn default_text(default: &DefaultValue) -> String {
    match default {
        DefaultValue::Constant(value) => format!("{:?}", value.as_ref().to_text()),
        DefaultValue::UuidV7 => "uuid_v7()".to_owned(),
        DefaultValue::UuidV4 => "uuid_v4()".to_owned(),
        DefaultValue::Now => "now()".to_owned(),
        DefaultValue::AuthUid => "auth.uid()".to_owned(),
        DefaultValue::NextNumber { counter, template } => format!("next_number({counter:?}, {template:?})"),
    }
}

fn policy(project: &Project, policy: &Policy, fields: Option<String>, out: &mut String) {
    let text = |expr: &Option<crate::Expr>| expr.as_ref().map(|e| e.display(project).to_string());
    let _ = writeln!(
        out,
        " policy {:?} {:?} {:?} {:?} using {:?} check {:?}",
        policy.to,
        policy.allow,
        fields,
        policy.name,
        text(&policy.using),
        text(&policy.check)
    );
}
