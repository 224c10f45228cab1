//! Settings: the default file is the default, and each layer lies over the one below.

use expect_test::{Expect, expect};
use takt_model::{Origin, Project, ProjectFiles, Settings, SettingsLayer};

use crate::lines;

fn read(file: &str, layers: &[SettingsLayer]) -> (Settings, String) {
    let (project, problems) = Project::parse_with(&ProjectFiles::from([("takt.toml", file)]), &[], layers);
    (project.settings, lines(&problems))
}

fn layer(origin: Origin, values: &[(&str, &str)]) -> SettingsLayer {
    let values = values.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    SettingsLayer { origin, values }
}

fn check(file: &str, expected: Expect) {
    expected.assert_eq(&read(file, &[]).1);
}

/// A key of the default file that is not read, or a field without a line there, shows here: reading reports
/// missing keys as problems, a debug build asserts that none is left over, and the values stand below.
#[test]
fn the_default_file_is_the_default() {
    let (settings, problems) = read("", &[]);
    assert_eq!(problems, "");
    assert!(settings.origins.iter().all(|(_, _, origin)| *origin == Origin::Default));
    let written =
        Settings::default_file().lines().filter(|l| l.contains(" = ") && !l.starts_with('#')).count();
    assert_eq!(settings.origins.len(), written, "every line of the file is one setting");
    let values: Settings = Settings { origins: Vec::new(), ..settings };
    expect![[r#"
        Settings {
            name: "Takt",
            languages: [
                "en",
            ],
            currency: "EUR",
            time_zone: "UTC",
            roles: [],
            role_labels: [],
            owner: [],
            server: ServerSettings {
                listen: "127.0.0.1:8000",
                public_url: "",
                anonymous_without_key: true,
                cors_origins: [
                    "*",
                ],
                trusted_proxies: [],
                log_format: None,
                shutdown: 10s,
            },
            limits: LimitSettings {
                body_bytes: 10000000,
                bodies_bytes: 128000000,
                header_bytes: 64000,
                header_time: 10s,
                request_time: 60s,
                read_time: 5s,
                max_rows: 1000,
                write_queue: 1024,
                requests_per_address: 64,
                visitor_calls: 300,
                embeds: 32,
                database_bytes: 0,
            },
            auth: AuthSettings {
                sign_up: true,
                password_min_length: 8,
                access_token: 3600s,
                refresh_reuse: 10s,
                session_idle: 2592000s,
                attempts_per_account: 10,
                attempts_per_address: 100,
                hash_queue: 40,
            },
            logic: LogicSettings {
                action_time: 20ms,
                http_time: 5s,
                memory_bytes: 64000000,
                statements: 1000,
                idempotency: 604800s,
                deliveries: 2592000s,
                stories: 34560000s,
                story_personal: 7776000s,
                audit: 94608000s,
            },
            webhooks: WebhookSettings {
                allow_private: false,
                subscriptions: 100,
                overlap: 86400s,
            },
            backup: BackupSettings {
                repository: "",
                schedule: "30 2 * * *",
                drill: "0 4 * * *",
                keep_hourly: 24,
                keep_daily: 14,
                keep_weekly: 8,
                keep_monthly: 12,
                return_within: 0ns,
            },
            origins: [],
        }
    "#]]
    .assert_debug_eq(&values);
}

#[test]
fn every_setting_is_explained() {
    let lines: Vec<&str> = Settings::default_file().lines().collect();
    for pair in lines.windows(2) {
        if pair[1].contains(" = ") && !pair[1].starts_with('#') {
            assert!(pair[0].starts_with('#'), "no comment before `{}`", pair[1]);
        }
    }
}

#[test]
fn layers_lie_over_each_other() {
    let file = "[limits]\nmax_rows = 50\nembeds = 5\nbody = \"1MB\"\n";
    let (settings, problems) = read(
        file,
        &[
            layer(
                Origin::Environment,
                &[
                    ("limits.max_rows", "60"),
                    ("server.cors_origins", "https://a.example, *"),
                    ("auth.sign_up", "off"),
                ],
            ),
            layer(Origin::Flag, &[("limits.max_rows", "70"), ("server.listen", "[::1]:80")]),
        ],
    );
    assert_eq!(problems, "");
    assert_eq!(
        (settings.limits.max_rows, settings.limits.embeds, settings.limits.body_bytes),
        (70, 5, 1_000_000)
    );
    assert_eq!(settings.server.cors_origins, ["https://a.example", "*"]);
    assert!(!settings.auth.sign_up);
    let origin = |key: &str| {
        settings.origins.iter().find(|(k, _, _)| k == key).map(|(_, text, o)| (text.as_str(), *o))
    };
    assert_eq!(origin("limits.max_rows"), Some(("70", Origin::Flag)));
    assert_eq!(origin("limits.embeds"), Some(("5", Origin::Project)));
    assert_eq!(origin("auth.sign_up"), Some(("off", Origin::Environment)));
    assert_eq!(origin("auth.hash_queue"), Some(("40", Origin::Default)));
}

#[test]
fn the_environment_names_settings_by_their_path() {
    let variables = [
        ("TAKT_LIMITS_MAX_ROWS", "7"),
        ("TAKT_SERVER_LISTEN", "0.0.0.0:80"),
        ("TAKT_MASTER_KEY", "secret"),
        ("TAKT_LIMITS_MAX_ROW", "7"),
        ("TAKT_NAME", "Shop"),
        ("PATH", "/bin"),
    ];
    let layer = SettingsLayer::from_environment(variables.map(|(k, v)| (k.to_owned(), v.to_owned())));
    let (settings, problems) = read("", &[layer]);
    assert_eq!(
        (settings.limits.max_rows, settings.server.listen.as_str(), settings.name.as_str()),
        (7, "0.0.0.0:80", "Shop")
    );
    expect![[r#"
        environment:1: error: unknown setting `limits.max_row`; did you mean `limits.max_rows`?
    "#]]
    .assert_eq(&problems);
}

#[test]
fn roles_and_owner() {
    let (settings, problems) = read(
        "languages = [\"de\", \"en\"]\nowner = { name = \"Blatt & Kanne\", phone = 123 }\n\
         [roles]\nstaff = { label = { de = \"Team\", en = \"Staff\" } }\neditor = { label = \"Redaktion\" }\nguest = {}\n",
        &[],
    );
    assert_eq!(problems, "");
    assert_eq!(settings.roles, ["staff", "editor", "guest"]);
    assert_eq!(settings.role_labels[0].1.get("en"), Some("Staff"));
    assert_eq!(settings.role_labels[1].1.get("de"), Some("Redaktion"));
    assert_eq!(
        settings.owner,
        [("name".to_owned(), "Blatt & Kanne".to_owned()), ("phone".to_owned(), "123".to_owned())]
    );
    assert_eq!(read("roles = [\"staff\"]", &[]).0.roles, ["staff"]);
    check(
        "roles = [\"staff\", \"staff\", \"service_role\", \"two words\"]\n",
        expect![[r#"
            takt.toml:1: error: role `staff` is named twice
            takt.toml:1: error: `service_role` is reserved and no possible role; try `service_role_`
            takt.toml:1: error: `two words` is no possible role; a name consists of letters a to z, digits and `_`
        "#]],
    );
    check(
        "[roles.staff]\nlable = \"Team\"\n[owner.address]\ncity = [\"x\"]\nstreet = 2026-01-01\n",
        expect![[r#"
        takt.toml:2: error: this says nothing about the role `staff`; write `staff = { label = { en = "Staff", de = "Team" } }`
        takt.toml:5: error: `owner.address.street` must be a text, not a date or time
    "#]],
    );
    check(
        "roles = {}\n",
        expect![[r#"
        takt.toml:1: error: `roles` must be a list of names, not `a table`
    "#]],
    );
    check(
        "roles = \"staff\"\n",
        expect![[r#"
        takt.toml:1: error: `roles` must be a list of names, not `staff`
    "#]],
    );
}

#[test]
fn values_are_checked() {
    check(
        r#"name = ""
languages = []
currency = "Euro"
listen = "127.0.0.1:80"
[server]
listen = "127.0.0.1"
public_url = "shop.example"
anonymous_without_key = "yes"
cors_origins = ["https://shop.example/path"]
trusted_proxies = ["10.0.0.0/99"]
log_format = "jsn"
shutdown = 10
[limits]
body = "10 MegaBytes"
header = -1
header_time = "10"
max_rows = 0
write_queue = 2.5
embeds = 1000
database = "1GB"
[auth]
password_min_length = 3
access_token = "400d"
session_idle = "0s"
[logic]
action_time = "2h"
memory = 99
[auth.more]
x = 1
[mail]
"#,
        expect![[r#"
            takt.toml:1: error: `name` must be a text that is not empty, not ``
            takt.toml:2: error: a project needs at least one language
            takt.toml:3: error: `currency` must be three capital letters like "EUR", not `Euro`
            takt.toml:4: error: unknown setting `listen`; did you mean `server.listen`?
            takt.toml:6: error: `server.listen` must be an address and port like "127.0.0.1:8000", not `127.0.0.1`
            takt.toml:7: error: `server.public_url` must be empty or an address like "https://shop.example", not `shop.example`
            takt.toml:8: error: `server.anonymous_without_key` must be true or false, not `yes`
            takt.toml:9: error: `server.cors_origins` must be a list of origins like "https://shop.example" or "*", not `https://shop.example/path`
            takt.toml:10: error: `server.trusted_proxies` must be a list of addresses or networks like "10.0.0.0/8", not `10.0.0.0/99`
            takt.toml:11: error: `server.log_format` must be "text", "json" or "auto" (did you mean `json`?), not `jsn`
            takt.toml:12: error: `server.shutdown` must be a duration like "5s", from 1ms to 1h, not `10`
            takt.toml:14: error: `limits.body` must be a size like "10MB", from 1000 to 1000000000 bytes, not `10 MegaBytes`
            takt.toml:15: error: `limits.header` must be a size like "10MB", from 4000 to 10000000 bytes, not `-1`
            takt.toml:16: error: `limits.header_time` must be a duration like "5s", from 1ms to 1h, not `10`
            takt.toml:17: error: `limits.max_rows` must be a whole number from 1 to 1000000, not `0`
            takt.toml:18: error: `limits.write_queue` must be a whole number from 1 to 1000000, not `2.5`
            takt.toml:19: error: `limits.embeds` must be a whole number from 1 to 256, not `1000`
            takt.toml:22: error: `auth.password_min_length` must be a whole number from 6 to 64, not `3`
            takt.toml:23: error: `auth.access_token` must be a duration like "5s", from 1s to 7d, not `400d`
            takt.toml:24: error: `auth.session_idle` must be a duration like "5s", from 1s to 3650d, not `0s`
            takt.toml:26: error: `logic.action_time` must be a duration like "5s", from 1ms to 1m, not `2h`
            takt.toml:27: error: `logic.memory` must be a size like "10MB", from 1000000 to 4000000000 bytes, not `99`
            takt.toml:29: error: unknown setting `auth.more.x`
            takt.toml:30: error: unknown setting `mail`
        "#]],
    );
}

#[test]
fn broken_layers_are_reported_as_such() {
    let (_, problems) =
        read("", &[layer(Origin::Flag, &[("limits.max_rows", "many"), ("limit.max_rows", "1")])]);
    expect![[r#"
        flags:1: error: unknown setting `limit.max_rows`; did you mean `limits.max_rows`?
        flags:1: error: `limits.max_rows` must be a whole number from 1 to 1000000, not `many`
    "#]]
    .assert_eq(&problems);
    check(
        "name = \n",
        expect![[r#"
        takt.toml:1: error: this is no valid TOML: string values must be quoted, expected literal string
    "#]],
    );
}
