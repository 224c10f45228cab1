//! Writes: rows of a body get their fields and types.

use serde_json::Value as Json;
use takt_model::{DefaultValue, Expr, Field, FieldId, Principal, Table, Value};
use takt_plan::{
    Assignment, Conflict, ConflictAction, Delete, Insert, Join, Missing, Node, Output, Plan, Update, Window,
};

use super::{Planner, field, filters};
use crate::{
    Request, RestError,
    prefer::{MissingWord, Resolution},
};

impl Planner<'_> {
    pub(super) fn insert(&self, table: &Table, request: &Request) -> Result<Plan, RestError> {
        let payload = &request.payload;
        let fields = body_fields(table, &payload.keys)?;
        let mut rows = Vec::with_capacity(payload.rows.len());
        for row in &payload.rows {
            let values = payload.keys.iter().zip(&fields);
            let values = values.map(|(key, field)| row.get(key).map(|v| value(field, v)).transpose());
            rows.push(values.collect::<Result<Vec<_>, _>>()?);
        }
        // `select` is checked even where nothing is told.
        let node = self.shown_node(table, &request.tree)?;
        let returning =
            if request.wants_location() { Some(key_node(table)) } else { returning(request, node)? };
        Ok(Plan::Insert(Insert {
            table: table.id,
            fields: fields.iter().map(|f| f.id).collect(),
            rows,
            missing: match request.prefer.missing {
                Some(MissingWord::Default) => Missing::Default,
                Some(MissingWord::Null) | None => Missing::Null,
            },
            conflict: conflict(table, request)?,
            returning,
        }))
    }

    pub(super) fn update(&self, table: &Table, request: &Request) -> Result<Plan, RestError> {
        let payload = &request.payload;
        let fields = body_fields(table, &payload.keys)?;
        let mut set = Vec::with_capacity(fields.len());
        match payload.rows.as_slice() {
            [] => {}
            [row] => {
                for (key, field) in payload.keys.iter().zip(&fields) {
                    let new = match row.get(key) {
                        Some(json) => value(field, json)?,
                        None => absent(field, request.prefer.missing)?,
                    };
                    set.push((field.id, Assignment::Value(new)));
                }
            }
            _ => return Err(RestError::not_built("PATCH with several objects")),
        }
        let node = self.shown_node(table, &request.tree)?;
        let filter = write_filter(self.who, table, request, &node)?;
        // Nothing to set changes nothing, whatever the filter finds.
        let filter = if set.is_empty() { Some(Expr::no()) } else { filter };
        Ok(Plan::Update(Update {
            table: table.id,
            filter,
            all: false,
            set,
            returning: returning(request, node)?,
            max_affected: request.prefer.max_affected(),
        }))
    }

    pub(super) fn delete(&self, table: &Table, request: &Request) -> Result<Plan, RestError> {
        let node = self.shown_node(table, &request.tree)?;
        Ok(Plan::Delete(Delete {
            table: table.id,
            filter: write_filter(self.who, table, request, &node)?,
            all: false,
            returning: returning(request, node)?,
            max_affected: request.prefer.max_affected(),
        }))
    }
}

/// The filters of the root choose the rows; without any the guard refuses. `node` has the embeds they may name.
fn write_filter(
    who: &Principal,
    table: &Table,
    request: &Request,
    node: &Node,
) -> Result<Option<Expr>, RestError> {
    let tree = &request.tree;
    let mut filter: Option<Expr> = None;
    for logic in &tree.filters {
        let asked = filters::expression(who, table, tree, &node.children, logic)?;
        filter = Some(match filter {
            Some(filter) => filter.and(asked),
            None => asked,
        });
    }
    Ok(filter)
}

/// What is told of the written rows.
fn returning(request: &Request, node: Node) -> Result<Option<Node>, RestError> {
    if !request.wants_rows() {
        return Ok(None);
    }
    // The store refuses a write whose returned row is hidden by a filter; an inner join must not do that.
    if node.children.iter().any(|c| c.join != Join::Left) {
        return Err(RestError::not_built("!inner on the returned rows of a write"));
    }
    Ok(Some(node))
}

/// The primary key, for `Location`.
fn key_node(table: &Table) -> Node {
    let output = |id: &FieldId| Output::Field { name: table.get(*id).name.clone(), field: *id };
    Node {
        table: table.id,
        outputs: table.primary_key.iter().map(output).collect(),
        filter: None,
        order: Vec::new(),
        window: Window::default(),
        children: Vec::new(),
    }
}

fn body_fields<'t>(table: &'t Table, keys: &[String]) -> Result<Vec<&'t Field>, RestError> {
    keys.iter()
        .map(|key| table.field(key).ok_or_else(|| RestError::unknown_body_field(&table.name, key)))
        .collect()
}

fn value(field: &Field, json: &Json) -> Result<Value, RestError> {
    match json {
        Json::Null => Ok(Value::Null),
        json => Ok(field.kind.parse_json(json)?),
    }
}

/// A column of `columns=` that the object of a PATCH does not mention.
fn absent(field: &Field, missing: Option<MissingWord>) -> Result<Value, RestError> {
    match (missing, &field.default) {
        (None | Some(MissingWord::Null), _) | (_, None) => Ok(Value::Null),
        (_, Some(DefaultValue::Constant(value))) => Ok(value.clone()),
        (_, Some(_)) => {
            let name = &field.name;
            Err(RestError::not_built(format_args!(
                "missing=default in PATCH for the computed default of '{name}'"
            )))
        }
    }
}

fn conflict(table: &Table, request: &Request) -> Result<Option<Conflict>, RestError> {
    let Some(resolution) = request.resolution() else { return Ok(None) };
    let mut fields = match &request.on_conflict {
        Some(names) => {
            names.iter().map(|n| Ok(field(table, n)?.id)).collect::<Result<Vec<_>, RestError>>()?
        }
        None => table.primary_key.clone(),
    };
    let is = |key: &[FieldId]| key.len() == fields.len() && key.iter().all(|k| fields.contains(k));
    let key = std::iter::once(&table.primary_key)
        .chain(table.indexes.iter().filter(|i| i.unique).map(|i| &i.fields))
        .find(|key| is(key));
    match key {
        Some(key) => fields.clone_from(key),
        None => {
            let message = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
            return Err(RestError::new("42P10", message));
        }
    }
    let action = match resolution {
        Resolution::Merge => ConflictAction::Merge,
        Resolution::Ignore => ConflictAction::Ignore,
    };
    Ok(Some(Conflict { fields, action }))
}
