//! Demonstration data: `seeds/<table>.csv` into a database whose tables are all empty, in one transaction.
//! Lives here: when they are loaded, and the plans. Not here: reading them (`seeds/read.rs`), trying them before there
//! is a database (`seeds/trial.rs`), what a value means (`takt-model`).

mod csv;
mod read;
mod trial;

use takt_engine::{Engine, EngineError, EngineTx};
use takt_model::{Exposure, FieldId, Principal, Project, TableId, Value};
use takt_plan::{Insert, Missing, Node, Plan};

pub(crate) use read::read;
pub(crate) use trial::try_rows;

/// Rows of one insert.
const ROWS_AT_ONCE: usize = 500;
const SYSTEM: &str = "seeds: load demonstration data";

/// A row breaks a rule of the schema; nothing was written then.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("The seeds cannot be loaded: {0}.")]
pub struct SeedError(String);

impl From<EngineError> for SeedError {
    fn from(error: EngineError) -> Self {
        Self(error.to_string())
    }
}

/// Rows of one table, ready to be inserted.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// `seeds/products.csv`
    file: String,
    table: TableId,
    fields: Vec<FieldId>,
    rows: Vec<Row>,
}

/// A row of a file; a value that is not said takes the field's default.
#[derive(Debug, Clone)]
struct Row {
    /// From 1.
    line: u32,
    values: Vec<Option<Value>>,
}

impl Batch {
    fn insert(&self, rows: &[Row]) -> Plan {
        Plan::Insert(Insert {
            table: self.table,
            fields: self.fields.clone(),
            rows: rows.iter().map(|r| r.values.clone()).collect(),
            missing: Missing::Default,
            conflict: None,
            returning: None,
        })
    }
}

/// Loads the seeds if the project's tables are all empty; says how many rows were written.
pub(crate) fn load(engine: &Engine, batches: Vec<Batch>) -> Result<u64, SeedError> {
    if batches.is_empty() || !all_tables_empty(engine, &engine.project())? {
        return Ok(0);
    }
    engine.transact_blocking(move |tx| write(tx, &batches))
}

fn all_tables_empty(engine: &Engine, project: &Project) -> Result<bool, SeedError> {
    let who = Principal::system(SYSTEM);
    engine.look_up(|tx| {
        for table in project.tables.iter().filter(|t| t.exposure == Exposure::Public) {
            let mut node = Node::all(table.id);
            node.window.limit = Some(1);
            if !tx.rows(&who, Plan::read(node))?.0.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

fn write(tx: &EngineTx, batches: &[Batch]) -> Result<u64, SeedError> {
    let who = Principal::system(SYSTEM);
    let mut written = 0;
    for batch in batches {
        for rows in batch.rows.chunks(ROWS_AT_ONCE) {
            written += tx.rows(&who, batch.insert(rows))?.1.affected;
        }
    }
    Ok(written)
}
