//! The reference model of reads: which rows a node shows, in which order, with which embeds; and what refuses a plan
//! before any row is looked at.

use std::{cmp::Ordering, collections::BTreeSet};

use takt_model::{Expr, FieldId, Value, Verb};
use takt_plan::{Child, Join, Link, Node, NullsOrder, OrderBy, Output, Read, Window};

use crate::{
    told::{Cell, Done, Expected, Refusal, Tree},
    truth::{Scene, Weakness, asked_fields, fields_of, order_of, same},
    world::{Kind, Row, STATUS, position},
};

impl Scene<'_> {
    /// What a read gives.
    pub(crate) fn read(&self, read: &Read) -> Expected {
        let mut refusals = BTreeSet::new();
        self.node_refusals(&read.root, &[], &mut refusals);
        if !refusals.is_empty() {
            return Expected::refused(refusals);
        }
        let table = self.world.index(read.root.table);
        let fitting = self.fitting(&read.root, &[], self.data.0[table].iter().collect());
        let count = read.count.then_some(fitting.len() as u64);
        let rows: Vec<Tree> =
            self.page(&read.root, fitting).into_iter().map(|row| self.tree(&read.root, row)).collect();
        let returned = rows.len() as u64;
        Expected::done(Done { rows, returned, affected: 0, inserted: 0, count, after: None })
    }

    /// Every field of its table that a node touches; `joined` by the link to its parent.
    fn touched(&self, node: &Node, joined: &[usize]) -> Vec<usize> {
        let mut fields = joined.to_vec();
        for output in &node.outputs {
            match output {
                Output::All => fields.extend(self.common(self.world.index(node.table))),
                Output::Field { field, .. } => fields.push(position(*field)),
                Output::Child(_) => {}
            }
        }
        fields.extend(node.filter.iter().flat_map(|f| fields_of(f, 0)));
        fields.extend(node.order.iter().map(|o| position(o.field)));
        fields.extend(node.children.iter().map(|c| position(local(&c.link))));
        fields
    }

    /// What `*` stands for.
    fn common(&self, table: usize) -> Vec<usize> {
        let mut fields = self.world.tables[table].all_fields();
        if self.bound() {
            for policy in self.policies(table, Verb::Select) {
                fields.retain(|f| policy.fields.as_ref().is_none_or(|own| own.contains(f)));
            }
        }
        fields
    }

    /// Of `rows`, those that the node shows, before its window.
    fn fitting<'r>(&self, node: &Node, joined: &[usize], rows: Vec<&'r Row>) -> Vec<&'r Row> {
        let touched = self.touched(node, joined);
        let table = self.world.index(node.table);
        let fits = |row: &&Row| {
            let asked = node.filter.as_ref().is_none_or(|f| self.holds(f, row));
            let seen = self.sees(table, &touched, row);
            let own = if self.has(Weakness::OrEscapes) && node.filter.is_some() {
                asked || seen
            } else {
                asked && seen
            };
            own && node.children.iter().all(|child| self.joins(child, row))
        };
        rows.into_iter().filter(fits).collect()
    }

    /// Whether the node shows a row.
    pub(crate) fn shows(&self, node: &Node, row: &Row) -> bool {
        !self.fitting(node, &[], vec![row]).is_empty()
    }

    /// Whether a parent row stays for the sake of a child.
    fn joins(&self, child: &Child, parent: &Row) -> bool {
        let scene = Scene { who: &takt_model::Principal::service(), ..*self };
        let scene = if self.has(Weakness::InnerSeesAll) { &scene } else { self };
        match child.join {
            Join::Left => true,
            Join::Inner => !scene.hanging(child, parent).is_empty(),
            Join::Anti => scene.hanging(child, parent).is_empty(),
        }
    }

    /// The rows of a child that hang on a parent's row, before its window.
    fn hanging(&self, child: &Child, parent: &Row) -> Vec<&Row> {
        let table = self.world.index(child.node.table);
        let at = |value: &takt_model::Value, field: FieldId| -> Vec<&Row> {
            let equal = |row: &&Row| !value.is_null() && same(&row[position(field)], value);
            self.data.0[table].iter().filter(equal).collect()
        };
        match child.link {
            Link::ToOne { local, foreign } | Link::ToMany { local, foreign } => {
                let rows = at(&parent[position(local)], foreign);
                self.fitting(&child.node, &[position(foreign)], rows)
            }
            Link::Through { junction, local, to_parent, to_child, foreign } => {
                let between = self.world.index(junction);
                let (to_parent, to_child) = (position(to_parent), position(to_child));
                let mut rows = Vec::new();
                for link in &self.data.0[between] {
                    let mine = !link[to_parent].is_null() && same(&link[to_parent], &parent[position(local)]);
                    let open = self.has(Weakness::JunctionOpen);
                    if mine && (open || self.sees(between, &[to_parent, to_child], link)) {
                        rows.extend(at(&link[to_child], foreign));
                    }
                }
                self.fitting(&child.node, &[position(foreign)], rows)
            }
        }
    }

    /// The rows of the window, in order.
    pub(crate) fn page<'r>(&self, node: &Node, mut rows: Vec<&'r Row>) -> Vec<&'r Row> {
        let spec = self.world.table(node.table);
        rows.sort_by(|a, b| {
            let asked = node.order.iter().map(|by| compare(by, spec.fields[position(by.field)].kind, a, b));
            let keys = spec.key.iter().map(|at| order_of(&a[*at], &b[*at]));
            asked.chain(keys).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
        });
        cut(rows, node.window)
    }

    /// A row as it is told.
    pub(crate) fn tree(&self, node: &Node, row: &Row) -> Tree {
        let table = self.world.index(node.table);
        let fields = &self.world.tables[table].fields;
        let mut tree = Tree::new();
        for output in &node.outputs {
            match output {
                Output::All => tree.extend(
                    self.common(table)
                        .into_iter()
                        .map(|at| (fields[at].name.clone(), Cell::Value(row[at].clone()))),
                ),
                Output::Field { name, field } => {
                    tree.push((name.clone(), Cell::Value(row[position(*field)].clone())));
                }
                Output::Child(at) => {
                    let child = &node.children[*at];
                    if child.join != Join::Anti {
                        tree.push((child.name.clone(), self.embed(child, row)));
                    }
                }
            }
        }
        tree
    }

    fn embed(&self, child: &Child, parent: &Row) -> Cell {
        let rows = self.hanging(child, parent);
        if let Link::ToOne { .. } = child.link {
            return Cell::One(rows.first().map(|row| self.tree(&child.node, row)));
        }
        Cell::Many(self.page(&child.node, rows).into_iter().map(|row| self.tree(&child.node, row)).collect())
    }

    /// What refuses a node whatever its rows are.
    pub(crate) fn node_refusals(&self, node: &Node, joined: &[usize], refusals: &mut BTreeSet<Refusal>) {
        self.select_refusals(self.world.index(node.table), &self.touched(node, joined), refusals);
        if let Some(filter) = &node.filter {
            self.expr_refusals(filter, refusals);
        }
        for child in &node.children {
            let foreign = match child.link {
                Link::ToOne { foreign, .. } | Link::ToMany { foreign, .. } => foreign,
                Link::Through { junction, to_parent, to_child, foreign, .. } => {
                    let fields = [position(to_parent), position(to_child)];
                    self.select_refusals(self.world.index(junction), &fields, refusals);
                    foreign
                }
            };
            self.node_refusals(&child.node, &[position(foreign)], refusals);
        }
    }

    /// Reading `fields` of a table: somebody without any policy is denied, a field that no policy covers is unknown.
    pub(crate) fn select_refusals(&self, table: usize, fields: &[usize], refusals: &mut BTreeSet<Refusal>) {
        if !self.bound() {
            return;
        }
        let name = || self.world.tables[table].name.to_owned();
        if self.policies(table, Verb::Select).is_empty() {
            refusals.insert(Refusal::Denied(name()));
            return;
        }
        let covering = self.covering(table, Verb::Select, fields);
        if covering.is_empty() {
            refusals.insert(Refusal::UnknownField(name()));
        }
        // Where one policy shows everything, the others are not asked.
        let open = covering.iter().any(|p| p.using.as_ref().is_none_or(|u| *u == Expr::yes()));
        for using in covering.iter().filter_map(|p| p.using.as_ref()).filter(|_| !open) {
            self.expr_refusals(using, refusals);
        }
    }

    /// The sub-queries of an expression are reads.
    pub(crate) fn expr_refusals(&self, expr: &Expr, refusals: &mut BTreeSet<Refusal>) {
        if self.has(Weakness::SubQueriesSeeAll) {
            return;
        }
        expr.walk(&mut |e| {
            if let Expr::Exists(query) | Expr::InQuery(_, query) = e {
                self.select_refusals(self.world.index(query.table), &asked_fields(query), refusals);
            }
        });
    }
}

pub(crate) fn cut<T>(rows: Vec<T>, window: Window) -> Vec<T> {
    let limit = window.limit.map_or(usize::MAX, |n| usize::try_from(n).unwrap());
    rows.into_iter().skip(usize::try_from(window.offset).unwrap()).take(limit).collect()
}

fn local(link: &Link) -> FieldId {
    match link {
        Link::ToOne { local, .. } | Link::ToMany { local, .. } | Link::Through { local, .. } => *local,
    }
}

fn compare(by: &OrderBy, kind: Kind, a: &Row, b: &Row) -> Ordering {
    let (a, b) = (&a[position(by.field)], &b[position(by.field)]);
    let nulls = if by.nulls == NullsOrder::First { Ordering::Less } else { Ordering::Greater };
    let order = match (a.is_null(), b.is_null(), kind) {
        (true, true, _) => return Ordering::Equal,
        (true, false, _) => return nulls,
        (false, true, _) => return nulls.reverse(),
        (false, false, Kind::Enum) => declared(a).cmp(&declared(b)),
        (false, false, _) => order_of(a, b),
    };
    if by.descending { order.reverse() } else { order }
}

/// Where the value of an enum stands among its values.
fn declared(value: &Value) -> Option<usize> {
    STATUS.iter().position(|s| matches!(value, Value::Text(text) if text == s))
}
