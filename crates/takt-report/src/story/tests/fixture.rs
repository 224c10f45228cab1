//! A small shop, a purchase, and everything that can be known around it.

use std::collections::HashMap;

use takt_engine::{Story, StoryCause, StoryChange, StoryField, StoryResult, StoryStep, Usual};
use takt_model::{Project, ProjectFiles};

use super::super::{
    Background, Depth, RowNames,
    background::{Because, Follows, Version},
    later::{Later, Went},
    tell_story_with,
};
use crate::text::both;

pub(super) fn shop() -> Project {
    let files = ProjectFiles::from([
        (
            "takt.toml",
            "name = \"Shop\"\nlanguages = [\"de\", \"en\"]\nroles = [\"staff\"]\ncurrency = \"EUR\"\n",
        ),
        (
            "schema/products.toml",
            r#"
label = { en = "Products", de = "Artikel" }
[fields.id]
type = "uuid"
primary_key = true
[fields.name_de]
type = "text"
[fields.stock]
label = { en = "Stock", de = "Bestand" }
type = "integer"
"#,
        ),
        (
            "schema/orders.toml",
            r#"
label = { en = "Orders", de = "Bestellungen" }
[fields.id]
type = "uuid"
primary_key = true
[fields.number]
label = { en = "Order number", de = "Bestellnummer" }
type = "text"
[fields.status]
label = { en = "Status", de = "Status" }
type = "enum"
values = ["pending", "paid"]
labels = { pending = { de = "offen", en = "open" } }
[fields.total]
label = { en = "Total", de = "Summe" }
type = "decimal(12,2)"
[fields.ship_name]
label = { en = "Recipient", de = "Empfänger" }
type = "text"
personal = "name"
[fields.created_at]
label = { en = "Ordered", de = "Bestellt" }
type = "timestamp"
"#,
        ),
    ]);
    Project::parse(&files, &[]).0
}

pub(super) fn field(name: &str, before: Option<&str>, after: Option<&str>) -> StoryField {
    StoryField {
        name: name.into(),
        before: before.map(Into::into),
        after: after.map(Into::into),
        hidden: None,
    }
}

pub(super) fn change(table: &str, verb: &str, key: &str, fields: Vec<StoryField>, rule: &str) -> StoryChange {
    StoryChange { table: table.into(), verb: verb.into(), key: key.into(), fields, rule: rule.into() }
}

pub(super) const PRODUCT: &str = "0199a001-0000-7000-8000-000000000003";

pub(super) const ORDER: &str = "0199b000-0000-7000-8000-0000000000aa";

pub(super) fn bought() -> Story {
    Story {
        id: "0199b000-0000-7000-8000-000000000001".into(),
        function: "checkout".into(),
        label: both("Jetzt kaufen", "Buy now"),
        at: 1_795_425_247_000_000,
        took: 812,
        caller: Some("0199b000-0000-7000-8000-00000000a1b2".into()),
        caller_roles: vec!["customer".into()],
        cause: StoryCause::Call,
        elevated: true,
        result: StoryResult::Success,
        steps: vec![
            StoryStep {
                label: both("Warenkorb geprüft", "Basket checked"),
                succeeded: true,
                depth: 0,
                took: 420,
                notes: vec![],
                changes: vec![],
            },
            StoryStep {
                label: both("Bestand reserviert", "Stock reserved"),
                succeeded: true,
                depth: 0,
                took: 420,
                notes: vec![],
                changes: vec![change(
                    "products",
                    "update",
                    PRODUCT,
                    vec![field("stock", Some("1007"), Some("1006"))],
                    "service",
                )],
            },
            StoryStep {
                label: both("Bestellung geschrieben", "Order written"),
                succeeded: true,
                depth: 0,
                took: 420,
                notes: vec![],
                changes: vec![change(
                    "orders",
                    "insert",
                    ORDER,
                    vec![
                        field("id", None, Some(ORDER)),
                        field("number", None, Some("B-2026-00001")),
                        field("status", None, Some("pending")),
                        field("total", None, Some("1039.90")),
                        field("ship_name", None, Some("a name that an old story still holds")),
                        field("created_at", None, Some("2026-11-23T09:14:07.000000+00:00")),
                    ],
                    "service",
                )],
            },
        ],
        changes: vec![],
        changes_left_out: 0,
        events: vec!["order.placed".into()],
        has_input: false,
        input: None,
        revealed: false,
    }
}

pub(super) fn later(to: &str, went: Went, attempts: u64, why: &str) -> Later {
    Later {
        id: "0199b000-0000-7000-8000-0000000000dd".into(),
        connection: "erp".into(),
        to: to.into(),
        went,
        attempts,
        why: why.into(),
        means: "Bestellungen warten hier.".into(),
    }
}

/// Everything that can be known around a story.
pub(super) fn background() -> Background {
    Background {
        names: RowNames::from([(("products".into(), PRODUCT.into()), "Steingutkanne".into())]),
        because: Some(Because {
            id: "0199b000-0000-7000-8000-0000000000ee".into(),
            title: "Warenkorb".into(),
        }),
        event: None,
        version: Some(Version { name: "471ae99f0b12".into(), since: 1_795_425_000_000_000 }),
        usual: Some(Usual { took: 700, of: 128 }),
        follows: Some(Follows::Again(1_795_425_547_000_000)),
        lines: HashMap::from([(2, "logic/checkout.ts:41".into())]),
        file: Some("logic/checkout.ts:27".into()),
        statements: vec![
            Some("UPDATE \"products\" SET \"stock\" = ?2 WHERE \"products\".\"id\" = ?1".into()),
            None,
        ],
        is_of_before: true,
        request: Some("POST /rest/v1/rpc/checkout".into()),
    }
}

pub(super) fn waiting() -> Later {
    later("„ERP“", Went::Waits(Some(1_795_425_949_000_000)), 3, "die andere Seite ist nicht bereit")
}

/// One text of all depths in both languages.
pub(super) fn all_depths(story: &Story, later: &[Later]) -> String {
    let mut text = String::new();
    for language in ["de", "en"] {
        let told = tell_story_with(story, &shop(), language, &background()).and_then(later);
        for depth in 0..=3 {
            text.push_str(&format!("===== {language} {depth}\n{}", told.to_depth(Depth::of(depth))));
        }
    }
    text
}
