//! The reference model of one write as it goes on, row after row: the tables so far, and who may store what.

use std::collections::BTreeSet;

use takt_model::{Expr, OnDelete, Principal, Value, Verb};
use takt_plan::Node;

use crate::{
    reads::cut,
    told::{Done, Expected, Refusal, Tree},
    truth::{Scene, Weakness, order_of, same},
    values::{stored, transition_fits},
    world::{Data, PolicySpec, Row, World},
};

pub(crate) type Refused = BTreeSet<Refusal>;
type Key = Vec<Value>;

pub(crate) fn code(code: &str) -> Refused {
    BTreeSet::from([Refusal::code(code)])
}

/// A write of one table.
pub(crate) struct Command<'s> {
    /// As everything was before.
    scene: Scene<'s>,
    table: usize,
    /// The tables so far.
    pub(crate) data: Data,
    /// The keys of the rows written so far.
    pub(crate) written: Vec<Key>,
    pub(crate) inserted: u64,
    /// Whether a policy that asks the written table would have answered otherwise before the first row of the command
    /// than before its own row. PostgreSQL looks at the former, this product at the latter; both refuse a row that
    /// only vouches for itself.
    either: bool,
}

/// The policies that may let a row through, and which of them held before.
pub(crate) struct Gate<'r> {
    pub(crate) rules: &'r [&'r PolicySpec],
    pub(crate) held: Vec<bool>,
    pub(crate) verb: Verb,
}

impl<'s> Scene<'s> {
    /// The same with other tables.
    pub(crate) fn with<'b>(&self, data: &'b Data) -> Scene<'b>
    where
        's: 'b,
    {
        Scene { data, ..*self }
    }

    /// For each rule, whether its `using` holds for the row before; without policies one that always does.
    pub(crate) fn held(&self, rules: &[&PolicySpec], row: &Row) -> Vec<bool> {
        if !self.bound() {
            return vec![true];
        }
        rules.iter().map(|r| r.using.as_ref().is_none_or(|u| self.policy_holds(u, row))).collect()
    }

    /// Whether one of the rules that held lets the row be as it is now.
    fn passes(&self, gate: &Gate<'_>, row: &Row) -> bool {
        let check = |rule: &PolicySpec| match gate.verb {
            Verb::Update => rule.check.clone().or_else(|| rule.using.clone()),
            _ => rule.check.clone(),
        };
        let checks = |rule| check(rule).is_none_or(|c: Expr| self.policy_holds(&c, row));
        !self.bound()
            || self.has(Weakness::ChecksIgnored)
            || gate.rules.iter().zip(&gate.held).any(|(rule, held)| *held && checks(rule))
    }

    /// The written rows as they are told; `None` if one of them is not the caller's to see.
    pub(crate) fn tell(
        &self,
        table: usize,
        node: &Node,
        written: &[Key],
        as_given: bool,
    ) -> Option<Vec<Tree>> {
        let spec = &self.world.tables[table];
        let find = |key: &Key| self.data.0[table].iter().find(|row| spec.key_of(row) == *key).unwrap();
        let rows: Vec<&Row> = written.iter().map(find).collect();
        let seen = |row: &&Row| self.has(Weakness::HiddenReturned) || self.shows(node, row);
        if !rows.iter().all(seen) {
            return None;
        }
        let page = if as_given { cut(rows, node.window) } else { self.page(node, rows) };
        Some(page.into_iter().map(|row| self.tree(node, row)).collect())
    }
}

impl<'s> Command<'s> {
    pub(crate) fn new(scene: &Scene<'s>, table: usize) -> Self {
        let data = scene.data.clone();
        Self { scene: *scene, table, data, written: Vec::new(), inserted: 0, either: false }
    }

    fn now(&self) -> Scene<'_> {
        self.scene.with(&self.data)
    }

    pub(crate) fn key_of(&self, row: &Row) -> Key {
        self.scene.world.tables[self.table].key_of(row)
    }

    /// Whether the caller may see a row, as the tables are now.
    pub(crate) fn sees(&self, fields: &[usize], row: &Row) -> bool {
        self.now().sees(self.table, fields, row)
    }

    /// The policies whose `using` holds for a row that the command met on its way.
    pub(crate) fn gate<'r>(&mut self, rules: &'r [&'r PolicySpec], verb: Verb, row: &Row) -> Gate<'r> {
        let held = self.now().held(rules, row);
        self.either |= held != self.scene.held(rules, row);
        Gate { rules, held, verb }
    }

    fn passes(&mut self, gate: &Gate<'_>, row: &Row) -> bool {
        let (before, now) = (self.scene.passes(gate, row), self.now().passes(gate, row));
        self.either |= before != now;
        before || now
    }

    /// A row with new values, as they are stored; all that is wrong with them.
    pub(crate) fn merged(
        &self,
        old: &Row,
        values: impl Iterator<Item = (usize, Value)>,
    ) -> Result<Row, Refused> {
        let mut row = old.clone();
        let mut wrong = Refused::new();
        for (at, value) in values {
            let field = &self.scene.world.tables[self.table].fields[at];
            wrong.extend(transition_fits(field, &old[at], &value).err().map(Refusal::code));
            match stored(field, &value) {
                Ok(value) => row[at] = value,
                Err(misfit) => wrong.extend(code(misfit)),
            }
        }
        if wrong.is_empty() { Ok(row) } else { Err(wrong) }
    }

    /// Stores a row, new or in the place of `old`: policies first, then checks, then keys, then references.
    pub(crate) fn put(&mut self, gate: &Gate<'_>, old: Option<&Row>, new: Row) -> Result<(), Refused> {
        if !self.passes(gate, &new) {
            return Err(code("42501"));
        }
        let spec = &self.scene.world.tables[self.table];
        if spec.fields.iter().filter_map(|f| f.check.as_ref()).any(|check| !self.scene.kept(check, &new)) {
            return Err(code("23514"));
        }
        let place = old.map(|old| spec.key_of(old));
        let rows = &mut self.data.0[self.table];
        let others = rows.iter().filter(|row| place.as_ref() != Some(&spec.key_of(row)));
        let mut taken = others.flat_map(|row| spec.unique_keys().into_iter().map(move |key| (key, row)));
        if taken.any(|(key, row)| key.iter().all(|at| !new[*at].is_null() && same(&row[*at], &new[*at]))) {
            return Err(code("23505"));
        }
        let key = spec.key_of(&new);
        match place {
            Some(place) => *rows.iter_mut().find(|row| spec.key_of(row) == place).unwrap() = new,
            None => rows.push(new),
        }
        if dangles(self.scene.world, &self.data) {
            return Err(code("23503"));
        }
        self.written.push(key);
        Ok(())
    }

    /// Takes rows away with what hangs on them, unless a reference that restricts is left; says whether one restricted
    /// at all. If its own row goes too, it depends on the order of the rows, which nobody promises, whether that was
    /// in time.
    pub(crate) fn remove(&mut self, targets: &[Row]) -> (bool, bool) {
        let world = self.scene.world;
        let data = &mut self.data;
        let mut going: Vec<(usize, Key)> =
            targets.iter().map(|row| (self.table, world.tables[self.table].key_of(row))).collect();
        let mut restricted = Vec::new();
        let mut at = 0;
        while let Some((gone, gone_key)) = going.get(at).cloned() {
            at += 1;
            let spec = &world.tables[gone];
            let Some(place) = data.0[gone].iter().position(|r| spec.key_of(r) == gone_key) else { continue };
            let row = data.0[gone].remove(place);
            for (from, field, reference) in world.references().filter(|(_, _, r)| r.table == gone) {
                let value = &row[reference.field];
                let hanging = data.0[from].iter_mut().filter(|r| same(&r[field], value));
                match reference.on_delete {
                    OnDelete::Cascade => going.extend(hanging.map(|r| (from, world.tables[from].key_of(r)))),
                    OnDelete::SetNull => hanging.for_each(|r| r[field] = Value::Null),
                    OnDelete::Restrict => restricted.push((from, field, value.clone())),
                }
            }
        }
        let points = |data: &Data| {
            let there =
                |from: usize, field: usize, value| data.0[from].iter().any(|r| same(&r[field], value));
            restricted.iter().any(|(from, field, value)| there(*from, *field, value))
        };
        (!points(&self.data), points(self.scene.data))
    }

    /// How the command ends, if nothing refuses its returned rows.
    pub(crate) fn finish(self, node: Option<&Node>, as_given: bool) -> Expected {
        let rows = match node.map(|node| self.now().tell(self.table, node, &self.written, as_given)) {
            None => Vec::new(),
            Some(Some(rows)) => rows,
            Some(None) => return self.refuse(code("42501")),
        };
        let mut refusals = Refused::new();
        if self.either {
            refusals.insert(Refusal::code("42501"));
        }
        let done = Done {
            returned: rows.len() as u64,
            rows,
            affected: self.written.len() as u64,
            inserted: self.inserted,
            count: None,
            after: Some(sorted(self.scene.world, self.data)),
        };
        Expected { refusals, done: Some(done) }
    }

    /// The command is refused.
    pub(crate) fn refuse(&self, mut refusals: Refused) -> Expected {
        if self.either {
            refusals.insert(Refusal::code("42501"));
        }
        Expected::refused(refusals)
    }
}

/// The tables with one more row, if keys, checks and references allow it.
pub(crate) fn with_row(world: &World, data: &Data, table: usize, row: Row) -> Option<Data> {
    let who = Principal::service();
    let mut command = Command::new(&Scene { world, data, who: &who, weakness: None }, table);
    let gate = Gate { rules: &[], held: vec![true], verb: Verb::Insert };
    command.put(&gate, None, row).ok().map(|()| command.data)
}

/// Whether a reference points nowhere.
fn dangles(world: &World, data: &Data) -> bool {
    world.references().any(|(table, at, reference)| {
        let there = |value: &Value| data.0[reference.table].iter().any(|r| same(&r[reference.field], value));
        data.0[table].iter().any(|row| !row[at].is_null() && !there(&row[at]))
    })
}

/// The tables with their rows by primary key.
pub(crate) fn sorted(world: &World, mut data: Data) -> Data {
    for (spec, rows) in world.tables.iter().zip(&mut data.0) {
        rows.sort_by(|a, b| {
            let mut orders = spec.key.iter().map(|at| order_of(&a[*at], &b[*at]));
            orders.find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
    }
    data
}
