//! `select`: which columns and embeds an answer shows, as a tree; filters, orders and windows of embeds
//! hang on the same tree. Names are not looked up here.

use crate::{
    RestError,
    filter::Logic,
    limits,
    order::OrderTerm,
    scan::{Name, Scanner},
};

/// One table of the request: what it shows and which rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tree {
    pub(crate) items: Vec<Item>,
    pub(crate) embeds: Vec<Embed>,
    pub(crate) filters: Vec<Logic>,
    pub(crate) order: Option<Vec<OrderTerm>>,
    pub(crate) limit: Option<u64>,
    pub(crate) offset: Option<u64>,
}

/// One thing that is shown, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Item {
    /// `*`
    All,
    /// `alias:name`
    Column { alias: Option<String>, name: String },
    /// The embed at this position of [`Tree::embeds`].
    Embed(usize),
}

/// `alias:target!hint!inner(...)`
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Embed {
    pub(crate) alias: Option<String>,
    pub(crate) target: String,
    pub(crate) hint: Option<String>,
    pub(crate) join: Option<JoinWord>,
    pub(crate) tree: Tree,
}

/// What stands behind `!` besides a hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinWord {
    Inner,
    Left,
}

impl Embed {
    /// The key in the answer.
    pub(crate) fn name(&self) -> &str {
        self.alias.as_deref().unwrap_or(&self.target)
    }

    /// `rel()` shows nothing; it is there for filters.
    pub(crate) fn is_shown(&self) -> bool {
        !self.tree.items.is_empty()
    }
}

impl Tree {
    /// Everything of a table: no `select` at all.
    pub(crate) fn all() -> Self {
        Self { items: vec![Item::All], ..Self::default() }
    }

    /// Reads `select`; an empty text shows nothing of each row.
    pub(crate) fn parse(text: &str) -> Result<Self, RestError> {
        let mut scan = Scanner::new(text, "select parameter");
        scan.blanks();
        if scan.is_done() {
            return Ok(Self::default());
        }
        let tree = items(&mut scan, 0)?;
        scan.end("\",\" or end of input")?;
        Ok(tree)
    }

    /// Where the embed stands that a path segment means: its alias, else the name of its relation.
    pub(crate) fn embed_named(&self, name: &str) -> Option<usize> {
        let find = |fits: &dyn Fn(&Embed) -> bool| self.embeds.iter().position(fits);
        find(&|e| e.alias.as_deref() == Some(name))
            .or_else(|| find(&|e| e.alias.is_none() && e.target == name))
            .or_else(|| find(&|e| e.target == name))
    }

    /// The tree at `path`.
    pub(crate) fn at_path(&mut self, path: &[String]) -> Result<&mut Self, RestError> {
        let mut tree = self;
        for name in path {
            let Some(embed) = tree.embed_named(name).and_then(|at| tree.embeds.get_mut(at)) else {
                return Err(not_embedded(name));
            };
            tree = &mut embed.tree;
        }
        Ok(tree)
    }
}

fn not_embedded(name: &str) -> RestError {
    RestError::new("PGRST108", format!("'{name}' is not an embedded resource in this request"))
        .hint(format!("Verify that '{name}' is included in the 'select' query parameter."))
}

fn items(scan: &mut Scanner<'_>, depth: usize) -> Result<Tree, RestError> {
    let mut tree = Tree::default();
    loop {
        item(scan, depth, &mut tree)?;
        if tree.items.len() > limits::COLUMNS {
            return Err(limits::exceeded("columns in select", limits::COLUMNS));
        }
        scan.blanks();
        if !scan.eat(",") {
            return Ok(tree);
        }
    }
}

fn item(scan: &mut Scanner<'_>, depth: usize, tree: &mut Tree) -> Result<(), RestError> {
    scan.blanks();
    if scan.eat("*") {
        tree.items.push(Item::All);
        return Ok(());
    }
    if scan.rest().starts_with("...") {
        return Err(RestError::not_built("spread embeds (...) in select"));
    }
    let mut name = scan.name()?;
    let mut alias = None;
    if scan.peek() == Some(':') && !scan.rest().starts_with("::") {
        scan.bump();
        alias = Some(name.text);
        name = scan.name()?;
    }
    match scan.peek() {
        Some('(') if name.is_word("count") => Err(aggregate("count()")),
        Some('(' | '!') => embed(scan, depth, tree, alias, name.text),
        _ => column(scan, tree, alias, name),
    }
}

fn column(
    scan: &mut Scanner<'_>,
    tree: &mut Tree,
    alias: Option<String>,
    name: Name,
) -> Result<(), RestError> {
    let rest = scan.rest();
    let column = &name.text;
    if rest.starts_with("->") {
        return Err(RestError::not_built(format_args!("JSON paths in select ({column}->)")));
    }
    if rest.starts_with("::") {
        return Err(RestError::not_built(format_args!("casts in select ({column}::)")));
    }
    if let Some(call) = rest.strip_prefix('.') {
        for function in ["sum", "avg", "min", "max", "count"] {
            if call.strip_prefix(function).is_some_and(|r| r.starts_with('(')) {
                return Err(aggregate(&format!("{column}.{function}()")));
            }
        }
    }
    if !matches!(scan.peek(), None | Some(',' | ')')) {
        return Err(scan.expected("\",\", \"(\", \"!\", \":\" or end of input"));
    }
    tree.items.push(Item::Column { alias, name: name.text });
    Ok(())
}

fn embed(
    scan: &mut Scanner<'_>,
    depth: usize,
    tree: &mut Tree,
    alias: Option<String>,
    target: String,
) -> Result<(), RestError> {
    if depth >= limits::EMBED_DEPTH {
        return Err(limits::exceeded("embeds within each other", limits::EMBED_DEPTH));
    }
    let (mut hint, mut join) = (None, None);
    while scan.eat("!") {
        let word = scan.name()?;
        let joins = match word.text.as_str() {
            "inner" if !word.quoted => Some(JoinWord::Inner),
            "left" if !word.quoted => Some(JoinWord::Left),
            _ => None,
        };
        match joins {
            Some(_) if join.is_none() => join = joins,
            None if hint.is_none() => hint = Some(word.text),
            _ => return Err(scan.expected("at most one hint and one of \"inner\", \"left\"")),
        }
    }
    if !scan.eat("(") {
        return Err(scan.expected("\"(\""));
    }
    scan.blanks();
    let inner = if scan.peek() == Some(')') { Tree::default() } else { items(scan, depth + 1)? };
    if !scan.eat(")") {
        return Err(scan.expected("\",\" or \")\""));
    }
    tree.items.push(Item::Embed(tree.embeds.len()));
    tree.embeds.push(Embed { alias, target, hint, join, tree: inner });
    Ok(())
}

/// Also for `rel(count)`, the old spelling, which only the schema can tell from a column of that name.
pub(crate) fn aggregate(what: &str) -> RestError {
    RestError::not_built(format_args!("aggregates in select ({what})"))
}
