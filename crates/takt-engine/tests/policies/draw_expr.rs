//! Random expressions over a row: everything a policy, a check or a filter may say, within the types of the language.

use takt_model::{ArithmeticOp, CompareOp, Expr, ScalarFunction, SubQuery, Value};

use crate::{
    tape::Tape,
    world::{Kind, NOW, World, field, values},
};

const EQUALITY: [CompareOp; 4] = [CompareOp::Eq, CompareOp::Ne, CompareOp::NotDistinct, CompareOp::Distinct];
const ORDER: [CompareOp; 8] = [
    CompareOp::Eq,
    CompareOp::Ge,
    CompareOp::Le,
    CompareOp::Gt,
    CompareOp::Lt,
    CompareOp::Ne,
    CompareOp::NotDistinct,
    CompareOp::Distinct,
];
const PATTERNS: [&str; 8] = ["a%", "%b", "_b", "A%", "%", "a\\_b", "äb\\%", "%t'%"];

/// What an expression may speak of besides its row.
#[derive(Debug, Clone)]
pub(crate) struct Speech {
    /// Tables that sub-queries may ask.
    pub(crate) tables: Vec<usize>,
    /// Whether it may ask who is there.
    pub(crate) auth: bool,
    /// Whether it is a filter, made by a program: literals need not fit as well as the reader of policies wants it.
    pub(crate) filter: bool,
}

/// Draws expressions.
pub(crate) struct Drawer<'a, 't> {
    pub(crate) world: &'a World,
    pub(crate) tape: &'a mut Tape<'t>,
    pub(crate) speech: &'a Speech,
    /// The table of each scope.
    rows: Vec<usize>,
}

/// A column that can be named here.
#[derive(Debug, Clone, Copy)]
struct Named {
    scope: usize,
    table: usize,
    at: usize,
    kind: Kind,
}

fn boxed(expr: Expr) -> Box<Expr> {
    Box::new(expr)
}

fn compare(op: CompareOp, l: Expr, r: Expr) -> Expr {
    Expr::Compare(op, boxed(l), boxed(r))
}

impl<'a, 't> Drawer<'a, 't> {
    pub(crate) fn new(world: &'a World, tape: &'a mut Tape<'t>, speech: &'a Speech, table: usize) -> Self {
        Self { world, tape, speech, rows: vec![table] }
    }

    /// A condition on the row.
    pub(crate) fn condition(&mut self, depth: usize) -> Expr {
        let sub_query = if self.speech.tables.is_empty() || self.rows.len() > 3 { 0 } else { 3 };
        let nested = usize::from(depth > 0);
        match self.tape.weighted(&[8, 3 * nested, 3 * nested, 2 * nested, nested, sub_query * nested]) {
            1 => Expr::And(self.conditions(depth - 1)),
            2 => Expr::Or(self.conditions(depth - 1)),
            3 => Expr::Not(boxed(self.condition(depth - 1))),
            4 => {
                let inner = boxed(self.condition(depth - 1));
                if self.tape.chance(1, 3) {
                    Expr::IsNull(inner)
                } else {
                    Expr::IsBoolean(inner, self.tape.chance(1, 2))
                }
            }
            5 => self.sub_query(depth - 1),
            _ => self.leaf(),
        }
    }

    fn conditions(&mut self, depth: usize) -> Vec<Expr> {
        let n = [2, 3, 1, 0][self.tape.weighted(&[12, 6, 2, 1])];
        (0..n).map(|_| self.condition(depth)).collect()
    }

    /// All columns of the kinds that fit; those of outer rows too.
    fn named(&self, fits: impl Fn(Kind) -> bool) -> Vec<Named> {
        let mut found = Vec::new();
        for (scope, table) in self.rows.iter().copied().enumerate().rev() {
            for (at, f) in self.world.tables[table].fields.iter().enumerate() {
                if fits(f.kind) && (self.speech.auth || f.reference.is_none()) {
                    found.push(Named { scope, table, at, kind: f.kind });
                }
            }
        }
        found
    }

    /// A column of a fitting kind, more often of the innermost row.
    fn column(&mut self, fits: impl Fn(Kind) -> bool) -> Option<(Named, Expr)> {
        let mut all = self.named(fits);
        let inner: Vec<Named> = all.iter().copied().filter(|n| n.scope + 1 == self.rows.len()).collect();
        if !inner.is_empty() && !self.tape.chance(1, 4) {
            all = inner;
        }
        if all.is_empty() {
            return None;
        }
        let named = *self.tape.pick(&all);
        Some((named, self.expr(named)))
    }

    fn expr(&self, named: Named) -> Expr {
        self.world.column(named.scope, named.table, named.at)
    }

    fn leaf(&mut self) -> Expr {
        let auth = usize::from(self.speech.auth);
        let drawn = match self.tape.weighted(&[5, 5 * auth, 2 * auth, 3, 3, 2, 2, 3, 2, 1]) {
            0 => self.with_literal(),
            1 => self.owner(),
            2 => self.caller(),
            3 => self.is_null(),
            4 => self.in_list(),
            5 => self.like(),
            6 => self.boolean(),
            7 => self.numbers(),
            8 => self.columns(),
            _ => Some(if self.tape.chance(1, 2) { Expr::no() } else { Expr::yes() }),
        };
        drawn.unwrap_or_else(Expr::yes)
    }

    /// A value that the column might hold; of decimals also one with more digits.
    fn literal(&mut self, kind: Kind) -> Value {
        if self.speech.filter && self.tape.chance(1, 10) {
            let number = matches!(kind, Kind::Integer | Kind::Decimal(..));
            let odd = ["1.5", "-0.0001", "3000000000", "99999999999999999999"];
            return if number { Value::Decimal(self.tape.pick(&odd).parse().unwrap()) } else { Value::Null };
        }
        if let Kind::Decimal(..) = kind
            && self.tape.chance(1, 4)
        {
            return Value::Decimal(
                (*self.tape.pick(&["1.105", "9.9900", "-1.00001", "100"])).parse().unwrap(),
            );
        }
        self.tape.pick(&values(kind)).clone()
    }

    fn with_literal(&mut self) -> Option<Expr> {
        let (named, column) = self.column(|k| k != Kind::Uuid)?;
        let ordered = !matches!(named.kind, Kind::Enum | Kind::Boolean);
        let op = *self.tape.pick(if ordered { &ORDER[..] } else { &EQUALITY[..] });
        if named.kind == Kind::Timestamp && self.tape.chance(1, 2) {
            return Some(compare(op, column, Expr::Function(ScalarFunction::Now, Vec::new())));
        }
        if matches!(op, CompareOp::Distinct | CompareOp::NotDistinct) && self.tape.chance(1, 2) {
            return Some(compare(op, column, Expr::Literal(Value::Null)));
        }
        let literal = Expr::Literal(self.literal(named.kind));
        if ordered && self.tape.chance(1, 6) {
            return Some(compare(op, literal, column));
        }
        if ordered && self.tape.chance(1, 6) {
            let high = Expr::Literal(self.literal(named.kind));
            return Some(Expr::And(vec![
                compare(CompareOp::Ge, column.clone(), literal),
                compare(CompareOp::Le, column, high),
            ]));
        }
        Some(compare(op, column, literal))
    }

    /// `owner = auth.uid()`
    fn owner(&mut self) -> Option<Expr> {
        let (_, column) = self.column(|k| k == Kind::Uuid)?;
        let op = if self.tape.chance(1, 4) { *self.tape.pick(&EQUALITY) } else { CompareOp::Eq };
        let literal = self.tape.chance(1, 8);
        let other = if literal { Expr::Literal(self.literal(Kind::Uuid)) } else { Expr::AuthUid };
        Some(compare(op, column, other))
    }

    fn caller(&mut self) -> Option<Expr> {
        let text = |t: &str| Expr::Literal(Value::Text(t.to_owned()));
        Some(match self.tape.below(5) {
            0 => Expr::HasRole(
                (*self.tape.pick(&["staff", "anon", "authenticated", "service_role"])).to_owned(),
            ),
            1 => Expr::IsNull(boxed(Expr::AuthUid)),
            2 => compare(CompareOp::Eq, Expr::AuthRole, text(["authenticated", "anon"][self.tape.below(2)])),
            3 => compare(CompareOp::Eq, Expr::AuthJwt(vec!["team".to_owned()]), text("a")),
            _ => {
                let (_, column) = self.column(|k| k == Kind::Text)?;
                compare(CompareOp::Eq, column, Expr::AuthJwt(vec!["team".to_owned()]))
            }
        })
    }

    fn is_null(&mut self) -> Option<Expr> {
        let (_, column) = self.column(|_| true)?;
        let is_null = Expr::IsNull(boxed(column));
        Some(if self.tape.chance(1, 2) { Expr::Not(boxed(is_null)) } else { is_null })
    }

    fn in_list(&mut self) -> Option<Expr> {
        let (named, column) = self.column(|_| true)?;
        let n = if self.speech.filter { self.tape.below(4) } else { 1 + self.tape.below(3) };
        let list = (0..n).map(|_| Expr::Literal(self.literal(named.kind))).collect();
        Some(Expr::In(boxed(column), list))
    }

    fn text(&mut self) -> Option<Expr> {
        let (_, column) = self.column(|k| k == Kind::Text)?;
        Some(match self.tape.weighted(&[4, 1, 1, 1]) {
            1 => Expr::Function(ScalarFunction::Lower, vec![column]),
            2 => Expr::Function(ScalarFunction::Upper, vec![column]),
            3 => Expr::Function(
                ScalarFunction::Coalesce,
                vec![column, Expr::Literal(self.literal(Kind::Text))],
            ),
            _ => column,
        })
    }

    fn like(&mut self) -> Option<Expr> {
        let expr = boxed(self.text()?);
        let pattern = boxed(Expr::Literal(Value::Text((*self.tape.pick(&PATTERNS)).to_owned())));
        Some(Expr::Like { expr, pattern, fold_case: self.tape.chance(1, 3) })
    }

    fn boolean(&mut self) -> Option<Expr> {
        let (_, column) = self.column(|k| k == Kind::Boolean)?;
        Some(match self.tape.below(4) {
            1 => Expr::IsBoolean(boxed(column), true),
            2 => Expr::IsBoolean(boxed(column), false),
            3 => Expr::Not(boxed(column)),
            _ => column,
        })
    }

    /// Two columns of one kind (or of exact numbers), never the same one.
    fn columns(&mut self) -> Option<Expr> {
        let (first, l) = self.column(|k| !matches!(k, Kind::Enum | Kind::Boolean))?;
        let number = |k: Kind| matches!(k, Kind::Integer | Kind::Decimal(..));
        let (_, r) = self.column(|k| k == first.kind || (number(k) && number(first.kind)))?;
        let op = *self.tape.pick(&ORDER);
        (l != r).then(|| compare(op, l, r))
    }

    /// A comparison of two calculations.
    fn numbers(&mut self) -> Option<Expr> {
        let (l, whole) = self.number(2)?;
        let op = *self.tape.pick(&ORDER);
        let r = if self.tape.chance(1, 3) {
            self.number(1)?.0
        } else {
            Expr::Literal(self.literal(if whole { Kind::Integer } else { Kind::Decimal(8, 2) }))
        };
        (l != r).then(|| compare(op, l, r))
    }

    /// A number that names at least one column, and whether it is a whole one.
    fn number(&mut self, depth: usize) -> Option<(Expr, bool)> {
        let nested = usize::from(depth > 0);
        let call = |function, list| Expr::Function(function, list);
        match self.tape.weighted(&[4, 4 * nested, nested, 2, 1]) {
            1 => {
                let (l, whole) = self.number(depth - 1)?;
                let (r, both_whole) = if self.tape.chance(1, 2) {
                    let (r, r_whole) = self.number(depth - 1)?;
                    (r, whole && r_whole)
                } else {
                    let kind = if whole { Kind::Integer } else { Kind::Decimal(8, 2) };
                    (Expr::Literal(self.tape.pick(&values(kind)).clone()), whole)
                };
                let ops = [ArithmeticOp::Add, ArithmeticOp::Subtract, ArithmeticOp::Multiply];
                let op = *self.tape.pick(&ops);
                let (l, r) = if self.tape.chance(1, 4) { (r, l) } else { (l, r) };
                Some((Expr::Arithmetic(op, boxed(l), boxed(r)), both_whole))
            }
            2 => self.number(depth - 1).map(|(e, whole)| (call(ScalarFunction::Abs, vec![e]), whole)),
            3 => {
                let (named, column) = self.column(|k| matches!(k, Kind::Integer | Kind::Decimal(..)))?;
                let other = Expr::Literal(self.tape.pick(&values(named.kind)).clone());
                Some((call(ScalarFunction::Coalesce, vec![column, other]), named.kind == Kind::Integer))
            }
            4 => Some((call(ScalarFunction::Length, vec![self.text()?]), true)),
            _ => {
                let (named, column) = self.column(|k| matches!(k, Kind::Integer | Kind::Decimal(..)))?;
                Some((column, named.kind == Kind::Integer))
            }
        }
    }

    /// `exists (select ...)` or `x in (select ...)`, usually bound to an outer row.
    fn sub_query(&mut self, depth: usize) -> Expr {
        let table = *self.tape.pick(&self.speech.tables);
        let scope = self.rows.len();
        if self.tape.chance(1, 3)
            && let Some((left, output)) = self.comparable(table)
        {
            let mut query = self.over(table, None, depth);
            query.output = Some(field(output));
            let found = Expr::InQuery(boxed(left), Box::new(query));
            return if self.tape.chance(1, 3) { Expr::Not(boxed(found)) } else { found };
        }
        let link = if self.tape.chance(4, 5) { self.comparable(table) } else { None };
        let link = link.map(|(outer, at)| compare(CompareOp::Eq, self.world.column(scope, table, at), outer));
        let found = Expr::Exists(Box::new(self.over(table, link, depth)));
        if self.tape.chance(1, 4) { Expr::Not(boxed(found)) } else { found }
    }

    fn over(&mut self, table: usize, link: Option<Expr>, depth: usize) -> SubQuery {
        let scope = u8::try_from(self.rows.len()).unwrap();
        self.rows.push(table);
        let asked = self.tape.chance(3, 4).then(|| self.condition(depth));
        self.rows.pop();
        let filter = match (link, asked) {
            (Some(link), Some(asked)) => Some(Expr::And(vec![link, asked])),
            (link, asked) => link.or(asked),
        };
        SubQuery { table: self.world.id(table), scope, filter, output: None }
    }

    /// An outer expression and a field of `table` that can be compared with it: a reference if there is one.
    fn comparable(&mut self, table: usize) -> Option<(Expr, usize)> {
        let mut pairs = Vec::new();
        let mut references = Vec::new();
        for outer in self.named(|k| matches!(k, Kind::Uuid | Kind::Integer | Kind::Text)) {
            for (at, inner) in self.world.tables[table].fields.iter().enumerate() {
                if inner.kind != outer.kind {
                    continue;
                }
                pairs.push((outer, at));
                let theirs = self.world.tables[outer.table].fields[outer.at].reference;
                let there = theirs.is_some_and(|r| r.table == table && r.field == at);
                let back = inner.reference.is_some_and(|r| r.table == outer.table && r.field == outer.at);
                if there || back {
                    references.push((outer, at));
                }
            }
        }
        if self.speech.auth && self.tape.chance(1, 6) {
            let uuid = self.world.tables[table].fields.iter().position(|f| f.kind == Kind::Uuid);
            return uuid.map(|at| (Expr::AuthUid, at));
        }
        let list = if references.is_empty() || self.tape.chance(1, 5) { pairs } else { references };
        if list.is_empty() {
            return None;
        }
        let (outer, at) = *self.tape.pick(&list);
        Some((self.expr(outer), at))
    }
}

/// A check that most rows pass: `x >= -1`, now and then something wilder.
pub(crate) fn check(world: &World, tape: &mut Tape<'_>, table: usize, at: usize) -> Expr {
    let column = world.column(0, table, at);
    let low = match world.tables[table].fields[at].kind {
        Kind::Decimal(..) => Value::Decimal("-1.10".parse().unwrap()),
        Kind::Timestamp => Value::Timestamp(NOW),
        _ => Value::Integer(0),
    };
    if tape.chance(1, 3) {
        let speech = Speech { tables: Vec::new(), auth: false, filter: false };
        let wild = Drawer::new(world, tape, &speech, table).condition(2);
        return Expr::Or(vec![wild, compare(CompareOp::Ge, column, Expr::Literal(low))]);
    }
    compare(CompareOp::Ge, column, Expr::Literal(low))
}
