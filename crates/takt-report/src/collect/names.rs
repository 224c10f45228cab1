//! What the rows of a story are called today, so that it can say "Steingutkanne" instead of an id.

use takt_engine::{Engine, Story};
use takt_model::{Expr, Value};

use super::{data, rows_of};
use crate::story::{RowNames, name_fields};

/// Rows that are looked up for one story.
const ROWS: usize = 50;

/// Looks up the names of the rows that `story` wrote. Rows without a name, or gone, are left out; names that
/// are personal are never used.
pub async fn row_names(engine: &Engine, story: &Story, language: &str) -> RowNames {
    let project = engine.project();
    let mut names = RowNames::new();
    for (table_name, key) in rows_of(story).into_iter().take(ROWS) {
        let Some(table) = project.table(&table_name) else { continue };
        let (Some(name), [id]) =
            (name_fields(table, language).first().copied(), table.primary_key.as_slice())
        else {
            continue;
        };
        let Ok(value) = table.get(*id).kind.parse_text(&key) else { continue };
        let this = Expr::eq(table.id, *id, value);
        let Ok(found) = data::rows(engine, table, &[name.id], Some(this), 1).await else { continue };
        if let Some(Value::Text(text)) = found.first().and_then(|row| row.first()) {
            names.insert((table_name, key), text.clone());
        }
    }
    names
}
