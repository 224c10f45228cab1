//! Guarded plans to SQL text and bound values.
//! The text is the shape of the plan (literals are `?N`), so that a prepared statement is found again.

mod compare;
mod expr;
mod node;
mod slot;
#[cfg(test)]
mod tests;

use takt_model::{FieldId, Principal, Project, Table, TableId, Value};

use super::{
    ident::{Ident, push_number},
    types::Bind,
};

pub(super) use expr::constant;
pub(super) use node::{Anchor, NodeSql, count, node};
pub(super) use slot::Slot;

/// Bytes that most statements fit in, and that the allocator has at hand.
const TEXT: usize = 1_024;

/// What expressions refer to besides the row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Env<'a> {
    /// Names of tables and fields.
    pub(crate) project: &'a Project,
    /// `auth.uid()` and friends.
    pub(crate) principal: &'a Principal,
    /// `now()`
    pub(crate) now: i64,
    /// What the parameters of the plan stand for.
    pub(crate) values: &'a [Value],
}

impl<'a> Env<'a> {
    pub(super) fn table(&self, id: TableId) -> &'a Table {
        self.project.get(id)
    }
}

/// What the row of scope 0 is called in the text; deeper scopes are `t1`, `t2` ... (or `j1` ... for junctions).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowName {
    /// `t0`
    Table,
    /// `j0`: the junction of a many-to-many embed.
    Junction,
    /// The table's own name: where SQLite takes no alias (RETURNING).
    Own,
}

/// SQL text and what its parameters get, as they grow. Of the principal the text knows nothing but roles.
#[derive(Debug)]
pub(super) struct Sql<'a> {
    pub(super) text: String,
    pub(super) slots: Vec<Slot<'a>>,
    pub(super) env: Env<'a>,
    pub(super) row: RowName,
    uid: Option<usize>,
    now: Option<usize>,
}

impl<'a> Sql<'a> {
    /// Starts a text whose first `reserved` parameters are bound later.
    pub(super) fn new(env: Env<'a>, reserved: usize) -> Self {
        let mut slots = Vec::with_capacity(reserved + 8);
        slots.resize(reserved, Slot::Value(Bind::Null));
        Self { text: String::with_capacity(TEXT), slots, env, row: RowName::Table, uid: None, now: None }
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn ident(&mut self, name: &str) {
        Ident(name).push_to(&mut self.text);
    }

    /// Binds a value and writes its parameter.
    pub(super) fn bind(&mut self, value: Bind<'a>) {
        self.slot(Slot::Value(value));
    }

    /// Writes the parameter of a slot of its own.
    pub(super) fn slot(&mut self, slot: Slot<'a>) {
        self.slots.push(slot);
        self.parameter(self.slots.len());
    }

    /// Writes `?N`.
    pub(super) fn parameter(&mut self, number: usize) {
        self.text.push('?');
        push_number(&mut self.text, number);
    }

    /// `t0."status"`
    pub(super) fn column(&mut self, scope: u8, table: TableId, field: FieldId) {
        let table = self.env.table(table);
        if self.row == RowName::Own && scope == 0 {
            self.ident(&table.name);
        } else {
            self.scope_alias(scope);
        }
        self.text.push('.');
        self.ident(&table.get(field).name);
    }

    /// The alias of a row: `t3`, or `j3` from a junction. Where the row of scope 0 has its table's own name, which
    /// may well be `t1`, the rows around it are called as no table may be.
    pub(super) fn scope_alias(&mut self, scope: u8) {
        self.text.push_str(match self.row {
            RowName::Own => "takt_",
            RowName::Table => "t",
            RowName::Junction => "j",
        });
        push_number(&mut self.text, usize::from(scope));
    }

    /// `auth.uid()`: bound once per statement.
    fn uid(&mut self) {
        let number = match self.uid {
            Some(number) => number,
            None => {
                self.slots.push(Slot::Uid);
                self.slots.len()
            }
        };
        self.uid = Some(number);
        self.parameter(number);
    }

    /// `now()`: bound once per statement.
    fn now(&mut self) {
        let number = match self.now {
            Some(number) => number,
            None => {
                self.slots.push(Slot::Now);
                self.slots.len()
            }
        };
        self.now = Some(number);
        self.parameter(number);
    }
}
