//! Deliveries: events of a function leave as signed webhooks to a receiver in this process; how many a second, what
//! one costs, and how long the first attempt takes after the commit at a steady rate.
//! Everything is on: attempt log, contract check, signature, limits. Nothing to compare with: hand-written programs seldom keep logs.

use std::{
    collections::HashMap,
    fmt::Write as _,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::{
    Failure,
    load::{self, request},
    server::{self, Running, signed_webhook},
};

const BURST: u64 = 4_000;
const PER_CALL: u64 = 100;
pub(crate) const STEADY_PER_SECOND: u64 = 300;
const STEADY: Duration = Duration::from_secs(5);

/// The table's part about deliveries.
pub(crate) async fn measure() -> Result<String, Failure> {
    let sink = Sink::start().await?;
    let project = tempfile::TempDir::new()?;
    write_project(project.path(), &sink.address)?;
    let secret = ("TAKT_SECRET_SINK", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX");
    let takt = Running::project(project.path(), &[secret, ("TAKT_LIMITS_VISITOR_CALLS", "0")])?;

    let Burst { per_second, each } = burst(&takt, &sink).await?;
    let mut latencies = steady(&takt, &sink).await?;
    let [p50, p99] = [0.5, 0.99].map(|share| percentile(&mut latencies, share));
    let mut text = String::from(
        "\nSigned webhooks with their attempt log and contract check, durable at every step, to a receiver on the same cores:\n\n\
         | work | result |\n|---|---|\n",
    );
    let _ = writeln!(
        text,
        "| {BURST} events of one function | {per_second:.0} deliveries/s, {each:.0} us of CPU each |\n\
         | {STEADY_PER_SECOND} events/s, call to arrival | p50 {:.1} ms, p99 {:.1} ms |",
        p50.as_secs_f64() * 1e3,
        p99.as_secs_f64() * 1e3,
    );
    Ok(text)
}

/// What a burst gave.
pub(crate) struct Burst {
    pub(crate) per_second: f64,
    /// Microseconds of CPU.
    pub(crate) each: f64,
}

/// Emits a burst and waits until all of it has arrived.
pub(crate) async fn burst(takt: &Running, sink: &Sink) -> Result<Burst, Failure> {
    let (cpu, begun, before) = (takt.cpu(), Instant::now(), sink.count());
    for _ in 0..BURST / PER_CALL {
        emit(takt, PER_CALL).await?;
    }
    sink.wait_for(before + BURST).await?;
    let took = begun.elapsed();
    let each = (takt.cpu().saturating_sub(cpu)).as_secs_f64() * 1e6 / BURST as f64;
    Ok(Burst { per_second: BURST as f64 / took.as_secs_f64(), each })
}

/// The value below which `share` of them lie.
pub(crate) fn percentile(latencies: &mut [Duration], share: f64) -> Duration {
    latencies.sort_unstable();
    let index = (latencies.len() as f64 * share) as usize;
    latencies.get(index.min(latencies.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// Calls at a steady rate, one event each; how long until each arrived.
pub(crate) async fn steady(takt: &Running, sink: &Sink) -> Result<Vec<Duration>, Failure> {
    let before = sink.count();
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / STEADY_PER_SECOND));
    let (begun, mut sent, mut calls) = (Instant::now(), HashMap::new(), Vec::new());
    while begun.elapsed() < STEADY {
        ticks.tick().await;
        let number = before + sent.len() as u64;
        sent.insert(number, Instant::now());
        let address = takt.address.clone();
        calls.push(tokio::spawn(async move { call(&address, 1, number).await }));
    }
    for task in calls {
        task.await??;
    }
    sink.wait_for(before + sent.len() as u64).await?;
    let arrived = sink.arrived.lock().map_err(|_| "a task of the receiver panicked")?;
    let took = |(number, at): (&u64, &Instant)| Some(arrived.get(number)?.saturating_duration_since(*at));
    Ok(sent.iter().filter_map(took).collect())
}

async fn emit(takt: &Running, count: u64) -> Result<(), Failure> {
    call(&takt.address, count, u64::MAX / 2).await
}

async fn call(address: &str, count: u64, first: u64) -> Result<(), Failure> {
    let body = json!({ "count": count, "first": first.min(1_000_000_000) }).to_string();
    let (status, text) = load::once(address, &request("POST", "/rest/v1/rpc/burst", &[], &body)).await?;
    if status < 300 { Ok(()) } else { Err(format!("{status} {text}").into()) }
}

fn write_project(folder: &Path, sink: &str) -> Result<(), Failure> {
    let contract = "contract = { request = \"contracts/event.json\" }";
    server::write_project(
        folder,
        [
            ("takt.toml", "name = \"Deliveries\"\nlanguages = [\"en\"]\n".to_owned()),
            ("logic/burst.ts", BURST_FUNCTION.to_owned()),
            ("contracts/event.json", CONTRACT.to_owned()),
            ("interfaces/sink.toml", signed_webhook(sink, "burst.event", "concurrency = 64", contract)),
        ],
    )
}

const BURST_FUNCTION: &str = r#"
export const label = { en: "Burst" };
export const access = ["anon"];
export const runs_as = "service";
export const input = { count: "integer", first: "integer" };
export default async function ({ emit }, { count, first }) {
  for (let n = 0; n < count; n++) emit("burst.event", { n: first + n, text: "about as much as an order has to say" });
}
"#;

const CONTRACT: &str = r#"{
  "type": "object", "required": ["n", "text"],
  "properties": {
    "n": { "type": "integer", "minimum": 0 },
    "text": { "type": "string", "minLength": 1, "maxLength": 200 }
  },
  "additionalProperties": false
}"#;

/// Counts what arrives, and when what is numbered does.
#[derive(Clone)]
pub(crate) struct Sink {
    pub(crate) address: String,
    count: Arc<AtomicU64>,
    arrived: Arc<Mutex<HashMap<u64, Instant>>>,
}

impl Sink {
    pub(crate) async fn start() -> Result<Self, Failure> {
        Self::start_at("127.0.0.1:0").await
    }

    pub(crate) async fn start_at(address: &str) -> Result<Self, Failure> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?.to_string();
        let sink = Self { address, count: Arc::default(), arrived: Arc::default() };
        let inner = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sink = inner.clone();
                tokio::spawn(async move { sink.serve(stream).await });
            }
        });
        Ok(sink)
    }

    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    async fn wait_for(&self, count: u64) -> Result<(), Failure> {
        let begun = Instant::now();
        while self.count() < count {
            if begun.elapsed() > Duration::from_secs(120) {
                return Err(format!("only {} of {count} arrived", self.count()).into());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let mut buffer = Vec::with_capacity(4096);
        loop {
            let head = loop {
                if let Some(at) = load::find(&buffer, b"\r\n\r\n") {
                    break at + 4;
                }
                if stream.read_buf(&mut buffer).await.ok()? == 0 {
                    return None;
                }
            };
            let text = std::str::from_utf8(buffer.get(..head)?).ok()?.to_ascii_lowercase();
            let length = text.lines().find_map(|l| l.strip_prefix("content-length:"))?;
            let end = head + length.trim().parse::<usize>().ok()?;
            while buffer.len() < end {
                if stream.read_buf(&mut buffer).await.ok()? == 0 {
                    return None;
                }
            }
            let body: serde_json::Value = serde_json::from_slice(buffer.get(head..end)?).ok()?;
            if let Some(number) = body["data"]["n"].as_u64() {
                self.arrived.lock().ok()?.insert(number, Instant::now());
            }
            self.count.fetch_add(1, Ordering::Relaxed);
            buffer.drain(..end);
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.ok()?;
        }
    }
}
