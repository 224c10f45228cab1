//! Weaves the row policies into a plan.
//!
//! The rule of what `fields` means: at each node the row predicate is the OR of those select
//! policies of the principal whose `fields` cover every field that the request references at that node. If none
//! covers, the field does not exist for this caller. Writes need one policy whose `using`, `check` and `fields`
//! all hold; filters and returned rows of writes are reads. Sub-queries, in filters and in policies alike, see
//! the other table through its own select policies, as in PostgreSQL.

use std::sync::Arc;

use takt_model::{
    CompareOp, Exposure, Expr, FieldId, Policy, Principal, Project, Rights, SubQuery, Table, TableId, Verb,
};

use crate::{
    Assignment, Child, ConflictAction, Delete, Guarded, GuardedChild, GuardedDelete, GuardedInsert,
    GuardedNode, GuardedPlan, GuardedRead, GuardedUpdate, Insert, Join, Link, Node, NullsOrder, OrderBy,
    Output, OutputColumn, OutputItem, Plan, PlanError, Read, Update, WriteRule,
};

/// Sub-queries may stand this deep in each other, policies of policies included. The reader of projects refuses
/// circles of policies; this is the net beneath it.
const MAX_SCOPE: u8 = 12;

/// Weaves the policies of `project` for `principal` into `plan`.
///
/// # Errors
/// When no policy could ever let it through; see [`PlanError`].
pub fn guard(plan: Plan, project: &Arc<Project>, principal: &Principal) -> Result<Guarded, PlanError> {
    let guard = Guard { project, principal };
    let plan = match plan {
        Plan::Read(read) => GuardedPlan::Read(guard.read(read)?),
        Plan::Insert(insert) => GuardedPlan::Insert(guard.insert(insert)?),
        Plan::Update(update) => GuardedPlan::Update(guard.update(update)?),
        Plan::Delete(delete) => GuardedPlan::Delete(guard.delete(delete)?),
    };
    Ok(Guarded { plan, principal: principal.clone(), project: Arc::clone(project) })
}

struct Guard<'a> {
    project: &'a Project,
    principal: &'a Principal,
}

impl Guard<'_> {
    fn read(&self, read: Read) -> Result<GuardedRead, PlanError> {
        self.limit_nodes(&read.root)?;
        Ok(GuardedRead { root: self.node(read.root, &[])?, count: read.count })
    }

    fn insert(&self, insert: Insert) -> Result<GuardedInsert, PlanError> {
        let table = self.table(insert.table)?;
        let rules = self.write_rules(table, Verb::Insert, &insert.fields)?;
        let merge = insert.conflict.as_ref().filter(|c| c.action == ConflictAction::Merge);
        let (merge_rules, merge_visible) = match merge {
            Some(conflict) => {
                let changed: Vec<FieldId> =
                    insert.fields.iter().copied().filter(|f| !conflict.fields.contains(f)).collect();
                let mut touched = insert.fields.clone();
                touched.extend(&conflict.fields);
                (self.write_rules(table, Verb::Update, &changed)?, self.visible(table, &touched, 0)?)
            }
            None => (Vec::new(), Expr::yes()),
        };
        Ok(GuardedInsert {
            table: insert.table,
            fields: insert.fields,
            rows: insert.rows,
            missing: insert.missing,
            conflict: insert.conflict,
            rules,
            merge_rules,
            merge_visible,
            returning: self.returning(insert.returning)?,
        })
    }

    fn update(&self, update: Update) -> Result<GuardedUpdate, PlanError> {
        let table = self.table(update.table)?;
        if update.filter.is_none() && !update.all {
            return Err(PlanError::NoFilter { verb: "UPDATE" });
        }
        let written: Vec<FieldId> = update.set.iter().map(|(f, _)| *f).collect();
        // Adding to a value reads it.
        let read: Vec<FieldId> =
            update.set.iter().filter(|(_, a)| !matches!(a, Assignment::Value(_))).map(|(f, _)| *f).collect();
        Ok(GuardedUpdate {
            table: update.table,
            rules: self.write_rules(table, Verb::Update, &written)?,
            filter: self.write_filter(table, update.filter, &read)?,
            set: update.set,
            returning: self.returning(update.returning)?,
            max_affected: update.max_affected,
        })
    }

    fn delete(&self, delete: Delete) -> Result<GuardedDelete, PlanError> {
        let table = self.table(delete.table)?;
        if delete.filter.is_none() && !delete.all {
            return Err(PlanError::NoFilter { verb: "DELETE" });
        }
        Ok(GuardedDelete {
            table: delete.table,
            rules: self.write_rules(table, Verb::Delete, &[])?,
            filter: self.write_filter(table, delete.filter, &[])?,
            returning: self.returning(delete.returning)?,
            max_affected: delete.max_affected,
        })
    }

    fn returning(&self, node: Option<Node>) -> Result<Option<GuardedNode>, PlanError> {
        node.map(|n| {
            self.limit_nodes(&n)?;
            let window = n.window;
            let mut told = self.node(n, &[])?;
            // What was written is told whole; only embeds keep the cap.
            told.window = window;
            Ok(told)
        })
        .transpose()
    }

    /// A node with its policies. `joined` are its fields that the link to its parent reads.
    fn node(&self, node: Node, joined: &[FieldId]) -> Result<GuardedNode, PlanError> {
        let table = self.table(node.table)?;
        let mut filter = if self.principal.is_bound_by_policies() {
            self.visible(table, &self.referenced(table, &node, joined)?, 0)?
        } else {
            Expr::yes()
        };
        if let Some(asked) = node.filter {
            filter = self.expr(asked, 0)?.and(filter);
        }
        let mut children = Vec::with_capacity(node.children.len());
        // Where each child of the plan stands among the children that are shown.
        let mut shown_at = vec![None; node.children.len()];
        let is_shown = |at: usize| node.outputs.iter().any(|o| matches!(o, Output::Child(c) if *c == at));
        for (at, child) in node.children.into_iter().enumerate() {
            let join = child.join;
            let guarded = self.child(child)?;
            match join {
                Join::Left => {}
                Join::Inner => filter = filter.and(existence(node.table, &guarded)),
                Join::Anti => filter = filter.and(Expr::Not(Box::new(existence(node.table, &guarded)))),
            }
            if join != Join::Anti && is_shown(at) {
                shown_at[at] = Some(children.len());
                children.push(guarded);
            }
        }
        let outputs = self.outputs(table, node.outputs, &shown_at)?;
        let order = with_key(table, node.order);
        let mut window = node.window;
        let most = self.project.settings.limits.max_rows;
        if window.limit.is_none() && most > 0 && !self.is_system() {
            window.limit = Some(most);
        }
        Ok(GuardedNode { table: node.table, outputs, filter, order, window, children })
    }

    fn child(&self, child: Child) -> Result<GuardedChild, PlanError> {
        let mut junction_filter = Expr::yes();
        let joined = match child.link {
            Link::ToOne { foreign, .. } | Link::ToMany { foreign, .. } => [foreign],
            Link::Through { junction, to_parent, to_child, foreign, .. } => {
                let table = self.table(junction)?;
                junction_filter = self.visible(table, &[to_parent, to_child], 0)?;
                [foreign]
            }
        };
        Ok(GuardedChild {
            json_key: crate::guarded::json_key(&child.name),
            name: child.name,
            link: child.link,
            join: child.join,
            junction_filter,
            node: self.node(child.node, &joined)?,
        })
    }

    /// Every field of the node's table that the request touches: shown, filtered, ordered, joined.
    fn referenced(&self, table: &Table, node: &Node, joined: &[FieldId]) -> Result<Vec<FieldId>, PlanError> {
        let mut fields: Vec<FieldId> = joined.to_vec();
        for output in &node.outputs {
            match output {
                Output::All => fields.extend(self.common_fields(table)?),
                Output::Field { field, .. } => fields.push(*field),
                Output::Child(_) => {}
            }
        }
        if let Some(filter) = &node.filter {
            fields.extend(filter.fields_at(0));
        }
        fields.extend(node.order.iter().map(|o| o.field));
        fields.extend(node.children.iter().map(|c| match c.link {
            Link::ToOne { local, .. } | Link::ToMany { local, .. } | Link::Through { local, .. } => local,
        }));
        fields.sort_unstable();
        fields.dedup();
        Ok(fields)
    }

    fn outputs(
        &self,
        table: &Table,
        outputs: Vec<Output>,
        shown_at: &[Option<usize>],
    ) -> Result<Vec<OutputItem>, PlanError> {
        let all = outputs.contains(&Output::All);
        let mut items =
            Vec::with_capacity(if all { table.fields.len() + outputs.len() } else { outputs.len() });
        let column = |name: Arc<str>, field: FieldId| OutputItem::Column(OutputColumn::new(name, field));
        for output in outputs {
            match output {
                Output::All => {
                    let fields = self.common_fields(table)?.into_iter();
                    items.extend(fields.map(|f| column(table.get(f).name.as_str().into(), f)));
                }
                Output::Field { name, field } => items.push(column(name.into(), field)),
                Output::Child(at) => {
                    items.extend(shown_at.get(at).copied().flatten().map(OutputItem::Child));
                }
            }
        }
        Ok(items)
    }

    /// What `*` means: the fields common to the principal's select policies.
    fn common_fields(&self, table: &Table) -> Result<Vec<FieldId>, PlanError> {
        let all = || table.fields.iter().map(|f| f.id);
        if !self.principal.is_bound_by_policies() {
            return Ok(all().collect());
        }
        let policies: Vec<&Policy> = self.policies(table, Verb::Select).collect();
        if policies.is_empty() {
            return Err(PlanError::Denied { table: table.name.clone() });
        }
        Ok(all().filter(|f| policies.iter().all(|p| covers(p, *f))).collect())
    }

    /// Which rows of `table`, standing at `scope`, the principal may see when it touches `fields`.
    fn visible(&self, table: &Table, fields: &[FieldId], scope: u8) -> Result<Expr, PlanError> {
        if !self.principal.is_bound_by_policies() {
            return Ok(Expr::yes());
        }
        let mut policies: Vec<&Policy> = self.policies(table, Verb::Select).collect();
        if policies.is_empty() {
            return Err(PlanError::Denied { table: table.name.clone() });
        }
        for field in fields {
            policies.retain(|p| covers(p, *field));
            if policies.is_empty() {
                return Err(PlanError::UnknownField {
                    table: table.name.clone(),
                    field: table.get(*field).name.clone(),
                });
            }
        }
        self.any_of(policies.iter().map(|p| p.using.as_ref()), scope)
    }

    /// One of the predicates holds; `None` is a predicate that always does.
    fn any_of<'p>(
        &self,
        predicates: impl Iterator<Item = Option<&'p Expr>>,
        scope: u8,
    ) -> Result<Expr, PlanError> {
        let mut some = Vec::new();
        for predicate in predicates {
            match predicate {
                Some(e) if *e != Expr::yes() => some.push(e),
                // Before any other is woven: whether one of them asks a closed table must not depend on their order.
                _ => return Ok(Expr::yes()),
            }
        }
        let mut any = some
            .into_iter()
            .map(|e| self.expr(e.clone().rescoped(scope), scope))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(if any.len() == 1 { any.remove(0) } else { Expr::Or(any) })
    }

    /// Weaves policies into the sub-queries of an expression that stands at `scope`.
    fn expr(&self, mut expr: Expr, scope: u8) -> Result<Expr, PlanError> {
        if !self.principal.is_bound_by_policies() {
            return Ok(expr);
        }
        match &mut expr {
            Expr::Exists(query) => self.sub_query(query)?,
            Expr::InQuery(left, query) => {
                **left = self.expr(std::mem::replace(left, Expr::yes()), scope)?;
                self.sub_query(query)?;
            }
            Expr::And(list) | Expr::Or(list) | Expr::Function(_, list) => self.each(list, scope)?,
            Expr::Not(e) | Expr::IsNull(e) | Expr::IsBoolean(e, _) => self.within(e, scope)?,
            Expr::Compare(_, l, r) | Expr::Arithmetic(_, l, r) => {
                self.within(l, scope)?;
                self.within(r, scope)?;
            }
            Expr::In(e, list) => {
                self.within(e, scope)?;
                self.each(list, scope)?;
            }
            Expr::Like { expr, pattern, .. } => {
                self.within(expr, scope)?;
                self.within(pattern, scope)?;
            }
            Expr::Literal(_)
            | Expr::Parameter { .. }
            | Expr::Column { .. }
            | Expr::AuthUid
            | Expr::AuthRole
            | Expr::AuthJwt(_)
            | Expr::HasRole(_) => {}
        }
        Ok(expr)
    }

    fn within(&self, expr: &mut Expr, scope: u8) -> Result<(), PlanError> {
        *expr = self.expr(std::mem::replace(expr, Expr::yes()), scope)?;
        Ok(())
    }

    fn each(&self, list: &mut [Expr], scope: u8) -> Result<(), PlanError> {
        list.iter_mut().try_for_each(|e| self.within(e, scope))
    }

    fn sub_query(&self, query: &mut SubQuery) -> Result<(), PlanError> {
        let table = self.table(query.table)?;
        if query.scope > MAX_SCOPE {
            return Err(PlanError::Denied { table: table.name.clone() });
        }
        let mut fields: Vec<FieldId> =
            query.filter.as_ref().map(|f| f.fields_at(query.scope)).unwrap_or_default();
        fields.extend(query.output);
        let visible = self.visible(table, &fields, query.scope)?;
        let asked = match query.filter.take() {
            Some(filter) => self.expr(filter, query.scope)?,
            None => Expr::yes(),
        };
        query.filter = Some(asked.and(visible));
        Ok(())
    }

    fn write_rules(
        &self,
        table: &Table,
        verb: Verb,
        fields: &[FieldId],
    ) -> Result<Vec<WriteRule>, PlanError> {
        match self.principal.rights {
            Rights::Service => return Ok(vec![unbound("service")]),
            Rights::System { why } => return Ok(vec![unbound(why)]),
            Rights::Anon | Rights::Authenticated => {}
        }
        let mut policies: Vec<&Policy> = self.policies(table, verb).collect();
        if policies.is_empty() {
            return Err(PlanError::Denied { table: table.name.clone() });
        }
        for field in fields {
            policies.retain(|p| covers(p, *field));
            if policies.is_empty() {
                let field = table.get(*field).name.clone();
                return Err(PlanError::FieldDenied { table: table.name.clone(), field });
            }
        }
        policies.into_iter().map(|p| self.write_rule(p, verb)).collect()
    }

    fn write_rule(&self, policy: &Policy, verb: Verb) -> Result<WriteRule, PlanError> {
        let woven = |e: Option<&Expr>| e.map_or(Ok(Expr::yes()), |e| self.expr(e.clone(), 0));
        let (using, check) = match verb {
            Verb::Insert | Verb::Select => (None, policy.check.as_ref()),
            Verb::Update => (policy.using.as_ref(), policy.check.as_ref().or(policy.using.as_ref())),
            Verb::Delete => (policy.using.as_ref(), None),
        };
        Ok(WriteRule { policy: policy.name.clone(), using: woven(using)?, check: woven(check)? })
    }

    /// The rows that a write may find: its own filter, and what the caller may see of the fields it reads.
    fn write_filter(
        &self,
        table: &Table,
        asked: Option<Expr>,
        also_read: &[FieldId],
    ) -> Result<Expr, PlanError> {
        let mut fields = also_read.to_vec();
        if let Some(asked) = &asked {
            fields.extend(asked.fields_at(0));
        }
        // A write that reads nothing needs no right to read; PostgreSQL does the same.
        let visible = if fields.is_empty() { Expr::yes() } else { self.visible(table, &fields, 0)? };
        Ok(match asked {
            Some(asked) => self.expr(asked, 0)?.and(visible),
            None => visible,
        })
    }

    fn policies<'t>(&'t self, table: &'t Table, verb: Verb) -> impl Iterator<Item = &'t Policy> {
        table
            .policies
            .iter()
            .filter(move |p| p.allow.contains(&verb) && p.to.iter().any(|r| self.principal.has_role(r)))
    }

    /// The table, unless it is the product's own and somebody else asks.
    fn table(&self, id: TableId) -> Result<&Table, PlanError> {
        let table = self.project.get(id);
        if table.exposure == Exposure::System && !self.is_system() {
            return Err(PlanError::Denied { table: table.name.clone() });
        }
        Ok(table)
    }

    fn is_system(&self) -> bool {
        matches!(self.principal.rights, Rights::System { .. })
    }

    fn limit_nodes(&self, root: &Node) -> Result<(), PlanError> {
        fn count(node: &Node) -> usize {
            1 + node.children.iter().map(|c| count(&c.node)).sum::<usize>()
        }
        let (asked, limit) = (count(root), self.project.settings.limits.embeds);
        if limit > 0 && asked > limit && !self.is_system() {
            return Err(PlanError::TooManyNodes { asked, limit });
        }
        Ok(())
    }
}

fn covers(policy: &Policy, field: FieldId) -> bool {
    policy.fields.as_ref().is_none_or(|f| f.contains(&field))
}

fn unbound(policy: &str) -> WriteRule {
    WriteRule { policy: policy.to_owned(), using: Expr::yes(), check: Expr::yes() }
}

/// Whether the parent row (scope 0, of `parent`) has a visible child row that fits.
fn existence(parent: TableId, child: &GuardedChild) -> Expr {
    let column = |scope, table, field| Box::new(Expr::Column { scope, table, field });
    let equal = |l, r| Expr::Compare(CompareOp::Eq, l, r);
    let exists = |table, scope, filter| {
        Expr::Exists(Box::new(SubQuery { table, scope, filter: Some(filter), output: None }))
    };
    let table = child.node.table;
    match child.link {
        Link::ToOne { local, foreign } | Link::ToMany { local, foreign } => {
            let link = equal(column(1, table, foreign), column(0, parent, local));
            exists(table, 1, link.and(child.node.filter.clone().rescoped(1)))
        }
        Link::Through { junction, local, to_parent, to_child, foreign } => {
            let to_row = equal(column(2, table, foreign), column(1, junction, to_child));
            let row = exists(table, 2, to_row.and(child.node.filter.clone().rescoped(2)));
            let link = equal(column(1, junction, to_parent), column(0, parent, local));
            exists(junction, 1, link.and(child.junction_filter.clone().rescoped(1)).and(row))
        }
    }
}

/// The order with the primary key behind it, so that pages never overlap.
fn with_key(table: &Table, mut order: Vec<OrderBy>) -> Vec<OrderBy> {
    for key in &table.primary_key {
        if !order.iter().any(|o| o.field == *key) {
            order.push(OrderBy { field: *key, descending: false, nulls: NullsOrder::Last });
        }
    }
    order
}
