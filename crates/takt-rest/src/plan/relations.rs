//! How an embed finds its table: over foreign keys, either way, or through a junction
//! (`design/wire.md`, "Relationship search"). A key is never followed to or through a table that is not on the wire.

use serde_json::{Value, json};
use takt_model::{CompareOp, Exposure, Expr, FieldId, ForeignKey, SubQuery, Table, TableId};
use takt_plan::{Child, Join, Link, Node};

use super::{Planner, nearest};
use crate::RestError;

/// A relationship of a table.
#[derive(Clone, Copy)]
pub(super) enum Way<'p> {
    /// Over a key of the origin: to one.
    Forward { origin: &'p Table, key: &'p ForeignKey },
    /// Over a key of the other table: to many, or to one where the key is unique there.
    Backward { from: &'p Table, key: &'p ForeignKey },
    /// Over a table whose primary key contains two keys.
    Through { junction: &'p Table, to_parent: &'p ForeignKey, to_child: &'p ForeignKey },
}

impl Way<'_> {
    pub(super) fn target(&self) -> TableId {
        match self {
            Self::Forward { key, .. } => key.target,
            Self::Backward { from, .. } => from.id,
            Self::Through { to_child, .. } => to_child.target,
        }
    }

    pub(super) fn link(&self) -> Link {
        match self {
            Self::Forward { key, .. } => Link::ToOne { local: key.field, foreign: key.target_field },
            Self::Backward { from, key } if from.is_unique(&[key.field]) => {
                Link::ToOne { local: key.target_field, foreign: key.field }
            }
            Self::Backward { key, .. } => Link::ToMany { local: key.target_field, foreign: key.field },
            Self::Through { junction, to_parent, to_child } => Link::Through {
                junction: junction.id,
                local: to_parent.target_field,
                to_parent: to_parent.field,
                to_child: to_child.field,
                foreign: to_child.target_field,
            },
        }
    }

    fn cardinality(&self) -> &'static str {
        match self {
            Self::Forward { origin: t, key } | Self::Backward { from: t, key }
                if t.is_unique(&[key.field]) =>
            {
                "one-to-one"
            }
            Self::Forward { .. } => "many-to-one",
            Self::Backward { .. } => "one-to-many",
            Self::Through { .. } => "many-to-many",
        }
    }
}

/// The one relationship of `origin` that `target` and `hint` mean.
pub(super) fn find<'p>(
    planner: &Planner<'p>,
    origin: &Table,
    target: &str,
    hint: Option<&str>,
) -> Result<Way<'p>, RestError> {
    let search = Search { planner, origin, target, hint };
    let mut found = search.ways().filter(|w| search.fits(w));
    match (found.next(), found.next()) {
        (Some(way), None) => Ok(way),
        (None, _) => Err(search.none()),
        (Some(first), Some(second)) => {
            Err(search.several([first, second].into_iter().chain(found).collect()))
        }
    }
}

struct Search<'s, 'p> {
    planner: &'s Planner<'p>,
    origin: &'s Table,
    target: &'s str,
    hint: Option<&'s str>,
}

impl<'s, 'p> Search<'s, 'p> {
    /// All relationships of the origin.
    fn ways(&self) -> impl Iterator<Item = Way<'p>> + use<'s, 'p> {
        let project = self.planner.project;
        let id = self.origin.id;
        let origin = project.get(id);
        let is_public = |t: TableId| project.get(t).exposure == Exposure::Public;
        let tables = || project.tables.iter().filter(|t| t.exposure == Exposure::Public);
        let forward = origin
            .foreign_keys
            .iter()
            .filter(move |k| is_public(k.target))
            .map(move |key| Way::Forward { origin, key });
        let backward = tables().flat_map(move |from| {
            from.foreign_keys
                .iter()
                .filter(move |k| k.target == id)
                .map(move |key| Way::Backward { from, key })
        });
        let through = tables().flat_map(move |junction| {
            let keys =
                move || junction.foreign_keys.iter().filter(move |k| junction.primary_key.contains(&k.field));
            keys().filter(move |k| k.target == id).flat_map(move |to_parent| {
                keys()
                    .filter(move |k| k.field != to_parent.field && is_public(k.target))
                    .map(move |to_child| Way::Through { junction, to_parent, to_child })
            })
        });
        forward.chain(backward).chain(through)
    }

    /// Whether target and hint mean this relationship. A table's relation to itself has one key and two
    /// directions: the table's name means its children, the key's column its parent.
    fn fits(&self, way: &Way<'_>) -> bool {
        let is_table = self.table_name(way.target()) == self.target;
        let is_self = way.target() == self.origin.id;
        match (way, self.hint) {
            (Way::Forward { key, .. }, None) => {
                let by_key = key.name == self.target || self.column(self.origin, key.field) == self.target;
                by_key || (is_table && !is_self)
            }
            (Way::Forward { key, .. }, Some(hint)) => {
                let columns = [self.column(self.origin, key.field), self.far_column(key)];
                is_table && !is_self && (key.name == hint || columns.contains(&hint))
            }
            (Way::Backward { key, .. }, None) => is_table || (!is_self && key.name == self.target),
            (Way::Backward { from, key }, Some(hint)) => {
                let by_far = !is_self && self.far_column(key) == hint;
                is_table && (key.name == hint || self.column(from, key.field) == hint || by_far)
            }
            (Way::Through { .. }, None) => is_table,
            (Way::Through { junction, .. }, Some(hint)) => is_table && junction.name == hint,
        }
    }

    fn table_name(&self, id: TableId) -> &'p str {
        &self.planner.project.get(id).name
    }

    fn column<'t>(&self, table: &'t Table, field: FieldId) -> &'t str {
        &table.get(field).name
    }

    /// The column that a key points to.
    fn far_column(&self, key: &ForeignKey) -> &'p str {
        &self.planner.project.get(key.target).get(key.target_field).name
    }

    fn none(&self) -> RestError {
        let (origin, target) = (&self.origin.name, self.target);
        let hinted = self.hint.map(|h| format!(" using the hint '{h}'")).unwrap_or_default();
        let message =
            format!("Could not find a relationship between '{origin}' and '{target}' in the schema cache");
        let details = format!(
            "Searched for a foreign key relationship between '{origin}' and '{target}'{hinted} in the schema \
             'public', but no matches were found."
        );
        let error = RestError::new("PGRST200", message).details(details);
        let known = self.ways().map(|w| self.planner.project.get(w.target()));
        let known = known.filter(|t| self.planner.may_know(t)).map(|t| t.name.as_str());
        match nearest(target, known.filter(|name| *name != target)) {
            Some(meant) => error.hint(format!("Perhaps you meant '{meant}' instead of '{target}'.")),
            None => error,
        }
    }

    fn several(&self, ways: Vec<Way<'p>>) -> RestError {
        let (origin, target) = (&self.origin.name, self.target);
        let choices: Vec<String> = ways.iter().map(|w| format!("'{}'", self.choice(w))).collect();
        let hint = format!(
            "Try changing '{target}' to one of the following: {}. Find the desired relationship in the \
             'details' key.",
            choices.join(", ")
        );
        let message = format!(
            "Could not embed because more than one relationship was found for '{origin}' and '{target}'"
        );
        let details: Vec<Value> = ways.iter().map(|w| self.describe(w)).collect();
        RestError::new("PGRST201", message).details(details).hint(hint)
    }

    fn choice(&self, way: &Way<'_>) -> String {
        let by = match way {
            Way::Forward { key, .. } | Way::Backward { key, .. } => &key.name,
            Way::Through { junction, .. } => &junction.name,
        };
        format!("{}!{by}", self.table_name(way.target()))
    }

    fn describe(&self, way: &Way<'_>) -> Value {
        let target = self.table_name(way.target());
        let relationship = match way {
            Way::Forward { origin, key } => {
                let (near, far) = (self.column(origin, key.field), self.far_column(key));
                format!("{} using {}({near}) and {target}({far})", key.name, origin.name)
            }
            Way::Backward { from, key } => {
                let (near, far) = (self.far_column(key), self.column(from, key.field));
                format!("{} using {}({near}) and {target}({far})", key.name, self.origin.name)
            }
            Way::Through { junction, to_parent, to_child } => format!(
                "{} using {}({}) and {}({})",
                junction.name,
                to_parent.name,
                self.column(junction, to_parent.field),
                to_child.name,
                self.column(junction, to_child.field),
            ),
        };
        json!({
            "cardinality": way.cardinality(),
            "embedding": format!("{} with {target}", self.origin.name),
            "relationship": relationship,
        })
    }
}

/// The rows of `parent` that have a fitting row in `child`, as a condition on the parent's row (scope 0).
/// The guard weaves the policies of both tables into it.
pub(super) fn existence(parent: TableId, child: &Child) -> Expr {
    let column = |scope, table, field| Box::new(Expr::Column { scope, table, field });
    let equal = |l, r| Expr::Compare(CompareOp::Eq, l, r);
    let exists = |table, scope, filter: Expr| {
        Expr::Exists(Box::new(SubQuery { table, scope, filter: Some(filter), output: None }))
    };
    let table = child.node.table;
    match child.link {
        Link::ToOne { local, foreign } | Link::ToMany { local, foreign } => {
            let link = equal(column(1, table, foreign), column(0, parent, local));
            exists(table, 1, link.and(fitting(&child.node).rescoped(1)))
        }
        Link::Through { junction, local, to_parent, to_child, foreign } => {
            let to_row = equal(column(2, table, foreign), column(1, junction, to_child));
            let row = exists(table, 2, to_row.and(fitting(&child.node).rescoped(2)));
            let link = equal(column(1, junction, to_parent), column(0, parent, local));
            exists(junction, 1, link.and(row))
        }
    }
}

/// Which rows of a node count: its filter and its own inner and anti joins.
fn fitting(node: &Node) -> Expr {
    let mut filter = node.filter.clone().unwrap_or_else(Expr::yes);
    for child in &node.children {
        match child.join {
            Join::Left => {}
            Join::Inner => filter = filter.and(existence(node.table, child)),
            Join::Anti => filter = filter.and(Expr::Not(Box::new(existence(node.table, child)))),
        }
    }
    filter
}
