//! What an expression is worth on a row: three-valued logic, exact numbers, sub-queries that see other tables through
//! those tables' own select policies. Half of the reference model; knows neither guard nor store.

use std::cmp::Ordering;

use takt_model::{
    ArithmeticOp, CompareOp, Decimal, Expr, Principal, Rights, ScalarFunction, SubQuery, Value, Verb,
};

use crate::world::{Data, NOW, PolicySpec, Row, World, exact, position};

/// A way in which the reference model can be made wrong on purpose, to show that the test would notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weakness {
    /// A policy covers fields it does not name.
    FieldsIgnored,
    /// Unknown counts as true in a policy.
    UnknownHolds,
    /// Only the first covering policy counts.
    FirstPolicyOnly,
    /// A request's `or` escapes the policy.
    OrEscapes,
    /// Sub-queries see all rows of other tables.
    SubQueriesSeeAll,
    /// Junction rows are not looked at.
    JunctionOpen,
    /// `check` of policies is not looked at.
    ChecksIgnored,
    /// The filter of a write sees every row.
    WriteFilterSeesAll,
    /// Hidden rows are told by the write that wrote them.
    HiddenReturned,
    /// The existing row of an upsert need not be visible.
    UpsertSeesAll,
    /// `!inner` looks at rows that the caller cannot see.
    InnerSeesAll,
}

/// A moment of the world, seen by somebody.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) world: &'a World,
    pub(crate) data: &'a Data,
    pub(crate) who: &'a Principal,
    pub(crate) weakness: Option<Weakness>,
}

/// The rows an expression speaks of, outermost first.
type Rows<'r> = Vec<&'r Row>;

impl<'a> Scene<'a> {
    pub(crate) fn has(&self, weakness: Weakness) -> bool {
        self.weakness == Some(weakness)
    }

    pub(crate) fn bound(&self) -> bool {
        matches!(self.who.rights, Rights::Anon | Rights::Authenticated)
    }

    fn has_role(&self, role: &str) -> bool {
        match self.who.rights {
            Rights::Anon => role == "anon",
            Rights::Authenticated => {
                let roles = self.who.user.iter().flat_map(|u| &u.roles);
                role == "authenticated" || roles.into_iter().any(|r| r == role)
            }
            Rights::Service | Rights::System { .. } => role == "service_role",
        }
    }

    pub(crate) fn uid(&self) -> Value {
        self.who.user.as_ref().map_or(Value::Null, |u| Value::Uuid(u.id))
    }

    /// The caller's policies for a verb.
    pub(crate) fn policies(&self, table: usize, verb: Verb) -> Vec<&'a PolicySpec> {
        let mine = |p: &&PolicySpec| p.allow.contains(&verb) && p.to.iter().any(|r| self.has_role(r));
        self.world.tables[table].policies.iter().filter(mine).collect()
    }

    /// Of these, the ones that cover all of `fields`.
    pub(crate) fn covering(&self, table: usize, verb: Verb, fields: &[usize]) -> Vec<&'a PolicySpec> {
        let mut list = self.policies(table, verb);
        let covers =
            |p: &PolicySpec| p.fields.as_ref().is_none_or(|own| fields.iter().all(|f| own.contains(f)));
        list.retain(|p| self.has(Weakness::FieldsIgnored) || covers(p));
        if self.has(Weakness::FirstPolicyOnly) {
            list.truncate(1);
        }
        list
    }

    /// Whether the caller may see a row when touching `fields`.
    pub(crate) fn sees(&self, table: usize, fields: &[usize], row: &Row) -> bool {
        let holds = |p: &PolicySpec| p.using.as_ref().is_none_or(|u| self.policy_holds(u, row));
        !self.bound() || self.covering(table, Verb::Select, fields).into_iter().any(holds)
    }

    /// Whether a policy's predicate lets a row through: only true does.
    pub(crate) fn policy_holds(&self, expr: &Expr, row: &Row) -> bool {
        match self.truth(expr, &mut vec![row]) {
            Some(known) => known,
            None => self.has(Weakness::UnknownHolds),
        }
    }

    /// Whether a filter lets a row through.
    pub(crate) fn holds(&self, expr: &Expr, row: &Row) -> bool {
        self.truth(expr, &mut vec![row]) == Some(true)
    }

    /// Whether a check is kept: unknown is good enough.
    pub(crate) fn kept(&self, expr: &Expr, row: &Row) -> bool {
        self.truth(expr, &mut vec![row]) != Some(false)
    }

    fn truth<'r>(&self, expr: &Expr, rows: &mut Rows<'r>) -> Option<bool>
    where
        'a: 'r,
    {
        match expr {
            Expr::And(list) => all(list.iter().map(|e| self.truth(e, rows))),
            Expr::Or(list) => all(list.iter().map(|e| self.truth(e, rows).map(|b| !b))).map(|b| !b),
            Expr::Not(e) => self.truth(e, rows).map(|b| !b),
            Expr::IsNull(e) => Some(self.value(e, rows).is_null()),
            Expr::IsBoolean(e, wanted) => Some(self.truth(e, rows) == Some(*wanted)),
            Expr::Compare(op, l, r) => compare(*op, &self.value(l, rows), &self.value(r, rows)),
            Expr::In(e, list) => {
                let left = self.value(e, rows);
                any(list.iter().map(|e| compare(CompareOp::Eq, &left, &self.value(e, rows))))
            }
            Expr::Like { expr, pattern, fold_case } => {
                match (self.value(expr, rows), self.value(pattern, rows)) {
                    (Value::Text(text), Value::Text(pattern)) => Some(like(&pattern, &text, *fold_case)),
                    _ => None,
                }
            }
            Expr::Exists(query) => Some(self.asked(query, rows, |_, _| Some(true)) == Some(true)),
            Expr::InQuery(e, query) => {
                let left = self.value(e, rows);
                let output = position(query.output.unwrap());
                self.asked(query, rows, |_, row| compare(CompareOp::Eq, &left, &row[output]))
            }
            Expr::HasRole(role) => Some(self.has_role(role)),
            other => match self.value(other, rows) {
                Value::Boolean(b) => Some(b),
                _ => None,
            },
        }
    }

    /// Whether `test` is true for one of the rows that a sub-query finds.
    fn asked<'r>(
        &self,
        query: &SubQuery,
        rows: &mut Rows<'r>,
        test: impl Fn(&Self, &Row) -> Option<bool>,
    ) -> Option<bool>
    where
        'a: 'r,
    {
        assert_eq!(
            rows.len(),
            usize::from(query.scope),
            "a sub-query stands one scope deeper than its place"
        );
        let table = self.world.index(query.table);
        let fields = asked_fields(query);
        let mut found = Vec::new();
        let data: &'a Data = self.data;
        for row in &data.0[table] {
            rows.push(row);
            let fits = query.filter.as_ref().is_none_or(|f| self.truth(f, rows) == Some(true));
            rows.pop();
            // The other table's policies know nothing of the rows around.
            if fits && (self.has(Weakness::SubQueriesSeeAll) || self.sees(table, &fields, row)) {
                found.push(test(self, row));
            }
        }
        any(found.into_iter())
    }

    fn value<'r>(&self, expr: &Expr, rows: &mut Rows<'r>) -> Value
    where
        'a: 'r,
    {
        match expr {
            Expr::Literal(value) => value.clone(),
            Expr::Column { scope, field, .. } => rows[usize::from(*scope)][position(*field)].clone(),
            Expr::AuthUid => self.uid(),
            Expr::AuthRole => Value::Text(
                match self.who.rights {
                    Rights::Anon => "anon",
                    Rights::Authenticated => "authenticated",
                    Rights::Service | Rights::System { .. } => "service_role",
                }
                .to_owned(),
            ),
            Expr::AuthJwt(path) => {
                let claims = self.who.user.as_ref().map(|u| &u.claims);
                let claim = claims.and_then(|c| c.get(&path[0])).and_then(|c| c.as_str());
                claim.map_or(Value::Null, |c| Value::Text(c.to_owned()))
            }
            Expr::Arithmetic(op, l, r) => match (exact(&self.value(l, rows)), exact(&self.value(r, rows))) {
                (Some(l), Some(r)) => Value::Decimal(match op {
                    ArithmeticOp::Add => l + r,
                    ArithmeticOp::Subtract => l - r,
                    ArithmeticOp::Multiply => l * r,
                }),
                _ => Value::Null,
            },
            Expr::Function(ScalarFunction::Now, _) => Value::Timestamp(NOW),
            Expr::Function(ScalarFunction::Coalesce, list) => {
                list.iter().map(|e| self.value(e, rows)).find(|v| !v.is_null()).unwrap_or(Value::Null)
            }
            Expr::Function(function, list) => called(*function, self.value(&list[0], rows)),
            other => self.truth(other, rows).map_or(Value::Null, Value::Boolean),
        }
    }
}

/// The fields of the sub-query's own row that it touches, deeper sub-queries included.
pub(crate) fn asked_fields(query: &SubQuery) -> Vec<usize> {
    let mut fields: Vec<usize> = query.output.into_iter().map(position).collect();
    if let Some(filter) = &query.filter {
        fields.extend(fields_of(filter, query.scope));
    }
    fields
}

/// The fields of the row at `at` that an expression reads.
pub(crate) fn fields_of(expr: &Expr, at: u8) -> Vec<usize> {
    let mut fields = Vec::new();
    expr.walk(&mut |e| {
        if let Expr::Column { scope, field, .. } = e
            && *scope == at
        {
            fields.push(position(*field));
        }
    });
    fields
}

fn called(function: ScalarFunction, argument: Value) -> Value {
    match (function, argument) {
        (_, Value::Null) => Value::Null,
        (ScalarFunction::Abs, v) => Value::Decimal(exact(&v).unwrap().abs()),
        (ScalarFunction::Length, Value::Text(t)) => Value::Integer(t.chars().count().try_into().unwrap()),
        (ScalarFunction::Lower, Value::Text(t)) => Value::Text(t.to_lowercase()),
        (ScalarFunction::Upper, Value::Text(t)) => Value::Text(t.to_uppercase()),
        other => panic!("not generated: {other:?}"),
    }
}

fn all(list: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut all = Some(true);
    for one in list {
        all = match (all, one) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), Some(true)) => Some(true),
            _ => None,
        };
    }
    all
}

fn any(list: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(list.map(|b| b.map(|b| !b))).map(|b| !b)
}

fn compare(op: CompareOp, l: &Value, r: &Value) -> Option<bool> {
    match op {
        CompareOp::Distinct => return Some(!same(l, r)),
        CompareOp::NotDistinct => return Some(same(l, r)),
        _ if l.is_null() || r.is_null() => return None,
        _ => {}
    }
    let order = order_of(l, r);
    Some(match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
        CompareOp::Distinct | CompareOp::NotDistinct => unreachable!(),
    })
}

/// Equal, or both null.
pub(crate) fn same(l: &Value, r: &Value) -> bool {
    match (l.is_null(), r.is_null()) {
        (false, false) => order_of(l, r).is_eq(),
        (l, r) => l == r,
    }
}

/// The order of two values of one type that are not null.
pub(crate) fn order_of(l: &Value, r: &Value) -> Ordering {
    match (l, r) {
        (Value::Text(l), Value::Text(r)) => l.as_bytes().cmp(r.as_bytes()),
        (Value::Uuid(l), Value::Uuid(r)) => l.as_bytes().cmp(r.as_bytes()),
        (Value::Boolean(l), Value::Boolean(r)) => l.cmp(r),
        (Value::Timestamp(l), Value::Timestamp(r)) => l.cmp(r),
        (l, r) => {
            let exact = |v: &Value| -> Decimal { exact(v).unwrap_or_else(|| panic!("{v:?} is no number")) };
            exact(l).cmp(&exact(r))
        }
    }
}

fn like(pattern: &str, text: &str, fold_case: bool) -> bool {
    fn fits(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['%', rest @ ..] => (0..=text.len()).any(|n| fits(rest, &text[n..])),
            ['_', rest @ ..] => !text.is_empty() && fits(rest, &text[1..]),
            ['\\', c, rest @ ..] | [c, rest @ ..] => text.first() == Some(c) && fits(rest, &text[1..]),
        }
    }
    let chars = |t: &str| if fold_case { t.to_lowercase() } else { t.to_owned() }.chars().collect::<Vec<_>>();
    fits(&chars(pattern), &chars(text))
}
