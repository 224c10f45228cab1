//! What a right project becomes: fields, keys, names, defaults, and the schema's fingerprint.

use expect_test::{Expect, expect};
use takt_model::{
    DefaultValue, Exposure, Expr, FieldType, OnDelete, Project, ProjectFiles, Transitions, Value,
};

use crate::{USERS, good, lines, read};

const LANGUAGES: (&str, &str) = ("takt.toml", "languages = [\"de\", \"en\"]");

const THINGS: &str = r#"
label = { en = "Things", de = "Dinge" }
about = "What there is."
owner = "Sales"

[fields.id]
type = "uuid"
primary_key = true
default = "uuid_v7()"

[fields.owner_id]
type = "uuid"
references = "auth.users.id"
on_delete = "set null"

[fields.code]
type = "text"
unique = true
max = 20
personal = "contact"
was = "number"

[fields.status]
type = "enum"
values = ["open", "closed"]
default = "open"
transitions = { open = ["closed"] }

[fields.total]
type = "decimal(12,2)"
required = true
check = "total >= 0"

[fields.note]
type = "text"
default = ""
required = false

[[indexes]]
fields = ["owner_id", "status"]

[[indexes]]
fields = ["status", "code"]
unique = true

[[policies]]
name = "owners read"
to = ["authenticated"]
allow = ["select", "update"]
fields = ["id", "total"]
using = "owner_id = auth.uid()"
check = "true"

[[policies]]
name = "all read"
to = ["anon"]
allow = ["select"]
using = "true"

[privacy]
purpose = "contract"
keep = "10 years"
"#;

#[test]
fn a_table_with_everything() {
    let project = good([("schema/things.toml", THINGS), LANGUAGES]);
    let table = project.table("things").unwrap();
    assert_eq!(project.tables[0].name, "auth.users");
    assert_eq!(project.tables[0].exposure, Exposure::System);
    assert_eq!(table.label.get("en"), Some("Things"));
    assert_eq!(table.about.get("de"), Some("What there is."), "a plain text is in the first language");
    assert_eq!(table.owner.as_deref(), Some("Sales"));

    let field = |name: &str| table.field(name).unwrap();
    let required: Vec<&str> = table.fields.iter().filter(|f| f.required).map(|f| f.name.as_str()).collect();
    assert_eq!(required, ["id", "status", "total"], "the key, what has a default, what says so");
    assert_eq!(field("id").default, Some(DefaultValue::UuidV7));
    assert_eq!(field("note").default, Some(DefaultValue::Constant(Value::Text(String::new()))));
    assert_eq!(field("code").max, Some(20));
    assert_eq!(field("code").personal.as_deref(), Some("contact"));
    assert_eq!(field("code").was.as_deref(), Some("number"));
    let values = vec!["open".to_owned(), "closed".to_owned()];
    assert_eq!(field("status").kind, FieldType::Enum { name: "things_status".to_owned(), values });
    let transitions = Transitions(vec![("open".to_owned(), vec!["closed".to_owned()])]);
    assert_eq!(field("status").transitions, Some(transitions));
    let line = THINGS.lines().position(|l| l == "[fields.total]").unwrap() + 1;
    assert_eq!(field("total").source.line as usize, line);

    let check = field("total").check.as_ref().unwrap();
    assert_eq!((check.name.as_str(), check.text.as_str()), ("things_total_check", "total >= 0"));
    let names: Vec<_> = table.indexes.iter().map(|i| (i.name.as_str(), i.unique)).collect();
    assert_eq!(
        names,
        [("things_code_key", true), ("things_owner_id_status_idx", false), ("things_status_code_key", true)]
    );
    let key = &table.foreign_keys[0];
    assert_eq!((key.name.as_str(), key.on_delete), ("things_owner_id_fkey", OnDelete::SetNull));
    assert_eq!(project.get(key.target).name, "auth.users");

    let [own, all] = table.policies.as_slice() else { panic!("{:?}", table.policies) };
    assert_eq!(own.using.as_ref().unwrap().display(&project).to_string(), "owner_id = auth.uid()");
    assert_eq!(
        own.check.as_ref().unwrap().display(&project).to_string(),
        "true",
        "not the same as a missing one"
    );
    assert_eq!(own.fields, Some(vec![field("id").id, field("total").id]));
    assert_eq!(
        (all.using.as_ref(), all.using_text.as_deref()),
        (None, Some("true")),
        "all rows have one form"
    );
    assert_eq!(table.privacy.as_ref().unwrap().keep.as_deref(), Some("10 years"));
}

#[test]
fn constraint_names_are_cut_as_postgresql_does() {
    let table = "a".repeat(40);
    let field = "b".repeat(30);
    let text = format!(
        "label = \"x\"\n[fields.id]\ntype = \"integer\"\nprimary_key = true\n[fields.{field}]\ntype = \"integer\"\nunique = true\n\
         references = \"{table}.id\"\ncheck = \"{field} > 0\"\n[fields.{field}2]\ntype = \"integer\"\nunique = true\n"
    );
    let project = good([(&format!("schema/{table}.toml"), &text)]);
    let table = project.table(&table).unwrap();
    let indexes: Vec<&str> = table.indexes.iter().map(|i| i.name.as_str()).collect();
    let (a, b) = ("a".repeat(28), "b".repeat(28));
    let (key, check) =
        (table.foreign_keys[0].name.as_str(), table.fields[1].check.as_ref().unwrap().name.as_str());
    let second = format!("{a}a_{b}b_key");
    assert!([key, check].iter().chain(&indexes).all(|name| name.len() <= 63), "{key} {check} {indexes:?}");
    assert_eq!(indexes[0], second);
    assert_eq!(indexes[1], format!("{}1", &second[..62]), "a second index of that name gets a number");
}

#[test]
fn index_names_are_distinct_in_the_whole_project() {
    let fields = |names: &[&str]| -> String {
        names.iter().map(|n| format!("[fields.{n}]\ntype = \"text\"\nunique = true\n")).collect()
    };
    let table = |names: &[&str]| {
        format!("label = \"x\"\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\n{}", fields(names))
    };
    let project = good([
        ("schema/a.toml", &table(&["b_c"])),
        ("schema/a_b.toml", &table(&["c", "d"])),
        ("schema/a_b_d_key.toml", &table(&[])),
    ]);
    let names: Vec<&str> =
        project.tables.iter().skip(1).flat_map(|t| &t.indexes).map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["a_b_c_key", "a_b_c_key1", "a_b_d_key1"]);
}

#[test]
fn a_policy_that_cannot_be_read_allows_nothing() {
    let policy = |lines: &str| {
        let text = format!(
            "label = \"x\"\n[fields.id]\ntype = \"uuid\"\nprimary_key = true\n[[policies]]\nname = \"p\"\nto = [\"anon\"]\n{lines}\n"
        );
        let (project, problems) = read([("schema/t.toml", &text)]);
        (project.table("t").unwrap().policies[0].clone(), !problems.is_empty())
    };
    for lines in [
        "allow = [\"select\"]\nusing = \"idd = 1\"",
        "allow = [\"select\"]\nusing = 3",
        "allow = [\"select\", \"delete\"]",
        "allow = [\"selecct\"]",
    ] {
        let (policy, reported) = policy(lines);
        assert_eq!((policy.using, reported), (Some(Expr::no()), true), "{lines}");
    }
    let (insert, _) = policy("allow = [\"insert\"]\ncheck = \"idd = 1\"");
    assert_eq!((insert.using, insert.check), (None, Some(Expr::no())));
    assert_eq!(policy("allow = [\"insert\"]\ncheck = 3").0.check, Some(Expr::no()));
    assert_eq!(policy("allow = [\"insert\"]\nfields = 3").0.fields, Some(Vec::new()));
    let (narrow, _) = policy("allow = [\"select\"]\nusing = \"true\"\nfields = [\"idd\"]");
    assert_eq!(narrow.fields, Some(Vec::new()), "an unknown field is no reason to show all");
}

/// The defaults of one field of this type.
fn default_of(kind: &str, default: &str) -> String {
    let text = format!(
        "label = \"x\"\n[fields.id]\ntype = \"integer\"\nprimary_key = true\n[fields.f]\ntype = \"{kind}\"\nvalues = {}\ndefault = {default}\n",
        "[\"a\", \"b\"]"
    );
    let text = if kind == "enum" { text } else { text.replace("values = [\"a\", \"b\"]\n", "") };
    let project = good([("schema/t.toml", &text)]);
    format!(
        "{kind} {default} -> {:?}\n",
        project.table("t").unwrap().field("f").unwrap().default.as_ref().unwrap()
    )
}

#[test]
fn defaults() {
    let lines: String = [
        ("text", "\"\""),
        ("text", "\"n/a (none)\""),
        ("text", "\"print()\""),
        ("integer", "0x10"),
        ("bigint", "9_000_000_000"),
        ("decimal(12,2)", "19.90"),
        ("decimal(18,2)", "1234567890123456.70"),
        ("decimal(12,2)", "5"),
        ("double", "0.5"),
        ("double", "inf"),
        ("boolean", "false"),
        ("date", "2026-01-02"),
        ("time", "03:04:05"),
        ("timestamp", "2026-01-02T03:04:05Z"),
        ("timestamp", "\"now()\""),
        ("uuid", "\"0199a000-0000-7000-8000-000000000001\""),
        ("uuid", "\"auth.uid()\""),
        ("uuid", "\"uuid_v4()\""),
        ("json", "\"[1.10]\""),
        ("json", "{ a = [1, \"x\"] }"),
        ("bytes", "'\\x00ff'"),
        ("enum", "\"b\""),
        ("text", "\"next_number('orders', 'B-{year}-{n:05}')\""),
        ("text", "\"next_number('x', '{n}')\""),
    ]
    .iter()
    .map(|(kind, default)| default_of(kind, default))
    .collect();
    let expected: Expect = expect![[r#"
        text "" -> Constant(Text(""))
        text "n/a (none)" -> Constant(Text("n/a (none)"))
        text "print()" -> Constant(Text("print()"))
        integer 0x10 -> Constant(Integer(16))
        bigint 9_000_000_000 -> Constant(Integer(9000000000))
        decimal(12,2) 19.90 -> Constant(Decimal(19.90))
        decimal(18,2) 1234567890123456.70 -> Constant(Decimal(1234567890123456.70))
        decimal(12,2) 5 -> Constant(Decimal(5.00))
        double 0.5 -> Constant(Double(0.5))
        double inf -> Constant(Double(inf))
        boolean false -> Constant(Boolean(false))
        date 2026-01-02 -> Constant(Date(2026-01-02))
        time 03:04:05 -> Constant(Time(03:04:05))
        timestamp 2026-01-02T03:04:05Z -> Constant(Timestamp(1767323045000000))
        timestamp "now()" -> Now
        uuid "0199a000-0000-7000-8000-000000000001" -> Constant(Uuid(0199a000-0000-7000-8000-000000000001))
        uuid "auth.uid()" -> AuthUid
        uuid "uuid_v4()" -> UuidV4
        json "[1.10]" -> Constant(Json("[1.10]"))
        json { a = [1, "x"] } -> Constant(Json("{\"a\":[1,\"x\"]}"))
        bytes '\x00ff' -> Constant(Bytes([0, 255]))
        enum "b" -> Constant(Text("b"))
        text "next_number('orders', 'B-{year}-{n:05}')" -> NextNumber { counter: "orders", template: NumberTemplate([Text("B-"), Year, Text("-"), Counter { width: 5 }]) }
        text "next_number('x', '{n}')" -> NextNumber { counter: "x", template: NumberTemplate([Counter { width: 0 }]) }
    "#]];
    expected.assert_eq(&lines);
}

#[test]
fn the_fingerprint_is_of_the_schema_alone() {
    let fingerprint = |text: &str| good([("schema/things.toml", text), LANGUAGES]).schema_fingerprint;
    let first = fingerprint(THINGS);
    // Written down: a release that changes it for the same schema would refuse to serve beside the one before.
    expect!["877251dfd0345ad1"].assert_eq(&first);
    for same in [
        ("owner = \"Sales\"", "owner = \"Somebody\""),
        ("[fields.note]", "\n# a remark\n[fields.note]"),
        ("total >= 0", "(total)  >= 0.00"),
    ] {
        assert_eq!(fingerprint(&THINGS.replace(same.0, same.1)), first, "{same:?}");
    }
    for other in [
        ("max = 20", "max = 21"),
        ("decimal(12,2)", "decimal(13,2)"),
        ("total >= 0", "total > 0"),
        ("set null", "cascade"),
        ("[\"open\", \"closed\"]", "[\"open\", \"closed\", \"lost\"]"),
        ("to = [\"anon\"]", "to = [\"anon\", \"authenticated\"]"),
        ("owner_id = auth.uid()", "owner_id <> auth.uid()"),
        ("required = true", "required = false"),
        ("unique = true\nmax", "max"),
        ("default = \"open\"", "default = \"closed\""),
    ] {
        assert!(THINGS.contains(other.0));
        assert_ne!(fingerprint(&THINGS.replace(other.0, other.1)), first, "{other:?}");
    }
}

#[test]
fn an_empty_folder_is_an_empty_project() {
    let (project, problems) = Project::parse(&ProjectFiles::default(), &[USERS]);
    assert_eq!(lines(&problems), "");
    assert_eq!(project.tables.len(), 1);
    assert_eq!(project.settings.languages, ["en"]);
}

#[test]
fn no_file_makes_the_reader_panic() {
    let config = proptest::test_runner::Config::with_cases(500);
    proptest::test_runner::TestRunner::new(config)
        .run(&(0..THINGS.len(), 0..THINGS.len(), ".{0,12}"), |(from, to, insert)| {
            // A good file with a piece cut out and something else put in.
            let cut = |at: usize| (0..=at).rev().find(|at| THINGS.is_char_boundary(*at)).unwrap_or(0);
            let (from, to) = (cut(from.min(to)), cut(from.max(to)));
            let text = format!("{}{insert}{}", &THINGS[..from], &THINGS[to..]);
            let _ = Project::parse(
                &ProjectFiles::from([("schema/things.toml", text.as_str()), ("takt.toml", text.as_str())]),
                &[USERS],
            );
            Ok(())
        })
        .unwrap();
}

#[test]
fn values_have_labels_in_the_languages_of_the_project() {
    let table = |labels: &str| {
        let text = format!(
            "label = \"Orders\"\n[fields]\nid = {{ type = \"uuid\", primary_key = true }}\n\
             after = {{ type = \"text\", labels = {{ paid = \"bezahlt\" }} }}\n\
             [fields.status]\ntype = \"enum\"\nvalues = [\"pending\", \"paid\"]\n{labels}\n"
        );
        crate::read([
            ("takt.toml", "name = \"T\"\nlanguages = [\"de\", \"en\"]\n"),
            ("schema/orders.toml", &text),
        ])
    };
    let (project, problems) = table("labels = { pending = { de = \"offen\", en = \"open\" } }");
    assert!(problems.is_empty(), "{problems:?}");
    let status = project.table("orders").unwrap().field("status").unwrap();
    assert_eq!(status.value_label("pending", "de"), Some("offen"));
    assert_eq!(status.value_label("pending", "en"), Some("open"));
    assert_eq!(status.value_label("paid", "de"), None, "it stays as it is written");
    let after = project.table("orders").unwrap().field("after").unwrap();
    assert_eq!(after.value_label("paid", "en"), Some("bezahlt"), "better another language than none");
    for (labels, told) in [
        (
            "labels = { payd = { de = \"x\" } }",
            "error: label for the unknown value `payd`; did you mean `paid`?",
        ),
        ("labels = { paid = { fr = \"x\" } }", "warning: `fr` is no language of the project"),
        ("labels = { paid = 1 }", "`paid` must be texts per language"),
        ("labels = [\"x\"]", "`labels` must be a table"),
    ] {
        let (_, problems) = table(labels);
        assert!(problems.len() == 1 && problems[0].to_string().contains(told), "{labels}: {problems:?}");
    }
}
