//! Random plans: reads with embeds over every kind of link, and writes of every kind.

use takt_model::{CompareOp, Expr, Principal, Value, Verb};
use takt_plan::{
    Assignment, Child, Conflict, ConflictAction, Delete, Insert, Join, Link, Missing, Node, NullsOrder,
    OrderBy, Output, Plan, Read, Update, Window,
};

use crate::{
    draw_data::value,
    draw_expr::{Drawer, Speech},
    tape::Tape,
    truth::Scene,
    world::{Data, Kind, World, field, key_value},
};

/// Draws plans over a world and its rows.
pub(crate) struct Planner<'a, 't> {
    pub(crate) world: &'a World,
    pub(crate) data: &'a Data,
    pub(crate) who: &'a Principal,
    pub(crate) tape: &'a mut Tape<'t>,
}

/// A way from one table to another.
#[derive(Debug, Clone)]
struct Way {
    to: usize,
    link: Link,
}

impl Planner<'_, '_> {
    pub(crate) fn plan(&mut self) -> Plan {
        let all: Vec<usize> = (0..self.world.tables.len()).collect();
        let verbs = [Verb::Select, Verb::Update, Verb::Delete, Verb::Insert];
        let verb = verbs[self.tape.weighted(&[10, 4, 3, 5])];
        let mut open: Vec<usize> = all.iter().copied().filter(|t| self.is_open(*t, verb)).collect();
        if open.is_empty() || self.tape.chance(1, 8) {
            open = all;
        }
        let table = *self.tape.pick(&open);
        match verb {
            Verb::Update => self.update(table),
            Verb::Delete => self.delete(table),
            Verb::Insert => self.insert(table),
            Verb::Select => {
                let root = self.node(table, 2, Place::Root);
                Plan::Read(Read { root, count: self.tape.chance(1, 3) })
            }
        }
    }

    /// Whether the caller has any policy for a verb, so that most plans are not simply denied.
    fn is_open(&self, table: usize, verb: Verb) -> bool {
        let scene = Scene { world: self.world, data: self.data, who: self.who, weakness: None };
        !scene.bound() || !scene.policies(table, verb).is_empty()
    }

    /// Fields that one of the caller's policies covers, most of the time; else any.
    fn fields(&mut self, table: usize, verb: Verb) -> Vec<usize> {
        let scene = Scene { world: self.world, data: self.data, who: self.who, weakness: None };
        let own = scene.policies(table, verb);
        let all = self.world.tables[table].all_fields();
        if own.is_empty() || self.tape.chance(1, 8) {
            return all;
        }
        self.tape.pick(&own).fields.clone().unwrap_or(all)
    }

    fn node(&mut self, table: usize, depth: usize, place: Place) -> Node {
        let fields = self.fields(table, Verb::Select);
        let mut outputs = Vec::new();
        if self.tape.chance(1, 5) {
            outputs.push(Output::All);
        } else {
            for (number, at) in self.tape.some(&fields, 1, 2).into_iter().enumerate() {
                let own = &self.world.tables[table].fields[at].name;
                let name = if self.tape.chance(1, 6) { format!("as_{number}") } else { own.clone() };
                outputs.push(Output::Field { name, field: field(at) });
            }
        }
        // The rows of a write are chosen by the write, not by the node that tells of them.
        let filter = (place != Place::Returned && self.tape.chance(3, 5)).then(|| self.filter(table));
        let order = self.order(&fields);
        let window = if place != Place::Single && self.tape.chance(1, 4) {
            let limit = self.tape.chance(3, 4).then(|| self.tape.below(4) as u64);
            Window { limit, offset: self.tape.below(3) as u64 }
        } else {
            Window::default()
        };
        let mut node =
            Node { table: self.world.id(table), outputs, filter, order, window, children: Vec::new() };
        let n = if depth == 0 { 0 } else { self.tape.weighted(&[3, 3, 1]) };
        for number in 0..n {
            self.child(&mut node, table, depth, place, number);
        }
        node
    }

    fn child(&mut self, node: &mut Node, table: usize, depth: usize, place: Place, number: usize) {
        let mut ways = ways(self.world, table);
        if !self.tape.chance(1, 8) {
            ways.retain(|way| {
                let between = match way.link {
                    Link::Through { junction, .. } => self.world.index(junction),
                    Link::ToOne { .. } | Link::ToMany { .. } => way.to,
                };
                self.is_open(way.to, Verb::Select) && self.is_open(between, Verb::Select)
            });
        }
        if ways.is_empty() {
            return;
        }
        let Way { to, link } = self.tape.pick(&ways).clone();
        let single = matches!(link, Link::ToOne { .. });
        let child = self.node(to, depth - 1, if single { Place::Single } else { Place::Many });
        // What was written is told whether or not something hangs on it.
        let join = match place {
            Place::Returned => Join::Left,
            _ => *self.tape.pick(&[Join::Left, Join::Inner, Join::Left, Join::Anti]),
        };
        if join != Join::Left && self.tape.chance(1, 3) {
            // `rel()`: only for the sake of the join.
        } else {
            node.outputs.push(Output::Child(number));
        }
        node.children.push(Child { name: format!("rel_{number}"), link, join, node: child });
    }

    fn order(&mut self, fields: &[usize]) -> Vec<OrderBy> {
        let n = self.tape.weighted(&[4, 3, 1]);
        let mut order: Vec<OrderBy> = Vec::new();
        for _ in 0..n {
            let by = OrderBy {
                field: field(*self.tape.pick(fields)),
                descending: self.tape.chance(1, 2),
                nulls: *self.tape.pick(&[NullsOrder::Last, NullsOrder::First]),
            };
            if !order.iter().any(|o| o.field == by.field) {
                order.push(by);
            }
        }
        order
    }

    fn filter(&mut self, table: usize) -> Expr {
        if self.tape.chance(1, 8)
            && let Some(key) = self.by_key(table)
        {
            return key;
        }
        let tables = if self.tape.chance(1, 4) { (0..self.world.tables.len()).collect() } else { Vec::new() };
        let depth = 1 + self.tape.below(4);
        let speech = Speech { tables, auth: true, filter: true };
        Drawer::new(self.world, self.tape, &speech, table).condition(depth)
    }

    /// One row by its key.
    fn by_key(&mut self, table: usize) -> Option<Expr> {
        let rows = &self.data.0[table];
        let row = (!rows.is_empty()).then(|| self.tape.pick(rows))?;
        let equal = |at: &usize| {
            let column = self.world.column(0, table, *at);
            Expr::Compare(CompareOp::Eq, Box::new(column), Box::new(Expr::Literal(row[*at].clone())))
        };
        Some(Expr::And(self.world.tables[table].key.iter().map(equal).collect()))
    }

    /// The filter of a write: often one row by its key, seldom none at all.
    fn write_filter(&mut self, table: usize) -> (Option<Expr>, bool) {
        match self.tape.weighted(&[3, 4, 2]) {
            0 => (self.by_key(table), false),
            2 => (None, self.tape.chance(7, 8)),
            _ => (Some(self.filter(table)), self.tape.chance(1, 4)),
        }
    }

    fn returning(&mut self, table: usize) -> Option<Node> {
        self.tape.chance(1, 2).then(|| self.node(table, 2, Place::Returned))
    }

    fn max_affected(&mut self) -> Option<u64> {
        self.tape.chance(1, 8).then(|| self.tape.below(3) as u64)
    }

    fn update(&mut self, table: usize) -> Plan {
        let fields = self.fields(table, Verb::Update);
        let mut set = Vec::new();
        for _ in 0..1 + self.tape.weighted(&[3, 2]) {
            let at = *self.tape.pick(&fields);
            if set.iter().any(|(f, _)| *f == field(at)) {
                continue;
            }
            let kind = self.world.tables[table].fields[at].kind;
            let new = self.new_value(table, at, Keys::Old);
            let number = matches!(kind, Kind::Integer | Kind::Decimal(..));
            let assignment = match self.tape.weighted(&[4, if number { 2 } else { 0 }, usize::from(number)]) {
                1 => Assignment::Add(new),
                2 => Assignment::Subtract(new),
                _ => Assignment::Value(new),
            };
            set.push((field(at), assignment));
        }
        let (filter, all) = self.write_filter(table);
        let (returning, max_affected) = (self.returning(table), self.max_affected());
        Plan::Update(Update { table: self.world.id(table), filter, all, set, returning, max_affected })
    }

    fn delete(&mut self, table: usize) -> Plan {
        let (filter, all) = self.write_filter(table);
        let (returning, max_affected) = (self.returning(table), self.max_affected());
        Plan::Delete(Delete { table: self.world.id(table), filter, all, returning, max_affected })
    }

    fn insert(&mut self, table: usize) -> Plan {
        let spec = &self.world.tables[table];
        let conflict = self.conflict(table);
        let allowed = self.fields(table, Verb::Insert);
        let needed = |at: &usize| {
            let field = &spec.fields[*at];
            (field.required && field.default.is_none())
                || conflict.as_ref().is_some_and(|c| c.fields.contains(&crate::world::field(*at)))
        };
        let given: Vec<usize> = (0..spec.fields.len())
            .filter(|at| {
                let (needed, allowed) = (needed(at), allowed.contains(at));
                if needed { !self.tape.chance(1, 24) } else { allowed && self.tape.chance(1, 2) }
            })
            .collect();
        let keys = if conflict.is_some() { Keys::Either } else { Keys::New };
        let n = 1 + self.tape.weighted(&[3, 2, 1]);
        let rows = (0..n)
            .map(|_| {
                let one = |at: &usize| (!self.tape.chance(1, 16)).then(|| self.new_value(table, *at, keys));
                given.iter().map(one).collect()
            })
            .collect();
        Plan::Insert(Insert {
            table: self.world.id(table),
            fields: given.into_iter().map(field).collect(),
            rows,
            missing: *self.tape.pick(&[Missing::Default, Missing::Null]),
            conflict,
            returning: self.returning(table),
        })
    }

    fn conflict(&mut self, table: usize) -> Option<Conflict> {
        let action = match self.tape.weighted(&[3, 3, 1]) {
            1 => ConflictAction::Merge,
            2 => ConflictAction::Ignore,
            _ => return None,
        };
        let key = self.tape.pick(&self.world.tables[table].unique_keys()).clone();
        Some(Conflict { fields: key.into_iter().map(field).collect(), action })
    }

    /// A value for a write: mostly one that fits; keys of rows that are there as well as new ones.
    fn new_value(&mut self, table: usize, at: usize, keys: Keys) -> Value {
        let spec = &self.world.tables[table];
        let field = &spec.fields[at];
        if self.tape.chance(1, 40) {
            return match field.kind {
                Kind::Enum => Value::Text("lost".to_owned()),
                Kind::Integer => Value::Integer(3_000_000_000),
                Kind::Decimal(..) => Value::Decimal("12345678.9".parse().unwrap()),
                Kind::Text => Value::Text("too long a text".to_owned()),
                _ => Value::Null,
            };
        }
        if field.reference.is_some() {
            if self.tape.chance(1, 12) {
                return key_value(field.kind, 9, 99);
            }
            return value(self.tape, self.data, field);
        }
        if spec.key.contains(&at) {
            let old = match keys {
                Keys::New => self.tape.chance(1, 6),
                Keys::Either => self.tape.chance(2, 3),
                Keys::Old => true,
            };
            let n = if old { 1 + self.tape.below(6) } else { 7 + self.tape.below(3) };
            return key_value(field.kind, table, n);
        }
        if matches!(field.kind, Kind::Decimal(..)) && self.tape.chance(1, 6) {
            return Value::Decimal(self.tape.pick(&["1.005", "-1.00005", "2"]).parse().unwrap());
        }
        value(self.tape, self.data, field)
    }
}

/// Which keys written rows have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Mostly none that is there.
    New,
    Either,
    Old,
}

/// Where a node stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Returned,
    Single,
    Many,
}

/// Every way over a reference, there and back, and over a table with two of them.
fn ways(world: &World, table: usize) -> Vec<Way> {
    let mut ways = Vec::new();
    for (from, at, reference) in world.references() {
        if from == table {
            let link = Link::ToOne { local: field(at), foreign: field(reference.field) };
            ways.push(Way { to: reference.table, link });
        }
        if reference.table != table {
            continue;
        }
        let (local, foreign) = (field(reference.field), field(at));
        let unique = world.tables[from].unique_keys().contains(&vec![at]);
        let link = if unique { Link::ToOne { local, foreign } } else { Link::ToMany { local, foreign } };
        ways.push(Way { to: from, link });
        for (also, other, far) in world.references().filter(|(also, other, _)| *also == from && *other != at)
        {
            let link = Link::Through {
                junction: world.id(also),
                local,
                to_parent: foreign,
                to_child: field(other),
                foreign: field(far.field),
            };
            ways.push(Way { to: far.table, link });
        }
    }
    ways
}
