//! Plans by name, for the product's own work on its own tables.

use takt_model::{CompareOp, Expr, FieldId, Project, Table, Value};

use crate::{
    Assignment, Delete, Insert, Missing, Node, NullsOrder, OrderBy, Output, Plan, PlanError, Read, Update,
    Window,
};

/// A table by name; what it builds has the ids of this project.
#[derive(Debug, Clone, Copy)]
pub struct On<'a> {
    /// The table.
    pub table: &'a Table,
}

impl<'a> On<'a> {
    /// The table named `name`.
    ///
    /// # Errors
    /// [`PlanError::Denied`] if the project has no such table.
    pub fn table(project: &'a Project, name: &str) -> Result<Self, PlanError> {
        let table = project.table(name).ok_or_else(|| PlanError::Denied { table: name.to_owned() })?;
        Ok(Self { table })
    }

    /// The field named `name`.
    ///
    /// # Errors
    /// [`PlanError::UnknownField`] if there is none.
    pub fn field(&self, name: &str) -> Result<FieldId, PlanError> {
        self.table
            .field(name)
            .map(|f| f.id)
            .ok_or_else(|| PlanError::UnknownField { table: self.table.name.clone(), field: name.to_owned() })
    }

    /// `name op value` on the row.
    ///
    /// # Errors
    /// As [`On::field`].
    pub fn compare(&self, name: &str, op: CompareOp, value: Value) -> Result<Expr, PlanError> {
        let column = Expr::Column { scope: 0, table: self.table.id, field: self.field(name)? };
        Ok(Expr::Compare(op, Box::new(column), Box::new(Expr::Literal(value))))
    }

    /// `name = value` on the row.
    ///
    /// # Errors
    /// As [`On::field`].
    pub fn eq(&self, name: &str, value: Value) -> Result<Expr, PlanError> {
        self.compare(name, CompareOp::Eq, value)
    }

    /// A node that shows `fields` of the rows that fit.
    ///
    /// # Errors
    /// As [`On::field`].
    pub fn node(&self, fields: &[&str], filter: Option<Expr>) -> Result<Node, PlanError> {
        let outputs = fields
            .iter()
            .map(|name| Ok(Output::Field { name: (*name).to_owned(), field: self.field(name)? }))
            .collect::<Result<_, PlanError>>()?;
        Ok(Node { outputs, filter, ..Node::all(self.table.id) })
    }

    /// Rows that fit, in an order, at most `limit`.
    ///
    /// # Errors
    /// As [`On::field`].
    pub fn read(
        &self,
        fields: &[&str],
        filter: Option<Expr>,
        order: &[(&str, Direction)],
        limit: Option<u64>,
    ) -> Result<Plan, PlanError> {
        let mut node = self.node(fields, filter)?;
        node.window = Window { limit, offset: 0 };
        node.order = order
            .iter()
            .map(|(name, direction)| {
                Ok(OrderBy {
                    field: self.field(name)?,
                    descending: *direction == Direction::Descending,
                    nulls: NullsOrder::Last,
                })
            })
            .collect::<Result<_, PlanError>>()?;
        Ok(Plan::read(node))
    }

    /// How many rows fit.
    #[must_use]
    pub fn count(&self, filter: Option<Expr>) -> Plan {
        let root = Node {
            outputs: Vec::new(),
            filter,
            window: Window { limit: Some(0), offset: 0 },
            ..Node::all(self.table.id)
        };
        Plan::Read(Read { root, count: true })
    }

    /// One new row; what is not given takes its default.
    ///
    /// # Errors
    /// As [`On::field`].
    pub fn insert(&self, values: Vec<(&str, Value)>) -> Result<Plan, PlanError> {
        let mut fields = Vec::with_capacity(values.len());
        let mut row = Vec::with_capacity(values.len());
        for (name, value) in values {
            fields.push(self.field(name)?);
            row.push(Some(value));
        }
        Ok(Plan::Insert(Insert {
            table: self.table.id,
            fields,
            rows: vec![row],
            missing: Missing::Default,
            conflict: None,
            returning: None,
        }))
    }

    /// New values for the rows that fit.
    ///
    /// # Errors
    /// As [`On::field`].
    pub fn update(&self, filter: Expr, values: Vec<(&str, Value)>) -> Result<Plan, PlanError> {
        let set = values
            .into_iter()
            .map(|(name, value)| Ok((self.field(name)?, Assignment::Value(value))))
            .collect::<Result<_, PlanError>>()?;
        Ok(Plan::Update(Update {
            table: self.table.id,
            filter: Some(filter),
            all: false,
            set,
            returning: None,
            max_affected: None,
        }))
    }

    /// Removes the rows that fit.
    #[must_use]
    pub fn delete(&self, filter: Expr) -> Plan {
        Plan::Delete(Delete {
            table: self.table.id,
            filter: Some(filter),
            all: false,
            returning: None,
            max_affected: None,
        })
    }
}

/// Direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}
