//! A request and a project give a plan: names are looked up, values get their types, embeds find their way.
//!
//! Only tables of [`Exposure::Public`] exist here. Rights are not judged here but woven in by
//! `takt_plan::guard`; `who` only decides which names a hint may mention.

mod filters;
mod relations;
mod writes;

use takt_model::{Exposure, Field, Principal, Project, Table, Verb};
use takt_plan::{Child, Join, Link, Node, NullsOrder, OrderBy, Output, Plan, PlanError, Read, Window};

use crate::{
    Method, Request, RestError,
    order::OrderTerm,
    select::{self, Embed, Item, JoinWord, Tree},
};

impl Request {
    /// The plan of this request over `project`. `who` decides nothing that the guard does not decide again; it keeps
    /// errors and hints from telling of tables and columns that `who` may not see.
    ///
    /// # Errors
    /// 42703, PGRST120, PGRST200, PGRST201, PGRST204, PGRST205 for names; 22P02, 22003, 22008, 42883, 42804,
    /// 42P10 for values and types; 42501 for a table that `who` may not read; PGRST127 for what is not built yet.
    pub fn plan(&self, project: &Project, who: &Principal) -> Result<Plan, RestError> {
        let planner = Planner { project, who };
        let table = planner.table(&self.table)?;
        match self.method {
            Method::Get | Method::Head => {
                Ok(Plan::Read(Read { root: planner.read_node(table, &self.tree)?, count: self.prefer.count }))
            }
            Method::Post => planner.insert(table, self),
            Method::Patch => planner.update(table, self),
            Method::Delete => planner.delete(table, self),
            Method::Put => Err(RestError::not_built("PUT")),
        }
    }
}

struct Planner<'p> {
    project: &'p Project,
    who: &'p Principal,
}

impl<'p> Planner<'p> {
    /// A table that exists on the wire.
    fn table(&self, name: &str) -> Result<&'p Table, RestError> {
        if let Some(table) = self.project.table(name).filter(|t| t.exposure == Exposure::Public) {
            return Ok(table);
        }
        let message = format!("Could not find the table 'public.{name}' in the schema cache");
        let error = RestError::new("PGRST205", message);
        let visible = self.project.tables.iter().filter(|t| self.may_know(t)).map(|t| t.name.as_str());
        Err(match nearest(name, visible) {
            Some(meant) => error.hint(format!("Perhaps you meant the table 'public.{meant}'")),
            None => error,
        })
    }

    /// Whether a hint may mention the table: some policy lets the caller read in it.
    fn may_know(&self, table: &Table) -> bool {
        let reads = || {
            table
                .policies
                .iter()
                .any(|p| p.allow.contains(&Verb::Select) && p.to.iter().any(|r| self.who.has_role(r)))
        };
        table.exposure == Exposure::Public && (!self.who.is_bound_by_policies() || reads())
    }

    /// A node with its filters.
    fn read_node(&self, table: &Table, tree: &Tree) -> Result<Node, RestError> {
        // Before any column is looked at: a closed table does not tell which columns it has.
        if !self.may_know(table) {
            return Err(RestError::from_plan(&PlanError::Denied { table: table.name.clone() }, self.who));
        }
        let mut node = self.shown_node(table, tree)?;
        for logic in &tree.filters {
            match filters::embed_test(table, tree, logic)? {
                Some((at, true)) => {
                    if let Some(child) = node.children.get_mut(at) {
                        child.join = Join::Inner;
                    }
                }
                Some((at, false)) => forbid(&mut node, at),
                None => {
                    let children = node.children.get(..tree.embeds.len()).unwrap_or_default();
                    let filter = filters::expression(self.who, table, tree, children, logic)?;
                    node = node.filtered(filter);
                }
            }
        }
        Ok(node)
    }

    /// A node without its own filters: what the rows show. Its embeds do have theirs.
    fn shown_node(&self, table: &Table, tree: &Tree) -> Result<Node, RestError> {
        let children = tree.embeds.iter().map(|e| self.child(table, e)).collect::<Result<Vec<_>, _>>()?;
        let mut outputs = Vec::with_capacity(tree.items.len());
        for item in &tree.items {
            match item {
                Item::All => outputs.push(Output::All),
                Item::Column { alias, name } => {
                    if name == "count" && table.field(name).is_none() {
                        return Err(select::aggregate("count"));
                    }
                    let field = field(table, name)?.id;
                    outputs.push(Output::Field { name: alias.as_ref().unwrap_or(name).clone(), field });
                }
                Item::Embed(at) if tree.embeds.get(*at).is_some_and(Embed::is_shown) => {
                    outputs.push(Output::Child(*at));
                }
                Item::Embed(_) => {}
            }
        }
        Ok(Node {
            table: table.id,
            outputs,
            filter: None,
            order: order(table, tree.order.as_deref().unwrap_or_default())?,
            window: self.window(tree),
            children,
        })
    }

    fn child(&self, parent: &Table, embed: &Embed) -> Result<Child, RestError> {
        let way = relations::find(self, parent, &embed.target, embed.hint.as_deref())?;
        let link = way.link();
        // The store reads the one row of such an embed without a window.
        let hides = embed.tree.limit == Some(0) || embed.tree.offset.unwrap_or(0) > 0;
        if hides && matches!(link, Link::ToOne { .. }) {
            let name = embed.name();
            return Err(RestError::not_built(format_args!(
                "limit=0 and offset on the to-one embed '{name}'"
            )));
        }
        Ok(Child {
            name: embed.name().to_owned(),
            link,
            join: match embed.join {
                Some(JoinWord::Inner) => Join::Inner,
                Some(JoinWord::Left) | None => Join::Left,
            },
            node: self.read_node(self.project.get(way.target()), &embed.tree)?,
        })
    }

    /// Nobody gets more rows than `limits.max_rows` by asking for more.
    fn window(&self, tree: &Tree) -> Window {
        let most = self.project.settings.limits.max_rows;
        let limit = tree.limit.map(|l| if most > 0 { l.min(most) } else { l });
        Window { limit, offset: tree.offset.unwrap_or(0) }
    }
}

/// `rel=is.null`: only rows without such a row are shown. The guard takes anti-joined embeds out of the answer,
/// so a shown one stays (always empty) beside its test.
fn forbid(node: &mut Node, at: usize) {
    let shown = node.outputs.contains(&Output::Child(at));
    let Some(child) = node.children.get_mut(at) else { return };
    if shown || child.join == Join::Inner {
        let test = Child { join: Join::Anti, ..child.clone() };
        node.children.push(test);
    } else {
        child.join = Join::Anti;
    }
}

fn field<'t>(table: &'t Table, name: &str) -> Result<&'t Field, RestError> {
    table.field(name).ok_or_else(|| RestError::unknown_field(&table.name, name))
}

fn order(table: &Table, terms: &[OrderTerm]) -> Result<Vec<OrderBy>, RestError> {
    let mut order: Vec<OrderBy> = Vec::with_capacity(terms.len());
    for term in terms {
        let field = field(table, &term.column)?;
        filters::check_ordered(field)?;
        // A repeated column orders nothing any more.
        if order.iter().any(|o| o.field == field.id) {
            continue;
        }
        let nulls = if term.nulls_first { NullsOrder::First } else { NullsOrder::Last };
        order.push(OrderBy { field: field.id, descending: term.descending, nulls });
    }
    Ok(order)
}

/// The name that was probably meant.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    let length = name.chars().count();
    if length > LONGEST {
        return None;
    }
    known
        .map(|k| (strsim::damerau_levenshtein(name, k), k))
        .filter(|(distance, _)| *distance <= (length / 3).max(1))
        .min()
        .map(|(_, k)| k)
}
