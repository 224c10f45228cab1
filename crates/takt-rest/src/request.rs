//! A request of the dialect, read but not yet looked up: no schema is needed to make one.

use crate::{
    Method, RestError, RestParts,
    body::Payload,
    filter::Logic,
    limits,
    media::{self, Media},
    order,
    prefer::{Prefer, Resolution, Returns},
    query::{self, Key},
    range,
    select::Tree,
    shape::{Cut, Shape},
};

/// What somebody asks of a table. Made by [`parse`].
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) table: String,
    pub(crate) tree: Tree,
    pub(crate) payload: Payload,
    pub(crate) on_conflict: Option<Vec<String>>,
    pub(crate) prefer: Prefer,
    pub(crate) media: Media,
}

/// Reads a request. Never panics, whatever comes.
///
/// # Errors
/// PGRST100 (query string), PGRST102 (body), PGRST103 (range), PGRST106 (profile), PGRST107 (media type),
/// PGRST108 (filter on what is not embedded), PGRST122 (preferences), PGRST127 (not built yet),
/// 54000 (more than the limits allow).
pub fn parse(parts: &RestParts<'_>) -> Result<Request, RestError> {
    parse_without(parts, &[])
}

impl Shape {
    /// Reads the request that this is the shape of, with parameters in the place of its values.
    ///
    /// # Errors
    /// As [`parse`].
    pub fn request(&self, parts: &RestParts<'_>) -> Result<Request, RestError> {
        parse_without(parts, &self.cuts)
    }
}

fn parse_without(parts: &RestParts<'_>, cuts: &[Cut]) -> Result<Request, RestError> {
    if parts.method == Method::Put {
        return Err(RestError::not_built("PUT"));
    }
    media::check_profile(parts)?;
    let media = Media::accepted(parts.accept)?;
    let prefer = Prefer::parse(parts.prefer)?;
    let query = Query::parse(parts, cuts)?;
    let payload = match parts.method {
        Method::Post | Method::Patch => {
            media::check_body_type(parts.content_type)?;
            Payload::parse(parts.body, query.columns.as_deref())?
        }
        Method::Get | Method::Head | Method::Put | Method::Delete => Payload::default(),
    };
    Ok(Request {
        method: parts.method,
        table: parts.table.to_owned(),
        tree: query.tree,
        payload,
        on_conflict: query.on_conflict,
        prefer,
        media,
    })
}

impl Request {
    /// The table's name as it was asked for.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether data is only read.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.method.is_read()
    }

    /// Whether exactly one row was asked for. The verdict inside the transaction then compares
    /// [`crate::RestOutcome::rows`] with 1 and refuses with [`RestError::not_singular`].
    #[must_use]
    pub fn singular(&self) -> bool {
        self.media == Media::Object
    }

    /// Whether the written rows are wanted back.
    pub(crate) fn wants_rows(&self) -> bool {
        self.is_read() || self.prefer.returns == Some(Returns::Representation)
    }

    /// Whether an insert is to tell where the new row is.
    pub(crate) fn wants_location(&self) -> bool {
        self.method == Method::Post && self.prefer.returns == Some(Returns::HeadersOnly)
    }

    pub(crate) fn resolution(&self) -> Option<Resolution> {
        self.prefer.resolution.filter(|_| self.method == Method::Post)
    }
}

/// The query string, read.
struct Query {
    tree: Tree,
    columns: Option<Vec<String>>,
    on_conflict: Option<Vec<String>>,
}

/// What hangs on the tree once `select` is known, which may stand last.
enum Hung {
    Order(String),
    Limit(String),
    Offset(String),
    Logic(Logic),
}

impl Hung {
    fn conditions(&self) -> usize {
        match self {
            Self::Logic(logic) => logic.conditions(),
            Self::Order(_) | Self::Limit(_) | Self::Offset(_) => 0,
        }
    }
}

impl Query {
    fn parse(parts: &RestParts<'_>, cuts: &[Cut]) -> Result<Self, RestError> {
        let (mut select, mut columns, mut on_conflict) = (None, None, None);
        let mut hung: Vec<(Vec<String>, Hung)> = Vec::new();
        let mut found = 0;
        for (at, (key, value)) in query::parameters(parts.query)?.into_iter().enumerate() {
            // The gateway's own parameter, never a column.
            if key == "apikey" {
                continue;
            }
            match query::key(&key)? {
                Key::Select => {
                    select.get_or_insert(value);
                }
                Key::Columns => {
                    columns.get_or_insert(value);
                }
                Key::OnConflict => {
                    on_conflict.get_or_insert(value);
                }
                Key::Order { path } => hung.push((path, Hung::Order(value))),
                Key::Limit { path } => hung.push((path, Hung::Limit(value))),
                Key::Offset { path } => hung.push((path, Hung::Offset(value))),
                Key::Logic { path, any, negated } => {
                    hung.push((path, Hung::Logic(Logic::group(any, negated, &value)?)));
                }
                Key::Filter { path, column } => {
                    let logic = match cuts.iter().enumerate().find(|(_, cut)| cut.parameter == at) {
                        Some((number, cut)) => Logic::cut(column, cut.op, number),
                        None => Logic::filter(column, &value)?,
                    };
                    found += usize::from(matches!(&logic, Logic::Filter(f) if f.is_cut()));
                    hung.push((path, Hung::Logic(logic)));
                }
            }
        }
        // The shape took something for a filter that is none: its values would not count.
        if found != cuts.len() {
            return Err(RestError::not_built("a shape with values that are no filters"));
        }
        let conditions: usize = hung.iter().map(|(_, what)| what.conditions()).sum();
        if conditions > limits::CONDITIONS {
            return Err(limits::exceeded("conditions of a request", limits::CONDITIONS));
        }
        let mut tree = select.as_deref().map_or_else(|| Ok(Tree::all()), Tree::parse)?;
        for (path, what) in hung {
            hang(tree.at_path(&path)?, what)?;
        }
        if let (Method::Get, Some(header)) = (parts.method, parts.range) {
            range::narrow(&mut tree.limit, &mut tree.offset, header)?;
        }
        let writes = matches!(parts.method, Method::Post | Method::Patch);
        let names = |text: Option<String>, what| {
            text.filter(|t| writes && !t.is_empty()).map(|t| query::names(&t, what)).transpose()
        };
        Ok(Self {
            tree,
            columns: names(columns, "columns parameter")?,
            on_conflict: names(on_conflict, "on_conflict parameter")?,
        })
    }
}

fn hang(tree: &mut Tree, what: Hung) -> Result<(), RestError> {
    match what {
        Hung::Order(text) => {
            let order = order::parse(&text)?;
            tree.order.get_or_insert(order);
        }
        Hung::Limit(text) => tree.limit = tree.limit.or(range::whole(&text, "Limit")?),
        Hung::Offset(text) => tree.offset = tree.offset.or(range::whole(&text, "Offset")?),
        Hung::Logic(logic) => tree.filters.push(logic),
    }
    Ok(())
}
