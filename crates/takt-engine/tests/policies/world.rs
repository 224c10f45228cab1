//! The test's own picture of a project: what the reference model believes, and what is written as schema files.
//! Deliberately none of the product's types but values, expressions and verbs.

use takt_model::{Decimal, Expr, FieldId, OnDelete, Principal, TableId, User, Uuid, Value, Verb};

/// 2026-11-23T09:00:00Z in microseconds: `now()` of every case.
pub(crate) const NOW: i64 = 1_795_424_400_000_000;
pub(crate) const HOUR: i64 = 3_600_000_000;

/// A project.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// How many tables of the product stand before the project's own.
    pub(crate) first: u16,
    /// In the order of their names, as the reader sorts them.
    pub(crate) tables: Vec<TableSpec>,
}

#[derive(Debug, Clone)]
pub(crate) struct TableSpec {
    pub(crate) name: &'static str,
    pub(crate) fields: Vec<FieldSpec>,
    pub(crate) key: Vec<usize>,
    pub(crate) policies: Vec<PolicySpec>,
}

#[derive(Debug, Clone)]
pub(crate) struct FieldSpec {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) unique: bool,
    pub(crate) reference: Option<Reference>,
    pub(crate) default: Option<Default>,
    pub(crate) check: Option<Expr>,
    pub(crate) max: Option<usize>,
    /// For enums: which value may follow which.
    pub(crate) transitions: Option<Vec<(&'static str, Vec<&'static str>)>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Uuid,
    Integer,
    Text,
    Enum,
    /// Digits in all and after the point.
    Decimal(u32, u32),
    Boolean,
    Timestamp,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Reference {
    pub(crate) table: usize,
    pub(crate) field: usize,
    pub(crate) on_delete: OnDelete,
}

#[derive(Debug, Clone)]
pub(crate) enum Default {
    Constant(Value),
    AuthUid,
    Now,
}

#[derive(Debug, Clone)]
pub(crate) struct PolicySpec {
    pub(crate) to: Vec<&'static str>,
    pub(crate) allow: Vec<Verb>,
    pub(crate) fields: Option<Vec<usize>>,
    /// `None` where the verbs know no `using`.
    pub(crate) using: Option<Expr>,
    pub(crate) check: Option<Expr>,
}

/// A row: one value per field.
pub(crate) type Row = Vec<Value>;

/// All rows of all tables.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Data(pub(crate) Vec<Vec<Row>>);

/// The values of the enums, in their order, which is not the alphabet's.
pub(crate) const STATUS: [&str; 3] = ["open", "paid", "done"];

impl World {
    pub(crate) fn id(&self, table: usize) -> TableId {
        TableId(self.first + u16::try_from(table).unwrap())
    }

    pub(crate) fn index(&self, table: TableId) -> usize {
        usize::from(table.0 - self.first)
    }

    pub(crate) fn table(&self, id: TableId) -> &TableSpec {
        &self.tables[self.index(id)]
    }

    pub(crate) fn column(&self, scope: usize, table: usize, at: usize) -> Expr {
        Expr::Column { scope: u8::try_from(scope).unwrap(), table: self.id(table), field: field(at) }
    }

    /// Every reference: the table and field that have it, and where it points.
    pub(crate) fn references(&self) -> impl Iterator<Item = (usize, usize, Reference)> + '_ {
        self.tables.iter().enumerate().flat_map(|(table, spec)| {
            spec.fields.iter().enumerate().filter_map(move |(at, f)| Some((table, at, f.reference?)))
        })
    }
}

impl TableSpec {
    pub(crate) fn all_fields(&self) -> Vec<usize> {
        (0..self.fields.len()).collect()
    }

    /// The values of the primary key.
    pub(crate) fn key_of(&self, row: &Row) -> Vec<Value> {
        self.key.iter().map(|at| row[*at].clone()).collect()
    }

    /// The keys no two rows may share: the primary key, then the unique fields.
    pub(crate) fn unique_keys(&self) -> Vec<Vec<usize>> {
        let singles = self.fields.iter().enumerate().filter(|(_, f)| f.unique).map(|(at, _)| vec![at]);
        std::iter::once(self.key.clone()).chain(singles).collect()
    }
}

pub(crate) fn field(at: usize) -> FieldId {
    FieldId(u16::try_from(at).unwrap())
}

pub(crate) fn position(id: FieldId) -> usize {
    usize::from(id.0)
}

/// The few values that rows, literals and writes are made of, so that they often meet.
pub(crate) fn values(kind: Kind) -> Vec<Value> {
    let texts = |list: &[&str]| list.iter().map(|t| Value::Text((*t).to_owned())).collect();
    let decimals = |list: &[&str]| list.iter().map(|t| Value::Decimal(t.parse().unwrap())).collect();
    match kind {
        Kind::Uuid => (1..4).map(|n| Value::Uuid(Uuid::from_u128(n))).collect(),
        Kind::Integer => [1, 0, 2, -1, 10].map(Value::Integer).to_vec(),
        Kind::Text => texts(&["a", "Ab", "äb%", "a_b", "AB", "", "it's"]),
        Kind::Enum => texts(&STATUS),
        Kind::Decimal(_, 2) => decimals(&["1", "1.10", "-1.10", "9.99", "0.00"]),
        Kind::Decimal(..) => decimals(&["1", "1.1", "1.1001", "0.5", "-1.1"]),
        Kind::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        Kind::Timestamp => [NOW, NOW - HOUR, NOW + HOUR].map(Value::Timestamp).to_vec(),
    }
}

/// The key of the `n`th row of a table.
pub(crate) fn key_value(kind: Kind, table: usize, n: usize) -> Value {
    match kind {
        Kind::Integer => Value::Integer(i64::try_from(n).unwrap()),
        _ => Value::Uuid(Uuid::from_u128(0x100 * (table as u128 + 1) + n as u128)),
    }
}

/// A number that is compared and calculated with exactly.
pub(crate) fn exact(value: &Value) -> Option<Decimal> {
    match value {
        Value::Integer(v) => Some(Decimal::from(*v)),
        Value::Decimal(d) => Some(*d),
        _ => None,
    }
}

/// Everybody who asks: a visitor, two customers, one of the staff, the secret key, a function that runs as service.
pub(crate) fn principals() -> Vec<Principal> {
    let user = |n: u128, roles: &[&str], team: serde_json::Value| {
        Principal::user(User {
            id: Uuid::from_u128(n),
            email: None,
            roles: roles.iter().map(|r| (*r).to_owned()).collect(),
            session_id: None,
            claims: serde_json::json!({ "role": "authenticated", "team": team }),
        })
    };
    let first = user(1, &[], "a".into());
    vec![
        first.clone(),
        Principal::anon(),
        user(2, &[], serde_json::Value::Null),
        user(3, &["staff"], "Ab".into()),
        Principal::service(),
        first.elevated(),
    ]
}
