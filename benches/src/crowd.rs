//! One dead receiver of fifty, for which a million deliveries wait: what the others feel of it, and how fast the
//! million drains once it is back.
//! The rows are written into the database while nothing runs; emitting them one by one would measure something else.

use std::{
    fmt::Write as _,
    net::TcpListener,
    path::Path,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use serde_json::json;

use crate::{
    Failure,
    deliveries::{Burst, STEADY_PER_SECOND, Sink, burst, percentile, steady},
    load::{self, Figures, request},
    say,
    server::{self, Running, signed_webhook},
};

const OTHERS: usize = 49;
/// How long the drain is watched.
const DRAIN: Duration = Duration::from_secs(20);
const READS: Duration = Duration::from_secs(5);

/// What was felt, with or without the waiting rows.
struct Felt {
    burst: Burst,
    p50: Duration,
    p99: Duration,
    reads: Figures,
    /// While deliveries to the others leave.
    busy_reads: Figures,
}

/// The table's part about a dead receiver with `waiting` deliveries.
pub(crate) async fn measure(waiting: u32) -> Result<String, Failure> {
    let sink = Sink::start().await?;
    // A port where nobody listens until the dead one comes back.
    let dead = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
    let project = tempfile::TempDir::new()?;
    write_project(project.path(), &sink.address, &dead)?;
    let takt = start(project.path())?;
    call(&takt, "one_for_the_dead").await?;
    let before = felt(&takt, &sink).await?;
    drop(takt);

    say(&format!("writing {waiting} waiting deliveries"));
    fill(&project.path().join("data/takt.db"), waiting)?;
    let takt = start(project.path())?;
    let ready_after = takt.ready_after;
    let with = felt(&takt, &sink).await?;

    let back = Sink::start_at(&dead).await?;
    // The breaker looks again within two seconds.
    let reached = Instant::now();
    while back.count() == 0 && reached.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (begun, first) = (Instant::now(), back.count());
    let reads = load::run(&takt, &reads(), 4, DRAIN.min(Duration::from_secs(10))).await?;
    tokio::time::sleep(DRAIN.saturating_sub(begun.elapsed())).await;
    let per_second = (back.count() - first) as f64 / begun.elapsed().as_secs_f64();

    let mut text = format!(
        "\n{OTHERS} receivers beside a dead one for which {waiting} deliveries wait and are due:\n\n\
         | what the others feel | nothing waits | {waiting} wait |\n|---|---|---|\n",
    );
    let millis = |d: Duration| d.as_secs_f64() * 1e3;
    let _ = writeln!(
        text,
        "| deliveries to them | {:.0}/s, {:.0} us of CPU each | {:.0}/s, {:.0} us of CPU each |\n\
         | {STEADY_PER_SECOND} events/s, call to arrival | p50 {:.1} ms, p99 {:.1} ms | p50 {:.1} ms, p99 {:.1} ms |\n\
         | reads over HTTP, 4 at a time, p99 | {:.2} ms | {:.2} ms |\n\
         | the same while deliveries to them leave | {:.2} ms | {:.2} ms |\n\
         | process start to first answer | - | {} ms |\n\n\
         The dead one is back: {per_second:.0} of its deliveries arrive a second; reads meanwhile p99 {:.2} ms.",
        before.burst.per_second,
        before.burst.each,
        with.burst.per_second,
        with.burst.each,
        millis(before.p50),
        millis(before.p99),
        millis(with.p50),
        millis(with.p99),
        millis(before.reads.p99),
        millis(with.reads.p99),
        millis(before.busy_reads.p99),
        millis(with.busy_reads.p99),
        ready_after.as_millis(),
        millis(reads.p99),
    );
    Ok(text)
}

fn start(project: &Path) -> Result<Running, Failure> {
    let secret = ("TAKT_SECRET_SINK", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
    Running::project(project, &[secret, ("TAKT_LIMITS_VISITOR_CALLS", "0")])
}

async fn felt(takt: &Running, sink: &Sink) -> Result<Felt, Failure> {
    // Once to warm up, and the better of two: the other tenant of the machine is not ours.
    burst(takt, sink).await?;
    let (one, other) = (burst(takt, sink).await?, burst(takt, sink).await?);
    let burst = if one.per_second > other.per_second { one } else { other };
    let mut latencies = steady(takt, sink).await?;
    let [p50, p99] = [0.5, 0.99].map(|share| percentile(&mut latencies, share));
    let reads = load::run(takt, &reads(), 4, READS).await?;
    let busy_reads = busy_reads(takt, sink).await?;
    Ok(Felt { burst, p50, p99, reads, busy_reads })
}

async fn busy_reads(takt: &Running, sink: &Sink) -> Result<Figures, Failure> {
    let begun = Instant::now();
    let bursts = async {
        while begun.elapsed() < READS {
            burst(takt, sink).await?;
        }
        Ok::<(), Failure>(())
    };
    let requests = reads();
    let (figures, ()) = tokio::try_join!(load::run(takt, &requests, 4, READS), bursts)?;
    Ok(figures)
}

fn reads() -> load::Requests {
    vec![request("GET", "/rest/v1/notes?select=id,text&order=id.desc&limit=20", &[], "")]
}

async fn call(takt: &Running, function: &str) -> Result<(), Failure> {
    let path = format!("/rest/v1/rpc/{function}");
    let (status, text) =
        load::once(&takt.address, &request("POST", &path, &[], &json!({}).to_string())).await?;
    if status < 300 { Ok(()) } else { Err(format!("{status} {text}").into()) }
}

/// Copies the one delivery that waits for the dead receiver, with its event, `waiting` times.
fn fill(file: &Path, waiting: u32) -> Result<(), Failure> {
    let database = Connection::open(file)?;
    let columns = |table: &str| -> Result<Vec<String>, Failure> {
        let mut asked = database.prepare("SELECT name FROM pragma_table_info(?1)")?;
        Ok(asked.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?)
    };
    // Twelve hex digits of time, the number, and zeros: unique, and in the order of the numbers.
    let id = "unhex(printf('%s%08x%012x', substr(hex(t.id), 1, 12), n.i, 0))";
    let event = "unhex(printf('%s%08x%012x', substr(hex(t.event), 1, 12), n.i, 0))";
    let copy = |table: &str, from: &str, value: &dyn Fn(&str) -> String| -> Result<String, Failure> {
        let names = columns(table)?;
        let list = names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ");
        let values = names.iter().map(|n| value(n)).collect::<Vec<_>>().join(", ");
        Ok(format!(
            "INSERT INTO \"{table}\" ({list}) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
             SELECT {values} FROM n, ({from}) t"
        ))
    };
    let template = "SELECT * FROM \"takt.deliveries\" WHERE connection = 'dead' LIMIT 1";
    let events = copy(
        "takt.outbox_events",
        &format!("SELECT e.* FROM \"takt.outbox_events\" e, ({template}) d WHERE e.id = d.event"),
        &|name| if name == "id" { id.to_owned() } else { format!("t.\"{name}\"") },
    )?;
    let deliveries = copy("takt.deliveries", template, &|name| match name {
        "id" => id.to_owned(),
        "event" => event.to_owned(),
        "attempts" | "claimed" => "0".to_owned(),
        "next_at" => "t.created_at + n.i".to_owned(),
        "first_at" | "outcome" | "error" => "NULL".to_owned(),
        other => format!("t.\"{other}\""),
    })?;
    database.execute_batch("PRAGMA cache_size = -400000; BEGIN")?;
    database.execute(&events, params![waiting])?;
    database.execute(&deliveries, params![waiting])?;
    database.execute_batch("COMMIT")?;
    Ok(())
}

fn write_project(folder: &Path, sink: &str, dead: &str) -> Result<(), Failure> {
    server::write_project(
        folder,
        [
            ("takt.toml", "name = \"Crowd\"\nlanguages = [\"en\"]\n".to_owned()),
            ("schema/notes.toml", NOTES.to_owned()),
            ("logic/burst.ts", BURST.to_owned()),
            ("logic/one_for_the_dead.ts", ONE.to_owned()),
            ("interfaces/dead.toml", connection(dead, "dead.event")),
        ],
    )?;
    for n in 0..OTHERS {
        let file = (format!("interfaces/c{n}.toml"), connection(sink, &format!("burst.c{n}")));
        server::write_project(folder, [(file.0.as_str(), file.1)])?;
    }
    Ok(())
}

fn connection(address: &str, event: &str) -> String {
    let guard = "concurrency = 64, breaker = \"5 of 10, half-open 1s..2s\"";
    signed_webhook(address, event, guard, "retry = { schedule = [\"1s\"] }")
}

const NOTES: &str = r#"
label = { en = "Notes" }
[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"
[fields.text]
type = "text"
[[policies]]
name = "everybody reads"
to = ["anon"]
allow = ["select"]
using = "true"
"#;

const BURST: &str = r#"
export const label = { en: "Burst" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { count: "integer", first: "integer" };
export default async function ({ db, emit }, { count, first }) {
  if (count > 1 && (await db.notes.find({ limit: 1 })).length === 0) {
    await db.notes.insert(Array.from({ length: 100 }, (_, n) => ({ text: `Note ${n}` })));
  }
  for (let n = 0; n < count; n++) {
    emit(`burst.c${(first + n) % 49}`, { n: first + n, text: "about as much as an order has to say" });
  }
}
"#;

const ONE: &str = r#"
export const label = { en: "One" };
export const access = ["anon"];
export const runs_as = "service";
export default async function ({ emit }) {
  emit("dead.event", { n: 0, text: "about as much as an order has to say" });
}
"#;
