//! The tables of accounts as rows: a small typed layer over plans. Each sub-module has the rows of one table and
//! is the only place that names its fields. All of it runs as the system, inside somebody's transaction.

pub(crate) mod console_sessions;
pub(crate) mod ended_sessions;
pub(crate) mod refresh_tokens;
pub(crate) mod secrets;
pub(crate) mod sessions;
pub(crate) mod users;

use std::{rc::Rc, sync::Arc};

use takt_engine::{EngineTx, Outcome};
use takt_model::{CompareOp, Expr, FieldId, Principal, Table, Uuid, Value};
use takt_plan::{
    Assignment, Delete, Insert, Missing, Node, NullsOrder, OrderBy, Plan, Read, Rows, Update, Window,
};

use crate::AuthError;

/// A transaction in which the system works on accounts.
pub(crate) struct Db<'t> {
    tx: &'t EngineTx,
    who: Principal,
}

impl<'t> Db<'t> {
    /// `why` stands in logs and stories: "auth: refresh session".
    pub(crate) fn new(tx: &'t EngineTx, why: &'static str) -> Self {
        Self { tx, who: Principal::system(why) }
    }

    /// Microseconds since 1970 UTC: the moment of the transaction.
    pub(crate) fn now(&self) -> i64 {
        self.tx.now()
    }

    /// A new id of this transaction.
    pub(crate) fn new_id(&self) -> Uuid {
        self.tx.new_uuid()
    }

    fn table(&self, name: &'static str) -> Result<TableRows<'_>, AuthError> {
        let table = self
            .tx
            .project()
            .table(name)
            .ok_or_else(|| AuthError::Internal(format!("the project has no table {name}")))?;
        Ok(TableRows { db: self, table })
    }

    fn run(&self, plan: Plan) -> Result<(Rows, Outcome), AuthError> {
        Ok(self.tx.rows(&self.who, plan)?)
    }
}

/// What a field must be.
#[derive(Clone)]
enum Test {
    Is(Value),
    Below(Value),
    Above(Value),
    Like(&'static str),
    Null,
    NotNull,
}

/// Which rows: all of these hold.
#[derive(Clone, Default)]
struct Filter(Vec<(&'static str, Test)>);

impl Filter {
    fn is(field: &'static str, value: Value) -> Self {
        Self::default().and(field, Test::Is(value))
    }

    fn and(mut self, field: &'static str, test: Test) -> Self {
        self.0.push((field, test));
        self
    }
}

/// One table of accounts.
struct TableRows<'a> {
    db: &'a Db<'a>,
    table: &'a Table,
}

impl TableRows<'_> {
    fn find(&self, filter: Filter) -> Result<Option<Record>, AuthError> {
        Ok(self.list(filter, Window { limit: Some(1), offset: 0 })?.pop())
    }

    /// In the order of the primary key.
    fn list(&self, filter: Filter, window: Window) -> Result<Vec<Record>, AuthError> {
        self.read(filter, window, Vec::new())
    }

    /// Newest first, for tables whose key is a v7 UUID named `id`.
    fn list_newest(&self, filter: Filter, window: Window) -> Result<Vec<Record>, AuthError> {
        let order = OrderBy { field: self.field("id")?, descending: true, nulls: NullsOrder::Last };
        self.read(filter, window, vec![order])
    }

    fn read(&self, filter: Filter, window: Window, order: Vec<OrderBy>) -> Result<Vec<Record>, AuthError> {
        let node = Node { window, order, filter: self.condition(filter)?, ..Node::all(self.table.id) };
        let (rows, _) = self.db.run(Plan::read(node))?;
        let columns = Rc::new(rows.columns);
        let record = |values| Record { table: self.table.name.clone(), columns: Rc::clone(&columns), values };
        Ok(rows.rows.into_iter().map(record).collect())
    }

    fn count(&self, filter: Filter) -> Result<u64, AuthError> {
        let window = Window { limit: Some(0), offset: 0 };
        let root = Node { window, filter: self.condition(filter)?, ..Node::all(self.table.id) };
        let (_, outcome) = self.db.run(Plan::Read(Read { root, count: true }))?;
        outcome.count.ok_or_else(|| AuthError::Internal("a count was not counted".to_owned()))
    }

    fn insert(&self, values: Vec<(&'static str, Value)>) -> Result<(), AuthError> {
        let mut fields = Vec::with_capacity(values.len());
        let mut row = Vec::with_capacity(values.len());
        for (name, value) in values {
            fields.push(self.field(name)?);
            row.push(Some(value));
        }
        let insert = Insert {
            table: self.table.id,
            fields,
            rows: vec![row],
            missing: Missing::Default,
            conflict: None,
            returning: None,
        };
        self.db.run(Plan::Insert(insert)).map(drop)
    }

    fn update(&self, filter: Filter, values: Vec<(&'static str, Value)>) -> Result<u64, AuthError> {
        let set = values
            .into_iter()
            .map(|(name, value)| Ok((self.field(name)?, Assignment::Value(value))))
            .collect::<Result<Vec<_>, AuthError>>()?;
        let update = Update {
            table: self.table.id,
            filter: self.condition(filter)?,
            all: false,
            set,
            returning: None,
            max_affected: None,
        };
        Ok(self.db.run(Plan::Update(update))?.1.affected)
    }

    fn delete(&self, filter: Filter) -> Result<u64, AuthError> {
        let delete = Delete {
            table: self.table.id,
            filter: self.condition(filter)?,
            all: false,
            returning: None,
            max_affected: None,
        };
        Ok(self.db.run(Plan::Delete(delete))?.1.affected)
    }

    fn condition(&self, filter: Filter) -> Result<Option<Expr>, AuthError> {
        let mut all = Vec::with_capacity(filter.0.len());
        for (name, test) in filter.0 {
            let field = self.field(name)?;
            let column = || Box::new(Expr::Column { scope: 0, table: self.table.id, field });
            let compare = |op, value| Expr::Compare(op, column(), Box::new(Expr::Literal(value)));
            all.push(match test {
                Test::Is(value) => compare(CompareOp::Eq, value),
                Test::Below(value) => compare(CompareOp::Lt, value),
                Test::Above(value) => compare(CompareOp::Gt, value),
                Test::Like(pattern) => Expr::Like {
                    expr: column(),
                    pattern: Box::new(Expr::Literal(Value::Text(pattern.to_owned()))),
                    fold_case: false,
                },
                Test::Null => Expr::IsNull(column()),
                Test::NotNull => Expr::Not(Box::new(Expr::IsNull(column()))),
            });
        }
        Ok((!all.is_empty()).then_some(Expr::And(all)))
    }

    fn field(&self, name: &str) -> Result<FieldId, AuthError> {
        let missing = || AuthError::Internal(format!("{} has no field {name}", self.table.name));
        self.table.field(name).map(|f| f.id).ok_or_else(missing)
    }
}

/// A row that was read.
struct Record {
    table: String,
    columns: Rc<Vec<Arc<str>>>,
    values: Vec<Value>,
}

impl Record {
    fn uuid(&self, name: &str) -> Result<Uuid, AuthError> {
        match self.value(name) {
            Some(Value::Uuid(v)) => Ok(*v),
            _ => Err(self.unexpected(name)),
        }
    }

    fn text(&self, name: &str) -> Result<String, AuthError> {
        self.text_or_null(name)?.ok_or_else(|| self.unexpected(name))
    }

    fn text_or_null(&self, name: &str) -> Result<Option<String>, AuthError> {
        match self.value(name) {
            Some(Value::Text(v)) => Ok(Some(v.clone())),
            Some(Value::Null) => Ok(None),
            _ => Err(self.unexpected(name)),
        }
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, AuthError> {
        match self.value(name) {
            Some(Value::Bytes(v)) => Ok(v.clone()),
            _ => Err(self.unexpected(name)),
        }
    }

    fn integer(&self, name: &str) -> Result<i64, AuthError> {
        match self.value(name) {
            Some(Value::Integer(v)) => Ok(*v),
            _ => Err(self.unexpected(name)),
        }
    }

    fn moment(&self, name: &str) -> Result<i64, AuthError> {
        self.moment_or_null(name)?.ok_or_else(|| self.unexpected(name))
    }

    fn moment_or_null(&self, name: &str) -> Result<Option<i64>, AuthError> {
        match self.value(name) {
            Some(Value::Timestamp(v)) => Ok(Some(*v)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.unexpected(name)),
        }
    }

    fn uuid_or_null(&self, name: &str) -> Result<Option<Uuid>, AuthError> {
        match self.value(name) {
            Some(Value::Uuid(v)) => Ok(Some(*v)),
            Some(Value::Null) => Ok(None),
            _ => Err(self.unexpected(name)),
        }
    }

    fn json(&self, name: &str) -> Result<serde_json::Value, AuthError> {
        match self.value(name) {
            Some(Value::Json(v)) => serde_json::from_str(v).map_err(|_| self.unexpected(name)),
            _ => Err(self.unexpected(name)),
        }
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.get(self.columns.iter().position(|c| **c == *name)?)
    }

    /// Names the field, never its value.
    fn unexpected(&self, name: &str) -> AuthError {
        AuthError::Internal(format!("{}.{name} is not what it should be", self.table))
    }
}

fn moment_or_null(moment: Option<i64>) -> Value {
    moment.map_or(Value::Null, Value::Timestamp)
}
