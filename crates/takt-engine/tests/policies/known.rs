//! Differences that were found, each as its smallest case and named after what somebody saw.

use takt_engine::{Engine, EngineError};
use takt_model::{Principal, ProjectFiles, User, Uuid, Value};
use takt_plan::{Assignment, Conflict, ConflictAction, Delete, Insert, Missing, On, Plan, Update};

use crate::{house, told::Refusal};

/// A project of a few tables, written by hand.
struct Small {
    engine: Engine,
    // Removed with the project.
    _folder: tempfile::TempDir,
}

impl Small {
    fn new(tables: &[(&str, &str)]) -> Self {
        let mut files = ProjectFiles::default();
        files.0.insert("takt.toml".to_owned(), "name = \"Test\"\nlanguages = [\"en\"]\n".to_owned());
        for (name, text) in tables {
            let text = format!("label = {{ en = \"{name}\" }}\n{text}");
            files.0.insert(format!("schema/{name}.toml"), text);
        }
        let folder = tempfile::tempdir().unwrap();
        let engine = house::engine(folder.path(), house::read(&files).unwrap()).unwrap();
        Self { engine, _folder: folder }
    }

    /// Rows written by the service.
    fn with(self, table: &str, rows: &[&[(&str, Value)]]) -> Self {
        for row in rows {
            self.write(&Principal::service(), |on| Plan::Insert(insert(on, &[row])), table).unwrap();
        }
        self
    }

    /// How many rows a write touched; it stays.
    fn write(
        &self,
        who: &Principal,
        plan: impl FnOnce(&On<'_>) -> Plan,
        table: &str,
    ) -> Result<u64, Refusal> {
        let project = self.engine.project();
        let (who, plan) = (who.clone(), plan(&On::table(&project, table).unwrap()));
        let ran = self.engine.transact_blocking(move |tx| -> Result<u64, EngineError> {
            Ok(tx.rows(&who, plan.clone())?.1.affected)
        });
        ran.map_err(|e| Refusal::of(&e).unwrap())
    }

    fn insert(&self, who: &Principal, table: &str, row: &[(&str, Value)]) -> Result<u64, Refusal> {
        self.write(who, |on| Plan::Insert(insert(on, &[row])), table)
    }

    fn update(
        &self,
        who: &Principal,
        table: &str,
        filter: Option<(&str, Value)>,
        set: &[(&str, Value)],
    ) -> Result<u64, Refusal> {
        let plan = |on: &On<'_>| {
            Plan::Update(Update {
                table: on.table.id,
                filter: filter.map(|(name, value)| on.eq(name, value).unwrap()),
                all: true,
                set: set.iter().map(|(n, v)| (on.field(n).unwrap(), Assignment::Value(v.clone()))).collect(),
                returning: None,
                max_affected: None,
            })
        };
        self.write(who, plan, table)
    }

    fn count(&self, who: &Principal, table: &str) -> Result<u64, Refusal> {
        let project = self.engine.project();
        let plan = On::table(&project, table).unwrap().count(None);
        let ran = self
            .engine
            .look_up(|tx| -> Result<u64, EngineError> { Ok(tx.rows(who, plan)?.1.count.unwrap()) });
        ran.map_err(|e| Refusal::of(&e).unwrap())
    }
}

fn insert(on: &On<'_>, rows: &[&[(&str, Value)]]) -> Insert {
    Insert {
        table: on.table.id,
        fields: rows[0].iter().map(|(name, _)| on.field(name).unwrap()).collect(),
        rows: rows.iter().map(|row| row.iter().map(|(_, value)| Some(value.clone())).collect()).collect(),
        missing: Missing::Default,
        conflict: None,
        returning: None,
    }
}

fn user(n: u128) -> Principal {
    Principal::user(User {
        id: Uuid::from_u128(n),
        email: None,
        roles: Vec::new(),
        session_id: None,
        claims: serde_json::Value::Null,
    })
}

fn uuid(n: u128) -> Value {
    Value::Uuid(Uuid::from_u128(n))
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn code(code: &str) -> Refusal {
    Refusal::code(code)
}

const MEMBERS: &str = r#"
[fields]
id = { type = "integer", primary_key = true }
team = { type = "integer" }
person = { type = "uuid" }
role = { type = "text" }

[[policies]]
name = "people see where they belong"
to = ["authenticated"]
allow = ["select"]
using = "person = auth.uid()"

[[policies]]
name = "chiefs let people in"
to = ["authenticated"]
allow = ["insert", "update"]
using = "person = auth.uid()"
check = """exists (select 1 from members m
    where m.team = members.team and m.person = auth.uid() and m.role = 'chief')"""
"#;

/// A policy that asks its own table must not see the row that it is to judge: nobody vouches for himself.
#[test]
fn nobody_lets_himself_into_a_team() {
    let row = |id: i64, person: u128, role: &str| {
        [
            ("id", Value::Integer(id)),
            ("team", Value::Integer(7)),
            ("person", uuid(person)),
            ("role", text(role)),
        ]
    };
    let small =
        Small::new(&[("members", MEMBERS)]).with("members", &[&row(1, 1, "chief"), &row(2, 2, "guest")]);
    // The chief lets somebody in, as is right.
    assert_eq!(small.insert(&user(1), "members", &row(3, 3, "guest")), Ok(1));
    // A stranger comes as chief.
    assert_eq!(small.insert(&user(9), "members", &row(4, 9, "chief")), Err(code("42501")));
    // A guest makes himself one.
    let own = Some(("person", uuid(2)));
    assert_eq!(small.update(&user(2), "members", own, &[("role", text("chief"))]), Err(code("42501")));
    // The same as an upsert over the own row.
    let plan = |on: &On<'_>| {
        let conflict =
            Some(Conflict { fields: vec![on.field("id").unwrap()], action: ConflictAction::Merge });
        Plan::Insert(Insert { conflict, ..insert(on, &[&row(2, 2, "chief")]) })
    };
    assert_eq!(small.write(&user(2), plan, "members"), Err(code("42501")));
}

/// "One vote each": the vote that is being cast is not yet one.
#[test]
fn everybody_votes_once() {
    let votes = r#"
        [fields]
        id = { type = "integer", primary_key = true }
        person = { type = "uuid", default = "auth.uid()" }
        [[policies]]
        name = "own votes"
        to = ["authenticated"]
        allow = ["select"]
        using = "person = auth.uid()"
        [[policies]]
        name = "one vote each"
        to = ["authenticated"]
        allow = ["insert"]
        check = "person = auth.uid() and not exists (select 1 from votes v where v.person = auth.uid())"
    "#;
    let small = Small::new(&[("votes", votes)]);
    assert_eq!(small.insert(&user(1), "votes", &[("id", Value::Integer(1))]), Ok(1));
    assert_eq!(small.insert(&user(1), "votes", &[("id", Value::Integer(2))]), Err(code("42501")));
    assert_eq!(small.insert(&user(2), "votes", &[("id", Value::Integer(2))]), Ok(1));
}

/// The store calls the rows of sub-queries `t1`, `t2`; a table may be called so too.
#[test]
fn a_table_may_be_called_t1() {
    let t1 = r#"
        [fields]
        id = { type = "integer", primary_key = true }
        owner_id = { type = "integer" }
        [[policies]]
        name = "only what belongs to an owner"
        to = ["authenticated"]
        allow = ["select", "insert", "update", "delete"]
        using = "exists (select 1 from owners o where o.id = t1.owner_id)"
        check = "exists (select 1 from owners o where o.id = t1.owner_id)"
    "#;
    let owners = r#"
        [fields]
        id = { type = "integer", primary_key = true }
        owner_id = { type = "integer" }
        [[policies]]
        name = "all"
        to = ["authenticated"]
        allow = ["select"]
        using = "true"
    "#;
    // An owner that is its own: if `t1.owner_id` were taken for the owner's, the policy would always hold.
    let owner: [(&str, Value); 2] = [("id", Value::Integer(5)), ("owner_id", Value::Integer(5))];
    let small = Small::new(&[("t1", t1), ("owners", owners)]).with("owners", &[&owner]);
    let row = |id: i64, owner: i64| [("id", Value::Integer(id)), ("owner_id", Value::Integer(owner))];
    assert_eq!(small.insert(&user(1), "t1", &row(1, 6)), Err(code("42501")));
    assert_eq!(small.insert(&user(1), "t1", &row(1, 5)), Ok(1));
    assert_eq!(small.update(&user(1), "t1", None, &[("owner_id", Value::Integer(6))]), Err(code("42501")));
    assert_eq!(small.count(&user(1), "t1"), Ok(1));
}

/// A policy that asks a closed table is refused; beside one that shows everything it is not asked, in either order.
#[test]
fn the_order_of_policies_does_not_matter() {
    let closed = "[fields]\nid = { type = \"integer\", primary_key = true }\n";
    let asking = "[[policies]]\nname = \"asks\"\nto = [\"anon\"]\nallow = [\"select\"]\n\
                  using = \"exists (select 1 from closed)\"\n";
    let open = "[[policies]]\nname = \"all\"\nto = [\"anon\"]\nallow = [\"select\"]\nusing = \"true\"\n";
    for policies in [[asking, open], [open, asking]] {
        let table = format!("{closed}{}", policies.concat());
        let small = Small::new(&[("closed", closed), ("things", &table)]);
        assert_eq!(small.count(&Principal::anon(), "things"), Ok(0));
    }
}

/// Rows that a reference would have removed anyway are still rows that the request removed.
#[test]
fn a_deletion_counts_what_its_filter_finds() {
    let tree = r#"
        [fields]
        id = { type = "integer", primary_key = true }
        parent = { type = "integer", references = "tree.id", on_delete = "cascade" }
    "#;
    let small = Small::new(&[("tree", tree)]).with(
        "tree",
        &[
            &[("id", Value::Integer(1)), ("parent", Value::Null)],
            &[("id", Value::Integer(2)), ("parent", Value::Integer(1))],
        ],
    );
    let all = |on: &On<'_>| {
        Plan::Delete(Delete {
            table: on.table.id,
            filter: None,
            all: true,
            returning: None,
            max_affected: None,
        })
    };
    assert_eq!(small.write(&Principal::service(), all, "tree"), Ok(2));
}

/// A required field set to null is refused for the sake of a row, not where no row is found.
#[test]
fn nothing_found_is_nothing_refused() {
    let table = "[fields]\nid = { type = \"integer\", primary_key = true }\n\
                 word = { type = \"text\", required = true }\n";
    let small =
        Small::new(&[("words", table)]).with("words", &[&[("id", Value::Integer(1)), ("word", text("a"))]]);
    let set = [("word", Value::Null)];
    let filter = |id| Some(("id", Value::Integer(id)));
    assert_eq!(small.update(&Principal::service(), "words", filter(2), &set), Ok(0));
    assert_eq!(small.update(&Principal::service(), "words", filter(1), &set), Err(code("23502")));
}

/// Two rows of an upsert that meet the same row, also if the first gives it a new primary key.
#[test]
fn an_upsert_touches_no_row_twice() {
    let table = "[fields]\nid = { type = \"integer\", primary_key = true }\n\
                 code = { type = \"text\", unique = true }\n";
    let small =
        Small::new(&[("codes", table)]).with("codes", &[&[("id", Value::Integer(1)), ("code", text("a"))]]);
    let plan = |on: &On<'_>| {
        let row = |id| [("id", Value::Integer(id)), ("code", text("a"))];
        let conflict =
            Some(Conflict { fields: vec![on.field("code").unwrap()], action: ConflictAction::Merge });
        Plan::Insert(Insert { conflict, ..insert(on, &[&row(5), &row(6)]) })
    };
    assert_eq!(small.write(&Principal::service(), plan, "codes"), Err(code("21000")));
}
