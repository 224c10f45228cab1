//! What the event of a checkout costs: the example shop beside copies of it, in the same run, in turns. One announces
//! nothing, one announces what nobody hears, and the shop itself writes its two deliveries (to the ERP and a mail).

use std::{fmt::Write as _, path::Path, time::Duration};

use crate::{
    Failure,
    load::{self, Figures},
    server::{Running, root},
    shop,
};

const ROUNDS: usize = 5;
/// Where the checkout stands in the requests of a shop.
const CHECKOUT: usize = 4;
const EVENT: &str = "emit(\"order.placed\"";

/// The table's part about the event of a checkout.
pub(crate) async fn measure(connections: usize, duration: Duration) -> Result<String, Failure> {
    let original = root().join("examples/shop");
    let (silent, unheard) = (tempfile::TempDir::new()?, tempfile::TempDir::new()?);
    copy(&original, silent.path())?;
    copy_unheard(unheard.path())?;
    let file = silent.path().join("logic/checkout.ts");
    let text = std::fs::read_to_string(&file)?;
    if text.matches(EVENT).count() != 1 {
        return Err("the checkout of the example shop does not announce once any more".into());
    }
    // Its content is made all the same: what is measured is the announcing.
    std::fs::write(&file, text.replace(EVENT, "Object(\"nothing\""))?;

    let names = ["no event", "an event that nobody waits for", "the event with its two deliveries"];
    let mut shops = Vec::new();
    for project in [silent.path(), unheard.path(), &original] {
        let running = Running::shop(project)?;
        let filled = shop::fill_takt(&running).await?;
        shops.push((running, filled));
    }
    let mut measured: Vec<Vec<Figures>> = names.iter().map(|_| Vec::new()).collect();
    for round in 0..=ROUNDS {
        for (at, (running, filled)) in shops.iter().enumerate() {
            let figures = load::run(running, &filled.requests[CHECKOUT], connections, duration).await?;
            // What one leaves to be dispatched is not the next one's to pay.
            tokio::time::sleep(Duration::from_millis(300)).await;
            if round > 0 {
                measured[at].push(figures);
            }
        }
    }
    let mut text = format!(
        "\nThe checkout with and without its event, {ROUNDS} rounds in turns, medians:\n\n\
         | checkout with | checkouts/s | CPU us each | p50 ms | CPU against none |\n|---|---|---|---|---|\n",
    );
    let none = median(&measured[0], |f| f.cpu_micros);
    for (name, figures) in names.iter().zip(&measured) {
        let cpu = median(figures, |f| f.cpu_micros);
        let _ = writeln!(
            text,
            "| {name} | {:.0} | {cpu:.0} | {:.2} | {:+.1} % |",
            median(figures, |f| f.per_second),
            median(figures, |f| f.p50.as_secs_f64() * 1e3),
            (cpu / none - 1.0) * 100.0,
        );
    }
    Ok(text)
}

/// The example shop, whose checkout announces itself under a name that no connection waits for.
pub(crate) fn copy_unheard(to: &Path) -> Result<(), Failure> {
    copy(&root().join("examples/shop"), to)?;
    let file = to.join("logic/checkout.ts");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replace(EVENT, "emit(\"order.unheard\""))?;
    Ok(())
}

fn median(figures: &[Figures], of: impl Fn(&Figures) -> f64) -> f64 {
    let mut values: Vec<f64> = figures.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A project without its data.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            if entry.file_name() != "data" {
                std::fs::create_dir_all(&target)?;
                copy(&entry.path(), &target)?;
            }
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
