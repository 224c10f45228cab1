//! The reference model of writes: one policy's using, check and fields, then checks, then keys, row after row.

use std::collections::BTreeSet;

use takt_model::{Expr, FieldId, OnDelete, Value, Verb};
use takt_plan::{Assignment, Conflict, ConflictAction, Delete, Insert, Missing, Node, Update};

use crate::{
    reads::cut,
    told::{Done, Expected, Refusal, Tree},
    truth::{Scene, Weakness, fields_of, order_of, same},
    values::{moved, stored, transition_fits},
    world::{Data, Default, NOW, PolicySpec, Row, position},
};

type Refused = BTreeSet<Refusal>;

fn code(code: &str) -> Refused {
    BTreeSet::from([Refusal::code(code)])
}

/// How a write is told.
struct Told<'n> {
    node: Option<&'n Node>,
    /// In the order of the given rows, or of the node.
    as_given: bool,
}

impl<'a> Scene<'a> {
    fn with<'b>(&self, data: &'b Data) -> Scene<'b>
    where
        'a: 'b,
    {
        Scene { data, ..*self }
    }

    /// The policies that may let a write of `fields` through.
    fn rules(
        &self,
        table: usize,
        verb: Verb,
        fields: &[usize],
        refusals: &mut Refused,
    ) -> Vec<&'a PolicySpec> {
        if !self.bound() {
            return Vec::new();
        }
        let name = self.world.tables[table].name.to_owned();
        if self.policies(table, verb).is_empty() {
            refusals.insert(Refusal::Denied(name));
            return Vec::new();
        }
        let rules = self.covering(table, verb, fields);
        if rules.is_empty() {
            refusals.insert(Refusal::FieldDenied(name));
        }
        for rule in &rules {
            let using = rule.using.iter().filter(|_| verb != Verb::Insert);
            let check = rule.check.iter().filter(|_| verb != Verb::Delete);
            using.chain(check).for_each(|e| self.expr_refusals(e, refusals));
        }
        rules
    }

    /// For each rule, whether its `using` holds for the row before; without policies one that always does.
    fn held(&self, rules: &[&'a PolicySpec], row: &Row) -> Vec<bool> {
        if !self.bound() {
            return vec![true];
        }
        rules.iter().map(|r| r.using.as_ref().is_none_or(|u| self.policy_holds(u, row))).collect()
    }

    /// Whether one of the rules that held lets the row be as it is now.
    fn passes(&self, rules: &[&'a PolicySpec], held: &[bool], verb: Verb, row: &Row) -> bool {
        let check = |rule: &'a PolicySpec| match verb {
            Verb::Update => rule.check.as_ref().or(rule.using.as_ref()),
            _ => rule.check.as_ref(),
        };
        let checks = |rule| check(rule).is_none_or(|c: &Expr| self.policy_holds(c, row));
        !self.bound()
            || self.has(Weakness::ChecksIgnored)
            || rules.iter().zip(held).any(|(rule, held)| *held && checks(rule))
    }

    /// The rows that a write finds: its filter, what the caller may see of what it reads, one rule's using.
    fn targets(
        &self,
        table: usize,
        filter: Option<&Expr>,
        also_read: &[usize],
        rules: &[&'a PolicySpec],
    ) -> Vec<Row> {
        let read = read_fields(filter, also_read);
        let fits = |row: &&Row| {
            let seen =
                read.is_empty() || self.has(Weakness::WriteFilterSeesAll) || self.sees(table, &read, row);
            seen && filter.is_none_or(|f| self.holds(f, row)) && self.held(rules, row).contains(&true)
        };
        self.data.0[table].iter().filter(fits).cloned().collect()
    }

    pub(crate) fn update(&self, update: &Update) -> Expected {
        let table = self.world.index(update.table);
        let fields: Vec<usize> = update.set.iter().map(|(f, _)| position(*f)).collect();
        let moved_fields: Vec<usize> = update
            .set
            .iter()
            .filter(|(_, a)| !matches!(a, Assignment::Value(_)))
            .map(|(f, _)| position(*f))
            .collect();
        let mut refusals = self.filter_refusals(table, update.filter.as_ref(), update.all, &moved_fields);
        let rules = self.rules(table, Verb::Update, &fields, &mut refusals);
        if let Some(node) = &update.returning {
            self.node_refusals(node, &[], &mut refusals);
        }
        if !refusals.is_empty() {
            return Expected::refused(refusals);
        }
        let targets = self.targets(table, update.filter.as_ref(), &moved_fields, &rules);
        let mut data = self.data.clone();
        if update.max_affected.is_some_and(|max| targets.len() as u64 > max) {
            return Expected::code("PGRST124");
        }
        let mut written = Vec::new();
        for old in &targets {
            let moved = |(id, set): &(FieldId, Assignment)| {
                let at = position(*id);
                let value = match set {
                    Assignment::Value(value) => value.clone(),
                    Assignment::Add(by) => moved(&old[at], by, false),
                    Assignment::Subtract(by) => moved(&old[at], by, true),
                };
                (at, value)
            };
            let new = match self.merged(table, old, update.set.iter().map(moved)) {
                Ok(new) => new,
                Err(refused) => return Expected::refused(refused),
            };
            let held = self.held(&rules, old);
            match self
                .put(&mut data, table, Some(old), new, &|row| self.passes(&rules, &held, Verb::Update, row))
            {
                Ok(key) => written.push(key),
                Err(refused) => return Expected::refused(refused),
            }
        }
        let affected = written.len() as u64;
        let told = Told { node: update.returning.as_ref(), as_given: false };
        let expected = self.finish(table, data, &written, told, affected, 0);
        // A value that fits no row at all may be refused although no row is found.
        let wrong = update.set.iter().filter_map(|(id, set)| match set {
            Assignment::Value(v) if !v.is_null() => {
                stored(&self.world.tables[table].fields[position(*id)], v).err()
            }
            _ => None,
        });
        let possible = wrong.map(Refusal::code).collect();
        if affected == 0 { Expected { refusals: possible, ..expected } } else { expected }
    }

    pub(crate) fn delete(&self, delete: &Delete) -> Expected {
        let table = self.world.index(delete.table);
        let mut refusals = self.filter_refusals(table, delete.filter.as_ref(), delete.all, &[]);
        let rules = self.rules(table, Verb::Delete, &[], &mut refusals);
        if let Some(node) = &delete.returning {
            self.node_refusals(node, &[], &mut refusals);
        }
        if !refusals.is_empty() {
            return Expected::refused(refusals);
        }
        let targets = self.targets(table, delete.filter.as_ref(), &[], &rules);
        if delete.max_affected.is_some_and(|max| targets.len() as u64 > max) {
            return Expected::code("PGRST124");
        }
        // What goes is told as it was.
        let told = match &delete.returning {
            Some(node) => match self.tell(table, self.data, node, &self.keys(table, &targets), false) {
                Some(rows) => rows,
                None => return Expected::code("42501"),
            },
            None => Vec::new(),
        };
        let (data, restricted) = self.removed(table, &targets);
        let done = data.map(|data| Done {
            returned: told.len() as u64,
            rows: told,
            affected: targets.len() as u64,
            inserted: 0,
            count: None,
            after: Some(self.sorted(data)),
        });
        let refusals = if restricted { code("23503") } else { Refused::new() };
        Expected { refusals, done }
    }

    pub(crate) fn insert(&self, insert: &Insert) -> Expected {
        let table = self.world.index(insert.table);
        let given: Vec<usize> = insert.fields.iter().map(|f| position(*f)).collect();
        let mut refusals = Refused::new();
        let rules = self.rules(table, Verb::Insert, &given, &mut refusals);
        let mut merge_rules = Vec::new();
        let mut touched = Vec::new();
        if let Some(Conflict { fields, action: ConflictAction::Merge }) = &insert.conflict {
            let key: Vec<usize> = fields.iter().map(|f| position(*f)).collect();
            let changed: Vec<usize> = given.iter().copied().filter(|f| !key.contains(f)).collect();
            merge_rules = self.rules(table, Verb::Update, &changed, &mut refusals);
            touched = given.iter().chain(&key).copied().collect();
            self.select_refusals(table, &touched, &mut refusals);
        }
        if let Some(node) = &insert.returning {
            self.node_refusals(node, &[], &mut refusals);
        }
        if !refusals.is_empty() {
            return Expected::refused(refusals);
        }
        let mut data = self.data.clone();
        let (mut written, mut inserted) = (Vec::new(), 0);
        for row in &insert.rows {
            let new = self.filled(table, insert, row);
            let existing = match self.meets(table, &data, insert.conflict.as_ref(), &new) {
                Ok(existing) => existing,
                Err(wrong) => return Expected::code(wrong),
            };
            let put = match (existing, &insert.conflict) {
                (Some(_), Some(Conflict { action: ConflictAction::Ignore, .. })) => continue,
                (Some(old), _) => {
                    let now = self.with(&data);
                    let held = now.held(&merge_rules, &old);
                    let seen = self.has(Weakness::UpsertSeesAll) || now.sees(table, &touched, &old);
                    let twice = written.contains(&self.world.tables[table].key_of(&old));
                    let values = given.iter().map(|at| (*at, new[*at].clone()));
                    let put = if seen && held.contains(&true) {
                        self.merged(table, &old, values).and_then(|new| {
                            let passes = |row: &Row| self.passes(&merge_rules, &held, Verb::Update, row);
                            self.put(&mut data, table, Some(&old), new, &passes)
                        })
                    } else {
                        Err(code("42501"))
                    };
                    // One command may not touch a row twice; which of two refusals is told first does not matter.
                    if twice {
                        Err(put.err().unwrap_or_default().into_iter().chain(code("21000")).collect())
                    } else {
                        put
                    }
                }
                (None, _) => {
                    inserted += 1;
                    let held = vec![true; rules.len().max(1)];
                    self.merged(table, &new, new.iter().cloned().enumerate()).and_then(|new| {
                        self.put(&mut data, table, None, new, &|row| {
                            self.passes(&rules, &held, Verb::Insert, row)
                        })
                    })
                }
            };
            match put {
                Ok(key) => written.push(key),
                Err(refused) => return Expected::refused(refused),
            }
        }
        let affected = written.len() as u64;
        let told = Told { node: insert.returning.as_ref(), as_given: true };
        self.finish(table, data, &written, told, affected, inserted)
    }

    /// What refuses the filter of a write whatever the rows are.
    fn filter_refusals(
        &self,
        table: usize,
        filter: Option<&Expr>,
        all: bool,
        also_read: &[usize],
    ) -> Refused {
        let mut refusals = Refused::new();
        if filter.is_none() && !all {
            refusals.insert(Refusal::NoFilter);
        }
        let read = read_fields(filter, also_read);
        if !read.is_empty() {
            self.select_refusals(table, &read, &mut refusals);
        }
        if let Some(filter) = filter {
            self.expr_refusals(filter, &mut refusals);
        }
        refusals
    }

    /// A new row with its defaults.
    fn filled(&self, table: usize, insert: &Insert, row: &[Option<Value>]) -> Row {
        let default = |default: &Option<Default>| match default {
            None => Value::Null,
            Some(Default::Constant(value)) => value.clone(),
            Some(Default::AuthUid) => self.uid(),
            Some(Default::Now) => Value::Timestamp(NOW),
        };
        let fields = self.world.tables[table].fields.iter().enumerate();
        fields
            .map(|(at, field)| match insert.fields.iter().position(|f| position(*f) == at) {
                Some(given) => match (&row[given], insert.missing) {
                    (Some(value), _) => value.clone(),
                    (None, Missing::Null) => Value::Null,
                    (None, Missing::Default) => default(&field.default),
                },
                None => default(&field.default),
            })
            .collect()
    }

    /// The row with the same conflict key; a null equals nothing.
    fn meets(
        &self,
        table: usize,
        data: &Data,
        conflict: Option<&Conflict>,
        new: &Row,
    ) -> Result<Option<Row>, &'static str> {
        let Some(conflict) = conflict else { return Ok(None) };
        let mut key = Vec::new();
        for field in &conflict.fields {
            let at = position(*field);
            if new[at].is_null() {
                return Ok(None);
            }
            key.push((at, stored(&self.world.tables[table].fields[at], &new[at])?));
        }
        let equal = |row: &&Row| key.iter().all(|(at, value)| same(&row[*at], value));
        Ok(data.0[table].iter().find(equal).cloned())
    }

    /// A row with new values, as they are stored; all that is wrong with them.
    fn merged(
        &self,
        table: usize,
        old: &Row,
        values: impl Iterator<Item = (usize, Value)>,
    ) -> Result<Row, Refused> {
        let mut row = old.clone();
        let mut wrong = Refused::new();
        for (at, value) in values {
            let field = &self.world.tables[table].fields[at];
            wrong.extend(transition_fits(field, &old[at], &value).err().map(Refusal::code));
            match stored(field, &value) {
                Ok(value) => row[at] = value,
                Err(misfit) => wrong.extend(code(misfit)),
            }
        }
        if wrong.is_empty() { Ok(row) } else { Err(wrong) }
    }

    /// Stores a row, new or in the place of `old`: policies first, then checks, then keys, then references.
    pub(crate) fn put(
        &self,
        data: &mut Data,
        table: usize,
        old: Option<&Row>,
        new: Row,
        passes: &dyn Fn(&Row) -> bool,
    ) -> Result<Vec<Value>, Refused> {
        if !passes(&new) {
            return Err(code("42501"));
        }
        let spec = &self.world.tables[table];
        if spec.fields.iter().filter_map(|f| f.check.as_ref()).any(|check| !self.kept(check, &new)) {
            return Err(code("23514"));
        }
        let place = old.map(|old| spec.key_of(old));
        let others = data.0[table].iter().filter(|row| place.as_ref() != Some(&spec.key_of(row)));
        let mut taken = others.flat_map(|row| spec.unique_keys().into_iter().map(move |key| (key, row)));
        if taken.any(|(key, row)| key.iter().all(|at| !new[*at].is_null() && same(&row[*at], &new[*at]))) {
            return Err(code("23505"));
        }
        let key = spec.key_of(&new);
        match place {
            Some(place) => {
                let row = data.0[table].iter_mut().find(|row| spec.key_of(row) == place).unwrap();
                *row = new;
            }
            None => data.0[table].push(new),
        }
        if self.dangles(data) { Err(code("23503")) } else { Ok(key) }
    }

    /// Whether a reference points nowhere.
    fn dangles(&self, data: &Data) -> bool {
        self.world.references().any(|(table, at, reference)| {
            let there =
                |value: &Value| data.0[reference.table].iter().any(|r| same(&r[reference.field], value));
            data.0[table].iter().any(|row| !row[at].is_null() && !there(&row[at]))
        })
    }

    /// The tables without some rows and without what goes with them, unless a reference that restricts is left; and
    /// whether one restricted at all. If its own row goes too, it depends on the order of the rows, which nobody
    /// promises, whether that was in time.
    fn removed(&self, table: usize, targets: &[Row]) -> (Option<Data>, bool) {
        let mut data = self.data.clone();
        let mut going: Vec<(usize, Vec<Value>)> =
            targets.iter().map(|row| (table, self.world.tables[table].key_of(row))).collect();
        let mut restricted = Vec::new();
        let mut at = 0;
        while let Some((gone, gone_key)) = going.get(at).cloned() {
            at += 1;
            let spec = &self.world.tables[gone];
            let Some(place) = data.0[gone].iter().position(|r| spec.key_of(r) == gone_key) else { continue };
            let row = data.0[gone].remove(place);
            for (from, field, reference) in self.world.references().filter(|(_, _, r)| r.table == gone) {
                let value = &row[reference.field];
                let hanging = data.0[from].iter_mut().filter(|r| same(&r[field], value));
                match reference.on_delete {
                    OnDelete::Cascade => {
                        going.extend(hanging.map(|r| (from, self.world.tables[from].key_of(r))));
                    }
                    OnDelete::SetNull => hanging.for_each(|r| r[field] = Value::Null),
                    OnDelete::Restrict => restricted.push((from, field, value.clone())),
                }
            }
        }
        let points = |data: &Data| {
            restricted
                .iter()
                .any(|(from, field, value)| data.0[*from].iter().any(|r| same(&r[*field], value)))
        };
        let (still, ever) = (points(&data), points(self.data));
        ((!still).then_some(data), ever)
    }

    fn keys(&self, table: usize, rows: &[Row]) -> Vec<Vec<Value>> {
        rows.iter().map(|row| self.world.tables[table].key_of(row)).collect()
    }

    fn finish(
        &self,
        table: usize,
        data: Data,
        written: &[Vec<Value>],
        told: Told<'_>,
        affected: u64,
        inserted: u64,
    ) -> Expected {
        let rows = match told.node {
            None => Vec::new(),
            Some(node) => match self.tell(table, &data, node, written, told.as_given) {
                Some(rows) => rows,
                None => return Expected::code("42501"),
            },
        };
        let returned = rows.len() as u64;
        let after = Some(self.sorted(data));
        Expected::done(Done { rows, returned, affected, inserted, count: None, after })
    }

    /// The written rows as they are told; `None` if one of them is not the caller's to see.
    fn tell(
        &self,
        table: usize,
        data: &Data,
        node: &Node,
        written: &[Vec<Value>],
        as_given: bool,
    ) -> Option<Vec<Tree>> {
        let spec = &self.world.tables[table];
        let find = |key: &Vec<Value>| data.0[table].iter().find(|row| spec.key_of(row) == *key).unwrap();
        let rows: Vec<&Row> = written.iter().map(find).collect();
        let scene = self.with(data);
        let seen = |row: &&Row| self.has(Weakness::HiddenReturned) || scene.shows(node, row);
        if !rows.iter().all(seen) {
            return None;
        }
        let page = if as_given { cut(rows, node.window) } else { scene.page(node, rows) };
        Some(page.into_iter().map(|row| scene.tree(node, row)).collect())
    }

    /// The tables with their rows by primary key.
    pub(crate) fn sorted(&self, mut data: Data) -> Data {
        for (spec, rows) in self.world.tables.iter().zip(&mut data.0) {
            rows.sort_by(|a, b| {
                let mut orders = spec.key.iter().map(|at| order_of(&a[*at], &b[*at]));
                orders.find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
            });
        }
        data
    }
}

fn read_fields(filter: Option<&Expr>, also_read: &[usize]) -> Vec<usize> {
    let mut read = also_read.to_vec();
    read.extend(filter.into_iter().flat_map(|f| fields_of(f, 0)));
    read
}
