//! Sub-queries: one table, one condition. `exists (select 1 from t where ...)`, `x in (select f from t where ...)`,
//! and `(select auth.uid())`, which is only another way to write `auth.uid()`.

use sqlparser::ast::{self, GroupByExpr, ObjectNamePart, SelectItem, SetExpr, TableFactor};

use super::convert::{Converter, snippet};
use super::operand::Operand;
use super::{ExprProblem, Parsed, Purpose};
use crate::{Exposure, Expr, FieldId, FieldType, SubQuery, TableId};

impl Converter<'_> {
    pub(super) fn exists(&mut self, query: &ast::Query, negated: bool, depth: usize) -> Parsed<Operand> {
        let select = plain_select(query)?;
        let (query, ()) = self.over(select, depth, |this, _| {
            select.projection.iter().try_for_each(|item| this.exists_item(item, depth))
        })?;
        let exists = Expr::Exists(Box::new(query));
        let expr = if negated { Expr::Not(Box::new(exists)) } else { exists };
        Ok(Operand::Known(expr, FieldType::Boolean))
    }

    pub(super) fn in_query(
        &mut self,
        left: &ast::Expr,
        query: &ast::Query,
        negated: bool,
        depth: usize,
    ) -> Parsed<Operand> {
        let operand = self.operand(left, depth + 1)?;
        let select = plain_select(query)?;
        let (mut sub_query, (output, kind)) =
            self.over(select, depth, |this, table| this.output(&select.projection, table, depth))?;
        sub_query.output = Some(output);
        let left_text = snippet(left);
        if matches!(operand, Operand::Null) {
            return Err(ExprProblem::new("`null in (...)` is never true"));
        }
        let expr =
            operand.read_as(&kind, &snippet_of(&select.projection)).map_err(|problem| ExprProblem {
                message: format!("`{left_text} in (select ...)`: {}", problem.message),
                help: problem.help,
            })?;
        let expr = Expr::InQuery(Box::new(expr), Box::new(sub_query));
        Ok(Operand::Known(if negated { Expr::Not(Box::new(expr)) } else { expr }, FieldType::Boolean))
    }

    /// A sub-query where a value is wanted.
    pub(super) fn scalar_query(&mut self, query: &ast::Query, depth: usize) -> Parsed<Operand> {
        let select = plain_select(query)?;
        match select.projection.as_slice() {
            [SelectItem::UnnamedExpr(expr)] if select.from.is_empty() && select.selection.is_none() => {
                self.operand(expr, depth + 1)
            }
            _ => Err(ExprProblem::new("a sub-query cannot stand here")
                .help("write `x in (select ...)` or `exists (select ...)`".to_owned())),
        }
    }

    /// Enters the table of `select`, reads its output by `output` and its condition.
    fn over<T>(
        &mut self,
        select: &ast::Select,
        depth: usize,
        output: impl FnOnce(&mut Self, TableId) -> Parsed<T>,
    ) -> Parsed<(SubQuery, T)> {
        if self.purpose == Purpose::Check {
            return Err(ExprProblem::new("a check speaks of its own row only, so it has no sub-queries")
                .help("that belongs into a policy or a function".to_owned()));
        }
        let (table, alias) = self.from(select)?;
        self.scopes.enter(table, alias)?;
        let scope = self.scopes.innermost();
        let inner = output(self, table).and_then(|made| {
            let filter =
                select.selection.as_ref().map(|filter| self.condition(filter, depth + 1)).transpose()?;
            Ok((made, filter))
        });
        self.scopes.leave();
        let (made, filter) = inner?;
        let filter = filter.filter(|f| *f != Expr::yes());
        Ok((SubQuery { table, scope, filter, output: None }, made))
    }

    fn from(&self, select: &ast::Select) -> Parsed<(TableId, Option<String>)> {
        let [from] = select.from.as_slice() else {
            return Err(ExprProblem::new("a sub-query asks exactly one table")
                .help("for further ones write another `exists (select ...)` inside".to_owned()));
        };
        if !from.joins.is_empty() {
            return Err(ExprProblem::new("`join` is not part of the language")
                .help("write another `exists (select ...)` inside".to_owned()));
        }
        let TableFactor::Table { name, alias, args: None, .. } = &from.relation else {
            return Err(ExprProblem::new(format!("`{}` is no table", from.relation)));
        };
        let parts: Option<Vec<_>> = name.0.iter().map(ObjectNamePart::as_ident).collect();
        let parts = parts.ok_or_else(|| ExprProblem::new(format!("`{name}` is no table")))?;
        let table = self.scopes.table(&parts)?;
        if table.exposure == Exposure::System {
            return Err(ExprProblem::new(format!(
                "policies cannot ask the product's own table `{}`",
                table.name
            ))
            .help("use `auth.uid()`, `auth.has_role('...')` or `auth.jwt() ->> '...'`".to_owned()));
        }
        Ok((table.id, alias.as_ref().map(|a| a.name.value.clone())))
    }

    /// What `exists` selects does not matter, but it must make sense.
    fn exists_item(&mut self, item: &SelectItem, depth: usize) -> Parsed<()> {
        match item {
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => Ok(()),
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                self.operand(expr, depth + 1).map(|_| ())
            }
            SelectItem::ExprWithAliases { .. } => {
                Err(ExprProblem::new("several aliases are not part of the language"))
            }
        }
    }

    /// The one field that `in (select ...)` compares with.
    fn output(&mut self, items: &[SelectItem], table: TableId, depth: usize) -> Parsed<(FieldId, FieldType)> {
        let wrong = || ExprProblem::new("`in (select ...)` selects exactly one field of its table");
        let [SelectItem::UnnamedExpr(expr)] = items else { return Err(wrong()) };
        let scope = self.scopes.innermost();
        match self.operand(expr, depth + 1)? {
            Operand::Known(Expr::Column { scope: at, table: of, field }, kind)
                if at == scope && of == table =>
            {
                Ok((field, kind))
            }
            _ => Err(wrong()),
        }
    }
}

fn snippet_of(items: &[SelectItem]) -> String {
    match items {
        [SelectItem::UnnamedExpr(expr)] => snippet(expr),
        _ => "select".to_owned(),
    }
}

/// The `select` of a query that is nothing else.
fn plain_select(query: &ast::Query) -> Parsed<&ast::Select> {
    let refuse =
        |what: &str| Err(ExprProblem::new(format!("`{what}` in a sub-query is not part of the language")));
    if query.with.is_some() {
        return refuse("with");
    }
    if query.order_by.is_some() {
        return refuse("order by");
    }
    if query.limit_clause.is_some() || query.fetch.is_some() {
        return refuse("limit");
    }
    if !query.locks.is_empty() {
        return refuse("for update");
    }
    if query.for_clause.is_some()
        || query.settings.is_some()
        || query.format_clause.is_some()
        || !query.pipe_operators.is_empty()
    {
        return refuse("this clause");
    }
    let select = match query.body.as_ref() {
        SetExpr::Select(select) => select,
        SetExpr::Query(inner) => return plain_select(inner),
        SetExpr::SetOperation { op, .. } => return refuse(&op.to_string().to_lowercase()),
        SetExpr::Values(_) => return refuse("values"),
        SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_) => {
            return Err(ExprProblem::new("an expression changes nothing: only `select` may stand here"));
        }
        SetExpr::Table(_) => return refuse("table"),
    };
    let grouped = match &select.group_by {
        GroupByExpr::All(_) => true,
        GroupByExpr::Expressions(list, modifiers) => !list.is_empty() || !modifiers.is_empty(),
    };
    if grouped || select.having.is_some() {
        return refuse("group by");
    }
    if select.distinct.is_some() {
        return refuse("distinct");
    }
    let odd = select.top.is_some()
        || select.into.is_some()
        || select.prewhere.is_some()
        || select.qualify.is_some()
        || select.exclude.is_some()
        || !select.lateral_views.is_empty()
        || !select.connect_by.is_empty()
        || !select.cluster_by.is_empty()
        || !select.distribute_by.is_empty()
        || !select.sort_by.is_empty()
        || !select.named_window.is_empty();
    if odd { refuse("this clause") } else { Ok(select) }
}
