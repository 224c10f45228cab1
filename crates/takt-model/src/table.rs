//! Tables: fields, keys, relations, checks, policies, and who answers for the data.

use crate::{Expr, FieldType, Source, Value, Words};

/// Position of a table in [`crate::Project::tables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u16);

/// Position of a field in [`Table::fields`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldId(pub u16);

/// Whether the data door shows a table at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposure {
    /// At `/rest/v1`, as its policies allow.
    Public,
    /// A table of the product itself (`auth.users`): only for [`crate::Rights::System`], never on the wire.
    System,
}

/// A table of the project, or of the product itself.
#[derive(Debug, Clone)]
pub struct Table {
    /// Position in the project.
    pub id: TableId,
    /// `orders`; the product's own have a dot: `auth.users`.
    pub name: String,
    /// What people call it.
    pub label: Words,
    /// What it is for.
    pub about: Words,
    /// Who answers for this data.
    pub owner: Option<String>,
    /// In the order of the file.
    pub fields: Vec<Field>,
    /// At least one field.
    pub primary_key: Vec<FieldId>,
    /// Besides the primary key; one made for each `unique = true` field too.
    pub indexes: Vec<Index>,
    /// One for each `references`.
    pub foreign_keys: Vec<ForeignKey>,
    /// In the order of the file.
    pub policies: Vec<Policy>,
    /// Legal basis and retention.
    pub privacy: Option<Privacy>,
    /// On the wire or not.
    pub exposure: Exposure,
    /// Where it is described.
    pub source: Source,
}

/// A field of a table.
#[derive(Debug, Clone)]
pub struct Field {
    /// Position in the table.
    pub id: FieldId,
    /// Name in the database and on the wire.
    pub name: String,
    /// What people call it.
    pub label: Words,
    /// What it is for.
    pub about: Words,
    /// Its type.
    pub kind: FieldType,
    /// Not null. True for primary keys, fields with `required = true`, and fields with a default
    /// unless `required = false` is written.
    pub required: bool,
    /// What is stored when nothing is said.
    pub default: Option<DefaultValue>,
    /// Must hold for the row as it is finally stored.
    pub check: Option<Check>,
    /// Greatest number of characters of a text, or bytes of `bytes`.
    pub max: Option<u32>,
    /// Which value may follow which; for enums.
    pub transitions: Option<Transitions>,
    /// What people call its values, by value; those that are missing stay as they are written.
    pub value_labels: Vec<(String, Words)>,
    /// Kind of personal data (`contact`, `name`, ...), if it is.
    pub personal: Option<String>,
    /// Former name, for renames.
    pub was: Option<String>,
    /// Where it is described.
    pub source: Source,
}

impl Field {
    /// What people call one of its values, if the schema says it.
    #[must_use]
    pub fn value_label(&self, value: &str, language: &str) -> Option<&str> {
        self.value_labels.iter().find(|(of, _)| of == value)?.1.get(language)
    }
}

/// A named condition on a row.
#[derive(Debug, Clone)]
pub struct Check {
    /// PostgreSQL's default name: `orders_total_check`.
    pub name: String,
    /// As written.
    pub text: String,
    /// Scope 0 is the row.
    pub expr: Expr,
}

/// Allowed changes of an enum field: from each value, the values that may follow. Staying is always allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transitions(pub Vec<(String, Vec<String>)>);

impl Transitions {
    /// Whether `from` may become `to`.
    #[must_use]
    pub fn allow(&self, from: &str, to: &str) -> bool {
        from == to || self.0.iter().any(|(f, next)| f == from && next.iter().any(|n| n == to))
    }
}

/// What is stored when nothing is said. Evaluated by us, never by the database, so that stores agree.
#[derive(Debug, Clone, PartialEq)]
pub enum DefaultValue {
    /// A constant.
    Constant(Value),
    /// `uuid_v7()`
    UuidV7,
    /// `uuid_v4()`
    UuidV4,
    /// `now()`
    Now,
    /// `auth.uid()`
    AuthUid,
    /// `next_number('orders', 'B-{year}-{n:05}')`: a counter row in the same transaction, so no gaps.
    NextNumber {
        /// Name of the counter. With `{year}` in the template it starts anew each year.
        counter: String,
        /// How the number is written.
        template: NumberTemplate,
    },
}

/// `B-{year}-{n:05}` taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberTemplate(pub Vec<NumberPart>);

/// A part of a [`NumberTemplate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NumberPart {
    /// Literal text.
    Text(String),
    /// The year (UTC) of the insert, four digits.
    Year,
    /// The counter, padded with zeros to this width.
    Counter {
        /// 0 for no padding.
        width: usize,
    },
}

/// An index besides the primary key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// PostgreSQL's default name: `orders_customer_id_created_at_idx`, `customers_email_key`.
    pub name: String,
    /// In order.
    pub fields: Vec<FieldId>,
    /// Whether two rows may not agree in all of them.
    pub unique: bool,
}

/// What happens to a row whose target is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused (also the default).
    Restrict,
    /// The row is deleted too.
    Cascade,
    /// The field becomes null.
    SetNull,
}

/// A reference to a row of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// PostgreSQL's default name: `orders_customer_id_fkey`.
    pub name: String,
    /// The field of this table.
    pub field: FieldId,
    /// The table it points to.
    pub target: TableId,
    /// The field there: its primary key or a unique one.
    pub target_field: FieldId,
    /// What a deletion there does here.
    pub on_delete: OnDelete,
}

/// What is done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Read.
    Select,
    /// Create.
    Insert,
    /// Change.
    Update,
    /// Remove.
    Delete,
}

impl Verb {
    /// As policies, hooks and stories write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Insert => "insert",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// A row policy.
#[derive(Debug, Clone)]
pub struct Policy {
    /// A sentence: "customers read their own orders".
    pub name: String,
    /// Roles: `anon`, `authenticated`, project roles.
    pub to: Vec<String>,
    /// What it allows.
    pub allow: Vec<Verb>,
    /// Which fields; `None` means all.
    pub fields: Option<Vec<FieldId>>,
    /// Which existing rows (select, update, delete); scope 0 is the row. `None` means all
    /// (written as `using = "true"`, required by the reader for select, update and delete).
    pub using: Option<Expr>,
    /// Which new rows (insert, update); scope 0 is the row as finally stored.
    /// For update a missing `check` means `using`; for insert it means all.
    pub check: Option<Expr>,
    /// `using` as written.
    pub using_text: Option<String>,
    /// `check` as written.
    pub check_text: Option<String>,
    /// Where it is described.
    pub source: Source,
}

/// Legal basis and retention of a table with personal data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Privacy {
    /// `contract`, `consent`, ...
    pub purpose: Option<String>,
    /// `10 years`
    pub keep: Option<String>,
}

impl Table {
    /// The field named `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == name)
    }

    /// The field at `id`.
    ///
    /// # Panics
    /// Never for an id of this table.
    #[must_use]
    pub fn get(&self, id: FieldId) -> &Field {
        &self.fields[usize::from(id.0)]
    }

    /// Whether at most one row can have given values in `fields`: they contain the primary key or a unique index.
    #[must_use]
    pub fn is_unique(&self, fields: &[FieldId]) -> bool {
        let covers = |key: &[FieldId]| !key.is_empty() && key.iter().all(|k| fields.contains(k));
        covers(&self.primary_key) || self.indexes.iter().any(|i| i.unique && covers(&i.fields))
    }
}
