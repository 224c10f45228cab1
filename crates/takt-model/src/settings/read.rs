//! The merged layers to [`Settings`]: one line for each key of `takt.default.toml`.

use std::time::Duration;

use super::layers::{self, Entry, Raw};
use super::take::{self, Take};
use super::{
    AuthSettings, BackupSettings, LimitSettings, LogicSettings, ServerSettings, Settings, SettingsLayer,
    WebhookSettings,
};
use crate::Words;
use crate::read::{NameOf, Problems, Spotted, check_name};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// Sizes that fit the machine's addresses on every platform we build for.
const GIGABYTE: u64 = 1_000_000_000;

pub(crate) fn read(file: Option<&str>, layers: &[SettingsLayer], problems: &mut Problems) -> Settings {
    let mut entries = layers::defaults(super::DEFAULTS, problems);
    if let Some(text) = file {
        layers::lay_file(text, &mut entries, problems);
    }
    for layer in layers {
        layers::lay(layer, &mut entries, problems);
    }
    let mut take = Take::new(entries, problems);
    let settings = build(&mut take);
    debug_assert!(take.left_over().is_empty(), "settings that nobody reads: {:?}", take.left_over());
    settings
}

pub(super) fn build(take: &mut Take<'_>) -> Settings {
    let mut settings = Settings {
        name: take.text("name", "a text that is not empty", |text| !text.trim().is_empty()),
        languages: take.texts("languages", "a list of language codes like \"de\"", take::is_language),
        currency: take.text("currency", "three capital letters like \"EUR\"", |text| {
            text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase())
        }),
        time_zone: take.text(
            "time_zone",
            "the name of a time zone like \"Europe/Berlin\"",
            take::is_time_zone,
        ),
        ..Settings::default()
    };
    if settings.languages.is_empty() {
        let source = take.source_of("languages");
        take.problem(&source, "a project needs at least one language".to_owned(), None);
        settings.languages.push("en".to_owned());
    }
    roles(take, &mut settings);
    owner(take, &mut settings);
    settings.server = server(take);
    settings.limits = limits(take);
    settings.auth = auth(take);
    settings.logic = logic(take);
    settings.webhooks = webhooks(take);
    settings.backup = backup(take);
    settings.origins = std::mem::take(&mut take.origins);
    settings
}

fn server(take: &mut Take<'_>) -> ServerSettings {
    ServerSettings {
        listen: take.text(
            "server.listen",
            "an address and port like \"127.0.0.1:8000\"",
            take::is_listen_address,
        ),
        public_url: take
            .text("server.public_url", "empty or an address like \"https://shop.example\"", |text| {
                text.is_empty() || take::is_url(text)
            })
            .trim_end_matches('/')
            .to_owned(),
        anonymous_without_key: take.flag("server.anonymous_without_key"),
        cors_origins: take.texts(
            "server.cors_origins",
            "a list of origins like \"https://shop.example\" or \"*\"",
            |text| text == "*" || take::is_origin(text),
        ),
        trusted_proxies: take.texts(
            "server.trusted_proxies",
            "a list of addresses or networks like \"10.0.0.0/8\"",
            take::is_network,
        ),
        log_format: take.log_format("server.log_format"),
        shutdown: take.duration("server.shutdown", MILLISECOND..=HOUR),
    }
}

fn limits(take: &mut Take<'_>) -> LimitSettings {
    LimitSettings {
        body_bytes: take.bytes("limits.body", 1000..=GIGABYTE),
        bodies_bytes: take.bytes("limits.bodies", 1000..=1000 * GIGABYTE),
        header_bytes: take.bytes("limits.header", 4000..=10_000_000),
        header_time: take.duration("limits.header_time", MILLISECOND..=HOUR),
        request_time: take.duration("limits.request_time", MILLISECOND..=HOUR),
        read_time: take.duration("limits.read_time", MILLISECOND..=HOUR),
        max_rows: take.number("limits.max_rows", 1..=1_000_000),
        write_queue: take.number("limits.write_queue", 1..=1_000_000),
        requests_per_address: take.number("limits.requests_per_address", 0..=1_000_000),
        visitor_calls: take.number("limits.visitor_calls", 0..=100_000),
        embeds: take.number("limits.embeds", 1..=256),
        database_bytes: take.bytes("limits.database", 0..=u64::MAX),
    }
}

fn auth(take: &mut Take<'_>) -> AuthSettings {
    AuthSettings {
        sign_up: take.flag("auth.sign_up"),
        password_min_length: take.number("auth.password_min_length", 6..=64),
        access_token: take.duration("auth.access_token", SECOND..=7 * DAY),
        refresh_reuse: take.duration("auth.refresh_reuse", Duration::ZERO..=HOUR),
        session_idle: take.duration("auth.session_idle", SECOND..=3650 * DAY),
        attempts_per_account: take.number("auth.attempts_per_account", 1..=1_000_000),
        attempts_per_address: take.number("auth.attempts_per_address", 1..=1_000_000_000),
        hash_queue: take.number("auth.hash_queue", 1..=100_000),
    }
}

fn logic(take: &mut Take<'_>) -> LogicSettings {
    LogicSettings {
        action_time: take.duration("logic.action_time", MILLISECOND..=Duration::from_secs(60)),
        http_time: take.duration("logic.http_time", MILLISECOND..=HOUR),
        memory_bytes: take.bytes("logic.memory", 1_000_000..=4 * GIGABYTE),
        statements: take.number("logic.statements", 1..=1_000_000),
        idempotency: take.duration("logic.idempotency", SECOND..=3650 * DAY),
        deliveries: take.duration("logic.deliveries", DAY..=3650 * DAY),
        stories: take.duration("logic.stories", SECOND..=36_500 * DAY),
        story_personal: take.duration("logic.story_personal", Duration::ZERO..=36_500 * DAY),
        audit: take.duration("logic.audit", DAY..=36_500 * DAY),
    }
}

fn webhooks(take: &mut Take<'_>) -> WebhookSettings {
    WebhookSettings {
        allow_private: take.flag("webhooks.allow_private"),
        subscriptions: take.number("webhooks.subscriptions", 0..=1000),
        overlap: take.duration("webhooks.overlap", Duration::ZERO..=30 * DAY),
    }
}

/// Whether a schedule says something, only `takt-logic` can tell; the check of the project asks it.
fn backup(take: &mut Take<'_>) -> BackupSettings {
    BackupSettings {
        repository: take.text("backup.repository", "empty or a folder", |text| !text.contains("://")),
        schedule: take.text("backup.schedule", "empty or a schedule like \"30 2 * * *\"", |_| true),
        drill: take.text("backup.drill", "empty or a schedule like \"0 4 * * *\"", |_| true),
        keep_hourly: take.number("backup.keep_hourly", 0..=10_000),
        keep_daily: take.number("backup.keep_daily", 0..=10_000),
        keep_weekly: take.number("backup.keep_weekly", 0..=10_000),
        keep_monthly: take.number("backup.keep_monthly", 0..=10_000),
        return_within: take.duration("backup.return_within", Duration::ZERO..=365 * DAY),
    }
}

/// A list of names, or a table from name to label.
fn roles(take: &mut Take<'_>, settings: &mut Settings) {
    let detailed = take.below_or_none("roles");
    let Some(entries) = detailed else {
        let names = take.texts("roles", "a list of names", |_| true);
        let source = take.source_of("roles");
        for name in names {
            add_role(&name, &source, take, settings);
        }
        return;
    };
    for (key, entry) in entries {
        let (role, rest) = key.split_once('.').map_or((key.as_str(), ""), |(role, rest)| (role, rest));
        if !settings.roles.iter().any(|known| known == role) {
            add_role(role, &entry.source, take, settings);
            settings.role_labels.push((role.to_owned(), Words::default()));
        }
        label(role, rest, &entry, take, settings);
    }
}

fn add_role(name: &str, source: &crate::Source, take: &mut Take<'_>, settings: &mut Settings) {
    check_name(NameOf::Role, name, source, take.problems());
    if settings.roles.iter().any(|known| known == name) {
        take.problem(source, format!("role `{name}` is named twice"), None);
    } else {
        settings.roles.push(name.to_owned());
    }
}

/// `staff.label.en = "Staff"`, also `staff.label = "Staff"` and `staff = "Staff"`.
fn label(role: &str, rest: &str, entry: &Entry, take: &mut Take<'_>, settings: &mut Settings) {
    let language = match rest.strip_prefix("label") {
        Some("") => settings.languages.first().cloned(),
        Some(language) => language.strip_prefix('.').map(str::to_owned),
        None if rest.is_empty() => settings.languages.first().cloned(),
        None => None,
    };
    match (language, &entry.raw) {
        (Some(language), Raw::Text(text)) => {
            if let Some((_, words)) = settings.role_labels.iter_mut().find(|(name, _)| name == role) {
                words.0.insert(language, text.clone());
            }
        }
        // `staff = {}`
        (Some(_), Raw::Other(what)) if what == "a table" => {}
        _ => {
            let help = "write `staff = { label = { en = \"Staff\", de = \"Team\" } }`".to_owned();
            take.problem(&entry.source, format!("this says nothing about the role `{role}`"), Some(help));
        }
    }
}

/// Any texts; numbers (a telephone number without quotes) are taken as they are.
fn owner(take: &mut Take<'_>, settings: &mut Settings) {
    for (key, entry) in take.below("owner") {
        if let Raw::Other(what) = &entry.raw {
            take.problem(&entry.source, format!("`owner.{key}` must be a text, not {what}"), None);
            continue;
        }
        settings.owner.push((key, Spotted::from(&entry).value));
    }
}
