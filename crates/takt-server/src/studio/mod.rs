//! The console at `/studio`: the owner's pages, server-rendered, in German and English.
//!
//! Every page says in words and shapes what it says in colour; nothing inline, so that the content policy can be
//! strict; every POST carries a token bound to the session. What somebody may see and change is decided by the
//! policies of the project, as at the data door: pages run plans as the account that is signed in.

mod assets;
mod audit;
mod connection;
mod deliveries;
mod delivery;
mod doors;
mod drift;
mod jobs;
mod language;
mod lights;
mod orders;
mod overview;
mod page;
mod products;
mod reason;
mod reconciled;
mod refusal;
mod rows;
mod session;
mod stories;
mod test_order;
mod webhooks;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Extension, Router,
    routing::{get, post},
};
use ring::hmac;
use takt_interfaces::InterfacesError;
use takt_report::{Evidence, Report, Rooms};

use crate::{app::App, deliveries::facts};

/// A report is made anew after this time.
const REPORT_LIFE: Duration = Duration::from_secs(60);

/// The pages under `/studio`; paths are relative to it.
pub(crate) fn router() -> Router<Arc<App>> {
    Router::new()
        .route("/", get(overview::show))
        .route("/setup", get(doors::setup_form).post(doors::setup))
        .route("/sign-in", get(doors::sign_in_form).post(doors::sign_in))
        .route("/sign-out", post(doors::sign_out))
        .route("/account", get(doors::account))
        .route("/language", post(doors::language))
        .route("/stories", get(stories::list))
        .route("/stories/{id}", get(stories::one).post(stories::reveal))
        .route("/tales/{id}", get(audit::tale))
        .route("/audit", get(audit::list))
        .route("/jobs", get(jobs::list))
        .route("/jobs/run/{function}", post(jobs::run))
        .route("/jobs/{id}", post(jobs::decide))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{connection}", get(connection::one))
        .route("/deliveries/{connection}/pause", post(connection::pause))
        .route("/deliveries/{connection}/resume", post(connection::resume))
        .route("/deliveries/{connection}/reconcile", post(reconciled::compare))
        .route("/deliveries/{connection}/settled", post(reconciled::settle))
        .route("/deliveries/{connection}/replay", get(connection::replay_form).post(connection::replay))
        .route("/deliveries/{connection}/changes/{id}", post(drift::accept))
        .route("/deliveries/{connection}/test", post(webhooks::test))
        .route("/deliveries/{connection}/rotate", post(webhooks::rotate))
        .route("/deliveries/{connection}/remove", get(webhooks::remove_form).post(webhooks::remove))
        .route("/webhooks/new", get(webhooks::form).post(webhooks::create))
        .route("/deliveries/{connection}/{id}", get(delivery::one).post(delivery::decide))
        .route("/deliveries/{connection}/{id}/content", post(delivery::edit))
        .route("/deliveries/{connection}/{id}/send", post(delivery::send))
        .route("/deliveries/{connection}/{id}/reveal", post(delivery::reveal))
        .route("/test-order", post(test_order::place))
        .route("/test-order/cancel", post(test_order::cancel))
        .route("/orders", get(orders::list))
        .route("/orders/{id}", get(orders::one))
        .route("/orders/{id}/state", post(orders::change_state))
        .route("/products", get(products::list))
        .route("/products/{id}", get(products::form).post(products::save))
        .route("/assets/{name}", get(assets::file))
        .fallback(page::nowhere)
        .layer(Extension(Arc::new(Studio::new())))
}

/// What an error of the room of deliveries means, in German, for commands too.
pub(crate) fn told_in_german(error: &InterfacesError) -> String {
    refusal::interfaces(error, language::Language::German)
}

/// What the pages share besides the application.
pub(super) struct Studio {
    /// Binds form tokens to sessions; new with each start.
    form_key: hmac::Key,
    report: tokio::sync::Mutex<Option<Kept>>,
}

/// A report with the facts it stands on.
#[derive(Clone)]
pub(super) struct Kept {
    made: Instant,
    pub(super) evidence: Arc<Evidence>,
    pub(super) report: Arc<Report>,
}

impl Studio {
    fn new() -> Self {
        let chance = [uuid::Uuid::new_v4().into_bytes(), uuid::Uuid::new_v4().into_bytes()].concat();
        Self { form_key: hmac::Key::new(hmac::HMAC_SHA256, &chance), report: tokio::sync::Mutex::default() }
    }

    /// The report of the last minute. Made by one request at a time, off the request threads.
    pub(super) async fn report(&self, app: &Arc<App>) -> Option<Kept> {
        let mut kept = self.report.lock().await;
        if let Some(kept) = kept.as_ref().filter(|k| k.made.elapsed() < REPORT_LIFE) {
            return Some(kept.clone());
        }
        let (app, runtime) = (Arc::clone(app), tokio::runtime::Handle::current());
        let made = tokio::task::spawn_blocking(move || {
            let logic = app.logic.load_full();
            let rooms = Rooms {
                engine: &app.engine,
                auth: &app.auth,
                logic: &logic,
                outbound: &app.outbound,
                connections: facts::connections(&app),
                backups: crate::backups::facts::backups(&app),
                project_dir: &app.project_dir,
                data_dir: &app.data_dir,
            };
            let evidence = runtime.block_on(takt_report::collect(&rooms));
            let report = takt_report::judge(&evidence);
            Kept { made: Instant::now(), evidence: Arc::new(evidence), report: Arc::new(report) }
        });
        match made.await {
            Ok(made) => {
                *kept = Some(made.clone());
                Some(made)
            }
            Err(error) => {
                tracing::error!(%error, "the report could not be made");
                None
            }
        }
    }

    /// Forgets the report: something was changed that it tells of.
    pub(super) async fn forget_report(&self) {
        *self.report.lock().await = None;
    }
}
