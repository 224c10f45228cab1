//! The database's record of itself: its format, the schema it holds, and the running numbers.
//! What it holds is read back from this record, never guessed from SQLite's catalogue.

mod ddl;
mod record;

use std::path::Path;

use rusqlite::Connection;
use takt_model::Project;
use takt_plan::{Migration, Step, StoredSchema};

use super::{
    error::{driver, opening, refused},
    ident::Ident,
};
use crate::StoreError;

/// The format of our own tables that this release reads and writes.
const FORMAT: i64 = 1;

/// Our own tables; `takt-model` keeps their names from the project's tables.
const RECORD: &str = "\
CREATE TABLE takt_meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE takt_schema (version INTEGER NOT NULL PRIMARY KEY, description TEXT NOT NULL) STRICT;
CREATE TABLE takt_counters (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) STRICT;";

/// Makes the record in a new database; in an existing one looks whether it is ours and of a known format.
pub(super) fn ensure_record(conn: &mut Connection, file: &Path) -> Result<(), StoreError> {
    let tables: i64 = conn
        .query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0))
        .map_err(|e| opening(&e, file))?;
    if tables == 0 {
        let made = conn.transaction().and_then(|tx| {
            tx.execute_batch(RECORD)?;
            tx.execute("INSERT INTO takt_meta (key, value) VALUES ('format', ?1)", [FORMAT.to_string()])?;
            tx.commit()
        });
        return made.map_err(|e| opening(&e, file));
    }
    let format: Result<String, _> =
        conn.query_row("SELECT value FROM takt_meta WHERE key = 'format'", [], |r| r.get(0));
    match format.ok().and_then(|f| f.parse::<i64>().ok()) {
        Some(FORMAT) => Ok(()),
        Some(newer) if newer > FORMAT => Err(StoreError::Open(format!(
            "the database {} was written by a newer release of Takt (format {newer}; this release knows \
             format {FORMAT}): start that release or a later one",
            file.display()
        ))),
        Some(older) => Err(StoreError::Open(format!(
            "the database {} has the unknown format {older}; this release knows format {FORMAT}",
            file.display()
        ))),
        None => Err(StoreError::Open(format!("the database {} was not made by Takt", file.display()))),
    }
}

/// The schema that the database holds now.
pub(crate) fn stored_schema(conn: &Connection) -> Result<StoredSchema, StoreError> {
    let (_, schema) = latest(conn)?;
    Ok(schema)
}

fn latest(conn: &Connection) -> Result<(i64, StoredSchema), StoreError> {
    let text = "SELECT version, description FROM takt_schema ORDER BY version DESC LIMIT 1";
    let mut statement = conn.prepare_cached(text).map_err(driver)?;
    let mut rows = statement.query([]).map_err(driver)?;
    match rows.next().map_err(driver)? {
        None => Ok((0, StoredSchema::default())),
        Some(row) => {
            let description: String = row.get(1).map_err(driver)?;
            Ok((row.get(0).map_err(driver)?, record::read(&description)?))
        }
    }
}

/// Makes the steps and writes the new record, inside the running transaction.
pub(crate) fn migrate(conn: &Connection, project: &Project, migration: &Migration) -> Result<(), StoreError> {
    if let Some(first) = migration.refused.first() {
        return Err(refused("0A000", first.what.clone()));
    }
    for step in &migration.steps {
        make(conn, project, step)?;
    }
    let (version, stored) = latest(conn)?;
    let wanted = StoredSchema::of(project);
    if stored != wanted {
        conn.execute(
            "INSERT INTO takt_schema (version, description) VALUES (?1, ?2)",
            (version + 1, record::write(&wanted)),
        )
        .map_err(driver)?;
    }
    Ok(())
}

fn make(conn: &Connection, project: &Project, step: &Step) -> Result<(), StoreError> {
    match step {
        Step::CreateTable(id) => {
            let table = project.get(*id);
            execute(conn, &ddl::create_table(project, table))?;
            for index in &table.indexes {
                execute(conn, &ddl::create_index(table, index))?;
            }
            Ok(())
        }
        Step::AddField(table, field) => {
            execute(conn, &ddl::add_field(project, project.get(*table), project.get(*table).get(*field)))
        }
        Step::CreateIndex(table, at) => {
            let table = project.get(*table);
            let Some(index) = table.indexes.get(*at) else {
                return Err(StoreError::Internal("a step names an index that is not there".to_owned()));
            };
            if index.unique {
                refuse_doubles(conn, table, index)?;
            }
            execute(conn, &ddl::create_index(table, index))
        }
        Step::DropIndex(name) => {
            let mut text = String::from("DROP INDEX ");
            Ident(name).push_to(&mut text);
            execute(conn, &text)
        }
    }
}

fn execute(conn: &Connection, text: &str) -> Result<(), StoreError> {
    conn.execute_batch(text).map_err(driver)
}

/// A unique index over rows that already agree cannot be made; the number of them is said.
fn refuse_doubles(
    conn: &Connection,
    table: &takt_model::Table,
    index: &takt_model::Index,
) -> Result<(), StoreError> {
    let doubles: i64 = conn.query_row(&ddl::count_doubles(table, index), [], |r| r.get(0)).map_err(driver)?;
    if doubles == 0 {
        return Ok(());
    }
    let rows = if doubles == 1 { "1 row has".to_owned() } else { format!("{doubles} rows have") };
    Err(refused(
        "23505",
        format!(
            "table `{}`: the unique index `{}` cannot be made: {rows} values that another row has already; \
             awaits `takt apply`",
            table.name, index.name
        ),
    ))
}
