//! Measures Takt over HTTP beside a hand-written axum + rusqlite program that does the same work, in the same run.
//!
//! Lives here: the order of measurements and the table. `load.rs` is the load generator, `handwritten.rs` the
//! program to compare with, `server.rs` starts either, `shop.rs` fills them with the same rows.
//! Figures are ratios within one run; machines are noisy, so nothing here asserts.

mod crowd;
mod deliveries;
mod event_cost;
mod handwritten;
mod load;
mod server;
mod shop;

use std::{fmt::Write as _, path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};
use load::Figures;
use server::Running;

/// Measures Takt beside a hand-written program.
#[derive(Parser)]
struct Arguments {
    /// Seconds for each measurement.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Connections that ask at the same time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Where the table goes.
    #[arg(long, default_value = "docs/benchmarks.md")]
    out: PathBuf,
    /// Deliveries that wait for one dead receiver, when it is measured what they do to the others.
    #[arg(long, default_value_t = 1_000_000)]
    waiting: u32,
    /// Measures only the work whose name has this in it, and writes no table: `--only checkout`; or one of the parts
    /// behind it: deliveries, crowd, event.
    #[arg(long)]
    only: Option<String>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// The hand-written program (started by the measuring one).
    Handwritten {
        /// Folder of its database.
        folder: PathBuf,
    },
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    match &arguments.part {
        Some(Part::Handwritten { folder }) => handwritten::serve(folder).await,
        None => measure(&arguments).await,
    }
}

/// What is asked of both, in the order of the table.
const WORK: [(&str, &str); 5] = [
    ("read by key", "-"),
    ("list of 20, filter and order", "-"),
    ("list of 20 with an embedded row", "-"),
    ("insert", "WAL, synchronous=FULL, group commit, both"),
    (
        "checkout with its event row (TypeScript in Takt, native in the other)",
        "WAL, synchronous=FULL, group commit, both",
    ),
];

async fn measure(arguments: &Arguments) -> Result<(), Failure> {
    let duration = Duration::from_secs(arguments.seconds);
    let part = match arguments.only.as_deref() {
        Some("deliveries") => Some(deliveries::measure().await?),
        Some("crowd") => Some(crowd::measure(arguments.waiting).await?),
        Some("event") => Some(event_cost::measure(arguments.connections, duration).await?),
        _ => None,
    };
    if let Some(text) = part {
        say(&text);
        return Ok(());
    }
    // The other program writes the event of a checkout and delivers it to nobody.
    let project = tempfile::TempDir::new()?;
    event_cost::copy_unheard(project.path())?;
    let takt = Running::shop(project.path())?;
    let fresh = takt.resident_megabytes();
    let shop = shop::fill_takt(&takt).await?;
    let other = Running::handwritten()?;
    let theirs = shop::fill_handwritten(&other, &shop).await?;
    let idle = takt.resident_megabytes();
    let mut rows = Vec::new();
    let is_wanted = |name: &str| arguments.only.as_deref().is_none_or(|part| name.contains(part));
    for (at, (name, durability)) in WORK.iter().enumerate().filter(|(_, (name, _))| is_wanted(name)) {
        // Warm, then alternate twice and keep the better of each: the other tenant of the machine is not ours.
        let mut best: [Option<Figures>; 2] = [None, None];
        for round in 0..3 {
            for (who, running, requests) in [(0, &takt, &shop.requests[at]), (1, &other, &theirs[at])] {
                let time = if round == 0 { Duration::from_millis(500) } else { duration };
                let figures = load::run(running, requests, arguments.connections, time).await?;
                if round > 0 && best[who].as_ref().is_none_or(|b| figures.cpu_micros < b.cpu_micros) {
                    best[who] = Some(figures);
                }
            }
        }
        if let [Some(ours), Some(hand)] = best {
            say(&format!("{name}: {ours} | hand-written {hand}"));
            rows.push((*name, *durability, ours, hand));
        }
    }
    if arguments.only.is_some() {
        return Ok(());
    }
    let mut text = table(arguments, &server::profile()?, &rows, (fresh, idle), &takt, &other);
    drop((takt, other));
    text.push_str(&deliveries::measure().await?);
    text.push_str(&event_cost::measure(arguments.connections, duration).await?);
    text.push_str(&crowd::measure(arguments.waiting).await?);
    std::fs::write(&arguments.out, text)?;
    say(&format!("wrote {}", arguments.out.display()));
    Ok(())
}

fn table(
    arguments: &Arguments,
    profile: &str,
    rows: &[(&str, &str, Figures, Figures)],
    (fresh, filled): (f64, f64),
    takt: &Running,
    other: &Running,
) -> String {
    let mut text = String::from(
        "# Benchmarks\n\n\
         Written by `cargo xtask bench`; do not edit by hand.\n\n\
         Both programs run on the same machine, alternating, over HTTP/1.1 on loopback with the load generator on the\n\
         same cores. Takt checks the key, weaves the policies and writes its request log; the hand-written program\n\
         (`benches/src/handwritten.rs`, axum + rusqlite, prepared statements, group commit) does none of that.\n\
         Both write the event of a checkout into their outbox, and nobody waits for it; what deliveries cost is\n\
         told further down.\n\
         Ratios are the dependable part: hand-written CPU per request divided by Takt's (1.0 is as cheap).\n\n",
    );
    let _ = writeln!(
        text,
        "Both are built with the profile `{profile}`. {} connections, {} s each, 10,000 products.\n",
        arguments.connections, arguments.seconds
    );
    text.push_str(
        "| work | durability | Takt: req/s, CPU us, p50 ms, p99 ms | hand-written: the same | ratio of CPU | ratio of req/s |\n\
         |---|---|---|---|---|---|\n",
    );
    for (name, durability, ours, hand) in rows {
        let _ = writeln!(
            text,
            "| {name} | {durability} | {ours} | {hand} | {:.2} | {:.2} |",
            hand.cpu_micros / ours.cpu_micros,
            ours.per_second / hand.per_second,
        );
    }
    let _ = writeln!(
        text,
        "\n| | Takt | hand-written |\n|---|---|---|\n| process start to first answer | {} ms | {} ms |\n\
         | resident memory after start | {fresh:.0} MB | - |\n\
         | resident memory after filling | {filled:.0} MB | - |\n\
         | resident memory at the end | {:.0} MB | {:.0} MB |",
        takt.ready_after.as_millis(),
        other.ready_after.as_millis(),
        takt.resident_megabytes(),
        other.resident_megabytes(),
    );
    text
}

#[expect(clippy::print_stderr, reason = "a command line tool talks")]
pub(crate) fn say(line: &str) {
    eprintln!("{line}");
}
