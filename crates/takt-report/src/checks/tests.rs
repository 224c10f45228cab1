//! Evidence written by hand, on which every check shows its states (in its own file), and what holds for all of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fmt::Write as _, sync::Arc};

use expect_test::Expect;
use takt_engine::{Release, RequestMinute, Story, StoryChange, StoryResult, StoryStep};
use takt_model::{Project, ProjectFiles, Severity};

use super::*;
use crate::{
    catalogue,
    evidence::{
        Accounts, BackupDrillFact, BackupFacts, BackupPlace, ConnectionFact, Dependency, FrontFacts,
        LinkFact, OverdueFact, Parts, Passwords, ReconciledFact, StoreFacts, TableCount,
    },
    history::DAY,
};

/// 2026-11-23T09:14:07Z
pub(crate) const NOW: i64 = 1_795_425_247_000_000;

pub(super) const ORDERS: &str = r#"
label = { en = "Orders", de = "Bestellungen" }
[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"
[fields.number]
type = "text"
unique = true
[fields.status]
label = { en = "Status", de = "Status" }
type = "enum"
values = ["pending", "shipped"]
default = "pending"
transitions = { pending = ["shipped"] }
[fields.total]
type = "decimal(12,2)"
required = true
[fields.email]
type = "text"
personal = "contact"
[fields.created_at]
type = "timestamp"
default = "now()"
[privacy]
purpose = "contract"
keep = "10 years"
"#;

pub(super) fn project(files: &[(&str, &str)]) -> Arc<Project> {
    let mut all = ProjectFiles::default();
    all.0.insert(
        "takt.toml".into(),
        "name = \"Test\"\nlanguages = [\"de\", \"en\"]\nroles = [\"staff\"]\ncurrency = \"EUR\"\n".into(),
    );
    for (name, text) in files {
        all.0.insert(format!("schema/{name}.toml"), (*text).to_owned());
    }
    let (project, problems) = Project::parse(&all, &[]);
    let errors: Vec<_> = problems.iter().filter(|p| p.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    Arc::new(project)
}

pub(super) fn orders_with(policies: &str) -> Arc<Project> {
    project(&[("orders", &format!("{ORDERS}{policies}"))])
}

/// An instance where all is well and that has watched itself for a hundred days.
pub(crate) fn healthy() -> Evidence {
    let mut latency = [0; 16];
    latency[3] = 10_000;
    Evidence {
        at: NOW,
        project: orders_with(
            r#"
[[policies]]
name = "customers read their own orders"
to = ["authenticated"]
allow = ["select"]
using = "email = auth.jwt() ->> 'email'"
"#,
        ),
        counts: Ok(vec![TableCount { table: "orders".into(), rows: 41_208 }]),
        links: Ok(vec![LinkFact {
            table: "order_items".into(),
            field: "order_id".into(),
            target: "orders".into(),
            checked: 90_000,
            broken: 0,
        }]),
        doubles: Ok(Vec::new()),
        suspects: Ok(Vec::new()),
        overdue: Ok(vec![OverdueFact {
            table: "orders".into(),
            keep: "10 years".into(),
            field: "created_at".into(),
            rows: 0,
            long_past: 0,
        }]),
        store: Ok(StoreFacts {
            engine: "SQLite 3.54.1".into(),
            embedded: true,
            durable: true,
            writable: true,
            bytes: 12_300_000,
            inside_public: false,
        }),
        passwords: Ok(Passwords { total: 2000, argon2id: 2000 }),
        accounts: Ok(Accounts {
            administrators: 6,
            with_second_factor: 6,
            unused: Some(0),
            sessions_end: true,
            lock_out: true,
        }),
        releases: Ok(vec![
            Release { at: NOW - 2 * DAY, not_serving_seconds: Some(4), ..Release::default() },
            Release { at: NOW - 100 * DAY, ..Release::default() },
        ]),
        minutes: Ok(vec![RequestMinute { minute: 1, succeeded: 9_998, failed: 2, latency }]),
        stories: Ok(vec![story()]),
        partners: Ok(Vec::new()),
        connections: Ok(vec![ConnectionFact {
            name: both("ERP", "ERP"),
            is_partner: true,
            bearable: Some("8h".into()),
            bearable_micros: Some(DAY / 3),
            last_ok_at: Some(NOW - 60_000_000),
            last_message_at: Some(NOW - 60_000_000),
            reconciled: Some(ReconciledFact {
                compared_at: Some(NOW - DAY / 24),
                last_failed: false,
                expected: 200,
                open: 0,
            }),
            contracts: 2,
            ..ConnectionFact::default()
        }]),
        backups: Ok(BackupFacts {
            last_at: Some(NOW - DAY / 4),
            rows: 412_080,
            bytes: 12_300_000,
            last_fault: None,
            place: Some(BackupPlace::Network),
            owner_has_key: true,
            owner_key_tried_at: Some(NOW - 60 * DAY),
            last_drill: Some(BackupDrillFact {
                at: NOW - DAY / 5,
                backup_at: Some(NOW - DAY / 4),
                fault: None,
                milliseconds: 18_000,
                table: Some("orders".into()),
                rows: 41_208,
                newest_at: Some(NOW - DAY / 4 - 60_000_000),
            }),
            return_within: Some(std::time::Duration::from_secs(4 * 3600)),
        }),
        parts: Ok(Parts { actions: vec!["checkout".into()], ..Parts::default() }),
        front: Ok(FrontFacts { files: 93, complete: true, ..FrontFacts::default() }),
    }
}

fn story() -> Story {
    Story {
        id: "0199a001-0000-7000-8000-000000000001".into(),
        function: "checkout".into(),
        label: both("Jetzt kaufen", "Buy now"),
        at: NOW,
        took: 900,
        caller: None,
        caller_roles: vec!["customer".into()],
        cause: takt_engine::StoryCause::Call,
        elevated: true,
        result: StoryResult::Success,
        steps: vec![StoryStep {
            label: both("Bestellung geschrieben", "Order written"),
            succeeded: true,
            depth: 0,
            took: 0,
            notes: vec![],
            changes: vec![StoryChange {
                table: "orders".into(),
                verb: "insert".into(),
                key: "1".into(),
                fields: Vec::new(),
                rule: "service".into(),
            }],
        }],
        changes: Vec::new(),
        changes_left_out: 0,
        events: Vec::new(),
        has_input: false,
        input: None,
        revealed: false,
    }
}

/// What makes a case differ from healthy evidence.
pub(super) type Change = fn(&mut Evidence);

/// Judges `id` after each change of healthy evidence: one line each with the state and both sentences,
/// then what it stands on.
pub(super) fn check(id: &str, cases: &[(&str, Change)], expected: Expect) {
    let wanted = ALL.iter().find(|c| c.id == id).unwrap();
    let mut told = String::new();
    for (name, change) in cases {
        let mut evidence = healthy();
        change(&mut evidence);
        let answer = (wanted.probe)(&evidence);
        let value = answer.value.get("en").unwrap_or_default();
        writeln!(told, "{name}: {:?} [{value}]", answer.state).unwrap();
        writeln!(told, "    {}", answer.title.get("de").unwrap()).unwrap();
        writeln!(told, "    {}", answer.title.get("en").unwrap()).unwrap();
        for line in &answer.evidence {
            writeln!(told, "      - {}", line.get("en").unwrap()).unwrap();
        }
    }
    expected.assert_eq(&told);
}

/// The facts of backups, to be changed.
pub(super) fn backups(evidence: &mut Evidence) -> &mut BackupFacts {
    evidence.backups.as_mut().unwrap()
}

pub(super) fn nobody_looked<T>() -> Fact<T> {
    Err("canceling statement due to statement timeout".into())
}

pub(super) fn young(evidence: &mut Evidence) {
    evidence.releases = Ok(vec![Release { at: NOW - 3 * DAY, ..Release::default() }]);
}

pub(super) fn stranger() -> Dependency {
    Dependency { host: "api.example.org".into(), purpose: "function rates".into(), calls: 3 }
}

#[test]
fn every_check_is_in_the_catalogue_with_its_weight() {
    for check in ALL {
        let entry = catalogue::ALL.iter().find(|e| e.id == check.id).unwrap();
        assert_eq!(entry.weight, check.weight, "{}", check.id);
    }
    let mut ids: Vec<_> = ALL.iter().map(|c| c.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), ALL.len(), "no check stands twice");
}

/// Not harder than the article it answers: short sentences, and none of the words that only technicians use.
#[test]
fn texts_are_short_and_plain() {
    const BANNED: [&str; 12] = [
        "SQL", "API", "endpoint", "Endpoint", "token", "Token", "payload", "Backup", "schema", "Schema",
        "NULL", "CPU",
    ];
    let answers = {
        let evidence = healthy();
        ALL.iter().map(|c| (c.probe)(&evidence).title).collect::<Vec<_>>()
    };
    let constants = ALL.iter().flat_map(|c| [c.meaning, c.question, c.advice].map(|t| t.words()));
    for words in constants.chain(answers) {
        for text in words.0.values() {
            for sentence in text.split(['.', '?', '!', ';']) {
                let n = sentence.split_whitespace().count();
                assert!(n <= 20, "{n} words: {sentence}");
            }
            for banned in BANNED {
                assert!(!text.contains(banned), "{banned}: {text}");
            }
        }
        assert_eq!(words.0.len(), 2, "{words:?}");
    }
}

#[test]
fn unknown_evidence_never_turns_anything_green() {
    let blind = Evidence {
        counts: nobody_looked(),
        links: nobody_looked(),
        doubles: nobody_looked(),
        suspects: nobody_looked(),
        overdue: nobody_looked(),
        store: nobody_looked(),
        passwords: nobody_looked(),
        accounts: nobody_looked(),
        releases: nobody_looked(),
        minutes: nobody_looked(),
        stories: nobody_looked(),
        partners: nobody_looked(),
        connections: nobody_looked(),
        backups: nobody_looked(),
        parts: nobody_looked(),
        front: nobody_looked(),
        ..healthy()
    };
    // These read nothing but the project, which is always there.
    let from_the_project = ["D10", "R04", "R05", "V07"];
    for check in ALL.iter().filter(|c| !from_the_project.contains(&c.id)) {
        let answer = (check.probe)(&blind);
        assert_eq!(answer.state, State::Unknown, "{}", check.id);
        assert!(!answer.evidence.is_empty(), "{} says why", check.id);
    }
}
