//! The reference model of writes: what refuses a plan before any row is looked at, which rows it finds, and what it
//! makes of them. How a single row is judged and stored stands in `command.rs`.

use takt_model::{Expr, FieldId, Value, Verb};
use takt_plan::{Assignment, Conflict, ConflictAction, Delete, Insert, Missing, Update};

use crate::{
    command::{Command, Gate, Refused, code},
    told::{Done, Expected, Refusal},
    truth::{Scene, Weakness, fields_of, same},
    values::{moved, stored},
    world::{Data, Default, NOW, PolicySpec, Row, position},
};

/// What an upsert needs for the rows that are there already.
#[derive(Default)]
struct Merging<'a> {
    rules: Vec<&'a PolicySpec>,
    /// Fields that it touches, and so must be able to see.
    touched: Vec<usize>,
}

impl<'a> Scene<'a> {
    pub(crate) fn update(&self, update: &Update) -> Expected {
        let table = self.world.index(update.table);
        let fields: Vec<usize> = update.set.iter().map(|(f, _)| position(*f)).collect();
        let calculated = update.set.iter().filter(|(_, a)| !matches!(a, Assignment::Value(_)));
        let read = read_fields(update.filter.as_ref(), calculated.map(|(f, _)| position(*f)));
        let mut refusals = self.filter_refusals(table, update.filter.as_ref(), update.all, &read);
        let rules = self.rules(table, Verb::Update, &fields, &mut refusals);
        if let Some(node) = &update.returning {
            self.node_refusals(node, &[], &mut refusals);
        }
        if !refusals.is_empty() {
            return Expected::refused(refusals);
        }
        let targets = self.targets(table, update.filter.as_ref(), &read, &rules);
        if update.max_affected.is_some_and(|max| targets.len() as u64 > max) {
            return Expected::code("PGRST124");
        }
        let mut command = Command::new(self, table);
        for old in &targets {
            let gate = Gate { rules: &rules, held: self.held(&rules, old), verb: Verb::Update };
            let new = command.merged(old, update.set.iter().map(|set| assigned(set, old)));
            if let Err(refused) = new.and_then(|new| command.put(&gate, Some(old), new)) {
                return command.refuse(refused);
            }
        }
        let mut expected = command.finish(update.returning.as_ref(), false);
        if targets.is_empty() {
            // A value that fits no row at all may be refused although no row is found.
            expected.refusals.extend(update.set.iter().filter_map(|(id, set)| match set {
                Assignment::Value(v) if !v.is_null() => {
                    stored(&self.world.tables[table].fields[position(*id)], v).err().map(Refusal::code)
                }
                _ => None,
            }));
        }
        expected
    }

    pub(crate) fn delete(&self, delete: &Delete) -> Expected {
        let table = self.world.index(delete.table);
        let read = read_fields(delete.filter.as_ref(), std::iter::empty());
        let mut refusals = self.filter_refusals(table, delete.filter.as_ref(), delete.all, &read);
        let rules = self.rules(table, Verb::Delete, &[], &mut refusals);
        if let Some(node) = &delete.returning {
            self.node_refusals(node, &[], &mut refusals);
        }
        if !refusals.is_empty() {
            return Expected::refused(refusals);
        }
        let targets = self.targets(table, delete.filter.as_ref(), &read, &rules);
        if delete.max_affected.is_some_and(|max| targets.len() as u64 > max) {
            return Expected::code("PGRST124");
        }
        let mut command = Command::new(self, table);
        // What goes is told as it was.
        let keys: Vec<Vec<Value>> = targets.iter().map(|row| command.key_of(row)).collect();
        let rows = match delete.returning.as_ref().map(|node| self.tell(table, node, &keys, false)) {
            None => Vec::new(),
            Some(Some(rows)) => rows,
            Some(None) => return Expected::code("42501"),
        };
        let (gone, restricted) = command.remove(&targets);
        let refusals = if restricted { code("23503") } else { Refused::new() };
        let after = command.finish(None, false).done.and_then(|done| done.after);
        let (returned, affected) = (rows.len() as u64, targets.len() as u64);
        let done = Done { rows, returned, affected, inserted: 0, count: None, after };
        Expected { refusals, done: gone.then_some(done) }
    }

    pub(crate) fn insert(&self, insert: &Insert) -> Expected {
        let table = self.world.index(insert.table);
        let given: Vec<usize> = insert.fields.iter().map(|f| position(*f)).collect();
        let mut refusals = Refused::new();
        let rules = self.rules(table, Verb::Insert, &given, &mut refusals);
        let merging = self.merging(table, insert, &given, &mut refusals);
        if let Some(node) = &insert.returning {
            self.node_refusals(node, &[], &mut refusals);
        }
        if !refusals.is_empty() {
            return Expected::refused(refusals);
        }
        let mut command = Command::new(self, table);
        for row in &insert.rows {
            let new = self.filled(table, insert, row);
            let existing = self.meets(table, &command.data, insert.conflict.as_ref(), &new);
            let put = match (existing, insert.conflict.as_ref().map(|c| c.action)) {
                (Err(wrong), _) => Err(code(wrong)),
                (Ok(Some(_)), Some(ConflictAction::Ignore)) => Ok(()),
                (Ok(Some(old)), _) => self.merge(&mut command, &merging, &given, &old, &new),
                (Ok(None), _) => {
                    command.inserted += 1;
                    let gate = Gate { rules: &rules, held: vec![true; rules.len()], verb: Verb::Insert };
                    let row = command.merged(&new, new.iter().cloned().enumerate());
                    row.and_then(|row| command.put(&gate, None, row))
                }
            };
            if let Err(refused) = put {
                return command.refuse(refused);
            }
        }
        command.finish(insert.returning.as_ref(), true)
    }

    fn merging(&self, table: usize, insert: &Insert, given: &[usize], refusals: &mut Refused) -> Merging<'a> {
        let Some(Conflict { fields, action: ConflictAction::Merge }) = &insert.conflict else {
            return Merging::default();
        };
        let key: Vec<usize> = fields.iter().map(|f| position(*f)).collect();
        let changed: Vec<usize> = given.iter().copied().filter(|f| !key.contains(f)).collect();
        let touched: Vec<usize> = given.iter().chain(&key).copied().collect();
        self.select_refusals(table, &touched, refusals);
        Merging { rules: self.rules(table, Verb::Update, &changed, refusals), touched }
    }

    /// Gives a row that is there the values of a new one.
    fn merge(
        &self,
        command: &mut Command<'_>,
        merging: &Merging<'_>,
        given: &[usize],
        old: &Row,
        new: &Row,
    ) -> Result<(), Refused> {
        let twice = command.written.contains(&command.key_of(old));
        let gate = command.gate(&merging.rules, Verb::Update, old);
        let seen = self.has(Weakness::UpsertSeesAll) || command.sees(&merging.touched, old);
        let put = if seen && gate.held.contains(&true) {
            let row = command.merged(old, given.iter().map(|at| (*at, new[*at].clone())));
            row.and_then(|row| command.put(&gate, Some(old), row))
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

    /// The rows that a write finds: its filter, what the caller may see of what it reads, one rule's using.
    fn targets(
        &self,
        table: usize,
        filter: Option<&Expr>,
        read: &[usize],
        rules: &[&PolicySpec],
    ) -> Vec<Row> {
        let fits = |row: &&Row| {
            let seen =
                read.is_empty() || self.has(Weakness::WriteFilterSeesAll) || self.sees(table, read, row);
            seen && filter.is_none_or(|f| self.holds(f, row)) && self.held(rules, row).contains(&true)
        };
        self.data.0[table].iter().filter(fits).cloned().collect()
    }

    /// What refuses the filter of a write whatever the rows are.
    fn filter_refusals(&self, table: usize, filter: Option<&Expr>, all: bool, read: &[usize]) -> Refused {
        let mut refusals = Refused::new();
        if filter.is_none() && !all {
            refusals.insert(Refusal::NoFilter);
        }
        // A write that reads nothing needs no right to read.
        if !read.is_empty() {
            self.select_refusals(table, read, &mut refusals);
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
}

/// What a field of a row becomes.
fn assigned((id, set): &(FieldId, Assignment), old: &Row) -> (usize, Value) {
    let at = position(*id);
    let value = match set {
        Assignment::Value(value) => value.clone(),
        Assignment::Add(by) => moved(&old[at], by, false),
        Assignment::Subtract(by) => moved(&old[at], by, true),
    };
    (at, value)
}

/// The fields that the filter of a write reads, and others that it calculates with.
fn read_fields(filter: Option<&Expr>, also: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut read: Vec<usize> = also.collect();
    read.extend(filter.into_iter().flat_map(|f| fields_of(f, 0)));
    read
}
